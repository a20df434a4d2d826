//! What many Pods use together: one Prometheus for all that need the same.
//!
//! Prometheus is most of the time that a boot takes, and one that is started with the same root, command line and files
//! answers every deployment alike. So it runs in a Pod of its own; a deployment's Pod has a socket that listens where its
//! own Prometheus would, and the harness passes bytes on between the two. Nothing else of one Pod is reached from another.

mod shelf;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
#[cfg(target_os = "linux")]
use std::sync::Arc;

#[cfg(target_os = "linux")]
use super::ProgramPlan;
#[cfg(target_os = "linux")]
use super::error::RuntimeError;
#[cfg(target_os = "linux")]
use super::sandbox::Common;
#[cfg(target_os = "linux")]
use shelf::{Lease, Shelf};

/// Programs that Labs have in common, for a process that boots many: every Lab that is booted with the same handle, or a
/// clone of it, and whose Prometheus nobody could tell from that of another, uses that one.
///
/// Of the sandbox alone: in containers every Lab has a Prometheus of its own, and so has one whose Prometheus can be told
/// apart: by a flag by which clients change it, by what it connects to, by certificates or passwords of its own.
///
/// A Prometheus that is shared can't be stopped: boot a Lab whose programs are to be stopped and started
/// ([`Selection::slow`](crate::Selection::slow)) without a handle. The few that were used last are kept for the next;
/// all of them end when the last handle and the last Lab are dropped, or with the process.
///
/// ```no_run
/// # async fn example(paths: Vec<&str>) -> proxyproof::Result<()> {
/// use proxyproof::{BootOptions, Commons, Deployment};
///
/// let options = BootOptions { commons: Some(Commons::new()), ..BootOptions::default() };
/// for path in paths {
///     let lab = Deployment::load(path)?.boot_with(&options).await?;
///     lab.check().await?.assert_passed();
///     lab.close().await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Commons {
    #[cfg(target_os = "linux")]
    shelf: Arc<Shelf<Key, Common>>,
}

/// What came of sharing: see [`Commons::statistics`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommonsStatistics {
    /// How many programs were started so far.
    pub started: usize,
    /// How many Labs have used one so far.
    pub used: usize,
    /// How many run now.
    pub running: usize,
}

/// A Prometheus that deployments may share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shareable {
    /// Where it listens, in the Pod that it is for as in its own.
    pub(crate) at: SocketAddr,
    /// What the names mean that it speaks of.
    pub(crate) hosts: Vec<(String, IpAddr)>,
}

/// What two deployments have to need alike.
#[cfg(target_os = "linux")]
#[derive(Debug, PartialEq, Eq)]
struct Key {
    plan: ProgramPlan,
    shareable: Shareable,
}

/// A shared Prometheus that is in use. Dropping it gives it back.
#[cfg(target_os = "linux")]
pub(super) struct Borrowed(Lease<Key, Common>);

impl Commons {
    /// With nothing in it yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What came of sharing so far.
    #[must_use]
    pub fn statistics(&self) -> CommonsStatistics {
        #[cfg(target_os = "linux")]
        return self.shelf.statistics();
        #[cfg(not(target_os = "linux"))]
        return CommonsStatistics::default();
    }

    /// The one that serves for this, started if there is none. Who needs the same at the same time waits for one start.
    #[cfg(target_os = "linux")]
    pub(super) async fn borrow(&self, plan: &ProgramPlan, shareable: &Shareable) -> Result<Borrowed, RuntimeError> {
        let key = Key { plan: plan.clone(), shareable: shareable.clone() };
        let (plan, shareable) = (plan.clone(), shareable.clone());
        let start = || async move { Common::start(&plan, &shareable).await };
        Ok(Borrowed(self.shelf.lease(key, start).await?))
    }
}

impl fmt::Debug for Commons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Commons").field(&self.statistics()).finish()
    }
}

#[cfg(target_os = "linux")]
impl std::ops::Deref for Borrowed {
    type Target = Common;

    fn deref(&self) -> &Common {
        &self.0
    }
}

#[cfg(target_os = "linux")]
impl fmt::Debug for Borrowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Borrowed").field(&**self).finish()
    }
}

#[cfg(target_os = "linux")]
impl shelf::Serves for Common {
    fn serves(&self) -> bool {
        !self.has_ended()
    }
}
