//! Images: present, pulled, or loaded from what a source built.

use std::collections::HashMap;
use std::io::{self, BufWriter, Write};

use std::pin::pin;

use futures_util::{TryStreamExt, stream};
use testcontainers::bollard::errors::Error as BollardError;
use testcontainers::bollard::query_parameters::{
    CreateImageOptionsBuilder, ImportImageOptionsBuilder, ListImagesOptionsBuilder,
};
use tokio::sync::mpsc;

use super::engine::{Engine, is_gone, refused, root_cause};
use crate::runtime::error::RuntimeError;

impl Engine {
    /// The id of an image that the engine has.
    pub(crate) async fn image_id(&self, image: &str) -> Result<Option<String>, RuntimeError> {
        match self.docker.inspect_image(image).await {
            Ok(inspected) => Ok(inspected.id),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(refused(format!("inspect the image {image}"))(error)),
        }
    }

    /// Pulls an image from its registry, unless it is there.
    pub(crate) async fn pull(&self, image: &str) -> Result<(), RuntimeError> {
        if self.image_id(image).await?.is_some() {
            return Ok(());
        }
        let options = CreateImageOptionsBuilder::new().from_image(&tagged(image)).build();
        let pulled = self.docker.create_image(Some(options), None, None).try_collect::<Vec<_>>().await;
        let Err(error) = pulled else { return Ok(()) };
        let there = self.tags_beside(image).await;
        Err(RuntimeError::NoImage { image: image.to_owned(), reason: root_cause(&error), there })
    }

    /// What the engine has of the same repository, for a message: it is empty if the engine does not say.
    async fn tags_beside(&self, image: &str) -> Vec<String> {
        let filters = HashMap::from([("reference", vec![repository(image)])]);
        let options = ListImagesOptionsBuilder::new().filters(&filters).build();
        let images = self.docker.list_images(Some(options)).await.unwrap_or_default();
        let mut tags: Vec<String> = images.into_iter().flat_map(|image| image.repo_tags).collect();
        tags.sort();
        tags.dedup();
        tags
    }

    /// Writes an image as `docker save` does.
    pub(crate) async fn save(&self, image: &str, out: &mut dyn Write) -> io::Result<()> {
        let failed = |error: BollardError| io::Error::other(root_cause(&error));
        let mut saved = pin!(self.docker.export_image(image));
        while let Some(piece) = saved.try_next().await.map_err(failed)? {
            out.write_all(&piece)?;
        }
        Ok(())
    }

    /// Loads an archive as `docker save` writes it, while it is being written.
    pub(crate) async fn load(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
    ) -> Result<(), RuntimeError> {
        let (sender, receiver) = mpsc::channel(4);
        let writing = tokio::task::spawn_blocking(move || {
            let mut writer = BufWriter::with_capacity(1 << 20, Chunks(sender));
            write(&mut writer)?;
            writer.flush()
        });
        let chunks = stream::unfold(receiver, |mut receiver| async {
            let chunk: Vec<u8> = receiver.recv().await?;
            Some((Ok::<_, io::Error>(chunk.into()), receiver))
        });
        let options = ImportImageOptionsBuilder::new().quiet(true).build();
        let loading = self.docker.import_image_stream(options, chunks, None);
        let loaded = loading.try_collect::<Vec<_>>().await;
        let failed = |reason: String| RuntimeError::Engine { doing: "load an image".to_owned(), reason };
        loaded.map_err(refused("load an image"))?;
        match writing.await {
            Ok(written) => written.map_err(|error| failed(error.to_string())),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

/// Hands what is written to the request's body, a chunk at a time.
struct Chunks(mpsc::Sender<Vec<u8>>);

impl Write for Chunks {
    fn write(&mut self, chunk: &[u8]) -> io::Result<usize> {
        self.0
            .blocking_send(chunk.to_vec())
            .map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the engine stopped reading"))?;
        Ok(chunk.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A reference without its tag and its digest.
fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => image,
    }
}

/// Without a tag the engine would pull all of them.
fn tagged(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    if last.contains(':') || last.contains('@') { image.to_owned() } else { format!("{image}:latest") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_tag() {
        for (image, of) in [
            ("nginx", "nginx"),
            ("nginx:1.29", "nginx"),
            ("registry.test:5000/nginx", "registry.test:5000/nginx"),
            ("registry.test:5000/nginx:1.29@sha256:ab", "registry.test:5000/nginx"),
        ] {
            assert_eq!(repository(image), of);
        }
    }
}
