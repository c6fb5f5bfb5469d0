//! One message for one bad input: where it is, what was found, what is accepted.

use std::fmt;

/// Why an input was refused before anything was computed or written.
///
/// Displays as `file:line: message`, on one line. The binary prints it and exits with code 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    file: String,
    line: Option<usize>,
    message: String,
}

impl Refusal {
    /// A refusal of `file` as a whole, or of something whose line is not known.
    pub fn of_file(file: impl fmt::Display, message: impl Into<String>) -> Self {
        Self::at(file, None, message)
    }

    /// A refusal of what stands in `line` (from 1) of `file`.
    pub fn at(file: impl fmt::Display, line: Option<usize>, message: impl Into<String>) -> Self {
        Self { file: one_line(&file.to_string()), line, message: one_line(&message.into()) }
    }

    /// The line the message is about, from 1.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.message)
    }
}

impl std::error::Error for Refusal {}

/// A value as it is quoted in a message: one line, at most 60 characters, nothing a terminal would interpret.
pub fn quoted(value: &str) -> String {
    const LONGEST: usize = 60;
    let mut text: String = one_line(value).chars().take(LONGEST).collect();
    if value.chars().count() > LONGEST {
        text.push_str("...");
    }
    text
}

/// A list of names as it is printed in a message: all of them when few, else the first ones and the last.
pub fn listed<S: AsRef<str>>(names: &[S]) -> String {
    const MOST: usize = 16;
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.split_last() {
        Some((last, rest)) if names.len() > MOST => {
            format!("{}, ..., {last}", rest[..MOST - 1].join(", "))
        }
        _ => names.join(", "),
    }
}

/// The valid name nearest to a misspelt one (Damerau-Levenshtein; the first of equals).
pub fn nearest<'n, S: AsRef<str>>(name: &str, valid: &'n [S]) -> Option<&'n str> {
    valid.iter().map(AsRef::as_ref).min_by_key(|candidate| strsim::damerau_levenshtein(name, candidate))
}

/// That every name that `option` was given is one of those there are.
///
/// # Errors
/// The first that is none, with the nearest one and all that there are; `kind` is what they are names of.
pub fn known(option: &str, kind: &str, given: &[String], names: &[&str]) -> Result<(), Refusal> {
    let Some(unknown) = given.iter().find(|name| !names.contains(&name.as_str())) else { return Ok(()) };
    let hint = nearest(unknown, names).map_or(String::new(), |name| format!(", did you mean {name}?"));
    let unknown = quoted(unknown);
    let message = format!("there is no {kind} {unknown:?}{hint}; accepted: {}", names.join(", "));
    Err(Refusal::of_file(option, message))
}

/// Line breaks become spaces and control characters disappear, so that a message is one line on any terminal.
fn one_line(text: &str) -> String {
    text.split(['\n', '\r'])
        .map(str::trim)
        .filter(|piece| !piece.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
        .replace(char::is_control, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_the_one_with_the_fewest_edits() {
        let keys = ["seed", "particles", "steps", "dt"];
        assert_eq!(nearest("particels", &keys), Some("particles"));
        assert_eq!(nearest("sede", &keys), Some("seed"));
        assert_eq!(nearest::<&str>("x", &[]), None);
    }

    #[test]
    fn messages_are_one_line_whatever_the_value() {
        let refusal = Refusal::at("a.toml", Some(3), "found \"a\n\tb\u{1b}[31m\"");
        assert_eq!(refusal.to_string(), "a.toml:3: found \"a b[31m\"");
        assert!(quoted(&"x".repeat(1000)).len() <= 63);
    }

    #[test]
    fn long_lists_are_shortened() {
        let names: Vec<String> = (1..=1000).map(|k| format!("x{k}")).collect();
        assert!(listed(&names).ends_with("x15, ..., x1000"));
        assert_eq!(listed(&["a", "b"]), "a, b");
    }
}
