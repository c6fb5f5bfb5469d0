//! `audit.json`: what was run where, with what, and what came of it.

use std::borrow::Cow;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::chain::{Agreement, Chains};
use birth_death_output::manifest::{Build, GENERATOR};
use birth_death_terminal::refusal::Refusal;

/// Version of the format.
pub const SCHEMA: u32 = 1;

/// An audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Version of the layout: 1.
    pub schema: u32,
    /// The binary that made it.
    #[serde(flatten)]
    pub build: Build,
    /// SHA-256 of the lock file that it was built with.
    pub lock: String,
    /// `rustc -vV` of its compiler.
    pub rustc: Cow<'static, str>,
    /// Its optimisation level, as cargo says.
    pub opt_level: Cow<'static, str>,
    /// Flags that cargo was given for the compiler; empty if none.
    pub rustflags: Cow<'static, str>,
    /// What this machine's processor can do of what changes how sums are computed elsewhere.
    pub cpu: Vec<Cow<'static, str>>,
    /// The generator of all runs.
    pub generator: Cow<'static, str>,
    /// Their seed.
    pub seed: u64,
    /// The command line.
    pub command: String,
    /// One for each target asked for.
    pub outcomes: Vec<Outcome>,
}

/// What came of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The target triple.
    pub target: String,
    /// Optimised ("release") or not ("debug"); of this process, its optimisation level.
    pub profile: String,
    /// How it was run: in this process, or the command.
    pub how: String,
    /// Why there is no result, or not all of it.
    pub failure: Option<String>,
    /// Whether its arithmetic rounds as the contract says; none if it did not run.
    pub ieee: Option<bool>,
    /// What it computed.
    pub chains: Chains,
    /// How that compares with the committed chains, by run.
    pub agreement: std::collections::BTreeMap<String, Agreement>,
}

impl Audit {
    /// An audit by this binary, of nothing yet.
    pub fn begin() -> Self {
        Self {
            schema: SCHEMA,
            build: Build::this(),
            lock: hex(&Sha256::digest(include_bytes!("../../../Cargo.lock"))),
            rustc: birth_death_output::manifest::RUSTC.replace("; ", "\n").into(),
            opt_level: birth_death_output::manifest::OPT_LEVEL.into(),
            rustflags: birth_death_output::manifest::RUSTFLAGS.into(),
            cpu: cpu(),
            generator: GENERATOR.into(),
            seed: birth_death_canon::SEED,
            command: std::env::args().collect::<Vec<_>>().join(" "),
            outcomes: Vec::new(),
        }
    }

    /// Reads one.
    ///
    /// # Errors
    /// A refusal that names the file and what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, Refusal> {
        birth_death_output::stored::read_printable(path, SCHEMA, "an audit.json that audit wrote")
    }
}

impl Outcome {
    /// The outcome of what a target printed: `ieee`, lines, and `end`.
    pub fn of(target: &str, profile: &str, how: String, printed: &str) -> Self {
        let mut outcome = Self::not_run(target, profile, how, String::new());
        outcome.failure = None;
        let mut lines = String::new();
        let mut ended = false;
        // a target too small for one image runs several: the last has to end, and the arithmetic of each has to be good
        for line in printed.lines().map(str::trim_end) {
            ended = line == "end";
            match line.split_once(' ') {
                _ if ended => {}
                Some(("ieee", answer)) => outcome.ieee = Some(answer == "true" && outcome.ieee != Some(false)),
                Some(("stop", why)) => outcome.failure = Some(why.to_owned()),
                _ => lines += &format!("{line}\n"),
            }
        }
        match Chains::parse(&lines) {
            Ok(chains) => outcome.chains = chains,
            Err(error) => outcome.failure = Some(error),
        }
        if !ended && outcome.failure.is_none() {
            outcome.failure = Some("its output ends early".to_owned());
        }
        let golden = Chains::golden();
        let runs = golden.0.keys().chain(outcome.chains.0.keys());
        outcome.agreement = runs.map(|run| (run.clone(), golden.compare(run, &outcome.chains))).collect();
        outcome
    }

    /// A target that could not be run.
    pub fn not_run(target: &str, profile: &str, how: String, why: String) -> Self {
        Self {
            target: target.to_owned(),
            profile: profile.to_owned(),
            how,
            failure: Some(why),
            ieee: None,
            chains: Chains::default(),
            agreement: std::collections::BTreeMap::new(),
        }
    }

    /// Whether it printed anything to be compared.
    pub fn ran(&self) -> bool {
        !self.chains.0.is_empty()
    }

    /// Whether it ran and everything is equal.
    pub fn agrees(&self) -> bool {
        self.failure.is_none()
            && self.ieee == Some(true)
            && self.ran()
            && self.agreement.values().all(|agreement| matches!(agreement, Agreement::Equal { .. }))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn cpu() -> Vec<Cow<'static, str>> {
    [
        ("sse2", is_x86_feature_detected!("sse2")),
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
    ]
    .into_iter()
    .filter_map(|(name, there)| there.then_some(name.into()))
    .collect()
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
fn cpu() -> Vec<Cow<'static, str>> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GOLDEN;

    #[test]
    fn an_outcome_is_what_was_printed() {
        let of = |text: &str| Outcome::of("t", "release", String::new(), text);
        let whole = of(&format!("ieee true\n{GOLDEN}end\n"));
        assert!(whole.agrees() && whole.ran(), "{:?}", whole.failure);
        let flushed = of(&format!("ieee false\n{GOLDEN}end\n"));
        assert!(!flushed.agrees());
        let cut = of(&format!("ieee true\n{GOLDEN}"));
        assert_eq!(cut.failure.as_deref(), Some("its output ends early"));
        // in two images
        let (first, second) =
            GOLDEN.split_at(GOLDEN.len() / 2 + GOLDEN[GOLDEN.len() / 2..].find('\n').expect("a line") + 1);
        assert!(of(&format!("ieee true\n{first}end\nieee true\n{second}end\n")).agrees());
        assert!(!of(&format!("ieee false\n{first}end\nieee true\n{second}end\n")).agrees());
        assert!(!of(&format!("ieee true\n{first}end\nieee true\n{second}")).agrees());
        assert!(!of(&format!("ieee true\n{first}end\n")).agrees());
        let stopped = of("ieee true\nstop a/b/f32: extinct\n");
        assert!(stopped.failure.as_deref() == Some("a/b/f32: extinct") && !stopped.agrees());
        let noise = of("ieee true\nqemu: something\nend\n");
        assert!(noise.failure.is_some_and(|why| why.starts_with("line 1: ")));
        // one bit of one hash
        let spoilt = GOLDEN.replacen("e", "f", 400);
        let other = of(&format!("ieee true\n{spoilt}end\n"));
        assert!(!other.agrees());
    }

    #[test]
    fn it_comes_back_from_its_file() {
        let mut audit = Audit::begin();
        audit.outcomes.push(Outcome::of("t", "release", "here".to_owned(), &format!("ieee true\n{GOLDEN}end\n")));
        let text = serde_json::to_string(&audit).expect("text");
        assert_eq!(serde_json::from_str::<Audit>(&text).expect("an audit"), audit);
        assert!(audit.rustc.contains("rustc ") && audit.lock.len() == 64);
    }
}
