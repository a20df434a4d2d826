//! What a janitor is told: records in a pipe whose other end closes with the harness.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Ends a record. No path and no name has it inside.
const END: u8 = 0;

/// One thing that a janitor is told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry<'a> {
    /// A directory is about to be created.
    Directory(&'a Path),
    /// The engine is about to be asked for a thing of this name.
    Asked(&'a str),
    /// It has answered: the thing is there, or it never will be.
    Answered(&'a str),
    /// The run has taken everything away itself.
    Done,
}

impl Entry<'_> {
    /// As it is written: in one piece, so that a harness that is killed has told it or has not.
    pub(super) fn record(self) -> Vec<u8> {
        let (word, rest) = match self {
            Self::Directory(path) => ("directory", path.as_os_str().as_bytes()),
            Self::Asked(name) => ("asked", name.as_bytes()),
            Self::Answered(name) => ("answered", name.as_bytes()),
            Self::Done => ("done", &b""[..]),
        };
        [word.as_bytes(), b" ", rest, &[END]].concat()
    }
}

/// All that a janitor was told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ledger {
    /// The directories that have to go.
    pub(super) directories: Vec<PathBuf>,
    /// Whether the engine was asked for anything.
    pub(super) engine: bool,
    /// The names of what the engine was asked for and had not answered: it may still be about to create them.
    pub(super) awaited: BTreeSet<String>,
    /// Whether there is nothing to take away.
    pub(super) done: bool,
}

impl Ledger {
    /// Reads the records. One without its end was cut short, and what it speaks of was never begun.
    pub(super) fn read(told: &[u8]) -> Self {
        let mut ledger = Self::default();
        for record in told.split_inclusive(|byte| *byte == END) {
            if let Some((&END, record)) = record.split_last() {
                ledger.enter(record);
            }
        }
        ledger
    }

    fn enter(&mut self, record: &[u8]) {
        let space = record.iter().position(|byte| *byte == b' ').unwrap_or(record.len());
        let (word, rest) = record.split_at(space);
        let rest = rest.get(1..).unwrap_or_default();
        let name = || String::from_utf8_lossy(rest).into_owned();
        match word {
            b"directory" => self.directories.push(OsStr::from_bytes(rest).into()),
            b"asked" => {
                self.engine = true;
                self.awaited.insert(name());
            }
            b"answered" => {
                self.awaited.remove(&name());
            }
            b"done" => self.done = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(entries: &[Entry<'_>]) -> Vec<u8> {
        entries.iter().flat_map(|entry| entry.record()).collect()
    }

    #[test]
    fn a_path_is_kept_to_the_byte() {
        let path = Path::new(OsStr::from_bytes(b"/a b\n\xff/proxyproof-1"));
        let ledger = Ledger::read(&told(&[Entry::Directory(path), Entry::Done]));
        assert_eq!(ledger.directories, [path]);
        assert!(ledger.done && !ledger.engine);
    }

    #[test]
    fn what_was_asked_for_and_not_answered_is_awaited() {
        let ledger = Ledger::read(&told(&[Entry::Asked("one"), Entry::Asked("two"), Entry::Answered("one")]));
        assert!(ledger.engine);
        assert_eq!(ledger.awaited, BTreeSet::from(["two".to_owned()]));
    }

    #[test]
    fn a_record_that_was_cut_short_names_no_directory() {
        let whole = told(&[Entry::Asked("one"), Entry::Directory(Path::new("/tmp/proxyproof-1"))]);
        let ledger = Ledger::read(&whole[..whole.len() - "proxyproof-1".len()]);
        assert!(ledger.engine && ledger.directories.is_empty());
    }
}
