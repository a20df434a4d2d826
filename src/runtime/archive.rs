//! All files of a program as one archive, in memory: no private key touches the host's disk.

use std::io;

use tar::{Builder, EntryType, Header};

use crate::world::{PodContent, PodFile};

/// Directories that every image has, some as links: the engine would put a directory in place of the link.
const THERE: [&str; 16] = [
    "", "bin", "dev", "etc", "home", "lib", "lib64", "opt", "proc", "run", "sbin", "tmp", "usr", "var", "var/lock",
    "var/run",
];

/// The archive of these files, changed at a time in seconds, for extraction at `/`. All of them belong to root. Parents are not in it: the engine makes
/// those that are missing, 0755, and goes through links where the image has some, such as `/var/run`.
pub(super) fn archive(files: &[PodFile], changed: u64) -> io::Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    for file in files {
        let path = file.path.trim_matches('/');
        let mut header = Header::new_gnu();
        header.set_mode(file.mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(changed);
        header.set_size(0);
        match &file.content {
            PodContent::File(content) => {
                header.set_entry_type(EntryType::Regular);
                header.set_size(u64::try_from(content.len()).map_err(io::Error::other)?);
                builder.append_data(&mut header, path, content.as_slice())?;
            }
            PodContent::Directory if THERE.contains(&path) => {}
            PodContent::Directory => {
                header.set_entry_type(EntryType::Directory);
                builder.append_data(&mut header, format!("{path}/"), io::empty())?;
            }
            PodContent::Link(target) => {
                header.set_entry_type(EntryType::Symlink);
                builder.append_link(&mut header, path, target)?;
            }
        }
    }
    builder.into_inner()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn files_directories_and_links_are_roots() {
        let long = format!("/etc/{}/key.pem", "x".repeat(120));
        let files = [
            PodFile::file(&long, "key", 0o600),
            PodFile::directory("/var/run", 0o755),
            PodFile::directory("/run/php", 0o750),
            PodFile::link("/etc/nginx/sites-enabled/a", "../sites-available/a"),
        ];
        let archive = archive(&files, 0).expect("an archive");
        let mut read = tar::Archive::new(archive.as_slice());
        let mut found = Vec::new();
        for entry in read.entries().expect("entries") {
            let mut entry = entry.expect("an entry");
            let (path, header) = (entry.path().expect("a path").display().to_string(), entry.header().clone());
            assert_eq!((header.uid().expect("a user"), header.gid().expect("a group")), (0, 0));
            let link = entry.link_name().expect("a target").map(|link| link.display().to_string()).unwrap_or_default();
            let mut content = String::new();
            entry.read_to_string(&mut content).expect("readable");
            found.push((path, header.mode().expect("a mode"), link, content));
        }
        let text = str::to_owned;
        let expected = [
            (long.trim_start_matches('/').to_owned(), 0o600, String::new(), text("key")),
            (text("run/php/"), 0o750, String::new(), String::new()),
            (text("etc/nginx/sites-enabled/a"), 0o777, text("../sites-available/a"), String::new()),
        ];
        assert_eq!(found, expected);
    }
}
