//! The models that claims run on, each stated twice: as the crate's energy and as the oracles' own.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use birth_death::models::{DoubleWell, GaussianUnits, MixtureRef, Mmd, MmdTarget, Quadratic, Rastrigin};
use birth_death::{Energy, Generator, Marginal, Real, Rows};

use crate::oracles::direct::DirectUnits;
use crate::oracles::mmd;
use crate::oracles::models::{self, MeanField, Nodes};
use crate::oracles::units::{self, Component};
use crate::subject::{AnyEnergy, BoxedEnergy, Precision};
use birth_death_stats::quadrature::Rule;
use birth_death_stats::tails::normal_quantile;

/// A fixed ensemble on the line: the quantiles (i + 0.3)/n of the standard normal law, without the symmetry of the
/// midpoints.
pub fn frozen(n: usize) -> Vec<f64> {
    (0..n).map(|i| -normal_quantile((i as f64 + 0.3) / n as f64)).collect()
}

/// A rank-1 lattice of the unit square (the golden ratio's), shifted by two uniforms: each point is uniform on the
/// square, by itself, and means over all fluctuate several times less than with independent points. Off the edges by
/// 1e-15, where quantiles are infinite.
pub fn shifted_lattice(rng: &mut impl Generator, n: usize) -> Vec<[f64; 2]> {
    let mut uniform = || Marginal::Uniform { low: 0.0, high: 1.0 }.draw(rng);
    let shifts: [f64; 2] = [uniform(), uniform()];
    let golden = 0.5 * (5f64.sqrt() - 1.0);
    let place = |along: f64| along.fract().clamp(1e-15, 1.0 - 1e-15);
    (0..n).map(|i| [place((i as f64 + 0.5) / n as f64 + shifts[0]), place(i as f64 * golden + shifts[1])]).collect()
}

/// A precision that the harness's constants are at hand in.
trait Constants: Real {
    /// The constants, rounded.
    fn constants(values: &'static [f64]) -> &'static [Self];
}

impl Constants for f64 {
    fn constants(values: &'static [f64]) -> &'static [f64] {
        values
    }
}

impl Constants for f32 {
    /// Rounded once and kept: there are as many as the program has constants.
    fn constants(values: &'static [f64]) -> &'static [f32] {
        static ROUNDED: Mutex<BTreeMap<(usize, usize), &'static [f32]>> = Mutex::new(BTreeMap::new());
        let mut rounded = ROUNDED.lock().unwrap_or_else(PoisonError::into_inner);
        let round = || values.iter().map(|x| *x as f32).collect::<Vec<f32>>().leak() as &'static [f32];
        rounded.entry((values.as_ptr() as usize, values.len())).or_insert_with(round)
    }
}

/// A mixture as constants: weights, centres (component after component), variances.
#[derive(Debug)]
pub struct MixtureData {
    dim: usize,
    weights: &'static [f64],
    centres: &'static [f64],
    variances: &'static [f64],
}

impl MixtureData {
    fn core<R: Constants>(&'static self) -> MixtureRef<'static, R> {
        let [weights, centres, variances] = [self.weights, self.centres, self.variances].map(R::constants);
        MixtureRef::new(weights, centres, variances, self.dim).expect("a valid constant")
    }

    fn oracle(&self) -> Vec<Component> {
        let centres = self.centres.chunks(self.dim).zip(self.weights).zip(self.variances);
        centres.map(|((centre, &weight), &variance)| Component { weight, centre: centre.to_vec(), variance }).collect()
    }
}

const THIRD: f64 = 1.0 / 3.0;

/// The paper's target: (1, -2, 1)/3 at (-2, 0, 2) with variances (1/2, 1, 1/2).
static PAPER: MixtureData = MixtureData {
    dim: 1,
    weights: &[THIRD, -2.0 * THIRD, THIRD],
    centres: &[-2.0, 0.0, 2.0],
    variances: &[0.5, 1.0, 0.5],
};

/// A target in the plane without symmetries.
static PLANE: MixtureData =
    MixtureData { dim: 2, weights: &[0.7, -0.4], centres: &[-0.5, 0.3, 1.1, -0.2], variances: &[0.4, 0.9] };

/// A probability on the line.
static BUMPS: MixtureData = MixtureData { dim: 1, weights: &[0.4, 0.6], centres: &[-1.0, 1.5], variances: &[0.2, 0.5] };

/// Three points in the plane, component after component.
static POINTS: [f64; 6] = [-1.0, 0.0, 2.0, 0.5, -0.7, 0.1];

/// A model.
#[derive(Clone, Copy, Debug)]
pub enum Problem {
    /// The paper's Gaussian units, s2 = 1/2.
    Units,
    /// Gaussian units with inputs in the plane, s2 = 0.6.
    PlaneUnits,
    /// MMD to a mixture on the line, h = 0.8.
    MmdMixture,
    /// MMD to three points in the plane, h = 1.1.
    MmdSample,
    /// `1/2 sum_k h_k x_k^2`.
    Quadratic(&'static [f64]),
    /// Tilt 0.2, two components.
    DoubleWell,
    /// One component, of the tilt given.
    Well(f64),
    /// Amplitude 0.3, two components.
    Rastrigin,
}

impl Problem {
    /// One of each kind.
    pub const ALL: [Problem; 7] = [
        Problem::Units,
        Problem::PlaneUnits,
        Problem::MmdMixture,
        Problem::MmdSample,
        Problem::Quadratic(&[1.0, 0.5, 2.0]),
        Problem::DoubleWell,
        Problem::Rastrigin,
    ];

    /// The crate's energy.
    pub fn core(self) -> BoxedEnergy {
        self.energy()
    }

    /// The crate's energy in this precision.
    pub fn core_in(self, precision: Precision) -> AnyEnergy {
        match precision {
            Precision::Double => AnyEnergy::Double(self.energy()),
            Precision::Single => AnyEnergy::Single(self.energy()),
        }
    }

    /// # Panics
    /// Never: the constants are valid.
    fn energy<R: Constants>(self) -> Box<dyn Energy<R> + Send> {
        const VALID: &str = "a valid constant";
        let r = R::from_f64;
        match self {
            Problem::Units => Box::new(GaussianUnits::new(r(0.5), PAPER.core()).expect(VALID)),
            Problem::PlaneUnits => Box::new(GaussianUnits::new(r(0.6), PLANE.core()).expect(VALID)),
            Problem::MmdMixture => Box::new(Mmd::new(r(0.8), MmdTarget::Mixture(BUMPS.core())).expect(VALID)),
            Problem::MmdSample => {
                let points = Rows::packed(R::constants(&POINTS), 2).expect(VALID);
                Box::new(Mmd::new(r(1.1), MmdTarget::Sample(points)).expect(VALID))
            }
            Problem::Quadratic(curvature) => Box::new(Quadratic::new(R::constants(curvature)).expect(VALID)),
            Problem::DoubleWell => Box::new(DoubleWell::new(r(0.2), 2).expect(VALID)),
            Problem::Well(tilt) => Box::new(DoubleWell::new(r(tilt), 1).expect(VALID)),
            Problem::Rastrigin => Box::new(Rastrigin::new(r(0.3), 2).expect(VALID)),
        }
    }

    /// The oracles' statement of [`Problem::MmdMixture`], by its parts.
    pub fn mmd_mixture() -> mmd::Mmd {
        mmd::Mmd { bandwidth: 0.8, target: BUMPS.oracle() }
    }

    /// The oracles' statement of it.
    pub fn oracle(self) -> Box<dyn MeanField> {
        match self {
            Problem::Units => Box::new(DirectUnits { model: units_of(&PAPER, 0.5) }),
            Problem::PlaneUnits => Box::new(DirectUnits { model: units_of(&PLANE, 0.6) }),
            Problem::MmdMixture => Box::new(Self::mmd_mixture()),
            Problem::MmdSample => {
                let rows: Vec<Vec<f64>> = POINTS.chunks(3).map(<[f64]>::to_vec).collect();
                Box::new(mmd::Mmd::to_sample(1.1, &rows))
            }
            Problem::Quadratic(curvature) => Box::new(models::Quadratic { curvature: curvature.to_vec() }),
            Problem::DoubleWell => Box::new(models::DoubleWell { tilt: 0.2, dim: 2 }),
            Problem::Well(tilt) => Box::new(models::DoubleWell { tilt, dim: 1 }),
            Problem::Rastrigin => Box::new(models::Rastrigin { dim: 2, amplitude: 0.3 }),
        }
    }
}

fn units_of(target: &MixtureData, unit_variance: f64) -> units::GaussianUnits {
    units::GaussianUnits { unit_variance, target: target.oracle() }
}

/// The upper half of an even rule for the standard normal law: enough for even functions.
pub fn half_normal(nodes: usize) -> Rule {
    let rule = Rule::normal(nodes, 0.0, 1.0);
    let upper = rule.nodes.iter().zip(&rule.weights).filter(|(x, _)| **x > 0.0);
    let (nodes, weights) = upper.map(|(&x, &w)| (x, 2.0 * w)).unzip();
    Rule { nodes, weights }
}

/// The law of |x| for x normal with mean 0 and standard deviation `sd` in each of `dim` components: all that an
/// isotropic potential sees of it.
///
/// Composite Gauss-Legendre, `panels` of 8 nodes on (0, 9 sd), beyond which lies less than 1e-15 of the mass and of its
/// moments for dim <= 4. Short panels, because p(|b|) has a kink at b = 0 that costs a long rule its order.
pub fn radial(dim: usize, sd: f64, panels: usize) -> Nodes {
    let width = 9.0 / panels as f64;
    let density = |r: f64| r.powi(dim as i32 - 1) * (-0.5 * r * r).exp();
    let rules = (0..panels).map(|panel| Rule::legendre(8, panel as f64 * width, (panel + 1) as f64 * width));
    let (x, w): (Vec<f64>, Vec<f64>) =
        rules.flat_map(|rule| rule.nodes.into_iter().zip(rule.weights)).map(|(r, w)| (sd * r, w * density(r))).unzip();
    let sum: f64 = w.iter().sum();
    Nodes { x: vec![x], w: w.into_iter().map(|w| w / sum).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_radial_rule_has_the_moments_of_the_normal_law() {
        // E r^2 = D s^2, E r^4 = D (D + 2) s^4
        for dim in [1, 2, 4] {
            let (d, s) = (dim as f64, 1.7);
            let nodes = radial(dim, s, 20);
            let moment = |k: i32| nodes.mean(|i| nodes.x[0][i].powi(k));
            assert!((moment(2) / (d * s * s) - 1.0).abs() < 1e-12);
            assert!((moment(4) / (d * (d + 2.0) * s.powi(4)) - 1.0).abs() < 1e-12);
        }
    }
}
