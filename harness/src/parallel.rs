//! Work on all cores with results that do not depend on their number.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// A pool of so many threads; of all cores for `None`.
///
/// # Errors
/// Those of the system, which may refuse to start so many.
pub fn pool(threads: Option<u16>) -> Result<ThreadPool, ThreadPoolBuildError> {
    ThreadPoolBuilder::new().num_threads(threads.map_or(0, usize::from)).build()
}

/// `task(0), ..., task(count - 1)` in this order, computed on the pool.
///
/// Tasks are begun in ascending order, one at a time a thread, so that those complete at an interruption are the
/// first ones. A task must depend on its index only: then the result is the same for any number of threads.
pub fn map_in_order<T: Send>(pool: &ThreadPool, count: u64, task: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = AtomicU64::new(0);
    let mut done: Vec<(u64, T)> = pool
        .broadcast(|_| {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return done;
                }
                done.push((index, task(index)));
            }
        })
        .into_iter()
        .flatten()
        .collect();
    done.sort_by_key(|&(index, _)| index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_their_indices() {
        for threads in [1, 2, 5] {
            let pool = pool(Some(threads)).expect("a pool");
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
        let pool = pool(Some(2)).expect("a pool");
        let meeting = std::sync::Barrier::new(2);
        let met = map_in_order(&pool, 2, |_| meeting.wait().is_leader());
        assert_eq!(met.iter().filter(|&&leads| leads).count(), 1);
    }

    #[test]
    fn no_task_gives_no_result() {
        let none = map_in_order(&pool(None).expect("a pool"), 0, |index| index);
        assert!(none.is_empty());
    }
}
