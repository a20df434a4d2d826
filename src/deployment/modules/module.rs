//! One module of nginx: its files, its directives, and who has it.

/// A module that may be in a build of nginx or not.
#[derive(Debug, PartialEq, Eq)]
pub struct Module {
    /// What people call it.
    pub name: &'static str,
    /// The part of a configuration that its directives stand in.
    pub part: Part,
    /// Its files in load order, the last of them its own: those before are of modules that it is built on. None if it is
    /// never a file of its own.
    pub files: &'static [&'static str],
    /// Its directives: names, beginnings of names (`more_*`) or what is in the middle (`*_by_lua*`).
    pub directives: &'static [&'static str],
    /// The package that brings it, where Debian has one.
    pub package: Option<Package>,
    /// Where it comes from, for people. Empty where Debian has it.
    pub home: &'static str,
    /// How the official image has it.
    pub(super) image: InImage,
}

/// A package of Debian.
#[derive(Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name without the `libnginx-mod-` that all begin with.
    suffix: &'static str,
    /// Other packages that are installed with it: what its users count on.
    pub with: &'static [&'static str],
    /// The releases that have it, oldest first.
    pub releases: &'static [&'static str],
}

/// The parts of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `http` and all around it.
    Http,
    /// `stream`.
    Stream,
}

/// How the official image has a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InImage {
    /// It has not.
    Absent,
    /// As a file: the configuration has to load it.
    File,
    /// Compiled in.
    Static,
}

impl Package {
    /// Its name.
    pub fn name(&self) -> String {
        format!("libnginx-mod-{}", self.suffix)
    }

    /// The newest release that is not a development one, else the newest: what to name on a command line.
    pub fn release(&self) -> &'static str {
        let newest = self.releases.iter().rev();
        newest.clone().find(|release| **release != "forky").or(newest.clone().next()).copied().unwrap_or("stable")
    }
}

impl Module {
    /// Its own file.
    pub fn file(&self) -> Option<&'static str> {
        self.files.last().copied()
    }

    /// Whether a directive is its.
    pub fn has(&self, directive: &str) -> bool {
        self.directives.iter().any(|pattern| fits(pattern, directive))
    }

    /// Whether the official image has it as a file.
    pub fn is_in_official_image(&self) -> bool {
        self.image == InImage::File
    }

    /// The name that Debian gives the file which loads it: `50-mod-http-lua.conf`. The number makes the order.
    pub fn conf(&self) -> Option<String> {
        let order = match (self.part, self.name) {
            (_, "ndk") => 10,
            (Part::Stream, _) => 70,
            _ => 50,
        };
        self.package.as_ref().map(|package| format!("{order}-mod-{}.conf", package.suffix))
    }

    pub(super) const fn debian(
        name: &'static str,
        suffix: &'static str,
        files: &'static [&'static str],
        directives: &'static [&'static str],
        releases: &'static [&'static str],
    ) -> Self {
        let package = Some(Package { suffix, with: &[], releases });
        Self { name, part: Part::Http, files, directives, package, home: "", image: InImage::Absent }
    }

    pub(super) const fn elsewhere(
        name: &'static str,
        files: &'static [&'static str],
        directives: &'static [&'static str],
        home: &'static str,
    ) -> Self {
        Self { name, part: Part::Http, files, directives, package: None, home, image: InImage::Absent }
    }

    pub(super) const fn of(mut self, part: Part) -> Self {
        self.part = part;
        self
    }

    pub(super) const fn bringing(mut self, packages: &'static [&'static str]) -> Self {
        if let Some(package) = &mut self.package {
            package.with = packages;
        }
        self
    }

    pub(super) const fn in_image(mut self) -> Self {
        self.image = InImage::File;
        self
    }

    pub(super) const fn static_in_image(mut self) -> Self {
        self.image = InImage::Static;
        self
    }
}

fn fits(pattern: &str, directive: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(rest), _) => directive.contains(rest.trim_end_matches('*')),
        (None, Some(beginning)) => directive.starts_with(beginning),
        (None, None) => directive == pattern,
    }
}
