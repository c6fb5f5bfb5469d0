//! A whole step of scheme 1 against its evaluation alone, at the paper's size.

use std::hint::black_box;
use std::time::Instant;

use birth_death::dispatch::Path;
use birth_death::maths::Portable;
use birth_death::{Real, Stream};

use super::machine::available;
use super::setting::{self, Memory};
use super::timing::{Best, Job, repeated};

/// Particles.
pub const PARTICLES: usize = 200;
/// Steps from a start, and then from the start again: a population whose particles are all copies has no events, which
/// would be too cheap.
pub const STEPS: u32 = 50;

/// Its jobs have as many times the turns of the other parts: they are few, and a shared machine may be slow for a
/// second.
pub const TIMES_THE_ROUNDS: u32 = 8;

/// A precision and a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// "f32" or "f64".
    pub precision: &'static str,
    /// The path.
    pub path: Path,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub struct Timed {
    /// Of what.
    pub case: Case,
    /// An evaluation.
    pub evaluation: Best,
    /// The mean of [`STEPS`] steps from the start.
    pub step: Best,
}

impl Timed {
    /// How many evaluations a step costs.
    pub fn ratio(&self) -> f64 {
        self.step.least / self.evaluation.least
    }
}

/// All cases of this machine.
pub fn cases() -> Vec<Case> {
    ["f32", "f64"].into_iter().flat_map(|precision| available().map(move |path| Case { precision, path })).collect()
}

/// The jobs of the cases: evaluation and step, case after case.
pub fn jobs(cases: &[Case]) -> Vec<Job<'static>> {
    let pair = |case: &Case| match case.precision {
        "f32" => [evaluation::<f32>(case.path), steps::<f32>(case.path)],
        _ => [evaluation::<f64>(case.path), steps::<f64>(case.path)],
    };
    cases.iter().flat_map(pair).collect()
}

/// The cases with what came of their [`jobs`].
pub fn timed(cases: &[Case], jobs: &[Job<'_>]) -> Vec<Timed> {
    let of_case = |(case, jobs): (&Case, &[Job<'_>])| {
        let [evaluation, step] = jobs else { return None };
        Some(Timed { case: *case, evaluation: evaluation.best, step: step.best })
    };
    cases.iter().zip(jobs.chunks(2)).filter_map(of_case).collect()
}

fn evaluation<R: Real>(path: Path) -> Job<'static> {
    let target = setting::target::<R, 1>();
    let mut memory = Memory::<R>::new(2, PARTICLES);
    Job::timed(Some(path), 1, move |times| {
        let mut energy = setting::units::<R, Portable, 1>(&target);
        repeated(times, || {
            black_box(black_box(&mut memory).evaluate(&mut energy));
        })
    })
}

fn steps<R: Real>(path: Path) -> Job<'static> {
    let target = setting::target::<R, 1>();
    let mut memory = Memory::<R>::new(2, PARTICLES);
    Job::timed(Some(path), STEPS, move |times| {
        let mut energy = setting::units::<R, Portable, 1>(&target);
        let mut dynamics = setting::dynamics::<R>();
        let mut rng = Stream::seeded(1, 1);
        let mut seconds = 0.0;
        for _ in 0..times {
            memory.restart();
            let begin = Instant::now();
            for _ in 0..STEPS {
                black_box(black_box(&mut memory).step(&mut dynamics, &mut energy, &mut rng));
            }
            seconds += begin.elapsed().as_secs_f64();
        }
        seconds
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_events_to_the_last_measured_steps() {
        let target = setting::target::<f32, 1>();
        let mut memory = Memory::<f32>::new(2, PARTICLES);
        let (mut energy, mut dynamics) = (setting::units::<f32, Portable, 1>(&target), setting::dynamics::<f32>());
        let mut rng = Stream::seeded(1, 1);
        let events = |memory: &mut Memory<f32>, dynamics: &mut _, energy: &mut _, rng: &mut _| {
            let report = memory.step(dynamics, energy, rng);
            report.births + report.deaths
        };
        let first: u32 = (0..10).map(|_| events(&mut memory, &mut dynamics, &mut energy, &mut rng)).sum();
        for _ in 20..STEPS {
            events(&mut memory, &mut dynamics, &mut energy, &mut rng);
        }
        let last: u32 = (0..10).map(|_| events(&mut memory, &mut dynamics, &mut energy, &mut rng)).sum();
        // sqrt(20) is the spread of either
        assert!(first >= 5 && 3 * last >= first, "{first} events in the first ten steps, {last} in the last");
    }
}
