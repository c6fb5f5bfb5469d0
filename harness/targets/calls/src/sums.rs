//! Fast sums of Gaussians.

use crate::{number, same, seen};
use birth_death::models::{FastGauss, fast_gauss::Method};
use birth_death::{Error, Field, Rows, RowsMut};
use core::hint::black_box as hide;

/// Particles: so many that, in one component, they go through cells.
const MANY: usize = 400;

/// Sums in 1, 2 and 3 components.
pub(crate) fn all() -> Result<(), Error> {
    sum(1, MANY)?;
    sum(2, 8)?;
    sum(3, 8)
}

fn sum(dim: usize, n: usize) -> Result<(), Error> {
    let fast = FastGauss::new(hide(dim), number(0.5), number(0.01))?;
    same(&fast);
    seen((fast.order(), fast.width(), fast.radius(), fast.bound()));
    let (mut words, mut values) = ([0; 4 * MANY], [0.0; 20 * MANY]);
    seen((fast.words(hide(n), hide(n)), fast.values(hide(n), hide(n))));
    let (mut points, weights) = ([0.0; 3 * MANY], [number(1.0); MANY]);
    let mut place = 0.0;
    for x in &mut points {
        *x = hide(place);
        place += 0.01;
    }
    let (mut v, mut g) = ([0.0; MANY], [0.0; 3 * MANY]);
    let (Some(v), Some(weights)) = (v.get_mut(..n), weights.get(..n)) else { return Ok(()) };
    let rows = Rows::new(hide(&points[..]), hide(n), hide(dim), hide(n))?;
    let field = Field::new(hide(v), RowsMut::new(&mut g, n, dim, n)?)?;
    let summary = fast.evaluate(rows, hide(rows), hide(weights), hide(&mut words[..]), hide(&mut values[..]), field)?;
    same(&summary);
    same(&summary.method);
    seen(summary.method == hide(Method::Pairs));
    Ok(())
}
