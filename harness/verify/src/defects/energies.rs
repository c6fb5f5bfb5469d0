//! Defects of the energies and gradients.

use birth_death::{Energy, Error, Field, Rows, RowsMut};

use crate::subject::Defect;
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

/// Whether the energy is that of units with a charge: at a single particle without one, V and its slopes in the other
/// components are 0. No other model of the harness is so.
fn charged(energy: &mut BoxedEnergy) -> bool {
    let dim = energy.dim();
    let mut particle = vec![0.3; dim];
    particle[0] = 0.0;
    let Some(field) = evaluate(energy, 0, &particle, 1) else { return false };
    dim > 1 && field.potentials == [0.0] && field.gradients[1..].iter().all(|g| *g == 0.0)
}

/// What an energy says of an ensemble.
struct Evaluated {
    potentials: Vec<f64>,
    gradients: Vec<f64>,
}

/// `values` row after row, for `n` particles.
fn evaluate(energy: &mut BoxedEnergy, step: u64, values: &[f64], n: usize) -> Option<Evaluated> {
    let dim = values.len() / n;
    let (mut potentials, mut gradients) = (vec![0.0; n], vec![0.0; values.len()]);
    let field = Field::new(&mut potentials, RowsMut::packed(&mut gradients, dim).ok()?).ok()?;
    energy.evaluate(step, Rows::packed(values, dim).ok()?, field).ok()?;
    Some(Evaluated { potentials, gradients })
}

/// V, E and the gradient consistently without the term j = i: for units with a charge and one position, taken as
/// Gaussian of variance 1/2, K(i, i) = c_i^2 / sqrt(2 pi).
#[derive(Debug)]
pub struct SelfLeftOut;

impl Defect for SelfLeftOut {
    fn describe(&self) -> (&'static str, &'static str) {
        ("self-left-out", "self-interaction left out of Gaussian units")
    }

    fn energy(&self, mut energy: BoxedEnergy, _: &Setup) -> BoxedEnergy {
        if energy.dim() != 2 || !charged(&mut energy) {
            return energy;
        }
        Box::new(Wrapped(energy, |value, at: Rows<'_, f64>, out: &mut Field<'_, f64>| {
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

/// V, E and the gradient consistently with sum_j K_ij in place of (1/n) sum_j K_ij, for units with a charge.
///
/// As many particles without a charge halve the interaction and leave F alone: what is lost is half of the interaction.
struct Summed(BoxedEnergy);

impl Energy<f64> for Summed {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn evaluate(&mut self, step: u64, at: Rows<'_, f64>, mut out: Field<'_, f64>) -> Result<f64, Error> {
        let energy = self.0.evaluate(step, at, out.reborrow())?;
        let n = at.len();
        let padded: Vec<f64> = at.iter().flat_map(|row| [row, &vec![0.0; n]].concat()).collect();
        let Some(half) = evaluate(&mut self.0, step, &padded, 2 * n) else { return Ok(energy) };
        let more = 2.0 * (n as f64 - 1.0);
        let (potential, mut gradient) = out.parts_mut();
        let mut added = 0.0;
        for (v, half) in potential.iter_mut().zip(&half.potentials) {
            let extra = more * (*v - half);
            *v += extra;
            added += 0.5 * extra / n as f64;
        }
        for (row, half) in gradient.iter_mut().zip(half.gradients.chunks(2 * n)) {
            row.iter_mut().zip(half).for_each(|(g, half)| *g += more * (*g - half));
        }
        Ok(energy + added)
    }
}

#[derive(Debug)]
pub struct InteractionSum;

impl Defect for InteractionSum {
    fn describe(&self) -> (&'static str, &'static str) {
        ("interaction-sum", "1/n left out of the interaction of units")
    }

    fn energy(&self, mut energy: BoxedEnergy, _: &Setup) -> BoxedEnergy {
        if charged(&mut energy) { Box::new(Summed(energy)) } else { energy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::problem::Problem;
    use crate::oracles::models::{Nodes, evaluate as oracle};

    #[test]
    fn units_are_told_from_other_models() {
        for problem in Problem::ALL {
            let units = matches!(problem, Problem::Units | Problem::PlaneUnits);
            assert_eq!(charged(&mut problem.core()), units, "{problem:?}");
        }
    }

    /// By the oracles: sums of K from V = F + <K> at weights 1/n and 0.
    #[test]
    fn the_interaction_is_summed() {
        let rows = vec![vec![0.7, -1.2, 0.4], vec![0.1, 1.5, -0.6]];
        let model = Problem::Units.oracle();
        let (e, right) = oracle(model.as_ref(), &Nodes::ensemble(rows.clone()));
        let alone = Nodes { x: rows.clone(), w: vec![0.0; 3] };
        let (e0, external) = oracle(model.as_ref(), &alone);
        let mut energy = Summed(Problem::Units.core());
        let (mut v, mut g) = (vec![0.0; 3], vec![0.0; 6]);
        let field = Field::new(&mut v, RowsMut::packed(&mut g, 2).expect("rows")).expect("a field");
        let values = rows.concat();
        let found = energy.evaluate(0, Rows::packed(&values, 2).expect("rows"), field).expect("finite");
        let summed = |right: f64, external: f64| external + 3.0 * (right - external);
        for i in 0..3 {
            assert!((v[i] - summed(right.v[i], external.v[i])).abs() < 1e-13);
            for k in 0..2 {
                assert!((g[k * 3 + i] - summed(right.grad[k][i], external.grad[k][i])).abs() < 1e-13);
            }
        }
        let interaction: f64 = (0..3).map(|i| right.v[i] - external.v[i]).sum::<f64>() / 6.0;
        let potential: f64 = external.v.iter().sum::<f64>() / 3.0;
        assert!((e - e0 - potential - interaction).abs() < 1e-13, "the oracle's own parts");
        assert!((found - e - 2.0 * interaction).abs() < 1e-13);
    }
}
