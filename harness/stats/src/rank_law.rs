//! The law of the rank sum under the null, given the ties: every subset of the pooled values is as likely as any other
//! of its size.
//!
//! The pool is a list of groups of equal values. If K_g members of group g, each of rank r_g, fall into the sample, the
//! K_g are multivariate hypergeometric and S = sum_g r_g K_g. Where it is affordable the law is counted: one group
//! after the other, by the number of values taken and their sum (for single values this is Streitberg and Röhmel's
//! shift algorithm). The largest group comes last, where the number to be taken from it is known, so it adds no state.
//! Otherwise the tails are those of [`super::rank_saddle`].

use super::binomial;
use super::rank_saddle::{Group, upper_tail};

/// Sums that the exact count may hold at a time, 8 bytes each: 16 MiB.
const MOST_SUMS: f64 = (1u64 << 21) as f64;
/// Compositions of the sample that may be listed, 24 bytes each: 12 MiB.
const MOST_COMPOSITIONS: f64 = (1u64 << 19) as f64;
/// Bound on the additions of the exact count, some 0.1 s. Samples of 100 + 100 without ties have the bound 1.33e8 and
/// take a third of it.
const MOST_STEPS: f64 = 1.5e8;

/// A sample of `size` from the pool of all groups.
#[derive(Clone, Debug)]
pub(super) struct RankLaw {
    /// In ascending order.
    groups: Vec<Group>,
    total: u64,
    size: u64,
}

/// Tails at a sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tails {
    /// P(S >= sum).
    pub(super) above: f64,
    /// P(S <= sum).
    pub(super) below: f64,
    /// Whether they are counted, or by the saddle point.
    pub(super) exact: bool,
}

/// The sums of so many values taken: `low`, `low + 1`, ... in units of the step.
#[derive(Clone, Default)]
struct Row {
    low: i64,
    weight: Vec<f64>,
}

impl RankLaw {
    /// Of groups of so many equal values, in ascending order, and a sample of `size` of them.
    pub(super) fn new(counts: impl IntoIterator<Item = u64>, size: u64) -> Self {
        let mut total = 0;
        let mut groups = Vec::new();
        for count in counts {
            groups.push(Group { rank: (2 * total + count + 1) as i64, count });
            total += count;
        }
        Self { groups, total, size }
    }

    /// Both tails at an attainable sum of doubled ranks.
    pub(super) fn tails(&self, sum: i64) -> Tails {
        // The rest of a subset has the rest of the sum: the smaller sample is counted.
        if 2 * self.size > self.total {
            let all: i64 = self.groups.iter().map(|group| group.rank * group.count as i64).sum();
            let rest = Self { size: self.total - self.size, ..self.clone() };
            let Tails { above, below, exact } = rest.tails(all - sum);
            return Tails { above: below, below: above, exact };
        }
        if let Some(law) = self.counted() {
            let tail = |part: &dyn Fn(i64) -> bool| {
                law.iter().filter(|(s, _)| part(*s)).map(|(_, mass)| mass).sum::<f64>().min(1.0)
            };
            return Tails { above: tail(&|s| s >= sum), below: tail(&|s| s <= sum), exact: true };
        }
        self.by_saddle_point(sum)
    }

    /// Both tails without counting, but for the extreme sums, whose one composition is known.
    fn by_saddle_point(&self, sum: i64) -> Tails {
        let mirrored: Vec<Group> = self.groups.iter().rev().map(|g| Group { rank: -g.rank, count: g.count }).collect();
        // The lattice step where all distances are equal; elsewhere that of the coarsest lattice hidden in the law, for
        // whose step half of a common divisor would be far too little: p came out at a third of the truth.
        let step = self.groups.windows(2).map(|pair| pair[1].rank - pair[0].rank).max().unwrap_or(1);
        let tail = |ascending: &[Group], sum: i64| {
            let (largest, probability) = self.largest(ascending);
            if sum >= largest { probability } else { upper_tail(ascending, self.total, self.size, sum, step) }
        };
        let (above, below) = (tail(&self.groups, sum), tail(&mirrored, -sum));
        // The lower tail at the largest sum, and the upper at the least, are 1.
        let (above, below) = if sum >= self.largest(&self.groups).0 { (above, 1.0) } else { (above, below) };
        let (above, below) = if -sum >= self.largest(&mirrored).0 { (1.0, below) } else { (above, below) };
        Tails { above, below, exact: false }
    }

    /// The largest sum and its probability: all of the last groups, and what is left from the one before.
    fn largest(&self, ascending: &[Group]) -> (i64, f64) {
        let p = self.share();
        let (mut left, mut sum, mut probability) = (self.size, 0, 1.0 / binomial::mass(self.size, self.total, p));
        for group in ascending.iter().rev() {
            let taken = group.count.min(left);
            left -= taken;
            sum += group.rank * taken as i64;
            probability *= binomial::mass(taken, group.count, p);
        }
        (sum, probability)
    }

    /// Every value is taken with this probability. The counts then need no more range than a probability has, and the
    /// law, given the number taken, is the same for every share.
    fn share(&self) -> f64 {
        self.size as f64 / self.total as f64
    }

    /// The largest integer that divides all differences of ranks; 1 if there are none.
    fn step(&self) -> i64 {
        let differences = self.groups.windows(2).map(|pair| pair[1].rank - pair[0].rank);
        differences.fold(0, gcd).max(1)
    }

    /// The group counted last, and the others by their distance from it, so that sums stay small as long as they can.
    fn order(&self) -> Option<(Group, Vec<Group>)> {
        let last = *self.groups.iter().max_by_key(|group| group.count)?;
        let mut others: Vec<Group> = self.groups.iter().filter(|group| group.rank != last.rank).copied().collect();
        others.sort_by_key(|group| (group.rank - last.rank).abs());
        Some((last, others))
    }

    /// The whole law as ascending sums with their probabilities, if that is affordable. Relative error 1e-12 down to
    /// 1e-290, where probabilities may become 0.
    pub(super) fn counted(&self) -> Option<Vec<(i64, f64)>> {
        let (last, others) = self.order()?;
        let compositions: f64 = others.iter().map(|group| (group.count.min(self.size) + 1) as f64).product();
        let (sums, steps) = self.cost(last);
        let mut law = if compositions <= MOST_COMPOSITIONS.min(steps) {
            self.listed(last, &others)
        } else if sums <= MOST_SUMS && steps <= MOST_STEPS {
            self.convolved(last, &others)
        } else {
            return None;
        };
        law.sort_by_key(|(sum, _)| *sum);
        law.dedup_by(|next, first| {
            next.0 == first.0 && {
                first.1 += next.1;
                true
            }
        });
        let all: f64 = law.iter().map(|(_, mass)| mass).sum();
        law.iter_mut().for_each(|(_, mass)| *mass /= all);
        Some(law)
    }

    /// P(j of a group are taken), j = 0, 1, ...
    fn chances(&self, group: Group) -> Vec<f64> {
        (0..=group.count.min(self.size)).map(|j| binomial::mass(j, group.count, self.share())).collect()
    }

    /// By all compositions of the sample.
    fn listed(&self, last: Group, others: &[Group]) -> Vec<(i64, f64)> {
        let mut states = vec![(0, self.size as i64 * last.rank, 1.0)];
        for group in others {
            let chances = self.chances(*group);
            let more = |(taken, sum, mass): &(usize, i64, f64)| {
                let (taken, sum, mass, shift) = (*taken, *sum, *mass, group.rank - last.rank);
                let room = self.size as usize + 1 - taken;
                let each = chances.clone().into_iter().take(room).enumerate();
                each.map(move |(j, chance)| (taken + j, sum + j as i64 * shift, mass * chance))
            };
            states = states.iter().flat_map(more).collect();
        }
        let chances = self.chances(last);
        let rest = |taken: usize| chances.get(self.size as usize - taken).copied().unwrap_or(0.0);
        states.iter().map(|&(taken, sum, mass)| (sum, mass * rest(taken))).collect()
    }

    /// By the sums of so many taken from the groups so far.
    fn convolved(&self, last: Group, others: &[Group]) -> Vec<(i64, f64)> {
        let step = self.step();
        let mut rows = vec![Row { low: 0, weight: vec![1.0] }];
        for group in others {
            let shift = (group.rank - last.rank) / step;
            let chances = self.chances(*group);
            rows.resize((rows.len() + chances.len() - 1).min(self.size as usize + 1), Row::default());
            // A row is made of those before it, which are still the old ones.
            for taken in (0..rows.len()).rev() {
                rows[taken] = combined(&rows[..=taken], &chances, shift);
            }
        }
        // What a row leaves to be taken comes from the last group, which adds nothing to the sum.
        let chances = self.chances(last);
        let rest = |taken: usize| chances.get(self.size as usize - taken).copied().unwrap_or(0.0);
        let low = rows.iter().map(|row| row.low).min().unwrap_or(0);
        let high = rows.iter().map(|row| row.low + row.weight.len() as i64).max().unwrap_or(0);
        let mut mass = vec![0.0; (high - low) as usize];
        for (taken, row) in rows.iter().enumerate() {
            let into = &mut mass[(row.low - low) as usize..];
            into.iter_mut().zip(&row.weight).for_each(|(to, weight)| *to += rest(taken) * weight);
        }
        (low..).map(|k| self.size as i64 * last.rank + k * step).zip(mass).filter(|(_, mass)| *mass > 0.0).collect()
    }

    /// Sums that [`RankLaw::convolved`] holds, and a bound on its additions.
    fn cost(&self, last: Group) -> (f64, f64) {
        let step = self.step();
        let singles = self.groups.iter().filter(|group| group.rank != last.rank);
        // No sample takes more than these from either end.
        let ends = |groups: &mut dyn Iterator<Item = &Group>| -> Vec<f64> {
            let each = groups.flat_map(|g| std::iter::repeat_n((g.rank - last.rank) / step, g.count as usize));
            each.take(self.size as usize).map(|rank| rank as f64).collect()
        };
        let (least, most) = (ends(&mut singles.clone()), ends(&mut singles.clone().rev()));
        let (mut span, mut sums) = (1.0, 1.0);
        for (low, high) in least.iter().zip(&most) {
            span += high - low;
            sums += span;
        }
        let steps = sums * singles.map(|group| group.count.min(self.size) as f64).sum::<f64>();
        (sums, steps)
    }
}

/// The row of so many taken, from the rows of fewer (the last of them of as many) and a group of which j are taken with
/// `chances[j]`, each adding `shift` to the sum.
fn combined(rows: &[Row], chances: &[f64], shift: i64) -> Row {
    let sources = rows.iter().rev().zip(chances).zip(0i64..).filter(|((row, _), _)| !row.weight.is_empty());
    let sources: Vec<(&Row, f64, i64)> =
        sources.map(|((row, &chance), j)| (row, chance, row.low + j * shift)).collect();
    let low = sources.iter().map(|source| source.2).min().unwrap_or(0);
    let high = sources.iter().map(|(row, _, low)| low + row.weight.len() as i64).max().unwrap_or(0);
    let mut weight = vec![0.0; (high - low) as usize];
    for (row, chance, from) in sources {
        let into = &mut weight[(from - low) as usize..];
        into.iter_mut().zip(&row.weight).for_each(|(to, w)| *to += chance * w);
    }
    Row { low, weight }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of `rank_sum.csv`, by exact integers (see the script beside it).
    struct Reference {
        counts: Vec<u64>,
        size: u64,
        sum: i64,
        above: f64,
        below: f64,
    }

    fn references() -> Vec<Reference> {
        let row = |line: &str| {
            let [groups, size, sum, above, below] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let counts = match groups.split_once('*') {
                Some((times, count)) => vec![count.parse().unwrap(); times.parse().unwrap()],
                None => groups.split(' ').map(|count| count.parse().unwrap()).collect(),
            };
            let [above, below] = [above, below].map(|p| p.parse().unwrap());
            Reference { counts, size: size.parse().unwrap(), sum: sum.parse().unwrap(), above, below }
        };
        let rows: Vec<_> = include_str!("../tests/rank_sum.csv").lines().skip(1).map(row).collect();
        assert!(rows.len() > 300);
        rows
    }

    #[test]
    fn counting_is_exact_where_it_is_affordable() {
        let mut beyond = 0;
        for Reference { counts, size, sum, above, below } in references() {
            let tails = RankLaw::new(counts.iter().copied(), size).tails(sum);
            let affordable = counts.len() <= 200;
            assert_eq!(tails.exact, affordable, "{counts:?} {size}");
            beyond += usize::from(!affordable);
            let (low, high) = if affordable { (-1e-12, 1e-12) } else { (-0.002, 0.001) };
            for (own, exact) in [(tails.above, above), (tails.below, below)] {
                let error = own / exact - 1.0;
                assert!((low..high).contains(&error), "{counts:?} {size} {sum}: {own:e} {exact:e} {error}");
            }
        }
        assert!(beyond > 20);
    }

    #[test]
    fn both_ways_of_counting_agree() {
        for (counts, size) in [(vec![3, 9, 1, 4], 7), (vec![1; 12], 5), (vec![20, 2, 2], 12), (vec![5, 1, 40], 8)] {
            let law = RankLaw::new(counts.clone(), size);
            let (last, others) = law.order().unwrap();
            let tail = |law: Vec<(i64, f64)>, from: i64| -> f64 {
                let all: f64 = law.iter().map(|s| s.1).sum();
                law.iter().filter(|s| s.0 >= from).map(|s| s.1).sum::<f64>() / all
            };
            for (sum, _) in law.convolved(last, &others) {
                let (one, other) = (tail(law.convolved(last, &others), sum), tail(law.listed(last, &others), sum));
                assert!((one / other - 1.0).abs() < 1e-13, "{counts:?} {sum}");
            }
        }
    }

    #[test]
    fn the_saddle_point_is_nowhere_far_below_the_exact_tail() {
        let (mut untied, mut tied): (Vec<f64>, Vec<f64>) = (vec![], vec![]);
        for Reference { counts, size, sum, above, below } in references() {
            let tails = RankLaw::new(counts.iter().copied(), size).by_saddle_point(sum);
            assert!(!tails.exact);
            let kind = if counts.iter().all(|&count| count == 1) { &mut untied } else { &mut tied };
            kind.extend([tails.above / above, tails.below / below]);
        }
        untied.sort_by(f64::total_cmp);
        tied.sort_by(f64::total_cmp);
        let ends = |ratios: &[f64]| (ratios[0], ratios[ratios.len() - 1]);
        // What is documented: from 1e-8 to 1 and at the extreme sums, 10 + 10 to 150 + 150 and 300 + 40, where ties are
        // coarse 6 times too large.
        let ((low, high), (least, largest)) = (ends(&untied), ends(&tied));
        assert!(low > 0.975 && high < 1.001, "{low} {high}");
        assert!(least > 0.975 && largest < 6.0, "{least} {largest}");
        assert!(tied[tied.len() * 3 / 4] < 1.3);
    }
}
