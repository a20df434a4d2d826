//! The files of a container image, unpacked once into the cache: for a runtime that has no engine to run it.
//!
//! The layers come from an engine's `save` or from a file that the user has (see [`Archive`] for the forms). What is in
//! them is a stranger's: nothing is written outside of the root, and what no tool writes is refused. A root is kept under
//! the image's id, which is the checksum of the image's configuration, and that holds the checksums of its layers.

mod archive;
#[cfg(target_os = "linux")]
mod complete;
mod form;
#[cfg(target_os = "linux")]
mod inside;
#[cfg(target_os = "linux")]
mod layer;
mod reload;
#[cfg(target_os = "linux")]
mod unpacked;
mod watched;

use std::io;
use std::path::Path;

pub use archive::Archive;
#[cfg(target_os = "linux")]
pub use unpacked::Layers;

use super::SourceError;

/// Why an image is not unpacked.
#[derive(Debug)]
enum Refused {
    /// It is not what an image has to be.
    Bad(String),
    /// This machine could not do it.
    Io(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<rustix::io::Errno> for Refused {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Io(error.into())
    }
}

impl Refused {
    /// As the user hears it, for `image`, of which something was being done with `path`.
    fn of<'a>(image: &'a str, action: &'static str, path: &'a Path) -> impl FnOnce(Self) -> SourceError + 'a {
        move |refused| match refused {
            Self::Bad(reason) => SourceError::BadImage { image: image.to_owned(), reason },
            Self::Io(error) => SourceError::io(action, path)(error),
        }
    }
}

fn bad(reason: impl Into<String>) -> Refused {
    Refused::Bad(reason.into())
}

fn unreadable(error: io::Error) -> Refused {
    bad(format!("it can't be read to its end: {error}"))
}

/// The digits of an id such as `sha256:…`, which are a name for a file too.
pub(super) fn hex_of(id: &str) -> String {
    let digits = id.rsplit(':').next().unwrap_or(id);
    digits.chars().filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
