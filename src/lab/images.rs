//! Container images where no engine runs them: their files, for the sandbox; and images that are files.

use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::provision::{Provided, Provider};
use crate::error::Result;
use crate::runtime::RuntimeError;
use crate::runtime::docker::Engine;
use crate::source::layers::Archive;
#[cfg(target_os = "linux")]
use crate::source::layers::Layers;
use crate::source::{Program, SourceError};

/// How long an engine may take to answer that nobody named.
const ANSWER_TIME: Duration = Duration::from_secs(2);

impl Provider {
    /// The files of an image, from an engine that has it or can pull it.
    #[cfg(target_os = "linux")]
    pub(super) async fn layers(&self, image: &str, program: Option<Program>) -> Result<Provided> {
        let no_engine =
            |error: RuntimeError| RuntimeError::NoImages { image: image.to_owned(), reason: error.to_string() };
        let engine = Engine::connect().await.map_err(no_engine)?;
        self.progress.step(&format!("getting the image {image}"));
        engine.pull(image).await?;
        let id = engine.image_id(image).await?.unwrap_or_default();
        let (name, handle) = (image.to_owned(), tokio::runtime::Handle::current());
        let layers = self.build(move |cache, progress| {
            Layers::of_engine(&name, &id, cache, progress, |out| handle.block_on(engine.save(&name, out)))
        });
        provided(&layers.await?, image.to_owned(), program)
    }

    /// An image in a file: an engine loads it, the sandbox takes its files.
    pub(super) async fn archive(&self, file: &Path, program: Program) -> Result<Provided> {
        let (path, name) = (file.to_owned(), file.display().to_string());
        #[cfg(target_os = "linux")]
        if self.bed.engine().is_none() {
            let layers = self.build(move |cache, progress| Layers::of_archive(&Archive::open(&path)?, cache, progress));
            return provided(&layers.await?, name, Some(program));
        }
        let Some(engine) = self.bed.engine() else {
            return Err(
                RuntimeError::NoImages { image: name, reason: "there is none on this system".to_owned() }.into()
            );
        };
        let archive = self.build(move |_, _| Archive::open(&path)).await?;
        if !archive.is_saved() {
            let reason = "an engine loads what `docker save` has written alone; use --runtime sandbox".to_owned();
            return Err(SourceError::BadImage { image: name, reason }.into());
        }
        let tag = archive.tag();
        if engine.image_id(&tag).await?.is_none() {
            self.progress.step(&format!("loading {name}"));
            engine.load(move |out| archive.write_tagged(out)).await?;
        }
        Ok(Provided::of_image(tag, format!("docker:{name}")))
    }

    /// Whether an engine that answers at once has an image.
    pub(super) async fn is_in_an_engine(&self, image: &str) -> bool {
        let asked = async { Engine::connect().await.ok()?.image_id(image).await.ok()? };
        timeout(ANSWER_TIME, asked).await.ok().flatten().is_some()
    }
}

/// Elsewhere than on Linux every bed has an engine.
#[cfg(not(target_os = "linux"))]
impl Provider {
    pub(super) async fn layers(&self, image: &str, _program: Option<Program>) -> Result<Provided> {
        let reason = "there is none on this system".to_owned();
        Err(RuntimeError::NoImages { image: image.to_owned(), reason }.into())
    }
}

#[cfg(target_os = "linux")]
fn provided(layers: &Layers, image: String, program: Option<Program>) -> Result<Provided> {
    if let Some(program) = program
        && layers.program(program).is_none()
    {
        let reason = "it is not where its official image has it".to_owned();
        return Err(RuntimeError::NoProgram { program: program.name(), image, reason }.into());
    }
    Ok(Provided::of_image(layers.path().display().to_string(), format!("docker:{image}")))
}
