//! A root that is asked for: a recipe, and further packages that go into it.

use std::collections::BTreeSet;

use super::{Program, Recipe};

/// What is asked of a release.
///
/// ```
/// use proxyproof::source::{Build, Recipe};
///
/// let plain = Build::from(Recipe::Nginx);
/// let with_lua = plain.with(["libnginx-mod-http-lua".to_owned()]);
/// assert_ne!(plain, with_lua);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    recipe: Recipe,
    further: BTreeSet<String>,
}

impl From<Recipe> for Build {
    fn from(recipe: Recipe) -> Self {
        Self { recipe, further: BTreeSet::new() }
    }
}

impl From<Program> for Build {
    fn from(program: Program) -> Self {
        Recipe::from(program).into()
    }
}

impl Build {
    /// The same with further packages: modules of the program, and what they use. A package that the release lacks is
    /// left out.
    #[must_use]
    pub fn with(&self, packages: impl IntoIterator<Item = String>) -> Self {
        let further = self.further.iter().cloned().chain(packages).collect();
        Self { recipe: self.recipe, further }
    }

    /// What it is built for.
    pub fn recipe(&self) -> Recipe {
        self.recipe
    }

    /// Its name among the plans of a release: that of the recipe, then the further packages.
    pub(super) fn name(&self) -> String {
        let further = self.further.iter().map(|package| format!(" {package}"));
        std::iter::once(self.recipe.name().to_owned()).chain(further).collect()
    }

    /// Whether it is a recipe and nothing else.
    pub(super) fn is_plain(&self) -> bool {
        self.further.is_empty()
    }

    /// The packages that are asked for beyond the recipe's.
    pub(super) fn further(&self) -> &BTreeSet<String> {
        &self.further
    }

    /// Whether a package is likely to bring something that the root needs; see [`Recipe::wants`].
    pub(super) fn wants(&self, package: &str) -> bool {
        // Headers that no program reads; a module of Debian's depends on some by mistake.
        let headers = package.starts_with("lib") && package.ends_with("-dev");
        let lua = package.starts_with("lua-") && !self.is_plain();
        let perl = ["libperl", "perl-modules"].iter().any(|name| package.starts_with(name)) && self.has_perl();
        !headers && (self.further.contains(package) || lua || perl || self.recipe.wants(package))
    }

    /// Directories that are taken as the packages ship them.
    pub(super) fn trees(&self) -> impl Iterator<Item = &'static str> {
        let further: &[&str] = if self.is_plain() { &[] } else { FURTHER_TREES };
        let perl: &[&str] = if self.has_perl() { &["usr/share/perl"] } else { &[] };
        self.recipe.trees().iter().chain(further).chain(perl).copied()
    }

    /// The same, below the directory of the processor's libraries.
    pub(super) fn library_trees(&self) -> impl Iterator<Item = &'static str> {
        let further: &[&str] = match (self.is_plain(), self.has_perl()) {
            (true, _) => &[],
            (false, false) => &["lua"],
            (false, true) => &["lua", "perl", "perl5"],
        };
        self.recipe.library_trees().iter().chain(further).copied()
    }

    /// Whether Perl runs in it: the module with the whole of Perl's own library, since its first line is looked for there.
    /// That is three times the size of nginx, so no other build has it.
    fn has_perl(&self) -> bool {
        self.further.contains("libnginx-mod-http-perl")
    }
}

/// What modules read at run time.
const FURTHER_TREES: &[&str] = &["etc/modsecurity", "usr/share/lua/5.1", "usr/share/luajit-2.1"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_brings_what_it_reads_and_no_headers() {
        let plain = Build::from(Recipe::Nginx);
        let lua = plain.with(["libnginx-mod-http-lua".to_owned()]);
        let perl = plain.with(["libnginx-mod-http-perl".to_owned()]);
        assert_eq!((plain.name(), lua.name()), ("nginx".to_owned(), "nginx libnginx-mod-http-lua".to_owned()));
        assert!(lua.wants("lua-resty-core") && !plain.wants("lua-resty-core"));
        assert!(perl.wants("libperl5.40") && !lua.wants("libperl5.40") && perl.wants("perl-modules-5.40"));
        assert!(!lua.wants("libmodsecurity-dev") && lua.wants("libluajit-5.1-2"));
    }
}
