//! C_dt for scheme 2: the mean-field map of the scheme with reinjection at fixed step length dt, and at finite n where
//! n matters.
//!
//! Scheme 2 (birth-death with reinjection, arXiv:1902.01843) takes raw rates b = V. Of D deaths and B births in a step,
//! control draws (D - B)^+ particles from the prior and removes (B - D)^+ of those present, uniformly. In the mean the
//! positive part exceeds that of the mean, by an amount that vanishes only as n dt -> infinity: at small n dt every
//! death is replaced by a draw. One step: evaluate; weights times 1 - p or 1 + p as in [`super::discrete`]; with D and
//! B independent Poisson variables of the expected numbers n ∫p dmu over V > 0 and V < 0, the injected mass is
//! I = E[(D - B)^+] / n and those present are scaled to 1 - I; they move by the gradient of the evaluation; what is
//! injected does not move in this step.
//!
//! n -> infinity and then dt -> 0 leads to PDE 2, dt -> 0 alone to PDE 2' (see [`super::pde2`]).

use super::characteristics::Moment;
use super::discrete::{self, DiscreteFlow};
use super::models::{Fields, MeanField, Nodes, evaluate};
use statrs::distribution::{DiscreteCDF, Poisson};

/// The scheme of which this is the mean-field map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reinjection {
    /// Number of particles; infinity is allowed.
    pub n: f64,
    /// Birth-death rate.
    pub alpha: f64,
    /// Whether nodes move.
    pub transport: bool,
    /// Step length.
    pub dt: f64,
}

/// Runs the map from `start` with mu_b = `prior` and returns what `observe` makes of the measure after each of `steps`
/// (ascending, from 0 on).
///
/// The moment's time is step * dt, its fields and energy those of the measure after that many steps. Cost: one
/// evaluation a step, on nodes whose number grows by that of the prior in each step (with transport; once at most
/// without).
pub fn solve<T>(
    model: &dyn MeanField,
    start: &Nodes,
    prior: &Nodes,
    flow: Reinjection,
    steps: &[usize],
    mut observe: impl FnMut(&Moment) -> T,
) -> Vec<T> {
    let mut nodes = start.clone();
    let (mut done, mut seen) = (0, Vec::with_capacity(steps.len()));
    for &target in steps {
        while done < target {
            let (_, fields) = evaluate(model, &nodes);
            let injected = step(&mut nodes, &fields, flow);
            // Without transport, what was injected before is still where the prior's nodes are.
            let first = if flow.transport || nodes.len() == start.len() { nodes.len() } else { start.len() };
            append(&mut nodes, first, prior, injected);
            done += 1;
        }
        let (energy, fields) = evaluate(model, &nodes);
        seen.push(observe(&Moment { time: target as f64 * flow.dt, nodes: &nodes, fields: &fields, energy }));
    }
    seen
}

/// One step of the map but for the injection, given V and grad V at the nodes; returns the mass to be injected, which
/// is what is missing.
pub fn step(nodes: &mut Nodes, fields: &Fields, flow: Reinjection) -> f64 {
    let rate = |v: f64| -(-flow.alpha * v.max(0.0) * flow.dt).exp_m1();
    let deaths = nodes.mean(|i| rate(fields.v[i]));
    let births = nodes.mean(|i| rate(-fields.v[i]));
    let injected = mean_excess(flow.n, deaths, births);
    let Reinjection { alpha, transport, dt, .. } = flow;
    discrete::step(nodes, fields, DiscreteFlow { alpha, transport, dt, centred: false });
    nodes.w.iter_mut().for_each(|w| *w *= 1.0 - injected);
    injected
}

/// Adds `mass` times the prior at the nodes from `first` on, which are appended if there are none.
fn append(nodes: &mut Nodes, first: usize, prior: &Nodes, mass: f64) {
    if mass == 0.0 {
        return;
    }
    if first == nodes.len() {
        for (row, from) in nodes.x.iter_mut().zip(&prior.x) {
            row.extend_from_slice(from);
        }
        nodes.w.resize(first + prior.len(), 0.0);
    }
    for (w, share) in nodes.w[first..].iter_mut().zip(&prior.w) {
        *w += mass * share;
    }
}

/// E[(D - B)^+] / n for independent Poisson D and B of means n `deaths` and n `births`; for n infinite, the positive
/// part of the difference.
///
/// (D - B)^+ counts the integers k >= 0 with B <= k < D, so its mean is the sum of P(B <= k) P(D > k). Summed for the
/// smaller of the two positive parts, the other follows from E[D - B]: nothing cancels. Relative error 1e-12, from the
/// incomplete gamma function.
pub fn mean_excess(n: f64, deaths: f64, births: f64) -> f64 {
    /// Standard deviations beyond which a Poisson tail is left out, below 1e-22 for large means; the 40 serves small
    /// ones.
    const REACH: f64 = 10.0;
    let (less, more) = if deaths < births { (deaths, births) } else { (births, deaths) };
    let reach = |share: f64| REACH * (n * share).sqrt() + 40.0;
    let (first, last) = (n * more - reach(more), n * less + reach(less));
    let smaller = match (Poisson::new(n * less), Poisson::new(n * more)) {
        (Ok(less), Ok(more)) if first <= last => {
            let range = first.max(0.0) as u64..=last as u64;
            range.map(|k| more.cdf(k) * less.sf(k)).sum::<f64>() / n
        }
        // A mean of 0, or infinite ones, or a difference of more than 20 standard deviations.
        _ => 0.0,
    };
    smaller + (deaths - births).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::direct::DirectUnits;
    use super::super::models::Quadratic;
    use super::super::pde2::{self, Flow, Limit};
    use super::super::units::GaussianUnits;
    use super::*;
    use birth_death_stats::quadrature::{Rule, TensorRule};

    /// The claim's setting on few nodes: c ~ N(2, 1), y uniform on (-2, 2), towards c = 0, y ~ N(0, 1), at alpha = 5.
    fn nodes() -> (Nodes, Nodes) {
        let start = TensorRule::new(&[Rule::normal(6, 2.0, 1.0), Rule::uniform(8, -2.0, 2.0)]);
        let prior = TensorRule::new(&[Rule::point(0.0), Rule::normal(6, 0.0, 1.0)]);
        (start.into(), prior.into())
    }

    /// E at t = 1/2 after `steps` steps.
    fn energy(n: f64, steps: usize) -> f64 {
        let (start, prior) = nodes();
        let model = DirectUnits { model: GaussianUnits::paper() };
        let flow = Reinjection { n, alpha: 5.0, transport: true, dt: 0.5 / steps as f64 };
        solve(&model, &start, &prior, flow, &[steps], |m| m.energy)[0]
    }

    /// The same for a limit, on the same nodes, by extrapolation in h: to some 1e-6.
    fn limit(limit: Limit) -> f64 {
        let (start, prior) = nodes();
        let model = DirectUnits { model: GaussianUnits::paper() };
        let flow = Flow { alpha: 5.0, transport: true, limit };
        let at = |h: f64| pde2::solve(&model, &start, &prior, flow, h, &[0.5], |m| m.energy)[0];
        (4.0 * at(1.0 / 64.0) - at(1.0 / 32.0)) / 3.0
    }

    fn assert_first_order(n: impl Fn(usize) -> f64, limit: f64) {
        let errors = [20, 40, 80].map(|steps| energy(n(steps), steps) - limit);
        for pair in errors.windows(2) {
            assert!(((pair[0] / pair[1]).log2() - 1.0).abs() < 0.1, "{errors:?}");
        }
        // What two terms of the error leave after extrapolation.
        let left = (8.0 * errors[2] - 6.0 * errors[1] + errors[0]) / 3.0;
        assert!(left.abs() < 1e-5, "{errors:?}");
    }

    #[test]
    fn tends_to_pde_2_when_n_is_infinite_first() {
        assert_first_order(|_| f64::INFINITY, limit(Limit::Pde2));
    }

    #[test]
    fn tends_to_pde_2_prime_when_dt_is_small_first() {
        // At n = 1/10 the expected events in a step are so few that they hardly ever meet; at n = 400 the map is on its
        // way there.
        let target = limit(Limit::Pde2Prime);
        assert_first_order(|_| 0.1, target);
        let difference = target - limit(Limit::Pde2);
        let share = [20, 80, 320].map(|steps| (energy(400.0, steps) - energy(f64::INFINITY, steps)) / difference);
        assert!(share.windows(2).all(|s| 0.0 < s[0] && s[0] < s[1] && s[1] < 1.0), "{share:?}");
        assert!(share[2] > 0.3, "{share:?}");
    }

    #[test]
    fn tends_to_the_infinite_map_as_n_grows() {
        let infinite = energy(f64::INFINITY, 20);
        let errors = [1.0, 1e2, 1e4, 1e6].map(|n| (energy(n, 20) - infinite).abs());
        assert!(errors.windows(2).all(|e| e[1] < e[0]), "{errors:?}");
        // Only steps within some standard deviations of Vbar = 0 still differ, by the specification's n^(-1/2).
        assert!(errors[3] < 1e-2 * errors[0], "{errors:?}");
    }

    #[test]
    fn two_steps_by_hand() {
        // V = x^2 / 2 = 0, 2, 8 at 0, 2, 4; alpha dt = 0.1; no births, so that at every n what dies is drawn anew, at x
        // = 6.
        let model = Quadratic { curvature: vec![1.0] };
        let start = Nodes { x: vec![vec![0.0, 2.0, 4.0]], w: vec![0.5, 0.3, 0.2] };
        let prior = Nodes { x: vec![vec![6.0]], w: vec![1.0] };
        for transport in [true, false] {
            let flow = Reinjection { n: 7.0, alpha: 1.0, transport, dt: 0.1 };
            let seen = solve(&model, &start, &prior, flow, &[1, 2], |m| (m.nodes.x[0].clone(), m.nodes.w.clone()));
            let shrink = if transport { 0.9 } else { 1.0 };
            let once = [0.5, 0.3 * (-0.2f64).exp(), 0.2 * (-0.8f64).exp()];
            let fresh = 1.0 - once.iter().sum::<f64>();
            assert_eq!(seen[0].0, [0.0, 2.0 * shrink, 4.0 * shrink, 6.0]);
            assert!(seen[0].1.iter().zip(once.iter().chain([&fresh])).all(|(a, b)| (a - b).abs() < 1e-15));
            // V of the fresh node is 18.
            let v = |x: f64| 0.05 * (shrink * x) * (shrink * x);
            let twice = [once[0], once[1] * (-v(2.0)).exp(), once[2] * (-v(4.0)).exp(), fresh * (-1.8f64).exp()];
            let more = 1.0 - twice.iter().sum::<f64>();
            let (x, w) = &seen[1];
            if transport {
                assert!((x[3] - 5.4).abs() < 1e-15 && x[4] == 6.0);
                assert!(w.iter().zip(twice.iter().chain([&more])).all(|(a, b)| (a - b).abs() < 1e-15));
            } else {
                assert_eq!(*x, [0.0, 2.0, 4.0, 6.0]);
                assert!((w[3] - twice[3] - more).abs() < 1e-15);
            }
        }
    }

    #[test]
    fn births_remove_uniformly() {
        // Weights 1/2 at V = -1 and at V = 0.2, alpha dt = 1, n infinite: births exceed deaths, and those present are
        // cut to 1.
        let mut nodes = Nodes { x: vec![vec![0.0, 1.0]], w: vec![0.5; 2] };
        let fields = Fields { v: vec![-1.0, 0.2], grad: vec![vec![0.0; 2]] };
        let flow = Reinjection { n: f64::INFINITY, alpha: 1.0, transport: false, dt: 1.0 };
        let present = [2.0 - (-1.0f64).exp(), (-0.2f64).exp()];
        assert_eq!(step(&mut nodes, &fields, flow), 0.0);
        assert!((nodes.w[0] / nodes.w[1] - present[0] / present[1]).abs() < 1e-14);
        assert!((nodes.w[0] + nodes.w[1] - 1.0).abs() < 1e-15);
        // With one particle some of the deaths are not made up by births.
        let mut nodes = Nodes { x: vec![vec![0.0, 1.0]], w: vec![0.5; 2] };
        let injected = step(&mut nodes, &fields, Reinjection { n: 1.0, ..flow });
        let (deaths, births) = (0.5 * (1.0 - (-0.2f64).exp()), 0.5 * (1.0 - (-1.0f64).exp()));
        assert!((injected - double_sum(deaths, births)).abs() < 1e-14);
        assert!((nodes.w[0] + nodes.w[1] + injected - 1.0).abs() < 1e-15);
    }

    /// E[(D - B)^+] by its definition, for small means.
    fn double_sum(deaths: f64, births: f64) -> f64 {
        let law = |mean: f64| -> Vec<f64> {
            let mut mass = vec![(-mean).exp()];
            (1..120).for_each(|k| mass.push(mass[k - 1] * mean / k as f64));
            mass
        };
        let (deaths, births) = (law(deaths), law(births));
        let mut sum = 0.0;
        for (d, p) in deaths.iter().enumerate() {
            sum += (0..d).map(|b| (d - b) as f64 * p * births[b]).sum::<f64>();
        }
        sum
    }

    #[test]
    fn the_mean_excess_is_that_of_its_definition() {
        for (deaths, births) in
            [(0.3, 0.7), (2.0, 0.1), (20.0, 21.0), (1e-6, 3e-6), (0.0, 0.4), (0.4, 0.0), (30.0, 5.0)]
        {
            let exact = double_sum(deaths, births);
            let seen = mean_excess(1.0, deaths, births);
            assert!((seen - exact).abs() < 1e-12 * (deaths + births), "{deaths} {births}: {seen} {exact}");
            // Shares of n: the same law.
            assert!((5.0 * mean_excess(5.0, deaths / 5.0, births / 5.0) - exact).abs() < 1e-12 * (deaths + births));
        }
        // Equal means m: m exp(-2m) (I0(2m) + I1(2m)), at m = 1.
        let bessel = (-2.0f64).exp() * (2.279_585_302_336_067 + 1.590_636_854_637_329);
        assert!((mean_excess(1.0, 1.0, 1.0) - bessel).abs() < 1e-14);
        assert_eq!(mean_excess(3.0, 0.0, 0.0), 0.0);
        assert!((mean_excess(f64::INFINITY, 0.3, 0.1) - 0.2).abs() < 1e-15);
        assert_eq!(mean_excess(f64::INFINITY, 0.1, 0.3), 0.0);
    }

    #[test]
    fn many_balanced_events_leave_the_normal_excess() {
        // sqrt(2 m / (2 pi)) for D - B of variance 2 m; the next term is 1/(16 m) of it, by the expansion of the Bessel
        // functions.
        for m in [1e3f64, 1e6] {
            let ratio = mean_excess(1.0, m, m) / (m / core::f64::consts::PI).sqrt();
            assert!((ratio - 1.0).abs() < 0.1 / m, "{m}: {ratio}");
        }
    }

    #[test]
    fn poisson_stands_for_the_sum_of_rare_events() {
        // 40 candidates for death of p = 0.02 and 24 for birth of p = 0.03: the law of D - B by convolution. Relative
        // error of order p.
        let mut law = vec![0.0; 65];
        law[24] = 1.0;
        for (count, p, death) in [(40, 0.02, true), (24, 0.03, false)] {
            for _ in 0..count {
                let old = law.clone();
                for (k, mass) in law.iter_mut().enumerate() {
                    let from = if death { k.checked_sub(1) } else { Some(k + 1) };
                    *mass = (1.0 - p) * old[k] + p * from.and_then(|k| old.get(k)).unwrap_or(&0.0);
                }
            }
        }
        let exact: f64 = law.iter().enumerate().skip(25).map(|(k, mass)| (k - 24) as f64 * mass).sum();
        let seen = mean_excess(1.0, 0.8, 0.72);
        assert!((seen / exact - 1.0).abs() < 0.03, "{seen} {exact}");
    }
}
