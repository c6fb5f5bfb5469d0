//! Orders of convergence: the slope of log(estimate) against log(x).

/// One estimate at one value of the parameter (a step length, a number of particles).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The parameter, positive.
    pub x: f64,
    /// The estimate, positive: a bias, a spread.
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
/// log(estimate) has the standard error se / estimate to first order (and the bias -(se / estimate)^2 / 2: keep that ratio
/// below 0.1). Weights are its inverse square; points must be independent. If any se is 0, all weights are equal, and the standard error is
/// what propagates through that fit.
pub fn log_log(points: &[Point]) -> Option<PowerLaw> {
    let usable = |v: f64| v > 0.0 && v.is_finite();
    if !points.iter().all(|p| usable(p.x) && usable(p.estimate) && p.se >= 0.0 && p.se.is_finite()) {
        return None;
    }
    let spread = |p: &Point| p.se / p.estimate;
    let equal = points.iter().any(|p| p.se == 0.0);
    let weight = |p: &Point| if equal { 1.0 } else { spread(p).powi(-2) };
    let total: f64 = points.iter().map(weight).sum();
    let average = |g: &dyn Fn(&Point) -> f64| points.iter().map(|p| weight(p) * g(p)).sum::<f64>() / total;
    let (x_mean, y_mean) = (average(&|p| p.x.ln()), average(&|p| p.estimate.ln()));
    let xx = average(&|p| (p.x.ln() - x_mean).powi(2));
    // Rounding of equal x leaves 1e-32 or so; no points at all leave NaN.
    if xx.is_nan() || xx < 1e-20 {
        return None;
    }
    let slope = average(&|p| (p.x.ln() - x_mean) * (p.estimate.ln() - y_mean)) / xx;
    let intercept = y_mean - slope * x_mean;
    // The slope is the sum of c_i log(estimate_i).
    let variance = |p: &Point| (weight(p) * (p.x.ln() - x_mean) / (total * xx) * spread(p)).powi(2);
    let misfit = |p: &Point| ((p.estimate.ln() - intercept - slope * p.x.ln()) / spread(p)).powi(2);
    Some(PowerLaw {
        slope,
        intercept,
        slope_se: points.iter().map(variance).sum::<f64>().sqrt(),
        misfit: if equal { 0.0 } else { points.iter().map(misfit).sum() },
    })
}

#[cfg(test)]
mod tests {
    use super::super::interval::Sample;
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
        let (mut slopes, mut misfits, mut missed) = (vec![], 0, 0);
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
        }
        let sample = Sample::of(&slopes);
        assert!((sample.mean + 1.0).abs() < 0.003);
        // The spread of 3000 is known to 1.3 %.
        assert!((sample.sd / stated - 1.0).abs() < 0.08);
        assert_rate(missed, 3000, 0.05);
        // 95 % point of chi-square with 2 degrees of freedom.
        assert_rate(misfits, 3000, 0.05);
    }
}
