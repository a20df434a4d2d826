//! Which nginx runs: some fixes are for new ones alone.

use super::Observer;

impl Observer {
    /// The same, of an nginx of this version.
    pub(crate) fn of_nginx(self, version: &str) -> Self {
        Self { nginx_version: numbers(version), ..self }
    }

    /// Whether nginx is of this version or a later one.
    pub(crate) fn nginx_has(&self, since: [u32; 3]) -> bool {
        self.nginx_version >= since
    }
}

/// Reads `1.26.3`, and `1.26.3-3+deb13u1`.
fn numbers(version: &str) -> [u32; 3] {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert_eq!(numbers("1.26.3-3+deb13u1"), [1, 26, 3]);
        assert!(numbers("1.9.15") < numbers("1.25.1"));
        assert_eq!(numbers(""), [0, 0, 0]);
    }
}
