//! Reading the nginx.conf and what it includes, which may be a loop, or far too much.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::DeploymentError;
use super::directive::{Argument, ConfigFile, Directive};
use super::made::{Made, MadeKind};
use super::read::MAX_CONFIG_BYTES;
use super::stock::{self, Stock};
use super::syntax::{self, MAX_DEPTH, MAX_WORDS};
use super::template::Placeholder;
use super::tree::{self, Found, Included, Tree};
use super::user_file::UserFile;
use crate::location::Location;

/// Where files come from.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) tree: &'a Tree,
    /// The values of placeholders.
    pub(super) env: &'a [(String, String)],
    /// Files that stand for a missing one of the same name.
    pub(super) spare: &'a [PathBuf],
    /// Texts that were made, by their paths in the Pod.
    pub(super) made: &'a BTreeMap<String, String>,
}

/// All that was read.
#[derive(Default)]
pub(super) struct Loaded {
    /// The files in the order of reading.
    pub(super) files: Vec<ConfigFile>,
    pub(super) directives: Vec<Directive>,
    pub(super) made: Vec<Made>,
    pub(super) placeholders: Vec<Placeholder<Location>>,
    pub(super) empty: Vec<EmptyInclude>,
    /// Those of the spare files that were used.
    pub(super) used: BTreeSet<PathBuf>,
}

/// An `include` of a file of which nothing is known.
pub(super) struct EmptyInclude {
    pub(super) path_in_pod: String,
    /// The block around the `include`; empty outside all.
    pub(super) block: String,
}

/// The file at a path in the Pod, and the directives in it with those of included files in their places.
pub(super) fn read_all(path_in_pod: &str, sources: Sources<'_>) -> Result<Loaded, DeploymentError> {
    let mut loader =
        Loader { sources, loaded: Loaded::default(), open: Vec::new(), blocks: Vec::new(), bytes: 0, words: 0 };
    let directives = match (sources.made.get(path_in_pod), sources.tree.lookup(path_in_pod)) {
        (Some(text), _) => loader.made_file(path_in_pod, text, None)?,
        (None, Found::File(path)) => loader.user_file(&path, path_in_pod.to_owned(), None)?,
        _ => return Err(DeploymentError::NotFound { path: path_in_pod.into() }),
    };
    loader.loaded.directives = directives;
    Ok(loader.loaded)
}

/// An `include`, and how many blocks and includes are around it.
type From<'a> = Option<(&'a Directive, usize)>;

struct Loader<'a> {
    sources: Sources<'a>,
    loaded: Loaded,
    /// The files that are being read, to see a loop.
    open: Vec<PathBuf>,
    /// The names of the blocks around.
    blocks: Vec<String>,
    bytes: u64,
    words: usize,
}

impl Loader<'_> {
    fn user_file(
        &mut self,
        path: &Path,
        path_in_pod: String,
        from: From<'_>,
    ) -> Result<Vec<Directive>, DeploymentError> {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        self.refuse_loop(&real, path, from)?;
        let user_file = UserFile::read(path, path_in_pod, self.sources.env)?;
        self.loaded.made.extend(user_file.rendered);
        self.loaded.placeholders.extend(user_file.placeholders);
        self.contents(user_file.file, user_file.directives, real, from)
    }

    fn made_file(&mut self, path_in_pod: &str, text: &str, from: From<'_>) -> Result<Vec<Directive>, DeploymentError> {
        let path = PathBuf::from(path_in_pod);
        self.refuse_loop(&path, &path, from)?;
        let file: Arc<str> = path_in_pod.into();
        let directives = syntax::parse(&file, text)?;
        let file = ConfigFile {
            file,
            text: text.into(),
            path_in_pod: path_in_pod.to_owned(),
            made: true,
            stands_for: from.map(|(include, _)| include.location.clone()),
            rendering: None,
        };
        self.contents(file, directives, path, from)
    }

    fn refuse_loop(&self, real: &Path, path: &Path, from: From<'_>) -> Result<(), DeploymentError> {
        match from {
            Some((include, _)) if self.open.iter().any(|open| open == real) => {
                let (location, file) = (include.location.clone(), path.display().to_string());
                Err(DeploymentError::IncludeLoop { location, file })
            }
            _ => Ok(()),
        }
    }

    fn contents(
        &mut self,
        file: ConfigFile,
        directives: Vec<Directive>,
        real: PathBuf,
        from: From<'_>,
    ) -> Result<Vec<Directive>, DeploymentError> {
        self.spend(file.text_in_pod().len() as u64, from)?;
        self.open.push(real);
        if !self.loaded.files.iter().any(|known| known.path_in_pod == file.path_in_pod) {
            self.loaded.files.push(file);
        }
        let directives = self.expanded(directives, from.map_or(0, |(_, depth)| depth))?;
        self.open.pop();
        Ok(directives)
    }

    /// The directives with those of included files behind each `include`.
    fn expanded(&mut self, directives: Vec<Directive>, depth: usize) -> Result<Vec<Directive>, DeploymentError> {
        let mut expanded = Vec::with_capacity(directives.len());
        for mut directive in directives {
            self.words += 1 + directive.args.len();
            if depth > MAX_DEPTH {
                return Err(DeploymentError::TooDeep { location: directive.location });
            }
            if let Some(block) = directive.block.take() {
                self.blocks.push(directive.name.clone());
                directive.block = Some(self.expanded(block, depth + 1)?);
                self.blocks.pop();
            }
            let included = self.included(&directive, depth + 1)?;
            expanded.push(directive);
            expanded.extend(included);
        }
        Ok(expanded)
    }

    fn included(&mut self, include: &Directive, depth: usize) -> Result<Vec<Directive>, DeploymentError> {
        let (true, [named]) = (include.is("include"), include.args.as_slice()) else {
            return Ok(Vec::new());
        };
        let mut directives = Vec::new();
        for Included { path_in_pod, found } in self.sources.tree.included(named)? {
            let from = Some((include, depth));
            directives.extend(match (self.sources.made.get(&path_in_pod), found) {
                (Some(text), _) => self.made_file(&path_in_pod, text, from)?,
                (None, Found::File(path)) => self.user_file(&path, path_in_pod, from)?,
                (None, Found::Dir(_)) => return Err(a_directory(path_in_pod)),
                (None, Found::LinkTo(target)) => match stock::known(&target) {
                    Some(stock) => self.stock_file(&path_in_pod, stock, from)?,
                    None => return Err(tree::leads_out(named, path_in_pod, target)),
                },
                (None, Found::Nothing) => self.missing(path_in_pod, named, from)?,
            });
        }
        Ok(directives)
    }

    /// What stands for a file that the tree lacks: nginx's own, a spare one, a well-known one, or an empty one.
    fn missing(&mut self, path: String, named: &Argument, from: From<'_>) -> Result<Vec<Directive>, DeploymentError> {
        if stock::is_packaged(&path) || path.contains('$') {
            return Ok(Vec::new());
        }
        let spare = self.sources.spare.iter().find(|spare| spare.file_name() == Path::new(&path).file_name());
        if let Some(spare) = spare {
            self.loaded.used.insert(spare.clone());
            return self.user_file(spare, path, from);
        }
        if let Some(stock) = stock::known(&path) {
            return self.stock_file(&path, stock, from);
        }
        let block = self.blocks.last().cloned().unwrap_or_default();
        self.note(&path, "empty: what it says is not known", &named.location);
        self.loaded.empty.push(EmptyInclude { path_in_pod: path.clone(), block });
        self.made_file(&path, "", from)
    }

    fn stock_file(&mut self, path: &str, stock: Stock, from: From<'_>) -> Result<Vec<Directive>, DeploymentError> {
        if let Some((include, _)) = from {
            self.note(path, &stock.by, &include.location);
        }
        self.made_file(path, &stock.text, from)
    }

    /// Lists a file that was made, once.
    fn note(&mut self, path: &str, by: &str, location: &Location) {
        if !self.loaded.files.iter().any(|file| file.path_in_pod == path) {
            let (what, by, location) = (path.to_owned(), by.to_owned(), self.users_place(location));
            self.loaded.made.push(Made { kind: MadeKind::Include, what, by, location });
        }
    }

    /// The user's line behind a place, which may be in a file that was made itself.
    fn users_place(&self, location: &Location) -> Option<Location> {
        super::nginx::users_place(&self.loaded.files, location)
    }

    /// Counts what is read, so that files which include one file many times, and so on, come to an end.
    fn spend(&mut self, bytes: u64, from: From<'_>) -> Result<(), DeploymentError> {
        // What a file costs beside its text: a million empty ones are too much as well.
        const PER_FILE: u64 = 1024;
        self.bytes += bytes;
        if let Some((include, _)) = from {
            self.bytes += PER_FILE;
            if self.bytes > MAX_CONFIG_BYTES || self.words > MAX_WORDS {
                return Err(DeploymentError::TooMuch { location: include.location.clone() });
            }
        }
        Ok(())
    }
}

fn a_directory(path: String) -> DeploymentError {
    DeploymentError::NotAFile { path: path.into(), kind: "a directory" }
}

#[cfg(test)]
mod tests {
    use crate::deployment::testing::Files;

    const MAIN: &str = "http {\n  include conf.d/*.conf;\n  include mime.types;\n}\n";

    #[test]
    fn includes_are_read_in_place_and_nginx_s_own_are_left() {
        let files = Files::of(&[("nginx.conf", MAIN), ("conf.d/b.conf", "b 2;"), ("conf.d/a.conf", "a 1;")]);
        let nginx = files.nginx().unwrap();
        let names: Vec<_> = nginx.directives[0].children().iter().map(|d| d.name.as_str()).collect();
        assert_eq!(names, ["include", "a", "b", "include"]);
        assert_eq!(nginx.files[1].path_in_pod, "/etc/nginx/conf.d/a.conf");
        assert_eq!(*nginx.files[1].file, *files.path("conf.d/a.conf").to_string_lossy());
    }

    #[test]
    fn absolute_paths_of_etc_nginx_are_in_the_tree_and_others_are_not() {
        let main = "http { include /etc/nginx/x.conf; include /etc/passwd; include ../../etc/passwd; include /proc/1/environ; }";
        let nginx = Files::of(&[("nginx.conf", main), ("x.conf", "x;")]).nginx().unwrap();
        assert_eq!(nginx.directives[0].children().len(), 5);
        let made: Vec<_> = nginx.made.iter().map(|made| format!("{}: {}", made.what, made.by)).collect();
        let empty = "empty: what it says is not known";
        assert_eq!(made, [format!("/etc/passwd: {empty}"), format!("/proc/1/environ: {empty}")]);
        assert!(nginx.files.iter().filter(|file| file.made).all(|file| file.text.is_empty()));
    }

    #[test]
    fn well_known_files_are_made_and_point_to_their_include() {
        let main = "http {\n include /etc/letsencrypt/options-ssl-nginx.conf;\n include snippets/fastcgi-php.conf; }";
        let nginx = Files::of(&[("nginx.conf", main)]).nginx().unwrap();
        assert!(nginx.directives[0].children_named("ssl_protocols").next().is_some());
        assert_eq!(nginx.made[0].location.as_ref().unwrap().line, 2);
        let place = nginx.locate("/etc/letsencrypt/options-ssl-nginx.conf", 4).unwrap();
        assert!(place.to_string().ends_with("nginx.conf:2:2"), "{place}");
    }

    #[test]
    fn loops_and_multiplying_includes_end() {
        let files = Files::of(&[("nginx.conf", "http {}\n include a.conf;"), ("a.conf", "include nginx.conf;")]);
        let message = files.nginx().unwrap_err().to_string();
        assert!(message.contains("a.conf:1:1: ") && message.contains("never ends"), "{message}");

        let names: Vec<String> = (0..40).map(|n| format!("{n}.conf")).collect();
        let texts: Vec<String> = (1..=40).map(|n| format!("include {n}.conf; include {n}.conf;")).collect();
        let mut tree: Vec<_> = names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
        tree.push(("nginx.conf", "http { include 0.conf; }"));
        assert!(Files::of(&tree).nginx().unwrap_err().to_string().contains("goes beyond"));
    }

    #[test]
    fn a_link_out_of_the_tree_is_not_followed() {
        let files = Files::of(&[("nginx.conf", "http { include x.conf; }")]);
        std::os::unix::fs::symlink("/etc/passwd", files.path("x.conf")).unwrap();
        let message = files.nginx().unwrap_err().to_string();
        assert!(message.contains("nginx.conf:1:16: ") && message.contains("link out of"), "{message}");
    }

    #[test]
    fn a_link_to_the_line_of_a_debian_module_is_that_line() {
        let files = Files::of(&[("nginx.conf", "include modules-enabled/*.conf; http { }"), ("modules-enabled/x", "")]);
        let target = "/usr/share/nginx/modules-available/mod-stream.conf";
        std::os::unix::fs::symlink(target, files.path("modules-enabled/50-mod-stream.conf")).unwrap();
        let nginx = files.nginx().unwrap();
        assert_eq!(nginx.directives[1].arg(0), Some("modules/ngx_stream_module.so"));
        assert_eq!(nginx.files[1].path_in_pod, "/etc/nginx/modules-enabled/50-mod-stream.conf");
    }
}
