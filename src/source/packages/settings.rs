//! The configuration of our own apt: the machine's proxies and time limits, and nothing else of the machine's.

use std::path::Path;

use crate::source::SourceError;
use crate::source::children::APT_CONFIG;

/// What of the machine's `Acquire::` settings is not taken over: what is fetched, and whether it is verified, is ours.
const NOT_OURS: [&str; 10] = [
    "AllowDowngradeToInsecureRepositories",
    "AllowInsecureRepositories",
    "AllowWeakRepositories",
    "Changelogs",
    "Check-Date",
    "Check-Valid-Until",
    "CompressionTypes",
    "GzipIndexes",
    "IndexTargets",
    "Languages",
];

/// All settings of the machine's apt.
pub(super) fn dump() -> Result<String, SourceError> {
    let output = APT_CONFIG.run(|apt| {
        apt.arg("dump");
    })?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The machine's proxies, time limits and the like.
pub(super) fn acquire_settings(dump: &str) -> String {
    let kept = dump.lines().filter(|line| {
        let name = line.strip_prefix("Acquire::").and_then(|line| line.split([':', ' ']).next());
        name.is_some_and(|name| !NOT_OURS.iter().any(|other| other.eq_ignore_ascii_case(name)))
    });
    kept.map(|line| format!("{line}\n")).collect()
}

/// Whether the machine's apt is told not to look at the dates of indexes.
pub(super) fn ignores_dates(dump: &str) -> bool {
    let settings = ["acquire::check-date \"", "acquire::check-valid-until \""];
    dump.lines().map(str::to_ascii_lowercase).any(|line| {
        let value = settings.iter().find_map(|name| line.strip_prefix(name));
        value.is_some_and(|value| {
            ["false", "no", "0", "off", "without", "disable"].contains(&value.trim_end_matches("\";"))
        })
    })
}

/// apt reads this file before all others; the two that name the machine's own keep those, and their hooks, out. An
/// update that Ubuntu hands to some machines first is taken on all, so that a release is the same on each.
pub(super) fn configuration(directory: &Path, arch: &str, acquire: &str) -> String {
    let directory = directory.display();
    let architecture = match arch {
        "" => String::new(),
        arch => format!("APT::Architecture \"{arch}\";\nAPT::Architectures {{ \"{arch}\"; }};\n"),
    };
    format!(
        r#"Dir::Etc::Main "/dev/null";
Dir::Etc::Parts "/dev/null";
Dir::Etc::SourceList "{directory}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::Etc::Trusted "/dev/null";
Dir::Etc::TrustedParts "/dev/null";
Dir::State "{directory}";
Dir::State::Lists "{directory}/lists";
Dir::State::Status "{directory}/status";
Dir::Cache "{directory}/cache";
Dir::Cache::SrcPkgCache "";
Dir::Log "/dev/null";
{architecture}APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Get::Always-Include-Phased-Updates "true";
Acquire::Retries "1";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
{acquire}Acquire::Languages "none";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::AllowReleaseInfoChange "true";
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_hooks_are_kept_out() {
        let text = configuration(Path::new("/c"), "amd64", "Acquire::http::Proxy \"http://proxy.test\";\n");
        assert!(text.contains("Dir::Etc::Parts \"/dev/null\"") && text.contains("proxy.test"));
    }

    #[test]
    fn what_is_verified_is_not_left_to_the_machine() {
        let dump = "Acquire::Check-Date \"false\";\nAcquire::AllowInsecureRepositories \"true\";\nAcquire::http::Proxy \"p\";\n";
        assert_eq!(acquire_settings(dump), "Acquire::http::Proxy \"p\";\n");
        assert!(ignores_dates(dump) && !ignores_dates("Acquire::Check-Date \"true\";\n"));
    }
}
