//! External potentials: `K = 0`, `V = F`, `E = mean F`; O(n) an evaluation.

use crate::error::parameter;
use crate::{Energy, Error, Field, Real, Rows, sum};

/// A potential that is a sum over components, `F(theta) = sum_k f_k(theta_k)`: row by row, components ascending.
fn evaluate_separable<R: Real>(
    dim: usize,
    at: Rows<'_, R>,
    mut out: Field<'_, R>,
    term: impl Fn(usize, R) -> (R, R),
) -> Result<R, Error> {
    out.check(dim, at)?;
    let (potential, mut gradient) = out.parts_mut();
    potential.fill(R::ZERO);
    for ((k, row), slopes) in (0..dim).zip(at.iter()).zip(gradient.iter_mut()) {
        for ((v, g), &x) in potential.iter_mut().zip(slopes).zip(row) {
            let (value, slope) = term(k, x);
            *v = *v + value;
            *g = slope;
        }
    }
    Ok(sum::mean(potential.iter().copied(), at.len()))
}

/// `F = 1/2 sum_k h_k theta_k^2`: the Gaussian law, exactly solvable.
///
/// ```
/// use birth_death::models::Quadratic;
/// assert!(Quadratic::new(&[1.0, 0.5]).is_ok());
/// assert!(Quadratic::new(&[f64::NAN]).is_err());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Quadratic<'t, R> {
    curvature: &'t [R],
}

impl<'t, R: Real> Quadratic<'t, R> {
    /// Curvatures `h_k`, one a component; any finite sign.
    ///
    /// # Errors
    /// [`Error::Zero`] for none; [`Error::Parameter`] for one that is not finite.
    pub fn new(curvature: &'t [R]) -> Result<Self, Error> {
        if curvature.is_empty() {
            return Err(Error::Zero { what: "number of curvatures" });
        }
        for &h in curvature {
            parameter("curvature", h, "a finite number", |_| true)?;
        }
        Ok(Self { curvature })
    }
}

impl<R: Real> Energy<R> for Quadratic<'_, R> {
    fn dim(&self) -> usize {
        self.curvature.len()
    }

    fn evaluate(&mut self, _step: u64, at: Rows<'_, R>, out: Field<'_, R>) -> Result<R, Error> {
        evaluate_separable(self.dim(), at, out, |k, x| {
            let slope = self.curvature.get(k).copied().unwrap_or(R::ZERO) * x;
            (R::HALF * (slope * x), slope)
        })
    }
}

/// `F = (x^2 - 1)^2 + tilt x` in the first component, `1/2 x_k^2` in the others.
///
/// Two wells near `x = ±1`; for small `tilt` their heights differ by about `2 tilt`. ([`Energy`] for the trap that
/// gradient flow cannot leave.)
///
/// ```
/// use birth_death::{Energy, Field, Rows, RowsMut, models::DoubleWell};
/// let (at, mut v, mut g) = ([-1.0, 0.0], [0.0; 2], [0.0; 2]);
/// let field = Field::new(&mut v, RowsMut::new(&mut g, 2, 1, 2)?)?;
/// DoubleWell::new(0.25, 1)?.evaluate(0, Rows::new(&at, 2, 1, 2)?, field)?;
/// assert_eq!((v, g), ([-0.25, 1.0], [0.25, 0.25]));
/// # Ok::<(), birth_death::Error>(())
/// ```
/// Order: with `w = x x - 1`, `F = w w + tilt x` and `F' = 4 (w x) + tilt`.
#[derive(Clone, Copy, Debug)]
pub struct DoubleWell<R> {
    tilt: R,
    dim: usize,
}

impl<R: Real> DoubleWell<R> {
    /// The well in `dim` components.
    ///
    /// # Errors
    /// [`Error::Zero`] for `dim = 0`; [`Error::Parameter`] for a tilt that is not finite.
    pub fn new(tilt: R, dim: usize) -> Result<Self, Error> {
        let tilt = parameter("tilt", tilt, "a finite number", |_| true)?;
        if dim == 0 {
            return Err(Error::Zero { what: "dimension" });
        }
        Ok(Self { tilt, dim })
    }
}

impl<R: Real> Energy<R> for DoubleWell<R> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn evaluate(&mut self, _step: u64, at: Rows<'_, R>, out: Field<'_, R>) -> Result<R, Error> {
        let four = R::from_count(4);
        evaluate_separable(self.dim, at, out, |k, x| {
            if k == 0 {
                let w = x * x - R::ONE;
                (w * w + self.tilt * x, four * (w * x) + self.tilt)
            } else {
                (R::HALF * (x * x), x)
            }
        })
    }
}

/// `F = sum_k [x_k^2 + A (1 - cos 2 pi x_k)]`: many wells, the least at the origin with `F = 0` (for `A >= 0`).
///
/// Source: L. A. Rastrigin's test function, `A d + sum (x^2 - A cos 2 pi x)`.
///
/// ```
/// use birth_death::{Energy, Field, Rows, RowsMut, models::Rastrigin};
/// let (at, mut v, mut g) = ([0.0, 0.5], [0.0; 2], [0.0; 2]);
/// let field = Field::new(&mut v, RowsMut::new(&mut g, 2, 1, 2)?)?;
/// Rastrigin::new(10.0, 1)?.evaluate(0, Rows::new(&at, 2, 1, 2)?, field)?;
/// assert_eq!(v, [0.0, 20.25]);
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Rastrigin<R> {
    amplitude: R,
    dim: usize,
}

impl<R: Real> Rastrigin<R> {
    /// The function in `dim` components; the usual amplitude is 10.
    ///
    /// # Errors
    /// [`Error::Zero`] for `dim = 0`; [`Error::Parameter`] for an amplitude that is not finite.
    pub fn new(amplitude: R, dim: usize) -> Result<Self, Error> {
        let amplitude = parameter("amplitude", amplitude, "a finite number", |_| true)?;
        if dim == 0 {
            return Err(Error::Zero { what: "dimension" });
        }
        Ok(Self { amplitude, dim })
    }
}

impl<R: Real> Energy<R> for Rastrigin<R> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn evaluate(&mut self, _step: u64, at: Rows<'_, R>, out: Field<'_, R>) -> Result<R, Error> {
        evaluate_separable(self.dim, at, out, |_, x| {
            let angle = R::TAU * x;
            let value = x * x + self.amplitude * (R::ONE - angle.cos());
            (value, (x + x) + R::TAU * (self.amplitude * angle.sin()))
        })
    }
}

/// A function of one particle, `theta -> (F, grad F)`, as an energy.
///
/// ```
/// use birth_death::{Energy, Field, Rows, RowsMut, models::External};
/// let mut saddle = External(|[x, y]: [f64; 2]| (x * x - y * y, [2.0 * x, -2.0 * y]));
/// let (at, mut v, mut g) = ([3.0, 1.0], [0.0], [0.0; 2]);
/// let field = Field::new(&mut v, RowsMut::new(&mut g, 1, 2, 1)?)?;
/// assert_eq!(saddle.evaluate(0, Rows::new(&at, 1, 2, 1)?, field)?, 8.0);
/// assert_eq!((v, g), ([8.0], [6.0, -2.0]));
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct External<F, const D: usize>(pub F);

impl<R: Real, F: FnMut([R; D]) -> (R, [R; D]), const D: usize> Energy<R> for External<F, D> {
    fn dim(&self) -> usize {
        D
    }

    fn evaluate(&mut self, _step: u64, at: Rows<'_, R>, mut out: Field<'_, R>) -> Result<R, Error> {
        out.check(D, at)?;
        let rows = at.array::<D>();
        let (potential, mut gradient) = out.parts_mut();
        for (i, v) in (0..at.len()).zip(potential.iter_mut()) {
            let particle = rows.map(|row| row.get(i).copied().unwrap_or(R::ZERO));
            let (value, slope) = (self.0)(particle);
            *v = value;
            for (row, g) in gradient.iter_mut().zip(slope) {
                if let Some(slot) = row.get_mut(i) {
                    *slot = g;
                }
            }
        }
        Ok(sum::mean(potential.iter().copied(), at.len()))
    }
}
