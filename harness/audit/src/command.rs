//! The command: runs, compares, prints the table and writes `audit.json`.

use std::path::PathBuf;

use birth_death::dispatch::{Path, force};
use comfy_table::{Table, presets};

use super::chain::{Agreement, Chains};
use super::record::{Audit, Outcome};
use super::targets::{Sources, TARGETS, elsewhere, here};
use crate::arguments::{AuditAction, AuditArgs};
use birth_death_output::folder::{AUDIT, Folder};
use birth_death_terminal::exit::{FAILURE, INTERRUPTED, SUCCESS};
use birth_death_terminal::progress;
use birth_death_terminal::refusal::{Refusal, nearest};
use birth_death_terminal::screen::{self, print};

/// What to do about a difference that is meant.
pub const REMINT: &str = "a change of bits that is meant: birth-death audit golden > harness/audit/golden.txt, in a \
    commit of its own, with a section value-breaking in the changelog";

/// Audits as the arguments say; the result is the exit code.
///
/// # Errors
/// Bad input.
pub fn main(arguments: &AuditArgs) -> Result<u8, Refusal> {
    match &arguments.action {
        None => audit(arguments),
        Some(AuditAction::Diff { a, b }) => Audit::read(a).and_then(|a| Ok(differences(&a, &Audit::read(b)?))),
        Some(AuditAction::Verify { file }) => Audit::read(file).map(|stored| replay(&stored)),
        Some(AuditAction::Golden) => {
            let text = here();
            let lines: String =
                text.lines().filter(|line| line.contains('/')).map(|line| format!("{line}\n")).collect();
            print(&lines);
            Ok(if text.ends_with("end\n") { SUCCESS } else { FAILURE })
        }
    }
}

/// The targets asked for, each once; all for "all".
fn wanted(names: &[String]) -> Result<Vec<&'static str>, Refusal> {
    let mut wanted = Vec::new();
    for name in names {
        if name == "all" {
            wanted.extend(TARGETS);
            continue;
        }
        let Some(target) = TARGETS.into_iter().find(|target| target == name) else {
            let hint = nearest(name, &TARGETS).map_or(String::new(), |target| format!(" (did you mean {target}?)"));
            return Err(Refusal::of_file(
                "--target",
                format!("{name:?} is no target{hint}; accepted: all, {}", TARGETS.join(", ")),
            ));
        };
        wanted.push(target);
    }
    let mut seen = Vec::new();
    wanted.retain(|target| {
        !seen.contains(target) && {
            seen.push(target);
            true
        }
    });
    Ok(wanted)
}

/// Where images come from.
fn sources(arguments: &AuditArgs) -> Result<Sources, Refusal> {
    let here = std::env::current_dir()
        .map_err(|error| Refusal::of_file("--target", format!("the working folder is not known ({error})")))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    Sources::find(arguments.sources.as_deref(), &here, target.as_deref())
}

fn audit(arguments: &AuditArgs) -> Result<u8, Refusal> {
    let required = wanted(&arguments.required)?;
    let mut others = wanted(&arguments.targets)?;
    for target in &required {
        if !others.contains(target) {
            others.push(*target);
        }
    }
    let sources = if others.is_empty() && arguments.sources.is_none() { None } else { Some(sources(arguments)?) };
    let stop = progress::interruption();
    let folder = Folder::claim(&arguments.out, &[])?;
    let mut audit = Audit::begin();
    let target = audit.build.target.to_string();
    for path in Path::ALL.into_iter().filter(|path| force(Some(*path))) {
        let profile = format!("opt-level {}, {}", audit.opt_level, path.name());
        audit.outcomes.push(Outcome::of(&target, &profile, "in this process".to_owned(), &here()));
    }
    force(None);
    let in_process = audit.outcomes.len();
    let all = in_process + others.len();
    let bar = progress::bar(others.len() as u64, "targets");
    for target in others {
        if stop.load(std::sync::atomic::Ordering::SeqCst) {
            break;
        }
        bar.println(format!("{target}: building and running"));
        let Some(sources) = &sources else { break };
        let Some(outcome) = elsewhere(sources, target, arguments.profile.name()) else { break };
        // Ctrl-C in a terminal reaches the script too: what it then did not run was not found missing
        if stop.load(std::sync::atomic::Ordering::SeqCst) && !outcome.ran() {
            break;
        }
        audit.outcomes.push(outcome);
        bar.inc(1);
    }
    bar.finish_and_clear();
    print(table(&audit));
    for outcome in &audit.outcomes {
        print(details(outcome));
    }
    let manifest = serde_json::json!({
        "program": audit.build.program, "version": audit.build.version, "commit": audit.build.commit,
        "command": audit.command,
    });
    let interrupted = audit.outcomes.len() < all;
    match folder.finish(!interrupted, &manifest, |draft| draft.json(AUDIT, &audit)) {
        Ok(placed) => print(format!("{AUDIT} in {placed}\n")),
        Err(message) => {
            screen::error(message);
            return Ok(FAILURE);
        }
    }
    // the first are this process, which is no image of the target that it has the name of
    let images = audit.outcomes.get(in_process..).unwrap_or_default();
    let missing = required.iter().any(|target| !images.iter().any(|image| image.target == *target && image.ran()));
    let differs = audit.outcomes.iter().any(|outcome| outcome.ran() && !outcome.agrees());
    Ok(if differs {
        FAILURE
    } else if interrupted {
        INTERRUPTED
    } else if missing {
        FAILURE
    } else {
        SUCCESS
    })
}

/// One row a target.
fn table(audit: &Audit) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["target", "build", "f32", "f64", "checkpoints", "verdict"]);
    for outcome in &audit.outcomes {
        let equal = |precision: &str| {
            let of = outcome.agreement.iter().filter(|(run, _)| run.ends_with(precision));
            let (all, good) = of.fold((0, 0), |(all, good), (_, agreement)| {
                (all + 1, good + usize::from(matches!(agreement, Agreement::Equal { .. })))
            });
            if all == 0 { "-".to_owned() } else { format!("{good} of {all}") }
        };
        let checkpoints = outcome.chains.0.values().map(Vec::len).min().unwrap_or(0);
        let verdict = if !outcome.ran() {
            "not run"
        } else if outcome.agrees() {
            "equal"
        } else {
            "DIFFERS"
        };
        table.add_row([
            outcome.target.clone(),
            outcome.profile.clone(),
            equal("f32"),
            equal("f64"),
            checkpoints.to_string(),
            verdict.to_owned(),
        ]);
    }
    format!("{table}\n")
}

/// What is to be said of a target that is not simply equal.
fn details(outcome: &Outcome) -> String {
    let mut text = String::new();
    if let Some(why) = &outcome.failure {
        text += &format!("{}: {why}\n", outcome.target);
    }
    if outcome.ieee == Some(false) {
        text +=
            &format!("{}: its arithmetic does not round to nearest, or flushes subnormals to zero\n", outcome.target);
    }
    for (run, agreement) in &outcome.agreement {
        match agreement {
            Agreement::Differs { step, expected, found } => {
                text += &format!("{}: {run} differs first at step {step}: {found}, not {expected}\n", outcome.target);
            }
            Agreement::Missing if outcome.ran() => text += &format!("{}: {run} is missing\n", outcome.target),
            _ => {}
        }
    }
    if text.contains("differs first") {
        text += &format!("{REMINT}\n");
    }
    text
}

/// What differs between two audits.
fn differences(a: &Audit, b: &Audit) -> u8 {
    let mut text = String::new();
    for (what, a, b) in [
        ("commit", &a.build.commit, &b.build.commit),
        ("target", &a.build.target, &b.build.target),
        ("compiler", &a.rustc, &b.rustc),
        ("optimisation level", &a.opt_level, &b.opt_level),
        ("compiler flags", &a.rustflags, &b.rustflags),
    ] {
        if a != b {
            text += &format!("{what}: {} | {}\n", a.replace('\n', "; "), b.replace('\n', "; "));
        }
    }
    if a.lock != b.lock {
        text += &format!("lock file: {} | {}\n", a.lock, b.lock);
    }
    let mut different = 0;
    let mut compared = 0;
    for of_a in a.outcomes.iter().filter(|outcome| outcome.ran()) {
        // the same target, or what ran in the process of the other
        let of_b =
            b.outcomes.iter().find(|outcome| outcome.target == of_a.target && outcome.ran()).or(b.outcomes.first());
        let Some(of_b) = of_b else { continue };
        for run in of_a.chains.0.keys() {
            match of_a.chains.compare(run, &of_b.chains) {
                Agreement::Equal { .. } => compared += 1,
                Agreement::Missing => text += &format!("{}: {run} is not in both\n", of_a.target),
                Agreement::Differs { step, expected, found } => {
                    different += 1;
                    text += &format!(
                        "{} | {}: {run} differs first at step {step}: {expected} | {found}\n",
                        of_a.target, of_b.target
                    );
                }
            }
        }
    }
    text += &format!("{compared} runs equal, {different} different\n");
    print(&text);
    if different > 0 || compared == 0 { FAILURE } else { SUCCESS }
}

/// Does the stored audit's runs again, here.
fn replay(stored: &Audit) -> u8 {
    let lines = here();
    let runs: String = lines.lines().filter(|line| line.contains('/')).map(|line| format!("{line}\n")).collect();
    let Ok(today) = Chains::parse(&runs) else { return FAILURE };
    let mut equal = 0;
    let mut text = String::new();
    for outcome in stored.outcomes.iter().filter(|outcome| outcome.ran()) {
        for run in outcome.chains.0.keys() {
            match today.compare(run, &outcome.chains) {
                Agreement::Equal { .. } => equal += 1,
                Agreement::Missing => text += &format!("{}: {run} is not known here\n", outcome.target),
                Agreement::Differs { step, expected, found } => {
                    text += &format!("{}: {run} at step {step}: {found} stored, {expected} here\n", outcome.target);
                }
            }
        }
    }
    let good = text.is_empty() && equal > 0;
    text += &format!("{equal} stored chains come out again{}\n", if good { "" } else { ", others do not" });
    print(&text);
    if good { SUCCESS } else { FAILURE }
}
