//! Prints what `train.c` and `../tests/every.c` print, computed by the core without the C interface: `digests train`,
//! `digests every`.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

use birth_death::models::{
    Activation, Examples, GaussianUnits, Loss, MiniBatches, Mixture, Mmd, MmdTarget, Network, Quadratic,
    network::predict,
};
use birth_death::{
    Dynamics, Energy, Ensemble, Error, Field, Marginal, NoPrior, Prior, ProductPrior, Rate, Real, Rows, Scheme, Stream,
    Workspace, checkpoint,
};

fn main() -> Result<(), Error> {
    match std::env::args().nth(1).as_deref() {
        Some("train") => train(),
        Some("every") => every::<f32>().and_then(|()| every::<f64>()),
        other => {
            eprintln!("no such program: {other:?}; accepted: train, every");
            std::process::exit(2)
        }
    }
}

const X: [f64; 18] = [-1.0, 1.0, -0.75, 1.0, -0.5, 1.0, -0.25, 1.0, 0.0, 1.0, 0.25, 1.0, 0.5, 1.0, 0.75, 1.0, 1.0, 1.0];
const Y: [f64; 9] = [1.0, 0.75, 0.5, 0.25, 0.0, 0.25, 0.5, 0.75, 1.0];
const CLASSES: [f64; 9] = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0];

const FNV: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv(digest: u64, bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(digest, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn reals<'a, R: Real>(values: impl IntoIterator<Item = &'a R>) -> impl Iterator<Item = u8> {
    values.into_iter().flat_map(|x| x.bits().to_le_bytes().into_iter().take(size_of::<R>()))
}

/// The quadratic energy as the C programs have it: its mean is a plain sum.
struct Bowl<R, const D: usize>([R; D]);

impl<R: Real, const D: usize> Energy<R> for Bowl<R, D> {
    fn dim(&self) -> usize {
        D
    }

    fn evaluate(&mut self, _step: u64, at: Rows<'_, R>, mut out: Field<'_, R>) -> Result<R, Error> {
        out.check(D, at)?;
        let (potential, mut gradient) = out.parts_mut();
        let mut energy = R::ZERO;
        for (i, v) in potential.iter_mut().enumerate() {
            *v = R::ZERO;
            for (k, h) in self.0.iter().enumerate() {
                let slope = *h * at.row(k)[i];
                gradient.row_mut(k)[i] = slope;
                *v = *v + R::HALF * (slope * at.row(k)[i]);
            }
            energy = energy + *v;
        }
        Ok(energy / R::from_f64(at.len() as f64))
    }
}

fn scatter<R: Real, const D: usize, const N: usize>(
    laws: &[Marginal<R>],
    rng: &mut Stream,
) -> Result<Ensemble<R, D, N>, Error> {
    let mut x = Ensemble::new();
    for _ in 0..N {
        let mut particle = [R::ZERO; D];
        particle.iter_mut().zip(laws).for_each(|(x, law)| *x = law.draw(rng));
        x.push(particle)?;
    }
    Ok(x)
}

fn train() -> Result<(), Error> {
    let (x, y) = (X.map(|x| x as f32), Y.map(|y| y as f32));
    let mut scratch = [0.0; 137];
    let mut network = Network::new(Activation::Relu, Loss::Squared, Examples::new(&x, 2, &y, 1)?, &mut scratch)?;
    let normal = Marginal::Normal { mean: 0.0, sd: 1.0 };
    let prior = ProductPrior::new([Marginal::Constant(0.0), normal, normal])?;
    trained("network, scheme 1", Dynamics::birth_death(0.25, 4.0)?, &mut network)?;
    trained("network, scheme 2", Dynamics::reinjection(0.25, 4.0, prior)?, &mut network)?;
    trained("own energy, scheme 1", Dynamics::birth_death(0.25, 4.0)?, &mut Bowl([1.0, 0.5, 0.25]))
}

fn trained<P: Prior<f32>>(
    name: &str,
    mut dynamics: Dynamics<f32, P>,
    energy: &mut dyn Energy<f32>,
) -> Result<(), Error> {
    let normal = Marginal::Normal { mean: 0.0, sd: 1.0 };
    let mut rng = Stream::seeded(1902, 0);
    let mut x = scatter::<f32, 3, 32>(&[Marginal::Uniform { low: -1.5, high: 1.5 }, normal, normal], &mut rng)?;
    let mut workspace = Workspace::<f32, 3, 32>::new();
    let mut energies = Vec::new();
    for _ in 0..=400 {
        energies.push(dynamics.step(&mut x, energy, &mut rng, &mut workspace)?.energy);
    }
    let digest = fnv(FNV, reals(x.rows().iter().flatten()));
    println!("{name}: loss {:.6}, then {:.6}; particles {digest:016x}", energies[0], energies[400]);
    Ok(())
}

const N: usize = 24;

/// A run between two steps.
struct Run<R, P, const D: usize> {
    x: Ensemble<R, D, N>,
    dynamics: Dynamics<R, P>,
    rng: Stream,
    workspace: Workspace<R, D, N>,
}

impl<R: Real, P: Prior<R>, const D: usize> Run<R, P, D> {
    /// 60 steps from the start.
    fn new(name: &str, dynamics: Dynamics<R, P>, energy: &mut dyn Energy<R>) -> Result<Self, Error> {
        let number = R::from_f64;
        let uniform = Marginal::Uniform { low: number(-1.5), high: number(1.5) };
        let normal = Marginal::Normal { mean: number(0.25), sd: R::HALF };
        let mut rng = Stream::seeded(7, 11);
        let x = scatter(&[uniform, uniform, normal], &mut rng)?;
        let mut run = Self { x, dynamics, rng, workspace: Workspace::new() };
        run.steps(60, energy)?;
        run.print(name)?;
        Ok(run)
    }

    fn steps(&mut self, count: usize, energy: &mut dyn Energy<R>) -> Result<(), Error> {
        for _ in 0..count {
            self.dynamics.step(&mut self.x, energy, &mut self.rng, &mut self.workspace)?;
        }
        Ok(())
    }

    fn print(&mut self, name: &str) -> Result<(), Error> {
        let digest = fnv(FNV, reals(self.x.rows().iter().flatten()));
        let digest = fnv(digest, reals(&[self.dynamics.time()]));
        let scratch = self.workspace.scratch(N)?;
        line::<R>(name, fnv(digest, scratch.origin().iter().flat_map(|origin| origin.to_le_bytes())));
        Ok(())
    }
}

fn line<R>(name: &str, digest: u64) {
    println!("{name}, f{}: {digest:016x}", 8 * size_of::<R>());
}

fn every<R: Real>() -> Result<(), Error> {
    let number = R::from_f64;
    let uniform = Marginal::Uniform { low: number(-0.5), high: R::ONE };
    let laws = [Marginal::Constant(number(0.125)), uniform, Marginal::Normal { mean: R::ZERO, sd: R::HALF }];
    let flow = |dt: f64| Dynamics::<R>::gradient_flow(number(dt));
    let one = |dt: f64, alpha: f64| Dynamics::<R>::birth_death(number(dt), number(alpha));
    let curvature = [R::ONE, R::HALF];

    Run::<R, NoPrior, 2>::new("quadratic", one(0.015625, 8.0)?, &mut Quadratic::new(&curvature)?)?;
    Run::<R, NoPrior, 2>::new("quadratic in C", one(0.015625, 8.0)?, &mut Bowl(curvature))?;

    let mut line_of_three = Mixture::<R, 1, 3>::new();
    for (q, y, v) in [(0.5, -1.0, 0.5), (-1.0, 0.0, 1.0), (0.5, 1.0, 0.5)] {
        line_of_three.push(number(q), [number(y)], number(v))?;
    }
    let mut units = GaussianUnits::new(R::HALF, line_of_three.view())?;
    for name in ["units, prior in a table", "units, prior in C"] {
        let prior = ProductPrior::new(&laws[..2])?;
        Run::<R, _, 2>::new(name, Dynamics::reinjection(number(0.0625), number(256.0), prior)?, &mut units)?;
    }

    let points = [0.5, -0.5, 1.0, -1.25, 0.75, 0.25, -1.0, 0.5].map(number);
    let mut mmd = Mmd::new(R::ONE, MmdTarget::Sample(Rows::new(&points, 4, 2, 4)?))?;
    let raw = one(0.125, 8.0)?.with_rate(Rate::Raw)?.with_quench_from(40);
    let mut run = Run::<R, _, 2>::new("mmd, raw, quenched", raw, &mut mmd)?;
    run.dynamics.set_dt(number(0.0625))?;
    run.dynamics.set_alpha(number(2.0))?;
    run.steps(5, &mut mmd)?;
    run.print("mmd, other dt")?;
    Run::<R, _, 2>::new("mmd, pure", one(0.125, 8.0)?.without_transport(), &mut mmd)?;
    Run::<R, _, 2>::new("mmd, gradient flow", flow(0.125)?, &mut mmd)?;

    let (x, y, classes) = (X.map(number), Y.map(number), CLASSES.map(number));
    let (mut order, mut inputs, mut targets, mut scratch) = ([0; 9], [R::ZERO; 8], [R::ZERO; 4], [R::ZERO; 137]);
    let batches = MiniBatches::new(Examples::new(&x, 2, &classes, 1)?, &mut order, &mut inputs, &mut targets, 5, 6)?;
    let network = Network::new(Activation::Sigmoid, Loss::Logistic, batches, &mut scratch)?;
    let prior = ProductPrior::new(laws)?;
    let two = Dynamics::reinjection(number(0.125), number(4.0), prior)?;
    Run::<R, _, 3>::new("network, batches", two, &mut network.with_decay(number(0.0625))?)?;

    let mut scratch = [R::ZERO; 137];
    let network = Network::new(Activation::Tanh, Loss::Squared, Examples::new(&x, 2, &y, 1)?, &mut scratch)?;
    let mut network = network.with_scale(number(2.0))?;
    let mut run = Run::<R, NoPrior, 3>::new(
        "network",
        Dynamics::new(Scheme::BirthDeath, number(0.125), number(4.0))?,
        &mut network,
    )?;
    let mut bytes = vec![0; checkpoint::size::<R, Stream>(3, N)];
    checkpoint::save(99, run.x.rows(), &run.dynamics, &run.rng, &mut bytes)?;
    line::<R>("checkpoint", fnv(FNV, bytes));

    let mut at = [R::ZERO; 4];
    predict(Activation::Tanh, number(2.0), run.x.rows(), &[number(0.3), R::ONE], &mut at[..1])?;
    let mut scratch = run.workspace.scratch(N)?;
    at[1] = network.evaluate(run.dynamics.steps(), run.x.rows(), scratch.field())?;
    (at[2], at[3]) = (scratch.potential()[0], scratch.potential()[N - 1]);

    run.steps(20, &mut network)?;
    run.print("resumed")?;
    run.print("copied")?;
    line::<R>("prediction, energy, potentials", fnv(FNV, reals(&at)));
    Ok(())
}
