//! The report's page, `birth-death report`, and `verify --baseline` as a user runs them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Runs the binary in `folder`.
fn birth_death(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_birth-death")).args(arguments).current_dir(folder).output().expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder with a report of two fast claims in `report`.
fn reported() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let output = birth_death(folder.path(), &["verify", "--claim", "gradient", "--claim", "uniform-control"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    folder
}

/// Changes the file `name` of the report.
fn change(folder: &Path, name: &str, change: impl FnOnce(&mut Value)) {
    let path = folder.join(name);
    let mut value: Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
    change(&mut value);
    fs::write(path, value.to_string()).expect("written");
}

#[test]
fn the_page_stands_alone_and_says_everything() {
    let folder = reported();
    let page = fs::read_to_string(folder.path().join("report/index.html")).expect("the page");
    for expected in
        ["gradient", "uniform-control", "--claim uniform-control", "pcg32", "<svg", "prefers-color-scheme", "seed 1"]
    {
        assert!(page.contains(expected), "{expected}");
    }
    // nothing is fetched and nothing is run
    for absent in ["<script", "<link", "<img", "src=", "url(", "@import", "#010101", "#0A0A0A"] {
        assert!(!page.contains(absent), "{absent}");
    }
    // the only addresses are SVG's name space
    assert_eq!(page.matches("http").count(), page.matches("http://www.w3.org/2000/svg").count());
    let junit = fs::read_to_string(folder.path().join("report/junit.xml")).expect("junit.xml");
    assert!(junit.contains(r#"tests="2" skipped="0" failures="0" errors="0""#), "{junit}");
}

#[test]
fn text_that_xml_does_not_have_is_replaced() {
    let folder = reported();
    change(folder.path(), "report/verdicts.json", |verdicts| {
        verdicts["claims"][0]["statement"] = Value::from("a\u{fffe}b\u{ffff}c\u{1}d<&]]>");
    });
    let output = birth_death(folder.path(), &["report", "report"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let junit = fs::read_to_string(folder.path().join("report/junit.xml")).expect("junit.xml");
    assert!(junit.contains("a\u{fffd}b\u{fffd}cd&lt;&amp;]]"), "{junit}");
    assert!(!junit.contains(['\u{fffe}', '\u{ffff}', '\u{1}']));
}

#[test]
fn a_report_is_made_again_from_its_numbers() {
    let folder = reported();
    let file = |name: &str| fs::read(folder.path().join("report").join(name)).expect(name);
    let (page, junit) = (file("index.html"), file("junit.xml"));
    fs::remove_file(folder.path().join("report/index.html")).expect("removed");
    fs::write(folder.path().join("report/junit.xml"), "garbage").expect("written");
    let output = birth_death(folder.path(), &["report", "report"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("2 hold"));
    assert!(file("index.html") == page && file("junit.xml") == junit);
    assert_eq!(fs::read_dir(folder.path().join("report")).expect("listed").count(), 4, "nothing is left over");
}

#[test]
fn failures_reach_the_junit_file_and_the_page() {
    let folder = reported();
    change(folder.path(), "report/verdicts.json", |json| {
        json["claims"][0]["verdict"] = "fails".into();
        json["claims"][0]["checks"][1]["verdict"] = "fails".into();
        json["claims"][0]["checks"][1]["estimate"] = "NaN".into();
        json["claims"][1]["verdict"] = "undecided".into();
        json["claims"][1]["checks"][0]["verdict"] = "undecided".into();
    });
    assert_eq!(birth_death(folder.path(), &["report"]).status.code(), Some(0));
    let junit = fs::read_to_string(folder.path().join("report/junit.xml")).expect("junit.xml");
    assert!(junit.contains(r#"tests="2" skipped="0" failures="1" errors="1""#), "{junit}");
    let page = fs::read_to_string(folder.path().join("report/index.html")).expect("the page");
    assert!(
        page.contains("1 of 4 checks fail") && page.contains("0 hold, 1 fail, 1 undecided") && page.contains("NaN")
    );
}

#[test]
fn a_report_that_cannot_be_read_is_refused() {
    let folder = reported();
    let file = folder.path().join("report/verdicts.json");
    let whole = fs::read_to_string(&file).expect("read");
    let refused = |expected: &str| {
        let output = birth_death(folder.path(), &["report", "report"]);
        assert_eq!(output.status.code(), Some(2), "{expected}");
        let message = text(&output.stderr);
        assert!(
            message.contains("verdicts.json") && message.contains(expected) && message.lines().count() == 1,
            "{message}"
        );
    };
    for cut in [0, 1, 100, whole.len() / 2, whole.len() - 3] {
        fs::write(&file, &whole[..cut]).expect("written");
        refused("accepted");
    }
    fs::write(&file, whole.replacen("\"schema\": 2", "\"schema\": 1", 1)).expect("written");
    refused("version 1 of the layout");
    fs::write(&file, whole.replacen("\"holds\"", "\"maybe\"", 1)).expect("written");
    refused("maybe");
    fs::remove_file(&file).expect("removed");
    refused("No such file");
    fs::create_dir(&file).expect("a folder");
    refused("is no file");
}

/// Verifies one claim against the baseline `baseline.json`.
fn compared(folder: &Path, more: &[&str]) -> Output {
    let arguments = ["verify", "--claim", "uniform-control", "--baseline", "baseline.json", "--out", "today"];
    birth_death(folder, &[&arguments, more].concat())
}

#[test]
fn a_baseline_fails_only_on_what_moved() {
    let folder = reported();
    let report = folder.path().join("report/verdicts.json");
    fs::copy(&report, folder.path().join("baseline.json")).expect("copied");
    let json: Value = serde_json::from_slice(&fs::read(report).expect("read")).expect("JSON");
    let checks = json["claims"][1]["checks"].as_array().expect("checks").len();
    for seed in ["1", "2"] {
        let output = compared(folder.path(), &["--seed", seed]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains(&format!("0 of {checks} estimates moved")), "{}", text(&output.stdout));
    }
    // a verdict that was bad before is not today's business; an estimate that was another one is
    change(folder.path(), "baseline.json", |json| json["claims"][1]["verdict"] = "fails".into());
    assert_eq!(compared(folder.path(), &[]).status.code(), Some(0));
    change(folder.path(), "baseline.json", |json| json["claims"][1]["checks"][3]["estimate"] = 0.2.into());
    let output = compared(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    let table = text(&output.stdout);
    assert!(
        table.contains("moved: uniform-control: ") && table.contains(&format!("1 of {checks} estimates moved")),
        "{table}"
    );
}

#[test]
fn no_baseline_or_another_one_is_no_pass() {
    let folder = reported();
    let refused = |more: &[&str], expected: &str| {
        let output = compared(folder.path(), more);
        assert_eq!(output.status.code(), Some(2), "{expected}");
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
        assert!(!folder.path().join("today").exists(), "nothing was computed");
    };
    refused(&[], "baseline.json: No such file");
    let copy =
        || fs::copy(folder.path().join("report/verdicts.json"), folder.path().join("baseline.json")).expect("copied");
    copy();
    refused(&["--profile", "full"], "profile quick");
    refused(&["--claim", "drift"], "no claim drift");
    change(folder.path(), "baseline.json", |json| json["claims"][1]["setting"] = "n = 11".into());
    refused(&[], "another setting");
    copy();
    change(folder.path(), "baseline.json", |json| json["streams"] = "others".into());
    refused(&[], "streams others");
    fs::write(folder.path().join("baseline.json"), "{").expect("written");
    refused(&[], "accepted: a verdicts.json");
    // it would be replaced
    let arguments = ["verify", "--claim", "gradient", "--baseline", "report/verdicts.json"];
    let output = birth_death(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("holds the input"), "{}", text(&output.stderr));
    // other checks are found out after the run: its report is there, and it is no pass
    copy();
    change(folder.path(), "baseline.json", |json| json["claims"][1]["checks"][0]["what"] = "something".into());
    let output = compared(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("other checks") && folder.path().join("today/index.html").exists());
}

#[test]
fn a_calibration_is_shown_and_kept() {
    let folder = reported();
    let calibrate = ["calibrate", "--runs", "1", "--claim", "uniform-control", "--defect", "newest-first"];
    assert_eq!(birth_death(folder.path(), &calibrate).status.code(), Some(0));
    let page = || fs::read_to_string(folder.path().join("report/index.html")).expect("the page");
    assert!(!page().contains("Planted defects"));
    let given = ["report", "report", "--calibration", "calibration/calibration.json"];
    assert_eq!(birth_death(folder.path(), &given).status.code(), Some(0));
    assert!(page().contains("Planted defects") && page().contains("control removes the newest first"));
    // kept, so that it need not be given again
    fs::remove_file(folder.path().join("report/index.html")).expect("removed");
    assert_eq!(birth_death(folder.path(), &["report"]).status.code(), Some(0));
    assert!(page().contains("Planted defects"));
    fs::write(folder.path().join("report/calibration.json"), "{}").expect("written");
    let output = birth_death(folder.path(), &["report"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("calibration.json"), "{}", text(&output.stderr));
    let verify = ["verify", "--claim", "gradient", "--calibration", "calibration/calibration.json", "--out", "again"];
    assert_eq!(birth_death(folder.path(), &verify).status.code(), Some(0));
    assert!(fs::read_to_string(folder.path().join("again/index.html")).expect("the page").contains("Planted defects"));
}

/// Every key of an object and of those within.
fn keys(value: &Value, found: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            found.insert(key.clone());
            keys(value, found);
        }),
        Value::Array(values) => values.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn the_layout_is_documented() {
    let folder = tempfile::tempdir().expect("a folder");
    // sharp and exact checks with pictures; limit checks
    let claims = ["--claim", "conservation", "--claim", "independence", "--claim", "dissipation"];
    let output = birth_death(folder.path(), &[&["verify"], &claims[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let json = fs::read(folder.path().join("report/verdicts.json")).expect("verdicts.json");
    let mut found = std::collections::BTreeSet::new();
    keys(&serde_json::from_slice(&json).expect("JSON"), &mut found);
    let documented: std::collections::BTreeSet<String> =
        include_str!("../../docs/verdicts.md").split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let missing: Vec<_> = found.difference(&documented).collect();
    assert!(missing.is_empty(), "not in docs/verdicts.md: {missing:?}");
    // what is no key, and what only a run with a baseline has
    let others = ["birth-death verify", "report", "--baseline", "baseline", "compared", "moved", "claim", "change"];
    let stale: Vec<_> = documented.difference(&found).filter(|key| !others.contains(&key.as_str())).collect();
    assert!(stale.is_empty(), "in docs/verdicts.md only: {stale:?}");
}
