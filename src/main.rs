//! The command line of proxyproof: reads the call, lets the library do it, renders what came of it.

mod cli;
mod command;
mod progress;
mod signals;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use proxyproof::source;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&format!("the operating system gives no threads: {error}"), 3),
    };
    let ended = runtime.block_on(signals::or_interrupted(command::run(cli.command)));
    if ended.is_err() {
        // One build of several has failed, or nobody waits for any of them.
        source::abandon_builds();
        // Whoever was building lets go of the run, and Labs that belong to tasks of their own are taken away.
        runtime.block_on(proxyproof::all_gone());
        runtime.shutdown_timeout(Duration::from_millis(500));
    } else {
        // What still reads its input is not waited for.
        runtime.shutdown_background();
    }
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => complain(&error.to_string(), error.exit_code()),
    }
}

fn complain(message: &str, code: u8) -> ExitCode {
    let style = clap::builder::styling::AnsiColor::Red.on_default().bold();
    // Nobody is there to be told if standard error is closed.
    let _ = writeln!(anstream::stderr(), "{style}error{style:#}: {message}");
    ExitCode::from(code)
}
