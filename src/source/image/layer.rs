//! A root's files as the one layer of its image: sorted, undated, and owned as an image's are.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tar::{Builder, EntryType, Header};

use crate::source::root::{mode, owner};

/// Writes all that is below `root`.
pub(super) fn write(root: &Path, out: impl Write) -> io::Result<()> {
    let mut builder = Builder::new(out);
    directory(&mut builder, root, Path::new(""))?;
    builder.into_inner()?.flush()
}

fn directory(builder: &mut Builder<impl Write>, root: &Path, inside: &Path) -> io::Result<()> {
    let mut names =
        fs::read_dir(root.join(inside))?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    names.sort();
    for name in names {
        entry(builder, root, &inside.join(name))?;
    }
    Ok(())
}

fn entry(builder: &mut Builder<impl Write>, root: &Path, inside: &Path) -> io::Result<()> {
    let path = root.join(inside);
    let metadata = path.symlink_metadata()?;
    let mut header = Header::new_gnu();
    header.set_mtime(0);
    header.set_uid(owner(inside));
    header.set_gid(owner(inside));
    header.set_size(0);
    if metadata.is_symlink() {
        header.set_entry_type(EntryType::Symlink);
        header.set_mode(0o777);
        return builder.append_link(&mut header, inside, fs::read_link(path)?);
    }
    header.set_mode(mode(inside, &metadata));
    if metadata.is_dir() {
        header.set_entry_type(EntryType::Directory);
        builder.append_data(&mut header, inside, io::empty())?;
        return directory(builder, root, inside);
    }
    header.set_entry_type(EntryType::Regular);
    header.set_size(metadata.len());
    builder.append_data(&mut header, inside, File::open(path)?)
}
