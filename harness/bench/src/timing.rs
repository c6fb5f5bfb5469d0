//! Least times of many, measured in turn, so that the drift of a shared machine meets all alike.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use birth_death::dispatch::{Path, force};
use indicatif::ProgressBar;

/// A batch repeats the work until it takes so long, in seconds: a thousand times what reading the clock costs.
const BATCH: f64 = 50e-6;
/// A job's turn in a round, in seconds; one batch at least.
const TURN: f64 = 0.02;
/// A job that has taken so long, in seconds, has no further turn once it has two times.
const ENOUGH: f64 = 1.0;
/// The error of a least time is no less than this share of it: what a clock and a processor of changing frequency
/// leave.
const FLOOR: f64 = 0.01;

/// The least time of a job's batches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// Seconds of one piece of work, the least.
    pub least: f64,
    /// The second least; infinite after one batch.
    pub second: f64,
    /// Batches timed.
    pub batches: u32,
}

impl Best {
    /// Of nothing yet.
    pub const NONE: Self = Self { least: f64::INFINITY, second: f64::INFINITY, batches: 0 };

    /// With one time more.
    pub fn with(self, seconds: f64) -> Self {
        Self {
            least: self.least.min(seconds),
            second: self.second.min(self.least.max(seconds)),
            batches: self.batches.saturating_add(1),
        }
    }

    /// Whether anything was timed.
    pub fn known(&self) -> bool {
        self.batches > 0
    }

    /// How far the least time may be from the least possible: the gap between the two least (Robson and Whitlock's rule
    /// for the end of a distribution), at least a hundredth.
    pub fn error(&self) -> f64 {
        let gap = self.second - self.least;
        let floor = FLOOR * self.least;
        if gap.is_finite() && gap > floor { gap } else { floor }
    }
}

/// Work to be timed on a path of the dispatch.
pub struct Job<'a> {
    path: Option<Path>,
    /// Does it so many times and tells the seconds.
    work: Box<dyn FnMut(u32) -> f64 + 'a>,
    /// Equal parts of the work, one of which is to be known.
    parts: u32,
    batch: u32,
    spent: f64,
    /// What came out.
    pub best: Best,
}

impl std::fmt::Debug for Job<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("path", &self.path).field("best", &self.best).finish_non_exhaustive()
    }
}

/// Seconds of so many repetitions.
pub fn repeated(times: u32, mut work: impl FnMut()) -> f64 {
    let begin = Instant::now();
    for _ in 0..times {
        work();
    }
    begin.elapsed().as_secs_f64()
}

impl<'a> Job<'a> {
    /// Work that is the same every time; on the widest path for `None`.
    pub fn new(path: Option<Path>, mut work: impl FnMut() + 'a) -> Self {
        Self::timed(path, 1, move |times| repeated(times, &mut work))
    }

    /// Work of so many equal parts, that tells how long it took when done so many times: the time of a part is kept.
    pub fn timed(path: Option<Path>, parts: u32, work: impl FnMut(u32) -> f64 + 'a) -> Self {
        Self { path, work: Box::new(work), parts, batch: 0, spent: 0.0, best: Best::NONE }
    }

    /// One turn. The very first runs, which warm caches and choose the batch, count only if one takes a whole turn.
    fn turn(&mut self) {
        if self.spent > ENOUGH && self.best.batches >= 2 {
            return;
        }
        force(self.path);
        let mut turn = 0.0;
        if self.batch == 0 {
            self.batch = 1;
            let mut seconds = (self.work)(1);
            if seconds >= TURN {
                turn += self.keep(seconds);
            }
            while seconds < BATCH && self.batch < 1 << 20 {
                self.batch *= 2;
                seconds = (self.work)(self.batch);
            }
        }
        while turn < TURN {
            let seconds = (self.work)(self.batch);
            turn += self.keep(seconds);
        }
        self.spent += turn;
        force(None);
    }

    /// Keeps the time of a batch, and says how long it was: never nothing, so that every turn ends.
    fn keep(&mut self, seconds: f64) -> f64 {
        self.best = self.best.with(seconds / f64::from(self.batch) / f64::from(self.parts));
        seconds.max(1e-9)
    }
}

/// So many rounds, each with a turn for every job. False if it was stopped before the end.
pub fn rounds(jobs: &mut [Job<'_>], count: u32, stop: &AtomicBool, bar: &ProgressBar) -> bool {
    for _ in 0..count {
        for job in jobs.iter_mut() {
            if stop.load(Ordering::SeqCst) {
                return false;
            }
            job.turn();
            bar.inc(1);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn the_two_least_times_are_kept() {
        let best = [3.0, 2.0, 5.0, 2.5].into_iter().fold(Best::NONE, Best::with);
        assert_eq!(best, Best { least: 2.0, second: 2.5, batches: 4 });
        assert_eq!(best.error(), 0.5);
        assert_eq!(Best::NONE.with(2.0).error(), 0.02, "one time has the error of the clock");
        assert_eq!(Best::NONE.with(2.0).with(2.001).error(), 0.02);
    }

    #[test]
    fn a_job_is_timed_per_piece_of_work_and_in_turn() {
        let order = std::cell::RefCell::new(Vec::new());
        // seconds as if one piece took 10 ms (or 400 ms): no clock is read
        let job = |name: char, seconds: f64, order: &std::cell::RefCell<Vec<char>>| {
            order.borrow_mut().push(name);
            seconds
        };
        let mut jobs = [
            Job::timed(None, 1, |times| job('a', 0.01 * f64::from(times), &order)),
            Job::timed(None, 1, |times| job('b', 0.6 * f64::from(times), &order)),
        ];
        let stop = AtomicBool::new(false);
        assert!(rounds(&mut jobs, 4, &stop, &ProgressBar::hidden()));
        let found = jobs.iter().map(|job| job.best.least).collect::<Vec<_>>();
        assert_eq!(found, [0.01, 0.6]);
        drop(jobs);
        // one run to choose the batch, then two of 10 ms a turn; the slow one has enough after two, of which the first
        // is one
        assert_eq!(order.borrow().iter().collect::<String>(), "aaabaabaaaa");
    }

    #[test]
    fn the_clock_of_a_fast_job_is_read_once_a_batch() {
        let largest = Cell::new(0);
        let mut jobs = [Job::timed(Some(Path::Baseline), 1, |times| {
            largest.set(largest.get().max(times));
            1e-6 * f64::from(times)
        })];
        let stop = AtomicBool::new(false);
        assert!(rounds(&mut jobs, 1, &stop, &ProgressBar::hidden()));
        assert_eq!(largest.get(), 64, "64 us");
        let mut jobs = [Job::timed(None, 50, |times| 5e-3 * f64::from(times))];
        assert!(rounds(&mut jobs, 1, &stop, &ProgressBar::hidden()));
        assert_eq!((jobs[0].best.least, jobs[0].best.batches), (1e-4, 4), "a part, in a turn of 20 ms");
        stop.store(true, Ordering::SeqCst);
        assert!(!rounds(&mut jobs, 1, &stop, &ProgressBar::hidden()));
    }
}
