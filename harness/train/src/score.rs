//! How good predictions are, in f64 and with std's functions: independent of the core, which the tests hold it against.

// The workspace forbids std's transcendentals for the core's sake; these numbers are for people.
#![allow(clippy::disallowed_methods)]

use serde::Serialize;

/// What is known of some predictions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// The mean of the loss that is trained: half the squared error of standardised numbers, summed over outputs; or
    /// cross-entropy in nats.
    pub loss: f64,
    /// For each number its root mean square error, in its own unit; or the accuracy.
    pub values: Vec<f64>,
}

/// What is scored.
#[derive(Debug, Clone, PartialEq)]
pub enum Scoring {
    /// Numbers; the standard deviation that one unit of each output stands for, with its name.
    Numbers(Vec<(String, f64)>),
    /// Classes.
    Classes,
}

impl Scoring {
    /// The names of [`Score::values`].
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Numbers(columns) => columns.iter().map(|(name, _)| format!("RMSE {name}")).collect(),
            Self::Classes => vec!["accuracy".to_owned()],
        }
    }

    /// Scores outputs against targets, both example after example of `dim` values.
    pub fn score(&self, outputs: &[f64], targets: &[f64], dim: usize) -> Score {
        let examples = (outputs.len() / dim.max(1)) as f64;
        let pairs = || outputs.chunks_exact(dim.max(1)).zip(targets.chunks_exact(dim.max(1)));
        match self {
            Self::Numbers(columns) => {
                let mut squares = vec![0.0; columns.len()];
                for (f, y) in pairs() {
                    for ((square, f), y) in squares.iter_mut().zip(f).zip(y) {
                        *square += (f - y) * (f - y);
                    }
                }
                let errors = squares.iter().zip(columns).map(|(square, (_, sd))| sd * (square / examples).sqrt());
                Score { loss: 0.5 * squares.iter().sum::<f64>() / examples, values: errors.collect() }
            }
            Self::Classes => {
                let (mut loss, mut right) = (0.0, 0.0);
                for (f, y) in pairs() {
                    loss += cross_entropy(f, y);
                    right += f64::from(u8::from(super::inference::class(f) == class(y)));
                }
                Score { loss: loss / examples, values: vec![right / examples] }
            }
        }
    }

    /// The loss of the prediction that knows no input: the mean of the training part's targets, for classes their
    /// shares.
    pub fn loss_of_mean(&self, training: &[f64], targets: &[f64], dim: usize) -> f64 {
        let dim = dim.max(1);
        let examples = training.len() as f64 / dim as f64;
        let means = (0..dim).map(|k| training.iter().skip(k).step_by(dim).sum::<f64>() / examples);
        let outputs: Vec<f64> = match self {
            Self::Numbers(_) => means.collect(),
            Self::Classes if dim == 1 => means.map(|p| (p / (1.0 - p)).ln()).collect(),
            Self::Classes => means.map(f64::ln).collect(),
        };
        let outputs: Vec<f64> = outputs.iter().copied().cycle().take(targets.len()).collect();
        self.score(&outputs, targets, dim).loss
    }
}

/// The class of a target.
fn class(y: &[f64]) -> usize {
    match y {
        [y] => usize::from(*y > 0.5),
        _ => super::inference::class(y),
    }
}

fn cross_entropy(f: &[f64], y: &[f64]) -> f64 {
    if let ([f], [y]) = (f, y) {
        return f.max(0.0) + (-f.abs()).exp().ln_1p() - y * f;
    }
    let largest = f.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
    let total: f64 = f.iter().map(|f| (f - largest).exp()).sum();
    largest + total.ln() - f.iter().zip(y).map(|(f, y)| f * y).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use birth_death::models::{Activation, Examples, Loss, Network, network};
    use birth_death::{Energy, Field, Rows, RowsMut};

    #[test]
    fn errors_and_accuracies_by_hand() {
        let numbers = Scoring::Numbers(vec![("a".into(), 2.0), ("b".into(), 1.0)]);
        let score = numbers.score(&[1.0, 0.0, 3.0, 2.0], &[0.0, 0.0, 3.0, 0.0], 2);
        assert_eq!(score, Score { loss: 0.5 * (0.5 + 2.0), values: vec![2.0 * 0.5f64.sqrt(), 2f64.sqrt()] });
        let score = Scoring::Classes.score(&[1.0, -1.0, 0.0, 3.0], &[1.0, 1.0, 0.0, 1.0], 1);
        assert_eq!(score.values, [0.75]);
        let score = Scoring::Classes.score(&[1.0, 2.0, 0.0, 1.0, 0.0, 0.0], &[0.0, 1.0, 0.0, 0.0, 1.0, 0.0], 3);
        assert_eq!(score.values, [0.5]);
    }

    #[test]
    fn the_mean_has_the_loss_of_the_spread_and_of_the_shares() {
        let numbers = Scoring::Numbers(vec![("a".into(), 2.0), ("b".into(), 1.0)]);
        // means 2 and 0: half of (1 + 4) and of (1 + 0), halved again as the mean of two examples
        let loss = numbers.loss_of_mean(&[1.0, 1.0, 3.0, -1.0], &[3.0, 2.0, 1.0, 0.0], 2);
        assert_eq!(loss, 0.5 * (1.0 + 4.0 + 1.0 + 0.0) / 2.0);
        // a quarter are of the second class; and shares of 1/2, 1/4, 1/4
        let two = Scoring::Classes.loss_of_mean(&[0.0, 1.0, 0.0, 0.0], &[1.0, 0.0], 1);
        assert!((two + 0.5 * (0.25f64.ln() + 0.75f64.ln())).abs() < 1e-14, "{two}");
        let training = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        let three = Scoring::Classes.loss_of_mean(&training, &[0.0, 0.0, 1.0], 3);
        assert!((three - 4f64.ln()).abs() < 1e-14, "{three}");
    }

    #[test]
    fn losses_are_the_cores() {
        for (loss, outputs, first, scoring) in [
            (Loss::Squared, 2, 2.0, Scoring::Numbers(vec![("a".into(), 1.0), ("b".into(), 1.0)])),
            (Loss::Logistic, 1, 2.0, Scoring::Classes),
            (Loss::Logistic, 1, -2.0, Scoring::Classes),
            (Loss::Logistic, 3, 2.0, Scoring::Classes),
        ] {
            let inputs = [0.3, -1.0, 2.0, 0.7];
            let targets: Vec<f64> = match outputs {
                1 => vec![0.0, 1.0, 1.0, 0.0],
                2 => vec![1.0, 2.0, -1.0, 0.5, 0.0, 0.0, 4.0, -4.0],
                _ => vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0],
            };
            let data = Examples::new(&inputs, 1, &targets, outputs).expect("examples");
            // one unit, whose activation is the input where that is above 0
            let unit: Vec<f64> = [first, -3.0, 0.5].into_iter().take(outputs).chain([1.0]).collect();
            let mut scratch = vec![0.0; network::scratch_len(outputs, 4)];
            let mut network = Network::new(Activation::Relu, loss, data, &mut scratch).expect("a network");
            let (mut v, mut g) = ([0.0], vec![0.0; outputs + 1]);
            let field = Field::new(&mut v, RowsMut::packed(&mut g, outputs + 1).expect("rows")).expect("a field");
            let at = Rows::packed(&unit, outputs + 1).expect("rows");
            let expected = network.evaluate(0, at, field).expect("a loss");
            let f: Vec<f64> = inputs.iter().flat_map(|x| unit[..outputs].iter().map(move |c| c * x.max(0.0))).collect();
            let found = scoring.score(&f, &targets, outputs).loss;
            assert!((found - expected).abs() < 1e-14 * (1.0 + expected), "{found} {expected}");
        }
    }
}
