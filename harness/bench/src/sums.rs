//! Sums of Gaussians in O(n): a million particles, and the number of particles from which they are faster than all
//! pairs.

use std::hint::black_box;

use birth_death::models::{FastGauss, Mmd, MmdTarget};
use birth_death::{Energy, Field, Rows, RowsMut};

use super::VALID;
use super::setting::normals;
use super::timing::{Best, Job};

/// Particles of the goal, in one component.
pub const MANY: usize = 1_000_000;
/// With `--quick`.
pub const FEWER: usize = 100_000;
/// Relative to the sum of |weights|.
pub const TOLERANCE: f64 = 1e-6;
/// In 1, 2 and 3 components, of standard normals.
pub const BANDWIDTHS: [f64; 3] = [0.1, 0.2, 0.4];
/// Where the crossover is looked for, with weights of alternating sign.
const SIZES: [usize; 12] = [100, 200, 300, 500, 1000, 2000, 3000, 5000, 8000, 16_000, 32_000, 64_000];
/// With `--quick`.
const FEW: [usize; 5] = [200, 500, 1000, 2000, 5000];

/// Of more particles the sum over pairs is not timed: its time is that of so many, times the ratio of the numbers of
/// pairs, as the table of pairs shows it is.
const LARGEST: usize = 8000;

/// Both ways at one size.
#[derive(Clone, Copy, Debug)]
pub struct Compared {
    /// Components.
    pub dim: usize,
    /// Particles.
    pub n: usize,
    /// Seconds in O(n), unless that is estimated to be slower.
    pub fast: f64,
    /// Seconds over all pairs, scaled above [`LARGEST`].
    pub pairs: f64,
}

/// The sum in O(n); the last word on whether it is exact to the tolerance is in `tests/fast_gauss.rs`.
fn fast(dim: usize, n: usize) -> Job<'static> {
    let plan = FastGauss::new(dim, BANDWIDTHS[dim - 1], TOLERANCE).expect(VALID);
    let (x, mut v, mut g) = (normals::<f64>(dim * n), vec![0.0; n], vec![0.0; dim * n]);
    let weights: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
    let (mut words, mut values) = (vec![0; plan.words(n, n)], vec![0.0; plan.values(n, n)]);
    Job::new(None, move || {
        let rows = Rows::packed(&x, dim).expect(VALID);
        let field = Field::new(&mut v, RowsMut::packed(&mut g, dim).expect(VALID)).expect(VALID);
        black_box(plan.evaluate(rows, rows, &weights, &mut words, &mut values, field).expect(VALID));
    })
}

/// The sum over pairs, by an energy that makes it: the interaction of a maximum mean discrepancy, whose weights are all
/// one.
fn pairs(dim: usize, n: usize) -> Job<'static> {
    let (x, mut v, mut g) = (normals::<f64>(dim * n), vec![0.0; n], vec![0.0; dim * n]);
    let point = vec![0.0; dim];
    Job::new(None, move || {
        let target = MmdTarget::Sample(Rows::packed(&point, dim).expect(VALID));
        let mut energy = Mmd::new(BANDWIDTHS[dim - 1], target).expect(VALID);
        let rows = Rows::packed(&x, dim).expect(VALID);
        let field = Field::new(&mut v, RowsMut::packed(&mut g, dim).expect(VALID)).expect(VALID);
        black_box(energy.evaluate(0, rows, field).expect(VALID));
    })
}

/// What is looked at for the crossovers.
pub fn places(quick: bool) -> Vec<(usize, usize)> {
    let sizes: &[usize] = if quick { &FEW } else { &SIZES };
    (1..=BANDWIDTHS.len()).flat_map(|dim| sizes.iter().map(move |n| (dim, *n))).collect()
}

/// The jobs: many particles first, then both ways at each place.
pub fn jobs(many: usize, places: &[(usize, usize)]) -> Vec<Job<'static>> {
    let both = |&(dim, n): &(usize, usize)| [fast(dim, n), pairs(dim, n.min(LARGEST))];
    [fast(1, many)].into_iter().chain(places.iter().flat_map(both)).collect()
}

/// What came of the [`jobs`]: the time of many particles, and the comparisons.
pub fn timed(places: &[(usize, usize)], jobs: &[Job<'_>]) -> (Best, Vec<Compared>) {
    let (many, both) = jobs.split_first().expect(VALID);
    let compared = places.iter().zip(both.chunks(2)).filter_map(|(&(dim, n), jobs)| {
        let [fast, pairs] = jobs else { return None };
        let times = n as f64 / n.min(LARGEST) as f64;
        Some(Compared { dim, n, fast: fast.best.least, pairs: pairs.best.least * times * times })
    });
    (many.best, compared.collect())
}

/// The number of particles at which both take as long, between the last place where all pairs are not slower by
/// [`CLEARLY`] and the next: on a line through the logs. None if one of the two is not there.
pub fn crossover(compared: &[Compared], dim: usize) -> Option<f64> {
    let of_dim: Vec<&Compared> = compared.iter().filter(|compared| compared.dim == dim).collect();
    let gain = |compared: &Compared| (compared.pairs / compared.fast / CLEARLY).ln();
    let last = of_dim.iter().rposition(|compared| gain(compared).is_nan() || gain(compared) <= 0.0)?;
    let (below, above) = (of_dim.get(last)?, of_dim.get(last + 1)?);
    let share = -gain(below) / (gain(above) - gain(below));
    Some(below.n as f64 * (above.n as f64 / below.n as f64).powf(share))
}

/// Below the crossover the fast sum is a sum over pairs itself, and as fast but for noise.
pub const CLEARLY: f64 = 1.1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crossover_is_between_two_places() {
        let at = |n: usize, fast: f64, pairs: f64| Compared { dim: 2, n, fast, pairs };
        // gains 1, 1/2, 2: where the line through (100, 1/2) and (400, 2) is at 1.1
        let compared = [at(50, 1.0, 1.0), at(100, 2.0, 1.0), at(400, 1.0, 2.0), at(800, 1.0, 3.0)];
        let expected = 100.0 * 4f64.powf((CLEARLY * 2.0).ln() / 4f64.ln());
        assert!((crossover(&compared, 2).expect("there") - expected).abs() < 1e-9);
        assert_eq!(crossover(&compared[..2], 2), None, "never faster");
        assert_eq!(crossover(&compared[2..], 2), None, "always faster");
        assert_eq!(crossover(&compared, 1), None);
    }

    #[test]
    fn both_ways_run() {
        let places = [(1, 30), (3, 20), (1, 2 * LARGEST)];
        let mut jobs = jobs(500, &places);
        let stop = std::sync::atomic::AtomicBool::new(false);
        assert!(super::super::timing::rounds(&mut jobs, 1, &stop, &indicatif::ProgressBar::hidden()));
        let (many, compared) = timed(&places, &jobs);
        let of_pairs = jobs.last().expect("jobs").best.least;
        assert_eq!(compared[2].pairs, 4.0 * of_pairs, "scaled");
        assert!(many.known() && compared.len() == 3 && compared.iter().all(|at| at.fast > 0.0 && at.pairs > 0.0));
    }
}
