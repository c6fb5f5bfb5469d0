//! `calibration.json`: what the measurements come to. It names no time: the same measurements give the same bytes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::log::{Run, Settings};
use super::plan::{CORRECT, subjects};
use crate::claims::{CLAIM_LEVEL, Claim, FALSE_ALARMS, Kind, REGISTRY};
use crate::defects::{self, detectors};
use crate::generators::Source;
use birth_death_output::manifest::Build;
use birth_death_output::{number, stored};
use birth_death_stats::interval::{Sample, clopper_pearson};
use birth_death_stats::normality::superuniform;
use birth_death_stats::power::POWER;
use birth_death_stats::verdict::Verdict;
use birth_death_terminal::refusal::Refusal;

/// The file.
pub const NAME: &str = birth_death_output::folder::CALIBRATION;
/// Version of this layout; any other is refused.
pub const SCHEMA: u32 = 1;
/// Each bound is passed by the true value with at most this probability.
pub const BOUND_LEVEL: f64 = 0.05;
/// The level whose share among the sharp p-values is counted.
pub const COMMON_LEVEL: f64 = 0.05;

/// A share of independent cases, with its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Cases of the kind counted.
    pub count: u64,
    /// All cases.
    pub of: u64,
    /// Lower bound of the probability (Clopper and Pearson, at [`BOUND_LEVEL`]).
    #[serde(with = "number")]
    pub low: f64,
    /// Upper bound, likewise.
    #[serde(with = "number")]
    pub high: f64,
}

impl Rate {
    /// Of no case, anything is possible.
    pub fn new(count: u64, of: u64) -> Self {
        let (low, high) = if of == 0 { (0.0, 1.0) } else { clopper_pearson(count, of, 2.0 * BOUND_LEVEL) };
        Self { count, of, low, high }
    }

    /// The share; NaN of no case.
    pub fn share(&self) -> f64 {
        self.count as f64 / self.of as f64
    }
}

/// How often a claim was decided which way, the build being correct.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decisions {
    /// The claim.
    pub claim: Cow<'static, str>,
    /// How it is decided.
    pub kind: Kind,
    /// False alarms.
    pub fails: Rate,
    /// Neither way.
    pub undecided: Rate,
    /// Of an empirical claim: found to be so.
    pub supported: u64,
    /// Of an empirical claim: found not to be so.
    pub refuted: u64,
}

/// The p-values of one sharp check over seeds, the build being correct.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharpCheck {
    /// The claim.
    pub claim: Cow<'static, str>,
    /// What was tested.
    pub what: String,
    /// The generator behind it.
    pub generator: Source,
    /// Those below [`COMMON_LEVEL`].
    pub below: Rate,
    /// The p-value of "no smaller than uniform" (one-sided Kolmogorov-Smirnov); 1 if they cannot be tested.
    #[serde(with = "number")]
    pub superuniform: f64,
}

/// Whether sharp p-values are what they should be. Exact tests of counts are conservative: p-values may be larger than
/// uniform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Uniformity {
    /// The share of p-values below [`COMMON_LEVEL`], a mean over seeds: checks of a seed are not independent. NaN
    /// without any.
    #[serde(with = "number")]
    pub below: f64,
    /// Its lower bound, by the t interval over seeds, at [`BOUND_LEVEL`]. NaN for fewer than two seeds.
    #[serde(with = "number")]
    pub low: f64,
    /// Its upper bound, likewise.
    #[serde(with = "number")]
    pub high: f64,
    /// The p-value of all checks together: the smallest [`SharpCheck::superuniform`] times their number, at most 1.
    #[serde(with = "number")]
    pub superuniform: f64,
    /// Each check.
    pub checks: Vec<SharpCheck>,
}

/// The correct build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correct {
    /// Seeds with which any claim failed, of those with which all claims below were measured.
    pub false_alarms: Rate,
    /// Seeds with which any claim but the empirical ones was undecided, likewise.
    pub undecided: Rate,
    /// Each claim.
    pub claims: Vec<Decisions>,
    /// The sharp p-values.
    pub uniformity: Uniformity,
}

/// How often a claim failed on a defect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The claim.
    pub claim: Cow<'static, str>,
    /// Detections over seeds.
    pub detected: Rate,
}

/// A defect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Caught {
    /// Its name.
    pub defect: Cow<'static, str>,
    /// What is wrong.
    pub description: Cow<'static, str>,
    /// Seeds with which any claim failed, of those with which all claims below were measured.
    pub detected: Rate,
    /// Whether that share is below [`POWER`] and all claims that should catch the defect were measured: nothing catches
    /// it reliably.
    pub hole: bool,
    /// Each claim measured.
    pub claims: Vec<Cell>,
}

/// The whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Version of this layout, [`SCHEMA`].
    pub schema: u32,
    /// What was run.
    #[serde(flatten)]
    pub build: Build,
    /// How much was measured with each seed.
    pub profile: String,
    /// The first seed.
    pub seed: u64,
    /// False if anything that was asked for last is missing.
    pub complete: bool,
    /// Bound on the probability that `verify` fails a correct build, derived.
    #[serde(with = "number")]
    pub false_alarm_budget: f64,
    /// The share of it that a claim with one generator has.
    #[serde(with = "number")]
    pub claim_level: f64,
    /// The probability with which a defect must be caught.
    #[serde(with = "number")]
    pub power: f64,
    /// The level of each bound.
    #[serde(with = "number")]
    pub bound_level: f64,
    /// The correct build.
    pub correct: Correct,
    /// Each defect measured.
    pub defects: Vec<Caught>,
}

/// Reads a file that `calibrate` wrote.
///
/// # Errors
/// A refusal that names the file: it cannot be read, is of another version of the layout, or is damaged.
pub fn read(file: &Path) -> Result<Calibration, Refusal> {
    stored::read_printable(file, SCHEMA, "a calibration.json that calibrate wrote")
}

/// The measurements of one subject: claim, then seed.
type Measured<'a> = BTreeMap<usize, BTreeMap<u64, &'a Run>>;

fn of_subject<'a>(runs: &'a [Run], subject: &str) -> Measured<'a> {
    let mut measured = Measured::new();
    for run in runs.iter().filter(|run| run.subject == subject) {
        if let Some(place) = REGISTRY.iter().position(|claim| claim.id == run.claim) {
            measured.entry(place).or_default().insert(run.seed, run);
        }
    }
    measured
}

/// Seeds with which any measurement `is` so, of those with which every claim was measured.
fn any(measured: &Measured, is: impl Fn(&Claim, &Run) -> bool) -> Rate {
    let seeds: BTreeSet<u64> = measured.values().flat_map(BTreeMap::keys).copied().collect();
    let whole: Vec<u64> =
        seeds.into_iter().filter(|seed| measured.values().all(|runs| runs.contains_key(seed))).collect();
    let is_so =
        |seed: &&u64| measured.iter().any(|(&place, runs)| runs.get(seed).is_some_and(|run| is(REGISTRY[place], run)));
    Rate::new(whole.iter().filter(is_so).count() as u64, whole.len() as u64)
}

fn count(runs: &BTreeMap<u64, &Run>, verdict: Verdict) -> u64 {
    runs.values().filter(|run| run.verdict == verdict).count() as u64
}

impl Calibration {
    /// What `runs` come to, all of which were measured with `settings`.
    pub fn new(settings: &Settings, complete: bool, runs: &[Run]) -> Self {
        let defects = subjects().filter(|subject| *subject != CORRECT).filter_map(|id| caught(id, runs));
        Self {
            schema: SCHEMA,
            build: settings.build.clone(),
            profile: settings.profile.clone(),
            seed: settings.seed,
            complete,
            false_alarm_budget: FALSE_ALARMS,
            claim_level: CLAIM_LEVEL,
            power: POWER,
            bound_level: BOUND_LEVEL,
            correct: correct(&of_subject(runs, CORRECT)),
            defects: defects.collect(),
        }
    }

    /// Whether no claim failed on the correct build, ever, and every defect is caught.
    pub fn is_sound(&self) -> bool {
        self.correct.claims.iter().all(|claim| claim.fails.count == 0) && !self.defects.iter().any(|defect| defect.hole)
    }
}

fn correct(measured: &Measured) -> Correct {
    let decisions = |(&place, runs): (&usize, &BTreeMap<u64, &Run>)| {
        let rate = |verdict| Rate::new(count(runs, verdict), runs.len() as u64);
        Decisions {
            claim: REGISTRY[place].id.into(),
            kind: REGISTRY[place].kind,
            fails: rate(Verdict::Fails),
            undecided: rate(Verdict::Undecided),
            supported: count(runs, Verdict::Supported),
            refuted: count(runs, Verdict::Refuted),
        }
    };
    Correct {
        false_alarms: any(measured, |_, run| run.verdict == Verdict::Fails),
        undecided: any(measured, |claim, run| claim.kind != Kind::Empirical && run.verdict == Verdict::Undecided),
        claims: measured.iter().map(decisions).collect(),
        uniformity: uniformity(measured),
    }
}

fn uniformity(measured: &Measured) -> Uniformity {
    let mut of_check: BTreeMap<(usize, &str, &str), (Source, Vec<f64>)> = BTreeMap::new();
    let mut of_seed: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for (&place, runs) in measured {
        for (run, value) in runs.values().flat_map(|run| run.p.iter().map(move |value| (run, value))) {
            let key = (place, value.generator.name(), value.what.as_str());
            of_check.entry(key).or_insert((value.generator, Vec::new())).1.push(value.p);
            of_seed.entry(run.seed).or_default().push(value.p);
        }
    }
    let below = |values: &[f64]| values.iter().filter(|p| **p < COMMON_LEVEL).count() as u64;
    let shares: Vec<f64> = of_seed.values().map(|values| below(values) as f64 / values.len() as f64).collect();
    let sample = Sample::of(&shares);
    let (low, high) = if shares.len() < 2 { (f64::NAN, f64::NAN) } else { sample.interval(2.0 * BOUND_LEVEL) };
    let (low, high) = (low.clamp(0.0, 1.0), high.clamp(0.0, 1.0));
    let checks: Vec<SharpCheck> = of_check
        .into_iter()
        .map(|((place, _, what), (generator, values))| SharpCheck {
            claim: REGISTRY[place].id.into(),
            what: what.to_owned(),
            generator,
            below: Rate::new(below(&values), values.len() as u64),
            superuniform: superuniform(&values).unwrap_or(1.0),
        })
        .collect();
    let smallest = checks.iter().map(|check| check.superuniform).fold(1.0, f64::min);
    let superuniform = (smallest * checks.len() as f64).min(1.0);
    Uniformity { below: sample.mean, low, high, superuniform, checks }
}

fn has_all_detectors(id: &str, measured: &Measured) -> bool {
    detectors(id).iter().all(|wanted| measured.keys().any(|&place| REGISTRY[place].id == *wanted))
}

/// None if nothing was measured of it.
fn caught(id: &'static str, runs: &[Run]) -> Option<Caught> {
    let measured = of_subject(runs, id);
    let detected = any(&measured, |_, run| run.verdict == Verdict::Fails);
    let cell = |(&place, runs): (&usize, &BTreeMap<u64, &Run>)| Cell {
        claim: REGISTRY[place].id.into(),
        detected: Rate::new(count(runs, Verdict::Fails), runs.len() as u64),
    };
    (!measured.is_empty()).then(|| Caught {
        defect: id.into(),
        description: defects::named(id).map_or("", |defect| defect.describe().1).into(),
        detected,
        hole: detected.share() < POWER && has_all_detectors(id, &measured),
        claims: measured.iter().map(cell).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::log::PValue;
    use super::*;

    fn run(subject: &str, seed: u64, claim: &str, verdict: Verdict, p: &[f64]) -> Run {
        let value = |&p| PValue { what: "x".into(), generator: Source::Pcg32, p };
        Run {
            settings: String::new(),
            seed,
            subject: subject.into(),
            claim: claim.into(),
            verdict,
            seconds: 1.0,
            p: p.iter().map(value).collect(),
        }
    }

    fn of(runs: &[Run]) -> Calibration {
        Calibration::new(&Settings::of(1).expect("settings"), true, runs)
    }

    #[test]
    fn a_seed_counts_once_all_its_claims_are_measured() {
        use Verdict::{Fails, Holds};
        let calibration = of(&[
            run("gradient-half", 1, "dissipation", Fails, &[]),
            run("gradient-half", 1, "gradient", Holds, &[]),
            run("gradient-half", 2, "dissipation", Holds, &[]),
            run("gradient-half", 2, "gradient", Holds, &[]),
            run("gradient-half", 3, "dissipation", Fails, &[]),
        ]);
        let [half] = &calibration.defects[..] else { panic!("one defect") };
        assert_eq!((half.detected.count, half.detected.of, half.hole), (1, 2, true));
        let cells: Vec<_> = half.claims.iter().map(|c| (&*c.claim, c.detected.count, c.detected.of)).collect();
        assert_eq!(cells, [("gradient", 0, 2), ("dissipation", 2, 3)]);
        assert!(!calibration.is_sound());
        assert_eq!(calibration.correct.false_alarms, Rate::new(0, 0));
    }

    #[test]
    fn a_defect_is_no_hole_before_all_that_should_catch_it_is_measured() {
        let missed = |claims: &[&str]| {
            let runs: Vec<Run> =
                claims.iter().map(|claim| run("gradient-half", 1, claim, Verdict::Holds, &[])).collect();
            of(&runs).defects[0].hole
        };
        assert!(!missed(&["gradient"]) && !missed(&["dissipation", "drift"]) && missed(&["gradient", "dissipation"]));
    }

    #[test]
    fn a_false_alarm_counts_even_with_an_unfinished_seed() {
        let mut runs = vec![
            run("correct", 1, "drift", Verdict::Holds, &[0.5]),
            run("correct", 1, "mean-field", Verdict::Undecided, &[]),
        ];
        let calibration = of(&runs);
        assert!(calibration.is_sound());
        assert_eq!((calibration.correct.undecided.count, calibration.correct.undecided.of), (1, 1));
        runs.push(run("correct", 2, "drift", Verdict::Fails, &[1e-9]));
        let calibration = of(&runs);
        assert_eq!(calibration.correct.false_alarms, Rate::new(0, 1));
        assert_eq!(calibration.correct.claims[0].fails.count, 1);
        assert!(!calibration.is_sound());
    }

    #[test]
    fn p_values_are_tested_by_check_and_pooled_by_seed() {
        let runs = |of: fn(u64) -> f64| -> Vec<Run> {
            (0..100).map(|seed| run("correct", seed, "drift", Verdict::Holds, &[of(seed)])).collect()
        };
        // evenly spread, in a shuffled order
        let uniform = of(&runs(|seed| (seed * 37 % 100) as f64 / 100.0 + 0.005)).correct.uniformity;
        assert_eq!((uniform.checks.len(), uniform.checks[0].below.count), (1, 5));
        assert!((uniform.below - 0.05).abs() < 1e-12 && uniform.low < 0.05 && uniform.high > 0.05);
        assert!(uniform.superuniform > 0.5);
        let small = of(&runs(|seed| ((seed * 37 % 100) as f64 / 100.0 + 0.005).powi(2))).correct.uniformity;
        assert!(small.superuniform < 1e-4 && small.low > 0.05, "{small:?}");
        let large = of(&runs(|_| 1.0)).correct.uniformity;
        assert_eq!((large.superuniform, large.below), (1.0, 0.0));
        let none = of(&[]).correct.uniformity;
        assert!(none.below.is_nan() && none.checks.is_empty());
    }

    #[test]
    fn it_can_be_read_back() {
        let runs =
            [run("correct", 1, "drift", Verdict::Holds, &[0.5]), run("swapped", 1, "drift", Verdict::Fails, &[])];
        let calibration = of(&runs);
        let text = serde_json::to_string(&calibration).expect("JSON");
        let back: Calibration = serde_json::from_str(&text).expect("a calibration");
        // NaN is no equal of itself
        assert_eq!(format!("{back:?}"), format!("{calibration:?}"));
        assert_eq!(calibration.defects[0].detected, Rate::new(1, 1));
        assert!((Rate::new(100, 100).low - 0.9705).abs() < 1e-4);
    }
}
