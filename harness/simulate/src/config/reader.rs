//! Reading TOML with the place of everything: each value knows its dotted path and its line.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Precision;
use birth_death_terminal::refusal::{Refusal, listed, nearest, quoted};

/// The text of one configuration and how its numbers will be used.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The file's name as the user gave it.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Every real number must be finite in this precision too.
    pub precision: Precision,
    /// The keys of the whole file.
    pub keys: &'a [&'a str],
}

impl Source<'_> {
    fn line(&self, offset: usize) -> usize {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        1 + before.iter().filter(|&&byte| byte == b'\n').count()
    }

    /// The refusal of a text that is no TOML.
    pub fn syntax(&self, error: &toml::de::Error) -> Refusal {
        let line = error.span().map(|span| self.line(span.start));
        let key = match error.span().and_then(|span| self.text.get(span)) {
            Some(key) if error.message() == "duplicate key" => format!(" \"{}\"", quoted(key)),
            _ => String::new(),
        };
        Refusal::at(self.file, line, format!("not TOML: {}{key}; accepted: TOML", error.message()))
    }
}

/// What a real number must be besides finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Any sign.
    Any,
    /// 0, or more than 0 after rounding to the precision of the run too.
    NonNegative,
    /// More than 0, after rounding to the precision of the run too.
    Positive,
}

/// One table with its dotted path ("" for the whole file).
#[derive(Debug, Clone)]
pub struct Table<'a> {
    source: Source<'a>,
    path: String,
    line: usize,
    entries: &'a DeTable<'a>,
}

/// One value with its dotted path.
#[derive(Debug, Clone)]
pub struct Value<'a> {
    source: Source<'a>,
    path: String,
    line: usize,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Table<'a> {
    /// The whole file as a table.
    pub fn root(source: Source<'a>, entries: &'a DeTable<'a>) -> Self {
        Self { source, path: String::new(), line: 1, entries }
    }

    fn path_to(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Refuses every key that is not among `valid`, naming the nearest that is.
    /// `context` says for what these keys are the valid ones.
    pub fn only<S: AsRef<str>>(&self, valid: &[S], context: &str) -> Result<(), Refusal> {
        for key in self.entries.keys() {
            let name: &str = key.get_ref();
            if valid.iter().any(|candidate| candidate.as_ref() == name) {
                continue;
            }
            let nearest = nearest(name, valid).unwrap_or("none");
            let mut message = format!(
                "unknown key \"{}\"; the nearest valid key is \"{nearest}\"; accepted{context}: {}",
                quoted(&self.path_to(name)),
                listed(valid)
            );
            if !self.path.is_empty() && self.source.keys.contains(&name) {
                message.push_str(" (a key of the whole run stands before the first [table])");
            }
            let line = self.source.line(key.span().start);
            return Err(Refusal::at(self.source.file, Some(line), message));
        }
        Ok(())
    }

    /// The value of `key`, if it is there.
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        let (name, value) = self.entries.iter().find(|(name, _)| name.get_ref().as_ref() == key)?;
        Some(Value { source: self.source, path: self.path_to(key), line: self.source.line(name.span().start), value })
    }

    /// The value of `key`; without it a refusal that says what is accepted there.
    pub fn require(&self, key: &str, accepted: &str) -> Result<Value<'a>, Refusal> {
        self.get(key).ok_or_else(|| {
            let message = format!("missing key \"{}\"", self.path_to(key));
            // TOML gives a key to the last table begun before it.
            let elsewhere = if self.path.is_empty() {
                self.entries.iter().find_map(|(name, value)| below(value.get_ref(), name.get_ref(), key))
            } else {
                None
            };
            match elsewhere {
                Some((path, offset)) => Refusal::at(
                    self.source.file,
                    Some(self.source.line(offset)),
                    format!(
                        "{message}: it stands here as \"{}\", but a key of the whole run stands before the first \
                            [table]; accepted: {accepted}",
                        quoted(&path)
                    ),
                ),
                None => self.refuse(format!("{message}; accepted: {accepted}")),
            }
        })
    }

    /// A refusal of the table as a whole.
    pub fn refuse(&self, message: impl Into<String>) -> Refusal {
        let line = (!self.path.is_empty()).then_some(self.line);
        Refusal::at(self.source.file, line, message)
    }
}

impl<'a> Value<'a> {
    /// The dotted path of the value, as in `model.target[1].variance`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The precision in which numbers must be finite.
    pub fn precision(&self) -> Precision {
        self.source.precision
    }

    /// The refusal of this value: place, path, the value as written, and what is accepted.
    pub fn refuse(&self, accepted: impl AsRef<str>) -> Refusal {
        let span = self.value.span();
        let written = self.source.text.get(span).unwrap_or("").trim();
        let written = match self.value.get_ref() {
            DeValue::Table(_) if !written.starts_with('{') => "a table",
            DeValue::Array(_) if !written.ends_with(']') => "an array of tables",
            _ => written,
        };
        self.refuse_with(format!("{} = {}; accepted: {}", self.path, quoted(written), accepted.as_ref()))
    }

    /// A refusal at this value's line in words of the caller's.
    pub fn refuse_with(&self, message: impl Into<String>) -> Refusal {
        Refusal::at(self.source.file, Some(self.line), message)
    }

    /// An integer in the range.
    pub fn integer(&self, range: RangeInclusive<u64>) -> Result<u64, Refusal> {
        let parsed = match self.value.get_ref() {
            DeValue::Integer(text) => i128::from_str_radix(text.as_str(), text.radix()).ok(),
            _ => None,
        };
        parsed
            .and_then(|value| u64::try_from(value).ok())
            .filter(|value| range.contains(value))
            .ok_or_else(|| self.refuse(format!("an integer from {} to {}", range.start(), range.end())))
    }

    /// A finite number (a TOML integer is one too) of the given sign.
    pub fn real(&self, sign: Sign) -> Result<f64, Refusal> {
        let precision = self.source.precision;
        let number = self.number();
        if let Some(value) = number.filter(|&value| precision.holds(value, sign))
            && !(sign == Sign::NonNegative && self.underflows())
        {
            return Ok(value);
        }
        let (also, rounded) = match precision {
            Precision::F64 if self.underflows() => ("", " (this value is not representable in f64)"),
            Precision::F64 => ("", ""),
            // Finite and of the right sign in f64: what is wrong is the rounding.
            Precision::F32 if number.is_some_and(|value| Precision::F64.holds(value, sign)) => {
                (", in f32 too", " (this value is not representable in f32)")
            }
            Precision::F32 => (", in f32 too", ""),
        };
        Err(self.refuse(match sign {
            Sign::Any => format!("a finite number{also}{rounded}"),
            Sign::NonNegative => format!("a finite number of 0 or more{also}{rounded}"),
            Sign::Positive => format!("a finite number above 0{also}{rounded}"),
        }))
    }

    /// Whether a number that was read as 0 is written as something else: `1e-400`.
    fn underflows(&self) -> bool {
        match self.value.get_ref() {
            DeValue::Float(text) if self.number() == Some(0.0) => {
                text.as_str().split(['e', 'E']).next().is_some_and(|digits| digits.contains(|c| matches!(c, '1'..='9')))
            }
            _ => false,
        }
    }

    /// The value as a number, finite or not, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self.value.get_ref() {
            DeValue::Float(text) => text.as_str().parse().ok(),
            DeValue::Integer(text) => i64::from_str_radix(text.as_str(), text.radix()).ok().map(|value| value as f64),
            _ => None,
        }
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Result<bool, Refusal> {
        self.value.get_ref().as_bool().ok_or_else(|| self.refuse("true or false"))
    }

    /// A string.
    pub fn text(&self, accepted: &str) -> Result<&'a str, Refusal> {
        self.value.get_ref().as_str().ok_or_else(|| self.refuse(accepted))
    }

    /// One of the named choices; another word is refused with the nearest of them.
    pub fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, Refusal> {
        let names: Vec<&str> = choices.iter().map(|&(name, _)| name).collect();
        let accepted = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let found = self.text(&accepted)?;
        choices.iter().find(|&&(name, _)| name == found).map(|&(_, choice)| choice).ok_or_else(|| {
            let nearest = nearest(found, &names).unwrap_or("none");
            self.refuse(format!("{accepted} (the nearest is \"{nearest}\")"))
        })
    }

    /// A table, or nothing if the value is of another type.
    pub fn as_table(&self) -> Option<Table<'a>> {
        Some(Table {
            source: self.source,
            path: self.path.clone(),
            line: self.line,
            entries: self.value.get_ref().as_table()?,
        })
    }

    /// A table.
    pub fn table(&self, accepted: &str) -> Result<Table<'a>, Refusal> {
        self.as_table().ok_or_else(|| self.refuse(accepted))
    }

    /// An array that is not empty; its items have paths like `target[0]`, and lines of their own.
    pub fn items(&self, accepted: &str) -> Result<Vec<Value<'a>>, Refusal> {
        let array = self.value.get_ref().as_array().filter(|a| !a.is_empty());
        Ok(array
            .ok_or_else(|| self.refuse(accepted))?
            .iter()
            .enumerate()
            .map(|(index, value)| Value {
                source: self.source,
                path: format!("{}[{index}]", self.path),
                line: self.source.line(value.span().start),
                value,
            })
            .collect())
    }
}

/// The path and the offset of the first key of that name in a value and in all below it.
fn below(value: &DeValue<'_>, path: &str, key: &str) -> Option<(String, usize)> {
    match value {
        DeValue::Table(entries) => {
            if let Some((name, _)) = entries.iter().find(|(name, _)| name.get_ref().as_ref() == key) {
                return Some((format!("{path}.{key}"), name.span().start));
            }
            entries.iter().find_map(|(name, value)| below(value.get_ref(), &format!("{path}.{}", name.get_ref()), key))
        }
        DeValue::Array(items) => {
            items.iter().enumerate().find_map(|(index, value)| below(value.get_ref(), &format!("{path}[{index}]"), key))
        }
        _ => None,
    }
}

impl Precision {
    /// Whether the number is finite, and of the sign asked for, once rounded to this precision.
    pub fn holds(self, value: f64, sign: Sign) -> bool {
        let rounded = match self {
            Self::F64 => value,
            Self::F32 => f64::from(value as f32),
        };
        rounded.is_finite()
            && match sign {
                Sign::Any => true,
                Sign::NonNegative => value == 0.0 || rounded > 0.0,
                Sign::Positive => rounded > 0.0,
            }
    }
}
