//! Ctrl-C, SIGTERM and SIGHUP stop a run cleanly and keep the replicates that are complete.
#![cfg(unix)]

mod common;

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use birth_death_harness::progress::STOPPING;
use common::{Place, units, wait_for_the_handler};

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
