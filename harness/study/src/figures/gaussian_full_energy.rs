//! Energies from the full start: both schemes with birth-death are far below gradient flow from early on.

use super::{Picture, energy, gaussian};

pub static PICTURE: Picture = Picture {
    name: "gaussian-full-energy",
    setting: "Gaussian units (arXiv:1902.01843), start c standard normal, y uniform on (-2, 2); n = 200, dt = 0.01, t \
        = 30, alpha = 5, rates centred (birth-death) and raw (reinjection), prior c = 0, y standard normal; published \
        means: the authors' notebook, raw rates, float32",
    draw: |context| energy::draw(context, &gaussian::FULL, "full", "Gaussian units, full start: energy"),
};
