//! One ensemble under the core's dynamics, with memory of any size.
//!
//! Every simulated step of the harness is [`Dynamics::step`]; this type owns what a step needs: the rows, the field,
//! the scratch, the energy, the generator and the ancestors.

use std::sync::Arc;

use birth_death::{
    Dynamics, Energy, Error, Field, Genealogy, Generator, Marginal, Prior, ProductPrior, Quantity, Real, Report, Rows,
    RowsMut, Scheme, Scratch, Snapshot, Stream, checkpoint,
};

use crate::config::Config;

/// A product prior with its marginals on the heap, shared between replicates.
pub type Product<R> = ProductPrior<Arc<[Marginal<R>]>>;

/// An ensemble of n particles, its dynamics, energy and generator.
pub struct Simulation<'e, R, P = Product<R>, G = Stream> {
    particles: usize,
    dimension: usize,
    rows: Vec<R>,
    potential: Vec<R>,
    gradient: Vec<R>,
    copies: Vec<u32>,
    origin: Vec<u32>,
    particle: Vec<R>,
    ancestors: Genealogy<Vec<u32>>,
    energy: Box<dyn Energy<R> + Send + 'e>,
    dynamics: Dynamics<R, P>,
    rng: G,
}

impl<'e, R: Real, P: Prior<R>, G: Generator> Simulation<'e, R, P, G> {
    /// `particles` particles at the origin; put them somewhere with [`draw`](Self::draw) or [`place`](Self::place).
    ///
    /// # Errors
    /// The core's, for no particle, or an energy without dimension.
    pub fn new(
        particles: usize,
        energy: Box<dyn Energy<R> + Send + 'e>,
        dynamics: Dynamics<R, P>,
        rng: G,
    ) -> Result<Self, Error> {
        let dimension = energy.dim();
        let values = dimension.saturating_mul(particles);
        let simulation = Self {
            particles,
            dimension,
            rows: vec![R::ZERO; values],
            potential: vec![R::ZERO; particles],
            gradient: vec![R::ZERO; values],
            copies: vec![0; particles],
            origin: (0u32..).take(particles).collect(),
            particle: vec![R::ZERO; dimension],
            ancestors: founders(particles)?,
            energy,
            dynamics,
            rng,
        };
        if particles == 0 {
            return Err(Error::Empty);
        }
        Rows::new(&simulation.rows, particles, dimension, particles)?;
        Ok(simulation)
    }

    /// Draws every particle from `start` with the simulation's own generator: particle by particle, components
    /// ascending.
    pub fn draw(&mut self, start: &impl Prior<R>) {
        for slot in 0..self.particles {
            start.draw(&mut self.rng, &mut self.particle);
            for (row, &value) in self.rows.chunks_exact_mut(self.particles).zip(&self.particle) {
                row[slot] = value;
            }
        }
        self.ancestors = founders(self.particles).expect("checked by the constructor");
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
        self.ancestors = founders(self.particles)?;
        Ok(())
    }

    /// One step of the dynamics.
    ///
    /// # Errors
    /// The core's; the ensemble is unchanged then.
    pub fn step(&mut self) -> Result<Report<R>, Error> {
        let n = self.particles;
        let mut rows = RowsMut::new(&mut self.rows, n, self.dimension, n)?;
        let gradient = RowsMut::new(&mut self.gradient, n, self.dimension, n)?;
        let field = Field::new(&mut self.potential, gradient)?;
        let mut scratch = Scratch::new(field, &mut self.copies, &mut self.origin, &mut self.particle)?;
        let report = self.dynamics.step(&mut rows, &mut *self.energy, &mut self.rng, &mut scratch)?;
        if report.births > 0 || report.deaths > 0 {
            self.ancestors.update(&self.origin)?;
        }
        Ok(report)
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
        view(&self.rows, self.dimension, self.particles)
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
        view(&self.gradient, self.dimension, self.particles)
    }

    /// Where each slot's particle came from in the last step: a slot, or [`FRESH`](birth_death::FRESH).
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

/// A simulation written down: what steps change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Particles, dynamics and generator: the core's checkpoint.
    pub state: Vec<u8>,
    /// For each slot the first slot with the same ancestor.
    pub ancestors: Vec<u32>,
}

impl<R: Real, P: Prior<R>, G: Generator + Snapshot> Simulation<'_, R, P, G> {
    /// Writes the simulation down for the same `tag`.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a particle that is not finite, which no step leaves.
    pub fn save(&self, tag: u64) -> Result<Saved, Error> {
        let (n, dim) = (self.particles, self.dimension);
        let particles = Rows::new(&self.rows, n, dim, n)?;
        let mut bytes = vec![0; checkpoint::size::<R, G>(dim, n)];
        checkpoint::save(tag, particles, &self.dynamics, &self.rng, &mut bytes)?;
        let mut first = vec![None; n];
        let families = (0u32..).zip(self.ancestors.families());
        let ancestors = families.map(|(slot, &family)| *first[family as usize].get_or_insert(slot)).collect();
        Ok(Saved { state: bytes, ancestors })
    }

    /// Goes on from what [`save`](Self::save) wrote for the same `tag` and a simulation of the same shape and scheme.
    ///
    /// # Errors
    /// The core's, for a state that it refuses, and for ancestors that are none; nothing has changed then.
    pub fn restore(&mut self, tag: u64, saved: &Saved) -> Result<(), Error> {
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

impl<R, P, G> std::fmt::Debug for Simulation<'_, R, P, G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

/// Rows in memory of exactly their size: the constructor has checked them.
fn view<R: Real>(values: &[R], dimension: usize, particles: usize) -> Rows<'_, R> {
    Rows::new(values, particles, dimension, particles).expect("checked by the constructor")
}

/// The dynamics of a configuration.
///
/// # Errors
/// The core's, for a value that it does not accept.
pub fn dynamics<R: Real>(config: &Config, prior: Option<Product<R>>) -> Result<Dynamics<R, Product<R>>, Error> {
    let scheme = match prior {
        Some(prior) => config.scheme.map(|()| prior),
        None if config.scheme.has_events() => Scheme::BirthDeath,
        None => Scheme::GradientFlow,
    };
    let dynamics = Dynamics::new(scheme, R::from_f64(config.dt), R::from_f64(config.alpha))?
        .with_rate(config.rate)?
        .with_quench_from(config.quench_from());
    Ok(if config.transport { dynamics } else { dynamics.without_transport() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use birth_death::FRESH;
    use birth_death::models::Quadratic;

    const CURVATURE: [f64; 2] = [1.0, 0.5];

    fn simulation<P: Prior<f64>>(dynamics: Dynamics<f64, P>) -> Simulation<'static, f64, P> {
        let energy = Quadratic::new(&CURVATURE).expect("an energy");
        let rng = Stream::seeded(7, 3);
        let mut simulation = Simulation::new(30, Box::new(energy), dynamics, rng).expect("a simulation");
        simulation.draw(&normals());
        simulation
    }

    fn normals() -> Product<f64> {
        let marginal = Marginal::Normal { mean: 0.0, sd: 1.0 };
        ProductPrior::new(vec![marginal; 2].into()).expect("a prior")
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
            let distinct: std::collections::BTreeSet<_> = naive.iter().collect();
            assert_eq!(simulation.distinct() as usize, distinct.len());
        }
        assert!(naive.iter().any(|&ancestor| ancestor >= 100), "draws from the prior are among them");
    }

    #[test]
    fn a_restored_simulation_goes_on_to_the_same_bits() {
        for prior in [None, Some(normals())] {
            let begin = || {
                let scheme = prior.clone().map_or(Scheme::BirthDeath, Scheme::Reinjection);
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
}
