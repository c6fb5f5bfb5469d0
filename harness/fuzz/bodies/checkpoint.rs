//! The decoders of the core's checkpoint and of that of `run`, with checksums repaired so that the checks behind them
//! are reached.

use birth_death::models::Quadratic;
use birth_death::{Dynamics, Error, Marginal, NoPrior, Prior, ProductPrior, Real, Scheme, Stream, checkpoint};

use super::input::{Input, same};
use super::progress;
use super::seal::repair;
use super::stepping::{Particles, founders, step};

const TAG: u64 = 0x0123_4567_89ab_cdef;

pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let kind = input.byte();
    match (kind & 32, kind & 1) {
        (0, 0) => core::<f32>(kind, &mut input),
        (0, _) => core::<f64>(kind, &mut input),
        (_, 0) => progress::run::<f32>(kind, &mut input),
        (..) => progress::run::<f64>(kind, &mut input),
    }
}

fn core<R: Real>(kind: u8, input: &mut Input<'_>) {
    let (n, dim) = (1 + input.up_to(7), 1 + input.up_to(3));
    match kind >> 1 & 3 {
        0 => decode::<R, NoPrior>(kind, Scheme::GradientFlow, n, dim, input.0),
        1 => decode::<R, NoPrior>(kind, Scheme::BirthDeath, n, dim, input.0),
        _ => {
            let prior = ProductPrior::new(vec![Marginal::Normal { mean: R::ZERO, sd: R::ONE }; dim]).expect("a prior");
            decode::<R, ProductPrior<Vec<Marginal<R>>>>(kind, Scheme::Reinjection(prior), n, dim, input.0);
        }
    }
}

fn decode<R: Real, P: Prior<R> + Clone + PartialEq>(kind: u8, scheme: Scheme<P>, n: usize, dim: usize, bytes: &[u8]) {
    let size = checkpoint::size::<R, Stream>(dim, n);
    let mut bytes = bytes.to_vec();
    // the fuzzer gets the places that the caller decides for nothing, unless it wants them itself
    if kind & 8 == 0 {
        let scheme = match scheme {
            Scheme::GradientFlow => 0,
            Scheme::BirthDeath => 1,
            _ => 2,
        };
        // another shape, of another size, unless it is the same one
        let said = if kind & 64 == 0 {
            [dim, n]
        } else {
            [12, 16].map(|at| usize::from(bytes.get(at).map_or(0, |byte| byte % 10)))
        };
        bytes.resize(checkpoint::size::<R, Stream>(said[0], said[1]), 0);
        let [dim, len] = said.map(|number| u32::try_from(number).expect("small").to_le_bytes());
        bytes[..8].copy_from_slice(&[b'B', b'D', b'C', b'P', 1, 0, size_of::<R>() as u8, scheme]);
        bytes[12..24].copy_from_slice(&[dim, len, [4, 0, 0, 0]].concat());
        if kind & 128 == 0 {
            bytes[24..32].copy_from_slice(&TAG.to_le_bytes());
        }
    }
    if kind & 16 == 0 {
        repair(&mut bytes);
    }

    let start: Vec<R> = (0..n * dim).map(|i| R::from_count(i as u32 + 1)).collect();
    let alpha = if scheme == Scheme::GradientFlow { R::ZERO } else { R::ONE };
    let mut x = Particles::new(&start, dim, n, 1);
    let mut dynamics = Dynamics::new(scheme, R::HALF, alpha).expect("dynamics");
    let mut rng = Stream::seeded(9, 0);
    let before = (x.values.clone(), dynamics.clone(), rng.clone());
    match checkpoint::restore(TAG, &bytes, &mut x.rows_mut(), &mut dynamics, &mut rng) {
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert!(same(&x.values, &before.0) && dynamics == before.1 && rng == before.2, "changed by {error}");
        }
        Ok(()) => {
            let mut again = vec![0xaa; size + 1];
            let rows = x.rows_mut();
            let save = |out: &mut [u8]| checkpoint::save(TAG, rows.as_rows(), &dynamics, &rng, out);
            assert_eq!(save(&mut again), Ok(size));
            assert_eq!((&again[..size], again[size]), (&bytes[..size], 0xaa), "the same bytes, and no more");
            let mut short = vec![0xaa; size - 1];
            assert!(matches!(save(&mut short), Err(Error::Capacity { .. })));
            go_on(&mut x, &mut dynamics, &mut rng);
        }
    }
}

/// A decoded state can be gone on with: steps succeed or are refused.
fn go_on<R: Real, P: Prior<R> + Clone + PartialEq>(
    x: &mut Particles<R>,
    dynamics: &mut Dynamics<R, P>,
    rng: &mut Stream,
) {
    let curvature = vec![R::ONE; x.dim];
    let mut energy = Quadratic::new(&curvature).expect("an energy");
    let mut ancestors = founders(x.len);
    for _ in 0..2 {
        let _ = step(x, dynamics, &mut energy, rng, &mut ancestors);
    }
}
