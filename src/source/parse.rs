//! How a Source is written: `docker:IMAGE`, `docker:FILE.tar`, `debian:RELEASE`, `ubuntu:RELEASE`, `path:FILE`, `auto`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::{Distribution, Release, Source, SourceError};

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let malformed = |reason| SourceError::Malformed { text: text.to_owned(), reason };
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let Some((kind, rest)) = text.split_once(':') else {
            return Err(malformed("it has none of the forms"));
        };
        if let Some(distribution) = Distribution::named(kind) {
            return Release::new(distribution, rest).map(Self::Packages).map_err(malformed);
        }
        match kind {
            "docker" if is_file(rest) => Ok(Self::Archive(PathBuf::from(rest))),
            "docker" => image_reference(rest).map(Self::Docker).map_err(malformed),
            "path" if rest.is_empty() => Err(malformed("there is no file after `path:`")),
            "path" => Ok(Self::Path(PathBuf::from(rest))),
            _ => Err(malformed("it has none of the forms")),
        }
    }
}

/// Whether an image is named by a file that holds it: no reference begins so, and none that is in use ends so.
fn is_file(text: &str) -> bool {
    ["/", "./", "../"].iter().any(|beginning| text.starts_with(beginning)) || text.ends_with(".tar")
}

/// Only what can be seen to be no reference; the engine knows the rest.
fn image_reference(text: &str) -> Result<String, &'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:@+".contains(c);
    match text {
        "" => Err("there is no image after `docker:`"),
        _ if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) || !text.chars().all(allowed) => {
            Err("an image reference has letters, digits and . _ - / : @ only")
        }
        _ => Ok(text.to_owned()),
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Docker(reference) => write!(f, "docker:{reference}"),
            Self::Packages(release) => release.fmt(f),
            Self::Archive(file) => write!(f, "docker:{}", file.display()),
            Self::Path(file) => write!(f, "path:{}", file.display()),
            Self::Auto => f.write_str("auto"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_back() {
        for text in [
            "docker:nginx:1.29",
            "docker:prom/prometheus:v3.5.0",
            "debian:trixie",
            "ubuntu:noble",
            "path:/usr/sbin/nginx",
            "auto",
        ] {
            assert_eq!(text.parse::<Source>().expect(text).to_string(), text);
        }
        for text in ["docker:nginx.tar", "docker:/images/nginx", "docker:./nginx.tar"] {
            let source = text.parse::<Source>().expect(text);
            assert!(matches!(source, Source::Archive(_)), "{text}");
            assert_eq!(source.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_source_names_the_forms() {
        for text in [
            "",
            "nginx",
            "docker:",
            "docker:-x",
            "docker:a b",
            "debian:",
            "debian:Trixie",
            "debian:../x",
            "path:",
            "ubuntu:24.04",
            "ubuntu:",
            "fedora:42",
        ] {
            let error = text.parse::<Source>().expect_err(text);
            assert_eq!(error.exit_code(), 2, "{text}");
            assert!(["debian:trixie", "ubuntu:noble"].iter().all(|form| error.to_string().contains(form)), "{error}");
        }
    }
}
