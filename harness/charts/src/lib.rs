//! Plots as data, and how they are drawn as SVG: on a page ([`draw`]) and for print ([`sheet`]).

pub mod draw;
pub mod plot;
pub mod scale;
pub mod sheet;

pub use plotters::style::RGBColor;
