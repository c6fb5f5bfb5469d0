//! The widest vector instructions that the machine has, chosen when the program runs: feature `dispatch`, on x86-64.
//!
//! Every path gives the same bits: lanes run across particles, each lane's operations stand in the order that the models document, and the
//! compiler contracts nothing. [`force`] exists to test that, and to measure.
//!
//! ```
//! # #[cfg(feature = "dispatch")] {
//! use birth_death::dispatch::{Path, force};
//! for path in Path::ALL {
//!     println!("{}: {}", path.name(), path.available());
//! }
//! assert!(force(Some(Path::Baseline)));
//! assert!(force(None)); // the widest again
//! # }
//! ```

/// A piece of work whose loops profit from wide registers: the evaluation of your own energy, for one.
pub trait Task {
    /// What comes of it.
    type Output;

    /// Does it. This and all that it calls in loops is to be `#[inline(always)]`: what is not inlined is compiled for the baseline.
    fn run(self) -> Self::Output;
}

/// Runs it with the widest instructions, or those forced.
// one copy of a loop for all that call it, as with the feature
#[cfg(not(feature = "dispatch"))]
#[inline(never)]
pub(crate) fn widest<T: Task>(task: T) -> T::Output {
    task.run()
}

#[cfg(feature = "dispatch")]
pub use paths::{Path, force, widest};

#[cfg(feature = "dispatch")]
mod paths {
    use super::Task;
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

        /// Whether this machine has it.
        pub fn available(self) -> bool {
            match self {
                Path::Baseline => true,
                #[cfg(target_arch = "x86_64")]
                Path::Avx2 => std::is_x86_feature_detected!("avx2"),
                #[cfg(target_arch = "x86_64")]
                Path::Avx512 => {
                    std::is_x86_feature_detected!("avx512f")
                        && std::is_x86_feature_detected!("avx512bw")
                        && std::is_x86_feature_detected!("avx512cd")
                        && std::is_x86_feature_detected!("avx512dq")
                        && std::is_x86_feature_detected!("avx512vl")
                }
                #[cfg(not(target_arch = "x86_64"))]
                _ => false,
            }
        }
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

    /// Makes all evaluations of the process take `path`; the widest for `None`. False, and nothing changed, if this machine does not have it.
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
        task.run()
    }

    // Each of these is compiled twice, for its target and for any: the second calls the next narrower, so that there are three copies of a task, not six.
    #[multiversion(targets("x86_64+avx2"), dispatcher = "direct")]
    fn avx2<T: Task>(task: T) -> T::Output {
        match_target! {
            "x86_64+avx2" => task.run(),
            _ => baseline(task),
        }
    }

    #[multiversion(targets("x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl"), dispatcher = "direct")]
    fn avx512<T: Task>(task: T) -> T::Output {
        match_target! {
            "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl" => task.run(),
            _ => avx2(task),
        }
    }
}
