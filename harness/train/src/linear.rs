//! Linear models on the same data: least squares, and logistic regression by Newton's method. In f64.

// The workspace forbids std's transcendentals for the core's sake; nothing here is part of its bit contract.
#![allow(clippy::disallowed_methods)]

use nalgebra::{DMatrix, DVector};

use super::score::{Score, Scoring};

/// Added to the diagonal of the Hessian of the mean cross-entropy: what is separable has a finite solution, at a cost
/// in the loss below `RIDGE / 2` times the squared length of the weights.
const RIDGE: f64 = 1e-6;
/// Newton's steps at most; it converges in some ten.
const STEPS: usize = 100;
/// Newton's method stops when its step would lower the loss by less.
const DECREMENT: f64 = 1e-12;
/// Most weights: the Hessian has their number squared.
pub const MAX_WEIGHTS: usize = 2000;

/// Examples as rows of f64.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// Inputs, example after example.
    pub inputs: Vec<f64>,
    /// Values of an input, with the 1 that gives the constant.
    pub input_dim: usize,
    /// Targets, example after example.
    pub targets: Vec<f64>,
    /// Values of a target.
    pub outputs: usize,
}

/// A linear map from an input to each output.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// `input_dim` rows, a column an output.
    weights: DMatrix<f64>,
}

impl Linear {
    /// The model of least loss on the examples; of several the shortest, or nearly so. None if the numbers do not allow
    /// one.
    pub fn fit(data: &Rows, scoring: &Scoring) -> Option<Self> {
        let examples = data.targets.len() / data.outputs;
        let x = DMatrix::from_row_slice(examples, data.input_dim, &data.inputs);
        let y = DMatrix::from_row_slice(examples, data.outputs, &data.targets);
        let weights = match scoring {
            Scoring::Numbers(_) => least_squares(x, &y)?,
            Scoring::Classes => newton(&x, &y)?,
        };
        Some(Self { weights })
    }

    /// How good it is on other examples.
    pub fn score(&self, data: &Rows, scoring: &Scoring) -> Score {
        let examples = data.targets.len() / data.outputs;
        let x = DMatrix::from_row_slice(examples, data.input_dim, &data.inputs);
        let outputs = (x * &self.weights).transpose();
        scoring.score(outputs.as_slice(), &data.targets, data.outputs)
    }
}

/// By singular values; those below rounding are taken as zero.
fn least_squares(x: DMatrix<f64>, y: &DMatrix<f64>) -> Option<DMatrix<f64>> {
    let size = x.nrows().max(x.ncols()) as f64;
    let parts = x.svd(true, true);
    let floor = parts.singular_values.iter().fold(0.0f64, |a, &b| a.max(b)) * size * f64::EPSILON;
    parts.solve(y, floor).ok()
}

/// The mean cross-entropy and half the ridge.
fn objective(x: &DMatrix<f64>, y: &DMatrix<f64>, w: &DMatrix<f64>) -> f64 {
    let outputs = (x * w).transpose();
    let targets = y.transpose();
    let loss = Scoring::Classes.score(outputs.as_slice(), targets.as_slice(), y.ncols()).loss;
    loss + 0.5 * RIDGE * w.norm_squared()
}

/// Probabilities of the outputs' classes, in place of the outputs of one example.
fn probabilities(f: &mut [f64]) {
    if let [f] = f {
        *f = 1.0 / (1.0 + (-*f).exp());
        return;
    }
    let largest = f.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
    f.iter_mut().for_each(|f| *f = (*f - largest).exp());
    let total: f64 = f.iter().sum();
    f.iter_mut().for_each(|f| *f /= total);
}

/// Newton's method with halved steps.
fn newton(x: &DMatrix<f64>, y: &DMatrix<f64>) -> Option<DMatrix<f64>> {
    let (examples, dim, outputs) = (x.nrows(), x.ncols(), y.ncols());
    let mut w = DMatrix::<f64>::zeros(dim, outputs);
    for _ in 0..STEPS {
        let mut p = (x * &w).transpose();
        p.as_mut_slice().chunks_exact_mut(outputs).for_each(probabilities);
        let mut gradient = (x.transpose() * (p.transpose() - y)) / examples as f64;
        gradient += &w * RIDGE;
        let mut hessian = DMatrix::<f64>::identity(dim * outputs, dim * outputs) * RIDGE;
        for a in 0..outputs {
            for b in 0..outputs {
                let curvature = DVector::from_fn(examples, |i, _| {
                    let own = if a == b { p[(a, i)] } else { 0.0 };
                    (own - p[(a, i)] * p[(b, i)]) / examples as f64
                });
                let mut weighted = x.clone();
                for (mut row, factor) in weighted.row_iter_mut().zip(curvature.iter()) {
                    row *= *factor;
                }
                let mut block = hessian.view_mut((a * dim, b * dim), (dim, dim));
                block += x.transpose() * weighted;
            }
        }
        let slope = DVector::from_column_slice(gradient.as_slice());
        let step = hessian.cholesky()?.solve(&slope);
        let decrement = slope.dot(&step);
        if decrement.is_nan() || decrement < DECREMENT {
            break;
        }
        let step = DMatrix::from_column_slice(dim, outputs, step.as_slice());
        let before = objective(x, y, &w);
        let halvings = std::iter::successors(Some(1.0), |length| Some(0.5 * length)).take(50);
        let next = halvings.map(|length| &w - &step * length).find(|next| objective(x, y, next) < before);
        match next {
            Some(next) => w = next,
            None => break,
        }
    }
    w.iter().all(|w| w.is_finite()).then_some(w)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_and_a_column_that_depends_on_another_does_no_harm() {
        let xs = [0.3, 1.0, 2.0, 5.7, -3.1, 0.77, 11.3];
        let data = Rows {
            inputs: xs.iter().flat_map(|&x| [x, x / 3.0, 0.7 - x / 7.0, 1.0]).collect(),
            input_dim: 4,
            targets: xs.iter().flat_map(|&x| [3.0 * x - 1.0, 2.0]).collect(),
            outputs: 2,
        };
        let scoring = Scoring::Numbers(vec![("a".into(), 1.0), ("b".into(), 1.0)]);
        let linear = Linear::fit(&data, &scoring).expect("a line");
        assert!(linear.score(&data, &scoring).loss < 1e-24);
        // no longer than the solutions that are easy to see: 3 x - 1, and 2
        let lengths = [0, 1].map(|output| linear.weights.column(output).norm());
        assert!(lengths[0] <= 10f64.sqrt() && lengths[1] <= 2.0, "{lengths:?}");
    }

    /// With one input of two values the logistic model is saturated: its log-odds are the log-odds of the counts.
    #[test]
    fn log_odds_are_those_of_the_counts() {
        let mut data = Rows { inputs: vec![], input_dim: 2, targets: vec![], outputs: 1 };
        for (x, y, count) in [(0.0, 0.0, 30), (0.0, 1.0, 10), (1.0, 0.0, 5), (1.0, 1.0, 40)] {
            for _ in 0..count {
                data.inputs.extend([x, 1.0]);
                data.targets.push(y);
            }
        }
        let linear = Linear::fit(&data, &Scoring::Classes).expect("a model");
        let (slope, constant) = (linear.weights[(0, 0)], linear.weights[(1, 0)]);
        // the ridge moves a weight by about RIDGE |w| over the least curvature, here 0.05: 1e-4
        assert!((constant - (10f64 / 30.0).ln()).abs() < 1e-4, "{constant}");
        assert!((constant + slope - 8f64.ln()).abs() < 1e-4, "{slope}");
        let score = linear.score(&data, &Scoring::Classes);
        assert!((score.values[0] - 70.0 / 85.0).abs() < 1e-15);
        // two logits say the same as log-odds
        let two =
            Rows { targets: data.targets.iter().flat_map(|&y| [1.0 - y, y]).collect(), outputs: 2, ..data.clone() };
        let both = Linear::fit(&two, &Scoring::Classes).expect("a model");
        assert!((both.score(&two, &Scoring::Classes).loss - score.loss).abs() < 1e-5);
    }

    #[test]
    fn what_a_line_parts_is_parted() {
        let data = Rows {
            inputs: vec![-1.0, 1.0, -0.5, 1.0, 0.5, 1.0, 2.0, 1.0],
            input_dim: 2,
            targets: vec![0.0, 0.0, 1.0, 1.0],
            outputs: 1,
        };
        let linear = Linear::fit(&data, &Scoring::Classes).expect("a model");
        let score = linear.score(&data, &Scoring::Classes);
        assert!(score.values == [1.0] && score.loss < 1e-3, "{score:?}");
    }
}
