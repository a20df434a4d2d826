//! What a mirror has, for whoever asked it for something that it has not.

use std::fs;
use std::path::Path;

use super::{Distribution, Release, apt, update};
use crate::source::SourceError;
use crate::source::cache::{self, Building};
use crate::source::children::APT_HELPER;

/// The suites of Debian, the oldest first.
const SUITES: [&str; 5] = ["oldoldstable", "oldstable", "stable", "testing", "unstable"];

/// The releases of Ubuntu with their dates, where the package distro-info-data is installed.
const UBUNTU_RELEASES: &str = "/usr/share/distro-info/ubuntu.csv";

/// The releases that the mirror has, of those that are looked after, as people name them: `trixie (stable)`. They are
/// for a message, so nothing of it is verified, and what can't be read is left out.
pub(super) fn releases(
    distribution: Distribution,
    mirror: &str,
    building: &Building,
) -> Result<Vec<String>, SourceError> {
    let directory = building.subdirectory("there")?;
    apt::for_downloads(&directory)?;
    let suites = suites(distribution);
    // It fetches all, side by side, though one may not be there.
    apt::run(&directory, APT_HELPER, |helper| {
        helper.arg("download-file").arg("-qq").current_dir(&directory);
        for suite in &suites {
            helper.arg(format!("{mirror}/dists/{}/Release", suite.name())).arg(directory.join(suite.name())).arg("");
        }
    })?;
    let mut releases: Vec<String> = suites.iter().filter_map(|suite| described(suite, &directory)).collect();
    releases.dedup();
    Ok(releases)
}

fn described(suite: &Release, directory: &Path) -> Option<String> {
    let (codename, suite) = update::names(&fs::read_to_string(directory.join(suite.name())).ok()?, suite);
    Some(if codename == suite { codename } else { format!("{codename} ({suite})") })
}

/// Those that are asked for.
fn suites(distribution: Distribution) -> Vec<Release> {
    let names = match distribution {
        Distribution::Debian => SUITES.map(str::to_owned).to_vec(),
        Distribution::Ubuntu => {
            let today = i64::try_from(cache::now() / cache::DAY).unwrap_or_default();
            match supported(&fs::read_to_string(UBUNTU_RELEASES).unwrap_or_default(), today) {
                none if none.is_empty() => distribution.examples().iter().rev().map(ToString::to_string).collect(),
                supported => supported,
            }
        }
    };
    names.iter().filter_map(|name| Release::new(distribution, name).ok()).collect()
}

/// The codenames of the releases that are out and still looked after on a day, counted from 1970.
fn supported(csv: &str, today: i64) -> Vec<String> {
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let Some(columns) = lines.next() else { return Vec::new() };
    let column = |name: &str| columns.iter().position(|column| *column == name);
    let (Some(series), Some(release), Some(end)) = (column("series"), column("release"), column("eol")) else {
        return Vec::new();
    };
    let codename = |fields: Vec<&str>| {
        let (from, until) = (day(fields.get(release)?)?, day(fields.get(end)?)?);
        (from..=until).contains(&today).then(|| fields[series].to_owned())
    };
    lines.filter_map(codename).collect()
}

/// The number of a day such as `2024-04-25`, counted from 1970.
fn day(date: &str) -> Option<i64> {
    let mut numbers = date.splitn(3, '-').map(|number| number.parse::<i64>().ok());
    let (year, month, day) = (numbers.next()??, numbers.next()??, numbers.next()??);
    // A year begins in March, so that the odd day is its last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    Some(365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469)
}

/// What a message says of a mirror that lacks a release.
pub(in crate::source) fn offer(distribution: Distribution, releases: &[String]) -> String {
    if releases.is_empty() {
        let examples = distribution.examples().iter().map(|name| format!("{}:{name}", distribution.id()));
        return format!("Name one that it has, such as {}.", listed(&examples.collect::<Vec<_>>(), "or"));
    }
    format!("It has {}", among(distribution, releases))
}

/// What a message says of a release that lacks a package.
pub(in crate::source) fn offer_others(distribution: Distribution, releases: &[String]) -> String {
    if releases.is_empty() {
        return "Name another release, or another source, such as docker:IMAGE or path:FILE.".to_owned();
    }
    format!("Its mirror also has {}", among(distribution, releases))
}

fn among(distribution: Distribution, releases: &[String]) -> String {
    let best = releases.iter().rfind(|name| name.ends_with("(stable)")).or(releases.last());
    let name = best.and_then(|name| name.split(' ').next()).unwrap_or_default();
    format!("{}. Name one of them, such as {}:{name}.", listed(releases, "and"), distribution.id())
}

fn listed(words: &[String], conjunction: &str) -> String {
    match words {
        [rest @ .., last] if !rest.is_empty() => format!("{} {conjunction} {last}", rest.join(", ")),
        words => words.join(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_is_offered() {
        let there = ["bookworm (oldstable)", "trixie (stable)", "sid (unstable)"].map(str::to_owned);
        assert_eq!(
            offer(Distribution::Debian, &there),
            "It has bookworm (oldstable), trixie (stable) and sid (unstable). Name one of them, such as debian:trixie."
        );
        assert_eq!(
            offer(Distribution::Ubuntu, &["noble".to_owned()]),
            "It has noble. Name one of them, such as ubuntu:noble."
        );
        assert_eq!(
            offer_others(Distribution::Ubuntu, &["jammy".to_owned()]),
            "Its mirror also has jammy. Name one of them, such as ubuntu:jammy."
        );
        assert_eq!(offer(Distribution::Ubuntu, &[]), "Name one that it has, such as ubuntu:noble or ubuntu:jammy.");
    }

    #[test]
    fn days_are_counted() {
        assert_eq!(["1970-01-01", "1972-03-01", "2000-02-29", "2024-04-25"].map(day), [0, 790, 11016, 19838].map(Some));
        assert_eq!(day("2024-04"), None);
    }

    #[test]
    fn releases_that_are_looked_after_are_told_by_their_dates() {
        let csv = "version,codename,series,created,release,eol,eol-server\n\
                   23.10,Mantic Minotaur,mantic,2023-04-20,2023-10-12,2024-07-11\n\
                   24.04 LTS,Noble Numbat,noble,2023-10-12,2024-04-25,2029-05-31,2029-05-31\n\
                   24.10,Oracular Oriole,oracular,2024-04-25,2024-10-10,2025-07-10\n";
        assert_eq!(supported(csv, day("2024-06-01").expect("a day")), ["mantic", "noble"]);
        assert_eq!(supported(csv, day("2025-01-01").expect("a day")), ["noble", "oracular"]);
        assert_eq!(supported("", 0), Vec::<String>::new());
    }
}
