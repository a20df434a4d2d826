//! What each root needs: packages with their checksums, as apt works them out from a verified index.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Release;
use super::apt::{self, Apt};
use crate::source::{Build, SourceError};

/// What a root is made of.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    /// The version of the package that was asked for first.
    pub version: String,
    pub packages: Vec<Package>,
}

/// A package on the mirror.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Package {
    pub name: String,
    pub version: String,
    pub url: String,
    pub size: u64,
    pub sha256: String,
}

/// What each root needs. They are worked out side by side: apt takes a quarter of a second for each.
pub(super) fn plans(apt: &Apt, release: &Release, builds: &[Build]) -> Result<BTreeMap<String, Plan>, SourceError> {
    let found: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> =
            builds.iter().map(|build| (build, scope.spawn(move || plan(apt, release, build)))).collect();
        running.into_iter().map(|(build, thread)| (build, thread.join())).collect()
    });
    let mut plans = BTreeMap::new();
    for (build, result) in found {
        let plan = result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        plans.extend(plan.map(|plan| (build.name(), plan)));
    }
    Ok(plans)
}

/// What one root needs; none if the release lacks a package of its recipe. A further package that it lacks, or that
/// does not go with the others there, is left out.
fn plan(apt: &Apt, release: &Release, build: &Build) -> Result<Option<Plan>, SourceError> {
    let own = build.recipe().packages();
    let mut further: Vec<&str> = build.further().iter().map(String::as_str).collect();
    let output = loop {
        let asked: Vec<&str> = own.iter().copied().chain(further.iter().copied()).collect();
        let output = apt.resolve(&asked)?;
        let text = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        let refused = if output.status.success() { Vec::new() } else { refused(&text, &further) };
        if refused.is_empty() {
            break output;
        }
        further.retain(|package| !refused.contains(package));
    };
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return match text.as_ref() {
            text if apt::is_disk_full(text) => Err(SourceError::disk_full(Path::new(""))),
            text if text.contains("Unable to locate package") || text.contains("no installation candidate") => Ok(None),
            _ => {
                let (release, program) = (release.clone(), build.recipe().name().to_owned());
                Err(SourceError::Resolve { release, program, detail: apt::complaint(&output) })
            }
        };
    }
    let packages: Vec<Package> = String::from_utf8_lossy(&output.stdout).lines().filter_map(package).collect();
    let first = packages.iter().find(|package| package.name == own[0]);
    Ok(first.map(|first| Plan { version: first.version.clone(), packages: packages.clone() }))
}

/// Which of the further packages apt says that it can't install: they are not there, or their dependencies are not, as
/// in a testing release whose modules are not built for its newest nginx yet.
fn refused<'a>(text: &str, further: &[&'a str]) -> Vec<&'a str> {
    let says = |package: &str| {
        text.lines().any(|line| {
            let mut words = line.trim().trim_start_matches("E: ").split_whitespace();
            match (words.next(), words.next()) {
                (Some(name), Some(":")) => name == package,
                (Some("Unable"), _) => line.ends_with(&format!(" locate package {package}")),
                (Some("Package"), Some(name)) => {
                    name.trim_matches('\'') == package && line.ends_with("no installation candidate")
                }
                _ => false,
            }
        })
    };
    further.iter().copied().filter(|package| says(package)).collect()
}

/// A line of `apt-get --print-uris`: `'URL' NAME_VERSION_ARCH.deb SIZE SHA256:SUM`.
fn package(line: &str) -> Option<Package> {
    let mut fields = line.split_whitespace();
    let url = fields.next()?.trim_matches('\'').to_owned();
    let mut file = fields.next()?.split('_');
    let (name, version) = (file.next()?.to_owned(), file.next()?.replace("%3a", ":"));
    let size = fields.next()?.parse().ok()?;
    let sha256 = fields.next()?.strip_prefix("SHA256:")?.to_owned();
    Some(Package { name, version, url, size, sha256 })
}

impl Plan {
    /// The packages that are likely to be needed, and the others.
    pub(super) fn split(&self, build: &Build) -> (Vec<&Package>, Vec<&Package>) {
        self.packages.iter().partition(|package| build.wants(&package.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_apt_is_a_package() {
        let line =
            "'http://mirror.test/pool/libx11-6_2%3a1.7.2-1_amd64.deb' libx11-6_2%3a1.7.2-1_amd64.deb 771 SHA256:ab";
        let package = package(line).expect("a package");
        assert_eq!((package.name.as_str(), package.version.as_str(), package.size), ("libx11-6", "2:1.7.2-1", 771));
        assert_eq!(super::package("'http://mirror.test/x.deb' x_1_all.deb 3 MD5Sum:ab"), None, "no weak checksum");
    }

    #[test]
    fn what_a_release_lacks_is_told_by_apt() {
        let text = "Some packages could not be installed.\n libnginx-mod-a : Depends: nginx-abi-1.26.3-1\n\
                    E: Unable to locate package libnginx-mod-b\nE: Package 'libnginx-mod-c' has no installation candidate\n";
        let further = ["libnginx-mod-a", "libnginx-mod-b", "libnginx-mod-b2", "libnginx-mod-c"];
        assert_eq!(refused(text, &further), ["libnginx-mod-a", "libnginx-mod-b", "libnginx-mod-c"]);
    }
}
