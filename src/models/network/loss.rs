//! The losses of a network on data, and their slopes in its outputs.

use crate::{Error, Real, sum};

/// `l(f, y)` of an output `f` and a target `y`, both in R^m. All are convex in `f`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// `1/2 |f - y|^2`.
    Squared,
    /// Cross-entropy, in nats. One output: `y` is the probability of the positive class, `f` its log-odds, `l = ln(1 +
    /// exp(f)) - y f`. More: `y` holds the probabilities of the classes, which sum to one, `f` their logits, `l = -
    /// sum_k y_k ln softmax_k(f)`.
    Logistic,
}

/// How far probabilities of classes may sum from one: what rounding decimals to three places leaves of up to ten.
const SUM_TOLERANCE: f64 = 5e-3;

impl Loss {
    /// The mean loss over examples (16 lanes and a tree); `outputs`, example after example, become the slopes `dl/df`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a target that is no probability, if it has to be one; `outputs` are spoilt then.
    pub(super) fn evaluate<R: Real>(self, outputs: &mut [R], targets: &[R], dim: usize) -> Result<R, Error> {
        let examples = outputs.len().checked_div(dim).unwrap_or(0);
        let mut refused = Ok(());
        let losses = (0..examples).map(|p| {
            let from = p.saturating_mul(dim);
            let f = outputs.get_mut(from..).and_then(|tail| tail.get_mut(..dim)).unwrap_or(&mut []);
            let y = targets.get(from..).and_then(|tail| tail.get(..dim)).unwrap_or(&[]);
            match self {
                Self::Squared => squared(f, y),
                Self::Logistic => {
                    if refused.is_ok() {
                        refused = probabilities(y);
                    }
                    if let ([f], [y]) = (&mut *f, y) { binary(f, *y) } else { softmax(f, y) }
                }
            }
        });
        let mean = sum::mean(losses, examples);
        refused.map(|()| mean)
    }
}

fn probabilities<R: Real>(y: &[R]) -> Result<(), Error> {
    const ACCEPTED: &str = "a probability: 0 to 1";
    for &y in y {
        crate::error::parameter("target of the logistic loss", y, ACCEPTED, |y| y >= R::ZERO && y <= R::ONE)?;
    }
    if y.len() > 1 {
        let total = y.iter().fold(0.0, |total, y| total + y.to_f64());
        crate::error::parameter("sum of the targets of the logistic loss", total, "1, within 0.005", |total| {
            (total - 1.0).abs() <= SUM_TOLERANCE
        })?;
    }
    Ok(())
}

fn squared<R: Real>(f: &mut [R], y: &[R]) -> R {
    let mut loss = R::ZERO;
    for (f, &y) in f.iter_mut().zip(y) {
        *f = *f - y;
        loss = loss + *f * *f;
    }
    loss * R::HALF
}

/// `exp(x)` for `x <= 0`.
fn exp<R: Real>(x: R) -> R {
    R::exp2_nonpos_portable(x * R::LOG2_E)
}

fn binary<R: Real>(f: &mut R, y: R) -> R {
    let e = exp(-f.abs());
    let positive = if *f < R::ZERO { R::ZERO } else { *f };
    let loss = positive + (R::ONE + e).ln() - y * *f;
    let numerator = if *f < R::ZERO { e } else { R::ONE };
    *f = numerator / (R::ONE + e) - y;
    loss
}

fn softmax<R: Real>(f: &mut [R], y: &[R]) -> R {
    let mut largest = f.first().copied().unwrap_or(R::ZERO);
    for &f in f.iter() {
        // written so that NaN stays
        largest = if f <= largest { largest } else { f };
    }
    let (mut linear, mut weight, mut total) = (R::ZERO, R::ZERO, R::ZERO);
    for (f, &y) in f.iter_mut().zip(y) {
        let shifted = *f - largest;
        linear = linear + y * shifted;
        weight = weight + y;
        *f = exp(shifted);
        total = total + *f;
    }
    for (f, &y) in f.iter_mut().zip(y) {
        *f = weight * (*f / total) - y;
    }
    weight * total.ln() - linear
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluate(loss: Loss, outputs: &[f64], targets: &[f64], dim: usize) -> (f64, std::vec::Vec<f64>) {
        let mut outputs = outputs.to_vec();
        let value = loss.evaluate(&mut outputs, targets, dim).unwrap();
        (value, outputs)
    }

    #[test]
    fn losses_and_slopes_are_the_formulas() {
        assert_eq!(
            evaluate(Loss::Squared, &[1.0, 2.0, 0.0, 5.0], &[0.0, 4.0, 0.0, 5.0], 2),
            (1.25, std::vec![1.0, -2.0, 0.0, 0.0])
        );
        for (f, y) in [(0.3, 1.0), (-2.0, 0.0), (-2.0, 0.7), (40.0, 0.0)] {
            let (loss, slope) = evaluate(Loss::Logistic, &[f], &[y], 1);
            assert!((loss - (libm::log1p(libm::exp(f)) - y * f)).abs() < 1e-14);
            assert!((slope[0] - (1.0 / (1.0 + libm::exp(-f)) - y)).abs() < 1e-15);
        }
        let (f, y) = ([0.5, -1.0, 2.0], [0.0, 0.25, 0.75]);
        let total: f64 = f.iter().map(|&f| libm::exp(f)).sum();
        let (loss, slope) = evaluate(Loss::Logistic, &f, &y, 3);
        assert!((loss - (libm::log(total) + 0.25 - 1.5)).abs() < 1e-15);
        for k in 0..3 {
            assert!((slope[k] - (libm::exp(f[k]) / total - y[k])).abs() < 1e-15);
        }
    }

    #[test]
    fn two_logits_are_log_odds() {
        let (two, slopes) = evaluate(Loss::Logistic, &[0.7, -0.6], &[1.0, 0.0], 2);
        let (one, slope) = evaluate(Loss::Logistic, &[1.3], &[1.0], 1);
        assert!((two - one).abs() < 1e-15 && (slopes[0] - slope[0]).abs() < 1e-15);
    }

    #[test]
    fn huge_outputs_do_not_overflow_and_nan_passes() {
        let (loss, slope) = evaluate(Loss::Logistic, &[1e300, -1e300], &[0.0, 1.0], 2);
        assert!(loss == 2e300 && slope == [1.0, -1.0]);
        assert_eq!(evaluate(Loss::Logistic, &[-800.0], &[0.0], 1).0, 0.0);
        for loss in [Loss::Squared, Loss::Logistic] {
            assert!(evaluate(loss, &[f64::NAN], &[0.0], 1).0.is_nan());
            assert!(evaluate(loss, &[0.0, f64::NAN], &[0.0, 1.0], 2).0.is_nan());
            assert!(evaluate(loss, &[f64::NAN, 0.0], &[0.0, 1.0], 2).0.is_nan());
        }
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        for bad in [-0.1, 1.1, f64::NAN] {
            let refused = Loss::Logistic.evaluate(&mut [0.0, 0.0], &[0.5, bad], 1);
            assert!(matches!(refused, Err(Error::Parameter { .. })), "{bad}");
        }
        assert!(matches!(Loss::Logistic.evaluate(&mut [0.0; 3], &[0.4, 0.4, 0.1], 3), Err(Error::Parameter { .. })));
        assert!(Loss::Logistic.evaluate(&mut [0.0; 3], &[0.333, 0.333, 0.333], 3).is_ok());
        assert!(Loss::Squared.evaluate(&mut [0.0], &[7.0], 1).is_ok());
    }
}
