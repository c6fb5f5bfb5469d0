//! What holds in every step, of every scheme, precision and dimension, on random cases.

mod common;

use birth_death::models::{DoubleWell, GaussianUnits, MixtureRef, Mmd, MmdTarget, Quadratic};
use birth_death::{Dynamics, Energy, Error, FRESH, Marginal, Prior, ProductPrior, Rate, Real, Report, Scheme, Stream};
use common::{Constant, Memory, all_bits, bits, property};
use quickcheck::{Arbitrary, Gen};

const STEPS: u64 = 12;
/// Particles start, and are reinjected, uniformly in this interval, where every model below is stable for every dt
/// below.
const INTERVAL: (f64, f64) = (-1.5, 1.5);

/// A short run.
#[derive(Clone, Debug)]
struct Case {
    n: usize,
    dim: usize,
    padding: usize,
    model: u8,
    scheme: u8,
    raw: bool,
    transport: bool,
    quench_from: u64,
    dt: f64,
    alpha: f64,
    seed: u64,
    /// Every particle equals its neighbour at the start.
    paired: bool,
}

impl Arbitrary for Case {
    fn arbitrary(g: &mut Gen) -> Self {
        let mut pick = |from: &[f64]| *g.choose(from).expect("not empty");
        let dim = pick(&[1.0, 2.0, 3.0, 5.0]) as usize;
        Self {
            n: pick(&[1.0, 2.0, 3.0, 7.0, 16.0, 17.0, 40.0]) as usize,
            dim,
            padding: pick(&[0.0, 1.0, 9.0]) as usize,
            // Gaussian units have two components at least
            model: if dim == 1 { pick(&[0.0, 1.0, 2.0]) as u8 } else { pick(&[0.0, 1.0, 2.0, 3.0]) as u8 },
            scheme: pick(&[0.0, 1.0, 1.0, 2.0, 2.0]) as u8,
            raw: pick(&[0.0, 1.0]) == 1.0,
            transport: pick(&[0.0, 1.0, 1.0]) == 1.0,
            quench_from: pick(&[5.0, 1e9, 1e9]) as u64,
            dt: pick(&[0.0, 0.01, 0.05]),
            alpha: pick(&[0.0, 0.5, 5.0, 50.0, 1e6]),
            seed: u64::arbitrary(g),
            paired: bool::arbitrary(g),
        }
    }
}

impl Case {
    fn has_events(&self, step: u64) -> bool {
        self.scheme > 0 && step < self.quench_from
    }

    fn raw(&self) -> bool {
        self.raw || self.scheme == 2
    }

    fn dynamics<R: Real>(&self) -> Dynamics<R, ProductPrior<Vec<Marginal<R>>>> {
        let marginal = Marginal::Uniform { low: R::from_f64(INTERVAL.0), high: R::from_f64(INTERVAL.1) };
        let prior = ProductPrior::new(vec![marginal; self.dim]).expect("a proper law");
        let (scheme, alpha) = match self.scheme {
            0 => (Scheme::GradientFlow, 0.0),
            1 => (Scheme::BirthDeath, self.alpha),
            _ => (Scheme::Reinjection(prior), self.alpha),
        };
        let dynamics = Dynamics::new(scheme, R::from_f64(self.dt), R::from_f64(alpha)).expect("valid parameters");
        let dynamics = dynamics.with_rate(if self.raw() { Rate::Raw } else { Rate::Centred }).expect("a valid rate");
        let dynamics = dynamics.with_quench_from(self.quench_from);
        if self.transport { dynamics } else { dynamics.without_transport() }
    }

    fn start<R: Real>(&self) -> Memory<R> {
        let mut memory = Memory::uniform(self.n, self.dim, self.padding, self.seed, INTERVAL.0, INTERVAL.1);
        if self.paired {
            for k in 0..self.dim {
                for i in 0..self.n {
                    memory.x[k * memory.stride + i] = memory.x[k * memory.stride + i / 2 * 2];
                }
            }
        }
        memory
    }

    /// Calls `with` with the case's energy.
    fn with_energy<R: Real, T>(&self, with: impl FnOnce(&mut dyn Energy<R>) -> T) -> T {
        let number = R::from_f64;
        let inputs = if self.model == 3 { self.dim - 1 } else { self.dim };
        let (weights, variances) = ([0.4, -0.7].map(number), [0.5, 0.8].map(number));
        let centres: Vec<R> = (0..2 * inputs).map(|k| number(k as f64 * 0.3 - 0.5)).collect();
        let target = MixtureRef::new(&weights, &centres, &variances, inputs).expect("a mixture");
        let curvature: Vec<R> = (0..self.dim).map(|k| number(1.0 - 0.4 * k as f64)).collect();
        match self.model {
            0 => with(&mut Quadratic::new(&curvature).expect("a model")),
            1 => with(&mut DoubleWell::new(number(0.2), self.dim).expect("a model")),
            2 => with(&mut Mmd::new(number(0.7), MmdTarget::Mixture(target)).expect("a model")),
            _ => with(&mut GaussianUnits::new(R::HALF, target).expect("a model")),
        }
    }
}

/// The ensemble before a step and its field, by an evaluation of its own.
struct Before<R> {
    memory: Memory<R>,
    energy: R,
}

/// Runs a case, and hands every step to `check`. The only error that these cases may meet is extinction, with raw rates
/// in scheme 1 and the state unchanged.
fn run<R: Real>(case: &Case, mut check: impl FnMut(&Before<R>, &Memory<R>, &Report<R>)) {
    case.with_energy::<R, ()>(|energy| {
        let mut memory = case.start::<R>();
        let mut dynamics = case.dynamics::<R>();
        let mut rng = Stream::seeded(case.seed, 1);
        for step in 0..STEPS {
            let mut before = Before { memory: memory.clone(), energy: R::ZERO };
            before.energy = before.memory.evaluate(energy, step).expect("a finite energy");
            let (dynamics_before, rng_before) = (dynamics.clone(), rng.clone());
            match memory.step(&mut dynamics, energy, &mut rng) {
                Ok(report) => {
                    assert_eq!(report.step, step);
                    if !case.has_events(step) {
                        assert_eq!(rng, rng_before, "without events no word is drawn");
                    }
                    check(&before, &memory, &report);
                }
                Err(error) => {
                    assert_eq!(error, Error::Extinct { step });
                    assert!(case.scheme == 1 && case.raw(), "centred rates leave somebody");
                    assert_eq!(memory.bits(), before.memory.bits());
                    assert_eq!((&dynamics, &rng), (&dynamics_before, &rng_before));
                    return;
                }
            }
        }
    });
}

/// Names the case if a check panics: quickcheck itself names only what it has shrunk.
struct Announced<'c>(&'c Case);

impl Drop for Announced<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{:?}", self.0);
        }
    }
}

fn both(case: &Case, f32s: fn(&Case), f64s: fn(&Case)) -> bool {
    let _announced = Announced(case);
    f32s(case);
    f64s(case);
    true
}

#[test]
fn origins_are_a_valid_record_and_counts_agree_with_them() {
    fn check<R: Real>(case: &Case) {
        run::<R>(case, |before, after, report| {
            let n = u32::try_from(case.n).expect("small");
            assert!(report.births + report.deaths <= n);
            assert_eq!(report.removed, report.births.saturating_sub(report.deaths));
            assert_eq!(report.added, report.deaths.saturating_sub(report.births));
            let origin = &after.origin;
            let fresh = origin.iter().filter(|&&o| o == FRESH).count();
            assert_eq!(fresh, if case.scheme == 2 { report.added as usize } else { 0 });
            // a parent survives in its own slot
            assert!(origin.iter().all(|&o| o == FRESH || origin.get(o as usize) == Some(&o)));
            // newcomers: parents ascending, then the draws, in ascending slots
            let newcomers: Vec<u32> = (0..n).zip(origin).filter(|(slot, o)| slot != *o).map(|(_, &o)| o).collect();
            assert!(newcomers.is_sorted(), "{newcomers:?}");
            // who died is replaced, and nobody is replaced beyond deaths and removals
            assert!(newcomers.len() >= report.deaths as usize);
            assert!(newcomers.len() <= (report.deaths + report.removed) as usize);
            let deaths = death_candidates(case, before, report);
            assert!((0..n).zip(origin).all(|(slot, &o)| o == slot || report.removed > 0 || deaths[slot as usize]));
            if !case.has_events(report.step) {
                assert_eq!((report.births, report.deaths, report.largest_probability), (0, 0, 0.0));
            }
            let largest = before.memory.potential.iter().map(|&v| probability(case, v, report.mean_potential));
            let largest = largest.fold(0.0, |a, b| if b > a { b } else { a });
            if case.has_events(report.step) {
                assert_eq!(report.largest_probability, largest);
            }
        });
    }
    fn death_candidates<R: Real>(case: &Case, before: &Before<R>, report: &Report<R>) -> Vec<bool> {
        let shift = if case.raw() { R::ZERO } else { report.mean_potential };
        before.memory.potential.iter().map(|&v| v - shift > R::ZERO).collect()
    }
    fn probability<R: Real>(case: &Case, v: R, mean: R) -> f64 {
        let shift = if case.raw() { R::ZERO } else { mean };
        let (alpha, dt) = (R::from_f64(case.alpha).to_f64(), R::from_f64(case.dt).to_f64());
        -libm::expm1(-(alpha * (v - shift).abs().to_f64() * dt))
    }
    property(400, (|case: Case| both(&case, check::<f32>, check::<f64>)) as fn(Case) -> bool);
}

#[test]
fn every_particle_moves_along_its_gradient_or_is_what_its_origin_says() {
    fn check<R: Real>(case: &Case) {
        run::<R>(case, |before, after, report| {
            let dt = R::from_f64(case.dt);
            let (low, high) = (R::from_f64(INTERVAL.0), R::from_f64(INTERVAL.1));
            for (slot, &origin) in after.origin.iter().enumerate() {
                let found = after.particle(slot);
                if origin == FRESH {
                    assert!(found.iter().all(|&x| (low..=high).contains(&x)));
                    continue;
                }
                let parent = before.memory.particle(origin as usize);
                let moved = |(k, &x): (usize, &R)| {
                    if case.transport { x - dt * before.memory.slope(k, origin as usize) } else { x }
                };
                let expected: Vec<R> = parent.iter().enumerate().map(moved).collect();
                assert_eq!(all_bits(&found), all_bits(&expected), "slot {slot}, origin {origin}");
            }
            assert_eq!(bits(report.energy), bits(before.energy));
            assert_eq!(bits(report.time), bits(R::from_f64(report.step as f64 * dt.to_f64())));
        });
    }
    property(400, (|case: Case| both(&case, check::<f32>, check::<f64>)) as fn(Case) -> bool);
}

#[test]
fn memory_outside_the_rows_is_left_alone() {
    fn check<R: Real>(case: &Case) {
        run::<R>(case, |_, after, _| {
            let outside = bits(R::from_f64(-99.0));
            for row in after.x.chunks(after.stride).chain(after.gradient.chunks(after.stride)) {
                assert!(row[after.n..].iter().all(|&x| bits(x) == outside));
            }
        });
    }
    property(200, (|case: Case| both(&case, check::<f32>, check::<f64>)) as fn(Case) -> bool);
}

#[test]
fn without_transport_every_row_is_an_earlier_one_or_fresh() {
    fn check<R: Real>(case: &Case) {
        let case = Case { transport: false, ..case.clone() };
        let mut seen: Vec<Vec<u64>> = (0..case.n).map(|i| all_bits(&case.start::<R>().particle(i))).collect();
        run::<R>(&case, |_, after, _| {
            for (slot, &origin) in after.origin.iter().enumerate() {
                let row = all_bits(&after.particle(slot));
                if origin == FRESH {
                    seen.push(row);
                } else {
                    assert!(seen.contains(&row), "a row came from nowhere");
                }
            }
        });
    }
    property(200, (|case: Case| both(&case, check::<f32>, check::<f64>)) as fn(Case) -> bool);
}

#[test]
fn copies_stay_bit_identical() {
    fn check<R: Real>(case: &Case) {
        let case = Case { paired: true, ..case.clone() };
        run::<R>(&case, |before, after, _| {
            let stays = |slot: usize| after.origin[slot] as usize == slot;
            for i in 0..case.n {
                for j in 0..i {
                    let equal = all_bits(&before.memory.particle(i)) == all_bits(&before.memory.particle(j));
                    if equal && stays(i) && stays(j) {
                        assert_eq!(all_bits(&after.particle(i)), all_bits(&after.particle(j)), "{i} and {j} part");
                    }
                }
            }
        });
    }
    property(200, (|case: Case| both(&case, check::<f32>, check::<f64>)) as fn(Case) -> bool);
}

/// One step from `n` particles at one place: under centred rates there is no event, whatever the words.
fn identical<R: Real>(place: R, n: usize, alpha: f64, dt: f64) {
    let mut memory = Memory::new(&[vec![place; n]], 0);
    let curvature = [R::ONE];
    let mut energy = Quadratic::new(&curvature).expect("a model");
    let mut dynamics = Dynamics::birth_death(R::from_f64(dt), R::from_f64(alpha)).expect("dynamics");
    // the lowest word: any rate that is not zero is an event
    let report = memory.step(&mut dynamics, &mut energy, &mut Constant(0)).expect("nobody dies");
    assert_eq!((report.births, report.deaths, report.largest_probability), (0, 0, 0.0), "{n} at {place:?}");
    assert_eq!(bits(report.mean_potential), bits(memory.potential[0]), "the report has the mean of the rates");
}

#[test]
fn identical_particles_have_centred_rate_zero() {
    // the rounded mean lay below every potential, and everyone died
    identical(100_000.3f32, 7, 10.0, 0.01);
    for n in 1..=70 {
        for i in 0..25u32 {
            let place = 100_000.3 / (0.02 + f64::from(i * i));
            identical(place as f32, n, 1e3, 0.01);
            identical(place, n, 1e9, 0.01);
            identical(-place, n, 1e9, 0.01);
        }
    }
}

#[test]
fn with_dt_zero_nothing_changes() {
    fn check<R: Real>(case: &Case) {
        let case = Case { dt: 0.0, ..case.clone() };
        run::<R>(&case, |before, after, report| {
            // by value: x - 0 g turns the zero of negative sign into the other
            assert_eq!(after.x, before.memory.x);
            assert_eq!((report.births, report.deaths, report.largest_probability), (0, 0, 0.0));
        });
    }
    property(200, (|case: Case| both(&case, check::<f32>, check::<f64>)) as fn(Case) -> bool);
}

/// The properties above would be empty if the cases met no event.
#[test]
fn the_cases_meet_births_deaths_removals_copies_draws_and_extinction() {
    let (mut removed, mut copied, mut fresh, mut extinct) = (0, 0, 0, 0);
    let mut g = Gen::from_size_and_seed(40, common::PROPERTY_SEED);
    for _ in 0..400 {
        let case = Case::arbitrary(&mut g);
        let mut last = 0;
        run::<f64>(&case, |_, _, report| {
            removed += report.removed;
            *if case.scheme == 2 { &mut fresh } else { &mut copied } += report.added;
            last = report.step;
        });
        extinct += u32::from(last + 1 < STEPS);
    }
    assert!(removed > 400 && copied > 400 && fresh > 400 && extinct > 5, "{removed} {copied} {fresh} {extinct}");
}

#[test]
fn draws_of_a_product_prior_lie_in_their_support() {
    fn check(low: f64, width: f64, seed: u64) -> bool {
        let (low, high) = (low.clamp(-1e100, 1e100), low.clamp(-1e100, 1e100) + width.abs().clamp(0.0, 1e100));
        if !(low.is_finite() && high.is_finite()) {
            return true; // quickcheck's f64 includes NaN
        }
        let law = Marginal::Uniform { low, high };
        let single = Marginal::Uniform { low: low as f32, high: high as f32 };
        let mut rng = Stream::seeded(seed, 0);
        let mut inside = (0..20).all(|_| (low..=high).contains(&law.draw(&mut rng)));
        if single.check().is_ok() {
            inside &= (0..20).all(|_| (low as f32..=high as f32).contains(&single.draw(&mut rng)));
            // the largest uniform there is
            inside &= (low as f32..=high as f32).contains(&single.draw(&mut common::Constant(u32::MAX)));
        }
        let prior = ProductPrior::new([law; 3]).expect("proper");
        let mut particle = [f64::NAN; 3];
        prior.draw(&mut rng, &mut particle);
        inside && law.draw(&mut common::Constant(u32::MAX)) <= high && particle.iter().all(|x| (low..=high).contains(x))
    }
    property(2000, check as fn(f64, f64, u64) -> bool);
}
