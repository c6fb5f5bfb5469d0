//! The widest vector instructions that the machine has, chosen when the program runs: with the feature `dispatch`
//! (which needs std), on x86-64. Without it [`widest`] runs a task as the compiler was told to, so that an energy of
//! your own needs no `cfg`.
//!
//! Every path gives the same bits: lanes run across particles, each lane's operations stand in the order that the
//! models document, and the compiler contracts nothing. With the feature, `force` exists to test that, and to measure;
//! `taken` tells which path the last evaluation ran on.
//!
//! ```
//! # #[cfg(feature = "dispatch")] {
//! use birth_death::dispatch::{Path, Task, force, taken, widest};
//! for path in Path::ALL {
//!     println!("{}: {}", path.name(), path.available());
//! }
//! struct Nothing;
//! impl Task for Nothing {
//!     type Output = ();
//!     fn run(self) {}
//! }
//! assert!(force(Some(Path::Baseline)));
//! widest(Nothing);
//! assert_eq!(taken(), Some(Path::Baseline));
//! assert!(force(None)); // the widest again
//! # }
//! ```

/// A piece of work whose loops profit from wide registers: the evaluation of your own energy, for one.
pub trait Task {
    /// What comes of it.
    type Output;

    /// Does it. This and all that it calls in loops is to be `#[inline(always)]`: what is not inlined is compiled for
    /// the baseline.
    fn run(self) -> Self::Output;
}

/// Runs it; with the feature `dispatch`, with the widest instructions that the machine has.
// one copy of a loop for all that call it, as with the feature
#[cfg(not(feature = "dispatch"))]
#[inline(never)]
pub fn widest<T: Task>(task: T) -> T::Output {
    task.run()
}

#[cfg(all(test, feature = "dispatch"))]
pub(crate) use paths::tests::alone;
#[cfg(feature = "dispatch")]
pub use paths::{Path, force, taken, widest};

#[cfg(feature = "dispatch")]
mod paths {
    use super::Task;
    use core::cell::Cell;
    use core::sync::atomic::{AtomicU8, Ordering};
    use multiversion::{multiversion, target::match_target};

    /// A set of instructions.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Path {
        /// What the compiler was told to assume: SSE2 on x86-64.
        Baseline,
        /// AVX2, 8 lanes of `f32`.
        Avx2,
        /// AVX-512 (F, BW, CD, DQ, VL), 16 lanes of `f32`.
        Avx512,
    }

    impl Path {
        /// All, from narrow to wide.
        pub const ALL: [Path; 3] = [Path::Baseline, Path::Avx2, Path::Avx512];

        /// Its name in tables.
        pub const fn name(self) -> &'static str {
            match self {
                Path::Baseline => "baseline",
                Path::Avx2 => "AVX2",
                Path::Avx512 => "AVX-512",
            }
        }

        /// The instructions that a machine must have for it, as x86-64 names them.
        const fn needs(self) -> &'static [&'static str] {
            match self {
                Path::Baseline => &[],
                Path::Avx2 => &["avx2"],
                Path::Avx512 => &["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"],
            }
        }

        /// Whether this machine has it.
        pub fn available(self) -> bool {
            self.needs().iter().all(|instructions| detected(instructions))
        }
    }

    /// Whether this machine has these instructions, of those that some path needs.
    fn detected(instructions: &str) -> bool {
        #[cfg(target_arch = "x86_64")]
        match instructions {
            "avx2" => return std::is_x86_feature_detected!("avx2"),
            "avx512f" => return std::is_x86_feature_detected!("avx512f"),
            "avx512bw" => return std::is_x86_feature_detected!("avx512bw"),
            "avx512cd" => return std::is_x86_feature_detected!("avx512cd"),
            "avx512dq" => return std::is_x86_feature_detected!("avx512dq"),
            "avx512vl" => return std::is_x86_feature_detected!("avx512vl"),
            _ => {}
        }
        let _ = instructions;
        false
    }

    std::thread_local! {
        static TAKEN: Cell<Option<Path>> = const { Cell::new(None) };
    }

    /// The path on which this thread's last evaluation ran, as the copy of the code itself noted that ran; `None`
    /// before the first.
    pub fn taken() -> Option<Path> {
        TAKEN.get()
    }

    const WIDEST: u8 = 0;
    static FORCED: AtomicU8 = AtomicU8::new(WIDEST);

    fn number(path: Path) -> u8 {
        match path {
            Path::Baseline => 1,
            Path::Avx2 => 2,
            Path::Avx512 => 3,
        }
    }

    /// Makes all evaluations of the process take `path`; the widest for `None`. False, and nothing changed, if this
    /// machine does not have it.
    ///
    /// No result depends on it.
    pub fn force(path: Option<Path>) -> bool {
        let available = path.is_none_or(Path::available);
        if available {
            FORCED.store(path.map_or(WIDEST, number), Ordering::Relaxed);
        }
        available
    }

    /// Runs it with the widest instructions, or those forced.
    ///
    /// ```
    /// use birth_death::dispatch::{Task, widest};
    /// struct Squares<'a>(&'a [f32], &'a mut [f32]);
    /// impl Task for Squares<'_> {
    ///     type Output = ();
    ///     #[inline(always)]
    ///     fn run(self) {
    ///         self.1.iter_mut().zip(self.0).for_each(|(y, x)| *y = x * x);
    ///     }
    /// }
    /// let mut y = [0.0; 3];
    /// widest(Squares(&[1.0, 2.0, 3.0], &mut y));
    /// assert_eq!(y, [1.0, 4.0, 9.0]);
    /// ```
    #[inline]
    pub fn widest<T: Task>(task: T) -> T::Output {
        match FORCED.load(Ordering::Relaxed) {
            1 => baseline(task),
            2 => avx2(task),
            _ => avx512(task),
        }
    }

    #[inline(never)]
    fn baseline<T: Task>(task: T) -> T::Output {
        TAKEN.set(Some(Path::Baseline));
        task.run()
    }

    // Each of these is compiled twice, for its target and for any: the second calls the next narrower, so that there
    // are three copies of a task, not six.
    #[multiversion(targets("x86_64+avx2"), dispatcher = "direct")]
    fn avx2<T: Task>(task: T) -> T::Output {
        match_target! {
            "x86_64+avx2" => {
                TAKEN.set(Some(Path::Avx2));
                task.run()
            }
            _ => baseline(task),
        }
    }

    #[multiversion(targets("x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl"), dispatcher = "direct")]
    fn avx512<T: Task>(task: T) -> T::Output {
        match_target! {
            "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl" => {
                TAKEN.set(Some(Path::Avx512));
                task.run()
            }
            _ => avx2(task),
        }
    }

    #[cfg(test)]
    pub(crate) mod tests {
        use super::*;
        use std::sync::{Mutex, MutexGuard, PoisonError};

        static FORCING: Mutex<()> = Mutex::new(());

        /// For tests that force a path, which is the whole process's: one at a time.
        pub(crate) fn alone() -> MutexGuard<'static, ()> {
            FORCING.lock().unwrap_or_else(PoisonError::into_inner)
        }

        struct Answer;
        impl Task for Answer {
            type Output = u32;
            fn run(self) -> u32 {
                42
            }
        }

        /// The path that a task takes.
        fn path() -> Option<Path> {
            TAKEN.set(None);
            assert_eq!(widest(Answer), 42);
            taken()
        }

        /// The widest of the machine, by the flags that the system lists.
        #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
        #[test]
        fn a_path_is_available_if_the_machine_lists_its_instructions() {
            let text = std::fs::read_to_string("/proc/cpuinfo").expect("a list");
            let flags = text.lines().find(|line| line.starts_with("flags")).expect("flags");
            let listed = |flag: &str| flags.split_whitespace().any(|word| word == flag);
            for path in Path::ALL {
                assert_eq!(path.available(), path.needs().iter().all(|flag| listed(flag)), "{path:?}");
                for flag in path.needs() {
                    assert_eq!(detected(flag), listed(flag), "{flag}");
                }
            }
            assert!(!detected("avx") && !detected(""), "no path needs them");
        }

        #[test]
        fn what_a_path_needs_is_what_it_is_compiled_for() {
            assert_eq!(Path::Baseline.needs(), [""; 0]);
            assert_eq!(Path::Avx2.needs(), ["avx2"]);
            assert_eq!(Path::Avx512.needs(), ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]);
            assert_eq!(Path::ALL.map(Path::name), ["baseline", "AVX2", "AVX-512"]);
        }

        #[test]
        fn a_task_takes_the_path_that_is_forced_and_else_the_widest() {
            let _alone = alone();
            assert!(force(None));
            assert_eq!(path(), Path::ALL.into_iter().rfind(|path| path.available()), "the widest");
            for forced in Path::ALL {
                assert!(force(Some(Path::Baseline)));
                assert_eq!(path(), Some(Path::Baseline));
                assert_eq!(force(Some(forced)), forced.available(), "{forced:?}");
                // one that is not there changes nothing
                assert_eq!(path(), Some(if forced.available() { forced } else { Path::Baseline }));
            }
            assert!(force(None));
            let other = std::thread::spawn(taken).join().expect("a thread");
            assert_eq!(other, None, "each thread knows its own");
        }
    }
}
