//! Certificates with their keys: what servers show to clients, and nginx to its upstreams.

use std::rc::Rc;
use std::sync::Arc;

use super::paths::expanded;
use super::scope::Scope;
use super::walk::Walk;
use super::{PairUse, ShownBy};
use crate::deployment::DeploymentError;
use crate::deployment::certificate::KeyPair;
use crate::deployment::directive::{Argument, Directive};

impl<'a> Walk<'a> {
    /// Takes down the pairs that a block shows.
    pub(super) fn pairs(&mut self, block: &'a Directive, scope: &Scope<'a>) -> Result<(), DeploymentError> {
        if block.is("server") {
            let shown_by = self.server(block).map_or(ShownBy::OtherServer, |(index, _)| ShownBy::Server(index));
            self.add_pairs(&scope.served, shown_by, scope)?;
        }
        for pair in scope.shown.iter().filter(|pair| is_named_in(block, pair)) {
            self.add_pairs(pair, ShownBy::Client, scope)?;
        }
        Ok(())
    }

    /// nginx pairs the first certificate with the first key, and so on.
    fn add_pairs(
        &mut self,
        [certificates, keys]: &[Rc<[&'a Directive]>; 2],
        shown_by: ShownBy,
        scope: &Scope<'a>,
    ) -> Result<(), DeploymentError> {
        for (index, (certificate, key)) in certificates.iter().zip(keys.iter()).enumerate() {
            let (certificate, key) = (&certificate.args[0], &key.args[0]);
            let by_worker = certificate.text.contains('$') || key.text.contains('$');
            for (name, [certificate, key]) in words(certificate, key, &scope.known_names) {
                let pair = KeyPair { certificate: self.reader.named(&certificate)?, key: self.reader.named(&key)? };
                self.reader.charge(size_of::<PairUse>(), &certificate.location)?;
                self.found.pairs.push(PairUse {
                    pair,
                    shown_by,
                    names: name.map_or_else(|| Arc::clone(&scope.names), |name| [name].into()),
                    ciphers: scope.ciphers.clone(),
                    place: (index, certificates.len()),
                    by_worker,
                });
            }
        }
        Ok(())
    }
}

/// Whether a block itself names one of these, so that it is no pair of an outer block.
fn is_named_in(block: &Directive, [certificates, _]: &[Rc<[&Directive]>; 2]) -> bool {
    let first = certificates.first();
    first.is_some_and(|first| block.children().iter().any(|child| std::ptr::eq(child, *first)))
}

/// The two paths; if there is a variable in them, with each name that a client may ask for.
fn words(certificate: &Argument, key: &Argument, names: &[String]) -> Vec<(Option<String>, [Argument; 2])> {
    if !certificate.text.contains('$') && !key.text.contains('$') {
        return vec![(None, [certificate.clone(), key.clone()])];
    }
    let of_a_name = |name: &String| {
        let word = |argument: &Argument| {
            let text = expanded(&argument.text, std::slice::from_ref(name)).pop()?;
            Some(Argument { text, location: argument.location.clone() })
        };
        Some((Some(name.clone()), [word(certificate)?, word(key)?]))
    };
    names.iter().filter_map(of_a_name).collect()
}
