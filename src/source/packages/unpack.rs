//! Unpacks packages into one directory. No script of theirs runs.

use std::fs;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use tar::{Archive, EntryType};

use crate::source::cache::create_dirs;
use crate::source::children::{DPKG_DEB, begin};
use crate::source::{Recipe, SourceError};

/// Below `usr/share`: what no program reads.
const UNREAD: [&str; 9] = ["bash-completion", "bug", "doc", "doc-base", "info", "lintian", "locale", "man", "mime"];

/// Lays out the merged /usr, so that packages of all releases end in one layout.
pub(super) fn prepare(staging: &Path) -> Result<(), SourceError> {
    for name in ["bin", "lib", "lib64", "sbin"] {
        create_dirs(&staging.join("usr").join(name))?;
        let link = staging.join(name);
        symlink(Path::new("usr").join(name), &link).map_err(SourceError::io("create", &link))?;
    }
    Ok(())
}

/// Unpacks all of them, two at a time: most of it is the time that decompression takes. Each is deleted afterwards.
pub(super) fn unpack_all(debs: &[PathBuf], staging: &Path, recipe: Recipe) -> Result<(), SourceError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || -> Result<(), SourceError> {
        while let Some(deb) = debs.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            unpack(deb, staging, recipe)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect::<Result<Vec<()>, SourceError>>()
            .map(|_| ())
    })
}

fn unpack(deb: &Path, staging: &Path, recipe: Recipe) -> Result<(), SourceError> {
    let mut command = DPKG_DEB.command()?;
    command.arg("--fsys-tarfile").arg(deb).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (mut child, _running) = begin(&mut command).map_err(SourceError::io("run", Path::new(DPKG_DEB.name)))?;
    let unpacked = match child.stdout.take() {
        Some(stdout) => extract(stdout, staging, recipe),
        None => Err(io::ErrorKind::BrokenPipe.into()),
    };
    let complaint = end(child);
    let failed = |detail: String| SourceError::Unpack { package: name(deb), cure: way_to_unpack(&detail), detail };
    match (unpacked, complaint) {
        (Err(error), _) if is_full(&error) => Err(SourceError::disk_full(staging)),
        (_, Some(complaint)) => Err(failed(complaint)),
        (Err(error), None) => Err(failed(error.to_string())),
        (Ok(()), None) => fs::remove_file(deb).map_err(SourceError::io("remove", deb)),
    }
}

/// What helps where dpkg can't unpack a package. Ubuntu's are compressed in a way that old ones don't know.
fn way_to_unpack(detail: &str) -> &'static str {
    if detail.contains("unknown compression") {
        "Update dpkg: 1.21.18 and newer know zstd, with which Ubuntu's packages are compressed"
    } else {
        "Run it again with PROXYPROOF_REFRESH=1"
    }
}

/// The archive's library wraps errors in its own; the one that it began with is below.
fn is_full(error: &io::Error) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) {
            return true;
        }
        source = error.source();
    }
    false
}

/// Waits for dpkg-deb; what it complains of, if it failed.
fn end(mut child: Child) -> Option<String> {
    let mut text = String::new();
    // Its output is closed by now: if we stopped reading early, it ends with a broken pipe.
    let read = child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut text));
    match child.wait() {
        Ok(status) if status.success() => None,
        Ok(status) if text.trim().is_empty() || matches!(read, Some(Err(_))) => {
            Some(format!("dpkg-deb ended with {status}"))
        }
        Ok(_) => Some(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        Err(error) => Some(error.to_string()),
    }
}

/// Writes what a root may need; nothing gets outside `staging`.
fn extract(stream: impl Read, staging: &Path, recipe: Recipe) -> io::Result<()> {
    let mut archive = Archive::new(BufReader::with_capacity(1 << 16, stream));
    archive.set_preserve_mtime(false);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        let known = matches!(kind, EntryType::Regular | EntryType::Directory | EntryType::Symlink | EntryType::Link);
        if known && is_wanted(&entry.path()?, kind, recipe) {
            entry.unpack_in(staging)?;
        }
    }
    Ok(())
}

/// Documentation is not, nor are programs that the recipe does not name.
fn is_wanted(path: &Path, kind: EntryType, recipe: Recipe) -> bool {
    let path = path.strip_prefix(".").unwrap_or(path);
    let names: Vec<&str> = path.iter().filter_map(|name| name.to_str()).collect();
    match names[..] {
        [] => false,
        ["usr", "share", directory, ..] if UNREAD.contains(&directory) => false,
        // What is enabled is the configuration's to say.
        ["etc", "nginx", "modules-enabled", _] => false,
        // The time zones of the world once more, in files by the thousand: the scripts have them inside.
        ["usr", "share", "javascript", "moment-timezone", "data", ..] => false,
        ["usr", "bin" | "sbin", program] | ["bin" | "sbin", program] => {
            recipe.programs().iter().any(|wanted| wanted.ends_with(&format!("/{program}")))
        }
        // The merged layout is there already.
        ["usr" | "bin" | "sbin" | "lib" | "lib64"] => kind != EntryType::Directory,
        _ => true,
    }
}

fn name(deb: &Path) -> String {
    deb.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_needed_is_written() {
        let wanted = |path: &str| is_wanted(Path::new(path), EntryType::Regular, Recipe::Prometheus);
        assert!(wanted("./usr/bin/prometheus") && wanted("./lib/x86_64-linux-gnu/libc.so.6"));
        assert!(!wanted("./usr/bin/promtool") && !wanted("./usr/share/doc/prometheus/README"));
    }
}
