//! From a checked configuration to the core's objects, in the precision of the run.

use birth_death::models::{DoubleWell, GaussianUnits, MixtureRef, Mmd, MmdTarget, PendingMmd, Quadratic, Rastrigin};
use birth_death::{Energy, Error, ProductPrior, Real, Rows, Stream};

use crate::config::{self, Component, Config, Model, Reference, Start};
use crate::simulation::{Product, Simulation, dynamics};
use birth_death_terminal::refusal::Refusal;

/// The numbers of a configuration in the precision of the run: what the core's models borrow.
#[derive(Debug, Clone)]
pub struct Numbers<R> {
    weights: Vec<R>,
    centres: Vec<R>,
    variances: Vec<R>,
    sample: Vec<R>,
    curvature: Vec<R>,
}

impl<R: Real> Numbers<R> {
    /// Those of a model; what it does not have is empty.
    pub fn of(model: &Model) -> Self {
        let target: &[Component] = match model {
            Model::GaussianUnits { target, .. } | Model::Mmd { reference: Reference::Target(target), .. } => target,
            _ => &[],
        };
        let sample: &[Vec<f64>] = match model {
            Model::Mmd { reference: Reference::Sample(sample), .. } => sample,
            _ => &[],
        };
        let curvature: &[f64] = match model {
            Model::Quadratic { curvature } => curvature,
            _ => &[],
        };
        Self {
            weights: target.iter().map(|part| R::from_f64(part.weight)).collect(),
            centres: target.iter().flat_map(|part| rounded(&part.centre)).collect(),
            variances: target.iter().map(|part| R::from_f64(part.variance)).collect(),
            sample: sample.iter().flat_map(|row| rounded(row)).collect(),
            curvature: rounded(curvature).collect(),
        }
    }

    /// The sample, one point a slot.
    fn points(&self, dimension: usize) -> Result<Rows<'_, R>, Error> {
        Rows::packed(&self.sample, dimension)
    }
}

/// Pairs of a sample's points between two looks at what the user wants: some hundredths of a second.
const PAIRS_AT_ONCE: usize = 1 << 22;

fn rounded<R: Real>(values: &[f64]) -> impl Iterator<Item = R> + '_ {
    values.iter().map(|&value| R::from_f64(value))
}

/// A model of the core, built once; every replicate has its own copy.
#[derive(Debug, Clone)]
enum Prototype<'n, R> {
    GaussianUnits(GaussianUnits<'n, R>),
    Mmd(Mmd<'n, R>),
    Quadratic(Quadratic<'n, R>),
    DoubleWell(DoubleWell<R>),
    Rastrigin(Rastrigin<R>),
}

impl<'n, R: Real> Prototype<'n, R> {
    fn new(model: &Model, numbers: &'n Numbers<R>) -> Result<Self, Error> {
        let mixture = |dimension| MixtureRef::new(&numbers.weights, &numbers.centres, &numbers.variances, dimension);
        Ok(match model {
            Model::GaussianUnits { dimension, unit_variance, .. } => {
                Self::GaussianUnits(GaussianUnits::new(R::from_f64(*unit_variance), mixture(*dimension)?)?)
            }
            Model::Mmd { dimension, bandwidth, reference } => {
                let target = match reference {
                    Reference::Target(_) => MmdTarget::Mixture(mixture(*dimension)?),
                    Reference::Sample(_) => MmdTarget::Sample(numbers.points(*dimension)?),
                };
                Self::Mmd(Mmd::new(R::from_f64(*bandwidth), target)?)
            }
            Model::Quadratic { .. } => Self::Quadratic(Quadratic::new(&numbers.curvature)?),
            Model::DoubleWell { dimension, tilt } => Self::DoubleWell(DoubleWell::new(R::from_f64(*tilt), *dimension)?),
            Model::Rastrigin { dimension, amplitude } => {
                Self::Rastrigin(Rastrigin::new(R::from_f64(*amplitude), *dimension)?)
            }
        })
    }

    /// The same, with a look at `go_on` now and then, which is told what is done of how much; `None` once it says no.
    fn watched(
        model: &Model,
        numbers: &'n Numbers<R>,
        go_on: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Option<Self>, Error> {
        // the one model that computes before the first step, and may do so for minutes
        let Model::Mmd { dimension, bandwidth, reference: Reference::Sample(_) } = model else {
            return Self::new(model, numbers).map(Some);
        };
        let points = numbers.points(*dimension)?;
        let mut pending = PendingMmd::new(R::from_f64(*bandwidth), points)?;
        while pending.remaining() > 0 {
            if !go_on(points.len() - pending.remaining(), points.len()) {
                return Ok(None);
            }
            pending.advance(PAIRS_AT_ONCE.div_ceil(points.len()));
        }
        pending.finish().map(|mmd| Some(Self::Mmd(mmd)))
    }

    fn energy(&self) -> Box<dyn Energy<R> + Send + 'n> {
        match self {
            Self::GaussianUnits(model) => Box::new(*model),
            Self::Mmd(model) => Box::new(*model),
            Self::Quadratic(model) => Box::new(*model),
            Self::DoubleWell(model) => Box::new(*model),
            Self::Rastrigin(model) => Box::new(*model),
        }
    }
}

/// Where the particles start, in the precision of the run.
#[derive(Debug, Clone)]
enum Origin<R> {
    Draw(Product<R>),
    Given(Vec<R>),
}

/// Everything a replicate needs, built and checked once.
#[derive(Debug, Clone)]
pub struct Problem<'n, R> {
    model: Prototype<'n, R>,
    origin: Origin<R>,
    prior: Option<Product<R>>,
}

impl<'n, R: Real> Problem<'n, R> {
    /// Builds the core's objects from a configuration and its [`Numbers`].
    ///
    /// # Errors
    /// A refusal with the core's own words, where a combination of values that are fine one by one is not: a normaliser
    /// that overflows, say.
    pub fn new(config: &Config, numbers: &'n Numbers<R>) -> Result<Self, Refusal> {
        let model = Prototype::new(&config.model, numbers).map_err(|error| refuse(config, "model", error))?;
        Self::with_model(config, model)
    }

    /// The same for a user who waits: `go_on` is asked now and then, and told what is done of how much; `None` once it
    /// says no. Only the constant of the distance to a sample takes long enough for that.
    ///
    /// # Errors
    /// Likewise.
    pub fn watched(
        config: &Config,
        numbers: &'n Numbers<R>,
        go_on: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Option<Self>, Refusal> {
        let model =
            Prototype::watched(&config.model, numbers, go_on).map_err(|error| refuse(config, "model", error))?;
        model.map(|model| Self::with_model(config, model)).transpose()
    }

    fn with_model(config: &Config, model: Prototype<'n, R>) -> Result<Self, Refusal> {
        let refuse = |key: &str, error: Error| refuse(config, key, error);
        let origin = match &config.start {
            Start::Draw(marginals) => Origin::Draw(product(marginals).map_err(|error| refuse("start", error))?),
            Start::Given(rows) => Origin::Given(rows.iter().flat_map(|row| rounded(row)).collect()),
        };
        let prior = match config.prior.as_slice() {
            [] => None,
            marginals => Some(product(marginals).map_err(|error| refuse("prior", error))?),
        };
        let problem = Self { model, origin, prior };
        dynamics(config, problem.prior.clone()).map_err(|error| refuse("dt, alpha", error))?;
        Ok(problem)
    }

    /// Replicate `index` at its start: the stream `index` of the seed, from which the start is drawn particle by
    /// particle, components ascending; the steps then go on with the same stream.
    ///
    /// # Errors
    /// The core's: [`Error::NotFinite`] for a start whose draw overflows.
    pub fn simulation(&self, config: &Config, index: u64) -> Result<Simulation<'n, R>, Error> {
        let rng = Stream::seeded(config.seed, index);
        let dynamics = dynamics(config, self.prior.clone())?;
        let mut simulation = Simulation::new(config.particles, self.model.energy(), dynamics, rng)?;
        match &self.origin {
            Origin::Draw(start) => simulation.draw(start),
            Origin::Given(rows) => simulation.place(rows)?,
        }
        Ok(simulation)
    }
}

fn refuse(config: &Config, key: &str, error: Error) -> Refusal {
    Refusal::of_file(config.file.display(), format!("{key}: {error}"))
}

/// Independent components with these laws, in the precision of the run.
///
/// # Errors
/// The core's, for a law that is not proper.
pub fn product<R: Real>(marginals: &[config::Marginal]) -> Result<Product<R>, Error> {
    ProductPrior::new(marginals.iter().map(|law| law.map(R::from_f64)).collect())
}
