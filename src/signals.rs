//! Ctrl-C and SIGTERM: the run is dropped, which takes away what it started.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

use proxyproof::{Error, Result};
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};

/// Whether a Lab is held for a person: then a signal is the way to end it in order.
static HOLDING: AtomicBool = AtomicBool::new(false);

/// The result of `work`, unless a signal comes first.
pub(crate) async fn or_interrupted(work: impl Future<Output = Result<u8>>) -> Result<u8> {
    let interruption = async {
        loop {
            let name = interrupt().await;
            if !HOLDING.load(Ordering::SeqCst) {
                tokio::spawn(end_at_once_when_asked_again());
                return name;
            }
        }
    };
    tokio::select! {
        result = work => result,
        name = interruption => Err(Error::Interrupted(name)),
    }
}

/// The result of `work`, or the name of the signal that came first: `work` is dropped then, and the command ends in order.
pub(crate) async fn or_signal<T>(work: impl Future<Output = T>) -> Result<T, &'static str> {
    HOLDING.store(true, Ordering::SeqCst);
    tokio::select! {
        result = work => {
            HOLDING.store(false, Ordering::SeqCst);
            Ok(result)
        }
        name = interrupt() => {
            // Whoever else has seen this signal need not act on it.
            tokio::spawn(end_at_once_when_asked_again());
            Err(name)
        }
    }
}

/// A second signal does not wait for the tidying: the run's janitor goes on with it.
#[expect(clippy::exit, reason = "what destructors would do is what is not waited for")]
async fn end_at_once_when_asked_again() {
    let again = Error::Interrupted(interrupt().await);
    std::process::exit(again.exit_code().into());
}

/// Returns when a person ends what is held: by a signal, or by closing the input.
pub(crate) async fn interrupt_or_end_of_input() {
    HOLDING.store(true, Ordering::SeqCst);
    tokio::select! {
        _ = interrupt() => {
            // Whoever else has seen this signal need not act on it.
            tokio::spawn(end_at_once_when_asked_again());
        }
        () = end_of_input() => HOLDING.store(false, Ordering::SeqCst),
    }
}

async fn end_of_input() {
    let mut input = tokio::io::stdin();
    let mut buffer = [0_u8; 1024];
    while input.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
}

/// Returns when the process is asked to end.
async fn interrupt() -> &'static str {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        // Without handlers the signals end the process, and the janitor does the rest.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => "Ctrl-C",
        _ = terminate.recv() => "SIGTERM",
        _ = hangup.recv() => "SIGHUP",
    }
}
