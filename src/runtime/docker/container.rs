//! How a program's container is made: what joins it to its Pod, and what it may not do.

use testcontainers::bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountTmpfsOptions, MountType, MountVolumeOptions,
    ResourcesUlimits,
};

use super::program::{Membership, Sockets};
use crate::runtime::ProgramPlan;
use crate::runtime::program::Role;

/// What nginx needs to bind low ports and hand its work to unprivileged workers; all else is dropped.
const NGINX_CAPABILITIES: [&str; 5] = ["CHOWN", "SETUID", "SETGID", "NET_BIND_SERVICE", "DAC_OVERRIDE"];
/// For worker processes and threads.
const PROCESSES: i64 = 512;

fn capabilities(role: Role) -> Vec<String> {
    match role {
        Role::Nginx => NGINX_CAPABILITIES.map(str::to_owned).to_vec(),
        // dnsmasq sets its group, though it is the one that it has.
        Role::Stubs => ["NET_BIND_SERVICE", "SETGID"].map(str::to_owned).to_vec(),
        Role::Prometheus(_) => Vec::new(),
    }
}

fn memory(role: Role) -> i64 {
    match role {
        Role::Nginx | Role::Stubs => 256 << 20,
        Role::Prometheus(_) => 1 << 30,
    }
}

/// What the engine is asked for.
pub(super) fn body(role: Role, plan: &ProgramPlan, membership: Membership<'_>) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(plan.image.clone()),
        cmd: (!plan.arguments.is_empty()).then(|| plan.arguments.clone()),
        env: Some(plan.environment.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        labels: Some(membership.run.id().labels()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        host_config: Some(HostConfig {
            auto_remove: Some(true),
            network_mode: Some(format!("container:{}", membership.lifeline)),
            pid_mode: Some(format!("container:{}", membership.lifeline)),
            cap_drop: Some(vec!["ALL".to_owned()]),
            cap_add: Some(capabilities(role)),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            memory: Some(memory(role)),
            pids_limit: Some(PROCESSES),
            ulimits: plan.open_files.map(open_files),
            // For a look with the engine's own tools; the Pod reads what it is attached to.
            log_config: Some(HostConfigLogConfig {
                typ: Some("json-file".to_owned()),
                config: Some([("max-size".to_owned(), "16m".to_owned())].into()),
            }),
            mounts: Some(mounts(plan, membership)),
            volumes_from: match membership.sockets {
                Sockets::Of(container) => Some(vec![container.to_owned()]),
                Sockets::None | Sockets::Own(_) => None,
            },
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

fn open_files(limit: u32) -> Vec<ResourcesUlimits> {
    let limit = Some(i64::from(limit));
    vec![ResourcesUlimits { name: Some("nofile".to_owned()), soft: limit, hard: limit }]
}

fn mounts(plan: &ProgramPlan, membership: Membership<'_>) -> Vec<Mount> {
    let in_memory = plan.in_memory.iter().map(|directory| memory_mount(directory));
    let shared = match membership.sockets {
        Sockets::Own(directories) => directories,
        Sockets::None | Sockets::Of(_) => &[],
    };
    in_memory.chain(shared.iter().map(|directory| shared_mount(directory, membership))).collect()
}

/// A volume without a name, which the engine removes with the last of its containers.
fn shared_mount(directory: &str, membership: Membership<'_>) -> Mount {
    Mount {
        target: Some(directory.to_owned()),
        typ: Some(MountType::VOLUME),
        volume_options: Some(MountVolumeOptions {
            labels: Some(membership.run.id().labels()),
            ..MountVolumeOptions::default()
        }),
        ..Mount::default()
    }
}

/// A directory that anybody may write to, in memory and bounded. It must not be in the image: its owner there would be
/// replaced by root.
fn memory_mount(directory: &str) -> Mount {
    Mount {
        target: Some(directory.to_owned()),
        typ: Some(MountType::TMPFS),
        tmpfs_options: Some(MountTmpfsOptions {
            size_bytes: Some(256 << 20),
            mode: Some(0o1777),
            ..MountTmpfsOptions::default()
        }),
        ..Mount::default()
    }
}
