//! The programs of one side of an upgrade, as the command line names them.

use std::str::FromStr;

use crate::lab::BootOptions;
use crate::source::{Source, SourceError};

/// The programs of one side of an upgrade. One that is not named is the deployment's own, or `auto`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// Which nginx.
    pub nginx: Option<Source>,
    /// Which Prometheus.
    pub prometheus: Option<Source>,
}

/// A text that names no side.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WrongSide {
    /// A part of it is no source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A source that holds one program only.
    #[error("`{0}` can't be both programs: write nginx={0} or prometheus={0}")]
    Both(Source),
    /// A program that there is not.
    #[error("`{0}` is none of the programs: write nginx=SRC, prometheus=SRC, or both with a comma between them")]
    Program(String),
    /// The same program twice.
    #[error("{0} is named twice")]
    Twice(&'static str),
}

impl Side {
    /// The sources of nginx and of Prometheus, with those of the options where none is named.
    pub(super) fn or(&self, options: &BootOptions) -> (Source, Source) {
        let own = |named: &Option<Source>, other: &Source| named.clone().unwrap_or_else(|| other.clone());
        (own(&self.nginx, &options.nginx), own(&self.prometheus, &options.prometheus))
    }
}

impl FromStr for Side {
    type Err = WrongSide;

    /// Reads `debian:bookworm`, which is both, and `nginx=docker:nginx:1.29,prometheus=debian:trixie`.
    fn from_str(text: &str) -> Result<Self, WrongSide> {
        if !text.contains('=') {
            let source: Source = text.parse()?;
            return match source {
                Source::Packages(_) | Source::Auto => {
                    Ok(Self { nginx: Some(source.clone()), prometheus: Some(source) })
                }
                Source::Docker(_) | Source::Archive(_) | Source::Path(_) => Err(WrongSide::Both(source)),
            };
        }
        let mut side = Self::default();
        for part in text.split(',') {
            let (program, source) = part.split_once('=').ok_or_else(|| WrongSide::Program(part.to_owned()))?;
            let (place, name) = match program.trim() {
                "nginx" => (&mut side.nginx, "nginx"),
                "prometheus" => (&mut side.prometheus, "prometheus"),
                other => return Err(WrongSide::Program(other.to_owned())),
            };
            if place.replace(source.trim().parse()?).is_some() {
                return Err(WrongSide::Twice(name));
            }
        }
        Ok(side)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        text.parse::<Side>().expect_err(text).to_string()
    }

    #[test]
    fn a_release_is_both_programs() {
        let side: Side = "debian:bookworm".parse().expect("a side");
        assert_eq!(side.nginx, side.prometheus);
        let side: Side = "ubuntu:jammy".parse().expect("a side");
        assert_eq!((side.nginx, side.prometheus), ("ubuntu:jammy".parse().ok(), "ubuntu:jammy".parse().ok()));
        let side: Side = "prometheus=debian:trixie".parse().expect("a side");
        assert_eq!((side.nginx, side.prometheus), (None, "debian:trixie".parse().ok()));
        let side: Side = "nginx=docker:nginx:1.29,prometheus=path:/a".parse().expect("a side");
        assert_eq!(side.nginx, "docker:nginx:1.29".parse().ok());
    }

    #[test]
    fn what_is_no_side_says_how_to_write_one() {
        assert!(refused("docker:nginx:1.29").contains("nginx=docker:nginx:1.29"));
        assert!(refused("caddy=debian:trixie").contains("nginx=SRC"));
        assert!(refused("nginx=auto,nginx=auto").contains("twice"));
        assert!(refused("bookworm").contains("debian:RELEASE"));
    }
}
