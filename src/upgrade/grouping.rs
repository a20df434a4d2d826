//! Brings together what is said in one sentence.

use std::collections::BTreeMap;

/// Names that a sentence lists; the others are counted.
const NAMED: usize = 8;

/// The items by key, in the order of the keys.
pub(super) fn by_key<K: Ord, V>(items: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, Vec<V>> {
    let mut groups: BTreeMap<K, Vec<V>> = BTreeMap::new();
    for (key, item) in items {
        groups.entry(key).or_default().push(item);
    }
    groups
}

/// `a, b, c and 4 more`.
pub(super) fn listed(names: &[String]) -> String {
    match names.len() {
        0..=NAMED => names.join(", "),
        all => format!("{} and {} more", names[..NAMED].join(", "), all - NAMED),
    }
}

/// `1 metric`, `3 metrics`.
pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_counted() {
        let names: Vec<String> = (0..10).map(|number| number.to_string()).collect();
        assert_eq!(listed(&names), "0, 1, 2, 3, 4, 5, 6, 7 and 2 more");
        assert_eq!(listed(&names[..2]), "0, 1");
        assert_eq!((counted(1, "flag"), counted(2, "flag")), ("1 flag".to_owned(), "2 flags".to_owned()));
    }
}
