//! What is going on, on a terminal in one line that goes again, elsewhere a line a step.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use proxyproof::source::Progress;

/// Standard error, as progress goes.
pub(crate) struct Terminal {
    spinner: Option<ProgressBar>,
    /// The lines so far: what both programs have to say is said once.
    said: Mutex<Vec<String>>,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let spinner = std::io::stderr().is_terminal().then(|| {
            let spinner = ProgressBar::new_spinner().with_style(ProgressStyle::default_spinner());
            spinner.enable_steady_tick(Duration::from_millis(100));
            spinner
        });
        Self { spinner, said: Mutex::default() }
    }
}

impl Terminal {
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
        match &self.spinner {
            Some(spinner) => spinner.set_message(message.to_owned()),
            None => self.line(message),
        }
    }

    fn done(&self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}
