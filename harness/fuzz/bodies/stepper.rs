//! The stepper under energies, priors and generators that give anything: NaN, infinities, huge values, flipped signs,
//! or nothing.

use birth_death::{Dynamics, Energy, Error, Field, Generator, Prior, Rate, Real, Rows, Scheme, Stream};
use rand_core::Rng;

use super::input::{Input, same};
use super::stepping::{Cycle, Particles, founders, step};

/// Most steps of one input.
const STEPS: usize = 12;

/// An energy that gives what the input says, and notes whether it was honest.
struct Hostile<'a, 'i> {
    input: &'a mut Input<'i>,
    dim: usize,
    /// All values written, and all finite.
    sound: bool,
}

impl<R: Real> Energy<R> for Hostile<'_, '_> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn evaluate(&mut self, _step: u64, at: Rows<'_, R>, mut out: Field<'_, R>) -> Result<R, Error> {
        self.sound = true;
        let (potential, mut gradient) = out.parts_mut();
        // one value for all, or one each
        let mode = self.input.byte();
        let (common_potential, common_slope): (R, R) = (self.input.real(), self.input.real());
        let forgotten = if mode & 0x0c == 0x0c { self.input.up_to(63) } else { usize::MAX };
        let values = potential.iter_mut().chain(gradient.iter_mut().flatten());
        for (value, place) in values.zip(0..) {
            let given = match (mode & 3, place < at.len()) {
                (0 | 1, true) => self.input.real(),
                (_, true) => common_potential,
                (0, false) => self.input.real(),
                (_, false) => common_slope,
            };
            if place == forgotten {
                self.sound = false;
            } else {
                self.sound &= given.is_finite();
                *value = given;
            }
        }
        if mode & 0xf0 == 0xf0 {
            return Err(Error::Energy { code: i32::from(self.input.byte()) });
        }
        let energy: R = self.input.real();
        self.sound &= energy.is_finite();
        Ok(energy)
    }
}

/// A prior that draws from a table, by a word of the generator, and may forget a component.
#[derive(Clone, Debug)]
struct Table<R> {
    values: Vec<R>,
    dim: usize,
    forgets: bool,
}

/// By the bits: a table with NaN is equal to itself.
impl<R: Real> PartialEq for Table<R> {
    fn eq(&self, other: &Self) -> bool {
        same(&self.values, &other.values) && (self.dim, self.forgets) == (other.dim, other.forgets)
    }
}

impl<R: Real> Prior<R> for Table<R> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn draw(&self, rng: &mut dyn Rng, particle: &mut [R]) {
        for x in particle.iter_mut().skip(usize::from(self.forgets)) {
            *x = self.values[rng.next_u32() as usize % self.values.len()];
        }
    }
}

pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let kind = input.byte();
    match kind & 3 {
        0 => with::<f32, _>(&mut input, Stream::seeded(u64::from(kind), 0)),
        1 => with::<f64, _>(&mut input, Stream::seeded(u64::from(kind), 0)),
        2 => {
            let rng = Cycle::new(&mut input);
            with::<f32, _>(&mut input, rng);
        }
        _ => {
            let rng = Cycle::new(&mut input);
            with::<f64, _>(&mut input, rng);
        }
    }
}

fn with<R: Real, G: Generator + Clone + PartialEq>(input: &mut Input<'_>, mut rng: G) {
    let (n, dim) = (1 + input.up_to(15), 1 + input.up_to(3));
    let gap = input.up_to(2);
    let rows =
        if input.rarely() { input.reals(n * dim) } else { (0..n * dim).map(|i| R::from_count(i as u32)).collect() };
    let sound_start = rows.iter().all(|x: &R| x.is_finite());
    let mut x = Particles::new(&rows, dim, n, gap);
    let Some(mut dynamics) = dynamics::<R>(input, dim) else { return };
    let mut ancestors = founders(n);
    for _ in 0..STEPS {
        if input.is_empty() {
            return;
        }
        schedule(input, &mut dynamics);
        // an energy of another dimension is refused
        let lies = input.rarely();
        let mut energy = Hostile { input: &mut *input, dim: dim + usize::from(lies), sound: false };
        let done = step(&mut x, &mut dynamics, &mut energy, &mut rng, &mut ancestors);
        if done.is_ok() {
            assert!(energy.sound && sound_start && !lies, "a value that is not finite was accepted");
        }
        assert!(!lies || matches!(done, Err(Error::Mismatch { .. })), "{done:?}");
    }
}

/// Any dynamics; what its constructors refuse has to be refused with a reason.
fn dynamics<R: Real>(input: &mut Input<'_>, dim: usize) -> Option<Dynamics<R, Table<R>>> {
    let (kind, dt, alpha) = (input.byte(), input.real::<R>(), input.real::<R>());
    let scheme = match kind & 3 {
        0 => Scheme::GradientFlow,
        1 => Scheme::BirthDeath,
        _ => {
            let count = 1 + input.up_to(7);
            let table =
                Table { values: input.reals(count), dim: dim + usize::from(input.rarely()), forgets: input.rarely() };
            Scheme::Reinjection(table)
        }
    };
    let is_gradient_flow = scheme == Scheme::GradientFlow;
    let accepted = |value: R| value.is_finite() && value >= R::ZERO;
    let made = Dynamics::new(scheme, dt, alpha);
    let expected = accepted(dt) && accepted(alpha) && !(is_gradient_flow && alpha > R::ZERO);
    assert_eq!(made.is_ok(), expected, "{made:?}");
    let mut dynamics = made.ok()?;
    if kind & 4 != 0 {
        dynamics = dynamics.with_rate(Rate::Raw).ok()?;
    }
    if kind & 8 != 0 {
        dynamics = dynamics.without_transport();
    }
    if kind & 16 != 0 {
        dynamics = dynamics.with_quench_from(u64::from(kind >> 5));
    }
    Some(dynamics)
}

/// Changes of dt and alpha between steps; a refused one changes nothing.
fn schedule<R: Real>(input: &mut Input<'_>, dynamics: &mut Dynamics<R, Table<R>>) {
    if !input.rarely() {
        return;
    }
    let before = dynamics.clone();
    let time = dynamics.time();
    if dynamics.set_dt(input.real()).is_err() {
        assert!(*dynamics == before);
    }
    assert!(dynamics.time() == time, "time goes on from where it was");
    let before = dynamics.clone();
    if dynamics.set_alpha(input.real()).is_err() {
        assert!(*dynamics == before);
    }
}
