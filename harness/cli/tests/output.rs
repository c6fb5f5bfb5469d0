//! What cannot be written, on standard output or beyond a limit of file sizes, is an error and no silence; a reader
//! that goes away is neither.
#![cfg(target_os = "linux")]

mod common;

use std::fs::OpenOptions;
use std::process::{Command, Output};

use common::{Place, UNITS, units};

const TRAINING: &str = "seed = 1\nparticles = 37\nsteps = 40\ndt = 0.1\nalpha = 1.0\nscheme = \"birth-death\"\n\
    [data]\nfile = \"data.csv\"\ntarget = \"y\"\ntask = \"regression\"\ntest = 0.25\n[network]\nactivation \
    = \"tanh\"\n[batch]\nsize = 7\n\
    [start]\nc = { normal = { mean = 0.0, sd = 1.0 } }\nz = { normal = { mean = 0.0, sd = 1.0 } }\n[compare]\ndt = \
    [0.1]\nalpha = [1.0]\n";
/// Of each command that prints something.
const COMMANDS: [&[&str]; 18] = [
    &["--help"],
    &["run", "--help"],
    &["--version"],
    &["data", "friedman"],
    &["run", "a.toml"],
    &["verify", "--claim", "gradient"],
    &["report", "report"],
    &["calibrate", "--runs", "1", "--defect", "correct", "--claim", "gradient"],
    &["audit"],
    &["audit", "golden"],
    &["audit", "diff", "audit/audit.json", "audit/audit.json"],
    &["audit", "verify", "audit/audit.json"],
    &["bench", "--quick", "--only", "step"],
    &["student-teacher", "--cells", "n50-notebook-gradient-flow", "--replicates", "1", "--steps", "10"],
    &["student-teacher", "--report"],
    &["train", "t.toml"],
    &["compare", "t.toml", "--replicates", "5"],
    &["predict", "training/model.json", "data.csv"],
];

/// A folder with two configurations and data.
fn place() -> Place {
    let place = Place::new();
    place.put("a.toml", UNITS);
    place.put("t.toml", TRAINING);
    let rows: String = (0..40u32).map(|i| format!("{},{},{}\n", i % 9, i % 7, (i % 9) * (i % 7))).collect();
    place.put("data.csv", format!("a,b,y\n{rows}"));
    place
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The program where no file may be larger than 4096 bytes.
fn limited(place: &Place, arguments: &[&str]) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 8; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_birth-death")]);
    command.args(arguments).current_dir(place.path()).output().expect("it runs")
}

#[test]
fn what_cannot_be_printed_is_an_error_of_every_command() {
    let place = place();
    for arguments in COMMANDS {
        let full = OpenOptions::new().write(true).open("/dev/full").expect("the device");
        let output = place.command(arguments).stdout(full).output().expect("it runs");
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("error: standard output cannot be written (No space left"), "{arguments:?}: {said}");
    }
    // files are kept all the same
    for name in ["run/summary.csv", "report/index.html", "audit/audit.json", "training/model.json"] {
        assert!(place.path().join(name).exists(), "{name}");
    }
    // another failure keeps its code
    let full = OpenOptions::new().write(true).open("/dev/full").expect("the device");
    let output = place.command(&["run", "missing.toml"]).stdout(full).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let place = place();
    for arguments in COMMANDS {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = place.command(arguments).stdout(writer).output().expect("it runs");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
        assert!(!said(&output).contains("error"), "{arguments:?}: {}", said(&output));
    }
}

#[test]
fn a_limit_of_file_sizes_is_an_error_and_the_earlier_result_stays() {
    let place = place();
    place.put("long.toml", units(&[("steps = 30", "steps = 3000"), ("record_every = 10", "record_every = 1")]));
    for (arguments, folder, file) in [
        (&["run", "long.toml"][..], "run", "summary.csv"),
        (&["verify", "--claim", "gradient"], "report", "verdicts.json"),
        (&["train", "t.toml"], "training", "model.json"),
    ] {
        let output = place.birth_death(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let (before, names) = (place.read(&format!("{folder}/{file}")), place.names());
        let output = limited(&place, arguments);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(folder) && said.contains("File too large"), "{said}");
        assert_eq!(place.read(&format!("{folder}/{file}")), before);
        assert_eq!(place.names(), names, "nothing is left over");
    }
    let printed = OpenOptions::new().write(true).create(true).truncate(true).open(place.path().join("printed"));
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 8; exec \"$0\" data friedman", env!("CARGO_BIN_EXE_birth-death")]);
    let output = command.stdout(printed.expect("a file")).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("standard output cannot be written (File too large"), "{}", said(&output));
}
