//! The modules of nginx that a deployment needs, loaded where its own host would load them.

use super::{PodFile, Substitution, SubstitutionKind};
use crate::deployment::modules::{LoadedModule, Module, NeededModule};
use crate::deployment::{Deployment, Modules, Tree};

/// Where a build of packages has its modules.
const MODULES: &str = "/usr/lib/nginx/modules";
/// What such an nginx takes relative paths of modules from. Its `modules` leads to the directory above.
const PREFIX: &str = "/usr/share/nginx";
/// The directory whose files Debian's own nginx.conf includes first.
const ENABLED: &str = "/etc/nginx/modules-enabled";

/// How one build of nginx gets the modules that a deployment needs.
#[derive(Clone, Debug, Default)]
pub(crate) struct AddedModules {
    /// What goes into nginx's container beside the deployment's files.
    pub(crate) files: Vec<PodFile>,
    /// Directives that nginx gets on its command line.
    pub(crate) globals: Vec<String>,
    /// What was made up.
    pub(crate) substitutions: Vec<Substitution>,
}

impl AddedModules {
    /// Loads the modules that the deployment needs and does not load itself, from those that its nginx has as files; what
    /// it has not, nginx refuses in its own words. Those that it does load are put where it expects them.
    pub(crate) fn of(deployment: &Deployment, available: &[String]) -> Self {
        let mut all = Self::default();
        let is_available = |file: &str| available.iter().any(|known| known == file);
        let modules = &deployment.modules;
        for loaded in modules.loaded.iter().filter(|loaded| is_available(loaded.file())) {
            all.place(loaded);
        }
        let mut added: Vec<&str> = Vec::new();
        for needed in &modules.needed {
            if !needed.module.file().is_some_and(|own| is_available(own) && !modules.loads(own)) {
                continue;
            }
            for file in needed.module.files {
                if is_available(file) && !modules.loads(file) && !added.contains(file) {
                    added.push(file);
                    all.load(needed, file, modules);
                }
            }
        }
        all
    }

    /// Puts a module that the configuration loads where it looks for it.
    fn place(&mut self, loaded: &LoadedModule) {
        let (file, path) = (loaded.file(), path_in_pod(&loaded.path));
        let (real, native) = (format!("{MODULES}/{file}"), format!("{PREFIX}/modules/{file}"));
        let package = Module::in_file(file).and_then(|module| module.package.as_ref());
        let from = package.map_or_else(|| "the package of nginx".to_owned(), |package| package.name());
        let by = match path == real || path == native {
            true => from,
            false => {
                self.files.push(PodFile::link(&path, &real));
                format!("{from}, by a link to {real}")
            }
        };
        self.substitutions.push(Substitution {
            kind: SubstitutionKind::Module,
            what: loaded.path.clone(),
            by,
            location: Some(loaded.location.clone()),
        });
    }

    /// Loads a module that a directive needs: as Debian does, if the configuration includes what is enabled there, else
    /// on the command line.
    fn load(&mut self, needed: &NeededModule, file: &str, modules: &Modules) {
        let directive = format!("load_module modules/{file};");
        let module = Module::in_file(file).unwrap_or(needed.module);
        let from = module.package.as_ref().map(|package| package.name()).unwrap_or_default();
        let by = match module.conf().filter(|_| modules.includes_enabled) {
            Some(conf) => {
                let path = format!("{ENABLED}/{conf}");
                let by = format!("{from}, loaded by {path}");
                self.files.push(PodFile::file(path, format!("{directive}\n"), 0o644));
                by
            }
            None => {
                let by = format!("{from}, loaded by -g '{directive}'");
                self.globals.push(directive);
                by
            }
        };
        self.substitutions.push(Substitution {
            kind: SubstitutionKind::Module,
            what: file.to_owned(),
            by,
            location: Some(needed.location.clone()),
        });
    }
}

fn path_in_pod(path: &str) -> String {
    match path.starts_with('/') {
        true => Tree::path_in_pod(path),
        false => Tree::path_in_pod(&format!("{PREFIX}/{path}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::PodContent;

    const ROUTE: &str = "http { more_set_headers 'A: b'; server { listen 80; set_md5 $a b;
        location / { proxy_pass http://localhost:9090; } } }";
    const AVAILABLE: [&str; 3] =
        ["ndk_http_module.so", "ngx_http_headers_more_filter_module.so", "ngx_http_set_misc_module.so"];

    fn added(before: &str) -> AddedModules {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("nginx.conf");
        std::fs::write(&file, format!("{before}\nevents {{}}\n{ROUTE}")).expect("written");
        let deployment = Deployment::load(&file).expect("a deployment");
        AddedModules::of(&deployment, &AVAILABLE.map(str::to_owned))
    }

    fn file(added: &AddedModules, path: &str) -> Option<String> {
        let file = added.files.iter().find(|file| file.path == path)?;
        match &file.content {
            PodContent::File(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            PodContent::Link(target) => Some(format!("-> {target}")),
            PodContent::Directory => None,
        }
    }

    #[test]
    fn what_nothing_loads_is_loaded_on_the_command_line_in_order() {
        let added = added("");
        assert_eq!(
            added.globals,
            [
                "load_module modules/ngx_http_headers_more_filter_module.so;",
                "load_module modules/ndk_http_module.so;",
                "load_module modules/ngx_http_set_misc_module.so;"
            ]
        );
        let modules = added.substitutions.iter().filter(|made| made.kind == SubstitutionKind::Module);
        assert_eq!(modules.count(), 3);
    }

    #[test]
    fn where_debian_includes_what_is_enabled_it_is_enabled() {
        let added = added("include /etc/nginx/modules-enabled/*.conf;");
        assert!(added.globals.is_empty());
        let conf = file(&added, "/etc/nginx/modules-enabled/10-mod-http-ndk.conf");
        assert_eq!(conf.as_deref(), Some("load_module modules/ndk_http_module.so;\n"));
    }

    #[test]
    fn what_is_loaded_from_elsewhere_is_found_there_and_not_loaded_twice() {
        let path = "/usr/lib64/nginx/modules/ngx_http_headers_more_filter_module.so";
        let added = added(&format!("load_module {path}; load_module modules/ndk_http_module.so;"));
        let link = file(&added, path);
        assert_eq!(link.as_deref(), Some("-> /usr/lib/nginx/modules/ngx_http_headers_more_filter_module.so"));
        assert_eq!(added.globals, ["load_module modules/ngx_http_set_misc_module.so;"]);
    }
}
