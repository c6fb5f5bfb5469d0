//! What is being verified: the crate as it is, or the crate with one planted defect.
//!
//! Claims make every simulation through [`Subject::trial`], so a defect reaches all of them and none needs to know of
//! it.

mod engine;

use std::fmt::Debug;

use birth_death::{Energy, Error, Field, Marginal, ProductPrior, Rate, Real, Report, Rows, Scheme};

use crate::generators::{BoxedGenerator, Source};
use birth_death_simulate::simulation::{Product, Simulation};
use engine::{Engine, narrowed};

pub use engine::{AnyEnergy, BoxedSingle, Precision};

/// An energy of the harness's own, with any kernel.
pub type BoxedEnergy = Box<dyn Energy<f64> + Send>;

/// A simulation of the subject in double precision.
pub type Simulated = Simulation<'static, f64, Product<f64>, BoxedGenerator>;

/// The parameters of a simulation.
#[derive(Clone, Debug)]
pub struct Setup {
    /// n.
    pub particles: usize,
    /// Scheme, with its prior.
    pub scheme: Scheme<Product<f64>>,
    /// Rate; none takes the scheme's default.
    pub rate: Option<Rate>,
    /// Length of a step.
    pub dt: f64,
    /// Birth-death rate.
    pub alpha: f64,
    /// False for pure birth-death.
    pub transport: bool,
    /// The step from which birth-death is off.
    pub quench_from: u64,
    /// In which numbers; that of the energy, which [`Subject`] sets.
    pub precision: Precision,
    /// The prior of the scheme in single precision, without which there is no scheme 2 in it: see [`Self::with_prior`].
    pub single_prior: Option<Product<f32>>,
}

impl Setup {
    /// Scheme 1 with centred rates and transport.
    pub const fn birth_death(particles: usize, dt: f64, alpha: f64) -> Self {
        Self {
            particles,
            scheme: Scheme::BirthDeath,
            rate: None,
            dt,
            alpha,
            transport: true,
            quench_from: u64::MAX,
            precision: Precision::Double,
            single_prior: None,
        }
    }

    /// Gradient flow.
    pub fn gradient_flow(particles: usize, dt: f64) -> Self {
        Self { scheme: Scheme::GradientFlow, ..Self::birth_death(particles, dt, 0.0) }
    }

    /// The same under scheme 2, in either precision.
    pub fn with_prior(self, marginals: &[Marginal<f64>]) -> Self {
        let single_prior = Some(narrowed(marginals));
        Self { scheme: Scheme::Reinjection(product(marginals)), single_prior, ..self }
    }

    /// The same with raw rates.
    pub fn raw(self) -> Self {
        Self { rate: Some(Rate::Raw), ..self }
    }

    /// The same without transport.
    pub fn without_transport(self) -> Self {
        Self { transport: false, ..self }
    }

    /// The rate in force.
    pub fn rate(&self) -> Rate {
        self.rate.unwrap_or(self.scheme.default_rate())
    }
}

/// A product prior from its marginals.
///
/// # Panics
/// For improper marginals: the harness's own constants.
pub fn product(marginals: &[Marginal<f64>]) -> Product<f64> {
    ProductPrior::new(marginals.into()).expect("the harness's own constants")
}

/// A way of being wrong. Every method defaults to being right.
pub trait Defect: Debug + Sync {
    /// Its name and what is wrong, in a few words.
    fn describe(&self) -> (&'static str, &'static str);

    /// Spoils the parameters, at the start and whenever a setter has changed them.
    fn parameters(&self, _setup: &mut Setup) {}

    /// The birth-death rate of step number `step`, given that of step 0 and the one in force, as [`Self::parameters`]
    /// left them.
    fn alpha(&self, _first: f64, in_force: f64, _step: u64) -> f64 {
        in_force
    }

    /// Spoils what the dynamics sees of the energy. `setup` is the one asked for.
    fn energy(&self, energy: BoxedEnergy, _setup: &Setup) -> BoxedEnergy {
        energy
    }

    /// Spoils the generator.
    fn generator(&self, rng: BoxedGenerator, _setup: &Setup) -> BoxedGenerator {
        rng
    }

    /// Replaces the step in double precision, for what cannot be built around the crate. `setup` is the one in force,
    /// `number` that of the step.
    fn step(&self, _simulation: &mut Simulated, _setup: &Setup, _number: u64) -> Option<Result<Report<f64>, Error>> {
        None
    }

    /// Spoils the ensemble (`after`, row after row) once a step is done, given that before the step, the gradients
    /// there, the step's origins, and dt (0 without transport).
    fn after_step(&self, _before: &[f64], _gradients: &[f64], _origins: &[u32], _dt: f64, _after: &mut [f64]) {}
}

/// The system under test.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Seed of all streams.
    pub seed: u64,
    /// The generator behind them.
    pub generator: Source,
    /// The planted defect, if any.
    pub defect: Option<&'static dyn Defect>,
}

impl Subject {
    /// The crate as it is, with its own generator.
    pub const fn correct(seed: u64) -> Self {
        Self { seed, generator: Source::Xorshift128, defect: None }
    }

    /// The words of stream number `stream`, which no defect spoils.
    pub fn words(&self, stream: u64) -> BoxedGenerator {
        self.generator.seeded(self.seed, stream)
    }

    /// A simulation of `energy` on stream number `stream`; its particles stand at the origin.
    ///
    /// # Panics
    /// For parameters that the core refuses: they are the harness's own.
    pub fn trial(&self, setup: &Setup, energy: BoxedEnergy, stream: u64) -> Trial {
        self.trial_of(setup, AnyEnergy::Double(energy), stream)
    }

    /// The same in the precision of the energy.
    ///
    /// # Panics
    /// Likewise.
    pub fn trial_of(&self, setup: &Setup, energy: AnyEnergy, stream: u64) -> Trial {
        self.scripted(setup, energy, self.words(stream))
    }

    /// The same with the words of a generator given.
    ///
    /// # Panics
    /// Likewise.
    pub fn scripted(&self, setup: &Setup, mut energy: AnyEnergy, mut rng: BoxedGenerator) -> Trial {
        let asked = Setup { precision: energy.precision(), ..setup.clone() };
        let mut setup = asked.clone();
        if let Some(defect) = self.defect {
            energy = energy.changed(|energy| defect.energy(energy, &asked));
            rng = defect.generator(rng, &asked);
            defect.parameters(&mut setup);
        }
        let engine = Engine::new(&setup, energy, rng);
        Trial { engine, first_alpha: setup.alpha, asked, setup, defect: self.defect, steps: 0 }
    }
}

/// One simulation of the subject: [`Simulation`], and what the defect does in and after each step.
#[derive(Debug)]
pub struct Trial {
    engine: Engine,
    /// The parameters asked for.
    asked: Setup,
    /// The parameters in force.
    setup: Setup,
    /// The rate of step 0.
    first_alpha: f64,
    defect: Option<&'static dyn Defect>,
    /// Steps done.
    steps: u64,
}

impl Trial {
    /// One step.
    ///
    /// # Errors
    /// The core's.
    pub fn step(&mut self) -> Result<Report<f64>, Error> {
        let report = match self.defect {
            None => self.engine.step()?,
            Some(defect) => self.step_with(defect)?,
        };
        self.steps += 1;
        Ok(report)
    }

    /// So many steps, or up to the first that fails.
    ///
    /// # Errors
    /// The core's.
    pub fn advance(&mut self, steps: usize) -> Result<(), Error> {
        (0..steps).try_for_each(|_| self.step().map(|_| ()))
    }

    fn step_with(&mut self, defect: &dyn Defect) -> Result<Report<f64>, Error> {
        if self.steps == 0 {
            self.first_alpha = self.setup.alpha;
        }
        let in_force = defect.alpha(self.first_alpha, self.setup.alpha, self.steps);
        self.engine.set(in_force, self.setup.dt);
        let before = self.values();
        let replaced = match &mut self.engine {
            Engine::Double(simulation) => defect.step(simulation, &self.setup, self.steps),
            Engine::Single(_) => None,
        };
        let report = replaced.unwrap_or_else(|| self.engine.step())?;
        let gradients: Vec<f64> = self.gradients().iter().flatten().copied().collect();
        let mut after = self.values();
        let dt = if self.setup.transport { self.setup.dt } else { 0.0 };
        defect.after_step(&before, &gradients, self.engine.origins(), dt, &mut after);
        self.engine.overwrite(&after);
        Ok(report)
    }

    /// Changes the birth-death rate from the next step on.
    ///
    /// # Panics
    /// For a value that the core refuses: the harness's own constants.
    pub fn set_alpha(&mut self, alpha: f64) {
        self.asked.alpha = alpha;
        self.set();
    }

    /// Changes the length of a step from the next one on.
    ///
    /// # Panics
    /// Likewise.
    pub fn set_dt(&mut self, dt: f64) {
        self.asked.dt = dt;
        self.set();
    }

    fn set(&mut self) {
        self.setup = self.asked.clone();
        if let Some(defect) = self.defect {
            defect.parameters(&mut self.setup);
        }
        self.engine.set(self.setup.alpha, self.setup.dt);
    }

    /// Puts the particles where they are told, row after row.
    ///
    /// # Panics
    /// For another number of values.
    pub fn place(&mut self, rows: &[f64]) {
        self.engine.place(rows).expect("as many values as particles and components");
    }

    /// Puts the particles back without forgetting anything else: for steps from a frozen ensemble.
    pub fn reset(&mut self, rows: &[f64]) {
        self.engine.overwrite(rows);
    }

    /// Draws the start on the simulation's own stream.
    pub fn draw(&mut self, start: &Product<f64>) {
        self.engine.draw(start);
    }

    /// E and Vbar of the present ensemble.
    ///
    /// # Errors
    /// The core's.
    pub fn evaluate(&mut self) -> Result<(f64, f64), Error> {
        self.engine.evaluate_at(self.steps)
    }

    /// The particles.
    pub fn rows(&self) -> Rows<'_, f64> {
        self.engine.rows()
    }

    /// The particles, row after row.
    pub fn values(&self) -> Vec<f64> {
        self.rows().iter().flatten().copied().collect()
    }

    /// V of each particle, as the last evaluation or step found it.
    pub fn potentials(&self) -> &[f64] {
        self.engine.potentials()
    }

    /// grad V of each particle, likewise.
    pub fn gradients(&self) -> Rows<'_, f64> {
        self.engine.gradients()
    }

    /// Where each slot's particle came from in the last step.
    pub fn origins(&self) -> &[u32] {
        self.engine.origins()
    }
}

/// A potential of one component, as an energy without interaction: `V_i = F(x_i)`, rounded to the precision.
pub struct Separable<F>(pub F);

impl<R: Real, F: Fn(f64) -> f64> Energy<R> for Separable<F> {
    fn dim(&self) -> usize {
        1
    }

    fn evaluate(&mut self, _step: u64, at: Rows<'_, R>, mut out: Field<'_, R>) -> Result<R, Error> {
        out.check(1, at)?;
        let (potential, mut gradient) = out.parts_mut();
        gradient.row_mut(0).fill(R::ZERO);
        let mut sum = 0.0;
        for (v, &x) in potential.iter_mut().zip(at.row(0)) {
            *v = R::from_f64((self.0)(x.to_f64()));
            sum += v.to_f64();
        }
        Ok(R::from_f64(sum / at.len() as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advance_ends_at_the_first_step_that_fails() {
        // V of the fourth evaluation is not finite
        struct Spent(u64);
        impl Energy<f64> for Spent {
            fn dim(&self) -> usize {
                1
            }

            fn evaluate(&mut self, step: u64, at: Rows<'_, f64>, mut out: Field<'_, f64>) -> Result<f64, Error> {
                out.check(1, at)?;
                let (potential, mut gradient) = out.parts_mut();
                potential.fill(if step < self.0 { 0.0 } else { f64::NAN });
                gradient.row_mut(0).fill(1.0);
                Ok(0.0)
            }
        }
        let mut trial = Subject::correct(1001).trial(&Setup::gradient_flow(1, 0.5), Box::new(Spent(3)), 0);
        assert_eq!(trial.advance(2), Ok(()));
        assert_eq!(trial.values(), [-1.0]);
        assert!(trial.advance(9).is_err());
        assert_eq!(trial.values(), [-1.5]);
    }
}
