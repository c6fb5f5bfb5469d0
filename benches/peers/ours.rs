//! Our side of benches/peers: evaluates and times what it is told on standard input, a line a request, a line an
//! answer.
//!
//! ```text
//! inputs PRECISION N FILE     writes the particles, charges and then centres, in the machine's bytes  -> done
//! values PRECISION N FILE     writes V, dV/dc and dV/dy                                               -> done
//! time PRECISION N SECONDS    the least time of an evaluation, of as many batches as fit              -> nanoseconds
//! step PRECISION N SECONDS    the same of a whole step of scheme 1, target included                   -> nanoseconds
//! ```

#[path = "../setting/mod.rs"]
mod setting;

use birth_death::maths::Portable;
use birth_death::models::Mixture;
use birth_death::{Real, Stream};
use setting::Memory;
use std::hint::black_box;
use std::io::BufRead;
use std::time::Instant;

/// A batch takes at least so long, in seconds.
const BATCH: f64 = 200e-6;
/// Steps before the next start.
const STEPS: u32 = 50;

/// The least seconds of a piece of work of so many `parts`, timed for `seconds`, in batches.
fn least(seconds: f64, parts: u32, mut work: impl FnMut(u32) -> f64) -> f64 {
    let mut batch = 1;
    while work(batch) < BATCH {
        batch *= 2;
    }
    let (mut spent, mut best, mut batches) = (0.0, f64::INFINITY, 0);
    while spent < seconds || batches < 2 {
        let time = work(batch);
        spent += time;
        batches += 1;
        best = if time < best { time } else { best };
    }
    best / f64::from(batch) / f64::from(parts)
}

fn evaluation<R: Real>(n: usize, seconds: f64) -> f64 {
    // the pairs alone: what the peers evaluate
    let none = Mixture::<R, 1, 3>::new();
    let mut energy = setting::units::<R, Portable, 1>(&none);
    let mut memory = Memory::<R>::new(2, n);
    least(seconds, 1, |times| {
        let begin = Instant::now();
        for _ in 0..times {
            black_box(black_box(&mut memory).evaluate(&mut energy));
        }
        begin.elapsed().as_secs_f64()
    })
}

fn step<R: Real>(n: usize, seconds: f64) -> f64 {
    let target = setting::target::<R, 1>();
    let mut energy = setting::units::<R, Portable, 1>(&target);
    let mut memory = Memory::<R>::new(2, n);
    let (mut dynamics, mut rng) = (setting::dynamics::<R>(), Stream::seeded(1, 1));
    least(seconds, STEPS, |times| {
        let mut spent = 0.0;
        for _ in 0..times {
            memory.restart();
            let begin = Instant::now();
            for _ in 0..STEPS {
                black_box(black_box(&mut memory).step(&mut dynamics, &mut energy, &mut rng));
            }
            spent += begin.elapsed().as_secs_f64();
        }
        spent
    })
}

fn write<R: Real>(file: &str, values: &[R], bytes: fn(&R) -> Vec<u8>) {
    std::fs::write(file, values.iter().flat_map(bytes).collect::<Vec<u8>>()).expect("a writable file");
}

fn answer<R: Real>(request: &[&str], bytes: fn(&R) -> Vec<u8>) -> String {
    let n: usize = request[2].parse().expect("a number of particles");
    match request[0] {
        "inputs" => write(request[3], &Memory::<R>::new(2, n).x, bytes),
        "values" => {
            let none = Mixture::<R, 1, 3>::new();
            let mut memory = Memory::<R>::new(2, n);
            memory.evaluate(&mut setting::units::<R, Portable, 1>(&none));
            let all: Vec<R> = memory.potential.iter().chain(&memory.gradient).copied().collect();
            write(request[3], &all, bytes);
        }
        "time" => return (1e9 * evaluation::<R>(n, request[3].parse().expect("seconds"))).to_string(),
        "step" => return (1e9 * step::<R>(n, request[3].parse().expect("seconds"))).to_string(),
        other => panic!("no request: {other}"),
    }
    "done".into()
}

fn main() {
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("text");
        let request: Vec<&str> = line.split_whitespace().collect();
        let answer = match request.get(1) {
            Some(&"f32") => answer::<f32>(&request, |x| x.to_ne_bytes().to_vec()),
            Some(&"f64") => answer::<f64>(&request, |x| x.to_ne_bytes().to_vec()),
            _ => panic!("no precision: {line}"),
        };
        println!("{answer}");
    }
}
