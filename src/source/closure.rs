//! The files without which a program does not start: its loader, its libraries, and theirs.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use super::elf::{self, Needs};
use super::tree::Tree;

/// Where the files of a closure go (relative to the new root), and where each is now.
pub(super) type Files = BTreeMap<PathBuf, PathBuf>;

/// A library that is nowhere to be found.
#[derive(Debug)]
pub(super) struct Missing {
    pub name: String,
    pub needed_by: PathBuf,
}

/// Where libraries are looked for, and what was found so far.
pub(super) struct Closure<'a> {
    tree: &'a Tree,
    directories: &'a [PathBuf],
    /// Where libraries go that come from elsewhere: the new root has no loader cache that would list other places.
    home: PathBuf,
    files: Files,
    machine: Option<u16>,
    /// Whose needs were not followed yet, where it is now: `$ORIGIN` is about that place, not the one in the new root.
    ahead: VecDeque<(PathBuf, Needs)>,
}

impl<'a> Closure<'a> {
    /// Libraries are looked for in `directories` of `tree`.
    pub(super) fn new(tree: &'a Tree, directories: &'a [PathBuf]) -> Self {
        let home = directories.first().cloned().unwrap_or_else(|| PathBuf::from("usr/lib"));
        Self { tree, directories, home, files: Files::new(), machine: None, ahead: VecDeque::new() }
    }

    /// Adds a program or a module that goes to `place`, and says whether it is loaded by a loader.
    pub(super) fn add(&mut self, place: &Path, file: PathBuf) -> std::io::Result<bool> {
        let needs = elf::read(&file)?;
        self.machine.get_or_insert(needs.machine);
        self.files.insert(place.to_owned(), file.clone());
        let has_loader = needs.interpreter.is_some();
        self.ahead.push_back((file, needs));
        Ok(has_loader)
    }

    /// Adds a library that may be there or not.
    pub(super) fn add_if_there(&mut self, name: &str) {
        if let Some((place, file, needs)) = self.find(name, Path::new(""), &[]) {
            self.files.insert(place, file.clone());
            self.ahead.push_back((file, needs));
        }
    }

    /// Follows the needs of all that was added.
    pub(super) fn files(mut self) -> Result<Files, Missing> {
        while let Some((needed_by, needs)) = self.ahead.pop_front() {
            if let Some(loader) = &needs.interpreter {
                self.add_loader(loader, &needed_by)?;
            }
            for name in &needs.libraries {
                if self.has(name) {
                    continue;
                }
                let Some((place, file, needs)) = self.find(name, &needed_by, &needs.search) else {
                    return Err(Missing { name: name.clone(), needed_by: self.tree.relative(&needed_by) });
                };
                self.files.insert(place, file.clone());
                self.ahead.push_back((file, needs));
            }
        }
        Ok(self.files)
    }

    /// The loader keeps the very path that the program names, below the merged /usr.
    fn add_loader(&mut self, loader: &Path, needed_by: &Path) -> Result<(), Missing> {
        let missing = || Missing { name: loader.display().to_string(), needed_by: self.tree.relative(needed_by) };
        let file = self.tree.file(loader).ok_or_else(missing)?;
        self.files.insert(merged(loader), file);
        Ok(())
    }

    /// Libraries are known by name. The loader is one too: the C library names it.
    fn has(&self, name: &str) -> bool {
        self.files.keys().any(|place| place.file_name().is_some_and(|known| known == name))
    }

    /// A library by name: its place in the new root, where it is now, and its own needs.
    fn find(&self, name: &str, needed_by: &Path, search: &[String]) -> Option<(PathBuf, PathBuf, Needs)> {
        let origin = self.tree.relative(needed_by).parent().unwrap_or(Path::new("/")).display().to_string();
        let own = search
            .iter()
            .map(|directory| PathBuf::from(directory.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin)));
        own.chain(self.directories.iter().cloned()).find_map(|directory| {
            let file = self.tree.file(&directory.join(name))?;
            let needs = elf::read(&file).ok()?;
            let fits = self.machine.is_none_or(|machine| machine == needs.machine);
            fits.then(|| (self.home.join(name), file, needs))
        })
    }
}

/// A path of any layout in the layout of the roots: `/lib/x` is `usr/lib/x`.
pub(super) fn merged(path: &Path) -> PathBuf {
    let path = path.strip_prefix("/").unwrap_or(path);
    let first = path.components().next().map(std::path::Component::as_os_str);
    match first.and_then(|name| name.to_str()) {
        Some("bin" | "sbin" | "lib" | "lib32" | "lib64" | "libx32") => Path::new("usr").join(path),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roots_have_one_layout() {
        assert_eq!(merged(Path::new("/lib64/ld.so")), Path::new("usr/lib64/ld.so"));
        assert_eq!(merged(Path::new("/usr/lib/x")), Path::new("usr/lib/x"));
        assert_eq!(merged(Path::new("etc/nginx")), Path::new("etc/nginx"));
    }

    #[test]
    fn this_test_starts_with_its_closure_alone() {
        let tree = Tree::new("/");
        let directories = super::super::recipe::library_directories(super::super::Arch::host().expect("known"));
        let mut closure = Closure::new(&tree, &directories);
        closure.add(Path::new("usr/bin/test"), std::env::current_exe().expect("this test")).expect("readable");
        let files = closure.files().expect("complete");
        assert!(files.keys().any(|place| place.ends_with("libc.so.6")), "{files:?}");
    }
}
