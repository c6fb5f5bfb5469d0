//! `birth-death student-teacher` as a user runs it, with tiny steps.

mod common;

use common::Place;

/// Two cells, three replicates, forty steps.
const TINY: [&str; 9] = [
    "student-teacher",
    "--cells",
    "n50-notebook-gradient-flow",
    "--cells",
    "n50-notebook-birth-death-10",
    "--steps",
    "40",
    "--replicates",
    "3",
];

fn run(place: &Place, arguments: &[&str], code: i32) -> String {
    let output = place.birth_death(arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{error}");
    out + &error
}

fn with(extra: &[&'static str]) -> Vec<&'static str> {
    [&TINY, extra].concat()
}

/// The lines without the times.
fn numbers(place: &Place) -> Vec<String> {
    let strip = |line: &str| {
        let mut value: serde_json::Value = serde_json::from_str(line).expect("a line");
        value["seconds"] = 0.into();
        value["crc32"] = 0.into();
        value.to_string()
    };
    let mut lines: Vec<String> = place.read("student-teacher/runs.jsonl").lines().map(strip).collect();
    lines.sort();
    lines
}

#[test]
fn a_study_is_gone_on_with_and_its_bits_do_not_depend_on_threads_or_interruptions() {
    let whole = Place::new();
    let said = run(&whole, &with(&["--threads", "2"]), 0);
    assert!(said.contains("6 runs are to be measured") && said.contains("n50-notebook-birth-death-10"), "{said}");
    assert_eq!(numbers(&whole).len(), 6);
    assert_eq!(whole.read("student-teacher/results.csv").lines().count(), 1 + 3 + 2 * 3);
    let tables =
        ["results.csv", "curves.csv", "summary.csv"].map(|name| whole.read(&format!("student-teacher/{name}")));

    // one replicate, then a line cut off as by a kill, then the rest
    let place = Place::new();
    run(&place, &[&TINY[..8], &["1", "--threads", "1"]].concat(), 0);
    let log = place.read("student-teacher/runs.jsonl");
    assert_eq!(log.lines().count(), 2);
    place.put("student-teacher/runs.jsonl", &log[..log.len() - 40]);
    let said = run(&place, &with(&["--resume", "--threads", "1"]), 0);
    assert!(said.contains("5 runs are to be measured"), "{said}");
    assert_eq!(numbers(&place), numbers(&whole));
    assert_eq!(
        ["results.csv", "curves.csv", "summary.csv"].map(|name| place.read(&format!("student-teacher/{name}"))),
        tables
    );

    // nothing is measured twice, and tables alone can be made again
    let said = run(&place, &with(&["--resume"]), 0);
    assert!(said.contains("0 runs are to be measured"), "{said}");
    run(&place, &["student-teacher", "--report"], 0);
    assert_eq!(place.read("student-teacher/results.csv"), tables[0]);
    assert_eq!(numbers(&place).len(), 6);
}

#[test]
fn what_is_not_this_study_is_refused() {
    let place = Place::new();
    run(&place, &[&TINY[..8], &["1"]].concat(), 0);
    for (arguments, says) in [
        (with(&[]), "--resume"),
        (with(&["--resume", "--seed", "2"]), "seed 1, now 2"),
        (vec!["student-teacher", "--resume"], "steps 40, now of the cells"),
        (with(&["--resume", "--cells", "n50-notebok"]), "no cell begins with"),
        (vec!["student-teacher", "--report", "--out", "nothing"], "no manifest"),
    ] {
        let said = run(&place, &arguments, 2);
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
    // no other command replaces hours of work
    let said = run(&place, &["calibrate", "--resume", "--out", "student-teacher"], 2);
    assert!(said.contains("student-teacher"), "{said}");
    let said = run(&place, &["verify", "--claim", "gradient", "--out", "student-teacher"], 2);
    assert!(said.contains("runs.jsonl"), "{said}");
}
