//! What the benchmarks have in common: Gaussian units of variance 1/2 with the paper's target in every component, and
//! particles that are standard normal.
#![allow(dead_code)] // each benchmark uses its own part

use birth_death::maths::Maths;
use birth_death::models::{GaussianUnits, Mixture};
use birth_death::{
    Dynamics, Energy, Field, Marginal, Prior, ProductPrior, Real, Report, Rows, RowsMut, Scratch, Stream,
};

const VALID: &str = "valid by construction";

/// The step length of a measured step.
pub const DT: f64 = 0.01;
/// The rate of births and deaths: with [`DT`] the paper's 0.05 a step.
pub const ALPHA: f64 = 5.0;

/// So many draws from the standard normal.
pub fn normals<R: Real>(count: usize) -> Vec<R> {
    let prior = ProductPrior::new(vec![Marginal::Normal { mean: R::ZERO, sd: R::ONE }]).expect(VALID);
    let mut rng = Stream::seeded(1, 0);
    (0..count)
        .map(|_| {
            let mut x = [R::ZERO];
            prior.draw(&mut rng, &mut x);
            x[0]
        })
        .collect()
}

/// The paper's target, in each of `D` components.
pub fn target<R: Real, const D: usize>() -> Mixture<R, D, 3> {
    let mut target = Mixture::new();
    for (weight, centre, variance) in [(1.0, -2.0, 0.5), (-2.0, 0.0, 1.0), (1.0, 2.0, 0.5)] {
        target.push(R::from_f64(weight / 3.0), [R::from_f64(centre); D], R::from_f64(variance)).expect(VALID);
    }
    target
}

/// The energy, with a backend for its exponentials.
pub fn units<R: Real, M: Maths<R>, const D: usize>(target: &Mixture<R, D, 3>) -> GaussianUnits<'_, R, M> {
    GaussianUnits::new(R::HALF, target.view()).expect(VALID).with_maths::<M>()
}

/// Scheme 1.
pub fn dynamics<R: Real>() -> Dynamics<R> {
    Dynamics::birth_death(R::from_f64(DT), R::from_f64(ALPHA)).expect(VALID)
}

/// Particles, and the memory of an evaluation and of a step.
#[derive(Debug)]
pub struct Memory<R> {
    /// Number of particles.
    pub n: usize,
    /// Components of one.
    pub dim: usize,
    start: Vec<R>,
    /// Component after component.
    pub x: Vec<R>,
    /// `V_i` of the last evaluation.
    pub potential: Vec<R>,
    /// `grad V_i`, component after component.
    pub gradient: Vec<R>,
    copies: Vec<u32>,
    origin: Vec<u32>,
    particle: Vec<R>,
}

impl<R: Real> Memory<R> {
    /// `n` particles of `dim` components.
    pub fn new(dim: usize, n: usize) -> Self {
        let start = normals(dim * n);
        Self {
            n,
            dim,
            x: start.clone(),
            start,
            potential: vec![R::ZERO; n],
            gradient: vec![R::ZERO; dim * n],
            copies: vec![0; n],
            origin: vec![0; n],
            particle: vec![R::ZERO; dim],
        }
    }

    /// The particles as they were at first: births and deaths leave fewer and fewer different ones, and so fewer
    /// events.
    pub fn restart(&mut self) {
        self.x.copy_from_slice(&self.start);
    }

    /// V, grad V and E.
    pub fn evaluate(&mut self, energy: &mut impl Energy<R>) -> R {
        let Self { n, dim, .. } = *self;
        let rows = Rows::new(&self.x, n, dim, n).expect(VALID);
        let gradient = RowsMut::new(&mut self.gradient, n, dim, n).expect(VALID);
        energy.evaluate(0, rows, Field::new(&mut self.potential, gradient).expect(VALID)).expect(VALID)
    }

    /// A whole step.
    pub fn step(&mut self, dynamics: &mut Dynamics<R>, energy: &mut impl Energy<R>, rng: &mut Stream) -> Report<R> {
        let Self { n, dim, .. } = *self;
        let gradient = RowsMut::new(&mut self.gradient, n, dim, n).expect(VALID);
        let field = Field::new(&mut self.potential, gradient).expect(VALID);
        let mut scratch = Scratch::new(field, &mut self.copies, &mut self.origin, &mut self.particle).expect(VALID);
        let mut rows = RowsMut::new(&mut self.x, n, dim, n).expect(VALID);
        dynamics.step(&mut rows, energy, rng, &mut scratch).expect("finite")
    }
}
