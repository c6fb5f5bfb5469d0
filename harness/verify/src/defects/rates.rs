//! Defects of the event rates: the potentials that events see, not the gradients.

use birth_death::{Energy, Error, Field, Rate, Rows};

use crate::subject::Defect;
use crate::subject::{BoxedEnergy, Setup};

/// An energy whose potentials are changed after the evaluation; energy and gradients stay right.
struct Changed<F>(BoxedEnergy, F);

impl<F: FnMut(&mut [f64])> Energy<f64> for Changed<F> {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn evaluate(&mut self, step: u64, at: Rows<'_, f64>, mut out: Field<'_, f64>) -> Result<f64, Error> {
        let energy = self.0.evaluate(step, at, out.reborrow())?;
        (self.1)(out.parts_mut().0);
        Ok(energy)
    }
}

fn changed(energy: BoxedEnergy, change: impl FnMut(&mut [f64]) + Send + 'static) -> BoxedEnergy {
    Box::new(Changed(energy, change))
}

fn mean(potentials: &[f64]) -> f64 {
    potentials.iter().sum::<f64>() / potentials.len() as f64
}

/// What the rates are measured from.
fn centre(rate: Rate, potentials: &[f64]) -> f64 {
    if rate == Rate::Centred { mean(potentials) } else { 0.0 }
}

/// The dynamics takes the potentials as they are; for defects that do the centring themselves.
fn raw(setup: &mut Setup) {
    setup.rate = Some(Rate::Raw);
}

#[derive(Debug)]
pub struct Swapped;

impl Defect for Swapped {
    fn describe(&self) -> (&'static str, &'static str) {
        ("swapped", "births and deaths swapped")
    }

    fn energy(&self, energy: BoxedEnergy, _: &Setup) -> BoxedEnergy {
        changed(energy, |potentials| potentials.iter_mut().for_each(|v| *v = -*v))
    }
}

#[derive(Debug)]
pub struct MeanNotSubtracted;

impl Defect for MeanNotSubtracted {
    fn describe(&self) -> (&'static str, &'static str) {
        ("mean-not-subtracted", "mean not subtracted in scheme 1")
    }

    fn parameters(&self, setup: &mut Setup) {
        raw(setup);
    }
}

#[derive(Debug)]
pub struct Doubled;

impl Defect for Doubled {
    fn describe(&self) -> (&'static str, &'static str) {
        ("rate-doubled", "rate doubled")
    }

    fn parameters(&self, setup: &mut Setup) {
        setup.alpha *= 2.0;
    }
}

#[derive(Debug)]
pub struct WithoutDt;

impl Defect for WithoutDt {
    fn describe(&self) -> (&'static str, &'static str) {
        ("dt-missing", "dt missing from the rate")
    }

    fn parameters(&self, setup: &mut Setup) {
        if setup.dt > 0.0 {
            setup.alpha /= setup.dt;
        }
    }
}

#[derive(Debug)]
pub struct AlphaOff;

impl Defect for AlphaOff {
    fn describe(&self) -> (&'static str, &'static str) {
        ("alpha-off", "alpha off by 3 %")
    }

    fn parameters(&self, setup: &mut Setup) {
        setup.alpha *= 1.03;
    }
}

#[derive(Debug)]
pub struct Linear;

impl Defect for Linear {
    fn describe(&self) -> (&'static str, &'static str) {
        ("linear-probability", "linear instead of exponential probability")
    }

    fn parameters(&self, setup: &mut Setup) {
        raw(setup);
    }

    /// With b' = -ln(1 - x) / (alpha dt), 1 - exp(-alpha |b'| dt) is x itself.
    fn energy(&self, energy: BoxedEnergy, setup: &Setup) -> BoxedEnergy {
        let (rate, scale) = (setup.rate(), setup.alpha * setup.dt);
        changed(energy, move |potentials| {
            let centre = centre(rate, potentials);
            for v in potentials {
                let b = *v - centre;
                let x = (scale * b.abs()).min(1.0);
                let linear = -(-x).ln_1p() / scale;
                *v = if scale > 0.0 { linear.min(1e300).copysign(b) } else { b };
            }
        })
    }
}

#[derive(Debug)]
pub struct MeanOverOneLess;

impl Defect for MeanOverOneLess {
    fn describe(&self) -> (&'static str, &'static str) {
        ("mean-over-n-1", "Vbar over n - 1")
    }

    fn parameters(&self, setup: &mut Setup) {
        raw(setup);
    }

    fn energy(&self, energy: BoxedEnergy, setup: &Setup) -> BoxedEnergy {
        let rate = setup.rate();
        changed(energy, move |potentials| {
            let n = potentials.len() as f64;
            if rate == Rate::Centred && n > 1.0 {
                let wrong = mean(potentials) * n / (n - 1.0);
                potentials.iter_mut().for_each(|v| *v -= wrong);
            }
        })
    }
}

#[derive(Debug)]
pub struct OnlyDeaths;

impl Defect for OnlyDeaths {
    fn describe(&self) -> (&'static str, &'static str) {
        ("only-deaths", "only deaths are applied, with resampling from the rest")
    }

    fn parameters(&self, setup: &mut Setup) {
        raw(setup);
    }

    fn energy(&self, energy: BoxedEnergy, setup: &Setup) -> BoxedEnergy {
        let rate = setup.rate();
        changed(energy, move |potentials| {
            let centre = centre(rate, potentials);
            potentials.iter_mut().for_each(|v| *v = (*v - centre).max(0.0));
        })
    }
}

#[derive(Debug)]
pub struct Stale;

impl Defect for Stale {
    fn describe(&self) -> (&'static str, &'static str) {
        ("stale-rates", "potentials (rates only) one step stale")
    }

    fn energy(&self, energy: BoxedEnergy, _: &Setup) -> BoxedEnergy {
        let mut last: Vec<f64> = Vec::new();
        changed(energy, move |potentials| {
            if last.is_empty() {
                last.extend_from_slice(potentials);
            }
            last.swap_with_slice(potentials);
        })
    }
}
