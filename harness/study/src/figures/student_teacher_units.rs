//! Where the units of one replicate go, seen along the directions of two of the ten teachers.

use std::fmt::Write;

use super::gaussian::{COLOURS, NAMES};
use super::student_teacher::{KINDS, STEPS, cell};
use super::{Context, Drawn, Halt, Picture};
use crate::study::data;
use crate::study::train::{self, Units};
use birth_death_charts::RGBColor;
use birth_death_charts::draw::{Dot, Look};
use birth_death_charts::plot::{Axis, Mark, Point, Series};
use birth_death_charts::sheet::{self, Curve, Panel, Sheet};

pub static PICTURE: Picture = Picture {
    name: "student-teacher-units",
    setting: "replicate 0 of student-teacher-loss at alpha = 1: of every unit |c| a, and of every teacher |q| b, \
        projected on the plane of the first two teachers' directions; from step 0 to 20000",
    draw,
};

const ALPHA: f64 = 1.0;
const REPLICATE: u64 = 0;
const GREY: RGBColor = RGBColor(0x77, 0x77, 0x77);

fn draw(context: &Context) -> Result<Drawn, Halt> {
    let at = train::checkpoints(STEPS);
    let found = context.map(KINDS.len() as u64, |dynamics, seed, stop| {
        let cell = cell(KINDS[usize::try_from(dynamics).unwrap_or(0)], ALPHA);
        let plane = Plane::of(&data::teacher(seed, cell.sizes(), REPLICATE), cell.sizes());
        Ok((plane, train::trace(&cell, seed, REPLICATE, &at, stop)?))
    })?;
    if found.iter().any(|(_, run)| run.len() < at.len()) {
        return Err(Halt::Failed("a step met a number that is not finite".to_owned()));
    }
    let plane = &found[0].0;
    let runs: Vec<Vec<Seen>> =
        found.iter().map(|(plane, run)| run.iter().map(|units| plane.see(units)).collect()).collect();
    Ok(Drawn { sheet: sheet(plane, &runs), csv: table(plane, &runs) })
}

/// A unit as it is drawn: its place, and whether its output weight is positive.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Arrow {
    x: f64,
    y: f64,
    positive: bool,
}

/// All units after so many steps, with their families.
struct Seen {
    step: u64,
    units: Vec<(u64, Arrow)>,
}

/// Two directions at right angles: the first teacher's, and what is left of the second's. And the teachers.
struct Plane {
    axes: [Vec<f64>; 2],
    teachers: Vec<Arrow>,
}

impl Plane {
    /// `teacher`: rows, output weights first, as [`data::teacher`] has them.
    fn of(teacher: &[f64], (inputs, teachers): (usize, usize)) -> Self {
        let direction = |t: usize| -> Vec<f64> { (1..=inputs).map(|k| teacher[k * teachers + t]).collect() };
        let normal = |v: Vec<f64>| -> Vec<f64> {
            let length = dot(&v, &v).sqrt();
            v.into_iter().map(|v| v / length).collect()
        };
        let first = normal(direction(0));
        let along = dot(&first, &direction(1));
        let second = normal(direction(1).iter().zip(&first).map(|(b, e)| b - along * e).collect());
        let mut plane = Self { axes: [first, second], teachers: Vec::new() };
        plane.teachers = plane.project(teacher, teachers);
        plane
    }

    /// The columns of `rows`, each times the size of its output weight.
    fn project(&self, rows: &[f64], units: usize) -> Vec<Arrow> {
        let unit = |i: usize| {
            let direction: Vec<f64> = rows[units..].chunks_exact(units).map(|row| row[i]).collect();
            let [x, y] = [0, 1].map(|axis: usize| rows[i].abs() * dot(&self.axes[axis], &direction));
            Arrow { x, y, positive: rows[i] > 0.0 }
        };
        (0..units).map(unit).collect()
    }

    fn see(&self, units: &Units) -> Seen {
        let arrows = self.project(&units.rows, units.families.len());
        Seen { step: units.step, units: units.families.iter().copied().zip(arrows).collect() }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The way of every family of units from the first time that it is seen to the last.
fn ways(run: &[Seen]) -> Vec<Vec<Arrow>> {
    let mut ways: Vec<(u64, Vec<Arrow>)> = Vec::new();
    for seen in run {
        let mut here = seen.units.clone();
        // copies stand where their parents stand
        here.sort_by_key(|unit| unit.0);
        here.dedup_by_key(|unit| unit.0);
        for (family, arrow) in here {
            match ways.iter_mut().find(|way| way.0 == family) {
                Some(way) => way.1.push(arrow),
                None => ways.push((family, vec![arrow])),
            }
        }
    }
    ways.into_iter().map(|way| way.1).collect()
}

fn line(name: &str, arrows: impl IntoIterator<Item = Arrow>, look: Look, dash: &'static [u32]) -> Curve {
    let points = arrows.into_iter().map(|arrow| Point::exact(arrow.x, arrow.y)).collect();
    Curve { series: Series { name: name.into(), mark: Mark::Line, points }, look, dash }
}

fn dots(name: &str, arrows: impl IntoIterator<Item = Arrow>, look: Look) -> Curve {
    let points = arrows.into_iter().map(|arrow| Point::exact(arrow.x, arrow.y)).collect();
    Curve { series: Series { name: name.into(), mark: Mark::Dots, points }, look, dash: &[] }
}

fn sheet(plane: &Plane, runs: &[Vec<Seen>]) -> Sheet {
    const ORIGIN: Arrow = Arrow { x: 0.0, y: 0.0, positive: true };
    let panel = |(dynamics, run): (usize, &Vec<Seen>)| {
        let mark = |shape, radius, colour| Look { dot: shape, radius, cover: 1.0, ..sheet::line(colour, 5) };
        let black = RGBColor(0, 0, 0);
        let mut curves: Vec<Curve> = plane
            .teachers
            .iter()
            .map(|&teacher| line("teachers' directions", [ORIGIN, teacher], sheet::line(black, 5), &[12, 12]))
            .collect();
        for way in ways(run) {
            curves.push(line("", way.iter().copied(), sheet::line(COLOURS[dynamics], 3), &[]));
        }
        let start = run.first().into_iter().flat_map(|seen| &seen.units).map(|unit| unit.1);
        let end = || run.last().into_iter().flat_map(|seen| &seen.units).map(|unit| unit.1);
        curves.push(dots("start", start, mark(Dot::Full, 5, GREY)));
        curves.push(dots("end, c > 0", end().filter(|unit| unit.positive), mark(Dot::Full, 13, COLOURS[dynamics])));
        curves.push(dots("end, c < 0", end().filter(|unit| !unit.positive), mark(Dot::Ring, 13, COLOURS[dynamics])));
        Panel {
            caption: NAMES[dynamics].to_owned(),
            x: Axis::linear("|c| a along teacher 1"),
            y: Axis::linear("|c| a along teacher 2"),
            height: 760,
            curves,
        }
    };
    Sheet {
        title: "Student-teacher: ways of the units".to_owned(),
        notes: vec![format!("one replicate, alpha = {ALPHA}, {STEPS} steps; line: a unit and all its copies")],
        panels: runs.iter().enumerate().map(panel).collect(),
        same_height: true,
    }
}

fn table(plane: &Plane, runs: &[Vec<Seen>]) -> String {
    let mut csv = String::from("set,dynamics,step,unit,family,positive,x,y\n");
    let mut put = |set: &str, dynamics: &str, step: u64, unit: usize, family: u64, Arrow { x, y, positive }: Arrow| {
        // a String takes everything
        let _ = writeln!(csv, "{set},{dynamics},{step},{unit},{family},{positive},{x:?},{y:?}");
    };
    for (unit, &teacher) in plane.teachers.iter().enumerate() {
        put("teacher", "all", 0, unit, unit as u64, teacher);
    }
    for (kind, run) in KINDS.iter().zip(runs) {
        for seen in run {
            for (unit, &(family, arrow)) in seen.units.iter().enumerate() {
                put("student", kind.name(), seen.step, unit, family, arrow);
            }
        }
    }
    csv
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::setting::Kind;

    #[test]
    fn teachers_span_the_plane_in_which_units_are_seen() {
        // two inputs more than the plane has; a teacher each column
        let teacher = [2.0, -0.5, 1.0, 0.5, 2.0, 0.0, 0.0, 6.0, 0.0, 0.0, 0.0, 7.0];
        let plane = Plane::of(&teacher, (3, 3));
        let expected = [(1.0, 0.0, true), (1.0, 3.0, false), (0.0, 0.0, true)];
        for (arrow, (x, y, positive)) in plane.teachers.iter().zip(expected) {
            assert!(
                (arrow.x - x).abs() < 1e-15 && (arrow.y - y).abs() < 1e-15 && arrow.positive == positive,
                "{arrow:?}"
            );
        }
    }

    #[test]
    fn a_way_is_that_of_a_family_and_ends_when_it_dies_out() {
        let arrow = |x| Arrow { x, y: 0.0, positive: true };
        let seen =
            |step, units: &[(u64, f64)]| Seen { step, units: units.iter().map(|&(f, x)| (f, arrow(x))).collect() };
        let run = [
            seen(0, &[(0, 0.0), (1, 1.0), (2, 2.0)]),
            seen(1, &[(2, 2.5), (1, 1.5), (2, 2.5)]),
            seen(2, &[(2, 3.0), (9, 7.0), (2, 3.0)]),
        ];
        let ways = ways(&run);
        let xs: Vec<Vec<f64>> = ways.iter().map(|way| way.iter().map(|arrow| arrow.x).collect()).collect();
        assert_eq!(xs, [vec![0.0], vec![1.0, 1.5], vec![2.0, 2.5, 3.0], vec![7.0]]);
    }

    #[test]
    fn a_family_stands_in_one_place() {
        let go = std::sync::atomic::AtomicBool::new(false);
        for kind in KINDS {
            let run = train::trace(&cell(kind, 1.0), 1001, 0, &[0, 7, 60], &go).expect("not stopped");
            let units = run.last().expect("three").rows.len() / 51;
            let last = run.last().expect("three");
            for (i, family) in last.families.iter().enumerate() {
                for j in (0..i).filter(|&j| last.families[j] == *family) {
                    let apart = last.rows.chunks_exact(units).any(|row| row[i] != row[j]);
                    assert!(!apart, "{kind:?}: slots {i} and {j}");
                }
            }
            let copies = last.families.len() - last.families.iter().collect::<std::collections::BTreeSet<_>>().len();
            let fresh = last.families.iter().filter(|family| **family >= 50).count();
            assert_eq!((copies > 0, fresh > 0), (kind != Kind::Flow, kind == Kind::Reinjection));
        }
    }
}
