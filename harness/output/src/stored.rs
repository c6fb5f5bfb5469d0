//! Reads back what this program wrote.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use birth_death_terminal::refusal::Refusal;

/// Only what tells whether the rest can be understood.
#[derive(Deserialize)]
struct Version {
    schema: u32,
}

/// Reads a JSON file with `"schema": schema`. `accepted` names what would be: "a verdicts.json that verify wrote".
///
/// # Errors
/// A refusal that names the file: it cannot be read, is of another version of the layout, or is damaged.
pub fn read<T: DeserializeOwned>(file: &Path, schema: u32, accepted: &str) -> Result<T, Refusal> {
    parse(file, &text(file, accepted)?, schema, accepted)
}

/// The same of a file whose words are printed: none of them keeps a character that a terminal would interpret.
///
/// # Errors
/// Those of [`read`].
pub fn read_printable<T: DeserializeOwned>(file: &Path, schema: u32, accepted: &str) -> Result<T, Refusal> {
    parse(file, &printable(&text(file, accepted)?), schema, accepted)
}

fn text(file: &Path, accepted: &str) -> Result<String, Refusal> {
    let refuse = |message: String| Refusal::of_file(file.display(), message);
    // a device may have no end
    if std::fs::metadata(file).is_ok_and(|data| !data.is_file()) {
        return Err(refuse(format!("is no file; accepted: {accepted}")));
    }
    std::fs::read_to_string(file).map_err(|error| refuse(format!("{error}; accepted: {accepted}")))
}

fn parse<T: DeserializeOwned>(file: &Path, text: &str, schema: u32, accepted: &str) -> Result<T, Refusal> {
    let damaged = |error: serde_json::Error| {
        Refusal::at(file.display(), Some(error.line()), format!("{error}; accepted: {accepted}, whole"))
    };
    let found: Version = serde_json::from_str(text).map_err(damaged)?;
    if found.schema != schema {
        let found = found.schema;
        let message = format!("has version {found} of the layout; accepted: {accepted}, version {schema}");
        return Err(Refusal::of_file(file.display(), message));
    }
    serde_json::from_str(text).map_err(damaged)
}

/// Whether a terminal or a reader could be misled: control characters, and those that turn the direction of the text.
fn misleads(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// JSON without such characters in its strings, written out or escaped; escaped white space becomes a blank. Lines
/// stay lines.
fn printable(json: &str) -> String {
    let mut clean = String::with_capacity(json.len());
    let mut rest = json.chars();
    while let Some(c) = rest.next() {
        // a backslash stands in strings only
        if c != '\\' {
            // below the blank there is white space between strings, and nothing in them: JSON does not allow it
            if c < ' ' || !misleads(c) {
                clean.push(c);
            }
            continue;
        }
        match rest.next() {
            Some('n' | 'r' | 't' | 'b' | 'f') => clean.push(' '),
            Some('u') => {
                let digits: String = rest.by_ref().take(4).collect();
                let whole = (digits.len() == 4).then_some(&digits);
                let code = whole.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
                if !code.is_some_and(misleads) {
                    clean.extend(['\\', 'u']);
                    clean.push_str(&digits);
                }
            }
            Some(other) => clean.extend([c, other]),
            None => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn printable_text_has_nothing_that_a_terminal_interprets() {
        let text = |json: &str| serde_json::from_str::<String>(&printable(json)).expect("a string");
        assert_eq!(text(r#""a\u001b[31mb\u0007\u009b\u202ec""#), "a[31mbc");
        assert_eq!(text("\"a\u{7f}\u{9b}\u{2066}b\""), "ab");
        assert_eq!(text(r#""a\nb\tc\\u001bd\"""#), r#"a b c\u001bd""#);
        // what is none of them stays, a pair of surrogates too
        assert_eq!(text(r#""\u00e9\ud83d\ude00 ±""#), "\u{e9}\u{1f600} ±");
        assert_eq!(printable("{\n\t\"a\": 1\r\n}"), "{\n\t\"a\": 1\r\n}");
        // no JSON, and none afterwards
        assert_eq!(printable("\"\\u00"), "\"\\u00");
    }
}
