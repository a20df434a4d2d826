//! Names of releases, and versions of packages.

use std::fmt;
use std::str::FromStr;

/// The codename or the suite of a Debian release, such as `trixie`, `stable` or `testing`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Release(String);

impl Release {
    /// The current stable release.
    pub fn stable() -> Self {
        Self("stable".to_owned())
    }
}

impl FromStr for Release {
    type Err = &'static str;

    /// Anything that can be a directory's name on a mirror, and no path out of it.
    fn from_str(text: &str) -> Result<Self, &'static str> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        match text {
            "" => Err("there is no release after `debian:`"),
            _ if text.len() > 40 || text.starts_with('-') || !text.chars().all(allowed) => {
                Err("the name of a release has small letters, digits and - only")
            }
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The program's own version in that of a package: `1:2.53.3+ds1-2` is `2.53.3`, `3.0.0~rc1-1` is `3.0.0-rc1`.
pub(super) fn upstream_version(package: &str) -> String {
    let version = package.split_once(':').map_or(package, |(_, version)| version);
    let version = version.rsplit_once('-').map_or(version, |(version, _)| version);
    let version = version.split('+').next().unwrap_or(version);
    version.replace('~', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_lose_what_debian_added() {
        for (package, version) in [
            ("2.53.3+ds1-2", "2.53.3"),
            ("2.24.1+ds-1+b7", "2.24.1"),
            ("1.26.3-3+deb13u10", "1.26.3"),
            ("1:9.1-1", "9.1"),
            ("3.0.0~rc1+ds-1", "3.0.0-rc1"),
        ] {
            assert_eq!(upstream_version(package), version);
        }
    }

    #[test]
    fn a_release_is_no_path() {
        for text in ["", "../etc", "a b", "-x", "Trixie", "a/b", "x\ny"] {
            assert!(text.parse::<Release>().is_err(), "{text:?}");
        }
        assert!("trixie-backports".parse::<Release>().is_ok());
    }
}
