//! Birth-death reaches a tenth of the initial energy sooner than gradient flow: the paper's Gaussian example.

use birth_death::Marginal;

use super::check::{EMPIRICAL_LEVEL, Evidence, Measured};
use super::curve;
use super::problem::Problem;
use super::{Claim, Context, Interrupted, Kind};
use crate::oracles::characteristics::{self, Flow};
use crate::oracles::discrete::{self, DiscreteFlow};
use crate::oracles::models::Nodes;
use crate::subject::product;
use birth_death_charts::plot::{Axis, Mark, Plot, Point, Series};
use birth_death_stats::acceleration::{accelerates, range};
use birth_death_stats::interval::quantile;
use birth_death_stats::quadrature::{Rule, TensorRule};

pub static CLAIM: Claim = Claim {
    id: "acceleration-gaussian",
    kind: Kind::Empirical,
    statement: "from the full start, both birth-death schemes reach a tenth of the initial energy sooner than gradient \
        flow",
    source: "arXiv:1902.01843, the Gaussian example, with the authors' notebook gaussian_example",
    setting: "Gaussian units, c standard normal, y uniform on (-2, 2), alpha = 5, scheme 2's prior c = 0, y standard \
        normal; n = 200, dt = 0.02, 40 triples of runs from the same start, for at most t = 20",
    estimator: "first time at which E <= 0.1 E(0), linear between steps; the ratio gradient flow / scheme of each \
        triple, and their median. Where one does not get there by t = 20 the ratio is known on one side only, where \
        neither does it is not known",
    oracle: "none but 1; beside it the ratio of PDE 1 by characteristics on 16 x 16 nodes (and of PDE 2, for Vbar < 0 \
             from this start), and C_dt's, with the dt of the particles",
    tolerance: "ratio above 1: interval of the median by order statistics of what is known of the ratios, whatever the \
        law, at level 1e-3. The oracles' ratios within one dt in each of the two times: a step's fields are those of \
        its beginning, so C_dt is C displaced by a part of dt",
    measure,
};

const PARTICLES: usize = 200;
const DT: f64 = 0.02;
const ALPHA: f64 = 5.0;
const REPLICATES: u64 = 40;
/// The share of E(0) to be reached.
const SHARE: f64 = 0.1;
/// Steps of every run, for the picture; a run that is not there yet goes on.
const SHOWN: usize = 300;
/// Steps after which a run is given up: twice the slowest gradient flow seen (40 replicates on another seed: 6.1 to
/// 9.8, in time).
const LONGEST: usize = 1000;

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let start = product(&[Marginal::Normal { mean: 0.0, sd: 1.0 }, Marginal::Uniform { low: -2.0, high: 2.0 }]);
    let setups = curve::dynamics(PARTICLES, DT, ALPHA);
    let mut curves = Vec::new();
    for setup in &setups {
        // The same stream for all: the start is drawn first, so the three of a triple share it.
        curves.push(context.map(context.replicates(REPLICATES), |replicate| {
            let mut trial = context.trial(setup, Problem::Units.core(), 0, replicate);
            trial.draw(&start);
            relative(|| curve::next(&mut trial), LONGEST)
        })?);
    }
    let [flow, copies, fresh] = [0, 1, 2].map(|dynamics| -> Vec<f64> {
        curves[dynamics].iter().map(|curve| curve::crossing(curve, DT, SHARE)).collect()
    });
    // PDE 1 takes 7.54 without and 2.45 with birth-death.
    let (slow, fast) = (Oracle::solve(0.0, 420), Oracle::solve(ALPHA, SHOWN));
    let limit = slow.hit / fast.hit;
    let displaced = DT / slow.hit + DT / fast.hit;

    let pairs = [curve::pairs(&flow, &copies), curve::pairs(&flow, &fresh)];
    let mut measured: Vec<Measured> = ["scheme 1", "scheme 2"]
        .into_iter()
        .zip(&pairs)
        .map(|(scheme, pairs)| {
            let what = format!("median ratio of hitting times, gradient flow over {scheme}");
            let found = accelerates(pairs, LONGEST as f64 * DT, EMPIRICAL_LEVEL);
            Measured::empirical(what, found.ratio, found.interval, 1.0, pairs.len() as u64)
        })
        .collect();
    let exact = Measured::exact("ratio of hitting times of C_dt, held against PDE 1's", 0.0, displaced * limit, 1);
    measured.push(Measured { estimate: slow.map_hit / fast.map_hit, reference: limit, ..exact }.of_oracles());
    let plots = vec![energy_plot(&curves, [&slow, &fast]), ratio_plot(&pairs, limit)];
    Ok(Evidence { measured, plots })
}

/// E / E(0), from `energy` of each step, up to `SHARE` but for `SHOWN` steps at least and `longest` at most.
fn relative(mut energy: impl FnMut() -> f64, longest: usize) -> Vec<f64> {
    let first = energy();
    let mut curve = vec![1.0];
    while curve.len() <= longest {
        let now = energy() / first;
        curve.push(now);
        if now.is_nan() || (now <= SHARE && curve.len() > SHOWN) {
            break;
        }
    }
    curve
}

/// The limit of a dynamics.
struct Oracle {
    /// E / E(0) by PDE 1, at multiples of `COARSE` steps.
    curve: Vec<f64>,
    /// Its hitting time, and that of C_dt.
    hit: f64,
    map_hit: f64,
}

/// Steps between two points of an oracle's curve, which is linear between: the hitting time is off by 0.003 at most,
/// E'' being at most E' here.
const COARSE: usize = 6;

impl Oracle {
    /// Up to so many steps.
    fn solve(alpha: f64, steps: usize) -> Self {
        let model = Problem::Units.oracle();
        let start: Nodes = TensorRule::new(&[Rule::normal(16, 0.0, 1.0), Rule::uniform(16, -2.0, 2.0)]).into();
        let all: Vec<usize> = (0..=steps).collect();
        let times: Vec<f64> = all.iter().step_by(COARSE).map(|&step| step as f64 * DT).collect();
        let coarse = DT * COARSE as f64;
        let flow = Flow { alpha, transport: true };
        let curve = characteristics::solve(model.as_ref(), &start, flow, coarse, &times, |moment| moment.energy);
        let flow = DiscreteFlow { alpha, transport: true, centred: true, dt: DT };
        let map = discrete::solve(model.as_ref(), &start, flow, &all, |moment| moment.energy);
        let [curve, map] = [curve, map].map(|energies| energies.iter().map(|e| e / energies[0]).collect::<Vec<_>>());
        let (hit, map_hit) = (curve::crossing(&curve, coarse, SHARE), curve::crossing(&map, DT, SHARE));
        Self { curve, hit, map_hit }
    }
}

fn energy_plot(curves: &[Vec<Vec<f64>>], oracles: [&Oracle; 2]) -> Plot {
    let names = ["gradient flow", "scheme 1 (birth-death)", "scheme 2 (reinjection)"];
    let bands = names.iter().zip(curves).map(|(name, curves)| curve::band(*name, curves, DT, COARSE));
    let lines = ["PDE 1, alpha = 0", "PDE 1, alpha = 5"];
    let points = SHOWN / COARSE;
    let lines = lines.iter().zip(oracles);
    let lines = lines.map(|(name, oracle)| curve::line(*name, &oracle.curve[..=points], COARSE as f64 * DT, 1));
    let level = curve::line("the level", &[SHARE; SHOWN + 1], DT, SHOWN);
    Plot {
        title: "Full start: median E / E(0) over replicates, with quartiles".into(),
        x: Axis::linear("t"),
        y: Axis::log("E / E(0)"),
        series: bands.chain(lines).chain([level]).collect(),
    }
}

/// Quantiles of the ratios: how much sooner, in what share of the triples. Bars are what runs that did not arrive leave
/// open.
fn ratio_plot(pairs: &[Vec<(f64, f64)>], limit: f64) -> Plot {
    let quantiles = |pairs: &Vec<(f64, f64)>| -> Vec<Point> {
        let ranges = pairs.iter().map(|&pair| range(pair, LONGEST as f64 * DT));
        let (lows, highs): (Vec<f64>, Vec<f64>) = ranges.unzip();
        let point = |share| {
            let (low, high) = (quantile(&lows, share), quantile(&highs, share));
            Point { x: share, y: 1f64.max(low).min(high), low, high }
        };
        (0..=40).map(|k| point(f64::from(k) / 40.0)).collect()
    };
    let schemes = ["gradient flow / scheme 1", "gradient flow / scheme 2"].iter().zip(pairs);
    let schemes =
        schemes.map(|(name, pairs)| Series { name: (*name).into(), mark: Mark::Dots, points: quantiles(pairs) });
    let level = |name: &str, y| Series {
        name: name.into(),
        mark: Mark::Line,
        points: vec![Point::exact(0.0, y), Point::exact(1.0, y)],
    };
    Plot {
        title: "Ratio of hitting times of 0.1 E(0), over the same start".into(),
        x: Axis::linear("share of replicates below"),
        y: Axis::log("ratio"),
        series: schemes.chain([level("PDE 1", limit), level("no acceleration", 1.0)]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_once_there_but_not_before_it_is_shown() {
        let run = |of: fn(usize) -> f64| {
            let mut step = 0;
            relative(
                || {
                    step += 1;
                    of(step - 1)
                },
                LONGEST,
            )
        };
        assert_eq!(run(|_| 3.0).len(), LONGEST + 1);
        let late = run(|step| if step < 500 { 4.0 } else { 0.25 });
        assert_eq!((late.len(), late[0], late[500]), (501, 1.0, 0.0625));
        assert_eq!(run(|step| if step < 9 { 4.0 } else { 0.25 }).len(), SHOWN + 1);
        assert_eq!(run(|step| if step < 9 { 4.0 } else { f64::NAN }).len(), 10);
    }
}
