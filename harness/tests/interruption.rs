//! Ctrl-C stops a run cleanly and keeps the replicates that are complete.
#![cfg(unix)]

mod common;

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use common::{Place, units};

fn begin(place: &Place, text: &str) -> Child {
    place.put("a.toml", text);
    place
        .command(&["run", "a.toml", "--threads", "2"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs")
}

fn interrupt(child: &Child) {
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(status.success());
}

/// Until the process catches SIGINT (its mask is in /proc), or a second where there is no /proc.
fn wait_for_the_handler(child: &Child) {
    for _ in 0..1000 {
        let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", child.id())) else {
            return sleep(Duration::from_secs(1));
        };
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        if mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 2 != 0) {
            return;
        }
        sleep(Duration::from_millis(10));
    }
}

/// Interrupts once the program has set itself up, and gives what it said.
fn interrupted(place: &Place, text: &str) -> String {
    let child = begin(place, text);
    wait_for_the_handler(&child);
    sleep(Duration::from_millis(300));
    interrupt(&child);
    let output = child.wait_with_output().expect("it ends");
    let message = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(130), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

#[test]
fn complete_replicates_are_kept() {
    let place = Place::new();
    let text = units(&[("replicates = 3", "replicates = 1000000")]);
    let message = interrupted(&place, &text);
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
fn without_a_complete_replicate_the_earlier_result_stays() {
    let place = Place::new();
    place.run(&units(&[]), &[]);
    let before = place.read("run/manifest.json");
    let endless =
        units(&[("steps = 30", "steps = 9000000000000000"), ("record_every = 10", "record_every = 9000000000000000")]);
    let message = interrupted(&place, &endless);
    assert!(message.contains("nothing is written"), "{message}");
    assert_eq!(place.read("run/manifest.json"), before);
    assert_eq!(place.names(), ["a.toml", "run"]);
}
