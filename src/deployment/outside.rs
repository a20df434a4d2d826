//! A deployment of which nothing but its public URL is known: the least configuration that has this URL stands for it, so
//! that there are facts to ask. Nobody is told of them: what is seen from outside alone has no place in a file.

use std::path::Path;

use super::tree::Tree;
use super::{Deployment, DeploymentError, Nginx, Options, Settings, syntax};

/// A directory in which nothing can be: no file of this machine belongs to what is seen from outside.
const NOWHERE: &str = "/dev/null";

impl Deployment {
    /// What stands for the deployment at `https://NAME:PORT/PREFIX/`. Where a password or a certificate is given, clients
    /// are taken to need it.
    pub(crate) fn seen_from_outside(
        url: &str,
        (name, port, prefix): (&str, u16, &str),
        options: &Options,
    ) -> Result<Self, DeploymentError> {
        let text = text(name, port, prefix, options);
        let directives = syntax::parse(&url.into(), &text)?;
        let tree = Tree::new(Path::new(NOWHERE), None);
        let nginx = Nginx { files: Vec::new(), directives, tree, made: Vec::new() };
        let mut deployment = Self::of(Path::new(url), nginx, Settings::default(), options)?;
        for prometheus in &mut deployment.prometheus {
            prometheus.flags.clear();
        }
        Ok(deployment)
    }
}

fn text(name: &str, port: u16, prefix: &str, options: &Options) -> String {
    let password = options.basic_auth.as_ref().map_or("", |_| "auth_basic Prometheus; auth_basic_user_file users;");
    let certificate = options.client_cert.as_ref().map_or("", |_| "ssl_verify_client on;");
    format!(
        "http {{ server {{ listen {port} ssl; server_name {name}; {certificate} {password} \
         location \"{prefix}/\" {{ proxy_pass http://prometheus:9090; }} }} }}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &str, port: u16, prefix: &str, options: &Options) -> Deployment {
        Deployment::seen_from_outside("https://x/", (name, port, prefix), options).unwrap()
    }

    #[test]
    fn the_url_is_all_that_is_known() {
        for (name, port, prefix, url) in [
            ("example.com", 443, "/prometheus", "https://example.com/prometheus/"),
            ("127.0.0.1", 8443, "", "https://127.0.0.1:8443/"),
            ("a.b", 443, "/x;y$z'(~", "https://a.b/x;y$z'(~/"),
        ] {
            let deployment = seen(name, port, prefix, &Options::default());
            assert_eq!(deployment.route().public_url(), url);
            assert_eq!(deployment.routes.len(), 1);
            assert!(deployment.prometheus[0].flags.is_empty() && deployment.nginx.files.is_empty());
        }
    }

    #[test]
    fn what_a_client_is_given_is_what_it_needs() {
        let access = seen("a.b", 443, "", &Options::default()).route().access.clone();
        assert!(access.basic.is_none() && access.certificate.is_none());
        let given = Options { basic_auth: Some(("a".to_owned(), "b".to_owned())), ..Options::default() };
        let access = seen("a.b", 443, "", &given).route().access.clone();
        assert!(access.basic.is_some() && access.certificate.is_none());
    }
}
