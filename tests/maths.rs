//! The backends of the hot exponential, and that a feature changes no number.

mod common;

use birth_death::maths::{Libm, Maths, Portable};
use birth_death::models::{GaussianUnits, MixtureRef};
use birth_death::{Dynamics, Marginal, ProductPrior, Real, Stream};
use common::{Memory, all_bits};

/// After 60 steps of scheme 2 on Gaussian units: the energy and the sum over all bits of the particles. Minted from the
/// crate without features on x86-64; whoever changes them changes values: they are the same with every feature on.
#[test]
fn no_feature_changes_a_number() {
    let run =
        |energy: u64, sum: u64, found: (u64, u64)| assert_eq!(found, (energy, sum), "{:#x} {:#x}", found.0, found.1);
    run(0x3f7f_1b32_0000_0000, 0x3121_ada0_d016_5f2e, outcome::<f32, Portable>());
    run(0x3f5b_530b_d85f_7480, 0x42b0_dae7_ed96_afdf, outcome::<f64, Portable>());
    run(0x3f7f_1b32_0000_0000, 0x315f_a148_d03d_9f44, outcome::<f32, Libm>());
    run(0x3f5b_530b_d85f_7480, 0xc235_4de1_9198_af3f, outcome::<f64, Libm>());
}

fn outcome<R: Real, M: Maths<R>>() -> (u64, u64) {
    let number = R::from_f64;
    let (weights, centres, variances) = ([0.5, -0.75].map(number), [-1.0, 1.5].map(number), [0.5, 0.75].map(number));
    let target = MixtureRef::new(&weights, &centres, &variances, 1).expect("a mixture");
    let mut energy = GaussianUnits::new(R::HALF, target).expect("a model").with_maths::<M>();
    let law = Marginal::Normal { mean: R::ZERO, sd: R::ONE };
    let prior = ProductPrior::new([Marginal::Constant(R::ZERO), law]).expect("a proper law");
    let mut dynamics = Dynamics::reinjection(number(0.05), number(10.0), prior).expect("dynamics");
    let mut memory = Memory::uniform(50, 2, 0, 8, -2.0, 2.0);
    let mut rng = Stream::seeded(8, 8);
    let mut last = R::ZERO;
    for _ in 0..60 {
        last = memory.step(&mut dynamics, &mut energy, &mut rng).expect("a step").energy;
    }
    let sum = all_bits(&memory.x).into_iter().fold(0u64, |sum, bits| sum.rotate_left(7) ^ bits);
    (common::bits(last), sum)
}

#[test]
fn libm_and_the_crates_own_agree_within_their_bounds() {
    for i in 0..100_000u32 {
        let t = -126.0 * f64::from(i) / 1e5;
        let exact = libm::exp2(f64::from(t as f32));
        let error = |found: f32| (f64::from(found) / exact - 1.0).abs() / f64::from(f32::EPSILON);
        assert!(error(Portable::exp2_nonpos(t as f32)) <= 0.8 && error(Libm::exp2_nonpos(t as f32)) <= 1.0);
        let own: f64 = Portable::exp2_nonpos(t);
        assert!((own / libm::exp2(t) - 1.0).abs() <= 2.0 * f64::EPSILON);
    }
}

#[cfg(feature = "micromath")]
mod micromath {
    use birth_death::maths::{Maths, Micromath, Portable};

    /// The bound that `Micromath` documents, on one f32 in 61 of its range: 2 s. (On all of them, the worst was
    /// 2.3919e-3.)
    #[test]
    fn micromath_is_within_its_documented_bound() {
        let (first, last) = ((-0.0f32).to_bits(), (-126.0f32).to_bits());
        let worst_of = |from: u32, to: u32| {
            // against the crate's own, whose error of 1e-7 is nothing here
            let error = |bits| {
                let t = f32::from_bits(bits);
                ((Micromath::exp2_nonpos(t) / Portable::exp2_nonpos(t) - 1.0).abs(), t)
            };
            (from..=to)
                .step_by(61)
                .map(error)
                .fold((0.0f32, 0.0), |worst, found| if found.0 > worst.0 { found } else { worst })
        };
        let middle = first + (last - first) / 2;
        let (a, b) = std::thread::scope(|scope| {
            let other = scope.spawn(|| worst_of(first, middle));
            (worst_of(middle + 1, last), other.join().expect("no panic"))
        });
        let (worst, at) = if a.0 > b.0 { a } else { b };
        assert!((0.0023..=0.0024).contains(&worst), "worst relative error {worst} at {at}");
    }

    #[test]
    fn micromath_ends_quietly_outside_its_range() {
        for t in [-126.1, -127.0, -1e6, f32::MIN, f32::NEG_INFINITY] {
            assert_eq!(Micromath::exp2_nonpos(t), 0.0, "{t}");
        }
        let (least, one) = (Micromath::exp2_nonpos(-126.0), Micromath::exp2_nonpos(0.0));
        assert!((least / f32::MIN_POSITIVE - 1.0).abs() < 2.4e-3, "{least}");
        assert_eq!(one, 1.0);
        assert!(!Micromath::exp2_nonpos(f32::NAN).is_finite(), "so the step finds it");
    }

    /// The approximate backend is another energy, close by.
    #[test]
    fn micromath_gives_another_energy_close_by() {
        let (portable, approximate) =
            (super::outcome_energy::<birth_death::maths::Portable>(), super::outcome_energy::<Micromath>());
        assert_ne!(portable, approximate);
        assert!((portable - approximate).abs() < 1e-2, "{portable} {approximate}");
    }
}

#[cfg(feature = "micromath")]
fn outcome_energy<M: Maths<f32>>() -> f32 {
    let target = MixtureRef::new(&[0.5], &[1.0], &[0.5], 1).expect("a mixture");
    let mut energy = GaussianUnits::new(0.5, target).expect("a model").with_maths::<M>();
    Memory::uniform(50, 2, 0, 8, -2.0, 2.0).evaluate(&mut energy, 0).expect("finite")
}
