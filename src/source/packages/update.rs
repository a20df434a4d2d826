//! Has apt read and verify a release's index, and tells its refusals apart.

use std::path::Path;

use super::Release;
use super::apt::{self, Apt, Origin};
use crate::source::SourceError;
use crate::source::cache::Building;

/// An apt that has read the release's index and verified it, and what is to be mentioned about that.
pub(super) fn verified(building: &Building, origin: &Origin<'_>) -> Result<(Apt, Vec<String>), SourceError> {
    let apt = Apt::new(building.subdirectory("apt")?, origin)?;
    match update(&apt, origin) {
        Ok(()) => Ok((apt, Vec::new())),
        Err(refused @ SourceError::WrongAge { .. }) => {
            let apt = undated(building, &Origin { dated: false, ..*origin }, refused)?;
            let note = format!("the package index of {} is past its date, and is used all the same", origin.release);
            Ok((apt, vec![note]))
        }
        Err(error) => Err(error),
    }
}

fn update(apt: &Apt, origin: &Origin<'_>) -> Result<(), SourceError> {
    let output = apt.update()?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    let detail = apt::complaint(&output);
    Err(refusal(&text, detail, origin))
}

/// Why apt did not take the index.
fn refusal(text: &str, detail: String, origin: &Origin<'_>) -> SourceError {
    let says = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
    let (release, mirror) = (origin.release.clone(), origin.mirror.to_owned());
    let unsigned = says(&["is not signed"]) && !says(&["Failed to fetch"]);
    if apt::is_disk_full(text) {
        SourceError::disk_full(Path::new(""))
    } else if says(&["is expired", "not valid yet"]) {
        SourceError::WrongAge { release, mirror, detail }
    } else if says(&["does not have a Release file", "no longer has a Release file"]) {
        // A mirror may have a part of a release.
        let mut suites = origin.release.suites().filter(|suite| text.contains(&format!(" {suite} Release'")));
        let release = suites.next().and_then(|suite| release.sibling(&suite)).unwrap_or(release);
        SourceError::NoSuchRelease { release, mirror, there: Vec::new() }
    } else if unsigned || says(&["GPG error", "NO_PUBKEY", "BADSIG", "EXPKEYSIG", "OpenPGP signature verification"]) {
        SourceError::Unverified { release, keyring: origin.keyring.to_owned(), mirror, detail }
    } else {
        SourceError::Unreachable { distribution: release.distribution(), mirror, detail }
    }
}

/// Reads an index whose date is not looked at. That is right for testing and unstable: theirs carry a date, and a copy
/// of a mirror falls behind it. A stable release's never expires, so it takes a machine that ignores dates itself.
fn undated(building: &Building, origin: &Origin<'_>, refused: SourceError) -> Result<Apt, SourceError> {
    let apt = Apt::new(building.subdirectory("apt-undated")?, origin)?;
    update(&apt, origin)?;
    let (_, suite) = names(&apt.release_file(origin.release).unwrap_or_default(), origin.release);
    let expires = ["testing", "unstable", "experimental"].contains(&suite.as_str());
    if expires || apt.machine_ignores_dates { Ok(apt) } else { Err(refused) }
}

/// The codename and the suite that a Release file gives.
pub(super) fn names(text: &str, release: &Release) -> (String, String) {
    let field = |name: &str| {
        let value = text.lines().take(40).find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        // They become part of file names and of image tags.
        value.and_then(|value| release.sibling(value)).as_ref().unwrap_or(release).name().to_owned()
    };
    (field("Codename"), field("Suite"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Arch, Distribution};

    #[test]
    fn names_come_from_the_signed_file() {
        let text = "-----BEGIN PGP SIGNED MESSAGE-----\n\nOrigin: Debian\nSuite: stable\nCodename: trixie\n";
        let release = Release::stable();
        assert_eq!(names(text, &release), ("trixie".to_owned(), "stable".to_owned()));
        assert_eq!(names("Codename: ../x\n", &release).0, "stable");
    }

    #[test]
    fn a_part_of_a_release_that_a_mirror_lacks_is_named() {
        let release = Release::new(Distribution::Ubuntu, "noble").expect("a release");
        let origin =
            Origin { mirror: "m", keyring: Path::new("/k"), release: &release, arch: Arch::Amd64, dated: true };
        let text = "E: The repository 'm noble-security Release' does not have a Release file.";
        match refusal(text, String::new(), &origin) {
            SourceError::NoSuchRelease { release, .. } => assert_eq!(release.name(), "noble-security"),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn apts_refusals_are_told_apart() {
        let release = Release::stable();
        let origin =
            Origin { mirror: "m", keyring: Path::new("/k"), release: &release, arch: Arch::Amd64, dated: true };
        let code = |text| refusal(text, String::new(), &origin);
        assert!(matches!(
            code("E: The repository 'm' does not have a Release file."),
            SourceError::NoSuchRelease { .. }
        ));
        assert!(matches!(code("E: Release file for m is expired (invalid since 17d)."), SourceError::WrongAge { .. }));
        assert!(matches!(code("W: GPG error: NO_PUBKEY 0E98404D386FA1D9"), SourceError::Unverified { .. }));
        assert!(matches!(code("E: Could not connect to m"), SourceError::Unreachable { .. }));
        assert!(matches!(code("E: write (28: No space left on device)"), SourceError::DiskFull { .. }));
    }
}
