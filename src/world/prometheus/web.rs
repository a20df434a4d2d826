//! The file of `--web.config.file`: Prometheus's own TLS and passwords.

use super::super::{SubstitutionKind, WorldError};
use super::files::Files;
use crate::deployment::WebConfig;

/// The certificate of a made one.
const CERTIFICATE: &str = "/etc/prometheus/proxyproof-web.crt";
const KEY: &str = "/etc/prometheus/proxyproof-web.key";

/// bcrypt's least: it protects nothing, and Prometheus works through it for each new connection.
const COST: u32 = 4;

/// Prometheus's configuration; a made one gives the password that Prometheus asks itself for.
pub(super) fn with_password(files: &Files<'_>) -> String {
    let prometheus = files.prometheus;
    let made = prometheus.config_location.is_none() && prometheus.asks_for_a_password();
    let Some((user, password)) = files.credentials.filter(|_| made) else { return prometheus.config.clone() };
    let [user, password] = [user, password].map(|text| serde_json::Value::from(text.as_str()));
    let job = "  - job_name: prometheus\n";
    let asked = format!("{job}    basic_auth:\n      username: {user}\n      password: {password}\n");
    prometheus.config.replacen(job, &asked, 1)
}

/// Puts the file in place, if there is one.
pub(super) fn add(files: &mut Files<'_>) -> Result<(), WorldError> {
    let Some(web) = &files.prometheus.web else { return Ok(()) };
    match &web.text {
        Some(text) => add_given(files, web, text),
        None => make(files, web),
    }
}

fn add_given(files: &mut Files<'_>, web: &WebConfig, text: &str) -> Result<(), WorldError> {
    let (Some(users), Some((user, password))) = (&web.users, files.credentials) else {
        files.add(&web.path, text);
        return Ok(());
    };
    // Those that it has stay: others than the harness may give their passwords.
    let hash = bcrypt::hash(password, COST).map_err(|error| WorldError::Password(error.to_string()))?;
    if let Some(more) = with_user(text, (users.line, users.column), user, &hash) {
        files.add(&web.path, more);
        let by = format!("itself and the user `{user}`");
        files.say(SubstitutionKind::File, &web.path, by, web.location.as_ref());
    } else {
        files.add(&web.path, text);
    }
    Ok(())
}

/// The text with a user before the first one that it has; none if the harness's is there already.
fn with_user(text: &str, first: (usize, usize), user: &str, hash: &str) -> Option<String> {
    let (line, column) = (first.0 - 1, first.1 - 1);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let at = start + text[start..].chars().take(column).map(char::len_utf8).sum::<usize>();
    let indent: String = text[start..at].chars().map(|_| ' ').collect();
    let is_block = text[start..at].trim().is_empty();
    let known = text.lines().any(|line| line.trim_start().split(':').next() == Some(user));
    let name = serde_json::to_string(user).ok()?;
    let entry = if is_block { format!("{name}: '{hash}'\n{indent}") } else { format!("{name}: '{hash}', ") };
    (!known).then(|| format!("{}{entry}{}", &text[..at], &text[at..]))
}

/// What nginx's `proxy_pass https://…` needs; without TLS an empty one, where the command line names a file.
fn make(files: &mut Files<'_>, web: &WebConfig) -> Result<(), WorldError> {
    if !web.tls {
        files.add(&web.path, "{}\n");
        files.say(SubstitutionKind::File, &web.path, "one that changes nothing", web.location.as_ref());
        return Ok(());
    }
    let leaf = files.authority.issue(&files.names)?;
    files.add(CERTIFICATE, leaf.certificate);
    files.add(KEY, leaf.key);
    files.add(&web.path, format!("tls_server_config:\n  cert_file: {CERTIFICATE}\n  key_file: {KEY}\n"));
    let by = format!("TLS with a certificate made for {}", files.names.join(", "));
    let location = web.location.as_ref().unwrap_or(&files.route.proxy_pass);
    files.say(SubstitutionKind::File, &web.path, by, Some(location));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::with_user;

    #[test]
    fn a_user_goes_before_the_others() {
        let block = "basic_auth_users:\n    alice: x\ntls_server_config: {}\n";
        let expected = "basic_auth_users:\n    \"me\": 'h'\n    alice: x\ntls_server_config: {}\n";
        assert_eq!(with_user(block, (2, 5), "me", "h").as_deref(), Some(expected));
        let flow = "basic_auth_users: {é: x}";
        assert_eq!(with_user(flow, (1, 20), "me", "h").as_deref(), Some("basic_auth_users: {\"me\": 'h', é: x}"));
        assert_eq!(with_user("basic_auth_users:\n  me: x", (2, 3), "me", "h"), None);
    }
}
