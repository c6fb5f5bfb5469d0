//! `losses.svg`: training and validation loss over the steps.

use birth_death_charts::RGBColor;
use birth_death_charts::draw::{Dot, Look, escaped};
use birth_death_charts::plot::{Axis, Mark, Point, Series};
use birth_death_charts::sheet::{Curve, Panel, Sheet, line};

use super::fit::Evaluation;

/// Two colours that all kinds of colour vision tell apart (Okabe and Ito); the second line is dashed too.
const TRAINING: RGBColor = RGBColor(0, 114, 178);
const VALIDATION: RGBColor = RGBColor(213, 94, 0);
const KEPT: RGBColor = RGBColor(0, 0, 0);
/// In dots of the sheet.
const HEIGHT: u32 = 1000;
const DASH: &[u32] = &[40, 24];
/// Letters of a note that a sheet has room for.
const LETTERS: usize = 62;

/// The picture for a configuration of this name; of losses that cannot be drawn (there are none for finite data) one
/// that says why.
pub fn losses(file: &str, unit: &str, evaluations: &[Evaluation], kept: usize) -> String {
    let of = |loss: &dyn Fn(&Evaluation) -> Option<f64>| -> Vec<Point> {
        evaluations.iter().filter_map(|at| loss(at).map(|loss| Point::exact(at.step as f64, loss))).collect()
    };
    let (training, validation) = (of(&|at| Some(at.training)), of(&|at| at.validation));
    let positive = training.iter().chain(&validation).all(|point| point.y > 0.0);
    let chosen_by = if validation.is_empty() { &training } else { &validation };
    let chosen = chosen_by.get(kept).copied().into_iter().collect();
    let curve =
        |name: &str, mark, points, look, dash| Curve { series: Series { name: name.into(), mark, points }, look, dash };
    let ring = Look { dot: Dot::Ring, radius: 18, ..line(KEPT, 8) };
    let all = [
        curve("training", Mark::Line, training, line(TRAINING, 10), &[]),
        curve("validation", Mark::Line, validation, line(VALIDATION, 10), DASH),
        curve("the model kept", Mark::Dots, chosen, ring, &[]),
    ];
    let sheet = Sheet {
        title: "Losses of a training".into(),
        notes: vec![file.chars().take(LETTERS).collect()],
        panels: vec![Panel {
            caption: String::new(),
            x: Axis::linear("step"),
            y: Axis { label: format!("loss, {unit}"), log: positive },
            height: HEIGHT,
            curves: all.into_iter().filter(|curve| !curve.series.points.is_empty()).collect(),
        }],
        same_height: false,
    };
    sheet.svg().unwrap_or_else(|error| {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\" height=\"60\"><text x=\"10\" y=\"35\">not drawn: \
                {}</text></svg>\n",
            escaped(&error.to_string())
        )
    })
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
        let svg = losses("a \"name\" <1>", "nats", &evaluations(&[3.0, 1.0, 0.5]), 2);
        for part in ["&lt;1&gt;", "step", "loss, nats", "training", "validation", "the model kept"] {
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
