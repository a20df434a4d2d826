//! The directory of the nginx.conf, which stands for `/etc/nginx`. Nothing outside it is read.

use std::path::{Component, Path, PathBuf};

use super::directive::Argument;
use super::{DeploymentError, glob};

/// Where nginx looks for relative paths in the Pod.
pub(super) const CONF_DIR: &str = "/etc/nginx";

/// The files that the deployment brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    dir: PathBuf,
}

impl Tree {
    pub(super) fn around(nginx_conf: &Path) -> Self {
        Self { dir: nginx_conf.parent().unwrap_or(Path::new("")).to_owned() }
    }

    /// The directory, as the user named it; empty for the current one.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The absolute path that nginx makes of a path in its configuration, `.` and `..` resolved.
    pub fn path_in_pod(named: &str) -> String {
        let mut path = PathBuf::from("/");
        for component in Path::new(CONF_DIR).join(named).components() {
            match component {
                Component::Normal(name) => path.push(name),
                Component::ParentDir => {
                    path.pop();
                }
                _ => {}
            }
        }
        path.to_string_lossy().into_owned()
    }

    /// The file of the tree that a path in the configuration names, if the tree has it.
    ///
    /// # Errors
    /// If it is a link that leads out of the tree.
    pub fn find(&self, named: &Argument) -> Result<Option<PathBuf>, DeploymentError> {
        let path = Self::below_conf_dir(&named.text).map(|below| self.dir.join(below));
        match path.filter(|path| path.exists()) {
            Some(path) => self.guarded(path, named).map(Some),
            None => Ok(None),
        }
    }

    /// The files that an `include` names: one, those that fit a pattern, or none.
    pub(super) fn included(&self, named: &Argument) -> Result<Vec<PathBuf>, DeploymentError> {
        if !glob::is_pattern(&named.text) {
            return Ok(self.find(named)?.into_iter().collect());
        }
        let pattern = Self::below_conf_dir(&named.text);
        let found = pattern.map(|pattern| glob::matches_below(&self.dir, &pattern)).unwrap_or_default();
        found.into_iter().map(|path| self.guarded(path, named)).collect()
    }

    /// Where nginx finds a file of the tree in the Pod.
    pub(super) fn in_pod(&self, path: &Path) -> String {
        let below = path.strip_prefix(&self.dir).unwrap_or(path);
        Self::path_in_pod(&below.to_string_lossy())
    }

    fn below_conf_dir(named: &str) -> Option<String> {
        let path = Self::path_in_pod(named);
        path.strip_prefix(CONF_DIR)?.strip_prefix('/').map(str::to_owned)
    }

    fn guarded(&self, path: PathBuf, named: &Argument) -> Result<PathBuf, DeploymentError> {
        let dir = if self.dir.as_os_str().is_empty() { Path::new(".") } else { &self.dir };
        let leads_out = match (path.canonicalize(), dir.canonicalize()) {
            (Ok(path), Ok(dir)) => !path.starts_with(dir),
            // Reading it will tell what is the matter.
            _ => false,
        };
        match leads_out {
            true => Err(DeploymentError::LeadsOut { location: named.location.clone(), path }),
            false => Ok(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved_as_nginx_does() {
        for (named, expected) in [
            ("mime.types", "/etc/nginx/mime.types"),
            ("./conf.d/../a", "/etc/nginx/a"),
            ("../../root/key", "/root/key"),
            ("/etc/ssl/x", "/etc/ssl/x"),
        ] {
            assert_eq!(Tree::path_in_pod(named), expected);
        }
    }
}
