//! `proxyproof.toml` beside the configuration: what the files do not say, so that nobody has to type it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::host_port::HostPort;
use super::source_text::SourceText;
use super::{DeploymentError, Options, read};
use crate::finding::Level;
use crate::location::Location;

/// The name of the file.
pub const FILE: &str = "proxyproof.toml";

/// What a `proxyproof.toml` says. Everything in it is optional; what the command line says wins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// The name in the public URL, as `--server-name`.
    pub server_name: Option<String>,
    /// The public path below which Prometheus is, as `--prefix`.
    pub prefix: Option<String>,
    /// Which upstream is Prometheus, HOST:PORT, as `--upstream`.
    #[schemars(with = "Option<String>")]
    pub upstream: Option<Spanned<String>>,
    /// A tree that mirrors `/`, as `--root`. Paths are relative to this file.
    pub root: Option<PathBuf>,
    /// Further files of the same deployment, as `--with`.
    pub with: Vec<PathBuf>,
    /// What clients trust, for a certificate that the tree brings, as `--cacert`.
    pub cacert: Option<PathBuf>,
    /// Values of a template's placeholders, as `--env`.
    pub env: BTreeMap<String, String>,
    /// nginx.
    pub nginx: Nginx,
    /// Prometheus.
    pub prometheus: Prometheus,
    /// What a client of the deployment knows.
    pub client: Client,
    /// What is meant to be so, and is an error if it is not.
    pub expect: Expect,
    /// Checks that are not asked, each with the reason.
    #[schemars(with = "BTreeMap<String, String>")]
    pub skip: BTreeMap<Spanned<String>, String>,
    /// Levels of findings by check: raised or lowered, with the reason.
    #[schemars(with = "BTreeMap<String, Judgement>")]
    pub level: BTreeMap<Spanned<String>, Judgement>,
    /// The file that it was read from.
    #[serde(skip)]
    file: Option<(Arc<str>, Arc<str>)>,
}

/// Which nginx runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Nginx {
    /// `docker:IMAGE`, `debian:RELEASE`, `ubuntu:RELEASE`, `path:FILE` or `auto`, as `--nginx`.
    #[schemars(with = "Option<String>")]
    pub source: Option<Spanned<String>>,
}

/// Which Prometheus runs, and how it is started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Prometheus {
    /// `docker:IMAGE`, `debian:RELEASE`, `ubuntu:RELEASE`, `path:FILE` or `auto`, as `--prometheus`.
    #[schemars(with = "Option<String>")]
    pub source: Option<Spanned<String>>,
    /// The flags that the deployment starts it with, as `--prometheus-arg`.
    pub args: Vec<String>,
    /// A unit, compose file or manifest that has them, as `--prometheus-from`.
    pub from: Option<PathBuf>,
    /// The deployment's `prometheus.yml`, as `--prometheus-config`.
    pub config: Option<PathBuf>,
}

/// What a client of the deployment knows. Secrets are in environment variables, never in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Client {
    /// A user of the deployment's password file.
    pub user: Option<String>,
    /// The environment variable that holds the user's password.
    #[schemars(with = "Option<String>")]
    pub password_env: Option<Spanned<String>>,
    /// A client certificate, PEM, as `--client-cert`.
    pub certificate: Option<PathBuf>,
    /// Its key, PEM, as `--client-key`.
    pub key: Option<PathBuf>,
}

/// What is meant to be so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Expect {
    /// What a client finds on port 80.
    pub port_80: Option<Port80>,
    /// Whether a client needs a certificate.
    pub client_certificate: Option<ClientCertificate>,
}

/// What a client finds on port 80.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Port80 {
    /// Nothing: the connection is refused, or closed without an answer.
    Closed,
    /// A redirect to https.
    Redirects,
}

/// Whether a client needs a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificate {
    /// Without one it gets nothing.
    Required,
}

/// Another level for the findings of a check.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Judgement {
    /// The level that they have here.
    pub level: Level,
    /// Why.
    pub reason: String,
}

impl Settings {
    /// The settings beside a configuration, or in the directory that is one; none if there is no such file.
    pub(super) fn beside(path: &Path) -> Result<Self, DeploymentError> {
        let directory = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
        let file = directory.join(FILE);
        if !file.is_file() {
            return Ok(Self::default());
        }
        let text = read::text(&file)?;
        let name: Arc<str> = file.to_string_lossy().into();
        let parsed: Result<Self, _> = toml::from_str(&text);
        let mut settings = parsed.map_err(|error| syntax_error(&name, &text, &error))?;
        settings.resolve(directory);
        settings.file = Some((name, text.into()));
        Ok(settings)
    }

    /// The JSON Schema of the file, for editors.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }

    /// The place of something that the file says.
    pub fn location<T>(&self, said: &Spanned<T>) -> Option<Location> {
        let (file, text) = self.file.as_ref()?;
        Some(SourceText::new(file, text).location(said.span().start.min(text.len())))
    }

    /// The line that says this outside of a comment, at the text itself.
    pub(crate) fn place_of(&self, text: &str) -> Option<Location> {
        let (file, whole) = self.file.as_ref()?;
        let mut lines = whole.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#'));
        lines.find_map(|(index, line)| {
            let column = line[..line.find(text)?].chars().count() + 1;
            Some(Location::new(Arc::clone(file), index + 1, column))
        })
    }

    /// What the command line says, and what it leaves open from here. `variable` reads the environment.
    pub(super) fn complete(
        &self,
        given: &Options,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Options, DeploymentError> {
        let mut options = given.clone();
        let or = |own: &mut Option<PathBuf>, here: &Option<PathBuf>| *own = own.take().or_else(|| here.clone());
        options.server_name = options.server_name.or_else(|| self.server_name.clone());
        options.prefix = options.prefix.or_else(|| self.prefix.clone());
        if let (None, Some(upstream)) = (&options.upstream, &self.upstream) {
            let parsed: Result<HostPort, _> = upstream.get_ref().parse();
            let problem = |error: super::HostPortError| self.problem(upstream, &error.to_string(), "Mend the line");
            options.upstream = Some(parsed.map_err(problem)?);
        }
        or(&mut options.cacert, &self.cacert);
        or(&mut options.prometheus_from, &self.prometheus.from);
        or(&mut options.prometheus_config, &self.prometheus.config);
        if options.prometheus_args.is_empty() {
            options.prometheus_args.clone_from(&self.prometheus.args);
        }
        or(&mut options.prometheus_from, &self.prometheus.from);
        or(&mut options.root, &self.root);
        or(&mut options.client_cert, &self.client.certificate);
        or(&mut options.client_key, &self.client.key);
        options.with.extend(self.with.iter().cloned());
        let said = self.env.iter().map(|(name, value)| (name.clone(), value.clone()));
        let unsaid: Vec<_> = said.filter(|(name, _)| !options.env.iter().any(|(given, _)| given == name)).collect();
        options.env.extend(unsaid);
        if options.basic_auth.is_none() {
            options.basic_auth = self.credentials(variable)?;
        }
        Ok(options)
    }

    /// The user and the password, which is in the environment.
    fn credentials(
        &self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<(String, String)>, DeploymentError> {
        let (Some(user), Some(name)) = (&self.client.user, &self.client.password_env) else { return Ok(None) };
        match variable(name.get_ref()) {
            Some(password) => Ok(Some((user.clone(), password))),
            None => {
                let problem = format!("the environment variable `{}` is not set", name.get_ref());
                Err(self.problem(name, &problem, &format!("Set it to the password of `{user}`")))
            }
        }
    }

    /// An error at the place of something that the file says.
    pub(crate) fn problem<T>(&self, said: &Spanned<T>, problem: &str, fix: &str) -> DeploymentError {
        let location = self.location(said).unwrap_or_else(|| Location::new(FILE, 1, 1));
        DeploymentError::Syntax { location, problem: problem.to_owned(), fix: fix.to_owned() }
    }

    fn resolve(&mut self, directory: &Path) {
        let optional = [
            &mut self.root,
            &mut self.cacert,
            &mut self.prometheus.from,
            &mut self.prometheus.config,
            &mut self.client.certificate,
            &mut self.client.key,
        ];
        for path in optional.into_iter().flatten().chain(&mut self.with) {
            *path = directory.join(&path);
        }
    }
}

fn syntax_error(file: &Arc<str>, text: &str, error: &toml::de::Error) -> DeploymentError {
    let offset = error.span().map_or(0, |span| span.start.min(text.len()));
    let problem = error.message().trim_end_matches('.').replace('\n', " ");
    let fix = nearest(&problem).map_or_else(
        || "`proxyproof schema` prints what the file may hold".to_owned(),
        |known| format!("Did you mean `{known}`? `proxyproof schema` prints what the file may hold"),
    );
    DeploymentError::Syntax { location: SourceText::new(file, text).location(offset), problem, fix }
}

/// The known name that is most like the unknown one of a message such as "unknown field `a`, expected one of `b`, `c`".
fn nearest(problem: &str) -> Option<&str> {
    let mut quoted = problem.split('`').skip(1).step_by(2);
    let unknown = quoted.next().filter(|_| problem.starts_with("unknown"))?;
    let alike = |known: &&str| (strsim::jaro_winkler(unknown, known) * 1000.0) as u32;
    quoted.max_by_key(alike).filter(|known| alike(known) > 700)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::testing::Files;

    const CONF: &str = "http { server { listen 443 ssl; server_name a.b; location /p/ { proxy_pass http://x:1; }
        location /q/ { proxy_pass http://prom; } } }";

    fn load(toml: &str) -> Result<crate::deployment::Deployment, DeploymentError> {
        Files::of(&[("nginx.conf", CONF), (FILE, toml)]).load()
    }

    #[test]
    fn what_the_file_says_is_taken_where_the_call_says_nothing() {
        let deployment = load("upstream = \"x:1\"\nserver-name = 'c.d'\n[prometheus]\nargs = ['--a']").unwrap();
        assert_eq!(deployment.route().public_url(), "https://c.d/p/");
        assert_eq!(deployment.prometheus[0].flags[0].text, "--a");
        let files = Files::of(&[("nginx.conf", CONF), (FILE, "upstream = 'x:1'")]);
        let given = Options { upstream: Some("prom:80".parse().unwrap()), ..Options::default() };
        assert_eq!(files.load_with(&given).unwrap().route().prefix, "/q");
    }

    #[test]
    fn an_unknown_key_is_an_error_with_a_suggestion() {
        for (toml, expected) in [
            ("server_name = 'x'", "1:1: unknown field `server_name`"),
            ("server_name = 'x'", "Did you mean `server-name`?"),
            ("\n[prometheus]\nargz = []", "3:1: unknown field `argz`"),
            ("[expect]\nport-80 = 'close'", "Did you mean `closed`?"),
            ("upstream = 'nowhere'", "1:12: `nowhere` is not HOST:PORT"),
            ("prefix = ", "1:10: "),
        ] {
            let message = load(toml).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn a_password_is_in_the_environment() {
        let toml = "[client]\nuser = 'a'\npassword-env = 'PROXYPROOF_TEST_UNSET'";
        let message = load(toml).unwrap_err().to_string();
        assert!(message.contains("3:16: the environment variable `PROXYPROOF_TEST_UNSET` is not set"), "{message}");
        let settings: Settings = toml::from_str(toml).unwrap();
        let options = settings.complete(&Options::default(), |_| Some("secret".to_owned())).unwrap();
        assert_eq!(options.basic_auth, Some(("a".to_owned(), "secret".to_owned())));
    }

    #[test]
    fn skips_and_levels_have_reasons() {
        let toml = "[skip]\nui-page = 'no UI'\n[level]\nprefix-bare = { level = 'note', reason = 'nobody types it' }";
        let settings = load(toml).unwrap().settings;
        let (id, reason) = settings.skip.iter().next().unwrap();
        assert_eq!((id.get_ref().as_str(), reason.as_str()), ("ui-page", "no UI"));
        assert_eq!(settings.location(id).unwrap().line, 2);
        assert_eq!(settings.level.values().next().unwrap().level, Level::Note);
    }
}
