//! What changes for TLS clients.

use super::change::{Change, ChangeLevel, of_routes};
use super::diff::Delta;
use super::fact::Seen;
use super::grouping::{by_key, counted, listed};
use super::places::Places;

const PROTOCOLS: &[&str] = &["ssl_protocols"];
const CIPHERS: &[&str] = &["ssl_ciphers"];

/// The changes, versions first.
pub(super) fn changes(deltas: &[Delta], places: &Places<'_>) -> Vec<Change> {
    let versions = of_routes(deltas).filter_map(|(url, seen, delta)| match seen {
        Seen::Version(version) => Some(((url, delta.after.is_some(), delta.by), version.clone())),
        _ => None,
    });
    let mut changes: Vec<Change> = by_key(versions)
        .into_iter()
        .map(|((url, is_new, by), versions)| {
            let (level, what, advice) = match is_new {
                true => (ChangeLevel::Behaviour, "taken now", ""),
                false => (
                    ChangeLevel::Breaking,
                    "no longer taken",
                    "Clients that have nothing newer can't connect. Update them; taking these versions back weakens everybody.",
                ),
            };
            let (before, after) = if is_new { ("refused", "taken") } else { ("taken", "refused") };
            let is = if versions.len() == 1 { "is" } else { "are" };
            Change::new(level, by, format!("{} {is} {what}", versions.join(" and ")))
                .from(before)
                .to(after)
                .at(places.tls(url, PROTOCOLS))
                .advising(advice)
        })
        .collect();
    changes.extend(suites(deltas, places));
    changes.extend(of_routes(deltas).filter_map(|(url, seen, delta)| single(url, seen, delta, places)));
    changes
}

/// Whether there are clients that have nothing better than a suite. Of those with CCM, ARIA, Camellia and the like no client
/// is known that has not one with AES and GCM, CBC or ChaCha20 too.
fn is_somebodys_only_one(suite: &str) -> bool {
    ["_AES_", "CHACHA20", "3DES"].iter().any(|cipher| suite.contains(cipher)) && !suite.contains("_CCM")
}

/// The suites of versions that are taken before and after.
fn suites(deltas: &[Delta], places: &Places<'_>) -> Vec<Change> {
    let suites = of_routes(deltas).filter_map(|(url, seen, delta)| match seen {
        Seen::Suite(version, suite) => {
            let key = (url, version, delta.after.is_some(), delta.by, is_somebodys_only_one(suite));
            Some((key, suite.clone()))
        }
        _ => None,
    });
    let groups = by_key(suites).into_iter();
    groups
        .map(|((url, version, is_new, by, is_needed), suites)| {
            let (level, what, before, after) = match (is_new, is_needed) {
                (true, _) => (ChangeLevel::Cosmetic, "taken now", "refused", "taken"),
                (false, true) => (ChangeLevel::Breaking, "no longer taken", "taken", "refused"),
                (false, false) => (ChangeLevel::Behaviour, "no longer taken", "taken", "refused"),
            };
            let advice = match (is_new, is_needed) {
                (true, _) => "",
                (false, true) => {
                    "Clients that have no other suite can't connect; name it in ssl_ciphers if one is left."
                }
                (false, false) => "A client that has no other suite can't connect; no common one is like that.",
            };
            let is = if suites.len() == 1 { "is" } else { "are" };
            Change::new(
                level,
                by,
                format!("{} of {version} {is} {what}: {}", counted(suites.len(), "suite"), listed(&suites)),
            )
            .from(before)
            .to(after)
            .at(places.tls(url, CIPHERS).filter(|_| !is_new))
            .advising(advice)
        })
        .collect()
}

fn single(url: &str, seen: &Seen, delta: &Delta, places: &Places<'_>) -> Option<Change> {
    let after = delta.after.clone().unwrap_or_else(|| "nothing".to_owned());
    let (level, what, directives): (_, _, &[&str]) = match seen {
        Seen::Agreed => (ChangeLevel::Behaviour, "clients of today agree on another version".to_owned(), PROTOCOLS),
        Seen::Trust if delta.before.as_deref() == Some("trusted") => {
            (ChangeLevel::Breaking, "clients no longer take the certificate".to_owned(), &["ssl_certificate"])
        }
        Seen::Trust => {
            (ChangeLevel::Behaviour, "clients judge the certificate differently".to_owned(), &["ssl_certificate"])
        }
        Seen::Certificates => (ChangeLevel::Behaviour, "other certificates are sent".to_owned(), &["ssl_certificate"]),
        Seen::Protocol(offer) => {
            (ChangeLevel::Behaviour, format!("a client that offers {offer} (ALPN) gets another protocol"), &["http2"])
        }
        Seen::Http2 => (ChangeLevel::Behaviour, "HTTP/2 is spoken or not".to_owned(), &["http2"]),
        Seen::Resumes => (
            ChangeLevel::Behaviour,
            "a client that comes back goes on with its TLS session or not".to_owned(),
            &["ssl_session_cache", "ssl_session_tickets"],
        ),
        Seen::Staples => (ChangeLevel::Behaviour, "an OCSP answer is stapled or not".to_owned(), &["ssl_stapling"]),
        _ => return None,
    };
    let change = Change::new(level, delta.by, what).from(delta.before.clone().unwrap_or_else(|| "nothing".to_owned()));
    Some(change.to(after).at(places.tls(url, directives)))
}
