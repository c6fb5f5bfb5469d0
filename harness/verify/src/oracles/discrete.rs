//! C_dt: the n = infinity limit of scheme 1 at fixed step length dt.
//!
//! The same weighted nodes as in [`super::characteristics`], moved as the scheme moves its particles: evaluate; b = V -
//! Vbar (centred) or b = V (raw); p = 1 - exp(-alpha |b| dt); weights times 1 - p where b > 0, 1 + p where b < 0;
//! normalise, which is what uniform population control does in the limit; x <- x - dt grad V with the gradient
//! evaluated first. Birth-death dynamics of arXiv:1902.01843. Comparing particles with this map takes the dt bias out.

pub use super::characteristics::Moment;
use super::models::{Fields, MeanField, Nodes};

/// The scheme of which this is the limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DiscreteFlow {
    /// Birth-death rate.
    pub alpha: f64,
    /// Whether nodes move.
    pub transport: bool,
    /// Rates from V - Vbar if true, from V if false.
    pub centred: bool,
    /// Step length.
    pub dt: f64,
}

/// Runs the map from `start` and returns what `observe` makes of the measure after each of `steps` (ascending, from 0
/// on).
///
/// The moment's time is step * dt, its fields and energy those of the measure after that many steps.
/// Against PDE 1 the error is O(dt). Cost: one evaluation a step, one more an observation.
pub fn solve<T>(
    model: &dyn MeanField,
    start: &Nodes,
    flow: DiscreteFlow,
    steps: &[usize],
    mut observe: impl FnMut(&Moment) -> T,
) -> Vec<T> {
    let mut nodes = start.clone();
    let mut fields = Fields::zeros(model.dim(), nodes.len());
    let (mut done, mut seen) = (0, Vec::with_capacity(steps.len()));
    for &target in steps {
        while done < target {
            model.fields(&nodes, &mut fields);
            step(&mut nodes, &fields, flow);
            done += 1;
        }
        let energy = model.fields(&nodes, &mut fields);
        seen.push(observe(&Moment { time: target as f64 * flow.dt, nodes: &nodes, fields: &fields, energy }));
    }
    seen
}

/// [`solve`] at steps of flow.dt / `finer`. `steps` are of flow.dt.
pub fn solve_finer<T>(
    model: &dyn MeanField,
    start: &Nodes,
    flow: DiscreteFlow,
    steps: &[usize],
    finer: u32,
    observe: impl FnMut(&Moment) -> T,
) -> Vec<T> {
    let steps: Vec<usize> = steps.iter().map(|step| step * finer as usize).collect();
    solve(model, start, DiscreteFlow { dt: flow.dt / f64::from(finer), ..flow }, &steps, observe)
}

/// [`solve`] at dt -> 0 by Richardson extrapolation: 2 X(dt/2) - X(dt), at steps of flow.dt / `finer` in the place of
/// dt. `steps` are of flow.dt.
///
/// If X is off by at most e at flow.dt, by an effect of first order, what is left is of the size of (e / finer)^2.
pub fn extrapolate(
    model: &dyn MeanField,
    start: &Nodes,
    flow: DiscreteFlow,
    steps: &[usize],
    finer: u32,
    mut observe: impl FnMut(&Moment) -> f64,
) -> Vec<f64> {
    let mut at = |finer: u32| solve_finer(model, start, flow, steps, finer, &mut observe);
    richardson(&at(2 * finer), &at(finer))
}

/// 2 X(dt/2) - X(dt): without the error of first order.
pub fn richardson(fine: &[f64], coarse: &[f64]) -> Vec<f64> {
    fine.iter().zip(coarse).map(|(fine, coarse)| 2.0 * fine - coarse).collect()
}

/// One step of the map, given V and grad V at the nodes.
pub fn step(nodes: &mut Nodes, fields: &Fields, flow: DiscreteFlow) {
    let centre = if flow.centred { nodes.mean(|i| fields.v[i]) } else { 0.0 };
    for (w, v) in nodes.w.iter_mut().zip(&fields.v) {
        let b = v - centre;
        let p = -(-flow.alpha * b.abs() * flow.dt).exp_m1();
        if b > 0.0 {
            *w *= 1.0 - p;
        } else if b < 0.0 {
            *w *= 1.0 + p;
        }
    }
    let sum: f64 = nodes.w.iter().sum();
    nodes.w.iter_mut().for_each(|w| *w /= sum);
    if flow.transport {
        for (row, grad) in nodes.x.iter_mut().zip(&fields.grad) {
            for (x, g) in row.iter_mut().zip(grad) {
                *x -= flow.dt * g;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::characteristics::{self, Flow};
    use super::super::direct::DirectUnits;
    use super::super::models::{Quadratic, evaluate};
    use super::super::units::GaussianUnits;
    use super::*;
    use birth_death_stats::quadrature::{Rule, TensorRule};

    fn three_nodes() -> Nodes {
        Nodes { x: vec![vec![0.0, 1.0, 2.0]], w: vec![0.5, 0.3, 0.2] }
    }

    fn square() -> Quadratic {
        Quadratic { curvature: vec![2.0] }
    }

    #[test]
    fn one_step_of_three_nodes_by_hand() {
        // V = x^2 = 0, 1, 4; Vbar = 0.3 + 0.8 = 1.1; b = -1.1, -0.1, 2.9; alpha dt = 0.4.
        let flow = DiscreteFlow { alpha: 4.0, transport: true, centred: true, dt: 0.1 };
        let born = |b: f64| 2.0 - (-0.4 * b).exp();
        let raw = [0.5 * born(1.1), 0.3 * born(0.1), 0.2 * (-0.4f64 * 2.9).exp()];
        let sum: f64 = raw.iter().sum();
        let seen =
            solve(&square(), &three_nodes(), flow, &[1], |m| (m.nodes.w.clone(), m.nodes.x[0].clone(), m.energy));
        let (w, x, energy) = &seen[0];
        for i in 0..3 {
            assert!((w[i] - raw[i] / sum).abs() < 1e-15);
            assert!((x[i] - 0.8 * i as f64).abs() < 1e-15);
        }
        let expected: f64 = (0..3).map(|i| w[i] * x[i] * x[i]).sum();
        assert!((energy - expected).abs() < 1e-15);
    }

    #[test]
    fn extrapolation_leaves_the_second_order() {
        // without events E falls by (1 - 2 dt)^2 a step, e^(-4t) in the limit, and less 4t dt to first order
        let flow = DiscreteFlow { alpha: 0.0, transport: true, centred: true, dt: 0.01 };
        let start = solve(&square(), &three_nodes(), flow, &[0], |moment| moment.energy)[0];
        let off = |finer: u32| {
            let limit = extrapolate(&square(), &three_nodes(), flow, &[100], finer, |moment| moment.energy)[0];
            (limit / start / (-4.0f64).exp() - 1.0).abs()
        };
        assert!(off(1) < 0.04 * 0.04 && off(4) < 0.01 * 0.01, "{} {}", off(1), off(4));
        assert!((off(1) / off(2) / 4.0 - 1.0).abs() < 0.1, "{} {}", off(1), off(2));
    }

    #[test]
    fn raw_rates_and_no_transport_by_hand() {
        let flow = DiscreteFlow { alpha: 4.0, transport: false, centred: false, dt: 0.1 };
        let model = square();
        let mut nodes = three_nodes();
        let (_, fields) = evaluate(&model, &nodes);
        step(&mut nodes, &fields, flow);
        // V = 0 has no event; the others can only die.
        let raw = [0.5, 0.3 * (-0.4f64).exp(), 0.2 * (-1.6f64).exp()];
        let sum: f64 = raw.iter().sum();
        for (w, raw) in nodes.w.iter().zip(raw) {
            assert!((w - raw / sum).abs() < 1e-15);
        }
        assert_eq!(nodes.x, three_nodes().x);
    }

    #[test]
    fn tends_to_the_pde_with_order_one() {
        let model = DirectUnits { model: GaussianUnits::paper() };
        let start: Nodes = TensorRule::new(&[Rule::normal(12, 0.0, 1.0), Rule::uniform(12, -2.0, 2.0)]).into();
        for (alpha, transport) in [(0.0, true), (5.0, true), (5.0, false)] {
            let pde = Flow { alpha, transport };
            let exact = characteristics::solve(&model, &start, pde, 0.05, &[1.0], |m| m.energy)[0];
            let error = |steps: usize| {
                let flow = DiscreteFlow { alpha, transport, centred: true, dt: 1.0 / steps as f64 };
                solve(&model, &start, flow, &[steps], |m| m.energy)[0] - exact
            };
            let ratio = error(64) / error(128);
            assert!((ratio.log2() - 1.0).abs() < 0.05, "alpha {alpha}: {ratio}");
        }
    }

    #[test]
    fn observes_step_zero_and_repeats_itself() {
        let flow = DiscreteFlow { alpha: 1.0, transport: true, centred: true, dt: 0.05 };
        let seen = solve(&square(), &three_nodes(), flow, &[0, 3, 3, 5], |m| (m.time, m.energy));
        assert_eq!(seen[0], (0.0, 0.3 + 0.8));
        assert_eq!(seen[1], seen[2]);
        let alone = solve(&square(), &three_nodes(), flow, &[5], |m| (m.time, m.energy));
        assert_eq!(seen[3], alone[0]);
    }
}
