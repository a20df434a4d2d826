//! The forms in which tools write images into an archive.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::archive::{Archive, Form, Image, Layer};
use super::{Refused, bad};
use crate::source::Arch;
use crate::source::image::hex;

/// An index in an index in an index.
const DEPTH: u32 = 3;

/// An entry of `manifest.json`, as `docker save` writes it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    layers: Vec<String>,
}

/// The image's configuration.
#[derive(Deserialize)]
struct Configuration {
    architecture: Option<String>,
    rootfs: Rootfs,
}

#[derive(Deserialize)]
struct Rootfs {
    diff_ids: Vec<String>,
}

/// OCI's `index.json`, and indexes that it names.
#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    architecture: String,
}

/// The image in an archive. Newer engines write both forms at once, and the first is the plainer one.
pub(super) fn image(archive: &Archive) -> Result<Image, Refused> {
    if archive.has("manifest.json") {
        saved(archive)
    } else if archive.has("index.json") {
        let descriptor = the_one(parse::<Index>("index.json", &archive.description("index.json")?)?)?;
        oci(archive, &descriptor, DEPTH)
    } else if archive.has("oci-layout") {
        Err(bad("it is an OCI layout without its index.json"))
    } else {
        let layers = vec![Layer { member: None, checksum: None }];
        Ok(Image { id: archive.checksum()?, architecture: None, layers, form: Form::Exported })
    }
}

fn saved(archive: &Archive) -> Result<Image, Refused> {
    let mut images: Vec<Saved> = parse("manifest.json", &archive.description("manifest.json")?)?;
    let number = images.len();
    let (Some(image), 1) = (images.pop(), number) else {
        return Err(bad(format!("it holds {number} images; save the one that is meant on its own")));
    };
    let configuration = archive.description(&image.config)?;
    let form = Form::Saved { configuration: image.config };
    described(&configuration, image.layers, form)
}

fn oci(archive: &Archive, descriptor: &Descriptor, depth: u32) -> Result<Image, Refused> {
    let text = blob(archive, descriptor)?;
    let is_index = descriptor.media_type.contains("index") || descriptor.media_type.contains("manifest.list");
    if is_index {
        return match depth {
            0 => Err(bad("its indexes name one another")),
            _ => oci(archive, &the_one(parse("an index in it", &text)?)?, depth - 1),
        };
    }
    let manifest: Manifest = parse("a manifest in it", &text)?;
    let layers = manifest.layers.iter().map(place).collect::<Result<_, _>>()?;
    described(&blob(archive, &manifest.config)?, layers, Form::Oci)
}

/// The image of this configuration: the checksums in it are those of the layers.
fn described(configuration: &[u8], layers: Vec<String>, form: Form) -> Result<Image, Refused> {
    let Configuration { architecture, rootfs } = parse("its configuration", configuration)?;
    if rootfs.diff_ids.len() != layers.len() {
        return Err(bad("its configuration names another number of layers than its manifest"));
    }
    let layers = layers.into_iter().zip(rootfs.diff_ids);
    let layers = layers.map(|(name, checksum)| Layer { member: Some(name.into()), checksum: Some(checksum) });
    let id = format!("sha256:{}", hex(&Sha256::digest(configuration)));
    Ok(Image { id, architecture, layers: layers.collect(), form })
}

/// The image for this machine, if an index names several.
fn the_one(index: Index) -> Result<Descriptor, Refused> {
    let own = Arch::host().map_or("", Arch::engine);
    let suits =
        |descriptor: &Descriptor| descriptor.platform.as_ref().is_none_or(|platform| platform.architecture == own);
    let mut suiting: Vec<Descriptor> = index.manifests.into_iter().filter(suits).collect();
    match (suiting.len(), suiting.pop()) {
        (1, Some(one)) => Ok(one),
        (number, _) => Err(bad(format!("it holds {number} images for this machine ({own}), and one is needed"))),
    }
}

fn blob(archive: &Archive, descriptor: &Descriptor) -> Result<Vec<u8>, Refused> {
    let text = archive.description(&place(descriptor)?)?;
    match descriptor.digest == format!("sha256:{}", hex(&Sha256::digest(&text))) {
        true => Ok(text),
        false => Err(bad(format!("what it has as {} has another checksum", descriptor.digest))),
    }
}

/// Where an OCI layout has what a descriptor names.
fn place(descriptor: &Descriptor) -> Result<String, Refused> {
    let digits =
        descriptor.digest.strip_prefix("sha256:").filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    match digits {
        Some(digits) => Ok(format!("blobs/sha256/{digits}")),
        None => Err(bad(format!("it has the checksum `{}`, which is none of sha256", descriptor.digest))),
    }
}

fn parse<T: DeserializeOwned>(what: &str, text: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(text).map_err(|error| bad(format!("{what} can't be read: {error}")))
}
