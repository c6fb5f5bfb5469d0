//! The constant of the distance to a large sample, before the first step: it can be interrupted, and nothing is lost.
#![cfg(unix)]

mod common;

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use birth_death_terminal::progress::STOPPING;
use common::{Place, units, wait_for_the_handler};

const MMD: &str = r#"seed = 1
particles = 2
steps = 1
dt = 0.01
scheme = "gradient-flow"
[model]
kind = "mmd"
dimension = 1
bandwidth = 1.0
sample = "points.csv"
[start]
x1 = { normal = { mean = 0.0, sd = 1.0 } }
"#;

#[test]
fn the_constant_of_a_sample_is_interrupted() {
    let place = Place::new();
    place.run(&units(&[]), &[]);
    let before = place.read("run/manifest.json");
    // 9e10 pairs: minutes on any machine
    let points: String = (0..300_000).map(|i| format!("{}\n", f64::from(i) * 1e-4)).collect();
    place.put("points.csv", format!("x1\n{points}"));
    place.put("mmd.toml", MMD);
    let child = Command::new("env")
        .args(["--default-signal=INT", env!("CARGO_BIN_EXE_birth-death"), "run", "mmd.toml", "--out", "run"])
        .current_dir(place.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    wait_for_the_handler(&child);
    sleep(Duration::from_millis(300));
    let sent = Instant::now();
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(kill.success());
    let output = child.wait_with_output().expect("it ends");
    assert!(sent.elapsed() < Duration::from_secs(60), "{:?}", sent.elapsed());
    let message = String::from_utf8(output.stderr).expect("text");
    assert_eq!(message, format!("{STOPPING}\nerror: interrupted before the first step; nothing is written\n"));
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(place.read("run/manifest.json"), before);
    assert_eq!(place.names(), ["a.toml", "mmd.toml", "points.csv", "run"]);
}
