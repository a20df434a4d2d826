//! Directories that nginx reads from or writes to, and its logs, which go to the harness.

use super::Placing;
use crate::deployment::{FileKind, FileUse};
use crate::world::{PodFile, SubstitutionKind};

/// Directories that every build of nginx comes with.
const STOCK: [&str; 20] = [
    "/",
    "/etc",
    "/etc/nginx",
    "/etc/nginx/conf.d",
    "/home",
    "/run",
    "/run/lock",
    "/tmp",
    "/usr/local/nginx",
    "/usr/share/nginx",
    "/usr/share/nginx/html",
    "/var",
    "/var/cache",
    "/var/cache/nginx",
    "/var/lib",
    "/var/log",
    "/var/log/nginx",
    "/var/run",
    "/var/tmp",
    "/var/www",
];
/// The system's own, which are mounted over whatever is put there.
const SYSTEM: [&str; 3] = ["/dev/", "/proc/", "/sys/"];
/// Logs that are links in every image already.
const STOCK_LOGS: [&str; 2] = ["/var/log/nginx/access.log", "/var/log/nginx/error.log"];

const INDEX: &str = "<!doctype html><title>proxyproof</title><p>Made for this run: the deployment does not bring it.\n";

impl Placing<'_> {
    /// Makes a directory.
    pub(super) fn directory(&mut self, named: &FileUse) {
        let is_site = named.kind == FileKind::Site;
        let mut made = false;
        for path in paths(named).map(|path| path.trim_end_matches('/')) {
            if is_there(path) || self.has(path) {
                continue;
            }
            made = true;
            if is_site {
                self.put(PodFile::directory(path, 0o755));
                self.put(PodFile::file(format!("{path}/index.html"), INDEX, 0o644));
            } else {
                // For whomever the workers run as.
                self.put(PodFile::directory(path, 0o777));
            }
        }
        if made {
            let what = if is_site { "a directory with an index.html" } else { "an empty directory" };
            self.substitute(SubstitutionKind::Directory, &named.file, &format!("{what}{}", everywhere(named)));
        }
    }

    /// Lets what goes into a log come to the harness, as the official images do.
    pub(super) fn log(&mut self, named: &FileUse) {
        let target = if named.kind == FileKind::ErrorLog { "/dev/stderr" } else { "/dev/stdout" };
        let mut made = false;
        for path in paths(named) {
            if STOCK_LOGS.contains(&path) || self.has(path) {
                continue;
            }
            made = true;
            // Its directory is made with it, by whoever unpacks.
            self.put(PodFile::link(path, target));
        }
        if made {
            let by = format!("a link to {target}{}", everywhere(named));
            self.substitute(SubstitutionKind::Log, &named.file, &by);
        }
    }
}

fn paths(named: &FileUse) -> impl Iterator<Item = &str> {
    std::iter::once(&named.file.path).chain(&named.elsewhere).map(String::as_str)
}

fn is_there(path: &str) -> bool {
    STOCK.contains(&path) || path.is_empty() || SYSTEM.iter().any(|system| path.starts_with(system))
}

fn everywhere(named: &FileUse) -> &'static str {
    if named.elsewhere.is_empty() { "" } else { ", below every prefix that nginx may be built with" }
}
