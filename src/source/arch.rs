//! The processor that a root is for, under the names that Debian, its libraries and container engines use.

use super::SourceError;

/// A processor that Debian has packages for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are Debian's")]
pub enum Arch {
    Amd64,
    Arm64,
    Armhf,
    Ppc64el,
    Riscv64,
    S390x,
}

/// Debian's name, the directory of its libraries, the engines' name, and what `uname -m` and Rust call it.
const NAMES: [(Arch, &str, &str, &str, &str); 6] = [
    (Arch::Amd64, "amd64", "x86_64-linux-gnu", "amd64", "x86_64"),
    (Arch::Arm64, "arm64", "aarch64-linux-gnu", "arm64", "aarch64"),
    (Arch::Armhf, "armhf", "arm-linux-gnueabihf", "arm", "arm"),
    (Arch::Ppc64el, "ppc64el", "powerpc64le-linux-gnu", "ppc64le", "powerpc64"),
    (Arch::Riscv64, "riscv64", "riscv64-linux-gnu", "riscv64", "riscv64"),
    (Arch::S390x, "s390x", "s390x-linux-gnu", "s390x", "s390x"),
];

impl Arch {
    /// The one that this process runs on.
    pub fn host() -> Result<Self, SourceError> {
        Self::named(std::env::consts::ARCH)
    }

    /// By any of its names: an engine tells its own as `x86_64` or as `amd64`.
    pub fn named(name: &str) -> Result<Self, SourceError> {
        NAMES
            .iter()
            .find(|(_, debian, _, engine, machine)| [*debian, *engine, *machine].contains(&name))
            .map(|names| names.0)
            .ok_or_else(|| SourceError::UnknownArchitecture(name.to_owned()))
    }

    /// As packages name it: `amd64`.
    pub fn debian(self) -> &'static str {
        self.names().1
    }

    /// The directory of its libraries: `x86_64-linux-gnu`.
    pub fn triplet(self) -> &'static str {
        self.names().2
    }

    /// As container engines name it: `amd64`, `ppc64le`.
    pub fn engine(self) -> &'static str {
        self.names().3
    }

    fn names(self) -> &'static (Self, &'static str, &'static str, &'static str, &'static str) {
        // The table is in the order of the variants; the test below holds it to that.
        &NAMES[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        for (index, names) in NAMES.iter().enumerate() {
            assert_eq!(names.0 as usize, index);
        }
        assert_eq!(Arch::named("x86_64").expect("known"), Arch::Amd64);
        assert!(Arch::named("vax").is_err());
    }
}
