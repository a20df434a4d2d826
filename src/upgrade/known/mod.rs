//! What the projects themselves say of their changes: where it is announced, and what they advise.
//!
//! Each was looked up in the changelog, the release or the issue that it names. Of several that are meant the first counts:
//! what is special stands before what is general.

mod nginx;
mod openssl;
mod prometheus;

/// Whose version decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Nginx,
    Prometheus,
    /// It is updated with nginx, and takes away what nginx still asks for.
    OpenSsl,
}

/// A change that is announced somewhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) whose: Whose,
    /// The version that brought it.
    pub(super) since: [u32; 3],
    /// The version that took it back.
    pub(super) until: Option<[u32; 3]>,
    /// What kind of change it is, if that has to be said too.
    pub(super) kinds: &'static [&'static str],
    /// Words of the change, any of which tell that it is meant.
    pub(super) words: &'static [&'static str],
    pub(super) source: &'static str,
    /// What to do, where that says more than the general advice.
    pub(super) advice: &'static str,
}

type Words = &'static [&'static str];

impl Known {
    const fn of(whose: Whose, since: [u32; 3], words: Words, source: &'static str) -> Self {
        Self { whose, since, until: None, kinds: &[], words, source, advice: "" }
    }

    /// Of changes of these kinds alone.
    const fn among(self, kinds: Words) -> Self {
        Self { kinds, ..self }
    }

    const fn advising(self, advice: &'static str) -> Self {
        Self { advice, ..self }
    }

    const fn until(self, version: [u32; 3]) -> Self {
        Self { until: Some(version), ..self }
    }
}

/// All that is known, in the order in which it counts. Where OpenSSL takes something away, it is gone whatever nginx says.
pub(super) fn all() -> impl Iterator<Item = &'static Known> {
    openssl::KNOWN.iter().chain(nginx::KNOWN).chain(prometheus::KNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_names_its_source_and_what_tells_it() {
        for known in all() {
            let is_source = known.source.starts_with("https://") || known.source.starts_with("prometheus/");
            assert!(is_source && !known.words.is_empty(), "{known:?}");
            assert!(known.until.is_none_or(|until| known.since < until), "{known:?}");
            assert!(known.words.iter().chain(known.kinds).all(|words| words.len() > 3), "{known:?}");
        }
    }
}
