//! C: PDE 1 by weighted characteristics.
//!
//! mu_t = sum_i w_i delta(x_i) with x' = -grad V(x; mu_t), (log w)' = -alpha (V - Vbar): along these curves the weak
//! form of PDE 1 (arXiv:1902.01843) holds exactly. Started on a Gauss rule of mu_0, integrated with the classical
//! Runge-Kutta method of order 4: no grid in parameter space and no diffusion. Log-weights are shifted to weights of
//! sum 1 at every evaluation, which changes nothing of the flow (Vbar does the same to all of them) but its rounding.

use super::models::{Fields, MeanField, Nodes};

/// Which terms of PDE 1 act.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// Birth-death rate; 0 is plain gradient flow.
    pub alpha: f64,
    /// Whether nodes move down the gradient; without, pure birth-death.
    pub transport: bool,
}

/// What an observer sees: the measure at a requested time, its potential and its energy.
#[derive(Debug)]
pub struct Moment<'a> {
    /// The requested time.
    pub time: f64,
    /// The measure, weights normalised.
    pub nodes: &'a Nodes,
    /// V and grad V at the nodes.
    pub fields: &'a Fields,
    /// `E[mu]`.
    pub energy: f64,
}

/// Solves PDE 1 from `start` and returns what `observe` makes of the measure at each of `times` (ascending, from 0 on).
///
/// Step: the largest divisor of each gap between requested times that is at most `h`. Error O(h^4) for a smooth
/// potential, plus that of the rule behind `start`; like every explicit method it is unstable beyond h |grad grad V| =
/// 2.8, to be checked at the outermost nodes, whatever their weight. Cost: four evaluations a step.
pub fn solve<T>(
    model: &dyn MeanField,
    start: &Nodes,
    flow: Flow,
    h: f64,
    times: &[f64],
    mut observe: impl FnMut(&Moment) -> T,
) -> Vec<T> {
    let mut state = State::new(start);
    let mut work = Work::new(model.dim(), start.len());
    let (mut now, mut seen) = (0.0, Vec::with_capacity(times.len()));
    for &time in times {
        // One part in 1e9 spares a step when the gap is a multiple of h up to rounding.
        let steps = ((time - now) / h - 1e-9).ceil().max(0.0) as usize;
        for _ in 0..steps {
            work.step(model, &mut state, flow, (time - now) / steps as f64);
        }
        now = time;
        let energy = work.evaluate(model, &state);
        seen.push(observe(&Moment { time, nodes: &work.nodes, fields: &work.fields, energy }));
    }
    seen
}

/// Positions and log-weights; also the shape of their time derivative.
#[derive(Clone)]
struct State {
    x: Vec<Vec<f64>>,
    log_w: Vec<f64>,
}

impl State {
    fn new(start: &Nodes) -> Self {
        Self {
            x: start.x.clone(),
            // A weight of 0 becomes -infinity and stays 0.
            log_w: start.w.iter().map(|w| w.ln()).collect(),
        }
    }

    /// self = from + h * slope.
    fn advance(&mut self, from: &Self, h: f64, slope: &Self) {
        for (row, (from, slope)) in self.x.iter_mut().zip(from.x.iter().zip(&slope.x)) {
            axpy(row, from, h, slope);
        }
        axpy(&mut self.log_w, &from.log_w, h, &slope.log_w);
    }
}

fn axpy(out: &mut [f64], from: &[f64], h: f64, slope: &[f64]) {
    for (out, (from, slope)) in out.iter_mut().zip(from.iter().zip(slope)) {
        *out = from + h * slope;
    }
}

/// Buffers of one evaluation and one Runge-Kutta step.
struct Work {
    nodes: Nodes,
    fields: Fields,
    stage: State,
    slope: State,
    sum: State,
}

impl Work {
    fn new(dim: usize, len: usize) -> Self {
        let zero = State { x: vec![vec![0.0; len]; dim], log_w: vec![0.0; len] };
        Self {
            nodes: Nodes { x: zero.x.clone(), w: zero.log_w.clone() },
            fields: Fields::zeros(dim, len),
            stage: zero.clone(),
            slope: zero.clone(),
            sum: zero,
        }
    }

    /// Fills `nodes` and `fields` at `state`; returns the energy.
    fn evaluate(&mut self, model: &dyn MeanField, state: &State) -> f64 {
        for (row, from) in self.nodes.x.iter_mut().zip(&state.x) {
            row.copy_from_slice(from);
        }
        // The largest is taken out before exp, so that nothing overflows.
        let top = state.log_w.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        for (w, l) in self.nodes.w.iter_mut().zip(&state.log_w) {
            *w = (l - top).exp();
        }
        let sum: f64 = self.nodes.w.iter().sum();
        self.nodes.w.iter_mut().for_each(|w| *w /= sum);
        model.fields(&self.nodes, &mut self.fields)
    }

    /// Fills `slope` with the time derivative at `state`.
    fn derive(&mut self, model: &dyn MeanField, state: &State, flow: Flow) {
        self.evaluate(model, state);
        let mean = self.nodes.mean(|i| self.fields.v[i]);
        for (slope, v) in self.slope.log_w.iter_mut().zip(&self.fields.v) {
            *slope = -flow.alpha * (v - mean);
        }
        for (slope, grad) in self.slope.x.iter_mut().zip(&self.fields.grad) {
            for (slope, grad) in slope.iter_mut().zip(grad) {
                *slope = if flow.transport { -grad } else { 0.0 };
            }
        }
    }

    /// One classical Runge-Kutta step: slopes at 0, h/2, h/2, h with weights 1, 2, 2, 1 over 6.
    fn step(&mut self, model: &dyn MeanField, state: &mut State, flow: Flow, h: f64) {
        let start = state.clone();
        self.sum = start.clone();
        for (reach, weight) in [(0.0, 1.0), (0.5, 2.0), (0.5, 2.0), (1.0, 1.0)] {
            // At reach 0 the stage is the start itself, whatever slope is left over.
            let mut stage = core::mem::replace(&mut self.stage, State { x: vec![], log_w: vec![] });
            if reach == 0.0 {
                stage.clone_from(&start);
            } else {
                stage.advance(&start, reach * h, &self.slope);
            }
            self.derive(model, &stage, flow);
            self.stage = stage;
            let sum = self.sum.clone();
            self.sum.advance(&sum, weight * h / 6.0, &self.slope);
        }
        core::mem::swap(state, &mut self.sum);
    }
}

#[cfg(test)]
mod tests {
    use super::super::direct::DirectUnits;
    use super::super::gaussian::GaussianLaw;
    use super::super::mmd::Mmd;
    use super::super::models::{DoubleWell, Quadratic};
    use super::super::units::{Component, GaussianUnits};
    use super::*;
    use birth_death_stats::quadrature::{Rule, TensorRule};

    /// The paper's start: c standard normal, y uniform on (-2, 2).
    fn units_start(n: usize) -> Nodes {
        TensorRule::new(&[Rule::normal(n, 0.0, 1.0), Rule::uniform(n, -2.0, 2.0)]).into()
    }

    fn units_energies(n: usize, alpha: f64, h: f64, times: &[f64]) -> Vec<f64> {
        let model = DirectUnits { model: GaussianUnits::paper() };
        let flow = Flow { alpha, transport: true };
        solve(&model, &units_start(n), flow, h, times, |m| m.energy)
    }

    #[test]
    fn reproduces_the_table_of_the_specification() {
        let times = [0.5, 1.0, 2.0, 5.0, 10.0];
        for (alpha, table) in [
            (0.0, [0.055_257, 0.044_688, 0.030_141, 0.011_987, 0.004_492]),
            (5.0, [0.038_304, 0.023_407, 0.010_087, 0.000_795, 0.000_174]),
        ] {
            let energies = units_energies(32, alpha, 0.05, &times);
            for (energy, exact) in energies.iter().zip(table) {
                assert!((energy - exact).abs() < 6e-7, "alpha {alpha}: {energies:?}");
            }
        }
    }

    #[test]
    fn the_pairwise_model_gives_the_same_flow() {
        let (start, flow) = (units_start(8), Flow { alpha: 5.0, transport: true });
        let model = GaussianUnits::paper();
        let slow = solve(&model, &start, flow, 0.1, &[0.5, 1.0], |m| m.energy);
        let fast = units_energies(8, 5.0, 0.1, &[0.5, 1.0]);
        assert!(slow.iter().zip(&fast).all(|(a, b)| (a - b).abs() < 1e-13));
    }

    #[test]
    fn agrees_with_the_gaussian_law() {
        for transport in [true, false] {
            let law = GaussianLaw { curvature: vec![1.0, 0.5], precision: vec![1.0, 2.0], alpha: 2.0, transport };
            let model = Quadratic { curvature: law.curvature.clone() };
            let rules: Vec<Rule> = law.precision.iter().map(|p| Rule::normal(48, 0.0, 1.0 / p.sqrt())).collect();
            let flow = Flow { alpha: law.alpha, transport };
            let times = [0.0, 0.3, 1.0];
            let start = TensorRule::new(&rules).into();
            let seen = solve(&model, &start, flow, 0.01, &times, |m| {
                let second = |k: usize| m.nodes.mean(|i| m.nodes.x[k][i].powi(2));
                (m.energy, second(0), second(1))
            });
            for (&t, (energy, first, second)) in times.iter().zip(seen) {
                assert!((energy - law.energy(t)).abs() < 1e-9, "{energy}");
                assert!((first - law.second_moment(0, t)).abs() < 1e-9);
                assert!((second - law.second_moment(1, t)).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn the_step_has_order_four() {
        // Same nodes throughout: only the error in h is left.
        let at = |h: f64| units_energies(8, 5.0, h, &[2.0])[0];
        let reference = at(0.0125);
        let errors = [0.2, 0.1, 0.05].map(|h| (at(h) - reference).abs());
        for pair in errors.windows(2) {
            let order = (pair[0] / pair[1]).log2();
            assert!((order - 4.0).abs() < 0.3, "{errors:?}");
        }
    }

    #[test]
    fn the_nodes_converge_spectrally() {
        // Each four more nodes an axis gain more than the last did: at least a digit.
        let reference = units_energies(32, 5.0, 0.1, &[2.0])[0];
        let errors = [4, 8, 12, 16].map(|n| (units_energies(n, 5.0, 0.1, &[2.0])[0] - reference).abs());
        assert!(errors.windows(2).all(|e| e[1] < 0.1 * e[0]), "{errors:?}");
        assert!(errors[3] < 1e-8, "{errors:?}");
    }

    #[test]
    fn dissipates_at_the_rate_of_pde_1() {
        // dE/dt = -∫|grad V|^2 - alpha ∫(V - Vbar)^2, by a central difference over 2e-3: relative error 1e-6 or so.
        let model = GaussianUnits::paper();
        let flow = Flow { alpha: 5.0, transport: true };
        let times = [0.499, 0.5, 0.501];
        let seen = solve(&model, &units_start(12), flow, 0.05, &times, |m| {
            let mean = m.nodes.mean(|i| m.fields.v[i]);
            let slope = m.nodes.mean(|i| m.fields.grad.iter().map(|g| g[i] * g[i]).sum());
            let spread = m.nodes.mean(|i| (m.fields.v[i] - mean).powi(2));
            (m.energy, -slope - flow.alpha * spread)
        });
        let rate = (seen[2].0 - seen[0].0) / 0.002;
        assert!((rate / seen[1].1 - 1.0).abs() < 1e-5, "{rate} {}", seen[1].1);
    }

    #[test]
    fn wrong_basin_keeps_its_mass_under_flow_and_its_odds_decay_under_birth_death() {
        // The setting of the claim on escape: start N(.5, .6^2), global minimum on the left.
        let well = DoubleWell { tilt: 0.1, dim: 1 };
        // The outermost of 48 nodes is at x = 8, where F'' = 12 x^2 = 770: h = 0.002 keeps Runge-Kutta stable.
        let start = TensorRule::new(&[Rule::normal(48, 0.5, 0.6)]).into();
        let barrier = well.stationary()[1];
        let log_odds = |alpha: f64, times: &[f64]| {
            let flow = Flow { alpha, transport: true };
            solve(&well, &start, flow, 0.002, times, |m| {
                let wrong = m.nodes.mean(|i| f64::from(m.nodes.x[0][i] > barrier));
                (wrong / (1.0 - wrong)).ln()
            })
        };
        let still = log_odds(0.0, &[0.0, 5.0]);
        assert!((still[1] - still[0]).abs() < 1e-12);
        let falling = log_odds(10.0, &[3.0, 5.0]);
        let slope = (falling[1] - falling[0]) / 2.0;
        assert!((slope / (-10.0 * well.gap()) - 1.0).abs() < 1e-4, "{slope}");
    }

    #[test]
    fn pure_birth_death_on_a_convex_energy_obeys_its_bound() {
        // E <= KL(nu | mu_0) / (alpha t); nu = N(.3, .6^2), mu_0 = N(0, 1):
        // KL = (.6^2 + .3^2 - 1) / 2 - ln .6.
        let model = Mmd { bandwidth: 0.8, target: vec![Component { weight: 1.0, centre: vec![0.3], variance: 0.36 }] };
        let divergence = (0.36 + 0.09 - 1.0) / 2.0 - 0.6f64.ln();
        let start = TensorRule::new(&[Rule::normal(40, 0.0, 1.0)]).into();
        let flow = Flow { alpha: 2.0, transport: false };
        let times = [0.5, 2.0, 10.0, 50.0];
        let energies = solve(&model, &start, flow, 0.05, &times, |m| m.energy);
        for (t, energy) in times.iter().zip(&energies) {
            assert!(*energy > 0.0 && energy * flow.alpha * t < divergence, "{t} {energy}");
        }
        assert!(energies.windows(2).all(|e| e[1] < e[0]));
    }
}
