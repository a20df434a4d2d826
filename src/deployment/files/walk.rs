//! One walk over all directives, in whatever block they stand.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::paths::{absolute, directory, expanded};
use super::scope::Scope;
use super::table::{self, Base, Names, Rule};
use super::{FileKind, FileUse, Files, User, log};
use crate::deployment::directive::{Argument, Directive};
use crate::deployment::named_file::{NamedFile, Reader};
use crate::deployment::public_name::{is_host_name, public_name};
use crate::deployment::server::Server;
use crate::deployment::{DeploymentError, Nginx};

/// Blocks whose first words are data and no directives.
const DATA: [&str; 7] = ["map", "geo", "types", "split_clients", "charset_map", "match", "upstream"];

/// For how many names of a server a path with a variable is made.
const MOST_KNOWN_NAMES: usize = 256;

/// Everything that the configuration names. `servers` are those of `http`; `given_name` is the public name, if it was given.
pub(in crate::deployment) fn files(
    nginx: &Nginx,
    servers: &[(&Directive, Server)],
    given_name: Option<&str>,
) -> Result<Files, DeploymentError> {
    let by_block =
        servers.iter().enumerate().map(|(index, (block, server))| (std::ptr::from_ref(*block), (index, server)));
    let mut walk = Walk {
        reader: Reader::of(&nginx.tree),
        servers: by_block.collect(),
        given_name,
        seen: HashSet::new(),
        found: Files::default(),
    };
    let scope = Scope::outermost().inside(&nginx.directives);
    walk.block(&nginx.directives, &scope)?;
    Ok(walk.found)
}

/// The walk, and what it has found.
pub(super) struct Walk<'a> {
    pub(super) reader: Reader<'a>,
    servers: HashMap<*const Directive, (usize, &'a Server)>,
    given_name: Option<&'a str>,
    seen: HashSet<(FileKind, String)>,
    pub(super) found: Files,
}

impl<'a> Walk<'a> {
    fn block(&mut self, directives: &'a [Directive], scope: &Scope<'a>) -> Result<(), DeploymentError> {
        for directive in directives {
            self.directive(directive, scope)?;
            if directive.block.is_some() && !DATA.contains(&directive.name.as_str()) {
                let inner = self.scope_of(directive, scope);
                self.pairs(directive, &inner)?;
                self.block(directive.children(), &inner)?;
            }
        }
        Ok(())
    }

    fn scope_of(&self, block: &'a Directive, outer: &Scope<'a>) -> Scope<'a> {
        let mut inner = outer.inside(block.children());
        if let Some((_, server)) = self.server(block) {
            inner.known_names = self.known_names(server);
        }
        inner
    }

    /// The server of `http` that a block is, with its index.
    pub(super) fn server(&self, block: &Directive) -> Option<(usize, &'a Server)> {
        self.servers.get(&std::ptr::from_ref(block)).copied()
    }

    fn known_names(&self, server: &Server) -> Rc<[String]> {
        let own = server.names.iter().map(|name| name.text.to_ascii_lowercase()).filter(|name| is_host_name(name));
        let public = [public_name(server)].into_iter().chain(self.given_name.map(str::to_owned));
        let mut names: Vec<String> = own.chain(public).collect();
        names.sort_unstable();
        names.dedup();
        names.truncate(MOST_KNOWN_NAMES);
        names.into()
    }

    fn directive(&mut self, directive: &Directive, scope: &Scope<'_>) -> Result<(), DeploymentError> {
        let Some(first) = directive.args.first().filter(|first| !first.text.is_empty()) else {
            return Ok(());
        };
        match directive.name.as_str() {
            "error_log" | "access_log" => self.log(directive, first, scope),
            "user" => {
                self.found.user.get_or_insert_with(|| user(directive, first));
                Ok(())
            }
            name => match table::rule(name) {
                Some(rule) => self.named(rule, first, scope),
                None => Ok(()),
            },
        }
    }

    fn log(&mut self, directive: &Directive, first: &Argument, scope: &Scope<'_>) -> Result<(), DeploymentError> {
        let rule = |kind, names| Rule { kind, base: Base::Prefix, names };
        match log::of(directive) {
            Some(log::Log::File(kind)) => self.named(rule(kind, Names::It), first, scope),
            Some(log::Log::Below) => self.named(rule(FileKind::Directory, Names::SomethingIn), first, scope),
            None => Ok(()),
        }
    }

    /// Takes down what an argument names.
    fn named(&mut self, rule: Rule, argument: &Argument, scope: &Scope<'_>) -> Result<(), DeploymentError> {
        let words = match rule.names {
            Names::It => expanded(&argument.text, &scope.known_names),
            names => directory(&argument.text, names).map(str::to_owned).into_iter().collect(),
        };
        for word in &words {
            let mut paths = absolute(word, rule.base).into_iter();
            let Some(text) = paths.next() else { continue };
            let named = Argument { text, location: argument.location.clone() };
            match rule.kind {
                FileKind::Site => self.site(&named, paths.collect())?,
                FileKind::Directory | FileKind::ErrorLog | FileKind::AccessLog => {
                    self.made(rule.kind, &named, paths.collect())?;
                }
                kind => self.file(kind, &named)?,
            }
        }
        Ok(())
    }

    fn file(&mut self, kind: FileKind, named: &Argument) -> Result<(), DeploymentError> {
        if self.is_known(kind, &named.text) {
            return Ok(());
        }
        let file = self.reader.named(named)?;
        self.add(FileUse { kind, file, elsewhere: Vec::new() })
    }

    /// Takes down what nginx writes to: the tree has no say in it.
    pub(super) fn made(
        &mut self,
        kind: FileKind,
        named: &Argument,
        elsewhere: Vec<String>,
    ) -> Result<(), DeploymentError> {
        if self.is_known(kind, &named.text) {
            return Ok(());
        }
        let file = NamedFile { path: named.text.clone(), content: None, location: named.location.clone() };
        self.add(FileUse { kind, file, elsewhere })
    }

    pub(super) fn is_known(&self, kind: FileKind, path: &str) -> bool {
        self.seen.contains(&(kind, path.to_owned()))
    }

    pub(super) fn add(&mut self, file_use: FileUse) -> Result<(), DeploymentError> {
        let path = &file_use.file.path;
        self.reader.charge(2 * (size_of::<FileUse>() + path.len()), &file_use.file.location)?;
        self.seen.insert((file_use.kind, path.clone()));
        self.found.uses.push(file_use);
        Ok(())
    }
}

fn user(directive: &Directive, name: &Argument) -> User {
    User {
        name: name.text.clone(),
        group: directive.arg(1).unwrap_or(&name.text).to_owned(),
        location: name.location.clone(),
    }
}
