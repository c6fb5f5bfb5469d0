//! Exact invariants of every step, and a second implementation of the schemes.

use birth_death::{Error, FRESH, Marginal, Report, Scheme};
use rand_core::Rng;

use super::check::{Evidence, Measured};
use super::problem::Problem;
use super::{Claim, Context, Interrupted, Kind};
use crate::oracles::models::MeanField;
use crate::oracles::reference::{self, Rules};
use crate::simulation::Product;
use crate::subject::{Setup, Trial, product};

pub static CLAIM: Claim = Claim {
    id: "conservation",
    kind: Kind::Sharp,
    statement: "every step keeps exactly n particles and does what the scheme's definition says, to the last choice",
    source: "arXiv:1902.01843, the birth-death and reinjection algorithms; invariants of the definition",
    setting: "n = 1, 2, 3, 7, 16, 33, 64 (33 is no multiple of what is summed at once, and more than it); all schemes, rates, with and without \
              transport, one with a quench; seven models; dt = 0.01, alpha = 25; 200 steps, the first 20 against the reference; and 3 steps of \
              n = 1000 in a quadratic potential",
    estimator: "violations counted; largest distance of positions and of the reported E and Vbar from the reference, over their size (at least \
                1); double precision",
    oracle: "the schemes written a second time (individuals in a list), on the same random words; positions by the oracles' \
             own models",
    tolerance: "invariants: none violated. Reference: 1e-12; a step of double precision adds about 1e-15, which the flow \
                amplifies by less than 10 in 20 steps (curvatures from -10 to 100); an event decided otherwise would show as a distance of order 1",
    measure,
};

const DT: f64 = 0.01;
const ALPHA: f64 = 25.0;
const STEPS: usize = 200;
const REFERENCE_STEPS: usize = 20;
const SIZES: [usize; 7] = [1, 2, 3, 7, 16, 33, 64];
/// A size as it is in use, and its steps: beyond what a block of a sum, or a list of a few, may hide.
const MANY: (usize, usize) = (1000, 3);
/// Where birth-death ends, in the case that has an end.
const QUENCH: usize = 10;

fn prior(dim: usize) -> Product<f64> {
    let mut marginals = vec![Marginal::Normal { mean: 0.5, sd: 1.0 }; dim];
    marginals[0] = Marginal::Uniform { low: -1.0, high: 1.0 };
    product(&marginals)
}

/// The prior's definition, restated: uniforms of 53 bits from two words, Box and Muller's cosine.
fn draw(dim: usize, words: &mut dyn FnMut() -> u32) -> Vec<f64> {
    let mut uniform = || {
        let bits = (u64::from(words()) << 32 | u64::from(words())) >> 11;
        bits as f64 / 2f64.powi(53)
    };
    (0..dim)
        .map(|k| {
            if k == 0 {
                -1.0 + 2.0 * uniform()
            } else {
                let radius = (-2.0 * (1.0 - uniform()).ln()).sqrt();
                0.5 + radius * (std::f64::consts::TAU * uniform()).cos()
            }
        })
        .collect()
}

fn start(dim: usize) -> Product<f64> {
    product(&vec![Marginal::Normal { mean: 0.3, sd: 1.0 }; dim])
}

/// Every way to run `n` particles of `dim` components.
fn setups(n: usize, dim: usize, dt: f64) -> Vec<Setup> {
    let one = Setup::birth_death(n, dt, ALPHA);
    let two = Setup { scheme: Scheme::Reinjection(prior(dim)), ..one.clone() };
    let mut setups = vec![Setup::gradient_flow(n, dt), one.clone(), one.clone().raw(), two.clone()];
    setups.extend([one.clone(), one.clone().raw(), two].map(Setup::without_transport));
    setups.push(Setup { quench_from: QUENCH as u64, ..one });
    setups
}

/// What is found in one simulation.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    steps: u64,
    unexplained: f64,
    counts: f64,
    origins: f64,
    distance: f64,
    reported: f64,
    rows: f64,
    twins: f64,
}

impl Found {
    fn add(self, other: Self) -> Self {
        Self {
            steps: self.steps + other.steps,
            unexplained: self.unexplained + other.unexplained,
            counts: self.counts + other.counts,
            origins: self.origins + other.origins,
            distance: larger(self.distance, other.distance),
            reported: larger(self.reported, other.reported),
            rows: self.rows + other.rows,
            twins: self.twins + other.twins,
        }
    }
}

/// The larger; NaN if either is.
fn larger(a: f64, b: f64) -> f64 {
    if b > a || b.is_nan() { b } else { a }
}

/// Model, size and steps.
fn cases() -> Vec<(Problem, usize, usize)> {
    let few = Problem::ALL.into_iter().flat_map(|problem| SIZES.map(|n| (problem, n, STEPS)));
    let (n, steps) = MANY;
    let quadratic = Problem::ALL.into_iter().filter(|problem| matches!(problem, Problem::Quadratic(_)));
    few.chain(quadratic.map(|problem| (problem, n, steps))).collect()
}

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let cases = cases();
    let found = context.map(cases.len() as u64, |index| {
        let (problem, n, steps) = cases[index as usize];
        let oracle = problem.oracle();
        let dim = problem.core().dim();
        let runs = setups(n, dim, DT).into_iter().zip(index * 100..);
        runs.map(|(setup, replicate)| run(context, problem, oracle.as_ref(), &setup, steps, replicate))
            .fold(Found::default(), Found::add)
    })?;
    let still = context.map(cases.len() as u64, |index| {
        let (problem, n, _) = cases[index as usize];
        let dim = problem.core().dim();
        setups(n, dim, 0.0).iter().zip(index * 100..).map(|(setup, r)| standing_still(context, problem, setup, r)).sum()
    })?;
    let all = found.into_iter().fold(Found::default(), Found::add);
    let exact = |what: &str, violations: f64| Measured::exact(what, violations, 0.0, all.steps);
    Ok(vec![
        exact("steps refused for no reason", all.unexplained),
        exact("reports whose step, time or counts disagree with themselves or the origins", all.counts),
        exact("steps with an impossible origin", all.origins),
        Measured::exact("relative distance of positions from the reference", all.distance, 1e-12, all.steps),
        Measured::exact("relative distance of reported E and Vbar from the reference", all.reported, 1e-12, all.steps),
        exact("rows without transport that are no earlier row", all.rows),
        exact("copies that differ from their parent, at once or later", all.twins),
        Measured::exact("values changed by steps of dt = 0", still.iter().sum(), 0.0, still.len() as u64),
    ]
    .into())
}

/// One simulation against everything that can be said of it.
fn run(
    context: &Context,
    problem: Problem,
    oracle: &dyn MeanField,
    setup: &Setup,
    steps: usize,
    replicate: u64,
) -> Found {
    let (n, dim) = (setup.particles, oracle.dim());
    let mut trial = context.trial(setup, problem.core(), 0, replicate);
    trial.draw(&start(dim));
    let mut words = context.subject.words(context.stream(0, replicate));
    (0..n).for_each(|_| start_words(&mut words, dim));
    let mut words = move || words.next_u32();

    let reinjection = matches!(setup.scheme, Scheme::Reinjection(_));
    let mut rules = Rules {
        events: !matches!(setup.scheme, Scheme::GradientFlow),
        reinjection,
        centred: setup.rate() == birth_death::Rate::Centred,
        transport: setup.transport,
        dt: DT,
        alpha: ALPHA,
    };
    let mut expected = columns(&trial.values(), n);
    let mut found = Found::default();
    let mut before = columns(&trial.values(), n);
    for step in 0..steps {
        rules.events &= (step as u64) < setup.quench_from;
        let result = trial.step();
        let mut reference = None;
        if step < REFERENCE_STEPS {
            reference = reference::step(&expected, oracle, rules, &mut words, &mut |words| draw(dim, words));
        }
        let report = match result {
            Ok(report) => report,
            Err(error) => {
                // nobody left to copy, which only raw rates bring about: the reference must say so too, and nothing may have changed
                let mortal = rules.events && !reinjection && !rules.centred;
                let agreed = mortal && matches!(error, Error::Extinct { .. }) && reference.is_none();
                found.unexplained += f64::from(u8::from(!agreed));
                found.rows += f64::from(u8::from(columns(&trial.values(), n) != before));
                return found;
            }
        };
        let after = columns(&trial.values(), n);
        found.steps += 1;
        let timely = report.step == step as u64 && report.time == step as f64 * DT;
        found.counts += f64::from(u8::from(!timely || !counts_agree(&report, trial.origins(), reinjection)));
        found.origins += f64::from(u8::from(!origins_possible(trial.origins())));
        if step < REFERENCE_STEPS {
            let Some(reference) = reference else {
                return Found { unexplained: found.unexplained + 1.0, ..found };
            };
            found.distance = larger(found.distance, distance(&after, &reference.particles));
            for (reported, exact) in
                [(report.energy, reference.energy), (report.mean_potential, reference.mean_potential)]
            {
                found.reported = larger(found.reported, (reported - exact).abs() / exact.abs().max(1.0));
            }
            expected = reference.particles;
        }
        if !setup.transport {
            found.rows += count(&after, trial.origins(), |row, origin| origin == FRESH || before.contains(row));
        }
        found.twins += count(&after, trial.origins(), |row, origin| origin == FRESH || after[origin as usize] == *row);
        found.twins += parted(&before, &after, &trial);
        before = after;
    }
    found
}

/// Passes over the words of one start particle: every component is a normal, of four words.
fn start_words(words: &mut impl Rng, dim: usize) {
    (0..4 * dim).for_each(|_| {
        words.next_u32();
    });
}

/// `[i][k]` from rows.
fn columns(values: &[f64], n: usize) -> Vec<Vec<f64>> {
    (0..n).map(|i| values.iter().skip(i).step_by(n).copied().collect()).collect()
}

fn distance(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    let largest = pairs.map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, larger);
    if a.iter().flatten().count() == b.iter().flatten().count() { largest } else { f64::NAN }
}

fn counts_agree(report: &Report<f64>, origins: &[u32], reinjection: bool) -> bool {
    let (births, deaths) = (report.births, report.deaths);
    let fresh = origins.iter().filter(|&&origin| origin == FRESH).count() as u32;
    let moved = origins.iter().zip(0u32..).filter(|&(&origin, slot)| origin != slot).count() as u32;
    report.removed == births.saturating_sub(deaths)
        && report.added == deaths.saturating_sub(births)
        && fresh == if reinjection { report.added } else { 0 }
        // a slot changes hands only by a death, or by a removal of somebody who had no copy
        && moved >= deaths
        && moved <= deaths + report.removed
}

/// A parent stands in its own slot.
fn origins_possible(origins: &[u32]) -> bool {
    origins.iter().all(|&origin| origin == FRESH || origins.get(origin as usize) == Some(&origin))
}

/// Rows of which `right` says no.
fn count(after: &[Vec<f64>], origins: &[u32], right: impl Fn(&Vec<f64>, u32) -> bool) -> f64 {
    after.iter().zip(origins).filter(|&(row, &origin)| !right(row, origin)).count() as f64
}

/// Pairs of identical particles that both survived the step and are identical no more.
fn parted(before: &[Vec<f64>], after: &[Vec<f64>], trial: &Trial) -> f64 {
    let survives = |i: usize| trial.origins()[i] as usize == i;
    let mut parted = 0.0;
    for i in (0..before.len()).filter(|&i| survives(i)) {
        for j in (0..i).filter(|&j| survives(j)) {
            if before[i] == before[j] && after[i] != after[j] {
                parted += 1.0;
            }
        }
    }
    parted
}

/// Values that steps of dt = 0 change: no event has a chance, and nothing moves.
fn standing_still(context: &Context, problem: Problem, setup: &Setup, replicate: u64) -> f64 {
    let mut trial = context.trial(setup, problem.core(), 1, replicate);
    trial.draw(&start(problem.core().dim()));
    let before = trial.values();
    if trial.advance(5).is_err() {
        return f64::NAN;
    }
    trial.values().iter().zip(&before).filter(|(a, b)| a != b).count() as f64
}
