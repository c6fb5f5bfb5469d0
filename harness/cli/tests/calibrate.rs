//! `birth-death calibrate` as a user runs it.

mod common;

use std::fs;

use birth_death_verify::calibrate::Calibration;
use common::Place;

/// Two seeds, the correct build and one defect, two fast claims.
const TINY: [&str; 11] = [
    "calibrate",
    "--runs",
    "2",
    "--defect",
    "correct",
    "--defect",
    "swapped",
    "--claim",
    "gradient",
    "--claim",
    "event-counts",
];
const MEASUREMENTS: usize = 8;

fn calibrate(place: &Place, arguments: &[&str], code: i32) -> (String, String) {
    let output = place.birth_death(arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{error}");
    (out, error)
}

fn more(extra: &[&'static str]) -> Vec<&'static str> {
    [&TINY, extra].concat()
}

#[test]
fn measurements_are_printed_and_can_be_read_back() {
    let place = Place::new();
    let (out, error) = calibrate(&place, &more(&["--threads", "2"]), 0);
    assert!(error.is_empty(), "quiet when piped: {error}");
    for expected in ["the correct build", "gradient", "any claim fails: 0/2 seeds", "sharp p-values", "swapped", "2/2"]
    {
        assert!(out.contains(expected), "{expected}: {out}");
    }
    assert_eq!(place.read("calibration/runs.jsonl").lines().count(), MEASUREMENTS);
    let calibration: Calibration =
        serde_json::from_str(&place.read("calibration/calibration.json")).expect("a calibration");
    assert!(calibration.complete && calibration.is_sound());
    assert_eq!((calibration.seed, calibration.correct.false_alarms.of), (500_000, 2));
    assert_eq!((calibration.defects[0].detected.count, calibration.defects[0].claims.len()), (2, 2));
    // sharp: two generators; the gradient claim is exact
    let checks = &calibration.correct.uniformity.checks;
    assert!(checks.len() > 20 && checks.iter().all(|check| check.claim == "event-counts" && check.below.of == 2));

    // a finished one has nothing left to do, and takes more seeds
    let before = place.read("calibration/calibration.json");
    calibrate(&place, &more(&["--resume"]), 0);
    assert_eq!(place.read("calibration/calibration.json"), before);
    let wider = ["calibrate", "--resume", "--runs", "3", "--defect", "swapped", "--claim", "gradient"];
    let (out, _) = calibrate(&place, &wider, 0);
    assert_eq!(place.read("calibration/runs.jsonl").lines().count(), MEASUREMENTS + 1);
    let row = out.lines().find(|line| line.contains("| swapped")).expect("a row");
    assert_eq!(row.split('|').map(str::trim).collect::<Vec<_>>()[2..5], ["3/3", "2/2", "2/2"], "{out}");
}

/// Ctrl-C keeps what is measured; what is resumed ends as if nothing had happened.
#[cfg(unix)]
#[test]
fn an_interrupted_calibration_equals_an_uninterrupted_one() {
    let whole = Place::new();
    calibrate(&whole, &more(&["--threads", "1"]), 0);

    let place = Place::new();
    let child = place
        .command(&more(&["--threads", "1"]))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it runs");
    let runs = place.path().join("calibration/runs.jsonl");
    while fs::metadata(&runs).map_or(0, |file| file.len()) == 0 {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(kill.success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(out.contains("are missing: --resume goes on"), "{out}");
    let partial: Calibration =
        serde_json::from_str(&place.read("calibration/calibration.json")).expect("a calibration");
    assert!(!partial.complete);

    // killed in the middle of a line
    let kept = place.read("calibration/runs.jsonl");
    assert!((1..MEASUREMENTS).contains(&kept.lines().count()), "{kept}");
    fs::write(&runs, format!("{kept}{{\"settings\":\"12")).expect("written");
    calibrate(&place, &more(&["--resume", "--threads", "2"]), 0);
    assert_eq!(place.read("calibration/calibration.json"), whole.read("calibration/calibration.json"));
    let lines = |place: &Place| {
        let text = place.read("calibration/runs.jsonl");
        let mut lines: Vec<String> = text
            .lines()
            .map(|line| {
                let mut run: serde_json::Value = serde_json::from_str(line).expect("a measurement");
                run["seconds"] = 0.into();
                run["crc32"] = 0.into();
                run.to_string()
            })
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(lines(&place), lines(&whole));
}

#[test]
fn a_defect_is_no_open_hole_to_claims_that_are_not_meant_to_catch_it() {
    let place = Place::new();
    let arguments = ["calibrate", "--runs", "1", "--defect", "prior-charge", "--claim", "gradient"];
    let (out, _) = calibrate(&place, &arguments, 0);
    assert!(out.contains("| prior-charge") && out.contains("0/1") && !out.contains("OPEN HOLE"), "{out}");
}

#[test]
fn measurements_are_refused_rather_than_overwritten_or_mixed() {
    let place = Place::new();
    let gradient = ["calibrate", "--runs", "1", "--defect", "correct", "--claim", "gradient"];
    let with = |extra: &[&'static str]| [&gradient, extra].concat();
    calibrate(&place, &gradient, 0);
    let runs = place.read("calibration/runs.jsonl");
    let (_, error) = calibrate(&place, &gradient, 2);
    assert!(error.contains("--resume"), "{error}");
    let (_, error) = calibrate(&place, &["verify", "--claim", "gradient", "--out", "calibration"], 2);
    assert!(error.contains("runs.jsonl"), "{error}");
    let (_, error) = calibrate(&place, &with(&["--resume", "--seed", "9"]), 2);
    assert!(error.contains("first seed 500000, now 9"), "{error}");
    let (_, error) = calibrate(&place, &with(&["--resume", "--out", "elsewhere"]), 2);
    assert!(error.contains("no runs.jsonl"), "{error}");
    assert_eq!(place.read("calibration/runs.jsonl"), runs);

    place.put("calibration/runs.jsonl", format!("{runs}garbage\n"));
    let (out, error) = calibrate(&place, &with(&["--resume"]), 2);
    assert!(out.is_empty() && error.contains("runs.jsonl:2: has no checksum"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert_eq!(place.read("calibration/runs.jsonl"), format!("{runs}garbage\n"));
    assert_eq!(place.names(), ["calibration"]);
}

#[test]
fn bad_usage_is_refused_before_anything_is_written() {
    let place = Place::new();
    for (arguments, says) in [
        (&["calibrate", "--defect", "swaped"][..], "did you mean swapped"),
        (&["calibrate", "--claim", "gradeint"], "did you mean gradient"),
        (&["calibrate", "--runs", "0"], "--runs"),
        (&["calibrate", "--seed", "random"], "--seed"),
        (&["calibrate", "--out", "."], "another folder"),
    ] {
        let (_, error) = calibrate(&place, arguments, 2);
        assert!(error.contains(says), "{arguments:?}: {error}");
    }
    assert_eq!(place.names().len(), 0);
}
