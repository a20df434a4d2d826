//! Names of releases, and versions of packages.

use std::fmt;
use std::fs;

use super::Distribution;

/// Where a machine says what it is.
const OS_RELEASE: &str = "/etc/os-release";

/// A release of a distribution by its codename, such as `noble`, or in Debian by its suite, such as `stable`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Release {
    distribution: Distribution,
    name: String,
}

impl Release {
    /// A release by its name: anything that can be a directory's name on a mirror, and no path out of it.
    ///
    /// # Errors
    ///
    /// If it is none, what is wrong with it.
    pub fn new(distribution: Distribution, name: &str) -> Result<Self, &'static str> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_plain = name.len() <= 40 && !name.starts_with('-') && name.chars().all(allowed);
        match (distribution, name) {
            (Distribution::Debian, "") => Err("there is no release after `debian:`"),
            (Distribution::Ubuntu, "") => Err("there is no release after `ubuntu:`"),
            _ if is_plain => Ok(Self { distribution, name: name.to_owned() }),
            (Distribution::Debian, _) => Err("the name of a release has small letters, digits and - only"),
            (Distribution::Ubuntu, _) => {
                Err("a release is named by its codename, with small letters, digits and - only: 24.04 is noble")
            }
        }
    }

    /// Debian's current stable release.
    pub fn stable() -> Self {
        Self { distribution: Distribution::Debian, name: "stable".to_owned() }
    }

    /// The releases whose packages are taken where the user names none, in order: Debian's current stable one, which is
    /// the same everywhere, and on Ubuntu, which knows no mirror of Debian, the machine's own.
    pub fn usual() -> Vec<Self> {
        let of_machine = fs::read_to_string(OS_RELEASE).ok().and_then(|text| of_machine(&text));
        [Self::stable()].into_iter().chain(of_machine).collect()
    }

    /// Whose release it is.
    pub fn distribution(&self) -> Distribution {
        self.distribution
    }

    /// Its name without that of the distribution: `noble`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Another release of the same distribution, if that is the name of one.
    pub(super) fn sibling(&self, name: &str) -> Option<Self> {
        Self::new(self.distribution, name).ok()
    }

    /// The directories of a mirror that make it up: `noble`, `noble-updates`, `noble-security`.
    pub(super) fn suites(&self) -> impl Iterator<Item = String> {
        self.distribution.pockets().iter().map(|pocket| format!("{}{pocket}", self.name))
    }
}

impl fmt::Display for Release {
    /// As a Source names it: `ubuntu:noble`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.distribution.id(), self.name)
    }
}

/// The release of Ubuntu that a machine has, or what its distribution is made of.
fn of_machine(os_release: &str) -> Option<Release> {
    let name = os_release.lines().find_map(|line| line.strip_prefix("UBUNTU_CODENAME="))?;
    Release::new(Distribution::Ubuntu, name.trim_matches(['"', '\''])).ok()
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
    fn versions_lose_what_the_distribution_added() {
        for (package, version) in [
            ("2.53.3+ds1-2", "2.53.3"),
            ("2.24.1+ds-1+b7", "2.24.1"),
            ("1.26.3-3+deb13u10", "1.26.3"),
            ("1.24.0-2ubuntu7.5", "1.24.0"),
            ("2.31.2+ds1-1ubuntu1.22.04.3", "2.31.2"),
            ("1:9.1-1", "9.1"),
            ("3.0.0~rc1+ds-1", "3.0.0-rc1"),
        ] {
            assert_eq!(upstream_version(package), version);
        }
    }

    #[test]
    fn a_release_is_no_path() {
        for text in ["", "../etc", "a b", "-x", "Trixie", "a/b", "x\ny"] {
            assert!(Release::new(Distribution::Debian, text).is_err(), "{text:?}");
        }
        assert!(Release::new(Distribution::Debian, "trixie-backports").is_ok());
        assert!(Release::new(Distribution::Ubuntu, "24.04").expect_err("a number").contains("noble"));
    }

    #[test]
    fn a_release_of_ubuntu_is_what_its_users_run() {
        let release = Release::new(Distribution::Ubuntu, "noble").expect("a release");
        assert_eq!(release.suites().collect::<Vec<_>>(), ["noble", "noble-updates", "noble-security"]);
        assert_eq!(Release::stable().suites().collect::<Vec<_>>(), ["stable"]);
    }

    #[test]
    fn ubuntu_and_what_is_made_of_it_name_their_release() {
        let mint = "NAME=\"Linux Mint\"\nID=linuxmint\nUBUNTU_CODENAME=noble\n";
        assert_eq!(of_machine(mint).map(|release| release.to_string()).as_deref(), Some("ubuntu:noble"));
        assert_eq!(of_machine("ID=debian\nVERSION_CODENAME=trixie\n"), None);
    }
}
