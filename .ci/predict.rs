//! Predicts with a written model.rs for each row of a CSV file on standard input: see the stage "training" of .ci/run.

use trained::model::{INPUTS, OUTPUTS, predict};

fn main() {
    let text = std::io::read_to_string(std::io::stdin()).expect("text");
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let places = INPUTS.map(|name| header.iter().position(|found| *found == name).expect("the column"));
    println!("{}", OUTPUTS.join(","));
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let x = places.map(|place| fields[place].parse::<f64>().expect("a number"));
        println!("{}", predict(&x).map(|y| format!("{y:?}")).join(","));
    }
}
