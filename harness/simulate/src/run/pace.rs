//! When a checkpoint is due, and what checkpoints may cost.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Checkpoints may take 1 / 20 = 5 % of the time of a run.
const SHARE: u128 = 20;

/// Counts the steps of a run, and the time that went into its checkpoints.
///
/// One is due after every so many steps. It is put off while all earlier ones have taken more than 5 % of the time
/// since the beginning, so that a run with checkpoints lasts at most 5 % and two checkpoints longer: the last that was
/// due, and the one at the end. The time is that of all threads together: what one thread waits for
/// another counts too.
#[derive(Debug)]
pub struct Pace {
    every: u64,
    made: AtomicU64,
    overdue: AtomicBool,
    nanoseconds: AtomicU64,
}

impl Pace {
    /// A checkpoint every so many steps.
    pub fn every(steps: u64) -> Self {
        Self { every: steps, made: AtomicU64::new(0), overdue: AtomicBool::new(false), nanoseconds: AtomicU64::new(0) }
    }

    /// Counts a step, at a time since the beginning that is asked for only if a checkpoint is due. True if one has to
    /// be written now.
    pub fn count_step(&self, elapsed: impl FnOnce() -> Duration) -> bool {
        let made = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        if made.is_multiple_of(self.every) {
            self.overdue.store(true, Ordering::Relaxed);
        }
        if !self.is_overdue() {
            return false;
        }
        let spent = u128::from(self.nanoseconds.load(Ordering::Relaxed));
        // of several threads that see it, one writes
        spent * SHARE <= elapsed().as_nanos() && self.overdue.swap(false, Ordering::Relaxed)
    }

    /// Whether one that was due is put off.
    pub fn is_overdue(&self) -> bool {
        self.overdue.load(Ordering::Relaxed)
    }

    /// Counts time that a checkpoint has taken.
    pub fn spend(&self, time: Duration) {
        // 584 years
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn one_is_due_every_so_many_steps_while_they_cost_nothing() {
        let pace = Pace::every(3);
        let due: Vec<bool> = (0..7).map(|_| pace.count_step(|| Duration::ZERO)).collect();
        assert_eq!(due, [false, false, true, false, false, true, false]);
        assert!(!pace.is_overdue());
        // the clock is looked at only if one is due
        Pace::every(2).count_step(|| unreachable!("nothing is due"));
    }

    #[test]
    fn one_is_put_off_until_the_others_are_within_their_share() {
        let pace = Pace::every(3);
        pace.spend(10 * MS);
        assert!(!pace.count_step(|| MS) && !pace.count_step(|| MS) && !pace.is_overdue(), "none is due");
        assert!(!pace.count_step(|| 199 * MS) && pace.is_overdue());
        assert!(pace.count_step(|| 200 * MS), "at the first step from then on");
        assert!(!pace.is_overdue() && !pace.count_step(|| 201 * MS), "once");
    }

    #[test]
    fn all_together_take_their_share_and_one_more_however_often_they_are_due() {
        // steps of a hundredth of a checkpoint's time
        for (every, cost) in [(1, 100 * MS), (10, 100 * MS), (10, 3 * MS)] {
            let (pace, mut now, mut spent) = (Pace::every(every), Duration::ZERO, Duration::ZERO);
            for _ in 0..100_000 {
                now += MS;
                if pace.count_step(|| now) {
                    pace.spend(cost);
                    spent += cost;
                    now += cost;
                }
            }
            assert!(spent <= now / 20 + cost && spent >= now / 25, "{every}, {cost:?}: {spent:?} of {now:?}");
        }
    }

    #[test]
    fn rare_ones_are_not_put_off() {
        let (pace, mut written) = (Pace::every(1000), 0);
        for step in 1..=10_000u32 {
            if pace.count_step(|| step * MS) {
                pace.spend(MS);
                written += 1;
            }
        }
        assert_eq!(written, 10);
    }
}
