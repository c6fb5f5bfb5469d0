//! Pictures as SVG that takes its colours from the page: ink, grid and series are CSS variables, so that light, dark
//! and print agree.

// The workspace forbids std's transcendentals for the core's sake; here they place ink.
#![allow(clippy::disallowed_methods)]

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::plot::{Mark, Plot, Point};
use crate::scale::Scale;
use birth_death_terminal::digits::number;

/// Colours that stand for a variable of the page: replaced in the finished SVG.
pub const INK: RGBColor = RGBColor(1, 1, 1);
pub const GRID: RGBColor = RGBColor(2, 2, 2);
pub const TOLERANCE: RGBColor = RGBColor(4, 4, 4);
/// `--series-0`, ...: the page has as many.
const SERIES: u8 = 8;

pub fn series(index: usize) -> RGBColor {
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

/// Draws on a fresh canvas and puts the page's variables in; a failure (there is none for finite data) becomes a note
/// in place of the picture.
pub fn canvas(height: u32, title: &str, paint: impl FnOnce(&Canvas) -> Result<(), Failed>) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::Series;

    fn two_points(log: bool, y: [f64; 2]) -> Plot {
        let axis = |label: &str| crate::plot::Axis { label: label.into(), log };
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
    }
}
