//! Simulations looked at as they go.

use crate::subject::Trial;

/// What `observe` makes of the trial after so many steps each (ascending, from 0 on); `lost` from a step that fails on:
/// NaN, which no check passes, or as many of it as are observed.
pub fn follow<T: Clone>(
    trial: &mut Trial,
    steps: &[usize],
    lost: &T,
    mut observe: impl FnMut(&mut Trial) -> T,
) -> Vec<T> {
    let (mut done, mut failed) = (0, false);
    steps
        .iter()
        .map(|&target| {
            failed = failed || trial.advance(target.saturating_sub(done)).is_err();
            done = done.max(target);
            if failed { lost.clone() } else { observe(trial) }
        })
        .collect()
}

/// E after so many steps each; NaN from a step that fails on.
pub fn energies(trial: &mut Trial, steps: &[usize]) -> Vec<f64> {
    follow(trial, steps, &f64::NAN, energy)
}

/// E of the present ensemble; NaN for an error.
pub fn energy(trial: &mut Trial) -> f64 {
    trial.evaluate().map_or(f64::NAN, |(energy, _)| energy)
}

/// `values[replicate][at]` for one `at`.
pub fn column(values: &[Vec<f64>], at: usize) -> Vec<f64> {
    values.iter().map(|row| row.get(at).copied().unwrap_or(f64::NAN)).collect()
}

/// The steps to each of `times`.
pub fn steps_to(times: &[f64], dt: f64) -> Vec<usize> {
    times.iter().map(|t| (t / dt).round() as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::problem::Problem;
    use crate::subject::{Setup, Subject};

    fn trial() -> Trial {
        let setup = Setup::gradient_flow(2, 0.25);
        let mut trial = Subject::correct(1001).trial(&setup, Problem::Quadratic(&[1.0]).core(), 0);
        trial.place(&[1.0, 3.0]);
        trial
    }

    #[test]
    fn looks_after_the_steps_asked_for() {
        // gradient flow multiplies every particle by 3/4 a step, E by 9/16
        let seen = energies(&mut trial(), &[0, 1, 1, 3]);
        assert_eq!(seen, [2.5, 2.5 * 0.5625, 2.5 * 0.5625, 2.5 * 0.5625 * 0.5625 * 0.5625]);
        assert_eq!(column(&[seen, vec![7.0]], 1)[0], 2.5 * 0.5625);
        assert_eq!(steps_to(&[0.5, 1.2], 0.1), [5, 12]);
    }

    #[test]
    fn a_failed_step_leaves_no_number() {
        let mut trial = trial();
        trial.reset(&[1.0, f64::INFINITY]);
        let seen = follow(&mut trial, &[0, 1, 2], &f64::NAN, |_| 1.0);
        assert!(seen[0] == 1.0 && seen[1..].iter().all(|value| value.is_nan()));
        assert!(column(&[vec![]], 0)[0].is_nan());
    }
}
