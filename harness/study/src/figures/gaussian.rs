//! The paper's Gaussian example: its two starts, and what its pictures have in common.

use std::f64::consts::PI;

use birth_death::Marginal;

use super::published;
use super::runs::{Experiment, Run};
use birth_death_charts::RGBColor;
use birth_death_charts::draw::{Dot, Look};
use birth_death_charts::plot::{Mark, Point, Series};
use birth_death_charts::sheet::{self, Curve};
use birth_death_simulate::simulation::Product;
use birth_death_verify::claims::curve;
use birth_death_verify::claims::problem::Problem;
use birth_death_verify::oracles::units::GaussianUnits;
use birth_death_verify::subject::product;

/// n of the authors' notebook.
pub const PARTICLES: usize = 200;
/// Its step.
pub const DT: f64 = 0.01;
/// Its 0.05 a step.
const ALPHA: f64 = 5.0;
/// Steps between two points of a curve.
const EVERY: usize = 10;

/// The dynamics, in the order of [`curve::dynamics`], by the names of the configurations.
pub const DYNAMICS: [&str; 3] = ["gradient-flow", "birth-death", "reinjection"];
/// Their names in legends.
pub const NAMES: [&str; 3] = ["gradient flow", "birth-death", "reinjection"];
/// Paul Tol's high-contrast scheme: told apart by the colour-blind and in grey.
pub const COLOURS: [RGBColor; 3] = [RGBColor(0xBB, 0x55, 0x66), RGBColor(0x00, 0x44, 0x88), RGBColor(0xDD, 0xAA, 0x33)];
/// Full, dashed, dash and dot: [`sheet::Curve::dash`].
pub const DASHES: [&[u32]; 3] = [&[], &[46, 20], &[46, 18, 12, 18]];
/// Shapes of the marks of single values.
pub const DOTS: [Dot; 3] = [Dot::Ring, Dot::Square, Dot::Triangle];

/// All units within reach of the target: t up to 30.
pub static FULL: Experiment = Experiment {
    id: "gaussian-full",
    energy: || Problem::Units.core(),
    start: || start(Marginal::Uniform { low: -2.0, high: 2.0 }),
    dynamics: || curve::dynamics(PARTICLES, DT, ALPHA).to_vec(),
    recorded: || recorded("full", 3000),
};

/// All units near one end of it: t up to 60, as published.
pub static BAD: Experiment = Experiment {
    id: "gaussian-bad",
    start: || start(Marginal::Normal { mean: -2.0, sd: 0.1 }),
    recorded: || recorded("bad", 6000),
    ..FULL
};

fn start(place: Marginal<f64>) -> Product<f64> {
    product(&[Marginal::Normal { mean: 0.0, sd: 1.0 }, place])
}

/// Every so-manieth step, and those whose energies were published.
fn recorded(start: &str, steps: usize) -> Vec<usize> {
    let published = DYNAMICS.iter().flat_map(|dynamics| published::means(start, dynamics)).map(|mean| mean.step);
    let mut recorded: Vec<usize> = (0..=steps).step_by(EVERY).chain(published).filter(|&step| step <= steps).collect();
    recorded.sort_unstable();
    recorded.dedup();
    recorded
}

/// The look of a dynamics' lines and bands.
pub fn look(dynamics: usize) -> Look {
    sheet::line(COLOURS[dynamics], 11)
}

/// The three dynamics' medians over their bands: all bands first, so that none covers a line. `points` are those of a
/// dynamics.
pub fn bands(points: impl Fn(usize) -> Vec<Point>) -> Vec<Curve> {
    let curve = |mark, dynamics: usize| {
        let series = Series { name: NAMES[dynamics].to_owned(), mark, points: points(dynamics) };
        let line = look(dynamics);
        let look = Look { stroke: if mark == Mark::Line { line.stroke } else { 0 }, ..line };
        Curve { series, look, dash: DASHES[dynamics] }
    };
    [Mark::Band, Mark::Line].into_iter().flat_map(|mark| [0, 1, 2].map(|dynamics| curve(mark, dynamics))).collect()
}

/// The density of a normal law with this variance at `r` from its centre.
fn normal(r: f64, variance: f64) -> f64 {
    (-0.5 * r * r / variance).exp() / (2.0 * PI * variance).sqrt()
}

/// The target, f.
pub fn target(x: f64) -> f64 {
    GaussianUnits::paper().target.iter().map(|part| part.weight * normal(x - part.centre[0], part.variance)).sum()
}

/// The fitted function at the end of a run, f_n(x) = (1/n) sum c_i phi(x, y_i).
pub fn fitted(run: &Run, x: f64) -> f64 {
    let (charges, places) = run.end.split_at(run.end.len() / 2);
    let variance = GaussianUnits::paper().unit_variance;
    let sum: f64 = charges.iter().zip(places).map(|(c, y)| c * normal(x - y, variance)).sum();
    sum / charges.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use birth_death::Scheme;

    #[test]
    fn names_stand_in_the_order_of_the_dynamics() {
        let setups = (FULL.dynamics)();
        let matches = [
            matches!(setups[0].scheme, Scheme::GradientFlow),
            matches!(setups[1].scheme, Scheme::BirthDeath),
            matches!(setups[2].scheme, Scheme::Reinjection(_)),
        ];
        assert_eq!(matches, [true; 3]);
        assert!(setups.iter().all(|setup| setup.particles == PARTICLES && setup.dt == DT));
    }

    #[test]
    fn published_steps_are_recorded() {
        let steps = (BAD.recorded)();
        assert!(steps.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!((steps[0], steps.last()), (0, Some(&6000)));
        assert!([1, 501, 3000, 3001, 5999, 3010].iter().all(|step| steps.contains(step)));
        assert_eq!((FULL.recorded)().last(), Some(&3000));
    }

    /// E is half the integral of the squared residual: the drawn functions are those that the energies measure.
    #[test]
    fn the_drawn_functions_have_the_energy_of_the_run() {
        let particles = 7;
        let charges: Vec<f64> = (0..particles).map(|i| f64::from(i) - 2.5).collect();
        let places: Vec<f64> = (0..particles).map(|i| 1.7 - 0.6 * f64::from(i)).collect();
        let end = [charges, places].concat();
        let setup = birth_death_verify::subject::Setup::gradient_flow(7, DT);
        let mut trial = birth_death_verify::subject::Subject::correct(1001).trial(&setup, (FULL.energy)(), 0);
        trial.place(&end);
        let (energy, _) = trial.evaluate().expect("finite");
        let run = Run { energies: Vec::new(), start: Vec::new(), end };
        let width = 0.25; // exact for these Gaussians to 1e-17: see oracles::direct
        let residual = |x: f64| fitted(&run, x) - target(x);
        let sum: f64 = (-60..=60).map(|k| f64::from(k) * width).map(|x| residual(x) * residual(x)).sum();
        assert!((0.5 * width * sum / energy - 1.0).abs() < 1e-12, "{sum} {energy}");
    }
}
