//! What `auto` stands for.

use std::env;
use std::path::{Path, PathBuf};

use super::{Program, Release, Source};

/// The Sources that `auto` tries, in order: the official image, the current Debian stable, on Ubuntu the packages of
/// the machine's own release, the host's own binary if there is one.
pub fn auto_candidates(program: Program) -> Vec<Source> {
    let image = match program {
        Program::Nginx => "nginx:latest",
        Program::Prometheus => "prom/prometheus:latest",
    };
    let mut candidates = vec![Source::Docker(image.to_owned())];
    candidates.extend(Release::usual().into_iter().map(Source::Packages));
    let path = env::var_os("PATH").unwrap_or_default();
    candidates.extend(find_program(program.name(), env::split_paths(&path)).map(Source::Path));
    candidates
}

/// Looks in the given directories, then in those of the administrator's programs, which a user's PATH often lacks.
pub(super) fn find_program(name: &str, directories: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    directories
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|file| is_executable(file))
}

/// Whether anybody may execute it.
pub(super) fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_official_image_comes_first_then_debian_stable() {
        let candidates: Vec<String> = auto_candidates(Program::Prometheus).iter().map(ToString::to_string).collect();
        assert_eq!(candidates[..2], ["docker:prom/prometheus:latest", "debian:stable"]);
    }
}
