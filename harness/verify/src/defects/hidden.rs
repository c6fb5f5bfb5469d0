//! Defects that hide: each is there for some sizes, one precision, late steps or after a setter, and nowhere else.

use birth_death::FRESH;

use crate::subject::Defect;
use crate::subject::{Precision, Setup};

/// Only the step moves by the wrong gradient: an evaluation shows the right one.
#[derive(Debug)]
pub struct OneGradientOff;

impl Defect for OneGradientOff {
    fn describe(&self) -> (&'static str, &'static str) {
        ("one-gradient-off", "the last particle moves by 1.01 times its gradient when n mod 8 = 5")
    }

    fn after_step(&self, _: &[f64], gradients: &[f64], origins: &[u32], dt: f64, after: &mut [f64]) {
        let n = origins.len();
        let Some(parent) = origins.last().filter(|origin| n % 8 == 5 && **origin != FRESH) else { return };
        for (row, slopes) in after.chunks_mut(n).zip(gradients.chunks(n)) {
            row[n - 1] -= 0.01 * dt * slopes[*parent as usize];
        }
    }
}

#[derive(Debug)]
pub struct AlphaOffSingle;

impl Defect for AlphaOffSingle {
    fn describe(&self) -> (&'static str, &'static str) {
        ("alpha-off-single", "alpha off by 5 % in single precision only")
    }

    fn parameters(&self, setup: &mut Setup) {
        if setup.precision == Precision::Single {
            setup.alpha *= 1.05;
        }
    }
}

#[derive(Debug)]
pub struct AlphaOffMany;

impl Defect for AlphaOffMany {
    fn describe(&self) -> (&'static str, &'static str) {
        ("alpha-off-many", "alpha off by 3 % for 1000 particles and more")
    }

    fn parameters(&self, setup: &mut Setup) {
        if setup.particles >= 1000 {
            setup.alpha *= 1.03;
        }
    }
}

#[derive(Debug)]
pub struct AlphaOffLate;

impl Defect for AlphaOffLate {
    fn describe(&self) -> (&'static str, &'static str) {
        ("alpha-off-late", "alpha off by 5 % from step 4000 on")
    }

    fn alpha(&self, _: f64, in_force: f64, step: u64) -> f64 {
        if step < 4000 { in_force } else { 1.05 * in_force }
    }
}

#[derive(Debug)]
pub struct SetterIgnored;

impl Defect for SetterIgnored {
    fn describe(&self) -> (&'static str, &'static str) {
        ("setter-ignored", "set_alpha has no effect after step 0")
    }

    fn alpha(&self, first: f64, _: f64, _: u64) -> f64 {
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::Defect;
    use crate::subject::{AnyEnergy, Separable, Subject, Trial};

    fn trial(defect: Option<&'static dyn Defect>, n: usize, precision: Precision) -> Trial {
        let subject = Subject { defect, ..Subject::correct(1001) };
        let setup = Setup::birth_death(n, 0.1, 2.0).raw().with_prior(&[birth_death::Marginal::Constant(0.5)]);
        let energy: AnyEnergy = precision.of(Separable(|x| x));
        let mut trial = subject.trial_of(&setup, energy, 1);
        trial.reset(&vec![0.7; n]);
        trial
    }

    /// The first step, up to `steps`, in which the defect shows; `change` is called before each.
    fn shows(
        defect: &'static dyn Defect,
        n: usize,
        precision: Precision,
        steps: u64,
        change: fn(&mut Trial, u64),
    ) -> Option<u64> {
        let (mut right, mut wrong) = (trial(None, n, precision), trial(Some(defect), n, precision));
        (0..steps).find(|step| {
            change(&mut right, *step);
            change(&mut wrong, *step);
            let p = |trial: &mut Trial| trial.step().map(|report| report.largest_probability);
            p(&mut right) != p(&mut wrong)
        })
    }

    #[test]
    fn each_hides_where_it_is_said_to() {
        use Precision::{Double, Single};
        let none = |_: &mut Trial, _| ();
        assert_eq!(shows(&AlphaOffSingle, 5, Single, 9, none), Some(0));
        assert_eq!(shows(&AlphaOffSingle, 5, Double, 9, none), None);
        for precision in [Double, Single] {
            assert_eq!(shows(&AlphaOffMany, 1000, precision, 9, none), Some(0));
            assert_eq!(shows(&AlphaOffMany, 999, precision, 9, none), None);
            assert_eq!(shows(&AlphaOffLate, 5, precision, 4100, none), Some(4000));
            let set = |trial: &mut Trial, step| trial.set_alpha(2.0 + step as f64);
            assert_eq!(shows(&SetterIgnored, 5, precision, 9, set), Some(1));
            assert_eq!(shows(&SetterIgnored, 5, precision, 9, none), None);
        }
    }

    #[test]
    fn one_particle_moves_too_far_for_some_sizes() {
        for n in 1..40 {
            let gradients: Vec<f64> = (0..2 * n).map(|i| i as f64).collect();
            let origins: Vec<u32> = (0u32..).take(n).collect();
            let mut after = vec![0.0; 2 * n];
            OneGradientOff.after_step(&[], &gradients, &origins, 0.5, &mut after);
            let moved: Vec<usize> = (0..2 * n).filter(|&i| after[i] != 0.0).collect();
            let expected = if n % 8 == 5 { vec![n - 1, 2 * n - 1] } else { vec![] };
            assert_eq!(moved, expected, "{n}");
            if let Some(&place) = moved.first() {
                assert_eq!(after[place], -0.01 * 0.5 * (n as f64 - 1.0));
                let mut drawn = vec![0.0; 2 * n];
                OneGradientOff.after_step(&[], &gradients, &vec![FRESH; n], 0.5, &mut drawn);
                assert!(drawn.iter().all(|x| *x == 0.0), "a draw does not move");
            }
        }
    }
}
