//! Images that a stranger made, and those that tools make.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use super::{Archive, Layers};
use crate::source::image::hex;
use crate::source::{Arch, Cache, SourceError};

/// What is put into a layer: a kind, a path as it is to be in the header, and contents or where a link leads.
type Item<'a> = (EntryType, &'a str, &'a str);

const FILE: EntryType = EntryType::Regular;
const DIRECTORY: EntryType = EntryType::Directory;
const LINK: EntryType = EntryType::Symlink;
const SECOND_NAME: EntryType = EntryType::Link;

fn tar(items: &[Item<'_>]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (kind, path, what) in items {
        let mut header = Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o4755);
        // The library's own functions refuse what a stranger would write.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        if [LINK, SECOND_NAME].contains(kind) {
            header.as_old_mut().linkname[..what.len()].copy_from_slice(what.as_bytes());
            header.set_size(0);
        } else {
            header.set_size(what.len() as u64);
        }
        header.set_cksum();
        let contents = if header.size().is_ok_and(|size| size > 0) { what.as_bytes() } else { &[] };
        builder.append(&header, contents).expect("appended");
    }
    builder.into_inner().expect("a tar")
}

fn checksum(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

fn configuration(layers: &[Vec<u8>], architecture: &str) -> String {
    let sums: Vec<String> = layers.iter().map(|layer| checksum(layer)).collect();
    json!({"architecture": architecture, "os": "linux", "rootfs": {"type": "layers", "diff_ids": sums}}).to_string()
}

fn files(named: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, bytes) in named {
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes.as_slice()).expect("appended");
    }
    builder.into_inner().expect("a tar")
}

/// As `docker save` writes it.
fn saved(layers: &[Vec<u8>], configuration: String) -> Vec<u8> {
    let names: Vec<String> = (0..layers.len()).map(|number| format!("{number}/layer.tar")).collect();
    let manifest = json!([{"Config": "c.json", "RepoTags": null, "Layers": names}]);
    let own = [("c.json".into(), configuration.into()), ("manifest.json".into(), manifest.to_string().into())];
    files(&names.into_iter().zip(layers.iter().cloned()).chain(own).collect::<Vec<_>>())
}

fn of_this_machine() -> &'static str {
    Arch::host().expect("a processor").engine()
}

/// A place for an image and its cache, beside which nothing may appear.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a directory"));
        fs::create_dir(place.outside()).expect("a directory");
        fs::write(place.outside().join("kept"), "kept").expect("a file");
        place
    }

    fn outside(&self) -> PathBuf {
        self.0.path().join("outside")
    }

    fn unpack(&self, image: &[u8]) -> Result<PathBuf, SourceError> {
        let file = self.0.path().join("image.tar");
        fs::write(&file, image).expect("written");
        let cache = Cache::new(self.0.path().join("cache"));
        let unpacked = Archive::open(&file).and_then(|archive| Layers::of_archive(&archive, &cache, &()));
        let left: Vec<_> = fs::read_dir(self.outside()).expect("a directory").flatten().collect();
        assert_eq!(left.len(), 1, "something was written outside: {left:?}");
        assert_eq!(fs::read_to_string(self.outside().join("kept")).expect("it is there"), "kept");
        assert_eq!(cache.leftovers(), Vec::<PathBuf>::new());
        unpacked.map(|layers| layers.path())
    }

    fn refuses(&self, layers: &[&[Item<'_>]]) -> String {
        let layers: Vec<Vec<u8>> = layers.iter().map(|items| tar(items)).collect();
        let image = saved(&layers, configuration(&layers, of_this_machine()));
        let error = self.unpack(&image).expect_err("refused");
        assert_eq!(error.exit_code(), 2, "{error}");
        assert!(!self.has_images(), "{error}");
        error.to_string()
    }

    fn has_images(&self) -> bool {
        self.0.path().join("cache/v1/images").exists()
    }
}

fn text(root: &Path, path: &str) -> Option<String> {
    fs::read_to_string(root.join(path)).ok()
}

#[test]
fn layers_lie_over_one_another_and_take_away_what_they_say() {
    let lower = tar(&[
        (DIRECTORY, "a/", ""),
        (FILE, "a/one", "1"),
        (FILE, "a/two", "2"),
        (FILE, "b/x/deep", "x"),
        (FILE, "b/y", "y"),
        (LINK, "lib", "usr/lib"),
        (FILE, "usr/lib/z", "z"),
        (SECOND_NAME, "a/same", "a/two"),
    ]);
    let upper = tar(&[
        (FILE, "a/.wh.one", ""),
        (FILE, "b/new", "new"),
        (FILE, "b/.wh..wh..opq", ""),
        (FILE, "lib/through", "a lower layer's link leads within the root"),
        (FILE, "a/two", "second"),
    ]);
    let layers = [lower, upper];
    let place = Place::new();
    let root = place.unpack(&saved(&layers, configuration(&layers, of_this_machine()))).expect("unpacked");
    assert_eq!(text(&root, "a/one"), None);
    assert_eq!((text(&root, "a/two"), text(&root, "a/same")), (Some("second".into()), Some("2".into())));
    assert_eq!((text(&root, "b/x/deep"), text(&root, "b/y"), text(&root, "b/new")), (None, None, Some("new".into())));
    assert!(text(&root, "usr/lib/through").is_some() && text(&root, "usr/lib/z").is_some());
    assert!(root.join("proc").is_dir() && root.join("etc/hosts").is_file());
    let mode = root.join("a/two").metadata().expect("a file").permissions().mode();
    assert_eq!(mode & 0o7777, 0o755, "nobody becomes another user by it");
}

#[test]
fn nothing_of_a_hostile_image_gets_outside() {
    let place = Place::new();
    let outside = place.outside().display().to_string();
    let up = format!("../../../../../../../../..{outside}/evil");
    assert!(place.refuses(&[&[(FILE, &up, "evil")]]).contains("leads out"));
    assert!(place.refuses(&[&[(LINK, "x", &outside), (FILE, "x/evil", "evil")]]).contains("link of the same layer"));
    assert!(place.refuses(&[&[(LINK, "x", &outside), (FILE, "x/.wh.kept", "")]]).contains("link of the same layer"));
    assert!(place.refuses(&[&[(LINK, "x", &outside), (FILE, "x/.wh..wh..opq", "")]]).contains("same layer"));
    assert!(place.refuses(&[&[(FILE, "a/.wh...", "")], &[(FILE, "a/.wh...", "")]]).contains("takes away"));
    let kept = format!("{outside}/kept");
    assert!(place.refuses(&[&[(SECOND_NAME, "x", &kept)]]).contains("no file of it"));
    assert!(place.refuses(&[&[(SECOND_NAME, "x", "../../../../outside/kept")]]).contains("leads out"));
    assert!(place.refuses(&[&[(EntryType::Block, "disk", "")]]).contains("neither a file nor a link"));
    assert!(place.refuses(&[&[(EntryType::Fifo, "pipe", "")]]).contains("neither a file nor a link"));
}

/// A link of a lower layer is followed, as engines do, within the root.
#[test]
fn a_link_to_the_outside_leads_to_the_same_place_inside() {
    let place = Place::new();
    let outside = place.outside().display().to_string();
    let layers = [
        tar(&[
            (LINK, "x", &outside),
            (DIRECTORY, &format!("{outside}/"), ""),
            (FILE, &format!("{outside}/kept"), "own"),
        ]),
        tar(&[(FILE, "x/inside", "inside"), (FILE, "x/.wh.kept", ""), (LINK, "etc/hosts", "/etc/shadow")]),
    ];
    let root = place.unpack(&saved(&layers, configuration(&layers, of_this_machine()))).expect("unpacked");
    assert_eq!(text(&root, &format!("{}/inside", &outside[1..])).as_deref(), Some("inside"));
    assert_eq!(text(&root, &format!("{}/kept", &outside[1..])), None);
    assert!(root.join("etc/hosts").symlink_metadata().is_ok_and(|metadata| metadata.is_file()));
}

#[test]
fn all_forms_hold_the_same_files() {
    let layers = [tar(&[(FILE, "usr/sbin/nginx", "a program"), (LINK, "sbin", "usr/sbin")])];
    let configuration = configuration(&layers, of_this_machine());
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&layers[0]).expect("written");
    let packed = packed.finish().expect("packed");
    let blob = |bytes: &[u8]| (format!("blobs/sha256/{}", &checksum(bytes)[7..]), bytes.to_vec());
    let manifest =
        json!({"config": {"digest": checksum(configuration.as_bytes())}, "layers": [{"digest": checksum(&packed)}]});
    let manifest = manifest.to_string();
    let other = json!({"digest": checksum(b"another"), "platform": {"architecture": "another"}});
    let own = json!({"digest": checksum(manifest.as_bytes()), "platform": {"architecture": of_this_machine()}});
    let index = json!({"schemaVersion": 2, "manifests": [other, own]}).to_string();
    let oci = files(&[
        ("oci-layout".into(), b"{}".to_vec()),
        ("index.json".into(), index.into()),
        blob(&packed),
        blob(configuration.as_bytes()),
        blob(manifest.as_bytes()),
    ]);
    for image in [saved(&layers, configuration.clone()), oci, layers[0].clone()] {
        let root = Place::new().unpack(&image).map(|root| text(&root, "usr/sbin/nginx"));
        assert_eq!(root.expect("unpacked").as_deref(), Some("a program"));
    }
}

#[test]
fn an_image_is_what_its_id_says() {
    let place = Place::new();
    let layers = [tar(&[(FILE, "usr/sbin/nginx", "a program")])];
    let another = [tar(&[(FILE, "usr/sbin/nginx", "another program")])];
    let error = place.unpack(&saved(&another, configuration(&layers, of_this_machine()))).expect_err("refused");
    assert!(error.to_string().contains("not the one that its configuration names"), "{error}");
    assert!(!place.has_images());
    let error = place.unpack(&saved(&layers, configuration(&layers, "s390y"))).expect_err("refused");
    assert!(error.to_string().contains("s390y"), "{error}");
    let error = place.unpack(b"no tar").expect_err("refused");
    assert!(error.to_string().contains("no tar archive"), "{error}");
}

#[test]
fn an_image_that_engines_are_handed_takes_no_name_of_theirs() {
    let place = Place::new();
    let layers = [tar(&[(FILE, "usr/sbin/nginx", "a program")])];
    let file = place.outside().join("image.tar");
    fs::write(&file, saved(&layers, configuration(&layers, of_this_machine()))).expect("written");
    let archive = Archive::open(&file).expect("an image");
    let mut handed = Vec::new();
    archive.write_tagged(&mut handed).expect("written");
    fs::write(&file, handed).expect("written");
    let handed = Archive::open(&file).expect("still an image");
    assert_eq!((handed.id(), handed.tag()), (archive.id(), archive.tag()));
    let manifest = String::from_utf8(handed.description("manifest.json").expect("there")).expect("text");
    assert!(manifest.contains(&archive.tag()) && !manifest.contains("null"), "{manifest}");
}
