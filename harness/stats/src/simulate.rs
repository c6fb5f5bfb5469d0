//! Random numbers for simulations of the size and the power of a test: SplitMix64, from fixed seeds.

/// SplitMix64; the number is its state, so the seed at first.
#[derive(Clone, Debug)]
pub struct Stream(pub u64);

impl Stream {
    /// Uniform on (0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 * 2f64.powi(-53) + 2f64.powi(-54)
    }

    /// Standard normal (Box-Muller, one of the pair).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (core::f64::consts::TAU * self.uniform()).cos()
    }

    /// Number of successes of independent trials.
    pub fn successes(&mut self, p: &[f64]) -> u64 {
        p.iter().filter(|&&p| self.uniform() < p).count() as u64
    }
}

/// Asserts that `hits` of `trials` is within five standard deviations of probability `p`.
pub fn assert_rate(hits: usize, trials: usize, p: f64) {
    let (mean, sd) = (trials as f64 * p, (trials as f64 * p * (1.0 - p)).sqrt());
    assert!((hits as f64 - mean).abs() < 5.0 * sd, "{hits} of {trials}, expected {mean}");
}
