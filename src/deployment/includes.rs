//! Reading the nginx.conf and what it includes, which may be a loop, or far too much.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::DeploymentError;
use super::directive::{ConfigFile, Directive};
use super::read::{self, MAX_BYTES};
use super::syntax::{self, MAX_DEPTH, MAX_WORDS};
use super::tree::{CONF_DIR, Tree};

/// The files, and the directives of the nginx.conf with those of included files in their places.
pub(super) fn read_all(nginx_conf: &Path, tree: &Tree) -> Result<(Vec<ConfigFile>, Vec<Directive>), DeploymentError> {
    let mut loader = Loader { tree, files: Vec::new(), open: Vec::new(), bytes: 0, words: 0 };
    let directives = loader.file(nginx_conf, format!("{CONF_DIR}/nginx.conf"), None)?;
    Ok((loader.files, directives))
}

/// An `include`, and how many blocks and includes are around it.
type From<'a> = Option<(&'a Directive, usize)>;

struct Loader<'a> {
    tree: &'a Tree,
    files: Vec<ConfigFile>,
    /// The files that are being read, to see a loop.
    open: Vec<PathBuf>,
    bytes: u64,
    words: usize,
}

impl Loader<'_> {
    fn file(&mut self, path: &Path, path_in_pod: String, from: From<'_>) -> Result<Vec<Directive>, DeploymentError> {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if let Some((include, _)) = from.filter(|_| self.open.contains(&real)) {
            let (location, file) = (include.location.clone(), path.display().to_string());
            return Err(DeploymentError::IncludeLoop { location, file });
        }
        let text = read::text(path)?;
        let file: Arc<str> = path.to_string_lossy().into();
        let directives = syntax::parse(&file, &text)?;
        self.spend(text.len() as u64, from)?;
        self.open.push(real);
        if !self.files.iter().any(|known| known.file == file) {
            self.files.push(ConfigFile { file, text: text.into(), path_in_pod });
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
            directive.block = match directive.block {
                Some(block) => Some(self.expanded(block, depth + 1)?),
                None => None,
            };
            let included = self.included(&directive, depth)?;
            expanded.push(directive);
            expanded.extend(included);
        }
        Ok(expanded)
    }

    fn included(&mut self, include: &Directive, depth: usize) -> Result<Vec<Directive>, DeploymentError> {
        let (true, [named]) = (include.is("include"), include.args.as_slice()) else {
            return Ok(Vec::new());
        };
        let mut included = Vec::new();
        for path in self.tree.included(named)? {
            let path_in_pod = self.tree.in_pod(&path);
            included.extend(self.file(&path, path_in_pod, Some((include, depth + 1)))?);
        }
        Ok(included)
    }

    /// Counts what is read, so that files which include one file many times, and so on, come to an end.
    fn spend(&mut self, bytes: u64, from: From<'_>) -> Result<(), DeploymentError> {
        // What a file costs beside its text: a million empty ones are too much as well.
        const PER_FILE: u64 = 1024;
        self.bytes += bytes;
        if let Some((include, _)) = from {
            self.bytes += PER_FILE;
            if self.bytes > MAX_BYTES || self.words > MAX_WORDS {
                return Err(DeploymentError::TooMuch { location: include.location.clone() });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::deployment::testing::Files;

    const MAIN: &str = "http {\n  include conf.d/*.conf;\n  include mime.types;\n}\n";

    #[test]
    fn includes_are_read_in_place_and_the_missing_are_left() {
        let files = Files::of(&[("nginx.conf", MAIN), ("conf.d/b.conf", "b 2;"), ("conf.d/a.conf", "a 1;")]);
        let nginx = files.nginx().unwrap();
        let names: Vec<_> = nginx.directives[0].children().iter().map(|d| d.name.as_str()).collect();
        assert_eq!(names, ["include", "a", "b", "include"]);
        assert_eq!(nginx.files[1].path_in_pod, "/etc/nginx/conf.d/a.conf");
        assert_eq!(*nginx.files[1].file, *files.path("conf.d/a.conf").to_string_lossy());
    }

    #[test]
    fn absolute_paths_of_etc_nginx_are_in_the_tree_and_others_are_not() {
        let main = "include /etc/nginx/x.conf; include /etc/passwd; include ../../etc/passwd;";
        let nginx = Files::of(&[("nginx.conf", main), ("x.conf", "x;")]).nginx().unwrap();
        assert_eq!(nginx.directives.len(), 4);
        assert_eq!(nginx.files.len(), 2);
    }

    #[test]
    fn loops_and_multiplying_includes_end() {
        let files = Files::of(&[("nginx.conf", "\n include a.conf;"), ("a.conf", "include nginx.conf;")]);
        let message = files.nginx().unwrap_err().to_string();
        assert!(message.contains("a.conf:1:1: ") && message.contains("never ends"), "{message}");

        let names: Vec<String> = (0..40).map(|n| format!("{n}.conf")).collect();
        let texts: Vec<String> = (1..=40).map(|n| format!("include {n}.conf; include {n}.conf;")).collect();
        let mut tree: Vec<_> = names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
        tree.push(("nginx.conf", "include 0.conf;"));
        assert!(Files::of(&tree).nginx().unwrap_err().to_string().contains("goes beyond"));
    }

    #[test]
    fn a_link_out_of_the_tree_is_not_followed() {
        let files = Files::of(&[("nginx.conf", "include x.conf;")]);
        std::os::unix::fs::symlink("/etc/passwd", files.path("x.conf")).unwrap();
        let message = files.nginx().unwrap_err().to_string();
        assert!(message.contains("nginx.conf:1:9: ") && message.contains("link out of"), "{message}");
    }
}
