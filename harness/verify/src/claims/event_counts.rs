//! One step's births and deaths from a frozen ensemble, against their exact law.

use super::check::{Evidence, Measured, Test, largest};
use super::problem::frozen;
use super::{CLAIM_LEVEL, Claim, Context, Interrupted, Kind, thresholds};
use crate::subject::{Precision, Separable, Setup, Trial};
use birth_death_stats::binomial;
use birth_death_stats::difference::StandardError;
use birth_death_stats::poisson_binomial::{mean_of_sum, two_sided_of_sum, variance_of_sum};
use birth_death_stats::power::{POWER, detectable_shift};
use birth_death_stats::tails::z_two_sided;

pub static CLAIM: Claim = Claim {
    id: "event-counts",
    kind: Kind::Sharp,
    statement: "deaths and births in a step are sums of independent events of probability p_i = 1 - exp(-alpha |b_i| \
        dt)",
    source: "arXiv:1902.01843, the birth-death algorithm; p_i exact for rates frozen over the step",
    setting: "potentials 10 + z_i^2 at shifted normal quantiles z_i (the offset shows a mean that is not subtracted), \
        n = 64 and 4, alpha dt <|b|> = 0.3 and 2; raw rates too, of potentials z_i; 2e4 steps of 20 steppers, the \
        ensemble put back after each; and each particle alone",
    estimator: "number of deaths, and of births, over all steps; variance of deaths plus births and of deaths minus \
        births between steps; events of each particle when all others have rate 0; events decided wrongly",
    oracle: "Poisson-binomial law of the sum over all steps, exact; its variance; the binomial law of one particle; a \
        word below floor(p_i 2^32) is an event",
    tolerance: "sharp: exact p-values, variances by their normal limit over 2e4 steps; must be able to see 3 % in a \
        count of n = 64 (10 % of n = 4), 10 % in a variance, 0.3 in one particle's probability. Single precision \
        changes b by at most 1e-5 of its size, and p as much: a hundredth of a count's standard error. Words at \
        thresholds: none decided wrongly",
    measure,
};

const STEPS: u64 = 20_000;
const BLOCKS: u64 = 20;
const DT: f64 = 0.1;

/// Steps of the other settings: of many particles, after a setter, and of the long run.
const STEPS_OF_MANY: u64 = 1000;
const STEPS_SET: u64 = 10_000;
const STEPS_LONG: u64 = 73_728;
/// Where what is counted of the long run begins, and where it is counted apart: late, and beyond 16 bits of a counter.
const LATE: [u64; 2] = [4000, 65_536];

/// What to freeze.
#[derive(Clone, Debug)]
struct Case {
    name: String,
    precision: Precision,
    potentials: Vec<f64>,
    raw: bool,
    alpha: f64,
    /// The relative change of a count that must be visible.
    budget: f64,
}

impl Case {
    /// Potentials at fixed z, alpha so that alpha dt <|b|> = `strength`.
    fn new(n: usize, strength: f64, raw: bool) -> Self {
        let potentials = frozen(n).iter().map(|z| if raw { *z } else { 10.0 + z * z }).collect();
        let mut case = Self {
            name: format!("n = {n}, alpha dt <|b|> = {strength}{}", if raw { ", raw" } else { "" }),
            precision: Precision::Double,
            potentials,
            raw,
            alpha: 1.0,
            budget: if n < 10 { 0.1 } else { 0.03 },
        };
        let mean_rate = case.rates().iter().map(|b| b.abs()).sum::<f64>() / n as f64;
        case.alpha = strength / (DT * mean_rate);
        case
    }

    /// The same in single precision, with the potentials that it has.
    fn single(self) -> Self {
        let precision = Precision::Single;
        let potentials = self.potentials.iter().map(|v| precision.round(*v)).collect();
        Self { name: format!("{}{}", self.name, precision.suffix()), precision, potentials, ..self }
    }

    fn rates(&self) -> Vec<f64> {
        let mean = self.potentials.iter().sum::<f64>() / self.potentials.len() as f64;
        self.potentials.iter().map(|v| if self.raw { *v } else { v - mean }).collect()
    }

    /// p_i of those that can die, and of those that can be born.
    fn probabilities(&self) -> (Vec<f64>, Vec<f64>) {
        let p = |b: &f64| 1.0 - (-self.alpha * b.abs() * DT).exp();
        let (deaths, births): (Vec<f64>, Vec<f64>) = self.rates().into_iter().partition(|b| *b > 0.0);
        (deaths.iter().map(p).collect(), births.iter().map(p).collect())
    }

    fn setup(&self) -> Setup {
        let setup = Setup::birth_death(self.potentials.len(), DT, self.alpha).without_transport();
        if self.raw { setup.raw() } else { setup }
    }
}

/// Deaths, births and two variances for each of six cases; single particles; deaths and births of many particles and
/// after setters; events of each part of the long run; thresholds in two precisions.
const CHECKS: f64 = 33.0;

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let level = CLAIM_LEVEL / CHECKS;
    let steps = context.replicates(STEPS);
    let cases = [(64, 0.3, false), (64, 2.0, false), (4, 0.3, false), (4, 2.0, false), (64, 0.3, true)];
    let cases = cases.map(|(n, strength, raw)| Case::new(n, strength, raw)).into_iter();
    let mut measured = Vec::new();
    for (case, part) in cases.chain([Case::new(64, 0.3, false).single()]).zip(0..) {
        let counts = counts(context, &case, part, steps)?;
        let (deaths, births) = case.probabilities();
        measured.extend(totals(&case, &counts, level));
        for (what, sign) in [("sum", 1.0), ("difference", -1.0)] {
            let values: Vec<f64> = counts.iter().map(|c| f64::from(c.0) + sign * f64::from(c.1)).collect();
            let mean = mean_of_sum(&deaths, 1) + sign * mean_of_sum(&births, 1);
            measured.push(spread(what, &case, &deaths, &births, mean, &values, level));
        }
    }
    measured.push(single_particles(context, steps, level)?);
    let many = Case::new(1000, 0.3, false);
    let counted = counts(context, &many, 51, context.replicates(STEPS_OF_MANY))?;
    measured.extend(totals(&many, &counted, level));
    measured.extend(after_setters(context, level)?);
    measured.extend(long_run(context, level)?);
    measured.extend([Precision::Double, Precision::Single].map(|precision| thresholds::measure(context, precision)));
    Ok(measured.into())
}

/// Deaths and births of a step; more than there can be if it was refused.
type Counts = (u32, u32);

/// A step from the frozen ensemble.
fn step(trial: &mut Trial, case: &Case) -> Counts {
    trial.reset(&case.potentials);
    trial.step().map_or((u32::MAX, u32::MAX), |report| (report.deaths, report.births))
}

fn counts(context: &Context, case: &Case, part: u64, steps: u64) -> Result<Vec<Counts>, Interrupted> {
    let blocks = context.map(BLOCKS, |block| {
        let mut trial = context.trial_of(&case.setup(), case.precision.of(Separable(|z| z)), part, block);
        (0..steps / BLOCKS).map(|_| step(&mut trial, case)).collect::<Vec<_>>()
    })?;
    Ok(blocks.into_iter().flatten().collect())
}

fn total(counts: &[Counts], of: fn(&Counts) -> u64) -> u64 {
    counts.iter().map(of).sum()
}

/// All deaths, and all births.
fn totals(case: &Case, counts: &[Counts], level: f64) -> [Measured; 2] {
    let (deaths, births) = case.probabilities();
    let steps = counts.len() as u64;
    [
        count("deaths", case, &deaths, total(counts, |c| u64::from(c.0)), steps, level),
        count("births", case, &births, total(counts, |c| u64::from(c.1)), steps, level),
    ]
}

/// Rate and dt are what the setters say, from the step after them on.
fn after_setters(context: &Context, level: f64) -> Result<[Measured; 2], Interrupted> {
    let case = Case::new(64, 0.3, false);
    let case = Case { name: format!("{}, set after step 0", case.name), ..case };
    let steps = context.replicates(STEPS_SET) / BLOCKS;
    let blocks = context.map(BLOCKS, |block| {
        let before = Setup { dt: 0.5 * DT, ..Case { alpha: 3.0 * case.alpha, ..case.clone() }.setup() };
        let mut trial = context.trial(&before, Box::new(Separable(|z| z)), 52, block);
        step(&mut trial, &case);
        trial.set_alpha(case.alpha);
        trial.set_dt(DT);
        (0..steps).map(|_| step(&mut trial, &case)).collect::<Vec<_>>()
    })?;
    Ok(totals(&case, &blocks.concat(), level))
}

/// One stepper, for long: what depends on the step's number shows late.
fn long_run(context: &Context, level: f64) -> Result<[Measured; 2], Interrupted> {
    let case = Case::new(16, 0.3, true);
    let counts = context.map(1, |_| {
        let mut trial = context.trial(&case.setup(), Box::new(Separable(|z| z)), 53, 0);
        (0..STEPS_LONG).map(|_| step(&mut trial, &case)).collect::<Vec<_>>()
    })?;
    let (deaths, births) = case.probabilities();
    let (all, counts) = ([deaths, births].concat(), counts.concat());
    Ok([(LATE[0], LATE[1]), (LATE[1], STEPS_LONG)].map(|(from, to)| {
        let part = &counts[from as usize..to as usize];
        let case = Case { name: format!("{}, steps {from} to {}", case.name, to - 1), budget: 0.05, ..case.clone() };
        count("events", &case, &all, total(part, |c| u64::from(c.0) + u64::from(c.1)), to - from, level)
    }))
}

/// A count against its Poisson-binomial law, as a ratio to its mean.
fn count(what: &str, case: &Case, p: &[f64], found: u64, steps: u64, level: f64) -> Measured {
    let mean = mean_of_sum(p, steps);
    let sd = variance_of_sum(p, steps).sqrt();
    let most = steps * p.len() as u64;
    let p_value = if found > most { 0.0 } else { two_sided_of_sum(p, steps, found) };
    let test = Test {
        p: p_value,
        detectable: detectable_shift(sd, level, POWER) / mean,
        budget: case.budget,
        error: StandardError::known(sd / mean),
    };
    Measured::sharp(format!("{what} over expected, {}", case.name), found as f64 / mean, 1.0, test, steps)
}

/// The variance between steps against the exact one; p is doubled, for at six standard errors the normal limit
/// understates the tail of a mean of squares by a factor of up to 1.6 here (saddlepoint). The estimate about the known
/// mean has variance (mu_4 - sigma^4) / steps, mu_4 = 3 sigma^4 + sum p q (1 - 6 p q) for a sum of Bernoulli variables
/// of either sign.
fn spread(what: &str, case: &Case, deaths: &[f64], births: &[f64], mean: f64, values: &[f64], level: f64) -> Measured {
    let steps = values.len() as f64;
    let pq: Vec<f64> = deaths.iter().chain(births).map(|p| p * (1.0 - p)).collect();
    let variance: f64 = pq.iter().sum();
    let excess: f64 = pq.iter().map(|v| v * (1.0 - 6.0 * v)).sum();
    let error = ((2.0 * variance * variance + excess) / steps).sqrt() / variance;
    let found = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (steps * variance);
    let test = Test {
        p: (2.0 * z_two_sided((found - 1.0) / error)).clamp(0.0, 1.0),
        detectable: detectable_shift(error, level, POWER),
        budget: 0.1,
        error: StandardError::known(error),
    };
    let what = format!("variance of the {what} of deaths and births over expected, {}", case.name);
    Measured::sharp(what, found, 1.0, test, values.len() as u64)
}

/// Raw rates, all but one particle at V = 0: every event is that particle's. Two-sided binomial p-values, combined by
/// the smallest; the probabilities go from 0.05 to 0.9 over the slots, births and deaths in turn.
fn single_particles(context: &Context, steps: u64, level: f64) -> Result<Measured, Interrupted> {
    const N: usize = 64;
    let each = steps / N as u64;
    let probability = |slot: usize| 0.05 + 0.85 * slot as f64 / (N - 1) as f64;
    let found = context.map(N as u64, |slot| {
        let slot = slot as usize;
        let mut rows = [0.0; N];
        let sign = if slot.is_multiple_of(2) { 1.0 } else { -1.0 };
        rows[slot] = -sign * (1.0 - probability(slot)).ln() / DT;
        let setup = Setup::birth_death(N, DT, 1.0).without_transport().raw();
        let mut trial = context.trial(&setup, Box::new(Separable(|z| z)), 50, slot as u64);
        let (mut right, mut wrong) = (0u64, 0u64);
        for _ in 0..each {
            trial.reset(&rows);
            let Ok(report) = trial.step() else { return (0.0, 1.0) };
            let (own, other) = if sign > 0.0 { (report.deaths, report.births) } else { (report.births, report.deaths) };
            right += u64::from(own);
            wrong += u64::from(other);
        }
        let deviation = (right as f64 / each as f64 - probability(slot)).abs();
        if wrong > 0 || right > each {
            (0.0, 1.0)
        } else {
            (binomial::two_sided(right, each, probability(slot)), deviation)
        }
    })?;
    // NaN stays: f64::min would drop it
    let smallest = found.iter().fold(1.0, |a: f64, &(p, _)| if p < a || p.is_nan() { p } else { a });
    let deviation = largest(found.iter().map(|(_, deviation)| *deviation));
    let test = Test {
        p: (smallest * N as f64).clamp(0.0, 1.0),
        detectable: detectable_shift((0.25 / each as f64).sqrt(), level / N as f64, POWER),
        budget: 0.3,
        error: StandardError::known((0.25 / each as f64).sqrt()),
    };
    let what = "largest deviation of a particle's event frequency from its probability, one particle having a rate";
    Ok(Measured::sharp(what, deviation, 0.0, test, each * N as u64))
}
