//! Scheme 1 without transport on three particles that hold three fixed kinds: the whole Markov chain, as matrices.
//!
//! Control and events treat slots alike, so what matters is how many particles hold each kind: 10 states. With an
//! external potential, one value a kind, the one-step law follows from the definition by enumeration: 2^3 patterns of
//! events, then every removal or every copy. As dt -> 0 the scheme is the continuous-time chain in which particle i has
//! a clock of rate alpha |b_i|; on death a copy of one of the other two takes its place, on birth one of the four then
//! present goes. Birth-death dynamics of arXiv:1902.01843, centred rates b = V - Vbar. The scheme compares a 32-bit
//! word with floor(p 2^32): its event probabilities are below those here by at most 2.4e-10.

use nalgebra::SMatrix;

/// Particles, and kinds.
const N: usize = 3;

/// Number of states: multisets of 3 out of 3 kinds.
pub const STATES: usize = 10;

/// How many particles hold each kind; they sum to 3.
pub type Counts = [usize; N];

/// Transition probabilities or rates, row: from, column: to, in the order of [`states`].
pub type Matrix = SMatrix<f64, STATES, STATES>;

/// All states, ascending.
pub fn states() -> [Counts; STATES] {
    let mut all = [[0; N]; STATES];
    let pairs = (0..=N).flat_map(|a| (0..=N - a).map(move |b| [a, b, N - a - b]));
    all.iter_mut().zip(pairs).for_each(|(state, counts)| *state = counts);
    all
}

/// Where `counts` stands in [`states`]; none if they do not sum to 3.
pub fn index(counts: Counts) -> Option<usize> {
    // before those with `first` of the first kind stand those with fewer, N + 1 - k of them with k
    let [first, second, _] = counts;
    (counts.iter().sum::<usize>() == N).then(|| first * (2 * N + 3 - first) / 2 + second)
}

/// The law of one step of scheme 1 of length `dt`, given the potential `v` of each kind. Exact up to rounding.
pub fn one_step(v: [f64; N], alpha: f64, dt: f64) -> Matrix {
    let mut law = Matrix::zeros();
    for (from, counts) in states().into_iter().enumerate() {
        let (members, b) = (members(counts), centred(counts, v));
        for pattern in 0u32..1 << N {
            let (mut chance, mut present) = (1.0, Vec::new());
            for (i, &kind) in members.iter().enumerate() {
                let p = -(-alpha * b[kind].abs() * dt).exp_m1();
                let event = pattern >> i & 1 == 1;
                chance *= if event { p } else { 1.0 - p };
                match (event, b[kind] > 0.0) {
                    (false, _) => present.push(kind),
                    (true, true) => {}
                    (true, false) => present.extend([kind, kind]),
                }
            }
            control(&present, chance, &mut |after, chance| add(&mut law, from, after, chance));
        }
    }
    law
}

/// The law of `steps` steps whose one-step law is `one_step`.
pub fn power(one_step: &Matrix, steps: u32) -> Matrix {
    one_step.pow(steps)
}

/// Transition rates of the chain at dt -> 0; rows sum to 0.
pub fn generator(v: [f64; N], alpha: f64) -> Matrix {
    let mut rates = Matrix::zeros();
    for (from, counts) in states().into_iter().enumerate() {
        let (members, b) = (members(counts), centred(counts, v));
        for i in 0..N {
            let rate = alpha * b[members[i]];
            if rate > 0.0 {
                for j in (0..N).filter(|&j| j != i) {
                    let mut after = members.clone();
                    after[i] = members[j];
                    add(&mut rates, from, &after, rate / (N - 1) as f64);
                }
            } else {
                for removed in 0..=N {
                    let mut after = members.clone();
                    after.push(members[i]);
                    after.remove(removed);
                    add(&mut rates, from, &after, -rate / (N + 1) as f64);
                }
            }
            rates[(from, from)] -= rate.abs();
        }
    }
    rates
}

/// The law at time `t` of the chain at dt -> 0: exp(t Q), Q the [`generator`].
///
/// By uniformisation, sum_k e^-x x^k / k! (1 + t Q / x)^k with x at least the largest rate times t, and squaring: every
/// term is a matrix of nonnegative numbers, so nothing cancels. Error 1e-15 a squaring; x is at most 1 before them.
pub fn continuous(v: [f64; N], alpha: f64, t: f64) -> Matrix {
    /// 1/20! = 4e-19: what the series leaves out for x at most 1.
    const TERMS: u32 = 20;
    let rates = generator(v, alpha) * t;
    let fastest = rates.diagonal().iter().fold(0.0f64, |a, q| a.max(-q));
    if fastest == 0.0 {
        return Matrix::identity();
    }
    let mut squarings = 0;
    let mut x = fastest;
    while x > 1.0 {
        x *= 0.5;
        squarings += 1;
    }
    let jump = Matrix::identity() + rates / fastest;
    let mut term = Matrix::identity() * (-x).exp();
    let mut law = term;
    for k in 1..TERMS {
        term = term * jump * (x / f64::from(k));
        law += term;
    }
    (0..squarings).fold(law, |law, _| law * law)
}

/// Total-variation distance of two laws on the states: half the sum of absolute differences.
pub fn total_variation<'a>(p: impl IntoIterator<Item = &'a f64>, q: impl IntoIterator<Item = &'a f64>) -> f64 {
    0.5 * p.into_iter().zip(q).map(|(p, q)| (p - q).abs()).sum::<f64>()
}

/// The kinds of the three particles, ascending.
fn members(counts: Counts) -> Vec<usize> {
    counts.iter().enumerate().flat_map(|(kind, &count)| core::iter::repeat_n(kind, count)).collect()
}

/// b = V - Vbar for each kind, Vbar the mean over the particles.
fn centred(counts: Counts, v: [f64; N]) -> [f64; N] {
    let mean = counts.iter().zip(v).map(|(&count, v)| count as f64 * v).sum::<f64>() / N as f64;
    v.map(|v| v - mean)
}

/// Population control: calls `each` with every possible outcome and its probability.
///
/// Too many: one after another goes, uniformly over those left. Too few: every missing one copies one of `present`.
/// Nobody left: no outcome; it takes three deaths, and centred rates are not all positive (beyond rounding).
fn control(present: &[usize], chance: f64, each: &mut impl FnMut(&[usize], f64)) {
    if present.len() > N {
        for i in 0..present.len() {
            let mut rest = present.to_vec();
            rest.remove(i);
            control(&rest, chance / present.len() as f64, each);
        }
    } else {
        copy(present, present.len(), chance, each);
    }
}

/// Fills `present` up to three by copies of its first `candidates`: copies are no candidates (among three particles
/// this makes no difference: two are missing only when all who are left are of one kind).
fn copy(present: &[usize], candidates: usize, chance: f64, each: &mut impl FnMut(&[usize], f64)) {
    if present.len() == N {
        return each(present, chance);
    }
    for &parent in &present[..candidates] {
        let next = [present, &[parent]].concat();
        copy(&next, candidates, chance / candidates as f64, each);
    }
}

/// Adds to the entry for the state of three particles of these kinds.
fn add(matrix: &mut Matrix, from: usize, members: &[usize], value: f64) {
    let mut counts = [0; N];
    members.iter().for_each(|&kind| counts[kind] += 1);
    if let Some(to) = index(counts) {
        matrix[(from, to)] += value;
    }
}

#[cfg(test)]
mod tests {
    use super::super::models::Potential;
    use super::super::one_step::OneStep;
    use super::super::reference::{self, Rules};
    use super::*;

    const V: [f64; N] = [0.0, 1.0, 5.0];
    const ROUNDING: f64 = 1e-14;

    fn row(matrix: &Matrix, from: Counts) -> Vec<f64> {
        let from = index(from).expect("a state");
        matrix.row(from).iter().copied().collect()
    }

    /// Largest total-variation distance over the starts.
    fn distance(p: &Matrix, q: &Matrix) -> f64 {
        (0..STATES).map(|from| total_variation(p.row(from), q.row(from))).fold(0.0, f64::max)
    }

    #[test]
    fn the_states_are_the_multisets() {
        for (i, counts) in states().into_iter().enumerate() {
            assert_eq!(counts.iter().sum::<usize>(), 3);
            assert_eq!(index(counts), Some(i));
        }
        assert_eq!(index([1, 1, 0]), None);
        assert_eq!(members([1, 0, 2]), [0, 2, 2]);
    }

    #[test]
    fn rows_are_laws() {
        let parts = [one_step(V, 0.7, 0.3), power(&one_step(V, 2.0, 0.4), 50), continuous(V, 0.7, 3.0)];
        for law in parts {
            assert!(law.iter().all(|p| *p >= 0.0));
            assert!(law.row_iter().all(|row| (row.sum() - 1.0).abs() < ROUNDING));
        }
        assert!(generator(V, 0.7).row_iter().all(|row| row.sum().abs() < ROUNDING));
    }

    #[test]
    fn three_of_a_kind_stay() {
        let law = one_step([0.3, -0.2, 1.1], 3.0, 0.5);
        let limit = continuous([0.3, -0.2, 1.1], 3.0, 2.0);
        for state in [[3, 0, 0], [0, 3, 0], [0, 0, 3]] {
            let at = index(state).expect("a state");
            assert!((law[(at, at)] - 1.0).abs() < ROUNDING);
            assert!((limit[(at, at)] - 1.0).abs() < ROUNDING);
        }
        assert_eq!(continuous([0.0; N], 3.0, 2.0), Matrix::identity());
    }

    #[test]
    fn rates_by_hand() {
        // One of each: Vbar = 2, b = -2, -1, 3; alpha = 2. Births of 0 at rate 4 and of 1 at rate 2, a quarter for each
        // of the four then present; death of 2 at rate 6, half for each of the others.
        let rates = row(&generator(V, 2.0), [1, 1, 1]);
        let births_0 = [([2, 0, 1], 1.0), ([2, 1, 0], 1.0)];
        let births_1 = [([0, 2, 1], 0.5), ([1, 2, 0], 0.5)];
        let deaths_2 = [([2, 1, 0], 3.0), ([1, 2, 0], 3.0)];
        let mut expected = vec![0.0; STATES];
        for (to, rate) in births_0.into_iter().chain(births_1).chain(deaths_2) {
            expected[index(to).expect("a state")] += rate;
        }
        expected[index([1, 1, 1]).expect("a state")] = -9.0;
        assert!(rates.iter().zip(&expected).all(|(a, b)| (a - b).abs() < ROUNDING), "{rates:?}");
    }

    #[test]
    fn certain_events_by_hand() {
        // From one of each, 0 and 1 double and 2 dies: one of 0 0 1 1 goes. From 0 0 2, Vbar = 5/3: the two of 0
        // double, 2 dies.
        let law = one_step(V, 1e9, 1.0);
        let mut expected = vec![0.0; STATES];
        expected[index([2, 1, 0]).expect("a state")] = 0.5;
        expected[index([1, 2, 0]).expect("a state")] = 0.5;
        assert!(total_variation(&row(&law, [1, 1, 1]), &expected) < ROUNDING);
        let fixed = index([3, 0, 0]).expect("a state");
        assert!((row(&law, [2, 0, 1])[fixed] - 1.0).abs() < ROUNDING);
        // From 0 2 2: 0 doubles, the two of 2 die, a copy of 0 fills the third place.
        assert!((row(&law, [1, 0, 2])[fixed] - 1.0).abs() < ROUNDING);
    }

    #[test]
    fn the_mean_is_that_of_the_exact_one_step_integral() {
        let (alpha, dt) = (0.8, 0.6);
        let law = one_step(V, alpha, dt);
        for (from, counts) in states().into_iter().enumerate() {
            let b: Vec<f64> = members(counts).iter().map(|&kind| centred(counts, V)[kind]).collect();
            let p: Vec<f64> = b.iter().map(|b| 1.0 - (-alpha * b.abs() * dt).exp()).collect();
            let shares = OneStep::new(N).shares(&b, &p);
            for kind in 0..N {
                let mean: f64 = (0..STATES).map(|to| law[(from, to)] * states()[to][kind] as f64).sum();
                let share: f64 = members(counts).iter().zip(&shares).filter(|(k, _)| **k == kind).map(|(_, s)| s).sum();
                assert!((mean - 3.0 * share).abs() < ROUNDING, "{counts:?} {kind}");
            }
        }
    }

    /// The potential of kind k at the point x = k.
    struct Table;

    impl Potential for Table {
        fn dim(&self) -> usize {
            1
        }

        fn at(&self, x: &[f64], _: &mut [f64]) -> f64 {
            V[x[0] as usize]
        }
    }

    #[test]
    fn the_naive_scheme_has_this_law() {
        // The reference simulates slots and words; per state 1e5 steps, every frequency within 5.5 standard errors:
        // 4e-8 each way, 50 of them, once for these fixed words.
        const STEPS: u32 = 100_000;
        let (alpha, dt) = (0.8, 0.6);
        let law = one_step(V, alpha, dt);
        let rules = Rules { events: true, reinjection: false, centred: true, transport: false, dt, alpha };
        let mut words = reference::xorshift32();
        for from in [[1, 1, 1], [2, 1, 0], [0, 2, 1], [1, 0, 2], [2, 0, 1]] {
            let particles: Vec<Vec<f64>> = members(from).iter().map(|&kind| vec![kind as f64]).collect();
            let mut seen = [0u32; STATES];
            for _ in 0..STEPS {
                let after = reference::step(&particles, &Table, rules, &mut words, &mut |_| vec![]).expect("survivors");
                let mut counts = [0; N];
                after.particles.iter().for_each(|x| counts[x[0] as usize] += 1);
                seen[index(counts).expect("a state")] += 1;
            }
            for (count, p) in seen.iter().zip(row(&law, from)) {
                let sd = (p * (1.0 - p) / f64::from(STEPS)).sqrt();
                let frequency = f64::from(*count) / f64::from(STEPS);
                assert!((frequency - p).abs() <= 5.5 * sd, "{from:?}: {frequency} {p}");
            }
        }
    }

    #[test]
    fn the_exponential_solves_its_equation() {
        // A semigroup, with the right slope at 0: 1 + tQ + t^2 Q^2 / 2 up to |tQ|^3 / 6.
        let (a, b) = (continuous(V, 1.3, 0.4), continuous(V, 1.3, 2.3));
        assert!((a * b - continuous(V, 1.3, 2.7)).abs().max() < ROUNDING);
        let small = generator(V, 1.3) * 1e-4;
        let series = Matrix::identity() + small + small * small * 0.5;
        assert!((continuous(V, 1.3, 1e-4) - series).abs().max() < 1e-9);
        // From 0 0 1, b = -1/3 and 2/3, the only way out is to 0 0 0, for good: by the death of 1 at rate 2/3 alpha, or
        // by one of two births at rate 1/3 alpha when the 1 of the four then present goes. A single exponential.
        let stay = row(&continuous(V, 1.3, 0.9), [2, 1, 0])[index([2, 1, 0]).expect("a state")];
        let rate: f64 = 1.3 * (2.0 / 3.0 + 2.0 * (1.0 / 3.0) / 4.0);
        assert!((stay - (-0.9 * rate).exp()).abs() < ROUNDING);
    }

    #[test]
    fn the_scheme_tends_to_the_chain_with_order_one() {
        let (alpha, t) = (0.5, 1.0);
        let limit = continuous(V, alpha, t);
        let errors =
            [64, 128, 256].map(|steps| distance(&power(&one_step(V, alpha, t / f64::from(steps)), steps), &limit));
        for pair in errors.windows(2) {
            assert!(((pair[0] / pair[1]).log2() - 1.0).abs() < 0.05, "{errors:?}");
        }
        assert!(errors[0] > 1e-3 && errors[2] < 1e-2, "{errors:?}");
    }
}
