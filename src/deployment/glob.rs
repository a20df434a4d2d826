//! The patterns of `include`: `*`, `?` and `[…]` in the names of one path.

/// Whether nginx takes a path for a pattern.
pub(super) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// Whether a whole path fits a pattern, one name after the other.
pub(super) fn path_fits(pattern: &str, path: &str) -> bool {
    let (patterns, names) = (pattern.split('/'), path.split('/'));
    patterns.clone().count() == names.clone().count() && patterns.zip(names).all(|(pattern, name)| fits(pattern, name))
}

/// Whether a name fits a pattern; a leading dot must be written out, as in a shell.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
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
}
