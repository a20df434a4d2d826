//! What every root has whatever its packages bring: the directories, the names of users and hosts, and who owns what.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::source::{Recipe, SourceError};

const DIRECTORIES: [&str; 16] = [
    "dev",
    "etc",
    "proc",
    "root",
    "run",
    "sys",
    "tmp",
    "usr/bin",
    "usr/lib",
    "usr/lib64",
    "usr/sbin",
    "var/cache",
    "var/lib",
    "var/log",
    "var/tmp",
    "usr/share",
];

/// The merged /usr: one layout for all releases.
const LINKS: [(&str, &str); 6] = [
    ("bin", "usr/bin"),
    ("lib", "usr/lib"),
    ("lib64", "usr/lib64"),
    ("sbin", "usr/sbin"),
    ("var/lock", "/run"),
    ("var/run", "/run"),
];

/// What maintainer scripts would have made: `user` directives and `localhost` need them.
const FILES: [(&str, &str); 5] = [
    (
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\n\
         www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n\
         nginx:x:101:101:nginx:/nonexistent:/usr/sbin/nologin\n\
         nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    ),
    ("etc/group", "root:x:0:\nwww-data:x:33:\nusers:x:100:\nnginx:x:101:\nnogroup:x:65534:\nnobody:x:65534:\n"),
    ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
    ("etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"),
    ("etc/resolv.conf", ""),
];

/// Makes an empty root.
pub(super) fn skeleton(root: &Path, recipe: Recipe) -> Result<(), SourceError> {
    for directory in DIRECTORIES.iter().chain(recipe.directories()) {
        let directory = root.join(directory);
        fs::create_dir_all(&directory).map_err(SourceError::io("create", &directory))?;
    }
    for (link, target) in LINKS.iter().chain(recipe.links()) {
        let link = root.join(link);
        symlink(target, &link).map_err(SourceError::io("create", &link))?;
    }
    FILES.iter().try_for_each(|(name, text)| write(&root.join(name), text))
}

/// Writes what the packages did not bring.
pub(super) fn defaults(root: &Path, recipe: Recipe) -> Result<(), SourceError> {
    recipe
        .defaults()
        .iter()
        .map(|(name, text)| (root.join(name), text))
        .filter(|(file, _)| !file.exists())
        .try_for_each(|(file, text)| write(&file, text))
}

/// Gives every file and directory the permissions that it has in an image, whatever the user's umask is.
pub(super) fn permissions(root: &Path, path: &Path) -> Result<(), SourceError> {
    let failed = || SourceError::io("set the permissions of", path);
    let metadata = path.symlink_metadata().map_err(failed())?;
    if metadata.is_symlink() {
        return Ok(());
    }
    let inside = path.strip_prefix(root).unwrap_or(path);
    let wanted = mode(inside, &metadata);
    if metadata.permissions().mode() & 0o7777 != wanted {
        fs::set_permissions(path, fs::Permissions::from_mode(wanted)).map_err(failed())?;
    }
    if metadata.is_dir() {
        for entry in fs::read_dir(path).map_err(failed())? {
            permissions(root, &entry.map_err(failed())?.path())?;
        }
    }
    Ok(())
}

/// The permissions of a file of a root. Which programs are set-user-id does not matter: none has to be.
pub(in crate::source) fn mode(path: &Path, metadata: &fs::Metadata) -> u32 {
    match path.to_str() {
        Some("tmp" | "var/tmp") => 0o1777,
        _ if metadata.is_dir() || metadata.permissions().mode() & 0o111 != 0 => 0o755,
        _ => 0o644,
    }
}

/// Whom a file of a root belongs to in an image. In the cache all belongs to the user who built it.
pub(in crate::source) fn owner(path: &Path) -> u64 {
    match path {
        _ if path == Path::new("prometheus") => 65534,
        _ if path.parent() == Some(Path::new("var/lib/nginx")) => 33,
        _ => 0,
    }
}

fn write(file: &Path, text: &str) -> Result<(), SourceError> {
    fs::write(file, text).map_err(SourceError::io("write", file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_write_to_is_theirs() {
        assert_eq!(owner(Path::new("prometheus")), 65534);
        assert_eq!(owner(Path::new("var/lib/nginx/body")), 33);
        assert_eq!(owner(Path::new("usr/bin/prometheus")), 0);
    }

    #[test]
    fn every_user_has_a_group() {
        let (passwd, group) = (FILES[0].1, FILES[1].1);
        for user in passwd.lines() {
            let id = user.split(':').nth(3).expect("a group");
            assert!(group.lines().any(|line| line.split(':').nth(2) == Some(id)), "{user}");
        }
    }
}
