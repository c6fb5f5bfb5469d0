//! The configurations of `run` and of `train`: any text is read or refused with one message, and what is read can be
//! run.

use birth_death::Real;
use birth_death_simulate::config::training::Training;
use birth_death_simulate::config::{Config, MAX_NUMBERS, MAX_ROWS, Precision};
use birth_death_simulate::problem::{Numbers, Problem};
use birth_death_terminal::refusal::Refusal;
use birth_death_train::prepared::Prepared;

use super::place::{check, folder};

/// Largest ensemble that is built, particles times components.
const LARGEST: usize = 4096;
const STEPS: u64 = 2;

pub fn run(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let path = folder().join("a.toml");
    if kind & 1 == 0 {
        match Config::parse(&path, text) {
            Ok(config) => simulate(&config),
            Err(refusal) => check(&refusal, &path),
        }
    } else {
        match Training::parse(&path, text.to_owned()) {
            Ok(training) => prepare(&training),
            Err(refusal) => check(&refusal, &path),
        }
    }
}

fn simulate(config: &Config) {
    let components = config.model.components().len();
    assert!(components > 0 && config.particles > 0);
    assert!((config.particles as u64).saturating_mul(components as u64) <= MAX_NUMBERS);
    assert!(config.recorded_steps().saturating_mul(config.replicates) <= MAX_ROWS);
    assert!(config.quench_from() <= config.steps && config.records(0) && config.records(config.steps));
    if config.particles * components <= LARGEST {
        match config.precision {
            Precision::F32 => go::<f32>(config),
            Precision::F64 => go::<f64>(config),
        }
    }
}

fn go<R: Real>(config: &Config) {
    let numbers = Numbers::<R>::of(&config.model);
    match Problem::new(config, &numbers) {
        Err(refusal) => assert!(refusal.to_string().starts_with(&config.file.display().to_string()), "{refusal}"),
        Ok(problem) => {
            let last = config.replicates - 1;
            let Ok(mut simulation) = problem.simulation(config, last) else { return };
            for _ in 0..STEPS.min(config.steps) {
                if simulation.step().is_err() {
                    return;
                }
            }
            assert!(simulation.rows().iter().flatten().all(|x| x.is_finite()) || STEPS.min(config.steps) == 0);
        }
    }
}

fn prepare(training: &Training) {
    assert!(training.sizes.training + training.sizes.validation + training.sizes.test == training.rows());
    assert!(training.batch.is_none_or(|batch| (1..=training.sizes.training).contains(&batch)));
    let check = |done: Result<(), Refusal>| {
        if let Err(refusal) = done {
            super::place::check(&refusal, &training.file);
        }
    };
    match training.precision {
        Precision::F32 => check(Prepared::<f32>::new(training, 0).map(|_| ())),
        Precision::F64 => check(Prepared::<f64>::new(training, 0).map(|_| ())),
    }
}
