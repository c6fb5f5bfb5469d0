//! Statistics of the verification: p-values, intervals, verdicts and what they can detect.
//!
//! | file | what |
//! |---|---|
//! | [`tails`] | far tails and quantiles of the normal, t and chi-square laws; goodness of fit |
//! | [`binomial`] | exact binomial mass, tails, two-sided p-value |
//! | [`poisson_binomial`] | sums of unequal Bernoulli variables: mass, tails, and those of a sum over many repeats |
//! | [`interval`] | mean, spread, t interval, Clopper-Pearson interval, quantiles, interval of a median |
//! | [`acceleration`] | whether one dynamics arrives sooner: paired hitting times, some beyond the budget |
//! | [`bootstrap`] | intervals by resampling, for statistics that are no means |
//! | [`difference`] | two runs' estimates of one quantity: has it moved? |
//! | [`rank`] | rank-sum test; the effect P(X < Y) with an interval |
//! | `rank_law`, `rank_saddle` | the law of a rank sum given the ties: counted, or by the double saddle point |
//! | [`normality`] | Anderson-Darling for normal and uniform laws; p-values no smaller than uniform |
//! | [`verdict`] | holds, fails, undecided; Holm's step-down |
//! | [`power`] | the smallest deviation that a test finds with given power |
//! | [`sample_size`] | how many replicates find a given deviation |
//! | [`regression`] | orders and rates: weighted log-log and linear regression, slopes over replicates |
//!
//! The unit of observation is an independent replicate. Special functions come from the crate `statrs`, within the domains
//! where the tests here found it accurate.

// The workspace forbids std's transcendentals for the core's sake; the harness is meant not to share the core's.
#![allow(clippy::disallowed_methods)]

pub mod acceleration;
pub mod binomial;
pub mod bootstrap;
pub mod difference;
pub mod interval;
pub mod normality;
pub mod poisson_binomial;
pub mod power;
pub mod rank;
mod rank_law;
mod rank_saddle;
pub mod regression;
pub mod sample_size;
pub mod tails;
pub mod verdict;

/// Random numbers for simulations of size and power: SplitMix64, fixed seeds, tests only.
#[cfg(test)]
pub(crate) mod simulate {
    pub(crate) struct Stream(pub(crate) u64);

    impl Stream {
        /// Uniform on (0, 1).
        pub(crate) fn uniform(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 * 2f64.powi(-53) + 2f64.powi(-54)
        }

        /// Standard normal (Box-Muller, one of the pair).
        pub(crate) fn normal(&mut self) -> f64 {
            let radius = (-2.0 * self.uniform().ln()).sqrt();
            radius * (core::f64::consts::TAU * self.uniform()).cos()
        }

        /// Number of successes of independent trials.
        pub(crate) fn successes(&mut self, p: &[f64]) -> u64 {
            p.iter().filter(|&&p| self.uniform() < p).count() as u64
        }
    }

    /// Asserts that `hits` of `trials` is within five standard deviations of probability `p`.
    pub(crate) fn assert_rate(hits: usize, trials: usize, p: f64) {
        let (mean, sd) = (trials as f64 * p, (trials as f64 * p * (1.0 - p)).sqrt());
        assert!((hits as f64 - mean).abs() < 5.0 * sd, "{hits} of {trials}, expected {mean}");
    }
}
