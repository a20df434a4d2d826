//! What a janitor is told: records in a pipe whose other end closes with the harness.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::run::RunId;

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
    /// As it is written of a run: in one piece, so that a harness that is killed has told it or has not.
    pub(super) fn record(self, run: &RunId) -> Vec<u8> {
        let (word, rest) = match self {
            Self::Directory(path) => ("directory", path.as_os_str().as_bytes()),
            Self::Asked(name) => ("asked", name.as_bytes()),
            Self::Answered(name) => ("answered", name.as_bytes()),
            Self::Done => ("done", &b""[..]),
        };
        [run.to_string().as_bytes(), b" ", word.as_bytes(), b" ", rest, &[END]].concat()
    }
}

/// All that a janitor was told of the runs that have not ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ledgers {
    runs: BTreeMap<RunId, Ledger>,
    /// A record that has not come whole.
    begun: Vec<u8>,
}

impl Ledgers {
    /// Reads on. A record without its end may have been cut short, and then what it speaks of was never begun.
    pub(super) fn read(&mut self, told: &[u8]) {
        self.begun.extend(told);
        let whole = self.begun.iter().rposition(|byte| *byte == END).map_or(0, |end| end + 1);
        let records: Vec<u8> = self.begun.drain(..whole).collect();
        for record in records.split(|byte| *byte == END) {
            let (run, entry) = halves(record);
            let run = RunId::from_label(&String::from_utf8_lossy(run));
            let (word, rest) = halves(entry);
            match word {
                b"" => {}
                b"done" => drop(self.runs.remove(&run)),
                word => self.runs.entry(run).or_default().enter(word, rest),
            }
        }
    }

    /// The runs that have not ended, with what has to go.
    pub(super) fn into_runs(self) -> impl Iterator<Item = (RunId, Ledger)> {
        self.runs.into_iter()
    }
}

/// All that a janitor was told of one run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ledger {
    /// The directories that have to go.
    pub(super) directories: Vec<PathBuf>,
    /// Whether the engine was asked for anything.
    pub(super) engine: bool,
    /// The names of what the engine was asked for and had not answered: it may still be about to create them.
    pub(super) awaited: BTreeSet<String>,
}

impl Ledger {
    fn enter(&mut self, word: &[u8], rest: &[u8]) {
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
            _ => {}
        }
    }
}

/// What is before and what is behind the first space.
fn halves(record: &[u8]) -> (&[u8], &[u8]) {
    let space = record.iter().position(|byte| *byte == b' ').unwrap_or(record.len());
    let (word, rest) = record.split_at(space);
    (word, rest.get(1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str) -> RunId {
        RunId::from_label(name)
    }

    fn told(entries: &[Entry<'_>]) -> Vec<u8> {
        entries.iter().flat_map(|entry| entry.record(&run("1-a"))).collect()
    }

    fn read(told: &[u8]) -> Vec<(RunId, Ledger)> {
        let mut ledgers = Ledgers::default();
        // However it is cut into pieces.
        told.chunks(3).for_each(|piece| ledgers.read(piece));
        ledgers.into_runs().collect()
    }

    #[test]
    fn a_path_is_kept_to_the_byte() {
        let path = Path::new(OsStr::from_bytes(b"/a b\n\xff/proxyproof-1"));
        let [(id, ledger)] = &read(&told(&[Entry::Directory(path)]))[..] else { panic!("one run") };
        assert_eq!((id, &ledger.directories[..]), (&run("1-a"), &[path.to_owned()][..]));
        assert!(!ledger.engine);
    }

    #[test]
    fn what_was_asked_for_and_not_answered_is_awaited() {
        let told = told(&[Entry::Asked("one"), Entry::Asked("two"), Entry::Answered("one")]);
        let [(_, ledger)] = &read(&told)[..] else { panic!("one run") };
        assert!(ledger.engine);
        assert_eq!(ledger.awaited, BTreeSet::from(["two".to_owned()]));
    }

    #[test]
    fn a_record_that_was_cut_short_names_no_directory() {
        let whole = told(&[Entry::Asked("one"), Entry::Directory(Path::new("/tmp/proxyproof-1"))]);
        let [(_, ledger)] = &read(&whole[..whole.len() - "proxyproof-1".len()])[..] else { panic!("one run") };
        assert!(ledger.engine && ledger.directories.is_empty());
    }

    #[test]
    fn a_run_that_has_ended_is_forgotten_and_the_others_are_not() {
        let mut told = told(&[Entry::Directory(Path::new("/tmp/proxyproof-1"))]);
        told.extend(Entry::Asked("one").record(&run("1-b")));
        told.extend(Entry::Done.record(&run("1-a")));
        let [(id, ledger)] = &read(&told)[..] else { panic!("one run") };
        assert!(*id == run("1-b") && ledger.engine);
    }
}
