//! Has a quantity moved between two independent runs? Their difference, over its standard error, by Student's t.

use super::power::{POWER, detectable_limit};
use super::tails::{normal_quantile, t_two_sided, z_two_sided};

/// The standard error of an estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StandardError {
    /// In the estimate's units.
    pub value: f64,
    /// Degrees of freedom with which it was estimated; none: it is known.
    pub dof: Option<f64>,
}

/// Degrees of freedom from which Welch and Satterthwaite's formula keeps the level: attained over nominal at 1e-6,
/// simulated, it is 1.1 to 1.6 from 29 on, but 2.6 with 19 and 199, and 3.4 to 4.1 with 9. The smaller of the two
/// keeps it always (0 to 0.35).
const ENOUGH_DOF: f64 = 30.0;

impl StandardError {
    /// One that is no estimate.
    pub const fn known(value: f64) -> Self {
        Self { value, dof: None }
    }

    /// Of the difference of two independent estimates.
    pub fn of_difference(then: Self, now: Self) -> Self {
        let value = then.value.hypot(now.value);
        let dof = match (then.dof, now.dof) {
            (None, other) | (other, None) => other,
            (Some(m), Some(n)) if m >= ENOUGH_DOF && n >= ENOUGH_DOF && value > 0.0 => {
                let (a, b) = ((then.value / value).powi(2), (now.value / value).powi(2));
                Some(1.0 / (a * a / m + b * b / n))
            }
            (Some(m), Some(n)) => Some(if m < n { m } else { n }),
        };
        Self { value, dof }
    }

    /// How far an estimate must move, in this standard error, to be found at `level` with probability [`POWER`].
    pub fn detectable(&self, level: f64) -> f64 {
        detectable_limit(1.0, self.dof.unwrap_or(f64::INFINITY), level, POWER)
    }
}

/// Two-sided p-value of a difference of `t` standard errors. NaN has the p-value 0: what is no number has moved.
pub fn p_value(t: f64, dof: Option<f64>) -> f64 {
    if !t.is_finite() || dof.is_some_and(f64::is_nan) {
        return 0.0;
    }
    dof.map_or_else(|| z_two_sided(t), |dof| t_two_sided(t, dof))
}

/// The two-sided p-value of two independent differences that should both be 0: of (z1 + z2) / sqrt(2), z the normal
/// score of each. It finds a shift that both have from 1 / sqrt(2) times the size on that either finds alone.
pub fn combined(first: (f64, f64), second: (f64, f64)) -> (f64, f64) {
    let score = |(t, p): (f64, f64)| {
        // beyond the smallest number the score is unknown, but far
        let z = if p >= 1.0 { 0.0 } else { normal_quantile(0.5 * p.max(1e-300)) };
        if t < 0.0 { -z } else { z }
    };
    let z = (score(first) + score(second)) * core::f64::consts::FRAC_1_SQRT_2;
    (z, z_two_sided(z))
}

#[cfg(test)]
mod tests {
    use super::super::interval::Sample;
    use super::super::simulate::{Stream, assert_rate};
    use super::super::tails::t_quantile;
    use super::*;

    fn estimated(value: f64, dof: f64) -> StandardError {
        StandardError { value, dof: Some(dof) }
    }

    #[test]
    fn errors_join_in_squares_and_degrees_of_freedom_by_welch_if_both_are_enough() {
        let joint = StandardError::of_difference;
        assert_eq!(joint(StandardError::known(3.0), StandardError::known(4.0)), StandardError::known(5.0));
        assert_eq!(joint(estimated(3.0, 9.0), StandardError::known(4.0)), estimated(5.0, 9.0));
        assert_eq!(joint(estimated(3.0, 29.0), estimated(4.0, 399.0)).dof, Some(29.0), "the smaller");
        // 625 / (81 / 39 + 256 / 399)
        let welch = joint(estimated(3.0, 39.0), estimated(4.0, 399.0)).dof.expect("estimated");
        assert!((welch - 625.0 / (81.0 / 39.0 + 256.0 / 399.0)).abs() < 1e-9, "{welch}");
        assert_eq!(joint(estimated(0.0, 39.0), estimated(0.0, 39.0)), estimated(0.0, 39.0));
        let tiny = joint(estimated(3e-200, 99.0), estimated(4e-200, 99.0));
        assert!((tiny.value / 5e-200 - 1.0).abs() < 1e-15 && tiny.dof.is_some_and(|dof| dof > 99.0), "{tiny:?}");
    }

    #[test]
    fn p_values_of_what_is_no_number_are_zero() {
        assert_eq!(p_value(0.0, Some(f64::NAN)), 0.0);
        for t in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!((p_value(t, None), p_value(t, Some(39.0)), p_value(t, Some(1e7))), (0.0, 0.0, 0.0));
        }
        assert_eq!(p_value(0.0, None), 1.0);
        assert!((p_value(t_quantile(5e-7, 39.0), Some(39.0)) / 1e-6 - 1.0).abs() < 1e-6);
        // as far in either direction they cancel, and zero twice is one
        let p = p_value(60.0, None);
        assert_eq!(combined((60.0, p), (-60.0, p)), (0.0, 1.0));
        assert_eq!(combined((0.0, 1.0), (0.0, 1.0)), (0.0, 1.0));
    }

    /// The means of `counts` normal values, that of the second run moved by `shift` standard errors of the
    /// difference: (t, p).
    fn runs(stream: &mut Stream, counts: [usize; 2], shift: f64) -> (f64, f64) {
        let moved = shift * (1.0 / counts[0] as f64 + 1.0 / counts[1] as f64).sqrt();
        let mut sample =
            |count: usize, mean: f64| Sample::of(&(0..count).map(|_| mean + stream.normal()).collect::<Vec<_>>());
        let (then, now) = (sample(counts[0], 0.0), sample(counts[1], moved));
        let error = |sample: &Sample| estimated(sample.standard_error(), sample.dof());
        let joint = StandardError::of_difference(error(&then), error(&now));
        let t = (now.mean - then.mean) / joint.value;
        (t, p_value(t, joint.dof))
    }

    #[test]
    fn an_unchanged_mean_has_moved_as_often_as_the_level_says() {
        let mut stream = Stream(501);
        for (counts, exact) in [([40, 40], true), ([40, 400], true), ([10, 10], false), ([20, 200], false)] {
            let trials = 20_000;
            let hits = (0..trials).filter(|_| runs(&mut stream, counts, 0.0).1 < 1e-2).count();
            if exact {
                assert_rate(hits, trials, 1e-2);
            } else {
                assert!(hits < 200, "{counts:?}: the smaller number of degrees of freedom is on the safe side: {hits}");
            }
        }
        let trials = 40_000;
        let hits = (0..trials).filter(|_| runs(&mut stream, [40, 40], 0.0).1 < 1e-3).count();
        assert_rate(hits, trials, 1e-3);
        let both = |stream: &mut Stream| combined(runs(stream, [40, 40], 0.0), runs(stream, [40, 40], 0.0)).1;
        assert_rate((0..trials).filter(|_| both(&mut stream) < 1e-2).count(), trials, 1e-2);
    }

    #[test]
    fn a_shift_is_found_with_the_stated_power() {
        // the level of one of 427 checks at 1e-6: 5.97 standard errors, and 2.33 more for the power
        let level = 1e-6 / 427.0;
        let one = StandardError::known(1.0).detectable(level);
        assert!((one - 8.3).abs() < 0.05, "{one}");
        let mut stream = Stream(502);
        let mut known = |shift: f64| {
            let t = shift + stream.normal();
            (t, p_value(t, None))
        };
        let trials = 4000;
        assert_rate((0..trials).filter(|_| known(one).1 < level).count(), trials, 0.99);
        let both = one * core::f64::consts::FRAC_1_SQRT_2;
        assert!((both - 5.87).abs() < 0.05, "{both}");
        let hits = (0..trials).filter(|_| combined(known(both), known(both)).1 < level).count();
        assert_rate(hits, trials, 0.99);
        let alone = (0..trials).filter(|_| known(both).1 < level).count();
        assert!(alone < trials * 6 / 10, "{alone}: one generator alone would not find it");
        // with estimated errors, and the level that one claim's only check has
        let mut stream = Stream(503);
        let shift = StandardError { value: 1.0, dof: Some(78.0) }.detectable(1e-3);
        let hits = (0..trials).filter(|_| runs(&mut stream, [40, 40], shift).1 < 1e-3).count();
        assert_rate(hits, trials, 0.99);
        // and both together: as often at least, oftener the fewer degrees of freedom there are
        for (count, dof) in [(40, 78.0), (10, 9.0)] {
            let shift =
                StandardError { value: 1.0, dof: Some(dof) }.detectable(1e-3) * core::f64::consts::FRAC_1_SQRT_2;
            let mut one = || runs(&mut stream, [count, count], shift);
            let hits = (0..trials).filter(|_| combined(one(), one()).1 < 1e-3).count();
            assert!(hits * 1000 > trials * 985, "{dof}: {hits}");
        }
    }
}
