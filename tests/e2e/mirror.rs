//! A mirror of Ubuntu's packages on disk, laid out and signed as the real ones are, but by keys of its own.
//!
//! No real one has to be in reach: what its packages hold are nginx, Prometheus and the tools of a Pod out of the roots
//! that are built of Debian's.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use proxyproof::source::{Arch, Build, Cache, Recipe, Release, Root, packages};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// Who signs, and who does not.
const KEYS: [&str; 2] = ["archive", "stranger"];

const SUITES: [&str; 3] = ["noble", "noble-updates", "noble-security"];
const COMPONENTS: [&str; 2] = ["main", "universe"];

/// The packages that the tools of a Pod come from, but for the first and nginx.
const PROVIDED: &str = "dash, iproute2, util-linux, libnginx-mod-stream, dnsmasq-base, perl-base, iptables";

/// What says that only some machines are to have an update so far.
const PHASED: &str = "Phased-Update-Percentage: 0\n";

/// A mirror that has `noble` alone.
pub(crate) struct Mirror {
    directory: TempDir,
    /// The versions of nginx and Prometheus that it has.
    pub(crate) versions: [String; 2],
}

/// A part of a release: the suite and the component, and what its index lists.
type Part = (&'static str, &'static str, String);

impl Mirror {
    /// One without any package; none where there is no gpg. In CI that is a failure.
    pub(crate) fn empty() -> Option<Self> {
        let mirror = Self::with_keys()?;
        mirror.publish(&[]);
        Some(mirror)
    }

    /// One with the programs: the newest nginx is a security fix, the newest Prometheus an update. What they replace is
    /// in the index and not to be had.
    pub(crate) fn full() -> Option<Self> {
        let mut mirror = Self::with_keys()?;
        let [nginx, prometheus, pod] = Recipe::ALL.map(root);
        mirror.versions = [&nginx, &prometheus].map(|root| root.manifest().version.clone());
        let [nginx_version, prometheus_version] =
            mirror.versions.each_ref().map(|version| format!("{version}-2ubuntu7.3"));
        let pod = mirror.package(&pod, "coreutils", "9.4-3ubuntu6", &format!("Provides: {PROVIDED}\n"));
        let (old, none) = ("0.1-1ubuntu1", "0".repeat(64));
        let replaced = |name: &str| stanza(name, old, "", &format!("pool/{name}_old.deb"), 1, &none);
        let parts = [
            ("noble", "main", pod + &replaced("nginx")),
            ("noble", "universe", replaced("prometheus")),
            ("noble-updates", "universe", mirror.package(&prometheus, "prometheus", &prometheus_version, PHASED)),
            ("noble-security", "main", mirror.package(&nginx, "nginx", &nginx_version, "")),
        ];
        mirror.publish(&parts);
        Some(mirror)
    }

    /// As `PROXYPROOF_UBUNTU_MIRROR` names it.
    pub(crate) fn url(&self) -> String {
        format!("file:{}", self.path("ubuntu").display())
    }

    /// The key that it is signed with, as `PROXYPROOF_UBUNTU_KEYRING` names it.
    pub(crate) fn keyring(&self) -> PathBuf {
        self.path("archive.gpg")
    }

    /// A key that has signed nothing.
    pub(crate) fn other_keyring(&self) -> PathBuf {
        self.path("stranger.gpg")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn with_keys() -> Option<Self> {
        if Command::new("gpg").arg("--version").output().is_err() {
            assert!(std::env::var_os("CI").is_none(), "no gpg in CI: install the package gnupg");
            println!("skipped: no gpg (it is in the package gnupg)");
            return None;
        }
        let mirror = Self { directory: tempfile::tempdir().expect("a directory"), versions: Default::default() };
        // gpg wants it to itself.
        fs::DirBuilder::new().mode(0o700).create(mirror.path("gpg")).expect("a directory");
        for name in KEYS {
            mirror.gpg(&["--passphrase", "", "--quick-generate-key", name, "ed25519", "sign", "never"]);
            mirror.gpg(&["--output", &mirror.path(&format!("{name}.gpg")).to_string_lossy(), "--export", name]);
        }
        Some(mirror)
    }

    fn gpg(&self, arguments: &[&str]) {
        let mut gpg = Command::new("gpg");
        gpg.arg("--homedir").arg(self.path("gpg")).args(["--batch", "--quiet", "--pinentry-mode", "loopback"]);
        succeed(gpg.args(arguments));
    }

    /// Packs a root as a package, compressed as Ubuntu's are, and gives what the index says of it.
    fn package(&self, root: &Root, name: &str, version: &str, more: &str) -> String {
        let (tree, file) = (self.path(name), format!("pool/{name}_{version}.deb"));
        succeed(Command::new("cp").arg("-a").arg(root.path()).arg(&tree));
        create(&tree.join("DEBIAN"));
        let control = format!("{}Description: for a test\n", control(name, version, more));
        fs::write(tree.join("DEBIAN/control"), control).expect("written");
        let deb = self.path("ubuntu").join(&file);
        create(deb.parent().expect("a directory"));
        let mut dpkg_deb = Command::new("dpkg-deb");
        succeed(dpkg_deb.args(["--root-owner-group", "-Zzstd", "-z1", "--build"]).arg(&tree).arg(&deb));
        fs::remove_dir_all(tree).expect("removed");
        let bytes = fs::read(deb).expect("a package");
        stanza(name, version, more, &file, bytes.len(), &sum(&bytes))
    }

    /// Writes the indexes of all suites, and signs them.
    fn publish(&self, parts: &[Part]) {
        let arch = arch().debian();
        for suite in SUITES {
            let directory = self.path("ubuntu").join("dists").join(suite);
            let mut release = format!(
                "Origin: Ubuntu\nLabel: Ubuntu\nSuite: {suite}\nVersion: 24.04\nCodename: noble\n\
                 Date: Thu, 25 Apr 2024 15:10:33 UTC\nArchitectures: {arch}\nComponents: {}\nSHA256:\n",
                COMPONENTS.join(" ")
            );
            for component in COMPONENTS {
                let is_it = |part: &&Part| (part.0, part.1) == (suite, component);
                let index = parts.iter().find(is_it).map(|part| part.2.as_str()).unwrap_or_default();
                let name = format!("{component}/binary-{arch}/Packages");
                create(directory.join(&name).parent().expect("a directory"));
                fs::write(directory.join(&name), index).expect("written");
                release += &format!(" {} {} {name}\n", sum(index.as_bytes()), index.len());
            }
            let [unsigned, signed] = ["Release", "InRelease"].map(|name| directory.join(name));
            fs::write(&unsigned, release).expect("written");
            let [unsigned, signed] = [&unsigned, &signed].map(|path| path.to_string_lossy());
            self.gpg(&["--local-user", KEYS[0], "--output", &signed, "--clear-sign", &unsigned]);
        }
    }
}

impl Drop for Mirror {
    /// gpg leaves a process behind that keeps keys.
    fn drop(&mut self) {
        let ended = Command::new("gpgconf").arg("--homedir").arg(self.path("gpg")).args(["--kill", "all"]).status();
        assert!(ended.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

/// What is built of Debian's packages anyway.
fn root(recipe: Recipe) -> Root {
    let cache = Cache::from_env().expect("a cache");
    packages::build(&Release::stable(), &Build::from(recipe), arch(), &cache, &()).expect("Debian's packages")
}

fn arch() -> Arch {
    Arch::host().expect("a processor that is known")
}

fn control(name: &str, version: &str, more: &str) -> String {
    let arch = arch().debian();
    format!(
        "Package: {name}\nVersion: {version}\nArchitecture: {arch}\nMaintainer: Nobody <nobody@mirror.test>\n{more}"
    )
}

fn stanza(name: &str, version: &str, more: &str, file: &str, size: usize, sum: &str) -> String {
    format!("{}Filename: {file}\nSize: {size}\nSHA256: {sum}\n\n", control(name, version, more))
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn create(directory: &Path) {
    fs::create_dir_all(directory).expect("a directory");
}

#[track_caller]
fn succeed(command: &mut Command) {
    let output = command.output().expect("a program");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
