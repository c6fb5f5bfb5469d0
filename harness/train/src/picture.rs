//! `losses.svg`: training and validation loss over the steps.

use plotters::element::DashedPathElement;
use plotters::prelude::*;

use super::fit::Evaluation;
use birth_death_charts::scale::Scale;
use birth_death_terminal::digits::number;

/// Two colours that all kinds of colour vision tell apart (Okabe and Ito); the second line is dashed too.
const TRAINING: RGBColor = RGBColor(0, 114, 178);
const VALIDATION: RGBColor = RGBColor(213, 94, 0);
const GRID: RGBColor = RGBColor(221, 221, 221);
const SIZE: (u32, u32) = (720, 440);

type Failed = Box<dyn std::error::Error>;

/// The picture; of losses that cannot be drawn (there are none for finite data) one that says why.
pub fn losses(title: &str, unit: &str, evaluations: &[Evaluation], kept: usize) -> String {
    let mut svg = String::new();
    let drawn = draw(&mut svg, title, unit, evaluations, kept);
    match drawn {
        Ok(()) => svg.replacen(
            "<svg ",
            &format!("<svg role=\"img\" aria-label=\"{}\" ", birth_death_charts::draw::escaped(title)),
            1,
        ),
        Err(error) => format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\" height=\"60\"><text x=\"10\" y=\"35\">not drawn: \
                {}</text></svg>\n",
            birth_death_charts::draw::escaped(&error.to_string())
        ),
    }
}
fn draw(svg: &mut String, title: &str, unit: &str, evaluations: &[Evaluation], kept: usize) -> Result<(), Failed> {
    let training: Vec<(f64, f64)> = evaluations.iter().map(|e| (e.step as f64, e.training)).collect();
    let validation: Vec<(f64, f64)> =
        evaluations.iter().filter_map(|e| e.validation.map(|loss| (e.step as f64, loss))).collect();
    let positive = training.iter().chain(&validation).all(|(_, loss)| *loss > 0.0);
    let x = Scale::over(training.iter().map(|(step, _)| *step), false).ok_or("no step")?;
    let y = Scale::over(training.iter().chain(&validation).map(|(_, loss)| *loss), positive).ok_or("no finite loss")?;
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(10)
        .caption(title, ("sans-serif", 18))
        .x_label_area_size(44)
        .y_label_area_size(72)
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .label_style(("sans-serif", 15))
        .x_desc("step")
        .y_desc(format!("loss, {unit}"))
        .x_label_formatter(&|x| number(*x))
        .y_label_formatter(&|y| number(*y))
        .draw()?;
    let shown = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
        points.iter().copied().filter(|&(step, loss)| x.shows(step) && y.shows(loss)).collect()
    };
    chart
        .draw_series(LineSeries::new(shown(&training), TRAINING.stroke_width(2)))?
        .label("training")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 24, y)], TRAINING.stroke_width(2)));
    let marked = if validation.is_empty() {
        training.get(kept).copied()
    } else {
        chart
            .draw_series(DashedLineSeries::new(shown(&validation), 7, 4, VALIDATION.stroke_width(2)))?
            .label("validation")
            .legend(|(x, y)| DashedPathElement::new([(x, y), (x + 24, y)], 7, 4, VALIDATION.stroke_width(2)));
        validation.get(kept).copied()
    };
    if let Some(point) = marked.filter(|&(step, loss)| x.shows(step) && y.shows(loss)) {
        chart
            .draw_series([Circle::new(point, 5, BLACK.stroke_width(2))])?
            .label("the model kept")
            .legend(|(x, y)| Circle::new((x + 12, y), 5, BLACK.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .border_style(GRID)
        .label_font(("sans-serif", 15))
        .draw()?;
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluations(losses: &[f64]) -> Vec<Evaluation> {
        (0..)
            .zip(losses)
            .map(|(step, &loss)| Evaluation {
                step,
                time: 0.0,
                training: loss,
                validation: Some(2.0 * loss),
                births: 0,
                deaths: 0,
                distinct: 1,
            })
            .collect()
    }

    #[test]
    fn the_picture_is_labelled() {
        let svg = losses("a \"title\" <1>", "nats", &evaluations(&[3.0, 1.0, 0.5]), 2);
        for part in [
            "aria-label=\"a &quot;title&quot; &lt;1&gt;\"",
            "step",
            "loss, nats",
            "training",
            "validation",
            "the model kept",
        ] {
            assert!(svg.contains(part), "{part}");
        }
        assert!(svg.contains("#0072B2") && svg.contains("#D55E00"));
    }

    #[test]
    fn any_losses_give_a_picture() {
        for of in [&[0.0][..], &[1.0, f64::INFINITY], &[f64::NAN], &[]] {
            assert!(losses("x", "nats", &evaluations(of), 0).starts_with("<svg"));
        }
    }
}
