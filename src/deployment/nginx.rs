//! The whole nginx configuration: its files, and one tree of directives through all includes.

use std::path::Path;
use std::sync::Arc;

use super::directive::{ConfigFile, Directive};
use super::made::Made;
use super::tree::Tree;
use super::{DeploymentError, Options, input};
use crate::location::Location;

/// An nginx configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nginx {
    /// Its files: the user's in the order in which nginx reads them, then those that were made.
    pub files: Vec<ConfigFile>,
    /// What the nginx.conf says. Behind each `include` of a file stand that file's directives; the `include` of a file
    /// that nginx's own packages bring stands alone.
    pub directives: Vec<Directive>,
    /// The files that the deployment brings.
    pub tree: Tree,
    /// What was made up so that the configuration can be read.
    pub made: Vec<Made>,
}

impl Nginx {
    pub(super) fn load(path: &Path, options: &Options) -> Result<Self, DeploymentError> {
        input::load(path, options)
    }

    /// The file that the user named.
    pub(super) fn name(&self) -> &str {
        self.files.first().map_or("", |file| &*file.file)
    }

    /// The text of a file, named as the user did or as nginx does.
    pub fn file(&self, file: &str) -> Option<&ConfigFile> {
        self.files.iter().find(|known| *known.file == *file || known.path_in_pod == file)
    }

    /// The directive that stands at a place.
    pub(crate) fn at(&self, location: &Location) -> Option<&Directive> {
        innermost(&self.directives, &|directive| directive.location == *location)
    }

    /// The innermost directive that starts, or reaches its `;` or `{`, on a line of a file.
    ///
    /// nginx says `… in /etc/nginx/nginx.conf:12`: this is the way from there to the user's file.
    pub fn lookup(&self, file: &str, line: usize) -> Option<&Directive> {
        let known = self.file(file)?;
        let line = if *known.file == *file { line } else { known.user_line(line) };
        innermost(&self.directives, &|directive| {
            directive.location.file == known.file && (directive.location.line..=directive.end_line).contains(&line)
        })
    }

    /// The place in the user's file that nginx means by a file and a line. Of a file that was made it is the `include`
    /// of it; the nginx.conf around a fragment has none.
    pub fn locate(&self, file: &str, line: usize) -> Option<Location> {
        let known = self.file(file)?;
        let place = match self.lookup(file, line) {
            Some(directive) => directive.location.clone(),
            None if *known.file == *file => Location::new(Arc::clone(&known.file), line, 1),
            None => Location::new(Arc::clone(&known.file), known.user_line(line), 1),
        };
        self.users_place(&place)
    }

    /// A place as the user can look at it: what was made stands for the `include` of it, or has no place.
    pub fn users_place(&self, location: &Location) -> Option<Location> {
        users_place(&self.files, location)
    }
}

/// The same, among these files.
pub(super) fn users_place(files: &[ConfigFile], location: &Location) -> Option<Location> {
    let mut place = location;
    // Made files include others at most a few deep.
    for _ in 0..files.len() {
        match files.iter().find(|file| file.made && file.file == place.file) {
            Some(made) => place = made.stands_for.as_ref()?,
            None => break,
        }
    }
    Some(place.clone())
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
