//! What is behind a refusal of nginx: a module that its build lacks, or a version that does not fit.

use crate::deployment::modules::{Change, LoadedModule, Module, Modules};
use crate::finding::Fix;
use crate::location::Location;

/// Why nginx refuses a line, where that is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cause {
    pub(super) message: String,
    pub(super) fix: Fix,
    /// What it is about, for a refusal that names no line of the deployment.
    pub(super) location: Option<Location>,
}

/// What is behind a line of nginx's error log, if it is about modules or versions.
pub(super) fn cause(said: &str, modules: &Modules) -> Option<Cause> {
    if let Some(directive) = quoted_behind(said, "unknown directive ") {
        return unknown_directive(directive, modules);
    }
    if let Some(parameter) = quoted_behind(said, "invalid parameter ") {
        return Module::parameter_since(parameter).map(|version| too_old(parameter, version));
    }
    if let Some(path) = quoted_behind(said, "dlopen() ") {
        return Some(not_loaded(said, path, modules));
    }
    let refused =
        ["is already loaded", "is not binary compatible", " instead of "].iter().find(|end| said.contains(*end));
    match (quoted_behind(said, "module "), refused) {
        (Some(name), Some(why)) => Some(refused_module(name, why, modules)),
        _ => None,
    }
}

fn unknown_directive(directive: &str, modules: &Modules) -> Option<Cause> {
    match Module::history(directive) {
        Some(Change::Since(version)) => return Some(too_old(directive, version)),
        Some(Change::Gone(version, instead)) => {
            return Some(Cause {
                message: format!("nginx has no `{directive}` any more since {version}"),
                fix: capitalised(instead).into(),
                location: None,
            });
        }
        None => {}
    }
    let (module, location) = modules.of_directive(directive)?;
    Some(Cause {
        message: format!("`{directive}` belongs to {}, which this nginx does not have", called(module)),
        fix: where_to_get(module).into(),
        location: location.cloned(),
    })
}

fn too_old(what: &str, version: &str) -> Cause {
    Cause {
        message: format!("nginx knows `{what}` since {version}, and this one does not"),
        fix: format!("Run nginx {version} or newer, such as --nginx debian:{}", Module::release_with(version)).into(),
        location: None,
    }
}

/// A file of a module that the loader did not take: it is not there, or what it is built on was not loaded before.
fn not_loaded(said: &str, path: &str, modules: &Modules) -> Cause {
    let file = path.rsplit('/').next().unwrap_or(path);
    let loaded = modules.loaded.iter().find(|loaded| loaded.file() == file);
    let location = loaded.map(|loaded| loaded.location.clone());
    let module = Module::in_file(file);
    if said.contains("undefined symbol") {
        return Cause {
            message: format!("{file} needs something that is not loaded before it"),
            fix: load_before(module, loaded, modules),
            location,
        };
    }
    match module {
        Some(module) => Cause {
            message: format!("this nginx does not have {}: there is no {file}", called(module)),
            fix: match module.name {
                "stream" | "mail" => format!(
                    "Where it is compiled in, as in the official image, take the line out; where it is a file: {}",
                    where_to_get(module)
                ),
                _ => where_to_get(module),
            }
            .into(),
            location,
        },
        None => Cause {
            message: format!("this nginx does not have the module {file}"),
            fix: format!("{NOWHERE}, or take the line out").into(),
            location,
        },
    }
}

fn load_before(module: Option<&Module>, loaded: Option<&LoadedModule>, modules: &Modules) -> Fix {
    let base = module.and_then(|module| match module.files {
        [base, _own] if !modules.loads(base) => Some(base),
        _ => None,
    });
    match (base, loaded) {
        (Some(base), Some(loaded)) => {
            let directory = loaded.path.strip_suffix(loaded.file()).unwrap_or_default();
            Fix::insert_before(loaded.location.clone(), format!("load_module {directory}{base};"))
        }
        _ => "Load what it is built on in a line before it, from the same build of nginx".to_owned().into(),
    }
}

fn refused_module(name: &str, why: &str, modules: &Modules) -> Cause {
    let file = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".so").to_owned() + ".so";
    let loaded = modules.loaded.iter().rev().find(|loaded| loaded.file() == file);
    let (message, fix) = match why {
        "is already loaded" => (format!("{name} is loaded twice, or compiled in"), "Take this line out"),
        _ => (
            format!("{file} was built for another nginx"),
            "Take the module from where nginx comes from: the same release and the same package source",
        ),
    };
    Cause { message, fix: fix.to_owned().into(), location: loaded.map(|loaded| loaded.location.clone()) }
}

fn called(module: &Module) -> String {
    match module.file() {
        Some(_) => format!("the module {}", module.name),
        None => module.name.to_owned(),
    }
}

const NOWHERE: &str = "No package of Debian has it: run an image whose nginx does, --nginx docker:IMAGE";

fn where_to_get(module: &Module) -> String {
    match (&module.package, module.file()) {
        (Some(package), _) => {
            let (name, releases) = (package.name(), package.releases.join(", "));
            format!("Debian has it as {name} ({releases}): run such a build, --nginx debian:{}", package.release())
        }
        (None, Some(file)) if module.is_in_official_image() => {
            format!("The official image has it: --nginx docker:nginx, with `load_module modules/{file};` at the top")
        }
        (None, _) => format!("{NOWHERE}, or take the line out. It comes from {}", module.home),
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// The text in quotes that follows these words.
fn quoted_behind<'a>(said: &'a str, words: &str) -> Option<&'a str> {
    said.strip_prefix(words)?.strip_prefix('"')?.split_once('"').map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> (String, String) {
        let cause = cause(line, &Modules::default()).expect("a cause");
        (cause.message, cause.fix.text)
    }

    #[test]
    fn a_directive_names_its_module_and_who_has_it() {
        let (message, fix) = said("unknown directive \"vhost_traffic_status_zone\" in /etc/nginx/nginx.conf:4");
        assert!(message.contains("the module vhost_traffic_status"), "{message}");
        assert!(fix.contains("No package of Debian") && fix.contains("nginx-module-vts"), "{fix}");
        let (_, fix) = said("unknown directive \"auth_jwt_enabled\" in /x:1");
        assert!(fix.contains("libnginx-mod-http-auth-jwt (forky)") && fix.contains("debian:forky"), "{fix}");
        let (_, fix) = said("unknown directive \"more_set_headers\" in /x:1");
        assert!(fix.ends_with("--nginx debian:trixie"), "{fix}");
        let (message, _) = said("unknown directive \"zone_sync\" in /x:1");
        assert!(message.contains("belongs to NGINX Plus"), "{message}");
        assert_eq!(cause("unknown directive \"proxy_read_timout\" in /x:1", &Modules::default()), None);
    }

    #[test]
    fn a_directive_of_another_version_says_so() {
        let (message, fix) = said("unknown directive \"http2\" in /x:1");
        assert!(message.contains("since 1.25.1") && fix.ends_with("debian:trixie"), "{message} {fix}");
        let (message, fix) = said("unknown directive \"ssl\" in /x:1");
        assert!(message.contains("any more") && fix.starts_with("Write `ssl`"), "{message} {fix}");
        assert!(said("invalid parameter \"quic\" in /x:1").0.contains("1.25.0"));
    }

    #[test]
    fn a_module_that_does_not_load_is_named() {
        let dlopen = "dlopen() \"/usr/share/nginx/modules/ngx_http_lua_module.so\" failed";
        let (message, fix) = said(&format!("{dlopen} (x: cannot open shared object file) in /x:1"));
        assert!(message.contains("the module lua") && fix.contains("libnginx-mod-http-lua"), "{message} {fix}");
        let (message, _) = said(&format!("{dlopen} (x: undefined symbol: ndk_set_var_value) in /x:1"));
        assert!(message.contains("loaded before it"), "{message}");
        let (_, fix) = said("dlopen() \"/x/ngx_own_module.so\" failed (no file) in /x:1");
        assert!(fix.starts_with("No package of Debian has it"), "{fix}");
        let (message, _) = said("module \"/x/ngx_http_js_module.so\" version 1018000 instead of 1026003 in /x:1");
        assert!(message.contains("another nginx"), "{message}");
        assert!(said("module \"ngx_http_js_module\" is already loaded in /x:1").0.contains("twice"));
    }
}
