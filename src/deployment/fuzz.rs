//! Configurations from a stranger: whatever they say, loading ends, soon, without a panic and in little memory.
//!
//! `ci/fuzz` runs many more cases than `cargo test` does.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rustix::time::{ClockId, clock_gettime};

use super::{Deployment, Options};

/// The longest that one load may take of the processor.
const LONGEST: Duration = Duration::from_secs(1);

/// The same for texts of the largest size: without optimisation it takes several times as long.
const LONGEST_FOR_LARGE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 8 } else { 1 });

/// The largest size that is tried: a quarter of what is allowed where nothing is optimised.
const LARGE: usize = if cfg!(debug_assertions) { 512 << 10 } else { (2 << 20) - 200 };

/// The most memory that the process may have taken, in KiB.
const MOST_MEMORY: u64 = 500 * 1024;

const SEEDS: [&str; 4] = [
    "events {}\nhttp {\n  map $http_upgrade $connection_upgrade { default upgrade; '' close; }\n  server {\n    listen 443 ssl;\n    \
     server_name a.b *.c ~^(?<x>.+)$;\n    ssl_certificate a.pem;\n    ssl_certificate_key a.key;\n    location ~ ^/p/(.*)$ {\n      \
     rewrite ^/p/(.*)$ /$1 break;\n      proxy_pass http://prometheus:9090;\n    }\n  }\n}\n",
    "upstream prom { server 10.0.0.1:9090 max_fails=3; server [::1]:9091 backup; server unix:/run/p.sock; }\n\
     limit_req_zone $binary_remote_addr zone=z:1m rate=1r/s;\nserver {\n  listen 80;\n  location = / { return 301 https://$host$request_uri; }\n  \
     location ^~ /p { limit_req zone=y; access_log /x main; proxy_pass http://prom/; include conf.d/*.conf; }\n}\n",
    "set $up \"http://${PROM}:9090\";\nif ($http_x ~* \"^y{2}$\") { return 403; }\nlocation /p/ { proxy_pass $up; }\n",
    "http { include sites-enabled/*; include b.conf; content_by_lua_block { return {{1}, '}'} -- it's\n } server { \
     location @n { proxy_pass http://prom; } location / { try_files $uri @n; } } }\n",
];

const TOKENS: [&str; 64] = [
    "http",
    "events",
    "server",
    "location",
    "upstream",
    "map",
    "geo",
    "if",
    "include",
    "listen",
    "server_name",
    "proxy_pass",
    "rewrite",
    "set",
    "return",
    "ssl_certificate",
    "ssl_certificate_key",
    "types",
    "set_by_lua_block",
    "limit_req",
    "access_log",
    "nginx.conf",
    "*.conf",
    "conf.d/*",
    "/etc/passwd",
    "[a",
    "*/*/*/*",
    "/proc/self/environ",
    "..",
    "/",
    "~",
    "=",
    "^~",
    "@x",
    "443",
    "ssl",
    "80",
    "[::]:443",
    "99999",
    "unix:",
    "http://prometheus:9090/",
    "http://$up",
    "https://a:9090",
    "$host",
    "${NAME}",
    "$NAME",
    "${x",
    "{{ x }}",
    "{%",
    "<%",
    "__X__",
    "\"",
    "'",
    "\\",
    "#",
    ";",
    ";",
    ";",
    "{",
    "{",
    "}",
    "}",
    "\n",
    "\u{e9}\u{a0}",
];

/// A tree of files and links, and how it is loaded.
#[derive(Clone, Debug)]
struct Case {
    files: Vec<(&'static str, Vec<u8>)>,
    links: Vec<(&'static str, &'static str)>,
    path: &'static str,
    env: bool,
    root: bool,
    with: bool,
}

/// One change of a text.
#[derive(Clone, Debug)]
enum Change {
    Insert(usize, &'static str),
    Remove(usize, usize),
    Repeat(usize, usize, usize),
    Byte(usize, u8),
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let tokens = prop::collection::vec(prop::sample::select(&TOKENS[..]), 0..200);
    let nesting =
        (0usize..300, prop::sample::select(&["a {", "server {", "${", "{", "\"{", "if (\\"][..]), any::<bool>());
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..400),
        2 => tokens.prop_map(|tokens| tokens.join(" ").into_bytes()),
        1 => nesting.prop_map(|(depth, open, closed)| {
            [open.repeat(depth), "}".repeat(if closed { depth } else { depth / 2 })].concat().into_bytes()
        }),
        6 => mutated(),
    ]
}

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = prop_oneof![
        3 => (any::<usize>(), prop::sample::select(&TOKENS[..])).prop_map(|(at, token)| Change::Insert(at, token)),
        2 => (any::<usize>(), 0usize..40).prop_map(|(at, length)| Change::Remove(at, length)),
        1 => (any::<usize>(), 0usize..60, 0usize..300).prop_map(|(at, length, times)| Change::Repeat(at, length, times)),
        2 => (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
    ];
    let changes = prop::collection::vec(change, 0..6);
    (prop::sample::select(&SEEDS[..]), changes).prop_map(|(seed, changes)| {
        changes.into_iter().fold(seed.as_bytes().to_vec(), |mut bytes, change| {
            let at = |wanted: usize| wanted % (bytes.len() + 1);
            match change {
                Change::Insert(wanted, token) => {
                    let at = at(wanted);
                    bytes.splice(at..at, format!(" {token} ").into_bytes());
                }
                Change::Remove(wanted, length) => {
                    let at = at(wanted);
                    bytes.drain(at..(at + length).min(bytes.len()));
                }
                Change::Repeat(wanted, length, times) => {
                    let at = at(wanted);
                    let piece = bytes[at..(at + length).min(bytes.len())].repeat(times);
                    bytes.splice(at..at, piece);
                }
                Change::Byte(wanted, byte) => {
                    let at = at(wanted);
                    bytes.splice(at..(at + 1).min(bytes.len()), [byte]);
                }
            }
            bytes
        })
    })
}

fn case() -> impl Strategy<Value = Case> {
    const NAMES: [&str; 6] =
        ["nginx.conf", "b.conf", "conf.d/c.conf", "sites-enabled/d", "snippets/e", "root/etc/nginx/f.conf"];
    const LINKS: [&str; 8] =
        ["conf.d/l.conf", "sites-enabled/m", "sites-enabled/loop", "n", "conf.d/o", "b.conf", "root/p", "root/etc/q"];
    const TARGETS: [&str; 9] = [
        "/etc/nginx/b.conf",
        "../b.conf",
        "loop",
        ".",
        "..",
        "/",
        "/etc",
        "/etc/passwd",
        "/usr/share/nginx/modules-available/mod-x.conf",
    ];
    const PATHS: [&str; 6] = ["nginx.conf", "nginx.conf", "b.conf", "conf.d", "sites-enabled", ""];
    let files = prop::collection::vec((prop::sample::select(&NAMES[..]), text()), 1..4);
    let links = prop::collection::vec((prop::sample::select(&LINKS[..]), prop::sample::select(&TARGETS[..])), 0..4);
    let flags = (any::<bool>(), prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    (files, links, prop::sample::select(&PATHS[..]), flags).prop_map(|(files, links, path, (env, root, with))| Case {
        files,
        links,
        path,
        env,
        root,
        with,
    })
}

impl Case {
    fn write(&self, dir: &Path) {
        for name in ["conf.d", "sites-enabled", "snippets", "root/etc/nginx"] {
            fs::create_dir_all(dir.join(name)).expect("a directory");
        }
        for (name, bytes) in &self.files {
            fs::write(dir.join(name), bytes).expect("a file");
        }
        for (name, target) in &self.links {
            // A file may be there already.
            let _ = symlink(target, dir.join(name));
        }
    }

    fn options(&self, dir: &Path) -> Options {
        let value = "a;\n} ${NAME} \"";
        Options {
            env: if self.env { vec![("NAME".to_owned(), value.to_owned())] } else { Vec::new() },
            root: self.root.then(|| dir.join("root")),
            with: if self.with { vec![dir.join("b.conf")] } else { Vec::new() },
            ..Options::default()
        }
    }
}

/// Loads, and gives what came of it and the time of the processor that it took: a busy machine has no part in that.
fn load(path: &Path, options: &Options) -> (Result<Deployment, String>, Duration) {
    let begun = processor_time();
    let loaded = Deployment::load_with(path, options).map_err(|error| error.to_string());
    (loaded, processor_time().saturating_sub(begun))
}

/// What this thread has taken of the processor so far.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn check(case: &Case) -> Result<(), TestCaseError> {
    let dir = tempfile::tempdir().expect("a directory");
    case.write(dir.path());
    let (loaded, took) = load(&dir.path().join(case.path), &case.options(dir.path()));
    prop_assert!(took < LONGEST, "it took {took:?}");
    if let Ok(deployment) = loaded {
        // Nothing of this host is in it.
        let files = &deployment.nginx.files;
        prop_assert!(files.iter().all(|file| file.made || Path::new(&*file.file).starts_with(dir.path())));
    }
    Ok(())
}

/// What the process has taken at most, in KiB; none where the system does not tell.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

#[test]
fn no_configuration_makes_loading_panic_or_hang() {
    let cases = std::env::var("PROXYPROOF_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(500);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let mut runner = TestRunner::new(config);
    runner.run(&case(), |case| check(&case)).unwrap_or_else(|error| panic!("{error}"));
    let peak = peak_memory().unwrap_or(0);
    assert!(peak < MOST_MEMORY, "{peak} KiB of memory were taken");
}

fn written(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).expect("a file");
    path
}

#[test]
fn what_is_far_too_much_is_refused_soon() {
    let dir = tempfile::tempdir().expect("a directory");
    let sparse = dir.path().join("line.conf");
    fs::File::create(&sparse).and_then(|file| file.set_len(100 << 20)).expect("a file of 100 MB");
    for n in 0..21_000 {
        fs::File::create(dir.path().join(format!("{n}.inc"))).expect("a file");
    }
    let glob = written(dir.path(), "glob.conf", "http { include *.inc; }");
    let names = written(dir.path(), "names.conf", &format!("http {{ include {}; }}", "*".repeat(1 << 20)));
    for (path, expected) in
        [(&sparse, "larger than 10 MiB"), (&glob, "more than 20000 files"), (&names, "no route that leads")]
    {
        let (loaded, took) = load(path, &Options::default());
        let message = loaded.expect_err("refused");
        assert!(message.contains(expected), "{message}");
        assert!(took < LONGEST_FOR_LARGE, "{} took {took:?}", path.display());
    }
}

#[test]
fn long_texts_are_read_in_time() {
    let dir = tempfile::tempdir().expect("a directory");
    for (index, (head, piece, tail)) in [
        ("http { a ", "x", ""),
        ("http { a ", "__A", ""),
        ("http { a \"", "{{", ""),
        ("http { a '", "\\", ""),
        ("http { ", "a {", ""),
        ("http { a ", "$A", ""),
        ("http { a ", "${A:", ""),
        ("http { ", "a $b;", "}"),
        ("", "\n", ""),
        ("", "#\n", ""),
        ("", ";", ""),
        ("http { a_by_lua_block {", "[=[", ""),
        ("server { location / { proxy_pass http://prom; } ", "limit_req zone=$a;", "}"),
        ("", "server { location / { proxy_pass http://prom; } }\n", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let times = LARGE / piece.len();
        let text = format!("{head}{}{tail}", piece.repeat(times));
        let (_, took) = load(&written(dir.path(), &format!("{index}.conf"), &text), &Options::default());
        assert!(took < LONGEST_FOR_LARGE, "{piece:?} took {took:?}");
    }
}
