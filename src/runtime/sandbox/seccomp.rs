//! System calls that no program of a Pod has to make, and that a kernel is attacked with.

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

/// Refused with EPERM, beside what the missing capabilities refuse.
const REFUSED: &[i64] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_personality,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];

/// With one of these flags `clone` makes a namespace.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// Said to be done though nothing is, where users can't be told from each other: a program changes to a user who does
/// not exist there, and gives files away.
const PRETENDED: &[i64] = &[
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setgid,
    libc::SYS_setgroups,
    libc::SYS_setregid,
    libc::SYS_setresgid,
    libc::SYS_setresuid,
    libc::SYS_setreuid,
    libc::SYS_setuid,
];
#[cfg(target_arch = "x86_64")]
const PRETENDED_OF_OLD: &[i64] = &[libc::SYS_chown, libc::SYS_lchown];
#[cfg(not(target_arch = "x86_64"))]
const PRETENDED_OF_OLD: &[i64] = &[];

/// The bit by which a program of the x32 kind makes the same calls.
const X32: i64 = 0x4000_0000;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The filters, in the order in which they have to be applied.
pub(super) fn filters(one_user: bool) -> io::Result<Vec<BpfProgram>> {
    let mut refused = without_conditions(REFUSED);
    for flag in NAMESPACES {
        let flag = u64::try_from(flag).map_err(io::Error::other)?;
        let has = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(flag), flag);
        let rule = has.and_then(|has| SeccompRule::new(vec![has])).map_err(io::Error::other)?;
        refused.entry(libc::SYS_clone).or_default().push(rule);
    }
    // Its flags are in memory, where no filter sees them. The C library takes `clone` where there is none.
    let absent = without_conditions(&[libc::SYS_clone3]);
    let pretended = [PRETENDED, PRETENDED_OF_OLD].concat();
    let pretended = without_conditions(if one_user { &pretended } else { &[] });
    [(pretended, 0), (absent, libc::ENOSYS), (refused, libc::EPERM)]
        .into_iter()
        .filter(|(rules, _)| !rules.is_empty())
        .map(|(rules, error)| compiled(rules, error))
        .collect()
}

fn without_conditions(calls: &[i64]) -> Rules {
    let both = calls.iter().flat_map(|call| [*call, *call | X32]);
    both.filter(|call| cfg!(target_arch = "x86_64") || call & X32 == 0).map(|call| (call, Vec::new())).collect()
}

fn compiled(rules: Rules, error: libc::c_int) -> io::Result<BpfProgram> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let errno = SeccompAction::Errno(error.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, errno, arch).map_err(io::Error::other)?;
    BpfProgram::try_from(filter).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_user_has_one_filter_more() {
        assert_eq!(filters(false).expect("compiled").len(), 2);
        assert_eq!(filters(true).expect("compiled").len(), 3);
    }
}
