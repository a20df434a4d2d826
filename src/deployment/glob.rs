//! The patterns of `include`: `*`, `?` and `[…]` in the names of one path.

use std::fs;
use std::path::{Path, PathBuf};

/// Whether nginx takes a path for a pattern.
pub(super) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// What is below `dir` and fits `pattern`, in the order in which nginx reads it.
pub(super) fn matches_below(dir: &Path, pattern: &str) -> Vec<PathBuf> {
    let components = pattern.split('/').filter(|component| !component.is_empty());
    components.fold(vec![dir.to_owned()], |found, component| {
        found.iter().flat_map(|dir| next_level(dir, component)).collect()
    })
}

fn next_level(dir: &Path, component: &str) -> Vec<PathBuf> {
    if !is_pattern(component) {
        let path = dir.join(component);
        return path.symlink_metadata().is_ok().then_some(path).into_iter().collect();
    }
    // `read_dir("")` is an error where `read_dir(".")` is meant.
    let listed = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let entries = fs::read_dir(listed).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name())
        .filter(|name| name.to_str().is_some_and(|name| fits(component, name)))
        .collect();
    names.sort();
    names.into_iter().map(|name| dir.join(name)).collect()
}

/// Whether a whole path fits a pattern, one name after the other.
pub(super) fn path_fits(pattern: &str, path: &str) -> bool {
    let (patterns, names) = (pattern.split('/'), path.split('/'));
    patterns.clone().count() == names.clone().count() && patterns.zip(names).all(|(pattern, name)| fits(pattern, name))
}

/// Whether a name fits a pattern; a leading dot must be written out, as in a shell.
fn fits(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut retry = None;
    while n < name.len() {
        match one(&pattern[p..], name[n]) {
            Some(Step::Star) => {
                p += 1;
                retry = Some((p, n));
            }
            Some(Step::Char(length)) => (p, n) = (p + length, n + 1),
            // The last `*` takes one character more.
            None => match retry {
                Some((after_star, taken)) => {
                    (p, n) = (after_star, taken + 1);
                    retry = Some((after_star, taken + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

enum Step {
    Star,
    /// One character of the name, by this many of the pattern.
    Char(usize),
}

fn one(pattern: &[char], c: char) -> Option<Step> {
    match pattern.first()? {
        '*' => Some(Step::Star),
        '?' => Some(Step::Char(1)),
        '[' => class(pattern, c),
        literal => (*literal == c).then_some(Step::Char(1)),
    }
}

fn class(pattern: &[char], c: char) -> Option<Step> {
    let negated = matches!(pattern.get(1), Some('!' | '^'));
    let start = if negated { 2 } else { 1 };
    let end = start + 1 + pattern.get(start + 1..)?.iter().position(|c| *c == ']')?;
    let set = &pattern[start..end];
    let in_range = set.windows(3).any(|w| w[1] == '-' && (w[0]..=w[2]).contains(&c));
    ((set.contains(&c) || in_range) != negated).then_some(Step::Char(end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", ".hidden.conf", false),
            ("*.conf", "a.conf.bak", false),
            ("*", "", true),
            ("?.c*f", "é.conf", true),
            ("a*b*c", "aXbXbXc", true),
            ("[0-9]?-*", "10-site", true),
            ("[!0-9]*", "10-site", false),
            ("a*a*a*a*a*a*a*b", &"a".repeat(200), false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn directories_are_patterns_too_and_the_order_is_the_alphabet() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["b/x.conf", "a/y.conf", "a/x.conf", "a/x.txt"] {
            fs::create_dir_all(dir.path().join(path).parent().unwrap()).unwrap();
            fs::write(dir.path().join(path), "").unwrap();
        }
        let found = matches_below(dir.path(), "*/*.conf");
        let names: Vec<_> = found.iter().map(|path| path.strip_prefix(dir.path()).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a/x.conf", "a/y.conf", "b/x.conf"]);
    }
}
