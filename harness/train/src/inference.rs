//! From a row of data to a prediction. Training, `predict` and the written `model.rs` do these operations in this
//! order, so that they agree to the bit:
//!
//! 1. each input is read in f64 and becomes `(x - mean) / sd` in f64, which is then rounded to the model's precision: a
//!    value with a large
//!    offset, such as a time in seconds, keeps its digits. For units with a bias a 1 is appended;
//! 2. the network's outputs are [`birth_death::models::network::predict`]'s;
//! 3. a number is `f * sd + mean` in f64, for the same reason; two classes have the probabilities `sigmoid(-f)` and
//!    `sigmoid(f)` (the
//!    core's sigmoid), more of them `e_k / (e_1 + e_2 + ...)`, `e_k = 2^((f_k - largest f) log2 e)`, summed in order.

use birth_death::Real;
use birth_death::maths::{Maths, Portable};
use birth_death::models::Activation;
use serde::{Deserialize, Serialize};

/// A column of the data and how it is standardised: `(x - mean) / sd`, in f64 whatever the model's precision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What is subtracted.
    pub mean: f64,
    /// What it is divided by, above 0.
    pub sd: f64,
}

/// The standardised value of a column: centred and scaled in f64, then rounded.
pub fn standardised<R: Real>(x: f64, column: &Column) -> R {
    R::from_f64((x - column.mean) / column.sd)
}

/// The value of a column that is standardised as `f`, in f64.
pub fn restored<R: Real>(f: R, column: &Column) -> f64 {
    f.to_f64() * column.sd + column.mean
}

/// The place of the class that outputs `f` are for: the second of two if its log-odds are above 0; of more the largest,
/// the first of equals.
pub fn class<R: Real>(f: &[R]) -> usize {
    if let [f] = f {
        return usize::from(*f > R::ZERO);
    }
    let mut best = 0;
    for (k, value) in f.iter().enumerate() {
        if *value > f[best] {
            best = k;
        }
    }
    best
}

/// The probabilities of all classes.
pub fn probabilities<R: Real>(f: &[R]) -> Vec<R> {
    if let [f] = *f {
        return vec![Activation::Sigmoid.value(-f), Activation::Sigmoid.value(f)];
    }
    let largest = f[class(f)];
    let weights: Vec<R> = f.iter().map(|&f| <Portable as Maths<R>>::exp2_nonpos((f - largest) * R::LOG2_E)).collect();
    let total = weights.iter().fold(R::ZERO, |total, &weight| total + weight);
    weights.into_iter().map(|weight| weight / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_the_softmax_and_agree_with_the_class() {
        assert_eq!((class(&[0.0]), class(&[1e-30]), class(&[-1.0])), (0, 1, 0));
        assert_eq!((class(&[1.0, 3.0, 3.0]), class(&[2.0f32, 1.0])), (1, 0));
        for f in [vec![0.3, -2.0, 1.5], vec![40.0, -40.0, 0.0]] {
            let total: f64 = f.iter().map(|f: &f64| libm_exp(*f)).sum();
            for (p, f) in probabilities(&f).iter().zip(&f) {
                assert!((p - libm_exp(*f) / total).abs() < 4.0 * f64::EPSILON);
            }
        }
        for f in [-3.0, 0.0, 0.7] {
            let p = probabilities(&[f]);
            assert!((p[1] - 1.0 / (1.0 + libm_exp(-f))).abs() < 2.0 * f64::EPSILON);
            assert!((p[0] + p[1] - 1.0).abs() < 2.0 * f64::EPSILON);
        }
    }

    #[allow(clippy::disallowed_methods)] // another exponential than the code's
    fn libm_exp(x: f64) -> f64 {
        x.exp()
    }

    #[test]
    fn restoring_undoes_standardising() {
        let column = Column { name: "x".into(), mean: 3.0, sd: 0.25 };
        assert_eq!(standardised::<f32>(3.5, &column), 2.0);
        assert_eq!(restored(2.0f32, &column), 3.5);
    }

    /// 1700000001 is no f32: the nearest are 1699999872 and 1700000000.
    #[test]
    fn an_offset_costs_no_digits() {
        let column = Column { name: "t".into(), mean: 1_700_000_000.0, sd: 4.0 };
        assert_eq!(standardised::<f32>(1_700_000_001.0, &column), 0.25);
        assert_eq!(restored(0.25f32, &column), 1_700_000_001.0);
    }
}
