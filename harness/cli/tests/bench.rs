//! `birth-death bench`: that it runs, what it prints, and what it leaves behind. How fast it is, is no test.

mod common;

use std::fs;

use common::Place;
#[cfg(unix)]
use common::wait_for_the_handler;

#[test]
fn a_part_is_measured_printed_and_written() {
    let place = Place::new();
    let output = place.birth_death(&["bench", "--quick", "--only", "step", "--out", "b"]);
    let printed = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(printed.contains("step / evaluation") && !printed.contains("ns per ordered pair"), "{printed}");
    // one line a precision, met or missed: a test's build is no measure of that
    assert_eq!(printed.lines().filter(|line| line.starts_with("goal ")).count(), 2, "{printed}");
    let text = fs::read_to_string(place.path().join("b/bench.json")).expect("a file");
    let record: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(record["schema"], 1);
    assert_eq!(record["goals"].as_array().map(Vec::len), Some(2));
    let steps = record["step"].as_array().expect("steps");
    assert!(steps.len() >= 2 && steps.len().is_multiple_of(2), "every path in both precisions");
    for step in steps {
        let ratio = step["step"].as_f64().expect("seconds") / step["evaluation"].as_f64().expect("seconds");
        assert_eq!(step["ratio"].as_f64(), Some(ratio));
        // how large it is depends on how busy the machine is
        assert!(ratio.is_finite() && ratio > 0.0, "{step}");
    }
    assert!(record["pairs"].as_array().is_some_and(Vec::is_empty) && record["sums"].is_null());
    // an earlier result is replaced
    assert_eq!(place.birth_death(&["bench", "--quick", "--only", "step", "--out", "b"]).status.code(), Some(0));
}

#[test]
fn bad_usage_is_refused_before_anything_is_measured() {
    let place = Place::new();
    fs::create_dir(place.path().join("mine")).expect("made");
    place.put("mine/notes.txt", "mine");
    for arguments in [&["bench", "--only", "pears"][..], &["bench", "--out", "mine"], &["bench", "--out", "."]] {
        let output = place.birth_death(arguments);
        let message = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert_eq!(output.stdout, b"", "{message}");
    }
}

#[cfg(unix)]
#[test]
fn an_interruption_writes_nothing_and_says_so() {
    use std::process::{Command, Stdio};
    let place = Place::new();
    for part in ["pairs", "sums"] {
        let child = Command::new(env!("CARGO_BIN_EXE_birth-death"))
            .args(["bench", "--only", part])
            .current_dir(place.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        wait_for_the_handler(&child);
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs").success());
        let output = child.wait_with_output().expect("it ends");
        let message = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(130), "{message}");
        assert!(message.contains("interrupted; nothing is written, and no goal judged"), "{message}");
        assert!(place.names().is_empty(), "{:?}", place.names());
    }
}
