//! How long threads are at a part of their work.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The time of all threads together.
#[derive(Debug, Default)]
pub struct Stopwatch {
    nanoseconds: AtomicU64,
}

impl Stopwatch {
    /// A watch that shows nothing yet.
    pub const fn new() -> Self {
        Self { nanoseconds: AtomicU64::new(0) }
    }

    /// Seconds so far, of laps that are over.
    pub fn seconds(&self) -> f64 {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)).as_secs_f64()
    }
}

/// The laps of one thread; without a watch they cost nothing. The watch has them when this is dropped, so that threads
/// do not wait for each other.
#[derive(Debug)]
pub struct Laps {
    watch: Option<&'static Stopwatch>,
    spent: Duration,
}

impl Laps {
    /// No lap yet.
    pub const fn of(watch: Option<&'static Stopwatch>) -> Self {
        Self { watch, spent: Duration::ZERO }
    }

    /// Begins a lap, which [`end`](Self::end) takes in.
    pub fn begin(&self) -> Lap {
        Lap(self.watch.map(|_| Instant::now()))
    }

    /// The end of a lap.
    pub fn end(&mut self, lap: Lap) {
        if let Lap(Some(began)) = lap {
            self.spent += began.elapsed();
        }
    }
}

/// A lap in progress.
#[derive(Debug)]
#[must_use]
pub struct Lap(Option<Instant>);

impl Drop for Laps {
    fn drop(&mut self) {
        if let Some(watch) = self.watch {
            watch.nanoseconds.fetch_add(self.spent.as_nanos() as u64, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laps_of_all_threads_are_added_up_and_the_time_between_them_is_not() {
        static WATCH: Stopwatch = Stopwatch::new();
        const LAP: Duration = Duration::from_millis(20);
        let began = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut laps = Laps::of(Some(&WATCH));
                    for _ in 0..2 {
                        let lap = laps.begin();
                        std::thread::sleep(LAP);
                        laps.end(lap);
                        std::thread::sleep(5 * LAP);
                    }
                });
            }
        });
        let all = began.elapsed().as_secs_f64();
        // all pauses have passed too; a busy machine may have made any of them longer
        assert!(WATCH.seconds() >= 4.0 * LAP.as_secs_f64() && WATCH.seconds() < 2.0 * all - 20.0 * LAP.as_secs_f64());
    }
}
