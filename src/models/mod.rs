//! The energies that come with the crate: one file a model, formula first.

mod external;
mod fast_gauss;
mod gaussian_units;
mod kernel;
mod lanes;
mod mixture;
mod mmd;
mod network;
mod student_teacher;

pub use external::{DoubleWell, External, Quadratic, Rastrigin};
pub use fast_gauss::{FastGauss, Method, Summary};
pub use gaussian_units::GaussianUnits;
pub use mixture::{Mixture, MixtureRef};
pub use mmd::{Mmd, PendingMmd, Target};
pub use network::{Activation, Examples, Fresh, Loss, MiniBatches, Network, Source, predict};
pub use student_teacher::StudentTeacher;
