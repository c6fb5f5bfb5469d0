//! Defects of copying, transport and draws from the prior, planted after the step.

use birth_death::FRESH;

use crate::subject::Defect;

/// Gives component `k` of every copy back to the slot's former owner.
fn not_copied(k: usize, before: &[f64], origins: &[u32], after: &mut [f64]) {
    let n = origins.len();
    for (slot, &origin) in origins.iter().enumerate() {
        if origin != FRESH && origin as usize != slot {
            after[k * n + slot] = before[k * n + slot];
        }
    }
}

#[derive(Debug)]
pub struct ChargeNotCopied;

impl Defect for ChargeNotCopied {
    fn describe(&self) -> (&'static str, &'static str) {
        ("charge-not-copied", "the copy takes the position but not the charge")
    }

    fn after_step(&self, before: &[f64], _: &[f64], origins: &[u32], _: f64, after: &mut [f64]) {
        not_copied(0, before, origins, after);
    }
}

#[derive(Debug)]
pub struct ComponentNotCopied;

impl Defect for ComponentNotCopied {
    fn describe(&self) -> (&'static str, &'static str) {
        ("component-not-copied", "the last component never copied")
    }

    fn after_step(&self, before: &[f64], _: &[f64], origins: &[u32], _: f64, after: &mut [f64]) {
        not_copied(after.len() / origins.len() - 1, before, origins, after);
    }
}

#[derive(Debug)]
pub struct ChargeAtRest;

impl Defect for ChargeAtRest {
    fn describe(&self) -> (&'static str, &'static str) {
        ("charge-at-rest", "charge's velocity left out")
    }

    fn after_step(&self, before: &[f64], _: &[f64], origins: &[u32], _: f64, after: &mut [f64]) {
        for (slot, &origin) in origins.iter().enumerate() {
            if origin != FRESH {
                after[slot] = before[origin as usize];
            }
        }
    }
}

#[derive(Debug)]
pub struct DtDoubled;

impl Defect for DtDoubled {
    fn describe(&self) -> (&'static str, &'static str) {
        ("transport-dt-doubled", "transport dt doubled")
    }

    /// What moved, moves once more: survivors and copies by their parent's gradient, draws not at all.
    fn after_step(&self, _: &[f64], gradients: &[f64], origins: &[u32], dt: f64, after: &mut [f64]) {
        let n = origins.len();
        for (row, slopes) in after.chunks_mut(n).zip(gradients.chunks(n)) {
            for (x, &origin) in row.iter_mut().zip(origins) {
                if origin != FRESH {
                    *x -= dt * slopes[origin as usize];
                }
            }
        }
    }
}

/// What the prior drew, changed.
fn drawn(k: usize, origins: &[u32], after: &mut [f64], change: impl Fn(f64) -> f64) {
    let row = after.chunks_mut(origins.len()).nth(k).unwrap_or_default();
    row.iter_mut().zip(origins).filter(|(_, origin)| **origin == FRESH).for_each(|(x, _)| *x = change(*x));
}

#[derive(Debug)]
pub struct PriorCharge;

impl Defect for PriorCharge {
    fn describe(&self) -> (&'static str, &'static str) {
        ("prior-charge", "the prior's first component, the charge, larger by 1/2 than it should be: not zero")
    }

    fn after_step(&self, _: &[f64], _: &[f64], origins: &[u32], _: f64, after: &mut [f64]) {
        drawn(0, origins, after, |x| x + 0.5);
    }
}

#[derive(Debug)]
pub struct PriorSpread;

impl Defect for PriorSpread {
    fn describe(&self) -> (&'static str, &'static str) {
        ("prior-spread", "the prior with twice the spread: draws twice as far from the origin")
    }

    fn after_step(&self, _: &[f64], _: &[f64], origins: &[u32], _: f64, after: &mut [f64]) {
        (0..after.len() / origins.len()).for_each(|k| drawn(k, origins, after, |x| 2.0 * x));
    }
}
