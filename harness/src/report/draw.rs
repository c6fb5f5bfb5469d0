//! Pictures as SVG that takes its colours from the page: ink, grid and series are CSS variables, so that light, dark and print agree.

// The workspace forbids std's transcendentals for the core's sake; here they place ink.
#![allow(clippy::disallowed_methods)]

use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;

use super::table::number;
use crate::claims::check::{Check, Null};
use crate::claims::plot::{Axis, Mark, Plot, Point};
use crate::stats::tails::t_quantile;
use crate::stats::verdict::Verdict;

/// Colours that stand for a variable of the page: replaced in the finished SVG.
const INK: RGBColor = RGBColor(1, 1, 1);
const GRID: RGBColor = RGBColor(2, 2, 2);
const TOLERANCE: RGBColor = RGBColor(4, 4, 4);
/// `--series-0`, ...: the page has as many.
const SERIES: u8 = 8;

fn series(index: usize) -> RGBColor {
    let index = 10 + u8::try_from(index % usize::from(SERIES)).unwrap_or(0);
    RGBColor(index, index, index)
}

/// Each stand-in, as SVG writes it, and the variable.
fn variables() -> Vec<(String, String)> {
    let hex = |RGBColor(r, g, b): RGBColor| format!("\"#{r:02X}{g:02X}{b:02X}\"");
    let named = [(INK, "ink"), (GRID, "grid"), (TOLERANCE, "tolerance")];
    let named = named.map(|(colour, name)| (hex(colour), format!("\"var(--{name})\"")));
    let numbered = (0..usize::from(SERIES)).map(|i| (hex(series(i)), format!("\"var(--series-{i})\"")));
    named.into_iter().chain(numbered).collect()
}

type Failed = Box<dyn std::error::Error>;

/// Width of every picture in its own units; the page scales it.
const WIDTH: u32 = 720;

/// Draws on a fresh canvas and puts the page's variables in; a failure (there is none for finite data) becomes a note in place
/// of the picture.
fn canvas(
    height: u32,
    title: &str,
    paint: impl FnOnce(&DrawingArea<SVGBackend, plotters::coord::Shift>) -> Result<(), Failed>,
) -> String {
    let mut svg = String::new();
    let painted = {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        paint(&area).and_then(|()| area.present().map_err(Failed::from))
    };
    if let Err(error) = painted {
        return format!("<p>not drawn: {}</p>", escaped(&error.to_string()));
    }
    for (stand_in, variable) in variables() {
        svg = svg.replace(&stand_in, &variable);
    }
    svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{}\" ", escaped(title)), 1)
}

fn escaped(text: &str) -> String {
    maud::Markup::from(maud::html! { (text) }).into_string().replace('"', "&quot;")
}

/// The page's name of the colour of series number `index` of a picture.
pub fn variable(index: usize) -> String {
    format!("var(--series-{})", index % usize::from(SERIES))
}

/// A picture of a claim's own. Its legend is the page's: it would cover the curves.
pub fn plot(plot: &Plot) -> String {
    let all: Vec<&Point> = plot.series.iter().flat_map(|series| &series.points).collect();
    let x = extent(&plot.x, all.iter().flat_map(|p| [p.x]));
    let y = extent(&plot.y, all.iter().flat_map(|p| [p.y, p.low, p.high]));
    let (Some(x), Some(y)) = (x, y) else {
        return "<p>not drawn: no point is finite</p>".to_owned();
    };
    canvas(400, &plot.title, |area| match (plot.x.log, plot.y.log) {
        (false, false) => chart(area, plot, x, y),
        (true, false) => chart(area, plot, Log(x), y),
        (false, true) => chart(area, plot, x, Log(y)),
        (true, true) => chart(area, plot, Log(x), Log(y)),
    })
}

/// A logarithmic axis with ticks at 1, 2 and 5 times powers of ten, however short it is: the library's own has none within less than a decade.
struct Log(std::ops::Range<f64>);

impl Ranged for Log {
    type FormatOption = plotters::coord::ranged1d::DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (value / self.0.start).ln() / (self.0.end / self.0.start).ln();
        from + (f64::from(to - from) * share).round() as i32
    }

    fn key_points<Hint: plotters::coord::ranged1d::KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        let decades = (self.0.start.log10().floor() as i32)..=(self.0.end.log10().ceil() as i32);
        let ticks = |factors: &[f64]| -> Vec<f64> {
            let all = decades.clone().flat_map(|decade| factors.iter().map(move |factor| factor * 10f64.powi(decade)));
            all.filter(|tick| self.0.contains(tick)).collect()
        };
        let most = hint.max_num_points().min(9);
        let [all, powers] = [ticks(&[1.0, 2.0, 5.0]), ticks(&[1.0])];
        let few = if all.len() <= most { all } else { powers };
        let every = few.len().div_ceil(most.max(1)).max(1);
        few.into_iter().step_by(every).collect()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.0.clone()
    }
}

/// The range of an axis, with a margin; none without a value that can be shown.
fn extent(axis: &Axis, values: impl Iterator<Item = f64>) -> Option<std::ops::Range<f64>> {
    let shown = |x: &f64| x.is_finite() && (!axis.log || *x > 0.0);
    let (low, high) = values.filter(shown).fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    if low > high {
        None
    } else if axis.log {
        let margin = if high > low { (high / low).ln() * 0.05 } else { 0.5 };
        Some(low * (-margin).exp()..high * margin.exp())
    } else {
        let margin = if high > low { (high - low) * 0.05 } else { 0.5 * low.abs().max(1.0) };
        Some(low - margin..high + margin)
    }
}

fn chart<X, Y>(area: &DrawingArea<SVGBackend, plotters::coord::Shift>, plot: &Plot, x: X, y: Y) -> Result<(), Failed>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let mut chart =
        ChartBuilder::on(area).margin(8).x_label_area_size(42).y_label_area_size(70).build_cartesian_2d(x, y)?;
    let text = ("sans-serif", 15).into_font().color(&INK);
    chart
        .configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(INK)
        .label_style(text.clone())
        .x_desc(plot.x.label.as_str())
        .y_desc(plot.y.label.as_str())
        .x_label_formatter(&|x| number(*x))
        .y_label_formatter(&|y| number(*y))
        .draw()?;
    for (index, of) in plot.series.iter().enumerate() {
        let colour = series(index);
        let shown =
            |p: &&Point| p.x.is_finite() && p.y.is_finite() && (!plot.x.log || p.x > 0.0) && (!plot.y.log || p.y > 0.0);
        let points: Vec<&Point> = of.points.iter().filter(shown).collect();
        // an interval that reaches below what a logarithm shows ends at a thousandth of its value
        let low = |p: &Point| if plot.y.log { p.low.max(p.y * 1e-3) } else { p.low };
        let line = LineSeries::new(points.iter().map(|p| (p.x, p.y)), colour.stroke_width(2));
        match of.mark {
            Mark::Line => {
                chart.draw_series(line)?;
            }
            Mark::Band => {
                let edge = points.iter().map(|p| (p.x, p.high)).chain(points.iter().rev().map(|p| (p.x, low(p))));
                chart.draw_series([Polygon::new(edge.collect::<Vec<_>>(), colour.mix(0.25))])?;
                chart.draw_series(line)?;
            }
            Mark::Dots => {
                let bars = points.iter().filter(|p| p.high > p.low);
                chart.draw_series(
                    bars.map(|p| PathElement::new([(p.x, low(p)), (p.x, p.high)], colour.stroke_width(2))),
                )?;
                chart.draw_series(points.iter().map(|p| Circle::new((p.x, p.y), 4, colour.filled())))?;
            }
        }
    }
    Ok(())
}

/// One line of the picture of checks: its number in the table, the estimate and its interval in units of the room.
struct Row {
    number: usize,
    at: f64,
    low: f64,
    high: f64,
    colour: usize,
}

/// The estimate less the reference over the tolerance, so that the tolerance is the band from -1 to 1; its bar is the interval at the check's
/// level (limit), or the effect that is detected (sharp). Of an empirical check the estimate over the reference, less 1.
fn row(number: usize, check: &Check) -> Row {
    let room = if check.tolerance > 0.0 { check.tolerance } else { 1.0 };
    let at = (check.estimate - check.reference) / room;
    let (at, low, high) = match check.null {
        Null::Exact => (at, at, at),
        Null::Sharp { detectable, .. } => (at, at - detectable / room, at + detectable / room),
        Null::Limit { standard_error, dof } => {
            let reach = t_quantile(0.5 * check.level, dof) * standard_error / room;
            (at, at - reach, at + reach)
        }
        Null::Empirical { low, high } => {
            let size = check.reference.abs().max(f64::MIN_POSITIVE);
            let over = |x: f64| (x - check.reference) / size;
            (over(check.estimate), over(low), over(high))
        }
    };
    let colour = match check.verdict {
        Verdict::Holds | Verdict::Supported => 0,
        Verdict::Fails | Verdict::Refuted => 1,
        Verdict::Undecided => 5,
    };
    Row { number, at, low, high, colour }
}

/// As many checks as a picture shows: the tightest of a claim.
pub const SHOWN: usize = 24;

/// The checks with these numbers (from 1), one a line.
pub fn checks(title: &str, numbered: &[(usize, &Check)]) -> String {
    let rows: Vec<Row> = numbered.iter().map(|(number, check)| row(*number, check)).collect();
    let empirical = numbered.iter().any(|(_, check)| matches!(check.null, Null::Empirical { .. }));
    let reach = rows
        .iter()
        .flat_map(|row| [row.at.abs(), row.low.abs(), row.high.abs()])
        .filter(|x| x.is_finite())
        .fold(1.2, f64::max)
        // what lies farther out is drawn at the edge
        .min(if empirical { 3.0 } else { 8.0 });
    let lines = rows.len() as i32;
    let height = 60 + 22 * u32::try_from(rows.len()).unwrap_or(1);
    canvas(height, title, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .x_label_area_size(40)
            .y_label_area_size(40)
            .build_cartesian_2d(-reach..reach, (f64::from(lines) + 0.5)..0.5)?;
        let text = ("sans-serif", 15).into_font().color(&INK);
        let label = if empirical { "estimate over reference, less 1" } else { "(estimate - reference) / tolerance" };
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(INK)
            .label_style(text.clone())
            .x_desc(label)
            .x_label_formatter(&|x| number(*x))
            .draw()?;
        let top = 0.5;
        let bottom = f64::from(lines) + 0.5;
        if !empirical {
            chart.draw_series([Rectangle::new([(-1.0, top), (1.0, bottom)], TOLERANCE.mix(0.18).filled())])?;
        }
        chart.draw_series([PathElement::new([(0.0, top), (0.0, bottom)], INK)])?;
        let inside = |x: f64| if x.is_finite() { x.clamp(-reach, reach) } else { reach };
        for (line, row) in (1..).zip(&rows) {
            let (y, colour) = (f64::from(line), series(row.colour));
            let bar = [(inside(row.low), y), (inside(row.high), y)];
            chart.draw_series([PathElement::new(bar, colour.stroke_width(2))])?;
            chart.draw_series([Circle::new((inside(row.at), y), 4, colour.filled())])?;
            let (_, pixel) = chart.backend_coord(&(0.0, y));
            area.draw(&Text::new(row.number.to_string(), (18, pixel - 7), text.clone()))?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::check::Measured;
    use crate::claims::plot::Series;
    use crate::generators::Source;

    fn two_points(log: bool, y: [f64; 2]) -> Plot {
        let axis = |label: &str| Axis { label: label.into(), log };
        let points = vec![Point::measured(1.0, y[0], 0.1), Point::exact(10.0, y[1])];
        let of = |mark, name: &str| Series { name: name.into(), mark, points: points.clone() };
        Plot {
            title: "a \"title\" with <signs>".into(),
            x: axis("n"),
            y: axis("E & more"),
            series: vec![of(Mark::Line, "one"), of(Mark::Dots, "two"), of(Mark::Band, "three")],
        }
    }

    #[test]
    fn colours_are_the_pages_and_text_is_escaped() {
        for log in [false, true] {
            let svg = plot(&two_points(log, [2.0, 3.0]));
            assert!(
                svg.starts_with("<svg role=\"img\" aria-label=\"a &quot;title&quot; with &lt;signs&gt;\""),
                "{svg:.200}"
            );
            for variable in ["--ink", "--grid", "--series-0", "--series-1", "--series-2"] {
                assert!(svg.contains(variable), "{variable}");
            }
            assert!(!svg.contains("#0"), "a stand-in is left");
            assert!(svg.contains("E &amp; more"));
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_left_out_or_said() {
        assert!(plot(&two_points(false, [f64::NAN, 3.0])).contains("<svg"));
        assert!(plot(&two_points(true, [-1.0, 3.0])).contains("<svg"));
        let nothing = Plot { series: vec![], ..two_points(false, [1.0, 2.0]) };
        assert!(plot(&nothing).contains("not drawn"));
        let infinite = Check::decide(Measured::exact("x", f64::INFINITY, 0.0, 1), 1e-8, Source::Pcg32);
        assert!(checks("x", &[(1, &infinite)]).contains("<svg"));
    }
}
