//! The decoder of the checkpoint of `run`, with checksums repaired so that the checks behind them are reached; what it
//! takes is gone on with.

use std::sync::atomic::AtomicBool;

use birth_death::Real;
use birth_death_simulate::config::Config;
use birth_death_simulate::problem::{Numbers, Problem};
use birth_death_simulate::run::results::Row;
use birth_death_simulate::run::saved::{self, Begun, Progress, identity};
use birth_death_simulate::run::{Failure, go_on};
use birth_death_terminal::parallel;
use indicatif::ProgressBar;

use super::input::Input;
use super::place::folder;
use super::seal::{crc32, repair};

/// The run whose checkpoint is decoded, but for its precision.
const RUN: &str = "seed = 1\nparticles = 3\nsteps = 12\ndt = 0.1\nalpha = 2.0\nscheme = \"reinjection\"\nreplicates = \
    4\nrecord_every = 5\n\
                   [model]\nkind = \"quadratic\"\ncurvature = [1.0, 2.0]\n[start]\nx1 = { normal = { mean = 0.0, sd = \
                   1.0 } }\nx2 = 1.0\n\
                   [prior]\nx1 = { normal = { mean = 0.0, sd = 1.0 } }\nx2 = 0.0\n";

/// One of the two ways in: bytes, or a progress that is told from what no run can have by other words than the
/// decoder's.
pub fn run<R: Real>(kind: u8, input: &mut Input<'_>) {
    let text = match size_of::<R>() {
        4 => format!("precision = \"f32\"\n{RUN}"),
        _ => RUN.to_owned(),
    };
    let config = Config::parse(&folder().join("a.toml"), &text).expect("a configuration");
    let numbers = Numbers::<R>::of(&config.model);
    let problem = Problem::new(&config, &numbers).expect("a problem");
    let (bytes, expected) = if kind & 64 == 0 {
        (sealed::<R>(kind, input.0, &config), None)
    } else {
        let (progress, is_valid) = built(input, &config, &problem);
        (progress.encode(&config), Some((progress, is_valid)))
    };
    let decoded = Progress::decode(&config, &problem, &bytes);
    if let Some((progress, is_valid)) = expected {
        assert_eq!(decoded.is_ok(), is_valid, "{:?}", decoded.err());
        assert!(decoded.as_ref().is_ok_and(|decoded| *decoded == progress) || !is_valid);
    }
    match decoded {
        Err(message) => assert!(message.len() < 400 && !message.contains('\n'), "{message}"),
        Ok(progress) => {
            assert_eq!(progress.encode(&config), bytes);
            assert!(progress.steps(&config) <= config.steps * config.replicates);
            conclude(&config, &problem, progress);
        }
    }
}

/// The fuzzer's bytes, with head and checksums repaired.
fn sealed<R: Real>(kind: u8, bytes: &[u8], config: &Config) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if kind & 8 == 0 {
        // the head, as of kind & 8 in `decode`
        let head = saved::HEADER + 4 + config.text.len();
        bytes.resize(bytes.len().max(head + 4), 0);
        let (length, blank) = (bytes.len() as u64, Progress::<R>::default().encode(config));
        bytes[..head].copy_from_slice(&blank[..head]);
        bytes[12..20].copy_from_slice(&length.to_le_bytes());
        assert_eq!(bytes[36..68], identity(config));
    }
    if kind & 16 == 0 {
        for at in 0..bytes.len() {
            if bytes[at..].starts_with(b"BDCP") {
                repair(&mut bytes[at..]);
            }
        }
        if let Some((body, checksum)) = bytes.split_last_chunk_mut() {
            *checksum = crc32(body).to_le_bytes();
        }
    }
    bytes
}

/// Some replicates in some of the three lists, with something wrong or nothing; and whether that can be.
fn built<R: Real>(input: &mut Input<'_>, config: &Config, problem: &Problem<'_, R>) -> (Progress<R>, bool) {
    let (mut progress, mut is_valid) = (Progress::<R>::default(), true);
    for replicate in 0..config.replicates + 1 {
        let lists = input.byte();
        is_valid &= (lists & 7).count_ones() <= 1 && (lists & 7 == 0 || replicate < config.replicates);
        if lists & 1 != 0 {
            let rows = rows(input, config, config.recorded_steps(), &mut is_valid);
            progress.complete.insert(replicate, rows);
        }
        if lists & 2 != 0 {
            let step = input.up_to(15) as u64;
            is_valid &= step <= config.steps;
            progress.failures.insert(replicate, Failure { replicate, step, error: "x".repeat(input.up_to(3)) });
        }
        if lists & 4 != 0 {
            let mut simulation = problem.simulation(config, replicate).expect("a start");
            let steps = input.up_to(15) as u64;
            if (0..steps).any(|_| simulation.step().is_err()) {
                continue;
            }
            is_valid &= steps <= config.steps;
            // the state of another replicate, for once
            let owner = if input.rarely() { replicate ^ 1 } else { replicate };
            is_valid &= owner == replicate;
            let mut saved = simulation.save(saved::tag(config, owner)).expect("finite");
            if input.rarely() {
                saved.ancestors = (0..3).map(|_| input.up_to(4) as u32).collect();
                let first = |slot: usize| saved.ancestors.get(slot).copied();
                let is_first =
                    |(slot, ancestor): (u32, &u32)| *ancestor <= slot && first(*ancestor as usize) == Some(*ancestor);
                is_valid &= (0..).zip(&saved.ancestors).all(is_first);
            }
            let (births, deaths) = (input.long(), input.long());
            let rows = rows(input, config, steps.div_ceil(config.record_every), &mut is_valid);
            progress.begun.insert(replicate, Begun { step: steps, rows, births, deaths, saved });
        }
    }
    if !progress.complete.is_empty() {
        progress.ensemble = vec![input.reals(3), input.reals(3)];
        is_valid &= progress.ensemble.iter().flatten().all(|x| x.is_finite());
    }
    (progress, is_valid)
}

fn rows<R: Real>(input: &mut Input<'_>, config: &Config, count: u64, is_valid: &mut bool) -> Vec<Row<R>> {
    let row = |place: u64| {
        let (energy, mean_potential): (R, R) = (input.real(), input.real());
        *is_valid &= energy.is_finite() && mean_potential.is_finite();
        let step = (place * config.record_every).min(config.steps);
        Row { step, energy, mean_potential, births: place, deaths: u64::MAX, distinct: 3 }
    };
    (0..count).map(row).collect()
}

/// The rest of the run, after which every replicate has ended.
fn conclude<R: Real>(config: &Config, problem: &Problem<'_, R>, progress: Progress<R>) {
    // this thread alone: waiting for another one took most of the time
    let pool = parallel::pool(Some(1));
    let outcome = go_on(config, problem, &pool, &ProgressBar::hidden(), &AtomicBool::new(false), progress, None);
    assert_eq!((outcome.trajectories.len() + outcome.failures.len()) as u64, config.replicates);
    for trajectory in &outcome.trajectories {
        let steps: Vec<u64> = trajectory.rows.iter().map(|row| row.step).collect();
        assert_eq!(steps, [0, 5, 10, 12]);
    }
    assert_eq!(outcome.ensemble.len(), if outcome.trajectories.is_empty() { 0 } else { 2 });
}
