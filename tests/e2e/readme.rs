//! What the README says of the checks is what the catalogue says.

use std::fs;

use proxyproof::{CATALOGUE, View};

use crate::support::project;

const BEGIN: &str = "<!-- checks:begin -->\n";
const END: &str = "<!-- checks:end -->";

/// `UPDATE_README=1 cargo test` writes the table.
#[test]
fn the_table_of_checks_is_the_catalogue() {
    let path = project("README.md");
    let readme = fs::read_to_string(&path).expect("README.md");
    let (before, rest) = readme.split_once(BEGIN).expect("the beginning of the table is marked");
    let (table, after) = rest.split_once(END).expect("the end of the table is marked");
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", expected())).expect("README.md can be written");
        return;
    }
    assert_eq!(table, expected(), "the table in README.md is old: UPDATE_README=1 cargo test --test e2e readme");
}

fn expected() -> String {
    let rows = CATALOGUE.iter().map(|check| {
        let probe = if check.view == View::Outside { "yes" } else { "no" };
        let (id, level, what) = (check.id, check.level.name(), check.what.replace('|', "\\|"));
        format!("| [`{id}`](fixtures/checks/{id}) | `{level}` | {probe} | {what} |\n")
    });
    format!("| check | level | by `probe` | what it asks |\n|---|---|---|---|\n{}", rows.collect::<String>())
}
