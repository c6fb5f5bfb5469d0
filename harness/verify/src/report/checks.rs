//! The picture of a claim's checks: a line a check, the tolerance as a band.

// The workspace forbids std's transcendentals for the core's sake; here they place ink.
#![allow(clippy::disallowed_methods)]

use birth_death_charts::draw::{GRID, INK, TOLERANCE, canvas, series};
use birth_death_stats::tails::{normal_quantile, t_quantile};
use birth_death_stats::verdict::Verdict;
use birth_death_terminal::digits::number;
use plotters::prelude::*;

use crate::claims::check::{Check, Null};

/// One line of the picture of checks: its number in the table, the estimate and its interval in units of the room.
struct Row {
    number: usize,
    at: f64,
    low: f64,
    high: f64,
    colour: usize,
}

/// The estimate less the reference over the tolerance, so that the tolerance is the band from -1 to 1; its bar is the
/// interval at the check's level. Of a sharp check the normal quantile of p over that of the level, so that beyond the
/// band it fails. Of an empirical check the estimate over the reference, less 1.
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
    use crate::generators::Source;

    #[test]
    fn an_infinite_estimate_is_drawn_at_the_edge() {
        let infinite = Check::decide(Measured::exact("x", f64::INFINITY, 0.0, 1), 1e-8, Source::Pcg32);
        assert!(checks("x", &[(1, &infinite)]).contains("<svg"));
    }
}
