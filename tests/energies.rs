//! The energies against definitions: central differences of `n E`, and double loops with libm's exponential.

mod common;

use birth_death::maths::{Libm, Maths, Portable};
use birth_death::models::{
    Activation, DoubleWell, Examples, External, GaussianUnits, Loss, MixtureRef, Mmd, MmdTarget, Network, Quadratic,
    Rastrigin, StudentTeacher, network,
};
use birth_death::{Energy, Real, Rows};
use common::{Memory, property};

/// Step of the central differences.
const H: f64 = 1e-5;
/// Their error is at most `H^2 / 6` times the third derivative (below 4 (2 pi)^3 for Rastrigin's of amplitude 4, far
/// less for the others) and `2 eps |n E| / H` of rounding, with |n E| below 1000 and partial sums of that size:
/// 1.7e-8 + 4.4e-8.
const DIFFERENCE_TOLERANCE: f64 = 1e-7;

/// `grad V_i = n dE / d theta_i`, for every component of every particle.
fn gradient_is_the_slope_of_n_e(energy: &mut dyn Energy<f64>, n: usize, seed: u64) {
    let dim = energy.dim();
    let mut memory = Memory::<f64>::uniform(n, dim, 1, seed, -1.8, 1.8);
    memory.evaluate(energy, 0).expect("finite");
    let gradient = memory.gradient.clone();
    for k in 0..dim {
        for i in 0..n {
            let at = k * memory.stride + i;
            let x = memory.x[at];
            let mut shifted = |x: f64| {
                memory.x[at] = x;
                memory.evaluate(energy, 0).expect("finite")
            };
            let (high, low) = (x + H, x - H);
            let slope = n as f64 * (shifted(high) - shifted(low)) / (high - low);
            shifted(x);
            let error = (slope - gradient[at]).abs();
            assert!(error < DIFFERENCE_TOLERANCE, "component {k} of {i}: slope {slope}, gradient {}", gradient[at]);
        }
    }
}

/// A mixture with nothing special about it: weights of both signs, unequal variances.
struct Parts<R> {
    weights: [R; 3],
    centres: Vec<R>,
    variances: [R; 3],
    dim: usize,
}

impl<R: Real> Parts<R> {
    fn new(dim: usize) -> Self {
        let centres = (0..3 * dim).map(|k| R::from_f64(0.37 * k as f64 - 0.3 * (k % 2) as f64 - 0.7)).collect();
        let (weights, variances) = ([0.6, -0.8, 0.3].map(R::from_f64), [0.5, 0.7, 1.1].map(R::from_f64));
        Self { weights, centres, variances, dim }
    }

    fn view(&self) -> MixtureRef<'_, R> {
        MixtureRef::new(&self.weights, &self.centres, &self.variances, self.dim).expect("a mixture")
    }

    fn exact(&self) -> Vec<(f64, Vec<f64>, f64)> {
        let part = |a: usize| {
            let centre = self.centres[a * self.dim..][..self.dim].iter().map(|x| x.to_f64()).collect();
            (self.weights[a].to_f64(), centre, self.variances[a].to_f64())
        };
        (0..3).map(part).collect()
    }
}

#[test]
fn gradients_are_the_slopes_of_n_times_the_energy() {
    for n in [1, 2, 5, 17] {
        for dim in [1, 2, 3, 5] {
            let parts = Parts::new(dim);
            let seed = (n * 10 + dim) as u64;
            let curvature: Vec<f64> = (0..dim).map(|k| 1.3 - 0.7 * k as f64).collect();
            gradient_is_the_slope_of_n_e(&mut Quadratic::new(&curvature).expect("a model"), n, seed);
            gradient_is_the_slope_of_n_e(&mut DoubleWell::new(0.3, dim).expect("a model"), n, seed);
            gradient_is_the_slope_of_n_e(&mut Rastrigin::new(4.0, dim).expect("a model"), n, seed);
            gradient_is_the_slope_of_n_e(&mut GaussianUnits::new(0.6, parts.view()).expect("a model"), n, seed);
            gradient_is_the_slope_of_n_e(
                &mut Mmd::new(0.9, MmdTarget::Mixture(parts.view())).expect("a model"),
                n,
                seed,
            );
            let sample = Memory::<f64>::uniform(7, dim, 2, 1, -1.0, 1.5);
            gradient_is_the_slope_of_n_e(
                &mut Mmd::new(0.9, MmdTarget::Sample(sample.rows())).expect("a model"),
                n,
                seed,
            );
            let teacher = Memory::<f64>::uniform(3, dim + 1, 0, 4, -1.0, 1.5);
            gradient_is_the_slope_of_n_e(&mut StudentTeacher::new(teacher.rows()).expect("a model"), n, seed);
            let (x, y) =
                (Memory::<f64>::uniform(6, dim, 0, 2, -1.5, 1.5).x, Memory::<f64>::uniform(6, 1, 0, 3, 0.0, 1.0).x);
            let examples = Examples::new(&x, dim, &y, 1).expect("examples");
            for activation in [Activation::Relu, Activation::Tanh, Activation::Gaussian, Activation::Sigmoid] {
                for loss in [Loss::Squared, Loss::Logistic] {
                    let mut scratch = vec![0.0; network::scratch_len(1, 6)];
                    let network = Network::new(activation, loss, examples, &mut scratch).expect("a model");
                    let network = network.with_scale(1.5).and_then(|network| network.with_decay(0.1));
                    gradient_is_the_slope_of_n_e(&mut network.expect("a model"), n, seed);
                }
            }
        }
        let own = |[x, y]: [f64; 2]| (x * x * y + libm::sin(y), [2.0 * x * y, x * x + libm::cos(y)]);
        gradient_is_the_slope_of_n_e(&mut External(own), n, n as u64);
    }
}

/// A sum of Gaussian terms in f64, with what bounds the rounding error of a sum of the same terms elsewhere.
#[derive(Clone, Copy, Default)]
struct Bounded {
    value: f64,
    /// Sum of |term|.
    size: f64,
    /// Sum of |term| |ln e|: the exponent's relative error becomes the term's, times the exponent.
    exponent: f64,
}

impl Bounded {
    fn add(&mut self, factor: f64, exponent: f64) {
        let term = factor * libm::exp(exponent);
        self.value += term;
        self.size += term.abs();
        self.exponent += term.abs() * exponent.abs();
    }

    /// Half an epsilon is the unit u. A term's exponent passes `d + 2` roundings of the squared distance, three of the
    /// scale and one product: `(d + 8) u |ln e|`. Exponential 2 u (1.6 of them in f32), normaliser `3 d + 4`, weights
    /// and factors 10, the difference in a gradient 1; summing m terms, `m u`. In f64 the reference errs by as much
    /// again, hence the 2.
    fn bound(&self, terms: usize, dim: usize, epsilon: f64) -> f64 {
        let (m, d) = (terms as f64, dim as f64);
        2.0 * epsilon / 2.0 * (self.size * (m + 5.0 * d + 30.0) + self.exponent * (d + 8.0)) + f64::MIN_POSITIVE
    }
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// `(2 pi variance)^(-d/2)`
fn normaliser(variance: f64, dim: usize) -> f64 {
    (0..dim).fold(1.0, |product, _| product / libm::sqrt(core::f64::consts::TAU * variance))
}

/// A kernel term: its height, its width, where it stands, and whether it is half of a pair.
struct Term {
    height: f64,
    variance: f64,
    centre: Vec<f64>,
    pair: bool,
}

/// The energy of particles with `charges` (one for MMD) at `places`, by the definition: V, grad and E, with bounds.
///
/// `F(c, y) = c sum_external h N, K = c c' sum_pairs h N`; E = E0 + mean(F + (V - F) / 2).
fn compare<R: Real>(
    energy: &mut dyn Energy<R>,
    memory: &mut Memory<R>,
    charged: bool,
    constant: f64,
    terms: impl Fn(&[Vec<f64>], &[f64]) -> Vec<Term>,
    epsilon: f64,
) {
    let n = memory.n;
    let particles: Vec<Vec<f64>> = (0..n).map(|i| memory.particle(i).iter().map(|x| x.to_f64()).collect()).collect();
    let (charges, places): (Vec<f64>, Vec<Vec<f64>>) =
        particles.iter().map(|p| if charged { (p[0], p[1..].to_vec()) } else { (1.0, p.clone()) }).unzip();
    let terms = terms(&places, &charges);
    let dim = places[0].len();
    let found = memory.evaluate(energy, 0).expect("finite").to_f64();
    let (mut expected, mut allowed) = (constant, 4.0 * epsilon * constant.abs() * (terms.len() as f64));
    for i in 0..n {
        let (mut sum, mut half) = (Bounded::default(), Bounded::default());
        let mut slopes = vec![Bounded::default(); dim];
        for term in &terms {
            let exponent = -distance(&places[i], &term.centre) / (2.0 * term.variance);
            sum.add(term.height, exponent);
            half.add(if term.pair { term.height / 2.0 } else { term.height }, exponent);
            for (k, slope) in slopes.iter_mut().enumerate() {
                slope.add(-term.height * (places[i][k] - term.centre[k]) / term.variance, exponent);
            }
        }
        let bound = |b: &Bounded| b.bound(terms.len(), dim, epsilon);
        let close = |what: &str, found: R, factor: f64, b: &Bounded| {
            let (found, allowed) = (found.to_f64(), factor.abs() * bound(b));
            let expected = factor * b.value;
            assert!((found - expected).abs() <= allowed, "{what} of {i}: {found} against {expected} +- {allowed}");
        };
        close("potential", memory.potential[i], charges[i], &sum);
        if charged {
            close("slope in the charge", memory.slope(0, i), 1.0, &sum);
        }
        for (k, slope) in slopes.iter().enumerate() {
            close("slope", memory.slope(k + usize::from(charged), i), charges[i], slope);
        }
        expected += charges[i] * half.value / n as f64;
        // both the mean potential and the pairs' half are sums of their own
        allowed += 2.0 * charges[i].abs() * bound(&sum) / n as f64;
    }
    assert!((found - expected).abs() <= allowed, "energy {found} against {expected} +- {allowed}");
    assert!(allowed < 2e5 * epsilon, "the bound says nothing: {allowed}");
}

fn gaussian_units<R: Real, M: Maths<R>>(n: usize, dim: usize, seed: u64, epsilon: f64) {
    let parts = Parts::<R>::new(dim);
    let s2 = R::from_f64(0.6);
    let mut energy = GaussianUnits::new(s2, parts.view()).expect("a model").with_maths::<M>();
    let (s2, exact) = (s2.to_f64(), parts.exact());
    let mut constant = 0.0;
    for (q, y, v) in &exact {
        for (r, z, w) in &exact {
            constant += 0.5 * q * r * normaliser(v + w, dim) * libm::exp(-distance(y, z) / (2.0 * (v + w)));
        }
    }
    let size = exact.iter().map(|(q, _, _)| q.abs()).sum::<f64>();
    let allowed = size * size * epsilon * (5.0 * dim as f64 + 30.0) * 4.0;
    assert!((energy.constant().to_f64() - constant).abs() < allowed, "{}", energy.constant());
    let mut memory = Memory::uniform(n, dim + 1, 3, seed, -2.5, 2.5);
    let terms = |places: &[Vec<f64>], charges: &[f64]| {
        let pairs = places.iter().zip(charges).map(|(centre, c)| Term {
            height: c / n as f64 * normaliser(2.0 * s2, dim),
            variance: 2.0 * s2,
            centre: centre.clone(),
            pair: true,
        });
        let external = exact.iter().map(|(q, centre, v)| Term {
            height: -q * normaliser(s2 + v, dim),
            variance: s2 + v,
            centre: centre.clone(),
            pair: false,
        });
        pairs.chain(external).collect()
    };
    let constant = energy.constant().to_f64();
    compare(&mut energy, &mut memory, true, constant, terms, epsilon);
}

fn mmd<R: Real, M: Maths<R>>(n: usize, dim: usize, seed: u64, epsilon: f64) {
    let parts = Parts::<R>::new(dim);
    let exact = parts.exact();
    let sample = Memory::<R>::uniform(11, dim, 2, seed.wrapping_add(1), -1.0, 2.0);
    let points: Vec<Vec<f64>> = (0..11).map(|i| sample.particle(i).iter().map(|x| x.to_f64()).collect()).collect();
    let h = R::from_f64(0.9);
    let h2 = h.to_f64() * h.to_f64();
    let height = |variance: f64| (0..dim).fold(1.0, |product, _| product * libm::sqrt(h2 / variance));
    let mixture: f64 = exact
        .iter()
        .flat_map(|(q, y, v)| exact.iter().map(move |(r, z, w)| (q * r, distance(y, z), h2 + v + w)))
        .map(|(qr, r2, variance)| 0.5 * qr * height(variance) * libm::exp(-r2 / (2.0 * variance)))
        .sum();
    let points_constant: f64 = points
        .iter()
        .flat_map(|y| points.iter().map(move |z| distance(y, z)))
        .map(|r2| 0.5 * libm::exp(-r2 / (2.0 * h2)) / 121.0)
        .sum();
    for (target, constant) in
        [(MmdTarget::Mixture(parts.view()), mixture), (MmdTarget::Sample(sample.rows()), points_constant)]
    {
        let mut energy = Mmd::new(h, target).expect("a model").with_maths::<M>();
        assert!((energy.constant().to_f64() - constant).abs() < epsilon * (5.0 * dim as f64 + 30.0) * 12.0);
        let mut memory = Memory::uniform(n, dim, 3, seed, -2.5, 2.5);
        let terms = |places: &[Vec<f64>], _: &[f64]| {
            let pairs = places.iter().map(|centre| (1.0 / n as f64, h2, centre.clone(), true));
            let external: Vec<(f64, f64, Vec<f64>, bool)> = match target {
                MmdTarget::Mixture(_) => {
                    let part = |(q, y, v): &(f64, Vec<f64>, f64)| (-q * height(h2 + v), h2 + v, y.clone(), false);
                    exact.iter().map(part).collect()
                }
                _ => points.iter().map(|y| (-1.0 / 11.0, h2, y.clone(), false)).collect(),
            };
            let term = |(height, variance, centre, pair)| Term { height, variance, centre, pair };
            pairs.chain(external).map(term).collect()
        };
        let constant = energy.constant().to_f64();
        compare(&mut energy, &mut memory, false, constant, terms, epsilon);
    }
}

#[test]
fn kernel_energies_equal_their_definition() {
    fn check(seed: u64) -> bool {
        let (single, double) = (f64::from(f32::EPSILON), f64::EPSILON);
        for dim in [1, 2, 4] {
            for n in [1, 2, 15, 33] {
                gaussian_units::<f32, Portable>(n, dim, seed, single);
                gaussian_units::<f64, Portable>(n, dim, seed, double);
                gaussian_units::<f32, Libm>(n, dim, seed, single);
                gaussian_units::<f64, Libm>(n, dim, seed, double);
                mmd::<f32, Portable>(n, dim, seed, single);
                mmd::<f64, Portable>(n, dim, seed, double);
                mmd::<f64, Libm>(n, dim, seed, double);
            }
        }
        true
    }
    property(40, check as fn(u64) -> bool);
}

#[test]
fn external_energies_are_means_of_their_formulas() {
    let mut memory = Memory::new(&[vec![0.5, -1.5], vec![2.0, -0.25]], 0);
    let mut evaluate = |energy: &mut dyn Energy<f64>| {
        let value = memory.evaluate(energy, 0).expect("finite");
        (value, memory.potential.clone(), memory.gradient.clone())
    };
    // 1/2 (2 x^2 - 4 y^2)
    let (value, v, g) = evaluate(&mut Quadratic::new(&[2.0, -4.0]).expect("a model"));
    assert_eq!((value, v, g), (-2.8125, vec![-7.75, 2.125], vec![1.0, -3.0, -8.0, 1.0]));
    // (x^2 - 1)^2 + x / 2 + y^2 / 2
    let (value, v, g) = evaluate(&mut DoubleWell::new(0.5, 2).expect("a model"));
    assert_eq!((value, v, g), (1.828_125, vec![2.8125, 0.84375], vec![-1.0, -7.0, 2.0, -0.25]));
    // amplitude 3: cos of pi, of 4 pi, of -3 pi, of -pi/2: 0.25 + 6 + 4 + 0; 2.25 + 6 + 0.0625 + 3
    let (value, v, g) = evaluate(&mut Rastrigin::new(3.0, 2).expect("a model"));
    let slope = 3.0 * core::f64::consts::TAU;
    let close = |found: &[f64], expected: &[f64]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-13);
    assert!(close(&v, &[10.25, 11.3125]) && close(&[value], &[10.781_25]), "{v:?}");
    assert!(close(&g, &[1.0, -3.0, 4.0, -0.5 - slope]), "{g:?}");
}

#[test]
fn an_energy_is_usable_by_reference_and_as_dyn() {
    let curvature = [1.0, 2.0];
    let mut energy = Quadratic::new(&curvature).expect("a model");
    let by_reference = &mut energy;
    assert_eq!(Energy::<f64>::dim(&by_reference), 2);
    let boxed: Box<dyn Energy<f64>> = Box::new(energy);
    assert_eq!(boxed.dim(), 2);
    let points = [1.0, 2.0];
    let sample = Rows::packed(&points, 1).expect("two points");
    assert_eq!(Mmd::new(1.0, MmdTarget::Sample(sample)).expect("a model").dim(), 1);
}
