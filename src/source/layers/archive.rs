//! An image in a file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tar::EntryType;

use super::watched::Watched;
use super::{Refused, bad, form, unreadable};
use crate::source::SourceError;

/// The most that is read into memory: what describes an image takes some kilobytes.
const DESCRIPTION: u64 = 4 << 20;
/// A layer is a file of its own; an image that is one file tree has as many as a root may have.
const MOST_MEMBERS: usize = 500_000;
const MOST_LINKS: usize = 8;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A tar of an image, as `docker save`, `docker export` and tools that put an OCI layout into a tar write it.
#[derive(Debug)]
pub struct Archive {
    pub(super) file: File,
    pub(super) path: PathBuf,
    members: BTreeMap<PathBuf, Member>,
    image: Image,
}

/// What is in an archive.
#[derive(Debug)]
enum Member {
    File { offset: u64, size: u64 },
    Link(PathBuf),
}

/// The image.
#[derive(Clone, Debug)]
pub(super) struct Image {
    /// The checksum of its configuration, or of all of it where there is none.
    pub(super) id: String,
    pub(super) architecture: Option<String>,
    /// From the lowest up.
    pub(super) layers: Vec<Layer>,
    pub(super) form: Form,
}

/// A layer of an image.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    /// Its name in the archive; none if it is the archive.
    pub(super) member: Option<PathBuf>,
    /// Of what it is unpacked.
    pub(super) checksum: Option<String>,
}

/// Who writes such archives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `docker save`; with the name of its configuration.
    Saved { configuration: String },
    /// An OCI layout.
    Oci,
    /// `docker export`: the files themselves.
    Exported,
}

impl Archive {
    /// Opens it and reads what describes the image. It blocks.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                SourceError::BadImage { image: name.clone(), reason: "there is no such file".to_owned() }
            }
            _ => SourceError::io("read", path)(error),
        })?;
        let nothing = Image { id: String::new(), architecture: None, layers: Vec::new(), form: Form::Exported };
        let mut archive = Self { file, path: path.to_owned(), members: BTreeMap::new(), image: nothing };
        archive.read().map_err(Refused::of(&name, "read", path))?;
        Ok(archive)
    }

    /// The image's id: `sha256:…`.
    pub fn id(&self) -> &str {
        &self.image.id
    }

    /// What errors call it.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    pub(super) fn image(&self) -> &Image {
        &self.image
    }

    /// What is in a layer, unpacked.
    pub(super) fn layer(&self, layer: &Layer) -> Result<Box<dyn Read>, Refused> {
        let mut packed = match &layer.member {
            Some(member) => self.open_member(member)?,
            None => {
                let mut file = self.file.try_clone()?;
                file.rewind()?;
                file.take(u64::MAX)
            }
        };
        let mut magic = [0; 4];
        let length = read_up_to(&mut packed, &mut magic)?;
        let whole = BufReader::with_capacity(1 << 16, io::Cursor::new(magic).take(length as u64).chain(packed));
        if magic.starts_with(&GZIP) {
            return Ok(Box::new(MultiGzDecoder::new(whole)));
        }
        match magic == ZSTD {
            true => Err(bad("its layers are compressed with zstd; write it anew with gzip or uncompressed")),
            false => Ok(Box::new(whole)),
        }
    }

    /// Whether the archive has a file of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(Path::new(name))
    }

    /// A small file of it.
    pub(super) fn description(&self, name: &str) -> Result<Vec<u8>, Refused> {
        let mut text = Vec::new();
        self.open_member(Path::new(name))?.take(DESCRIPTION + 1).read_to_end(&mut text).map_err(unreadable)?;
        match text.len() as u64 > DESCRIPTION {
            true => Err(bad(format!("{name} in it is longer than 4 MiB"))),
            false => Ok(text),
        }
    }

    /// The checksum of all of it.
    pub(super) fn checksum(&self) -> Result<String, Refused> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        let mut watched = Watched::new(file);
        watched.allowance().contents();
        io::copy(&mut watched, &mut io::sink())?;
        Ok(watched.checksum())
    }

    fn read(&mut self) -> Result<(), Refused> {
        self.members = self.list()?;
        self.image = form::image(self)?;
        Ok(())
    }

    fn list(&self) -> Result<BTreeMap<PathBuf, Member>, Refused> {
        let mut file = self.file.try_clone()?;
        let mut magic = [0; 4];
        read_up_to(&mut file, &mut magic)?;
        if magic.starts_with(&GZIP) || magic == ZSTD {
            return Err(bad("it is compressed; unpack it first (`gunzip`, `unzstd`)"));
        }
        file.rewind()?;
        let watched = Watched::new(file);
        let allowance = watched.allowance();
        let mut members = BTreeMap::new();
        let no_archive = |error: io::Error| bad(format!("it is no tar archive: {error}"));
        let mut archive = tar::Archive::new(watched);
        let mut entries = archive.entries_with_seek().map_err(no_archive)?;
        loop {
            allowance.headers();
            let Some(entry) = entries.next() else { break };
            let entry = entry.map_err(no_archive)?;
            let path = entry.path().map_err(no_archive)?;
            let path = path.strip_prefix(".").unwrap_or(&path).to_owned();
            let member = match (entry.header().entry_type(), entry.link_name().map_err(no_archive)?) {
                (EntryType::Regular, _) => Member::File { offset: entry.raw_file_position(), size: entry.size() },
                (EntryType::Symlink, Some(target)) => {
                    Member::Link(beside(path.parent().unwrap_or(Path::new("")), &target))
                }
                (EntryType::Link, Some(target)) => Member::Link(target.into_owned()),
                _ => continue,
            };
            members.insert(path, member);
            if members.len() > MOST_MEMBERS {
                return Err(bad("it has more than 500,000 files"));
            }
        }
        match members.is_empty() {
            true => Err(bad("it is no tar archive with files in it")),
            false => Ok(members),
        }
    }

    /// Older engines write a layer that several images have once, and links to it.
    fn open_member(&self, name: &Path) -> Result<Take<File>, Refused> {
        let mut at = name;
        for _ in 0..MOST_LINKS {
            match self.members.get(at) {
                Some(Member::Link(target)) => at = target,
                Some(Member::File { offset, size }) => {
                    // One handle has one position: each reader gets a handle of its own.
                    let mut file = File::open(&self.path)?;
                    file.seek(SeekFrom::Start(*offset))?;
                    return Ok(file.take(*size));
                }
                None => break,
            }
        }
        Err(bad(format!("{} is missing in it", name.display())))
    }
}

/// A relative link's end, by names alone.
fn beside(directory: &Path, target: &Path) -> PathBuf {
    let mut end = directory.to_owned();
    for component in target.components() {
        match component {
            std::path::Component::ParentDir => {
                end.pop();
            }
            std::path::Component::Normal(name) => end.push(name),
            _ => {}
        }
    }
    end
}

fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match reader.read(&mut buffer[length..])? {
            0 => break,
            more => length += more,
        }
    }
    Ok(length)
}
