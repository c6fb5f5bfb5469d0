//! Population control chooses uniformly: victims, parents, subsets; and injects what the prior draws.

use std::collections::BTreeMap;

use birth_death::{FRESH, Marginal};

use super::check::{Evidence, Measured, Test};
use super::fresh_draws;
use super::{CLAIM_LEVEL, Claim, Context, Interrupted, Kind};
use crate::subject::{Precision, Separable, Setup};
use birth_death_stats::difference::StandardError;
use birth_death_stats::power::{POWER, detectable_noncentrality};
use birth_death_stats::tails::goodness_of_fit;

pub static CLAIM: Claim = Claim {
    id: "uniform-control",
    kind: Kind::Sharp,
    statement: "what population control removes is a uniform subset of those present, copies included; what it copies \
        is uniform among those present before it; what scheme 2 puts in is drawn from the prior and does not move in \
        its first step",
    source: "arXiv:1902.01843, the algorithm's last lines: random selection back to n neurons",
    setting: "n = 10, raw rates, V = ±1e6 (an event for certain) or 0: one birth; one death; two deaths; two deaths \
        and a birth; two births; one birth, and a death and two births, under scheme 2; 1e5 steps each of 20 steppers, \
        the slots of the events moving along; two deaths and two births in single precision too. Draws, in either: \
        four deaths a step under scheme 2 with transport, 5e3 steps, a prior of a constant, a uniform and a normal \
        component",
    estimator: "counts of the outcome, as the origins tell it; counts of pairs of components of the draws",
    oracle: "enumeration of the equally likely choices; 64 equally likely cells of the prior",
    tolerance: "sharp: chi-square goodness of fit, at least 1500 (of draws, 300) expected in a cell; must be able to \
        see an effect of 0.05 (of draws, 0.1: Cohen's w, the root of the relative squared deviation averaged over \
        cells); the constant component must be what it is",
    measure,
};

const N: usize = 10;
const STEPS: u64 = 100_000;
const BLOCKS: u64 = 20;
const CERTAIN: f64 = 1e6;

/// A forced step: offsets (from a moving slot) of deaths and births, and the probability of each outcome.
struct Case {
    name: &'static str,
    deaths: &'static [usize],
    births: &'static [usize],
    reinjection: bool,
    precision: Precision,
    /// Cells: an outcome's name and its probability, names as [`outcome`] makes them.
    cells: fn() -> BTreeMap<Vec<usize>, f64>,
}

/// The multiset that stands in the slots after the step, as how often each offset is present.
fn outcome(origins: &[u32], shift: usize) -> Vec<usize> {
    let mut present = vec![0; N];
    for &origin in origins {
        if origin != FRESH {
            present[(origin as usize + N - shift) % N] += 1;
        }
    }
    present
}

/// Removing each subset of `excess` of those present, equally likely.
fn removals(present: [usize; N], excess: usize) -> BTreeMap<Vec<usize>, f64> {
    let mut cells = BTreeMap::from([(present.to_vec(), 1.0)]);
    for _ in 0..excess {
        let mut next: BTreeMap<Vec<usize>, f64> = BTreeMap::new();
        for (state, p) in cells {
            let total = state.iter().sum::<usize>() as f64;
            for i in 0..N {
                if state[i] > 0 {
                    let mut left = state.clone();
                    left[i] -= 1;
                    *next.entry(left).or_default() += p * state[i] as f64 / total;
                }
            }
        }
        cells = next;
    }
    cells
}

/// Copying `missing` of those present before the first copy, with replacement.
fn copies(present: [usize; N], missing: usize) -> BTreeMap<Vec<usize>, f64> {
    let total = present.iter().sum::<usize>() as f64;
    let mut cells = BTreeMap::from([(present.to_vec(), 1.0)]);
    for _ in 0..missing {
        let mut next: BTreeMap<Vec<usize>, f64> = BTreeMap::new();
        for (state, p) in cells {
            for i in (0..N).filter(|&i| present[i] > 0) {
                let mut more = state.clone();
                more[i] += 1;
                *next.entry(more).or_default() += p * present[i] as f64 / total;
            }
        }
        cells = next;
    }
    cells
}

const CASES: [Case; 9] = [
    Case {
        name: "one birth",
        deaths: &[],
        births: &[0],
        reinjection: false,
        precision: Precision::Double,
        cells: || removals([2, 1, 1, 1, 1, 1, 1, 1, 1, 1], 1),
    },
    Case {
        name: "one death",
        deaths: &[0],
        births: &[],
        reinjection: false,
        precision: Precision::Double,
        cells: || copies([0, 1, 1, 1, 1, 1, 1, 1, 1, 1], 1),
    },
    Case {
        name: "two deaths",
        deaths: &[0, 3],
        births: &[],
        reinjection: false,
        precision: Precision::Double,
        cells: || copies([0, 1, 1, 0, 1, 1, 1, 1, 1, 1], 2),
    },
    Case {
        name: "two deaths and a birth",
        deaths: &[0, 4],
        births: &[7],
        reinjection: false,
        precision: Precision::Double,
        cells: || copies([0, 1, 1, 1, 0, 1, 1, 2, 1, 1], 1),
    },
    Case {
        name: "two births",
        deaths: &[],
        births: &[0, 5],
        reinjection: false,
        precision: Precision::Double,
        cells: || removals([2, 1, 1, 1, 1, 2, 1, 1, 1, 1], 2),
    },
    Case {
        name: "one birth, scheme 2",
        deaths: &[],
        births: &[0],
        reinjection: true,
        precision: Precision::Double,
        cells: || removals([2, 1, 1, 1, 1, 1, 1, 1, 1, 1], 1),
    },
    Case {
        name: "a death and two births, scheme 2",
        deaths: &[3],
        births: &[0, 5],
        reinjection: true,
        precision: Precision::Double,
        cells: || removals([2, 1, 1, 0, 1, 2, 1, 1, 1, 1], 1),
    },
    Case {
        name: "two deaths, f32",
        deaths: &[0, 3],
        births: &[],
        reinjection: false,
        precision: Precision::Single,
        cells: || copies([0, 1, 1, 0, 1, 1, 1, 1, 1, 1], 2),
    },
    Case {
        name: "two births, f32",
        deaths: &[],
        births: &[0, 5],
        reinjection: false,
        precision: Precision::Single,
        cells: || removals([2, 1, 1, 1, 1, 2, 1, 1, 1, 1], 2),
    },
];

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let level = CLAIM_LEVEL / (CASES.len() + 2 * fresh_draws::CHECKS) as f64;
    let steps = context.replicates(STEPS);
    let mut measured = Vec::new();
    for (case, part) in CASES.iter().zip(0..) {
        let cells = (case.cells)();
        let blocks = context.map(BLOCKS, |block| tally(context, case, part, block, steps / BLOCKS))?;
        let mut counts: BTreeMap<Vec<usize>, u64> = BTreeMap::new();
        blocks.into_iter().flatten().for_each(|(outcome, count)| *counts.entry(outcome).or_default() += count);
        let impossible: u64 = counts.iter().filter(|(outcome, _)| !cells.contains_key(*outcome)).map(|(_, c)| c).sum();
        let observed: Vec<u64> = cells.keys().map(|outcome| counts.get(outcome).copied().unwrap_or(0)).collect();
        let expected: Vec<f64> = cells.values().copied().collect();
        let p = if impossible > 0 { 0.0 } else { goodness_of_fit(&observed, &expected) };
        let chi: f64 =
            observed.iter().zip(&expected).map(|(&o, &e)| (o as f64 / steps as f64 - e).powi(2) / e).sum::<f64>();
        let dof = (cells.len() - 1) as f64;
        let test = Test {
            p,
            detectable: (detectable_noncentrality(dof, level, POWER) / steps as f64).sqrt(),
            budget: 0.05,
            error: StandardError::known(1.0 / (steps as f64).sqrt()),
        };
        let effect = if impossible > 0 { f64::INFINITY } else { chi.sqrt() };
        let what = format!("effect w over {} outcomes, {}", cells.len(), case.name);
        measured.push(Measured::sharp(what, effect, 0.0, test, steps));
    }
    for (precision, part) in [Precision::Double, Precision::Single].into_iter().zip(CASES.len() as u64..) {
        measured.extend(fresh_draws::measure(context, precision, part, level)?);
    }
    Ok(measured.into())
}

fn tally(context: &Context, case: &Case, part: u64, block: u64, steps: u64) -> BTreeMap<Vec<usize>, u64> {
    let mut setup = Setup::birth_death(N, 1.0, 1.0).without_transport().raw();
    if case.reinjection {
        setup = setup.with_prior(&[Marginal::Constant(0.0)]);
    }
    let mut trial = context.trial_of(&setup, case.precision.of(Separable(|z| z)), part, block);
    let mut counts = BTreeMap::new();
    for step in 0..steps {
        let shift = step as usize % N;
        let mut rows = [0.0; N];
        case.deaths.iter().for_each(|offset| rows[(offset + shift) % N] = CERTAIN);
        case.births.iter().for_each(|offset| rows[(offset + shift) % N] = -CERTAIN);
        trial.reset(&rows);
        let outcome = trial.step().map_or(Vec::new(), |_| outcome(trial.origins(), shift));
        *counts.entry(outcome).or_default() += 1;
    }
    counts
}
