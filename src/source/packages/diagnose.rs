//! Whether packages can be had here, for `proxyproof doctor`.

use super::{Cache, Distribution, SourceError, apt, mirror};
use crate::source::children::{APT_CONFIG, APT_GET, DPKG_DEB};

/// Says where packages come from here, or what is missing. It asks nobody outside of this machine.
pub fn diagnose(distribution: Distribution, cache: &Cache) -> Result<String, SourceError> {
    for tool in [APT_GET, APT_CONFIG, DPKG_DEB] {
        tool.command()?;
    }
    mirror::find(cache, distribution)?;
    apt::keyring(cache, distribution)?;
    Ok(format!("packages by apt, kept in {}", cache.directory().display()))
}
