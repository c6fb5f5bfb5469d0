//! Without transport the energy decays as one over t.

use birth_death::Marginal;

use super::check::{Evidence, Measured};
use super::follow::{column, energies, steps_to};
use super::problem::{Problem, radial};
use super::{Claim, Context, Interrupted, Kind};
use crate::oracles::discrete::{self, DiscreteFlow};
use crate::subject::{Setup, product};
use birth_death_charts::plot::{self, Axis, Mark, Plot, Series};
use birth_death_stats::interval::Sample;

pub static CLAIM: Claim = Claim {
    id: "rate-pure",
    kind: Kind::Limit,
    statement: "pure birth-death in an isotropic quadratic potential decays as D / (2 alpha t): E (t + P/(alpha h)) = \
        D / (2 alpha), while the particles last",
    source: "arXiv:1902.01843, the rate of pure birth-death in the quadratic example; exact from the law P(t) = P + \
        alpha h t",
    setting: "h = 1, start standard normal (P = 1), alpha = 2, n = 1000, no transport, with tau = alpha h t / P: D = \
        1, tau = 5, 10, 20, 40, dt = 0.1; D = 2, tau = 5, 10, 20, dt = 0.1; D = 4, tau = 5, 10, dt = 0.05; 500 \
        replicates",
    estimator: "mean over replicates of E, over the oracle's; slope of log E against log(t + P/(alpha h)), first to \
        last time, less the oracle's",
    oracle: "C_dt on the law of |x|, all that an isotropic potential sees; C_dt's E (t + P/(alpha h)) 2 alpha / D, \
        extrapolated to dt = 0, against 1, its slope against -1",
    tolerance: "those alive at tau descend from the start's particles within 1/root tau of 0, a share of order \
        tau^(-D/2): bias kappa_D (1 + tau)^(D/2) / n with kappa = 1.2, 0.55, 0.22 for D = 1, 2, 4 (measured at n = 125 \
        to 1000 on other seeds: 0.7, 0.52, 0.22), that is 0.8, 1.2 and 2.7 % at the last tau; and 11 standard errors \
        (6 for the level of one of 24 checks by the t law, 4.5 so that a correct build is decided) of 0.06 to 0.147 / \
        root R. Of the slope: the last bias and half the variance of log E, over log(T_last/T_first), and 11 standard \
        errors. C_dt as dt -> 0, from dt / 4 and dt / 8: the square of what dt / 4 does at most, and 1e-4 of \
        quadrature, at either end of the slope. What dt does: births add log(2 - e^-x) = x - x^2 to the log-density, \
        and x^2 sums to a function of V between 0 and delta = alpha dt h D^2 / 4P; its covariance with V, over Vbar, \
        is at most delta / 2 root(2/D)",
    measure,
};

const ALPHA: f64 = 2.0;
const PARTICLES: usize = 1000;
const REPLICATES: u64 = 500;

/// A dimension.
struct Case {
    dim: usize,
    curvature: &'static [f64],
    dt: f64,
    /// alpha h t / P.
    taus: &'static [f64],
    /// Of the bias kappa (1 + tau)^(D/2) / n.
    kappa: f64,
    /// The standard deviation of E over its mean at each tau, over replicates; measured.
    spread: &'static [f64],
    /// The same of the slope.
    slope_spread: f64,
}

const CASES: [Case; 3] = [
    Case {
        dim: 1,
        curvature: &[1.0],
        dt: 0.1,
        taus: &[5.0, 10.0, 20.0, 40.0],
        kappa: 1.2,
        spread: &[0.06, 0.068, 0.08, 0.092],
        slope_spread: 0.05,
    },
    Case {
        dim: 2,
        curvature: &[1.0; 2],
        dt: 0.1,
        taus: &[5.0, 10.0, 20.0],
        kappa: 0.55,
        spread: &[0.06, 0.078, 0.108],
        slope_spread: 0.075,
    },
    Case {
        dim: 4,
        curvature: &[1.0; 4],
        dt: 0.05,
        taus: &[5.0, 10.0],
        kappa: 0.22,
        spread: &[0.085, 0.147],
        slope_spread: 0.16,
    },
];

/// C_dt is extrapolated from steps so many times finer, and twice as fine.
const FINER: u32 = 4;
/// Relative, of C_dt's E.
const QUADRATURE: f64 = 1e-4;

/// Standard errors from the edge: derived in the claim.
const REACH: f64 = 11.0;

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let (mut measured, mut plots) = (Vec::new(), Vec::new());
    for (case, part) in CASES.iter().zip(0..) {
        let (checks, plot) = case.measure(context, part)?;
        measured.extend(checks);
        plots.push(plot);
    }
    Ok(Evidence { measured, plots })
}

impl Case {
    fn steps(&self) -> Vec<usize> {
        steps_to(&self.taus.iter().map(|tau| tau / ALPHA).collect::<Vec<_>>(), self.dt)
    }

    /// C_dt's E at each tau.
    fn map(&self, panels: usize) -> Vec<f64> {
        let model = Problem::Quadratic(&[1.0]).oracle();
        let start = radial(self.dim, 1.0, panels);
        discrete::solve(model.as_ref(), &start, self.flow(), &self.steps(), |moment| moment.energy)
    }

    /// The same as dt -> 0, extrapolated.
    fn limit(&self) -> Vec<f64> {
        let model = Problem::Quadratic(&[1.0]).oracle();
        let start = radial(self.dim, 1.0, 100);
        discrete::extrapolate(model.as_ref(), &start, self.flow(), &self.steps(), FINER, |moment| moment.energy)
    }

    fn flow(&self) -> DiscreteFlow {
        DiscreteFlow { alpha: ALPHA, transport: false, centred: true, dt: self.dt }
    }

    /// What dt may do to C_dt's E; derived in the claim.
    fn bound(&self) -> f64 {
        let d = self.dim as f64;
        ALPHA * self.dt * d * d / 4.0 / (2.0 * d).sqrt()
    }

    /// What extrapolation leaves of it; likewise.
    fn left(&self) -> f64 {
        (self.bound() / f64::from(FINER)).powi(2) + QUADRATURE
    }

    fn measure(&self, context: &Context, part: u64) -> Result<(Vec<Measured>, Plot), Interrupted> {
        let setup = Setup::birth_death(PARTICLES, self.dt, ALPHA).without_transport();
        let start = product(&vec![Marginal::Normal { mean: 0.0, sd: 1.0 }; self.dim]);
        let steps = self.steps();
        let oracles = || (self.map(100), self.limit());
        let ((map, limit), found) = context.map_beside(oracles, context.replicates(REPLICATES), |replicate| {
            let mut trial = context.trial(&setup, Problem::Quadratic(self.curvature).core(), part, replicate);
            trial.draw(&start);
            energies(&mut trial, &steps)
        })?;
        let d = self.dim as f64;
        // at the base number of replicates, whatever the profile: more of them only make it easier to decide
        let room = |spread: f64| REACH * spread / (REPLICATES as f64).sqrt();
        let bias = |tau: f64| self.kappa * (1.0 + tau).powf(0.5 * d) / PARTICLES as f64;
        let mut measured = Vec::new();
        for (at, (&tau, &spread)) in self.taus.iter().zip(self.spread).enumerate() {
            let name = format!("at tau = {tau}, D = {d}");
            let ratios: Vec<f64> = column(&found, at).iter().map(|e| e / map[at]).collect();
            let what = format!("E (t + P/(alpha h)) over C_dt's {name}");
            measured.push(Measured::mean(what, &ratios, 1.0, bias(tau) + room(spread)));
            let product = limit[at] * (tau + 1.0) / ALPHA * 2.0 * ALPHA / d;
            let what = format!("C_dt's E (t + P/(alpha h)) 2 alpha / D, extrapolated to dt = 0, less 1 {name}");
            measured.push(Measured::exact(what, (product - 1.0).abs(), self.left(), 1).of_oracles());
        }
        let last = self.taus.len() - 1;
        let ratio = ((self.taus[last] + 1.0) / (self.taus[0] + 1.0)).ln();
        let slope = |e: &[f64]| (e[last] / e[0]).ln() / ratio;
        let slopes: Vec<f64> = found.iter().map(|energies| slope(energies)).collect();
        let skew = 0.5 * self.spread[last] * self.spread[last];
        let tolerance = (bias(self.taus[last]) + skew) / ratio + room(self.slope_spread);
        let what = format!("slope of log E against log(t + P/(alpha h)), D = {d}");
        measured.push(Measured::mean(what, &slopes, slope(&map), tolerance));
        let what = format!("C_dt's slope, extrapolated to dt = 0, less -1, D = {d}");
        measured.push(Measured::exact(what, (slope(&limit) + 1.0).abs(), 2.0 * self.left() / ratio, 1).of_oracles());
        Ok((measured, self.plot(&found)))
    }

    fn plot(&self, found: &[Vec<f64>]) -> Plot {
        let (d, last) = (self.dim as f64, self.taus[self.taus.len() - 1]);
        let line = |name: &str, e: &dyn Fn(f64) -> f64| Series {
            name: name.into(),
            mark: Mark::Line,
            points: (0..=40)
                .map(|i| last.powf(f64::from(i) / 40.0))
                .map(|tau| plot::Point::exact(tau / ALPHA, e(tau)))
                .collect(),
        };
        let dots = self.taus.iter().enumerate().map(|(at, &tau)| {
            let sample = Sample::of(&column(found, at));
            plot::Point::measured(tau / ALPHA, sample.mean, sample.standard_error())
        });
        Plot {
            title: format!("Pure birth-death, D = {d}"),
            x: Axis::log("t"),
            y: Axis::log("E"),
            series: vec![
                line("exact law", &|tau| 0.5 * d / (1.0 + tau)),
                line("D / (2 alpha t)", &|tau| 0.5 * d / tau),
                Series { name: "particles".into(), mark: Mark::Dots, points: dots.collect() },
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quadrature_has_converged() {
        for case in &CASES {
            for (coarse, fine) in case.map(100).iter().zip(case.map(200)) {
                assert!((coarse / fine - 1.0).abs() < 1e-4, "D = {}: {coarse} {fine}", case.dim);
            }
        }
    }
}
