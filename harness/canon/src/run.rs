//! One run: a model under one scheme.

use crate::digest::{Digest, State};
use crate::{EVERY, SEED};
use birth_death::{
    Dynamics, Energy, Ensemble, Error, Marginal, NoPrior, Prior, ProductPrior, Rate, Real, Snapshot, Stream, Workspace,
};
use core::fmt;

/// The type of all numbers of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 64 bits.
    F64,
}

/// A canonical run's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id {
    /// Number and name of the model.
    pub model: (u64, &'static str),
    /// Number and name of the scheme.
    pub scheme: (u64, &'static str),
    /// The precision.
    pub precision: Precision,
}

impl Id {
    /// The number of its stream: 16 times the model's, twice the scheme's, and 1 for `f64`.
    pub const fn number(&self) -> u64 {
        let precision = match self.precision {
            Precision::F32 => 0,
            Precision::F64 => 1,
        };
        self.model.0.wrapping_mul(16).wrapping_add(self.scheme.0.wrapping_mul(2)).wrapping_add(precision)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let precision = if self.precision == Precision::F32 { "f32" } else { "f64" };
        write!(f, "{}/{}/{precision}", self.model.1, self.scheme.1)
    }
}

/// A checkpoint reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Of which run.
    pub id: Id,
    /// After how many steps.
    pub step: u64,
    /// Births and deaths so far.
    pub events: u64,
    /// The chain up to it.
    pub digest: Digest,
}

impl fmt::Display for Line {
    /// `model/scheme/precision step bytes hash`: what images print and the audit reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = crate::hex(&self.digest.hash);
        let hash = core::str::from_utf8(&text).unwrap_or("?");
        write!(f, "{} {} {} {hash}", self.id, self.step, self.digest.bytes)
    }
}

/// A run that failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stop {
    /// Which.
    pub id: Id,
    /// Why.
    pub error: Error,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.id, self.error)
    }
}

/// Who asked, for what.
pub(crate) struct Runner<'a> {
    pub checkpoints: u64,
    pub wanted: &'a dyn Fn(Id) -> bool,
    pub sink: &'a mut dyn FnMut(&Line),
}

/// The parameters of a model's runs.
pub(crate) struct Model {
    pub number: u64,
    pub name: &'static str,
    pub dt: f64,
    pub alpha: f64,
}

impl Runner<'_> {
    /// All schemes on one model, `N` particles of `D` components.
    pub fn schemes<R: Real, const D: usize, const N: usize>(
        &mut self,
        model: &Model,
        energy: &mut dyn Energy<R>,
    ) -> Result<(), Stop> {
        let (dt, alpha) = (R::from_f64(model.dt), R::from_f64(model.alpha));
        let precision = if crate::bytes_of::<R>() == 4 { Precision::F32 } else { Precision::F64 };
        let id = |number, name| Id { model: (model.number, model.name), scheme: (number, name), precision };
        let law = Marginal::Normal { mean: R::ZERO, sd: R::HALF };
        let prior = |id| ProductPrior::new([law; D]).map_err(|error| Stop { id, error });
        type Make<R> = fn(R, R) -> Result<Dynamics<R, NoPrior>, Error>;

        let plain: [(Id, Make<R>); 4] = [
            (id(0, "gradient-flow"), |dt, _| Dynamics::gradient_flow(dt)),
            (id(1, "birth-death"), |dt, alpha| Dynamics::birth_death(dt, alpha)),
            (id(2, "birth-death-raw"), |dt, alpha| Dynamics::birth_death(dt, alpha)?.with_rate(Rate::Raw)),
            (id(3, "pure-birth-death"), |dt, alpha| Ok(Dynamics::birth_death(dt, alpha)?.without_transport())),
        ];
        for (id, make) in plain {
            if (self.wanted)(id) {
                let dynamics = make(dt, alpha).map_err(|error| Stop { id, error })?;
                self.run::<R, _, D, N>(id, dynamics, energy).map_err(|error| Stop { id, error })?;
            }
        }
        let id = id(4, "reinjection");
        if (self.wanted)(id) {
            let dynamics = Dynamics::reinjection(dt, alpha, prior(id)?).map_err(|error| Stop { id, error })?;
            self.run::<R, _, D, N>(id, dynamics, energy).map_err(|error| Stop { id, error })?;
        }
        Ok(())
    }

    fn run<R: Real, P: Prior<R>, const D: usize, const N: usize>(
        &mut self,
        id: Id,
        mut dynamics: Dynamics<R, P>,
        energy: &mut dyn Energy<R>,
    ) -> Result<(), Error> {
        let mut rng = Stream::seeded(SEED, id.number());
        let mut x = Ensemble::<R, D, N>::new();
        let reach = R::ONE + R::HALF;
        let start = ProductPrior::new([Marginal::Uniform { low: -reach, high: reach }; D])?;
        for _ in 0..N {
            let mut particle = [R::ZERO; D];
            start.draw(&mut rng, &mut particle);
            x.push(particle)?;
        }
        let mut workspace = Workspace::<R, D, N>::new();
        let mut digest = Digest::default();
        let mut state = State { steps: 0, energy: R::ZERO, events: 0, words: [0; 4] };
        for checkpoint in 0..=self.checkpoints {
            while state.steps < checkpoint.saturating_mul(EVERY) {
                let report = dynamics.step(&mut x, energy, &mut rng, &mut workspace)?;
                state.steps = dynamics.steps();
                state.energy = report.energy;
                state.events =
                    state.events.saturating_add(u64::from(report.births)).saturating_add(u64::from(report.deaths));
            }
            rng.save(&mut state.words);
            digest = digest.next(&state, x.rows());
            (self.sink)(&Line { id, step: state.steps, events: state.events, digest });
        }
        Ok(())
    }
}
