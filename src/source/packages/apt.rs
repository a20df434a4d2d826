//! An apt of our own: it reads the machine's proxies and nothing else of it, and writes to one directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::{Distribution, Release, settings};
use crate::source::cache::create_dirs;
use crate::source::children::{APT_GET, Tool};
use crate::source::{Arch, Cache, SourceError};

/// An apt whose whole state is one directory.
pub(super) struct Apt {
    directory: PathBuf,
    /// Whether the machine's own apt is told not to look at the dates of indexes.
    pub machine_ignores_dates: bool,
}

/// What an apt is for.
pub(super) struct Origin<'a> {
    pub mirror: &'a str,
    pub keyring: &'a Path,
    pub release: &'a Release,
    pub arch: Arch,
    /// Whether an index past its date is refused.
    pub dated: bool,
}

impl Apt {
    /// Writes its configuration into `directory`.
    pub(super) fn new(directory: PathBuf, origin: &Origin<'_>) -> Result<Self, SourceError> {
        for name in ["lists/partial", "cache/archives/partial"] {
            create_dirs(&directory.join(name))?;
        }
        let dump = settings::dump()?;
        let machine_ignores_dates = settings::ignores_dates(&dump);
        let valid = match origin.dated {
            true => "",
            false if machine_ignores_dates => " check-valid-until=no check-date=no",
            false => " check-valid-until=no",
        };
        let (mirror, keyring, arch) = (origin.mirror, origin.keyring.display(), origin.arch.debian());
        let components = origin.release.distribution().components();
        let sources = origin
            .release
            .suites()
            .map(|suite| format!("deb [arch={arch} signed-by={keyring}{valid}] {mirror} {suite} {components}\n"));
        write(&directory, "status", "")?;
        write(&directory, "sources.list", &sources.collect::<String>())?;
        write(&directory, "apt.conf", &settings::configuration(&directory, arch, &settings::acquire_settings(&dump)))?;
        Ok(Self { directory, machine_ignores_dates })
    }

    /// Reads the release's index and verifies its signature.
    pub(super) fn update(&self) -> Result<Output, SourceError> {
        self.run(APT_GET, |apt| {
            apt.args(["update", "-q", "-o", "APT::Update::Error-Mode=any"]);
        })
    }

    /// Works out what a machine without any package needs for these, with the checksum of each.
    pub(super) fn resolve(&self, packages: &[&str]) -> Result<Output, SourceError> {
        self.run(APT_GET, |apt| {
            apt.args(["install", "--print-uris", "-qq", "-y", "-o", "Acquire::ForceHash=SHA256"]).args(packages);
        })
    }

    /// The index of the release itself as the mirror signed it.
    pub(super) fn release_file(&self, release: &Release) -> Option<String> {
        let names = ["InRelease", "Release"].map(|file| format!("_dists_{}_{file}", release.name()));
        let entries = fs::read_dir(self.directory.join("lists")).ok()?.flatten();
        let is_it = |path: &PathBuf| names.iter().any(|name| path.to_string_lossy().ends_with(name));
        fs::read_to_string(entries.map(|entry| entry.path()).find(is_it)?).ok()
    }

    fn run(&self, tool: Tool, prepare: impl FnOnce(&mut Command)) -> Result<Output, SourceError> {
        run(&self.directory, tool, prepare)
    }
}

/// Runs one of apt's tools with the configuration that lies in `directory`.
pub(super) fn run(directory: &Path, tool: Tool, prepare: impl FnOnce(&mut Command)) -> Result<Output, SourceError> {
    tool.run(|command| {
        // What it verifies signatures with leaves its files there when it is killed.
        prepare(command.env("APT_CONFIG", directory.join("apt.conf")).env("TMPDIR", directory));
    })
}

/// A configuration that is enough to download files.
pub(super) fn for_downloads(directory: &Path) -> Result<(), SourceError> {
    write(
        directory,
        "apt.conf",
        &settings::configuration(directory, "", &settings::acquire_settings(&settings::dump()?)),
    )
}

/// The file with the keys of a distribution: the one that the user named, else that of its package.
pub(super) fn keyring(cache: &Cache, distribution: Distribution) -> Result<PathBuf, SourceError> {
    let named = cache.keyring(distribution).map(Path::to_owned);
    let usual = distribution.keyrings().iter().map(PathBuf::from);
    let mut candidates: Vec<PathBuf> = named.map_or_else(|| usual.collect(), |file| vec![file]);
    // It becomes a word in a line of apt's sources.
    let is_one_word =
        |path: &PathBuf| !path.to_string_lossy().contains(|c: char| c.is_whitespace() || "[],".contains(c));
    let found = candidates.iter().position(|path| path.is_file() && is_one_word(path));
    let path = candidates.swap_remove(found.unwrap_or_default());
    found.map(|_| path.clone()).ok_or(SourceError::NoKeyring { distribution, path })
}

fn write(directory: &Path, name: &str, text: &str) -> Result<(), SourceError> {
    let file = directory.join(name);
    fs::write(&file, text).map_err(SourceError::io("write", &file))
}

/// What apt complains of, in one line.
pub(super) fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines = text.lines().filter_map(|line| line.strip_prefix("E: ").or_else(|| line.strip_prefix("W: ")));
    let noise = ["Some index files failed", "Download Failed", "Updates for this repository", "Failed to fetch some"];
    let mut complaints: Vec<&str> = lines.filter(|line| !noise.iter().any(|noise| line.starts_with(noise))).collect();
    complaints.dedup();
    complaints.truncate(2);
    match complaints.join("; ") {
        none if none.is_empty() => format!("apt ended with {} and no message", output.status),
        text => text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned(),
    }
}

/// Whether a tool ran out of disk.
pub(super) fn is_disk_full(text: &str) -> bool {
    ["No space left on device", "enough free space", "Disk quota exceeded", "(28:"]
        .iter()
        .any(|sign| text.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn a_complaint_is_one_line_without_noise() {
        let output = Output {
            status: std::process::ExitStatus::from_raw(100 << 8),
            stdout: Vec::new(),
            stderr:
                b"W: a\n   b\nE: Failed to fetch http://m.test/x  Hash Sum mismatch\n   Hashes:\nE: Download Failed\n"
                    .to_vec(),
        };
        assert_eq!(complaint(&output), "a; Failed to fetch http://m.test/x Hash Sum mismatch");
    }
}
