//! The files of an image in the cache.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::archive::{Archive, Image};
use super::layer::Unpacking;
use super::{Refused, complete, hex_of};
use crate::source::cache::{Building, Cache, Lock};
use crate::source::tree::Tree;
use crate::source::{Arch, Program, Progress, SourceError};

const FILES: &str = "root";
const FINISHED: &str = "finished";

/// The unpacked files of an image.
#[derive(Clone, Debug)]
pub struct Layers {
    directory: PathBuf,
}

impl Layers {
    /// Those of an image in a file. It blocks.
    pub fn of_archive(archive: &Archive, cache: &Cache, progress: &dyn Progress) -> Result<Self, SourceError> {
        let job = Job { name: &archive.name(), id: archive.id(), cache, progress };
        job.run(|_| Ok(None), Some(archive)).map_err(|error| error.in_cache(cache.directory()))
    }

    /// Those of the image `name` of an engine, which it knows as `id`; `save` writes it as `docker save` does. It blocks.
    pub fn of_engine(
        name: &str,
        id: &str,
        cache: &Cache,
        progress: &dyn Progress,
        save: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Self, SourceError> {
        let save = |building: &Building| {
            let file = building.subdirectory("saved")?.join("image.tar");
            let mut out = File::create(&file).map_err(SourceError::io("create", &file))?;
            save(&mut out).map_err(SourceError::io("save the image to", &file))?;
            Archive::open(&file).map(Some)
        };
        let job = Job { name, id, cache, progress };
        job.run(save, None).map_err(|error| error.in_cache(cache.directory()))
    }

    /// The directory that stands for `/`. It belongs to the cache: change nothing in it.
    pub fn path(&self) -> PathBuf {
        self.directory.join(FILES)
    }

    /// Where the image has a program, if it does: where its official image does, or where programs usually are.
    pub fn program(&self, program: Program) -> Option<PathBuf> {
        let tree = Tree::new(self.path());
        let places: &[&str] = match program {
            Program::Nginx => &["usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"],
            Program::Prometheus => &["bin"],
        };
        places.iter().map(|place| Path::new(place).join(program.name())).find(|path| tree.file(path).is_some())
    }

    fn open(directory: &Path) -> Option<Self> {
        directory.join(FILES).is_dir().then(|| Self { directory: directory.to_owned() })
    }
}

struct Job<'a> {
    name: &'a str,
    id: &'a str,
    cache: &'a Cache,
    progress: &'a dyn Progress,
}

impl Job<'_> {
    /// From the cache, or unpacked if nobody did so before or meanwhile.
    fn run(
        &self,
        save: impl FnOnce(&Building) -> Result<Option<Archive>, SourceError>,
        archive: Option<&Archive>,
    ) -> Result<Layers, SourceError> {
        let place = self.cache.image(self.id);
        if let Some(layers) = Layers::open(&place) {
            return Ok(layers);
        }
        let _lock = Lock::acquire(self.cache, &format!("image-{}", hex_of(self.id)), || {
            self.progress.step(&format!("Waiting for the image {}, which is being unpacked", self.name));
        })?;
        if let Some(layers) = Layers::open(&place) {
            return Ok(layers);
        }
        self.progress.step(&format!("Unpacking the image {}", self.name));
        let building = Building::new(self.cache, self.progress)?;
        let saved = save(&building)?;
        if let Some(archive) = saved.as_ref().or(archive) {
            self.unpack(archive, &building)?;
        }
        building.finish(FINISHED, &place)?;
        Layers::open(&place).ok_or_else(|| SourceError::io("read", &place)(io::ErrorKind::NotFound.into()))
    }

    fn unpack(&self, archive: &Archive, building: &Building) -> Result<(), SourceError> {
        let image = archive.image();
        self.suits_this_machine(image)?;
        let root = building.subdirectory(FINISHED)?.join(FILES);
        fs::create_dir(&root).map_err(SourceError::io("create", &root))?;
        let unpacked = Unpacking::into(&root).and_then(|mut unpacking| {
            for layer in &image.layers {
                unpacking.layer(archive.layer(layer)?, layer.checksum.as_deref())?;
            }
            complete::complete(unpacking.root())
        });
        unpacked.map_err(Refused::of(self.name, "unpack", &root))
    }

    fn suits_this_machine(&self, image: &Image) -> Result<(), SourceError> {
        let own = Arch::host()?.engine();
        match &image.architecture {
            Some(other) if other != own => {
                let reason = format!("it is for the processor {other}, and this machine has {own}");
                Err(SourceError::BadImage { image: self.name.to_owned(), reason })
            }
            _ => Ok(()),
        }
    }
}
