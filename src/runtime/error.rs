//! Why a Pod could not be run: always the environment, exit code 3.

use std::time::Duration;

use super::program::PROMETHEUS;

/// Why a Pod could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// No engine answers.
    #[error("no Docker engine answers at {at}: {reason}; {}", way_to_an_engine(.reason))]
    NoEngine {
        /// Where it was looked for.
        at: String,
        /// What the attempt said.
        reason: String,
    },
    /// An image is neither there nor to be pulled.
    #[error(
        "the image {image} is not here and can't be pulled: {reason}; {}, or use packages instead, such as `debian:stable`",
        name_there(.there)
    )]
    NoImage {
        /// The image's reference.
        image: String,
        /// The tags of the same repository that the engine has: `nginx:1.29`.
        there: Vec<String>,
        /// What the engine said.
        reason: String,
    },
    /// An image does not hold what it is to run.
    #[error(
        "the image {image} can't run {program}: {reason}; name an image that holds it with --{program}, or packages, such as `debian:stable`"
    )]
    NoProgram {
        /// What was to be run.
        program: &'static str,
        /// The image's reference.
        image: String,
        /// What the engine said.
        reason: String,
    },
    /// The engine refused something.
    #[error("the Docker engine could not {doing}: {reason}{}", cure(.reason))]
    Engine {
        /// What was asked of it.
        doing: String,
        /// What it said.
        reason: String,
    },
    /// A program of the Pod ended that has to run.
    #[error("{program} ended before it was ready{}; it said:\n{}", whose(.program), .log.trim_end())]
    Ended {
        /// Which one.
        program: &'static str,
        /// Its last words.
        log: String,
    },
    /// A Prometheus that several deployments use ended while one of them was asked.
    #[error(
        "the Prometheus that several deployments share has ended, so nothing can be said of this one: check it again; its log ends with:\n{log}"
    )]
    SharedEnded {
        /// The end of its log.
        log: String,
    },
    /// A Prometheus that several deployments use was to be stopped or started.
    #[error("this Prometheus is shared with other deployments: boot the Lab without commons to stop and start its own")]
    Shared,
    /// Something did not come about in time.
    #[error("waited {} s in vain for {what}; last seen: {last}{log}", .limit.as_secs())]
    Timeout {
        /// The condition that was waited for.
        what: String,
        /// What was seen last.
        last: String,
        /// The tail of the logs, if there are any.
        log: String,
        /// How long the wait may take.
        limit: Duration,
    },
    /// The tokio runtime that all of this runs in ends.
    #[error("the asynchronous runtime is being shut down, and nothing more is done in it")]
    ShutDown,
    /// The process that cleans up after a killed run could not be started, or was ended.
    #[error("the process that cleans up after a killed run does not run: {0}; run it again")]
    Janitor(#[source] std::io::Error),
    /// No way into the Pod could be opened on this machine.
    #[error("could not open a way into the Pod on this machine: {0}; are too many files open?")]
    Entrance(#[source] std::io::Error),
    /// The kernel or its policy forbids what the sandbox is made of.
    #[error("the sandbox could not {doing}: {reason}")]
    Sandbox {
        /// What was to be done.
        doing: String,
        /// What the kernel said, and which setting is behind it.
        reason: String,
    },
    /// No program of this machine can be let into a Pod of containers.
    #[error("no program of this machine can be let into containers: use --runtime sandbox")]
    NoGuests,
    /// A program of the user's could not be run.
    #[error("could not run {program}: {error}")]
    Guest {
        /// What was to be run.
        program: String,
        /// Why.
        error: std::io::Error,
    },
    /// Neither runtime works.
    #[error("nothing here can boot a Pod; docker: {docker}; sandbox: {sandbox}")]
    NoRuntime {
        /// What is wrong with docker.
        docker: String,
        /// What is wrong with the sandbox.
        sandbox: String,
    },
    /// The sandbox has no engine to get the layers of a container image from.
    #[error(
        "the sandbox has no engine to get the container image {image} from: {reason}; name a file that holds it (`docker save --output FILE.tar {image}` writes one, then docker:FILE.tar), packages (`debian:stable`) or a binary (`path:FILE`)"
    )]
    NoImages {
        /// The image's reference.
        image: String,
        /// Why there is no engine.
        reason: String,
    },
    /// The run's directory could not be made.
    #[error("could not write {path}: {error}; set TMPDIR to a directory that can be written")]
    Directory {
        /// The directory or file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
}

/// What helps where an image is not there.
fn name_there(there: &[String]) -> String {
    match there {
        [] => "check its name".to_owned(),
        there => format!("check its name (the engine has {})", there.join(", ")),
    }
}

/// What helps where no engine answers.
fn way_to_an_engine(reason: &str) -> &'static str {
    if reason.contains("ermission denied") {
        "this user may not speak to it: add the user to the group that owns the socket, or run as one who may"
    } else {
        "start Docker, or set DOCKER_HOST to where its engine listens"
    }
}

/// Where to look for what a program refused.
fn whose(program: &str) -> &'static str {
    match program {
        PROMETHEUS => ": check the flags (--prometheus-arg) and the prometheus.yml of the deployment",
        _ => "",
    }
}

/// What helps against the refusals of an engine that a user can do something about.
fn cure(reason: &str) -> &'static str {
    if reason.contains("no space left on device") {
        "; free some disk space where the engine keeps its data (`docker system df` shows what takes it)"
    } else if reason.contains("permission denied") {
        "; may this user use the engine? (`docker version` has to work)"
    } else if reason.contains("address pool") {
        "; remove networks that nobody uses (`docker network prune`)"
    } else {
        ""
    }
}
