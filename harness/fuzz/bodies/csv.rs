//! The two readers of CSV: the table of a training, of any header, and the numbers of a start or a sample, of known
//! names.

use std::path::Path;

use birth_death_simulate::config::columns::Columns;
use birth_death_simulate::config::training::{Targets, Training};
use birth_death_simulate::config::{Config, Precision, Start};

use super::place::{check, folder};

const START: &str = "seed = 1\nparticles = 3\nsteps = 0\ndt = 0.1\nalpha = 1.0\nscheme = \"birth-death\"\nprecision \
    = \"f32\"\n\
                     [model]\nkind = \"rastrigin\"\ndimension = 2\namplitude = 1.0\n[start]\nfile = \"fuzzed.csv\"\n";
const SAMPLE: &str = "seed = 1\nparticles = 3\nsteps = 0\ndt = 0.1\nalpha = 1.0\nscheme = \"birth-death\"\n\
                      [model]\nkind = \"mmd\"\nbandwidth = 1.0\nsample = \"fuzzed.csv\"\n[start]\nx1 = 0.0\nx2 = 0.0\n";
const TRAINING: &str = "seed = 1\nparticles = 3\nsteps = 1\ndt = 0.1\nalpha = 1.0\nscheme \
    = \"birth-death\"\n[data]\nfile = \"fuzzed.csv\"\n\
                        target = \"y\"\ntask = \"TASK\"\n[network]\nactivation = \"relu\"\n[start]\nc = 0.0\nz = 1.0\n";

pub fn run(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else { return };
    let file = folder().join("fuzzed.csv");
    match kind & 3 {
        0 => columns(&file, bytes),
        1 => with(&file, bytes, || training("regression")),
        2 => with(&file, bytes, || training("classification")),
        _ => with(&file, bytes, || {
            let path = folder().join("a.toml");
            match Config::parse(&path, START) {
                Ok(Config { start: Start::Given(rows), .. }) => {
                    assert!(rows.len() == 2 && rows.iter().all(|row| row.len() == 3));
                    // finite in f32 too
                    assert!(rows.iter().flatten().all(|&x| (x as f32).is_finite()));
                }
                Ok(config) => panic!("{:?}", config.start),
                Err(refusal) => check(&refusal, &path),
            }
            if let Err(refusal) = Config::parse(&path, SAMPLE) {
                check(&refusal, &path);
            }
        }),
    }
}

fn with(file: &Path, bytes: &[u8], then: impl FnOnce()) {
    std::fs::write(file, bytes).expect("written");
    then();
}

fn columns(file: &Path, bytes: &[u8]) {
    let name = file.display().to_string();
    let table = match Columns::parse(name.clone(), bytes) {
        Ok(table) => table,
        Err(refusal) => return check(&refusal, file),
    };
    assert!(table.rows() > 0 && !table.header().is_empty());
    let mut labels = Vec::new();
    for (place, header) in table.header().iter().enumerate() {
        // a column without a name is read, and not found
        assert_eq!(table.place(header), (!header.is_empty()).then_some(place));
        for precision in [Precision::F32, Precision::F64] {
            match table.numbers(place, precision) {
                Ok(numbers) => assert!(numbers.len() == table.rows() && numbers.iter().all(|x| x.is_finite())),
                Err(refusal) => check(&refusal, file),
            }
        }
        let column = table.labels(place);
        if let Err(refusal) = &column {
            check(refusal, file);
        }
        labels.push(column.ok());
    }
    // written down by the csv crate and read again, it is the same table; only at the start of a file a byte-order mark
    // is none of it
    if table.header()[0].starts_with('\u{feff}') {
        return;
    }
    let Some(labels) = labels.into_iter().collect::<Option<Vec<_>>>() else { return };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(table.header()).expect("memory");
    for row in 0..table.rows() {
        writer.write_record(labels.iter().map(|column| column[row])).expect("memory");
    }
    let written = writer.into_inner().expect("memory");
    let again = Columns::parse(name, &written).expect("a table");
    assert_eq!((again.header(), again.rows()), (table.header(), table.rows()));
    for (place, column) in labels.iter().enumerate() {
        assert_eq!(again.labels(place).as_ref(), Ok(column));
    }
}

fn training(task: &str) {
    let path = folder().join("a.toml");
    match Training::parse(&path, TRAINING.replace("TASK", task)) {
        Err(refusal) => check(&refusal, &path),
        Ok(training) => {
            let rows = training.rows();
            assert!(training.inputs.iter().flatten().all(|&x| (x as f32).is_finite()));
            match &training.targets {
                Targets::Numbers { values, .. } => assert!(values.iter().all(|column| column.len() == rows)),
                Targets::Classes { classes, rows: labels, .. } => {
                    assert!(classes.len() > 1 && classes.is_sorted() && labels.len() == rows);
                    assert!(labels.iter().all(|&label| label < classes.len()));
                }
            }
        }
    }
}
