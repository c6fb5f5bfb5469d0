//! C2: PDE 2 and PDE 2' by weighted characteristics and Strang splitting.
//!
//! ```text
//! PDE 2    d/dt mu = div(mu grad V) - alpha V mu + alpha max(Vbar, 0) mu_b + alpha min(Vbar, 0) mu
//! PDE 2'   d/dt mu = div(mu grad V) - alpha V mu + alpha ∫max(V, 0) dmu mu_b - alpha ∫max(-V, 0) dmu mu
//! ```
//!
//! PDE 2 is birth-death with reinjection of arXiv:1902.01843; PDE 2' is what the particle scheme follows as dt -> 0 at
//! fixed n: each death replaced by a draw from mu_b, each birth paid for by a uniform particle. One step of length h:
//! 1. with J the rate of injection (the factor of mu_b) at the present measure, append the prior's nodes with mass J h
//!    / 2;
//! 2. Runge-Kutta of order 4 on x' = -grad V, (log w)' = -alpha V + the last factor; weights are not normalised;
//! 3. append the prior's nodes with the mass that is missing; should none be, normalise.
//!
//! Order 2 in h; without injection it is [`super::characteristics`]. Nodes appended by 3 and by 1 of the next step are
//! at the same places at the same time and merge, exactly; without transport all that were ever appended do.

use super::characteristics::Moment;
use super::models::{Fields, MeanField, Nodes, evaluate};

/// Which limit of the scheme with reinjection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// PDE 2: n dt -> infinity, then dt -> 0. Deaths and births cancel before anything is injected or removed.
    Pde2,
    /// PDE 2': dt -> 0 at fixed n.
    Pde2Prime,
}

/// Which terms act.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// Birth-death rate.
    pub alpha: f64,
    /// Whether nodes move down the gradient.
    pub transport: bool,
    /// PDE 2 or PDE 2'.
    pub limit: Limit,
}

impl Flow {
    /// The factors of mu_b, at least 0, and of mu, at most 0, in the equation.
    fn factors(&self, nodes: &Nodes, fields: &Fields) -> (f64, f64) {
        let mean = nodes.mean(|i| fields.v[i]);
        match self.limit {
            Limit::Pde2 => (self.alpha * mean.max(0.0), self.alpha * mean.min(0.0)),
            Limit::Pde2Prime => {
                let deaths = nodes.mean(|i| fields.v[i].max(0.0));
                (self.alpha * deaths, self.alpha * (mean - deaths))
            }
        }
    }
}

/// Solves the equation from `start` with mu_b = `prior` and returns what `observe` makes of the measure at each of
/// `times` (ascending, from 0 on).
///
/// Step: the largest divisor of each gap between requested times that is at most `h`. Error O(h^2), plus that of the
/// rules behind `start` and `prior`. Cost: five evaluations a step, on nodes whose number grows by that of the prior in
/// each step that injects (with transport; once at most without).
pub fn solve<T>(
    model: &dyn MeanField,
    start: &Nodes,
    prior: &Nodes,
    flow: Flow,
    h: f64,
    times: &[f64],
    mut observe: impl FnMut(&Moment) -> T,
) -> Vec<T> {
    let mut state = State { nodes: start.clone(), unmoved: None };
    let (mut now, mut seen) = (0.0, Vec::with_capacity(times.len()));
    for &time in times {
        // One part in 1e9 spares a step when the gap is a multiple of h up to rounding.
        let steps = ((time - now) / h - 1e-9).ceil().max(0.0) as usize;
        for _ in 0..steps {
            state.step(model, prior, flow, (time - now) / steps as f64);
        }
        now = time;
        let (energy, fields) = evaluate(model, &state.nodes);
        seen.push(observe(&Moment { time, nodes: &state.nodes, fields: &fields, energy }));
    }
    seen
}

/// The measure, and where in it the nodes are that still sit at the prior's.
struct State {
    nodes: Nodes,
    unmoved: Option<usize>,
}

impl State {
    fn step(&mut self, model: &dyn MeanField, prior: &Nodes, flow: Flow, h: f64) {
        let (_, fields) = evaluate(model, &self.nodes);
        let (before, _) = flow.factors(&self.nodes, &fields);
        if before > 0.0 {
            self.inject(prior, 0.5 * h * before);
        }
        self.flow(model, flow, h);
        let missing = 1.0 - self.nodes.w.iter().sum::<f64>();
        // Without injection a missing mass is the error of the method, and no reason to append nodes; should injection
        // set in within the step, that too is of its order.
        if missing > 0.0 && before > 0.0 {
            self.inject(prior, missing);
        } else {
            self.nodes.w.iter_mut().for_each(|w| *w /= 1.0 - missing);
        }
    }

    /// Adds `mass` times the prior.
    fn inject(&mut self, prior: &Nodes, mass: f64) {
        let first = match self.unmoved {
            Some(first) => first,
            None => {
                let first = self.nodes.len();
                for (row, from) in self.nodes.x.iter_mut().zip(&prior.x) {
                    row.extend_from_slice(from);
                }
                self.nodes.w.resize(first + prior.len(), 0.0);
                self.unmoved = Some(first);
                first
            }
        };
        for (w, share) in self.nodes.w[first..].iter_mut().zip(&prior.w) {
            *w += mass * share;
        }
    }

    /// One classical Runge-Kutta step of everything but injection, in positions and in the logarithm of w over its
    /// start: slopes at 0, h/2, h/2, h with weights 1, 2, 2, 1 over 6.
    fn flow(&mut self, model: &dyn MeanField, flow: Flow, h: f64) {
        let start = self.nodes.clone();
        let mut slope = Slope::zeros(&start);
        let mut sum = slope.clone();
        for (reach, weight) in [(0.0, 1.0), (0.5, 2.0), (0.5, 2.0), (1.0, 1.0)] {
            slope.follow(&start, reach * h, &mut self.nodes);
            let (_, fields) = evaluate(model, &self.nodes);
            let (_, common) = flow.factors(&self.nodes, &fields);
            for (slope, v) in slope.log_w.iter_mut().zip(&fields.v) {
                *slope = common - flow.alpha * v;
            }
            for (slope, grad) in slope.x.iter_mut().zip(&fields.grad) {
                let sign = if flow.transport { -1.0 } else { 0.0 };
                slope.iter_mut().zip(grad).for_each(|(slope, grad)| *slope = sign * grad);
            }
            sum.add(weight / 6.0, &slope);
        }
        sum.follow(&start, h, &mut self.nodes);
        if flow.transport {
            self.unmoved = None;
        }
    }
}

/// Time derivatives of positions and log-weights.
#[derive(Clone)]
struct Slope {
    x: Vec<Vec<f64>>,
    log_w: Vec<f64>,
}

impl Slope {
    fn zeros(nodes: &Nodes) -> Self {
        Self { x: vec![vec![0.0; nodes.len()]; nodes.x.len()], log_w: vec![0.0; nodes.len()] }
    }

    fn add(&mut self, factor: f64, other: &Self) {
        let rows = self.x.iter_mut().zip(&other.x).chain(core::iter::once((&mut self.log_w, &other.log_w)));
        for (row, other) in rows {
            row.iter_mut().zip(other).for_each(|(a, b)| *a += factor * b);
        }
    }

    /// `out` = `from`, moved for a time `h`.
    fn follow(&self, from: &Nodes, h: f64, out: &mut Nodes) {
        for (k, slope) in self.x.iter().enumerate() {
            for (i, slope) in slope.iter().enumerate() {
                out.x[k][i] = from.x[k][i] + h * slope;
            }
        }
        for (i, slope) in self.log_w.iter().enumerate() {
            out.w[i] = from.w[i] * (h * slope).exp();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::characteristics;
    use super::super::direct::DirectUnits;
    use super::super::models::Potential;
    use super::super::units::GaussianUnits;
    use super::*;
    use birth_death_stats::quadrature::{Rule, TensorRule};

    const BOTH: [Limit; 2] = [Limit::Pde2, Limit::Pde2Prime];

    fn units() -> DirectUnits {
        DirectUnits { model: GaussianUnits::paper() }
    }

    fn product(c: Rule, y: Rule) -> Nodes {
        TensorRule::new(&[c, y]).into()
    }

    /// c ~ N(2, 1), y uniform on (-2, 2), towards c = 0, y ~ N(0, 1), at alpha = 5: the setting of the specification.
    fn energies(limit: Limit, c: Rule, y: usize, prior: usize, h: f64, times: &[f64]) -> Vec<f64> {
        let start = product(c, Rule::uniform(y, -2.0, 2.0));
        let prior = product(Rule::point(0.0), Rule::normal(prior, 0.0, 1.0));
        let flow = Flow { alpha: 5.0, transport: true, limit };
        solve(&units(), &start, &prior, flow, h, times, |m| m.energy)
    }

    /// Richardson's extrapolation of a method of order 2 from h = 1/32 and 1/64.
    fn extrapolated(limit: Limit, c: &Rule, y: usize, times: &[f64]) -> Vec<f64> {
        let [coarse, fine] = [32.0, 64.0].map(|k| energies(limit, c.clone(), y, 16, 1.0 / k, times));
        fine.iter().zip(coarse).map(|(fine, coarse)| (4.0 * fine - coarse) / 3.0).collect()
    }

    #[test]
    fn reproduces_the_table_of_the_specification() {
        // Six digits, and what extrapolation leaves: 1e-6, by h = 1/128.
        let table = [0.146_690, 0.084_863, 0.047_576, 0.021_104];
        let seen = extrapolated(Limit::Pde2, &Rule::normal(16, 2.0, 1.0), 24, &[0.25, 0.5, 1.0, 2.0]);
        assert!(seen.iter().zip(table).all(|(a, b)| (a - b).abs() < 2e-6), "{seen:?}");
    }

    #[test]
    fn the_other_limit_has_its_own_values() {
        // ∫max(V, 0) has kinks at c = 0: an equally spaced rule in c, 5e-6 from that of twice its points. To five
        // digits.
        let table = [0.145_74, 0.084_02, 0.047_71];
        let seen = extrapolated(Limit::Pde2Prime, &Rule::normal_grid(48, 2.0, 1.0, 6.0), 16, &[0.25, 0.5, 1.0]);
        assert!(seen.iter().zip(table).all(|(a, b)| (a - b).abs() < 1e-5), "{seen:?}");
    }

    #[test]
    fn the_step_has_order_two() {
        for limit in BOTH {
            let at = |k: f64| energies(limit, Rule::normal(6, 2.0, 1.0), 8, 6, 1.0 / k, &[1.0])[0];
            let [a, b, c, d] = [8.0, 16.0, 32.0, 64.0].map(at);
            for ratio in [(b - a) / (c - b), (c - b) / (d - c)] {
                assert!((ratio.log2() - 2.0).abs() < 0.25, "{limit:?}: {a} {b} {c} {d}");
            }
        }
    }

    /// F = -1, 1, 0 at x = 0, 1, 2: nothing moves if it may not.
    struct Table;

    impl Potential for Table {
        fn dim(&self) -> usize {
            1
        }

        fn at(&self, x: &[f64], _: &mut [f64]) -> f64 {
            [-1.0, 1.0, 0.0][x[0] as usize]
        }
    }

    fn three_points(limit: Limit, h: f64, t: f64) -> [f64; 3] {
        let start = Nodes { x: vec![vec![0.0, 1.0]], w: vec![0.2, 0.8] };
        let prior = Nodes { x: vec![vec![2.0]], w: vec![1.0] };
        let flow = Flow { alpha: 2.0, transport: false, limit };
        // All that is injected stays where it is, in one node.
        let seen = solve(&Table, &start, &prior, flow, h, &[t], |m| <[f64; 3]>::try_from(m.nodes.w.clone()));
        seen[0].clone().expect("three nodes")
    }

    #[test]
    fn three_points_in_closed_form() {
        // Weights a, b, c at V = -1, 1, 0, injection into c. PDE 2: a' = alpha a, b' = -alpha b while a < b; from then
        // on the replicator equation, in which weights keep the ratios of a e^s, b e^-s, c.
        let alpha = 2.0;
        let cross = (0.8f64 / 0.2).ln() / (2.0 * alpha);
        for t in [0.25, 1.0] {
            let grown = (alpha * t).exp();
            let mut exact = [0.2 * grown, 0.8 / grown, 0.0];
            if t < cross {
                exact[2] = 1.0 - exact[0] - exact[1];
            } else {
                let after = (alpha * (t - cross)).exp();
                exact = [0.4 * after, 0.4 / after, 0.2];
                let sum: f64 = exact.iter().sum();
                exact = exact.map(|w| w / sum);
            }
            let seen = three_points(Limit::Pde2, 1.0 / 64.0, t);
            // Exact before the crossing. The step across it errs by (alpha h)^2 at most.
            let tolerance = if t < cross { 1e-14 } else { (alpha / 64.0).powi(2) };
            assert!(seen.iter().zip(exact).all(|(a, b)| (a - b).abs() < tolerance), "{t}: {seen:?} {exact:?}");
        }
        // PDE 2': a' = alpha a (1 - a), b' = -alpha b (1 + a). Injected mass dilutes nothing but itself: order 2 at
        // least.
        let grown = (alpha * 1.0f64).exp();
        let sum = 0.8 + 0.2 * grown;
        let exact = [0.2 * grown / sum, 0.8 / (grown * sum), 1.0 - 0.2 * grown / sum - 0.8 / (grown * sum)];
        let seen = three_points(Limit::Pde2Prime, 1.0 / 64.0, 1.0);
        assert!(seen.iter().zip(exact).all(|(a, b)| (a - b).abs() < 1e-6), "{seen:?} {exact:?}");
    }

    #[test]
    fn without_injection_it_is_pde_1() {
        // From the paper's start Vbar < 0 as soon as t > 0. Both methods are of order 4 then: 1e-8 apart at h = 1/32.
        let start = product(Rule::normal(8, 0.0, 1.0), Rule::uniform(8, -2.0, 2.0));
        let pde1 = characteristics::Flow { alpha: 5.0, transport: true };
        let start = characteristics::solve(&units(), &start, pde1, 0.02, &[0.2], |m| m.nodes.clone()).remove(0);
        let flow = Flow { alpha: 5.0, transport: true, limit: Limit::Pde2 };
        let prior = product(Rule::point(0.0), Rule::normal(4, 0.0, 1.0));
        let times = [0.5, 1.0];
        let seen = solve(&units(), &start, &prior, flow, 1.0 / 32.0, &times, |m| {
            assert_eq!(m.nodes.len(), start.len());
            assert!((m.nodes.w.iter().sum::<f64>() - 1.0).abs() < 1e-14);
            m.energy
        });
        let other = characteristics::solve(&units(), &start, pde1, 1.0 / 32.0, &times, |m| m.energy);
        assert!(seen.iter().zip(&other).all(|(a, b)| (a - b).abs() < 1e-8), "{seen:?} {other:?}");
    }

    #[test]
    fn an_error_of_the_method_appends_nothing() {
        // V = -2 and -1, in long steps of alpha h = 1: Runge-Kutta leaves a mass other than 1, at some starts less.
        // Nothing is injected.
        let start = Nodes { x: vec![vec![0.0, 1.0]], w: vec![0.5; 2] };
        let prior = Nodes { x: vec![vec![2.0]], w: vec![1.0] };
        for w in [[0.01, 0.99], [0.5, 0.5], [0.99, 0.01]] {
            let start = Nodes { w: w.to_vec(), ..start.clone() };
            let flow = Flow { alpha: 2.0, transport: false, limit: Limit::Pde2 };
            let seen = solve(&Negative, &start, &prior, flow, 0.5, &[0.5, 1.0, 2.0], |m| m.nodes.w.clone());
            for w in seen {
                assert!(w.len() == 2 && (w[0] + w[1] - 1.0).abs() < 1e-15, "{w:?}");
            }
        }
    }

    /// F = x - 2 at x = 0 and 1.
    struct Negative;

    impl Potential for Negative {
        fn dim(&self) -> usize {
            1
        }

        fn at(&self, x: &[f64], _: &mut [f64]) -> f64 {
            x[0] - 2.0
        }
    }

    #[test]
    fn keeps_mass_and_appends_once_a_step() {
        for limit in BOTH {
            let start = product(Rule::normal(4, 2.0, 1.0), Rule::uniform(4, -2.0, 2.0));
            let prior = product(Rule::point(0.0), Rule::normal(3, 0.0, 1.0));
            let flow = Flow { alpha: 5.0, transport: true, limit };
            let seen = solve(&units(), &start, &prior, flow, 0.05, &[0.0, 0.05, 0.5], |m| {
                let unmoved = m.nodes.x[0].iter().filter(|c| **c == 0.0).count();
                (m.nodes.w.iter().sum::<f64>(), m.nodes.len(), unmoved)
            });
            assert!(seen.iter().all(|(sum, ..)| (sum - 1.0).abs() < 1e-14));
            // The first step appends before and after it moves, the others after.
            assert_eq!(seen.iter().map(|seen| (seen.1, seen.2)).collect::<Vec<_>>(), [(16, 0), (22, 3), (49, 3)]);
        }
    }

    #[test]
    fn dissipates_at_the_rate_of_the_equation() {
        // dE/dt = -∫|grad V|^2 - alpha ∫V^2 + (injection) ∫V dmu_b + (loss) Vbar, with a prior that is not at c = 0.
        // Central difference over 4e-3; a method of order 2 has the slope to some h^2 = 1/4096, relative to rates of
        // order alpha |V| that are of order 1.
        let model = units();
        let start = product(Rule::normal(8, 2.0, 1.0), Rule::uniform(8, -2.0, 2.0));
        let prior = product(Rule::point(0.5), Rule::normal(8, 0.0, 1.0));
        for limit in BOTH {
            let flow = Flow { alpha: 5.0, transport: true, limit };
            let seen = solve(&model, &start, &prior, flow, 1.0 / 64.0, &[0.248, 0.25, 0.252], |m| {
                let mean = |g: &dyn Fn(f64) -> f64| m.nodes.mean(|i| g(m.fields.v[i]));
                let slope = m.nodes.mean(|i| m.fields.grad.iter().map(|g| g[i] * g[i]).sum());
                let at_prior = model.potential(m.nodes, &prior.x);
                let at_prior: f64 = at_prior.iter().zip(&prior.w).map(|(v, w)| v * w).sum();
                let (mean_v, deaths) = (mean(&|v| v), mean(&|v| v.max(0.0)));
                let exchange = match limit {
                    Limit::Pde2 => mean_v.max(0.0) * at_prior + mean_v.min(0.0) * mean_v,
                    Limit::Pde2Prime => deaths * at_prior + mean(&|v| v.min(0.0)) * mean_v,
                };
                (m.energy, -slope - 5.0 * mean(&|v| v * v) + 5.0 * exchange)
            });
            let rate = (seen[2].0 - seen[0].0) / 0.004;
            assert!((rate / seen[1].1 - 1.0).abs() < 1e-3, "{limit:?}: {rate} {}", seen[1].1);
        }
    }
}
