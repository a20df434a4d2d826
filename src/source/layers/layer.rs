//! Unpacks the layers of an image, one over the other.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use tar::{Entry, EntryType};

use super::inside::{Inside, remove};
use super::watched::Watched;
use super::{Refused, bad, unreadable};
use crate::source::children;

/// The most that the files of an image may take.
const MOST_BYTES: u64 = 8 << 30;
/// The most files that it may have.
const MOST_FILES: u64 = 500_000;

/// What says that a file of a lower layer is gone, before its name.
const GONE: &[u8] = b".wh.";
/// What says that all is gone that lower layers have in a directory.
const ALL_GONE: &[u8] = b".wh..wh..opq";
/// Notes of the file system that once wrote layers.
const NOTE: &[u8] = b".wh..wh.";

/// Directories in whose place a program finds the kernel's own.
const KERNELS: [&str; 3] = ["dev", "proc", "sys"];

/// An image that is being unpacked.
pub(super) struct Unpacking {
    root: Inside,
    bytes_left: u64,
    files_left: u64,
}

impl Unpacking {
    pub(super) fn into(root: &Path) -> Result<Self, Refused> {
        Ok(Self { root: Inside::of(root)?, bytes_left: MOST_BYTES, files_left: MOST_FILES })
    }

    pub(super) fn root(&self) -> &Inside {
        &self.root
    }

    /// Unpacks the next layer, and holds it against the checksum that the image's configuration has of it.
    pub(super) fn layer(&mut self, layer: impl Read, checksum: Option<&str>) -> Result<(), Refused> {
        let watched = Watched::new(layer);
        let allowance = watched.allowance();
        let mut archive = tar::Archive::new(watched);
        let mut own = Own::default();
        let mut entries = archive.entries().map_err(unreadable)?;
        loop {
            allowance.headers();
            let Some(entry) = entries.next() else { break };
            let mut entry = entry.map_err(unreadable)?;
            allowance.contents();
            if children::are_abandoned() {
                return Err(io::Error::from(io::ErrorKind::Interrupted).into());
            }
            self.files_left = self.files_left.checked_sub(1).ok_or_else(|| bad("it has more than 500,000 files"))?;
            self.entry(&mut entry, &mut own)?;
            // What is left is read here, where it is not kept.
            io::copy(&mut entry, &mut io::sink()).map_err(unreadable)?;
        }
        let mut rest = archive.into_inner();
        allowance.contents();
        io::copy(&mut rest, &mut io::sink()).map_err(unreadable)?;
        match checksum {
            Some(checksum) if rest.checksum() != checksum => {
                Err(bad(format!("a layer is not the one that its configuration names, {checksum}")))
            }
            _ => Ok(()),
        }
    }

    fn entry(&mut self, entry: &mut Entry<'_, impl Read>, own: &mut Own) -> Result<(), Refused> {
        let kind = entry.header().entry_type();
        let path = clean(&entry.path().map_err(unreadable)?)?;
        let first = path.components().next().map(|component| component.as_os_str().to_owned());
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
        let kernels = KERNELS.iter().any(|directory| first.as_deref() == Some(OsStr::new(directory)));
        if kernels && !parent.as_os_str().is_empty() || kind == EntryType::XGlobalHeader {
            return Ok(());
        }
        own.goes_through_no_link(&path)?;
        if name.as_bytes().starts_with(GONE) {
            return self.whiteout(parent, name, own);
        }
        let directory = self.root.make_directory(parent).map_err(|error| no_directory(parent, error))?;
        let place = directory.at(name);
        let there = place.symlink_metadata().ok();
        if !(kind == EntryType::Directory && there.as_ref().is_some_and(fs::Metadata::is_dir)) {
            remove(&place)?;
        }
        let mode = entry.header().mode().map_err(unreadable)?;
        match kind {
            EntryType::Directory => make(&place, mode)?,
            EntryType::Symlink => {
                let target = entry.link_name().map_err(unreadable)?.ok_or_else(|| no_target(&path))?;
                symlink(target, &place)?;
            }
            EntryType::Link => {
                let target = entry.link_name().map_err(unreadable)?.ok_or_else(|| no_target(&path))?;
                self.second_name(&clean(&target)?, &place, own)?;
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => self.file(entry, &place, mode)?,
            _ => return Err(bad(format!("it holds {}, which is neither a file nor a link", path.display()))),
        }
        own.has(path, kind == EntryType::Symlink);
        Ok(())
    }

    fn file(&mut self, entry: &mut impl Read, place: &Path, mode: u32) -> Result<(), Refused> {
        let mut file = File::create_new(place)?;
        let mut piece = vec![0; 64 << 10];
        loop {
            let length = entry.read(&mut piece).map_err(unreadable)?;
            if length == 0 {
                break;
            }
            let left = self.bytes_left.checked_sub(length as u64);
            self.bytes_left = left.ok_or_else(|| bad("its files take more than 8 GiB"))?;
            file.write_all(&piece[..length])?;
        }
        // Who reads the cache may read all of it; nobody becomes another user by a file of it.
        Ok(file.set_permissions(Permissions::from_mode(mode & 0o777 | 0o400))?)
    }

    /// A second name of a file of the image.
    fn second_name(&self, target: &Path, place: &Path, own: &Own) -> Result<(), Refused> {
        own.goes_through_no_link(target)?;
        let missing = || bad(format!("a second name is for {}, which is no file of it", target.display()));
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else { return Err(missing()) };
        let directory = self.root.directory(parent)?.ok_or_else(missing)?;
        let file = directory.at(name);
        match file.symlink_metadata() {
            Ok(metadata) if !metadata.is_dir() => Ok(fs::hard_link(file, place)?),
            _ => Err(missing()),
        }
    }

    /// Takes away what lower layers have. What this layer brings stays, in whatever order its files come.
    fn whiteout(&self, parent: &Path, name: &OsStr, own: &Own) -> Result<(), Refused> {
        let name = name.as_bytes();
        let gone = OsStr::from_bytes(&name[GONE.len()..]);
        if gone.is_empty() || gone == "." || gone == ".." {
            return Err(bad(format!("a layer takes away `{}` of {}", gone.display(), parent.display())));
        }
        let Some(directory) = self.root.directory(parent).map_err(|error| no_directory(parent, error))? else {
            return Ok(());
        };
        if name == ALL_GONE {
            return Ok(own.keep_alone(parent, &directory.path())?);
        }
        if name.starts_with(NOTE) || own.brought.contains(&parent.join(gone)) {
            return Ok(());
        }
        Ok(remove(&directory.at(gone))?)
    }
}

/// What a layer itself brings.
#[derive(Default)]
struct Own {
    brought: HashSet<PathBuf>,
    links: HashSet<PathBuf>,
}

impl Own {
    fn has(&mut self, path: PathBuf, is_link: bool) {
        if is_link {
            self.links.insert(path.clone());
        } else {
            self.links.remove(&path);
        }
        self.brought.extend(path.ancestors().map(Path::to_owned));
    }

    /// A layer names files by their real paths: one that goes through its own link is made to get somewhere.
    fn goes_through_no_link(&self, path: &Path) -> Result<(), Refused> {
        match path.ancestors().skip(1).find(|above| self.links.contains(*above)) {
            Some(link) => {
                Err(bad(format!("{} goes through {}, a link of the same layer", path.display(), link.display())))
            }
            None => Ok(()),
        }
    }

    /// Removes all below a directory but what the layer brings.
    fn keep_alone(&self, path: &Path, place: &Path) -> io::Result<()> {
        for entry in fs::read_dir(place)? {
            let entry = entry?;
            let (path, place) = (path.join(entry.file_name()), place.join(entry.file_name()));
            if !self.brought.contains(&path) {
                remove(&place)?;
            } else if entry.file_type()?.is_dir() {
                self.keep_alone(&path, &place)?;
            }
        }
        Ok(())
    }
}

/// A path of an archive as one below the root.
fn clean(path: &Path) -> Result<PathBuf, Refused> {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            Component::ParentDir => return Err(bad(format!("the path {} leads out of it", path.display()))),
        }
    }
    Ok(clean)
}

fn make(place: &Path, mode: u32) -> io::Result<()> {
    if !place.is_dir() {
        fs::create_dir(place)?;
    }
    // Its owner must be able to remove what is in it; `1000` is that of `/tmp`.
    fs::set_permissions(place, Permissions::from_mode(mode & 0o1777 | 0o700))
}

fn no_target(path: &Path) -> Refused {
    bad(format!("the link {} leads nowhere", path.display()))
}

fn no_directory(path: &Path, error: io::Error) -> Refused {
    match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
        Some(rustix::io::Errno::NOTDIR | rustix::io::Errno::EXIST | rustix::io::Errno::LOOP) => {
            bad(format!("{} is not a directory in it, and has files", path.display()))
        }
        _ => error.into(),
    }
}
