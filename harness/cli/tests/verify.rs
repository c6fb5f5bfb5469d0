//! `birth-death verify` as a user runs it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Runs the binary in `folder`.
fn birth_death(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_birth-death")).args(arguments).current_dir(folder).output().expect("it runs")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn verdicts_are_printed_and_written() {
    let folder = folder();
    let output =
        birth_death(folder.path(), &["verify", "--claim", "gradient", "--claim", "conservation", "--seed", "5"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    for expected in
        ["claim", "verdict", "estimate", "tolerance", "detects", "replicates", "gradient", "2 hold", "seed 5"]
    {
        assert!(table.contains(expected), "{expected}: {table}");
    }
    let json = std::fs::read(folder.path().join("report/verdicts.json")).expect("verdicts.json");
    let verdicts: Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!((verdicts["seed"].as_u64(), verdicts["complete"].as_bool()), (Some(5), Some(true)));
    let claims = verdicts["claims"].as_array().expect("claims");
    assert_eq!(claims.len(), 2);
    for claim in claims {
        for key in ["id", "verdict", "statement", "source", "setting", "estimator", "oracle", "tolerance"] {
            assert!(claim[key].as_str().is_some_and(|text| !text.is_empty()), "{key}");
        }
        for check in claim["checks"].as_array().expect("checks") {
            for key in ["estimate", "reference", "tolerance", "detectable", "replicates", "level"] {
                assert!(check[key].is_number(), "{key}: {check}");
            }
        }
    }
    assert!(output.stderr.is_empty(), "quiet when piped: {}", text(&output.stderr));
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let folder = folder();
    let run = |threads: &str, out: &str| {
        let claims = ["--claim", "event-counts", "--claim", "uniform-control", "--seed", "77002"];
        let arguments = [&["verify", "--threads", threads, "--out", out], &claims[..]].concat();
        assert_eq!(birth_death(folder.path(), &arguments).status.code(), Some(0));
        std::fs::read(folder.path().join(out).join("verdicts.json")).expect("verdicts.json")
    };
    assert!(run("1", "one") == run("2", "two"));
}

#[test]
fn bad_usage_is_refused_before_anything_is_written() {
    let folder = folder();
    for (arguments, says) in [
        (&["verify", "--claim", "gradeint"][..], &["--claim", "gradeint", "did you mean gradient", "mean-field"][..]),
        (&["verify", "--seed", "-1"], &["--seed", "random"]),
        (&["verify", "--seed", "9223372036854775808"], &["--seed", "9223372036854775807"]),
        (&["verify", "--profile", "slow"], &["slow", "quick", "full"]),
        (&["verify", "--threads", "0"], &["--threads"]),
        (&["verify", "--out", "."], &["--out", "another folder"]),
        (&["verfy"], &["verfy", "verify"]),
    ] {
        let output = birth_death(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let message = text(&output.stderr);
        for word in says {
            assert!(message.contains(word), "{arguments:?}: {message}");
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
}

#[test]
fn a_random_seed_is_named_and_repeats_the_run() {
    let folder = folder();
    let output = birth_death(folder.path(), &["verify", "--claim", "gradient", "--seed", "random"]);
    let table = text(&output.stdout);
    let seed = table.split("seed ").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a seed");
    let first = std::fs::read(folder.path().join("report/verdicts.json")).expect("verdicts.json");
    assert!(birth_death(folder.path(), &["verify", "--claim", "gradient", "--seed", seed]).status.success());
    assert!(std::fs::read(folder.path().join("report/verdicts.json")).expect("verdicts.json") == first);
}

#[test]
fn a_folder_of_somebody_else_s_is_not_replaced() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("report")).expect("a folder");
    std::fs::write(folder.path().join("report/thesis.txt"), "years of work").expect("a file");
    let output = birth_death(folder.path(), &["verify", "--claim", "gradient"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(folder.path().join("report/thesis.txt").exists());
}

/// Ctrl-C keeps the claims that are decided, and says how far it came.
#[cfg(unix)]
#[test]
fn an_interruption_keeps_what_is_decided_and_the_report_before_it() {
    let folder = folder();
    let interrupted = |report: &str| {
        let arguments = ["verify", "--claim", "gradient", "--claim", "mean-field", "--profile", "full"];
        let child = Command::new(env!("CARGO_BIN_EXE_birth-death"))
            .args(arguments)
            .current_dir(folder.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("it runs");
        std::thread::sleep(std::time::Duration::from_secs(4));
        let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
        assert!(kill.success());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(130));
        assert!(text(&output.stdout).contains("interrupted after 1 of 2 claims"), "{}", text(&output.stdout));
        let file = |name: &str| std::fs::read(folder.path().join(report).join(name)).expect(name);
        let verdicts: Value = serde_json::from_slice(&file("verdicts.json")).expect("JSON");
        assert_eq!((verdicts["complete"].as_bool(), verdicts["wanted"].as_u64()), (Some(false), Some(2)));
        assert!(text(&file("junit.xml")).contains("interrupted after 1 of 2 claims"));
    };
    interrupted("report");
    let whole = ["verify", "--claim", "gradient"];
    assert_eq!(birth_death(folder.path(), &whole).status.code(), Some(0));
    let before = std::fs::read(folder.path().join("report/verdicts.json")).expect("verdicts.json");
    interrupted("report-interrupted");
    assert!(std::fs::read(folder.path().join("report/verdicts.json")).expect("verdicts.json") == before);
}
