//! The experiments of the paper: its pictures ([`figures`]), and its second example ([`study`]).

pub mod arguments;
pub mod figures;
pub mod study;
