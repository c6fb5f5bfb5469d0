//! What is being verified: the crate as it is, or the crate with one planted defect.
//!
//! Claims make every simulation through [`Subject::trial`], so a defect reaches all of them and none needs to know of it.

use birth_death::{Dynamics, Energy, Error, Field, Marginal, ProductPrior, Rate, Report, Rows, Scheme};

use crate::defects::Defect;
use crate::generators::{BoxedGenerator, Source};
use crate::simulation::{Product, Simulation};
use crate::stopwatch::{Laps, Stopwatch};

/// An energy of the harness's own, with any kernel.
pub type BoxedEnergy = Box<dyn Energy<f64> + Send>;

/// A simulation of the subject.
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
}

impl Setup {
    /// Scheme 1 with centred rates and transport.
    pub const fn birth_death(particles: usize, dt: f64, alpha: f64) -> Self {
        Self { particles, scheme: Scheme::BirthDeath, rate: None, dt, alpha, transport: true, quench_from: u64::MAX }
    }

    /// Gradient flow.
    pub const fn gradient_flow(particles: usize, dt: f64) -> Self {
        Self {
            particles,
            scheme: Scheme::GradientFlow,
            rate: None,
            dt,
            alpha: 0.0,
            transport: true,
            quench_from: u64::MAX,
        }
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
        self.rate.unwrap_or(if matches!(self.scheme, Scheme::Reinjection(_)) { Rate::Raw } else { Rate::Centred })
    }

    fn dynamics(&self) -> Result<Dynamics<f64, Product<f64>>, Error> {
        let dynamics = Dynamics::new(self.scheme.clone(), self.dt, self.alpha)?
            .with_rate(self.rate())?
            .with_quench_from(self.quench_from);
        Ok(if self.transport { dynamics } else { dynamics.without_transport() })
    }
}

/// A product prior from its marginals.
///
/// # Panics
/// For improper marginals: the harness's own constants.
pub fn product(marginals: &[Marginal<f64>]) -> Product<f64> {
    ProductPrior::new(marginals.into()).expect("the harness's own constants")
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
    /// What takes the time of its simulations, if any does.
    pub watch: Option<&'static Stopwatch>,
}

impl Subject {
    /// The crate as it is, with its own generator.
    pub const fn correct(seed: u64) -> Self {
        Self { seed, generator: Source::Xorshift128, defect: None, watch: None }
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
        let mut setup = setup.clone();
        let mut energy = energy;
        let mut rng = self.words(stream);
        if let Some(defect) = self.defect {
            energy = defect.energy(energy, &setup);
            rng = defect.generator(rng, &setup);
            defect.parameters(&mut setup);
        }
        let dynamics = setup.dynamics().expect("the harness's own constants");
        let simulation = Simulation::new(setup.particles, energy, dynamics, rng).expect("the harness's own constants");
        Trial { simulation, setup, defect: self.defect, steps: 0, before: Vec::new(), laps: Laps::of(self.watch) }
    }
}

/// One simulation of the subject: [`Simulation`], and what the defect does in and after each step.
#[derive(Debug)]
pub struct Trial {
    simulation: Simulated,
    /// The parameters in force.
    setup: Setup,
    defect: Option<&'static dyn Defect>,
    /// Steps done.
    steps: u64,
    before: Vec<f64>,
    laps: Laps,
}

impl Trial {
    /// One step.
    ///
    /// # Errors
    /// The core's.
    pub fn step(&mut self) -> Result<Report<f64>, Error> {
        let lap = self.laps.begin();
        let report = self.next();
        self.laps.end(lap);
        report
    }

    /// So many steps, or up to the first that fails.
    ///
    /// # Errors
    /// The core's.
    pub fn advance(&mut self, steps: usize) -> Result<(), Error> {
        let lap = self.laps.begin();
        let done = (0..steps).try_for_each(|_| self.next().map(|_| ()));
        self.laps.end(lap);
        done
    }

    fn next(&mut self) -> Result<Report<f64>, Error> {
        let report = match self.defect {
            None => self.simulation.step()?,
            Some(defect) => self.spoilt(defect)?,
        };
        self.steps += 1;
        Ok(report)
    }

    fn spoilt(&mut self, defect: &dyn Defect) -> Result<Report<f64>, Error> {
        self.before.clear();
        self.before.extend_from_slice(self.simulation.values_mut());
        let replaced = defect.step(&mut self.simulation, &self.setup, self.steps);
        let report = replaced.unwrap_or_else(|| self.simulation.step())?;
        let (origins, dt) = (self.simulation.origins().to_vec(), self.simulation.dynamics().dt());
        let gradients: Vec<f64> = self.simulation.gradients().iter().flatten().copied().collect();
        defect.after_step(&self.before, &gradients, &origins, dt, self.simulation.values_mut());
        Ok(report)
    }

    /// Puts the particles where they are told, row after row.
    ///
    /// # Panics
    /// For another number of values.
    pub fn place(&mut self, rows: &[f64]) {
        self.simulation.place(rows).expect("as many values as particles and components");
    }

    /// Puts the particles back without forgetting anything else: for steps from a frozen ensemble.
    pub fn reset(&mut self, rows: &[f64]) {
        self.simulation.values_mut().copy_from_slice(rows);
    }

    /// Draws the start on the simulation's own stream.
    pub fn draw(&mut self, start: &Product<f64>) {
        let lap = self.laps.begin();
        self.simulation.draw(start);
        self.laps.end(lap);
    }

    /// E and Vbar of the present ensemble.
    ///
    /// # Errors
    /// The core's.
    pub fn evaluate(&mut self) -> Result<(f64, f64), Error> {
        let lap = self.laps.begin();
        let found = self.simulation.evaluate_at(self.steps);
        self.laps.end(lap);
        found
    }

    /// The particles.
    pub fn rows(&self) -> Rows<'_, f64> {
        self.simulation.rows()
    }

    /// The particles, row after row.
    pub fn values(&self) -> Vec<f64> {
        self.rows().iter().flatten().copied().collect()
    }

    /// V of each particle, as the last evaluation or step found it.
    pub fn potentials(&self) -> &[f64] {
        self.simulation.potentials()
    }

    /// grad V of each particle, likewise.
    pub fn gradients(&self) -> Rows<'_, f64> {
        self.simulation.gradients()
    }

    /// Where each slot's particle came from in the last step.
    pub fn origins(&self) -> &[u32] {
        self.simulation.origins()
    }
}

/// A potential of one component, as an energy without interaction: `V_i = F(x_i)`.
pub struct Separable<F>(pub F);

impl<F: Fn(f64) -> f64> Energy<f64> for Separable<F> {
    fn dim(&self) -> usize {
        1
    }

    fn evaluate(&mut self, _step: u64, at: Rows<'_, f64>, mut out: Field<'_, f64>) -> Result<f64, Error> {
        out.check(1, at)?;
        let (potential, mut gradient) = out.parts_mut();
        gradient.row_mut(0).fill(0.0);
        for (v, &x) in potential.iter_mut().zip(at.row(0)) {
            *v = (self.0)(x);
        }
        Ok(potential.iter().sum::<f64>() / at.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watch_has_steps_evaluations_and_starts_and_nothing_else() {
        static WATCH: Stopwatch = Stopwatch::new();
        let subject = Subject { watch: Some(&WATCH), ..Subject::correct(1001) };
        let start = product(&[Marginal::Normal { mean: 0.0, sd: 1.0 }]);
        let timed = |work: &dyn Fn(&mut Trial)| {
            let before = WATCH.seconds();
            let mut trial = subject.trial(&Setup::gradient_flow(100, 0.1), Box::new(Separable(|x| x)), 0);
            trial.place(&[1.0; 100]);
            trial.reset(&[2.0; 100]);
            work(&mut trial);
            drop(trial);
            WATCH.seconds() > before
        };
        assert!(!timed(&|_| ()));
        assert!(timed(&|trial| trial.draw(&start)));
        assert!(timed(&|trial| assert!(trial.step().is_ok())));
        assert!(timed(&|trial| assert_eq!(trial.advance(3), Ok(()))));
        assert!(timed(&|trial| assert!(trial.evaluate().is_ok())));
    }

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
