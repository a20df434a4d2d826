//! What the time went into, as a table.

use std::io::{self, Write};

use super::table;
use crate::report::timings::{Tally, Timings};

/// Writes what the time of a Lab went into.
///
/// # Errors
///
/// What `out` says.
pub fn render(timings: &Timings, out: &mut dyn Write) -> io::Result<()> {
    let Timings { sources, world, boot, checks, clients, teardown } = timings;
    let shared = if boot.prometheus_shared { "shared with other deployments" } else { "its own" };
    let mut rows = vec![
        row("programs", *sources, String::new()),
        row("certificates and files", *world, String::new()),
        row("boot", boot.total, String::new()),
        row("  Pod", boot.pod, String::new()),
        row("  nginx", boot.nginx, "until it listens".to_owned()),
        row("  Prometheus", boot.prometheus, format!("until it is ready; {shared}")),
        row("checks", *checks, String::new()),
        tally("  connections", clients.connects),
        tally("  TLS handshakes", clients.handshakes),
        tally("  requests", clients.requests),
    ];
    rows.extend(teardown.map(|teardown| row("teardown", teardown, String::new())));
    writeln!(out, "timings")?;
    table::aligned(&rows, out)
}

fn row(what: &str, milliseconds: f64, more: String) -> [String; 3] {
    [what.to_owned(), format!("{milliseconds:>8.1} ms"), more]
}

/// Clients ask at once, so that what one request takes says more than the sum.
fn tally(what: &str, Tally { count, total, .. }: Tally) -> [String; 3] {
    let times = u32::try_from(count).map_or(f64::INFINITY, f64::from).max(1.0);
    row(what, total, format!("in {count}, {:.1} ms each", total / times))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::timings::{BootTimings, ClientTimings};

    #[test]
    fn every_part_has_a_line() {
        let boot = BootTimings { total: 40.5, pod: 12.0, nginx: 21.25, prometheus: 0.5, prometheus_shared: true };
        let clients = ClientTimings { requests: (200, 1000.0).into(), ..ClientTimings::default() };
        let timings = Timings { boot, clients, checks: 120.0, teardown: Some(9.0), ..Timings::default() };
        let mut text = Vec::new();
        render(&timings, &mut text).expect("written");
        insta::assert_snapshot!(String::from_utf8_lossy(&text), @r"
        timings
          programs                     0.0 ms
          certificates and files       0.0 ms
          boot                        40.5 ms
            Pod                       12.0 ms
            nginx                     21.2 ms  until it listens
            Prometheus                 0.5 ms  until it is ready; shared with other deployments
          checks                     120.0 ms
            connections                0.0 ms  in 0, 0.0 ms each
            TLS handshakes             0.0 ms  in 0, 0.0 ms each
            requests                1000.0 ms  in 200, 5.0 ms each
          teardown                     9.0 ms
        ");
    }
}
