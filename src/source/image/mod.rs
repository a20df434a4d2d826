//! A root as a container image that engines load, the same to the byte each time.

mod layer;

use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{Builder, Header};

use super::root::Manifest;
use super::{Distribution, Recipe, Root, SourceError};

/// What is known of an image without making it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// The checksum of its configuration, by which engines know it: `sha256:…`.
    id: String,
    /// The checksum of its one layer.
    layer: String,
    /// The layer's size in bytes.
    layer_size: u64,
}

impl Facts {
    /// Works them out from the files.
    pub(super) fn of(files: &Path, manifest: &Manifest) -> Result<Self, SourceError> {
        let mut measure = Measure { digest: Sha256::new(), size: 0 };
        layer::write(files, &mut measure).map_err(SourceError::io("read", files))?;
        let layer = hex(&measure.digest.finalize());
        let id = format!("sha256:{}", hex(&Sha256::digest(configuration(manifest, &layer))));
        Ok(Self { id, layer, layer_size: measure.size })
    }
}

/// The image id that an engine gives to the image of this root: `sha256:…`.
pub fn image_id(root: &Root) -> &str {
    &root.manifest().image.id
}

/// The name of this root's image: `proxyproof/nginx:debian-trixie-1.26.3-3-deb13u10-r2-0123456789ab`. It ends in a part
/// of the image's id: an image of this name is this very image, and another never takes its name away.
pub fn image_tag(root: &Root, recipe: Recipe) -> String {
    let manifest = root.manifest();
    let revision = super::recipe::REVISION;
    let kind = manifest.source.split(':').next().unwrap_or_default();
    let release = manifest.source.split_once(':').filter(|(kind, _)| Distribution::named(kind).is_some());
    let release = release.map(|(_, release)| format!("-{release}")).unwrap_or_default();
    let version: String =
        manifest.package_version.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    let id = image_id(root).trim_start_matches("sha256:");
    format!("proxyproof/{}:{kind}{release}-{version:.60}-r{revision}-{id:.12}", recipe.name())
}

/// The image of a root, in the form that `docker load` takes.
#[derive(Clone, Copy, Debug)]
pub struct Archive<'a> {
    root: &'a Root,
}

impl<'a> Archive<'a> {
    /// The image of `root`.
    pub fn new(root: &'a Root) -> Self {
        Self { root }
    }

    /// Writes it. It is never in memory as a whole.
    pub fn write_to(&self, mut out: impl Write) -> io::Result<()> {
        let manifest = self.root.manifest();
        let facts = &manifest.image;
        let configuration = configuration(manifest, &facts.layer);
        let configuration_name = format!("{}.json", facts.id.trim_start_matches("sha256:"));
        let layer_name = format!("{}/layer.tar", facts.layer);
        let index = json!([{
            "Config": configuration_name,
            "RepoTags": [image_tag(self.root, manifest.recipe)],
            "Layers": [layer_name],
        }]);
        append(&mut out, "manifest.json", index.to_string().as_bytes())?;
        append(&mut out, &configuration_name, &configuration)?;
        out.write_all(header(&layer_name, facts.layer_size)?.as_bytes())?;
        layer::write(&self.root.path(), &mut out)?;
        // A layer is a whole number of blocks, so that the end of the archive follows at once.
        Builder::new(out).into_inner()?.flush()
    }
}

fn append(out: &mut impl Write, name: &str, text: &[u8]) -> io::Result<()> {
    out.write_all(header(name, text.len() as u64)?.as_bytes())?;
    out.write_all(text)?;
    out.write_all(&[0; 512][..text.len().next_multiple_of(512) - text.len()])
}

fn header(name: &str, size: u64) -> io::Result<Header> {
    let mut header = Header::new_gnu();
    header.set_path(name)?;
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_cksum();
    Ok(header)
}

/// The image's configuration, whose checksum is its id.
fn configuration(manifest: &Manifest, layer: &str) -> Vec<u8> {
    let created = "1970-01-01T00:00:00Z";
    let configuration = json!({
        "architecture": manifest.architecture,
        "os": "linux",
        "created": created,
        "config": manifest.recipe.image(),
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{layer}")]},
        "history": [{"created": created, "created_by": format!("proxyproof, from {} {}", manifest.source, manifest.package_version)}],
    });
    configuration.to_string().into_bytes()
}

/// Counts and sums up what is written to it.
struct Measure {
    digest: Sha256,
    size: u64,
}

impl Write for Measure {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.digest.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A checksum as it is written.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(directory: &Path) -> Root {
        let files = super::super::root::files_below(directory);
        std::fs::create_dir_all(files.join("etc")).expect("a directory");
        std::fs::write(files.join("etc/hosts"), "127.0.0.1 localhost\n").expect("a file");
        let manifest = Manifest {
            recipe: Recipe::Nginx,
            source: "debian:trixie".into(),
            architecture: "amd64".into(),
            version: "1.26.3".into(),
            package_version: "1.26.3-3+deb13u10".into(),
            packages: Vec::new(),
            notes: Vec::new(),
            image: Facts::default(),
        };
        super::super::root::seal(directory, manifest).expect("sealed");
        Root::open(directory).expect("a root")
    }

    #[test]
    fn the_same_files_are_the_same_image() {
        let (one, two) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("two"));
        let archives = [root(one.path()), root(two.path())].map(|root| {
            let mut bytes = Vec::new();
            Archive::new(&root).write_to(&mut bytes).expect("written");
            bytes
        });
        assert!(archives[0] == archives[1]);
    }

    #[test]
    fn the_archive_holds_what_its_manifest_names() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = root(directory.path());
        let mut bytes = Vec::new();
        Archive::new(&root).write_to(&mut bytes).expect("written");
        let mut archive = tar::Archive::new(bytes.as_slice());
        let sizes: Vec<(String, u64)> = archive
            .entries()
            .expect("entries")
            .map(|entry| entry.expect("an entry"))
            .map(|entry| (entry.path().expect("a name").display().to_string(), entry.size()))
            .collect();
        assert_eq!(sizes.len(), 3, "{sizes:?}");
        assert_eq!(sizes[0].0, "manifest.json");
        assert_eq!(sizes[2].1, root.manifest().image.layer_size);
        let tag = image_tag(&root, Recipe::Nginx);
        let revision = super::super::recipe::REVISION;
        assert!(tag.starts_with(&format!("proxyproof/nginx:debian-trixie-1.26.3-3-deb13u10-r{revision}-")), "{tag}");
    }
}
