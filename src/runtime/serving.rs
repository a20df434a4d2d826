//! When a program of a Pod serves.

use std::time::Duration;

use tokio::time::timeout;

use super::Refusal;
use super::error::RuntimeError;
use super::pod::tail;
use super::program::{Program, Role};
use super::reach::Reach;
use super::wait::{Deadline, Look};

/// What Prometheus logs once it serves, in every version since 2.0.
const PROMETHEUS_IS_READY: &str = "Server is ready to receive web requests";

/// Waits until nginx serves or has refused to. `listens` are its ports, where a connection tells that it listens there.
pub(super) async fn nginx(
    program: Program,
    listens: &[Reach],
    deadline: Deadline,
) -> Result<Result<Program, Refusal>, RuntimeError> {
    let mut looks = 0_u32;
    let serves = deadline
        .until("nginx to listen", || {
            looks += 1;
            look_at_nginx(&program, listens, looks)
        })
        .await?;
    Ok(if serves { Ok(program) } else { Err(Refusal { log: program.log() }) })
}

/// nginx serves when a client gets in, or, where all its ports are closed to clients, when its workers run.
async fn look_at_nginx(program: &Program, listens: &[Reach], looks: u32) -> Result<Look<bool>, RuntimeError> {
    if program.has_ended() {
        return Ok(Look::Done(false));
    }
    for listen in listens {
        let attempt = timeout(Duration::from_millis(100), listen.connect());
        if matches!(attempt.await, Ok(Ok(_))) {
            return Ok(Look::Done(true));
        }
    }
    if looks.is_multiple_of(50) && !program.workers().await.is_empty() {
        return Ok(Look::Done(true));
    }
    Ok(Look::NotYet(format!("no port open yet; {}", tail(&program.log()))))
}

/// Waits until a Prometheus serves.
pub(super) async fn prometheus(program: Program, deadline: Deadline) -> Result<Program, RuntimeError> {
    word(program, Role::Prometheus(0), PROMETHEUS_IS_READY, deadline).await
}

/// Waits until a program says that it is ready.
pub(super) async fn word(
    program: Program,
    role: Role,
    word: &str,
    deadline: Deadline,
) -> Result<Program, RuntimeError> {
    let ready = deadline
        .until(&format!("{} to be ready", role.name()), async || {
            let log = program.log();
            if log.contains(word) {
                return Ok(Look::Done(true));
            }
            if program.has_ended() {
                return Ok(Look::Done(false));
            }
            Ok(Look::NotYet(tail(&log)))
        })
        .await?;
    if ready { Ok(program) } else { Err(RuntimeError::Ended { program: role.name(), log: program.log() }) }
}
