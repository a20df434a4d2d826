//! The file system of a program: its release's root below a layer of memory, with nothing of the host in it.

use std::fs::{self, File};
use std::io::{self, Cursor};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, open};
use rustix::mount::{MountFlags, MoveMountFlags, OpenTreeFlags, mount, mount_bind, move_mount, open_tree};
use rustix::process::pivot_root;

use super::first::{hosts_file, resolver_file, shared_directory};
use super::messages::{Failed, Launch, doing};

/// As much as a program may write.
const LAYER: &std::ffi::CStr = c"size=256m,mode=0755";
/// As much as it may write into each directory that is kept in memory, where anybody may.
const IN_MEMORY: &std::ffi::CStr = c"size=256m,mode=1777";
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
/// Files of `/proc` that tell of the whole machine what engines hide too.
const HIDDEN: [&str; 6] = ["kcore", "keys", "latency_stats", "sched_debug", "timer_list", "timer_stats"];
const DEVICE_LINKS: [(&str, &str); 4] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];
/// Whose directories are whose, as in an image: see `source::root`. In the cache all belongs to who built it.
const PROMETHEUS: (&str, u32) = ("/prometheus", 65534);
const NGINX: (&str, u32) = ("/var/lib/nginx", 33);

/// The root that was there before, below which the host's files are, until it is unmounted.
#[derive(Debug)]
pub(super) struct OldRoot(OwnedFd);

/// Makes the file system and goes into it. The old root is still mounted then.
pub(super) fn build(launch: &Launch) -> Result<OldRoot, Failed> {
    let handed = Handed::from_host(launch).map_err(doing("open what a program is given"))?;
    let old = OldRoot(directory(Path::new("/")).map_err(doing("open /"))?);
    let lowest =
        directory(&launch.root).map_err(doing(format!("open the program's files in {}", launch.root.display())))?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", &launch.place, "tmpfs", flags, LAYER).map_err(doing("mount a directory of memory"))?;
    std::env::set_current_dir(&launch.place).map_err(doing("enter it"))?;
    ["upper", "work", "root"].iter().try_for_each(fs::create_dir).map_err(doing("make directories in it"))?;
    overlay(&lowest, flags).map_err(doing("mount an overlay"))?;
    std::env::set_current_dir("root").map_err(doing("enter the overlay"))?;
    pivot_root(".", ".").map_err(doing("make the overlay the root"))?;
    std::env::set_current_dir("/").map_err(doing("enter the new root"))?;
    handed.place(launch).map_err(doing("fill the new root"))?;
    give_away();
    Ok(old)
}

impl OldRoot {
    /// Mounts `/proc` of this process's namespace, and lets go of the host's files.
    pub(super) fn leave(&self) -> io::Result<()> {
        // Settings of the whole machine are below it, which root may change: nobody writes there.
        let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::RDONLY;
        mount("proc", "/proc", "proc", flags, None)?;
        for name in HIDDEN {
            // Not every kernel has them all.
            let _ = mount_bind("/dev/null", Path::new("/proc").join(name));
        }
        rustix::process::fchdir(&self.0)?;
        rustix::mount::unmount(".", rustix::mount::UnmountFlags::DETACH)?;
        Ok(rustix::process::chdir("/")?)
    }
}

/// Puts the files of an archive into the root that this process has.
pub(super) fn unpack(archive: &[u8]) -> Result<(), Failed> {
    let mut archive = tar::Archive::new(Cursor::new(archive));
    archive.set_preserve_permissions(true);
    archive.unpack("/").map_err(|error| {
        let mut cause: &dyn std::error::Error = &error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        doing("put the program's files")(io::Error::other(format!("{error}: {cause}")))
    })
}

fn overlay(lowest: &OwnedFd, flags: MountFlags) -> io::Result<()> {
    // By number, for a path may hold what separates options.
    let layers = format!("lowerdir=/proc/self/fd/{},upperdir=upper,workdir=work", lowest.as_raw_fd());
    let mount_with = |options: &str| -> io::Result<()> {
        let options = std::ffi::CString::new(options)?;
        Ok(mount("overlay", "root", "overlay", flags, options.as_c_str())?)
    };
    // In a user namespace the overlay keeps its notes where users may.
    mount_with(&layers).or_else(|_| mount_with(&format!("{layers},userxattr")))
}

/// Mounts of the host's and of the Pod's that go to places of the new root.
struct Handed {
    devices: Vec<OwnedFd>,
    hosts: OwnedFd,
    resolver: OwnedFd,
    shared: Vec<OwnedFd>,
}

impl Handed {
    fn from_host(launch: &Launch) -> io::Result<Self> {
        let shared = (0..launch.shared.len()).map(|number| cloned(&shared_directory(&launch.place, number)));
        Ok(Self {
            devices: DEVICES.iter().map(|name| cloned(&Path::new("/dev").join(name))).collect::<io::Result<_>>()?,
            hosts: cloned(&hosts_file(&launch.place))?,
            resolver: cloned(&resolver_file(&launch.place))?,
            shared: shared.collect::<io::Result<_>>()?,
        })
    }

    fn place(self, launch: &Launch) -> io::Result<()> {
        let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
        mount("tmpfs", "/dev", "tmpfs", flags, c"size=16m,mode=0755")?;
        for (name, device) in DEVICES.iter().zip(&self.devices) {
            let file = Path::new("/dev").join(name);
            File::create(&file)?;
            moved(device, &file)?;
        }
        for (name, target) in DEVICE_LINKS {
            symlink(target, Path::new("/dev").join(name))?;
        }
        fs::create_dir("/dev/shm")?;
        fs::set_permissions("/dev/shm", fs::Permissions::from_mode(0o1777))?;
        moved(&self.hosts, Path::new("/etc/hosts"))?;
        moved(&self.resolver, Path::new("/etc/resolv.conf"))?;
        for (directory, shared) in launch.shared.iter().zip(&self.shared) {
            fs::create_dir_all(directory)?;
            moved(shared, Path::new(directory))?;
        }
        for directory in &launch.in_memory {
            fs::create_dir_all(directory)?;
            mount("tmpfs", directory, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, IN_MEMORY)?;
        }
        Ok(())
    }
}

/// Where users can't be told from each other, everything belongs to the one that there is.
fn give_away() {
    let below = fs::read_dir(NGINX.0).into_iter().flatten().flatten().map(|entry| (entry.path(), NGINX.1));
    for (directory, owner) in below.chain([(PROMETHEUS.0.into(), PROMETHEUS.1)]) {
        let _ = chown(directory, Some(owner), Some(owner));
    }
}

fn directory(path: &Path) -> io::Result<OwnedFd> {
    Ok(open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

fn cloned(path: &Path) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    Ok(open_tree(CWD, path, flags)?)
}

fn moved(tree: &OwnedFd, to: &Path) -> io::Result<()> {
    Ok(move_mount(tree.as_fd(), "", CWD, to, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?)
}
