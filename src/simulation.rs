//! A whole simulation in one value, with memory of any size: feature `alloc`.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use crate::rows::slots;
use crate::{
    Dynamics, Energy, Error, Field, Genealogy, Generator, NoPrior, Prior, Quantity, Real, Report, Rows, RowsMut,
    Scratch, Snapshot, Stream, checkpoint,
};

/// An ensemble, its dynamics, energy and generator in one value, on the heap: for programs that have one, with the bits
/// of a loop over [`Dynamics::step`]. It keeps count of the ancestors too.
///
/// Where memory is short it aborts, as all of `alloc` does.
///
/// ```
/// use birth_death::{Dynamics, Marginal, ProductPrior, Simulation, Stream, models::Rastrigin};
/// let (energy, dynamics) = (Rastrigin::new(1.0, 2)?, Dynamics::<f64>::birth_death(0.002, 1.0)?);
/// let mut simulation = Simulation::new(200, energy, dynamics, Stream::seeded(1, 0))?;
/// simulation.draw(&ProductPrior::new([Marginal::Uniform { low: -2.0, high: 2.0 }; 2])?);
/// let first = simulation.step()?;
/// let last = simulation.run(500)?;
/// assert!(last.energy < first.energy);
/// // or report by report, until it is good enough
/// let good = simulation.reports().take(500).find(|report| report.is_ok_and(|report| report.energy < first.energy));
/// assert!(good.is_some());
/// # Ok::<(), birth_death::Error>(())
/// ```
pub struct Simulation<R, E, P = NoPrior, G = Stream> {
    particles: usize,
    dimension: usize,
    rows: Vec<R>,
    potential: Vec<R>,
    gradient: Vec<R>,
    copies: Vec<u32>,
    origin: Vec<u32>,
    particle: Vec<R>,
    ancestors: Genealogy<Vec<u32>>,
    energy: E,
    dynamics: Dynamics<R, P>,
    rng: G,
}

impl<R: Real, E: Energy<R>, P: Prior<R>, G: Generator> Simulation<R, E, P, G> {
    /// `particles` particles at the origin; put them somewhere with [`draw`](Self::draw) or [`place`](Self::place).
    ///
    /// # Errors
    /// [`Error::Empty`] for no particle, [`Error::Zero`] for an energy without dimension, [`Error::Capacity`] beyond
    /// [`MAX_PARTICLES`](crate::MAX_PARTICLES).
    pub fn new(particles: usize, energy: E, dynamics: Dynamics<R, P>, rng: G) -> Result<Self, Error> {
        let dimension = energy.dim();
        let values = dimension.saturating_mul(particles);
        if particles == 0 {
            return Err(Error::Empty);
        }
        crate::rows::check(values, particles, dimension, particles)?;
        Ok(Self {
            particles,
            dimension,
            rows: vec![R::ZERO; values],
            potential: vec![R::ZERO; particles],
            gradient: vec![R::ZERO; values],
            copies: vec![0; particles],
            origin: slots().take(particles).collect(),
            particle: vec![R::ZERO; dimension],
            ancestors: founders(particles)?,
            energy,
            dynamics,
            rng,
        })
    }

    /// Draws every particle from `start` with the simulation's own generator: particle by particle, components
    /// ascending.
    pub fn draw(&mut self, start: &impl Prior<R>) {
        for slot in 0..self.particles {
            start.draw(&mut self.rng, &mut self.particle);
            let column = self.rows.iter_mut().skip(slot).step_by(self.particles);
            column.zip(&self.particle).for_each(|(to, &value)| *to = value);
        }
        self.found();
    }

    /// Every particle becomes its own ancestor: they stand at a start.
    fn found(&mut self) {
        if let Ok(ancestors) = founders(self.particles) {
            self.ancestors = ancestors;
        }
    }

    /// Puts the particles where they are told: row after row, component k of all particles in row k.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for another number of values; nothing has changed then.
    pub fn place(&mut self, rows: &[R]) -> Result<(), Error> {
        if rows.len() != self.rows.len() {
            return Err(Error::Mismatch { what: "values of the start", expected: self.rows.len(), found: rows.len() });
        }
        self.rows.copy_from_slice(rows);
        self.found();
        Ok(())
    }

    /// One step of the dynamics.
    ///
    /// # Errors
    /// As [`Dynamics::step`]; the ensemble is unchanged then.
    pub fn step(&mut self) -> Result<Report<R>, Error> {
        let n = self.particles;
        let mut rows = RowsMut::new(&mut self.rows, n, self.dimension, n)?;
        let gradient = RowsMut::new(&mut self.gradient, n, self.dimension, n)?;
        let field = Field::new(&mut self.potential, gradient)?;
        let mut scratch = Scratch::new(field, &mut self.copies, &mut self.origin, &mut self.particle)?;
        let report = self.dynamics.step(&mut rows, &mut self.energy, &mut self.rng, &mut scratch)?;
        if report.births > 0 || report.deaths > 0 {
            self.ancestors.update(&self.origin)?;
        }
        Ok(report)
    }

    /// So many steps; the report of the last, or of none.
    ///
    /// # Errors
    /// The first step's that fails; the ensemble is as it was before that step.
    pub fn run(&mut self, steps: u64) -> Result<Report<R>, Error> {
        let mut last = Report::default();
        for _ in 0..steps {
            last = self.step()?;
        }
        Ok(last)
    }

    /// Steps, one for each report that is asked for; an error is the last item.
    pub fn reports(&mut self) -> impl Iterator<Item = Result<Report<R>, Error>> + use<'_, R, E, P, G> {
        let mut failed = false;
        core::iter::from_fn(move || {
            if failed {
                return None;
            }
            let report = self.step();
            failed = report.is_err();
            Some(report)
        })
    }

    /// Energy and mean potential of the present ensemble, without a step and without randomness. Afterwards
    /// [`potentials`](Self::potentials) and [`gradients`](Self::gradients) are those of this ensemble.
    ///
    /// # Errors
    /// [`Error::NotFinite`] and the energy's own; the ensemble is unchanged.
    pub fn evaluate(&mut self) -> Result<(R, R), Error> {
        self.evaluate_at(self.dynamics.steps())
    }

    /// The same with the energy told another step's number: for steps that are not [`step`](Self::step)'s.
    ///
    /// # Errors
    /// Likewise.
    pub fn evaluate_at(&mut self, step: u64) -> Result<(R, R), Error> {
        let n = self.particles;
        let rows = Rows::new(&self.rows, n, self.dimension, n)?;
        let gradient = RowsMut::new(&mut self.gradient, n, self.dimension, n)?;
        let mut field = Field::new(&mut self.potential, gradient)?;
        let energy = self.energy.evaluate(step, rows, field.reborrow())?;
        let mean_potential = field.check_finite()?;
        if !energy.is_finite() {
            return Err(Error::NotFinite { quantity: Quantity::Energy, particle: None });
        }
        Ok((energy, mean_potential))
    }

    /// Number of distinct ancestors alive: particles of the start, and draws from the prior since.
    pub fn distinct(&self) -> u32 {
        self.ancestors.distinct()
    }

    /// The particles.
    pub fn rows(&self) -> Rows<'_, R> {
        Rows::of_checked(&self.rows, self.dimension, self.particles)
    }

    /// The particles, for writing: row after row.
    pub fn values_mut(&mut self) -> &mut [R] {
        &mut self.rows
    }

    /// V of each particle, as the last step or evaluation found it.
    pub fn potentials(&self) -> &[R] {
        &self.potential
    }

    /// grad V of each particle, as the last evaluation found it. After a step the slots that took a draw from the prior
    /// hold that draw instead.
    pub fn gradients(&self) -> Rows<'_, R> {
        Rows::of_checked(&self.gradient, self.dimension, self.particles)
    }

    /// Where each slot's particle came from in the last step: a slot, or [`FRESH`](crate::FRESH).
    pub fn origins(&self) -> &[u32] {
        &self.origin
    }

    /// The same, for writing: ancestors take no notice.
    pub fn origins_mut(&mut self) -> &mut [u32] {
        &mut self.origin
    }

    /// Number of particles.
    pub fn particles(&self) -> usize {
        self.particles
    }

    /// Components of a particle.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The dynamics: its step, time and parameters.
    pub fn dynamics(&self) -> &Dynamics<R, P> {
        &self.dynamics
    }

    /// The dynamics, for schedules.
    pub fn dynamics_mut(&mut self) -> &mut Dynamics<R, P> {
        &mut self.dynamics
    }

    /// The generator.
    pub fn rng_mut(&mut self) -> &mut G {
        &mut self.rng
    }
}

/// A [`Simulation`] written down: what steps change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedSimulation {
    /// Particles, dynamics and generator: the core's checkpoint.
    pub state: Vec<u8>,
    /// For each slot the first slot with the same ancestor.
    pub ancestors: Vec<u32>,
}

impl<R: Real, E: Energy<R>, P: Prior<R>, G: Generator + Snapshot> Simulation<R, E, P, G> {
    /// Writes the simulation down for the same `tag`.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a particle that is not finite, which no step leaves.
    pub fn save(&self, tag: u64) -> Result<SavedSimulation, Error> {
        let (n, dim) = (self.particles, self.dimension);
        let mut bytes = vec![0; checkpoint::size::<R, G>(dim, n)];
        checkpoint::save(tag, self.rows(), &self.dynamics, &self.rng, &mut bytes)?;
        let mut first = vec![None; n];
        let families = slots().zip(self.ancestors.families());
        let ancestors = families
            .map(|(slot, &family)| {
                let family = usize::try_from(family).ok().and_then(|family| first.get_mut(family));
                family.map_or(slot, |first| *first.get_or_insert(slot))
            })
            .collect();
        Ok(SavedSimulation { state: bytes, ancestors })
    }

    /// Goes on from what [`save`](Self::save) wrote for the same `tag` and a simulation of the same shape and scheme.
    ///
    /// # Errors
    /// Those of [`checkpoint::restore`], and [`Error::Parameter`] for ancestors that are none; nothing has changed
    /// then.
    pub fn restore(&mut self, tag: u64, saved: &SavedSimulation) -> Result<(), Error> {
        let (n, dim) = (self.particles, self.dimension);
        let mut ancestors = founders(n)?;
        // as if all had been copied from these slots in one step
        ancestors.update(&saved.ancestors)?;
        let mut particles = RowsMut::new(&mut self.rows, n, dim, n)?;
        checkpoint::restore(tag, &saved.state, &mut particles, &mut self.dynamics, &mut self.rng)?;
        self.ancestors = ancestors;
        Ok(())
    }
}

impl<R, E, P, G> fmt::Debug for Simulation<R, E, P, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("particles", &self.particles)
            .field("dimension", &self.dimension)
            .finish_non_exhaustive()
    }
}

/// Every particle its own ancestor.
fn founders(particles: usize) -> Result<Genealogy<Vec<u32>>, Error> {
    Genealogy::new(vec![0; particles], vec![0; particles])
}

impl<R: Real, E: Energy<R> + ?Sized> Energy<R> for Box<E> {
    fn dim(&self) -> usize {
        (**self).dim()
    }

    fn evaluate(&mut self, step: u64, at: Rows<'_, R>, out: Field<'_, R>) -> Result<R, Error> {
        (**self).evaluate(step, at, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Quadratic;
    use crate::{FRESH, Marginal, ProductPrior, Scheme};
    use std::collections::BTreeSet;

    const CURVATURE: [f64; 2] = [1.0, 0.5];

    type Normals = ProductPrior<[Marginal<f64>; 2]>;
    type Boxed = Box<dyn Energy<f64>>;

    fn simulation<P: Prior<f64>>(dynamics: Dynamics<f64, P>) -> Simulation<f64, Boxed, P> {
        let energy = Quadratic::new(&CURVATURE).expect("an energy");
        let rng = Stream::seeded(7, 3);
        let mut simulation = Simulation::new(30, Box::new(energy) as Boxed, dynamics, rng).expect("a simulation");
        simulation.draw(&normals());
        simulation
    }

    fn normals() -> Normals {
        let marginal = Marginal::Normal { mean: 0.0, sd: 1.0 };
        ProductPrior::new([marginal; 2]).expect("a prior")
    }

    #[test]
    fn a_step_reports_what_an_evaluation_before_it_found() {
        let mut simulation = simulation(Dynamics::birth_death(0.05, 2.0).expect("dynamics"));
        for _ in 0..20 {
            let (energy, mean_potential) = simulation.evaluate().expect("finite");
            let report = simulation.step().expect("a step");
            assert_eq!((report.energy, report.mean_potential), (energy, mean_potential));
        }
    }

    #[test]
    fn draws_from_the_prior_are_new_ancestors() {
        let dynamics = Dynamics::reinjection(0.05, 2.0, normals()).expect("dynamics");
        let mut simulation = simulation(dynamics);
        let mut naive: Vec<usize> = (0..30).collect();
        for step in 1..=100 {
            simulation.step().expect("a step");
            let old = naive.clone();
            for (slot, &origin) in simulation.origins().iter().enumerate() {
                naive[slot] = if origin == FRESH { 100 * step + slot } else { old[origin as usize] };
            }
            let distinct: BTreeSet<_> = naive.iter().collect();
            assert_eq!(simulation.distinct() as usize, distinct.len());
        }
        assert!(naive.iter().any(|&ancestor| ancestor >= 100), "draws from the prior are among them");
    }

    #[test]
    fn a_restored_simulation_goes_on_to_the_same_bits() {
        for prior in [None, Some(normals())] {
            let begin = || {
                let scheme = prior.map_or(Scheme::BirthDeath, Scheme::Reinjection);
                simulation(Dynamics::new(scheme, 0.05, 2.0).expect("dynamics"))
            };
            let (mut whole, mut again) = (begin(), begin());
            for step in 0..60 {
                whole.step().expect("a step");
                if step % 7 == 3 {
                    let saved = whole.save(5).expect("finite");
                    assert!(again.restore(6, &saved).is_err(), "another tag");
                    again.restore(5, &saved).expect("restored");
                } else if step > 3 {
                    again.step().expect("a step");
                    assert_eq!(again.distinct(), whole.distinct());
                    assert_eq!(again.save(5), whole.save(5));
                }
            }
            assert!(whole.distinct() > 1);
        }
    }

    #[test]
    fn ancestors_that_are_none_change_nothing() {
        let mut simulation = simulation(Dynamics::birth_death(0.05, 2.0).expect("dynamics"));
        let mut saved = simulation.save(0).expect("finite");
        let before = saved.clone();
        saved.state = {
            simulation.step().expect("a step");
            simulation.save(0).expect("finite").state
        };
        let now = simulation.save(0);
        saved.ancestors[3] = 30;
        assert!(simulation.restore(0, &saved).is_err());
        saved.ancestors = before.ancestors[1..].to_vec();
        assert!(simulation.restore(0, &saved).is_err());
        assert_eq!(simulation.save(0), now);
    }

    #[test]
    fn shapes_and_errors_leave_the_ensemble_alone() {
        let dynamics = || Dynamics::<f64>::birth_death(0.05, 2.0).expect("dynamics");
        let energy = || Box::new(Quadratic::new(&CURVATURE).expect("an energy"));
        let none = Simulation::new(0, energy(), dynamics(), Stream::seeded(1, 0));
        assert_eq!(none.map(|_| ()), Err(Error::Empty));
        let mut simulation = simulation(dynamics());
        assert!(simulation.place(&[1.0; 59]).is_err());
        let mut values = vec![0.5; 60];
        values[1] = f64::NAN;
        simulation.place(&values).expect("placed");
        assert!(simulation.step().is_err() && simulation.evaluate().is_err());
        assert_eq!(simulation.rows().row(1), [0.5; 30]);
    }

    #[test]
    fn reports_end_with_the_error() {
        let energy = crate::models::External(|[x]: [f64; 1]| (if x < 0.9 { f64::NAN } else { x }, [1.0]));
        let dynamics = Dynamics::<f64>::gradient_flow(0.04).expect("dynamics");
        let mut simulation = Simulation::new(2, energy, dynamics, Stream::seeded(1, 0)).expect("a simulation");
        simulation.place(&[1.0, 1.1]).expect("placed");
        assert_eq!(simulation.run(0), Ok(Report::default()));
        let reports: Vec<_> = simulation.reports().collect();
        assert_eq!(reports.len(), 4);
        assert!(reports[..3].iter().all(Result::is_ok) && reports[3].is_err());
        assert!(simulation.run(5).is_err());
        assert_eq!(simulation.dynamics().steps(), 3);
    }
}
