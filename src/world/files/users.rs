//! Whom nginx's workers run as: a user that the image may lack.

use super::Placing;
use crate::deployment::User;
use crate::world::{PodFile, Substitution, SubstitutionKind};

/// The users that every image has.
const USERS: [&str; 4] = ["root", "www-data", "nginx", "nobody"];
/// The groups that every image has.
const GROUPS: [&str; 5] = ["root", "www-data", "nginx", "nobody", "nogroup"];
/// Of the users and groups that are made.
const ID: u32 = 1000;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nginx:x:101:101:nginx:/nonexistent:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
";
const GROUP: &str = "root:x:0:
daemon:x:1:
www-data:x:33:
users:x:100:
nginx:x:101:
nogroup:x:65534:
nobody:x:65534:
";

impl Placing<'_> {
    /// Makes the user and the group of `user`, where images lack them.
    pub(super) fn user(&mut self) {
        let Some(user) = &self.deployment.files.user else { return };
        let Some((passwd, group)) = databases(user) else { return };
        self.put(PodFile::file("/etc/passwd", passwd, 0o644));
        self.put(PodFile::file("/etc/group", group, 0o644));
        let what = if user.group == user.name { user.name.clone() } else { format!("{} {}", user.name, user.group) };
        self.world.substitutions.push(Substitution {
            kind: SubstitutionKind::User,
            what,
            by: "an /etc/passwd and /etc/group that know it".to_owned(),
            location: Some(user.location.clone()),
        });
    }
}

/// The users and groups of an image with the missing ones behind them; none if none is missing, or a name can be none.
fn databases(user: &User) -> Option<(String, String)> {
    let [name, group] = [&user.name, &user.group].map(String::as_str);
    let (knows_user, knows_group) = (USERS.contains(&name), GROUPS.contains(&group));
    if (knows_user && knows_group) || !is_name(name) || !is_name(group) {
        return None;
    }
    let mut databases = (PASSWD.to_owned(), GROUP.to_owned());
    if !knows_user {
        databases.0.push_str(&format!("{name}:x:{ID}:{ID}::/nonexistent:/usr/sbin/nologin\n"));
    }
    if !knows_group {
        databases.1.push_str(&format!("{group}:x:{ID}:\n"));
    }
    Some(databases)
}

fn is_name(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    !name.is_empty() && name.chars().all(letters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::Location;

    fn made(name: &str, group: &str) -> Option<(String, String)> {
        databases(&User { name: name.into(), group: group.into(), location: Location::new("f", 1, 1) })
    }

    #[test]
    fn only_what_is_missing_is_made() {
        assert!(made("nginx", "nginx").is_none());
        assert!(made("{{ user }}", "{{ user }}").is_none());
        let (passwd, group) = made("deploy", "deploy").unwrap();
        assert!(passwd.ends_with("deploy:x:1000:1000::/nonexistent:/usr/sbin/nologin\n"));
        assert!(group.ends_with("deploy:x:1000:\n"));
        let (passwd, group) = made("www-data", "web").unwrap();
        assert!(passwd == PASSWD && group.ends_with("web:x:1000:\n"));
    }
}
