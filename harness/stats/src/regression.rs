//! Slopes: orders of convergence by log-log regression, rates by linear regression. Errors come from replicates.

/// One estimate at one value of the parameter (a step length, a number of particles).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The parameter; positive for [`log_log`].
    pub x: f64,
    /// The estimate; positive for [`log_log`]: a bias, a spread.
    pub estimate: f64,
    /// Its standard error over replicates; 0 for a deterministic one.
    pub se: f64,
}

/// The power law estimate = e^intercept x^slope.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerLaw {
    /// The order.
    pub slope: f64,
    /// log of the estimate at x = 1.
    pub intercept: f64,
    /// Standard error of the slope, propagated from those of the points and not from the scatter about the line.
    pub slope_se: f64,
    /// Sum of squared residuals over their variances: chi-square with points - 2 degrees of freedom
    /// if the power law is true. 0 for deterministic points.
    pub misfit: f64,
}

/// Weighted least squares on logs. `None` for fewer than two distinct x, or a point that is not positive and finite.
///
/// [`linear`] in the logs, which says how. log(estimate) has the standard error se / estimate to first order, and the
/// bias -(se / estimate)^2 / 2: keep that ratio below 0.1.
pub fn log_log(points: &[Point]) -> Option<PowerLaw> {
    let usable = |v: f64| v > 0.0 && v.is_finite();
    if !points.iter().all(|p| usable(p.x) && usable(p.estimate)) {
        return None;
    }
    let log = |p: &Point| Point { x: p.x.ln(), estimate: p.estimate.ln(), se: p.se / p.estimate };
    let Line { slope, intercept, slope_se, misfit, .. } = linear(&points.iter().map(log).collect::<Vec<_>>())?;
    Some(PowerLaw { slope, intercept, slope_se, misfit })
}

/// The line estimate = intercept + slope x.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Change of the estimate per unit of x.
    pub slope: f64,
    /// The estimate at x = 0.
    pub intercept: f64,
    /// Standard error of the slope, propagated from those of the points and not from the scatter about the line.
    pub slope_se: f64,
    /// Standard error of the intercept, likewise.
    pub intercept_se: f64,
    /// Sum of squared residuals over their variances: chi-square with points - 2 degrees of freedom
    /// if the line is true. 0 for deterministic points.
    pub misfit: f64,
}

/// Weighted least squares. `None` for fewer than two distinct x, or a point that is not finite.
///
/// Weights are the inverse squares of the standard errors; points must be independent: times of one run are not. If any
/// se is 0, all weights are equal, and the standard errors are what propagates through that fit. Errors estimated from
/// R replicates a point make the weights noisy: for five points, the interval at 5 % misses 8.4 % with R = 10, 5.7 %
/// with 40.
pub fn linear(points: &[Point]) -> Option<Line> {
    let usable = |p: &Point| p.x.is_finite() && p.estimate.is_finite() && p.se >= 0.0 && p.se.is_finite();
    if !points.iter().all(usable) {
        return None;
    }
    let equal = points.iter().any(|p| p.se == 0.0);
    let weight = |p: &Point| if equal { 1.0 } else { p.se.powi(-2) };
    let total: f64 = points.iter().map(weight).sum();
    let average = |g: &dyn Fn(&Point) -> f64| points.iter().map(|p| weight(p) * g(p)).sum::<f64>() / total;
    let (x_mean, y_mean) = (average(&|p| p.x), average(&|p| p.estimate));
    let xx = average(&|p| (p.x - x_mean).powi(2));
    // Rounding of equal x leaves some (1e-16 x)^2; no points at all leave NaN.
    if xx.is_nan() || xx <= 1e-26 * average(&|p| p.x * p.x) {
        return None;
    }
    let slope = average(&|p| (p.x - x_mean) * (p.estimate - y_mean)) / xx;
    let intercept = y_mean - slope * x_mean;
    // Slope and intercept are sums of c_i estimate_i.
    let propagated = |c: &dyn Fn(&Point) -> f64| points.iter().map(|p| (c(p) * p.se).powi(2)).sum::<f64>().sqrt();
    let of_slope = |p: &Point| weight(p) * (p.x - x_mean) / (total * xx);
    let misfit = |p: &Point| ((p.estimate - intercept - slope * p.x) / p.se).powi(2);
    Some(Line {
        slope,
        intercept,
        slope_se: propagated(&of_slope),
        intercept_se: propagated(&|p| weight(p) / total - x_mean * of_slope(p)),
        misfit: if equal { 0.0 } else { points.iter().map(misfit).sum() },
    })
}

#[cfg(test)]
mod tests {
    use super::super::interval::Sample;
    use super::super::power::detectable_shift;
    use super::super::simulate::{Stream, assert_rate};
    use super::*;

    fn points(values: &[(f64, f64, f64)]) -> Vec<Point> {
        values.iter().map(|&(x, estimate, se)| Point { x, estimate, se }).collect()
    }

    #[test]
    fn an_exact_power_law() {
        let exact = |x: f64| 3.0 * x.powf(-0.5);
        for se in [0.0, 0.1] {
            let all: Vec<Point> =
                [200.0, 800.0, 3200.0].map(|x| Point { x, estimate: exact(x), se: se * exact(x) }).to_vec();
            let law = log_log(&all).unwrap();
            assert!((law.slope + 0.5).abs() < 1e-14);
            assert!((law.intercept - 3f64.ln()).abs() < 1e-13);
            assert!(law.misfit < 1e-20);
            // Three equal errors at spacing ln 4: se / (sqrt 2 ln 4).
            assert!((law.slope_se - se / (2f64.sqrt() * 4f64.ln())).abs() < 1e-14);
        }
    }

    #[test]
    fn two_points_by_hand() {
        let law = log_log(&points(&[(1.0, 2.0, 0.2), (2.0, 8.0, 0.4)])).unwrap();
        assert!((law.slope - 2.0).abs() < 1e-14);
        assert!((law.slope_se - 0.1f64.hypot(0.05) / 2f64.ln()).abs() < 1e-14);
    }

    #[test]
    fn refuses_what_has_no_logarithm() {
        assert_eq!(log_log(&points(&[(1.0, 2.0, 0.1)])), None);
        assert_eq!(log_log(&points(&[(3.0, 2.0, 0.1), (3.0, 2.1, 0.1)])), None);
        assert_eq!(log_log(&points(&[(1.0, -2.0, 0.1), (2.0, 1.0, 0.1)])), None);
        assert_eq!(log_log(&points(&[(1.0, f64::NAN, 0.1), (2.0, 1.0, 0.1)])), None);
        assert_eq!(log_log(&[]), None);
    }

    #[test]
    fn the_standard_error_is_the_spread_of_the_slope() {
        let mut stream = Stream(8);
        let se = [0.02, 0.05, 0.03, 0.08];
        let (mut slopes, mut misfits, mut missed, mut found) = (vec![], 0, 0, 0);
        let mut stated = 0.0;
        for _ in 0..3000 {
            let all: Vec<Point> = (0..4)
                .map(|i| {
                    let x = 2f64.powi(i);
                    let exact = 5.0 / x;
                    let estimate = exact * (1.0 + se[i as usize] * stream.normal());
                    Point { x, estimate, se: se[i as usize] * exact }
                })
                .collect();
            let law = log_log(&all).unwrap();
            slopes.push(law.slope);
            stated = law.slope_se;
            misfits += usize::from(law.misfit > 5.991);
            missed += usize::from((law.slope + 1.0).abs() > 1.96 * law.slope_se);
            let off = detectable_shift(law.slope_se, 0.05, 0.9);
            found += usize::from((law.slope + 1.0 - off).abs() > 1.96 * law.slope_se);
        }
        let sample = Sample::of(&slopes);
        assert!((sample.mean + 1.0).abs() < 0.003);
        // The spread of 3000 is known to 1.3 %.
        assert!((sample.sd / stated - 1.0).abs() < 0.08);
        assert_rate(missed, 3000, 0.05);
        assert_rate(found, 3000, 0.9);
        // 95 % point of chi-square with 2 degrees of freedom.
        assert_rate(misfits, 3000, 0.05);
    }

    #[test]
    fn a_line_by_hand() {
        // Weights 1, 1, 1/4 at x = 0, 1, 2: mean x = 2/3, sum w (x - 2/3)^2 = 1; estimates 1, 3, 2: slope = sum w (x -
        // 2/3) y.
        let line = linear(&points(&[(0.0, 1.0, 1.0), (1.0, 3.0, 1.0), (2.0, 2.0, 2.0)])).unwrap();
        let slope = -2.0 / 3.0 + 1.0 + 2.0 / 3.0;
        assert!((line.slope - slope).abs() < 1e-14 && (line.slope_se - 1.0).abs() < 1e-14, "{line:?}");
        assert!((line.intercept - (2.0 - slope * 2.0 / 3.0)).abs() < 1e-14);
        // Var = 1 / sum w + mean x^2 / sum w (x - mean)^2.
        assert!((line.intercept_se - (4.0f64 / 9.0 + 4.0 / 9.0).sqrt()).abs() < 1e-14);
        let residuals =
            [1.0 - line.intercept, 3.0 - line.intercept - slope, 0.5 * (2.0 - line.intercept - 2.0 * slope)];
        assert!((line.misfit - residuals.iter().map(|r| r * r).sum::<f64>()).abs() < 1e-14);
        // Any x, any sign; and what has no line.
        assert!((linear(&points(&[(-3.0, 1.0, 0.0), (-1.0, -1.0, 0.0)])).unwrap().slope + 1.0).abs() < 1e-15);
        assert_eq!(linear(&points(&[(0.0, 1.0, 0.1), (0.0, 1.1, 0.1)])), None);
        assert_eq!(linear(&points(&[(0.1, 1.0, 0.1), (0.1, 1.1, 0.3), (0.1, 1.1, 0.7)])), None);
        assert_eq!(linear(&points(&[(0.0, 1.0, f64::NAN), (1.0, 1.1, 0.1)])), None);
        assert_eq!(linear(&points(&[(f64::INFINITY, 1.0, 0.1), (1.0, 1.1, 0.1)])), None);
    }

    /// How often slope and intercept of a line 1 - x/2 through five points miss at 5 %, with errors known (`replicates`
    /// 0) or estimated; and how often the slope is told from `-0.5 + off`.
    fn misses(stream: &mut Stream, trials: usize, replicates: usize, off: f64) -> [usize; 3] {
        let mut missed = [0; 3];
        for _ in 0..trials {
            let all: Vec<Point> = (0..5)
                .map(|i| {
                    let (x, sd) = (f64::from(i), 0.1 + 0.05 * f64::from(i % 3));
                    let mut draw = || 1.0 - 0.5 * x + sd * stream.normal();
                    if replicates == 0 {
                        return Point { x, estimate: draw(), se: sd };
                    }
                    let sample = Sample::of(&(0..replicates).map(|_| draw()).collect::<Vec<_>>());
                    Point { x, estimate: sample.mean, se: sample.standard_error() }
                })
                .collect();
            let line = linear(&all).unwrap();
            missed[0] += usize::from((line.slope + 0.5).abs() > 1.96 * line.slope_se);
            missed[1] += usize::from((line.intercept - 1.0).abs() > 1.96 * line.intercept_se);
            missed[2] += usize::from((line.slope + 0.5 - off).abs() > 1.96 * line.slope_se);
        }
        missed
    }

    #[test]
    fn a_line_covers_and_finds_another_slope() {
        let mut stream = Stream(41);
        // Information on the slope: sum w (x - mean)^2 with weights 1 / sd^2.
        let weights = [100.0, 1.0 / 0.0225, 25.0, 100.0, 1.0 / 0.0225];
        let total: f64 = weights.iter().sum();
        let moment = |k: i32| (0..5).map(|i| weights[i as usize] * f64::from(i).powi(k)).sum::<f64>() / total;
        let se = 1.0 / (total * (moment(2) - moment(1).powi(2))).sqrt();
        let [slope, intercept, found] = misses(&mut stream, 4000, 0, detectable_shift(se, 0.05, 0.9));
        assert_rate(slope, 4000, 0.05);
        assert_rate(intercept, 4000, 0.05);
        assert_rate(found, 4000, 0.9);
        // Errors estimated from replicates: what the documentation says.
        let [slope, ..] = misses(&mut stream, 4000, 10, 0.0);
        assert_rate(slope, 4000, 0.084);
        let [slope, ..] = misses(&mut stream, 3000, 40, 0.0);
        assert_rate(slope, 3000, 0.057);
    }
}
