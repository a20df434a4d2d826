//! A recorded observation in a file: versioned, and written so that a person can review it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::observation::Observation;

/// Why a file is no baseline.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// It can't be read.
    #[error("the baseline {path} can't be read: {error}; `proxyproof record PATH -o {path}` writes one")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is of another format, or of another version of this one.
    #[error(
        "the baseline {path} is of the schema {found:?}, and this proxyproof reads {}; record it again with this version",
        Observation::SCHEMA
    )]
    OtherSchema {
        /// The file.
        path: PathBuf,
        /// What it says that it is.
        found: String,
    },
    /// It says that it is one, and is not.
    #[error("the baseline {path} is not what its schema says: {error}; record it again")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and how.
        error: serde_json::Error,
    },
}

#[derive(Deserialize)]
struct Schema {
    #[serde(default)]
    schema: String,
}

impl Observation {
    /// Reads a baseline.
    ///
    /// # Errors
    ///
    /// If the file can't be read, or is of another schema.
    pub fn read(path: &Path) -> Result<Self, BaselineError> {
        let unreadable = |error| BaselineError::Unreadable { path: path.to_owned(), error };
        let malformed = |error| BaselineError::Malformed { path: path.to_owned(), error };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let Schema { schema } = serde_json::from_str(&text).map_err(malformed)?;
        if schema != Self::SCHEMA {
            return Err(BaselineError::OtherSchema { path: path.to_owned(), found: schema });
        }
        serde_json::from_str(&text).map_err(malformed)
    }

    /// Writes it as a baseline: indented JSON that ends with a newline.
    ///
    /// # Errors
    ///
    /// If `out` can't be written to.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)
    }
}
