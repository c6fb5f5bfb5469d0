//! Every configuration of a simulation that ships is accepted and runs. Those of trainings are in `train.rs`.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use birth_death_simulate::config::Config;
use birth_death_simulate::problem::{Numbers, Problem};
use birth_death_simulate::run;
use birth_death_terminal::parallel;
use common::Place;
use indicatif::ProgressBar;

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/configs")
}

/// Those of simulations: a training has data, and no model.
fn configurations() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(shipped())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .filter(|path| !fs::read_to_string(path).expect("text").contains("\n[data]"))
        .collect();
    found.sort();
    found
}

#[test]
fn every_shipped_configuration_runs() {
    let pool = parallel::pool(None);
    assert!(configurations().len() >= 9);
    for path in configurations() {
        let mut config = Config::load(&path).expect("accepted");
        assert!(config.text.starts_with("# "), "{} says what it shows", path.display());
        config.steps = 5;
        config.replicates = 2;
        let numbers = Numbers::<f64>::of(&config.model);
        let problem = Problem::new(&config, &numbers).expect("a problem");
        let outcome = run::execute(&config, &problem, &pool, &ProgressBar::hidden(), &AtomicBool::new(false));
        assert_eq!(outcome.failures, [], "{}", path.display());
        assert_eq!(outcome.trajectories.len(), 2);
        let energy = outcome.trajectories[0].rows[0].energy;
        assert!(energy.is_finite() && energy > -10.0);
    }
}

#[test]
fn the_bad_start_is_left_by_reinjection_only() {
    let pool = parallel::pool(None);
    let energy = |name: &str| {
        let mut config = Config::load(&shipped().join(name)).expect("accepted");
        config.particles = 100;
        config.replicates = 6;
        let numbers = Numbers::<f64>::of(&config.model);
        let problem = Problem::new(&config, &numbers).expect("a problem");
        let outcome = run::execute(&config, &problem, &pool, &ProgressBar::hidden(), &AtomicBool::new(false));
        let last = outcome.trajectories.iter().filter_map(|trajectory| trajectory.rows.last());
        last.map(|row| row.energy).min_by(f64::total_cmp).expect("a replicate")
    };
    let stalled = energy("gaussian-units-bad-birth-death.toml");
    let free = energy("gaussian-units-bad-reinjection.toml");
    assert!(stalled > 0.0135 && free < 0.5 * stalled, "reinjection {free}, birth-death {stalled}");
}

#[test]
fn a_shipped_configuration_runs_from_the_command_line() {
    let place = Place::new();
    let path = shipped().join("mmd.toml").display().to_string();
    let output = place.birth_death(&["run", &path]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let (header, rows) = place.table("run/ensemble.csv");
    assert_eq!((header.join(","), rows.len()), ("x1,x2".to_owned(), 128));
    let (_, summary) = place.table("run/summary.csv");
    let mean = |row: usize| summary[row][3].parse::<f64>().expect("a number");
    assert!(mean(summary.len() - 1) < 0.1 * mean(0), "the sample is matched");
}
