//! What is going on, on a terminal in one line that goes again, elsewhere a line a step.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use proxyproof::source::Progress;

/// Standard error, as progress goes.
pub(crate) struct Terminal {
    spinner: Option<ProgressBar>,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let spinner = std::io::stderr().is_terminal().then(|| {
            let spinner = ProgressBar::new_spinner().with_style(ProgressStyle::default_spinner());
            spinner.enable_steady_tick(Duration::from_millis(100));
            spinner
        });
        Self { spinner }
    }
}

impl Progress for Terminal {
    fn step(&self, message: &str) {
        match &self.spinner {
            Some(spinner) => spinner.set_message(message.to_owned()),
            // Nobody is there to be told if standard error is closed.
            None => drop(writeln!(std::io::stderr(), "{message}")),
        }
    }

    fn done(&self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}
