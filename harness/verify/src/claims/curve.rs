//! Energy curves: E after every step of a run, when it falls to a level, and the band of many runs.

use birth_death::{Marginal, Scheme};

use crate::subject::{Setup, Trial, product};
use birth_death_charts::plot::{Mark, Point, Series};
use birth_death_stats::interval::quartiles;

/// Gradient flow, scheme 1, and scheme 2 with draws of c = 0 and y standard normal: the dynamics that are compared on
/// Gaussian units.
pub fn dynamics(particles: usize, dt: f64, alpha: f64) -> [Setup; 3] {
    let prior = product(&[Marginal::Constant(0.0), Marginal::Normal { mean: 0.0, sd: 1.0 }]);
    let one = Setup::birth_death(particles, dt, alpha);
    let two = Setup { scheme: Scheme::Reinjection(prior), ..one.clone() };
    [Setup::gradient_flow(particles, dt), one, two]
}

/// E of the present ensemble, and then a step: the energy that the step itself evaluates. NaN if the step is refused.
pub fn next(trial: &mut Trial) -> f64 {
    trial.step().map_or(f64::NAN, |report| report.energy)
}

/// E after 0, 1, ..., `steps` steps.
pub fn energies(trial: &mut Trial, steps: usize) -> Vec<f64> {
    (0..=steps).map(|_| next(trial)).collect()
}

/// The first time at which a curve, known at multiples of `dt` and linear between, is at `level` or below: infinite if
/// it never is, NaN if the run broke off before.
pub fn crossing(curve: &[f64], dt: f64, level: f64) -> f64 {
    let Some(index) = curve.iter().position(|e| e.is_nan() || *e <= level) else { return f64::INFINITY };
    let now = curve[index];
    match index.checked_sub(1) {
        _ if now.is_nan() => f64::NAN,
        None => 0.0,
        Some(before) => dt * (before as f64 + (curve[before] - level) / (curve[before] - now)),
    }
}

/// The hitting times of each replicate, side by side.
pub fn pairs(flow: &[f64], scheme: &[f64]) -> Vec<(f64, f64)> {
    flow.iter().copied().zip(scheme.iter().copied()).collect()
}

/// Every so-manieth point of an oracle's curve.
pub fn line(name: impl Into<String>, curve: &[f64], dt: f64, every: usize) -> Series {
    let points = curve.iter().enumerate().step_by(every.max(1));
    let points = points.map(|(k, &e)| Point::exact(k as f64 * dt, e)).collect();
    Series { name: name.into(), mark: Mark::Line, points }
}

/// The median of many curves, with the quartiles as band, at every so-manieth step that all of them have.
pub fn band(name: impl Into<String>, curves: &[Vec<f64>], dt: f64, every: usize) -> Series {
    let common = curves.iter().map(Vec::len).min().unwrap_or(0);
    let at = |k: usize| {
        let [low, y, high] = quartiles(&curves.iter().map(|curve| curve[k]).collect::<Vec<_>>());
        Point { x: k as f64 * dt, y, low, high }
    };
    Series { name: name.into(), mark: Mark::Band, points: (0..common).step_by(every.max(1)).map(at).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crossing_is_the_first_and_lies_between_steps() {
        assert_eq!(crossing(&[1.0, 0.6, 0.2, 0.9, 0.1], 0.5, 0.3), 0.5 * 1.75);
        assert_eq!(crossing(&[1.0, 0.6, 0.6], 0.5, 0.6), 0.5);
        assert_eq!(crossing(&[1.0, 0.6], 0.5, 1.0), 0.0);
        assert_eq!(crossing(&[1.0, 0.6], 0.5, 0.5), f64::INFINITY);
        assert_eq!(crossing(&[], 0.5, 0.5), f64::INFINITY);
    }

    #[test]
    fn a_run_that_broke_off_has_no_crossing() {
        assert!(crossing(&[1.0, f64::NAN, f64::NAN], 0.5, 0.5).is_nan());
        assert!(crossing(&[f64::NAN, 0.1], 0.5, 0.5).is_nan());
        assert_eq!(crossing(&[1.0, 0.5, f64::NAN], 0.5, 0.5), 0.5);
    }

    #[test]
    fn a_band_has_the_quartiles_of_the_common_part() {
        let curves = [vec![1.0, 2.0, 3.0, 9.0], vec![3.0, 2.0, 1.0], vec![2.0, 2.0, 5.0]];
        let points = band("x", &curves, 0.1, 2).points;
        assert_eq!(points.len(), 2);
        assert_eq!((points[0].low, points[0].y, points[0].high), (1.5, 2.0, 2.5));
        assert_eq!((points[1].x, points[1].low, points[1].y, points[1].high), (0.2, 2.0, 3.0, 4.0));
        assert!(band("x", &[], 0.1, 2).points.is_empty());
        assert_eq!(line("x", &[1.0, 2.0, 3.0], 0.1, 2).points, [Point::exact(0.0, 1.0), Point::exact(0.2, 3.0)]);
    }
}
