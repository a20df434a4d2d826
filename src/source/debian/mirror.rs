//! Whom to ask for packages: the mirror that the machine's own apt uses. None is known to this program.

use std::fs;

use crate::source::children::APT_GET;
use crate::source::{Cache, SourceError};

/// The mirror that the user named, else the machine's.
pub(super) fn find(cache: &Cache) -> Result<String, SourceError> {
    if let Some(url) = cache.mirror() {
        return checked(url).ok_or(SourceError::NoMirror);
    }
    // apt reads both formats of its sources. Without `--no-release-info` it leaves out what it never fetched, which on
    // a fresh machine is all of it; what it did fetch does not matter here, and to read it takes half a second.
    let output = APT_GET.run(|apt| {
        apt.args(["-o", "Dir::State::Lists=/nonexistent", "-o", "Dir::State::Status=/dev/null"]);
        apt.args([
            "indextargets",
            "--no-release-info",
            "--format",
            "$(REPO_URI)|$(RELEASE)|$(COMPONENT)",
            "Created-By: Packages",
        ]);
    })?;
    let url = choose(&String::from_utf8_lossy(&output.stdout)).ok_or(SourceError::NoMirror)?;
    match url.strip_prefix("mirror+file:") {
        Some(list) => {
            listed(&fs::read_to_string(list.trim_end_matches('/')).unwrap_or_default()).ok_or(SourceError::NoMirror)
        }
        None => Ok(url),
    }
}

/// The first that holds Debian itself: its path ends in `debian`, or it is a list of such mirrors.
fn choose(targets: &str) -> Option<String> {
    targets
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('|');
            let (url, release, component) = (fields.next()?, fields.next()?, fields.next()?);
            let whole = component == "main" && !release.contains('-') && !release.contains('/');
            whole.then(|| url.trim_end_matches('/'))
        })
        .find(|url| matches!(url.rsplit('/').next(), Some("debian" | "debian.list")))
        .and_then(checked)
}

/// The first mirror of apt's list of mirrors.
fn listed(list: &str) -> Option<String> {
    list.lines().filter_map(|line| line.split_whitespace().next()).filter(|url| !url.starts_with('#')).find_map(checked)
}

/// A URL that can stand in a line of apt's sources.
fn checked(url: &str) -> Option<String> {
    let plain =
        url.contains(':') && !url.contains(|c: char| c.is_whitespace() || c.is_control() || "[]'\"".contains(c));
    plain.then(|| url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_whole_debian_is_chosen() {
        let targets = "https://packages.test/apt/|cloud-sdk|main\n\
                       http://mirror.test/debian-security/|trixie-security|main\n\
                       http://mirror.test/debian/|trixie-updates|main\n\
                       http://mirror.test/debian/|trixie|contrib\n\
                       http://mirror.test/pub/debian/|trixie|main\n";
        assert_eq!(choose(targets).as_deref(), Some("http://mirror.test/pub/debian"));
        assert_eq!(choose("http://mirror.test/ubuntu/|noble|main\n"), None);
    }

    #[test]
    fn cloud_images_have_a_list() {
        let targets = "mirror+file:/etc/apt/mirrors/debian.list/|trixie|main\n";
        assert_eq!(choose(targets).as_deref(), Some("mirror+file:/etc/apt/mirrors/debian.list"));
        assert_eq!(listed("# ours\nhttps://mirror.test/debian/\n").as_deref(), Some("https://mirror.test/debian"));
    }

    #[test]
    fn a_mirror_is_one_word() {
        assert_eq!(checked("http://a/debian main\ndeb http://b"), None);
        assert_eq!(checked("nonsense"), None);
    }
}
