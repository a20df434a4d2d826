//! Hands an image to an engine under a name of this program's own: those in the archive would take the names of images
//! that the engine has.

use std::io::{self, BufReader, Seek, Write};
use std::path::Path;

use serde_json::json;
use tar::{Builder, EntryType, Header};

use super::archive::{Archive, Form};
use super::hex_of;

/// What names images, in either form.
const NAMING: [&str; 4] = ["manifest.json", "repositories", "index.json", "oci-layout"];

impl Archive {
    /// The name that the image gets in an engine.
    pub fn tag(&self) -> String {
        format!("proxyproof/archive:{:.12}", hex_of(self.id()))
    }

    /// Whether [`Archive::write_tagged`] can hand it over.
    pub fn is_saved(&self) -> bool {
        matches!(self.image().form, Form::Saved { .. })
    }

    /// Writes it as `docker load` takes it.
    ///
    /// # Errors
    ///
    /// If it was not written by `docker save`, and what reading and writing say.
    pub fn write_tagged(&self, out: impl Write) -> io::Result<()> {
        let Form::Saved { configuration } = &self.image().form else {
            return Err(io::Error::other("it was not written by `docker save`"));
        };
        let layers = self.image().layers.iter().filter_map(|layer| Some(layer.member.as_ref()?.display().to_string()));
        let manifest = json!([{
            "Config": configuration,
            "RepoTags": [self.tag()],
            "Layers": layers.collect::<Vec<_>>(),
        }]);
        let manifest = manifest.to_string();
        let mut builder = Builder::new(out);
        let mut header = Header::new_gnu();
        header.set_size(manifest.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, "manifest.json", manifest.as_bytes())?;
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 16, file));
        for entry in archive.entries()? {
            let entry = entry?;
            let (mut header, path) = (entry.header().clone(), entry.path()?.into_owned());
            match (header.entry_type(), entry.link_name()?.map(std::borrow::Cow::into_owned)) {
                _ if NAMING.iter().any(|name| path == Path::new(name)) => {}
                (EntryType::Regular | EntryType::Directory, _) => builder.append_data(&mut header, path, entry)?,
                (EntryType::Symlink | EntryType::Link, Some(target)) => {
                    builder.append_link(&mut header, path, target)?;
                }
                _ => {}
            }
        }
        builder.into_inner()?.flush()
    }
}
