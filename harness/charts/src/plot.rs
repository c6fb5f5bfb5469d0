//! What a claim shows as a picture: data only, drawn by the report.

use serde::{Deserialize, Serialize};

use birth_death_output::number;

/// A picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plot {
    /// What it shows.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Drawn in this order.
    pub series: Vec<Series>,
}

/// An axis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// What it measures, with its unit.
    pub label: String,
    /// Logarithmic; points that are not above 0 are left out.
    pub log: bool,
}

impl Axis {
    /// A linear axis.
    pub fn linear(label: impl Into<String>) -> Self {
        Self { label: label.into(), log: false }
    }

    /// A logarithmic axis.
    pub fn log(label: impl Into<String>) -> Self {
        Self { label: label.into(), log: true }
    }
}

/// Points that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// How it is drawn.
    pub mark: Mark,
    /// In ascending order of x.
    pub points: Vec<Point>,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// An oracle: a line.
    Line,
    /// Measurements: a dot each, with a bar from low to high.
    Dots,
    /// Measurements close together: a line with a band from low to high.
    Band,
}

/// A value with an interval; without one, low and high are the value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Where.
    #[serde(with = "number")]
    pub x: f64,
    /// The value.
    #[serde(with = "number")]
    pub y: f64,
    /// The interval's lower end.
    #[serde(with = "number")]
    pub low: f64,
    /// The interval's upper end.
    #[serde(with = "number")]
    pub high: f64,
}

impl Point {
    /// A value without an interval.
    pub const fn exact(x: f64, y: f64) -> Self {
        Self { x, y, low: y, high: y }
    }

    /// A value with two standard errors to either side.
    pub const fn measured(x: f64, y: f64, standard_error: f64) -> Self {
        Self { x, y, low: y - 2.0 * standard_error, high: y + 2.0 * standard_error }
    }
}
