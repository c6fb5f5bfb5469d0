//! Replicates of several dynamics from shared starts: what pictures are made of.

use super::Halt;
use birth_death_simulate::simulation::Product;
use birth_death_verify::claims::Context;
use birth_death_verify::subject::{BoxedEnergy, Setup, Trial};

/// Dynamics that are compared on one energy.
#[derive(Debug)]
pub struct Experiment {
    /// Its streams go by this name.
    pub id: &'static str,
    /// The energy.
    pub energy: fn() -> BoxedEnergy,
    /// The law of the start.
    pub start: fn() -> Product<f64>,
    /// The dynamics, in the order of the pictures.
    pub dynamics: fn() -> Vec<Setup>,
    /// The steps after which the energy is wanted, ascending; the last one ends a run.
    pub recorded: fn() -> Vec<usize>,
}

/// One run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// E after each recorded number of steps.
    pub energies: Vec<f64>,
    /// The particles at the start, row after row.
    pub start: Vec<f64>,
    /// The particles at the end.
    pub end: Vec<f64>,
}

/// All runs of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Runs {
    /// The recorded steps.
    pub steps: Vec<usize>,
    /// Of each dynamics, its replicates.
    pub of: Vec<Vec<Run>>,
}

impl Runs {
    /// How many there are of each dynamics.
    pub fn replicates(&self) -> usize {
        self.of.first().map_or(0, Vec::len)
    }
}

/// The measurement number of the starts. Dynamics number d has d + 1.
const STARTS: u64 = 0;

impl Experiment {
    /// Runs it. All dynamics of a replicate begin at the same particles, drawn on a stream of their own; every run goes
    /// on with its own stream.
    ///
    /// # Errors
    /// [`Halt::Interrupted`], or [`Halt::Failed`] for the first run that met a numerical error.
    pub fn run(&self, context: &Context, replicates: u64) -> Result<Runs, Halt> {
        let setups = (self.dynamics)();
        let (steps, count) = ((self.recorded)(), setups.len() as u64);
        let found = context.map(replicates * count, |task| {
            let (replicate, dynamics) = (task / count, task % count);
            let setup = &setups[usize::try_from(dynamics).unwrap_or(0)];
            let mut first = context.trial(setup, (self.energy)(), STARTS, replicate);
            first.draw(&(self.start)());
            let mut trial = context.trial(setup, (self.energy)(), STARTS + 1 + dynamics, replicate);
            trial.place(&first.values());
            follow(&mut trial, &steps).map_err(|error| {
                Halt::Failed(format!("{}, dynamics {dynamics}, replicate {replicate}: {error}", self.id))
            })
        })?;
        let mut of: Vec<Vec<Run>> = setups.iter().map(|_| Vec::new()).collect();
        for (run, dynamics) in found.into_iter().zip((0..setups.len()).cycle()) {
            of[dynamics].push(run?);
        }
        Ok(Runs { steps, of })
    }
}

/// Makes as many steps as the last of `recorded`. A step reports the energy of the ensemble it found: that of the
/// recorded number, at no cost.
fn follow(trial: &mut Trial, recorded: &[usize]) -> Result<Run, birth_death::Error> {
    let start = trial.values();
    let mut energies = Vec::with_capacity(recorded.len());
    let mut done = 0;
    for &wanted in recorded {
        while done < wanted {
            let report = trial.step()?;
            if recorded.get(energies.len()) == Some(&done) {
                energies.push(report.energy);
            }
            done += 1;
        }
    }
    // of the last ensemble, after which no step comes
    energies.push(trial.evaluate()?.0);
    Ok(Run { energies, start, end: trial.values() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use birth_death::Marginal;
    use birth_death_terminal::parallel;
    use birth_death_verify::arguments::Profile;
    use birth_death_verify::claims::problem::Problem;
    use birth_death_verify::subject::{Subject, product};
    use indicatif::ProgressBar;
    use std::sync::atomic::{AtomicBool, Ordering};

    static SMALL: Experiment = Experiment {
        id: "small",
        energy: || Problem::Units.core(),
        start: || product(&[Marginal::Normal { mean: 0.0, sd: 1.0 }, Marginal::Uniform { low: -2.0, high: 2.0 }]),
        dynamics: || {
            vec![Setup::gradient_flow(10, 0.1), Setup::birth_death(10, 0.1, 5.0), Setup::birth_death(10, 0.1, 5.0)]
        },
        recorded: || vec![0, 1, 7, 20],
    };

    fn with<T>(threads: u16, seed: u64, stopped: bool, task: impl FnOnce(&Context) -> T) -> T {
        let (pool, stop) = (parallel::pool(Some(threads)), AtomicBool::new(false));
        stop.store(stopped, Ordering::Relaxed);
        let progress = ProgressBar::hidden();
        let subject = Subject::correct(seed);
        task(&Context { subject, profile: Profile::Quick, pool: &pool, stop: &stop, progress: &progress, claim: 3 })
    }

    #[test]
    fn starts_are_shared_and_everything_else_is_its_own() {
        let runs = with(2, 1001, false, |context| SMALL.run(context, 4)).expect("runs");
        assert_eq!((runs.of.len(), runs.replicates()), (3, 4));
        for (replicate, first) in runs.of[0].iter().enumerate() {
            assert!(runs.of.iter().all(|of| of[replicate].start == first.start));
            assert!(runs.of[0][..replicate].iter().all(|other| other.start != first.start));
            // the same dynamics twice, on two streams
            assert_ne!(runs.of[1][replicate].end, runs.of[2][replicate].end);
        }
        // neither more replicates nor other threads change a run
        let more = with(1, 1001, false, |context| SMALL.run(context, 6)).expect("runs");
        assert!(runs.of.iter().zip(&more.of).all(|(few, many)| many[..4] == few[..]));
        assert_ne!(with(1, 1002, false, |context| SMALL.run(context, 1)).expect("runs").of[0], more.of[0][..1]);
    }

    #[test]
    fn energies_are_those_after_so_many_steps() {
        let runs = with(1, 1001, false, |context| SMALL.run(context, 1)).expect("runs");
        let run = &runs.of[0][0];
        with(1, 1001, false, |context| {
            let mut trial = context.trial(&Setup::gradient_flow(10, 0.1), Problem::Units.core(), 0, 0);
            trial.place(&run.start);
            let mut energies = Vec::new();
            for step in 0..=20 {
                if runs.steps.contains(&step) {
                    energies.push(trial.evaluate().expect("finite").0);
                }
                if step < 20 {
                    trial.step().expect("a step");
                }
            }
            assert_eq!((energies, trial.values()), (run.energies.clone(), run.end.clone()));
        });
    }

    #[test]
    fn an_interruption_and_a_numerical_error_are_told_apart() {
        assert_eq!(with(1, 1001, true, |context| SMALL.run(context, 2)), Err(Halt::Interrupted));
        static ESCAPES: Experiment = Experiment {
            id: "escapes",
            energy: || Problem::Quadratic(&[1e200]).core(),
            start: || product(&[Marginal::Constant(1e100)]),
            ..SMALL
        };
        let halted = with(1, 1001, false, |context| ESCAPES.run(context, 1)).expect_err("not finite");
        assert!(
            matches!(&halted, Halt::Failed(what) if what.starts_with("escapes, dynamics 0, replicate 0: ")),
            "{halted:?}"
        );
    }
}
