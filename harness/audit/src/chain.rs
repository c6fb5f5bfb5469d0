//! Digest chains by run, and how far two agree.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The committed chains.
pub const GOLDEN: &str = include_str!("../../audit/golden.txt");

/// A checkpoint: after how many steps, how many bytes were hashed so far, and the hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Steps done.
    pub step: u64,
    /// Bytes of all states up to here.
    pub bytes: u64,
    /// SHA-256 in hexadecimal digits.
    pub hash: String,
}

/// The chain of each run, by `model/scheme/precision`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Chains(pub BTreeMap<String, Vec<Link>>);

/// How a chain compares with the one that it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Agreement {
    /// All checkpoints that were reached are the same.
    Equal {
        /// How many, that of the start included.
        checkpoints: usize,
        /// Whether these are all there are.
        whole: bool,
    },
    /// Up to this step something went another way.
    Differs {
        /// The first checkpoint that is not the same.
        step: u64,
        /// What should be: hash, or number of bytes if that differs already.
        expected: String,
        /// What was found.
        found: String,
    },
    /// There is nothing to compare with, or nothing to compare.
    Missing,
}

impl Chains {
    /// Reads lines `model/scheme/precision step bytes hash`; empty ones and those that begin with # are left out.
    ///
    /// # Errors
    /// The first line that is no such line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut chains: BTreeMap<String, Vec<Link>> = BTreeMap::new();
        for (line, number) in text.lines().zip(1..) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (run, link) = entry(line).ok_or_else(|| {
                format!(
                    "line {number}: {line:?}; accepted: model/scheme/precision, step, bytes and 64 hexadecimal digits"
                )
            })?;
            chains.entry(run.to_owned()).or_default().push(link);
        }
        Ok(Self(chains))
    }

    /// The committed chains.
    ///
    /// # Panics
    /// If the committed file is damaged: a test reads it.
    pub fn golden() -> Self {
        Self::parse(GOLDEN).expect("the committed chains")
    }

    /// How `found`'s chain of `run` compares with this one's.
    pub fn compare(&self, run: &str, found: &Self) -> Agreement {
        let (Some(expected), Some(found)) = (self.0.get(run), found.0.get(run)) else {
            return Agreement::Missing;
        };
        for (expected, found) in expected.iter().zip(found) {
            if expected != found {
                let of = |link: &Link| {
                    if expected.bytes == found.bytes {
                        link.hash.clone()
                    } else {
                        format!("{} bytes at step {}", link.bytes, link.step)
                    }
                };
                return Agreement::Differs { step: expected.step, expected: of(expected), found: of(found) };
            }
        }
        if found.is_empty() || found.len() > expected.len() {
            return Agreement::Missing;
        }
        Agreement::Equal { checkpoints: found.len(), whole: found.len() == expected.len() }
    }
}

fn entry(line: &str) -> Option<(&str, Link)> {
    let mut words = line.split(' ');
    let (run, step, bytes, hash) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let proper = words.next().is_none()
        && run.split('/').count() == 3
        && hash.len() == 64
        && hash.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit));
    let link = Link { step: step.parse().ok()?, bytes: bytes.parse().ok()?, hash: hash.to_owned() };
    proper.then_some((run, link))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(run: &str, step: u64, bytes: u64, digit: char) -> String {
        format!("{run} {step} {bytes} {}\n", digit.to_string().repeat(64))
    }

    #[test]
    fn the_committed_chains_are_whole() {
        let golden = Chains::golden();
        assert_eq!(golden.0.len(), 120);
        assert!(golden.0.values().all(|chain| chain.len() as u64 == birth_death_canon::CHECKPOINTS + 1));
    }

    #[test]
    fn chains_compare_by_their_first_difference() {
        let text = line("a/b/f32", 0, 10, '1') + &line("a/b/f32", 50, 20, '2');
        let golden = Chains::parse(&format!("# words\n\n{text}")).expect("chains");
        let compare = |text: &str| golden.compare("a/b/f32", &Chains::parse(text).expect("chains"));
        assert_eq!(compare(&text), Agreement::Equal { checkpoints: 2, whole: true });
        assert_eq!(compare(&line("a/b/f32", 0, 10, '1')), Agreement::Equal { checkpoints: 1, whole: false });
        let other = line("a/b/f32", 0, 10, '1') + &line("a/b/f32", 50, 20, '3');
        let differs = Agreement::Differs { step: 50, expected: "2".repeat(64), found: "3".repeat(64) };
        assert_eq!(compare(&other), differs);
        let longer = line("a/b/f32", 0, 12, '1');
        assert!(matches!(compare(&longer), Agreement::Differs { step: 0, found, .. } if found == "12 bytes at step 0"));
        assert_eq!(compare(&line("a/c/f32", 0, 10, '1')), Agreement::Missing);
        assert_eq!(
            compare(&(text.clone() + &line("a/b/f32", 100, 30, '4'))),
            Agreement::Missing,
            "more than there are"
        );
    }

    #[test]
    fn damaged_lines_are_named() {
        for bad in ["a/b 0 1 2", "a/b/c 0 1", "a/b/c x 1 2", &line("a/b", 0, 1, '1'), &line("a/b/c", 0, 1, 'g')] {
            let refused = Chains::parse(&format!("\n{bad}")).expect_err("damaged");
            assert!(refused.starts_with("line 2: "), "{refused}");
        }
    }
}
