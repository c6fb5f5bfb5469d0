//! Scheme 1 on particles of two kinds with an external potential, nobody moving: the exact law of how many there are of
//! each.
//!
//! Of `high` particles each dies with probability p, of the n - high others each is duplicated with probability q
//! (centred rates b = V - Vbar: the mean lies between the two). Deaths D and births B are binomial. If B >= D, the
//! excess is a uniform subset of those present: hypergeometric. If D > B, each missing one copies one of those present:
//! binomial. Birth-death dynamics of arXiv:1902.01843.

/// The ensemble.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoKinds {
    /// n.
    pub particles: usize,
    /// V of the higher kind less V of the lower, >= 0.
    pub gap: f64,
    /// alpha dt.
    pub strength: f64,
}

/// Patterns of deaths and births less probable are left out, n^2 / 4 of them at most: 1e-14 in all for n = 200.
const NEGLIGIBLE: f64 = 1e-18;

impl TwoKinds {
    /// Probability that one of the higher kind dies, and that one of the lower is duplicated.
    pub fn probabilities(&self, high: usize) -> (f64, f64) {
        let share = high as f64 / self.particles as f64;
        let event = |b: f64| -(-self.strength * b).exp_m1();
        (event(self.gap * (1.0 - share)), event(self.gap * share))
    }

    /// `law[k]`: probability that after one step k of the n particles are of the higher kind, given that `high` are
    /// now.
    ///
    /// Nothing cancels; the error is that of what is left out, n^2 / 4 times 1e-18. Cost: the ranges of deaths, births
    /// and their difference.
    pub fn one_step(&self, high: usize) -> Vec<f64> {
        let n = self.particles;
        let (p, q) = self.probabilities(high);
        let (deaths, births) = (binomial(high, p), binomial(n - high, q));
        let mut law = vec![0.0; n + 1];
        for (d, chance_d) in deaths.iter().enumerate() {
            for (b, chance_b) in births.iter().enumerate() {
                let chance = chance_d * chance_b;
                if chance < NEGLIGIBLE {
                    continue;
                }
                let (left, total) = (high - d, n + b - d);
                if b >= d {
                    for (removed, p) in hypergeometric(total, left, b - d) {
                        law[left - removed] += chance * p;
                    }
                } else if total > 0 {
                    for (copied, p) in binomial(d - b, left as f64 / total as f64).into_iter().enumerate() {
                        law[left + copied] += chance * p;
                    }
                }
            }
        }
        law
    }

    /// The law after `steps` steps.
    pub fn law(&self, high: usize, steps: usize) -> Vec<f64> {
        let n = self.particles;
        let mut rows: Vec<Option<Vec<f64>>> = vec![None; n + 1];
        let mut law = vec![0.0; n + 1];
        law[high] = 1.0;
        for _ in 0..steps {
            let mut next = vec![0.0; n + 1];
            for (from, chance) in law.iter().enumerate().filter(|(_, chance)| **chance > NEGLIGIBLE) {
                let row = rows[from].get_or_insert_with(|| self.one_step(from));
                next.iter_mut().zip(row).for_each(|(sum, p)| *sum += chance * *p);
            }
            law = next;
        }
        law
    }
}

/// The binomial law, P(k) for k = 0..=n: ratios of neighbours from the mode outwards, then normalised.
fn binomial(n: usize, p: f64) -> Vec<f64> {
    let mut law = vec![0.0; n + 1];
    if p >= 1.0 {
        law[n] = 1.0;
        return law;
    }
    let mode = (((n + 1) as f64 * p) as usize).min(n);
    law[mode] = 1.0;
    let odds = p / (1.0 - p);
    for k in mode..n {
        law[k + 1] = law[k] * odds * (n - k) as f64 / (k + 1) as f64;
    }
    for k in (0..mode).rev() {
        law[k] = law[k + 1] / odds * (k + 1) as f64 / (n - k) as f64;
    }
    let sum: f64 = law.iter().sum();
    law.iter_mut().for_each(|p| *p /= sum);
    law
}

/// Of `total` of which `marked` are marked, `drawn` go without replacement: how many marked ones, with probabilities.
fn hypergeometric(total: usize, marked: usize, drawn: usize) -> Vec<(usize, f64)> {
    let lowest = (marked + drawn).saturating_sub(total);
    let mut weights = vec![(lowest, 1.0)];
    for k in lowest..marked.min(drawn) {
        // P(k + 1) / P(k)
        let up = ((marked - k) * (drawn - k)) as f64;
        let down = ((k + 1) * (total + k + 1 - marked - drawn)) as f64;
        let last = weights[weights.len() - 1].1;
        weights.push((k + 1, last * up / down));
    }
    let sum: f64 = weights.iter().map(|(_, w)| w).sum();
    weights.iter_mut().for_each(|(_, w)| *w /= sum);
    weights
}

#[cfg(test)]
mod tests {
    use super::super::one_step::OneStep;
    use super::super::reference::{self, Rules};
    use super::*;

    const ROUNDING: f64 = 1e-13;

    #[test]
    fn the_laws_by_hand() {
        let near = |law: Vec<f64>, exact: &[f64]| law.iter().zip(exact).all(|(a, b)| (a - b).abs() < 1e-15);
        assert!(
            near(binomial(2, 0.25), &[0.5625, 0.375, 0.0625]) && near(binomial(3, 0.5), &[0.125, 0.375, 0.375, 0.125])
        );
        assert_eq!((binomial(3, 0.0), binomial(2, 1.0)), (vec![1.0, 0.0, 0.0, 0.0], vec![0.0, 0.0, 1.0]));
        // of 5, 3 marked, 2 drawn: 1, 6, 3 of 10; of 3, 2 marked, 2 drawn: at least one
        let close = |law: Vec<(usize, f64)>, exact: &[(usize, f64)]| {
            law.len() == exact.len() && law.iter().zip(exact).all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < 1e-15)
        };
        assert!(close(hypergeometric(5, 3, 2), &[(0, 0.1), (1, 0.6), (2, 0.3)]));
        assert!(close(hypergeometric(3, 2, 2), &[(1, 2.0 / 3.0), (2, 1.0 / 3.0)]));
        assert!(close(hypergeometric(5, 3, 0), &[(0, 1.0)]));
        // two particles, one of each: p = q = 1 - exp(-1). D = B = 1: 0; D = 1, B = 0: copies of the other, 0; B = 1, D
        // = 0: one of three goes, 0 or 1 left of the higher kind with 1/3, 2/3; neither: 1
        let p = 1.0 - (-1.0f64).exp();
        let law = TwoKinds { particles: 2, gap: 2.0, strength: 1.0 }.one_step(1);
        let exact = [p + (1.0 - p) * p / 3.0, (1.0 - p) * p * 2.0 / 3.0 + (1.0 - p) * (1.0 - p), 0.0];
        assert!(law.iter().zip(exact).all(|(a, b)| (a - b).abs() < 1e-15), "{law:?} {exact:?}");
    }

    #[test]
    fn laws_sum_to_one_and_have_the_exact_mean() {
        for (n, high, strength) in [(200, 80, 1.0), (50, 3, 4.0), (7, 6, 0.2)] {
            let kinds = TwoKinds { particles: n, gap: 0.4, strength };
            let law = kinds.one_step(high);
            assert!((law.iter().sum::<f64>() - 1.0).abs() < ROUNDING);
            let (p, q) = kinds.probabilities(high);
            let side = |i: usize| if i < high { (0.4 * (n - high) as f64, p) } else { (-0.4 * high as f64, q) };
            let (b, p): (Vec<f64>, Vec<f64>) = (0..n).map(side).unzip();
            let shares = OneStep::new(n).shares(&b, &p);
            let mean: f64 = law.iter().enumerate().map(|(k, p)| k as f64 * p).sum();
            assert!((mean / n as f64 - shares[..high].iter().sum::<f64>()).abs() < ROUNDING);
        }
    }

    #[test]
    fn one_kind_stays_and_steps_compose() {
        let kinds = TwoKinds { particles: 30, gap: 0.7, strength: 2.0 };
        assert_eq!((kinds.law(0, 5)[0], kinds.law(30, 5)[30]), (1.0, 1.0));
        let (two, first) = (kinds.law(12, 2), kinds.one_step(12));
        for (k, p) in two.iter().enumerate() {
            let sum: f64 = (0..=30).map(|m| first[m] * kinds.one_step(m)[k]).sum();
            assert!((p - sum).abs() < ROUNDING);
        }
    }

    #[test]
    fn the_naive_scheme_has_this_law() {
        // The reference simulates slots and words: 1e5 steps, every frequency within 5.5 standard errors, once for
        // these fixed words.
        const STEPS: u32 = 100_000;
        let kinds = TwoKinds { particles: 6, gap: 1.0, strength: 0.8 };
        let law = kinds.one_step(2);
        let rules = Rules { events: true, reinjection: false, centred: true, transport: false, dt: 1.0, alpha: 0.8 };
        struct Own;
        impl super::super::models::Potential for Own {
            fn dim(&self) -> usize {
                1
            }
            fn at(&self, x: &[f64], _: &mut [f64]) -> f64 {
                x[0]
            }
        }
        let particles: Vec<Vec<f64>> = (0..6).map(|i| vec![if i < 2 { 1.0 } else { 0.0 }]).collect();
        let mut words = reference::xorshift32();
        let mut seen = [0u32; 7];
        for _ in 0..STEPS {
            let after = reference::step(&particles, &Own, rules, &mut words, &mut |_| vec![]).expect("survivors");
            seen[after.particles.iter().filter(|x| x[0] > 0.5).count()] += 1;
        }
        for (count, p) in seen.iter().zip(&law) {
            let sd = (p * (1.0 - p) / f64::from(STEPS)).sqrt();
            assert!((f64::from(*count) / f64::from(STEPS) - p).abs() <= 5.5 * sd, "{seen:?} {law:?}");
        }
    }
}
