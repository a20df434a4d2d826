//! What a program's root has whatever its image brings: places for the kernel's directories and for the Pod's names.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::inside::{Inside, remove};
use super::{Refused, bad};

const DIRECTORIES: [&str; 8] = ["dev", "etc", "proc", "root", "run", "sys", "tmp", "var/tmp"];
/// Files over which the Pod's own are mounted.
const NAMES: [&str; 2] = ["hosts", "resolv.conf"];

pub(super) fn complete(root: &Inside) -> Result<(), Refused> {
    for path in DIRECTORIES {
        let made = root.make_directory(Path::new(path));
        let directory = made.map_err(|error| bad(format!("/{path} is not a directory in it: {error}")))?;
        if path.ends_with("tmp") {
            fs::set_permissions(directory.path(), Permissions::from_mode(0o1777))?;
        }
    }
    let etc = root.make_directory(Path::new("etc"))?;
    for name in NAMES {
        let place = etc.at(name);
        // A link would lead the mount elsewhere.
        if !place.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
            remove(&place)?;
            File::create_new(&place)?;
        }
    }
    Ok(())
}
