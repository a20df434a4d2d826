//! One function a command: the library's calls and what is printed of them.

mod catalogue;
mod check;
mod doctor;
mod many;
mod matrix;
mod merge;
mod probe;
mod sink;
mod up;
mod upgrade;

use std::io::{self, ErrorKind, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;

use clap::CommandFactory;
use proxyproof::deployment::{Options, Settings};
use proxyproof::source::Source;
use proxyproof::{BootOptions, Error, Result, Runtime};

use crate::cli::{Cli, Command, DeploymentArgs, LabArgs, RuntimeName};
use crate::progress::Terminal;

/// Runs a command and gives its exit code.
pub(crate) async fn run(command: Command) -> Result<u8> {
    match command {
        Command::Check(args) => check::run(args).await,
        Command::Probe(args) => probe::run(args).await,
        Command::Merge(args) => merge::run(&args),
        Command::Upgrade(args) => upgrade::run(args).await,
        Command::Matrix(args) => matrix::run(args).await,
        Command::Record(args) => upgrade::record(args).await,
        Command::Up(args) => up::run(args).await,
        Command::Explain { check } => print(&catalogue::explain(&check)),
        Command::Checks => print(&catalogue::list()),
        Command::Schema => print(&format!("{:#}\n", Settings::schema())),
        Command::Doctor { clean } => doctor::run(clean).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "proxyproof", &mut script);
            print_bytes(&script)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(output_error)?;
            print_bytes(&page)
        }
    }
}

/// What the deployment's options say.
fn deployment_options(args: DeploymentArgs) -> Options {
    Options {
        server_name: args.server_name,
        prefix: args.prefix,
        upstream: args.upstream,
        prometheus_from: args.prometheus_from,
        prometheus_args: args.prometheus_args,
        prometheus_config: args.prometheus_config,
        cacert: args.cacert,
        client_cert: args.client_cert,
        client_key: args.client_key,
        basic_auth: args.basic_auth,
        root: args.root,
        env: args.env,
        with: args.with,
    }
}

/// What the Lab's options say.
fn boot_options(args: &LabArgs, keep: bool) -> BootOptions {
    BootOptions { keep, ..boot_options_of(args.runtime, args.nginx.clone(), args.prometheus.clone()) }
}

/// The same of its parts.
fn boot_options_of(runtime: RuntimeName, nginx: Source, prometheus: Source) -> BootOptions {
    BootOptions {
        runtime: match runtime {
            RuntimeName::Auto => Runtime::Auto,
            RuntimeName::Docker => Runtime::Docker,
            RuntimeName::Sandbox => Runtime::Sandbox,
        },
        nginx,
        prometheus,
        progress: Arc::new(Terminal::new()),
        ..BootOptions::default()
    }
}

/// How many Labs run at once.
fn at_once(jobs: Option<NonZeroUsize>) -> usize {
    jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, Into::into)
}

fn print(text: &str) -> Result<u8> {
    print_bytes(text.as_bytes())
}

fn print_bytes(bytes: &[u8]) -> Result<u8> {
    write_out(&mut anstream::stdout(), |out| out.write_all(bytes))?;
    Ok(0)
}

/// Writes to standard output. A reader that has seen enough (`| head`) is no error.
fn write_out(out: &mut impl Write, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    match write(out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(output_error(error)),
        _ => Ok(()),
    }
}

fn output_error(error: io::Error) -> Error {
    Error::Output { path: "standard output".to_owned(), error }
}
