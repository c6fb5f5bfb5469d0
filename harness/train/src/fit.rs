//! One training: the core's dynamics on the data, the losses on the way, and the units that are kept.

use std::sync::atomic::{AtomicBool, Ordering};

use birth_death::models::{Examples, Loss, MiniBatches, Network, network};
use birth_death::{Dynamics, Energy, Error, Field, Rate, Real, Rows, RowsMut, Stream};
use indicatif::ProgressBar;

use super::prepared::{Part, Prepared, Purpose, stream};
use birth_death_simulate::config::training::{Laws, Scale, Targets, Training};
use birth_death_simulate::config::{self, Marginal};
use birth_death_simulate::problem::product;
use birth_death_simulate::simulation::{Product, Simulation};

/// Which dynamics train.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Method {
    /// The scheme.
    pub scheme: config::Scheme,
    /// The rate of events.
    pub rate: Rate,
    /// The birth-death rate.
    pub alpha: f64,
    /// The length of a step.
    pub dt: f64,
    /// L2 regularisation.
    pub decay: f64,
}

impl Method {
    /// That of the configuration.
    pub fn of(config: &Training) -> Self {
        Self { scheme: config.scheme, rate: config.rate, alpha: config.alpha, dt: config.dt, decay: config.decay }
    }
}

/// The prior of scheme 2: the configuration's, or the paper's (output weights 0) with the start's law of the input
/// weights.
pub fn prior(config: &Training) -> Laws {
    config.prior.unwrap_or(Laws { c: Marginal::Constant(0.0), z: config.start.z })
}

/// What was found after so many steps. Losses are means over all examples of a part, without regularisation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    /// Steps made.
    pub step: u64,
    /// The time of the dynamics.
    pub time: f64,
    /// On the training part.
    pub training: f64,
    /// On the validation part, if there is one.
    pub validation: Option<f64>,
    /// Births since the evaluation before.
    pub births: u64,
    /// Deaths since the evaluation before.
    pub deaths: u64,
    /// Distinct ancestors alive.
    pub distinct: u32,
}

/// Why a training ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// All steps are made.
    Complete,
    /// The validation loss has not improved for so many evaluations.
    Patience,
    /// Ctrl-C.
    Interrupted,
    /// A step could not be made.
    Failed {
        /// Which, counted from 0.
        step: u64,
        /// Why.
        error: Error,
    },
}

impl End {
    /// In one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Patience => "patience",
            Self::Interrupted => "interrupted",
            Self::Failed { .. } => "failed",
        }
    }
}

/// What a training gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit<R> {
    /// The losses, steps ascending; the first is that of the start.
    pub evaluations: Vec<Evaluation>,
    /// Which of them the units are of: that of the least validation loss, the last without validation.
    pub kept: usize,
    /// The units: component k of all in row k, row after row.
    pub units: Vec<R>,
    /// Why it ended.
    pub end: End,
}

impl<R> Fit<R> {
    /// The evaluation of the units that are kept.
    pub fn best(&self) -> &Evaluation {
        &self.evaluations[self.kept]
    }
}

/// The scale of the outputs as a factor of the mean over the units.
pub fn scale<R: Real>(config: &Training) -> R {
    match config.scale {
        Scale::MeanField => R::ONE,
        Scale::Sum => R::from_count(u32::try_from(config.particles).unwrap_or(u32::MAX)),
        Scale::Factor(factor) => R::from_f64(factor),
    }
}

fn loss(config: &Training) -> Loss {
    match config.targets {
        Targets::Numbers { .. } => Loss::Squared,
        Targets::Classes { .. } => Loss::Logistic,
    }
}

/// What the networks of one training borrow.
#[derive(Debug, Default)]
pub struct Memory<R> {
    order: Vec<u32>,
    inputs: Vec<R>,
    targets: Vec<R>,
    scratch: [Vec<R>; 3],
}

impl<R: Real> Memory<R> {
    /// Of the size that the configuration needs.
    pub fn new(config: &Training, prepared: &Prepared<R>) -> Self {
        let batch = config.batch.unwrap_or(0);
        let sizes = [config.batch.unwrap_or(config.sizes.training), config.sizes.training, config.sizes.validation];
        Self {
            order: vec![0; if config.batch.is_some() { config.sizes.training } else { 0 }],
            inputs: vec![R::ZERO; batch * prepared.input_dim],
            targets: vec![R::ZERO; batch * prepared.outputs],
            scratch: sizes.map(|size| vec![R::ZERO; network::scratch_len(prepared.outputs, size)]),
        }
    }
}

/// The loss on one part, by the network itself.
struct Evaluator<'m, R> {
    network: Network<'m, R, Examples<'m, R>>,
    potential: Vec<R>,
    gradient: Vec<R>,
}

impl<'m, R: Real> Evaluator<'m, R> {
    /// None for a part without examples.
    fn new(
        config: &Training,
        prepared: &'m Prepared<R>,
        part: &'m Part<R>,
        scratch: &'m mut [R],
    ) -> Result<Option<Self>, Error> {
        let Some(examples) = part.examples(prepared.input_dim, prepared.outputs) else {
            return Ok(None);
        };
        let network = Network::new(config.activation, loss(config), examples, scratch)?.with_scale(scale(config))?;
        let values = config.particles * network.dim();
        Ok(Some(Self { network, potential: vec![R::ZERO; config.particles], gradient: vec![R::ZERO; values] }))
    }

    fn loss(&mut self, at: Rows<'_, R>) -> Result<f64, Error> {
        let gradient = RowsMut::packed(&mut self.gradient, at.dim())?;
        let field = Field::new(&mut self.potential, gradient)?;
        Ok(self.network.evaluate(0, at, field)?.to_f64())
    }
}

/// A training that is about to begin.
pub struct Trainer<'m, R> {
    simulation: Simulation<'m, R>,
    training: Evaluator<'m, R>,
    validation: Option<Evaluator<'m, R>>,
    dt: f64,
    steps: u64,
    every: u64,
    patience: Option<u64>,
}

impl<'m, R: Real> Trainer<'m, R> {
    /// Builds everything, and draws the start: on the replicate's stream, unit by unit, components ascending; the
    /// events then go on with that stream, so that all methods begin at the same units.
    ///
    /// # Errors
    /// The core's, for a combination of values that are fine one by one.
    pub fn new(
        config: &Training,
        method: Method,
        prepared: &'m Prepared<R>,
        replicate: u64,
        memory: &'m mut Memory<R>,
    ) -> Result<Self, Error> {
        let Memory { order, inputs, targets, scratch: [batch, training, validation] } = memory;
        let none = Error::Zero { what: "number of examples" };
        let data = prepared.training.examples(prepared.input_dim, prepared.outputs).ok_or(none)?;
        let (decay, scale) = (R::from_f64(method.decay), scale(config));
        let energy: Box<dyn Energy<R> + Send + 'm> = if config.batch.is_some() {
            let batches = stream(replicate, Purpose::Batches);
            let source = MiniBatches::new(data, order, inputs, targets, config.seed, batches)?;
            let network = Network::new(config.activation, loss(config), source, batch)?;
            Box::new(network.with_scale(scale)?.with_decay(decay)?)
        } else {
            let network = Network::new(config.activation, loss(config), data, batch)?;
            Box::new(network.with_scale(scale)?.with_decay(decay)?)
        };
        let rng = Stream::seeded(config.seed, stream(replicate, Purpose::Simulation));
        let dynamics = dynamics(config, method, prepared)?;
        let mut simulation = Simulation::new(config.particles, energy, dynamics, rng)?;
        simulation.draw(&laws(&config.start, prepared)?);
        Ok(Self {
            simulation,
            training: Evaluator::new(config, prepared, &prepared.training, training)?.ok_or(none)?,
            validation: Evaluator::new(config, prepared, &prepared.validation, validation)?,
            dt: method.dt,
            steps: config.steps,
            every: config.every,
            patience: config.patience,
        })
    }

    /// Trains until all steps are made, patience ends, a step fails or `stop` is set.
    ///
    /// # Errors
    /// The core's, if not even the start can be evaluated.
    pub fn run(mut self, bar: &ProgressBar, stop: &AtomicBool) -> Result<Fit<R>, Error> {
        let mut fit = Fit { evaluations: Vec::new(), kept: 0, units: Vec::new(), end: End::Complete };
        let (mut births, mut deaths) = (0, 0);
        self.evaluate(&mut fit, (&mut births, &mut deaths), bar)?;
        for step in 0..self.steps {
            if stop.load(Ordering::Relaxed) {
                fit.end = End::Interrupted;
                break;
            }
            match self.simulation.step() {
                Ok(report) => {
                    births += u64::from(report.births);
                    deaths += u64::from(report.deaths);
                }
                Err(error) => {
                    fit.end = End::Failed { step, error };
                    break;
                }
            }
            bar.inc(1);
            let made = step + 1;
            if made.is_multiple_of(self.every) || made == self.steps {
                self.evaluate(&mut fit, (&mut births, &mut deaths), bar)?;
                let since = (fit.evaluations.len() - 1 - fit.kept) as u64;
                if made < self.steps && self.patience.is_some_and(|patience| since >= patience) {
                    fit.end = End::Patience;
                    break;
                }
            }
        }
        // what was made since the last evaluation counts too
        let last = fit.evaluations.last().map(|evaluation| evaluation.step);
        if last != Some(self.simulation.dynamics().steps()) {
            self.evaluate(&mut fit, (&mut births, &mut deaths), bar)?;
        }
        Ok(fit)
    }

    fn evaluate(
        &mut self,
        fit: &mut Fit<R>,
        (births, deaths): (&mut u64, &mut u64),
        bar: &ProgressBar,
    ) -> Result<(), Error> {
        let rows = self.simulation.rows();
        let training = self.training.loss(rows)?;
        let validation = self.validation.as_mut().map(|part| part.loss(rows)).transpose()?;
        fit.evaluations.push(Evaluation {
            step: self.simulation.dynamics().steps(),
            time: self.simulation.dynamics().steps() as f64 * self.dt,
            training,
            validation,
            births: std::mem::take(births),
            deaths: std::mem::take(deaths),
            distinct: self.simulation.distinct(),
        });
        let now = fit.evaluations.len() - 1;
        let improved = match (validation, fit.best().validation) {
            // written so that a loss that is not finite is replaced by one that is
            (Some(loss), Some(best)) => now == 0 || loss < best || !best.is_finite() && loss.is_finite(),
            _ => true,
        };
        if improved {
            fit.kept = now;
            fit.units = rows.iter().flatten().copied().collect();
        }
        bar.set_message(match validation {
            Some(validation) => format!("training loss {training:.4}, validation {validation:.4}"),
            None => format!("training loss {training:.4}"),
        });
        Ok(())
    }
}

fn laws<R: Real>(laws: &Laws, prepared: &Prepared<R>) -> Result<Product<R>, Error> {
    let mut marginals = vec![laws.c; prepared.outputs];
    marginals.resize(prepared.outputs + prepared.input_dim, laws.z);
    product(&marginals)
}

fn dynamics<R: Real>(
    config: &Training,
    method: Method,
    prepared: &Prepared<R>,
) -> Result<Dynamics<R, Product<R>>, Error> {
    let prior = laws(&prior(config), prepared)?;
    let scheme = method.scheme.map(|()| prior);
    let dynamics = Dynamics::new(scheme, R::from_f64(method.dt), R::from_f64(method.alpha))?;
    Ok(dynamics.with_rate(method.rate)?.with_quench_from(config.steps - config.quench))
}

impl<R> std::fmt::Debug for Trainer<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trainer").field("steps", &self.steps).finish_non_exhaustive()
    }
}
