//! What reinjection puts in: part of uniform-control.

use birth_death::{Energy, Error, FRESH, Field, Marginal, Real, Rows};

use super::check::{Measured, Test};
use super::{Context, Interrupted};
use crate::subject::{Precision, Setup};
use birth_death_stats::difference::StandardError;
use birth_death_stats::power::{POWER, detectable_noncentrality};
use birth_death_stats::tails::{goodness_of_fit, normal_upper};

/// The checks that [`measure`] hands back.
pub const CHECKS: usize = 2;

const N: usize = 10;
/// Slots that die in each step.
const DEATHS: usize = 4;
const STEPS: u64 = 5_000;
const BLOCKS: u64 = 20;
const CERTAIN: f64 = 1e6;
const CHARGE: f64 = 0.25;
const UNIFORM: (f64, f64) = (-1.0, 2.0);
const NORMAL: (f64, f64) = (0.5, 1.5);
/// Equally likely intervals of the second component and of the third; pairs of them are the cells.
const INTERVALS: usize = 8;

/// V = x_0 + x_1 + x_2: everything that moves goes -dt in every component.
struct Slope;

impl<R: Real> Energy<R> for Slope {
    fn dim(&self) -> usize {
        3
    }

    fn evaluate(&mut self, _step: u64, at: Rows<'_, R>, mut out: Field<'_, R>) -> Result<R, Error> {
        out.check(3, at)?;
        let (v, mut gradient) = out.parts_mut();
        gradient.iter_mut().for_each(|row| row.fill(R::ONE));
        v.fill(R::ZERO);
        at.iter().for_each(|row| v.iter_mut().zip(row).for_each(|(v, x)| *v = *v + *x));
        Ok(R::from_f64(v.iter().map(|v| v.to_f64()).sum::<f64>() / at.len() as f64))
    }
}

/// What is found in a block of steps.
struct Found {
    /// Draws that are missing or superfluous, or whose first component is not the prior's.
    wrong: u64,
    /// Draws in each cell.
    cells: Vec<u64>,
}

/// Scheme 2 with forced deaths: each is replaced by a draw that has the prior's law and does not move in its first
/// step.
pub fn measure(context: &Context, precision: Precision, part: u64, level: f64) -> Result<Vec<Measured>, Interrupted> {
    let steps = context.replicates(STEPS);
    let blocks = context.map(BLOCKS, |block| tally(context, precision, part, block, steps / BLOCKS))?;
    let cells = INTERVALS * INTERVALS;
    let sum = |cell: usize| blocks.iter().map(|found| found.cells[cell]).sum();
    let observed: Vec<u64> = (0..cells).map(sum).collect();
    let draws: u64 = observed.iter().sum();
    let share = 1.0 / cells as f64;
    let p = goodness_of_fit(&observed, &vec![share; cells]);
    let squares: f64 = observed.iter().map(|&o| (o as f64 / draws as f64 - share).powi(2) / share).sum();
    let expected = steps * DEATHS as u64;
    let detectable = (detectable_noncentrality(cells as f64 - 1.0, level, POWER) / expected as f64).sqrt();
    let error = StandardError::known(1.0 / (expected as f64).sqrt());
    let suffix = precision.suffix();
    let what =
        format!("effect w over {cells} cells of two components of what scheme 2 injects, with transport{suffix}");
    let wrong: u64 = blocks.iter().map(|found| found.wrong).sum();
    Ok(vec![
        Measured::sharp(what, squares.sqrt(), 0.0, Test { p, detectable, budget: 0.1, error }, expected),
        Measured::exact(
            format!("draws missing, superfluous, or with another charge than the prior's{suffix}"),
            wrong as f64,
            0.0,
            expected,
        ),
    ])
}

fn tally(context: &Context, precision: Precision, part: u64, block: u64, steps: u64) -> Found {
    let prior = [
        Marginal::Constant(CHARGE),
        Marginal::Uniform { low: UNIFORM.0, high: UNIFORM.1 },
        Marginal::Normal { mean: NORMAL.0, sd: NORMAL.1 },
    ];
    let setup = Setup::birth_death(N, 1.0, 1.0).with_prior(&prior);
    let mut trial = context.trial_of(&setup, precision.of(Slope), part, block);
    let mut found = Found { wrong: 0, cells: vec![0; INTERVALS * INTERVALS] };
    for step in 0..steps {
        let mut rows = [0.0; 3 * N];
        (0..DEATHS).for_each(|death| rows[(step as usize + 3 * death) % N] = CERTAIN);
        trial.reset(&rows);
        let fresh: Vec<usize> = match trial.step() {
            Ok(_) => (0..N).filter(|&slot| trial.origins()[slot] == FRESH).collect(),
            Err(_) => Vec::new(),
        };
        found.wrong += fresh.len().abs_diff(DEATHS) as u64;
        for slot in fresh {
            let component = |k| trial.rows().get(k, slot).unwrap_or(f64::NAN);
            found.wrong += u64::from(component(0) != CHARGE);
            let uniform = (component(1) - UNIFORM.0) / (UNIFORM.1 - UNIFORM.0);
            let normal = 1.0 - normal_upper((component(2) - NORMAL.0) / NORMAL.1);
            found.cells[interval(uniform) * INTERVALS + interval(normal)] += 1;
        }
    }
    found
}

/// The interval of [0, 1] that `u` lies in; the nearest, for what lies outside.
fn interval(u: f64) -> usize {
    let scaled = (u * INTERVALS as f64).floor();
    (0..INTERVALS - 1).find(|&k| scaled <= k as f64).unwrap_or(INTERVALS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_cover_the_line() {
        for (u, k) in [(0.0, 0), (0.1249, 0), (0.125, 1), (0.99, 7), (1.0, 7), (7.0, 7), (-3.0, 0)] {
            assert_eq!(interval(u), k, "{u}");
        }
    }
}
