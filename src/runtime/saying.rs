//! What the programs of a Pod say when they are called beside the one that runs.

use super::Pod;
use super::pod::locked;

impl Pod {
    /// What nginx says to these options: `-V`. Nothing where it did not start.
    pub(crate) async fn nginx_says(&self, options: &[&str]) -> Option<String> {
        let nginx = locked(&self.nginx).as_ref().ok()?.clone();
        nginx.exec(&[&["nginx"], options].concat()).await
    }

    /// What Prometheus says to these options: `--help`. Nothing where it is shared: that one is not this Pod's.
    pub(crate) async fn prometheus_says(&self, options: &[&str]) -> Option<String> {
        let prometheus = locked(&self.prometheus).first()?.own().ok()?.clone();
        prometheus.exec(&[&["/bin/prometheus"], options].concat()).await
    }
}
