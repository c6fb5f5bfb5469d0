//! The replicates of a run, on all threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use birth_death::Real;
use indicatif::ProgressBar;

use super::checkpoint::Keeper;
use super::saved::{Begun, Failure, Progress, tag};
use crate::config::Config;
use crate::problem::Problem;
use crate::run::results::{Row, Trajectory};
use crate::simulation::Simulation;
use birth_death_terminal::parallel::{self, Pool};

/// Steps between two calls of the progress bar, each of which looks at the clock.
const STEPS_A_TICK: u64 = 8;

/// Everything a simulation gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome<R> {
    /// The complete replicates, in order.
    pub trajectories: Vec<Trajectory<R>>,
    /// The final ensemble of the first of them: `rows[k][i]` is component k of particle i.
    pub ensemble: Vec<Vec<R>>,
    /// The replicates that met a numerical error, in order.
    pub failures: Vec<Failure>,
    /// Whether it was interrupted before all replicates had ended.
    pub interrupted: bool,
}

impl<R> Outcome<R> {
    fn of(progress: Progress<R>, interrupted: bool) -> Self {
        let trajectories = progress.complete.into_iter();
        Self {
            trajectories: trajectories.map(|(replicate, rows)| Trajectory { replicate, rows }).collect(),
            ensemble: progress.ensemble,
            failures: progress.failures.into_values().collect(),
            interrupted,
        }
    }
}

/// Runs every replicate of the configuration on the pool.
///
/// Replicate r depends on the configuration and on r only, so the outcome is the same for any number of threads,
/// unless `stop` is set on the way: then replicates that are not complete are dropped.
pub fn execute<R: Real>(
    config: &Config,
    problem: &Problem<'_, R>,
    pool: &Pool,
    bar: &ProgressBar,
    stop: &AtomicBool,
) -> Outcome<R> {
    go_on(config, problem, pool, bar, stop, Progress::default(), None)
}

/// The same from what was done before; `keeper` writes it down on the way, at an interruption, and at the end if that
/// was put off until then.
pub fn go_on<R: Real>(
    config: &Config,
    problem: &Problem<'_, R>,
    pool: &Pool,
    bar: &ProgressBar,
    stop: &AtomicBool,
    before: Progress<R>,
    keeper: Option<&Keeper>,
) -> Outcome<R> {
    bar.set_position(before.steps(config));
    bar.reset_eta();
    let shared = Shared { config, problem, bar, stop, keeper, progress: Mutex::new(before) };
    let ended = parallel::map_in_order(pool, config.replicates, |index| shared.replicate(index));
    let interrupted = ended.contains(&false);
    if let Some(keeper) = keeper.filter(|keeper| interrupted || keeper.is_overdue()) {
        keeper.write(|| shared.encode());
    }
    let progress = shared.progress.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    Outcome::of(progress, interrupted)
}

/// What the threads share.
struct Shared<'a, 'n, R> {
    config: &'a Config,
    problem: &'a Problem<'n, R>,
    bar: &'a ProgressBar,
    stop: &'a AtomicBool,
    keeper: Option<&'a Keeper>,
    progress: Mutex<Progress<R>>,
}

impl<R: Real> Shared<'_, '_, R> {
    fn progress(&self) -> MutexGuard<'_, Progress<R>> {
        self.progress.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn encode(&self) -> Vec<u8> {
        self.progress().encode(self.config)
    }

    /// Runs replicate `index` to its end; false if it was interrupted.
    fn replicate(&self, index: u64) -> bool {
        let before = {
            let progress = self.progress();
            if progress.complete.contains_key(&index) || progress.failures.contains_key(&index) {
                return true;
            }
            progress.begun.get(&index).cloned()
        };
        if self.stop.load(Ordering::Relaxed) {
            return false;
        }
        let failed = |step, error: birth_death::Error| {
            let mut progress = self.progress();
            progress.begun.remove(&index);
            progress.failures.insert(index, Failure { replicate: index, step, error: error.to_string() });
            true
        };
        let mut replicate = match Replicate::begin(self, index, before) {
            Ok(replicate) => replicate,
            Err(error) => return failed(0, error),
        };
        let mut epoch = self.keeper.map_or(0, Keeper::epoch);
        for step in replicate.step..self.config.steps {
            if self.stop.load(Ordering::Relaxed) {
                self.put(index, &mut replicate);
                return false;
            }
            if let Err(error) = replicate.advance(self.config) {
                return failed(step, error);
            }
            if (step + 1).is_multiple_of(STEPS_A_TICK) {
                self.bar.inc(STEPS_A_TICK);
            }
            if let Some(keeper) = self.keeper {
                let is_due = keeper.count_step();
                let now = keeper.epoch();
                if now != epoch {
                    epoch = now;
                    self.put(index, &mut replicate);
                }
                if is_due {
                    keeper.write(|| self.encode());
                }
            }
        }
        self.bar.inc(self.config.steps % STEPS_A_TICK);
        if let Err(error) = replicate.conclude(self.config) {
            return failed(self.config.steps, error);
        }
        let mut progress = self.progress();
        progress.begun.remove(&index);
        if progress.complete.first_key_value().is_none_or(|(&first, _)| index < first) {
            progress.ensemble = replicate.simulation.rows().iter().map(<[R]>::to_vec).collect();
        }
        progress.complete.insert(index, replicate.rows);
        true
    }

    /// Puts a replicate on its way where the next checkpoint takes it from.
    fn put(&self, index: u64, replicate: &mut Replicate<'_, R>) {
        let Some(keeper) = self.keeper else { return };
        keeper.timed(|| self.put_now(index, replicate));
    }

    fn put_now(&self, index: u64, replicate: &mut Replicate<'_, R>) {
        // what steps leave is finite and can be saved; if not, an earlier state stays, which is as good
        if let Ok(saved) = replicate.simulation.save(tag(self.config, index)) {
            let Replicate { step, ref rows, births, deaths, .. } = *replicate;
            let run = Begun { step, rows: rows.clone(), births, deaths, saved };
            self.progress().begun.insert(index, run);
        }
    }
}

/// A replicate on its way.
struct Replicate<'n, R> {
    simulation: Simulation<'n, R>,
    step: u64,
    rows: Vec<Row<R>>,
    births: u64,
    deaths: u64,
}

impl<'n, R: Real> Replicate<'n, R> {
    /// At its start, or where it was before.
    fn begin(shared: &Shared<'_, 'n, R>, index: u64, before: Option<Begun<R>>) -> Result<Self, birth_death::Error> {
        let mut simulation = shared.problem.simulation(shared.config, index)?;
        let Some(Begun { step, rows, births, deaths, saved }) = before else {
            return Ok(Self { simulation, step: 0, rows: Vec::new(), births: 0, deaths: 0 });
        };
        simulation.restore(tag(shared.config, index), &saved)?;
        Ok(Self { simulation, step, rows, births, deaths })
    }

    /// One step, and the row of the ensemble before it.
    fn advance(&mut self, config: &Config) -> Result<(), birth_death::Error> {
        // A step reports the energy of the ensemble it found: that of the recorded row, at no cost.
        let recorded = config.records(self.step).then(|| self.simulation.distinct());
        let report = self.simulation.step()?;
        if let Some(distinct) = recorded {
            self.record(report.energy, report.mean_potential, distinct);
        }
        self.births = self.births.saturating_add(u64::from(report.births));
        self.deaths = self.deaths.saturating_add(u64::from(report.deaths));
        self.step += 1;
        Ok(())
    }

    /// The last row.
    fn conclude(&mut self, config: &Config) -> Result<(), birth_death::Error> {
        debug_assert_eq!(self.step, config.steps);
        let (energy, mean_potential) = self.simulation.evaluate()?;
        let distinct = self.simulation.distinct();
        self.record(energy, mean_potential, distinct);
        Ok(())
    }

    fn record(&mut self, energy: R, mean_potential: R, distinct: u32) {
        let (births, deaths) = (std::mem::take(&mut self.births), std::mem::take(&mut self.deaths));
        self.rows.push(Row { step: self.step, energy, mean_potential, births, deaths, distinct });
    }
}
