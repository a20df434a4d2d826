//! What the programs of a Pod say when they are called beside the one that runs.

use super::Pod;
use super::host::Host;
use super::pod::locked;

impl Pod {
    /// What nginx says to these options: `-V`. Nothing where it did not start.
    pub(crate) async fn nginx_says(&self, options: &[&str]) -> Option<String> {
        let nginx = locked(&self.nginx).as_ref().ok()?.clone();
        nginx.exec(&[&["nginx"], options].concat()).await
    }

    /// Where the files of nginx and Prometheus are, if they are there for as long as they are these files.
    pub(crate) fn roots(&self) -> Option<[String; 2]> {
        match &self.host {
            #[cfg(target_os = "linux")]
            Host::Sandbox(_) => {
                let nginx = locked(&self.nginx_plan).image.clone();
                Some([nginx, self.plan.prometheus.first()?.image.clone()])
            }
            Host::Docker(_) => None,
        }
    }

    /// What Prometheus says to these options: `--help`.
    pub(crate) async fn prometheus_says(&self, options: &[&str]) -> Option<String> {
        let says = locked(&self.prometheus).first()?.beside();
        says.exec(&[&["/bin/prometheus"], options].concat()).await
    }
}
