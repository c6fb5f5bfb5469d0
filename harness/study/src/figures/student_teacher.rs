//! The paper's second example, ReLU units that learn ReLU units: what its two pictures have in common.

use crate::study::setting::{Cell, Kind, Scaling};

/// A fifth of the notebook's.
pub const STEPS: u64 = 20_000;
/// The dynamics, in the order of [`super::gaussian::NAMES`].
pub const KINDS: [Kind; 3] = [Kind::Flow, Kind::BirthDeath, Kind::Reinjection];

/// The authors' setting under one of the dynamics, at an alpha of their notebook.
pub fn cell(kind: Kind, alpha: f64) -> Cell {
    let alpha = if kind == Kind::Flow { 0.0 } else { alpha };
    Cell { particles: 50, scaling: Scaling::Notebook, kind, alpha }
}
