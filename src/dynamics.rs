//! One step of the particle schemes, from evaluation to transport.

use crate::error::parameter;
use crate::events::{self, Events};
use crate::population::{self, FRESH};
use crate::rows::slots;
use crate::{
    Energy, Error, Generator, NoPrior, Particles, Prior, Quantity, Real, RowsMut, Scratch, StepMemory, transport,
};

/// Which dynamics (arXiv:1902.01843).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Scheme<P = NoPrior> {
    /// Plain gradient flow: no event, no randomness.
    GradientFlow,
    /// Scheme 1: deaths and births; the population is restored by copying or removing uniformly. Follows PDE 1.
    BirthDeath,
    /// Scheme 2: as scheme 1, but what is missing is drawn from the prior. Follows PDE 2 as `n dt` grows.
    Reinjection(P),
}

impl<P> Scheme<P> {
    /// Whether particles die and are born, so that the rate `alpha` may be above zero.
    pub const fn has_events(&self) -> bool {
        !matches!(self, Scheme::GradientFlow)
    }

    /// The rate of its PDE: raw for scheme 2, centred else.
    pub const fn default_rate(&self) -> Rate {
        if matches!(self, Scheme::Reinjection(_)) { Rate::Raw } else { Rate::Centred }
    }

    /// The same scheme with another prior.
    ///
    /// ```
    /// use birth_death::Scheme;
    /// assert_eq!(Scheme::Reinjection(2.0).map(|sd: f64| sd as f32), Scheme::Reinjection(2.0f32));
    /// ```
    pub fn map<Q>(self, prior: impl FnOnce(P) -> Q) -> Scheme<Q> {
        match self {
            Scheme::GradientFlow => Scheme::GradientFlow,
            Scheme::BirthDeath => Scheme::BirthDeath,
            Scheme::Reinjection(of) => Scheme::Reinjection(prior(of)),
        }
    }
}

/// What the event rate is measured from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Rate {
    /// `b_i = V_i - Vbar`: PDE 1; the default of scheme 1. `Vbar` is clamped to the smallest and the largest `V_i`:
    /// equal potentials have rate exactly 0, whatever is rounded.
    Centred,
    /// `b_i = V_i`: PDE 2 and the authors' notebooks; the only rate of scheme 2.
    Raw,
}

/// What one step did. Energy, potential and time are those of the ensemble *before* the step.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Report<R> {
    /// The step's number, counted from zero.
    pub step: u64,
    /// The time at which it began.
    pub time: R,
    /// `E`.
    pub energy: R,
    /// `Vbar`, clamped as centred rates have it ([`Rate::Centred`]).
    pub mean_potential: R,
    /// Particles duplicated.
    pub births: u32,
    /// Particles that died.
    pub deaths: u32,
    /// Removed by population control: `max(births - deaths, 0)`.
    pub removed: u32,
    /// Added by population control, copies or draws from the prior: `max(deaths - births, 0)`.
    pub added: u32,
    /// The largest event probability of any particle.
    pub largest_probability: f64,
}

impl<R: Real> Report<R> {
    /// The same with its real numbers in another type.
    ///
    /// ```
    /// use birth_death::Report;
    /// let mut report = Report::<f32>::default();
    /// report.energy = 0.5;
    /// assert_eq!(report.map(f64::from).energy, 0.5);
    /// ```
    pub fn map<S: Real>(&self, number: impl Fn(R) -> S) -> Report<S> {
        let Self { step, births, deaths, removed, added, largest_probability, .. } = *self;
        let [time, energy, mean_potential] = [self.time, self.energy, self.mean_potential].map(number);
        Report { step, time, energy, mean_potential, births, deaths, removed, added, largest_probability }
    }
}

/// Zeros.
impl<R: Real> Default for Report<R> {
    fn default() -> Self {
        Self {
            step: 0,
            time: R::ZERO,
            energy: R::ZERO,
            mean_potential: R::ZERO,
            births: 0,
            deaths: 0,
            removed: 0,
            added: 0,
            largest_probability: 0.0,
        }
    }
}

/// The stepper: parameters and a counter, no memory of the particles.
///
/// # A step
/// 1. **Evaluate** energy, potentials and gradients; check that all, and `theta - dt grad V`, are finite, those of the
///    particles first.
/// 2. **Events**: `b_i = V_i - Vbar` or `V_i` ([`Rate`]), `Vbar` as
///    [`Field::mean_potential`](crate::Field::mean_potential) has it; with `x_i = alpha |b_i| dt`, `p_i = 1 -
///    exp(-x_i)` (in `f64` for both precisions), particle `i` dies (`b_i > 0`) or is duplicated (`b_i < 0`) with
///    probability `p_i`, when a 32-bit word is below `floor(p_i 2^32)`.
/// 3. **Population control** back to `n`: too many, a uniform subset is removed; too few, uniform copies of those
///    present (scheme 1) or draws from the prior (scheme 2).
/// 4. **Transport** `theta_i <- theta_i - dt grad V_i` with the gradient of 1; a copy carries its parent's gradient, a
///    draw from the prior does not move in its first step.
///
/// # Randomness consumed
/// None by gradient flow, or once quenched. Else, in this order: one word a slot; then control: to remove `e` of `m`
/// present, one bounded integer for each of those present until the last is chosen, at most `m`; to copy, one for each
/// missing; to reinject, one prior draw for each missing, in slot order. A bounded integer is one word, seldom more, at
/// most 64 ([`MAX_TRIES`](crate::random::MAX_TRIES)). So at most `n + 128 n` words a step without a prior.
///
/// # Cost
/// One evaluation of the energy, and beside it, for `n` particles of `D` components of which `e` met an event: about `6
/// n D` operations for the checks, the transport and the commit; `n (3 + D)` words moved; `n` comparisons and at most
/// `n + 1` exponentials (`expm1` in `f64`, needed for about `e` of them); at most `2 n` bounded integers. No
/// allocation, no recursion; constant stack.
///
/// # Errors and state
/// On any error the ensemble, the counter and the generator (but a [`NoRewind`](crate::NoRewind) one) are as they were;
/// only scratch memory was written.
///
/// ```
/// use birth_death::{Dynamics, Ensemble, Stream, Workspace, models::Quadratic};
/// let mut x = Ensemble::<f64, 1, 8>::new();
/// for i in 0..8 {
///     x.push([f64::from(i) - 3.5])?;
/// }
/// let mut energy = Quadratic::new(&[1.0])?;
/// let mut dynamics = Dynamics::birth_death(0.1, 2.0)?;
/// let mut rng = Stream::seeded(1, 0);
/// let mut workspace = Workspace::<f64, 1, 8>::new();
/// let first = dynamics.step(&mut x, &mut energy, &mut rng, &mut workspace)?;
/// for _ in 0..50 {
///     dynamics.step(&mut x, &mut energy, &mut rng, &mut workspace)?;
/// }
/// let last = dynamics.step(&mut x, &mut energy, &mut rng, &mut workspace)?;
/// assert!(last.energy < 1e-3 * first.energy);
/// // the step's record: who stands where (and the field it was decided on)
/// assert!(workspace.scratch(8)?.origin().iter().all(|&parent| parent < 8));
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dynamics<R, P = NoPrior> {
    scheme: Scheme<P>,
    pub(crate) rate: Rate,
    pub(crate) dt: R,
    pub(crate) alpha: R,
    pub(crate) transport: bool,
    pub(crate) quench_from: u64,
    pub(crate) step: u64,
    /// Where the present `dt` came into force: time is `origin_time + (step - origin_step) dt`, a product and not a sum
    /// of steps.
    pub(crate) origin_step: u64,
    pub(crate) origin_time: f64,
}

fn check_dt<R: Real>(dt: R) -> Result<R, Error> {
    parameter("dt", dt, "a finite number >= 0", |dt| dt >= R::ZERO)
}

fn check_alpha<R: Real>(alpha: R) -> Result<R, Error> {
    parameter("alpha", alpha, "a finite number >= 0", |alpha| alpha >= R::ZERO)
}

impl<R: Real> Dynamics<R> {
    /// Gradient flow with step `dt >= 0`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a `dt` that is negative or not finite.
    pub fn gradient_flow(dt: R) -> Result<Self, Error> {
        Self::new(Scheme::GradientFlow, dt, R::ZERO)
    }

    /// Scheme 1 with step `dt >= 0` and birth-death rate `alpha >= 0`, centred.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a value that is negative or not finite.
    pub fn birth_death(dt: R, alpha: R) -> Result<Self, Error> {
        Self::new(Scheme::BirthDeath, dt, alpha)
    }
}

impl<R: Real, P: Prior<R>> Dynamics<R, P> {
    /// Scheme 2 with step `dt >= 0`, rate `alpha >= 0` and reinjection from `prior`; raw.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a value that is negative or not finite.
    pub fn reinjection(dt: R, alpha: R, prior: P) -> Result<Self, Error> {
        Self::new(Scheme::Reinjection(prior), dt, alpha)
    }

    /// Any scheme, for callers that choose it at run time; rate as the named constructors choose it.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a value that is negative or not finite; [`Error::AlphaWithoutEvents`] for gradient flow
    /// with `alpha > 0`.
    pub fn new(scheme: Scheme<P>, dt: R, alpha: R) -> Result<Self, Error> {
        let rate = scheme.default_rate();
        let mut dynamics = Self {
            scheme,
            rate,
            dt: check_dt(dt)?,
            alpha: R::ZERO,
            transport: true,
            quench_from: u64::MAX,
            step: 0,
            origin_step: 0,
            origin_time: 0.0,
        };
        dynamics.set_alpha(alpha)?;
        Ok(dynamics)
    }

    /// The same with another rate. Without effect on gradient flow.
    ///
    /// # Errors
    /// [`Error::CentredReinjection`] for scheme 2 with centred rates.
    pub fn with_rate(mut self, rate: Rate) -> Result<Self, Error> {
        if rate == Rate::Centred && matches!(self.scheme, Scheme::Reinjection(_)) {
            return Err(Error::CentredReinjection);
        }
        self.rate = rate;
        Ok(self)
    }

    /// The same without transport: pure birth-death (Fisher-Rao).
    pub fn without_transport(mut self) -> Self {
        self.transport = false;
        self
    }

    /// The same with birth-death off from step number `step` on: the authors' *quench*.
    pub fn with_quench_from(mut self, step: u64) -> Self {
        self.quench_from = step;
        self
    }

    /// Changes the birth-death rate from the next step on: for schedules.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a value that is negative or not finite, [`Error::AlphaWithoutEvents`] for one above
    /// zero in gradient flow; unchanged then.
    pub fn set_alpha(&mut self, alpha: R) -> Result<(), Error> {
        let alpha = check_alpha(alpha)?;
        if !self.scheme.has_events() && alpha > R::ZERO {
            return Err(Error::AlphaWithoutEvents { alpha: alpha.to_f64() });
        }
        self.alpha = alpha;
        Ok(())
    }

    /// Changes the step's length from the next step on: for schedules.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a value that is negative or not finite; unchanged then.
    pub fn set_dt(&mut self, dt: R) -> Result<(), Error> {
        let dt = check_dt(dt)?;
        if dt == self.dt {
            return Ok(());
        }
        self.origin_time = self.time_f64();
        self.origin_step = self.step;
        self.dt = dt;
        Ok(())
    }

    /// The scheme, with its prior.
    pub const fn scheme(&self) -> &Scheme<P> {
        &self.scheme
    }

    /// What the event rate is measured from.
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// The step's length.
    pub const fn dt(&self) -> R {
        self.dt
    }

    /// The birth-death rate.
    pub const fn alpha(&self) -> R {
        self.alpha
    }

    /// Steps done.
    pub const fn steps(&self) -> u64 {
        self.step
    }

    /// The time reached: `steps dt` as long as `dt` is the same, and summed over its changes else. Infinite if that
    /// overflows.
    pub fn time(&self) -> R {
        R::from_f64(self.time_f64())
    }

    #[allow(clippy::cast_precision_loss)] // beyond 2^53 steps the time is rounded
    fn time_f64(&self) -> f64 {
        self.origin_time + self.step.saturating_sub(self.origin_step) as f64 * self.dt.to_f64()
    }

    /// One step; see the type for what it does, the randomness it consumes and its cost.
    ///
    /// `particles` are an [`Ensemble`](crate::Ensemble) or [`RowsMut`] over the caller's memory, `workspace` a
    /// [`Workspace`](crate::Workspace) or [`Scratch`]; all have the energy's dimension (and the prior's). The generator
    /// is any of `rand_core`'s, wrapped in [`Rewind`](crate::Rewind) or [`NoRewind`](crate::NoRewind), also as `dyn`
    /// [`Generator`].
    ///
    /// # Errors
    /// [`Error::Empty`] for no particle, [`Error::Mismatch`] for shapes that do not agree, the energy's own error,
    /// [`Error::NotFinite`] for a position, potential, gradient, moved position, mean potential, energy (looked at in
    /// this order) or prior draw that is not finite,
    /// [`Error::Extinct`] if nobody is left to copy. Ensemble, counter and generator are unchanged.
    pub fn step<X, E, G, W>(
        &mut self,
        particles: &mut X,
        energy: &mut E,
        rng: &mut G,
        workspace: &mut W,
    ) -> Result<Report<R>, Error>
    where
        X: Particles<R> + ?Sized,
        E: Energy<R> + ?Sized,
        G: Generator + ?Sized,
        W: StepMemory<R> + ?Sized,
    {
        let mut x = particles.rows_mut();
        let mut scratch = workspace.scratch(x.len())?;
        let (value, mean_potential) = self.evaluate(&x, energy, &mut scratch)?;

        let has_events = self.scheme.has_events() && self.step < self.quench_from;
        let events = if has_events {
            rng.mark();
            self.move_population(mean_potential, rng, &mut scratch).inspect_err(|_| rng.rewind())?
        } else {
            scratch.origin.iter_mut().zip(slots()).for_each(|(origin, slot)| *origin = slot);
            Events::default()
        };

        // From here nothing can fail.
        if self.transport {
            transport::advance(x.reborrow(), scratch.field.gradient(), self.dt);
        }
        if has_events {
            transport::commit(x, scratch.origin, scratch.field.gradient());
        }
        let report = Report {
            step: self.step,
            time: self.time(),
            energy: value,
            mean_potential,
            births: events.births,
            deaths: events.deaths,
            removed: events.births.saturating_sub(events.deaths),
            added: events.deaths.saturating_sub(events.births),
            largest_probability: events.largest_probability,
        };
        self.step = self.step.saturating_add(1);
        Ok(report)
    }

    /// Part 1 of a step: the field at `x`, everything checked; `E` and `Vbar`.
    fn evaluate<E: Energy<R> + ?Sized>(
        &self,
        x: &RowsMut<'_, R>,
        energy: &mut E,
        scratch: &mut Scratch<'_, R>,
    ) -> Result<(R, R), Error> {
        let at = x.as_rows();
        scratch.field.check(energy.dim(), at)?;
        if let Scheme::Reinjection(prior) = &self.scheme
            && prior.dim() != at.dim()
        {
            return Err(Error::Mismatch { what: "dimension of the prior", expected: at.dim(), found: prior.dim() });
        }
        if let Some(i) = at.first_not_finite() {
            return Err(Error::NotFinite { quantity: Quantity::Position, particle: u32::try_from(i).ok() });
        }
        // what an energy forgets to write is then an error, and never the last step's value
        scratch.field.spoil();
        let value = energy.evaluate(self.step, at, scratch.field.reborrow())?;
        // the energy last: when a particle is to blame, it is named
        scratch.field.check_particles()?;
        if self.transport {
            transport::check(at, scratch.field.gradient(), self.dt)?;
        }
        let mean_potential = scratch.field.check_mean()?;
        if !value.is_finite() {
            return Err(Error::NotFinite { quantity: Quantity::Energy, particle: None });
        }
        Ok((value, mean_potential))
    }

    /// Parts 2 and 3: events, control, seats and prior draws, all in scratch memory. Prior draws wait in the gradient
    /// columns of the slots that they will enter, whose own gradients nobody needs any more.
    fn move_population<G: Generator + ?Sized>(
        &self,
        mean_potential: R,
        rng: &mut G,
        scratch: &mut Scratch<'_, R>,
    ) -> Result<Events, Error> {
        let Scratch { field, copies, origin, particle } = scratch.reborrow();
        let shift = if self.rate == Rate::Centred { mean_potential } else { R::ZERO };
        let events = events::decide(field.potential(), shift, self.alpha, self.dt, rng, copies);
        let excess = events.births.saturating_sub(events.deaths);
        let missing = events.deaths.saturating_sub(events.births);
        if excess > 0 {
            population::remove(copies, excess, rng);
        }
        match &self.scheme {
            Scheme::Reinjection(prior) => {
                if population::seat(copies, origin) > 0 {
                    draw_fresh(prior, rng, origin, particle, field)?;
                }
            }
            Scheme::GradientFlow | Scheme::BirthDeath => {
                if missing > 0 {
                    if population::present(copies) == 0 {
                        return Err(Error::Extinct { step: self.step });
                    }
                    population::copy(copies, missing, rng, origin);
                }
                population::seat(copies, origin);
            }
        }
        Ok(events)
    }
}

/// Draws a particle for every fresh slot, checks it, and parks it in the slot's gradient column.
fn draw_fresh<R: Real, P: Prior<R>, G: Generator + ?Sized>(
    prior: &P,
    mut rng: &mut G,
    origin: &[u32],
    particle: &mut [R],
    mut field: crate::Field<'_, R>,
) -> Result<(), Error> {
    let (_, mut gradient) = field.parts_mut();
    for (slot, _) in slots().zip(origin).filter(|(_, origin)| **origin == FRESH) {
        particle.fill(R::from_f64(f64::NAN)); // a component that the prior forgets is an error
        prior.draw(&mut rng, particle);
        if particle.iter().any(|x| !x.is_finite()) {
            return Err(Error::NotFinite { quantity: Quantity::PriorDraw, particle: Some(slot) });
        }
        for (row, &x) in gradient.iter_mut().zip(particle.iter()) {
            if let Some(parked) = row.get_mut(slot as usize) {
                *parked = x;
            }
        }
    }
    Ok(())
}
