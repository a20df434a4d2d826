//! Whom to ask for packages: the mirror that the machine's own apt uses. None is known to this program.

use std::fs;

use super::Distribution;
use crate::source::children::APT_GET;
use crate::source::{Cache, SourceError};

/// The mirror that the user named, else the machine's.
pub(super) fn find(cache: &Cache, distribution: Distribution) -> Result<String, SourceError> {
    let unknown = || SourceError::NoMirror(distribution);
    if let Some(url) = cache.mirror(distribution) {
        return checked(url).ok_or_else(unknown);
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
    let listed = |list: &str| fs::read_to_string(list).unwrap_or_default();
    choose(&String::from_utf8_lossy(&output.stdout), distribution, listed).ok_or_else(unknown)
}

/// The first that holds the distribution itself. Cloud images and CI runners name a file that lists mirrors, which
/// `read` reads; what such a file is called says nothing.
fn choose(targets: &str, distribution: Distribution, read: impl Fn(&str) -> String) -> Option<String> {
    let whole = targets.lines().filter_map(|line| {
        let mut fields = line.split('|');
        let (url, release, component) = (fields.next()?, fields.next()?, fields.next()?);
        (component == "main" && !release.contains('-') && !release.contains('/')).then_some(url)
    });
    let mirrors = whole.flat_map(|url| match url.strip_prefix("mirror+file:") {
        Some(list) => listed(&read(list.trim_end_matches('/'))),
        None => vec![url.to_owned()],
    });
    mirrors.filter_map(|url| checked(&url)).find(|url| is_of(url, distribution))
}

/// Whether the path of a URL ends as those of the distribution's mirrors do.
fn is_of(url: &str, distribution: Distribution) -> bool {
    url.rsplit('/').next().is_some_and(|name| distribution.mirror_names().contains(&name))
}

/// The mirrors of apt's list of mirrors.
fn listed(list: &str) -> Vec<String> {
    let first_words = list.lines().filter_map(|line| line.split_whitespace().next());
    first_words.filter(|url| !url.starts_with('#')).map(str::to_owned).collect()
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

    fn chosen(targets: &str, distribution: Distribution) -> Option<String> {
        choose(targets, distribution, |_| String::new())
    }

    #[test]
    fn the_first_whole_debian_is_chosen() {
        let targets = "https://packages.test/apt/|cloud-sdk|main\n\
                       http://mirror.test/debian-security/|trixie-security|main\n\
                       http://mirror.test/debian/|trixie-updates|main\n\
                       http://mirror.test/debian/|trixie|contrib\n\
                       http://mirror.test/pub/debian/|trixie|main\n";
        assert_eq!(chosen(targets, Distribution::Debian).as_deref(), Some("http://mirror.test/pub/debian"));
        assert_eq!(chosen(targets, Distribution::Ubuntu), None);
    }

    #[test]
    fn ubuntu_has_mirrors_of_its_own() {
        let targets = "http://mirror.test/ubuntu/|noble-updates|main\nhttp://mirror.test/ubuntu/|noble|main\n";
        assert_eq!(chosen(targets, Distribution::Ubuntu).as_deref(), Some("http://mirror.test/ubuntu"));
        assert_eq!(chosen(targets, Distribution::Debian), None);
        let ports = "http://mirror.test/ubuntu-ports/|noble|main\n";
        assert_eq!(chosen(ports, Distribution::Ubuntu).as_deref(), Some("http://mirror.test/ubuntu-ports"));
    }

    #[test]
    fn cloud_images_have_a_list() {
        let targets = "mirror+file:/etc/apt/mirrors/debian-security.list/|trixie|main\n\
                       mirror+file:/etc/apt/mirrors/debian.list/|trixie|main\n";
        let read = |list: &str| match list {
            "/etc/apt/mirrors/debian.list" => "# ours\nhttps://mirror.test/debian/\n".to_owned(),
            _ => "https://mirror.test/debian-security\n".to_owned(),
        };
        let found = choose(targets, Distribution::Debian, read);
        assert_eq!(found.as_deref(), Some("https://mirror.test/debian"));

        let targets = "mirror+file:/etc/apt/apt-mirrors.txt/|noble|main\n";
        let read = |_: &str| "http://near.test/ubuntu/\tpriority:1\nhttp://mirror.test/ubuntu/\n".to_owned();
        assert_eq!(choose(targets, Distribution::Ubuntu, read).as_deref(), Some("http://near.test/ubuntu"));
        assert_eq!(choose(targets, Distribution::Debian, read), None);
    }

    #[test]
    fn a_mirror_is_one_word() {
        assert_eq!(checked("http://a/debian main\ndeb http://b"), None);
        assert_eq!(checked("nonsense"), None);
    }
}
