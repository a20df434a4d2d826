//! The metrics of Prometheus itself: which there are, of what type, and as what they are sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What Prometheus says of itself to who scrapes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricsSeen {
    /// The content type that comes back, by the `Accept` that asks.
    pub content_types: BTreeMap<String, String>,
    /// The type and the help of each metric.
    pub families: BTreeMap<String, String>,
}

/// Metrics that appear with the first scrape, the first sample or the first request: whether they are there yet is a
/// question of the moment. Found by comparing an exposition at the start with one after some scrapes.
const LATE: [&str; 15] = [
    "prometheus_http_re",
    "prometheus_remote_storage_highest_timestamp_in_seconds",
    "prometheus_sd_updates",
    "prometheus_target_interval_length_seconds",
    "prometheus_target_metadata_cache_",
    "prometheus_target_scrape_pool_sync_total",
    "prometheus_target_scrape_pool_symboltable_items",
    "prometheus_target_scrape_pool_target_limit",
    "prometheus_target_scrape_pool_targets",
    "prometheus_target_sync_",
    "prometheus_tsdb_head_out_of_order_samples_appended_total",
    "prometheus_tsdb_head_samples_appended_total",
    "prometheus_tsdb_out_of_",
    "prometheus_tsdb_too_old_samples_total",
    "prometheus_tsdb_wal_record_",
];

/// The type and the help of each metric of an exposition in Prometheus's text format.
pub(super) fn families(text: &str) -> BTreeMap<String, String> {
    let mut helps = BTreeMap::new();
    let mut families = BTreeMap::new();
    for line in text.lines() {
        let is_late = |name: &str| LATE.iter().any(|late| name.starts_with(late));
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            helps.insert(name, help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
            && !is_late(name)
        {
            let help = helps.get(name).copied().unwrap_or_default();
            families.insert(name.to_owned(), format!("{kind}: {help}"));
        }
    }
    families
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_its_type_and_help() {
        let text = "# HELP go_threads Number of OS threads created.\n# TYPE go_threads gauge\ngo_threads 9\n\
                    # HELP prometheus_target_sync_length_seconds x\n# TYPE prometheus_target_sync_length_seconds summary\n";
        let expected = [("go_threads".to_owned(), "gauge: Number of OS threads created.".to_owned())];
        assert_eq!(families(text), BTreeMap::from(expected));
    }
}
