//! The files of a Lab that is kept for a look.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::observe::Shell;
use crate::runtime::{Entrances, Pod, RuntimeError};
use crate::world::{PodContent, PodFile, World};

/// Where a kept Lab is reached, and where its files are.
#[derive(Clone, Debug)]
pub struct Kept {
    directory: PathBuf,
    cacert: PathBuf,
    ports: Vec<(u16, SocketAddr)>,
    /// Where the Pod's own address leads nowhere outside it.
    _entrances: Entrances,
}

impl Kept {
    /// Writes what a user needs to talk to the Lab, and what was made up to look at.
    pub(super) async fn write(pod: &Pod, world: &World, ports: Vec<u16>) -> Result<Self> {
        let cacert = pod.run().write("ca.pem", world.trust.as_bytes())?;
        write_all(pod, "", &world.files_of_nginx())?;
        for (number, prometheus) in world.prometheus.iter().enumerate() {
            let prefix = if number == 0 { String::new() } else { format!("{}_", number + 1) };
            write_all(pod, &prefix, &prometheus.files)?;
            pod.run().write(&format!("{prefix}prometheus-arguments"), prometheus.arguments.join("\n").as_bytes())?;
        }
        if let Some((certificate, key)) = &world.client_identity {
            pod.run().write("client.pem", certificate.as_bytes())?;
            pod.run().write("client.key", key.as_bytes())?;
        }
        if let Some((user, password)) = &world.credentials {
            pod.run().write("credentials", format!("{user}:{password}").as_bytes())?;
        }
        let entrances = Entrances::default();
        let mut opened = Vec::new();
        for port in ports {
            let address = entrances.address_of(pod.reach(port)).await.map_err(RuntimeError::Entrance)?;
            opened.push((port, address));
        }
        Ok(Self {
            directory: cacert.parent().map(Path::to_owned).unwrap_or_default(),
            ports: opened,
            _entrances: entrances,
            cacert,
        })
    }

    /// The directory of the Lab's files.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The certificate that clients trust, PEM.
    pub fn cacert(&self) -> &Path {
        &self.cacert
    }

    pub(super) fn shell(&self) -> Shell {
        Shell::of_a_kept_lab(&self.cacert.display().to_string(), self.ports.clone())
    }
}

fn write_all(pod: &Pod, prefix: &str, files: &[PodFile]) -> Result<()> {
    for file in files {
        let PodContent::File(content) = &file.content else { continue };
        let name = file.path.trim_start_matches('/').replace('/', "_");
        pod.run().write(&format!("{prefix}{name}"), content)?;
    }
    Ok(())
}
