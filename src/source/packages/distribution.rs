//! The distributions whose packages are read, and all in which they differ.

use std::fmt;

/// A distribution whose packages roots are built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Distribution {
    /// Debian.
    Debian,
    /// Ubuntu.
    Ubuntu,
}

impl Distribution {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Debian, Self::Ubuntu];

    /// As a Source names it: `debian`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Debian => "debian",
            Self::Ubuntu => "ubuntu",
        }
    }

    /// The one that a Source names so.
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|distribution| distribution.id() == id)
    }

    /// The variable that names a mirror.
    pub fn mirror_variable(self) -> &'static str {
        match self {
            Self::Debian => "PROXYPROOF_DEBIAN_MIRROR",
            Self::Ubuntu => "PROXYPROOF_UBUNTU_MIRROR",
        }
    }

    /// The variable that names the file with its keys, for machines of another distribution.
    pub fn keyring_variable(self) -> &'static str {
        match self {
            Self::Debian => "PROXYPROOF_DEBIAN_KEYRING",
            Self::Ubuntu => "PROXYPROOF_UBUNTU_KEYRING",
        }
    }

    /// The package that has its keys; it has this name in both.
    pub(in crate::source) fn keyring_package(self) -> &'static str {
        match self {
            Self::Debian => "debian-archive-keyring",
            Self::Ubuntu => "ubuntu-keyring",
        }
    }

    /// Where that package has them: binary, or armoured in Debian's newest.
    pub(super) fn keyrings(self) -> &'static [&'static str] {
        match self {
            Self::Debian => {
                &["/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp"]
            }
            Self::Ubuntu => &["/usr/share/keyrings/ubuntu-archive-keyring.gpg"],
        }
    }

    /// What of a release is read. Ubuntu has Prometheus in `universe`.
    pub(super) fn components(self) -> &'static str {
        match self {
            Self::Debian => "main",
            Self::Ubuntu => "main universe",
        }
    }

    /// The directories of a mirror that make up a release, by what follows its name. Debian brings updates into the
    /// release itself; one of Ubuntu never changes again, and what its users run is in the other two.
    pub(super) fn pockets(self) -> &'static [&'static str] {
        match self {
            Self::Debian => &[""],
            Self::Ubuntu => &["", "-updates", "-security"],
        }
    }

    /// What the path of a mirror's URL ends in. Ubuntu's for processors other than amd64 is a mirror of its own.
    pub(super) fn mirror_names(self) -> &'static [&'static str] {
        match self {
            Self::Debian => &["debian"],
            Self::Ubuntu => &["ubuntu", "ubuntu-ports"],
        }
    }

    /// Releases that users name, the best known first.
    pub(in crate::source) fn examples(self) -> &'static [&'static str] {
        match self {
            Self::Debian => &["stable", "testing", "trixie", "bookworm"],
            Self::Ubuntu => &["noble", "jammy"],
        }
    }

    /// A Source that a message can offer: `debian:stable`.
    pub(in crate::source) fn example(self) -> String {
        format!("{}:{}", self.id(), self.examples()[0])
    }
}

impl fmt::Display for Distribution {
    /// As people write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Debian => "Debian",
            Self::Ubuntu => "Ubuntu",
        })
    }
}
