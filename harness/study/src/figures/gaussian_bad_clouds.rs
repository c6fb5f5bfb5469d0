//! Where the units of one replicate stand from the bad start: what copies cannot reach and draws from the prior do.

use std::fmt::Write;

use super::gaussian::{self, COLOURS, DYNAMICS, NAMES};
use super::runs::Runs;
use super::{Context, Drawn, Halt, Picture};
use birth_death_charts::RGBColor;
use birth_death_charts::draw::{Dot, Look};
use birth_death_charts::plot::{Axis, Mark, Point, Series};
use birth_death_charts::sheet::{self, Curve, Panel, Sheet};
use birth_death_verify::oracles::units::GaussianUnits;

pub static PICTURE: Picture =
    Picture { name: "gaussian-bad-clouds", setting: "replicate 0 of gaussian-bad-energy, at t = 0 and t = 60", draw };

const GREY: RGBColor = RGBColor(0x77, 0x77, 0x77);

fn draw(context: &Context) -> Result<Drawn, Halt> {
    let runs = context.runs(&gaussian::BAD, 1)?;
    Ok(Drawn { sheet: sheet(&runs), csv: table(&runs) })
}

/// Charge and place of each particle.
fn particles(rows: &[f64]) -> impl Iterator<Item = (f64, f64)> {
    let (charges, places) = rows.split_at(rows.len() / 2);
    charges.iter().copied().zip(places.iter().copied())
}

fn cloud(name: &str, rows: &[f64], look: Look) -> Curve {
    let points = particles(rows).map(|(c, y)| Point::exact(y, c)).collect();
    Curve { series: Series { name: name.into(), mark: Mark::Dots, points }, look, dash: &[] }
}

fn sheet(runs: &Runs) -> Sheet {
    let first: Vec<_> = runs.of.iter().filter_map(|of| of.first()).collect();
    let all = || first.iter().flat_map(|run| particles(&run.start).chain(particles(&run.end))).map(|(c, _)| c);
    let (low, high) = (all().fold(0.0, f64::min), all().fold(0.0, f64::max));
    let centre = |centre: f64| Curve {
        series: Series {
            name: "target's centres".into(),
            mark: Mark::Line,
            points: vec![Point::exact(centre, low), Point::exact(centre, high)],
        },
        look: sheet::line(RGBColor(0, 0, 0), 6),
        dash: &[6, 18],
    };
    let panel = |(dynamics, run): (usize, &&super::runs::Run)| {
        let dot = |dot, radius, cover, colour| Look { dot, radius, cover, ..sheet::line(colour, 5) };
        let mut curves: Vec<Curve> = GaussianUnits::paper().target.iter().map(|part| centre(part.centre[0])).collect();
        curves.push(cloud("start", &run.start, dot(Dot::Ring, 14, 1.0, GREY)));
        curves.push(cloud("end", &run.end, dot(Dot::Full, 16, 0.5, COLOURS[dynamics])));
        Panel {
            caption: NAMES[dynamics].to_owned(),
            x: Axis::linear("place y of a unit (dimensionless)"),
            y: Axis::linear("charge c"),
            height: 620,
            curves,
        }
    };
    Sheet {
        title: "Gaussian units, bad start: units at t = 60".to_owned(),
        notes: vec!["one replicate, n = 200; darker: several units in one place".to_owned()],
        panels: first.iter().enumerate().map(panel).collect(),
        same_height: true,
    }
}

fn table(runs: &Runs) -> String {
    let mut csv = String::from("set,dynamics,particle,c,y\n");
    let mut put = |set: &str, dynamics: &str, rows: &[f64]| {
        for (particle, (c, y)) in particles(rows).enumerate() {
            // a String takes everything
            let _ = writeln!(csv, "{set},{dynamics},{particle},{c:?},{y:?}");
        }
    };
    let first = || DYNAMICS.iter().zip(&runs.of).filter_map(|(name, of)| Some((name, of.first()?)));
    if let Some((_, run)) = first().next() {
        put("start", "all", &run.start);
    }
    for (name, run) in first() {
        put("end", name, &run.end);
    }
    let target = GaussianUnits::paper().target;
    let centres = target.iter().map(|part| part.weight).chain(target.iter().map(|part| part.centre[0]));
    put("target", "", &centres.collect::<Vec<_>>());
    csv
}
