//! What is going on, on a terminal in one line that goes again, elsewhere a line a step.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use proxyproof::source::Progress;

/// Standard error, as progress goes.
pub(crate) struct Terminal {
    /// None where nobody watches.
    shown: Option<ProgressBar>,
    /// Whether it counts deployments, and so goes on when one of them is done.
    counts: bool,
    /// The lines so far: what both programs have to say is said once.
    said: Mutex<Vec<String>>,
}

impl Terminal {
    /// Of one deployment.
    pub(crate) fn new() -> Self {
        let shown = std::io::stderr().is_terminal().then(|| {
            let spinner = ProgressBar::new_spinner().with_style(ProgressStyle::default_spinner());
            spinner.enable_steady_tick(Duration::from_millis(100));
            spinner
        });
        Self { shown, counts: false, said: Mutex::default() }
    }

    /// Of so many deployments, some of them at once.
    pub(crate) fn counting(deployments: usize, at_once: usize) -> Self {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let shown = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(deployments as u64).with_style(style);
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        let terminal = Self { shown, counts: true, said: Mutex::default() };
        if terminal.shown.is_none() {
            terminal.line(&format!("checking {deployments} deployments, {} at once", at_once.min(deployments)));
        }
        terminal
    }

    /// So many have ended, and so many of them not well.
    pub(crate) fn count(&self, ended: usize, failed: usize) {
        if let Some(bar) = &self.shown {
            bar.set_position(ended as u64);
            bar.set_message(if failed == 0 { String::new() } else { format!("{failed} failed") });
        }
    }

    /// Lets something be written that is not progress.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.shown {
            Some(shown) => shown.suspend(write),
            None => write(),
        }
    }

    /// Nothing more is going on.
    pub(crate) fn end(&self) {
        if let Some(shown) = &self.shown {
            shown.finish_and_clear();
        }
    }

    fn line(&self, message: &str) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if !said.iter().any(|line| line == message) {
            // Nobody is there to be told if standard error is closed.
            drop(writeln!(std::io::stderr(), "{message}"));
            said.push(message.to_owned());
        }
    }
}

impl Progress for Terminal {
    fn step(&self, message: &str) {
        match &self.shown {
            Some(shown) => shown.set_message(message.to_owned()),
            None => self.line(message),
        }
    }

    fn done(&self) {
        if !self.counts {
            self.end();
        }
    }
}
