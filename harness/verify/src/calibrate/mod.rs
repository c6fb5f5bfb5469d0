//! `birth-death calibrate`: how often each claim accuses the correct build, and how often it catches each planted
//! defect.
//!
//! Seeds are disjoint from those that settings were chosen on. Every measurement is appended to `runs.jsonl` as it
//! ends; what they come to is written to `calibration.json` at the end, and when interrupted.

// The workspace forbids std's minima and maxima for the core's sake; here no zero has a sign.
#![allow(clippy::disallowed_methods)]

mod log;
mod plan;
mod summary;
mod table;

use std::collections::BTreeSet;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::ProgressBar;

use crate::arguments::CalibrateArgs;
use crate::claims::check::{self, Null};
use crate::claims::{Context, Interrupted};
use crate::subject::Subject;
use birth_death_terminal::exit::{FAILURE, INTERRUPTED, SUCCESS};
use birth_death_terminal::refusal::Refusal;
use birth_death_terminal::screen::{self, Screen};
use birth_death_terminal::{parallel, progress};
use log::Log;
use plan::{PROFILE, Task};

pub use log::{PValue, Run, Settings};
pub use summary::{
    BOUND_LEVEL, COMMON_LEVEL, Calibration, Caught, Cell, Correct, Decisions, Rate, SCHEMA, SharpCheck, Uniformity,
    read,
};

/// Calibrates as the arguments say; the result is the exit code.
///
/// # Errors
/// Bad input.
pub fn main(arguments: &CalibrateArgs) -> Result<u8, Refusal> {
    let tasks = plan::tasks(arguments)?;
    let settings = Settings::of(arguments.seed)?;
    let stop = progress::interruption();
    let pool = parallel::pool(arguments.threads);
    let (log, earlier) = if arguments.resume {
        Log::resume(&arguments.out, &settings)?
    } else {
        (Log::create(&arguments.out, &settings)?, Vec::new())
    };

    let done: BTreeSet<_> = earlier.iter().map(Run::key).collect();
    let open: Vec<&Task> = tasks.iter().filter(|task| !done.contains(&task.key())).collect();
    let bar = progress::bar(tasks.len() as u64, "measurements");
    bar.set_position((tasks.len() - open.len()) as u64);
    bar.reset_eta();
    let worker = Worker { log: &log, stop, failed: Mutex::default() };
    let measured = parallel::map_in_order(&pool, open.len() as u64, |index| {
        let run = worker.measure(open[usize::try_from(index).ok()?]);
        bar.inc(u64::from(run.is_some()));
        run
    });
    bar.finish_and_clear();

    let runs: Vec<Run> = earlier.into_iter().chain(measured.into_iter().flatten()).collect();
    let done: BTreeSet<_> = runs.iter().map(Run::key).collect();
    let missing = tasks.iter().filter(|task| !done.contains(&task.key())).count();
    let calibration = Calibration::new(&settings, missing == 0, &runs);
    let mut failures = worker.failed.into_inner().unwrap_or_default();
    if let Err(error) = log.conclude(&calibration) {
        failures.push(format!("{}: {error}", summary::NAME));
    }
    let mut out = Screen;
    let _ = writeln!(out, "{}", table::text(&calibration, &runs));
    let _ = writeln!(out, "{} measurements in {}", runs.len(), log.place().display());
    if missing > 0 {
        let _ = writeln!(out, "{missing} are missing: --resume goes on");
    }
    for failure in &failures {
        screen::error(failure);
    }
    Ok(if !failures.is_empty() {
        FAILURE
    } else if missing > 0 {
        INTERRUPTED
    } else if calibration.is_sound() {
        SUCCESS
    } else {
        FAILURE
    })
}

/// What the threads share.
struct Worker<'a> {
    log: &'a Log,
    stop: &'a AtomicBool,
    /// What went wrong.
    failed: Mutex<Vec<String>>,
}

impl Worker<'_> {
    /// A measurement, once it is in the log; none if it was interrupted or anything went wrong.
    fn measure(&self, task: &Task) -> Option<Run> {
        if self.stop.load(Ordering::Relaxed) || self.log.is_broken() {
            return None;
        }
        let failed = |message: String| {
            if let Ok(mut failed) = self.failed.lock() {
                failed.push(message);
            }
        };
        // one bad cell must not cost the others hours
        let Ok(result) = catch_unwind(AssertUnwindSafe(|| decide(task, self.stop))) else {
            let (seed, subject, claim) = task.key();
            failed(format!("claim {claim} panicked on {subject}, seed {seed}"));
            return None;
        };
        let run = Run { settings: self.log.digest().to_owned(), ..result.ok()? };
        match self.log.append(&run) {
            Ok(()) => Some(run),
            Err(error) => {
                failed(format!("{}: {error}", log::NAME));
                None
            }
        }
    }
}

/// Processor time of this thread, where the system tells it: other work on the machine does not count.
#[cfg(target_os = "linux")]
fn clock() -> f64 {
    use nix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(std::time::Duration::from);
    time.map_or(f64::NAN, |time| time.as_secs_f64())
}

#[cfg(not(target_os = "linux"))]
fn clock() -> f64 {
    use std::sync::LazyLock;
    use std::time::Instant;
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGAN.elapsed().as_secs_f64()
}

/// The correct build as `verify` decides it; a defect with the crate's generator only, which finds no more than both
/// do.
fn decide(task: &Task, stop: &AtomicBool) -> Result<Run, Interrupted> {
    let began = clock();
    // as many measurements at a time as there are threads, each on its own thread
    let pool = parallel::pool(Some(1));
    let context = Context {
        subject: Subject { defect: task.defect, ..Subject::correct(task.seed) },
        profile: PROFILE,
        pool: &pool,
        stop,
        progress: &ProgressBar::hidden(),
        claim: task.claim.number(),
    };
    let correct = task.defect.is_none();
    let (checks, _) =
        if correct { task.claim.decide_with_all_generators(&context)? } else { task.claim.decide(&context)? };
    let p_value = |check: &check::Check| match check.null {
        Null::Sharp { p, .. } if correct => Some(PValue { what: check.what.clone(), generator: check.generator, p }),
        _ => None,
    };
    let (seed, subject, claim) = task.key();
    Ok(Run {
        settings: String::new(),
        seed,
        subject: subject.into(),
        claim: claim.into(),
        verdict: check::verdict(&checks),
        seconds: clock() - began,
        p: checks.iter().filter_map(p_value).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::check::Evidence;
    use crate::claims::{Claim, Kind};

    static PANICS: Claim = Claim {
        id: "drift",
        kind: Kind::Sharp,
        statement: "",
        source: "",
        setting: "",
        estimator: "",
        oracle: "",
        tolerance: "",
        measure: |_| panic!("a claim that panics"),
    };
    static STOPS: Claim = Claim { measure: |_| Err(Interrupted), ..PANICS };
    static WORKS: Claim = Claim { measure: |_| Ok(Evidence::default()), ..PANICS };

    #[test]
    fn a_panic_or_an_interruption_leaves_no_line_and_the_others_go_on() {
        let top = tempfile::tempdir().expect("a folder");
        let settings = Settings::of(1).expect("settings");
        let log = Log::create(&top.path().join("calibration"), &settings).expect("begun");
        let worker = Worker { log: &log, stop: &AtomicBool::new(false), failed: Mutex::default() };
        let measure = |claim, seed| worker.measure(&Task { seed, defect: None, claim });
        assert_eq!(measure(&PANICS, 1), None);
        assert_eq!(measure(&STOPS, 2), None);
        let run = measure(&WORKS, 3).expect("measured");
        assert_eq!(run.key(), (3, "correct", "drift"));
        worker.stop.store(true, Ordering::Relaxed);
        assert_eq!(measure(&WORKS, 4), None);
        let failed = worker.failed.into_inner().expect("no panic while held");
        assert_eq!(failed, ["claim drift panicked on correct, seed 1"]);
        let place = log.place().to_owned();
        drop(log);
        assert_eq!(Log::resume(&place, &settings).expect("resumed").1, [run]);
    }
}
