//! An apt of our own: it reads the machine's proxies and nothing else of it, and writes to one directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::{Release, settings};
use crate::source::cache::create_dirs;
use crate::source::children::{APT_GET, Tool};
use crate::source::{Arch, SourceError};

/// Debian's keys, as the package `debian-archive-keyring` has them: binary, or armoured in the newest.
const KEYRINGS: [&str; 2] =
    ["/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp"];

/// An apt whose whole state is one directory.
pub(super) struct Apt {
    directory: PathBuf,
    /// Whether the machine's own apt is told not to look at the dates of indexes.
    pub machine_ignores_dates: bool,
}

/// What an apt is for.
pub(super) struct Origin<'a> {
    pub mirror: &'a str,
    pub release: &'a Release,
    pub arch: Arch,
    /// Whether an index past its date is refused.
    pub dated: bool,
}

impl Apt {
    /// Writes its configuration into `directory`.
    pub(super) fn new(directory: PathBuf, origin: &Origin<'_>) -> Result<Self, SourceError> {
        let keyring = keyring()?;
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
        let (mirror, release, arch) = (origin.mirror, origin.release, origin.arch.debian());
        write(&directory, "status", "")?;
        write(
            &directory,
            "sources.list",
            &format!("deb [arch={arch} signed-by={keyring}{valid}] {mirror} {release} main\n"),
        )?;
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

    /// The release's index as the mirror signed it.
    pub(super) fn release_file(&self) -> Option<String> {
        let entries = fs::read_dir(self.directory.join("lists")).ok()?.flatten();
        let file = entries.map(|entry| entry.path()).find(|path| path.to_string_lossy().ends_with("Release"))?;
        fs::read_to_string(file).ok()
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

pub(super) fn keyring() -> Result<&'static str, SourceError> {
    let found = KEYRINGS.into_iter().find(|path| Path::new(path).exists());
    found.ok_or(SourceError::NoKeyring { path: KEYRINGS[0] })
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
