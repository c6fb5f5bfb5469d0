//! The mean energy of n particles under scheme 1 without transport, to order 1/n: C_dt and the noise of its events.
//!
//! On fixed nodes the state is the vector w of shares, V = F + K w, and a step is the map of [`super::discrete`] plus
//! noise. With n^(1/2) (shares - w) of covariance S and n (mean shares - w) = m, a step with a = alpha dt, J the map's
//! derivative, p_i the probability of an event, P = 1 - w 1', W = diag w:
//!
//! - S <- J S J' + P (W diag(p (1 - p))) P' + E|D - B| (W - w w')/n: independent events, then control of |D - B|
//!   uniform choices; D, B Poisson of the expected deaths and births;
//! - m <- J m + a [S q - diag(K S) + w tr(K S)] - w (p - w'p), q = F + 2 K w: the map's second derivative (a |b|
//!   small), and the bias of a ratio: those present before control are a random number.
//!
//! n (mean E - E(w)) = V'm + tr(K S)/2. Potentials fluctuate too, so that events go on where b = V - Vbar = 0: the mean
//! of |b| is that of a normal law of variance g'S g/n, g_i = K_i - q. This keeps the noise right when E has fallen to
//! the order of its own fluctuations, where a pure expansion in 1/n fails. Birth-death dynamics of arXiv:1902.01843;
//! the moment equations are the system-size expansion of van Kampen.

use super::discrete::{self, DiscreteFlow};
use super::discrete_reinjection::mean_excess;
use super::models::{Fields, MeanField, Nodes, evaluate};
use nalgebra::{DMatrix, DVector};
use statrs::function::erf::erfc;

/// The scheme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finite {
    /// Number of particles.
    pub n: f64,
    /// Birth-death rate.
    pub alpha: f64,
    /// Step length.
    pub dt: f64,
}

/// E after some steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Energies {
    /// At n = infinity: C_dt.
    pub limit: f64,
    /// The mean over starts and events.
    pub mean: f64,
}

/// Where the particles start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Independent draws from the nodes' law.
    Independent,
    /// On a lattice, without fluctuations of order n^(-1/2).
    Lattice,
}

/// The energies after each of `steps` (ascending, from 0 on), for K and F of `model` at the nodes of `law`.
///
/// Cost: three products of matrices a step, and at first one evaluation a node. Error O(alpha dt |b|) of the 1/n term,
/// and O(n^-2).
pub fn solve(model: &dyn MeanField, law: &Nodes, start: Start, scheme: Finite, steps: &[usize]) -> Vec<Energies> {
    let system = System::new(model, law);
    let mut nodes = law.clone();
    let w = DVector::from_column_slice(&law.w);
    let noise = match start {
        Start::Independent => multinomial(&w),
        Start::Lattice => DMatrix::zeros(law.len(), law.len()),
    };
    let mut moments = Moments { mean: DVector::zeros(law.len()), noise };
    let (mut done, mut seen) = (0, Vec::with_capacity(steps.len()));
    for &target in steps {
        loop {
            let (limit, fields) = evaluate(model, &nodes);
            let events = Events::new(&system, &nodes, &fields, &moments, scheme);
            if done == target {
                let v = DVector::from_column_slice(&fields.v);
                let excess = v.dot(&moments.mean) + 0.5 * (&system.kernel * &moments.noise).trace();
                seen.push(Energies { limit, mean: limit + excess / scheme.n });
                break;
            }
            moments = moments.step(&system, &events, scheme);
            step(&mut nodes, &fields, scheme);
            done += 1;
        }
    }
    seen
}

fn step(nodes: &mut Nodes, fields: &Fields, scheme: Finite) {
    let flow = DiscreteFlow { alpha: scheme.alpha, transport: false, centred: true, dt: scheme.dt };
    discrete::step(nodes, fields, flow);
}

/// K at the nodes, F being V of no mass at all.
struct System {
    kernel: DMatrix<f64>,
}

impl System {
    fn new(model: &dyn MeanField, law: &Nodes) -> Self {
        let potential = |w: Vec<f64>| DVector::from_vec(evaluate(model, &Nodes { x: law.x.clone(), w }).1.v);
        let len = law.len();
        let external = potential(vec![0.0; len]);
        let columns: Vec<DVector<f64>> = (0..len)
            .map(|j| {
                let mut unit = vec![0.0; len];
                unit[j] = 1.0;
                potential(unit) - &external
            })
            .collect();
        Self { kernel: DMatrix::from_columns(&columns) }
    }
}

/// W - w w': the covariance of one draw.
fn multinomial(w: &DVector<f64>) -> DMatrix<f64> {
    DMatrix::from_diagonal(w) - w * w.transpose()
}

/// What happens in a step at given moments.
struct Events {
    w: DVector<f64>,
    /// b = V - Vbar.
    b: DVector<f64>,
    /// q = F + 2 K w: the derivative of Vbar.
    q: DVector<f64>,
    /// Probability of an event, and its variance.
    p: DVector<f64>,
    variance: DVector<f64>,
    /// E|D - B|/n.
    control: f64,
}

impl Events {
    fn new(system: &System, nodes: &Nodes, fields: &Fields, moments: &Moments, scheme: Finite) -> Self {
        let (kernel, noise) = (&system.kernel, &moments.noise);
        let w = DVector::from_column_slice(&nodes.w);
        let v = DVector::from_column_slice(&fields.v);
        let b = v.add_scalar(-w.dot(&v));
        let q = v + kernel * &w;
        // g'S g for g_i = K_i - q.
        let (across, noise_q) = (kernel * noise, noise * &q);
        let own = across.component_mul(kernel).column_sum();
        let shared = kernel * &noise_q;
        let common = q.dot(&noise_q);
        let probability = |rate: f64| -(-scheme.alpha * scheme.dt * rate).exp_m1();
        let (mut deaths, mut births) = (DVector::zeros(w.len()), DVector::zeros(w.len()));
        for i in 0..w.len() {
            let spread = ((own[i] - 2.0 * shared[i] + common) / scheme.n).max(0.0).sqrt();
            let positive = mean_positive_part(b[i], spread);
            deaths[i] = probability(positive);
            births[i] = probability(positive - b[i]);
        }
        let variance = deaths.zip_map(&births, |d: f64, b: f64| d * (1.0 - d) + b * (1.0 - b));
        let (d, b_total) = (w.dot(&deaths), w.dot(&births));
        let control = mean_excess(scheme.n, d, b_total) + mean_excess(scheme.n, b_total, d);
        Self { b, q, p: deaths + births, variance, control, w }
    }
}

/// E max(X, 0) for X normal.
fn mean_positive_part(mean: f64, sd: f64) -> f64 {
    if sd < 1e-12 * mean.abs() || sd == 0.0 {
        return mean.max(0.0);
    }
    let z = mean / sd;
    let density = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
    sd * density + mean * 0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

/// m and S.
struct Moments {
    mean: DVector<f64>,
    noise: DMatrix<f64>,
}

impl Moments {
    fn step(&self, system: &System, events: &Events, scheme: Finite) -> Self {
        let Events { w, q, p, variance, .. } = events;
        let a = scheme.alpha * scheme.dt;
        let jacobian = jacobian(system, events, a);
        let across = &system.kernel * &self.noise;
        let curvature = &self.noise * q - across.diagonal() + w * across.trace();
        let ratio = w.component_mul(&p.add_scalar(-w.dot(p)));
        let mean = &jacobian * &self.mean + curvature * a - ratio;
        // P X P' with X diagonal.
        let x = w.component_mul(variance);
        let mixed = &x * w.transpose();
        let independent = DMatrix::from_diagonal(&x) - &mixed - mixed.transpose() + w * w.transpose() * x.sum();
        let noise = &jacobian * &self.noise * jacobian.transpose() + independent + multinomial(w) * events.control;
        Self { mean, noise }
    }
}

/// The derivative of the map w_i -> w_i f(b_i) / sum, f = 1 - p where b > 0 and 1 + p where b < 0; f' = -a exp(-a |b|).
fn jacobian(system: &System, events: &Events, a: f64) -> DMatrix<f64> {
    let Events { w, b, q, .. } = events;
    let f = b.map(|b| if b > 0.0 { (-a * b).exp() } else { 2.0 - (a * b).exp() });
    let slope = w.zip_map(b, |w, b| -w * a * (-a * b.abs()).exp());
    let mut free = DMatrix::from_fn(w.len(), w.len(), |i, j| slope[i] * (system.kernel[(i, j)] - q[j]));
    for i in 0..w.len() {
        free[(i, i)] += f[i];
    }
    let mass = w.dot(&f);
    let shares = w.component_mul(&f) / mass;
    let columns = free.row_sum();
    (free - shares * columns) / mass
}

#[cfg(test)]
mod tests {
    use super::super::mmd::Mmd;
    use super::super::units::Component;
    use super::*;
    use birth_death_stats::quadrature::{Rule, TensorRule};

    const SCHEME: Finite = Finite { n: 100.0, alpha: 4.0, dt: 0.25 };

    fn model() -> Mmd {
        let term = |weight: f64, x: f64, variance: f64| Component { weight, centre: vec![x], variance };
        Mmd { bandwidth: 0.8, target: vec![term(0.4, -0.9, 0.16), term(0.6, 0.7, 0.25)] }
    }

    fn law(nodes: usize) -> Nodes {
        TensorRule::new(&[Rule::normal_grid(nodes, 0.3, 1.2, 4.0)]).into()
    }

    #[test]
    fn independent_draws_start_with_their_exact_bias() {
        // n (mean E - E) = (<K(x, x)> - ∬K)/2, and K(x, x) = 1.
        let law = law(12);
        let (external, _) = evaluate(&model(), &Nodes { x: law.x.clone(), w: vec![0.0; 12] });
        let seen = solve(&model(), &law, Start::Independent, SCHEME, &[0]);
        let (limit, fields) = evaluate(&model(), &law);
        assert_eq!(seen[0].limit, limit);
        // E = E0 + F.w + (1/2) w.K w and V.w = F.w + w.K w.
        let double = 2.0 * (external + law.mean(|i| fields.v[i]) - limit);
        assert!(((seen[0].mean - limit) * SCHEME.n - 0.5 * (1.0 - double)).abs() < 1e-13);
        let lattice = solve(&model(), &law, Start::Lattice, SCHEME, &[0]);
        assert_eq!(lattice[0].mean, limit);
    }

    #[test]
    fn the_jacobian_is_the_maps_derivative() {
        let law = law(9);
        let system = System::new(&model(), &law);
        let moments = Moments { mean: DVector::zeros(9), noise: DMatrix::zeros(9, 9) };
        let (_, fields) = evaluate(&model(), &law);
        let exact = jacobian(&system, &Events::new(&system, &law, &fields, &moments, SCHEME), 1.0);
        let moved = |j: usize, k: usize, h: f64| {
            // along e_j - e_k, which keeps the mass
            let mut nodes = law.clone();
            nodes.w[j] += h;
            nodes.w[k] -= h;
            let (_, fields) = evaluate(&model(), &nodes);
            step(&mut nodes, &fields, SCHEME);
            DVector::from_vec(nodes.w)
        };
        for j in 1..9 {
            let h = 1e-5;
            let slope = (moved(j, 0, h) - moved(j, 0, -h)) / (2.0 * h);
            let error = (slope - (exact.column(j) - exact.column(0))).amax();
            assert!(error < 1e-8, "{j} {error:e}");
        }
    }

    #[test]
    fn shares_keep_their_sum_and_the_grid_converges() {
        let law = law(10);
        let system = System::new(&model(), &law);
        let mut nodes = law.clone();
        let mut moments = Moments { mean: DVector::zeros(10), noise: DMatrix::zeros(10, 10) };
        for _ in 0..20 {
            let (_, fields) = evaluate(&model(), &nodes);
            let events = Events::new(&system, &nodes, &fields, &moments, SCHEME);
            moments = moments.step(&system, &events, SCHEME);
            step(&mut nodes, &fields, SCHEME);
        }
        assert!(moments.mean.sum().abs() < 1e-12);
        assert!(moments.noise.column_sum().amax() < 1e-12);
        let at = |nodes: usize| solve(&model(), &self::law(nodes), Start::Lattice, SCHEME, &[20])[0];
        let (coarse, fine) = (at(24), at(36));
        let excess = |seen: Energies| seen.mean - seen.limit;
        assert!(excess(fine) > 0.0 && (excess(coarse) / excess(fine) - 1.0).abs() < 0.03);
    }

    #[test]
    fn the_positive_part_of_a_normal_law() {
        // At mean 0, sd / root(2 pi); E|X| of N(1, 1) is 2 E max(X, 0) - 1 = 1.166630941.
        assert!((mean_positive_part(0.0, 2.0) - 2.0 / std::f64::consts::TAU.sqrt()).abs() < 1e-15);
        assert!((2.0 * mean_positive_part(1.0, 1.0) - 1.0 - 1.166_630_941).abs() < 1e-9);
        assert_eq!((mean_positive_part(0.7, 0.0), mean_positive_part(-0.7, 0.0)), (0.7, 0.0));
    }
}
