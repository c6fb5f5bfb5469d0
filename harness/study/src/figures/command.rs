//! `birth-death figures`: draws the pictures and writes them into a folder, with the numbers that are drawn.

use std::time::Instant;

use indicatif::ProgressBar;
use serde::Serialize;

use super::{Context, Halt, Picture, REGISTRY};
use crate::arguments::FiguresArgs;
use birth_death_charts::draw::Failed;
use birth_death_output::folder::{Folder, Placed};
use birth_death_output::manifest::Origin;
use birth_death_terminal::exit::{FAILURE, INTERRUPTED, SUCCESS};
use birth_death_terminal::refusal::{Refusal, known};
use birth_death_terminal::screen;
use birth_death_terminal::{parallel, progress};

/// Draws what the arguments ask for; the result is the exit code.
///
/// # Errors
/// Bad input.
pub fn main(arguments: &FiguresArgs) -> Result<u8, Refusal> {
    let began = Instant::now();
    let pictures = selected(&arguments.only)?;
    // First of all: threads made later inherit what it blocks.
    let stop = progress::interruption();
    let folder = Folder::claim(&arguments.out, &[])?;
    let pool = parallel::pool(arguments.threads);
    let bar = progress::parts();
    let context = Context::new(arguments.seed, arguments.replicates, &pool, stop, &bar);
    let outcome = draw(&pictures, &context, &bar);
    bar.finish_and_clear();
    Ok(conclude(folder, arguments, &outcome, began.elapsed().as_secs_f64()))
}

/// The pictures asked for, in the order of the registry; all if none is.
fn selected(names: &[String]) -> Result<Vec<&'static Picture>, Refusal> {
    let all: Vec<&str> = REGISTRY.iter().map(|picture| picture.name).collect();
    known("--only", "picture", names, &all)?;
    let wanted = |picture: &Picture| names.is_empty() || names.iter().any(|name| name == picture.name);
    Ok(REGISTRY.into_iter().filter(|picture| wanted(picture)).collect())
}

/// A picture as files.
#[derive(Debug)]
struct Finished {
    picture: &'static Picture,
    /// Name and content of each.
    files: Vec<(String, Vec<u8>)>,
}

fn finish(picture: &'static Picture, context: &Context) -> Result<Finished, Halt> {
    let drawn = (picture.draw)(context)?;
    let failed = |error: Failed| Halt::Failed(format!("{} cannot be drawn: {error}", picture.name));
    let svg = drawn.sheet.svg().map_err(failed)?;
    let file = |ending: &str, content| (format!("{}.{ending}", picture.name), content);
    let files = vec![file("svg", svg.into_bytes()), file("csv", drawn.csv.into_bytes())];
    Ok(Finished { picture, files })
}

/// What was drawn before the end, or before something stopped it.
#[derive(Debug)]
struct Outcome {
    finished: Vec<Finished>,
    total: usize,
    halt: Option<Halt>,
}

/// One after another: all that is shared out between threads are the runs of each.
fn draw(pictures: &[&'static Picture], context: &Context, bar: &ProgressBar) -> Outcome {
    let mut outcome = Outcome { finished: Vec::new(), total: pictures.len(), halt: None };
    for (picture, index) in pictures.iter().zip(1..) {
        bar.set_position(0);
        bar.set_length(0);
        bar.set_prefix(format!("picture {index} of {}, {}", outcome.total, picture.name));
        match finish(picture, context) {
            Ok(finished) => outcome.finished.push(finished),
            Err(halt) => {
                outcome.halt = Some(halt);
                break;
            }
        }
    }
    outcome
}

/// Keeps the pictures that are complete and tells the user; the result is the exit code.
fn conclude(folder: Folder, arguments: &FiguresArgs, outcome: &Outcome, seconds: f64) -> u8 {
    let complete = outcome.finished.len();
    let kept = keep(folder, arguments, outcome);
    screen::print(kept.report(outcome, seconds));
    match (kept, &outcome.halt) {
        (Kept::Nowhere(message), _) => {
            screen::error(message);
            FAILURE
        }
        (_, Some(Halt::Interrupted)) => {
            screen::error(format_args!("interrupted; {complete} of {} pictures are complete", outcome.total));
            INTERRUPTED
        }
        (_, Some(Halt::Failed(message))) => {
            screen::error(message);
            FAILURE
        }
        (_, None) => SUCCESS,
    }
}

/// Where the pictures are.
enum Kept {
    Written(Placed),
    /// There is none: an earlier result is untouched.
    None(Folder),
    /// They cannot be written.
    Nowhere(String),
}

impl Kept {
    fn report(&self, outcome: &Outcome, seconds: f64) -> String {
        match self {
            Kept::Written(placed) => {
                let names: Vec<&str> = outcome.finished.iter().map(|done| done.picture.name).collect();
                format!("{}: svg, csv; with manifest.json in {placed}\n{seconds:.1} s\n", names.join(", "))
            }
            Kept::None(folder) => format!("no picture: nothing is written to {}\n", folder.place().display()),
            Kept::Nowhere(_) => String::new(),
        }
    }
}

/// Writes the pictures, if there are any.
fn keep(folder: Folder, arguments: &FiguresArgs, outcome: &Outcome) -> Kept {
    if outcome.finished.is_empty() {
        return Kept::None(folder);
    }
    save(folder, arguments, outcome).map_or_else(Kept::Nowhere, Kept::Written)
}

#[derive(Serialize)]
struct Manifest<'a> {
    #[serde(flatten)]
    origin: Origin,
    streams: &'static str,
    replicates: u64,
    pictures: Vec<Entry<'a>>,
    files: Vec<&'a str>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    setting: &'a str,
}

/// How the streams of a seed are shared out.
const STREAMS: &str = "(hash of the start's name << 48) | (part << 32) | replicate; part 0 draws the start, part 1 + d \
    runs dynamics d on";

fn save(folder: Folder, arguments: &FiguresArgs, outcome: &Outcome) -> Result<Placed, String> {
    let files = || outcome.finished.iter().flat_map(|done| &done.files);
    let manifest = Manifest {
        origin: Origin::new("figures", "f64", arguments.seed),
        streams: STREAMS,
        replicates: arguments.replicates,
        pictures: outcome
            .finished
            .iter()
            .map(|done| Entry { name: done.picture.name, setting: done.picture.setting })
            .collect(),
        files: files().map(|(name, _)| name.as_str()).collect(),
    };
    folder.finish(outcome.halt.is_none(), &manifest, |draft| {
        files().try_for_each(|(name, content)| draft.write(name, |out| out.write_all(content)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Drawn;
    use birth_death_charts::plot::{Axis, Mark, Point, Series};
    use birth_death_charts::sheet::{Curve, Panel, Sheet, line};
    use std::fs;
    use std::path::Path;
    use std::sync::atomic::AtomicBool;
    use tempfile::TempDir;

    fn small(_: &Context) -> Result<Drawn, Halt> {
        let series = Series { name: "a".into(), mark: Mark::Line, points: vec![Point::exact(0.0, 1.0)] };
        let curves = vec![Curve { series, look: line(birth_death_charts::RGBColor(0, 0, 0), 10), dash: &[] }];
        let axis = || Axis::linear("x");
        let panels = vec![Panel { caption: String::new(), x: axis(), y: axis(), height: 400, curves }];
        let sheet = Sheet { title: "small".into(), notes: Vec::new(), panels, same_height: false };
        Ok(Drawn { sheet, csv: "x,y\n".into() })
    }

    static SMALL: Picture = Picture { name: "small", setting: "", draw: small };
    static STOPS: Picture = Picture { name: "stops", setting: "", draw: |_| Err(Halt::Interrupted) };
    static FAILS: Picture = Picture { name: "fails", setting: "", draw: |_| Err(Halt::Failed("it".into())) };

    /// Draws them into `figures` in a folder, and gives the exit code.
    fn drawn(top: &Path, pictures: &[&'static Picture]) -> u8 {
        let out = top.join("figures");
        let arguments = FiguresArgs { out, only: Vec::new(), replicates: 50, seed: 1, threads: Some(1) };
        let folder = Folder::claim(&arguments.out, &[]).expect("claimed");
        let pool = parallel::pool(Some(1));
        let (stop, bar) = (AtomicBool::new(false), ProgressBar::hidden());
        let outcome = draw(pictures, &Context::new(1, 50, &pool, &stop, &bar), &bar);
        conclude(folder, &arguments, &outcome, 0.0)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder").filter_map(Result::ok);
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    const FILES: [&str; 3] = ["manifest.json", "small.csv", "small.svg"];

    #[test]
    fn what_was_complete_before_an_interruption_or_a_failure_is_kept() {
        for (second, expected) in [(&STOPS, INTERRUPTED), (&FAILS, FAILURE)] {
            let top = TempDir::new().expect("a folder");
            assert_eq!(drawn(top.path(), &[&SMALL, second, &SMALL]), expected);
            assert_eq!(names(&top.path().join("figures")), FILES);
            let manifest = fs::read_to_string(top.path().join("figures/manifest.json")).expect("read");
            assert!(manifest.contains("\"complete\": false"), "{manifest}");
        }
    }

    #[test]
    fn a_part_does_not_replace_a_whole() {
        let top = TempDir::new().expect("a folder");
        assert_eq!(drawn(top.path(), &[&STOPS]), INTERRUPTED);
        assert!(names(top.path()).is_empty(), "nothing complete, nothing written");
        assert_eq!(drawn(top.path(), &[&SMALL]), SUCCESS);
        assert_eq!(drawn(top.path(), &[&SMALL, &STOPS]), INTERRUPTED);
        assert_eq!(names(top.path()), ["figures", "figures-interrupted"]);
        let complete =
            |name: &str| fs::read_to_string(top.path().join(name)).expect("read").contains("\"complete\": true");
        assert!(complete("figures/manifest.json") && !complete("figures-interrupted/manifest.json"));
        // the earlier one is known by its manifest, although no picture of the registry is in it
        assert_eq!(drawn(top.path(), &[&SMALL]), SUCCESS);
    }

    #[test]
    fn pictures_are_selected_by_name_in_their_own_order() {
        let names = |of: &[&str]| {
            let of: Vec<String> = of.iter().map(|&name| name.to_owned()).collect();
            selected(&of).map(|found| found.iter().map(|picture| picture.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).expect("all").len(), REGISTRY.len());
        let two = ["gaussian-bad-clouds", "gaussian-full-energy"];
        assert_eq!(names(&two).expect("two"), [two[1], two[0]]);
        let message = names(&["gaussian-bad-cloud"]).expect_err("refused").to_string();
        assert!(message.contains("did you mean gaussian-bad-clouds?"), "{message}");
    }
}
