//! Plots as data, and how they are drawn as SVG.

pub mod draw;
pub mod plot;
pub mod scale;
