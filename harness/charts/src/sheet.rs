//! A picture for one column of print, as SVG: title, notes and legend above its panels, on white, text as text.
//!
//! Sizes are in dots of 1/600 inch, so that the coordinates, which the plotting library rounds to whole numbers, are
//! finer than print.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::draw::{self, Canvas, Dot, Failed, Frame, Look, Numbers};
use crate::plot::{Axis, Mark, Plot, Series};
use crate::scale::Scale;

/// Dots an inch.
pub const PER_INCH: u32 = 600;
/// 3.35 inches, 85 mm: a column of most journals.
pub const WIDTH: u32 = 2010;

/// Where the first is not installed, Verdana is as wide.
const FONT: &str = "DejaVu Sans, Verdana, sans-serif";
/// Sizes of text: 8, 6.5 and 6 points, as the plotting library counts (1.24 times the size that it writes).
const TITLE: u32 = 83;
const TEXT: u32 = 67;
const SMALL: u32 = 62;
/// From one line of such text to the next.
const TITLE_LINE: u32 = 100;
const LINE: u32 = 78;

const MARGIN: u32 = 24;
/// Room for the labels of an axis, without and with a description.
const TICKS_BELOW: u32 = 84;
const BELOW: u32 = 160;
const LEFT: u32 = 284;
const LEGEND_LINE: u32 = 96;
/// Entries of the legend in a line, at most.
const LEGEND_COLUMNS: usize = 3;
const SAMPLE: i32 = 190;

const INK: &str = "#000000";
const GRID: &str = "#DDDDDD";

/// A picture.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// What it shows, in at most 45 letters.
    pub title: String,
    /// Lines in small print, of at most 62 letters.
    pub notes: Vec<String>,
    /// From above to below, on the same horizontal scale.
    pub panels: Vec<Panel>,
    /// Whether they have the same vertical scale too.
    pub same_height: bool,
}

/// One pair of axes.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What is written above it; nothing if empty.
    pub caption: String,
    /// The horizontal axis, described below the last panel only.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// In dots, with the numbers at its axes, without the description of the horizontal one.
    pub height: u32,
    /// Drawn in this order. Those of one name have one entry in the legend; those without a name have none.
    pub curves: Vec<Curve>,
}

/// A series and its ink.
#[derive(Clone, Debug)]
pub struct Curve {
    /// What is drawn.
    pub series: Series,
    /// How.
    pub look: Look,
    /// Lengths of dashes and gaps in dots; none for a full line.
    pub dash: &'static [u32],
}

impl Sheet {
    /// Its height in dots.
    pub fn height(&self) -> u32 {
        let panels: u32 = self.panels.iter().map(|panel| panel.height + panel.above()).sum();
        MARGIN + self.head() + panels + BELOW - TICKS_BELOW
    }

    /// The picture.
    ///
    /// # Errors
    /// The plotting library's, and if a panel has no point that can be shown.
    pub fn svg(&self) -> Result<String, Failed> {
        let mut svg = String::new();
        let inks = self.inks();
        {
            let area = SVGBackend::with_string(&mut svg, (WIDTH, self.height())).into_drawing_area();
            self.paint(&area, &inks)?;
            area.present()?;
        }
        for (stand_in, ink) in (FIRST..).zip(&inks) {
            svg = ink.put_in(&svg, stand_in);
        }
        svg = svg.replace("\"#010101\"", &format!("\"{INK}\"")).replace("\"#020202\"", &format!("\"{GRID}\""));
        let inches = |dots: u32| f64::from(dots) / f64::from(PER_INCH);
        let old = format!("<svg width=\"{WIDTH}\" height=\"{}\"", self.height());
        let title = draw::escaped(&self.title);
        let new = format!(
            "<svg role=\"img\" aria-label=\"{title}\" stroke-linejoin=\"round\" width=\"{}in\" height=\"{}in\"",
            inches(WIDTH),
            inches(self.height())
        );
        Ok(svg.replacen(&old, &new, 1))
    }

    fn curves(&self) -> impl Iterator<Item = &Curve> {
        self.panels.iter().flat_map(|panel| &panel.curves)
    }

    fn inks(&self) -> Vec<Ink> {
        let mut inks = Vec::new();
        for ink in self.curves().map(Ink::of) {
            if !inks.contains(&ink) {
                inks.push(ink);
            }
        }
        inks
    }

    /// Names in order, each with all that goes by it.
    fn legend(&self) -> Vec<(&str, Vec<&Curve>)> {
        let mut legend: Vec<(&str, Vec<&Curve>)> = Vec::new();
        for curve in self.curves().filter(|curve| !curve.series.name.is_empty()) {
            match legend.iter_mut().find(|(name, _)| *name == curve.series.name) {
                // the same thing in another panel is the same entry
                Some((_, all)) if all.iter().any(|other| other.series.mark == curve.series.mark) => {}
                Some((_, all)) => all.push(curve),
                None => legend.push((&curve.series.name, vec![curve])),
            }
        }
        legend
    }

    /// As many as make no line of one entry.
    fn columns(&self) -> usize {
        let entries = self.legend().len();
        if entries % LEGEND_COLUMNS == 1 { LEGEND_COLUMNS - 1 } else { LEGEND_COLUMNS }
    }

    /// Room for what stands above the panels.
    fn head(&self) -> u32 {
        let lines = |count: usize, each: u32| u32::try_from(count).unwrap_or(0) * each;
        TITLE_LINE + lines(self.notes.len(), LINE) + lines(self.legend().len().div_ceil(self.columns()), LEGEND_LINE)
    }

    fn paint(&self, area: &Canvas, inks: &[Ink]) -> Result<(), Failed> {
        area.fill(&WHITE)?;
        let (head, mut rest) = area.split_vertically(MARGIN + self.head());
        self.paint_head(&head, inks)?;
        let xs = || self.curves().flat_map(|curve| curve.series.points.iter().map(|p| p.x));
        let x = Scale::over(xs(), self.panels.first().is_some_and(|panel| panel.x.log)).ok_or(NOTHING)?;
        for (index, panel) in self.panels.iter().enumerate() {
            let last = index + 1 == self.panels.len();
            let (place, below) =
                if last { (rest.clone(), rest.clone()) } else { rest.split_vertically(panel.height + panel.above()) };
            let shown: Vec<&Curve> =
                if self.same_height { self.curves().collect() } else { panel.curves.iter().collect() };
            let ys = shown.iter().flat_map(|curve| &curve.series.points).flat_map(|p| [p.y, p.low, p.high]);
            let y = Scale::over(ys, panel.y.log).ok_or(NOTHING)?;
            panel.paint(&place, (&x, &y), last, inks)?;
            rest = below;
        }
        Ok(())
    }

    fn paint_head(&self, area: &Canvas, inks: &[Ink]) -> Result<(), Failed> {
        let mut y = MARGIN;
        area.draw(&Text::new(self.title.clone(), (middle(), place(y)), text(TITLE).pos(ABOVE)))?;
        y += TITLE_LINE;
        for note in &self.notes {
            area.draw(&Text::new(note.clone(), (middle(), place(y)), text(SMALL).pos(ABOVE)))?;
            y += LINE;
        }
        let columns = i32::try_from(self.columns())?;
        let column = place(WIDTH - 2 * MARGIN) / columns;
        for (index, (name, curves)) in (0i32..).zip(self.legend()) {
            let x = place(MARGIN) + (index % columns) * column;
            let y = place(y) + (index / columns) * place(LEGEND_LINE) + place(LEGEND_LINE) / 2;
            for curve in curves {
                curve.sample(area, (x, y), inks)?;
            }
            let side = Pos::new(HPos::Left, VPos::Center);
            area.draw(&Text::new(name.to_owned(), (x + SAMPLE + 24, y), text(TEXT).pos(side)))?;
        }
        Ok(())
    }
}

const NOTHING: &str = "no point can be shown";
const ABOVE: Pos = Pos { h_pos: HPos::Center, v_pos: VPos::Top };

fn text(size: u32) -> TextStyle<'static> {
    (FONT, size).into_font().color(&draw::INK)
}

/// A length as a coordinate: sheets are small.
fn place(dots: u32) -> i32 {
    i32::try_from(dots).unwrap_or(i32::MAX)
}

fn middle() -> i32 {
    place(WIDTH / 2)
}

impl Panel {
    fn above(&self) -> u32 {
        if self.caption.is_empty() { 0 } else { LINE }
    }

    fn paint(&self, area: &Canvas, scales: (&Scale, &Scale), last: bool, inks: &[Ink]) -> Result<(), Failed> {
        let (caption, area) = area.split_vertically(self.above());
        if !self.caption.is_empty() {
            let centre = middle() + place(LEFT - MARGIN) / 2;
            caption.draw(&Text::new(self.caption.clone(), (centre, 8), text(TEXT).pos(ABOVE)))?;
        }
        let frame = Frame {
            margin: MARGIN,
            below: if last { BELOW } else { TICKS_BELOW },
            left: LEFT,
            font: (FONT, TEXT),
            ticks: (8, 6),
            tick: 16,
            axis: draw::INK.stroke_width(5),
            grid: draw::GRID.stroke_width(4),
            numbers: (numbers(self.x.log), numbers(self.y.log)),
        };
        let label = if last { self.x.label.clone() } else { String::new() };
        let plot = Plot {
            title: self.caption.clone(),
            x: Axis { label, ..self.x.clone() },
            y: self.y.clone(),
            series: self.curves.iter().map(|curve| curve.series.clone()).collect(),
        };
        draw::chart(&area, &frame, &plot, scales, |index| self.curves[index].stand_in(inks))
    }
}

impl Curve {
    /// Its look in the colour that stands for its ink.
    fn stand_in(&self, inks: &[Ink]) -> Look {
        let number = inks.iter().position(|ink| *ink == Ink::of(self)).unwrap_or(0);
        let grey = FIRST.saturating_add(u8::try_from(number).unwrap_or(u8::MAX));
        Look { colour: RGBColor(grey, grey, grey), ..self.look }
    }

    /// A piece of it, from `(x, y)` to the right.
    fn sample(&self, area: &Canvas, (x, y): (i32, i32), inks: &[Ink]) -> Result<(), Failed> {
        let look = self.stand_in(inks);
        let line = PathElement::new([(x, y), (x + SAMPLE, y)], look.colour.stroke_width(look.stroke));
        match self.series.mark {
            Mark::Line => area.draw(&line)?,
            Mark::Band => {
                let corners = [(x, y - 28), (x + SAMPLE, y + 28)];
                area.draw(&Rectangle::new(corners, look.colour.mix(look.band).filled()))?;
                if look.stroke > 0 {
                    area.draw(&line)?;
                }
            }
            Mark::Dots => draw::dot(area, (x + SAMPLE / 2, y), &look)?,
        }
        Ok(())
    }
}

/// The grey that stands for the first ink; black and near it are the chart's own.
const FIRST: u8 = 10;

/// What SVG is told of a line beside its width.
#[derive(Clone, Debug, PartialEq)]
struct Ink {
    colour: RGBColor,
    dash: &'static [u32],
}

impl Ink {
    fn of(curve: &Curve) -> Self {
        Self { colour: curve.look.colour, dash: curve.dash }
    }

    fn put_in(&self, svg: &str, stand_in: u8) -> String {
        let RGBColor(r, g, b) = self.colour;
        let (old, new) = (format!("#{stand_in:02X}{stand_in:02X}{stand_in:02X}"), format!("#{r:02X}{g:02X}{b:02X}"));
        let dash = self.dash.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
        let dash = if dash.is_empty() { dash } else { format!(" stroke-dasharray=\"{dash}\"") };
        svg.replace(&format!("stroke=\"{old}\""), &format!("stroke=\"{new}\"{dash}"))
            .replace(&format!("fill=\"{old}\""), &format!("fill=\"{new}\""))
    }
}

/// How an axis writes its numbers.
fn numbers(log: bool) -> Numbers {
    if log { |x| tick(x, 1) } else { |x| tick(x, 3) }
}

/// A number at a tick, with a real minus sign: as a power of ten from so many zeros on.
fn tick(x: f64, zeros: i32) -> String {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    if x == 0.0 {
        return "0".to_owned();
    }
    // three digits, so that neighbours with a step of 1, 2 or 5 differ
    let scientific = format!("{x:.2e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    let plain = (1 - zeros..zeros.max(1)).contains(&exponent.parse::<i32>().unwrap_or(0));
    if plain {
        let text = format!("{x:.4}");
        return text.trim_end_matches('0').trim_end_matches('.').replace('-', "−");
    }
    let raised = exponent.chars().map(|c| c.to_digit(10).map_or('⁻', |digit| RAISED[digit as usize]));
    let power = format!("10{}", raised.collect::<String>());
    match digits {
        "1" => power,
        "-1" => format!("−{power}"),
        _ => format!("{}·{power}", digits.replace('-', "−")),
    }
}

/// A look for lines and bands of one dynamics.
pub const fn line(colour: RGBColor, stroke: u32) -> Look {
    Look { colour, stroke, band: 0.22, dot: Dot::Full, radius: 9, cover: 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::Point;

    fn curve(name: &str, mark: Mark, colour: RGBColor, dash: &'static [u32]) -> Curve {
        let points = vec![Point::measured(0.0, 1.0, 0.2), Point::exact(1.0, 3.0)];
        Curve { series: Series { name: name.into(), mark, points }, look: line(colour, 10), dash }
    }

    fn sheet() -> Sheet {
        let (red, blue) = (RGBColor(200, 0, 0), RGBColor(0, 0, 200));
        let panel = |curves| Panel {
            caption: String::new(),
            x: Axis::linear("t & more"),
            y: Axis::linear("E"),
            height: 600,
            curves,
        };
        let one = vec![curve("one", Mark::Band, red, &[]), curve("two", Mark::Line, red, &[30, 15])];
        let two = vec![curve("one", Mark::Band, red, &[]), curve("one", Mark::Dots, blue, &[])];
        Sheet {
            title: "a <title>".into(),
            notes: vec!["note".into()],
            panels: vec![panel(one), panel(two)],
            same_height: false,
        }
    }

    #[test]
    fn inks_and_dashes_take_the_place_of_what_stands_for_them() {
        let svg = sheet().svg().expect("drawn");
        assert!(svg.starts_with("<svg role=\"img\" aria-label=\"a &lt;title&gt;\""), "{svg:.200}");
        assert!(svg.contains(&format!("width=\"3.35in\" height=\"{}in\"", f64::from(sheet().height()) / 600.0)));
        assert!(!svg.contains("#0A0A0A") && !svg.contains("#010101") && !svg.contains("#020202"));
        // the line of the second, in the chart and in the legend
        assert_eq!(svg.matches("stroke=\"#C80000\" stroke-dasharray=\"30 15\"").count(), 2);
        assert!(svg.contains("stroke=\"#C80000\" stroke-width") && svg.contains("fill=\"#0000C8\""));
        // the last panel only has a description of the horizontal axis
        assert_eq!((svg.matches("t &amp; more").count(), svg.matches(">\nE\n").count()), (1, 2));
    }

    #[test]
    fn a_name_is_in_the_legend_once_with_all_its_marks() {
        let sheet = sheet();
        let legend = sheet.legend();
        let marks = |of: &[&Curve]| of.iter().map(|curve| curve.series.mark).collect::<Vec<_>>();
        assert_eq!(legend.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(marks(&legend[0].1), [Mark::Band, Mark::Dots]);
        assert_eq!(marks(&legend[1].1), [Mark::Line]);
        // a line of the legend more is a line of the sheet more
        let mut more = sheet.clone();
        for name in ["three", "four"] {
            more.panels[0].curves.push(curve(name, Mark::Line, RGBColor(0, 0, 200), &[]));
        }
        assert_eq!(more.height(), sheet.height() + LEGEND_LINE);
    }

    #[test]
    fn nothing_to_show_is_an_error() {
        let mut empty = sheet();
        for curve in empty.panels.iter_mut().flat_map(|panel| &mut panel.curves) {
            curve.series.points.clear();
        }
        assert_eq!(empty.svg().expect_err("nothing").to_string(), NOTHING);
    }

    #[test]
    fn the_longest_ticks_leave_room_for_the_description() {
        let mut log = sheet();
        log.panels.truncate(1);
        log.panels[0].curves.truncate(1);
        log.panels[0].y = Axis::log("E");
        log.panels[0].curves[0].series.points = vec![Point::exact(0.0, 4e-3), Point::exact(1.0, 0.09)];
        let svg = log.svg().expect("drawn");
        let ticks: Vec<(f64, usize)> = svg
            .split("<text x=\"")
            .filter(|text| text.contains("text-anchor=\"end\""))
            .map(|text| {
                let end = text.split('"').next().and_then(|x| x.parse().ok());
                (end.expect("a place"), text.lines().nth(1).expect("a number").chars().count())
            })
            .collect();
        assert_eq!(ticks.iter().map(|(_, letters)| *letters).max(), Some(6), "5·10⁻³");
        // letters are 0.55 of their height wide in the mean, and the description is as wide as its letters are high
        let height = f64::from(TEXT) / 1.24;
        for (end, letters) in ticks {
            assert!(
                end - 0.55 * height * letters as f64 > f64::from(MARGIN) + height,
                "{letters} letters before {end}"
            );
        }
    }

    #[test]
    fn ticks_are_short() {
        let linear =
            [0.0, 10.0, -0.02, 0.30000000000000004, 250.0, 5e-4, -1e-5, 2e4, 1.5e-12, 0.05].map(numbers(false));
        assert_eq!(linear, ["0", "10", "−0.02", "0.3", "250", "5·10⁻⁴", "−10⁻⁵", "2·10⁴", "1.5·10⁻¹²", "0.05"]);
        let logarithmic = [0.01, 0.2, 1.0, 5.0, 10.0].map(numbers(true));
        assert_eq!(logarithmic, ["10⁻²", "2·10⁻¹", "1", "5", "10¹"]);
    }
}
