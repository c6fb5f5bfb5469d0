//! Which key of two configurations differs: what to say where one was expected and another is there.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::table::BYTE_ORDER_MARK;
use birth_death_terminal::refusal::quoted;

/// The first key, in the order of their names, that differs between two texts of TOML, and how; none if all are written
/// the same, so that only comments or spaces differ.
pub fn difference(earlier: &str, now: &str) -> Option<String> {
    let (earlier, now) = (keys(earlier), keys(now));
    let mut all = earlier.keys().chain(now.keys());
    let key = all.by_ref().filter(|key| earlier.get(*key) != now.get(*key)).min()?;
    let written = |keys: &BTreeMap<String, String>| keys.get(key).map_or("absent".to_owned(), |value| quoted(value));
    Some(format!("{} was {} and is {}", quoted(key), written(&earlier), written(&now)))
}

/// Every value that is no table or list of values, or an empty one, by its dotted path, as it is written. None of what
/// is no TOML.
fn keys(text: &str) -> BTreeMap<String, String> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let mut found = BTreeMap::new();
    if let Ok(table) = DeTable::parse(text) {
        for (key, value) in table.get_ref() {
            collect(text, key.get_ref().to_string(), value, &mut found);
        }
    }
    found
}

fn collect(text: &str, path: String, value: &Spanned<DeValue<'_>>, found: &mut BTreeMap<String, String>) {
    match value.get_ref() {
        DeValue::Table(table) if !table.is_empty() => {
            for (key, value) in table {
                collect(text, format!("{path}.{}", key.get_ref()), value, found);
            }
        }
        DeValue::Array(values) if !values.is_empty() => {
            for (value, place) in values.iter().zip(0..) {
                collect(text, format!("{path}[{place}]"), value, found);
            }
        }
        _ => {
            found.insert(path, text.get(value.span()).unwrap_or("").trim().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_named_with_both_values() {
        let text = "seed = 1\n[model]\nkind = \"mmd\"\n[[model.target]]\nmean = [0.0, 1.0]\n";
        let of = |from: &str, to: &str| {
            assert!(text.contains(from));
            difference(text, &text.replace(from, to))
        };
        assert_eq!(of("seed = 1", "seed = 2").as_deref(), Some("seed was 1 and is 2"));
        assert_eq!(of("1.0]", "1.5]").as_deref(), Some("model.target[0].mean[1] was 1.0 and is 1.5"));
        assert_eq!(of("\"mmd\"", "\"unknown\"").as_deref(), Some("model.kind was \"mmd\" and is \"unknown\""));
        assert_eq!(of("seed = 1\n", "").as_deref(), Some("seed was 1 and is absent"));
        assert_eq!(of("seed = 1\n", "seed = 1\nlist = []\n").as_deref(), Some("list was absent and is []"));
        assert_eq!(of("seed", "steps = 3\nseed").as_deref(), Some("steps was absent and is 3"));
        assert_eq!(of("seed = 1", "# why\nseed  =  1"), None);
        assert_eq!(difference(&format!("\u{feff}{text}"), text), None);
    }
}
