//! The energies that come with the crate: one file a model, formula first.

mod external;
pub mod fast_gauss;
mod gaussian_units;
mod kernel;
mod lanes;
mod mixture;
mod mmd;
pub mod network;
mod student_teacher;

pub use external::{DoubleWell, External, Quadratic, Rastrigin};
pub use fast_gauss::FastGauss;
pub use gaussian_units::GaussianUnits;
pub use mixture::{Mixture, MixtureRef};
pub use mmd::{Mmd, MmdTarget, PendingMmd};
pub use network::{Activation, DataSource, Examples, Fresh, Loss, MiniBatches, Network};
pub use student_teacher::StudentTeacher;
