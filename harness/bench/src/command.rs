//! The command: measures, prints the tables and the goals, and writes `bench.json`.

use std::sync::atomic::AtomicBool;

use birth_death::dispatch::Path;

use super::goals::Judged;
use super::machine::{Machine, available};
use super::record::{Record, Sums};
use super::timing::{Job, rounds};
use super::{pairs, step, sums, table};
use crate::arguments::{BenchArgs, BenchPart};
use birth_death_output::folder::{Folder, Placed};
use birth_death_terminal::exit::{FAILURE, INTERRUPTED, SUCCESS};
use birth_death_terminal::progress;
use birth_death_terminal::refusal::Refusal;
use birth_death_terminal::screen::{self, print};

/// The file of the result.
const FILE: &str = "bench.json";
/// Turns of each job.
const ROUNDS: u32 = 6;
/// With `--quick`.
const FEW_ROUNDS: u32 = 2;

/// Measures as the arguments say; the result is the exit code.
///
/// # Errors
/// Bad input.
pub fn main(arguments: &BenchArgs) -> Result<u8, Refusal> {
    let stop = progress::interruption();
    let folder = Folder::claim(&arguments.out, &[])?;
    let count = if arguments.quick { FEW_ROUNDS } else { ROUNDS };
    let mut record = Record::begin(count);
    print(describe(&record.machine));
    let mut complete = true;
    for part in BenchPart::ALL.into_iter().filter(|part| arguments.only.is_empty() || arguments.only.contains(part)) {
        complete = complete
            && match part {
                BenchPart::Pairs => of_pairs(&mut record, arguments.quick, stop),
                BenchPart::Step => of_steps(&mut record, stop),
                BenchPart::Sums => of_sums(&mut record, arguments.quick, stop),
            };
    }
    if !complete {
        screen::error("interrupted; nothing is written, and no goal judged");
        return Ok(INTERRUPTED);
    }
    for goal in &record.goals {
        print(goal.line());
    }
    match write(folder, &record) {
        Ok(placed) => {
            print(format!("{FILE} in {placed}\n"));
            Ok(SUCCESS)
        }
        Err(message) => {
            screen::error(message);
            Ok(FAILURE)
        }
    }
}

fn describe(machine: &Machine) -> String {
    let Machine { processor, cores, paths } = machine;
    format!("{processor}; {cores} cores, one used; {}\n\n", paths.join(", "))
}

/// Times the jobs of a part.
fn time(jobs: &mut [Job<'_>], count: u32, unit: &'static str, stop: &AtomicBool) -> bool {
    let bar = progress::bar(u64::from(count) * jobs.len() as u64, unit);
    let complete = rounds(jobs, count, stop, &bar);
    bar.finish_and_clear();
    complete
}

fn of_pairs(record: &mut Record, quick: bool, stop: &AtomicBool) -> bool {
    let (rows, sizes) = (pairs::rows(), if quick { &pairs::FEW[..] } else { &pairs::SIZES });
    let mut jobs = pairs::jobs(&rows, sizes);
    let complete = time(&mut jobs, record.rounds, "turns, pairs", stop);
    let timed = pairs::timed(&rows, sizes, &jobs);
    print(format!("{}\n", table::pairs(&timed, sizes)));
    record.pairs = timed.iter().map(Into::into).collect();
    complete
}

/// The goal is judged on the widest path, which is the one taken: there the evaluation is the shortest. A step that is
/// faster than its own evaluation was measured wrongly, and decides nothing.
fn of_steps(record: &mut Record, stop: &AtomicBool) -> bool {
    let cases = step::cases();
    let mut jobs = step::jobs(&cases);
    let complete = time(&mut jobs, step::TIMES_THE_ROUNDS * record.rounds, "turns, step", stop);
    let timed = step::timed(&cases, &jobs);
    print(format!("{}\n", table::steps(&timed)));
    record.step = timed.iter().map(Into::into).collect();
    let widest = available().last();
    for timed in timed.iter().filter(|timed| Some(timed.case.path) == widest && timed.ratio().is_finite()) {
        let case = format!("{}, {}", timed.case.precision, timed.case.path.name());
        let ratio = timed.ratio();
        record.goals.extend(Judged::new("step", &case, if ratio >= 1.0 { ratio } else { f64::NAN }));
    }
    complete
}

fn of_sums(record: &mut Record, quick: bool, stop: &AtomicBool) -> bool {
    let (many, places) = (if quick { sums::FEWER } else { sums::MANY }, sums::places(quick));
    let mut jobs = sums::jobs(many, &places);
    let complete = time(&mut jobs, record.rounds, "turns, sums", stop);
    let (best, compared) = sums::timed(&places, &jobs);
    print(format!("{}\n", table::sums(&compared)));
    if best.known() && many == sums::MANY {
        let path = available().last().map_or("", Path::name);
        record.goals.extend(Judged::new("sums", path, best.least));
    }
    record.sums = Some(Sums::new(many, &best, &compared));
    complete
}

/// The whole record: nothing is written of a part.
fn write(folder: Folder, record: &Record) -> Result<Placed, String> {
    let manifest = serde_json::json!({
        "program": record.build.program, "version": record.build.version, "commit": record.build.commit,
        "command": record.command,
        "files": [FILE],
    });
    folder.finish(true, &manifest, |draft| draft.json(FILE, record))
}
