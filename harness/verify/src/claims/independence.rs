//! Events of different particles, and of consecutive steps, are uncorrelated.

use birth_death::{FRESH, Marginal};
use rand_core::Rng;

use super::check::{Evidence, Measured, Test, largest};
use super::{CLAIM_LEVEL, Claim, Context, Interrupted, Kind, REGISTRY, stream};
use crate::subject::{Precision, Separable, Setup, Trial};
use birth_death_charts::plot::{self, Axis, Mark, Plot, Series};
use birth_death_stats::difference::StandardError;
use birth_death_stats::power::{POWER, detectable_noncentrality, detectable_shift};
use birth_death_stats::tails::{chi_square_upper, z_two_sided};

pub static CLAIM: Claim = Claim {
    id: "independence",
    kind: Kind::Sharp,
    statement: "events of different particles in a step are uncorrelated, and so are events of consecutive steps; \
        every replicate has a stream of its own",
    source: "arXiv:1902.01843, the birth-death algorithm: every particle has a clock of its own",
    setting: "64 particles with event probabilities from 0.3 to 0.6, raw rates, no transport, 1e4 steps of 20 \
        steppers, the ensemble put back after each. Every event is seen: deaths under scheme 1, when nothing else can \
        happen (a slot has another origin); births and deaths mixed under scheme 2, with as many certain deaths beside \
        them as there may be births, so that nobody is removed (a parent is an origin elsewhere); that in single \
        precision too",
    estimator: "mean product of standardised events (X - p) / root(p q): of slots i and i + k, slots taken as a ring, \
        in the same step and from a step to the next; and of every pair of slots. Streams whose first four words \
        another one has too, of all claims, of parts and replicates 0 to 99 and every power of two that has a bit of \
        the number to itself",
    oracle: "mean 0, variance 1, different products uncorrelated: exact, for p = 1 - exp(-alpha |V| dt) is known",
    tolerance: "sharp: normal law of a mean product and chi-square of all distances. Third moments of a product are at \
        most 0.76, which changes the tails at this level by less than 10 % for sums over a distance (6.4e5 terms), by \
        less than a factor 2 for a pair's (1e4 terms), whose p is doubled. Must be able to see a mean correlation of \
        0.015 at one distance, 0.025 in root sum square over all, 0.15 of one pair. Streams: none; by chance two of \
        3e5 agree in 128 bits with probability 2e-28",
    measure,
};

const N: usize = 64;
const STEPS: u64 = 10_000;
const BLOCKS: u64 = 20;
const DT: f64 = 0.1;
const CERTAIN: f64 = 1e6;
/// Checks of one case.
const CHECKS: usize = 6;

/// Who may meet which event.
struct Case {
    name: &'static str,
    births: bool,
    precision: Precision,
}

const CASES: [Case; 3] = [
    Case { name: "deaths, scheme 1", births: false, precision: Precision::Double },
    Case { name: "births and deaths, scheme 2", births: true, precision: Precision::Double },
    Case { name: "births and deaths, scheme 2, f32", births: true, precision: Precision::Single },
];

impl Case {
    /// Event probability of a slot, without order between neighbours: 0.3 to 0.6 by the multiples of the golden ratio.
    fn probability(slot: usize) -> f64 {
        0.3 + 0.3 * (0.618_033_988_749_894_9 * slot as f64).fract()
    }

    /// Whether a slot's event is a birth: about half of them, in no order that a distance would share.
    fn is_birth(&self, slot: usize) -> bool {
        self.births && (0.754_877_666_246_692_8 * slot as f64).fract() < 0.5
    }

    /// The potentials: the slots observed, then as many certain deaths as births are possible.
    fn potentials(&self) -> Vec<f64> {
        let observed = (0..N).map(|slot| {
            let rate = -(1.0 - Self::probability(slot)).ln() / DT;
            if self.is_birth(slot) { -rate } else { rate }
        });
        let reserve = (0..N).filter(|&slot| self.is_birth(slot)).map(|_| CERTAIN);
        observed.chain(reserve).collect()
    }

    fn setup(&self) -> Setup {
        let mut setup = Setup::birth_death(self.potentials().len(), DT, 1.0).without_transport().raw();
        if self.births {
            setup = setup.with_prior(&[Marginal::Constant(0.0)]);
        }
        setup
    }

    /// The standardised events of the last step, as its origins tell them.
    fn events(&self, trial: &Trial, out: &mut [f64; N]) {
        let mut happened = [false; N];
        for (&origin, slot) in trial.origins().iter().zip(0..) {
            let moved = origin as usize != slot;
            if moved && slot < N && !self.is_birth(slot) {
                happened[slot] = true;
            }
            if moved && origin != FRESH && (origin as usize) < N && self.is_birth(origin as usize) {
                happened[origin as usize] = true;
            }
        }
        for (slot, (y, happened)) in out.iter_mut().zip(happened).enumerate() {
            let p = Self::probability(slot);
            *y = (f64::from(u8::from(happened)) - p) / (p * (1.0 - p)).sqrt();
        }
    }
}

/// Sums of products of standardised events.
#[derive(Clone)]
struct Products {
    /// Of slots (i, j) in one step, at `N i + j`.
    within: Vec<f64>,
    /// Of slot i in a step and slot j in the next.
    next: Vec<f64>,
    /// Steps, and pairs of consecutive steps.
    counts: (u64, u64),
}

impl Products {
    fn none() -> Self {
        Self { within: vec![0.0; N * N], next: vec![0.0; N * N], counts: (0, 0) }
    }

    fn merge(mut self, other: &Self) -> Self {
        self.within.iter_mut().zip(&other.within).for_each(|(a, b)| *a += b);
        self.next.iter_mut().zip(&other.next).for_each(|(a, b)| *a += b);
        self.counts = (self.counts.0 + other.counts.0, self.counts.1 + other.counts.1);
        self
    }
}

/// Adds `x[i] y[j]` to every entry.
fn accumulate(sums: &mut [f64], x: &[f64; N], y: &[f64; N]) {
    for (row, x) in sums.chunks_exact_mut(N).zip(x) {
        row.iter_mut().zip(y).for_each(|(sum, y)| *sum += x * y);
    }
}

/// The products of one stepper; NaN after an error.
fn run(context: &Context, case: &Case, part: u64, block: u64, steps: u64) -> Products {
    let rows = case.potentials();
    let mut trial = context.trial_of(&case.setup(), case.precision.of(Separable(|z| z)), part, block);
    let mut products = Products::none();
    let (mut last, mut now) = ([0.0; N], [0.0; N]);
    for step in 0..steps {
        trial.reset(&rows);
        if trial.step().is_err() {
            products.within.fill(f64::NAN);
            products.next.fill(f64::NAN);
            return products;
        }
        case.events(&trial, &mut now);
        accumulate(&mut products.within, &now, &now);
        products.counts.0 += 1;
        if step > 0 {
            accumulate(&mut products.next, &last, &now);
            products.counts.1 += 1;
        }
        last = now;
    }
    products
}

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    // and one check of streams
    let level = CLAIM_LEVEL / (CASES.len() * CHECKS + 1) as f64;
    let steps = context.replicates(STEPS) / BLOCKS;
    let mut evidence = Evidence::default();
    evidence.measured.push(alike(streams(), |stream| context.subject.words(stream)));
    for (case, part) in CASES.iter().zip(0..) {
        let blocks = context.map(BLOCKS, |block| run(context, case, part, block, steps))?;
        let products = blocks.iter().fold(Products::none(), Products::merge);
        // a pair stands twice within a step: distances beyond N/2 repeat the others, and at N/2 every pair would count
        // twice
        let within = Distances::of(&products.within, products.counts.0, 1..N / 2);
        let next = Distances::of(&products.next, products.counts.1, 0..N);
        evidence.measured.extend([
            within.single(1, format!("correlation of neighbours in a step, {}", case.name), level),
            within.all(format!("correlation at {} distances in a step, {}", within.sums.len(), case.name), level),
            next.single(
                0,
                format!("correlation of a particle's event with its own in the next step, {}", case.name),
                level,
            ),
            next.single(1, format!("correlation with the next particle's in the next step, {}", case.name), level),
            next.all(format!("correlation at {} distances from step to step, {}", next.sums.len(), case.name), level),
            largest_pair(&products, case, level),
        ]);
        evidence.plots.push(plot(case, &within, &next));
    }
    Ok(evidence)
}

/// The numbers of streams that are compared: those in use begin with them, and every bit of theirs is set in one.
fn streams() -> Vec<u64> {
    let up_to = |bits: u32| (0..100).chain((7..bits).map(|bit| 1 << bit));
    let of =
        |number: u64| up_to(16).flat_map(move |part| up_to(32).map(move |replicate| stream(number, part, replicate)));
    REGISTRY.iter().flat_map(|claim| of(claim.number())).collect()
}

/// Streams that begin as another one does. Standard errors take replicates for independent: the least is that no two
/// are the same.
fn alike<R: Rng>(streams: Vec<u64>, words: impl Fn(u64) -> R) -> Measured {
    let count = streams.len() as u64;
    let begin = |stream| {
        let mut words = words(stream);
        [(); 4].map(|()| words.next_u32())
    };
    let mut begins: Vec<[u32; 4]> = streams.into_iter().map(begin).collect();
    begins.sort_unstable();
    let equal = begins.windows(2).filter(|pair| pair[0] == pair[1]).count();
    Measured::exact("streams of replicates that begin with the words of another", equal as f64, 0.0, count)
}

/// Sums of products by the distance of the slots.
struct Distances {
    first: usize,
    /// One for every distance, in standard deviations.
    sums: Vec<f64>,
    /// Products in each.
    terms: f64,
}

impl Distances {
    fn of(products: &[f64], steps: u64, distances: std::ops::Range<usize>) -> Self {
        let terms = (N as u64 * steps) as f64;
        let sum = |k: usize| (0..N).map(|i| products[N * i + (i + k) % N]).sum::<f64>() / terms.sqrt();
        Self { first: distances.start, sums: distances.map(sum).collect(), terms }
    }

    /// One distance: its mean product.
    fn single(&self, distance: usize, what: String, level: f64) -> Measured {
        let z = self.sums[distance - self.first];
        let scale = 1.0 / self.terms.sqrt();
        let detectable = detectable_shift(scale, level, POWER);
        let test = Test { p: z_two_sided(z), detectable, budget: 0.015, error: StandardError::known(scale) };
        Measured::sharp(what, z * scale, 0.0, test, self.terms as u64)
    }

    /// All distances: the root of the sum of squared mean products.
    fn all(&self, what: String, level: f64) -> Measured {
        let chi: f64 = self.sums.iter().map(|z| z * z).sum();
        let dof = self.sums.len() as f64;
        let detectable = (detectable_noncentrality(dof, level, POWER) / self.terms).sqrt();
        let error = StandardError::known(1.0 / self.terms.sqrt());
        let test = Test { p: chi_square_upper(chi, dof), detectable, budget: 0.025, error };
        Measured::sharp(
            format!("root sum square of the {what}"),
            (chi / self.terms).sqrt(),
            0.0,
            test,
            self.terms as u64,
        )
    }
}

/// The pair of slots, in a step or from a step to the next, that is farthest from uncorrelated.
fn largest_pair(products: &Products, case: &Case, level: f64) -> Measured {
    let (steps, pairs) = products.counts;
    let above = (0..N).flat_map(|i| (i + 1..N).map(move |j| N * i + j));
    let within = above.map(|at| products.within[at] / (steps as f64).sqrt());
    let next = products.next.iter().map(|sum| sum / (pairs as f64).sqrt());
    let all: Vec<f64> = within.chain(next).collect();
    let largest = largest(all.iter().copied());
    let count = all.len() as f64;
    let test = Test {
        p: (2.0 * count * z_two_sided(largest)).clamp(0.0, 1.0),
        detectable: detectable_shift(1.0 / (steps as f64).sqrt(), level / (2.0 * count), POWER),
        budget: 0.15,
        error: StandardError::known(1.0 / (steps as f64).sqrt()),
    };
    let what = format!("largest correlation of {count} pairs of slots, {}", case.name);
    Measured::sharp(what, largest / (steps as f64).sqrt(), 0.0, test, steps)
}

fn plot(case: &Case, within: &Distances, next: &Distances) -> Plot {
    let dots = |name: &str, distances: &Distances| {
        let scale = 1.0 / distances.terms.sqrt();
        let point = |(k, z): (usize, &f64)| plot::Point::measured((distances.first + k) as f64, z * scale, scale);
        Series { name: name.into(), mark: Mark::Dots, points: distances.sums.iter().enumerate().map(point).collect() }
    };
    let zero = [0.0, (N - 1) as f64].map(|x| plot::Point::exact(x, 0.0)).to_vec();
    Plot {
        title: format!("Correlation of events: {}", case.name),
        x: Axis::linear("distance of the slots, on a ring"),
        y: Axis::linear("mean product of standardised events"),
        series: vec![
            Series { name: "independent".into(), mark: Mark::Line, points: zero },
            dots("in the same step", within),
            dots("from a step to the next", next),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Null;
    use super::*;
    use crate::generators::Source;

    #[test]
    fn every_event_of_the_settings_is_seen() {
        for case in &CASES {
            let potentials = case.potentials();
            let births = (0..N).filter(|&slot| case.is_birth(slot)).count();
            assert_eq!(potentials.len(), N + births, "births never exceed the certain deaths: nobody is removed");
            assert_eq!(births > 20 && births < 44, case.births);
            for (slot, v) in potentials[..N].iter().enumerate() {
                let p = 1.0 - (-v.abs() * DT).exp();
                assert!((p - Case::probability(slot)).abs() < 1e-15 && (0.3..=0.6).contains(&p));
            }
        }
    }

    #[test]
    fn products_are_summed_by_distance() {
        // events +1 at slots 3 and 5, then at 3: one pair at distance 2 (62 backwards), and 0 and 62 to the next step
        let unit = |slots: &[usize]| {
            let mut y = [0.0; N];
            slots.iter().for_each(|&slot| y[slot] = 1.0);
            y
        };
        let (x, y) = (unit(&[3, 5]), unit(&[3]));
        let mut sums = vec![0.0; N * N];
        accumulate(&mut sums, &x, &x);
        let within = Distances::of(&sums, 1, 1..N / 2);
        assert_eq!(within.sums.iter().filter(|sum| **sum != 0.0).count(), 1);
        assert_eq!(within.sums[1], 0.125);
        sums.fill(0.0);
        accumulate(&mut sums, &x, &y);
        let next = Distances::of(&sums, 1, 0..N);
        assert_eq!((next.sums[0], next.sums[62]), (0.125, 0.125));
        assert_eq!(next.sums.iter().sum::<f64>(), 0.25);
    }

    #[test]
    fn streams_that_are_one_are_found() {
        let words = |stream| Source::Xorshift128.seeded(1001, stream);
        let found = |numbers: Vec<u64>, lost: u64| alike(numbers, |stream| words(stream & !lost)).estimate;
        let (numbers, claims) = (streams(), REGISTRY.len());
        assert_eq!(numbers.len(), claims * 109 * 125);
        // some numbers suffice here; measure takes all
        let some = || numbers[..109 * 125].to_vec();
        assert_eq!(found(some(), 0), 0.0);
        for bit in 0..48 {
            assert!(found(some(), 1 << bit) > 0.0, "a stream number without bit {bit}");
        }
    }

    #[test]
    fn an_error_passes_no_check() {
        let mut products = Products::none();
        products.counts = (10, 9);
        products.within.fill(f64::NAN);
        products.next.fill(f64::NAN);
        let next = Distances::of(&products.next, 9, 0..N);
        let checks = [
            next.single(0, String::new(), 1e-9),
            next.all(String::new(), 1e-9),
            largest_pair(&products, &CASES[0], 1e-9),
        ];
        for check in checks {
            assert!(matches!(check.null, Null::Sharp { p, .. } if p.is_nan()), "{check:?}");
        }
    }
}
