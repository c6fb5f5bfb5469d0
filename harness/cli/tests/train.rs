//! Training from the command line: train, predict, the written model.rs, compare and data.
#![allow(clippy::disallowed_methods)] // std's functions, to check with

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use birth_death_simulate::config::training::Training;
use birth_death_train::prepared::Prepared;
use common::Place;

/// A training in which every key is present.
const TRAINING: &str = r#"seed = 1001
particles = 37
steps = 40
dt = 0.1
alpha = 1.0
scheme = "birth-death"
rate = "centred"
quench = 5
precision = "f32"
[data]
file = "data.csv"
target = "y"
task = "regression"
inputs = ["a", "b"]
standardise = true
validation = 0.2
test = 0.25
[network]
activation = "tanh"
bias = true
decay = 0.001
scale = "mean-field"
[batch]
size = 7
[start]
c = { normal = { mean = 0.0, sd = 1.0 } }
z = { normal = { mean = 0.0, sd = 1.0 } }
[prior]
c = 0.0
z = { uniform = { low = -1.0, high = 1.0 } }
[stopping]
every = 4
patience = 100
"#;

/// [`TRAINING`] with replacements; each must be found.
fn training(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(TRAINING.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in the configuration");
        text.replacen(from, to, 1)
    })
}

/// 60 rows: two inputs, a column of no use, numbers y and w, and labels of two and of three classes.
fn data() -> String {
    let mut text = "b,id,a,y,w,two,three\n".to_owned();
    for i in 0..60u32 {
        let (a, b) = (f64::from(i % 9) - 3.7, f64::from(i % 7) * 0.31);
        let y = a * b + 0.1 * a * a - 2.0;
        let two = if a > b { "no" } else { "yes" };
        let three = ["red", "green", "\"deep, \"\"blue\"\"\""][(i % 9 / 3) as usize];
        writeln!(text, "{b:.4},row{i},{a:.4},{y:.4},{:.3},{two},{three}", 100.0 * b - y).expect("written");
    }
    text
}

/// A place with the data, the configuration, and the result of its training in `training`.
fn trained(text: &str) -> Place {
    let place = Place::new();
    place.put("data.csv", data());
    place.put("a.toml", text);
    let output = place.birth_death(&["train", "a.toml"]);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), message.as_ref()), (Some(0), ""), "{text}");
    place
}

/// What `predict` prints, and what it says on standard error.
fn predicted(place: &Place, arguments: &[&str]) -> (String, String) {
    let output = place.birth_death(&[&["predict"], arguments].concat());
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(0), "{said}");
    (String::from_utf8(output.stdout).expect("text"), said)
}

fn rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

#[test]
fn a_training_leaves_a_model_that_predicts() {
    let place = trained(&training(&[("dt = 0.1", "dt = 0.5")]));
    let mut names: Vec<String> = fs::read_dir(place.path().join("training"))
        .expect("read")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["losses.csv", "losses.svg", "manifest.json", "model.json", "model.rs"]);

    let (header, losses) = place.table("training/losses.csv");
    assert_eq!(header.join(","), "step,time,training_loss,validation_loss,births,deaths,distinct");
    assert_eq!((losses.len(), losses[10][0].as_str(), losses[10][1].as_str()), (11, "40", "20.0"));
    assert!(losses.iter().any(|row| row[4] != "0") && losses.iter().any(|row| row[6] != "37"), "events happened");
    assert!(number(&losses[10][2]) < number(&losses[0][2]), "it learns");

    // the model that is kept has the least validation loss
    let manifest = place.manifest("training/manifest.json");
    let best = losses.iter().min_by(|a, b| number(&a[3]).total_cmp(&number(&b[3]))).expect("a row");
    assert_eq!(manifest["kept_step"].to_string(), best[0]);
    assert_ne!(best[0], "40", "which is not the last");
    assert_eq!((manifest["ended"].as_str(), manifest["complete"].as_bool()), (Some("complete"), Some(true)));

    // its predictions are for all rows, by the names of the columns, and as good as it says
    let (predictions, said) = predicted(&place, &["training/model.json", "data.csv"]);
    let (predictions, all) = (rows(&predictions), rows(&place.read("data.csv")));
    assert_eq!((predictions[0].join(","), predictions.len()), ("y".to_owned(), 61));
    let squares: f64 = (1..61).map(|i| (number(&predictions[i][0]) - number(&all[i][3])).powi(2)).sum();
    let rmse = (squares / 60.0).sqrt();
    let (score, of_training) = said.trim().split_once('\n').expect("two lines");
    let claimed = score.split("RMSE y ").nth(1).map(number).expect("an error");
    assert_eq!(
        of_training,
        "the model was made of this file: the score includes the 33 rows that it was trained on and the 12 that chose \
            it"
    );
    // the claim is rounded to six decimals, the outputs to f32
    assert!((claimed - rmse).abs() < 1e-5, "{said} {rmse}");

    // that of the test part is in the manifest, and that of the validation part in the losses
    let config = Training::load(&place.path().join("a.toml")).expect("accepted");
    let prepared = Prepared::<f32>::new(&config, 0).expect("prepared");
    let loss_on = |part: &[usize]| {
        let sd = prepared.targets[0].sd;
        let of = |&row: &usize| ((number(&predictions[row + 1][0]) - number(&all[row + 1][3])) / sd).powi(2) / 2.0;
        part.iter().map(of).sum::<f64>() / part.len() as f64
    };
    let tested = manifest["test"]["loss"].as_f64().expect("a loss");
    for (found, part) in [(tested, &prepared.test), (number(&best[3]), &prepared.validation)] {
        let expected = loss_on(&part.rows);
        assert!((found - expected).abs() < 1e-5 * expected, "{found} {expected}");
    }
    let sizes = [&prepared.training, &prepared.validation, &prepared.test].map(|part| part.rows.len());
    assert_eq!(sizes, [33, 12, 15]);

    // another order of columns changes nothing; without the target nothing is said of errors
    let reordered: String = all.iter().map(|row| format!("{},{},{}\n", row[2], row[1], row[0])).collect();
    place.put("other.csv", reordered);
    let (again, said) = predicted(&place, &["training/model.json", "other.csv", "--out", "p.csv"]);
    assert_eq!((again.as_str(), said.as_str()), ("", ""));
    assert_eq!(rows(&place.read("p.csv")), predictions);
}

#[test]
fn the_same_configuration_gives_the_same_bytes() {
    let place = trained(TRAINING);
    let read = |place: &Place| {
        ["model.json", "model.rs", "losses.csv", "losses.svg"].map(|name| place.read(&format!("training/{name}")))
    };
    assert_eq!(read(&trained(TRAINING)), read(&place));
    assert_ne!(read(&trained(&training(&[("1001", "1002")]))), read(&place));
    for (from, to) in [("alpha = 1.0", "alpha = 0.5"), ("size = 7", "size = 8"), ("decay = 0.001", "decay = 0.1")] {
        assert_ne!(trained(&training(&[(from, to)])).read("training/model.json"), place.read("training/model.json"));
    }
}

/// What the written source must agree with `predict` about: every activation, both precisions, one and two numbers, two
/// and three classes; with and without bias, standardisation, another scale.
fn variants() -> Vec<String> {
    let mut variants = Vec::new();
    for activation in ["relu", "tanh", "gaussian", "sigmoid"] {
        for precision in ["f32", "f64"] {
            for (target, task) in [
                ("\"y\"", "regression"),
                ("[\"w\", \"y\"]", "regression"),
                ("\"two\"", "classification"),
                ("\"three\"", "classification"),
            ] {
                let mut changes = vec![
                    ("\"tanh\"", format!("\"{activation}\"")),
                    ("\"f32\"", format!("\"{precision}\"")),
                    ("target = \"y\"", format!("target = {target}")),
                    ("\"regression\"", format!("\"{task}\"")),
                ];
                if target.starts_with('[') {
                    changes.push(("bias = true", "bias = false".to_owned()));
                    changes.push(("\"mean-field\"", "0.7".to_owned()));
                }
                if target == "\"three\"" {
                    changes.push(("standardise = true", "standardise = false".to_owned()));
                    changes.push(("\"mean-field\"", "\"sum\"".to_owned()));
                    changes.push(("dt = 0.1", "dt = 0.001".to_owned()));
                }
                let changes: Vec<(&str, &str)> = changes.iter().map(|(from, to)| (*from, to.as_str())).collect();
                variants.push(training(&changes));
            }
        }
    }
    variants
}

fn rustc(folder: &Path, arguments: &[&str]) {
    let output = Command::new("rustc").args(["--edition", "2024"]).args(arguments).current_dir(folder).output();
    let output = output.expect("rustc runs");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.success(), message.as_ref()), (true, ""));
}

/// Beside the data: far out, where activations saturate, and next to nothing.
const ROWS: [[&str; 2]; 6] = [
    ["1e6", "-3.5"],
    ["-1e6", "1e6"],
    ["1e-30", "-0.0"],
    ["0.1", "0.2"],
    ["-12.75", "40.5"],
    ["3.3333333333", "-1e-3"],
];

#[test]
fn the_written_source_needs_nothing_and_predicts_the_same_bits() {
    let place = Place::new();
    place.put("data.csv", data());
    let mut raw = rows(&data()).into_iter().skip(1).map(|row| [row[2].clone(), row[0].clone()]).collect::<Vec<_>>();
    raw.extend(ROWS.map(|row| row.map(str::to_owned)));
    place.put("rows.csv", raw.iter().fold("a,b\n".to_owned(), |text, [a, b]| text + &format!("{a},{b}\n")));

    let mut library = "#![no_std]\n".to_owned();
    let mut program = "fn main() {\n".to_owned();
    let mut expected = String::new();
    for (number, text) in variants().iter().enumerate() {
        place.put("a.toml", text);
        let output = place.birth_death(&["train", "a.toml", "--out", &format!("t{number}")]);
        assert_eq!(output.status.code(), Some(0), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
        let (predictions, _) = predicted(&place, &[&format!("t{number}/model.json"), "rows.csv"]);
        let predictions = rows(&predictions);
        let single = text.contains("\"f32\"");
        let classes = text.contains("\"classification\"");
        // numbers are f64 in both precisions, probabilities of the model's
        let real = if single && classes { "f32" } else { "f64" };
        let bits = |field: &String| {
            if real == "f32" {
                u64::from(field.parse::<f32>().expect("a number").to_bits())
            } else {
                field.parse::<f64>().expect("a number").to_bits()
            }
        };
        for row in &predictions[1..] {
            let (label, numbers) = if classes { (row[0].as_str(), &row[1..]) } else { ("", &row[..]) };
            writeln!(expected, "m{number} {label:?} {:?}", numbers.iter().map(bits).collect::<Vec<_>>())
                .expect("written");
        }
        writeln!(library, "#[path = \"t{number}/model.rs\"] pub mod m{number};").expect("written");
        let table: String = raw.iter().map(|[a, b]| format!("[{a}f64, {b}f64], ")).collect();
        writeln!(program, "for x in [{table}] {{").expect("written");
        let (label, values) = if classes {
            (format!("models::m{number}::CLASSES[models::m{number}::predict(&x)]"), "probabilities")
        } else {
            ("\"\"".to_owned(), "predict")
        };
        writeln!(
            program,
            "println!(\"m{number} {{:?}} {{:?}}\", {label}, models::m{number}::{values}(&x).map({real}::to_bits)); }}"
        )
        .expect("written");
    }
    program.push_str("}\n");
    place.put("models.rs", library);
    place.put("main.rs", program);
    rustc(place.path(), &["--crate-type", "lib", "-D", "warnings", "models.rs"]);
    rustc(place.path(), &["--extern", "models=libmodels.rlib", "-A", "warnings", "main.rs"]);
    let output = Command::new(place.path().join("main")).output().expect("it runs");
    let found = String::from_utf8(output.stdout).expect("text");
    assert_eq!(found.lines().count(), 32 * 66);
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected);
    }
}

#[test]
fn without_improvement_it_stops_and_a_step_that_fails_keeps_the_best() {
    let place = trained(&training(&[
        ("patience = 100", "patience = 2"),
        ("dt = 0.1", "dt = 1e-30"),
        ("alpha = 1.0", "alpha = 0.0"),
    ]));
    let manifest = place.manifest("training/manifest.json");
    assert_eq!(
        (manifest["ended"].as_str(), manifest["steps"].as_u64(), manifest["kept_step"].as_u64()),
        (Some("patience"), Some(8), Some(0))
    );
    // without validation nothing is chosen: the last
    let place = trained(&training(&[
        ("validation = 0.2", "validation = 0"),
        ("patience = 100", ""),
        ("dt = 0.1", "dt = 0.0001"),
    ]));
    assert_eq!(place.manifest("training/manifest.json")["kept_step"], 40);
    assert_eq!(place.table("training/losses.csv").1[3][3], "");

    let diverging = training(&[("dt = 0.1", "dt = 1e4"), ("\"tanh\"", "\"relu\"")]);
    place.put("a.toml", diverging);
    let output = place.birth_death(&["train", "a.toml", "--out", "failed"]);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), message.lines().count()), (Some(1), 1), "{message}");
    assert!(message.contains("step ") && message.contains("not finite") && message.contains("is kept in"), "{message}");
    assert_eq!(place.manifest("failed/manifest.json")["ended"], "failed");
    predicted(&place, &["failed/model.json", "data.csv"]);
}

/// Begins a command on the data and the configuration, interrupts it after a while, and gives what it said.
#[cfg(unix)]
fn interrupted(place: &Place, text: &str, arguments: &[&str]) -> String {
    use std::process::Stdio;
    place.put("data.csv", data());
    place.put("a.toml", text);
    let child = place.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    common::wait_for_the_handler(&child);
    // a replicate takes a millisecond; nothing tells of it from outside
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs").success());
    let output = child.wait_with_output().expect("it ends");
    let message = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(130), "{message}");
    message
}

#[cfg(unix)]
#[test]
fn an_interrupted_training_keeps_the_best_model_so_far() {
    let place = Place::new();
    let text =
        training(&[("steps = 40", "steps = 1000000000"), ("every = 4", "every = 1000000000"), ("patience = 100", "")]);
    let message = interrupted(&place, &text, &["train", "a.toml"]);
    assert!(message.contains("interrupted; the best model so far is kept in"), "{message}");
    let manifest = place.manifest("training/manifest.json");
    assert_eq!((manifest["ended"].as_str(), manifest["complete"].as_bool()), (Some("interrupted"), Some(false)));
    let losses = place.table("training/losses.csv").1;
    assert_eq!(losses.len(), 2, "the start, and the steps before the interruption");
    assert_eq!(losses[1][0], manifest["steps"].to_string());
    assert!(number(&losses[1][0]) > 0.0);
    predicted(&place, &["training/model.json", "data.csv"]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_comparison_keeps_the_complete_replicates() {
    let place = Place::new();
    let message = interrupted(&place, TRAINING, &["compare", "a.toml", "--replicates", "50000", "--threads", "1"]);
    assert!(
        message.contains("interrupted; ") && message.contains("complete replicates of 50000 are kept"),
        "{message}"
    );
    let summary = place.manifest("comparison/compare.json");
    let completed = summary["completed"].as_u64().expect("a number");
    assert!(completed > 0 && completed < 50000, "{completed}");
    assert_eq!(place.table("comparison/compare.csv").1.len() as u64, 4 * completed);
}

#[test]
fn every_scheme_trains() {
    for (changes, events, fresh) in [
        (&[("\"birth-death\"", "\"gradient-flow\""), ("alpha = 1.0\n", "")][..], false, false),
        (&[("\"centred\"", "\"raw\"")], true, false),
        (&[("\"birth-death\"", "\"reinjection\""), ("rate = \"centred\"\n", "")], true, true),
    ] {
        let place = trained(&training(changes));
        let losses = place.table("training/losses.csv").1;
        assert_eq!(losses.iter().any(|row| row[4] != "0" || row[5] != "0"), events, "{changes:?}");
        // draws from the prior are new ancestors: their number can rise then, and only then
        let distinct: Vec<f64> = losses.iter().map(|row| number(&row[6])).collect();
        assert_eq!(distinct.windows(2).any(|pair| pair[1] > pair[0]), fresh, "{distinct:?}");
        assert!(number(&losses[10][2]) < number(&losses[0][2]), "it learns");
    }
}

/// Runs a command that must be refused: code 2, one line, nothing written.
fn refused(place: &Place, arguments: &[&str]) -> String {
    let before = place.names();
    let output = place.birth_death(arguments);
    let message = String::from_utf8(output.stderr).expect("text");
    assert_eq!((output.status.code(), message.lines().count()), (Some(2), 1), "{message}");
    assert!(output.stdout.is_empty() && message.contains("accepted"), "{message}");
    assert_eq!(place.names(), before, "{message}");
    message
}

fn check(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "\"{part}\" is not in: {message}");
    }
}

/// The refusal of a changed configuration, by the library: the same without a process.
fn message(changes: &[(&str, &str)], table: &str) -> String {
    let place = Place::new();
    place.put("data.csv", table);
    let path = place.put("a.toml", training(changes));
    let loaded = Training::load(&path).and_then(|config| Prepared::<f32>::new(&config, 0).map(|_| ()));
    let message = loaded.expect_err("refused").to_string();
    assert!(message.contains("accepted") && !message.contains('\n'), "{message}");
    message
}

#[test]
fn bad_configurations_are_refused_with_place_and_value() {
    let place = Place::new();
    place.put("data.csv", data());
    place.put("a.toml", training(&[("particles", "particels")]));
    check(&refused(&place, &["train", "a.toml"]), &["a.toml:2:", "particels", "nearest valid key is \"particles\""]);
    place.put("a.toml", TRAINING);
    check(&refused(&place, &["train", "a.toml", "--out", "."]), &["--out", "current folder"]);

    for (from, to, parts) in [
        ("steps = 40", "steps = 0", ["a.toml:3: steps = 0", "from 1"]),
        ("dt = 0.1", "dt = 0.0", ["a.toml:4: dt = 0.0", "above 0"]),
        ("\"birth-death\"", "\"birthdeath\"", ["scheme = \"birthdeath\"", "nearest is \"birth-death\""]),
        ("quench = 5", "quench = 41", ["quench = 41", "from 0 to 40"]),
        ("\"f32\"", "\"f16\"", ["precision = \"f16\"", "f64"]),
        ("file = \"data.csv\"", "file = \"dat.csv\"", ["a.toml:11: data.file = \"dat.csv\"", "cannot be read"]),
        ("target = \"y\"", "target = \"z\"", ["a.toml:12: data.target = \"z\"", "the nearest is"]),
        ("target = \"y\"", "target = [\"y\", \"y\"]", ["data.target[1] = \"y\"", "once"]),
        ("target = \"y\"", "target = \"id\"", ["data.csv:2: id = \"row0\"", "a number finite in f32"]),
        ("target = \"y\"", "target = \"a\"", ["data.inputs", "no target, as \"a\" is"]),
        ("\"regression\"", "\"regresion\"", ["data.task = \"regresion\"", "regression"]),
        ("\"regression\"", "\"classification\"", ["has 60 classes in 60 rows", "fewer classes than rows"]),
        ("[\"a\", \"b\"]", "[\"a\", \"id\"]", ["data.csv:2: id = \"row0\"", "a number finite in f32"]),
        ("[\"a\", \"b\"]", "[\"a\", \"c\"]", ["data.inputs[1] = \"c\"", "a column of the data"]),
        ("[\"a\", \"b\"]", "[]", ["data.inputs = []", "a list"]),
        ("validation = 0.2", "validation = 1.0", ["data.validation = 1.0", "below 1"]),
        ("validation = 0.2", "validation = 0.001", ["data.validation = 0.001", "of the 60"]),
        ("validation = 0.2", "validation = 0.75", ["data.test = 0.25", "leave 2 of the 60"]),
        ("validation = 0.2", "validation = 0.0", ["stopping.patience = 100", "data.validation = 0"]),
        ("\"tanh\"", "\"tan\"", ["network.activation = \"tan\"", "nearest is \"tanh\""]),
        ("bias = true", "bias = 1", ["network.bias = 1", "true or false"]),
        ("decay = 0.001", "decay = -1", ["network.decay = -1", "0 or more"]),
        ("\"mean-field\"", "\"mean\"", ["network.scale = \"mean\"", "\"sum\""]),
        ("\"mean-field\"", "0.0", ["network.scale = 0.0", "above 0"]),
        ("size = 7", "size = 34", ["batch.size = 34", "at most 33"]),
        ("size = 7", "sise = 7", ["batch.sise", "nearest valid key is \"size\""]),
        ("z = { uniform", "y = { uniform", ["prior.y", "nearest valid key"]),
        ("every = 4", "every = 0", ["stopping.every = 0", "from 1"]),
        ("patience = 100", "patience = 0", ["stopping.patience = 0", "from 1"]),
        ("\"birth-death\"", "\"gradient-flow\"", ["alpha = 1.0", "gradient-flow"]),
    ] {
        check(&message(&[(from, to)], &data()), &parts);
    }
    let reinjection = [("\"birth-death\"", "\"reinjection\""), ("rate = \"centred\"\n", ""), ("[prior]", "[priors]")];
    check(&message(&reinjection[..2], "a,b,y\n1,1,1\n"), &["data"]);
    check(&message(&reinjection, &data()), &["priors", "nearest valid key is \"prior\""]);
    let none = training(&reinjection[..2]);
    let (before, after) = none.split_at(none.find("[prior]").expect("there"));
    let path = place.put("b.toml", before.to_owned() + &after[after.find("[stopping]").expect("there")..]);
    check(&Training::load(&path).expect_err("refused").to_string(), &["missing key \"prior\""]);
}

#[test]
fn bad_data_are_refused_with_line_and_column() {
    let classes = [("target = \"y\"", "target = \"two\""), ("\"regression\"", "\"classification\"")];
    for (table, parts) in [
        ("", ["data.csv:1:", "is empty"]),
        ("a,b,y\n", ["data.csv:1:", "0 rows"]),
        ("a,b,b,y\n1,2,3,4\n", ["data.csv:1:", "column \"b\" twice"]),
        ("a,b,y\n1,2,3\n1,2\n", ["data.csv:3:", "2 fields"]),
        ("a,b,y\n1,2,3\n1,NaN,2\n2,3,4\n0,0,0\n", ["data.csv:3: b = \"NaN\"", "finite in f32"]),
        ("a,b,y\n1,2,3\n1,,2\n2,3,4\n0,0,0\n", ["data.csv:3: b = \"\"", "finite in f32"]),
        ("a,b,y\n1,2,3\n1,5,1e39\n2,3,4\n0,0,0\n", ["data.csv:3: y = \"1e39\"", "finite in f32"]),
        ("a,b,y\n1,2,3\n1,5,2\n1,3,4\n1,0,0\n", ["column \"a\" is 1.0 in every row", "two different values"]),
        ("a,b,y\n1,2,3\n0,5,3\n1,3,3\n0,0,3\n", ["column \"y\" is 3.0 in every row", "two different values"]),
        ("a,b,y\n1,2,3\n", ["data.validation = 0.2", "of the 1 there are"]),
        ("a,b,y\n1,2,3\n2,3,4\n3,2,5\n", ["data.test = 0.25", "leave 2 of the 3 rows"]),
        ("a,y\n1,2\n3,4\n5,6\n7,8\n", ["data.inputs[1] = \"b\"", "a column of the data: a, y"]),
    ] {
        check(&message(&[("size = 7", "size = 2")], table), &parts);
    }
    for (labels, parts) in [
        (["x", "x", "x", "x"], ["column \"two\" is \"x\" in every row", "two classes"]),
        (["x", "y", "z", "u"], ["has 4 classes in 4 rows", "fewer classes than rows"]),
        (["x", "y", "", "x"], ["data.csv:4: two = \"\"", "a label"]),
    ] {
        let rows: String = labels.iter().zip(0..).map(|(label, i)| format!("{i},{},{label}\n", i * i)).collect();
        check(&message(&[classes[0], classes[1], ("size = 7", "size = 2")], &format!("a,b,two\n{rows}")), &parts);
    }
    // a column that varies, but not among the rows to train on, has scale 1; a class that is not among them is refused
    let rows: String =
        (0..60).map(|i| format!("{i},{},{i},{}\n", u8::from(i == 7), if i == 7 { "rare" } else { "x" })).collect();
    let table = format!("a,b,y,two\n{rows}");
    let mut seen = [false; 2];
    for seed in 1001..1020 {
        let place = Place::new();
        place.put("data.csv", &table);
        let seed = format!("seed = {seed}");
        let numbers = vec![("seed = 1001", seed.as_str())];
        let labels = [numbers.clone(), classes.to_vec(), vec![("\"b\"", "\"y\"")]].concat();
        let config = Training::load(&place.put("a.toml", training(&numbers))).expect("accepted");
        let prepared = Prepared::<f32>::new(&config, 0).expect("prepared");
        let is_constant = !prepared.training.rows.contains(&7);
        assert_eq!(prepared.constant, if is_constant { vec!["b".to_owned()] } else { vec![] });
        assert_eq!((prepared.columns[1].sd == 1.0, prepared.columns[1].mean == 0.0), (is_constant, is_constant));
        seen[0] |= is_constant;
        let config = Training::load(&place.put("a.toml", training(&labels))).expect("accepted");
        match Prepared::<f32>::new(&config, 0) {
            Ok(_) => assert!(!is_constant),
            Err(refusal) => {
                assert!(is_constant);
                check(&refusal.to_string(), &["two = \"rare\"", "of the 33 rows to train on", "another seed"]);
                seen[1] = true;
            }
        }
    }
    assert_eq!(seen, [true; 2]);
}

#[test]
fn bad_requests_to_predict_are_refused() {
    let place = trained(&training(&[("target = \"y\"", "target = \"two\""), ("\"regression\"", "\"classification\"")]));
    let model = "training/model.json";
    place.put("less.csv", "a,c\n1,2\n");
    check(&refused(&place, &["predict", model, "less.csv"]), &["less.csv:1:", "column \"b\" is missing"]);
    place.put("bad.csv", "a,b\n1,2\n1,x\n");
    check(&refused(&place, &["predict", model, "bad.csv"]), &["bad.csv:3: b = \"x\"", "finite in f32"]);
    place.put("label.csv", "a,b,two\n1,2,yes\n1,3,maybe\n");
    check(&refused(&place, &["predict", model, "label.csv"]), &["label.csv:3: two = \"maybe\"", "no, yes"]);
    check(&refused(&place, &["predict", "data.csv", "data.csv"]), &["data.csv:1:", "a model.json"]);
    check(&refused(&place, &["predict", "none.json", "data.csv"]), &["none.json", "a model.json"]);
    check(&refused(&place, &["predict", model, "data.csv", "--out", "data.csv"]), &["--out data.csv", "an input"]);
    check(
        &refused(&place, &["predict", model, "data.csv", "--out", "training"]),
        &["--out training", "no regular file"],
    );
    let changed = place.read(model).replacen("\"schema\":2", "\"schema\":1", 1);
    place.put("changed.json", changed);
    check(
        &refused(&place, &["predict", "changed.json", "data.csv"]),
        &["changed.json", "version 1 of the layout", "version 2"],
    );
    let (text, said) = predicted(&place, &[model, "data.csv"]);
    assert_eq!(rows(&text)[0], ["two", "probability no", "probability yes"]);
    let right = rows(&text).iter().zip(rows(&data())).skip(1).filter(|(found, row)| found[0] == row[5]).count();
    check(&said, &[&format!("accuracy {:.6}", right as f64 / 60.0)]);
}

#[test]
fn a_comparison_is_paired_and_does_not_depend_on_the_threads() {
    let place = trained(TRAINING);
    let compare = |arguments: &[&str]| {
        let output = place.birth_death(&[&["compare", "a.toml", "--replicates", "5"], arguments].concat());
        let message = String::from_utf8_lossy(&output.stderr);
        // what a result replaces is no fault
        let faults: Vec<&str> = message.lines().filter(|line| !line.starts_with("note: ")).collect();
        assert_eq!((output.status.code(), faults), (Some(0), vec![]));
        String::from_utf8(output.stdout).expect("text")
    };
    let printed = compare(&["--threads", "1", "--out", "one"]);
    compare(&["--threads", "2", "--out", "two"]);
    for name in ["compare.csv", "compare.json"] {
        assert_eq!(place.read(&format!("one/{name}")), place.read(&format!("two/{name}")));
    }
    check(&printed, &["gradient-flow", "birth-death", "reinjection", "linear", "RMSE y", "95 %"]);

    let (header, rows) = place.table("one/compare.csv");
    assert_eq!(header.join(","), "replicate,method,dt,alpha,decay,kept_step,validation_loss,test_loss,RMSE y");
    assert_eq!(rows.len(), 20);
    // the first replicate of the configuration's own scheme is what train does
    let manifest = place.manifest("training/manifest.json");
    assert_eq!(rows[1][1], "birth-death");
    assert_eq!(number(&rows[1][7]), manifest["test"]["loss"].as_f64().expect("a loss"));
    assert_eq!(rows[1][2..6], ["0.1", "1.0", "0.001", &manifest["kept_step"].to_string()]);
    let different: std::collections::BTreeSet<&String> = rows.iter().map(|row| &row[7]).collect();
    assert_eq!(different.len(), 20, "methods and replicates differ");
    let summary = place.manifest("one/compare.json");
    let losses = |method: usize| -> Vec<f64> { (0..5).map(|r| number(&rows[4 * r + method][7])).collect() };
    for (method, of) in summary["methods"].as_array().expect("methods").iter().enumerate() {
        let (own, base) = (losses(method), losses(0));
        let mean = own.iter().sum::<f64>() / 5.0;
        let difference = own.iter().zip(&base).map(|(a, b)| a - b).sum::<f64>() / 5.0;
        assert!((of["loss"]["mean"].as_f64().expect("a mean") - mean).abs() < 1e-12);
        assert!((of["loss_less_gradient_flow"]["mean"].as_f64().expect("a mean") - difference).abs() < 1e-12);
    }

    // alpha = 0 is gradient flow: the same start, split and batches
    place.put("a.toml", training(&[("alpha = 1.0", "alpha = 0.0")]));
    compare(&["--out", "off"]);
    for replicate in place.table("off/compare.csv").1.chunks(4) {
        assert_eq!(replicate[0][2..], replicate[1][2..]);
        assert_eq!(replicate[0][2..], replicate[2][2..]);
        assert_ne!(replicate[0][7..], replicate[3][7..]);
    }

    // every dynamics has its own settings, and each replicate its own choice: that of the least validation loss
    let alone = |dt: &str, alpha: &str| {
        place.put(
            "a.toml",
            training(&[("dt = 0.1", &format!("dt = {dt}")), ("alpha = 1.0", &format!("alpha = {alpha}"))]),
        );
        compare(&["--out", "alone"]);
        place.table("alone/compare.csv").1
    };
    let candidates = [alone("0.1", "1.0"), alone("1.6", "1.0"), alone("0.1", "9.0"), alone("1.6", "9.0")];
    let of_gradient_flow: Vec<_> = ["0.1", "0.4", "1.6", "2.5"].map(|dt| alone(dt, "1.0")).into_iter().collect();
    // dt = 1e30 fails, and is not chosen
    let lists = "[compare]\ndt = [0.1, 1.6, 1e30]\nalpha = [1.0, 9.0]\ngradient_flow_dt = [0.1, 0.4, 1.6, 2.5, 1e29, \
        1e30]\n[start]";
    place.put("a.toml", training(&[("[start]", lists)]));
    let printed = compare(&["--out", "chosen"]);
    check(
        &printed,
        &["gradient-flow: of 6 settings, dt = ", "reinjection: of 6 settings, dt = ", "the longest in 0\n"],
    );
    let chosen = place.table("chosen/compare.csv").1;
    for (index, row) in chosen.iter().enumerate() {
        let offered = if row[1] == "gradient-flow" { &of_gradient_flow[..] } else { &candidates[..] };
        let of: Vec<&Vec<String>> = offered.iter().map(|candidate| &candidate[index]).collect();
        if row[1] == "linear" {
            assert!(of.iter().all(|candidate| *candidate == row));
            continue;
        }
        let loss = |row: &Vec<String>| number(&row[6]);
        let least = of.iter().min_by(|a, b| loss(a).total_cmp(&loss(b))).expect("four");
        assert_eq!(row, *least, "replicate {}", row[0]);
        assert_eq!(of.iter().filter(|candidate| loss(candidate) == loss(row)).count(), 1);
    }
    let settings: std::collections::BTreeSet<&[String]> = chosen.iter().map(|row| &row[2..4]).collect();
    assert!(settings.len() > 3, "not the same for all, and none for the linear model: {settings:?}");

    for (lists, part) in [
        ("dt = []", "compare.dt = []; accepted: a list of 1 to 16"),
        ("dt = [0.1, 0.1]", "different"),
        ("dt = [0.1, 0.0]", "compare.dt[1] = 0.0"),
        ("alpha = [-1.0]", "compare.alpha[0] = -1.0"),
        ("decay = 0.1", "compare.decay = 0.1"),
        ("steps = [1]", "steps"),
        ("alpha = [1.0, 2.0]", "1 values of dt for gradient flow; accepted: compare.gradient_flow_dt with 1 x 2 = 2"),
        (
            "gradient_flow_dt = [0.1, 0.2]",
            "2 values of dt for gradient flow; accepted: compare.gradient_flow_dt with 1 x 1 = 1",
        ),
    ] {
        place.put("a.toml", training(&[("[start]", &format!("[compare]\n{lists}\n[start]"))]));
        check(&refused(&place, &["compare", "a.toml"]), &["a.toml", part]);
    }
    place.put(
        "a.toml",
        training(&[("validation = 0.2", "validation = 0.0"), ("[start]", "[compare]\ndt = [0.1]\n[start]")]),
    );
    check(&refused(&place, &["compare", "a.toml"]), &["a.toml", "data.validation = 0"]);
    place.put("a.toml", training(&[("test = 0.25", "test = 0.0")]));
    check(&refused(&place, &["compare", "a.toml"]), &["a.toml", "data.test = 0"]);
    let few = place.birth_death(&["compare", "a.toml", "--replicates", "4"]);
    let message = String::from_utf8_lossy(&few.stderr);
    assert_eq!(few.status.code(), Some(2), "{message}");
    check(&message, &["--replicates", "4 is not in 5..=100000"]);
    place.put("a.toml", training(&[("alpha = 1.0\n", ""), ("\"birth-death\"", "\"gradient-flow\"")]));
    check(&refused(&place, &["compare", "a.toml"]), &["a.toml", "gradient-flow", "no alpha"]);
}

fn shipped(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(path)
}

#[test]
fn the_data_that_ship_are_made_again_byte_for_byte() {
    let place = Place::new();
    for name in ["friedman", "spirals"] {
        let output = place.birth_death(&["data", name]);
        assert_eq!(output.status.code(), Some(0));
        let kept = fs::read(shipped(&format!("data/{name}.csv"))).expect("shipped");
        assert!(output.stdout == kept, "{name}");
        let config = Training::load(&shipped(&format!("configs/{name}.toml"))).expect("accepted");
        assert!(config.text.starts_with("# "), "{name} says what it shows");
        assert_eq!(config.rows(), 400);
    }
}

/// The formula of the regression set, from the columns as they are written: what is left is standard normal noise.
#[test]
fn the_regression_set_is_friedmans_function() {
    let rows = rows(&fs::read_to_string(shipped("data/friedman.csv")).expect("shipped"));
    let residuals: Vec<f64> = rows[1..]
        .iter()
        .map(|row| {
            let x: Vec<f64> = row.iter().map(|field| number(field)).collect();
            let f = 10.0 * (std::f64::consts::PI * x[0] * x[1]).sin()
                + 20.0 * (x[2] - 0.5).powi(2)
                + 10.0 * x[3]
                + 5.0 * x[4];
            x[10] - f
        })
        .collect();
    let mean = residuals.iter().sum::<f64>() / 400.0;
    let variance = residuals.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / 399.0;
    // five standard errors: 5 / sqrt(400), and 5 sqrt(2 / 399)
    assert!(mean.abs() < 0.25 && (variance - 1.0).abs() < 0.36, "{mean} {variance}");
}

/// A relu or tanh network of 20 units on two columns `x` and `y` of a file, full batches, f32.
fn line_fit(inputs: &str, activation: &str, dt: &str) -> String {
    format!(
        "seed = 5\nparticles = 20\nsteps = 400\ndt = {dt}\nscheme = \"gradient-flow\"\n[data]\nfile \
            = \"data.csv\"\ntarget = \"y\"\n\
         task = \"regression\"\ninputs = {inputs}\n[network]\nactivation = \"{activation}\"\n[start]\n\
         c = {{ normal = {{ mean = 0.0, sd = 1.0 }} }}\nz = {{ normal = {{ mean = 0.0, sd = 1.0 }} }}\n"
    )
}

/// Trains on a file, and predicts it: what train prints, the predictions, the root mean square error that predict says.
fn fitted(table: &str, config: &str) -> (String, Vec<f64>, f64) {
    let place = Place::new();
    place.put("data.csv", table);
    place.put("a.toml", config);
    let output = place.birth_death(&["train", "a.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let (text, said) = predicted(&place, &["training/model.json", "data.csv"]);
    let error = said.lines().next().and_then(|line| line.split("RMSE y ").nth(1)).map(number).expect("an error");
    let predictions = rows(&text)[1..].iter().map(|row| number(&row[0])).collect();
    (String::from_utf8(output.stdout).expect("text"), predictions, error)
}

/// The same data with and without an offset have the same fit: what is subtracted first costs no digits.
#[test]
fn offsets_of_inputs_and_targets_cost_no_digits() {
    let config = line_fit("[\"x\"]", "tanh", "0.5");
    let table = |input: f64, target: f64| -> String {
        (0..100).fold("x,y\n".to_owned(), |text, i| {
            let i = f64::from(i);
            text + &format!("{:.3},{:.3}\n", input + i / 16.0, target + i / 8.0 + (i * 0.3).sin())
        })
    };
    let (_, plain, error) = fitted(&table(0.0, 0.0), &config);
    let distinct: std::collections::BTreeSet<u64> = plain.iter().map(|y| y.to_bits()).collect();
    assert!(error < 2.0 && distinct.len() > 90, "{error} {}", distinct.len());
    for (input, target) in [(1_700_000_000.0, 0.0), (5_400_000.0, 0.0), (0.0, 1e8)] {
        let (_, shifted, of_shifted) = fitted(&table(input, target), &config);
        let distinct: std::collections::BTreeSet<u64> = shifted.iter().map(|y| y.to_bits()).collect();
        // training follows its own rounding errors, which 400 steps hardly multiply
        assert!((of_shifted - error).abs() < 1e-3, "{of_shifted} {error}");
        assert!(distinct.len() > 90, "{} distinct predictions", distinct.len());
        for (a, b) in shifted.iter().zip(&plain) {
            assert!((a - target - b).abs() < 1e-2, "{a} {b}");
        }
    }
}

/// A column that is constant but for rounding in the rows to train on: a validation row with another value is far out,
/// not 1e17 units away.
#[test]
fn a_constant_column_has_scale_one_and_a_line_says_so() {
    let table = |odd: usize| {
        (0..10).fold("x,k,y\n".to_owned(), |text, i| text + &format!("{i},{},{i}\n", if i == odd { 20.0 } else { 0.1 }))
    };
    let config = line_fit("[\"x\", \"k\"]", "tanh", "0.1");
    let mut seen = [false; 2];
    for odd in 0..10 {
        let (said, predictions, _) = fitted(&table(odd), &config);
        let says = said.lines().filter(|line| line.contains("the scale is 1: \"k\"")).count();
        seen[says] = true;
        assert!(predictions.iter().all(|y| y.abs() < 100.0), "{predictions:?}");
        let validation: f64 =
            said.split("validation loss ").nth(1).and_then(|rest| rest.split(' ').next()).map(number).expect("a loss");
        assert!(validation < 100.0, "{said}");
    }
    assert_eq!(seen, [true; 2], "the odd row was to train on, and was not");

    // and a comparison whose splits differ in it goes through
    let place = Place::new();
    let sparse: String = (0..60).map(|i| format!("{},{},{}\n", i % 9, u8::from(i == 7), i % 5)).collect();
    place.put("data.csv", format!("a,b,y\n{sparse}"));
    place.put("a.toml", training(&[]));
    let output = place.birth_death(&["compare", "a.toml", "--replicates", "8"]);
    let (said, message) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!((output.status.code(), message.as_ref()), (Some(0), ""));
    check(&said, &["constant in the rows to train on, so that the scale is 1, of 8 splits: \"b\" in "]);
}

#[test]
fn a_training_that_came_to_nothing_says_so_last() {
    let table: String = (0..60).map(|i| format!("{},{}\n", i % 7, (i * i) % 11)).collect();
    let table = format!("x,y\n{table}");
    // squares modulo 11 cannot be learned from the place modulo 7: steps that are too short, too short from far out,
    // and long enough
    for (dt, sd, part) in [
        ("1e-30", "1.0", "warning: no step improved on the start, which is the model that is kept"),
        ("1e-4", "30.0", "warning: the validation loss of the model, "),
        ("0.1", "1.0", "the training ended with a validation loss, "),
    ] {
        let config = line_fit("[\"x\"]", "tanh", dt).replacen("sd = 1.0", &format!("sd = {sd}"), 1);
        let (said, _, _) = fitted(&table, &config);
        let last = said.lines().last().expect("a line");
        assert!(last.starts_with("warning: ") && last.contains(part), "dt = {dt}: {said}");
    }
    let line: String = (0..60).map(|i| format!("{},{}\n", i % 7, 2 * (i % 7) + i % 3)).collect();
    let (said, _, _) = fitted(&format!("x,y\n{line}"), &line_fit("[\"x\"]", "tanh", "0.1"));
    assert!(!said.contains("warning"), "{said}");
}

#[test]
fn columns_without_names_and_targets_without_values_are_read() {
    let place = trained(TRAINING);
    let model = "training/model.json";
    place.put("plain.csv", "a,b\n1,2\n3,4\n");
    let (expected, _) = predicted(&place, &[model, "plain.csv"]);
    for table in [",a,b\n0,1,2\n1,3,4\n", "a,b,\n1,2,\n3,4,\n", "y,a,b\n,1,2\n,3,4\n"] {
        place.put("other.csv", table);
        let (found, said) = predicted(&place, &[model, "other.csv"]);
        assert_eq!((found.as_str(), said.as_str()), (expected.as_str(), ""), "{table}");
    }
    // a target that is there in part is neither
    place.put("other.csv", "y,a,b\n,1,2\n0,3,4\n");
    check(&refused(&place, &["predict", model, "other.csv"]), &["other.csv:2: y = \"\"", "a number finite in f32"]);
    // a score of other rows includes none of the training's
    place.put("other.csv", "y,a,b\n1,1,2\n0,3,4\n");
    let (_, said) = predicted(&place, &[model, "other.csv"]);
    assert_eq!(said.lines().count(), 1, "{said}");

    // to train on, an index is no input unless it is named; what a comma at the end makes is nothing
    let data = |index: &str, end: &str| {
        (0..20).fold(format!("{index}a,b,y{end}\n"), |text, i| {
            text + &format!("{}{i},{},{i}{end}\n", if index.is_empty() { "" } else { "7," }, i % 3)
        })
    };
    let all = [("inputs = [\"a\", \"b\"]\n", ""), ("size = 7", "size = 2")];
    check(&message(&all, &data(",", "")), &["data.csv:1: column 1 has no name", "data.inputs"]);
    for (changes, table) in [(&all[..], data("", ",")), (&all[1..], data(",", ""))] {
        place.put("data.csv", table);
        let config = Training::load(&place.put("a.toml", training(changes))).expect("accepted");
        assert_eq!(config.names, ["a", "b"]);
    }
}
