//! What is compared: the cells of the study, and the dictionary between the authors' parameters and the core's.
//!
//! The notebook trains `f = sum_i c_i relu(a_i . x)` on the mean squared error `L` by gradient descent of rate `eta`,
//! and gives a unit the event probability `a |c_i dL/dc_i|` a step. The core has `f = (s / n) sum_i c_i relu(a_i . x)`,
//! `E = L / 2`, and `V_i = s c_i <(f - f*) relu(a_i . x)>`. As `c_i dL/dc_i = 2 V_i / n` for every `s`, and `dL/dc_i =
//! (2 / n) dV_i/dc_i`:
//!
//! ```text
//! dt = 2 eta / n        (s = n)          alpha dt = 2 a / n        (every s)
//! ```

use std::fmt;

/// The notebook's input dimension, teacher units, batch and learning rate.
pub const DIMENSION: usize = 50;
pub const TEACHERS: usize = 10;
pub const BATCH: usize = 100;
const LEARNING_RATE: f64 = 0.02;
/// Input dimension and teacher units of the cells without batches: small, for `n^2 d` operations a step.
const KERNEL_SIZES: (usize, usize) = (10, 4);

/// How outputs are scaled, and what the start is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// The authors': a plain sum (`s = n`), `c` uniform on `±1/sqrt(n)`, components of `a` normal with variance `1/n`.
    ///
    /// ReLU units are homogeneous, so this is mean-field scaling (`s = 1`) in disguise: `(C, A) = sqrt(n) (c, a)` has
    /// the same `f`, the same `V` and the same flow, in the time `t = 2 eta` a step, with `C` uniform on ±1 and `A`
    /// standard normal, whatever `n` is. Only alpha is another: that of the mean-field equation is `a / (eta n)`.
    Notebook,
    /// `s = 1` from a start in which both layers share the work: `c` uniform with variance 4, `|a|^2` of mean 4.
    ///
    /// `<c^2> <|a|^2>` is 16, the notebook's at `n = 50` (in `C`, `A`) 50/3, and so is the initial loss, nearly. A
    /// unit's output changes at a rate proportional to `c^2 + |a|^2`, whose mean is 8 here and 50 1/3 there: the step
    /// is 6.3 times as long, 1/4, to reach as far.
    MeanField,
    /// The notebook's start in mean-field units (`s = 1`, `C` uniform on ±1, `A` standard normal), and the gradient of
    /// the population loss: no batches. In f64, for 10 inputs and 4 teachers: what n does alone, on the way to the
    /// mean-field limit.
    Kernel,
    /// The same with a tenth of the step: what of it is the step's doing.
    FineKernel,
    /// The notebook's, trained on the gradient of the population loss in f64: what of it is the batches' doing.
    Population,
}

/// Standard deviation of `c`, and root mean square of `|a|`, at the start in mean-field scaling.
pub const SPREAD: f64 = 2.0;

impl Scaling {
    /// Its name in cells and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Scaling::Notebook => "notebook",
            Scaling::MeanField => "mean-field",
            Scaling::Kernel => "kernel",
            Scaling::FineKernel => "fine-kernel",
            Scaling::Population => "population",
        }
    }

    /// Whether it trains on batches, and in f32; else on the population, in f64.
    pub const fn has_batches(self) -> bool {
        matches!(self, Scaling::Notebook | Scaling::MeanField)
    }
}

/// Which dynamics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Gradient flow.
    Flow,
    /// Scheme 1, centred.
    BirthDeath,
    /// Scheme 1 with raw rates, as the notebook has them.
    Raw,
    /// Scheme 2; its prior has `c = 0`, and `a` normal: with standard deviation `1/n` as in the notebook, or that of
    /// the start in mean-field scaling.
    Reinjection,
}

impl Kind {
    /// Its name in cells and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Flow => "gradient-flow",
            Kind::BirthDeath => "birth-death",
            Kind::Raw => "birth-death-raw",
            Kind::Reinjection => "reinjection",
        }
    }
}

/// One setting: everything but the replicate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// n.
    pub particles: usize,
    /// Scaling and start.
    pub scaling: Scaling,
    /// Dynamics.
    pub kind: Kind,
    /// The notebook's alpha, `a`; without batches that of the mean-field equation; 0 for gradient flow.
    pub alpha: f64,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { particles, scaling, kind, alpha } = self;
        write!(f, "n{particles}-{}-{}", scaling.name(), kind.name())?;
        if *kind == Kind::Flow { Ok(()) } else { write!(f, "-{alpha}") }
    }
}

impl Cell {
    /// d, and the number of teachers.
    pub fn sizes(&self) -> (usize, usize) {
        match self.scaling {
            Scaling::Notebook | Scaling::MeanField | Scaling::Population => (DIMENSION, TEACHERS),
            Scaling::Kernel | Scaling::FineKernel => KERNEL_SIZES,
        }
    }

    /// `s`.
    pub fn scale(&self) -> f64 {
        match self.scaling {
            Scaling::Notebook | Scaling::Population => self.particles as f64,
            Scaling::MeanField | Scaling::Kernel | Scaling::FineKernel => 1.0,
        }
    }

    /// The core's step.
    pub fn dt(&self) -> f64 {
        match self.scaling {
            Scaling::Notebook | Scaling::Population => 2.0 * LEARNING_RATE / self.particles as f64,
            Scaling::MeanField => 0.25,
            Scaling::Kernel => 0.5,
            Scaling::FineKernel => 0.05,
        }
    }

    /// The core's alpha.
    pub fn core_alpha(&self) -> f64 {
        match self.scaling {
            Scaling::Notebook | Scaling::MeanField | Scaling::Population => {
                2.0 * self.alpha / (self.particles as f64 * self.dt())
            }
            Scaling::Kernel | Scaling::FineKernel => self.alpha,
        }
    }

    /// Alpha of the mean-field equation from a start that does not depend on n.
    pub fn mean_field_alpha(&self) -> f64 {
        match self.scaling {
            // V is that of (C, A), time 2 eta a step
            Scaling::Notebook | Scaling::Population => self.alpha / (LEARNING_RATE * self.particles as f64),
            Scaling::MeanField | Scaling::Kernel | Scaling::FineKernel => self.core_alpha(),
        }
    }

    /// The steps of a run that is not told otherwise: the notebook's, and a fifth of them for the largest networks.
    pub fn steps(&self) -> u64 {
        match (self.scaling, self.particles) {
            (Scaling::Kernel, _) => KERNEL_STEPS,
            (Scaling::FineKernel, _) => 10 * KERNEL_STEPS,
            (_, ..1000) => 100_000,
            _ => 20_000,
        }
    }

    /// The cell of gradient flow that it is held against.
    pub fn baseline(&self) -> Self {
        Self { kind: Kind::Flow, alpha: 0.0, ..*self }
    }

    /// Replicates of more important cells that are measured before its first.
    pub fn delay(&self) -> u64 {
        match (self.particles, self.scaling) {
            (50, Scaling::Notebook) => 0,
            (50 | 200, Scaling::Kernel) => 1,
            (_, Scaling::FineKernel | Scaling::Population) => 2,
            (50, Scaling::MeanField) => 3,
            (_, Scaling::Kernel) => 4,
            (200, _) => 5,
            _ => 6,
        }
    }
}

/// Six values over four decades, both of the notebook's among them.
const ALPHAS: [f64; 6] = [0.001, 0.01, 0.1, 0.3, 1.0, 10.0];
/// The notebook's two.
const NOTEBOOK_ALPHAS: [f64; 2] = [0.01, 1.0];
/// At n = 200 and 1000: those of the mean-field alphas 0.01, 0.1, 1 and of 0.1, 1.
const LARGER_ALPHAS: [f64; 3] = [0.04, 0.4, 4.0];
const LARGEST_ALPHAS: [f64; 2] = [2.0, 20.0];

/// Without batches: alphas of the mean-field equation, fewer of them for larger n.
const KERNEL_ALPHAS: [f64; 5] = [0.1, 0.3, 1.0, 3.0, 10.0];
const KERNEL_ALPHAS_LARGER: [f64; 3] = [0.1, 1.0, 10.0];
/// t = 200.
const KERNEL_STEPS: u64 = 400;
/// Of these the larger ones, where the step might matter.
const FINE_ALPHAS: [f64; 2] = [1.0, 10.0];
/// The notebook's without batches.
const POPULATION_ALPHAS: [f64; 2] = [0.1, 1.0];

/// All cells, in the order of the tables.
pub fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    let mut add = |particles, scaling, kind, alphas: &[f64]| {
        cells.extend(alphas.iter().map(|&alpha| Cell { particles, scaling, kind, alpha }));
    };
    for (particles, scaling, alphas) in [
        (50, Scaling::Notebook, &ALPHAS[..]),
        (50, Scaling::MeanField, &ALPHAS),
        (200, Scaling::Notebook, &LARGER_ALPHAS),
        (1000, Scaling::Notebook, &LARGEST_ALPHAS),
    ] {
        add(particles, scaling, Kind::Flow, &[0.0]);
        add(particles, scaling, Kind::BirthDeath, alphas);
        if (particles, scaling) == (50, Scaling::Notebook) {
            add(particles, scaling, Kind::Raw, &NOTEBOOK_ALPHAS);
        }
        add(particles, scaling, Kind::Reinjection, alphas);
    }
    for (particles, alphas) in [(50, &KERNEL_ALPHAS[..]), (200, &KERNEL_ALPHAS_LARGER), (1000, &KERNEL_ALPHAS_LARGER)] {
        add(particles, Scaling::Kernel, Kind::Flow, &[0.0]);
        add(particles, Scaling::Kernel, Kind::BirthDeath, alphas);
        if particles == 50 {
            add(particles, Scaling::Kernel, Kind::Reinjection, alphas);
        }
    }
    for (particles, scaling, alphas) in [
        (50, Scaling::FineKernel, &FINE_ALPHAS[..]),
        (200, Scaling::FineKernel, &FINE_ALPHAS),
        (50, Scaling::Population, &POPULATION_ALPHAS),
    ] {
        add(particles, scaling, Kind::Flow, &[0.0]);
        add(particles, scaling, Kind::BirthDeath, alphas);
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_cell_has_its_baseline() {
        let cells = cells();
        for (i, cell) in cells.iter().enumerate() {
            assert!(cells[..i].iter().all(|other| other.to_string() != cell.to_string()), "{cell}");
            assert!(cells.contains(&cell.baseline()), "{cell}");
        }
        assert_eq!(cells.len(), 15 + 13 + 7 + 5 + 11 + 4 + 4 + 3 + 3 + 3);
    }

    #[test]
    fn the_notebook_s_alpha_is_that_of_the_mean_field_equation_at_fifty_units() {
        for cell in cells() {
            let expected = match (cell.particles, cell.scaling) {
                (n, Scaling::Notebook | Scaling::Population) => cell.alpha * 50.0 / n as f64,
                (_, Scaling::MeanField) => cell.alpha * 4.0 / 25.0,
                (_, Scaling::Kernel | Scaling::FineKernel) => cell.alpha,
            };
            assert!((cell.mean_field_alpha() - expected).abs() <= 1e-12 * expected, "{cell}");
        }
        // one of alpha = 1 at n = 50: alpha = 50 in the core's time of 8e-4 a step
        let cell = Cell { particles: 50, scaling: Scaling::Notebook, kind: Kind::Raw, alpha: 1.0 };
        assert!((cell.core_alpha() - 50.0).abs() < 1e-12 && (cell.dt() - 8e-4).abs() < 1e-18);
    }
}
