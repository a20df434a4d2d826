//! What a release holds: its names, and for each root the packages that it needs, as apt verified them.

use std::collections::BTreeMap;
use std::fs;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::apt::{self, Apt, Origin};
use super::{Release, mirror};
use crate::source::cache::{self, Building, Cache};
use crate::source::{Arch, Progress, Recipe, SourceError, image, root};

/// A release, as its mirror described it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Index {
    pub codename: String,
    suite: String,
    mirror: String,
    architecture: String,
    fetched: u64,
    pub notes: Vec<String>,
    plans: BTreeMap<Recipe, Plan>,
}

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

impl Index {
    /// The one in the cache, if it is of the mirror that the user wants.
    pub fn open(cache: &Cache, release: &Release, arch: Arch) -> Option<Self> {
        let index: Self = serde_json::from_slice(&fs::read(cache.index(&file_key(release, arch))).ok()?).ok()?;
        let other = cache.mirror().is_some_and(|mirror| mirror.trim_end_matches('/') != index.mirror);
        (!other).then_some(index)
    }

    /// Whether it is young enough not to ask again.
    pub fn is_fresh(&self, cache: &Cache) -> bool {
        cache.is_fresh(self.fetched)
    }

    /// How old it is, in seconds.
    pub fn age(&self) -> u64 {
        cache::now().saturating_sub(self.fetched)
    }

    /// What a root is made of.
    pub fn plan(&self, recipe: Recipe) -> Result<&Plan, SourceError> {
        self.plans.get(&recipe).ok_or_else(|| SourceError::NoSuchPackage {
            release: self.codename.clone(),
            package: recipe.packages()[0].to_owned(),
            architecture: Arch::named(&self.architecture).map_or("this machine", Arch::debian),
        })
    }

    /// The name of a root in the cache. It changes when any of its packages does.
    pub fn key(&self, recipe: Recipe) -> Option<String> {
        let plan = self.plans.get(&recipe)?;
        let mut contents = Sha256::new();
        plan.packages.iter().for_each(|package| contents.update(&package.sha256));
        let contents = image::hex(&contents.finalize());
        Some(root::key(recipe, &self.codename, &self.architecture, &plan.version, &contents))
    }

    /// Asks the mirror, and keeps the answer in the cache.
    pub fn fetch(cache: &Cache, release: &Release, arch: Arch, progress: &dyn Progress) -> Result<Self, SourceError> {
        let mirror = mirror::find(cache)?;
        progress.step(&format!("Reading the package index of debian:{release}"));
        let building = Building::new(cache, progress)?;
        let origin = |dated| Origin { mirror: &mirror, release, arch, dated };
        let mut notes = Vec::new();
        let mut apt = Apt::new(building.subdirectory("apt")?, &origin(true))?;
        if let Err(error) = update(&apt, &origin(true)) {
            let SourceError::WrongAge { detail, .. } = &error else {
                return Err(error);
            };
            apt = undated(&building, &origin(false), error.to_string())?;
            notes.push(format!("The package index of debian:{release} is past its date: {detail}."));
        }
        let (codename, suite) = names(&apt.release_file().unwrap_or_default(), release);
        let plans = plans(&apt, release)?;
        let architecture = arch.debian().to_owned();
        let index = Self { codename, suite, mirror, architecture, fetched: cache::now(), notes, plans };
        let file = cache.index(&file_key(release, arch));
        let text = serde_json::to_vec_pretty(&index).map_err(|error| SourceError::io("write", &file)(error.into()))?;
        cache::write_atomically(&file, &text)?;
        Ok(index)
    }
}

fn file_key(release: &Release, arch: Arch) -> String {
    format!("{release}-{}", arch.debian())
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
    let (release, mirror) = (origin.release.to_string(), origin.mirror.to_owned());
    if apt::is_disk_full(text) {
        SourceError::disk_full(std::path::Path::new(""))
    } else if says(&["is expired", "is not valid yet", "not valid yet"]) {
        SourceError::WrongAge { release, mirror, detail }
    } else if says(&["does not have a Release file", "no longer has a Release file"]) {
        SourceError::NoSuchRelease { release, mirror }
    } else if says(&[
        "is not signed",
        "NO_PUBKEY",
        "EXPKEYSIG",
        "BADSIG",
        "signatures couldn't be verified",
        "signature verification",
    ]) {
        SourceError::Unverified { release, mirror, detail }
    } else {
        SourceError::Unreachable { mirror, detail }
    }
}

/// Reads an index whose date is not looked at, which is right for testing and unstable alone: theirs carry a date, and
/// a copy of a mirror falls behind it. A stable release's never expires.
fn undated(building: &Building, origin: &Origin<'_>, refused: String) -> Result<Apt, SourceError> {
    let apt = Apt::new(building.subdirectory("apt-undated")?, origin)?;
    update(&apt, origin)?;
    let (_, suite) = names(&apt.release_file().unwrap_or_default(), origin.release);
    if ["testing", "unstable", "experimental"].contains(&suite.as_str()) {
        return Ok(apt);
    }
    Err(SourceError::WrongAge {
        release: origin.release.to_string(),
        mirror: origin.mirror.to_owned(),
        detail: refused,
    })
}

/// The codename and the suite that a Release file gives.
fn names(text: &str, release: &Release) -> (String, String) {
    let field = |name: &str| {
        let value = text.lines().take(40).find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        // They become part of file names and of image tags.
        value.and_then(|value| value.parse::<Release>().ok()).unwrap_or_else(|| release.clone()).to_string()
    };
    (field("Codename"), field("Suite"))
}

/// What each root needs. They are worked out side by side: apt takes a quarter of a second for each.
fn plans(apt: &Apt, release: &Release) -> Result<BTreeMap<Recipe, Plan>, SourceError> {
    let found = std::thread::scope(|scope| {
        let running = Recipe::ALL.map(|recipe| (recipe, scope.spawn(move || plan(apt, release, recipe))));
        running.map(|(recipe, thread)| (recipe, thread.join()))
    });
    let mut plans = BTreeMap::new();
    for (recipe, result) in found {
        let plan = result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        plans.extend(plan.map(|plan| (recipe, plan)));
    }
    Ok(plans)
}

/// What one root needs; none if the release lacks a package.
fn plan(apt: &Apt, release: &Release, recipe: Recipe) -> Result<Option<Plan>, SourceError> {
    let output = apt.resolve(recipe.packages())?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return match text.as_ref() {
            text if apt::is_disk_full(text) => Err(SourceError::disk_full(std::path::Path::new(""))),
            text if text.contains("Unable to locate package") || text.contains("no installation candidate") => Ok(None),
            _ => {
                let (release, program) = (release.to_string(), recipe.name().to_owned());
                Err(SourceError::Resolve { release, program, detail: apt::complaint(&output) })
            }
        };
    }
    let packages: Vec<Package> = String::from_utf8_lossy(&output.stdout).lines().filter_map(package).collect();
    let first = packages.iter().find(|package| package.name == recipe.packages()[0]);
    Ok(first.map(|first| Plan { version: first.version.clone(), packages: packages.clone() }))
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
    pub fn split(&self, recipe: Recipe) -> (Vec<&Package>, Vec<&Package>) {
        self.packages.iter().partition(|package| recipe.wants(&package.name))
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
    fn names_come_from_the_signed_file() {
        let text = "-----BEGIN PGP SIGNED MESSAGE-----\n\nOrigin: Debian\nSuite: stable\nCodename: trixie\n";
        let release = Release::stable();
        assert_eq!(names(text, &release), ("trixie".to_owned(), "stable".to_owned()));
        assert_eq!(names("Codename: ../x\n", &release).0, "stable");
    }

    #[test]
    fn apts_refusals_are_told_apart() {
        let release = Release::stable();
        let origin = Origin { mirror: "m", release: &release, arch: Arch::Amd64, dated: true };
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
