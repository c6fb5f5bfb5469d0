//! Every input that fuzzing has kept, through the functions that were fuzzed: see `harness/fuzz/README.md`.

// at the root, where they find each other as they do in fuzz/bodies/mod.rs
#[path = "../../fuzz/bodies/checkpoint.rs"]
mod checkpoint;
#[path = "../../fuzz/bodies/config.rs"]
mod config;
#[path = "../../fuzz/bodies/csv.rs"]
mod csv;
#[path = "../../fuzz/bodies/input.rs"]
mod input;
#[path = "../../fuzz/bodies/network.rs"]
mod network;
#[path = "../../fuzz/bodies/place.rs"]
mod place;
#[path = "../../fuzz/bodies/progress.rs"]
mod progress;
#[path = "../../fuzz/bodies/seal.rs"]
mod seal;
#[path = "../../fuzz/bodies/stepper.rs"]
mod stepper;
#[path = "../../fuzz/bodies/stepping.rs"]
mod stepping;

use std::fs;
use std::path::Path;

/// Calls `run` with every input of a target's corpus; there are this many at least.
fn replay(target: &str, at_least: usize, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(&folder).expect("the corpus") {
        let path = entry.expect("read").path();
        let input = fs::read(&path).expect("read");
        // the test's name and the last of these lines say which input failed
        println!("{}", path.display());
        run(&input);
        count += 1;
    }
    assert!(count >= at_least, "{count} inputs in {}", folder.display());
}

#[test]
fn the_checkpoint_corpus() {
    replay("checkpoint", 10, checkpoint::run);
}

#[test]
fn the_config_corpus() {
    replay("config", 10, config::run);
}

#[test]
fn the_csv_corpus() {
    replay("csv", 4, csv::run);
}

#[test]
fn the_network_corpus() {
    replay("network", 1, network::run);
}

#[test]
fn the_stepper_corpus() {
    replay("stepper", 1, stepper::run);
}
