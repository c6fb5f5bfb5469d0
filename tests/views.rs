//! Constructors accept exactly what they document and never panic; every way to hand memory over gives the same bits.

mod common;

use birth_death::models::{DoubleWell, GaussianUnits, Mixture, MixtureRef, Mmd, MmdTarget, Quadratic, Rastrigin};
use birth_death::{
    Dynamics, Energy, Ensemble, Error, Field, Genealogy, Generator, MAX_PARTICLES, Marginal, ProductPrior, Rate, Real,
    Report, ReportLog, Rows, RowsMut, Scheme, Scratch, Stream, Workspace,
};
use common::{Memory, all_bits, bits, property};
use quickcheck::{Arbitrary, Gen};

/// A size: mostly small, sometimes at an edge.
#[derive(Clone, Copy, Debug)]
struct Size(usize);

impl Arbitrary for Size {
    fn arbitrary(g: &mut Gen) -> Self {
        let edges = [0, 1, MAX_PARTICLES, MAX_PARTICLES + 1, usize::MAX / 2, usize::MAX - 1, usize::MAX];
        let small = usize::arbitrary(g) % 12;
        let edge = *g.choose(&edges).expect("not empty");
        Self(if u8::arbitrary(g).is_multiple_of(5) { edge } else { small })
    }
}

/// A number: ordinary, or at an edge.
#[derive(Clone, Copy, Debug)]
struct Number(f64);

impl Arbitrary for Number {
    fn arbitrary(g: &mut Gen) -> Self {
        let edges = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            5e-324,
            1e-30,
            1e30,
            1e-200,
            1e200,
            0.5,
            2.0,
            3.75,
            -0.1,
        ];
        Self(*g.choose(&edges).expect("not empty"))
    }
}

#[test]
fn views_accept_exactly_what_fits() {
    fn check(available: u8, stride: Size, dim: Size, len: Size) -> bool {
        let mut data: Vec<f32> = (0..available % 40).map(f32::from).collect();
        let needed = (dim.0 as u128).saturating_sub(1) * stride.0 as u128 + len.0 as u128;
        let fits = dim.0 >= 1 && len.0 <= stride.0 && len.0 <= MAX_PARTICLES && needed <= data.len() as u128;
        let expected: Vec<Vec<f32>> = if fits {
            (0..dim.0.min(50)).map(|k| data[k * stride.0..][..len.0].to_vec()).collect()
        } else {
            Vec::new()
        };
        match Rows::new(&data, stride.0, dim.0, len.0) {
            Err(error) => assert!(!fits && matches!(error, Error::Zero { .. } | Error::Capacity { .. }), "{error}"),
            Ok(rows) => {
                assert!(fits && (rows.dim(), rows.len(), rows.is_empty()) == (dim.0, len.0, len.0 == 0));
                for (k, row) in expected.iter().enumerate() {
                    assert_eq!(rows.row(k), row);
                    assert_eq!((rows.get(k, len.0), rows.get(k, 0)), (None, row.first().copied()));
                }
                assert!(rows.row(dim.0).is_empty() && rows.row(usize::MAX).is_empty());
            }
        }
        let accepted = RowsMut::new(&mut data, stride.0, dim.0, len.0).map(|mut rows| {
            assert!(rows.row_mut(dim.0).is_empty());
            for (k, row) in expected.iter().enumerate() {
                assert_eq!(rows.row_mut(k), row);
            }
            if len.0 > 0 {
                assert_eq!(rows.iter_mut().map(|row| row.to_vec()).collect::<Vec<_>>(), expected);
            }
        });
        accepted.is_ok() == fits
    }
    // a stride of 0 with no particle may have as many rows as one likes: `dim` is cut at 50 above
    property(4000, check as fn(u8, Size, Size, Size) -> bool);
}

#[test]
fn fields_and_scratch_accept_equal_lengths_only() {
    fn check(n: u8, dim: u8, potential: u8, copies: u8, origin: u8, particle: u8) -> bool {
        let [n, potential, copies, origin] = [n, potential, copies, origin].map(|size| usize::from(size % 3));
        let (dim, particle) = (usize::from(dim % 2) + 1, usize::from(particle % 3));
        let (mut v, mut g) = (vec![0.0f64; potential], vec![0.0f64; n * dim]);
        let (mut c, mut o, mut p) = (vec![0; copies], vec![0; origin], vec![0.0; particle]);
        let field = Field::new(&mut v, RowsMut::packed(&mut g, dim).expect("the shape is right"));
        match field {
            Err(error) => potential != n && matches!(error, Error::Mismatch { found, .. } if found == potential),
            Ok(field) => {
                let fits = copies == n && origin == n && particle == dim;
                let scratch = Scratch::new(field, &mut c, &mut o, &mut p);
                potential == n && scratch.is_ok() == fits
            }
        }
    }
    property(2000, check as fn(u8, u8, u8, u8, u8, u8) -> bool);
}

#[test]
fn mixtures_and_laws_accept_proper_numbers_only() {
    fn check(a: Number, b: Number, c: Number, d: Number) -> bool {
        let [a, b, c, d] = [a.0, b.0, c.0, d.0];
        let fits = a.is_finite() && b.is_finite() && c.is_finite() && d.is_finite() && d > 0.0;
        let mut mixture = Mixture::<f64, 2, 2>::new();
        assert_eq!(mixture.push(a, [b, c], d).is_ok(), fits);
        assert_eq!(MixtureRef::new(&[a], &[b, c], &[d], 2).is_ok(), fits);
        let proper = |marginal: Marginal<f64>| match marginal {
            Marginal::Constant(x) => x.is_finite(),
            Marginal::Normal { mean, sd } => mean.is_finite() && sd.is_finite() && sd >= 0.0,
            Marginal::Uniform { low, high } => (high - low).is_finite() && low <= high,
            other => panic!("{other:?} is new"),
        };
        for law in [Marginal::Constant(a), Marginal::Normal { mean: a, sd: b }, Marginal::Uniform { low: a, high: b }] {
            assert_eq!(law.check().is_ok(), proper(law), "{law:?}");
            assert_eq!(ProductPrior::new([Marginal::Constant(1.0), law]).is_ok(), proper(law), "{law:?}");
        }
        true
    }
    property(4000, check as fn(Number, Number, Number, Number) -> bool);
}

#[test]
fn models_and_dynamics_accept_proper_numbers_only() {
    fn check(a: Number, b: Number, dim: u8) -> bool {
        let (a, b, dim) = (a.0, b.0, usize::from(dim % 4));
        assert_eq!(Quadratic::new(&vec![a; dim]).is_ok(), dim > 0 && a.is_finite());
        assert_eq!(DoubleWell::new(a, dim).is_ok(), dim > 0 && a.is_finite());
        assert_eq!(Rastrigin::new(a, dim).is_ok(), dim > 0 && a.is_finite());

        let rate = |x: f64| x.is_finite() && x >= 0.0;
        assert_eq!(Dynamics::gradient_flow(a).is_ok(), rate(a));
        assert_eq!(Dynamics::birth_death(a, b).is_ok(), rate(a) && rate(b));
        let prior = ProductPrior::new([Marginal::Constant(1.0)]).expect("a proper law");
        assert_eq!(Dynamics::reinjection(a, b, prior).is_ok(), rate(a) && rate(b));
        assert_eq!(Dynamics::<f64>::new(Scheme::GradientFlow, a, b).is_ok(), rate(a) && b == 0.0);
        let mut dynamics = Dynamics::birth_death(0.5, 0.25).expect("dynamics");
        let before = dynamics.clone();
        assert_eq!(dynamics.set_dt(a).is_ok(), rate(a));
        assert_eq!(dynamics.set_alpha(b).is_ok(), rate(b));
        assert_eq!(dynamics.dt(), if rate(a) { a } else { before.dt() });
        assert_eq!(dynamics.alpha(), if rate(b) { b } else { before.alpha() });

        // a sample of one point: E0 = 1/2 whatever the bandwidth, if its square and the scale made of it are numbers
        let point = [0.5];
        let sample = MmdTarget::Sample(Rows::packed(&point, 1).expect("a point"));
        let fits = a > 0.0 && (a * a).is_finite() && scale(a * a).is_finite();
        assert_eq!(Mmd::new(a, sample).map(|mmd| mmd.constant()).ok(), fits.then_some(0.5));
        // units of variance a fitted to nothing: (4 pi a)^(-d/2) has to be a positive number, and so has (2 pi (a +
        // v))^...
        let nothing = MixtureRef::new(&[], &[], &[], dim.max(1)).expect("a mixture");
        let proper = |variance: f64, dim: usize| {
            let z = normaliser(variance, dim);
            z.is_finite() && z > 0.0 && scale(variance).is_finite()
        };
        let fits = a.is_finite() && a > 0.0 && proper(a + a, dim.max(1));
        assert_eq!(GaussianUnits::new(a, nothing).is_ok(), fits, "{a:e} in {dim}");
        if let (Ok(target), true) = (MixtureRef::new(&[1.0], &[0.0], &[b], 1), fits) {
            let fits = [a + a, a + b, b + b].iter().all(|&variance| proper(variance, 1));
            assert_eq!(GaussianUnits::new(a, target).is_ok(), fits, "{a:e} {b:e}");
        }
        true
    }
    fn scale(variance: f64) -> f64 {
        -core::f64::consts::LOG2_E * 0.5 / variance
    }
    fn normaliser(variance: f64, dim: usize) -> f64 {
        (0..dim).fold(1.0, |z, _| z * (1.0 / libm::sqrt(core::f64::consts::TAU * variance)))
    }
    property(4000, check as fn(Number, Number, u8) -> bool);
}

#[test]
fn genealogies_accept_equal_lengths_and_possible_origins_only() {
    fn check(n: u8, sizes: u8, origin: Vec<u8>) -> bool {
        let (n, sizes) = (usize::from(n % 6), usize::from(sizes % 6));
        let Ok(mut genealogy) = Genealogy::new(vec![0; n], vec![0; sizes]) else { return n != sizes };
        let slot = |o: &u8| if o % 8 == 7 { birth_death::FRESH } else { u32::from(o % 8) };
        let origin: Vec<u32> = origin.iter().take(6).map(slot).collect();
        let possible = |o: &u32| *o == birth_death::FRESH || origin.get(*o as usize) == Some(o);
        let fits = origin.len() == n && origin.iter().all(possible);
        let accepted = genealogy.update(&origin).is_ok();
        let distinct = genealogy.distinct() as usize;
        n == sizes && accepted == fits && distinct <= n && (accepted || distinct == n)
    }
    property(4000, check as fn(u8, u8, Vec<u8>) -> bool);
}

#[test]
fn every_ensemble_length_up_to_its_capacity_works() {
    let mut x = Ensemble::<f32, 2, 3>::new();
    let mut energy = Quadratic::new(&[1.0, 2.0]).expect("a model");
    let mut workspace = Workspace::<f32, 2, 3>::default();
    for n in 0..=3 {
        assert_eq!((x.len(), x.rows().len(), x.rows_mut().len(), x.is_empty()), (n, n, n, n == 0));
        let mut dynamics = Dynamics::birth_death(0.1, 5.0).expect("dynamics");
        let mut rng = Stream::seeded(1, 0);
        let result = dynamics.step(&mut x, &mut energy, &mut rng, &mut workspace);
        assert_eq!(result.err(), (n == 0).then_some(Error::Empty));
        assert_eq!(x.push([1.0 + n as f32, 0.5]).is_ok(), n < 3);
    }
    assert!(workspace.scratch(4).is_err());
}

/// Two ensembles are equal when their particles are, whatever stood in the free slots.
#[test]
fn ensembles_compare_their_live_particles() {
    let mut used = Ensemble::<f64, 2, 3>::new();
    used.push([1.0, 2.0]).and_then(|()| used.push([3.0, 4.0])).expect("room");
    used.clear();
    used.push([5.0, 6.0]).expect("room");
    let mut new = Ensemble::new();
    assert_ne!(used, new);
    new.push([5.0, 6.0]).expect("room");
    assert_eq!(used, new);
    new.push([5.0, 6.0]).expect("room");
    assert_ne!(used, new);
    used.push([5.0, 7.0]).expect("room");
    assert_ne!(used, new, "as many, but others");
}

#[test]
fn an_empty_mixture_has_its_dimension() {
    assert_eq!(Mixture::<f64, 2, 2>::default().view().dim(), 2);
}

#[test]
fn bounded_memory_keeps_what_fits_and_says_what_does_not() {
    let mut mixture = Mixture::<f32, 1, 2>::new();
    for k in 0..2u8 {
        mixture.push(1.0, [f32::from(k)], 1.0).expect("two fit");
    }
    let error = mixture.push(1.0, [2.0], 1.0);
    assert_eq!(error, Err(Error::Capacity { what: "components of the mixture", capacity: 2, requested: 3 }));
    let report = |step| {
        let mut report = Report::default();
        report.step = step;
        report
    };
    let mut log = ReportLog::<f32, 3>::default();
    assert!(log.last().is_none());
    (0..10).for_each(|step| log.push(report(step)));
    assert_eq!(log.iter().map(|r| r.step).collect::<Vec<_>>(), [7, 8, 9]);
    assert_eq!((log.last().map(|r| r.step), log.dropped()), (Some(9), 7));
}

/// A run from the same start and seed in another way; the reports and the final particles, as bits.
type Outcome = (Vec<[u64; 5]>, Vec<Vec<u64>>);

fn report_bits<R: Real>(report: &Report<R>) -> [u64; 5] {
    let counts = u64::from(report.births) << 32 | u64::from(report.deaths);
    [report.step, bits(report.time), bits(report.energy), bits(report.mean_potential), counts]
}

const N: usize = 33;
const STEPS: usize = 40;

fn start<R: Real>(padding: usize) -> Memory<R> {
    Memory::uniform(N, 3, padding, 21, -2.0, 2.0)
}

fn scheme_2<R: Real>() -> Dynamics<R, ProductPrior<[Marginal<R>; 3]>> {
    let normal = Marginal::Normal { mean: R::ZERO, sd: R::ONE };
    let prior = ProductPrior::new([Marginal::Constant(R::ZERO), normal, normal]).expect("a proper law");
    Dynamics::reinjection(R::from_f64(0.05), R::from_f64(40.0), prior).expect("dynamics")
}

fn with_units<R: Real>(run: impl FnOnce(GaussianUnits<'_, R>) -> Outcome) -> Outcome {
    let mut target = Mixture::<R, 2, 2>::new();
    for (q, y, v) in [(0.5, 1.0, 0.4), (-1.0, -0.5, 0.9)] {
        target.push(R::from_f64(q), [R::from_f64(y), R::from_f64(-y)], R::from_f64(v)).expect("two fit");
    }
    run(GaussianUnits::new(R::from_f64(0.6), target.view()).expect("a model"))
}

fn in_memory<R: Real>(
    padding: usize,
    energy: &mut (impl Energy<R> + ?Sized),
    rng: &mut (impl Generator + ?Sized),
) -> Outcome {
    let mut memory = start(padding);
    let mut dynamics = scheme_2();
    let mut step = || report_bits(&memory.step(&mut dynamics, energy, rng).expect("a step"));
    let reports = (0..STEPS).map(|_| step()).collect();
    (reports, memory.rows().iter().map(all_bits).collect())
}

fn in_an_ensemble<R: Real>(mut energy: GaussianUnits<'_, R>) -> Outcome {
    let mut x = Ensemble::<R, 3, 50>::new();
    for i in 0..N {
        let particle = start::<R>(0).particle(i);
        x.push([particle[0], particle[1], particle[2]]).expect("room");
    }
    let mut workspace = Workspace::<R, 3, 64>::new();
    let mut rng = Stream::seeded(4, 4);
    let mut dynamics = scheme_2();
    let mut step = || report_bits(&dynamics.step(&mut x, &mut energy, &mut rng, &mut workspace).expect("a step"));
    let reports = (0..STEPS).map(|_| step()).collect();
    (reports, x.rows().iter().map(all_bits).collect())
}

fn all_ways_agree<R: Real>() {
    let expected = with_units::<R>(in_an_ensemble);
    let events = expected.0.iter().fold(0, |sum, report| sum | report[4]);
    assert!(events >> 32 > 0 && events & 0xffff_ffff > 0, "births and deaths happened");
    for padding in [0, 1, 31] {
        let found = with_units::<R>(|mut energy| in_memory(padding, &mut energy, &mut Stream::seeded(4, 4)));
        assert_eq!(found, expected, "padding {padding}");
    }
    let found = with_units::<R>(|mut energy| {
        let energy: &mut dyn Energy<R> = &mut energy;
        let mut rng = Stream::seeded(4, 4);
        let rng: &mut dyn Generator = &mut rng;
        in_memory(2, energy, rng)
    });
    assert_eq!(found, expected, "dyn");
    // by references to references, as an adapter would hold them
    let found = with_units::<R>(|mut energy| in_memory(2, &mut &mut energy, &mut &mut Stream::seeded(4, 4)));
    assert_eq!(found, expected, "references");
    // particles beyond the live ones do not count
    let mut dynamics = scheme_2::<R>();
    assert!(dynamics.clone().with_rate(Rate::Raw).is_ok());
    dynamics.set_alpha(R::ONE).expect("valid");
}

#[test]
fn every_way_to_hand_things_over_gives_the_same_bits() {
    all_ways_agree::<f32>();
    all_ways_agree::<f64>();
}
