//! The files and directories that directives name: the tree's own where it has them, made where it lacks them.

mod certificate_names;
mod directories;
mod geoip;
mod pairs;
mod secrets;
mod users;

use std::collections::HashSet;

use super::pki::{Authority, ClientAuthority};
use super::{PodFile, Substitution, SubstitutionKind, World, WorldError};
use crate::deployment::{Deployment, FileKind, FileUse, NamedFile};

/// Puts all of them into nginx's container.
pub(super) fn place(deployment: &Deployment, authority: &Authority, world: &mut World) -> Result<(), WorldError> {
    let there = world.nginx_files.iter().map(|file| file.path.clone()).collect();
    let mut placing = Placing { deployment, authority, clients: ClientAuthority::new()?, there, world };
    placing.pairs()?;
    for named in &deployment.files.uses {
        placing.place(named)?;
    }
    placing.user();
    placing.identities()?;
    world.substitutions.sort_by(|one, other| one.location.cmp(&other.location));
    Ok(())
}

/// What is put where.
struct Placing<'a> {
    deployment: &'a Deployment,
    authority: &'a Authority,
    clients: ClientAuthority,
    /// The paths at which there is something already.
    there: HashSet<String>,
    world: &'a mut World,
}

impl Placing<'_> {
    fn place(&mut self, named: &FileUse) -> Result<(), WorldError> {
        match named.kind {
            FileKind::ErrorLog | FileKind::AccessLog => self.log(named),
            FileKind::Directory | FileKind::Site => self.directory(named),
            FileKind::SiteFile => self.as_it_is(&named.file, 0o644),
            FileKind::CutSite => {
                let by = "a part of it: it holds links, or more than a run needs";
                self.substitute(SubstitutionKind::Directory, &named.file, by);
            }
            FileKind::ClientCa
            | FileKind::TrustedCa
            | FileKind::Crl
            | FileKind::UpstreamCa
            | FileKind::UpstreamCrl
            | FileKind::Passwords => self.secret(named)?,
            kind => self.plain(kind, &named.file)?,
        }
        Ok(())
    }

    /// Uses what the tree brings.
    fn as_it_is(&mut self, file: &NamedFile, mode: u32) {
        if let Some(content) = &file.content {
            self.put(PodFile::file(&file.path, &**content, mode));
        }
    }

    /// Puts something in place, unless there is something already.
    fn put(&mut self, file: PodFile) {
        if self.there.insert(file.path.clone()) {
            self.world.nginx_files.push(file);
        }
    }

    fn has(&self, path: &str) -> bool {
        self.there.contains(path)
    }

    /// Puts what was made in place, and lists it.
    fn make(&mut self, kind: SubstitutionKind, file: &NamedFile, content: impl Into<Vec<u8>>, mode: u32, by: &str) {
        if file.is_file() && !self.has(&file.path) {
            self.put(PodFile::file(&file.path, content, mode));
            self.substitute(kind, file, by);
        }
    }

    fn substitute(&mut self, kind: SubstitutionKind, file: &NamedFile, by: &str) {
        self.world.substitutions.push(Substitution {
            kind,
            what: file.path.clone(),
            by: by.to_owned(),
            location: Some(file.location.clone()),
        });
    }
}
