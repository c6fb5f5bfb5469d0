//! `birth-death run --checkpoint --every --resume`: a run that was killed, however often, leaves the bytes of one that
//! was not.
#![cfg(unix)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use birth_death::Stream;
use birth_death::random::bounded;
use common::{DIVERGING, PRIOR, Place, UNITS, units, wait_for_the_handler};

const FILES: [&str; 4] = ["ensemble.csv", "manifest.json", "summary.csv", "trajectory.csv"];
/// Kills of [`killed_at_random_moments_a_run_ends_with_the_same_bytes`].
const KILLS: usize = 50;

/// A fraction of a second: six replicates of scheme 2, so that a checkpoint has complete ones, some on their way and
/// some not begun.
fn long() -> String {
    units(&[
        ("particles = 20", "particles = 200"),
        ("steps = 30", "steps = 300"),
        ("record_every = 10", "record_every = 7"),
        ("\"birth-death\"", "\"reinjection\""),
        ("\"centred\"", "\"raw\""),
        ("replicates = 3", "replicates = 6"),
    ]) + PRIOR
}

fn spawn(place: &Place, arguments: &[&str]) -> Child {
    place.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs")
}

fn message(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The refusal of these arguments after `run a.toml`: one line, code 2, nothing written.
fn refusal(place: &Place, arguments: &[&str]) -> String {
    let before = place.names();
    let output = place.birth_death(&[&["run", "a.toml"], arguments].concat());
    let message = message(&output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert_eq!(place.names(), before, "{message}");
    assert!(message.lines().count() == 1 && message.contains("accepted: "), "{message}");
    message
}

fn same(place: &Place, a: &str, b: &str) {
    for file in FILES {
        let [a, b] = [a, b].map(|folder| fs::read(place.path().join(folder).join(file)).expect("read"));
        assert!(a == b, "{file} differs");
    }
}

/// Until there is a checkpoint.
fn wait_for(place: &Place, name: &str) {
    let begun = Instant::now();
    while !place.path().join(name).exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "no {name}");
        sleep(Duration::from_millis(1));
    }
}

#[test]
fn killed_at_random_moments_a_run_ends_with_the_same_bytes() {
    let place = Place::new();
    place.run(&long(), &["--out", "whole", "--threads", "1"]);
    let begun = Instant::now();
    place.run(&long(), &["--out", "timed", "--threads", "1", "--checkpoint", "c", "--every", "20"]);
    let longest = u32::try_from(begun.elapsed().as_micros() / 3).expect("it takes seconds");
    same(&place, "whole", "timed");

    let mut rng = Stream::seeded(50, 0);
    let (mut kills, mut rounds, mut resumed) = (0, 0, BTreeSet::new());
    while kills < KILLS || rounds == 0 {
        let out = format!("round-{rounds}");
        loop {
            let checkpoint = fs::read(place.path().join("c")).ok();
            let threads = ["1", "2", "3"][bounded(&mut rng, 3) as usize];
            let mut line =
                vec!["run", "a.toml", "--out", &out, "--checkpoint", "c", "--every", "20", "--threads", threads];
            if checkpoint.is_some() {
                line.extend(["--resume", "c"]);
            }
            let mut child = spawn(&place, &line);
            if kills < KILLS {
                sleep(Duration::from_micros(u64::from(bounded(&mut rng, longest))));
                child.kill().expect("SIGKILL");
            }
            let output = child.wait_with_output().expect("it ends");
            match output.status.code() {
                None => kills += 1,
                Some(code) => assert_eq!(code, 0, "{}", message(&output)),
            }
            resumed.extend(checkpoint);
            // a kill may come when all is done
            if output.status.success() || (place.path().join(&out).exists() && !place.path().join("c").exists()) {
                break;
            }
        }
        same(&place, "whole", &out);
        rounds += 1;
    }
    // else it was always killed before it had done anything
    assert!(resumed.len() >= 10, "only {} different checkpoints", resumed.len());
    let left: Vec<String> = place.names().into_iter().filter(|name| name.starts_with('c')).collect();
    assert!(left.is_empty(), "{left:?}");
    println!("{rounds} runs, {} checkpoints gone on from", resumed.len());
}

#[test]
fn an_interruption_writes_a_checkpoint_and_says_how_to_go_on() {
    let place = Place::new();
    // seconds of one core: not complete when the signal comes, however busy the machine
    let longer = long().replace("steps = 300", "steps = 6000");
    place.run(&longer, &["--out", "whole"]);
    let line = ["run", "a.toml", "--checkpoint", "c", "--every", "1000000", "--threads", "1"];
    let child = spawn(&place, &line);
    wait_for_the_handler(&child);
    sleep(Duration::from_millis(100));
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(interrupted.success());
    let output = child.wait_with_output().expect("it ends");
    let message = message(&output);
    assert_eq!(output.status.code(), Some(130), "{message}");
    assert!(message.contains("interrupted; ") && message.contains("the same command with --resume"), "{message}");
    assert!(place.path().join("c").exists() && !place.path().join("c.partial").exists(), "{:?}", place.names());

    // without --checkpoint it is read only
    let before = fs::read(place.path().join("c")).expect("read");
    let printed = place.run(&longer, &["--resume", "c", "--out", "first"]);
    assert!(printed.contains(" of 36000 steps were made before c\n") && !printed.starts_with("0 "), "{printed}");
    assert_eq!(fs::read(place.path().join("c")).expect("read"), before);
    same(&place, "whole", "first");
    place.run(&longer, &[&line[2..], &["--resume", "c", "--out", "second"]].concat());
    same(&place, "whole", "second");
    assert!(!place.path().join("c").exists());
}

#[test]
fn failed_replicates_are_remembered() {
    let place = Place::new();
    place.put("a.toml", DIVERGING.replace("steps = 400", "steps = 4000"));
    let whole = place.birth_death(&["run", "a.toml", "--out", "whole"]);
    assert_eq!(whole.status.code(), Some(1));
    let mut child =
        spawn(&place, &["run", "a.toml", "--out", "part", "--checkpoint", "c", "--every", "3001", "--threads", "1"]);
    wait_for(&place, "c");
    child.kill().expect("SIGKILL");
    child.wait().expect("it ends");
    if place.path().join("c").exists() {
        let output = place.birth_death(&["run", "a.toml", "--out", "part", "--resume", "c"]);
        assert_eq!((output.status.code(), message(&output).replace("/part", "/whole")), (Some(1), message(&whole)));
    }
    same(&place, "whole", "part");
}

#[test]
fn a_folder_that_goes_away_costs_the_checkpoints_only() {
    let place = Place::new();
    place.run(&long(), &["--out", "whole"]);
    fs::create_dir(place.path().join("disk")).expect("made");
    let child = spawn(&place, &["run", "a.toml", "--checkpoint", "disk/c", "--every", "5", "--threads", "1"]);
    wait_for(&place, "disk/c");
    fs::rename(place.path().join("disk"), place.path().join("gone")).expect("renamed");
    let output = child.wait_with_output().expect("it ends");
    let message = message(&output);
    assert_eq!(output.status.code(), Some(0), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(
        message.starts_with("warning: the checkpoint cannot be written to ")
            && message.contains("the one before is kept"),
        "{message}"
    );
    same(&place, "whole", "run");
    // what was written before is whole
    place.run(&long(), &["--resume", "gone/c", "--out", "again"]);
    same(&place, "whole", "again");
}

#[test]
fn a_checkpoint_is_taken_for_one_only_if_it_is_of_this_run() {
    let place = Place::new();
    place.put("a.toml", long());
    let mut child = spawn(&place, &["run", "a.toml", "--checkpoint", "c", "--every", "5"]);
    wait_for(&place, "c");
    child.kill().expect("SIGKILL");
    child.wait().expect("it ends");
    let good = fs::read(place.path().join("c")).expect("read");
    let resume = |bytes: &[u8]| {
        place.put("bad", bytes);
        let message = refusal(&place, &["--resume", "bad"]);
        assert!(
            message.starts_with("error: --resume bad: ") && message.contains("accepted: a checkpoint that"),
            "{message}"
        );
        message
    };
    place.put("bad", "");
    assert!(resume(b"seed = 1").contains("is no checkpoint"));
    assert!(resume(&good[..good.len() - 1]).contains("is cut short"));
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 4;
    assert!(resume(&flipped).contains("is damaged"));
    flipped = good.clone();
    flipped[8] = 7;
    assert!(resume(&flipped).contains("has version 7 of the format, not 2"));
    place.put("a.toml", long().replace("seed = 1", "seed = 2"));
    assert!(resume(&good).contains("is of another configuration than a.toml: seed was 1 and is 2"));
    assert!(refusal(&place, &["--resume", "missing"]).contains("--resume missing: the file is not there"));
    assert!(refusal(&place, &["--resume", "/dev/zero"]).contains("is no file"));
    assert!(refusal(&place, &["--resume", "."]).contains("is no file"));
}

#[test]
fn a_checkpoint_replaces_nothing_but_the_one_gone_on_from() {
    let place = Place::new();
    place.put("a.toml", UNITS);
    place.put("mine", "text");
    place.put("next.partial", "text");
    fs::create_dir(place.path().join("run")).expect("made");
    let refused = |file: &str, part: &str| {
        let message = refusal(&place, &["--checkpoint", file, "--every", "5"]);
        assert!(message.starts_with(&format!("error: --checkpoint {file}: ")) && message.contains(part), "{message}");
    };
    refused("mine", "is there already");
    refused("a.toml", "is there already");
    refused("run", "is a folder");
    refused("run/c", "lies in the folder of the result");
    refused("nowhere/c", "its folder cannot be used");
    refused("/proc/c", "cannot be written");
    refused("next", "next.partial for the next checkpoint");
    refused("..", "has no file name");
    assert_eq!((place.read("mine"), place.read("next.partial")), ("text".to_owned(), "text".to_owned()));

    // one writer at a time; it lasts until it is killed, and what it writes beside the checkpoint stands elsewhere
    place.put("a.toml", long().replace("replicates = 6", "replicates = 6000"));
    let elsewhere = Place::new();
    let out = elsewhere.path().join("run").display().to_string();
    let mut child = spawn(&place, &["run", "a.toml", "--checkpoint", "c", "--every", "1000000", "--out", &out]);
    wait_for(&place, "c.partial");
    sleep(Duration::from_millis(50));
    refused("c", "another process");
    child.kill().expect("SIGKILL");
    child.wait().expect("it ends");
    // what a kill left is no obstacle
    place.put("a.toml", UNITS);
    assert!(place.path().join("c.partial").exists());
    place.run(UNITS, &["--checkpoint", "c", "--every", "5", "--out", "other"]);
    assert!(!place.path().join("c.partial").exists());
}

#[test]
fn both_flags_belong_together_and_every_is_at_least_one() {
    let place = Place::new();
    place.put("a.toml", UNITS);
    for (line, part) in [
        (&["--every", "5"][..], "--checkpoint"),
        (&["--checkpoint", "c"], "--every"),
        (&["--checkpoint", "c", "--every", "0"], "'0'"),
    ] {
        let output = place.birth_death(&[&["run", "a.toml"], line].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(message(&output).contains(part), "{}", message(&output));
        assert_eq!(place.names(), ["a.toml"]);
    }
}
