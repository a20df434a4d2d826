//! Downloads packages, each against the checksum that apt verified.

use std::path::PathBuf;

use super::plan::Package;
use super::{Release, apt};
use crate::source::SourceError;
use crate::source::cache::Building;
use crate::source::children::APT_HELPER;

/// Downloads `packages` and says where they are.
pub(super) fn fetch(
    release: &Release,
    packages: &[&Package],
    building: &Building,
) -> Result<Vec<PathBuf>, SourceError> {
    let directory = building.subdirectory("packages")?;
    apt::for_downloads(&directory)?;
    let place = |package: &&Package| directory.join(format!("{}.deb", package.name));
    let output = apt::run(&directory, APT_HELPER, |helper| {
        helper.arg("download-file").arg("-qq").current_dir(&directory);
        for package in packages {
            helper.arg(&package.url).arg(place(package)).arg(format!("SHA256:{}", package.sha256));
        }
    })?;
    if output.status.success() {
        return Ok(packages.iter().map(place).collect());
    }
    match String::from_utf8_lossy(&output.stderr) {
        text if apt::is_disk_full(&text) => Err(SourceError::disk_full(&directory)),
        _ => Err(SourceError::Download { release: release.clone(), detail: apt::complaint(&output) }),
    }
}
