//! The random words that a step consumes: the documentation of [`Dynamics`](birth_death::Dynamics), as numbers.

mod common;

use birth_death::models::{External, Quadratic};
use birth_death::{Dynamics, Generator, Marginal, ProductPrior, Rate, Real, Report, Stream, random::MAX_TRIES};
use common::{Constant, Counting, Memory, property};

const CURVATURE: [f64; 2] = [1.0, 0.5];

fn start<R: Real>(n: usize) -> Memory<R> {
    Memory::uniform(n, 2, 0, 5, -2.0, 2.0)
}

/// For each step, the words it consumed and its report.
fn consumed<R: Real, P: birth_death::Prior<R>>(
    mut dynamics: Dynamics<R, P>,
    n: usize,
    rng: impl Generator,
) -> Vec<(u64, Report<R>)> {
    let curvature = CURVATURE.map(R::from_f64);
    let mut energy = Quadratic::new(&curvature).expect("a model");
    let mut rng = Counting::new(rng);
    let mut memory = start(n);
    let step = |_| {
        let before = rng.words;
        let report = memory.step(&mut dynamics, &mut energy, &mut rng).expect("a step");
        (rng.words - before, report)
    };
    (0..30).map(step).collect()
}

fn each_precision<R: Real>() {
    let number = R::from_f64;
    let rng = || Stream::seeded(9, 9);
    let n = 20;

    // none: gradient flow, and once quenched
    let flow = Dynamics::gradient_flow(number(0.01)).expect("dynamics");
    assert!(consumed(flow, n, rng()).iter().all(|&(words, _)| words == 0));
    let quenched = Dynamics::birth_death(number(0.01), number(50.0)).expect("dynamics").with_quench_from(7);
    for (words, report) in consumed(quenched, n, rng()) {
        assert_eq!(words > 0, report.step < 7);
    }

    // a word a slot, whatever the probability
    let idle = Dynamics::birth_death(number(0.01), R::ZERO).expect("dynamics");
    assert!(consumed(idle, n, rng()).iter().all(|&(words, _)| words == n as u64));

    // scheme 1: to copy, one bounded integer (here a word) a missing particle; to remove, at most one for each present
    let scheme_1 = Dynamics::birth_death(number(0.05), number(20.0)).expect("dynamics");
    let (mut copying, mut removing) = (0, 0);
    for (words, report) in consumed(scheme_1, n, rng()) {
        let (control, present) = (words - n as u64, n as u64 + u64::from(report.removed));
        if report.removed > 0 {
            removing += 1;
            assert!((u64::from(report.removed)..=present).contains(&control), "{control} words, {report:?}");
        } else {
            copying += u32::from(report.added > 0);
            assert_eq!(control, u64::from(report.added), "{report:?}");
        }
    }
    assert!(copying > 1 && removing > 1, "{copying} {removing}");

    // scheme 2: a prior draw a missing particle, here a uniform and a normal
    let prior = ProductPrior::new([
        Marginal::Uniform { low: number(-2.0), high: number(2.0) },
        Marginal::Normal { mean: R::ZERO, sd: R::ONE },
    ])
    .expect("a proper law");
    let scheme_2 = Dynamics::reinjection(number(0.05), number(20.0), prior).expect("dynamics");
    let mut fresh = 0;
    for (words, report) in consumed(scheme_2, n, rng()) {
        // V >= 0: nobody is born
        fresh += report.added;
        assert_eq!(words, n as u64 + u64::from(3 * R::UNIFORM_WORDS * report.added), "{report:?}");
    }
    assert!(fresh > 10);
}

#[test]
fn a_step_consumes_the_documented_words() {
    each_precision::<f32>();
    each_precision::<f64>();
    assert_eq!((f32::UNIFORM_WORDS, f64::UNIFORM_WORDS), (1, 2));
}

#[test]
fn no_step_consumes_more_than_the_documented_bound() {
    fn check(n: u8, alpha: u16, raw: bool, sign: bool, word: u32) -> bool {
        let n = usize::from(n % 50) + 1;
        let sign = if sign { 1.0 } else { -1.0 };
        let mut energy = External(|[a, b]: [f64; 2]| (sign * (a * a + b), [0.0; 2]));
        let mut dynamics = Dynamics::birth_death(0.01, f64::from(alpha))
            .and_then(|d| d.with_rate(if raw { Rate::Raw } else { Rate::Centred }))
            .expect("dynamics");
        let bound = (n + 128 * n) as u64;
        let mut memory = start::<f64>(n);
        let mut random = Counting::new(Stream::seeded(u64::from(word), 0));
        // errors too: extinction costs words, which it gives back
        let _ = memory.step(&mut dynamics, &mut energy, &mut random);
        let mut stuck = Counting::new(Constant(word));
        let _ = memory.step(&mut dynamics, &mut energy, &mut stuck);
        random.words <= bound && stuck.words <= bound && stuck.words >= n as u64
    }
    property(500, check as fn(u8, u16, bool, bool, u32) -> bool);
}

/// The generator that gives zeros makes every bounded integer try as often as it may, unless its bound divides 2^32.
#[test]
fn the_worst_generator_still_ends() {
    let tries = |bound: u64| if bound.is_power_of_two() { 1 } else { u64::from(MAX_TRIES) };
    let n = 20;
    // all are born: of 2n present, zeros remove the first n, at bounds 2n, 2n - 1, ..., n + 1
    let mut falling = External(|[_, _]: [f64; 2]| (-1.0, [0.0; 2]));
    let mut dynamics = Dynamics::birth_death(1.0, 1.0).and_then(|d| d.with_rate(Rate::Raw)).expect("dynamics");
    let mut rng = Counting::new(Constant(0));
    let mut memory = start::<f64>(n);
    let report = memory.step(&mut dynamics, &mut falling, &mut rng).expect("a step");
    assert_eq!((report.births, report.removed), (20, 20));
    assert_eq!(rng.words, 20 + (21..=40).map(tries).sum::<u64>());
    // all but three die: 17 copies at bound 3, always of the first of the three
    let mut rising = External(|[x, _]: [f64; 2]| (if x > 1.0 { 1.0 } else { 0.0 }, [0.0; 2]));
    let mut rows = vec![vec![2.0; n]; 2];
    for survivor in [4, 9, 19] {
        rows[0][survivor] = 0.0;
    }
    let mut rng = Counting::new(Constant(0));
    let mut memory = Memory::new(&rows, 0);
    let report = memory.step(&mut dynamics, &mut rising, &mut rng).expect("a step");
    assert_eq!((report.deaths, report.added), (17, 17));
    assert_eq!(rng.words, 20 + 17 * tries(3));
    assert!((0..n).all(|slot| memory.origin[slot] == if [9, 19].contains(&slot) { slot as u32 } else { 4 }));
}
