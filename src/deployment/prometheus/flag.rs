//! The flags of Prometheus's command line, each with the place that says it.

use super::words::{self, Word};
use crate::location::Location;

/// A flag of Prometheus's command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrometheusFlag {
    /// It as one word with its value: `--web.route-prefix=/`.
    pub text: String,
    /// Where the deployment says it; none for `--prometheus-arg` and for what was derived.
    pub location: Option<Location>,
}

/// The one flag that Prometheus takes more than once, whatever its release.
const REPEATABLE: &str = "enable-feature";

impl PrometheusFlag {
    /// A flag that no file says.
    pub(super) fn derived(text: String) -> Self {
        Self { text, location: None }
    }

    /// Its name without dashes, and without the `no-` that turns it off.
    pub fn name(&self) -> &str {
        let word = self.text.strip_prefix("--").unwrap_or(&self.text);
        let name = word.split('=').next().unwrap_or_default();
        name.strip_prefix("no-").unwrap_or(name)
    }

    /// What stands behind its `=`.
    pub fn value(&self) -> Option<&str> {
        self.text.split_once('=').map(|(_, value)| value)
    }
}

/// The value of the flag of that name.
pub(super) fn value<'a>(flags: &'a [PrometheusFlag], name: &str) -> Option<&'a str> {
    flags.iter().find(|flag| flag.name() == name).and_then(PrometheusFlag::value)
}

/// Makes one word of `--flag value`, and two dashes of the one that Prometheus 1 wanted.
pub(super) fn joined(words: impl IntoIterator<Item = PrometheusFlag>) -> Vec<PrometheusFlag> {
    let mut flags: Vec<PrometheusFlag> = Vec::new();
    for mut word in words {
        match flags.last_mut() {
            // Prometheus takes no argument that is no flag's.
            Some(last) if !word.text.starts_with('-') && !last.text.contains('=') && last.text.starts_with("--") => {
                last.text = format!("{}={}", last.text, word.text);
            }
            _ => {
                if is_old(&word.text) {
                    word.text.insert(0, '-');
                }
                flags.push(word);
            }
        }
    }
    flags
}

/// `-web.external-url`, and not `-h`.
fn is_old(word: &str) -> bool {
    let name = word.strip_prefix('-').unwrap_or_default();
    name.len() > 1 && name.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// The flags of the file with those of the command line behind them. Prometheus refuses a flag that comes twice, so that
/// the file's goes where the command line names it again.
pub(super) fn overridden(file: Vec<PrometheusFlag>, given: Vec<PrometheusFlag>) -> Vec<PrometheusFlag> {
    let again = |flag: &PrometheusFlag| given.iter().any(|other| other.name() == flag.name());
    let mut flags = file;
    flags.retain(|flag| flag.name() == REPEATABLE || !again(flag));
    flags.extend(given);
    flags
}

/// A word of a command line, before it is known to be a flag.
pub(super) fn word(text: impl Into<String>, location: &Location) -> PrometheusFlag {
    PrometheusFlag { text: text.into(), location: Some(location.clone()) }
}

/// Whether a word calls the program: `/usr/bin/prometheus`.
pub(super) fn calls_prometheus(word: &str) -> bool {
    let program = word.rsplit('/').next().unwrap_or_default();
    let version = program.strip_prefix("prometheus").map(|rest| rest.trim_start_matches('-'));
    !word.starts_with('-')
        && version.is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// The flags in the words of a command line: what follows the program, that of a shell's script too.
pub(super) fn of_command(words: Vec<PrometheusFlag>, variables: &words::Variables) -> Vec<PrometheusFlag> {
    let is_shell =
        words.first().is_some_and(|word| matches!(word.text.rsplit('/').next(), Some("sh" | "bash" | "ash" | "dash")));
    let script = words.iter().position(|word| word.text.starts_with('-') && word.text.ends_with('c'));
    if let Some(script) = script.filter(|_| is_shell).and_then(|index| words.get(index + 1)) {
        return of_script(script, variables);
    }
    // As `tini -g -- /bin/prometheus` has it.
    let wrapped = words.iter().position(|word| word.text == "--").map_or(0, |index| index + 1);
    joined(words.into_iter().skip(wrapped).skip_while(|word| !word.text.starts_with('-')))
}

fn of_script(script: &PrometheusFlag, variables: &words::Variables) -> Vec<PrometheusFlag> {
    let text = variables.expanded_in_shell(&script.text);
    let words = words::script(&text);
    let called = words.iter().position(|word| matches!(word, Word::Text(text) if calls_prometheus(text)));
    let Some(called) = called else { return Vec::new() };
    let arguments = words[called + 1..].iter().map_while(|word| match word {
        Word::Text(text) => Some(PrometheusFlag { text: text.clone(), location: script.location.clone() }),
        Word::Operator => None,
    });
    joined(arguments)
}

/// Points each flag to where the text between two offsets of its file says it, if it does so literally.
pub(super) fn located(
    flags: &mut [PrometheusFlag],
    text: &str,
    from: usize,
    to: usize,
    place: impl Fn(usize) -> Location,
) {
    let mut begin = from;
    for flag in flags {
        let name = flag.text.split('=').next().unwrap_or_default().trim_start_matches('-').to_owned();
        let Some(offset) = text.get(begin..to).and_then(|part| place_of(&name, part)) else { continue };
        let offset = begin + offset;
        let dashes = text[..offset].bytes().rev().take_while(|byte| *byte == b'-').count();
        flag.location = Some(place(offset - dashes));
        begin = offset + name.len();
    }
}

/// Where the name of a flag stands in a text, behind its dashes.
fn place_of(name: &str, text: &str) -> Option<usize> {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let mut places = text.match_indices(name).filter(|_| !name.is_empty());
    let found = places.find(|(at, _)| text[..*at].ends_with('-') && !text[at + name.len()..].starts_with(goes_on));
    found.map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(words: &[&str]) -> Vec<PrometheusFlag> {
        words.iter().map(|word| PrometheusFlag::derived((*word).to_owned())).collect()
    }

    fn texts(flags: &[PrometheusFlag]) -> Vec<&str> {
        flags.iter().map(|flag| flag.text.as_str()).collect()
    }

    #[test]
    fn a_flag_is_one_word_with_two_dashes() {
        let found = joined(flags(&["-web.external-url", "http://a", "--x", "--y=1", "-h"]));
        assert_eq!(texts(&found), ["--web.external-url=http://a", "--x", "--y=1", "-h"]);
    }

    #[test]
    fn the_command_line_has_the_last_word() {
        let file = flags(&["--a=1", "--enable-feature=x", "--web.enable-lifecycle"]);
        let found = overridden(file, flags(&["--a=2", "--enable-feature=y", "--no-web.enable-lifecycle"]));
        assert_eq!(texts(&found), ["--enable-feature=x", "--a=2", "--enable-feature=y", "--no-web.enable-lifecycle"]);
    }

    #[test]
    fn only_what_the_program_gets_is_a_flag() {
        let variables = words::Variables::of([("URL".to_owned(), "https://a/p".to_owned())]);
        let command = |words: &[&str]| of_command(flags(words), &variables);
        let script = "set -e; exec /bin/prometheus --web.external-url=\"$URL\" \\\n --a 'b c' && echo --no";
        assert_eq!(texts(&command(&["/bin/sh", "-ec", script])), ["--web.external-url=https://a/p", "--a=b c"]);
        assert_eq!(texts(&command(&["/bin/prometheus", "--a"])), ["--a"]);
        assert_eq!(texts(&command(&["--a", "--b", "/prometheus"])), ["--a", "--b=/prometheus"]);
        assert_eq!(texts(&command(&["tini", "-g", "--", "/bin/prometheus", "--b"])), ["--b"]);
        assert!(command(&["sh", "-c", "true"]).is_empty());
    }
}
