//! Maximum mean discrepancy to a sample or a mixture.

use core::iter::repeat;

use super::kernel::{at, attract, interact, scale};
use super::mixture::{MixtureRef, distance_squared, power};
use crate::dispatch::{Task, widest};
use crate::error::parameter;
use crate::maths::{Maths, Portable};
use crate::rows::count;
use crate::sum::{self, Running};
use crate::{Energy, Error, Field, Quantity, Real, Rows};
use core::marker::PhantomData;

/// What [`Mmd`] measures the distance to.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum MmdTarget<'t, R> {
    /// `nu = sum_a q_a N(y_a, v_a I)`; for a probability the weights sum to one.
    Mixture(MixtureRef<'t, R>),
    /// `nu = (1/m) sum_s delta(y_s)`, one point a slot.
    Sample(Rows<'t, R>),
}

/// `E[mu] = 1/2 ∬ k d(mu - nu) d(mu - nu)`, `k(x, y) = exp(-|x - y|^2 / (2 h^2))`.
///
/// `F(x) = -∫ k(x, y) dnu(y)`, `K = k`, `E0 = 1/2 ∬ k dnu dnu`: a convex energy whose minimiser is `nu`. For a mixture
/// `∫ k(x, .) dN(y_a, v_a I) = (h^2 / (h^2 + v_a))^(d/2) exp(-|x - y_a|^2 / (2 (h^2 + v_a)))`.
///
/// One exponential a pair and one a particle and target point (or component).
///
/// # Order
/// As in [`GaussianUnits`](super::GaussianUnits), with `h = 1 / n` and `h^2` for the variance of the pairs; then the
/// target's components with `w = -(q_a (h / sqrt(h^2 + v_a))^d)`, or its points with `w = -(1 / m)`. `E0` of a mixture
/// is half the sum over `a`, then `b`, of `((q_a q_b) (h / sqrt(v))^d) e` with `v = h^2 + (v_a + v_b)`, of a sample
/// half the mean of means (16 lanes and a tree).
///
/// # Rounding
/// The sums over pairs and target points run one term after another, so that the error grows with `n` and `m`. As long
/// as `n eps`, `m eps` and `K^2 eps` stay below 0.01 (`n` and `m` up to 8e4 in `f32`), the energy is within
///
/// ```text
/// (0.6 n + 1.1 m + 25 + d) eps/2                          of a sample: f32, n = m = 5e4: 5.1e-3; f64: 9.5e-12
/// (0.7 n + 2 K + K^2/2 + 45 + 8 d) Q^2 eps/2              of a mixture of K components, Q = max(1, sum |q_a|)
/// ```
///
/// of the exact one of the same numbers. Thousands of points that stand in no special order have a hundredth of that,
/// or less. With `u = eps/2`, of a sample: a value of the kernel is within `(4 + 0.4 d) u` (`kernel.rs`, and the
/// rounding of distances), and counts twice; `n` additions of values up to 1, and a mean, `(n + 1) u`, of which the
/// energy has one half; `m` more on partial sums between -1 and 1 `(m + 2) u`; the mean over particles, and half that
/// of their pairs, `1.5 (n/16 + 5) u`; `E0` `(m/16 + 5) u`; the last sums `2 u`. Of a mixture partial sums are up to `2
/// Q`, and the weights within `(4 d + 2) u`.
///
/// ```
/// use birth_death::{Rows, models::{Mmd, MmdTarget}};
/// let points = [-1.0, 0.0, 2.0];
/// let mmd = Mmd::new(1.0, MmdTarget::Sample(Rows::new(&points, 3, 1, 3)?))?;
/// assert!(mmd.constant() > 0.0);
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Mmd<'t, R, M = Portable> {
    bandwidth: R,
    target: MmdTarget<'t, R>,
    constant: R,
    maths: PhantomData<M>,
}

/// `(h^2 / variance)^(d/2)`, what is left of the kernel's height when the target has a width.
fn height<R: Real>(bandwidth: R, variance: R, dim: usize) -> R {
    power(bandwidth / variance.sqrt(), dim)
}

fn check_bandwidth<R: Real>(bandwidth: R) -> Result<R, Error> {
    let accepted = "a finite number > 0 whose square has a finite inverse, and is finite";
    parameter("bandwidth", bandwidth, accepted, |h| h > R::ZERO && scale(h * h).is_finite() && (h * h).is_finite())
}

/// `∬ k dnu dnu` of a mixture.
fn mixture_product<R: Real>(bandwidth: R, mixture: MixtureRef<'_, R>) -> R {
    let squared = bandwidth * bandwidth;
    let mut product = R::ZERO;
    for a in mixture.components() {
        for b in mixture.components() {
            let variance = squared + (a.variance + b.variance);
            let e = Portable::exp2_nonpos(distance_squared(a.centre, b.centre) * scale(variance));
            product = product + a.weight * b.weight * height(bandwidth, variance, mixture.dim()) * e;
        }
    }
    product
}

/// An [`Mmd`] to a sample whose constant `E0 = 1/2 ∬ k dnu dnu` is still being summed: O(m^2 d), for callers that show
/// progress or may have to stop.
///
/// A part of it is the row of the pairs of one point, in slot order. The bits are those of [`Mmd::new`], which does all
/// rows at once, however the rows are divided.
///
/// ```
/// use birth_death::{Rows, models::{Mmd, PendingMmd, MmdTarget}};
/// let points = [-1.0, 0.0, 2.0];
/// let points = Rows::new(&points, 3, 1, 3)?;
/// let mut pending = PendingMmd::new(1.0, points)?;
/// while pending.remaining() > 0 {
///     pending.advance(2);
///     println!("{} of {} rows are left", pending.remaining(), points.len());
/// }
/// assert_eq!(pending.finish()?.constant(), Mmd::new(1.0, MmdTarget::Sample(points))?.constant());
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PendingMmd<'t, R> {
    bandwidth: R,
    points: Rows<'t, R>,
    /// Of the means of the rows done.
    means: Running<R>,
}

impl<'t, R: Real> PendingMmd<'t, R> {
    /// Checks everything, and sums nothing yet.
    ///
    /// # Errors
    /// Those of [`Mmd::new`].
    pub fn new(bandwidth: R, points: Rows<'t, R>) -> Result<Self, Error> {
        check_bandwidth(bandwidth)?;
        if points.is_empty() {
            return Err(Error::Empty);
        }
        if let Some(i) = points.first_not_finite() {
            return Err(Error::NotFinite { quantity: Quantity::Position, particle: u32::try_from(i).ok() });
        }
        Ok(Self { bandwidth, points, means: Running::EMPTY })
    }

    /// Rows that are still to be summed, of as many as there are points.
    pub const fn remaining(&self) -> usize {
        self.points.len().saturating_sub(self.means.len())
    }

    /// Sums at most so many further rows: `m` exponentials each.
    pub fn advance(&mut self, rows: usize) {
        let (points, m, scale) = (self.points, self.points.len(), scale(self.bandwidth * self.bandwidth));
        let kernel = |i: usize, j: usize| {
            let mut r2 = R::ZERO;
            for row in points.iter() {
                let dx = at(row, i) - at(row, j);
                r2 = r2 + dx * dx;
            }
            Portable::exp2_nonpos(r2 * scale)
        };
        for i in (self.means.len()..m).take(rows) {
            self.means.add(sum::mean((0..m).map(|j| kernel(i, j)), m));
        }
    }

    /// The discrepancy, once the remaining rows are summed.
    ///
    /// # Errors
    /// None: the constant of checked points is finite.
    pub fn finish(mut self) -> Result<Mmd<'t, R>, Error> {
        self.advance(self.remaining());
        let product = self.means.total() / count(self.points.len());
        Mmd::with_product(self.bandwidth, MmdTarget::Sample(self.points), product)
    }
}

impl<'t, R: Real> Mmd<'t, R> {
    /// The discrepancy to `target` with kernel width `h = bandwidth`; O(m^2 d) or O(K^2 d) once, for `E0`. Of a large
    /// sample that takes long (some ten nanoseconds a pair): [`PendingMmd`] is the same in parts.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a bandwidth that is not finite and positive; [`Error::Empty`] for a sample without
    /// points; [`Error::NotFinite`] for a point that is not finite.
    pub fn new(bandwidth: R, target: MmdTarget<'t, R>) -> Result<Self, Error> {
        match target {
            MmdTarget::Mixture(mixture) => {
                check_bandwidth(bandwidth)?;
                Self::with_product(bandwidth, target, mixture_product(bandwidth, mixture))
            }
            MmdTarget::Sample(points) => PendingMmd::new(bandwidth, points)?.finish(),
        }
    }

    /// With `∬ k dnu dnu` given.
    fn with_product(bandwidth: R, target: MmdTarget<'t, R>, product: R) -> Result<Self, Error> {
        let constant = parameter("constant E0", product * R::HALF, "a finite number", |_| true)?;
        Ok(Self { bandwidth, target, constant, maths: PhantomData })
    }

    /// The same model with the exponential of another backend.
    pub fn with_maths<M: Maths<R>>(self) -> Mmd<'t, R, M> {
        let Self { bandwidth, target, constant, .. } = self;
        Mmd { bandwidth, target, constant, maths: PhantomData }
    }
}

impl<R: Real, M> Mmd<'_, R, M> {
    /// `E0 = 1/2 ∬ k dnu dnu`, part of every energy returned.
    pub const fn constant(&self) -> R {
        self.constant
    }
}

impl<R: Real, M: Maths<R>> Energy<R> for Mmd<'_, R, M> {
    fn dim(&self) -> usize {
        match self.target {
            MmdTarget::Mixture(mixture) => mixture.dim(),
            MmdTarget::Sample(points) => points.dim(),
        }
    }

    fn evaluate(&mut self, _step: u64, at: Rows<'_, R>, out: Field<'_, R>) -> Result<R, Error> {
        out.check(self.dim(), at)?;
        Ok(widest(Evaluation { mmd: self, at, out }))
    }
}

struct Evaluation<'e, 't, R, M> {
    mmd: &'e Mmd<'t, R, M>,
    at: Rows<'e, R>,
    out: Field<'e, R>,
}

impl<R: Real, M: Maths<R>> Task for Evaluation<'_, '_, R, M> {
    type Output = R;

    #[inline(always)]
    fn run(self) -> R {
        let Self { mmd, at, mut out } = self;
        let n = at.len();
        let (potential, mut gradient) = out.parts_mut();

        // (1/n) sum_j k(x_i, x_j), and its gradient in x_i
        let squared = mmd.bandwidth * mmd.bandwidth;
        interact::<R, M>(at, potential, gradient.reborrow(), squared, R::ONE / count(n), repeat(R::ONE));
        let pair_energy = sum::mean(potential.iter().copied(), n) * R::HALF;

        // F
        match mmd.target {
            MmdTarget::Mixture(mixture) => {
                for component in mixture.components() {
                    let variance = squared + component.variance;
                    let weight = -(component.weight * height(mmd.bandwidth, variance, at.dim()));
                    attract::<R, M>(at, potential, gradient.reborrow(), component.point(), variance, weight);
                }
            }
            MmdTarget::Sample(points) => {
                let weight = -(R::ONE / count(points.len()));
                attract::<R, M>(at, potential, gradient.reborrow(), points, squared, weight);
            }
        }
        mmd.constant + (sum::mean(potential.iter().copied(), n) - pair_energy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RowsMut;
    use std::vec::Vec;

    /// A sum that is as good as exact (Neumaier).
    #[derive(Default)]
    struct Exact(f64, f64);

    impl Exact {
        fn add(&mut self, x: f64) {
            let sum = self.0 + x;
            self.1 += if self.0.abs() >= x.abs() { (self.0 - sum) + x } else { (x - sum) + self.0 };
            self.0 = sum;
        }

        fn of(values: impl Iterator<Item = f64>) -> f64 {
            let mut sum = Exact::default();
            values.for_each(|x| sum.add(x));
            sum.0 + sum.1
        }
    }

    /// `exp(-|x - y|^2 / (2 variance))`.
    fn gaussian(x: &[f64], y: &[f64], variance: f64) -> f64 {
        let r2: f64 = x.iter().zip(y).map(|(a, b)| (a - b) * (a - b)).sum();
        libm::exp(-r2 / (2.0 * variance))
    }

    /// Numbers between -2 and 2, in no special order, exact in both precisions.
    fn spread<R: Real>(i: usize, k: usize, salt: usize) -> R {
        R::from_f64(
            f64::from(((i * 7919 + k * 104_729 + salt * 1299) as u32).wrapping_mul(2_654_435_761) >> 12) / 262_144.0
                - 2.0,
        )
    }

    fn cloud<R: Real>(n: usize, dim: usize, salt: usize) -> Vec<R> {
        (0..dim).flat_map(|k| (0..n).map(move |i| spread(i, k, salt))).collect()
    }

    fn particles<R: Real>(rows: &[R], n: usize) -> Vec<Vec<f64>> {
        (0..n).map(|i| rows.iter().skip(i).step_by(n).map(|x| x.to_f64()).collect()).collect()
    }

    fn energy<R: Real>(mut mmd: Mmd<'_, R>, x: &[R], n: usize) -> f64 {
        let dim = x.len() / n;
        let (mut v, mut g) = (std::vec![R::ZERO; n], std::vec![R::ZERO; n * dim]);
        let field = Field::new(&mut v, RowsMut::new(&mut g, n, dim, n).unwrap()).unwrap();
        mmd.evaluate(0, Rows::new(x, n, dim, n).unwrap(), field).unwrap().to_f64()
    }

    const BANDWIDTH: f64 = 0.75;

    /// The error of the energy over the bound of the documentation, for a sample.
    fn of_a_sample<R: Real>(n: usize, m: usize, dim: usize, unit: f64) -> f64 {
        let (x, y) = (cloud::<R>(n, dim, 1), cloud::<R>(m, dim, 2));
        let mmd = Mmd::new(R::from_f64(BANDWIDTH), MmdTarget::Sample(Rows::new(&y, m, dim, m).unwrap())).unwrap();
        let found = energy(mmd, &x, n);
        let (x, y) = (particles(&x, n), particles(&y, m));
        let mean = |a: &[Vec<f64>], b: &[Vec<f64>]| {
            let pairs = a.iter().flat_map(|a| b.iter().map(move |b| gaussian(a, b, BANDWIDTH * BANDWIDTH)));
            Exact::of(pairs) / (a.len() * b.len()) as f64
        };
        let exact = 0.5 * mean(&x, &x) - mean(&x, &y) + 0.5 * mean(&y, &y);
        let bound = (0.6 * n as f64 + 1.1 * m as f64 + 25.0 + dim as f64) * unit;
        (found - exact).abs() / bound
    }

    /// Likewise, for a mixture of signed weights.
    fn of_a_mixture<R: Real>(n: usize, dim: usize, unit: f64) -> f64 {
        let x = cloud::<R>(n, dim, 1);
        let (centres, weights, variances) = (cloud::<R>(3, dim, 5), [0.75, -1.5, 0.5], [0.5, 0.25, 1.5]);
        // component after component
        let rounded = |values: [f64; 3]| values.map(R::from_f64);
        let (q, v) = (rounded(weights), rounded(variances));
        let mixture = MixtureRef::new(&q, &centres, &v, dim).unwrap();
        let found = energy(Mmd::new(R::from_f64(BANDWIDTH), MmdTarget::Mixture(mixture)).unwrap(), &x, n);
        let x = particles(&x, n);
        let y: Vec<Vec<f64>> = centres.chunks(dim).map(|centre| centre.iter().map(|x| x.to_f64()).collect()).collect();
        let h2 = BANDWIDTH * BANDWIDTH;
        // the power of a square root, without a power: dim is 1, 2 or 3
        let height = |v: f64| (0..dim).fold(1.0, |product, _| product * libm::sqrt(h2 / v));
        let pairs = Exact::of(x.iter().flat_map(|a| x.iter().map(move |b| gaussian(a, b, h2)))) / (n * n) as f64;
        let external = Exact::of(x.iter().flat_map(|x| (0..3).map(|a| (x, a)).collect::<Vec<_>>()).map(|(x, a)| {
            let v = h2 + variances[a];
            weights[a] * height(v) * gaussian(x, &y[a], v)
        })) / n as f64;
        let constant = Exact::of((0..9).map(|i| (i / 3, i % 3)).map(|(a, b)| {
            let v = h2 + variances[a] + variances[b];
            weights[a] * weights[b] * height(v) * gaussian(&y[a], &y[b], v)
        }));
        let exact = 0.5 * pairs - external + 0.5 * constant;
        let q = 2.75;
        (found - exact).abs() / ((0.7 * n as f64 + 6.0 + 4.5 + 45.0 + 8.0 * dim as f64) * q * q * unit)
    }

    #[test]
    fn the_energy_is_within_the_bound_of_the_documentation() {
        let (single, double) = (f64::from(f32::EPSILON) / 2.0, f64::EPSILON / 2.0);
        for dim in 1..=3 {
            for (n, m) in [(1, 1), (16, 300), (33, 5), (300, 100), (600, 1)] {
                let (a, b) = (of_a_sample::<f32>(n, m, dim, single), of_a_sample::<f64>(n, m, dim, double));
                assert!(a < 1.0 && b < 1.0, "{n} {m} {dim}: {a} {b}");
            }
            for n in [1, 300] {
                let (a, b) = (of_a_mixture::<f32>(n, dim, single), of_a_mixture::<f64>(n, dim, double));
                assert!(a < 1.0 && b < 1.0, "{n} {dim}: {a} {b}");
            }
        }
    }

    /// Half of the particles at one place and half at another: every sum adds the same value over and over, whose
    /// roundings have the same sign.
    #[test]
    fn the_bound_is_not_idle() {
        let n = 1000usize;
        let mut largest = 0.0f64;
        for step in 0..12u8 {
            let place = 0.2 + f32::from(step) * 0.0371;
            let x: Vec<f32> = (0..n).map(|i| if i < n / 2 { 0.0 } else { place }).collect();
            let far = [100.0f32];
            let mmd = Mmd::new(1.0, MmdTarget::Sample(Rows::new(&far, 1, 1, 1).unwrap())).unwrap();
            let exact = 0.25 * (1.0 + gaussian(&[0.0], &[f64::from(place)], 1.0)) + 0.5;
            let error = (energy(mmd, &x, n) - exact).abs();
            largest = largest.max(error / ((0.6 * n as f64 + 27.1) * f64::from(f32::EPSILON) / 2.0));
        }
        assert!(largest < 1.0 && largest > 0.04, "{largest}");
    }

    fn in_parts<R: Real>() {
        for (m, dim) in [(1, 1), (15, 2), (16, 1), (37, 3)] {
            let y = cloud::<R>(m, dim, 3);
            let points = Rows::new(&y, m, dim, m).unwrap();
            let h = R::from_f64(BANDWIDTH);
            let bits = |mmd: Mmd<'_, R>| mmd.constant().to_f64().to_bits();
            let whole = bits(Mmd::new(h, MmdTarget::Sample(points)).unwrap());
            // the definition: the mean of the means, in the crate's order
            let row = |i: usize| {
                let kernel = |j: usize| {
                    let r2 = (0..dim).fold(R::ZERO, |r2, k| {
                        let dx = y[k * m + i] - y[k * m + j];
                        r2 + dx * dx
                    });
                    Portable::exp2_nonpos(r2 * scale(h * h))
                };
                sum::mean((0..m).map(kernel), m)
            };
            assert_eq!((sum::mean((0..m).map(row), m) * R::HALF).to_f64().to_bits(), whole, "{m}");
            for rows in [1, 2, 7, 16, 100] {
                let mut pending = PendingMmd::new(h, points).unwrap();
                assert_eq!(pending.remaining(), m);
                pending.advance(0);
                assert_eq!(pending.remaining(), m, "nothing asked, nothing done");
                let mut left = m;
                while pending.remaining() > 0 {
                    pending.advance(rows);
                    left = left.saturating_sub(rows);
                    assert_eq!(pending.remaining(), left);
                }
                pending.advance(5);
                assert_eq!(
                    (pending.remaining(), bits(pending.finish().unwrap())),
                    (0, whole),
                    "{m} in parts of {rows}"
                );
                // the rest at once
                let mut begun = PendingMmd::new(h, points).unwrap();
                begun.advance(rows);
                assert_eq!(bits(begun.finish().unwrap()), whole);
            }
        }
    }

    #[test]
    fn a_constant_in_parts_has_the_bits_of_the_whole() {
        in_parts::<f32>();
        in_parts::<f64>();
    }

    #[test]
    fn what_is_refused_is_refused_before_anything_is_summed() {
        let y = [0.0, f64::INFINITY];
        let refused = |h: f64, n: usize| PendingMmd::new(h, Rows::new(&y, 2, 1, n).unwrap()).unwrap_err();
        assert!(matches!(refused(0.0, 1), Error::Parameter { name: "bandwidth", .. }));
        assert_eq!(refused(1.0, 0), Error::Empty);
        assert_eq!(refused(1.0, 2), Error::NotFinite { quantity: Quantity::Position, particle: Some(1) });
    }
}
