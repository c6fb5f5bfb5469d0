//! One replicate of one cell: training, and the exact population loss on the way.
//!
//! In f32 on fresh batches, as the notebook does it; cells without batches in f64.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use birth_death::models::{Activation, Loss, Network, StudentTeacher, network};
use birth_death::{
    Dynamics, Energy, Error, Field, Marginal, ProductPrior, Quantity, Rate, Real, Rows, RowsMut, Scheme,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::data::{self, Sphere};
use super::setting::{BATCH, Cell, Kind, SPREAD, Scaling};
use birth_death_output::number;
use birth_death_simulate::simulation::{Product, Simulation};
use birth_death_verify::claims::Interrupted;

/// Checkpoints a decade of steps: neighbours differ by 15 %.
const CHECKPOINTS: f64 = 16.0;
/// The quench: birth-death is off for this part of the steps, the last (a line of the notebook that its authors
/// switched off).
const QUENCHED: u64 = 5;
/// The final loss is the mean over this part of the steps, the last, at as many points.
const FINAL: u64 = 100;
const FINAL_POINTS: u64 = 5;
/// A teacher counts as found by units within this cosine of it, and if these make up half of it.
const FOUND: (f64, f64) = (0.9, 0.5);

/// The population after so many steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point(
    /// Steps.
    pub u64,
    /// Population loss E.
    pub f64,
    /// Distinct ancestors, particles of the start and draws from the prior.
    pub u32,
);

/// A run: with birth-death to the end, or with the quench.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// Whether birth-death was off for the last fifth.
    pub quench: bool,
    /// The step that met a number that is not finite; no point has one.
    pub failed: Option<u64>,
    /// Births of all steps.
    pub births: u64,
    /// Deaths of all steps.
    pub deaths: u64,
    /// The last step's largest event probability, the largest over all steps.
    pub largest: f64,
    /// `(sum w)^2 / sum w^2` of the final units' `w = |c| |a|`: how many share the work.
    #[serde(with = "number")]
    pub effective: f64,
    /// Teachers found by the final units.
    pub found: u32,
    /// Steps ascending, from 0.
    pub points: Vec<Point>,
}

impl Branch {
    /// The mean loss over the last hundredth of the steps; infinite for a run that failed.
    pub fn last(&self) -> f64 {
        let Some(last) = self.points.last().filter(|_| self.failed.is_none()) else {
            return f64::INFINITY;
        };
        let from = last.0 - last.0 / FINAL;
        let losses: Vec<f64> = self.points.iter().filter(|point| point.0 >= from).map(|point| point.1).collect();
        losses.iter().sum::<f64>() / losses.len() as f64
    }

    /// The loss at a checkpoint; infinite if there is none, as of a run that failed before.
    pub fn loss_at(&self, step: u64) -> f64 {
        let at = self.points.binary_search_by_key(&step, |point| point.0);
        at.ok().and_then(|at| self.points.get(at)).map_or(f64::INFINITY, |point| point.1)
    }

    /// Distinct ancestors at the end.
    pub fn distinct(&self) -> u32 {
        self.points.last().map_or(0, |point| point.2)
    }

    /// The steps to `share` of the initial loss, log-linear in both between checkpoints; infinite if it is not reached.
    pub fn hit(&self, share: f64) -> f64 {
        let Some(first) = self.points.first() else {
            return f64::INFINITY;
        };
        let level = share * first.1;
        let reached = self.points.windows(2).find(|pair| pair[1].1 <= level);
        reached.map_or(f64::INFINITY, |pair| {
            let part = (pair[0].1 / level).ln() / (pair[0].1 / pair[1].1).ln();
            // the first checkpoint is step 0
            let (from, to) = (pair[0].0 as f64 + 1.0, pair[1].0 as f64 + 1.0);
            from * (to / from).powf(part) - 1.0
        })
    }
}

/// The steps at which to look, ascending, from 0 to `steps`.
pub fn checkpoints(steps: u64) -> Vec<u64> {
    let mut at: Vec<u64> = vec![0];
    let powers = (0..).map(|k| 10f64.powf(f64::from(k) / CHECKPOINTS).round() as u64);
    at.extend(powers.take_while(|&step| step < steps));
    // after the quench the loss falls at once: looked at logarithmically again
    let fork = quench_from(steps);
    at.extend((0..10).map(|k| fork + ((steps - fork) >> k)));
    at.push(fork);
    at.extend((0..FINAL_POINTS).map(|k| steps - steps / FINAL * k / (FINAL_POINTS - 1)));
    at.sort_unstable();
    at.dedup();
    at
}

/// The step from which a quenched run has no more births and deaths.
fn quench_from(steps: u64) -> u64 {
    steps - steps / QUENCHED
}

/// Where the population loss is computed.
struct Population<'t> {
    loss: StudentTeacher<'t, f64>,
    teacher: Rows<'t, f64>,
    scale: f64,
    at: Vec<f64>,
    potential: Vec<f64>,
    gradient: Vec<f64>,
}

impl<'t> Population<'t> {
    fn new(teacher: &'t [f64], cell: &Cell) -> Result<Self, Error> {
        let (inputs, _) = cell.sizes();
        let teacher = Rows::packed(teacher, inputs + 1)?;
        Ok(Self {
            loss: StudentTeacher::new(teacher)?.with_scale(cell.scale())?,
            teacher,
            scale: cell.scale(),
            at: Vec::new(),
            potential: vec![0.0; cell.particles],
            gradient: vec![0.0; cell.particles * (inputs + 1)],
        })
    }

    fn evaluate<R: Real>(&mut self, rows: Rows<'_, R>) -> Result<f64, Error> {
        let dim = rows.dim();
        self.at.clear();
        self.at.extend(rows.iter().flatten().map(|x| x.to_f64()));
        let gradient = RowsMut::packed(&mut self.gradient, dim)?;
        let out = Field::new(&mut self.potential, gradient)?;
        let loss = self.loss.evaluate(0, Rows::packed(&self.at, dim)?, out)?;
        if loss.is_finite() { Ok(loss) } else { Err(Error::NotFinite { quantity: Quantity::Energy, particle: None }) }
    }

    /// The units' work, and the teachers found.
    fn support<R: Real>(&self, rows: Rows<'_, R>) -> (f64, u32) {
        let unit = |i: usize| -> (f64, Vec<f64>) {
            let component = |k: usize| rows.get(k, i).map_or(0.0, Real::to_f64);
            (component(0), (1..rows.dim()).map(component).collect())
        };
        let norm = |a: &[f64]| a.iter().map(|a| a * a).sum::<f64>().sqrt();
        let units: Vec<(f64, f64, Vec<f64>)> = (0..rows.len())
            .map(|i| {
                let (c, a) = unit(i);
                (c * norm(&a), norm(&a), a)
            })
            .collect();
        let sum: f64 = units.iter().map(|unit| unit.0.abs()).sum();
        let squares: f64 = units.iter().map(|unit| unit.0 * unit.0).sum();
        let found = (0..self.teacher.len()).filter(|&t| {
            let component = |k: usize| self.teacher.get(k, t).unwrap_or(0.0);
            let b: Vec<f64> = (1..self.teacher.dim()).map(component).collect();
            let near = units.iter().filter(|(_, length, a)| {
                let dot: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
                dot > FOUND.0 * length * norm(&b)
            });
            let work = near.map(|unit| unit.0).sum::<f64>() * self.scale / rows.len() as f64;
            work / (component(0) * norm(&b)) >= FOUND.1
        });
        (sum * sum / squares, found.count() as u32)
    }
}

/// The cell's dynamics.
fn dynamics<R: Real>(cell: &Cell) -> Result<Dynamics<R, Product<R>>, Error> {
    let (inputs, _) = cell.sizes();
    let sd = match cell.scaling {
        Scaling::Notebook | Scaling::Population => 1.0 / cell.particles as f64,
        Scaling::MeanField => SPREAD / (inputs as f64).sqrt(),
        Scaling::Kernel | Scaling::FineKernel => 1.0,
    };
    let (scheme, rate) = match cell.kind {
        Kind::Flow => (Scheme::GradientFlow, Rate::Centred),
        Kind::BirthDeath => (Scheme::BirthDeath, Rate::Centred),
        Kind::Raw => (Scheme::BirthDeath, Rate::Raw),
        Kind::Reinjection => {
            let mut marginals = vec![Marginal::Normal { mean: R::ZERO, sd: R::from_f64(sd) }; inputs + 1];
            marginals[0] = Marginal::Constant(R::ZERO);
            (Scheme::Reinjection(ProductPrior::new(marginals.into())?), Rate::Raw)
        }
    };
    Dynamics::new(scheme, R::from_f64(cell.dt()), R::from_f64(cell.core_alpha()))?.with_rate(rate)
}

/// The energy that a cell trains on, with `scratch` for batches.
trait Trained: Real {
    fn energy<'s>(
        cell: &Cell,
        seed: u64,
        replicate: u64,
        teacher: &'s [f64],
        scratch: &'s mut [Self],
    ) -> Result<Box<dyn Energy<Self> + Send + 's>, Error>;
}

/// Fresh batches.
impl Trained for f32 {
    fn energy<'s>(
        cell: &Cell,
        seed: u64,
        replicate: u64,
        _: &'s [f64],
        scratch: &'s mut [Self],
    ) -> Result<Box<dyn Energy<Self> + Send + 's>, Error> {
        let network = Network::new(Activation::Relu, Loss::Squared, Sphere::new(seed, replicate), scratch)?;
        Ok(Box::new(network.with_scale(cell.scale() as f32)?))
    }
}

/// The population.
impl Trained for f64 {
    fn energy<'s>(
        cell: &Cell,
        _: u64,
        _: u64,
        teacher: &'s [f64],
        _: &'s mut [Self],
    ) -> Result<Box<dyn Energy<Self> + Send + 's>, Error> {
        let (inputs, _) = cell.sizes();
        let loss = StudentTeacher::new(Rows::packed(teacher, inputs + 1)?)?;
        Ok(Box::new(loss.with_scale(cell.scale())?))
    }
}

/// A replicate at its start.
fn simulation<'s, R: Trained>(
    cell: &Cell,
    seed: u64,
    replicate: u64,
    teacher: &'s [f64],
    scratch: &'s mut [R],
) -> Result<Simulation<'s, R, Product<R>>, Error> {
    let energy = R::energy(cell, seed, replicate, teacher, scratch)?;
    let mut simulation = Simulation::new(cell.particles, energy, dynamics(cell)?, data::events(seed, cell, replicate))?;
    simulation.place(&data::start(seed, cell, replicate))?;
    Ok(simulation)
}

fn scratch<R: Real>() -> Vec<R> {
    vec![R::ZERO; network::scratch_len(1, BATCH)]
}

/// A run in progress.
struct Run<'a, R> {
    simulation: Simulation<'a, R, Product<R>>,
    branch: Branch,
    /// Distinct ancestors do not change in a run that goes on without events; none: ask the simulation.
    distinct: Option<u32>,
}

impl<R: Real> Run<'_, R> {
    /// Steps to `until` with looks at `at`; the failure of a step ends it.
    fn advance(
        &mut self,
        until: u64,
        at: &[u64],
        population: &mut Population,
        stop: &AtomicBool,
    ) -> Result<(), Interrupted> {
        while self.branch.failed.is_none() {
            let step = self.simulation.dynamics().steps();
            if step == until {
                break;
            }
            if stop.load(Ordering::Relaxed) {
                return Err(Interrupted);
            }
            match self.simulation.step() {
                Ok(report) => {
                    self.branch.births += u64::from(report.births);
                    self.branch.deaths += u64::from(report.deaths);
                    if report.largest_probability > self.branch.largest {
                        self.branch.largest = report.largest_probability;
                    }
                    if at.binary_search(&(step + 1)).is_ok() {
                        self.look(population);
                    }
                }
                Err(_) => self.branch.failed = Some(step),
            }
        }
        Ok(())
    }

    fn look(&mut self, population: &mut Population) {
        let step = self.simulation.dynamics().steps();
        match population.evaluate(self.simulation.rows()) {
            Ok(loss) => {
                let distinct = self.distinct.unwrap_or_else(|| self.simulation.distinct());
                self.branch.points.push(Point(step, loss, distinct));
            }
            Err(_) => self.branch.failed = Some(step),
        }
    }

    fn finish(mut self, population: &Population) -> Branch {
        (self.branch.effective, self.branch.found) = population.support(self.simulation.rows());
        self.branch
    }
}

/// The parameters are the harness's own.
const VALID: &str = "the harness's own constants";

/// One replicate of a cell: one run for gradient flow; for the others also the run that is quenched, which differs in
/// its last fifth only.
///
/// # Errors
/// [`Interrupted`] if `stop` was set meanwhile.
///
/// # Panics
/// For parameters that the core refuses: they are the harness's own.
pub fn measure(
    cell: &Cell,
    seed: u64,
    replicate: u64,
    steps: u64,
    stop: &AtomicBool,
) -> Result<Vec<Branch>, Interrupted> {
    if cell.scaling.has_batches() {
        measure_in::<f32>(cell, seed, replicate, steps, stop)
    } else {
        measure_in::<f64>(cell, seed, replicate, steps, stop)
    }
}

fn measure_in<R: Trained>(
    cell: &Cell,
    seed: u64,
    replicate: u64,
    steps: u64,
    stop: &AtomicBool,
) -> Result<Vec<Branch>, Interrupted> {
    let teacher = data::teacher(seed, cell.sizes(), replicate);
    let mut population = Population::new(&teacher, cell).expect(VALID);
    let at = checkpoints(steps);
    let mut memory = [(); 2].map(|()| scratch::<R>());
    let [main_scratch, quenched_scratch] = &mut memory;
    let branch = Branch {
        quench: false,
        failed: None,
        births: 0,
        deaths: 0,
        largest: 0.0,
        effective: 0.0,
        found: 0,
        points: Vec::new(),
    };
    let begun = simulation(cell, seed, replicate, &teacher, main_scratch).expect(VALID);
    let mut main = Run { simulation: begun, branch, distinct: None };
    main.look(&mut population);
    if cell.kind == Kind::Flow {
        main.advance(steps, &at, &mut population, stop)?;
        return Ok(vec![main.finish(&population)]);
    }

    main.advance(quench_from(steps), &at, &mut population, stop)?;
    let mut other = simulation(cell, seed, replicate, &teacher, quenched_scratch).expect(VALID);
    *other.dynamics_mut() = main.simulation.dynamics().clone().with_quench_from(quench_from(steps));
    let rows: Vec<R> = main.simulation.rows().iter().flatten().copied().collect();
    other.place(&rows).expect(VALID);
    let branch = Branch { quench: true, ..main.branch.clone() };
    let quenched = Run { simulation: other, branch, distinct: Some(main.simulation.distinct()) };
    let mut branches = Vec::new();
    for mut run in [main, quenched] {
        run.advance(steps, &at, &mut population, stop)?;
        branches.push(run.finish(&population));
    }
    Ok(branches)
}

/// The units of a run after so many steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Units {
    /// Steps.
    pub step: u64,
    /// Row after row: output weights, then the components of the directions.
    pub rows: Vec<f64>,
    /// Who is of whom: slots with the same number hold the same unit, and a draw from the prior has a number of its
    /// own.
    pub families: Vec<u64>,
}

/// The units of one replicate of a cell with batches, at the steps `at`, ascending; up to the step that met a number
/// that is not finite.
///
/// # Errors
/// [`Interrupted`] if `stop` was set meanwhile.
///
/// # Panics
/// As [`measure`].
pub fn trace(cell: &Cell, seed: u64, replicate: u64, at: &[u64], stop: &AtomicBool) -> Result<Vec<Units>, Interrupted> {
    let teacher = data::teacher(seed, cell.sizes(), replicate);
    let mut memory = scratch::<f32>();
    let mut simulation = simulation(cell, seed, replicate, &teacher, &mut memory).expect(VALID);
    let mut families: Vec<u64> = (0..).take(cell.particles).collect();
    let mut next = cell.particles as u64;
    let mut seen = Vec::new();
    for &step in at {
        while simulation.dynamics().steps() < step {
            if stop.load(Ordering::Relaxed) {
                return Err(Interrupted);
            }
            if simulation.step().is_err() {
                return Ok(seen);
            }
            let before = families.clone();
            for (family, &origin) in families.iter_mut().zip(simulation.origins()) {
                *family = before.get(origin as usize).copied().unwrap_or(next);
                next += 1;
            }
        }
        let rows = simulation.rows().iter().flatten().map(|&x| f64::from(x)).collect();
        seen.push(Units { step, rows, families: families.clone() });
    }
    Ok(seen)
}

/// Steps that name a cell's numbers.
const FIRST_STEPS: u64 = 20;

/// A hash of a cell's first steps, replicate 0: a build in which it is the same makes the same numbers.
///
/// # Panics
/// As [`measure`].
pub fn fingerprint(cell: &Cell, seed: u64, steps: u64) -> String {
    if cell.scaling.has_batches() {
        fingerprint_in::<f32>(cell, seed, steps)
    } else {
        fingerprint_in::<f64>(cell, seed, steps)
    }
}

fn fingerprint_in<R: Trained>(cell: &Cell, seed: u64, steps: u64) -> String {
    let teacher = data::teacher(seed, cell.sizes(), 0);
    let mut memory = scratch::<R>();
    let mut simulation = simulation(cell, seed, 0, &teacher, &mut memory).expect(VALID);
    let mut digest = Sha256::new();
    digest.update(steps.to_le_bytes());
    let single = |x: R| (x.to_f64() as f32).to_le_bytes();
    // the largest networks' kernel takes as long as hundreds of batches, and is the others'
    let large = cell.particles >= 1000;
    let first = if large && cell.scaling == Scaling::Kernel { 1 } else { FIRST_STEPS };
    for _ in 0..first {
        match simulation.step() {
            Ok(report) => digest.update(single(report.energy)),
            Err(error) => digest.update(error.to_string()),
        }
    }
    simulation.rows().iter().flatten().for_each(|&x| digest.update(single(x)));
    if !large {
        let mut population = Population::new(&teacher, cell).expect(VALID);
        digest.update(population.evaluate(simulation.rows()).map_or(f64::NAN, |loss| loss).to_le_bytes());
    }
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// What a replicate of a cell takes, by a few steps and one look; wall-clock seconds.
///
/// # Panics
/// As [`measure`].
pub fn estimate(cell: &Cell, seed: u64, steps: u64) -> f64 {
    if cell.scaling.has_batches() {
        estimate_in::<f32>(cell, seed, steps, 20_000 / cell.particles)
    } else {
        estimate_in::<f64>(cell, seed, steps, 2_000 / cell.particles)
    }
}

fn estimate_in<R: Trained>(cell: &Cell, seed: u64, steps: u64, timed: usize) -> f64 {
    let teacher = data::teacher(seed, cell.sizes(), 0);
    let mut memory = scratch::<R>();
    let mut simulation = simulation(cell, seed, 0, &teacher, &mut memory).expect(VALID);
    let mut population = Population::new(&teacher, cell).expect(VALID);
    let began = Instant::now();
    for _ in 0..timed {
        simulation.step().map(|_| ()).unwrap_or_default();
    }
    let step = began.elapsed().as_secs_f64() / timed as f64;
    let began = Instant::now();
    population.evaluate(simulation.rows()).map(|_| ()).unwrap_or_default();
    let look = began.elapsed().as_secs_f64();
    let runs = if cell.kind == Kind::Flow { 1.0 } else { 1.0 + 1.0 / QUENCHED as f64 };
    runs * step * steps as f64 + look * checkpoints(steps).len() as f64
}

#[cfg(test)]
mod tests {
    use super::super::setting::{DIMENSION, cells};
    use super::*;
    use birth_death::Stream;
    use birth_death::models::DataSource;

    const SEED: u64 = 1001;
    static GO: AtomicBool = AtomicBool::new(false);

    fn run(cell: &Cell, steps: u64) -> Vec<Branch> {
        measure(cell, SEED, 0, steps, &GO).expect("not stopped")
    }

    fn cell(kind: Kind, alpha: f64) -> Cell {
        Cell { particles: 50, scaling: Scaling::Notebook, kind, alpha }
    }

    #[test]
    fn checkpoints_are_about_logarithmic_and_hold_the_fork_and_the_end() {
        for steps in [1, 5, 40, 20_000, 100_000] {
            let at = checkpoints(steps);
            assert!(at.windows(2).all(|pair| pair[0] < pair[1]), "{at:?}");
            assert_eq!((at.first(), at.last()), (Some(&0), Some(&steps)));
            assert!(at.contains(&quench_from(steps)));
        }
        let at = checkpoints(100_000);
        assert!(at.len() < 100 && at.iter().filter(|&&step| step >= 99_000).count() >= 5);
        assert!(at.windows(2).all(|pair| (pair[1] as f64) < 1.16 * pair[0] as f64 + 2.0), "{at:?}");
    }

    #[test]
    fn hitting_times_and_final_losses_by_hand() {
        let points =
            vec![Point(0, 8.0, 3), Point(9, 4.0, 3), Point(99, 1.0, 2), Point(999, 2.0, 2), Point(1000, 4.0, 2)];
        let mut branch = Branch {
            quench: false,
            failed: None,
            births: 0,
            deaths: 0,
            largest: 0.0,
            effective: 1.0,
            found: 0,
            points,
        };
        // half way in log loss from (10, 4) to (100, 1)
        assert!((branch.hit(0.25) - (10.0 * 10f64.sqrt() - 1.0)).abs() < 1e-9);
        assert!((branch.hit(0.5) - 9.0).abs() < 1e-9 && branch.hit(0.1) == f64::INFINITY);
        assert_eq!(branch.last(), 3.0);
        branch.failed = Some(1000);
        assert_eq!(branch.last(), f64::INFINITY);
    }

    #[test]
    fn the_quenched_run_is_the_other_one_up_to_the_quench() {
        let branches = run(&cell(Kind::BirthDeath, 10.0), 200);
        let [main, quenched] = &branches[..] else { panic!("two runs") };
        assert!(!main.quench && quenched.quench);
        let before = |branch: &Branch| branch.points.iter().filter(|point| point.0 <= 160).copied().collect::<Vec<_>>();
        assert_eq!(before(main), before(quenched));
        assert_ne!(main.points, quenched.points);
        let up_to = &run(&cell(Kind::BirthDeath, 10.0), 160)[0];
        assert_eq!((quenched.births, quenched.deaths), (up_to.births, up_to.deaths));
        assert!(quenched.births < main.births && quenched.births > 0);
        assert!(quenched.points.last().map(|point| point.2) >= main.points.last().map(|point| point.2));
        assert!(main.points.last().is_some_and(|point| point.2 < 50));
    }

    #[test]
    fn a_small_alpha_leaves_gradient_flow_and_every_cell_trains() {
        let flow = run(&cell(Kind::Flow, 0.0), 60);
        assert_eq!(flow.len(), 1);
        let same = run(&cell(Kind::BirthDeath, 1e-12), 60);
        assert_eq!(same[0].points, flow[0].points);
        for cell in cells().iter().filter(|cell| cell.particles == 50) {
            for branch in run(cell, 60) {
                assert!(branch.failed.is_none() && branch.points.len() > 10, "{cell}");
                let [first, last] = [&branch.points[0], &branch.points[branch.points.len() - 1]];
                assert!(last.1 < first.1, "{cell}: {first:?} {last:?}");
            }
        }
    }

    #[test]
    fn the_notebook_s_scaling_is_the_mean_field_s_in_other_units() {
        // (C, A) = sqrt(n) (c, a), s = 1, dt n times and alpha 1/n times as large: powers of two, so the bits are the
        // same
        let n = 64;
        let notebook = Cell { particles: n, ..cell(Kind::BirthDeath, 2.0) };
        let teacher = data::teacher(SEED, notebook.sizes(), 0);
        let rows = Rows::packed(&teacher, DIMENSION + 1).expect("a teacher");
        let start: Vec<f64> = data::start(SEED, &notebook, 0);
        let run = |unit: f64, scale: f64, dt: f64, alpha: f64| {
            let loss = StudentTeacher::new(rows).expect("a loss").with_scale(scale).expect("a scale");
            let dynamics = Dynamics::new(Scheme::<Product<f64>>::BirthDeath, dt, alpha).expect("dynamics");
            let mut simulation =
                Simulation::new(n, Box::new(loss), dynamics, Stream::seeded(SEED, 0)).expect("a simulation");
            simulation.place(&start.iter().map(|x| unit * x).collect::<Vec<_>>()).expect("placed");
            let reports: Vec<_> = (0..40).map(|_| simulation.step().expect("a step")).collect();
            let rows: Vec<f64> = simulation.rows().iter().flatten().map(|x| x / unit).collect();
            (reports.iter().map(|r| (r.energy, r.births, r.deaths)).collect::<Vec<_>>(), rows)
        };
        let (dt, alpha) = (notebook.dt(), notebook.core_alpha());
        let here = run(1.0, 64.0, dt, alpha);
        assert!(here.0.iter().any(|(_, births, _)| *births > 0));
        assert_eq!(run(8.0, 1.0, 64.0 * dt, alpha / 64.0), here);
        assert!((alpha / 64.0 - notebook.mean_field_alpha()).abs() < 1e-12);
    }

    #[test]
    fn the_core_s_alpha_is_the_notebook_s() {
        // a |c dL/dc| of the batch's mean squared error, against alpha |V| dt; L as the notebook has it, by differences
        let cell = cell(Kind::Raw, 0.7);
        let start: Vec<f32> = data::start(SEED, &cell, 0);
        let mut source = Sphere::new(SEED, 0);
        let mut memory = scratch::<f32>();
        let mut simulation = simulation(&cell, SEED, 0, &[], &mut memory).expect("one");
        simulation.evaluate().expect("finite");
        let batch = source.examples(0).expect("a batch");
        let loss = |shift: f64, unit: usize| {
            let squares = (0..BATCH).map(|p| {
                let output: f64 = (0..50)
                    .map(|i| {
                        let a: f64 = (0..DIMENSION)
                            .map(|k| f64::from(start[(k + 1) * 50 + i]) * f64::from(batch.input(p)[k]))
                            .sum();
                        let c = f64::from(start[i]) + if i == unit { shift } else { 0.0 };
                        if a > 0.0 { c * a } else { 0.0 }
                    })
                    .sum();
                let residual = output - f64::from(batch.target(p)[0]);
                residual * residual
            });
            squares.sum::<f64>() / BATCH as f64
        };
        for i in [0, 7, 49] {
            const H: f64 = 1e-4;
            let slope = (loss(H, i) - loss(-H, i)) / (2.0 * H);
            let rate = cell.alpha * f64::from(start[i]) * slope;
            let core = cell.core_alpha() * f64::from(simulation.potentials()[i]) * cell.dt();
            // sums in f32
            assert!((rate - core).abs() < 1e-5 * rate.abs() + 1e-8, "{rate} {core}");
            // and the learning rate: 0.02 dL/dc = dt dV/dc
            let moved = cell.dt() * f64::from(simulation.gradients().get(0, i).unwrap_or(0.0));
            assert!((0.02 * slope - moved).abs() < 1e-5 * moved.abs() + 1e-8, "{slope} {moved}");
        }
    }

    #[test]
    fn a_stopped_run_leaves_nothing() {
        let stop = AtomicBool::new(true);
        assert_eq!(measure(&cell(Kind::Flow, 0.0), SEED, 0, 10, &stop), Err(Interrupted));
    }
}
