//! Which modules of nginx a configuration needs: those that it loads, and those whose directives it uses.

mod catalogue;
mod elsewhere;
mod history;
mod module;

use std::collections::BTreeSet;
use std::path::Path;

use super::Nginx;
use super::directive::Directive;
use super::tree::{CONF_DIR, Tree};
use crate::location::Location;
use catalogue::DEBIAN;
use elsewhere::ELSEWHERE;
pub use history::Change;
use module::InImage;
pub use module::{Module, Package, Part};

/// What a configuration needs of the modules of nginx that not every build has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modules {
    /// Each module once, in load order.
    pub needed: Vec<NeededModule>,
    /// What the configuration loads itself.
    pub loaded: Vec<LoadedModule>,
    /// Whether it includes `/etc/nginx/modules-enabled/*.conf` before all blocks, as Debian's own nginx.conf does.
    pub includes_enabled: bool,
}

/// A module that a configuration needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeededModule {
    /// Which.
    pub module: &'static Module,
    /// The first directive that needs it.
    pub location: Location,
}

/// A `load_module` directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedModule {
    /// The file, as it is written.
    pub path: String,
    /// Where.
    pub location: Location,
}

impl LoadedModule {
    /// The name of the file alone.
    pub fn file(&self) -> &str {
        Path::new(&self.path).file_name().and_then(|name| name.to_str()).unwrap_or(&self.path)
    }
}

impl Modules {
    pub(super) fn of(nginx: &Nginx) -> Self {
        let mut modules = Self { includes_enabled: includes_enabled(&nginx.directives), ..Self::default() };
        modules.collect(&nginx.directives, Part::Http);
        modules.needed.sort_by_key(|needed| rank(needed.module));
        modules
    }

    /// Whether the configuration loads a file of this name itself.
    pub fn loads(&self, file: &str) -> bool {
        self.loaded.iter().any(|loaded| loaded.file() == file)
    }

    /// The packages of Debian that bring them.
    pub fn packages(&self) -> BTreeSet<String> {
        let packages = self.needed.iter().filter_map(|needed| needed.module.package.as_ref());
        packages
            .flat_map(|package| {
                std::iter::once(package.name()).chain(package.with.iter().map(|with| (*with).to_owned()))
            })
            .collect()
    }

    /// Whether the official image of nginx does as well as Debian's packages: it has some compiled in, and some as files
    /// that the configuration must load itself. What neither has makes no difference.
    pub fn suit_official_image(&self) -> bool {
        self.needed.iter().all(|NeededModule { module, .. }| {
            let loads = module.file().is_some_and(|file| self.loads(file));
            match module.image {
                InImage::Static => !loads,
                InImage::File => loads,
                InImage::Absent => module.package.is_none(),
            }
        })
    }

    /// The module that a directive of this configuration belongs to, and where the configuration uses it first.
    pub fn of_directive(&self, directive: &str) -> Option<(&'static Module, Option<&Location>)> {
        let used = self.needed.iter().find(|needed| needed.module.has(directive));
        match used {
            Some(needed) => Some((needed.module, Some(&needed.location))),
            None => known().find(|module| module.has(directive)).map(|module| (module, None)),
        }
    }

    fn collect(&mut self, directives: &[Directive], part: Part) {
        for directive in directives {
            if let ("load_module", Some(path)) = (directive.name.as_str(), directive.arg(0)) {
                let loaded = LoadedModule { path: path.to_owned(), location: directive.location.clone() };
                if let Some(module) = Module::in_file(loaded.file()) {
                    self.need(module, directive);
                }
                self.loaded.push(loaded);
            } else if let Some(module) = known().find(|module| module.part == part && module.has(&directive.name)) {
                self.need(module, directive);
            }
            if !OTHER_LANGUAGES.contains(&directive.name.as_str()) {
                self.collect(directive.children(), if directive.is("stream") { Part::Stream } else { part });
            }
        }
    }

    fn need(&mut self, module: &'static Module, directive: &Directive) {
        if self.needed.iter().all(|known| known.module != module) {
            self.needed.push(NeededModule { module, location: directive.location.clone() });
        }
    }
}

impl Module {
    /// The module whose own file has this name.
    pub fn in_file(file: &str) -> Option<&'static Self> {
        known().find(|module| module.file() == Some(file))
    }
}

/// Blocks in which the first word of a line is no directive, or one of another program's.
const OTHER_LANGUAGES: [&str; 8] = ["map", "geo", "geoip2", "types", "split_clients", "charset_map", "rtmp", "mail"];

fn known() -> impl Iterator<Item = &'static Module> {
    DEBIAN.iter().chain(ELSEWHERE)
}

fn rank(module: &'static Module) -> usize {
    known().position(|known| known == module).unwrap_or(usize::MAX)
}

/// nginx takes no module any more once it has met a block.
fn includes_enabled(directives: &[Directive]) -> bool {
    let before_blocks = directives.iter().take_while(|directive| directive.block.is_none());
    let enabled = format!("{CONF_DIR}/modules-enabled/*.conf");
    before_blocks
        .filter(|directive| directive.is("include"))
        .filter_map(|include| include.arg(0))
        .any(|named| Tree::path_in_pod(named) == enabled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::testing::Files;

    fn modules(text: &str) -> Modules {
        Modules::of(&Files::of(&[("nginx.conf", text)]).nginx().unwrap())
    }

    fn names(text: &str) -> Vec<&'static str> {
        modules(text).needed.iter().map(|needed| needed.module.name).collect()
    }

    #[test]
    fn directives_tell_the_modules_and_data_does_not() {
        let http = "http {
            map $a $b { echo 1; lua_x 2; }
            types { image/x perl; }
            server { more_set_headers 'A: b'; location / { access_by_lua_block { return } } set_md5 $x y; }
        }";
        assert_eq!(names(http), ["headers-more", "lua", "set-misc"]);
        assert_eq!(
            names("http { proxy_pass x; set_real_ip_from 1.2.3.4; proxy_connect_timeout 1s; http2 on; }"),
            [""; 0]
        );
    }

    #[test]
    fn the_same_directive_is_another_module_in_another_part() {
        assert_eq!(names("stream { js_import a.js; } http { }"), ["stream", "stream njs"]);
        assert_eq!(names("http { js_import a.js; geoip2 x { $a b; } }"), ["geoip2", "njs"]);
    }

    #[test]
    fn what_is_loaded_counts_by_its_file_name() {
        let modules = modules("load_module \"/usr/lib64/nginx/modules/ngx_http_lua_module.so\"; load_module x/y.so;");
        assert_eq!(modules.needed[0].module.name, "lua");
        assert!(
            modules.loads("ngx_http_lua_module.so") && modules.loads("y.so") && !modules.loads("ndk_http_module.so")
        );
        assert_eq!(modules.packages().into_iter().collect::<Vec<_>>(), ["libnginx-mod-http-lua", "lua-cjson"]);
    }

    #[test]
    fn modules_are_enabled_before_the_first_block_alone() {
        assert!(modules("user x; include /etc/nginx/modules-enabled/*.conf; events {}").includes_enabled);
        assert!(modules("include modules-enabled/*.conf;").includes_enabled);
        assert!(!modules("events {} include /etc/nginx/modules-enabled/*.conf;").includes_enabled);
    }

    #[test]
    fn the_official_image_has_some() {
        for (text, suits) in [
            ("stream {}", true),
            ("load_module modules/ngx_stream_module.so; stream {}", false),
            ("http { js_import a.js; }", false),
            ("load_module modules/ngx_http_js_module.so; http { js_import a.js; }", true),
            ("http { more_clear_headers Server; }", false),
            ("http { vhost_traffic_status_zone; }", true),
        ] {
            assert_eq!(modules(text).suit_official_image(), suits, "{text}");
        }
    }

    #[test]
    fn no_two_modules_of_a_part_claim_the_same_name() {
        for (index, module) in known().enumerate() {
            for directive in module.directives.iter().filter(|directive| !directive.contains('*')) {
                let first = known().position(|other| other.part == module.part && other.has(directive));
                assert_eq!(first, Some(index), "{directive} of {}", module.name);
            }
        }
    }
}
