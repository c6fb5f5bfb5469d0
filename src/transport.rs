//! The Euler step, and the commit of a step's newcomers.

use crate::population::FRESH;
use crate::rows::{first_not_finite, slots};
use crate::{Error, Quantity, Real, Rows, RowsMut};

/// That every `theta_i - dt grad V_i` is finite, before anything is changed.
pub(crate) fn check<R: Real>(at: Rows<'_, R>, gradient: Rows<'_, R>, dt: R) -> Result<(), Error> {
    let mut first: Option<usize> = None;
    for (row, slopes) in at.iter().zip(gradient.iter()) {
        let bad = first_not_finite(row.iter().zip(slopes).map(|(&x, &g)| x - dt * g));
        first = match (first, bad) {
            (Some(a), Some(b)) => Some(if b < a { b } else { a }),
            (a, b) => a.or(b),
        };
    }
    match first {
        None => Ok(()),
        Some(i) => Err(Error::NotFinite { quantity: Quantity::Transport, particle: u32::try_from(i).ok() }),
    }
}

/// `theta_i <- theta_i - dt grad V_i`, product and difference rounded, for all; whoever will be overwritten moves
/// along, which is cheaper than asking.
pub(crate) fn advance<R: Real>(mut x: RowsMut<'_, R>, gradient: Rows<'_, R>, dt: R) {
    for (row, slopes) in x.iter_mut().zip(gradient.iter()) {
        for (x, &g) in row.iter_mut().zip(slopes) {
            *x = *x - dt * g;
        }
    }
}

/// Overwrites the slots of newcomers: a copy takes its parent's row, transported already (it carries the parent's
/// gradient); a fresh draw, checked before, is taken from `fresh`, column by column.
///
/// A parent keeps its slot, so no slot is read after it was overwritten.
pub(crate) fn commit<R: Real>(mut x: RowsMut<'_, R>, origin: &[u32], fresh: Rows<'_, R>) {
    for (row, draws) in x.iter_mut().zip(fresh.iter()) {
        for ((slot, &origin), &draw) in slots().zip(origin).zip(draws) {
            if origin == slot {
                continue;
            }
            let value = if origin == FRESH { Some(draw) } else { row.get(origin as usize).copied() };
            if let (Some(x), Some(value)) = (row.get_mut(slot as usize), value) {
                *x = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two particles, one component; the first stays where it is.
    fn checked(x: f64, slope: f64, dt: f64) -> Result<(), Error> {
        let (at, gradient) = ([1.0, x], [0.0, slope]);
        check(Rows::new(&at, 2, 1, 2)?, Rows::new(&gradient, 2, 1, 2)?, dt)
    }

    #[test]
    fn a_move_is_checked_in_its_own_direction() {
        let far = 0.75 * f64::MAX;
        let error = Err(Error::NotFinite { quantity: Quantity::Transport, particle: Some(1) });
        // towards zero and beyond, or away from it; dt is a factor
        for (x, slope, expected) in [(far, far, Ok(())), (far, -far, error), (-far, -far, Ok(())), (-far, far, error)] {
            assert_eq!(checked(x, slope, 1.0), expected, "{x:e} by {slope:e}");
            assert_eq!(checked(x, slope / 4.0, 4.0), expected, "{x:e} by 4 times {slope:e}/4");
            assert_eq!(checked(x, slope, 0.125), Ok(()), "{x:e} by an eighth of {slope:e}");
        }
    }
}
