//! `path:FILE`: a root around a binary of this machine, with the libraries that it loads here.

mod libraries;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use crate::source::auto::is_executable;
use crate::source::cache::{Building, Cache, Lock};
use crate::source::children::mortal;
use crate::source::closure::{Closure, Files};
use crate::source::root::{self, Assembly, Manifest, Root, Take};
use crate::source::tree::Tree;
use crate::source::{Arch, Program, Progress, Recipe, SourceError, image};

/// Files that configurations include and that say nothing about the host.
const SHARED: [&str; 9] = [
    "etc/nginx/fastcgi.conf",
    "etc/nginx/fastcgi_params",
    "etc/nginx/koi-utf",
    "etc/nginx/koi-win",
    "etc/nginx/mime.types",
    "etc/nginx/proxy_params",
    "etc/nginx/scgi_params",
    "etc/nginx/uwsgi_params",
    "etc/nginx/win-utf",
];

/// The root of `program` around the binary `file` of this machine: from the cache, or built now. It blocks.
pub fn build(file: &Path, program: Program, cache: &Cache, progress: &dyn Progress) -> Result<Root, SourceError> {
    let job = Job { file, recipe: program.into(), arch: Arch::host()?, cache, progress };
    job.run().map_err(|error| error.in_cache(cache.directory()))
}

struct Job<'a> {
    file: &'a Path,
    recipe: Recipe,
    arch: Arch,
    cache: &'a Cache,
    progress: &'a dyn Progress,
}

impl Job<'_> {
    fn run(&self) -> Result<Root, SourceError> {
        let tree = Tree::new("/");
        let files = self.files(&tree)?;
        let contents = fingerprint(&files).map_err(SourceError::io("read", self.file))?;
        let place = self.cache.root(&root::key(self.recipe, "path", self.arch.debian(), "host", &contents));
        if let Some(root) = Root::open(&place) {
            return Ok(root);
        }
        let name = format!("root-path-{contents:.12}");
        let _lock = Lock::acquire(self.cache, &name, || {
            self.progress.step(&format!("Waiting for {}, which is being copied", self.file.display()));
        })?;
        if let Some(root) = Root::open(&place) {
            return Ok(root);
        }
        self.progress.step(&format!("Copying {} and what it needs", self.file.display()));
        let building = Building::new(self.cache, self.progress)?;
        self.assemble(&tree, &files, &building)?;
        building.finish("finished", &place)?;
        Root::open(&place).ok_or_else(|| SourceError::io("read", &place)(std::io::ErrorKind::NotFound.into()))
    }

    fn bad(&self, reason: impl Into<String>) -> SourceError {
        SourceError::BadProgram { path: self.file.to_owned(), reason: reason.into() }
    }

    /// The binary and its libraries.
    fn files(&self, tree: &Tree) -> Result<Files, SourceError> {
        let file = fs::canonicalize(self.file).map_err(|error| {
            self.bad(match error.kind() {
                std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
                _ => error.to_string(),
            })
        })?;
        if !is_executable(&file) {
            return Err(self.bad("it is not an executable file"));
        }
        let directories = libraries::directories(tree, self.arch);
        let mut closure = Closure::new(tree, &directories);
        let place = Path::new(self.recipe.programs()[0]);
        let has_loader = closure.add(place, file).map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof => {
                self.bad("it is no program of this machine (not an ELF file)")
            }
            _ => self.bad(error.to_string()),
        })?;
        // A static program loads none.
        let extra = if has_loader { self.recipe.extra_libraries() } else { &[] };
        for name in extra {
            closure.add_if_there(name);
        }
        closure.files().map_err(|missing| {
            self.bad(format!("{} needs {}, which was not found", missing.needed_by.display(), missing.name))
        })
    }

    fn assemble(&self, tree: &Tree, files: &Files, building: &Building) -> Result<(), SourceError> {
        let finished = building.subdirectory("finished")?;
        let version = self.version()?;
        let assembly = Assembly::new(tree, root::files_below(&finished), Take::Copy, self.recipe)?;
        if self.recipe == Recipe::Nginx {
            let shared = SHARED.iter().map(PathBuf::from).filter_map(|name| Some((name.clone(), tree.file(&name)?)));
            assembly.add_files(&shared.collect())?;
        }
        assembly.add_files(files)?;
        assembly.finish(self.recipe)?;
        let manifest = Manifest {
            recipe: self.recipe,
            source: format!("path:{}", self.file.display()),
            architecture: self.arch.engine().to_owned(),
            package_version: version.clone(),
            version,
            packages: Vec::new(),
            notes: Vec::new(),
            image: image::Facts::default(),
        };
        root::seal(&finished, manifest)
    }

    /// What the binary says itself: nginx to its error output, Prometheus to either.
    fn version(&self) -> Result<String, SourceError> {
        let argument = if self.recipe == Recipe::Nginx { "-v" } else { "--version" };
        let file = fs::canonicalize(self.file).map_err(|error| self.bad(error.to_string()))?;
        let output =
            mortal(&file).arg(argument).stdin(Stdio::null()).output().map_err(|error| self.bad(error.to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        version_in(&text).ok_or_else(|| self.bad(format!("`{argument}` tells no version of {}", self.recipe.name())))
    }
}

/// The version in `nginx version: nginx/1.26.3` or `prometheus, version 2.53.3+ds1 (branch: …)`.
fn version_in(text: &str) -> Option<String> {
    let rest = ["nginx/", "prometheus, version "].iter().find_map(|sign| Some(text.split_once(sign)?.1))?;
    let version: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || ".-".contains(*c)).collect();
    version.starts_with(|c: char| c.is_ascii_digit()).then_some(version)
}

/// Tells one state of these files from another without reading them.
fn fingerprint(files: &Files) -> std::io::Result<String> {
    let mut digest = Sha256::new();
    for (place, file) in files {
        let metadata = file.metadata()?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        digest.update(format!("{} {} {} {}\n", place.display(), file.display(), metadata.len(), modified.as_nanos()));
    }
    Ok(image::hex(&digest.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_tell_their_version() {
        assert_eq!(version_in("nginx version: nginx/1.26.3\n").as_deref(), Some("1.26.3"));
        assert_eq!(version_in("prometheus, version 2.53.3+ds1 (branch: debian/sid)").as_deref(), Some("2.53.3"));
        assert_eq!(version_in("cat (GNU coreutils) 9.1"), None);
    }

    #[test]
    fn what_can_not_be_run_is_wrong_input() {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let cache = Cache::new(temporary.path().join("cache"));
        for file in ["/nonexistent/nginx", "/etc/passwd", "/etc"] {
            let error = build(Path::new(file), Program::Nginx, &cache, &()).expect_err(file);
            assert_eq!(error.exit_code(), 2, "{error}");
            assert!(error.to_string().contains("path:/usr/sbin/nginx"), "{error}");
        }
    }
}
