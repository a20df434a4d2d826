//! What goes into a root: from which packages, which programs and files, and how its image is started.

use serde::{Deserialize, Serialize};

use super::{Arch, Program};

/// What a root is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recipe {
    /// nginx, with the contract of its official image.
    Nginx,
    /// Prometheus, with the contract of its official image.
    Prometheus,
    /// The Pod's infrastructure: `sh`, `cat`, `ip`, `setpriv` for its first container; nginx, dnsmasq and Perl for the
    /// stubs of what the deployment leads to beside Prometheus.
    Pod,
}

/// Grows with every change of what a root of the same packages looks like, so that older roots are not used.
pub(super) const REVISION: u32 = 3;

impl From<Program> for Recipe {
    fn from(program: Program) -> Self {
        match program {
            Program::Nginx => Self::Nginx,
            Program::Prometheus => Self::Prometheus,
        }
    }
}

impl Recipe {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Nginx, Self::Prometheus, Self::Pod];

    /// Its name: that of the program, or `pod`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Prometheus => "prometheus",
            Self::Pod => "pod",
        }
    }

    /// The packages that are asked for. The first gives the root its version.
    pub(super) fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Nginx => &["nginx"],
            Self::Prometheus => &["prometheus"],
            Self::Pod => &[
                "coreutils",
                "dash",
                "iproute2",
                "util-linux",
                "nginx",
                "libnginx-mod-stream",
                "dnsmasq-base",
                "perl-base",
                "iptables",
            ],
        }
    }

    /// The programs, by their place in the root.
    pub(super) fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Nginx => &["usr/sbin/nginx"],
            Self::Prometheus => &["usr/bin/prometheus"],
            Self::Pod => &[
                "usr/bin/cat",
                "usr/bin/dash",
                "usr/bin/ip",
                "usr/bin/setpriv",
                "usr/sbin/nginx",
                "usr/lib/nginx/modules/ngx_stream_module.so",
                "usr/sbin/dnsmasq",
                "usr/bin/perl",
                "usr/sbin/xtables-nft-multi",
                "usr/sbin/xtables-legacy-multi",
            ],
        }
    }

    /// Libraries that no program names, because the C library loads them itself: names and addresses (older C libraries
    /// have them apart), and the end of a thread, which nginx's thread pools need.
    pub(super) fn extra_libraries(self) -> &'static [&'static str] {
        match self {
            Self::Pod => &[],
            Self::Nginx | Self::Prometheus => &["libnss_files.so.2", "libnss_dns.so.2", "libgcc_s.so.1"],
        }
    }

    /// Directories that are taken as the packages ship them.
    pub(super) fn trees(self) -> &'static [&'static str] {
        match self {
            Self::Nginx => &["etc/nginx", "usr/lib/nginx/modules", "usr/share/nginx", "var/www"],
            Self::Prometheus => &["etc/prometheus", "usr/share/prometheus"],
            Self::Pod => &[],
        }
    }

    /// The same, below the directory of the processor's libraries.
    pub(super) fn library_trees(self) -> &'static [&'static str] {
        match self {
            Self::Pod => &["perl-base", "xtables"],
            Self::Nginx | Self::Prometheus => &[],
        }
    }

    /// The directory whose libraries a program may load when its configuration says so.
    pub(super) fn modules(self) -> Option<&'static str> {
        (self == Self::Nginx).then_some("usr/lib/nginx/modules")
    }

    /// Whether a package is likely to bring something that the root needs. The others are fetched only if something is
    /// missing: most are there for maintainer scripts, which never run.
    pub(super) fn wants(self, package: &str) -> bool {
        let prefixes = ["lib", "zlib", "fonts-", "javascript-", "node-", "nginx"];
        let unneeded = ["libperl", "libc-gconv", "libpam", "libdb5", "libsemanage", "libsepol", "libcap2-bin"];
        self.packages().contains(&package)
            || prefixes.iter().any(|prefix| package.starts_with(prefix))
                && !unneeded.iter().any(|prefix| package.starts_with(prefix))
    }

    /// Directories that the program expects beside the usual ones.
    pub(super) fn directories(self) -> &'static [&'static str] {
        match self {
            Self::Nginx => &[
                "etc/nginx/conf.d",
                "usr/lib/nginx/modules",
                "usr/share/nginx/html",
                "var/cache/nginx",
                "var/lib/nginx/body",
                "var/lib/nginx/fastcgi",
                "var/lib/nginx/proxy",
                "var/lib/nginx/scgi",
                "var/lib/nginx/uwsgi",
                "var/log/nginx",
            ],
            Self::Prometheus => &["etc/prometheus/consoles", "etc/prometheus/console_libraries", "prometheus"],
            Self::Pod => &["var/lib/nginx", "var/log/nginx"],
        }
    }

    /// Links that the program, or the contract of its image, expects.
    pub(super) fn links(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Nginx => &[("var/log/nginx/access.log", "/dev/stdout"), ("var/log/nginx/error.log", "/dev/stderr")],
            Self::Prometheus => &[],
            Self::Pod => &[("usr/bin/sh", "dash")],
        }
    }

    /// Files that are written where the packages bring none.
    pub(super) fn defaults(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Nginx => &[("etc/nginx/nginx.conf", NGINX_CONF), ("etc/nginx/mime.types", MIME_TYPES)],
            Self::Prometheus => &[("etc/prometheus/prometheus.yml", "global:\n  scrape_interval: 15s\n")],
            Self::Pod => &[],
        }
    }

    /// The `config` of its image.
    pub(super) fn image(self) -> serde_json::Value {
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let mut config = match self {
            Self::Nginx => serde_json::json!({
                "Cmd": ["nginx", "-g", "daemon off;"],
                "ExposedPorts": {"80/tcp": {}},
                "StopSignal": "SIGQUIT",
            }),
            Self::Prometheus => serde_json::json!({
                "Entrypoint": ["/bin/prometheus"],
                "Cmd": ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"],
                "ExposedPorts": {"9090/tcp": {}},
                "User": "nobody",
                "WorkingDir": "/prometheus",
            }),
            Self::Pod => serde_json::json!({"Cmd": ["/usr/bin/cat"]}),
        };
        config["Env"] = serde_json::json!([path]);
        config["Labels"] = serde_json::json!({"proxyproof.image": "1"});
        config
    }
}

/// The configuration of an nginx that brings none.
const NGINX_CONF: &str = "events {}\nhttp {\n    include mime.types;\n    server {\n        listen 80;\n    }\n}\n";

/// The types that a `mime.types` is included for where there is none: what a Prometheus and its UI are made of.
const MIME_TYPES: &str = "types {
    text/html                html htm shtml;
    text/css                 css;
    text/xml                 xml;
    text/plain               txt;
    application/javascript   js;
    application/json         json;
    application/wasm         wasm;
    application/zip          zip;
    image/gif                gif;
    image/jpeg               jpeg jpg;
    image/png                png;
    image/svg+xml            svg svgz;
    image/webp               webp;
    image/x-icon             ico;
    font/woff                woff;
    font/woff2               woff2;
}
";

/// Where the libraries of a root may lie, in the order in which the C library looks.
pub(super) fn library_directories(arch: Arch) -> Vec<std::path::PathBuf> {
    ["usr/lib".to_owned() + "/" + arch.triplet(), "usr/lib".to_owned(), "usr/lib64".to_owned()].map(Into::into).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_maintainer_scripts_need_is_not_fetched() {
        for package in ["perl-base", "debconf", "promtool", "libperl5.36", "passwd"] {
            assert!(!Recipe::Prometheus.wants(package), "{package}");
        }
        for package in ["prometheus", "libc6", "libjs-jquery", "fonts-glyphicons-halflings"] {
            assert!(Recipe::Prometheus.wants(package), "{package}");
        }
    }
}
