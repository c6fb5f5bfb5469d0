//! Where nothing should happen, nothing does; and where only births and deaths can, they move mass by their exact law.

use birth_death::Rows;
use birth_death::models::{GaussianUnits, MixtureRef, Mmd, MmdTarget};

use super::check::{Evidence, Measured, Test, largest};
use super::problem::Problem;
use super::{CLAIM_LEVEL, Claim, Context, Interrupted, Kind};
use crate::oracles::models::{self, Potential};
use crate::oracles::two_kinds::TwoKinds;
use crate::subject::{BoxedEnergy, Setup};
use birth_death_charts::plot::{self, Axis, Mark, Plot, Series};
use birth_death_stats::difference::StandardError;
use birth_death_stats::power::{POWER, detectable_noncentrality, detectable_shift};
use birth_death_stats::tails::{goodness_of_fit, z_two_sided};

pub static CLAIM: Claim = Claim {
    id: "fixed-point",
    kind: Kind::Sharp,
    statement: "an ensemble that is the minimiser stays: no event, no movement; without interaction and with both \
        wells occupied at rest, where gradient flow stays for ever, births and deaths move mass by their exact law",
    source: "arXiv:1902.01843, fixed points of the birth-death PDE; V is constant at a minimiser that is a sum of n \
        particles",
    setting: "n = 8 at the points of an MMD's sample in the plane (h = 0.9), and at the units of a Gaussian-units \
        teacher, alpha dt = 100, 1e4 steps with transport; n = 200 in the wells of (x^2 - 1)^2 + 0.2 x, alpha dt gap = \
        1, with transport, 80 in the upper one: 2e4 single steps; 120: 5e3 runs of 4 steps",
    estimator: "births and deaths; largest displacement; number in the upper well: mean change of a step over the \
        exact one, and effect w (Cohen's) over its values after 1 and 4 steps",
    oracle: "zero; the exact law by summation over deaths, births and control (binomial, binomial, hypergeometric or \
        binomial)",
    tolerance: "at the minimiser |V| is below 1e-14, so p < 1e-12 and floor(p 2^32) = 0: no event at all; |grad V| < \
        1e-15 by rounding, times 1e4 dt: displaced by at most 1e-12. In the wells grad V is 1e-15 and the flow \
        contracts: 1e-14. Counts: sharp, normal law of a mean of 2e4, chi-square with 500 expected in a cell at least, \
        p doubled; must be able to see 2 % of the mean change, w = 0.09 and 0.15",
    measure,
};

const SMALL: usize = 8;
const STILL_STEPS: u64 = 10_000;

/// Eight points in the plane, component after component.
static SAMPLE: [f64; 2 * SMALL] =
    [-1.3, 0.2, 1.9, -0.4, 0.8, -2.1, 1.1, 0.3, 0.5, -1.2, 0.9, 1.6, -0.7, -0.2, 2.3, -1.8];
/// A teacher's charges, and the weights of its units: charge / 8.
static CHARGES: [f64; SMALL] = [1.5, -0.7, 0.4, -2.2, 0.9, 1.1, -0.3, 0.6];
static WEIGHTS: [f64; SMALL] =
    [1.5 / 8.0, -0.7 / 8.0, 0.4 / 8.0, -2.2 / 8.0, 0.9 / 8.0, 1.1 / 8.0, -0.3 / 8.0, 0.6 / 8.0];
static CENTRES: [f64; SMALL] = [-2.0, -1.3, -0.9, -0.1, 0.4, 0.6, 1.7, 2.4];
static VARIANCES: [f64; SMALL] = [0.5; SMALL];

const N: usize = 200;
const DT: f64 = 0.1;
/// alpha dt times the gap between the wells.
const STRENGTH: f64 = 1.0;
const BLOCKS: u64 = 20;
/// What rounding makes of a gradient that is zero: sixteen terms of size 0.1, each within a few units of 2^-53.
const GRADIENT: f64 = 1e-15;
/// Checks whose verdict is a p-value.
const SHARP: f64 = 3.0;
const CHECKS: f64 = 4.0 + 1.0 + SHARP;
/// The smallest expected count of a cell.
const CELL: f64 = 500.0;

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    const VALID: &str = "a valid constant";
    let sample = || -> BoxedEnergy {
        let points = Rows::packed(&SAMPLE, 2).expect(VALID);
        Box::new(Mmd::new(0.9, MmdTarget::Sample(points)).expect(VALID))
    };
    let teacher = || -> BoxedEnergy {
        let target = MixtureRef::new(&WEIGHTS, &CENTRES, &VARIANCES, 1).expect(VALID);
        Box::new(GaussianUnits::new(VARIANCES[0], target).expect(VALID))
    };
    let mut evidence = Evidence::default();
    evidence.measured.extend(still(context, "MMD's sample", sample, &SAMPLE, 0)?);
    evidence.measured.extend(still(context, "teacher's units", teacher, &[CHARGES, CENTRES].concat(), 1)?);
    wells(context, &mut evidence)?;
    Ok(evidence)
}

/// Events and displacement over many steps from a minimiser.
fn still(
    context: &Context,
    name: &str,
    energy: impl Fn() -> BoxedEnergy + Sync,
    rows: &[f64],
    part: u64,
) -> Result<[Measured; 2], Interrupted> {
    let setup = Setup::birth_death(SMALL, DT, 100.0 / DT);
    let steps = context.replicates(STILL_STEPS);
    let found = context.map(1, |_| {
        let mut trial = context.trial(&setup, energy(), part, 0);
        trial.place(rows);
        let mut events = 0.0;
        for _ in 0..steps {
            events += trial.step().map_or(f64::NAN, |report| f64::from(report.births) + f64::from(report.deaths));
        }
        (events, largest(trial.values().iter().zip(rows).map(|(x, start)| x - start)))
    })?;
    let (events, displacement) = found[0];
    Ok([
        Measured::exact(format!("births and deaths at the {name}"), events, 0.0, steps),
        Measured::exact(
            format!("largest displacement from the {name}"),
            displacement,
            steps as f64 * DT * GRADIENT,
            steps,
        ),
    ])
}

/// The double well of [`Problem::DoubleWell`] with particles at rest in both wells.
struct Wells {
    lower: f64,
    upper: f64,
    law: TwoKinds,
    setup: Setup,
}

/// Where runs ended.
struct Runs {
    /// What should be found: the probability of so many in the upper well.
    law: Vec<f64>,
    /// How often so many were; an error counts as N + 1.
    counts: Vec<u64>,
    /// The largest distance from a well.
    distance: f64,
}

impl Wells {
    fn new() -> Self {
        let model = models::DoubleWell { tilt: 0.2, dim: 2 };
        let [lower, _, upper] = model.stationary();
        let v = |x: f64| model.at(&[x, 0.0], &mut [0.0; 2]);
        let gap = v(upper) - v(lower);
        let law = TwoKinds { particles: N, gap, strength: STRENGTH / gap };
        Self { lower, upper, law, setup: Setup::birth_death(N, DT, STRENGTH / (gap * DT)) }
    }

    /// The first `high` slots in the upper well.
    fn rows(&self, high: usize) -> Vec<f64> {
        (0..2 * N)
            .map(|at| {
                if at < high {
                    self.upper
                } else if at < N {
                    self.lower
                } else {
                    0.0
                }
            })
            .collect()
    }

    /// Runs of `steps` steps from `high` in the upper well.
    fn runs(
        &self,
        context: &Context,
        (high, steps): (usize, usize),
        part: u64,
        runs: u64,
    ) -> Result<Runs, Interrupted> {
        let start = self.rows(high);
        let law = || self.law.law(high, steps);
        let (law, blocks) = context.map_beside(law, BLOCKS, |block| {
            let mut trial = context.trial(&self.setup, Problem::DoubleWell.core(), part, block);
            let (mut counts, mut distance) = (vec![0u64; N + 2], 0.0f64);
            for _ in 0..runs / BLOCKS {
                trial.reset(&start);
                if trial.advance(steps).is_err() {
                    counts[N + 1] += 1;
                    continue;
                }
                let (x, other) = (trial.rows().row(0), trial.rows().row(1));
                counts[x.iter().filter(|x| **x > 0.0).count()] += 1;
                let off = x.iter().map(|x| x - if *x > 0.0 { self.upper } else { self.lower });
                distance = largest([distance].into_iter().chain(off).chain(other.iter().copied()));
            }
            (counts, distance)
        })?;
        let mut counts = vec![0; N + 2];
        for (block, _) in &blocks {
            counts.iter_mut().zip(block).for_each(|(sum, count)| *sum += count);
        }
        Ok(Runs { law, counts, distance: largest(blocks.iter().map(|(_, distance)| *distance)) })
    }
}

fn wells(context: &Context, evidence: &mut Evidence) -> Result<(), Interrupted> {
    let wells = Wells::new();
    let level = CLAIM_LEVEL / CHECKS;
    let mut distances = Vec::new();
    for ((high, steps), part, runs, budget) in [((80, 1), 2, 20_000, 0.09), ((120, 4), 3, 5_000, 0.15)] {
        let runs = context.replicates(runs);
        let Runs { law, counts, distance } = wells.runs(context, (high, steps), part, runs)?;
        distances.push(distance);
        if steps == 1 {
            evidence.measured.push(mean_change(high, &counts, &law, runs, level));
        }
        let what = format!(
            "number in the upper well from {high} of {N} after {steps} step{}",
            if steps > 1 { "s" } else { "" }
        );
        evidence.measured.push(fit(&what, &counts, &law, runs, budget, level));
        evidence.plots.push(plot(&what, &counts, &law, runs));
    }
    let what = "largest distance of a particle from its well";
    evidence.measured.push(Measured::exact(what, largest(distances), 1e-14, 2));
    Ok(())
}

/// The mean change of the number over its exact one.
fn mean_change(high: usize, counts: &[u64], law: &[f64], runs: u64, level: f64) -> Measured {
    let moment =
        |power: i32| -> f64 { law.iter().zip(0..).map(|(p, k)| p * (f64::from(k) - high as f64).powi(power)).sum() };
    let change = moment(1);
    let error = ((moment(2) - change * change) / runs as f64).sqrt() / change.abs();
    let sum: f64 = counts.iter().enumerate().map(|(k, &count)| count as f64 * (k as f64 - high as f64)).sum();
    let found = sum / runs as f64 / change;
    let test = Test {
        p: z_two_sided((found - 1.0) / error),
        detectable: detectable_shift(error, level, POWER),
        budget: 0.02,
        error: StandardError::known(error),
    };
    Measured::sharp(
        format!("mean change of the number in the upper well over the exact one, from {high} of {N}"),
        found,
        1.0,
        test,
        runs,
    )
}

/// The numbers against their law. p is doubled: with e = 500 expected, the third moments 1 / root e of the cells change
/// the tail at r = 9 by exp(r^3 / (6 root e) sum u^3), u a direction in 30 dimensions, for which the sum's standard
/// deviation is 0.11: by 20 % in the mean over directions.
fn fit(what: &str, counts: &[u64], law: &[f64], runs: u64, budget: f64, level: f64) -> Measured {
    let (observed, expected) = cells(counts, law, CELL / runs as f64);
    let w2: f64 = observed.iter().zip(&expected).map(|(&o, &e)| (o as f64 / runs as f64 - e).powi(2) / e).sum();
    let dof = (expected.len() - 1) as f64;
    let detectable = (detectable_noncentrality(dof, level, POWER) / runs as f64).sqrt();
    // the last count is that of errors: nothing of the kind may happen
    let (p, effect) = match counts.last() {
        Some(0) => ((2.0 * goodness_of_fit(&observed, &expected)).clamp(0.0, 1.0), w2.sqrt()),
        _ => (0.0, f64::INFINITY),
    };
    let error = StandardError::known(1.0 / (runs as f64).sqrt());
    Measured::sharp(format!("effect w of the {what}"), effect, 0.0, Test { p, detectable, budget, error }, runs)
}

/// Neighbouring values put together until each cell has a probability of `least`.
fn cells(counts: &[u64], law: &[f64], least: f64) -> (Vec<u64>, Vec<f64>) {
    let (mut observed, mut expected) = (Vec::new(), Vec::new());
    let (mut count, mut chance) = (0, 0.0);
    for (c, p) in counts.iter().zip(law) {
        count += c;
        chance += p;
        if chance >= least {
            observed.push(count);
            expected.push(chance);
            (count, chance) = (0, 0.0);
        }
    }
    // what is left over goes to the last cell
    if let (Some(o), Some(e)) = (observed.last_mut(), expected.last_mut()) {
        *o += count;
        *e += chance;
    }
    (observed, expected)
}

fn plot(what: &str, counts: &[u64], law: &[f64], runs: u64) -> Plot {
    let seen = |k: &usize| counts[*k] > 0 || law[*k] * runs as f64 > 0.5;
    let shown: Vec<usize> = (0..law.len()).filter(seen).collect();
    let dots = shown.iter().map(|&k| {
        let error = (law[k] * (1.0 - law[k]) / runs as f64).sqrt();
        plot::Point::measured(k as f64, counts[k] as f64 / runs as f64, error)
    });
    Plot {
        title: format!("Law of the {what}"),
        x: Axis::linear("number in the upper well"),
        y: Axis::linear("probability"),
        series: vec![
            Series {
                name: "exact".into(),
                mark: Mark::Line,
                points: shown.iter().map(|&k| plot::Point::exact(k as f64, law[k])).collect(),
            },
            Series { name: "found".into(), mark: Mark::Dots, points: dots.collect() },
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_neighbours_put_together() {
        let (observed, expected) = cells(&[1, 2, 3, 4, 5, 0], &[0.1, 0.15, 0.4, 0.3, 0.05], 0.25);
        assert_eq!(observed, [3, 3, 9]);
        assert!(expected.iter().zip([0.25, 0.4, 0.35]).all(|(a, b)| (a - b).abs() < 1e-15));
    }

    #[test]
    fn weights_are_charges_over_eight() {
        assert!(WEIGHTS.iter().zip(CHARGES).all(|(w, c)| *w == c / 8.0));
    }
}
