//! `proxyproof up`: the Lab, for a person to talk to.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;

use proxyproof::{Deployment, Lab, Result, Runtime};

use super::{boot_options, deployment_options, write_out};
use crate::cli::UpArgs;
use crate::signals;

pub(super) async fn run(args: UpArgs) -> Result<u8> {
    let mut boot = boot_options(&args.lab, true);
    if !args.command.is_empty() && boot.runtime == Runtime::Auto {
        boot.runtime = Runtime::Sandbox;
    }
    let deployment = Deployment::load_with(&args.path, &deployment_options(args.lab.deployment))?;
    let lab = deployment.boot_with(&boot).await?;
    if !args.command.is_empty() {
        let ended = lab.run(&args.command).await?;
        lab.close().await?;
        // As shells say that a signal ended it.
        let code = ended.code().or_else(|| Some(128 + ended.signal()?)).unwrap_or(1);
        return Ok(u8::try_from(code).unwrap_or(1));
    }
    write_out(&mut anstream::stdout(), |out| introduce(&lab, out))?;
    signals::interrupt_or_end_of_input().await;
    lab.close().await?;
    Ok(0)
}

fn introduce(lab: &Lab, out: &mut dyn Write) -> std::io::Result<()> {
    let programs = lab.programs();
    writeln!(
        out,
        "nginx {} ({}) in front of Prometheus {} ({})\n",
        programs.nginx.version, programs.nginx.source, programs.prometheus.version, programs.prometheus.source
    )?;
    for url in lab.public_urls() {
        writeln!(out, "  {url}")?;
    }
    writeln!(out)?;
    for command in lab.commands().into_iter().chain(lab.probes()) {
        writeln!(out, "  {command}")?;
    }
    if let Some(kept) = lab.kept() {
        writeln!(out, "\nThe CA's certificate is {}", kept.cacert().display())?;
    }
    writeln!(out, "Ctrl-C, or the end of input, ends it.")
}
