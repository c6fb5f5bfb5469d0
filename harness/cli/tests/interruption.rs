//! Ctrl-C, SIGTERM and SIGHUP stop a command cleanly and keep what is complete; a failure, a kill or another process
//! with the same folder costs no earlier result.
#![cfg(unix)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use birth_death_terminal::progress::STOPPING;
use common::{DIVERGING, Place, units, wait_for_the_handler};

fn begin(place: &Place, text: &str) -> Child {
    place.put("a.toml", text);
    // even if the tests run under nohup, the program does not
    Command::new("env")
        .args(["--default-signal=HUP", env!("CARGO_BIN_EXE_birth-death"), "run", "a.toml", "--threads", "2"])
        .current_dir(place.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs")
}

fn send(signal: &str, child: &Child) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill runs");
    assert!(status.success());
}

/// Sends the signal once the program has set itself up, and gives what it said.
fn interrupted(place: &Place, text: &str, signal: &str) -> String {
    let child = begin(place, text);
    wait_for_the_handler(&child);
    sleep(Duration::from_millis(300));
    send(signal, &child);
    said(child)
}

/// The message of an interrupted program, below the line that answers the signal.
fn said(child: Child) -> String {
    let output = child.wait_with_output().expect("it ends");
    let message = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(130), "{message}");
    assert_eq!(message.lines().count(), 2, "{message}");
    message.strip_prefix(&format!("{STOPPING}\n")).expect("the answer").to_owned()
}

/// The whole result of a run of a million replicates that was stopped.
fn check_kept(place: &Place, message: &str) {
    assert!(message.contains("interrupted") && message.contains("are kept in"), "{message}");
    let manifest = place.manifest("run/manifest.json");
    assert_eq!(manifest["complete"], false);
    let completed = manifest["completed"].as_u64().expect("a number");
    assert!(completed > 0 && completed < 1_000_000, "{completed}");
    let (_, rows) = place.table("run/trajectory.csv");
    assert_eq!(rows.len() as u64, 4 * completed, "whole trajectories only");
    assert_eq!(place.table("run/summary.csv").1[3][2], completed.to_string());
    assert_eq!(place.names(), ["a.toml", "run"]);
}

#[test]
fn complete_replicates_are_kept() {
    let text = units(&[("replicates = 3", "replicates = 1000000")]);
    for signal in ["-INT", "-TERM", "-HUP"] {
        let place = Place::new();
        let message = interrupted(&place, &text, signal);
        check_kept(&place, &message);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn under_nohup_a_hangup_is_nothing() {
    let place = Place::new();
    place.put("a.toml", units(&[("replicates = 3", "replicates = 1000000")]));
    let script = "trap '' HUP; exec \"$0\" run a.toml --threads 2";
    let mut child = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_birth-death")])
        .current_dir(place.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    wait_for_the_handler(&child);
    sleep(Duration::from_millis(300));
    send("-HUP", &child);
    sleep(Duration::from_millis(300));
    assert_eq!(child.try_wait().expect("known"), None);
    send("-INT", &child);
    check_kept(&place, &said(child));
}

#[test]
fn without_a_complete_replicate_the_earlier_result_stays() {
    let place = Place::new();
    place.run(&units(&[]), &[]);
    let before = place.read("run/manifest.json");
    let endless =
        units(&[("steps = 30", "steps = 9000000000000000"), ("record_every = 10", "record_every = 9000000000000000")]);
    let message = interrupted(&place, &endless, "-INT");
    assert!(message.contains("nothing is written"), "{message}");
    assert_eq!(place.read("run/manifest.json"), before);
    assert_eq!(place.names(), ["a.toml", "run"]);
}

#[test]
fn figures_without_a_complete_picture_write_nothing() {
    let place = Place::new();
    let child = Command::new("env")
        .args(["--default-signal=HUP", env!("CARGO_BIN_EXE_birth-death"), "figures", "--replicates", "1000000"])
        .current_dir(place.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    wait_for_the_handler(&child);
    sleep(Duration::from_millis(300));
    send("-INT", &child);
    assert_eq!(said(child), "error: interrupted; 0 of 6 pictures are complete\n");
    assert!(place.names().is_empty(), "{:?}", place.names());
}

/// An earlier complete result of somebody's hours, in `out`.
fn earlier(place: &Path) -> BTreeMap<String, Vec<u8>> {
    let out = place.join("out");
    fs::create_dir(&out).expect("made");
    fs::write(out.join("manifest.json"), "{\"program\": \"birth-death\", \"complete\": true}").expect("written");
    fs::write(out.join("summary.csv"), "hours of work\n").expect("written");
    fs::write(out.join("model.json"), [0, 159, 146, 150]).expect("written");
    contents(&out)
}

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("read"));
    entries
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).expect("read")))
        .collect()
}

fn is_part(folder: &Path) -> bool {
    let manifest = fs::read(folder.join("manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
    manifest["complete"] == false
}

/// A training of two columns; far more of it than a test waits for.
const TRAINING: &str = r#"seed = 1
particles = 10
steps = 1000000000
dt = 0.1
alpha = 1.0
scheme = "birth-death"
precision = "f64"
[data]
file = "data.csv"
target = "y"
task = "regression"
inputs = ["x"]
validation = 0.2
test = 0.2
[network]
activation = "relu"
[batch]
size = 8
[start]
c = { normal = { mean = 0.0, sd = 1.0 } }
z = { normal = { mean = 0.0, sd = 1.0 } }
[stopping]
every = 1000000000
"#;

/// The files that the commands read.
fn prepared() -> Place {
    let place = Place::new();
    place.put("run.toml", units(&[("replicates = 3", "replicates = 1000000")]));
    place.put("some-fail.toml", DIVERGING);
    place.put("train.toml", TRAINING);
    place
        .put("diverges.toml", TRAINING.replace("dt = 0.1", "dt = 1e200").replace("steps = 1000000000", "steps = 1000"));
    place.put(
        "compare.toml",
        TRAINING.replace("steps = 1000000000", "steps = 20").replace("every = 1000000000", "every = 10"),
    );
    let rows: String = (0..60).map(|i| format!("{},{}\n", i % 9, (i * i) % 23)).collect();
    place.put("data.csv", format!("x,y\n{rows}"));
    place
}

fn start(place: &Place, arguments: &[&str]) -> Child {
    // even if the tests run under nohup, the program does not
    Command::new("env")
        .args(["--default-signal=HUP", env!("CARGO_BIN_EXE_birth-death")])
        .args(arguments)
        .args(["--out", "out"])
        .current_dir(place.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs")
}

/// What it said, once it has ended with this code.
fn ended(child: Child, code: i32) -> String {
    let Output { status, stdout, stderr } = child.wait_with_output().expect("it ends");
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert_eq!(status.code(), Some(code), "{said}");
    said
}

#[test]
fn no_command_that_is_stopped_replaces_an_earlier_result() {
    /// Commands that keep a part once they have one.
    const KEEP: [&[&str]; 4] = [
        &["run", "run.toml", "--threads", "2"],
        &["train", "train.toml"],
        &["compare", "compare.toml", "--replicates", "100000", "--threads", "1"],
        &["verify", "--claim", "gradient", "--claim", "mean-field", "--profile", "full"],
    ];
    /// Of these nothing is complete so early.
    const DO_NOT: [&[&str]; 2] = [&["figures", "--replicates", "1000000"], &["bench", "--only", "pairs"]];
    let place = prepared();
    let before = earlier(place.path());
    let stop = |arguments: &[&str], signal: &str, wait: Duration| {
        let child = start(&place, arguments);
        wait_for_the_handler(&child);
        sleep(wait);
        send(signal, &child);
        let said = ended(child, 130);
        assert_eq!(contents(&place.path().join("out")), before, "{arguments:?} {signal}");
        said
    };
    let files = place.names();
    for arguments in DO_NOT {
        for signal in ["-INT", "-TERM"] {
            stop(arguments, signal, Duration::from_millis(200));
            assert_eq!(place.names(), files, "{arguments:?}");
        }
    }
    let part = place.path().join("out-interrupted");
    for arguments in KEEP {
        for signal in ["-INT", "-TERM", "-HUP"] {
            // until something is complete
            let mut wait = Duration::from_millis(200);
            let said = loop {
                let said = stop(arguments, signal, wait);
                if part.exists() {
                    break said;
                }
                wait *= 2;
                assert!(wait < Duration::from_secs(60), "nothing is complete: {said}");
            };
            assert!(
                said.contains("out-interrupted; the earlier result in ") && said.contains(" is as it was"),
                "{said}"
            );
            assert!(is_part(&part), "{arguments:?}");
            assert_eq!(place.names().len(), files.len() + 1, "{:?}", place.names());
            fs::remove_dir_all(&part).expect("removed");
        }
    }
}

#[test]
fn no_command_that_fails_replaces_an_earlier_result() {
    let place = prepared();
    let before = earlier(place.path());
    let files = place.names();
    // in part: some replicates, and the steps before one that cannot be made
    for arguments in [&["run", "some-fail.toml"][..], &["train", "diverges.toml"]] {
        let said = ended(start(&place, arguments), 1);
        assert!(said.contains("kept in ") && said.contains("out-interrupted; the earlier result in "), "{said}");
        assert_eq!(contents(&place.path().join("out")), before, "{arguments:?}");
        let part = place.path().join("out-interrupted");
        assert!(is_part(&part), "{arguments:?}");
        fs::remove_dir_all(&part).expect("removed");
        assert_eq!(place.names(), files);
    }
    // as a whole
    place.put("compare.toml", TRAINING.replace("dt = 0.1", "dt = 1e200").replace("steps = 1000000000", "steps = 1000"));
    let said = ended(start(&place, &["compare", "compare.toml", "--replicates", "5"]), 1);
    assert!(said.contains("nothing is written"), "{said}");
    assert_eq!(contents(&place.path().join("out")), before);
    assert_eq!(place.names(), files);
}

#[test]
fn a_result_that_cannot_take_its_place_is_named_and_what_is_there_stays() {
    let place = prepared();
    place.put("run.toml", units(&[("replicates = 3", "replicates = 100"), ("steps = 30", "steps = 3000")]));
    earlier(place.path());
    let child = start(&place, &["run", "run.toml", "--threads", "1", "--checkpoint", "c", "--every", "1000000"]);
    // which is made after the folder was claimed, and looked at
    let begun = Instant::now();
    while !place.path().join("c.partial").exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing was claimed");
        sleep(Duration::from_millis(1));
    }
    place.put("out/thesis.tex", "mine");
    let before = contents(&place.path().join("out"));
    let said = ended(child, 1);
    assert!(said.contains("thesis.tex") && said.contains("out-new; what was there is as it was"), "{said}");
    assert_eq!(contents(&place.path().join("out")), before);
    assert!(place.names().contains(&"out-new".to_owned()));
}

#[test]
fn what_a_result_replaces_is_said_in_one_line() {
    let place = Place::new();
    place.put("a.toml", units(&[]));
    place.put("b.toml", units(&[("seed = 1", "seed = 2")]));
    assert!(!ended(start(&place, &["run", "a.toml"]), 0).contains("note: "));
    let said = ended(start(&place, &["run", "b.toml"]), 0);
    let notes: Vec<&str> = said.lines().filter(|line| line.starts_with("note: ")).collect();
    let [note] = notes[..] else { panic!("{said}") };
    assert!(note.contains("out held the complete result of run a.toml (seed 1, commit "), "{note}");
    assert_eq!(place.manifest("out/manifest.json")["seed"], 2);
}

/// Whether a folder holds all of a run of `replicates`: else something was lost.
fn is_whole(folder: &Path, replicates: usize) -> bool {
    let Ok(manifest) = fs::read(folder.join("manifest.json")) else { return false };
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
    let rows = fs::read_to_string(folder.join("trajectory.csv")).expect("a table").lines().count();
    manifest["complete"] == true && rows == 1 + 4 * replicates
}

#[test]
fn of_two_runs_into_one_folder_one_is_refused_or_they_follow_each_other() {
    const PAIRS: usize = 60;
    let place = Place::new();
    place.put("a.toml", units(&[("replicates = 3", "replicates = 50")]));
    place.put("b.toml", units(&[("replicates = 3", "replicates = 50"), ("seed = 1", "seed = 2")]));
    let mut refused = 0;
    for pair in 0..PAIRS {
        let both = ["a.toml", "b.toml"].map(|file| start(&place, &["run", file, "--threads", "1"]));
        let mut wrote = 0;
        for child in both {
            let output = child.wait_with_output().expect("it ends");
            let said = String::from_utf8_lossy(&output.stderr);
            match output.status.code() {
                Some(0) => wrote += 1,
                Some(2) if said.contains("another birth-death process (") && said.contains("writes there") => {
                    refused += 1
                }
                code => panic!("pair {pair}: {code:?} {said}"),
            }
        }
        assert!(wrote > 0, "pair {pair}");
        assert!(is_whole(&place.path().join("out"), 50), "pair {pair}");
        assert_eq!(place.names(), ["a.toml", "b.toml", "out"], "pair {pair}");
    }
    assert!(refused > 0, "no two were at work at the same time");
}

#[test]
fn a_killed_run_costs_no_earlier_result_and_its_litter_goes() {
    const KILLS: u32 = 100;
    let place = Place::new();
    place.put("a.toml", units(&[("replicates = 3", "replicates = 50")]));
    let run = || start(&place, &["run", "a.toml", "--threads", "1"]);
    // the shortest of a few: the first one is slower
    let timed = || {
        let began = Instant::now();
        ended(run(), 0);
        began.elapsed()
    };
    let whole = [timed(), timed(), timed()].into_iter().min().expect("three");
    let out = place.path().join("out");
    let mut killed = 0;
    let mut litter = 0;
    for kill in 0..KILLS {
        let mut child = run();
        // spread over a whole run and a little more
        sleep(whole * kill / KILLS * 11 / 10);
        child.kill().expect("killed");
        killed += u32::from(child.wait().expect("it ends").code().is_none());
        let names = place.names();
        litter += usize::from(names.len() > 2);
        // where two folders cannot be exchanged the earlier one may wait beside for the next run
        let waiting = names.iter().find(|name| name.ends_with(".earlier"));
        let waits = waiting.is_some_and(|name| is_whole(&place.path().join(name), 50));
        assert!(is_whole(&out, 50) || waits, "kill {kill}: {names:?}");
    }
    assert!(killed > KILLS / 4 && litter > 0, "{killed} of {KILLS} were killed, {litter} times something was left");
    ended(run(), 0);
    assert_eq!(place.names(), ["a.toml", "out"]);
    assert!(is_whole(&out, 50));
}
