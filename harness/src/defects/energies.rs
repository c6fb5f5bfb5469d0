//! Defects of the energies and gradients.

use birth_death::{Energy, Error, Field, Rows};

use super::Defect;
use crate::subject::{BoxedEnergy, Setup};

/// An energy of which everything is changed after the evaluation.
struct Wrapped<F>(BoxedEnergy, F);

impl<F> Energy<f64> for Wrapped<F>
where
    F: FnMut(f64, Rows<'_, f64>, &mut Field<'_, f64>) -> f64,
{
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn evaluate(&mut self, step: u64, at: Rows<'_, f64>, mut out: Field<'_, f64>) -> Result<f64, Error> {
        let energy = self.0.evaluate(step, at, out.reborrow())?;
        Ok((self.1)(energy, at, &mut out))
    }
}

fn scaled(energy: BoxedEnergy, component: impl Fn(usize) -> usize + Send + 'static, factor: f64) -> BoxedEnergy {
    Box::new(Wrapped(energy, move |value, at: Rows<'_, f64>, out: &mut Field<'_, f64>| {
        let row = component(at.dim());
        out.parts_mut().1.row_mut(row).iter_mut().for_each(|g| *g *= factor);
        value
    }))
}

#[derive(Debug)]
pub struct WrongSign;

impl Defect for WrongSign {
    fn describe(&self) -> (&'static str, &'static str) {
        ("gradient-sign", "gradient with the wrong sign in the last component")
    }

    fn energy(&self, energy: BoxedEnergy, _: &Setup) -> BoxedEnergy {
        scaled(energy, |dim| dim - 1, -1.0)
    }
}

#[derive(Debug)]
pub struct FactorTwo;

impl Defect for FactorTwo {
    fn describe(&self) -> (&'static str, &'static str) {
        ("gradient-half", "gradient missing a factor 2 in the first component")
    }

    fn energy(&self, energy: BoxedEnergy, _: &Setup) -> BoxedEnergy {
        scaled(energy, |_| 0, 0.5)
    }
}

/// V, E and the gradient consistently without the term j = i: for models of two components taken as Gaussian units of
/// variance 1/2, K(i, i) = c_i^2 / sqrt(2 pi).
#[derive(Debug)]
pub struct SelfLeftOut;

impl Defect for SelfLeftOut {
    fn describe(&self) -> (&'static str, &'static str) {
        ("self-left-out", "self-interaction left out of Gaussian units")
    }

    fn energy(&self, energy: BoxedEnergy, _: &Setup) -> BoxedEnergy {
        Box::new(Wrapped(energy, |value, at: Rows<'_, f64>, out: &mut Field<'_, f64>| {
            if at.dim() != 2 {
                return value;
            }
            let n = at.len() as f64;
            let height = 1.0 / (std::f64::consts::TAU.sqrt() * n);
            let (potential, mut gradient) = out.parts_mut();
            let mut without = value;
            for ((v, g), &c) in potential.iter_mut().zip(gradient.row_mut(0)).zip(at.row(0)) {
                *v -= c * c * height;
                *g -= c * height;
                without -= 0.5 * c * c * height / n;
            }
            without
        }))
    }
}
