//! Files that configurations include and nobody copies along, because every machine of that kind has them.

/// What every package and image of nginx brings in its own `/etc/nginx`.
const PACKAGED: [&str; 8] =
    ["mime.types", "fastcgi_params", "fastcgi.conf", "uwsgi_params", "scgi_params", "koi-utf", "koi-win", "win-utf"];

/// A well-known file: the end of its path, its text, and whose it is.
struct Known(&'static str, &'static str, &'static str);

const KNOWN: [Known; 9] = [
    Known("/letsencrypt/options-ssl-nginx.conf", include_str!("options-ssl-nginx.conf"), "certbot"),
    Known("/nginx/ssl/options-ssl-nginx.conf", include_str!("options-ssl-nginx.conf"), "certbot"),
    Known("/nginx/proxy_params", include_str!("proxy_params.conf"), "Debian"),
    Known("/nginx/snippets/fastcgi-php.conf", include_str!("fastcgi-php.conf"), "Debian"),
    Known("/nginx/snippets/snakeoil.conf", include_str!("snakeoil.conf"), "Debian"),
    Known("/nginx/snippets/self-signed.conf", include_str!("self-signed.conf"), "guides to a certificate of one's own"),
    Known("/config/nginx/proxy.conf", include_str!("swag-proxy.conf"), "the SWAG image"),
    Known("/config/nginx/resolver.conf", include_str!("swag-resolver.conf"), "the SWAG image"),
    Known("/config/nginx/ssl.conf", include_str!("swag-ssl.conf"), "the SWAG image"),
];

/// Where Debian's modules have the line that loads them; /etc/nginx/modules-enabled is full of links to it.
const MODULES: &str = "/usr/share/nginx/modules-available/mod-";

/// The text of a file, and what is said of it.
pub(super) struct Stock {
    pub(super) text: String,
    pub(super) by: String,
}

/// Whether nginx's own packages bring a file.
pub(super) fn is_packaged(path_in_pod: &str) -> bool {
    path_in_pod.strip_prefix("/etc/nginx/").is_some_and(|name| PACKAGED.contains(&name))
}

/// What stands for a file that the tree lacks, if it is a well-known one.
pub(super) fn known(path_in_pod: &str) -> Option<Stock> {
    let (_, name) = path_in_pod.rsplit_once('/')?;
    if PACKAGED.contains(&name) {
        let text = format!("include /etc/nginx/{name};\n");
        return Some(Stock { text, by: format!("the {name} that nginx itself brings") });
    }
    if let Some(module) = path_in_pod.strip_prefix(MODULES).and_then(|name| name.strip_suffix(".conf")) {
        let text = format!("load_module modules/{};\n", module_file(module));
        return Some(Stock { text, by: "the line of Debian's package that loads the module".to_owned() });
    }
    let Known(_, text, whose) = KNOWN.iter().find(|Known(end, ..)| path_in_pod.ends_with(end))?;
    Some(Stock { text: (*text).to_owned(), by: format!("what {whose} has there") })
}

fn module_file(package: &str) -> String {
    match package {
        "http-ndk" => "ndk_http_module.so".to_owned(),
        other => format!("ngx_{}_module.so", other.replace('-', "_")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::testing::directives;

    #[test]
    fn every_known_file_is_sound() {
        for Known(path, text, _) in &KNOWN {
            assert!(!directives(text).is_empty(), "{path}");
        }
    }

    #[test]
    fn files_are_known_by_the_end_of_their_path() {
        let text = |path| known(path).map(|stock| stock.text).unwrap_or_default();
        assert!(text("/etc/letsencrypt/options-ssl-nginx.conf").contains("ssl_protocols"));
        assert_eq!(text("/opt/nginx/conf/mime.types"), "include /etc/nginx/mime.types;\n");
        let module = "/usr/share/nginx/modules-available/mod-http-headers-more-filter.conf";
        assert_eq!(text(module), "load_module modules/ngx_http_headers_more_filter_module.so;\n");
        assert!(known("/etc/nginx/proxy.conf").is_none());
        assert!(is_packaged("/etc/nginx/mime.types") && !is_packaged("/etc/mime.types"));
    }
}
