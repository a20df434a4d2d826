//! What the words of the catalogue mean, for who does not work with nginx every day.

/// A word, other forms of it that texts have, and what it means.
struct Word {
    word: &'static str,
    forms: &'static [&'static str],
    meaning: &'static str,
}

const WORDS: &[Word] = &[
    Word {
        word: "server",
        forms: &["server block", "the server ", "server {", "the server,", "of a socket"],
        meaning: "a block of nginx.conf for one site: which ports it listens on, which names and which certificate it has",
    },
    Word {
        word: "location",
        forms: &["location"],
        meaning: "a block inside a server for the paths that begin with something, or that a regular expression fits (~); \
                  of several nginx takes one",
    },
    Word {
        word: "prefix",
        forms: &["prefix", "/PREFIX"],
        meaning: "the path below which Prometheus is public, such as /prometheus",
    },
    Word {
        word: "proxy_pass",
        forms: &["proxy_pass"],
        meaning: "the line of a location that names where nginx passes its requests on to: here Prometheus",
    },
    Word { word: "upstream", forms: &["upstream"], meaning: "a program behind nginx that it passes requests on to" },
    Word {
        word: "--web.external-url",
        forms: &["--web.external-url"],
        meaning: "Prometheus's flag for the URL that people open; it writes links and redirects from it",
    },
    Word {
        word: "--web.route-prefix",
        forms: &["--web.route-prefix", "route prefix", "ROUTE-PREFIX"],
        meaning: "Prometheus's flag for the path below which it answers itself; by default that of --web.external-url",
    },
    Word {
        word: "ALPN",
        forms: &["ALPN"],
        meaning: "the part of a TLS handshake in which client and server agree on HTTP/1.1 or HTTP/2",
    },
    Word {
        word: "cipher suite",
        forms: &["suite"],
        meaning: "the algorithms by which a TLS connection is encrypted; client and server agree on one",
    },
    Word {
        word: "forward secrecy",
        forms: &["forward secrecy"],
        meaning: "each connection has a key of its own that is thrown away: who steals the server's key later can't read it",
    },
    Word {
        word: "intermediate",
        forms: &["intermediate"],
        meaning: "the certificate of an authority between yours and the one that clients know",
    },
    Word {
        word: "OCSP responder",
        forms: &["OCSP"],
        meaning: "a server of the certificate authority that says whether a certificate was revoked; stapled, nginx asks it \
                  and hands on the answer",
    },
    Word {
        word: "subjectAltName",
        forms: &["subjectAltName"],
        meaning: "the list of names in a certificate that it is for",
    },
    Word {
        word: "Strict-Transport-Security",
        forms: &["Strict-Transport-Security"],
        meaning: "the header (HSTS) that tells browsers to use https alone for this name from now on",
    },
    Word {
        word: "default server",
        forms: &["default_server", "default server", "default one"],
        meaning: "the server block that answers on a port when no other has the name that was asked for",
    },
    Word {
        word: "exposition format",
        forms: &["exposition format"],
        meaning: "the plain text of names and numbers that Prometheus reads from what it watches, and writes itself",
    },
    Word {
        word: "scrape",
        forms: &["scrape"],
        meaning: "Prometheus fetching the numbers of something that it watches",
    },
    Word {
        word: "federation",
        forms: &["federat"],
        meaning: "one Prometheus fetching samples from another, at /federate",
    },
    Word {
        word: "remote write",
        forms: &["remote write", "remote_write"],
        meaning: "samples that are sent to Prometheus by POST, instead of being fetched by it",
    },
    Word {
        word: "Access-Control-Allow-Origin",
        forms: &["Access-Control"],
        meaning: "the header that tells browsers which other sites' pages may read an answer (CORS)",
    },
    Word {
        word: "session resumption",
        forms: &["resumption"],
        meaning: "a client that was here before saves most of the TLS handshake",
    },
    Word {
        word: "pprof",
        forms: &["pprof"],
        meaning: "pages of every Go program that show what it does and holds in memory, for its developers",
    },
    Word {
        word: "htpasswd file",
        forms: &["auth_basic_user_file", "password file"],
        meaning: "a file of user names and hashed passwords, made by `htpasswd` or `openssl passwd -apr1`",
    },
    Word {
        word: "satisfy any",
        forms: &["satisfy any"],
        meaning: "the right address or the right password is enough; otherwise both are needed",
    },
];

/// The words that a text uses, each with what it means, in a fixed order.
pub(super) fn words_in(texts: &[&str]) -> Vec<(&'static str, &'static str)> {
    let uses = |word: &&Word| texts.iter().any(|text| word.forms.iter().any(|form| text.contains(form)));
    WORDS.iter().filter(uses).map(|word| (word.word, word.meaning)).collect()
}

#[cfg(test)]
mod tests {
    use proxyproof::CATALOGUE;

    use super::*;

    #[test]
    fn words_are_explained_where_they_are_used() {
        let words = words_in(&["`listen 443 ssl default_server;`", "The upstream's ALPN."]);
        let words: Vec<&str> = words.into_iter().map(|(word, _)| word).collect();
        assert_eq!(words, ["upstream", "ALPN", "default server"]);
    }

    #[test]
    fn no_word_is_left_over() {
        let texts: Vec<&str> = CATALOGUE.iter().flat_map(|check| [check.what, check.why, check.fix]).collect();
        let used: Vec<&str> = words_in(&texts).into_iter().map(|(word, _)| word).collect();
        assert_eq!(used, WORDS.iter().map(|word| word.word).collect::<Vec<_>>());
    }
}
