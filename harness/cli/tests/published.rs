//! The crate against the authors' own implementation (arXiv:1902.01843, `gaussian_example` of their notebooks), whose
//! numbers stand in `data/published/`: see its README.
//!
//! Both conventions of the data count steps done: a row at step k is the energy of the ensemble after k steps. (The
//! notebook's gradient flow records after the move, hence 1, 101, ...; its birth-death before it, hence 0, 100, ...)

use std::fs;
use std::path::Path;

use birth_death::models::{GaussianUnits, MixtureRef};
use birth_death::{Dynamics, Marginal, ProductPrior, Rate, Real, Stream};
use birth_death_simulate::simulation::{Product, Simulation};
use birth_death_terminal::parallel;

/// Particles of every run.
const PARTICLES: usize = 200;
/// Length of a step.
const DT: f64 = 0.01;
/// The notebook's 0.05 a step, with raw rates.
const ALPHA: f64 = 5.0;
/// Every run of this file takes its streams from this seed.
const SEED: u64 = 190_201_843;
/// Replicates of a scheme with events: four and more times the published seeds.
const REPLICATES: u64 = 240;
/// Replicates of gradient flow: as many as were published.
const FLOW_REPLICATES: u64 = 60;
/// Joint standard errors that a mean may lie away. A normal mean does so with probability 6e-7; late energies are
/// skewed, hence no fewer. There are 36 comparisons.
const LIMIT: f64 = 5.0;

/// The paper's target, rounded to the precision: weights, centres and variances.
struct Target<R>([R; 3], [R; 3], [R; 3]);

impl<R: Real> Target<R> {
    fn new() -> Self {
        let third = 1.0 / 3.0;
        let [weights, centres, variances] = [[third, -2.0 * third, third], [-2.0, 0.0, 2.0], [0.5, 1.0, 0.5]];
        Self(weights.map(R::from_f64), centres.map(R::from_f64), variances.map(R::from_f64))
    }

    fn simulation(&self, dynamics: Dynamics<R, Product<R>>, stream: u64) -> Simulation<'_, R> {
        let target = MixtureRef::new(&self.0, &self.1, &self.2, 1).expect("a mixture");
        let energy = GaussianUnits::new(R::HALF, target).expect("a model");
        Simulation::new(PARTICLES, Box::new(energy), dynamics, Stream::seeded(SEED, stream)).expect("a simulation")
    }
}

fn product<R: Real>(marginals: [Marginal<R>; 2]) -> Product<R> {
    ProductPrior::new(marginals.to_vec().into()).expect("proper laws")
}

fn normal<R: Real>(mean: f64, sd: f64) -> Marginal<R> {
    Marginal::Normal { mean: R::from_f64(mean), sd: R::from_f64(sd) }
}

/// The start of a run: the charge, then the centre.
fn start<R: Real>(name: &str) -> Product<R> {
    let centre = match name {
        "full" => Marginal::Uniform { low: R::from_f64(-2.0), high: R::from_f64(2.0) },
        "bad" => normal(-2.0, 0.1),
        _ => panic!("no start {name}"),
    };
    product([normal(0.0, 1.0), centre])
}

fn dynamics<R: Real>(scheme: &str, alpha: f64) -> Dynamics<R, Product<R>> {
    use birth_death::Scheme::{BirthDeath, GradientFlow, Reinjection};
    let (scheme, alpha) = match scheme {
        "gradient-flow" => (GradientFlow, 0.0),
        "birth-death" => (BirthDeath, alpha),
        "reinjection" => (Reinjection(product([Marginal::Constant(R::ZERO), normal(0.0, 1.0)])), alpha),
        _ => panic!("no scheme {scheme}"),
    };
    let dynamics = Dynamics::new(scheme, R::from_f64(DT), R::from_f64(alpha)).expect("dynamics");
    dynamics.with_rate(Rate::Raw).expect("raw rates suit every scheme")
}

/// The energy after each of `steps` (ascending): the report of step k tells that of the ensemble before it.
fn energies<R: Real>(simulation: &mut Simulation<'_, R>, steps: &[u64]) -> Vec<f64> {
    let mut found = Vec::new();
    for step in 0..=*steps.last().expect("a step") {
        let report = simulation.step().expect("a step");
        if steps.contains(&step) {
            found.push(report.energy.to_f64());
        }
    }
    found
}

/// A CSV file of the data without its header.
fn table(name: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../study/published").join(name);
    let text = fs::read_to_string(path).expect("a copy of the data");
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn number(field: &str) -> f64 {
    field.parse().expect("a number")
}

/// One published mean.
struct Mean {
    step: u64,
    energy: f64,
    error: f64,
}

fn published(start: &str, scheme: &str) -> Vec<Mean> {
    let rows = table("gaussian_units_published.csv");
    let rows = rows.iter().filter(|row| row[0] == start && row[1] == scheme);
    rows.map(|row| Mean { step: row[2].parse().expect("a step"), energy: number(&row[4]), error: number(&row[5]) })
        .collect()
}

/// For each published mean up to `last`, how many joint standard errors ours lies from it. In f32, as the notebook's.
fn deviations(start_name: &str, scheme: &str, alpha: f64, replicates: u64, last: u64) -> Vec<f64> {
    let means: Vec<Mean> = published(start_name, scheme).into_iter().filter(|mean| mean.step <= last).collect();
    assert!(means.len() >= 3, "the table has this start and scheme");
    let steps: Vec<u64> = means.iter().map(|mean| mean.step).collect();
    let target = Target::<f32>::new();
    let pool = parallel::pool(None);
    let case = u64::from(start_name == "bad") * 3
        + ["gradient-flow", "birth-death", "reinjection"].iter().position(|name| *name == scheme).expect("a scheme")
            as u64;
    let runs = parallel::map_in_order(&pool, replicates, |replicate| {
        let mut simulation = target.simulation(dynamics(scheme, alpha), case * 1_000_000 + replicate);
        simulation.draw(&start(start_name));
        energies(&mut simulation, &steps)
    });
    let n = replicates as f64;
    let deviation = |(index, mean): (usize, &Mean)| {
        let ours = runs.iter().map(|run| run[index]).sum::<f64>() / n;
        let variance = runs.iter().map(|run| (run[index] - ours) * (run[index] - ours)).sum::<f64>() / (n - 1.0);
        let z = (ours - mean.energy) / (variance / n + mean.error * mean.error).sqrt();
        println!(
            "{start_name:4} {scheme:13} {:5}  ours {ours:.6e}  published {:.6e}  z {z:+.2}",
            mean.step, mean.energy
        );
        z
    };
    means.iter().enumerate().map(deviation).collect()
}

fn agrees(start: &str, scheme: &str, replicates: u64) {
    let found = deviations(start, scheme, ALPHA, replicates, u64::MAX);
    assert!(found.iter().all(|z| z.abs() <= LIMIT), "{start}, {scheme}: {found:.2?} joint standard errors");
}

fn gradient_flow_from_the_given_start<R: Real>() {
    let columns = table("gaussian_units_start.csv");
    assert_eq!(columns.len(), PARTICLES);
    let rows: Vec<R> =
        [0, 1].iter().flat_map(|&k| columns.iter().map(move |row| R::from_f64(number(&row[k])))).collect();
    let expected = table("gaussian_units_gradient_flow.csv");
    let steps: Vec<u64> = expected.iter().map(|row| row[0].parse().expect("a step")).collect();
    assert_eq!(steps.last(), Some(&3000));
    let target = Target::new();
    let mut simulation = target.simulation(dynamics::<R>("gradient-flow", 0.0), 0);
    simulation.place(&rows).expect("200 particles");
    for (found, row) in energies(&mut simulation, &steps).into_iter().zip(&expected) {
        let published = number(&row[1]);
        assert!((found / published - 1.0).abs() < 1e-4, "step {}: {found} against {published}", row[0]);
    }
}

#[test]
fn gradient_flow_follows_the_published_run_to_1e_4() {
    gradient_flow_from_the_given_start::<f32>();
    gradient_flow_from_the_given_start::<f64>();
}

#[test]
fn mean_energies_are_the_published_ones() {
    for start in ["full", "bad"] {
        agrees(start, "gradient-flow", FLOW_REPLICATES);
        agrees(start, "birth-death", REPLICATES);
        agrees(start, "reinjection", REPLICATES);
    }
}

/// What the comparison can see. The published errors (2 % at step 100) set the limit: with alpha 20 % too high the
/// largest deviation is 5.3 (just seen), with 20 % too low 4.0 (not seen); with a factor 3/2 either way it is
/// 5.4 and more.
#[test]
fn a_rate_that_is_off_by_half_is_seen() {
    for alpha in [ALPHA / 1.5, ALPHA * 1.5] {
        for scheme in ["birth-death", "reinjection"] {
            let found = deviations("full", scheme, alpha, REPLICATES, 500);
            assert!(
                found.iter().any(|z| z.abs() > LIMIT),
                "alpha {alpha}, {scheme}: {found:.2?} joint standard errors"
            );
        }
    }
}
