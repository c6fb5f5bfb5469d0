//! Does one dynamics arrive sooner than another? Paired hitting times, some of which lie beyond the budget of the runs.
//!
//! What is estimated is the median over pairs of the ratio flow / scheme, as if the budget T had no end. A pair of
//! which a run did not arrive still says something: the ratio lies in
//!
//! ```text
//! [T / scheme, inf]   if the flow did not arrive,
//! [0, flow / T]       if the scheme did not,
//! [0, inf]            if neither did.
//! ```
//!
//! The low end of the interval of the median is an order statistic of the pairs' low ends, the high end one of their
//! high ends. Whatever the ratios are within their intervals, theirs would lie between, so the interval covers for
//! every law and every share of runs that do not arrive. To count a pair in which neither arrives as a ratio of 1 is to
//! invent data: the interval then misses.

use super::binomial;
use super::interval::{beyond_the_median, median_interval};
use super::power::POWER;
use super::sample_size::least;

/// What an interval of paired ratios says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The interval lies above 1.
    Accelerates,
    /// It lies below 1.
    Harms,
    /// It holds 1: too few pairs, or no difference.
    Undecided,
    /// It holds 1, and in more than a third of the pairs neither arrives: longer runs are wanted rather than more.
    BudgetTooShort,
    /// Too few pairs for any interval at this level: fewer than 11 at 1e-3.
    TooFew,
}

impl Verdict {
    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Accelerates => "accelerates",
            Verdict::Harms => "harms",
            Verdict::Undecided => "undecided",
            Verdict::BudgetTooShort => "budget too short",
            Verdict::TooFew => "too few",
        }
    }
}

/// The flow's time over the scheme's, over pairs: above 1 speaks for the scheme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Acceleration {
    /// Pairs in which both arrive, the flow only, the scheme only, neither.
    pub arrived: [usize; 4],
    /// The median of the ratios; of an even number, the geometric mean of the middle two. Where what did not arrive
    /// leaves a range for it, the value of that range that is nearest to 1.
    pub ratio: f64,
    /// The interval of the median.
    pub interval: (f64, f64),
    /// What it says.
    pub verdict: Verdict,
    /// If it is undecided: about how many pairs would decide with probability 0.99, pairs being as those seen. `None`
    /// if no more than half of them speak for the same side, or 100,000 are not enough.
    pub needed: Option<usize>,
}

impl Acceleration {
    /// Whether the interval excludes 1.
    pub fn decided(&self) -> bool {
        matches!(self.verdict, Verdict::Accelerates | Verdict::Harms)
    }
}

/// Compares paired times (flow, scheme), each in (0, `budget`], or infinite for a run that did not arrive within it.
///
/// The interval misses the median ratio with probability at most `level`, for every continuous law of independent
/// pairs. Without a budget (infinite, for what is no time) an infinite value is taken for what it is: the ratio of
/// infinite to finite is infinite. A NaN, or a time outside (0, `budget`], makes everything NaN and undecided.
pub fn accelerates(pairs: &[(f64, f64)], budget: f64, level: f64) -> Acceleration {
    let mut arrived = [0; 4];
    for (flow, scheme) in pairs {
        arrived[2 * usize::from(flow.is_infinite()) + usize::from(scheme.is_infinite())] += 1;
    }
    let valid = |t: f64| t == f64::INFINITY || (t > 0.0 && t <= budget);
    if !pairs.iter().all(|&(flow, scheme)| valid(flow) && valid(scheme)) {
        let (ratio, interval) = (f64::NAN, (f64::NAN, f64::NAN));
        return Acceleration { arrived, ratio, interval, verdict: Verdict::Undecided, needed: None };
    }
    let (lows, highs): (Vec<f64>, Vec<f64>) = pairs.iter().map(|&pair| range(pair, budget)).unzip();
    // A ratio is not negative, so that "nothing is excluded" is the interval from 0.
    let interval = (median_interval(&lows, level).0.max(0.0), median_interval(&highs, level).1);
    let verdict = if interval.0 > 1.0 {
        Verdict::Accelerates
    } else if interval.1 < 1.0 {
        Verdict::Harms
    } else if beyond_the_median(pairs.len(), level).is_none() {
        Verdict::TooFew
    } else if 3 * arrived[3] > pairs.len() {
        Verdict::BudgetTooShort
    } else {
        Verdict::Undecided
    };
    let above = lows.iter().filter(|&&low| low > 1.0).count();
    let below = highs.iter().filter(|&&high| high < 1.0).count();
    let needed = match verdict {
        Verdict::Accelerates | Verdict::Harms => None,
        _ => pairs_needed(above.max(below) as f64 / pairs.len() as f64, level),
    };
    let (low, high) = (middle(&lows), middle(&highs));
    Acceleration { arrived, ratio: 1f64.max(low).min(high), interval, verdict, needed }
}

/// What is known of a pair's ratio: from where to where.
pub fn range((flow, scheme): (f64, f64), budget: f64) -> (f64, f64) {
    match (flow.is_infinite(), scheme.is_infinite()) {
        (false, false) => (flow / scheme, flow / scheme),
        (true, false) => (budget / scheme, f64::INFINITY),
        (false, true) => (0.0, flow / budget),
        (true, true) => (0.0, f64::INFINITY),
    }
}

/// The median, of an even number the geometric mean of the middle two: 0 if one is 0, else infinite if one is. NaN of
/// nothing.
fn middle(ratios: &[f64]) -> f64 {
    let mut sorted = ratios.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let (lower, upper) = (sorted[last / 2], sorted[sorted.len() / 2]);
    if lower == upper || lower == 0.0 { lower } else { lower.sqrt() * upper.sqrt() }
}

/// Pairs whose interval excludes 1 with probability 0.99, if a pair speaks for that side with probability `share`.
fn pairs_needed(share: f64, level: f64) -> Option<usize> {
    let decided = |pairs: usize| match beyond_the_median(pairs, level) {
        Some(k) => binomial::lower(k as u64, pairs as u64, 1.0 - share) >= POWER,
        None => false,
    };
    if share > 0.5 { least(2, 100_000, decided) } else { None }
}

#[cfg(test)]
mod tests {
    use super::super::simulate::Stream;
    use super::*;

    const NEVER: f64 = f64::INFINITY;

    #[test]
    fn every_kind_of_pair_by_hand() {
        assert_eq!(range((6.0, 2.0), 20.0), (3.0, 3.0));
        assert_eq!(range((NEVER, 5.0), 20.0), (4.0, NEVER));
        assert_eq!(range((6.0, NEVER), 20.0), (0.0, 0.3));
        assert_eq!(range((NEVER, NEVER), 20.0), (0.0, NEVER));
        // Without a budget never is never.
        assert_eq!(range((NEVER, 5.0), NEVER), (NEVER, NEVER));
        assert_eq!(range((6.0, NEVER), NEVER), (0.0, 0.0));
        assert_eq!(range((NEVER, NEVER), NEVER), (0.0, NEVER));
    }

    /// So many pairs of each kind: both arrive, the scheme in a half, two thirds or twice of the time; the flow only;
    /// the scheme only; neither.
    fn pairs(counts: [usize; 6]) -> Acceleration {
        let kinds = [(6.0, 3.0), (6.0, 4.0), (3.0, 6.0), (9.0, NEVER), (NEVER, 4.0), (NEVER, NEVER)];
        let all: Vec<_> = kinds.into_iter().zip(counts).flat_map(|(pair, count)| vec![pair; count]).collect();
        accelerates(&all, 10.0, 1e-3)
    }

    #[test]
    fn verdicts_by_hand() {
        // 15 pairs leave one out on each side.
        let found = pairs([8, 5, 1, 0, 1, 0]);
        assert_eq!((found.verdict, found.ratio, found.interval), (Verdict::Accelerates, 2.0, (1.5, 2.0)));
        assert_eq!((found.arrived, found.needed), ([14, 0, 1, 0], None));
        let found = pairs([8, 4, 0, 1, 1, 1]);
        assert_eq!((found.verdict, found.interval), (Verdict::Undecided, (0.0, NEVER)));
        // 13 of 15 speak for the scheme.
        assert_eq!(found.needed, pairs_needed(13.0 / 15.0, 1e-3));
        let found = pairs([0, 0, 13, 2, 0, 0]);
        assert_eq!((found.verdict, found.ratio, found.interval), (Verdict::Harms, 0.5, (0.0, 0.9)));
        let found = pairs([0, 0, 0, 15, 0, 0]);
        assert_eq!((found.verdict, found.ratio, found.interval), (Verdict::Harms, 0.9, (0.0, 0.9)));
        // The median itself is not known: of 0 to 2 it is 1, of 2 to infinity 2.
        let found = pairs([8, 0, 0, 0, 0, 8]);
        assert_eq!((found.verdict, found.ratio, found.arrived[3]), (Verdict::BudgetTooShort, 1.0, 8));
        assert_eq!(pairs([5, 0, 0, 0, 0, 10]).needed, None);
        assert_eq!(pairs([8, 0, 0, 0, 0, 7]).ratio, 2.0);
        let few = pairs([10, 0, 0, 0, 0, 0]);
        assert_eq!((few.verdict, few.interval, few.needed), (Verdict::TooFew, (0.0, NEVER), Some(11)));
        assert_eq!(accelerates(&[], 10.0, 1e-3).verdict, Verdict::TooFew);
    }

    #[test]
    fn what_is_no_time_decides_nothing() {
        for bad in [f64::NAN, 0.0, -1.0, 10.1, f64::NEG_INFINITY] {
            let mut all = vec![(6.0, 3.0); 15];
            all[3].1 = bad;
            let found = accelerates(&all, 10.0, 1e-3);
            assert!(found.ratio.is_nan() && found.interval.0.is_nan() && found.verdict == Verdict::Undecided, "{bad}");
        }
    }

    #[test]
    fn the_pairs_needed_decide_with_the_stated_probability() {
        let mut stream = Stream(81);
        let share = 0.8;
        let needed = pairs_needed(share, 1e-3).unwrap();
        let decided = (0..2000).filter(|_| {
            let mut pair = || if stream.uniform() < share { (6.0, 4.0) } else { (4.0, 6.0) };
            let all: Vec<_> = (0..needed).map(|_| pair()).collect();
            accelerates(&all, 10.0, 1e-3).verdict == Verdict::Accelerates
        });
        let share = decided.count() as f64 / 2000.0;
        assert!((0.985..1.0).contains(&share), "{needed} {share}");
        assert_eq!(pairs_needed(0.5, 1e-3), None);
        // The least level-1e-3 interval has 11 values, and needs all of them.
        assert_eq!(pairs_needed(1.0, 1e-3), Some(11));
    }

    /// Seeds whose flow takes e^z with z normal, and whose scheme is sooner by a factor e^r: r normal around ln `ratio`
    /// with standard deviation 0.5, or `mixed`: larger where the flow is slower.
    fn drawn(stream: &mut Stream, count: usize, ratio: f64, mixed: bool) -> Vec<(f64, f64)> {
        let mut pair = || {
            let z = stream.normal();
            let noise = stream.normal();
            let r = ratio.ln() + if mixed { 0.8 * z + 0.3 * noise } else { 0.5 * noise };
            (z.exp(), (z - r).exp())
        };
        (0..count).map(|_| pair()).collect()
    }

    #[test]
    fn the_interval_covers_whatever_share_never_arrives() {
        const TRIALS: usize = 1000;
        const LEVEL: f64 = 0.01;
        // Ten misses are expected at most; 27 or more of a binomial count have probability 1e-5.
        let most = 26;
        assert!(binomial::upper(most + 1, TRIALS as u64, LEVEL) < 1.1e-5);
        let mut stream = Stream(82);
        let mut old_misses = Vec::new();
        for count in [20, 40, 100] {
            // The flow's budget is the quantile of its law that leaves so many out.
            for (never, quantile) in [(0.0, 40.0), (0.3, 0.524_4), (0.6, -0.253_3)] {
                for (truth, mixed) in [(1.0, false), (1.5, false), (1.5, true)] {
                    let budget = f64::exp(quantile);
                    let (mut missed, mut invented) = (0, 0);
                    for _ in 0..TRIALS {
                        let all = drawn(&mut stream, count, truth, mixed);
                        let cut = |t: f64| if t <= budget { t } else { NEVER };
                        let seen: Vec<_> = all.iter().map(|&(flow, scheme)| (cut(flow), cut(scheme))).collect();
                        let (low, high) = accelerates(&seen, budget, LEVEL).interval;
                        missed += u64::from(!(low..=high).contains(&truth));
                        // As it was: the ratio of two that never arrive was 1.
                        let one = |&(a, b): &(f64, f64)| if a.is_infinite() && b.is_infinite() { 1.0 } else { a / b };
                        let (low, high) = median_interval(&seen.iter().map(one).collect::<Vec<_>>(), LEVEL);
                        invented += u64::from(!(low..=high).contains(&truth));
                    }
                    assert!(missed <= most, "{count} {never} {truth} {mixed}: {missed}");
                    old_misses.push(invented);
                }
            }
        }
        // The test sees such a rule: most intervals miss in the hardest setting, in which the slow seeds gain.
        assert!(
            old_misses[26] > 500 && old_misses.iter().filter(|&&missed| missed > most).count() >= 3,
            "{old_misses:?}"
        );
    }
}
