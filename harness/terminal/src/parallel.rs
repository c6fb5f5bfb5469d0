//! Work on all cores with results that do not depend on their number.

use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, Builder};

/// How many threads work at a time. They are started with the work and end with it, so that there are never more than
/// tasks.
#[derive(Debug)]
pub struct Pool {
    threads: u64,
}

/// A pool of so many threads; of one for each core for `None`.
pub fn pool(threads: Option<u16>) -> Pool {
    let cores = || thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    Pool { threads: threads.map_or_else(cores, u64::from).max(1) }
}

impl Pool {
    /// Threads that work at `count` tasks, the caller's among them.
    pub fn threads_for(&self, count: u64) -> u64 {
        self.threads.min(count)
    }

    /// Threads for any number of tasks.
    pub fn threads(&self) -> u64 {
        self.threads
    }
}

/// `task(0), ..., task(count - 1)` in this order, computed on the caller's thread and those of the pool.
///
/// Tasks are begun in ascending order, one at a time a thread, so that those complete at an interruption are the
/// first ones. A task must depend on its index only: then the result is the same for any number of threads. Where the
/// system refuses a thread, the others do its work. A task that panics makes this panic once the others have ended.
pub fn map_in_order<T: Send>(pool: &Pool, count: u64, task: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let results: Vec<Mutex<Option<T>>> = (0..count).map(|_| Mutex::default()).collect();
    each(pool.threads_for(count), count, &|index| {
        let result = task(index);
        // nobody else has this index
        if let Some(Ok(mut place)) = results.get(index as usize).map(Mutex::lock) {
            *place = Some(result);
        }
    });
    results.into_iter().filter_map(|place| place.into_inner().ok().flatten()).collect()
}

/// Calls `task` with every number below `count`, on so many threads. Compiled once, for all tasks.
fn each(threads: u64, count: u64, task: &(dyn Fn(u64) + Sync)) {
    let next = AtomicU64::new(0);
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return;
            }
            task(index);
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map_while(|_| Builder::new().spawn_scoped(scope, work).ok()).collect();
        work();
        for other in others {
            other.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_their_indices() {
        for threads in [1, 2, 5] {
            let pool = pool(Some(threads));
            let found = map_in_order(&pool, 100, |index| {
                if index % 7 == 0 {
                    std::thread::yield_now();
                }
                index * index
            });
            assert_eq!(found, (0..100).map(|index| index * index).collect::<Vec<_>>());
        }
    }

    #[test]
    fn threads_work_at_the_same_time() {
        let pool = pool(Some(2));
        let meeting = std::sync::Barrier::new(2);
        let met = map_in_order(&pool, 2, |_| meeting.wait().is_leader());
        assert_eq!(met.iter().filter(|&&leads| leads).count(), 1);
    }

    #[test]
    fn there_are_never_more_threads_than_tasks() {
        assert_eq!([0, 1, 3, 2000].map(|count| pool(Some(1024)).threads_for(count)), [0, 1, 3, 1024]);
        assert!(pool(None).threads() >= 1);
        // a single task stays with its caller
        let caller = std::thread::current().id();
        assert_eq!(map_in_order(&pool(Some(1024)), 1, |_| std::thread::current().id()), [caller]);
    }

    #[test]
    fn a_thousand_threads_cost_no_more_than_starting_them() {
        let begun = std::time::Instant::now();
        let found = map_in_order(&pool(Some(1024)), 5000, |index| index);
        assert_eq!(found, (0..5000).collect::<Vec<_>>());
        // milliseconds, however busy the machine; threads that look for work of each other took 11 seconds
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    }

    #[test]
    fn a_panic_of_a_task_comes_out() {
        for threads in [1, 4] {
            let work = || map_in_order(&pool(Some(threads)), 8, |index| assert_ne!(index, 5, "the fifth"));
            let panic = std::panic::catch_unwind(work).expect_err("a panic");
            assert!(panic.downcast_ref::<String>().is_some_and(|text| text.contains("the fifth")));
        }
    }

    #[test]
    fn no_task_gives_no_result() {
        let none = map_in_order(&pool(None), 0, |index| index);
        assert!(none.is_empty());
    }
}
