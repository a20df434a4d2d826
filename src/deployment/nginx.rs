//! The whole nginx configuration: its files, and one tree of directives through all includes.

use std::path::Path;
use std::sync::Arc;

use super::directive::{ConfigFile, Directive};
use super::tree::Tree;
use super::{DeploymentError, includes};
use crate::location::Location;

/// An nginx configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nginx {
    /// Its files: the nginx.conf first, then what it includes from the tree.
    pub files: Vec<ConfigFile>,
    /// What the nginx.conf says. Behind each `include` of a file of the tree stand that file's directives; the `include`
    /// of a file that the tree lacks stands alone, and nginx will look for it among its own.
    pub directives: Vec<Directive>,
    /// The directory that stands for `/etc/nginx`.
    pub tree: Tree,
}

impl Nginx {
    pub(super) fn load(path: &Path) -> Result<Self, DeploymentError> {
        let tree = Tree::around(path);
        let (files, directives) = includes::read_all(path, &tree)?;
        Ok(Self { files, directives, tree })
    }

    /// The file that the user named.
    pub(super) fn name(&self) -> &str {
        self.files.first().map_or("", |file| &*file.file)
    }

    /// The text of a file, named as the user did or as nginx does.
    pub fn file(&self, file: &str) -> Option<&ConfigFile> {
        self.files.iter().find(|known| *known.file == *file || known.path_in_pod == file)
    }

    /// The innermost directive that starts, or reaches its `;` or `{`, on a line of a file.
    ///
    /// nginx says `… in /etc/nginx/nginx.conf:12`: this is the way from there to the user's file.
    pub fn lookup(&self, file: &str, line: usize) -> Option<&Directive> {
        let file = &self.file(file)?.file;
        innermost(&self.directives, &|directive| {
            directive.location.file == *file && (directive.location.line..=directive.end_line).contains(&line)
        })
    }

    /// The place in the user's file that nginx means by a file and a line.
    pub fn locate(&self, file: &str, line: usize) -> Option<Location> {
        match self.lookup(file, line) {
            Some(directive) => Some(directive.location.clone()),
            None => Some(Location::new(Arc::clone(&self.file(file)?.file), line, 1)),
        }
    }
}

fn innermost<'a>(directives: &'a [Directive], fits: &dyn Fn(&Directive) -> bool) -> Option<&'a Directive> {
    directives.iter().find_map(|directive| {
        innermost(directive.children(), fits).or_else(|| Some(directive).filter(|directive| fits(directive)))
    })
}

#[cfg(test)]
mod tests {
    use crate::deployment::testing::Files;

    #[test]
    fn a_line_that_nginx_names_leads_to_the_innermost_directive() {
        let main = "http {\n  server { listen 80;\n    add_header A\n      b;\n  }\n\n}\n";
        let nginx = Files::of(&[("nginx.conf", main)]).nginx().unwrap();
        let name = |line| nginx.lookup("/etc/nginx/nginx.conf", line).map(|directive| directive.name.as_str());
        assert_eq!(name(2), Some("listen"));
        assert_eq!(name(4), Some("add_header"));
        assert_eq!(name(6), None);
        assert!(nginx.locate("/etc/nginx/nginx.conf", 4).unwrap().to_string().ends_with("nginx.conf:3:5"));
        assert!(nginx.locate("/etc/nginx/nginx.conf", 6).unwrap().to_string().ends_with("nginx.conf:6:1"));
        assert!(nginx.locate("/etc/nginx/other.conf", 1).is_none());
    }
}
