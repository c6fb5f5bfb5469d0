//! Target and fitted functions at the end of the full start, and what is left between them.

use std::fmt::Write;

use super::band::Band;
use super::gaussian::{self, DYNAMICS, fitted, target};
use super::{Context, Drawn, Halt, Picture};
use birth_death_charts::RGBColor;
use birth_death_charts::plot::{Axis, Mark, Point, Series};
use birth_death_charts::sheet::{self, Curve, Panel, Sheet};

pub static PICTURE: Picture = Picture {
    name: "gaussian-full-function",
    setting: "the runs of gaussian-full-energy, at t = 30: f_n(x) = (1/n) sum c_i phi(x, y_i), quantiles over \
        replicates at each x",
    draw,
};

/// Inputs are drawn to here on both sides, 0.05 apart: beyond, the target is below 1e-4 of its peak.
const REACH: i32 = 5;
const PER_UNIT: i32 = 20;

fn inputs() -> impl Iterator<Item = f64> {
    (-REACH * PER_UNIT..=REACH * PER_UNIT).map(|k| f64::from(k) / f64::from(PER_UNIT))
}

/// Of each dynamics, the band of f_n at each input.
type Bands = [Vec<(f64, Band)>; 3];

fn draw(context: &Context) -> Result<Drawn, Halt> {
    let runs = context.runs(&gaussian::FULL, context.replicates())?;
    let bands = [0, 1, 2].map(|dynamics| {
        let at = |x| Band::of(&runs.of[dynamics].iter().map(|run| fitted(run, x)).collect::<Vec<_>>());
        inputs().map(|x| (x, at(x))).collect()
    });
    Ok(Drawn { sheet: sheet(runs.replicates(), &bands), csv: table(runs.replicates(), &bands) })
}

fn sheet(replicates: usize, found: &Bands) -> Sheet {
    let grey = |name: &str, of: fn(f64) -> f64, stroke| Curve {
        series: Series {
            name: name.into(),
            mark: Mark::Line,
            points: inputs().map(|x| Point::exact(x, of(x))).collect(),
        },
        look: sheet::line(RGBColor(0xC0, 0xC0, 0xC0), stroke),
        dash: &[],
    };
    let fits = |less: fn(f64) -> f64| {
        gaussian::bands(|dynamics| found[dynamics].iter().map(|(x, band)| band.less(less(*x)).at(*x)).collect())
    };
    let panel = |y: &str, height, curves| Panel {
        caption: String::new(),
        x: Axis::linear("input x (dimensionless)"),
        y: Axis::linear(y),
        height,
        curves,
    };
    Sheet {
        title: "Gaussian units, full start: fit at t = 30".to_owned(),
        notes: vec![format!("line: median, band: 10 to 90 % of {replicates} replicates")],
        panels: vec![
            panel("f and fₙ", 800, std::iter::once(grey("target f", target, 26)).chain(fits(|_| 0.0)).collect()),
            panel("fₙ − f", 800, std::iter::once(grey("", |_| 0.0, 6)).chain(fits(target)).collect()),
        ],
        same_height: false,
    }
}

fn table(replicates: usize, bands: &Bands) -> String {
    let mut csv = String::from("dynamics,x,replicates,target,median,p10,p90\n");
    for (name, bands) in DYNAMICS.iter().zip(bands) {
        for (x, Band { median, low, high }) in bands {
            // a String takes everything
            let _ = writeln!(csv, "{name},{x:?},{replicates},{:?},{median:?},{low:?},{high:?}", target(*x));
        }
    }
    csv
}
