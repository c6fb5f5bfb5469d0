//! The student-teacher network of ReLU units on the sphere, by its exact population loss: the paper's second model.

use super::lanes::{Block, LANES, load, store};
use crate::dispatch::{Task, widest};
use crate::error::parameter;
use crate::rows::{count, indices};
use crate::{Energy, Error, Field, Quantity, Real, Rows, RowsMut, sum};

/// `E[mu] = 1/2 <(f_mu - f)^2>`, `f_mu(x) = s ∫ c max(a . x, 0) dmu(c, a)`, `x` uniform on the unit sphere of R^d.
///
/// A particle is a unit `(c, a)`: output weight in row 0, direction in rows 1 to d. The teacher is a sum `f = sum_t q_t
/// max(b_t . x, 0)` of such units, in rows of the same shape. With the arc-cosine kernel of order one (Cho and Saul,
/// "Kernel methods for deep learning", 2009)
///
/// ```text
/// k(a, b) = <max(a . x, 0) max(b . x, 0)> = |a| |b| (sin t + (pi - t) cos t) / (2 pi d)   t: the angle between a and b
/// V(c, a) = s c [ s ∫ c' k(a, a') dmu(c', a') - sum_t q_t k(a, b_t) ]
/// grad_a k = (|b| / (2 pi d)) (sin t a/|a| + (pi - t) b/|b|)                              0 at a = 0
/// ```
///
/// Source: arXiv:1902.01843, the student-teacher example of the authors' notebooks, which draws batches (a
/// [`Network`](super::Network) with [`Fresh`](super::Fresh) examples) instead. The scale `s` is 1 in mean-field scaling
/// and `n` for their plain sum.
///
/// # Numerics
/// With `m = |a/|a| - b/|b||` and `p = |a/|a| + b/|b||`: `t = 2 atan2(m, p)`, `sin t = m p / 2`, `cos t = (p - m)(p +
/// m) / 4` (Kahan), which keeps the angle to a few machine epsilons from 0 to pi. Components, particles and teachers
/// ascending; `E` as in [`GaussianUnits`](super::GaussianUnits). O(n (n + T) d), two square roots and an arc tangent a
/// pair. No scratch.
///
/// ```
/// use birth_death::{Rows, models::StudentTeacher};
/// // one teacher in the plane: <max(b . x, 0)^2> / 2 = |b|^2 / (4 d)
/// let teacher = [1.0, 0.6, 0.8];
/// let energy = StudentTeacher::new(Rows::new(&teacher, 1, 3, 1)?)?;
/// assert!((energy.constant() - 0.125f64).abs() < 1e-15);
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct StudentTeacher<'t, R> {
    teacher: Rows<'t, R>,
    scale: R,
    constant: R,
}

impl<'t, R: Real> StudentTeacher<'t, R> {
    /// The loss against `teacher`, at least one unit of at least one direction's component, in mean-field scaling.
    /// O(T^2 d) once.
    ///
    /// # Errors
    /// [`Error::Empty`] for no unit, [`Error::Zero`] for units without directions, [`Error::NotFinite`] for one that is
    /// not finite, [`Error::Parameter`] for a constant that overflows.
    pub fn new(teacher: Rows<'t, R>) -> Result<Self, Error> {
        if teacher.is_empty() {
            return Err(Error::Empty);
        }
        if teacher.dim() < 2 {
            return Err(Error::Zero { what: "components of a direction" });
        }
        if let Some(i) = teacher.first_not_finite() {
            return Err(Error::NotFinite { quantity: Quantity::Position, particle: u32::try_from(i).ok() });
        }
        let units = Units::of(teacher);
        let (mut constant, mut padded) = (R::ZERO, [R::ZERO; LANES]);
        for start in (0..teacher.len()).step_by(LANES) {
            let lengths = core::array::from_fn(|lane| units.length(start.saturating_add(lane)));
            let pull = units.pull(units.directions, start, &lengths, R::HALF, |j| units.length(j), |_, _| ());
            let charges = load(units.charges, start, &mut padded);
            constant = charges.iter().zip(pull.value).fold(constant, |sum, (&c, value)| sum + c * value);
        }
        let constant = parameter("constant E0", constant, "a finite number", |_| true)?;
        Ok(Self { teacher, scale: R::ONE, constant })
    }

    /// The same with outputs `s` times as large; `n` for a plain sum of `n` units.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a scale that is not finite and positive.
    pub fn with_scale(self, scale: R) -> Result<Self, Error> {
        let scale = parameter("scale", scale, "a finite number > 0", |s| s > R::ZERO)?;
        Ok(Self { scale, ..self })
    }

    /// `E0 = 1/2 <f^2>`, part of every energy returned.
    pub const fn constant(&self) -> R {
        self.constant
    }
}

/// Units in rows: output weights, and directions.
#[derive(Clone, Copy)]
struct Units<'a, R> {
    charges: &'a [R],
    directions: Rows<'a, R>,
}

/// What units do to directions `a`, side by side: `value = sum_j w_j k(a, b_j)`, and `along`, the part of its gradient
/// that points along `a/|a|`.
struct Pull<R> {
    value: Block<R>,
    along: Block<R>,
}

impl<'a, R: Real> Units<'a, R> {
    fn of(rows: Rows<'a, R>) -> Self {
        let (charges, directions) = rows.split_first();
        Self { charges, directions }
    }

    /// `|b_j|`.
    fn length(&self, j: usize) -> R {
        let squares = self.directions.iter().fold(R::ZERO, |sum, row| {
            let x = row.get(j).copied().unwrap_or(R::ZERO);
            sum + x * x
        });
        squares.sqrt()
    }

    /// The pull of all, `j` ascending, on the directions of `at` from number `start` on, of these lengths; `w_j = c_j
    /// factor`. The rest of the gradient is the sum of `weights b_j` over the calls `toward(j, weights)`. At a length
    /// of 0 all is 0.
    #[inline(always)]
    fn pull(
        &self,
        at: Rows<'_, R>,
        start: usize,
        lengths: &Block<R>,
        factor: R,
        source_lengths: impl Fn(usize) -> R,
        mut toward: impl FnMut(usize, &Block<R>),
    ) -> Pull<R> {
        let mut pull = Pull { value: [R::ZERO; LANES], along: [R::ZERO; LANES] };
        // 1 / (2 pi d)
        let factor = factor / (R::TAU * count(at.dim()));
        let mut inverses = [R::ZERO; LANES];
        for (to, &length) in inverses.iter_mut().zip(lengths) {
            *to = inverse(length);
        }
        for (&c, j) in self.charges.iter().zip(indices()) {
            let other = source_lengths(j);
            let Angles { sine, cosine, rest } = angles(at, start, &inverses, self.directions, j, inverse(other));
            let weight = c * factor;
            let mut weights = [R::ZERO; LANES];
            for lane in 0..LANES {
                let length = lengths[lane];
                // beside no length there may be an infinite one
                let seen = |x: R| if length > R::ZERO { x } else { R::ZERO };
                let value = length * other * (sine[lane] + rest[lane] * cosine[lane]);
                pull.value[lane] = pull.value[lane] + seen(weight * value);
                pull.along[lane] = pull.along[lane] + seen(weight * (other * sine[lane]));
                weights[lane] = seen(weight * rest[lane]);
            }
            toward(j, &weights);
        }
        pull
    }
}

/// `1 / length`; 0 for no length.
fn inverse<R: Real>(length: R) -> R {
    if length > R::ZERO { R::ONE / length } else { R::ZERO }
}

/// `sin t`, `cos t` and `pi - t`.
struct Angles<R> {
    sine: Block<R>,
    cosine: Block<R>,
    rest: Block<R>,
}

/// The angles `t` between the directions of `a` from number `start` on and `b_j`, whose lengths' inverses are given.
#[inline(always)]
fn angles<R: Real>(
    a: Rows<'_, R>,
    start: usize,
    inverses: &Block<R>,
    b: Rows<'_, R>,
    j: usize,
    inverse_b: R,
) -> Angles<R> {
    let (mut minus, mut plus, mut padded) = ([R::ZERO; LANES], [R::ZERO; LANES], [R::ZERO; LANES]);
    for (a, b) in a.iter().zip(b.iter()) {
        let a = load(a, start, &mut padded);
        let b = b.get(j).copied().unwrap_or(R::ZERO) * inverse_b;
        for lane in 0..LANES {
            let a = a[lane] * inverses[lane];
            let (less, more) = (a - b, a + b);
            minus[lane] = minus[lane] + less * less;
            plus[lane] = plus[lane] + more * more;
        }
    }
    let (mut sine, mut cosine, mut rest) = ([R::ZERO; LANES], [R::ZERO; LANES], [R::ZERO; LANES]);
    for lane in 0..LANES {
        let (minus, plus) = (minus[lane].sqrt(), plus[lane].sqrt());
        sine[lane] = R::HALF * (minus * plus);
        cosine[lane] = R::HALF * R::HALF * ((plus - minus) * (plus + minus));
        // the angle to -b
        rest[lane] = (R::ONE + R::ONE) * plus.atan2(minus);
    }
    Angles { sine, cosine, rest }
}

impl<R: Real> Energy<R> for StudentTeacher<'_, R> {
    fn dim(&self) -> usize {
        self.teacher.dim()
    }

    fn evaluate(&mut self, _step: u64, at: Rows<'_, R>, mut out: Field<'_, R>) -> Result<R, Error> {
        out.check(self.dim(), at)?;
        let n = at.len();
        let (student, teacher) = (Units::of(at), Units::of(self.teacher));
        let (potential, mut gradient) = out.parts_mut();
        let (lengths, mut slope) = gradient.split_first_mut();
        potential.fill(R::ZERO);
        slope.iter_mut().for_each(|row| row.fill(R::ZERO));
        // the charges' row holds |a_i| until the end
        lengths.iter_mut().zip(indices()).for_each(|(length, i)| *length = student.length(i));

        widest(Pairs {
            student,
            sources: student,
            factor: self.scale / count(n),
            known: true,
            lengths,
            value: potential,
            slope: slope.reborrow(),
        });
        let weighted = potential.iter().zip(student.charges).map(|(&u, &c)| c * u);
        let pair_energy = sum::mean(weighted, n) * (R::HALF * self.scale);
        widest(Pairs {
            student,
            sources: teacher,
            factor: -R::ONE,
            known: false,
            lengths,
            value: potential,
            slope: slope.reborrow(),
        });

        lengths.iter_mut().zip(potential.iter()).for_each(|(g, &u)| *g = self.scale * u);
        for row in slope.iter_mut() {
            row.iter_mut().zip(student.charges).for_each(|(g, &c)| *g = self.scale * c * *g);
        }
        potential.iter_mut().zip(student.charges).for_each(|(v, &c)| *v = self.scale * c * *v);
        Ok(self.constant + (sum::mean(potential.iter().copied(), n) - pair_energy))
    }
}

/// Adds `factor sum_j c_j k(a_i, b_j)` over `sources` to `value`, and its gradient in `a_i` to `slope`, for every unit
/// `i` of `student`.
struct Pairs<'a, R> {
    student: Units<'a, R>,
    sources: Units<'a, R>,
    factor: R,
    /// Whether the sources are the students, whose lengths are known.
    known: bool,
    lengths: &'a [R],
    value: &'a mut [R],
    slope: RowsMut<'a, R>,
}

impl<R: Real> Task for Pairs<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { student, sources, factor, known, lengths: all, value, mut slope } = self;
        let source_length = |j: usize| if known { all.get(j).copied().unwrap_or(R::ZERO) } else { sources.length(j) };
        let (mut padded, mut sums) = ([R::ZERO; LANES], [R::ZERO; LANES]);
        for start in (0..student.directions.len()).step_by(LANES) {
            let lengths = *load(all, start, &mut padded);
            let toward = |j: usize, weights: &Block<R>| {
                for (row, b) in slope.iter_mut().zip(sources.directions.iter()) {
                    let b = b.get(j).copied().unwrap_or(R::ZERO);
                    let mut total = *load(row, start, &mut sums);
                    for (total, &weight) in total.iter_mut().zip(weights) {
                        *total = *total + weight * b;
                    }
                    store(row, start, &total);
                }
            };
            let pull = sources.pull(student.directions, start, &lengths, factor, source_length, toward);
            let mut total = *load(value, start, &mut padded);
            total.iter_mut().zip(pull.value).for_each(|(total, value)| *total = *total + value);
            store(value, start, &total);
            let mut along = pull.along;
            along.iter_mut().zip(lengths).for_each(|(along, length)| *along = *along * inverse(length));
            for (row, a) in slope.iter_mut().zip(student.directions.iter()) {
                let mut total = *load(row, start, &mut sums);
                for ((total, along), &a) in total.iter_mut().zip(along).zip(load(a, start, &mut padded)) {
                    *total = *total + along * a;
                }
                store(row, start, &total);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// Rows of `n` units of `dim` components from a formula without pattern.
    fn units(n: usize, dim: usize, salt: usize) -> Vec<f64> {
        (0..n * dim).map(|i| (((i + salt) * 7919 + 13) % 1009) as f64 / 400.0 - 1.26).collect()
    }

    fn evaluate(energy: &mut impl Energy<f64>, at: &[f64], n: usize) -> (f64, Vec<f64>, Vec<f64>) {
        let dim = energy.dim();
        let (mut v, mut g) = (std::vec![0.0; n], std::vec![0.0; n * dim]);
        let out = Field::new(&mut v, RowsMut::new(&mut g, n, dim, n).unwrap()).unwrap();
        let value = energy.evaluate(0, Rows::new(at, n, dim, n).unwrap(), out).unwrap();
        (value, v, g)
    }

    /// `k` by quadrature over the angle in the plane of `a` and `b`: only the two components in it matter, and their
    /// squared radius is 2/d in the mean.
    fn kernel(a: &[f64], b: &[f64]) -> f64 {
        let norm = |x: &[f64]| libm::sqrt(x.iter().map(|x| x * x).sum());
        let dot: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
        let t = libm::acos((dot / norm(a) / norm(b)).clamp(-1.0, 1.0));
        // relu(cos u) relu(cos(u - t)) over the arc where both are positive, u from t - pi/2 to pi/2: midpoint rule
        const PANELS: u32 = 20_000;
        let width = (core::f64::consts::PI - t) / f64::from(PANELS);
        let arc = (0..PANELS).map(|k| {
            let u = t - core::f64::consts::FRAC_PI_2 + (f64::from(k) + 0.5) * width;
            libm::cos(u) * libm::cos(u - t)
        });
        let mean_over_circle = arc.sum::<f64>() * width / core::f64::consts::TAU;
        norm(a) * norm(b) * mean_over_circle * 2.0 / a.len() as f64
    }

    /// The documented sums, a unit and a source at a time: `V`, and `grad V`.
    fn naive(at: &[f64], n: usize, teacher: &[f64], teachers: usize, dim: usize, scale: f64) -> (Vec<f64>, Vec<f64>) {
        let direction =
            |all: &[f64], count: usize, i: usize| -> Vec<f64> { (1..dim).map(|k| all[k * count + i]).collect() };
        let length = |a: &[f64]| a.iter().fold(0.0, |sum, a| sum + a * a).sqrt();
        let (mut v, mut g) = (std::vec![0.0; n], std::vec![0.0; n * dim]);
        for i in 0..n {
            let a = direction(at, n, i);
            let size = length(&a);
            let (mut value, mut slope) = (0.0, std::vec![0.0; dim - 1]);
            for (sources, count, factor) in [(at, n, scale / n as f64), (teacher, teachers, -1.0)] {
                let factor = factor / (core::f64::consts::TAU * (dim - 1) as f64);
                let (mut part, mut along) = (0.0, 0.0);
                for j in 0..count {
                    let b = direction(sources, count, j);
                    let other = length(&b);
                    let (mut minus, mut plus) = (0.0, 0.0);
                    for (a, b) in a.iter().zip(&b) {
                        let (a, b) = (a * inverse(size), b * inverse(other));
                        minus += (a - b) * (a - b);
                        plus += (a + b) * (a + b);
                    }
                    let (minus, plus) = (f64::sqrt(minus), f64::sqrt(plus));
                    let (sine, cosine) = (0.5 * (minus * plus), 0.25 * ((plus - minus) * (plus + minus)));
                    let rest = 2.0 * libm::atan2(plus, minus);
                    let weight = sources[j] * factor;
                    if size > 0.0 {
                        part += weight * (size * other * (sine + rest * cosine));
                        along += weight * (other * sine);
                        slope.iter_mut().zip(&b).for_each(|(slope, b)| *slope += weight * rest * b);
                    }
                }
                value += part;
                along *= inverse(size);
                slope.iter_mut().zip(&a).for_each(|(slope, a)| *slope += along * a);
            }
            v[i] = scale * at[i] * value;
            g[i] = scale * value;
            slope.iter().enumerate().for_each(|(k, slope)| g[(k + 1) * n + i] = scale * at[i] * slope);
        }
        (v, g)
    }

    #[test]
    fn the_loops_are_the_definition_to_the_bit() {
        for (n, teachers, dim) in [(1, 1, 2), (15, 3, 4), (16, 17, 3), (17, 2, 6), (40, 16, 3)] {
            let (mut at, teacher) = (units(n, dim, 1), units(teachers, dim, 500));
            // a unit without a direction
            (1..dim).for_each(|k| at[k * n + n / 2] = 0.0);
            let rows = Rows::new(&teacher, teachers, dim, teachers).unwrap();
            let mut energy = StudentTeacher::new(rows).unwrap().with_scale(2.5).unwrap();
            let (_, v, g) = evaluate(&mut energy, &at, n);
            let (naive_v, naive_g) = naive(&at, n, &teacher, teachers, dim, 2.5);
            let bits = |values: &[f64]| -> Vec<u64> { values.iter().map(|x| x.to_bits()).collect() };
            assert_eq!(bits(&v), bits(&naive_v), "{n} units, {teachers} teachers, dimension {dim}");
            assert_eq!(bits(&g), bits(&naive_g), "{n} units, {teachers} teachers, dimension {dim}");
        }
    }

    #[test]
    fn energy_and_potential_are_the_definition_by_quadrature() {
        for (n, teachers, dim, scale) in [(1, 1, 3, 1.0), (4, 2, 4, 1.0), (5, 3, 6, 5.0)] {
            let (at, teacher) = (units(n, dim, 1), units(teachers, dim, 500));
            let rows = Rows::new(&teacher, teachers, dim, teachers).unwrap();
            let mut energy = StudentTeacher::new(rows).unwrap().with_scale(scale).unwrap();
            let (value, v, _) = evaluate(&mut energy, &at, n);
            // every unit of the residual f_n - f: weight and direction
            let unit = |rows: &[f64], count: usize, i: usize, weight: f64| -> (f64, Vec<f64>) {
                (rows[i] * weight, (1..dim).map(|k| rows[k * count + i]).collect())
            };
            let all: Vec<_> = (0..n)
                .map(|i| unit(&at, n, i, scale / n as f64))
                .chain((0..teachers).map(|t| unit(&teacher, teachers, t, -1.0)))
                .collect();
            let expected: f64 = all.iter().flat_map(|(c, a)| all.iter().map(move |(q, b)| c * q * kernel(a, b))).sum();
            // the midpoint rule's error is 1e-9 relative here
            assert!((value - 0.5 * expected).abs() < 1e-8 * (1.0 + value.abs()), "{value} {}", 0.5 * expected);
            for (i, v) in v.iter().enumerate() {
                let (c, a) = unit(&at, n, i, scale);
                let expected: f64 = c * all.iter().map(|(q, b)| q * kernel(&a, b)).sum::<f64>();
                assert!((v - expected).abs() < 1e-8 * (1.0 + expected.abs()), "{v} {expected}");
            }
        }
    }

    #[test]
    fn the_gradient_is_n_times_that_of_the_energy() {
        let (n, dim) = (4, 5);
        let (at, teacher) = (units(n, dim, 3), units(3, dim, 700));
        let mut energy = StudentTeacher::new(Rows::new(&teacher, 3, dim, 3).unwrap()).unwrap().with_scale(2.5).unwrap();
        let (_, _, gradient) = evaluate(&mut energy, &at, n);
        for k in 0..n * dim {
            const H: f64 = 1e-5;
            let mut energy_at = |shift: f64| {
                let mut moved = at.clone();
                moved[k] += shift;
                evaluate(&mut energy, &moved, n).0
            };
            let difference = n as f64 * (energy_at(H) - energy_at(-H)) / (2.0 * H);
            assert!((difference - gradient[k]).abs() < 1e-8, "{k}: {difference} {}", gradient[k]);
        }
    }

    #[test]
    fn a_student_that_is_the_teacher_has_no_loss_and_no_gradient() {
        // parallel, opposite and zero directions among them
        let teacher = [1.0, -2.0, 0.5, 3.0, 0.6, 1.2, -0.3, 0.0, 0.8, 1.6, -0.4, 0.0];
        let rows = Rows::new(&teacher, 4, 3, 4).unwrap();
        let mut energy = StudentTeacher::new(rows).unwrap().with_scale(4.0).unwrap();
        let (value, v, g) = evaluate(&mut energy, &teacher, 4);
        assert!(value.abs() < 1e-15, "{value}");
        assert!(v.iter().chain(&g).all(|x| x.abs() < 1e-14), "{v:?} {g:?}");
    }

    #[test]
    fn angles_keep_their_accuracy_at_both_ends() {
        for t in [0.0, 1e-12, 1e-7, 1.0, core::f64::consts::PI - 1e-7, core::f64::consts::PI] {
            let (a, b) = ([1.0, 0.0], [libm::cos(t), libm::sin(t)]);
            let angles = angles(Rows::of_point(&a), 0, &[1.0; LANES], Rows::of_point(&b), 0, 1.0);
            let (sine, cosine, rest) = (angles.sine[0], angles.cosine[0], angles.rest[0]);
            let eps = 4.0 * f64::EPSILON;
            assert!((sine - libm::sin(t)).abs() < eps && (cosine - libm::cos(t)).abs() < eps, "{t}");
            assert!((rest - (core::f64::consts::PI - t)).abs() < eps, "{t}: {rest}");
        }
    }

    #[test]
    fn bad_teachers_and_scales_are_refused() {
        assert!(matches!(StudentTeacher::<f64>::new(Rows::new(&[], 0, 2, 0).unwrap()), Err(Error::Empty)));
        assert!(matches!(StudentTeacher::new(Rows::new(&[1.0], 1, 1, 1).unwrap()), Err(Error::Zero { .. })));
        let bad = [1.0, f64::NAN];
        assert!(matches!(StudentTeacher::new(Rows::new(&bad, 1, 2, 1).unwrap()), Err(Error::NotFinite { .. })));
        let huge = [1e300, 1e300];
        assert!(matches!(StudentTeacher::new(Rows::new(&huge, 1, 2, 1).unwrap()), Err(Error::Parameter { .. })));
        let fine = [1.0, 1.0];
        let energy = StudentTeacher::new(Rows::new(&fine, 1, 2, 1).unwrap()).unwrap();
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(energy.with_scale(scale).is_err(), "{scale}");
        }
    }
}
