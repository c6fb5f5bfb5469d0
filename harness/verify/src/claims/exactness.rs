//! The whole law of three particles, after several steps.

use super::check::{Evidence, Measured, Test, largest};
use super::{CLAIM_LEVEL, Claim, Context, Interrupted, Kind};
use crate::oracles::three_particles::{self, Counts, Matrix, STATES, total_variation};
use crate::subject::{Separable, Setup, Trial};
use birth_death_charts::plot::{self, Axis, Mark, Plot, Series};
use birth_death_stats::difference::StandardError;
use birth_death_stats::power::{POWER, detectable_noncentrality};
use birth_death_stats::tails::goodness_of_fits;

pub static CLAIM: Claim = Claim {
    id: "exactness",
    kind: Kind::Sharp,
    statement: "three particles of three kinds follow the exact Markov chain of scheme 1 on the 10 multisets of kinds, \
        at the scheme's own dt; its limit dt -> 0 is the chain in continuous time",
    source: "arXiv:1902.01843, the birth-death algorithm; transition matrix and generator: derived from the scheme's \
        definition",
    setting: "V = 0, 1, 5, no transport, alpha = 1, dt = 0.05, 10 steps, 1e6 runs: half from one of each kind, a \
        quarter each from one of the middle or of the lower kind and two of the upper: every state with an event is \
        visited",
    estimator: "total variation between the frequencies of the end states and their law, in the mean over the starts",
    oracle: "one-step matrix by enumeration of events and control, to the 10th power; exp(t Q), Q the generator",
    tolerance: "sharp: goodness of fit over the starts (the larger p of Pearson's statistic and the likelihood ratio), \
        1e3 expected in a cell at least; by Cauchy and Schwarz a total variation of d has noncentrality 4 N d^2 at \
        least: d = 0.005 must be seen. Between the oracles: dt / 64 and dt / 128 extrapolated, within (rate dt / 64)^2 \
        of the limit",
    measure,
};

const V: [f64; 3] = [0.0, 1.0, 5.0];
const ALPHA: f64 = 1.0;
const DT: f64 = 0.05;
const STEPS: u32 = 10;
const RUNS: u64 = 1_000_000;
const BLOCKS: u64 = 20;
/// The starts, and the share of the runs of each in quarters.
const STARTS: [(Counts, u64); 3] = [([1, 1, 1], 2), ([0, 1, 2], 1), ([1, 0, 2], 1)];
const QUARTERS: u64 = 4;
const CHECKS: f64 = 2.0;

/// How often a run from each start ended in each state; and how often in an error.
#[derive(Clone, Debug, Default)]
struct Ends {
    counts: [[u64; STATES]; STARTS.len()],
    errors: u64,
}

/// The potentials of three particles: the row to start from, for V is its own argument.
fn row(counts: Counts) -> [f64; 3] {
    let mut members = counts.iter().zip(V).flat_map(|(&count, v)| std::iter::repeat_n(v, count));
    [(); 3].map(|()| members.next().unwrap_or(f64::NAN))
}

/// The state that a trial is in: none if a particle is of no kind.
fn state(trial: &Trial) -> Option<usize> {
    let mut counts = [0; 3];
    for x in trial.rows().row(0) {
        counts[V.iter().position(|v| v == x)?] += 1;
    }
    three_particles::index(counts)
}

fn block(context: &Context, block: u64, quarter: u64) -> Ends {
    let setup = Setup::birth_death(3, DT, ALPHA).without_transport();
    let mut trial = context.trial(&setup, Box::new(Separable(|z| z)), 0, block);
    let mut ends = Ends::default();
    for (counts, (start, quarters)) in ends.counts.iter_mut().zip(STARTS) {
        let start = row(start);
        for _ in 0..quarters * quarter {
            trial.reset(&start);
            let failed = trial.advance(STEPS as usize).is_err();
            match state(&trial) {
                Some(state) if !failed => counts[state] += 1,
                _ => ends.errors += 1,
            }
        }
    }
    ends
}

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let quarter = context.replicates(RUNS) / (BLOCKS * QUARTERS);
    let blocks = context.map(BLOCKS, |index| block(context, index, quarter))?;
    let mut ends = Ends::default();
    for other in &blocks {
        ends.errors += other.errors;
        ends.counts.as_flattened_mut().iter_mut().zip(other.counts.as_flattened()).for_each(|(a, b)| *a += b);
    }
    let law = three_particles::power(&three_particles::one_step(V, ALPHA, DT), STEPS);
    let limit = three_particles::continuous(V, ALPHA, DT * f64::from(STEPS));
    let measured = vec![fit(&ends, &law, quarter * BLOCKS), extrapolated(&limit)];
    Ok(Evidence { measured, plots: vec![plot(&ends, &law, &limit)] })
}

/// The row of a start.
fn from(law: &Matrix, start: Counts) -> [f64; STATES] {
    let at = three_particles::index(start).unwrap_or(0);
    std::array::from_fn(|to| law[(at, to)])
}

/// The end states against their law.
fn fit(ends: &Ends, law: &Matrix, quarter: u64) -> Measured {
    let (mut dof, mut distance) = (0, 0.0);
    let mut laws = [[0.0; STATES]; STARTS.len()];
    for ((counts, (start, quarters)), expected) in ends.counts.iter().zip(STARTS).zip(&mut laws) {
        let runs = (quarters * quarter) as f64;
        *expected = from(law, start);
        let frequency = counts.map(|count| count as f64 / runs);
        distance += quarters as f64 / QUARTERS as f64 * total_variation(&frequency, expected.iter());
        dof += expected.iter().filter(|p| **p > 0.0).count() - 1;
    }
    let runs = QUARTERS * quarter;
    let level = CLAIM_LEVEL / CHECKS;
    let samples = ends.counts.iter().zip(&laws).map(|(counts, law)| (&counts[..], &law[..]));
    let test = Test {
        p: if ends.errors > 0 { 0.0 } else { goodness_of_fits(samples) },
        detectable: (detectable_noncentrality(dof as f64, level, POWER) / (4.0 * runs as f64)).sqrt(),
        budget: 0.005,
        // a sum of signed frequencies has a variance of at most 1 over the runs; the distance is half the largest
        // such sum
        error: StandardError::known(0.5 / (runs as f64).sqrt()),
    };
    Measured::sharp(format!("total variation from the exact law after {STEPS} steps"), distance, 0.0, test, runs)
}

/// How far the scheme's law, extrapolated to dt = 0, is from the chain's in continuous time: the most over the starts.
fn extrapolated(limit: &Matrix) -> Measured {
    const FINER: u32 = 64;
    let law =
        |finer: u32| three_particles::power(&three_particles::one_step(V, ALPHA, DT / f64::from(finer)), STEPS * finer);
    let linear = law(2 * FINER) * 2.0 - law(FINER);
    let distance = |at: usize| total_variation(linear.row(at).iter(), limit.row(at).iter());
    let rate = three_particles::generator(V, ALPHA).diagonal().iter().fold(0.0f64, |a, q| a.max(-q));
    let tolerance = (rate * DT / f64::from(FINER)).powi(2);
    let what = "total variation of the exact laws, extrapolated to dt = 0, from the chain in continuous time";
    Measured::exact(what, largest((0..STATES).map(distance)), tolerance, STATES as u64).of_oracles()
}

fn plot(ends: &Ends, law: &Matrix, limit: &Matrix) -> Plot {
    let (start, counts) = (STARTS[0].0, ends.counts[0]);
    let runs: u64 = counts.iter().sum();
    let line = |name: &str, law: [f64; STATES]| Series {
        name: name.into(),
        mark: Mark::Line,
        points: law.iter().enumerate().map(|(k, p)| plot::Point::exact(k as f64, *p)).collect(),
    };
    let dots = counts.iter().enumerate().map(|(k, &count)| {
        let f = count as f64 / runs as f64;
        plot::Point::measured(k as f64, f, (f * (1.0 - f) / runs as f64).sqrt())
    });
    Plot {
        title: format!("Three particles, one of each kind, after {STEPS} steps"),
        x: Axis::linear("state: 003, 012, 021, 030, 102, 111, 120, 201, 210, 300 of the kinds V = 0, 1, 5"),
        y: Axis::linear("probability"),
        series: vec![
            line("exact at this dt", from(law, start)),
            line("chain in continuous time", from(limit, start)),
            Series { name: "found".into(), mark: Mark::Dots, points: dots.collect() },
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_with_an_event_is_visited_and_cells_are_large() {
        let one = three_particles::one_step(V, ALPHA, DT);
        let mut visited = [false; STATES];
        for (start, quarters) in STARTS {
            for steps in 0..STEPS {
                let law = from(&three_particles::power(&one, steps), start);
                visited.iter_mut().zip(law).for_each(|(seen, p)| *seen |= p > 0.0);
            }
            let ends = from(&three_particles::power(&one, STEPS), start);
            let runs = (quarters * RUNS / QUARTERS) as f64;
            assert!(ends.iter().all(|p| *p == 0.0 || p * runs > 1000.0), "{ends:?}");
        }
        let unseen: Vec<Counts> = three_particles::states()
            .into_iter()
            .zip(visited)
            .filter(|(_, seen)| !seen)
            .map(|(state, _)| state)
            .collect();
        assert_eq!(unseen, [[0, 0, 3]], "three of the upper kind: nothing can happen, and nothing leads there");
    }

    #[test]
    fn the_law_itself_fits_and_its_limit_does_not() {
        let (law, quarter) = (three_particles::power(&three_particles::one_step(V, ALPHA, DT), STEPS), 250_000);
        let ends_of = |law: &Matrix| {
            let mut ends = Ends::default();
            for (counts, (start, quarters)) in ends.counts.iter_mut().zip(STARTS) {
                *counts = from(law, start).map(|p| (p * (quarters * quarter) as f64).round() as u64);
            }
            ends
        };
        let p = |ends: &Ends| match fit(ends, &law, quarter).null {
            super::super::check::Null::Sharp { p, .. } => p,
            _ => f64::NAN,
        };
        assert!(p(&ends_of(&law)) > 0.999);
        assert!(p(&ends_of(&three_particles::continuous(V, ALPHA, DT * f64::from(STEPS)))) < 1e-20);
        let deviates = |alpha: f64| {
            let measured = extrapolated(&three_particles::continuous(V, alpha, DT * f64::from(STEPS)));
            measured.estimate > measured.tolerance
        };
        assert!(!deviates(ALPHA) && deviates(1.001 * ALPHA));
        let mut impossible = ends_of(&law);
        impossible.counts[0][0] = 1;
        assert_eq!(p(&impossible), 0.0);
    }
}
