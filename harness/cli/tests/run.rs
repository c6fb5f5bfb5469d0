//! `birth-death run` from end to end: what it writes, and that nothing but the configuration decides it.

mod common;

use std::fs;
use std::path::Path;

use common::{DIVERGING, PRIOR, Place, UNITS, units};

const FILES: [&str; 4] = ["ensemble.csv", "manifest.json", "summary.csv", "trajectory.csv"];

fn numbers(row: &[String]) -> Vec<f64> {
    row.iter().map(|field| field.parse().expect("a number")).collect()
}

#[test]
fn a_run_leaves_four_files_of_the_right_shape() {
    let place = Place::new();
    let printed = place.run(UNITS, &[]);
    assert!(printed.contains("final mean energy") && printed.contains("run"), "{printed}");
    assert_eq!(place.names(), ["a.toml", "run"]);
    let (header, rows) = place.table("run/trajectory.csv");
    assert_eq!(header.join(","), "replicate,step,time,energy,mean_potential,births,deaths,distinct");
    let places: Vec<(f64, f64)> = rows.iter().map(|row| (numbers(row)[0], numbers(row)[1])).collect();
    let expected: Vec<(f64, f64)> =
        [0.0, 1.0, 2.0].iter().flat_map(|&replicate| [0.0, 10.0, 20.0, 30.0].map(|step| (replicate, step))).collect();
    assert_eq!(places, expected);
    for row in rows.iter().map(|row| numbers(row)) {
        assert_eq!(row[2], row[1] * 0.01);
        assert!(row[3] > 0.0 && row[3].is_finite());
        if row[1] == 0.0 {
            assert_eq!(row[5..], [0.0, 0.0, 20.0], "no event before the first step, all ancestors alive");
        }
    }
    assert!(rows.iter().any(|row| row[5] != "0"), "alpha = 5 gives births");

    let (header, summary) = place.table("run/summary.csv");
    assert_eq!(header.join(","), "step,time,replicates,mean,sd,standard_error,q1,median,q3");
    assert_eq!(summary.len(), 4);
    let last = numbers(&summary[3]);
    let energies: Vec<f64> = [3, 7, 11].iter().map(|&row| numbers(&rows[row])[3]).collect();
    assert_eq!(last[..3], [30.0, 0.3, 3.0]);
    assert!((last[3] - energies.iter().sum::<f64>() / 3.0).abs() < 1e-15);

    let (header, ensemble) = place.table("run/ensemble.csv");
    assert_eq!((header.join(","), ensemble.len()), ("c,y1".to_owned(), 20));

    let manifest = place.manifest("run/manifest.json");
    for (key, value) in [
        ("program", serde_json::json!("birth-death")),
        ("precision", serde_json::json!("f64")),
        ("seed", serde_json::json!(1)),
        ("complete", serde_json::json!(true)),
        ("completed", serde_json::json!(3)),
    ] {
        assert_eq!(manifest[key], value, "{key}");
    }
    assert_eq!(manifest["configuration"]["text"], UNITS);
    assert_eq!(manifest["configuration"]["sha256"].as_str().map(str::len), Some(64));
}

#[test]
fn the_last_step_and_step_0_are_recorded_whatever_the_interval() {
    for (steps, every, expected) in [("7", "3", "0 3 6 7"), ("7", "100", "0 7"), ("0", "5", "0"), ("6", "3", "0 3 6")] {
        let place = Place::new();
        let text = units(&[
            ("steps = 30", &format!("steps = {steps}")),
            ("record_every = 10", &format!("record_every = {every}")),
            ("replicates = 3\n", ""),
        ]);
        place.run(&text, &[]);
        let (_, rows) = place.table("run/trajectory.csv");
        let steps: Vec<&str> = rows.iter().map(|row| row[1].as_str()).collect();
        assert_eq!(steps.join(" "), expected);
    }
}

#[test]
fn recording_more_often_changes_no_number() {
    let (often, seldom) = (Place::new(), Place::new());
    often.run(&units(&[("record_every = 10", "record_every = 1")]), &[]);
    seldom.run(UNITS, &[]);
    let (_, all) = often.table("run/trajectory.csv");
    let (_, some) = seldom.table("run/trajectory.csv");
    let step = |row: &[String]| row[1].parse::<u64>().expect("a step");
    let tenth: Vec<_> = all.iter().filter(|row| step(row) % 10 == 0).collect();
    for (a, b) in tenth.iter().zip(&some) {
        assert_eq!((&a[..5], &a[7]), (&b[..5], &b[7]));
    }
    for column in [5, 6] {
        let total = |rows: &[Vec<String>]| -> f64 { rows.iter().map(|row| numbers(row)[column]).sum() };
        assert_eq!(total(&all), total(&some), "events are counted once, in one row or in ten");
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let reinjection = units(&[
        ("\"birth-death\"", "\"reinjection\""),
        ("\"centred\"", "\"raw\""),
        ("replicates = 3", "replicates = 9"),
    ]) + PRIOR;
    for text in [reinjection.clone(), reinjection.replace("\"f64\"", "\"f32\"")] {
        let place = Place::new();
        place.run(&text, &["--threads", "1", "--out", "one"]);
        place.run(&text, &["--threads", "2", "--out", "two"]);
        place.run(&text, &["--out", "all"]);
        for file in FILES {
            let one = place.read(&format!("one/{file}"));
            assert_eq!(one, place.read(&format!("two/{file}")), "{file}");
            assert_eq!(one, place.read(&format!("all/{file}")), "{file}");
        }
    }
}

#[test]
fn replicates_have_streams_of_their_own_that_do_not_depend_on_their_number() {
    let place = Place::new();
    place.run(UNITS, &["--out", "three"]);
    place.run(&units(&[("replicates = 3", "replicates = 2")]), &["--out", "two"]);
    place.run(&units(&[("seed = 1", "seed = 2")]), &["--out", "other"]);
    let three = place.read("three/trajectory.csv");
    let two = place.read("two/trajectory.csv");
    assert!(three.starts_with(&two));
    let lines: Vec<&str> = three.lines().collect();
    assert_ne!(lines[1][2..], lines[5][2..], "two replicates start differently");
    assert_ne!(place.read("other/trajectory.csv"), three);
}

#[test]
fn a_result_replaces_the_earlier_one_whole() {
    let place = Place::new();
    place.run(UNITS, &["--out", "deep/down/here"]);
    fs::write(place.path().join("deep/down/here/verdicts.json"), "").expect("written");
    place.run(&units(&[("seed = 1", "seed = 2")]), &["--out", "deep/down/here"]);
    let folder = place.path().join("deep/down");
    let count = |path: &Path| fs::read_dir(path).expect("read").count();
    assert_eq!((count(&folder), count(&folder.join("here"))), (1, 4));
    assert_eq!(place.manifest("deep/down/here/manifest.json")["seed"], 2);
}

#[test]
fn every_file_of_a_result_is_a_name_by_which_it_may_be_replaced() {
    assert!(FILES.iter().all(|file| birth_death_output::folder::NAMES.contains(file)));
    let place = Place::new();
    place.run(UNITS, &[]);
    fs::write(place.path().join("run/notes.txt"), "mine").expect("written");
    let output = place.birth_death(&["run", "a.toml"]);
    let message = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("notes.txt"), "{message}");
    assert_eq!(place.read("run/notes.txt"), "mine");
}

#[test]
fn a_start_file_is_the_ensemble_at_step_0_columns_in_any_order() {
    let place = Place::new();
    place.put("start.csv", "y1,c\r\n0.25,1.5\r\n-0.5,\"2\"\r\n");
    let text = units(&[
        ("particles = 20", "particles = 2"),
        ("steps = 30", "steps = 0"),
        ("c = { normal = { mean = 0.0, sd = 1.0 } }\n", "file = \"start.csv\"\n"),
        ("y1 = { uniform = { low = -2.0, high = 2.0 } }\n", ""),
    ]);
    place.run(&text, &[]);
    assert_eq!(place.read("run/ensemble.csv"), "c,y1\n1.5,0.25\n2.0,-0.5\n");
    let manifest = place.manifest("run/manifest.json");
    assert_eq!(manifest["inputs"][0]["file"], "start.csv");
    assert_eq!(manifest["inputs"][0]["sha256"].as_str().map(str::len), Some(64));
    let output = place.birth_death(&["run", "a.toml", "--out", "run/../run"]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn quench_turns_events_off_and_gradient_flow_has_none() {
    let events = |text: &str| {
        let place = Place::new();
        place.run(text, &[]);
        let (_, rows) = place.table("run/trajectory.csv");
        rows.iter().map(|row| numbers(row)).map(|row| (row[1], row[5] + row[6])).collect::<Vec<_>>()
    };
    let quenched = events(&units(&[("quench = 0", "quench = 20")]));
    assert!(quenched.iter().any(|&(step, events)| step == 10.0 && events > 0.0));
    assert!(quenched.iter().all(|&(step, events)| step <= 10.0 || events == 0.0));
    for text in [
        units(&[("\"birth-death\"", "\"gradient-flow\""), ("alpha = 5.0\n", "")]),
        units(&[("alpha = 5.0", "alpha = 0.0")]),
        units(&[("quench = 0", "quench = 30")]),
    ] {
        assert!(events(&text).iter().all(|&(_, events)| events == 0.0));
    }
}

#[test]
fn a_numerical_error_ends_its_replicate_and_keeps_the_others() {
    let place = Place::new();
    place.put("a.toml", DIVERGING);
    let mut kept = Vec::new();
    for threads in ["1", "2"] {
        // a part would go beside an earlier one
        let _ = fs::remove_dir_all(place.path().join("run"));
        let output = place.birth_death(&["run", "a.toml", "--threads", threads]);
        let message = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains("replicate ") && message.contains(", step "), "{message}");
        assert!(message.contains("not finite") && message.contains("are kept in"), "{message}");
        let manifest = place.manifest("run/manifest.json");
        assert_eq!(manifest["complete"], false);
        let failed = manifest["failures"].as_array().map_or(0, Vec::len);
        assert_eq!(manifest["completed"], 12 - failed);
        assert_eq!(place.table("run/trajectory.csv").1.len(), 5 * (12 - failed));
        kept.push(FILES.map(|file| place.read(&format!("run/{file}"))));
    }
    assert_eq!(kept[0], kept[1]);
    let before = place.read("run/manifest.json");
    place.put("a.toml", DIVERGING.replace("dt = 0.1", "dt = 1e6"));
    let output = place.birth_death(&["run", "a.toml"]);
    let message = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("nothing is written"), "{message}");
    assert_eq!(place.read("run/manifest.json"), before, "an earlier result survives");
}

#[test]
fn extinction_is_a_numerical_error_that_names_its_step() {
    let place = Place::new();
    let text = "seed = 1\nparticles = 5\nsteps = 10\ndt = 0.1\nalpha = 1e6\nscheme = \"birth-death\"\nrate = \"raw\"\n\
                [model]\nkind = \"quadratic\"\ncurvature = [1]\n[start]\nx1 = 3\n";
    place.put("a.toml", text);
    let output = place.birth_death(&["run", "a.toml"]);
    let message = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("replicate 0, step 0: every particle died"), "{message}");
    assert_eq!(place.names(), ["a.toml"]);
}

#[test]
fn pure_birth_death_moves_nothing() {
    let place = Place::new();
    let text = "seed = 1\nparticles = 50\nsteps = 20\ndt = 0.1\nalpha = 3\nscheme = \"birth-death\"\ntransport = \
        false\n\
                [model]\nkind = \"rastrigin\"\ndimension = 2\namplitude = 1\n[start]\nx1 = 3\n\
                x2 = { uniform = { low = -1, high = 1 } }\n";
    place.run(&text.replace("steps = 20", "steps = 0"), &["--out", "before"]);
    place.run(text, &["--out", "after"]);
    let (_, before) = place.table("before/ensemble.csv");
    let (_, after) = place.table("after/ensemble.csv");
    assert!(after.iter().all(|particle| before.contains(particle)));
    let (_, rows) = place.table("after/trajectory.csv");
    let mut left: Vec<_> = after.clone();
    left.sort();
    left.dedup();
    assert_eq!(rows[20][7], left.len().to_string(), "distinct ancestors are distinct places");
    assert!(left.len() < 50);
}
