//! Reading a file of the user's: never a device, never without a bound.

use std::fs::{File, FileType, Metadata};
use std::io::{self, Read};
use std::path::Path;

use super::DeploymentError;
use crate::location::Location;

/// The size of the largest file.
pub(super) const MAX_MIB: u64 = 10;
pub(super) const MAX_BYTES: u64 = MAX_MIB * 1024 * 1024;

/// The size of a whole configuration.
pub(super) const MAX_CONFIG_MIB: u64 = 2;
pub(super) const MAX_CONFIG_BYTES: u64 = MAX_CONFIG_MIB * 1024 * 1024;

/// The text of a file, which is UTF-8 and has no NUL in it.
pub(super) fn text(path: &Path) -> Result<String, DeploymentError> {
    let bytes = bytes(path)?;
    let binary = |offset: usize, byte: u8| DeploymentError::Binary { path: path.to_owned(), offset, byte };
    if let Some(offset) = bytes.iter().position(|&byte| byte == 0) {
        return Err(binary(offset, 0));
    }
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        binary(offset, error.as_bytes().get(offset).copied().unwrap_or_default())
    })
}

/// The text of a file of the configuration.
pub(super) fn config(path: &Path) -> Result<String, DeploymentError> {
    let text = text(path)?;
    match text.len() as u64 > MAX_CONFIG_BYTES {
        true => Err(DeploymentError::TooMuch { location: Location::new(path.to_string_lossy(), 1, 1) }),
        false => Ok(text),
    }
}

/// The content of a regular file, after a look at what it is and how large.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, DeploymentError> {
    let failed = |cause| unreadable(path, cause);
    check_kind(path, &path.metadata().map_err(failed)?)?;
    let mut bytes = Vec::new();
    // What /proc shows has length 0 and content all the same, so the reading is bounded too.
    File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(DeploymentError::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}

fn check_kind(path: &Path, metadata: &Metadata) -> Result<(), DeploymentError> {
    let path = path.to_owned();
    if !metadata.is_file() {
        return Err(DeploymentError::NotAFile { path, kind: kind(metadata.file_type()) });
    }
    if metadata.len() > MAX_BYTES {
        return Err(DeploymentError::TooLarge { path });
    }
    Ok(())
}

fn kind(file_type: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match file_type {
        t if t.is_dir() => "a directory",
        t if t.is_fifo() => "a pipe",
        t if t.is_socket() => "a socket",
        _ => "a device",
    }
}

pub(super) fn unreadable(path: &Path, cause: io::Error) -> DeploymentError {
    let path = path.to_owned();
    match cause.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => DeploymentError::NotFound { path },
        _ => DeploymentError::Unreadable { path, cause },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(content: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file
    }

    #[test]
    fn binary_is_refused_with_the_offset() {
        for (content, expected) in [(&b"ab\0cd"[..], (2, 0)), (b"# caf\xe9\n", (5, 0xe9))] {
            match text(written(content).path()) {
                Err(DeploymentError::Binary { offset, byte, .. }) => {
                    assert_eq!((offset, byte), expected)
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn size_is_checked_before_reading() {
        let file = written(b"");
        // A sparse file: reading it would take memory and time, looking at it does not.
        file.as_file().set_len(50 * 1024 * 1024 * 1024).unwrap();
        assert!(matches!(bytes(file.path()), Err(DeploymentError::TooLarge { .. })));
    }

    #[test]
    fn devices_and_directories_are_not_read() {
        for (path, expected) in [("/dev/zero", "a device"), ("/", "a directory")] {
            match bytes(Path::new(path)) {
                Err(DeploymentError::NotAFile { kind, .. }) => assert_eq!(kind, expected),
                other => panic!("{other:?}"),
            }
        }
    }
}
