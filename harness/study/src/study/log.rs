//! The folder of a study: its manifest, and one line of `runs.jsonl` a measurement.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::setting::Cell;
use super::train::{self, Branch};
use birth_death_output::folder::{Folder, RUNS};
use birth_death_output::journal::{self, Journal};
use birth_death_output::manifest::Build;
use birth_death_terminal::refusal::Refusal;

const COMMAND: &str = "student-teacher";
/// What a folder is of.
const WHOSE: &str = "a study";

/// What all measurements of a folder have in common; its `manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// What began the folder; later sessions may be other builds, if their numbers are the same (see
    /// [`Unit::numbers`]).
    #[serde(flatten)]
    pub build: Build,
    /// Always "student-teacher".
    pub command: String,
    /// The seed of all streams.
    pub seed: u64,
    /// Steps of every run, if not the cells' own.
    pub steps: Option<u64>,
}

impl Settings {
    /// Those of this binary.
    pub fn of(seed: u64, steps: Option<u64>) -> Self {
        Self { build: Build::this(), command: COMMAND.into(), seed, steps }
    }

    /// The first thing in which `earlier` differs.
    fn difference(&self, earlier: &Self) -> Option<String> {
        if earlier.command != self.command {
            return Some(format!("written by the command {}, now {}", earlier.command, self.command));
        }
        if earlier.seed != self.seed {
            return Some(format!("seed {}, now {}", earlier.seed, self.seed));
        }
        let name = |steps: Option<u64>| steps.map_or("of the cells".to_owned(), |steps| steps.to_string());
        (earlier.steps != self.steps).then(|| format!("steps {}, now {}", name(earlier.steps), name(self.steps)))
    }
}

/// One measurement: a replicate of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// The cell's name.
    pub cell: String,
    /// The replicate.
    pub replicate: u64,
    /// A hash of what the cell's first steps are: another build may go on if it is the same.
    pub numbers: String,
    /// The commit of the build.
    pub commit: String,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// The run, and for all but gradient flow the quenched one.
    pub branches: Vec<Branch>,
}

/// An open folder.
#[derive(Debug)]
pub struct Log {
    journal: Journal,
    place: PathBuf,
}

/// The numbers of the cells that a session needs.
pub type Numbers = BTreeMap<String, String>;

impl Log {
    /// Begins a new folder, or goes on in one; gives what was measured before.
    ///
    /// # Errors
    /// A refusal of a folder that is not empty, or with `resume` of one that is no study or one of other settings; of a
    /// line that is no measurement of a cell, has other numbers than this build, or repeats another.
    pub fn open(out: &Path, settings: &Settings, resume: bool, cells: &[Cell]) -> Result<(Self, Vec<Unit>), Refusal> {
        let place = if resume { out.to_owned() } else { Folder::begin(out, settings)? };
        check_manifest(&place, settings)?;
        let (journal, units) = Journal::resume(&place.join(RUNS), check(settings, cells))?;
        Ok((Self { journal, place }, units))
    }

    /// One more measurement, on the disk when this returns.
    ///
    /// # Errors
    /// Those of the system; nothing is written after a line that may be incomplete.
    pub fn append(&self, unit: &Unit) -> io::Result<()> {
        self.journal.append(unit)
    }

    /// Whether lines can no longer be written.
    pub fn is_broken(&self) -> bool {
        self.journal.is_broken()
    }

    /// The folder.
    pub fn place(&self) -> &Path {
        &self.place
    }
}

/// Settings and measurements of a folder, which another process may be writing to.
///
/// # Errors
/// As of [`Log::open`].
pub fn read(place: &Path, cells: &[Cell]) -> Result<(Settings, Vec<Unit>), Refusal> {
    let settings = journal::settings(place, WHOSE)?;
    // a table may be made by any build
    let units = journal::read(&place.join(RUNS), listed(cells))?;
    Ok((settings, units))
}

fn check_manifest(place: &Path, settings: &Settings) -> Result<(), Refusal> {
    match settings.difference(&journal::settings(place, WHOSE)?) {
        None => Ok(()),
        Some(difference) => Err(Refusal::of_file(
            format!("--out {}", place.display()),
            format!("{difference}; accepted: the same, or another folder"),
        )),
    }
}

/// Refuses what is no measurement of a cell, and repetitions.
fn listed(cells: &[Cell]) -> impl FnMut(&Unit) -> Result<(), String> {
    let names: BTreeSet<String> = cells.iter().map(Cell::to_string).collect();
    let mut seen = BTreeSet::new();
    move |unit| {
        if !names.contains(&unit.cell) {
            return Err(format!("names the cell {:?}, which does not exist", unit.cell));
        }
        if seen.insert((unit.cell.clone(), unit.replicate)) { Ok(()) } else { Err("repeats an earlier line".into()) }
    }
}

/// Refuses also what has other numbers.
fn check(settings: &Settings, cells: &[Cell]) -> impl FnMut(&Unit) -> Result<(), String> {
    let mut listed = listed(cells);
    let (settings, cells) = (settings.clone(), cells.to_vec());
    let mut known = Numbers::new();
    move |unit| {
        listed(unit)?;
        if !known.contains_key(&unit.cell) {
            let found = cells.iter().find(|cell| cell.to_string() == unit.cell);
            let numbers = found.map_or_else(String::new, |cell| numbers(cell, &settings));
            known.insert(unit.cell.clone(), numbers);
        }
        if known.get(&unit.cell) == Some(&unit.numbers) {
            Ok(())
        } else {
            Err("was measured by a build with other numbers; accepted: one whose first steps are the same".into())
        }
    }
}

/// The name of a cell's numbers: 16 hexadecimal digits of the hash of its first steps.
pub fn numbers(cell: &Cell, settings: &Settings) -> String {
    train::fingerprint(cell, settings.seed, steps(cell, settings))
}

/// The steps of a cell's runs.
pub fn steps(cell: &Cell, settings: &Settings) -> u64 {
    settings.steps.unwrap_or_else(|| cell.steps())
}

#[cfg(test)]
mod tests {
    use super::super::setting::cells;
    use super::*;
    use std::fs;

    fn unit(settings: &Settings, cell: &Cell, replicate: u64) -> Unit {
        Unit {
            cell: cell.to_string(),
            replicate,
            numbers: numbers(cell, settings),
            commit: "0".repeat(40),
            seconds: 0.5,
            branches: Vec::new(),
        }
    }

    /// A folder with two measurements, closed as by a kill.
    fn begun() -> (tempfile::TempDir, PathBuf, Settings, Vec<Cell>) {
        let top = tempfile::tempdir().expect("a folder");
        let place = top.path().join("study");
        let (settings, cells) = (Settings::of(1001, Some(20)), cells());
        let (log, none) = Log::open(&place, &settings, false, &cells).expect("begun");
        assert!(none.is_empty());
        log.append(&unit(&settings, &cells[0], 0)).expect("written");
        log.append(&unit(&settings, &cells[1], 0)).expect("written");
        (top, place, settings, cells)
    }

    #[test]
    fn a_folder_is_gone_on_with_by_any_build_of_the_same_numbers() {
        let (_top, place, settings, cells) = begun();
        let other = Settings { build: Build { commit: "0000".into(), ..settings.build.clone() }, ..settings.clone() };
        let (log, units) = Log::open(&place, &other, true, &cells).expect("resumed");
        assert_eq!(units, [unit(&settings, &cells[0], 0), unit(&settings, &cells[1], 0)]);
        assert!(Log::open(&place, &other, true, &cells).is_err(), "one writer");
        assert_eq!(read(&place, &cells).expect("read meanwhile").1, units);
        drop(log);
        assert!(Log::open(&place, &settings, false, &cells).is_err(), "not replaced");
    }

    #[test]
    fn other_settings_numbers_and_repetitions_are_refused() {
        let (_top, place, settings, cells) = begun();
        let refused = |settings: &Settings| {
            Log::open(&place, settings, true, &cells).map(|_| ()).expect_err("refused").to_string()
        };
        assert!(refused(&Settings { seed: 1002, ..settings.clone() }).contains("seed 1001, now 1002"));
        assert!(refused(&Settings { steps: None, ..settings.clone() }).contains("steps 20, now of the cells"));
        let whole = fs::read_to_string(place.join(RUNS)).expect("read");
        let first = serde_json::to_string(&unit(&settings, &cells[0], 0)).expect("text");
        for (line, says) in [
            (first.replace("0.5", "0.75"), "repeats"),
            (
                first.replace("\"replicate\":0", "\"replicate\":1").replace(&numbers(&cells[0], &settings), "0123"),
                "other numbers",
            ),
            (first.replace("n50-notebook", "n51-notebook"), "does not exist"),
            (first.replace("{", "{\"more\":1,"), "no measurement"),
        ] {
            let sealed = journal::seal(line.as_bytes()).expect("an object");
            fs::write(place.join(RUNS), [whole.as_bytes(), &sealed, b"\n"].concat()).expect("written");
            let message = refused(&settings);
            assert!(message.contains(":3:") && message.contains(says), "{message}");
        }
    }

    #[test]
    fn a_line_that_stands_there_twice_is_one_and_a_changed_one_is_refused_by_number() {
        let (_top, place, settings, cells) = begun();
        let whole = fs::read_to_string(place.join(RUNS)).expect("read");
        fs::write(place.join(RUNS), whole.repeat(2)).expect("written");
        assert_eq!(read(&place, &cells).expect("read").1.len(), 2);
        assert_eq!(Log::open(&place, &settings, true, &cells).expect("resumed").1.len(), 2);
        let second = whole.split_once('\n').expect("two lines").1;
        fs::write(place.join(RUNS), whole.replace(second, &second.replace("0.5", "0.25"))).expect("written");
        let message = read(&place, &cells).expect_err("refused").to_string();
        assert!(message.contains(":2: was changed since it was written"), "{message}");
    }

    /// The record of the repository is whole, and its tables are what it comes to.
    #[test]
    fn the_committed_tables_are_those_of_the_committed_record() {
        use super::super::summary;
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/student-teacher");
        let all = cells();
        let (settings, units) = read(&place, &all).expect("the record");
        let groups = summary::groups(&all, &units);
        let same = |name: &str, write: &dyn Fn(&mut dyn io::Write) -> io::Result<()>| {
            let mut text = Vec::new();
            write(&mut text).expect("written");
            assert!(fs::read(place.join(name)).expect("read") == text, "{name}");
        };
        same("results.csv", &|out| summary::results(out, &groups, &settings));
        same("summary.csv", &|out| summary::summary(out, &groups));
        same("tables.md", &|out| writeln!(out, "{}", super::super::table::text(&groups)));
    }

    #[test]
    fn the_numbers_are_those_of_cell_seed_and_steps() {
        // a small alpha has no event in so few steps
        let strong: Vec<Cell> = cells().into_iter().filter(|cell| cell.alpha >= 1.0 && cell.particles == 50).collect();
        let [one, two] = [&strong[0], &strong[1]];
        let name = |cell: &Cell, seed, steps| numbers(cell, &Settings::of(seed, steps));
        let first = name(one, 1001, None);
        assert_eq!(first.len(), 16);
        assert_eq!(first, name(one, 1001, None));
        for other in [name(two, 1001, None), name(one, 1002, None), name(one, 1001, Some(20))] {
            assert_ne!(first, other);
        }
    }
}
