//! Pure birth-death of a convex energy: below the bound by the divergence, and on the exact solution with its noise.

use super::check::{Evidence, Measured, Test, largest};
use super::problem::{Problem, shifted_lattice};
use super::{CLAIM_LEVEL, Claim, Context, Interrupted, Kind};
use crate::oracles::discrete::{self, DiscreteFlow};
use crate::oracles::fisher_rao::{FisherRao, divergence};
use crate::oracles::linear_noise::{self, Energies, Finite, Start};
use crate::oracles::models::{Nodes, evaluate};
use crate::subject::Setup;
use birth_death_charts::plot::{self, Axis, Mark, Plot, Series};
use birth_death_stats::difference::StandardError;
use birth_death_stats::interval::Sample;
use birth_death_stats::power::{POWER, detectable_limit};
use birth_death_stats::quadrature::{Rule, TensorRule};
use birth_death_stats::tails::{normal_quantile, t_upper};

pub static CLAIM: Claim = Claim {
    id: "fisher-rao-bound",
    kind: Kind::Limit,
    statement: "for the MMD under birth-death without transport alpha t E(t) stays below KL(nu | mu_0), and E follows \
        the exact solution and the noise of n particles",
    source: "arXiv:1902.01843, the O(1/t) bound for convex energies without transport; the 1/n term by moment \
        equations of the scheme",
    setting: "MMD, h = 0.8, to 0.4 N(-1, 0.2) + 0.6 N(1.5, 0.5); start N(-0.5, 1.5^2) on a randomly shifted lattice; \
        alpha = 5, dt = 0.2; n = 400 to alpha t = 20, 250 replicates, and n = 100 to alpha t = 100, 600 replicates: a \
        step costs n^2, and later E is mostly noise, which n = 100 shows at a sixteenth of the cost",
    estimator: "mean over replicates of E over the oracle's, and the largest mean of alpha t E",
    oracle: "C_dt on 60 grid points and the linear noise of the events at finite n; C_dt itself, at dt and dt/2 \
        extrapolated, against K, the Fisher-Rao flow on the same points; KL = 0.4445 by quadrature",
    tolerance: "E: the noise term to 5 % (order alpha dt |b| and 1/n; 3 % seen on other seeds, full profile), which \
        makes 0.5 % to 77 % of E, and 10.8 standard errors (6.3 for the level of one of 11 checks by the t law, 4.5 so \
        that a correct build is decided) of the standard deviations that stand in the code, with the replicates of \
        quick in full too. Bound: one-sided t tests at nine times, the smallest p times nine; they must see an excess \
        of 10 % of KL. It illustrates: alpha t E is six times below the bound, and a wrong build would sooner miss E \
        itself. C_dt against K: (alpha dt max |b|)^2, for extrapolation leaves the second order",
    measure,
};

const ALPHA: f64 = 5.0;
const DT: f64 = 0.2;
/// Mean and standard deviation of the start.
const START: (f64, f64) = (-0.5, 1.5);
const NODES: usize = 60;
/// Standard deviations up to which the nodes reach: 7e-6 of the mass is beyond.
const EXTENT: f64 = 4.5;
/// Standard errors that a tolerance holds.
const REACH: f64 = 10.8;
/// The share of KL that the test of the bound must see.
const BUDGET: f64 = 0.1;
/// One of E for each of the nine times, one of the bound, one of the oracles.
const CHECKS: f64 = 11.0;

/// Relative error of the oracle's noise term.
const NOISE: f64 = 0.05;

/// n, replicates, and alpha t with the relative standard deviation of E over replicates there.
struct Case {
    particles: usize,
    replicates: u64,
    times: &'static [(f64, f64)],
}

const CASES: [Case; 2] = [
    Case { particles: 400, replicates: 250, times: &[(2.0, 0.08), (5.0, 0.14), (10.0, 0.185), (20.0, 0.245)] },
    Case {
        particles: 100,
        replicates: 600,
        times: &[(2.0, 0.165), (5.0, 0.3), (20.0, 0.45), (50.0, 0.56), (100.0, 0.62)],
    },
];

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let model = Problem::mmd_mixture();
    let (mean, sd) = START;
    let law: Nodes = TensorRule::new(&[Rule::normal_grid(NODES, mean, sd, EXTENT)]).into();
    let bound = divergence(&model.target, &[mean], sd, 80);
    let mut measured = Vec::new();
    let mut series = Vec::new();
    let mut scaled: Vec<Vec<f64>> = Vec::new();
    let mut limits: Vec<f64> = Vec::new();
    for (case, part) in CASES.iter().zip(0..) {
        let n = case.particles as f64;
        let last = case.times.iter().map(|(time, _)| steps_to(*time)).max().unwrap_or(0);
        let steps: Vec<usize> = (0..=last).collect();
        let scheme = Finite { n, alpha: ALPHA, dt: DT };
        let expected = || linear_noise::solve(&model, &law, Start::Lattice, scheme, &steps);
        let (expected, found) = context.map_beside(expected, context.replicates(case.replicates), |replicate| {
            run(context, case.particles, last, part, replicate)
        })?;
        for &(time, spread) in case.times {
            let at = steps_to(time);
            let Energies { limit, mean } = expected[at];
            let name = format!("at alpha t = {time}, n = {n}");
            let error = spread * REACH / (case.replicates as f64).sqrt();
            let tolerance = NOISE * (1.0 - limit / mean).abs() + error;
            let ratios: Vec<f64> = found.iter().map(|energies| energies[at] / mean).collect();
            measured.push(Measured::mean(format!("E over C_dt's with its noise {name}"), &ratios, 1.0, tolerance));
            scaled.push(found.iter().map(|energies| time * energies[at]).collect());
        }
        if limits.len() < expected.len() {
            limits = expected.iter().map(|energies| energies.limit).collect();
        }
        series.extend(curves(case.particles, &expected, &found));
    }
    measured.push(below("largest mean of alpha t E", &scaled, bound));
    let times: Vec<f64> = (0..limits.len()).map(|k| k as f64 * DT).collect();
    let exact = FisherRao::new(&model, &law).energies(ALPHA, 0.1, &times);
    let finer = DiscreteFlow { alpha: ALPHA, transport: false, centred: true, dt: 0.5 * DT };
    let halves: Vec<usize> = (0..limits.len()).map(|k| 2 * k).collect();
    let finer = discrete::solve(&model, &law, finer, &halves, |moment| moment.energy);
    let extrapolated = limits.iter().zip(&finer).map(|(whole, half)| 2.0 * half - whole);
    let distance = largest(extrapolated.zip(&exact).map(|(map, exact)| map / exact - 1.0));
    let (_, fields) = evaluate(&model, &law);
    let centre = law.mean(|i| fields.v[i]);
    let strength = ALPHA * DT * largest(fields.v.iter().map(|v| v - centre));
    let what = "largest relative distance of C_dt's E, extrapolated to dt = 0, from K";
    measured.push(Measured::exact(what, distance, strength * strength, exact.len() as u64).of_oracles());
    Ok(Evidence { measured, plots: vec![energy_plot(&times, &exact, bound, series)] })
}

fn steps_to(scaled_time: f64) -> usize {
    (scaled_time / (ALPHA * DT)).round() as usize
}

/// E after 0, 1, ..., `steps` steps.
fn run(context: &Context, n: usize, steps: usize, part: u64, replicate: u64) -> Vec<f64> {
    let setup = Setup::birth_death(n, DT, ALPHA).without_transport();
    let mut trial = context.trial(&setup, Problem::MmdMixture.core(), part, replicate);
    let mut words = context.subject.words(context.stream(part + 80, replicate));
    let (mean, sd) = START;
    let points = shifted_lattice(&mut words, n).into_iter().map(|[u, _]| mean - sd * normal_quantile(u));
    trial.place(&points.collect::<Vec<f64>>());
    let mut energies: Vec<f64> = (0..steps).map(|_| trial.step().map_or(f64::NAN, |report| report.energy)).collect();
    energies.push(trial.evaluate().map_or(f64::NAN, |(energy, _)| energy));
    energies
}

/// That no mean of a row of `values` is above `bound`: of so many one-sided tests the smallest p, times their number.
fn below(what: &str, values: &[Vec<f64>], bound: f64) -> Measured {
    let tests = values.len() as f64;
    let samples: Vec<Sample> = values.iter().map(|values| Sample::of(values)).collect();
    let each = samples.iter().map(|s| {
        let se = s.standard_error();
        if se > 0.0 { t_upper((s.mean - bound) / se, s.dof()) } else { f64::NAN }
    });
    // NaN stays and rejects
    let smallest = each.fold(1.0, |a: f64, p| if p < a || p.is_nan() { p } else { a });
    let p = (tests * smallest).clamp(0.0, 1.0);
    // one side: the detectable effect of a two-sided test at twice the level
    let level = 2.0 * CLAIM_LEVEL / (CHECKS * tests);
    let detectable = largest(samples.iter().map(|s| detectable_limit(s.standard_error(), s.dof(), level, POWER)));
    let examined = values.iter().map(|values| values.len() as u64).sum();
    let error = StandardError {
        value: largest(samples.iter().map(Sample::standard_error)),
        dof: Some(samples.iter().fold(f64::INFINITY, |least, s| least.min(s.dof()))),
    };
    let test = Test { p, detectable, budget: BUDGET * bound, error };
    Measured::sharp(what, largest(samples.iter().map(|s| s.mean)), bound, test, examined)
}

fn curves(n: usize, expected: &[Energies], found: &[Vec<f64>]) -> [Series; 2] {
    let scaled = |k: usize| k as f64 * ALPHA * DT;
    let shown = (1..expected.len()).filter(|k| k % expected.len().div_ceil(25) == 0 || *k < 5);
    let dots = shown.map(|k| {
        let sample = Sample::of(&found.iter().map(|energies| energies[k]).collect::<Vec<f64>>());
        plot::Point::measured(scaled(k), sample.mean, sample.standard_error())
    });
    let line = expected.iter().enumerate().skip(1).map(|(k, e)| plot::Point::exact(scaled(k), e.mean));
    [
        Series { name: format!("C_dt with noise, n = {n}"), mark: Mark::Line, points: line.collect() },
        Series { name: format!("particles, n = {n}"), mark: Mark::Dots, points: dots.collect() },
    ]
}

fn energy_plot(times: &[f64], exact: &[f64], bound: f64, series: Vec<Series>) -> Plot {
    let later = times.iter().zip(exact).skip(1);
    let solution = later.clone().map(|(t, e)| plot::Point::exact(ALPHA * t, *e)).collect();
    let above = later.map(|(t, _)| plot::Point::exact(ALPHA * t, bound / (ALPHA * t))).collect();
    let lines = [("KL / (alpha t)", above), ("exact solution", solution)].map(|(name, points)| Series {
        name: name.into(),
        mark: Mark::Line,
        points,
    });
    Plot {
        title: "Birth-death without transport on the MMD".into(),
        x: Axis::log("alpha t"),
        y: Axis::log("E"),
        series: lines.into_iter().chain(series).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Null;
    use super::*;

    #[test]
    fn one_time_above_the_bound_rejects_and_so_does_no_number() {
        let row = |mean: f64| -> Vec<f64> { (0..100).map(|i| mean + 0.01 * f64::from(i % 10)).collect() };
        let p = |rows: &[Vec<f64>]| match below("x", rows, 1.0).null {
            Null::Sharp { p, .. } => p,
            _ => 1.0,
        };
        assert_eq!(p(&[row(0.2), row(0.5)]), 1.0);
        assert!(p(&[row(0.2), row(1.1), row(0.5)]) < 1e-12);
        assert!(p(&[row(0.2), row(f64::NAN), row(0.5)]).is_nan());
        // equal replicates are no replicates
        assert!(p(&[row(0.2), vec![0.5; 100]]).is_nan());
        assert_eq!(CASES.iter().map(|case| case.times.len()).sum::<usize>() as f64 + 2.0, CHECKS);
    }
}
