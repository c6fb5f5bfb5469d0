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
    fs::write(&file, whole.replacen("\"schema\": 3", "\"schema\": 1", 1)).expect("written");
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
    let file = |name: &str| fs::read_to_string(folder.path().join("today").join(name)).expect(name);
    // the same seed gives the same bits, another one other bits that are not distinguishable
    for (seed, says) in
        [("1", format!("0 changed but not distinguishable, {checks} equal to the bit")), ("2", String::new())]
    {
        let output = compared(folder.path(), &["--seed", seed]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let table = text(&output.stdout);
        assert!(table.contains(&format!("0 of {checks} estimates moved")) && table.contains(&says), "{table}");
        assert!(table.contains("found with a probability of 0.99: a shift of") && table.contains("both generators"));
        assert!(table.contains("accused with a probability of at most 2.00e-6"), "{table}");
    }
    let junit = file("junit.xml");
    assert!(junit.contains("changed, not distinguishable: ") && junit.contains(" standard errors, p = "), "{junit}");
    assert!(file("index.html").contains("changed, not distinguishable"));
    // an estimate that was another one: what it was and is, and how far apart
    change(folder.path(), "baseline.json", |json| json["claims"][1]["checks"][3]["estimate"] = 0.2.into());
    let output = compared(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    let table = text(&output.stdout);
    for expected in
        ["moved: uniform-control: ", "was 0.2 ± ", "; difference -", &format!("1 of {checks} estimates moved")]
    {
        assert!(table.contains(expected), "{expected}: {table}");
    }
    let (page, junit) = (file("index.html"), file("junit.xml"));
    for text in [&page, &junit] {
        assert!(text.contains("was 0.2 ± ") && text.contains(" standard errors, p = "), "{text}");
    }
    assert!(junit.contains(r#"failures="1" errors="0""#) && junit.contains("moved since the baseline"), "{junit}");
    assert!(page.contains("<th class=\"number\">then</th>") && page.contains("Since the baseline"));
    // made again from its numbers, the page says the same
    assert_eq!(birth_death(folder.path(), &["report", "today"]).status.code(), Some(0));
    assert!(file("index.html") == page && file("junit.xml") == junit);
}

/// A check that fails in the baseline fails there by its numbers: today it is mended, which is said and is no move by
/// itself.
#[test]
fn what_was_mended_is_said() {
    let folder = reported();
    fs::copy(folder.path().join("report/verdicts.json"), folder.path().join("baseline.json")).expect("copied");
    change(folder.path(), "baseline.json", |json| {
        let claim = &mut json["claims"][1];
        claim["verdict"] = "fails".into();
        claim["checks"][3]["verdict"] = "fails".into();
        claim["checks"][3]["null"]["p"] = 1e-60.into();
    });
    let output = compared(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("mended: uniform-control: "), "{}", text(&output.stdout));
}

#[test]
fn nothing_of_a_stored_file_reaches_the_terminal_unfiltered() {
    let folder = reported();
    fs::copy(folder.path().join("report/verdicts.json"), folder.path().join("baseline.json")).expect("copied");
    let hostile = "c0ffee\u{1b}[31m\u{9b}2J\u{202e}";
    change(folder.path(), "baseline.json", |json| json["commit"] = hostile.into());
    let clean = |bytes: &[u8]| {
        let text = text(bytes);
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{text:?}");
        text
    };
    let output = compared(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(clean(&output.stdout).contains("commit c0ffee[31m2J"), "{}", text(&output.stdout));
    for name in ["index.html", "junit.xml", "verdicts.json"] {
        clean(&fs::read(folder.path().join("today").join(name)).expect(name));
    }
    // in a refusal, and in what `report` prints
    change(folder.path(), "baseline.json", |json| json["profile"] = hostile.into());
    let output = compared(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    clean(&output.stderr);
    change(folder.path(), "report/verdicts.json", |json| json["profile"] = hostile.into());
    clean(&birth_death(folder.path(), &["report"]).stdout);
    clean(&fs::read(folder.path().join("report/index.html")).expect("the page"));
}

#[test]
fn a_baseline_that_would_agree_with_anything_is_refused_before_anything_is_computed() {
    let folder = reported();
    let report = folder.path().join("report/verdicts.json");
    let sound = fs::read_to_string(&report).expect("read");
    let refused = |edit: fn(&mut Value), says: &[&str]| {
        fs::write(folder.path().join("baseline.json"), &sound).expect("written");
        change(folder.path(), "baseline.json", edit);
        let output = compared(folder.path(), &[]);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{says:?}: {message}");
        assert!(!folder.path().join("today").exists(), "nothing was computed");
        for word in says.iter().chain(&["baseline.json", "accepted"]) {
            assert!(message.contains(word), "{word}: {message}");
        }
        assert_eq!(message.lines().count(), 1, "{message}");
    };
    let place = ["uniform-control", "effect w", "xorshift128"];
    let with = |says: &'static str| [&place[..], &[says]].concat();
    refused(
        |json| json["claims"][1]["checks"][0]["null"]["standard_error"] = "inf".into(),
        &with("standard_error is inf"),
    );
    refused(
        |json| json["claims"][1]["checks"][0]["null"]["standard_error"] = "NaN".into(),
        &with("standard_error is NaN"),
    );
    refused(
        |json| json["claims"][1]["checks"][0]["null"]["standard_error"] = (-1.0).into(),
        &with("standard_error is -1"),
    );
    refused(|json| json["claims"][1]["checks"][0]["null"]["dof"] = 0.5.into(), &with("dof is 0.5"));
    refused(|json| json["claims"][1]["checks"][0]["verdict"] = "undecided".into(), &with("verdict is undecided"));
    refused(|json| json["claims"][0] = json["claims"][1].clone(), &["uniform-control twice"]);
    refused(|json| json["wanted"] = 3.into(), &["wanted is 3"]);
    refused(|json| json["program"] = "other".into(), &["program", "other", "birth-death"]);
    refused(|json| json["schema"] = 2.into(), &["version 2 of the layout"]);
    refused(|json| json["complete"] = false.into(), &["interrupted"]);
}

/// What follows from the profile is known when it was measured: the report is there, and it is no pass.
#[test]
fn a_baseline_that_was_measured_otherwise_is_no_pass() {
    let folder = reported();
    let sound = fs::read_to_string(folder.path().join("report/verdicts.json")).expect("read");
    let refused = |edit: fn(&mut Value), says: &[&str]| {
        fs::write(folder.path().join("baseline.json"), &sound).expect("written");
        change(folder.path(), "baseline.json", edit);
        let output = compared(folder.path(), &[]);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{says:?}: {message}");
        assert!(folder.path().join("today/index.html").exists());
        assert!(says.iter().all(|word| message.contains(word)), "{says:?}: {message}");
    };
    refused(|json| json["claims"][1]["checks"][0]["what"] = "something".into(), &["other checks of uniform-control"]);
    refused(|json| json["claims"][1]["checks"][0]["replicates"] = 7.into(), &["replicates is 7", "effect w"]);
    refused(|json| json["claims"][1]["checks"][0]["tolerance"] = 0.06.into(), &["tolerance is 0.06", "0.05"]);
    refused(|json| json["claims"][1]["checks"][0]["null"]["standard_error"] = 1e300.into(), &["standard_error is 1"]);
    refused(|json| json["claims"][1]["checks"][0]["null"]["dof"] = 30.into(), &["dof is 30"]);
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
        include_str!("../../../docs/verdicts.md").split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let missing: Vec<_> = found.difference(&documented).collect();
    assert!(missing.is_empty(), "not in docs/verdicts.md: {missing:?}");
    // what is no key, and what only a run with a baseline has
    let others = [
        "birth-death verify",
        "report",
        "--baseline",
        "baseline",
        "accused",
        "claim",
        "moved",
        "changes",
        "together",
        "state",
        "then",
        "now",
        "difference",
        "errors",
        "logarithmic",
    ];
    let stale: Vec<_> = documented.difference(&found).filter(|key| !others.contains(&key.as_str())).collect();
    assert!(stale.is_empty(), "in docs/verdicts.md only: {stale:?}");
}
