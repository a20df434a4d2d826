//! Another nginx in a running Lab: four combinations of programs from two boots.

use std::sync::Arc;

use tokio::sync::OnceCell;

use super::boot::nginx_plan;
use super::{Lab, Provided};
use crate::error::Result;
use crate::world::AddedModules;

impl Lab {
    /// What its nginx is started from.
    pub(crate) fn provided_nginx(&self) -> &Provided {
        &self.nginx
    }

    /// Ends nginx and starts this one in its place, as at boot: it has the deployment's files, and nothing of what the
    /// other has written or remembers. Whoever asks from then on is new to it. That it refuses to start is no error.
    ///
    /// Prometheus runs on, and what it has said stays in its log.
    pub(crate) async fn replace_nginx(&mut self, nginx: Provided) -> Result<()> {
        Arc::make_mut(&mut self.world).modules = AddedModules::of(&self.deployment, &nginx.modules);
        let plan = nginx_plan(&self.deployment, &self.world, &nginx);
        self.observers = self.deployment.routes.iter().map(|_| OnceCell::new()).collect();
        self.pod.replace_nginx(plan).await?;
        self.programs.nginx = nginx.program.clone();
        self.nginx = nginx;
        Ok(())
    }
}
