//! A simulation in either precision, behind one face: claims and defects read and write double precision.

use birth_death::{Dynamics, Energy, Error, Field, Marginal, Prior, Report, Rows, RowsMut, Scheme};

use super::{BoxedEnergy, Setup, Simulated};
use crate::generators::BoxedGenerator;
use birth_death_simulate::simulation::{Product, Simulation};

/// An energy in single precision.
pub type BoxedSingle = Box<dyn Energy<f32> + Send>;

/// In which numbers the subject computes. Oracles compute in double precision whatever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// `f64`.
    Double,
    /// `f32`.
    Single,
}

impl Precision {
    /// An energy in this precision.
    pub fn of(self, energy: impl Energy<f64> + Energy<f32> + Send + 'static) -> AnyEnergy {
        match self {
            Precision::Double => AnyEnergy::Double(Box::new(energy)),
            Precision::Single => AnyEnergy::Single(Box::new(energy)),
        }
    }

    /// The number of this precision that is nearest.
    pub fn round(self, x: f64) -> f64 {
        match self {
            Precision::Double => x,
            Precision::Single => f64::from(x as f32),
        }
    }

    /// What to add to a check's name.
    pub const fn suffix(self) -> &'static str {
        match self {
            Precision::Double => "",
            Precision::Single => ", f32",
        }
    }
}

/// An energy in either precision.
pub enum AnyEnergy {
    /// In `f64`.
    Double(BoxedEnergy),
    /// In `f32`.
    Single(BoxedSingle),
}

impl AnyEnergy {
    /// Which.
    pub fn precision(&self) -> Precision {
        match self {
            AnyEnergy::Double(_) => Precision::Double,
            AnyEnergy::Single(_) => Precision::Single,
        }
    }

    /// The same with what `change` makes of it in double precision.
    pub fn changed(self, change: impl FnOnce(BoxedEnergy) -> BoxedEnergy) -> Self {
        match self {
            AnyEnergy::Double(energy) => AnyEnergy::Double(change(energy)),
            AnyEnergy::Single(energy) => AnyEnergy::Single(Box::new(Narrowed(change(Box::new(Widened(energy)))))),
        }
    }
}

/// An energy of `f32` as one of `f64`, at positions that `f32` has.
struct Widened(BoxedSingle);

/// An energy of `f64` as one of `f32`.
struct Narrowed(BoxedEnergy);

/// From one precision to another, and back.
type Conversions<A, B> = (fn(A) -> B, fn(B) -> A);

/// `energy` at positions of another precision: they go through `to`, what it finds through `from`.
fn across<A: birth_death::Real, B: birth_death::Real>(
    energy: &mut (dyn Energy<B> + Send),
    step: u64,
    at: Rows<'_, A>,
    mut out: Field<'_, A>,
    (to, from): Conversions<A, B>,
) -> Result<A, Error> {
    let (n, dim) = (at.len(), at.dim());
    let values: Vec<B> = at.iter().flatten().map(|x| to(*x)).collect();
    let (mut potentials, mut gradients) = (vec![B::ZERO; n], vec![B::ZERO; n * dim]);
    let field = Field::new(&mut potentials, RowsMut::packed(&mut gradients, dim)?)?;
    let value = energy.evaluate(step, Rows::packed(&values, dim)?, field)?;
    let (v, mut gradient) = out.parts_mut();
    v.iter_mut().zip(potentials).for_each(|(v, found)| *v = from(found));
    for (row, found) in gradient.iter_mut().zip(gradients.chunks(n)) {
        row.iter_mut().zip(found).for_each(|(g, found)| *g = from(*found));
    }
    Ok(from(value))
}

const TO_SINGLE: fn(f64) -> f32 = |x| x as f32;
const TO_DOUBLE: fn(f32) -> f64 = f64::from;

impl Energy<f64> for Widened {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn evaluate(&mut self, step: u64, at: Rows<'_, f64>, out: Field<'_, f64>) -> Result<f64, Error> {
        across(&mut *self.0, step, at, out, (TO_SINGLE, TO_DOUBLE))
    }
}

impl Energy<f32> for Narrowed {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn evaluate(&mut self, step: u64, at: Rows<'_, f32>, out: Field<'_, f32>) -> Result<f32, Error> {
        across(&mut *self.0, step, at, out, (TO_DOUBLE, TO_SINGLE))
    }
}

/// A product prior in single precision.
///
/// # Panics
/// For improper marginals: the harness's own constants.
pub fn narrowed(marginals: &[Marginal<f64>]) -> Product<f32> {
    Product::new(marginals.iter().map(|law| law.map(|number| number as f32)).collect())
        .expect("the harness's own constants")
}

/// A simulation in single precision, and the last values of it in double precision.
#[derive(Debug)]
pub struct Single {
    simulation: Simulation<'static, f32, Product<f32>, BoxedGenerator>,
    values: Vec<f64>,
    potentials: Vec<f64>,
    gradients: Vec<f64>,
}

impl Single {
    fn read(&mut self) {
        let Self { simulation, values, potentials, gradients } = self;
        let widen =
            |to: &mut [f64], from: &[f32]| to.iter_mut().zip(from).for_each(|(to, from)| *to = TO_DOUBLE(*from));
        widen(values, simulation.values_mut());
        widen(potentials, simulation.potentials());
        let n = simulation.particles();
        gradients.chunks_mut(n).zip(simulation.gradients().iter()).for_each(|(to, from)| widen(to, from));
    }
}

/// A simulation in either precision.
#[derive(Debug)]
pub enum Engine {
    /// In `f64`.
    Double(Box<Simulated>),
    /// In `f32`.
    Single(Box<Single>),
}

const ACCEPTED: &str = "the harness's own constants";

impl Engine {
    /// Of `energy`, with the particles at the origin.
    ///
    /// # Panics
    /// For parameters that the core refuses, and a reinjection in single precision without a prior of it: they are the
    /// harness's own.
    pub fn new(setup: &Setup, energy: AnyEnergy, rng: BoxedGenerator) -> Self {
        let n = setup.particles;
        match energy {
            AnyEnergy::Double(energy) => {
                let dynamics = setup.dynamics(setup.scheme.clone(), setup.dt, setup.alpha).expect(ACCEPTED);
                Engine::Double(Box::new(Simulation::new(n, energy, dynamics, rng).expect(ACCEPTED)))
            }
            AnyEnergy::Single(energy) => {
                let scheme = setup.scheme.clone().map(|_| setup.single_prior.clone().expect(ACCEPTED));
                let dynamics = setup.dynamics(scheme, setup.dt as f32, setup.alpha as f32).expect(ACCEPTED);
                let simulation = Simulation::new(n, energy, dynamics, rng).expect(ACCEPTED);
                let zeros = vec![0.0; simulation.dimension() * n];
                let (values, gradients) = (zeros.clone(), zeros);
                Engine::Single(Box::new(Single { simulation, values, potentials: vec![0.0; n], gradients }))
            }
        }
    }

    /// One step.
    pub fn step(&mut self) -> Result<Report<f64>, Error> {
        let single = match self {
            Engine::Double(simulation) => return simulation.step(),
            Engine::Single(single) => single,
        };
        let report = single.simulation.step()?;
        single.read();
        Ok(report.map(TO_DOUBLE))
    }

    /// E and Vbar, the energy being told this step's number.
    pub fn evaluate_at(&mut self, step: u64) -> Result<(f64, f64), Error> {
        match self {
            Engine::Double(simulation) => simulation.evaluate_at(step),
            Engine::Single(single) => {
                let (energy, mean) = single.simulation.evaluate_at(step)?;
                single.read();
                Ok((TO_DOUBLE(energy), TO_DOUBLE(mean)))
            }
        }
    }

    /// Puts the particles where they are told, and makes every slot its own ancestor.
    ///
    /// # Errors
    /// For another number of values.
    pub fn place(&mut self, rows: &[f64]) -> Result<(), Error> {
        match self {
            Engine::Double(simulation) => simulation.place(rows),
            Engine::Single(single) => {
                let narrow: Vec<f32> = rows.iter().map(|x| TO_SINGLE(*x)).collect();
                single.simulation.place(&narrow)?;
                single.read();
                Ok(())
            }
        }
    }

    /// Overwrites the particles.
    pub fn overwrite(&mut self, rows: &[f64]) {
        match self {
            Engine::Double(simulation) => simulation.values_mut().copy_from_slice(rows),
            Engine::Single(single) => {
                let values = single.simulation.values_mut();
                values.iter_mut().zip(rows).for_each(|(to, from)| *to = TO_SINGLE(*from));
                single.values.iter_mut().zip(&*values).for_each(|(to, from)| *to = TO_DOUBLE(*from));
            }
        }
    }

    /// Draws the start on the simulation's own stream.
    pub fn draw(&mut self, start: &Product<f64>) {
        match self {
            Engine::Double(simulation) => simulation.draw(start),
            Engine::Single(single) => {
                // start laws are given in double precision, and a draw of theirs is rounded
                let n = single.simulation.particles();
                let mut particle = vec![0.0; single.simulation.dimension()];
                let mut rows = vec![0.0; particle.len() * n];
                for slot in 0..n {
                    start.draw(single.simulation.rng_mut(), &mut particle);
                    particle.iter().enumerate().for_each(|(k, x)| rows[k * n + slot] = *x);
                }
                self.place(&rows).expect(ACCEPTED);
            }
        }
    }

    /// Changes rate and length of the step, from the next one on.
    ///
    /// # Panics
    /// For values that the core refuses: they are the harness's own.
    pub fn set(&mut self, alpha: f64, dt: f64) {
        match self {
            Engine::Double(simulation) => {
                simulation.dynamics_mut().set_alpha(alpha).expect(ACCEPTED);
                simulation.dynamics_mut().set_dt(dt).expect(ACCEPTED);
            }
            Engine::Single(single) => {
                single.simulation.dynamics_mut().set_alpha(alpha as f32).expect(ACCEPTED);
                single.simulation.dynamics_mut().set_dt(dt as f32).expect(ACCEPTED);
            }
        }
    }

    /// The particles.
    pub fn rows(&self) -> Rows<'_, f64> {
        match self {
            Engine::Double(simulation) => simulation.rows(),
            Engine::Single(single) => single.view(&single.values),
        }
    }

    /// V of each particle, as the last step or evaluation found it.
    pub fn potentials(&self) -> &[f64] {
        match self {
            Engine::Double(simulation) => simulation.potentials(),
            Engine::Single(single) => &single.potentials,
        }
    }

    /// grad V of each particle, likewise.
    pub fn gradients(&self) -> Rows<'_, f64> {
        match self {
            Engine::Double(simulation) => simulation.gradients(),
            Engine::Single(single) => single.view(&single.gradients),
        }
    }

    /// Where each slot's particle came from in the last step.
    pub fn origins(&self) -> &[u32] {
        match self {
            Engine::Double(simulation) => simulation.origins(),
            Engine::Single(single) => single.simulation.origins(),
        }
    }
}

impl Single {
    fn view<'a>(&self, values: &'a [f64]) -> Rows<'a, f64> {
        Rows::packed(values, self.simulation.dimension()).expect("of the simulation's shape")
    }
}

impl Setup {
    /// The dynamics with this scheme, step and rate, in any precision.
    fn dynamics<R: birth_death::Real>(
        &self,
        scheme: Scheme<Product<R>>,
        dt: R,
        alpha: R,
    ) -> Result<Dynamics<R, Product<R>>, Error> {
        let dynamics = Dynamics::new(scheme, dt, alpha)?.with_rate(self.rate())?.with_quench_from(self.quench_from);
        Ok(if self.transport { dynamics } else { dynamics.without_transport() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Separable, Subject};
    use super::*;

    fn setup() -> Setup {
        Setup::birth_death(50, 0.1, 3.0).raw().with_prior(&[Marginal::Normal { mean: 0.25, sd: 0.5 }])
    }

    #[test]
    fn a_trial_in_single_precision_is_the_crate_s_own() {
        // both signs of V: births and deaths
        let start: Vec<f64> = (0..50).map(|i| f64::from(i) / 7.0 - 2.0).collect();
        let mut trial = Subject::correct(1001).trial_of(&setup(), Precision::Single.of(Separable(|x| x)), 3);
        trial.place(&start);
        let rng = Subject::correct(1001).words(3);
        let dynamics = Dynamics::reinjection(0.1f32, 3.0, narrowed(&[Marginal::Normal { mean: 0.25, sd: 0.5 }]));
        let energy: BoxedSingle = Box::new(Separable(|x| x));
        let mut alone = Simulation::new(50, energy, dynamics.expect("dynamics"), rng).expect("a simulation");
        alone.place(&start.iter().map(|x| *x as f32).collect::<Vec<_>>()).expect("placed");
        let (mut births, mut deaths) = (0, 0);
        for _ in 0..20 {
            let (report, expected) = (trial.step().expect("a step"), alone.step().expect("a step"));
            births += report.births;
            deaths += report.deaths;
            assert_eq!((report.births, report.deaths), (expected.births, expected.deaths));
            assert_eq!(report.energy.to_bits(), f64::from(expected.energy).to_bits());
            let values: Vec<f64> = alone.values_mut().iter().map(|x| f64::from(*x)).collect();
            assert_eq!(trial.values(), values);
            assert_eq!(trial.origins(), alone.origins());
        }
        assert!(births > 20 && deaths > 20, "{births} {deaths}");
    }

    #[test]
    fn an_energy_goes_across_and_back_to_the_same_bits() {
        let at: Vec<f32> = (0..9).map(|i| 0.1 + i as f32 / 3.0).collect();
        let evaluate = |mut energy: BoxedSingle| {
            let (mut v, mut g) = (vec![0.0; 9], vec![9.0; 9]);
            let field = Field::new(&mut v, RowsMut::packed(&mut g, 1).expect("rows")).expect("a field");
            let value = energy.evaluate(0, Rows::packed(&at, 1).expect("rows"), field).expect("finite");
            (value, v, g)
        };
        let plain = || Box::new(Separable(|x| 0.1 + x / 3.0));
        assert_eq!(evaluate(Box::new(Narrowed(Box::new(Widened(plain()))))), evaluate(plain()));
    }
}
