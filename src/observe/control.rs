//! What a check may do to the programs of a Lab: the only hands, beside the only eyes.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use crate::world::{PodFile, World};

/// Something that is being done.
pub(crate) type Doing<'a, T> = Pin<Box<dyn Future<Output = Result<T, Undone>> + Send + 'a>>;

/// What a runtime lets be done while a Lab runs.
pub(crate) trait Control: fmt::Debug + Send + Sync {
    /// Puts files in the place of those that nginx has.
    fn put<'a>(&'a self, files: &'a [PodFile]) -> Doing<'a, ()>;
    /// Tells nginx to read its configuration again, and waits until it works with it, or has said that it won't.
    fn reload(&self) -> Doing<'_, Reloaded>;
    /// Stops a Prometheus, by its number.
    fn stop(&self, prometheus: usize) -> Doing<'_, ()>;
    /// Starts it again, as at boot or so that it listens at one address alone, and waits until it serves.
    fn start(&self, prometheus: usize, at: Option<SocketAddr>) -> Doing<'_, ()>;
    /// Lets a name mean another address, in every way by which programs of the Lab look names up.
    fn point<'a>(&'a self, name: &'a str, address: IpAddr) -> Doing<'a, ()>;
}

/// What came of a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reloaded {
    /// nginx works with what it read.
    Done,
    /// nginx goes on with what it had. What it said.
    Refused(String),
}

/// What belongs to a Lab, and to nothing that is seen from outside alone.
#[derive(Clone, Debug)]
pub(crate) struct Inside {
    /// What may be done to its programs.
    pub(crate) control: Arc<dyn Control>,
    /// What was made up around the deployment.
    pub(crate) world: Arc<World>,
}

/// Why something could not be done.
#[derive(Clone, Debug)]
pub(crate) struct Undone(pub(crate) String);

impl Undone {
    pub(super) fn not_ours() -> Self {
        Self("the programs are not this run's own".to_owned())
    }
}
