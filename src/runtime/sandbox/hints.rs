//! Whether the sandbox works here, and which setting of the kernel is behind it where it does not.

use std::fs;
use std::net::IpAddr;
use std::sync::Arc;

use super::host::Host;
use crate::runtime::error::RuntimeError;
use crate::runtime::run::Run;

/// Settings that take namespaces away from ordinary users, the value that does, and what to write instead.
const SETTINGS: [(&str, &str, &str); 3] = [
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
    ("/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
];

/// What is being done where a container hides parts of its own `/proc`.
pub(super) const MOUNT_PROC: &str = "mount /proc for its programs";

/// Makes a Pod without programs, and says what there is.
pub(crate) async fn examine() -> Result<String, RuntimeError> {
    let run = Arc::new(Run::begin()?);
    let host = Host::begin(&run, &[] as &[IpAddr], &[], &[]).await?;
    host.end().await?;
    run.end();
    let kind = if rustix::process::geteuid().is_root() { "as root" } else { "in a user namespace" };
    Ok(format!("Linux namespaces, {kind}, without a daemon"))
}

/// The reason, and the setting that is behind it.
pub(super) fn explained(doing: String, reason: &str) -> RuntimeError {
    let setting =
        SETTINGS.iter().find(|(file, forbids, _)| fs::read_to_string(file).is_ok_and(|own| own.trim() == *forbids));
    let cure = match setting {
        _ if reason.contains("Value too large") => {
            "; files in the cache belong to others, whom a user namespace does not have: set PROXYPROOF_CACHE to a directory \
             of this user and group"
                .to_owned()
        }
        _ if !is_forbidden(reason) => String::new(),
        _ if doing == MOUNT_PROC => {
            "; a container that hides parts of its own /proc allows nobody to mount one: start it with `--security-opt \
             systempaths=unconfined`, in Kubernetes with `procMount: Unmasked`"
                .to_owned()
        }
        Some((file, forbids, cure)) => format!("; {file} is {forbids}: `{cure}` as root allows it"),
        None => {
            "; in a container, start it with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined`, \
                 or use --runtime docker"
                .to_owned()
        }
    };
    RuntimeError::Sandbox { doing, reason: format!("{reason}{cure}") }
}

/// Errors that a policy gives.
fn is_forbidden(reason: &str) -> bool {
    ["Operation not permitted", "Permission denied", "No space left", "Function not implemented"]
        .iter()
        .any(|sign| reason.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_policy_forbids_has_a_setting_behind_it() {
        let said = |reason| explained("make a user namespace".to_owned(), reason).to_string();
        let plain = "the sandbox could not make a user namespace: Invalid argument (os error 22)";
        assert_eq!(said("Invalid argument (os error 22)"), plain);
        assert!(said("Operation not permitted (os error 1)").contains("; "));
        let proc = explained(MOUNT_PROC.to_owned(), "Operation not permitted (os error 1)").to_string();
        assert!(proc.contains("systempaths=unconfined"), "{proc}");
        assert!(said("Value too large for defined data type (os error 75)").contains("PROXYPROOF_CACHE"));
    }
}
