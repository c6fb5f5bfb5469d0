//! `birth-death student-teacher`: where birth-death accelerates the training of the paper's second model, and where it
//! harms.
//!
//! Paired replicates: all cells of a replicate have the same teacher, the same start and the same batches. Every
//! measurement is a line of `runs.jsonl` as soon as it is made; the tables are written at the end, and when
//! interrupted.

// The workspace forbids std's transcendentals, powers, minima and maxima for the core's sake; here nothing has to be
// portable to the bit.
#![allow(clippy::disallowed_methods)]

pub mod data;
mod log;
pub mod setting;
mod summary;
mod table;
pub mod train;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::arguments::StudentTeacherArgs;
use birth_death_output::journal;
use birth_death_output::manifest::Build;
use birth_death_terminal::exit::{FAILURE, INTERRUPTED, SUCCESS};
use birth_death_terminal::refusal::{Refusal, listed};
use birth_death_terminal::screen::{self, Screen};
use birth_death_terminal::{parallel, progress};
use log::{Log, Settings, Unit};
use setting::Cell;

/// Measures as the arguments say; the result is the exit code.
///
/// # Errors
/// Bad input.
pub fn main(arguments: &StudentTeacherArgs) -> Result<u8, Refusal> {
    let all = setting::cells();
    let wanted = selected(&arguments.cells)?;
    if arguments.report {
        let (settings, units) = log::read(&arguments.out, &all)?;
        return Ok(conclude(&arguments.out, &settings, &all, &units));
    }
    let stop = progress::interruption();
    let pool = parallel::pool(arguments.threads);
    let settings = Settings::of(arguments.seed, arguments.steps);
    let (log, earlier) = Log::open(&arguments.out, &settings, arguments.resume, &all)?;

    let done: BTreeSet<_> = earlier.iter().map(|unit| (unit.cell.clone(), unit.replicate)).collect();
    let mut open = tasks(&wanted, arguments.replicates);
    open.retain(|task| !done.contains(&(task.cell.to_string(), task.replicate)));
    screen::print(estimate(&open, &settings));

    let numbers: BTreeMap<String, String> =
        wanted.iter().map(|cell| (cell.to_string(), log::numbers(cell, &settings))).collect();
    let bar = progress::bar(open.len() as u64, "runs");
    let worker = Worker { log: &log, settings: &settings, numbers: &numbers, stop, failed: Mutex::default() };
    let measured = parallel::map_in_order(&pool, open.len() as u64, |index| {
        let unit = worker.measure(open.get(usize::try_from(index).ok()?)?);
        bar.inc(u64::from(unit.is_some()));
        unit
    });
    bar.finish_and_clear();

    let units: Vec<Unit> = earlier.into_iter().chain(measured.into_iter().flatten()).collect();
    let missing = open.len() + done.len() - units.len();
    let mut code = conclude(log.place(), &settings, &all, &units);
    for failure in worker.failed.into_inner().unwrap_or_default() {
        screen::error(failure);
        code = FAILURE;
    }
    if missing > 0 {
        screen::print(format!("{missing} runs are missing: --resume goes on\n"));
        code = if code == FAILURE { FAILURE } else { INTERRUPTED };
    }
    Ok(code)
}

/// A replicate of a cell.
#[derive(Clone, Copy, Debug)]
struct Task {
    cell: Cell,
    replicate: u64,
}

/// The cells whose names begin as one of `wanted`, or all.
fn selected(wanted: &[String]) -> Result<Vec<Cell>, Refusal> {
    let cells = setting::cells();
    let begins = |cell: &Cell, name: &str| cell.to_string().starts_with(name);
    for name in wanted {
        if !cells.iter().any(|cell| begins(cell, name)) {
            let names: Vec<String> = cells.iter().map(Cell::to_string).collect();
            let message = format!("no cell begins with {name:?}; accepted: beginnings of {}", listed(&names));
            return Err(Refusal::of_file("--cells", message));
        }
    }
    Ok(cells.into_iter().filter(|cell| wanted.is_empty() || wanted.iter().any(|name| begins(cell, name))).collect())
}

/// Replicate after replicate, the more important cells some replicates ahead.
fn tasks(cells: &[Cell], replicates: u64) -> Vec<Task> {
    let mut tasks: Vec<Task> =
        (0..replicates).flat_map(|replicate| cells.iter().map(move |&cell| Task { cell, replicate })).collect();
    // stable: cells in their order
    tasks.sort_by_key(|task| (task.replicate + task.cell.delay(), task.cell.delay()));
    tasks
}

/// What the threads share.
struct Worker<'a> {
    log: &'a Log,
    settings: &'a Settings,
    numbers: &'a BTreeMap<String, String>,
    stop: &'a AtomicBool,
    /// What went wrong.
    failed: Mutex<Vec<String>>,
}

impl Worker<'_> {
    /// A measurement, once it is in the log; none if it was interrupted or anything went wrong.
    fn measure(&self, task: &Task) -> Option<Unit> {
        if self.stop.load(Ordering::Relaxed) || self.log.is_broken() {
            return None;
        }
        let failed = |message: String| {
            if let Ok(mut failed) = self.failed.lock() {
                failed.push(message);
            }
        };
        let Task { cell, replicate } = *task;
        let began = Instant::now();
        let steps = log::steps(&cell, self.settings);
        let measure = || train::measure(&cell, self.settings.seed, replicate, steps, self.stop);
        // one bad cell must not cost the others hours
        let Ok(branches) = catch_unwind(AssertUnwindSafe(measure)) else {
            failed(format!("{cell}, replicate {replicate}: panicked"));
            return None;
        };
        let unit = Unit {
            cell: cell.to_string(),
            replicate,
            numbers: self.numbers.get(&cell.to_string())?.clone(),
            commit: Build::this().commit.into_owned(),
            seconds: began.elapsed().as_secs_f64(),
            branches: branches.ok()?,
        };
        if let Err(error) = self.log.append(&unit) {
            failed(format!("the log: {error}"));
            return None;
        }
        Some(unit)
    }
}

/// What the open tasks take, one thread as busy as now.
fn estimate(open: &[Task], settings: &Settings) -> String {
    let mut sizes: BTreeMap<(usize, &str), (f64, f64)> = BTreeMap::new();
    let mut of_cell: BTreeMap<(usize, &str, bool), f64> = BTreeMap::new();
    for Task { cell, .. } in open {
        let flow = *cell == cell.baseline();
        let seconds = of_cell
            .entry((cell.particles, cell.scaling.name(), flow))
            .or_insert_with(|| train::estimate(cell, settings.seed, log::steps(cell, settings)));
        let (count, total) = sizes.entry((cell.particles, cell.scaling.name())).or_default();
        *count += 1.0;
        *total += *seconds;
    }
    let mut text = format!("{} runs are to be measured, on one thread of the machine as it is now:\n", open.len());
    for ((n, scaling), (count, total)) in &sizes {
        text += &format!("  n = {n}, {scaling}: {count} runs of {:.1} s, {:.2} h\n", total / count, total / 3600.0);
    }
    let total: f64 = sizes.values().map(|(_, total)| total).sum();
    text + &format!("  all: {:.2} h\n", total / 3600.0)
}

/// Writes and prints the tables.
fn conclude(place: &Path, settings: &Settings, cells: &[Cell], units: &[Unit]) -> u8 {
    let groups = summary::groups(cells, units);
    let text = table::text(&groups);
    let written = [
        journal::replace(&place.join("results.csv"), |out| summary::results(out, &groups, settings)),
        journal::replace(&place.join("curves.csv"), |out| summary::curves(out, &groups)),
        journal::replace(&place.join("summary.csv"), |out| summary::summary(out, &groups)),
        journal::replace(&place.join("tables.md"), |out| writeln!(out, "{text}")),
    ];
    let mut code = SUCCESS;
    for error in written.into_iter().filter_map(Result::err) {
        screen::error(format_args!("the tables: {error}"));
        code = FAILURE;
    }
    let mut out = Screen;
    let _ = writeln!(out, "{text}");
    let _ = writeln!(out, "{} runs in {}", units.len(), place.display());
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notebook_s_cells_are_measured_first_and_all_in_the_end() {
        let cells = setting::cells();
        let tasks = tasks(&cells, 20);
        assert_eq!(tasks.len(), 20 * cells.len());
        let first = |n: usize| {
            let notebook = |task: &Task| task.cell.to_string().starts_with(&format!("n{n}-notebook"));
            tasks.iter().position(notebook).expect("one")
        };
        assert!(tasks[..15].iter().all(|task| task.cell.to_string().starts_with("n50-notebook")));
        assert!(first(50) < first(200) && first(200) < first(1000));
        let ahead = tasks[..first(1000)].iter().filter(|task| task.cell == cells[0]).count();
        assert_eq!(ahead, 7, "replicates 0 to 6 of the notebook's before the first of the largest");
        // replicate after replicate, each with its gradient flow first
        for cell in &cells {
            let of_cell: Vec<u64> = tasks.iter().filter(|task| task.cell == *cell).map(|task| task.replicate).collect();
            assert_eq!(of_cell, (0..20).collect::<Vec<_>>());
        }
    }

    #[test]
    fn cells_are_chosen_by_the_beginnings_of_their_names() {
        let chosen = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            selected(&names).map(|cells| cells.iter().map(Cell::to_string).collect::<Vec<_>>())
        };
        assert_eq!(chosen(&[]).expect("all").len(), 68);
        assert_eq!(chosen(&["n200-notebook-g", "n1000-notebook-birth-death-2"]).expect("some").len(), 3);
        let message = chosen(&["n50-notebok"]).expect_err("refused").to_string();
        assert!(message.contains("--cells") && message.contains("n50-notebook-gradient-flow"), "{message}");
    }
}
