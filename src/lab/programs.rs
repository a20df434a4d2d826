//! The running programs of a Lab, for tests that reload, stop and start them.

use super::Lab;
use crate::error::{Error, Result};
use crate::runtime::{Pod, Reload};

/// The nginx of a Lab: see [`Lab::nginx`].
#[derive(Clone, Copy, Debug)]
pub struct RunningNginx<'a> {
    pod: &'a Pod,
}

/// A Prometheus of a Lab: see [`Lab::prometheus`].
#[derive(Clone, Copy, Debug)]
pub struct RunningPrometheus<'a> {
    pod: &'a Pod,
    number: usize,
}

impl<'a> RunningNginx<'a> {
    pub(super) fn of(lab: &'a Lab) -> Self {
        Self { pod: &lab.pod }
    }

    /// What it has written since it was started the last time.
    #[must_use]
    pub fn log(&self) -> String {
        self.pod.nginx_log()
    }

    /// Tells it to read its configuration and certificates again (SIGHUP), and returns when it works with them.
    ///
    /// # Errors
    ///
    /// [`Error::NginxRefused`] if it does not take them: it goes on with what it had.
    pub async fn reload(&self) -> Result<()> {
        match self.pod.reload_nginx().await? {
            Reload::Done => Ok(()),
            Reload::Refused { log } => Err(Error::NginxRefused { log }),
        }
    }

    /// Stops it; what clients are being answered is finished (SIGQUIT).
    ///
    /// # Errors
    ///
    /// If it does not run.
    pub async fn stop(&self) -> Result<()> {
        Ok(self.pod.stop_nginx().await?)
    }

    /// Starts it again, with the files that it had at boot.
    ///
    /// # Errors
    ///
    /// [`Error::NginxRefused`] if it refuses to start.
    pub async fn start(&self) -> Result<()> {
        match self.pod.start_nginx().await? {
            None => Ok(()),
            Some(refusal) => Err(Error::NginxRefused { log: refusal.log }),
        }
    }

    /// Stops it and starts it again.
    ///
    /// # Errors
    ///
    /// As [`RunningNginx::start`].
    pub async fn restart(&self) -> Result<()> {
        self.stop().await?;
        self.start().await
    }
}

impl<'a> RunningPrometheus<'a> {
    pub(super) fn of(lab: &'a Lab, number: usize) -> Self {
        Self { pod: &lab.pod, number }
    }

    /// What it has written since it was started the last time.
    #[must_use]
    pub fn log(&self) -> String {
        self.pod.prometheus_log(self.number)
    }

    /// Stops it. nginx runs on, as when Prometheus is updated or has crashed.
    ///
    /// # Errors
    ///
    /// If the engine refuses.
    pub async fn stop(&self) -> Result<()> {
        Ok(self.pod.stop_prometheus(self.number).await?)
    }

    /// Starts it again, without the data that it had, and returns when it serves.
    ///
    /// # Errors
    ///
    /// If it does not come to serve; it must have been stopped.
    pub async fn start(&self) -> Result<()> {
        Ok(self.pod.start_prometheus(self.number, None).await?)
    }

    /// Stops it and starts it again.
    ///
    /// # Errors
    ///
    /// As [`RunningPrometheus::start`].
    pub async fn restart(&self) -> Result<()> {
        self.stop().await?;
        self.start().await
    }
}
