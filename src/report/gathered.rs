//! The reports of many deployments, kept on disk while they come in: a run over thousands holds none of them in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use super::{Broken, DeploymentReport, Paths, Programs, Report, Shard, Verdict};

/// What was found about many deployments, in the order of their places and not in that in which they ended.
#[derive(Debug)]
pub struct Gathered {
    /// Without a name in any directory, so that nothing is left of it.
    file: File,
    end: u64,
    /// Where in the file the entries of a place are.
    entries: BTreeMap<usize, Vec<Range<u64>>>,
    broken: BTreeMap<usize, Broken>,
    summary: Summary,
}

/// All but the deployments themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// A pass if every path was checked and none failed.
    pub verdict: Verdict,
    /// What booted the first of them.
    pub runtime: Option<&'static str>,
    /// What ran in the first of them.
    pub programs: Option<Programs>,
    /// Which part of a run it is.
    pub shard: Option<Shard>,
    /// What became of the paths.
    pub paths: Paths,
    /// How many paths have an entry that failed.
    pub failed: usize,
    /// Where the first of them is, for `runtime` and `programs`.
    first: usize,
}

impl Gathered {
    /// Nothing yet of so many paths, which may be a part of a run.
    ///
    /// # Errors
    ///
    /// If the temporary directory takes no file.
    pub fn of(given: usize, shard: Option<Shard>) -> io::Result<Self> {
        let summary = Summary {
            verdict: if given == 0 { Verdict::Pass } else { Verdict::Fail },
            runtime: None,
            programs: None,
            shard,
            paths: Paths { given, ..Paths::default() },
            failed: 0,
            first: usize::MAX,
        };
        Ok(Self { file: tempfile::tempfile()?, end: 0, entries: BTreeMap::new(), broken: BTreeMap::new(), summary })
    }

    /// Adds what was found at the path of a place.
    ///
    /// # Errors
    ///
    /// If the disk is full.
    pub fn add(&mut self, place: usize, report: &Report) -> io::Result<()> {
        self.add_entries(place, &report.deployments)
    }

    pub(super) fn add_entries(&mut self, place: usize, entries: &[DeploymentReport]) -> io::Result<()> {
        for entry in entries {
            let written = serde_json::to_vec(entry)?;
            self.file.write_all_at(&written, self.end)?;
            let begin = self.end;
            self.end += written.len() as u64;
            self.entries.entry(place).or_default().push(begin..self.end);
        }
        let summary = &mut self.summary;
        summary.paths.checked += 1;
        summary.failed += usize::from(entries.iter().any(|entry| entry.verdict == Verdict::Fail));
        if let Some(entry) = entries.first().filter(|_| place < summary.first) {
            summary.first = place;
            (summary.runtime, summary.programs) = (Some(entry.runtime), Some(entry.programs.clone()));
        }
        self.judge();
        Ok(())
    }

    /// Adds that the path of a place could not be checked.
    pub fn add_broken(&mut self, place: usize, broken: Broken) {
        self.summary.paths.broken += 1;
        self.broken.insert(place, broken);
        self.judge();
    }

    fn judge(&mut self) {
        let Summary { paths, failed, .. } = self.summary;
        let sound = failed == 0 && paths.checked == paths.given;
        self.summary.verdict = if sound { Verdict::Pass } else { Verdict::Fail };
    }

    /// All but the deployments themselves.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The paths that could not be checked, in their order.
    pub fn broken(&self) -> impl Iterator<Item = &Broken> {
        self.broken.values()
    }

    /// The entries one by one, in their order.
    pub fn deployments(&self) -> impl Iterator<Item = io::Result<DeploymentReport>> {
        self.entries.values().flatten().map(|piece| {
            let length = usize::try_from(piece.end - piece.start).map_err(io::Error::other)?;
            let mut written = vec![0; length];
            self.file.read_exact_at(&mut written, piece.start)?;
            Ok(serde_json::from_slice(&written)?)
        })
    }

    /// The exit code of a run: what could not be checked weighs more than what was found.
    pub fn exit_code(&self) -> u8 {
        let broken = self.broken.values().map(|broken| broken.exit_code).max();
        broken.unwrap_or(u8::from(self.summary.verdict == Verdict::Fail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn entries_come_back_in_the_order_of_their_places() {
        let mut gathered = Gathered::of(3, None).unwrap();
        for place in [2, 0] {
            let mut report = sample::report(vec![]);
            report.deployments[0].path = format!("{place}.conf");
            gathered.add(place, &report).unwrap();
        }
        let paths =
            |gathered: &Gathered| -> Vec<String> { gathered.deployments().map(|entry| entry.unwrap().path).collect() };
        assert_eq!(paths(&gathered), ["0.conf", "2.conf"]);
        assert_eq!((gathered.summary().verdict, gathered.exit_code()), (Verdict::Fail, 1), "one is not checked yet");
        gathered.add(1, &sample::report(vec![])).unwrap();
        assert_eq!(paths(&gathered), ["0.conf", "nginx.conf", "2.conf"]);
        assert_eq!((gathered.summary().verdict, gathered.exit_code()), (Verdict::Pass, 0));
    }

    #[test]
    fn what_could_not_be_checked_weighs_more_than_what_was_found() {
        let mut gathered = Gathered::of(3, None).unwrap();
        gathered.add(0, &sample::report(vec![sample::finding()])).unwrap();
        assert_eq!((gathered.summary().failed, gathered.exit_code()), (1, 1));
        let broken = |exit_code| Broken { path: "a".to_owned(), exit_code, message: "b".to_owned() };
        gathered.add_broken(1, broken(2));
        assert_eq!(gathered.exit_code(), 2);
        gathered.add_broken(2, broken(3));
        assert_eq!(gathered.exit_code(), 3);
    }
}
