//! Pictures as SVG that takes its colours from the page: ink, grid and series are CSS variables, so that light, dark and print agree.

// The workspace forbids std's transcendentals for the core's sake; here they place ink.
#![allow(clippy::disallowed_methods)]

use plotters::coord::Shift;
use plotters::prelude::*;

use super::scale::Scale;
use super::table::number;
use crate::claims::check::{Check, Null};
use crate::claims::plot::{Mark, Plot, Point};
use crate::stats::tails::{normal_quantile, t_quantile};
use crate::stats::verdict::Verdict;

/// Colours that stand for a variable of the page: replaced in the finished SVG.
pub const INK: RGBColor = RGBColor(1, 1, 1);
pub const GRID: RGBColor = RGBColor(2, 2, 2);
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

/// Why something could not be drawn.
pub type Failed = Box<dyn std::error::Error>;
/// What is drawn on.
pub type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Width of every picture in its own units; the page scales it.
const WIDTH: u32 = 720;

/// Draws on a fresh canvas and puts the page's variables in; a failure (there is none for finite data) becomes a note in place
/// of the picture.
fn canvas(height: u32, title: &str, paint: impl FnOnce(&Canvas) -> Result<(), Failed>) -> String {
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

/// Text as it stands in an attribute.
pub fn escaped(text: &str) -> String {
    maud::Markup::from(maud::html! { (text) }).into_string().replace('"', "&quot;")
}

/// The page's name of the colour of series number `index` of a picture.
pub fn variable(index: usize) -> String {
    format!("var(--series-{})", index % usize::from(SERIES))
}

/// A picture of a claim's own. Its legend is the page's: it would cover the curves.
pub fn plot(plot: &Plot) -> String {
    let all: Vec<&Point> = plot.series.iter().flat_map(|series| &series.points).collect();
    let x = Scale::over(all.iter().map(|p| p.x), plot.x.log);
    let y = Scale::over(all.iter().flat_map(|p| [p.y, p.low, p.high]), plot.y.log);
    match (x, y) {
        (Some(x), Some(y)) => canvas(400, &plot.title, |area| chart(area, &page_frame(), plot, (&x, &y), page_look)),
        _ => "<p>not drawn: no point can be shown</p>".to_owned(),
    }
}

/// What a series is drawn with, in units of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Ink of its line, band and dots.
    pub colour: RGBColor,
    /// Width of its line and of the bars of its dots; a band of width 0 has no line.
    pub stroke: u32,
    /// How much its band covers, from 0 to 1.
    pub band: f64,
    /// The shape of its dots.
    pub dot: Dot,
    /// Half their width.
    pub radius: i32,
    /// How much they cover, from 0 to 1.
    pub cover: f64,
}

/// The shape of a dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dot {
    /// A full circle.
    Full,
    /// The outline of a circle.
    Ring,
    /// The outline of a square.
    Square,
    /// The outline of a triangle.
    Triangle,
}

/// How an axis writes its numbers.
pub type Numbers = fn(f64) -> String;

/// The frame of a chart, in units of the picture.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Empty space on all sides.
    pub margin: u32,
    /// Room below for the labels of the horizontal axis.
    pub below: u32,
    /// Room on the left for those of the vertical one.
    pub left: u32,
    /// The font of the labels, and its size as the plotting library counts.
    pub font: (&'static str, u32),
    /// Ticks at most: horizontal, vertical.
    pub ticks: (usize, usize),
    /// Length of a tick.
    pub tick: i32,
    /// The axes.
    pub axis: ShapeStyle,
    /// The grid.
    pub grid: ShapeStyle,
    /// How a number is written at a tick: horizontal, vertical.
    pub numbers: (Numbers, Numbers),
}

/// The frame of the pictures of a page.
fn page_frame() -> Frame {
    Frame {
        margin: 8,
        below: 42,
        left: 70,
        font: ("sans-serif", 15),
        ticks: (11, 11),
        tick: 5,
        axis: INK.into(),
        grid: GRID.into(),
        numbers: (number, number),
    }
}

fn page_look(index: usize) -> Look {
    Look { colour: series(index), stroke: 2, band: 0.25, dot: Dot::Full, radius: 4, cover: 1.0 }
}

/// Axes, and the series of a plot, each with its look.
///
/// # Errors
/// The plotting library's; there are none for finite data.
pub fn chart(
    area: &Canvas,
    frame: &Frame,
    plot: &Plot,
    (x, y): (&Scale, &Scale),
    look: impl Fn(usize) -> Look,
) -> Result<(), Failed> {
    let mut chart = ChartBuilder::on(area)
        .margin(frame.margin)
        .x_label_area_size(frame.below)
        .y_label_area_size(frame.left)
        .build_cartesian_2d(x.clone(), y.clone())?;
    let text = frame.font.into_font().color(&INK);
    chart
        .configure_mesh()
        .x_labels(frame.ticks.0)
        .y_labels(frame.ticks.1)
        .set_all_tick_mark_size(frame.tick)
        .bold_line_style(frame.grid)
        .light_line_style(TRANSPARENT)
        .axis_style(frame.axis)
        .label_style(text.clone())
        .x_desc(plot.x.label.as_str())
        .y_desc(plot.y.label.as_str())
        .x_label_formatter(&|x| (frame.numbers.0)(*x))
        .y_label_formatter(&|y| (frame.numbers.1)(*y))
        .draw()?;
    for (index, of) in plot.series.iter().enumerate() {
        let look = look(index);
        let colour = look.colour;
        let points: Vec<&Point> = of.points.iter().filter(|p| x.shows(p.x) && y.shows(p.y)).collect();
        let line = LineSeries::new(points.iter().map(|p| (p.x, p.y)), colour.stroke_width(look.stroke));
        match of.mark {
            Mark::Line => {
                chart.draw_series(line)?;
            }
            Mark::Band => {
                let edge = points
                    .iter()
                    .map(|p| (p.x, y.inside(p.high)))
                    .chain(points.iter().rev().map(|p| (p.x, y.inside(p.low))));
                chart.draw_series([Polygon::new(edge.collect::<Vec<_>>(), colour.mix(look.band))])?;
                if look.stroke > 0 {
                    chart.draw_series(line)?;
                }
            }
            Mark::Dots => {
                let bars = points.iter().filter(|p| p.high > p.low);
                chart.draw_series(bars.map(|p| {
                    PathElement::new(
                        [(p.x, y.inside(p.low)), (p.x, y.inside(p.high))],
                        colour.stroke_width(look.stroke),
                    )
                }))?;
                for p in points {
                    dot(area, chart.backend_coord(&(p.x, p.y)), &look)?;
                }
            }
        }
    }
    Ok(())
}

/// One dot, at a place on the whole picture.
///
/// # Errors
/// The plotting library's.
pub fn dot(area: &Canvas, at: (i32, i32), look: &Look) -> Result<(), Failed> {
    // from the corner of the picture to that of the area
    let (left, top) = area.get_base_pixel();
    let (x, y) = (at.0 - left, at.1 - top);
    let outline = look.colour.stroke_width(look.stroke);
    let r = look.radius;
    let path = |corners: &[(i32, i32)]| {
        // closed in the middle of a side, so that every corner is joined
        let first = (corners[0].0 + corners[1].0) / 2;
        let closed = [(first, corners[0].1)].into_iter().chain(corners[1..].iter().copied());
        let closed = closed.chain([corners[0], (first, corners[0].1)]);
        PathElement::new(closed.map(|(dx, dy)| (x + dx, y + dy)).collect::<Vec<_>>(), outline)
    };
    match look.dot {
        Dot::Full => area.draw(&Circle::new((x, y), r, look.colour.mix(look.cover).filled()))?,
        Dot::Ring => area.draw(&Circle::new((x, y), r, outline))?,
        Dot::Square => area.draw(&path(&[(-r, -r), (r, -r), (r, r), (-r, r)]))?,
        Dot::Triangle => area.draw(&path(&[(-r, r * 4 / 5), (r, r * 4 / 5), (0, -r)]))?,
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
/// level. Of a sharp check the normal quantile of p over that of the level, so that beyond the band it fails. Of an empirical
/// check the estimate over the reference, less 1.
fn row(number: usize, check: &Check) -> Row {
    let room = if check.tolerance > 0.0 { check.tolerance } else { 1.0 };
    let at = (check.estimate - check.reference) / room;
    let (at, low, high) = match check.null {
        Null::Exact => (at, at, at),
        Null::Sharp { p, .. } => {
            let sign = if at < 0.0 { -1.0 } else { 1.0 };
            let at = if p < 1.0 { sign * normal_quantile(0.5 * p) / normal_quantile(0.5 * check.level) } else { 0.0 };
            (at, at, at)
        }
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
        let label = if empirical { "estimate over reference, less 1" } else { "deviation over what is allowed" };
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
        // an end at minus infinity is at the left edge
        let inside = |x: f64| if x.is_nan() { reach } else { x.clamp(-reach, reach) };
        for (line, row) in (1..).zip(&rows) {
            let (y, colour) = (f64::from(line), series(row.colour));
            let bar = [(inside(row.low), y), (inside(row.high), y)];
            chart.draw_series([PathElement::new(bar, colour.stroke_width(2))])?;
            let beyond = inside(row.at) != row.at;
            let style = if beyond { colour.stroke_width(2) } else { colour.filled() };
            chart.draw_series([Circle::new((inside(row.at), y), 4, style)])?;
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
        let axis = |label: &str| crate::claims::plot::Axis { label: label.into(), log };
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
