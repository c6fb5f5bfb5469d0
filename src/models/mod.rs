//! The energies that come with the crate: one file a model, formula first.

mod external;
mod gaussian_units;
mod kernel;
mod mixture;
mod mmd;

pub use external::{DoubleWell, External, Quadratic, Rastrigin};
pub use gaussian_units::GaussianUnits;
pub use mixture::{Mixture, MixtureRef};
pub use mmd::{Mmd, Target};
