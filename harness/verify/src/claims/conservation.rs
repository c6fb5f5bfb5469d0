//! Exact invariants of every step, and a second implementation of the schemes.

use birth_death::{Error, Marginal, Prior, Report, Scheme};
use rand_core::Rng;

use super::check::{Evidence, Measured};
use super::invariants::{columns, counts_agree, distance, larger, new_rows, origins_possible, parted};
use super::problem::Problem;
use super::{Claim, Context, Interrupted, Kind};
use crate::oracles::models::MeanField;
use crate::oracles::reference::{self, Outcome, Rules};
use crate::subject::{Precision, Setup, product};
use birth_death_simulate::simulation::Product;

pub static CLAIM: Claim = Claim {
    id: "conservation",
    kind: Kind::Sharp,
    statement: "every step keeps exactly n particles and does what the scheme's definition says, to the last choice",
    source: "arXiv:1902.01843, the birth-death and reinjection algorithms; invariants of the definition",
    setting: "all schemes, rates, with and without transport, one with a quench; seven models; dt = 0.01, alpha = 25. \
        n = 1, 2, 3, 7, 16, 33, 64: 200 steps, the first 20 against the reference. In either precision, every n to 40 \
        and those about 48 and 64 (and without interaction about 128 and 256, and 1000): 3 steps, alpha set anew \
        before the second, dt before the third. One run of 5000 steps",
    estimator: "violations counted; largest distance of positions and of the reported E and Vbar from the reference, \
        over their size (at least 1; in single precision also that of |V| and of dt |grad V|)",
    oracle: "the schemes written a second time (individuals in a list), on the same random words, from the ensemble \
        before the step; positions by the oracles' own models, in double precision",
    tolerance: "invariants: none violated. Reference: 1e-12; a step of double precision adds about 1e-15. Single \
        precision: 64 units of 2^-24 of the size: a model's sums and exponentials, and 6 times the 7 units of the \
        cosine in a normal draw; a word within alpha dt times that of its probability may decide either way, and ends \
        the comparison of its run, of which at most 2 % may end so. Else an event decided otherwise would show as a \
        distance of order 1",
    measure,
};

const DT: f64 = 0.01;
const ALPHA: f64 = 25.0;
const STEPS: usize = 200;
const REFERENCE_STEPS: usize = 20;
const SIZES: [usize; 7] = [1, 2, 3, 7, 16, 33, 64];
/// Sizes on either side of what loops take at once (4, 8, 16, 32, 64 particles), beyond the sweep over all up to 40.
const EDGES: [usize; 6] = [47, 48, 49, 63, 64, 65];
/// The same for models whose cost is linear in n; the last is a size as it is in use.
const WIDE_EDGES: [usize; 7] = [127, 128, 129, 255, 256, 257, 1000];
const SWEEP: usize = 40;
const SWEEP_STEPS: usize = 3;
/// The long run's particles and steps.
const LONG: (usize, usize) = (8, 5000);
/// Where birth-death ends, in the case that has an end.
const QUENCH: usize = 10;
/// The error of a field in single precision, over its size.
const SINGLE: f64 = 64.0 / 16_777_216.0;

/// What setters are told in a sweep, before a step: another rate, then another dt.
fn schedule(step: usize) -> (f64, f64) {
    match step {
        0 => (ALPHA, DT),
        1 => (1.5 * ALPHA, DT),
        _ => (1.5 * ALPHA, 0.5 * DT),
    }
}

fn prior(dim: usize) -> Vec<Marginal<f64>> {
    let mut marginals = vec![Marginal::Normal { mean: 0.5, sd: 1.0 }; dim];
    marginals[0] = Marginal::Uniform { low: -1.0, high: 1.0 };
    marginals
}

/// The prior's definition, restated: uniforms of 53 bits from two words (24 from one, in single precision), Box and
/// Muller's cosine.
fn draw(dim: usize, precision: Precision, words: &mut dyn FnMut() -> u32) -> Vec<f64> {
    let mut uniform = || match precision {
        Precision::Double => {
            let bits = (u64::from(words()) << 32 | u64::from(words())) >> 11;
            bits as f64 / 2f64.powi(53)
        }
        Precision::Single => f64::from(words() >> 8) / 2f64.powi(24),
    };
    (0..dim)
        .map(|k| {
            if k == 0 {
                -1.0 + 2.0 * uniform()
            } else {
                let radius = (-2.0 * (1.0 - uniform()).ln()).sqrt();
                0.5 + radius * (std::f64::consts::TAU * uniform()).cos()
            }
        })
        .collect()
}

fn start(dim: usize) -> Product<f64> {
    product(&vec![Marginal::Normal { mean: 0.3, sd: 1.0 }; dim])
}

/// A start of `n` particles, row after row, on words that no defect spoils.
fn placed(context: &Context, precision: Precision, n: usize, dim: usize, replicate: u64) -> Vec<f64> {
    let mut words = context.subject.words(context.stream(2, replicate));
    let (law, mut particle) = (start(dim), vec![0.0; dim]);
    let mut rows = vec![0.0; dim * n];
    for slot in 0..n {
        law.draw(&mut words, &mut particle);
        particle.iter().enumerate().for_each(|(k, x)| rows[k * n + slot] = precision.round(*x));
    }
    rows
}

/// Every way to run `n` particles of `dim` components.
fn setups(n: usize, dim: usize, dt: f64) -> Vec<Setup> {
    let one = Setup::birth_death(n, dt, ALPHA);
    let two = one.clone().with_prior(&prior(dim));
    let mut setups = vec![Setup::gradient_flow(n, dt), one.clone(), one.clone().raw(), two.clone()];
    setups.extend([one.clone(), one.clone().raw(), two].map(Setup::without_transport));
    setups.push(Setup { quench_from: QUENCH as u64, ..one });
    setups
}

/// What is found in one simulation.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    steps: u64,
    unexplained: f64,
    counts: f64,
    origins: f64,
    distance: f64,
    reported: f64,
    rows: f64,
    twins: f64,
    /// Runs, and those whose comparison a word too near to its threshold ended.
    runs: f64,
    near: f64,
}

impl Found {
    fn add(self, other: Self) -> Self {
        Self {
            steps: self.steps + other.steps,
            unexplained: self.unexplained + other.unexplained,
            counts: self.counts + other.counts,
            origins: self.origins + other.origins,
            distance: larger(self.distance, other.distance),
            reported: larger(self.reported, other.reported),
            rows: self.rows + other.rows,
            twins: self.twins + other.twins,
            runs: self.runs + other.runs,
            near: self.near + other.near,
        }
    }
}

/// What is run, in all setups or in one.
#[derive(Clone, Copy, Debug)]
struct Case {
    problem: Problem,
    n: usize,
    precision: Precision,
    steps: usize,
    /// How many of them, the first ones, are held against the reference.
    compared: usize,
    /// Whether the setters are used.
    set: bool,
    /// The only setup, by its place; else all that the precision has.
    only: Option<usize>,
}

impl Case {
    /// Raw rates of scheme 1, whose runs may end with nobody left, are for double precision: whether they do may hang
    /// on a rounding.
    fn setups(&self, dim: usize, dt: f64) -> Vec<Setup> {
        let all = setups(self.n, dim, dt).into_iter().enumerate();
        let mortal = |setup: &Setup| matches!(setup.scheme, Scheme::BirthDeath) && setup.rate.is_some();
        let wanted = all.filter(|(place, setup)| {
            self.only.is_none_or(|only| only == *place) && (self.precision == Precision::Double || !mortal(setup))
        });
        wanted.map(|(_, setup)| setup).collect()
    }
}

fn cases() -> Vec<Case> {
    let few = |problem, n| Case {
        problem,
        n,
        precision: Precision::Double,
        steps: STEPS,
        compared: REFERENCE_STEPS,
        set: false,
        only: None,
    };
    let swept = |problem, n, precision| Case {
        precision,
        steps: SWEEP_STEPS,
        compared: SWEEP_STEPS,
        set: true,
        ..few(problem, n)
    };
    let mut cases: Vec<Case> = Problem::ALL.iter().flat_map(|problem| SIZES.map(|n| few(*problem, n))).collect();
    for precision in [Precision::Double, Precision::Single] {
        for problem in Problem::ALL {
            let apart = matches!(problem, Problem::Quadratic(_) | Problem::DoubleWell | Problem::Rastrigin);
            let wide = WIDE_EDGES.into_iter().filter(|_| apart);
            cases.extend((1..=SWEEP).chain(EDGES).chain(wide).map(|n| swept(problem, n, precision)));
        }
    }
    // scheme 2 with raw rates: V < 0 at the bottom of the wells, so that births never stop
    let (n, steps) = LONG;
    cases.push(Case { steps, compared: steps, only: Some(3), ..few(Problem::DoubleWell, n) });
    cases
}

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let cases = cases();
    let found = context.map(cases.len() as u64, |index| {
        let case = cases[index as usize];
        let oracle = case.problem.oracle();
        let runs = case.setups(oracle.dim(), DT).into_iter().zip(index * 100..);
        runs.map(|(setup, replicate)| run(context, &case, oracle.as_ref(), &setup, replicate))
            .fold(Found::default(), Found::add)
    })?;
    let still = context.map(cases.len() as u64, |index| {
        let case = &cases[index as usize];
        let dim = case.problem.oracle().dim();
        let setups = case.setups(dim, 0.0);
        setups.iter().zip(index * 100..).map(|(setup, r)| standing_still(context, case, dim, setup, r)).sum()
    })?;
    let of = |precision| {
        let of_precision = found.iter().zip(&cases).filter(move |(_, case)| case.precision == precision);
        of_precision.fold(Found::default(), |all, (found, _)| all.add(*found))
    };
    let (double, single) = (of(Precision::Double), of(Precision::Single));
    let all = double.add(single);
    let exact = |what: &str, violations: f64| Measured::exact(what, violations, 0.0, all.steps);
    Ok(vec![
        exact("steps refused for no reason", all.unexplained),
        exact("reports whose step, time or counts disagree with themselves, the origins or the reference", all.counts),
        exact("steps with an impossible origin", all.origins),
        Measured::exact("relative distance of positions from the reference", double.distance, 1e-12, double.steps),
        Measured::exact(
            "relative distance of reported E and Vbar from the reference",
            double.reported,
            1e-12,
            double.steps,
        ),
        Measured::exact(
            "relative distance of positions from the reference, f32",
            single.distance,
            SINGLE,
            single.steps,
        ),
        Measured::exact(
            "relative distance of reported E and Vbar from the reference, f32",
            single.reported,
            SINGLE,
            single.steps,
        ),
        Measured::exact(
            "share of runs in f32 whose comparison ended at a word too near to its threshold",
            single.near / single.runs,
            0.02,
            single.runs as u64,
        ),
        exact("rows without transport that are no earlier row", all.rows),
        exact("copies that differ from their parent, at once or later", all.twins),
        Measured::exact("values changed by steps of dt = 0", still.iter().sum(), 0.0, still.len() as u64),
    ]
    .into())
}

/// The steps' time: a product since dt was last changed.
struct Clock {
    precision: Precision,
    dt: f64,
    since: (u64, f64),
}

impl Clock {
    fn exact(&self, step: u64) -> f64 {
        self.since.1 + (step - self.since.0) as f64 * self.precision.round(self.dt)
    }

    fn set(&mut self, step: u64, dt: f64) {
        if dt != self.dt {
            self.since = (step, self.exact(step));
            self.dt = dt;
        }
    }
}

/// One simulation against everything that can be said of it.
fn run(context: &Context, case: &Case, oracle: &dyn MeanField, setup: &Setup, replicate: u64) -> Found {
    let (n, dim, precision) = (setup.particles, oracle.dim(), case.precision);
    let mut trial = context.trial_of(setup, case.problem.core_in(precision), 0, replicate);
    trial.place(&placed(context, precision, n, dim, replicate));
    let mut words = context.subject.words(context.stream(0, replicate));
    let mut words = move || words.next_u32();

    let reinjection = matches!(setup.scheme, Scheme::Reinjection(_));
    let flow = matches!(setup.scheme, Scheme::GradientFlow);
    let mut rules = Rules {
        events: !flow,
        reinjection,
        centred: setup.rate() == birth_death::Rate::Centred,
        transport: setup.transport,
        dt: DT,
        alpha: ALPHA,
    };
    let mut clock = Clock { precision, dt: DT, since: (0, 0.0) };
    let mut compared = case.compared;
    // as many as are asked for: a run may end with nobody left, at a step that depends on the seed
    let mut found = Found { runs: 1.0, steps: case.steps as u64, ..Found::default() };
    let mut before = columns(&trial.values(), n);
    for step in 0..case.steps {
        rules.events &= (step as u64) < setup.quench_from;
        if case.set && step > 0 {
            (rules.alpha, rules.dt) = schedule(step);
            if !flow {
                trial.set_alpha(rules.alpha);
            }
            trial.set_dt(rules.dt);
            clock.set(step as u64, rules.dt);
        }
        let result = trial.step();
        let mut reference = None;
        if step < compared {
            reference = reference::step(&before, oracle, rules, &mut words, &mut |words| draw(dim, precision, words));
        }
        let report = match result {
            Ok(report) => report,
            Err(error) => {
                // nobody left to copy, which only raw rates bring about: the reference must say so too, and nothing may
                // have changed
                let mortal = rules.events && !reinjection && !rules.centred;
                let agreed = mortal && matches!(error, Error::Extinct { .. }) && reference.is_none();
                found.unexplained += f64::from(u8::from(!agreed));
                found.rows += f64::from(u8::from(columns(&trial.values(), n) != before));
                return found;
            }
        };
        let after = columns(&trial.values(), n);
        let timely = report.step == step as u64 && report.time == precision.round(clock.exact(step as u64));
        found.counts += f64::from(u8::from(!timely || !counts_agree(&report, trial.origins(), reinjection)));
        found.origins += f64::from(u8::from(!origins_possible(trial.origins())));
        if step < compared {
            let Some(reference) = reference else {
                return Found { unexplained: found.unexplained + 1.0, ..found };
            };
            if precision == Precision::Single && undecided(&reference, rules) {
                found.near += 1.0;
                compared = step;
            } else {
                compare(&mut found, precision, rules, &report, &after, &reference);
            }
        }
        if !setup.transport {
            found.rows += new_rows(&before, &after, trial.origins());
        }
        found.twins += parted(&before, &after, trial.origins());
        before = after;
    }
    found
}

/// Whether single precision may decide an event of this step otherwise.
fn undecided(reference: &Outcome, rules: Rules) -> bool {
    reference.margin < rules.alpha * rules.dt * SINGLE * reference.sizes.0.max(1.0)
}

/// Positions, E and Vbar after a step against the reference.
fn compare(
    found: &mut Found,
    precision: Precision,
    rules: Rules,
    report: &Report<f64>,
    after: &[Vec<f64>],
    reference: &Outcome,
) {
    found.counts += f64::from(u8::from((report.births, report.deaths) != reference.events));
    // the size of what is rounded, where that is not the value's own
    let (potential, slope) = match precision {
        Precision::Double => (1.0, 1.0),
        Precision::Single => (reference.sizes.0.max(1.0), (rules.dt * reference.sizes.1).max(1.0)),
    };
    found.distance = larger(found.distance, distance(after, &reference.particles, slope));
    for (reported, exact) in [(report.energy, reference.energy), (report.mean_potential, reference.mean_potential)] {
        found.reported = larger(found.reported, (reported - exact).abs() / exact.abs().max(potential));
    }
}

/// Values that steps of dt = 0 change: no event has a chance, and nothing moves.
fn standing_still(context: &Context, case: &Case, dim: usize, setup: &Setup, replicate: u64) -> f64 {
    let mut trial = context.trial_of(setup, case.problem.core_in(case.precision), 1, replicate);
    trial.place(&placed(context, case.precision, setup.particles, dim, replicate));
    let before = trial.values();
    if trial.advance(SWEEP_STEPS).is_err() {
        return f64::NAN;
    }
    trial.values().iter().zip(&before).filter(|(a, b)| a != b).count() as f64
}
