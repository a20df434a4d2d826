//! What the tests of this folder share: a tree of files, loaded.

use std::path::PathBuf;

use super::{Deployment, DeploymentError, Directive, Nginx, Options};

/// A configuration tree in a directory of its own.
pub(super) struct Files {
    dir: tempfile::TempDir,
}

impl Files {
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let tree = Self { dir: tempfile::tempdir().unwrap() };
        for (name, text) in files {
            std::fs::create_dir_all(tree.path(name).parent().unwrap()).unwrap();
            std::fs::write(tree.path(name), text).unwrap();
        }
        tree
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn nginx(&self) -> Result<Nginx, DeploymentError> {
        Nginx::load(&self.path("nginx.conf"), &Options::default())
    }

    /// What is read at a path of the tree.
    pub(super) fn nginx_at(&self, name: &str, options: &Options) -> Result<Nginx, DeploymentError> {
        Nginx::load(&self.path(name), options)
    }

    pub(super) fn load(&self) -> Result<Deployment, DeploymentError> {
        self.load_with(&Options::default())
    }

    pub(super) fn load_with(&self, options: &Options) -> Result<Deployment, DeploymentError> {
        Deployment::load_with(self.path("nginx.conf"), options)
    }
}

/// The directives of a text that is sound.
pub(super) fn directives(text: &str) -> Vec<Directive> {
    super::syntax::parse(&"f".into(), text).unwrap()
}
