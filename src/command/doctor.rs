//! `proxyproof doctor`: what works here, and what dead runs left behind.

use std::io::Write;

use proxyproof::{Diagnosis, Doctor, Result};

use super::write_out;

pub(super) async fn run(clean: bool) -> Result<u8> {
    let doctor = Doctor::examine(clean).await?;
    write_out(&mut anstream::stdout(), |out| describe(&doctor, clean, out))?;
    Ok(if doctor.can_boot() { 0 } else { 3 })
}

fn describe(doctor: &Doctor, clean: bool, out: &mut dyn Write) -> std::io::Result<()> {
    group("Runtimes", &doctor.runtimes, out)?;
    group("Sources", &doctor.sources, out)?;
    let heading = if clean { "Removed" } else { "Left behind by dead runs" };
    writeln!(out, "{heading}")?;
    for left in &doctor.leftovers {
        writeln!(out, "  {left}")?;
    }
    match (doctor.leftovers.is_empty(), clean) {
        (true, _) => writeln!(out, "  nothing"),
        (false, true) => Ok(()),
        (false, false) => writeln!(out, "`proxyproof doctor --clean` removes it."),
    }
}

fn group(heading: &str, diagnoses: &[Diagnosis], out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{heading}")?;
    for Diagnosis { name, state, foreign } in diagnoses {
        let (sign, words) = match state {
            Ok(words) => ("works  ", words),
            Err(words) if *foreign => ("not set", words),
            Err(words) => ("missing", words),
        };
        writeln!(out, "  {name:15} {sign}  {words}")?;
    }
    writeln!(out)
}
