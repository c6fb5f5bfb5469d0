//! Training networks on data from a file: `train`, `predict`, `compare` and `data`.
//!
//! | file | what |
//! |---|---|
//! | [`prepared`] | the data split and standardised |
//! | [`fit`] | one training: the core's dynamics, the losses, the model that is kept |
//! | [`inference`] | from a row of data to a prediction: the one definition of the order of operations |
//! | [`model`] | `model.json` |
//! | [`source`] | `model.rs`: the same model as Rust without a dependency |
//! | [`picture`] | `losses.svg` |
//! | [`score`] | losses, errors and accuracies, in f64 |
//! | [`linear`] | what a linear model makes of the same data |
//! | [`train`], [`predict`], [`compare`] | the commands |
//! | [`samples`] | the data sets that ship, and `data` |
//!
//! The configuration is [`birth_death_simulate::config::training`].

use clap::ValueEnum;

pub mod arguments;
pub mod compare;
pub mod fit;
pub mod inference;
pub mod linear;
pub mod model;
pub mod picture;
pub mod predict;
pub mod prepared;
pub mod samples;
pub mod score;
pub mod source;
pub mod train;

/// The data sets that ship.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// Friedman's first function (1991): regression in 10 inputs, of which 5 matter.
    Friedman,
    /// Two noisy spirals in the plane and two columns of noise: two classes that no line parts.
    Spirals,
}
