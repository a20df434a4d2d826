//! What the programs say of themselves when they are asked by their options: `prometheus --help`, `nginx -V`.

use std::collections::BTreeSet;

/// The flags in the help of Prometheus, without dashes, and the words that `--enable-feature` takes.
pub(super) fn flags(help: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut flags = BTreeSet::new();
    let mut features = String::new();
    let mut is_features = false;
    for line in help.lines().map(str::trim_start) {
        if let Some(flag) = flag(line) {
            is_features = flag == "enable-feature";
            flags.insert(flag);
        }
        if is_features {
            features.push(' ');
            features.push_str(line);
        }
    }
    let listed = features.split_once("Valid options:").map_or("", |(_, rest)| rest);
    let listed = listed.split(". See").next().unwrap_or_default();
    let words = listed.split(',').map(|word| word.trim().trim_end_matches('.'));
    let is_word = |word: &&str| !word.is_empty() && !word.contains(' ');
    (flags, words.filter(is_word).map(str::to_owned).collect())
}

/// Reads `--config.file="…"`, `--[no-]web.enable-lifecycle`, `-h, --help`.
fn flag(line: &str) -> Option<String> {
    let line = if line.starts_with('-') && !line.starts_with("--") { line.split_once(", ")?.1 } else { line };
    let name = line.strip_prefix("--")?;
    let name = name.strip_prefix("[no-]").unwrap_or(name);
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && !".-_".contains(c)).unwrap_or(name.len());
    (end > 0).then(|| name[..end].to_owned())
}

/// What `nginx -V` says: the TLS library to its minor version, and what it was built with.
pub(super) fn build(said: &str) -> (Option<String>, BTreeSet<String>) {
    let library = said.lines().find_map(|line| line.strip_prefix("built with "));
    let library = library.and_then(|library| {
        let mut words = library.split_whitespace();
        let (name, version) = (words.next()?, words.next()?);
        let minor: Vec<&str> = version.split('.').take(2).collect();
        Some(format!("{name} {}", minor.join(".")))
    });
    let arguments = said.lines().find_map(|line| line.strip_prefix("configure arguments:")).unwrap_or_default();
    let options = arguments.split_whitespace().filter(|word| word.starts_with("--with") && !word.contains("-opt="));
    (library, options.map(|word| word.split('=').next().unwrap_or(word).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_features_are_read() {
        let help = "usage: prometheus [<flags>]\n\nFlags:\n  -h, --[no-]help                Show help\n      \
                    --config.file=\"prometheus.yml\"\n                                 Path --of it.\n      \
                    --enable-feature= ...      Comma separated feature names to enable. Valid\n                    \
                    options: agent, extra-scrape-metrics. See https://x\n      --web.enable-lifecycle  x\n";
        let (flags, features) = flags(help);
        assert_eq!(flags, ["config.file", "enable-feature", "help", "web.enable-lifecycle"].map(str::to_owned).into());
        assert_eq!(features, ["agent", "extra-scrape-metrics"].map(str::to_owned).into());
    }

    #[test]
    fn a_build_is_read() {
        let said = "nginx version: nginx/1.26.3\nbuilt with OpenSSL 3.5.1 1 Jul 2025\nTLS SNI support enabled\n\
                    configure arguments: --with-cc-opt='-g -O2' --prefix=/usr --with-http_v2_module --with-stream=dynamic\n";
        let (library, options) = build(said);
        assert_eq!(library.as_deref(), Some("OpenSSL 3.5"));
        assert_eq!(options, ["--with-http_v2_module", "--with-stream"].map(str::to_owned).into());
    }
}
