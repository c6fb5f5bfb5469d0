//! The law of a non-interacting Gaussian ensemble.

use birth_death::Marginal;

use super::check::{Evidence, Measured};
use super::follow::{energy, follow, steps_to};
use super::problem::{Problem, half_normal};
use super::{Claim, Context, Interrupted, Kind};
use crate::oracles::discrete::{self, DiscreteFlow};
use crate::oracles::gaussian::GaussianLaw;
use crate::oracles::models::Nodes;
use crate::subject::{Setup, product};
use birth_death_stats::quadrature::TensorRule;

pub static CLAIM: Claim = Claim {
    id: "gaussian-law",
    kind: Kind::Limit,
    statement: "in a quadratic potential the energy and every first and second moment of scheme 1 follow the exact \
        Gaussian law",
    source: "arXiv:1902.01843, the non-interacting quadratic example; the law P_k(t) re-derived (dynamics of \
        precisions)",
    setting: "F = 1/2 sum h_k x_k^2, start standard normal, D = 1, 2, 4, with and without transport, alpha = 2, n = \
        1000, dt = 0.02, t = 0.5, 1, 2, 600 replicates",
    estimator: "mean over replicates of E and of each <x_k^2>, over the oracle's; of each <x_k>, over the oracle's \
        standard deviation",
    oracle: "C_dt, the n = infinity map at the same dt, on Gauss-Hermite nodes (one orthant: everything is even); C_dt \
        itself, extrapolated to dt = 0, against the closed form G",
    tolerance: "bias of order 1/n, below 0.4 % (seen on other seeds at n = 250, 500, 1000), and 11 standard errors: \
        6.3 for the level of one of 120 checks and 4.5 so that a correct build is decided. With transport the largest \
        standard errors are 0.2 % (E), 0.24 % (<x^2>) and 0.2 % (<x>); without, 0.25 %, 0.42 %, 0.33 %, for \
        genealogies are longer. C_dt as dt -> 0, from dt and dt / 2, against G: the square of what dt does at most, \
        h^2 t dt for Euler's (1 - h dt)^2 against e^(-2 h dt) and alpha dt D/4 for the second order of p; and 5e-4 of \
        quadrature",
    measure,
};

const ALPHA: f64 = 2.0;
const DT: f64 = 0.02;
const PARTICLES: usize = 1000;
const TIMES: [f64; 3] = [0.5, 1.0, 2.0];

/// Relative tolerances of E, of <x^2> and (in standard deviations) of <x>; derived in the claim.
struct Tolerance {
    energy: f64,
    second: f64,
    first: f64,
}

const WITH_TRANSPORT: Tolerance = Tolerance { energy: 0.026, second: 0.03, first: 0.026 };
const WITHOUT: Tolerance = Tolerance { energy: 0.032, second: 0.05, first: 0.04 };

/// Relative, of C_dt's moments with half the nodes.
const QUADRATURE: f64 = 5e-4;

/// Curvatures, and Gauss-Hermite nodes a component: p(|b|) has a kink in its curvature at b = 0, so the rule converges
/// algebraically; with so many nodes the moments change by less than 5e-4 when their number is halved.
const CASES: [(&[f64], usize); 3] = [(&[1.0], 200), (&[1.0, 0.5], 80), (&[1.0, 0.5, 0.25, 1.5], 32)];

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let mut measured = Vec::new();
    for ((curvature, nodes), part) in CASES.into_iter().zip((0..).step_by(2)) {
        for (transport, part) in [(true, part), (false, part + 1)] {
            case(context, curvature, nodes, transport, part, &mut measured)?;
        }
    }
    Ok(measured.into())
}

/// E, then <x_k> for each k, then <x_k^2> for each k.
type Moments = Vec<f64>;

fn case(
    context: &Context,
    curvature: &'static [f64],
    nodes: usize,
    transport: bool,
    part: u64,
    measured: &mut Vec<Measured>,
) -> Result<(), Interrupted> {
    let dim = curvature.len();
    let steps = steps_to(&TIMES, DT);
    let expected = || -> (Vec<Moments>, Vec<f64>) {
        let start: Nodes = TensorRule::new(&vec![half_normal(nodes); dim]).into();
        let flow = DiscreteFlow { alpha: ALPHA, transport, centred: true, dt: DT };
        let oracle = Problem::Quadratic(curvature).oracle();
        let moments = discrete::solve(oracle.as_ref(), &start, flow, &steps, |moment| {
            let x = &moment.nodes.x;
            let second = (0..dim).map(|k| moment.nodes.mean(|i| x[k][i] * x[k][i]));
            std::iter::once(moment.energy).chain(vec![0.0; dim]).chain(second).collect()
        });
        let energies: Vec<f64> = moments.iter().map(|moments: &Moments| moments[0]).collect();
        let fine = discrete::solve_finer(oracle.as_ref(), &start, flow, &steps, 2, |moment| moment.energy);
        (moments, discrete::richardson(&fine, &energies))
    };

    let mut setup = Setup::birth_death(PARTICLES, DT, ALPHA);
    setup.transport = transport;
    let simulation = |replicate| {
        let mut trial = context.trial(&setup, Problem::Quadratic(curvature).core(), part, replicate);
        trial.draw(&product(&vec![Marginal::Normal { mean: 0.0, sd: 1.0 }; dim]));
        follow(&mut trial, &steps, &vec![f64::NAN; 2 * dim + 1], |trial| {
            let energy = energy(trial);
            let mean = |g: fn(f64) -> f64| -> Vec<f64> {
                trial.rows().iter().map(|row| row.iter().map(|x| g(*x)).sum::<f64>() / PARTICLES as f64).collect()
            };
            [vec![energy], mean(|x| x), mean(|x| x * x)].concat()
        })
    };
    let ((expected, limit), found) = context.map_beside(expected, context.replicates(600), simulation)?;

    let law = GaussianLaw { curvature: curvature.to_vec(), precision: vec![1.0; dim], alpha: ALPHA, transport };
    let tolerance = if transport { WITH_TRANSPORT } else { WITHOUT };
    let name = format!("D = {dim}, {}", if transport { "with transport" } else { "pure birth-death" });
    for (at, t) in TIMES.into_iter().enumerate() {
        let expected = &expected[at];
        let values =
            |index: usize, scale: f64| -> Vec<f64> { found.iter().map(|moments| moments[at][index] / scale).collect() };
        let name = format!("at t = {t}, {name}");
        let energies = values(0, expected[0]);
        measured.push(Measured::mean(format!("E over C_dt's {name}"), &energies, 1.0, tolerance.energy));
        for k in 0..dim {
            let second = expected[1 + dim + k];
            let what = format!("<x_{}> in standard deviations {name}", k + 1);
            measured.push(Measured::mean(what, &values(1 + k, second.sqrt()), 0.0, tolerance.first));
            let what = format!("<x_{}^2> over C_dt's {name}", k + 1);
            measured.push(Measured::mean(what, &values(1 + dim + k, second), 1.0, tolerance.second));
        }
        let distance = (limit[at] / law.energy(t) - 1.0).abs();
        let steepest = if transport { curvature.iter().fold(0.0, |a: f64, h| a.max(*h)) } else { 0.0 };
        let bound = steepest * steepest * t * DT + ALPHA * DT * dim as f64 / 4.0;
        let what = format!("relative distance of C_dt's E, extrapolated to dt = 0, from G {name}");
        measured.push(Measured::exact(what, distance, bound * bound + QUADRATURE, 1).of_oracles());
    }
    Ok(())
}
