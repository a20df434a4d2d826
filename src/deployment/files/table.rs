//! Which directives name files, and what each of them is.

use super::FileKind;

/// Where nginx starts a relative path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// The directory of the nginx.conf.
    Configuration,
    /// The prefix that nginx was built with.
    Prefix,
}

/// What a directive names with its first argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) kind: FileKind,
    pub(super) base: Base,
    pub(super) names: Names,
}

/// Whether it names the thing itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// A file or directory.
    It,
    /// A file that nginx makes: its directory has to be there.
    SomethingIn,
    /// A pattern of paths: what stands before the first variable has to be there.
    Below,
    /// A directory, or one file, which is told by the dot in its name; perhaps with what a location matched behind it.
    Alias,
}

const FILES: [(&str, FileKind); 11] = [
    ("ssl_client_certificate", FileKind::ClientCa),
    ("ssl_trusted_certificate", FileKind::TrustedCa),
    ("ssl_crl", FileKind::Crl),
    ("ssl_dhparam", FileKind::Dhparam),
    ("ssl_session_ticket_key", FileKind::TicketKey),
    ("ssl_stapling_file", FileKind::OcspResponse),
    ("ssl_password_file", FileKind::KeyPasswords),
    ("auth_basic_user_file", FileKind::Passwords),
    ("geoip_country", FileKind::GeoipCountry),
    ("geoip_city", FileKind::GeoipCity),
    ("geoip2", FileKind::Geoip2),
];

/// What modules that talk to upstreams by TLS have behind `proxy_ssl_`, `grpc_ssl_` and `uwsgi_ssl_`.
const UPSTREAM_FILES: [(&str, FileKind); 3] = [
    ("trusted_certificate", FileKind::UpstreamCa),
    ("crl", FileKind::UpstreamCrl),
    ("password_file", FileKind::KeyPasswords),
];

/// The modules that talk to upstreams by TLS.
pub(super) const UPSTREAM_MODULES: [&str; 3] = ["proxy_ssl_", "grpc_ssl_", "uwsgi_ssl_"];

const DIRECTORIES: [(&str, Names); 4] = [
    ("pid", Names::SomethingIn),
    ("lock_file", Names::SomethingIn),
    ("working_directory", Names::It),
    ("state_path", Names::It),
];

/// What a directive of this name says, if it names a file by itself. Pairs of certificate and key, logs and users are
/// looked at as a whole elsewhere.
pub(super) fn rule(directive: &str) -> Option<Rule> {
    let upstream = UPSTREAM_MODULES.iter().find_map(|module| directive.strip_prefix(module));
    let file = match upstream {
        Some(rest) => UPSTREAM_FILES.iter().find(|(name, _)| *name == rest),
        None => FILES.iter().find(|(name, _)| *name == directive),
    };
    let file = file.map(|(_, kind)| Rule { kind: *kind, base: Base::Configuration, names: Names::It });
    file.or_else(|| directory(directive))
}

fn directory(directive: &str) -> Option<Rule> {
    let (kind, names) = if directive == "root" {
        (FileKind::Site, Names::It)
    } else if directive == "alias" {
        (FileKind::Site, Names::Alias)
    } else if directive.ends_with("_temp_path") || directive.ends_with("_cache_path") {
        (FileKind::Directory, Names::It)
    } else if directive.ends_with("_store") {
        (FileKind::Directory, Names::Below)
    } else {
        let (_, names) = DIRECTORIES.iter().find(|(name, _)| *name == directive)?;
        (FileKind::Directory, *names)
    };
    Some(Rule { kind, base: Base::Prefix, names })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_told_by_their_names() {
        let kind = |name| rule(name).map(|rule| rule.kind);
        assert_eq!(kind("ssl_crl"), Some(FileKind::Crl));
        assert_eq!(kind("grpc_ssl_crl"), Some(FileKind::UpstreamCrl));
        assert_eq!(kind("uwsgi_temp_path"), Some(FileKind::Directory));
        assert_eq!(kind("proxy_ssl_verify"), None);
        assert_eq!(kind("proxy_pass"), None);
        assert_eq!(rule("pid").map(|rule| rule.names), Some(Names::SomethingIn));
    }
}
