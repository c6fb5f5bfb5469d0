//! Energies from the bad start: gradient flow and birth-death stall, reinjection escapes.

use super::{Picture, energy, gaussian};

pub static PICTURE: Picture = Picture {
    name: "gaussian-bad-energy",
    setting: "Gaussian units (arXiv:1902.01843), start c standard normal, y normal around -2 with sd 0.1; n = 200, dt \
        = 0.01, t = 60, alpha = 5, rates centred (birth-death) and raw (reinjection), prior c = 0, y standard normal; \
        published means: the authors' notebook, raw rates, float32",
    draw: |context| energy::draw(context, &gaussian::BAD, "bad", "Gaussian units, bad start: energy"),
};
