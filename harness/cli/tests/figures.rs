//! `birth-death figures`: its files and their contents, whatever the number of threads, and what it refuses.

mod common;

use std::fs;
use std::sync::atomic::AtomicBool;

use birth_death_charts::sheet::{PER_INCH, WIDTH};
use birth_death_study::figures::{Context, Drawn, REGISTRY};
use birth_death_terminal::parallel;
use common::Place;
use indicatif::ProgressBar;

/// The cheapest picture: it shows one replicate.
const CLOUDS: [&str; 5] = ["figures", "--only", "gaussian-bad-clouds", "--replicates", "50"];

#[test]
fn a_picture_is_two_files_and_the_same_for_any_number_of_threads() {
    let place = Place::new();
    let drawn = |out: &str, threads: &str| {
        let output = place.birth_death(&[&CLOUDS, &["--out", out, "--threads", threads][..]].concat());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), error.as_str()), (Some(0), ""), "quiet when piped");
        assert!(String::from_utf8_lossy(&output.stdout).contains("gaussian-bad-clouds: svg, csv"));
    };
    let file = |out: &str, ending: &str| {
        fs::read(place.path().join(out).join(format!("gaussian-bad-clouds.{ending}"))).expect(ending)
    };
    drawn("one", "1");
    drawn("two", "2");
    for ending in ["svg", "csv"] {
        assert!(file("one", ending) == file("two", ending), "{ending}");
    }
    assert_eq!(fs::read_dir(place.path().join("one")).expect("read").count(), 3);

    let svg = String::from_utf8(file("one", "svg")).expect("text");
    let inches = |dots: u32| f64::from(dots) / f64::from(PER_INCH);
    let size = svg.split("viewBox=\"0 0 ").nth(1).and_then(|rest| rest.split('"').next()).expect("a size");
    let (width, height) = size.split_once(' ').expect("two numbers");
    let (width, height): (u32, u32) = (width.parse().expect("a number"), height.parse().expect("a number"));
    assert!(width == WIDTH && height > 0);
    assert!(svg.contains(&format!("width=\"{}in\" height=\"{}in\"", inches(width), inches(height))));
    // named axes, captions and legend, as text
    for text in ["gradient flow", "birth-death", "reinjection", "charge c", "place y of a unit", "start", "centres"] {
        assert!(svg.contains(text), "{text}");
    }

    let (header, rows) = place.table("one/gaussian-bad-clouds.csv");
    assert_eq!(header, ["set", "dynamics", "particle", "c", "y"]);
    let of = |set: &str, dynamics: &str| {
        rows.iter()
            .filter(|row| row[0] == set && row[1] == dynamics)
            .map(|row| row[4].parse::<f64>().expect("a number"))
            .collect::<Vec<_>>()
    };
    let start = of("start", "all");
    assert!(start.len() == 200 && start.iter().all(|y| (y + 2.0).abs() < 0.6), "within six standard deviations");
    assert_eq!(of("target", ""), [-2.0, 0.0, 2.0]);
    let beyond = |dynamics: &str| of("end", dynamics).iter().filter(|y| **y > 1.0).count();
    assert_eq!(rows.len(), 4 * 200 + 3);
    // what the picture is about
    assert_eq!((beyond("gradient-flow"), beyond("birth-death")), (0, 0));
    assert!(beyond("reinjection") > 0);

    let manifest = place.manifest("one/manifest.json");
    assert_eq!((&manifest["seed"], &manifest["replicates"]), (&1.into(), &50.into()));
    assert_eq!((&manifest["command"], &manifest["complete"]), (&"figures".into(), &true.into()));
    assert_eq!(manifest["pictures"][0]["name"], "gaussian-bad-clouds");
}

/// Every picture of an experiment in one context, with so many replicates.
fn drawn(names: &[&str], threads: u16, replicates: u64) -> Vec<Drawn> {
    let (pool, stop, progress) = (parallel::pool(Some(threads)), AtomicBool::new(false), ProgressBar::hidden());
    let context = Context::new(1001, replicates, &pool, &stop, &progress);
    let pictures = REGISTRY.iter().filter(|picture| names.contains(&picture.name));
    pictures.map(|picture| (picture.draw)(&context).expect("drawn")).collect()
}

#[test]
fn the_full_start_is_drawn_with_what_was_published() {
    let names = ["gaussian-full-energy", "gaussian-full-function"];
    let pictures = drawn(&names, 2, 2);
    for (one, two) in pictures.iter().zip(drawn(&names, 1, 2)) {
        assert!(one.csv == two.csv && one.sheet.svg().expect("an SVG") == two.sheet.svg().expect("an SVG"));
    }
    for picture in &pictures {
        let size = format!("viewBox=\"0 0 {WIDTH} {}\"", picture.sheet.height());
        assert!(picture.sheet.svg().expect("an SVG").contains(&size), "{size}");
    }
    let rows = |picture: &Drawn, header: &str| -> Vec<Vec<String>> {
        let (first, rest) = picture.csv.split_once('\n').expect("lines");
        assert_eq!(first, header);
        rest.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
    };
    let number = |field: &str| field.parse::<f64>().expect("a number");

    let header =
        "dynamics,step,time,replicates,median,p10,p90,mean,standard_error,published_mean,published_standard_error";
    let energies = rows(&pictures[0], header);
    let at = |dynamics: &str, step: &str| {
        energies.iter().find(|row| row[0] == dynamics && row[1] == step).expect("a row").clone()
    };
    let last = ["gradient-flow", "birth-death", "reinjection"].map(|dynamics| number(&at(dynamics, "3000")[4]));
    assert!(last[0] > 2.0 * last[1] && last[0] > 2.0 * last[2], "{last:?}");
    assert_eq!(at("birth-death", "2999")[9..], ["7.43389e-5".to_owned(), "4.4e-6".to_owned()]);
    assert_eq!(at("birth-death", "2990")[9..], [String::new(), String::new()]);
    // the same start
    assert_eq!(at("birth-death", "0")[3..9], at("gradient-flow", "0")[3..9]);
    assert!(
        energies
            .iter()
            .all(|row| row[3] == "2" && number(&row[5]) <= number(&row[4]) && number(&row[4]) <= number(&row[6]))
    );

    let fits = rows(&pictures[1], "dynamics,x,replicates,target,median,p10,p90");
    // E is half the integral of the squared residual, and so is, nearly, that of the median
    let energy = |dynamics: &str| {
        let residuals = fits.iter().filter(|row| row[0] == dynamics).map(|row| number(&row[4]) - number(&row[3]));
        0.5 * 0.05 * residuals.map(|residual| residual * residual).sum::<f64>()
    };
    assert!((energy("gradient-flow") / last[0] - 1.0).abs() < 0.2, "{} {}", energy("gradient-flow"), last[0]);
}

#[test]
fn other_names_and_places_are_refused() {
    let place = Place::new();
    let refused = |arguments: &[&str], parts: &[&str]| {
        let before = place.names();
        let output = place.birth_death(&[&["figures"], arguments].concat());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{message}");
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        assert_eq!(place.names(), before, "nothing is written");
    };
    refused(
        &["--only", "gausian-bad-clouds"],
        &["did you mean gaussian-bad-clouds?", "accepted", "gaussian-full-energy"],
    );
    refused(&["--replicates", "49"], &["--replicates"]);
    place.put("file", "mine");
    refused(&["--out", "file"], &["is a file"]);
    refused(&["--out", "file/figures"], &["--out", "accepted"]);
    fs::create_dir(place.path().join("theirs")).expect("made");
    fs::write(place.path().join("theirs/gaussian-bad-clouds.svg"), "mine").expect("written");
    refused(&["--out", "theirs"], &["gaussian-bad-clouds.svg"]);
}
