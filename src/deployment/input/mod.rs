//! What a path may be: an nginx.conf, a fragment of one, or a directory with either.
//!
//! Around fragments an nginx.conf is made, as the packages of nginx have it.

mod builtin;
mod elsewhere;
mod folder;
mod kind;
mod needs;
mod several;
#[cfg(test)]
mod tests;
mod variables;
mod wrapper;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::includes::{Loaded, Sources, read_all};
use super::template::missing;
use super::tree::{Found, Tree};
use super::{DeploymentError, Nginx, Options};
use kind::{Kind, classify};
use needs::Need;
pub(super) use several::deployments;

/// Where nginx begins to read.
const MAIN: &str = "/etc/nginx/nginx.conf";

/// What was found at the paths that were given.
struct Input {
    tree: Tree,
    /// None if the nginx.conf is the user's own.
    fragments: Vec<Fragment>,
    /// The files of `--with`, and where they are in the Pod.
    with: Vec<(PathBuf, String)>,
}

/// A part of a configuration, which something else includes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fragment {
    path_in_pod: String,
    kind: Kind,
}

/// Reads the configuration at `path`.
pub(super) fn load(path: &Path, options: &Options) -> Result<Nginx, DeploymentError> {
    let mut input = match path.is_dir() {
        true => directory(path, options)?,
        false => file(path, options)?,
    };
    for file in &options.with {
        input.add(file, options)?;
    }
    let loaded = match input.fragments.is_empty() {
        true => input.full(options)?,
        false => input.wrapped(options)?,
    };
    let defined = variables::defined(&loaded.directives);
    if let Some(error) = missing(&loaded.placeholders, |name| defined.contains(name)) {
        return Err(error);
    }
    Ok(nginx(loaded, input.tree))
}

fn nginx(loaded: Loaded, tree: Tree) -> Nginx {
    let Loaded { mut files, directives, made, .. } = loaded;
    files.sort_by_key(|file| file.made);
    Nginx { files, directives, tree, made }
}

/// A file: the nginx.conf, or a fragment whose directory tells where it belongs.
fn file(path: &Path, options: &Options) -> Result<Input, DeploymentError> {
    let kind = classify(path, options)?.ok_or_else(|| DeploymentError::Empty { path: path.to_owned() })?;
    if kind == Kind::Full {
        let mut tree = Tree::new(folder::parent(path), options.root.as_deref());
        tree.place(MAIN.to_owned(), path);
        return Ok(Input { tree, fragments: Vec::new(), with: Vec::new() });
    }
    let place = folder::place_of(path);
    let mut tree = Tree::new(&folder::conf_dir_of(path), options.root.as_deref());
    tree.place(place.clone(), path);
    Ok(Input { tree, fragments: vec![Fragment { path_in_pod: place, kind }], with: Vec::new() })
}

/// A directory: what stands for `/etc/nginx`, or one of those in it.
fn directory(path: &Path, options: &Options) -> Result<Input, DeploymentError> {
    let tree = Tree::new(path, options.root.as_deref());
    match tree.lookup(MAIN) {
        Found::File(_) if classify(&path.join("nginx.conf"), options)? == Some(Kind::Full) => {
            return Ok(Input { tree, fragments: Vec::new(), with: Vec::new() });
        }
        Found::File(_) => return file(&path.join("nginx.conf"), options),
        _ => {}
    }
    let (tree, listed) = folder::fragments(path, tree, options);
    let mut fragments = Vec::new();
    for (path_in_pod, file) in listed {
        match classify(&file, options)? {
            Some(Kind::Full) => return self::file(&file, options),
            Some(kind) => fragments.push(Fragment { path_in_pod, kind }),
            None => {}
        }
    }
    if fragments.is_empty() {
        return Err(DeploymentError::Directory { path: path.to_owned(), lacks: "no *.conf in it says anything" });
    }
    // Locations among servers are what one of those includes.
    if fragments.iter().any(|fragment| fragment.kind == Kind::Http) {
        fragments.retain(|fragment| fragment.kind == Kind::Http);
    }
    Ok(Input { tree, fragments, with: Vec::new() })
}

impl Input {
    /// A file of `--with`.
    fn add(&mut self, file: &Path, options: &Options) -> Result<(), DeploymentError> {
        let kind = classify(file, options)?.ok_or_else(|| DeploymentError::Empty { path: file.to_owned() })?;
        let mut path_in_pod = folder::place_of(file);
        while self.tree.lookup(&path_in_pod) != Found::Nothing {
            path_in_pod.insert_str(path_in_pod.rfind('/').map_or(0, |slash| slash + 1), "with-");
        }
        self.tree.place(path_in_pod.clone(), file);
        match self.fragments.is_empty() {
            true => self.with.push((file.to_owned(), path_in_pod)),
            false => self.fragments.push(Fragment { path_in_pod, kind }),
        }
        Ok(())
    }

    /// The user's own nginx.conf. Where it includes files of which nothing is known, what is needed of them is made.
    fn full(&self, options: &Options) -> Result<Loaded, DeploymentError> {
        let mut made = BTreeMap::new();
        let mut loaded = self.read(&made, options)?;
        for (file, path_in_pod) in &self.with {
            let read = loaded.files.iter().any(|known| known.path_in_pod == *path_in_pod);
            if !read && !loaded.used.contains(file) {
                return Err(DeploymentError::NotIncluded { path: file.clone(), path_in_pod: path_in_pod.clone() });
            }
        }
        if let Some((place, needs)) = needed_of_empty(&loaded) {
            made.insert(place, needs.iter().map(|need| format!("{}\n", need.text)).collect());
            let notes = loaded.made;
            loaded = self.read(&made, options)?;
            loaded.made = notes;
            loaded.made.extend(needs.into_iter().map(|need| need.made));
        }
        Ok(loaded)
    }

    /// Fragments, with an nginx.conf around them that defines what they need and lack.
    fn wrapped(&self, options: &Options) -> Result<Loaded, DeploymentError> {
        let mut made = BTreeMap::from([(MAIN.to_owned(), wrapper::includes_alone(&self.fragments))]);
        let alone = self.read(&made, options)?;
        let needs = needs::of(&alone.directives);
        made.insert(MAIN.to_owned(), wrapper::text(&self.fragments, &alone.directives, &needs, options));
        let mut loaded = self.read(&made, options)?;
        loaded.made.insert(0, wrapper::note(&self.fragments));
        loaded.made.extend(needs.into_iter().map(|need| need.made));
        Ok(loaded)
    }

    fn read(&self, made: &BTreeMap<String, String>, options: &Options) -> Result<Loaded, DeploymentError> {
        let spare: Vec<PathBuf> = self.with.iter().map(|(file, _)| file.clone()).collect();
        read_all(MAIN, Sources { tree: &self.tree, env: &options.env, spare: &spare, made })
    }
}

/// What files of which nothing is known must have said, and the path of one that can say it: in `http` all of it, in a
/// `server` its certificate.
fn needed_of_empty(loaded: &Loaded) -> Option<(String, Vec<Need>)> {
    let of_block = |block: &'static str| loaded.empty.iter().filter(move |empty| empty.block == block);
    let in_http = of_block("http").next();
    let about_tls = |path: &str| ["ssl", "tls", "cert"].iter().any(|word| path.contains(word));
    let in_server = || of_block("server").find(|empty| about_tls(&empty.path_in_pod));
    let place = in_http.or_else(in_server)?;
    let mut needs = needs::of(&loaded.directives);
    needs.retain(|need| in_http.is_some() || need.made.what == needs::CERTIFICATE_NAME);
    (!needs.is_empty()).then(|| (place.path_in_pod.clone(), needs))
}
