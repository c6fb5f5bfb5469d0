//! Verdicts: holds, fails or undecided; and how many claims share one level.

use super::tails::t_quantile;

/// The outcome of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Shown, within what the test can resolve.
    Holds,
    /// Refuted at the claim's level.
    Fails,
    /// Neither: more replicates are needed.
    Undecided,
    /// Of an empirical claim: measured to be so.
    Supported,
    /// Of an empirical claim: measured not to be so. That is a result and no failure of the build.
    Refuted,
}

/// An empirical claim, "above the reference", by an interval: supported if it lies wholly above, refuted if wholly
/// below, else (or if an end is no number) undecided.
pub fn empirical(low: f64, high: f64, reference: f64) -> Verdict {
    if low > reference && high >= low {
        Verdict::Supported
    } else if high < reference && low <= high {
        Verdict::Refuted
    } else {
        Verdict::Undecided
    }
}

/// A limit claim: is the estimate's expectation within `tolerance` of `reference`?
///
/// By the t interval of coverage 1 - `level`: holds if it lies inside reference +- tolerance, fails if wholly outside,
/// else undecided. So P(fails) <= `level` if the claim is true, and P(holds) <= level / 2 if it is not. An estimate
/// that is not finite fails, for a correct build has none. Any other argument that is not finite or makes no sense
/// decides nothing; only `dof` may be infinite: the error is known, and if it is zero (a deterministic estimate) the
/// estimate alone decides. A zero found with finite `dof` decides nothing: equal replicates of a random number are one
/// stream many times, more likely than luck.
pub fn limit(estimate: f64, se: f64, dof: f64, reference: f64, tolerance: f64, level: f64) -> Verdict {
    if !estimate.is_finite() {
        return Verdict::Fails;
    }
    if !decidable(se, dof, reference, tolerance) {
        return Verdict::Undecided;
    }
    let reach = if se == 0.0 { 0.0 } else { t_quantile(0.5 * level, dof) * se };
    let (low, high) = (estimate - reach - reference, estimate + reach - reference);
    if low >= -tolerance && high <= tolerance {
        Verdict::Holds
    } else if low > tolerance || high < -tolerance {
        Verdict::Fails
    } else {
        Verdict::Undecided
    }
}

/// Whether the arguments beside the estimate make a test: finite, of the right sign, and no error of zero that is
/// itself an estimate. NaN makes none.
fn decidable(se: f64, dof: f64, reference: f64, tolerance: f64) -> bool {
    let size = |v: f64| v >= 0.0 && v.is_finite();
    let known = dof == f64::INFINITY;
    size(se) && (se > 0.0 || known) && size(tolerance) && reference.is_finite() && dof > 0.0
}

/// A sharp claim: fails if `p` is below the claim's `share` of the false-alarm budget; else holds if the
/// test could have seen a deviation of `budget` (its `detectable` effect is no larger); else undecided.
///
/// A p-value that is no number, or a negative one, fails: there is no silent pass.
pub fn sharp(p: f64, share: f64, detectable: f64, budget: f64) -> Verdict {
    if p.is_nan() || p < share {
        Verdict::Fails
    } else if detectable <= budget {
        Verdict::Holds
    } else {
        Verdict::Undecided
    }
}

/// Holm's step-down: adjusted p-values, in the order given. Rejecting those below `a` has a family-wise error of at
/// most `a`, whatever the dependence between the tests.
///
/// Sorted ascending, p_(k) is multiplied by the number of hypotheses not yet rejected, then made monotone and cut at 1.
/// NaN counts as 0.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let value = |i: usize| if p[i].is_nan() { 0.0 } else { p[i] };
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| value(i).total_cmp(&value(j)));
    let (mut adjusted, mut floor) = (vec![0.0; p.len()], 0.0f64);
    for (rank, &i) in order.iter().enumerate() {
        floor = floor.max((p.len() - rank) as f64 * value(i)).min(1.0);
        adjusted[i] = floor;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::super::interval::Sample;
    use super::super::power::{detectable_limit, detectable_shift};
    use super::super::simulate::{Stream, assert_rate};
    use super::super::tails::{normal_upper, z_two_sided};
    use super::*;

    #[test]
    fn the_three_verdicts_of_a_limit() {
        // dof infinite, level 0.05: reach 1.96 se.
        let at = |estimate: f64, se: f64| limit(estimate, se, f64::INFINITY, 1.0, 0.5, 0.05);
        assert_eq!(at(1.1, 0.1), Verdict::Holds);
        assert_eq!(at(1.4, 0.1), Verdict::Undecided);
        assert_eq!(at(1.6, 0.1), Verdict::Undecided);
        assert_eq!(at(1.8, 0.1), Verdict::Fails);
        assert_eq!(at(0.2, 0.1), Verdict::Fails);
        assert_eq!(at(1.0, 10.0), Verdict::Undecided);
        assert_eq!(at(1.5, 0.0), Verdict::Holds);
        assert_eq!(at(1.51, 0.0), Verdict::Fails);
    }

    #[test]
    fn replicates_that_are_all_equal_decide_nothing() {
        let s = Sample::of(&[1.0; 100]);
        assert_eq!(limit(s.mean, s.standard_error(), s.dof(), 1.0, 0.5, 0.05), Verdict::Undecided);
        assert_eq!(limit(s.mean, s.standard_error(), s.dof(), 2.0, 0.5, 0.05), Verdict::Undecided);
        // said to be deterministic
        assert_eq!(limit(s.mean, 0.0, f64::INFINITY, 1.0, 0.5, 0.05), Verdict::Holds);
        assert_eq!(limit(s.mean, 0.0, f64::INFINITY, 2.0, 0.5, 0.05), Verdict::Fails);
    }

    #[test]
    fn nothing_passes_silently() {
        let nan = f64::NAN;
        assert_eq!(limit(nan, 0.1, 9.0, 0.0, 1.0, 0.05), Verdict::Fails);
        assert_eq!(limit(f64::INFINITY, 0.1, 9.0, 0.0, 1.0, 0.05), Verdict::Fails);
        assert_eq!(limit(0.0, nan, 9.0, 0.0, 1.0, 0.05), Verdict::Undecided);
        assert_eq!(limit(0.0, 0.1, 0.0, 0.0, 1.0, 0.05), Verdict::Undecided);
        assert_eq!(limit(0.0, 0.1, 9.0, 0.0, nan, 0.05), Verdict::Undecided);
        assert_eq!(limit(0.0, 0.1, 9.0, nan, 1.0, 0.05), Verdict::Undecided);
        assert_eq!(limit(0.0, 0.1, 9.0, 0.0, f64::INFINITY, 0.05), Verdict::Undecided);
        assert_eq!(sharp(nan, 1e-8, 0.1, 1.0), Verdict::Fails);
        assert_eq!(sharp(0.5, 1e-8, nan, 1.0), Verdict::Undecided);
        assert_eq!(holm(&[nan, 0.5]), [0.0, 0.5]);
    }

    #[test]
    fn sharp_claims() {
        assert_eq!(sharp(1e-9, 1e-8, 0.1, 1.0), Verdict::Fails);
        assert_eq!(sharp(0.3, 1e-8, 0.1, 1.0), Verdict::Holds);
        assert_eq!(sharp(0.3, 1e-8, 2.0, 1.0), Verdict::Undecided);
    }

    #[test]
    fn holm_by_hand() {
        // Sorted .005 .01 .03 .04, times 4 3 2 1: .02 .03 .06 .04 -> monotone.
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (value, exact) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((value - exact).abs() < 1e-15);
        }
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn a_true_limit_at_the_edge_fails_at_half_its_level_and_holm_keeps_the_family() {
        let mut stream = Stream(7);
        let (mut edge, mut family) = (0, 0);
        for _ in 0..2000 {
            // True deviation equal to the tolerance: the worst case, one side of the interval.
            let values: Vec<f64> = (0..10).map(|_| 0.5 + stream.normal()).collect();
            let s = Sample::of(&values);
            let verdict = limit(s.mean, s.standard_error(), s.dof(), 0.0, 0.5, 0.2);
            edge += usize::from(verdict == Verdict::Fails);
            let p: Vec<f64> = (0..20).map(|_| stream.uniform()).collect();
            family += usize::from(holm(&p).iter().any(|&p| p < 0.05));
        }
        assert_rate(edge, 2000, 0.1);
        assert_rate(family, 2000, 1.0 - (1.0 - 0.05f64 / 20.0).powi(20));
    }

    #[test]
    fn equivalence_is_claimed_at_half_the_level_if_false_and_with_the_stated_power_if_true() {
        let mut stream = Stream(71);
        let (se, dof, level, tolerance) = (0.5f64, 9.0, 0.1, 6.0);
        let inside = tolerance - detectable_limit(se, dof, level, 0.9);
        let (mut wrong, mut right) = (0, 0);
        for _ in 0..4000 {
            let mut holds = |deviation: f64| {
                let values: Vec<f64> = (0..10).map(|_| deviation + se * 10f64.sqrt() * stream.normal()).collect();
                let s = Sample::of(&values);
                limit(s.mean, s.standard_error(), s.dof(), 0.0, tolerance, level) == Verdict::Holds
            };
            // At the tolerance itself the claim is false by a hair: the worst case.
            wrong += usize::from(holds(tolerance));
            right += usize::from(holds(inside));
        }
        assert_rate(wrong, 4000, level / 2.0);
        assert_rate(right, 4000, 0.9);
    }

    #[test]
    fn holm_keeps_the_family_among_false_hypotheses_and_finds_more_than_bonferroni() {
        let mut stream = Stream(72);
        let (mut family, mut found, mut bonferroni) = (0, 0, 0);
        for _ in 0..4000 {
            // Twelve that are surely false leave the level to the eight true ones.
            let p: Vec<f64> = (0..20).map(|i| if i < 12 { 0.0 } else { stream.uniform() }).collect();
            family += usize::from(holm(&p)[12..].iter().any(|&p| p < 0.05));
            // Nine surely false, and one by 2.5 standard deviations: tested at the whole level.
            let mut p = vec![0.0; 10];
            p[4] = z_two_sided(2.5 + stream.normal());
            found += usize::from(holm(&p)[4] < 0.05);
            bonferroni += usize::from(10.0 * p[4] < 0.05);
        }
        assert_rate(family, 4000, 1.0 - (1.0 - 0.05f64 / 8.0).powi(8));
        assert_rate(found, 4000, normal_upper(1.96 - 2.5));
        assert_rate(bonferroni, 4000, normal_upper(2.807 - 2.5));
    }

    #[test]
    fn a_sharp_claim_fails_at_its_share_and_finds_what_it_says() {
        let mut stream = Stream(73);
        let (share, trials) = (0.02, 4000);
        let detectable = detectable_shift(1.0, share, 0.9);
        let fails = |z: f64| sharp(z_two_sided(z), share, detectable, 5.0) == Verdict::Fails;
        let (mut alarms, mut found) = (0, 0);
        for _ in 0..trials {
            alarms += usize::from(fails(stream.normal()));
            found += usize::from(fails(detectable + stream.normal()));
        }
        assert_rate(alarms, trials, share);
        assert_rate(found, trials, 0.9);
    }
}
