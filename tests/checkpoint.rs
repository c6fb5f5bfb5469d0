//! Checkpoints: a resumed run is the run that was not interrupted, and damaged bytes change nothing.

mod common;

use birth_death::models::{Activation, DoubleWell, Examples, Loss, MiniBatches, Network};
use birth_death::{
    Dynamics, Energy, Ensemble, Error, Fault, Marginal, ProductPrior, Quantity, Rate, Real, Stream, checkpoint,
};
use common::Memory;

const TAG: u64 = 0x0123_4567_89ab_cdef;
const N: usize = 9;

type Law<R> = ProductPrior<[Marginal<R>; 2]>;

fn law<R: Real>() -> Law<R> {
    ProductPrior::new([Marginal::Normal { mean: R::ZERO, sd: R::ONE }; 2]).expect("a law")
}

/// The three schemes with everything that a builder can set.
fn dynamics<R: Real>(scheme: usize) -> Dynamics<R, Law<R>> {
    let (dt, alpha) = (R::from_f64(0.05), R::from_f64(3.0));
    let scheme = match scheme {
        0 => return Dynamics::new(birth_death::Scheme::GradientFlow, dt, R::ZERO).expect("dynamics"),
        1 => birth_death::Scheme::BirthDeath,
        _ => birth_death::Scheme::Reinjection(law()),
    };
    Dynamics::new(scheme, dt, alpha).and_then(|d| d.with_rate(Rate::Raw)).expect("dynamics").with_quench_from(25)
}

struct Run<R: Real> {
    memory: Memory<R>,
    dynamics: Dynamics<R, Law<R>>,
    rng: Stream,
}

impl<R: Real> Run<R> {
    fn new(scheme: usize, seed: u64) -> Self {
        let memory = Memory::uniform(N, 2, 3, seed, -1.5, 1.5);
        Self { memory, dynamics: dynamics(scheme), rng: Stream::seeded(seed, 3) }
    }

    fn steps(&mut self, energy: &mut dyn Energy<R>, steps: usize) {
        for _ in 0..steps {
            // a schedule, so that the time's origin is not zero
            if self.dynamics.steps() == 7 {
                self.dynamics.set_dt(R::from_f64(0.04)).expect("a step");
            }
            self.memory.step(&mut self.dynamics, energy, &mut self.rng).expect("a step");
        }
    }

    fn save_into(&self, tag: u64, out: &mut [u8]) -> Result<usize, Error> {
        checkpoint::save(tag, self.memory.rows(), &self.dynamics, &self.rng, out)
    }

    fn restore(&mut self, tag: u64, saved: &[u8]) -> Result<(), Error> {
        checkpoint::restore(tag, saved, &mut self.memory.rows_mut(), &mut self.dynamics, &mut self.rng)
    }

    fn save(&self) -> Vec<u8> {
        let mut bytes = vec![0xaa; checkpoint::size::<R, Stream>(2, N) + 5];
        let size = self.save_into(TAG, &mut bytes).expect("room");
        assert_eq!(bytes[size..], [0xaa; 5], "nothing after the checkpoint is written");
        bytes.truncate(size);
        bytes
    }

    /// Everything that a step changes, by its bits.
    fn bits(&self) -> (Vec<u64>, String, Stream) {
        let values = self.memory.rows().iter().flatten().map(|x| x.to_f64().to_bits()).collect();
        (values, format!("{:?} {}", self.dynamics, self.dynamics.time()), self.rng.clone())
    }
}

fn resumes<R: Real>(scheme: usize) {
    for at in [0, 1, 7, 8, 20, 30] {
        let mut energy = DoubleWell::new(R::from_f64(0.1), 2).expect("a model");
        let mut whole = Run::<R>::new(scheme, 1);
        whole.steps(&mut energy, at);
        let saved = whole.save();
        whole.steps(&mut energy, 40 - at);
        // other particles, another seed, parameters as the program sets them
        let mut resumed = Run::<R>::new(scheme, 2);
        resumed.steps(&mut energy, 3);
        resumed.restore(TAG, &saved).expect("as it was saved");
        resumed.steps(&mut energy, 40 - at);
        assert_eq!(whole.bits(), resumed.bits(), "scheme {scheme} from step {at}");
    }
}

#[test]
fn a_resumed_run_is_the_run_that_was_not_interrupted() {
    for scheme in 0..3 {
        resumes::<f32>(scheme);
        resumes::<f64>(scheme);
    }
}

#[test]
fn mini_batches_go_on_with_the_step() {
    let x: Vec<f32> = (0..14u8).map(|i| f32::from(i) / 7.0 - 1.0).collect();
    let y: Vec<f32> = x.iter().map(|x| x * x).collect();
    let data = Examples::new(&x, 1, &y, 1).expect("examples");
    let run = |from: Option<&[u8]>, steps: usize| {
        let (mut order, mut a, mut b, mut scratch) = (vec![0; 14], [0.0; 4], [0.0; 4], vec![0.0; 140]);
        let batches = MiniBatches::new(data, &mut order, &mut a, &mut b, 5, 6).expect("batches");
        let mut network = Network::new(Activation::Tanh, Loss::Squared, batches, &mut scratch).expect("a network");
        let mut run = Run::<f32>::new(1, 4);
        if let Some(saved) = from {
            run.restore(TAG, saved).expect("as it was saved");
        }
        run.steps(&mut network, steps);
        (run.save(), run.bits())
    };
    let (half, _) = run(None, 10);
    assert_eq!(run(Some(&half), 13).1, run(None, 23).1);
}

/// Decodes and checks that nothing has changed, if it was refused.
fn refused(run: &mut Run<f32>, bytes: &[u8]) -> Option<Error> {
    let before = run.bits();
    let outcome = run.restore(TAG, bytes);
    if outcome.is_err() {
        assert_eq!(run.bits(), before, "after {outcome:?}");
    }
    outcome.err()
}

#[test]
fn no_truncation_and_no_flipped_bit_gets_through() {
    let mut energy = DoubleWell::new(0.1, 2).expect("a model");
    for scheme in 0..3 {
        let mut run = Run::<f32>::new(scheme, 1);
        run.steps(&mut energy, 12);
        let saved = run.save();
        let mut other = Run::<f32>::new(scheme, 2);
        for length in 0..saved.len() {
            let error = refused(&mut other, &saved[..length]);
            let Some(Error::Checkpoint(Fault::Truncated { needed, found })) = error else {
                panic!("{length}: {error:?}")
            };
            assert!(found == length && needed > length);
        }
        for bit in 0..saved.len() * 8 {
            let mut bytes = saved.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let error = refused(&mut other, &bytes);
            assert!(matches!(error, Some(Error::Checkpoint(_))), "bit {bit}: {error:?}");
        }
        assert_eq!(refused(&mut other, &saved), None);
    }
}

/// The checkpoint with bytes replaced and the checksum made right again.
fn forged(saved: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut forged = saved.to_vec();
    forged[at..at + bytes.len()].copy_from_slice(bytes);
    let body = forged.len() - 4;
    // CRC-32 bit by bit: the definition, not the crate's dependency
    let mut crc = u32::MAX;
    for &byte in &forged[..body] {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    forged[body..].copy_from_slice(&(!crc).to_le_bytes());
    forged
}

#[test]
fn forged_values_are_refused_by_name() {
    let mut run = Run::<f32>::new(1, 1);
    run.steps(&mut DoubleWell::new(0.1, 2).expect("a model"), 12);
    let saved = run.save();
    assert_eq!(forged(&saved, 0, b"BDCP"), saved, "the checksum is the documented one");
    let mut other = Run::<f32>::new(1, 2);
    let mut error = |at: usize, bytes: &[u8]| refused(&mut other, &forged(&saved, at, bytes)).expect("refused");
    let checkpoint = Error::Checkpoint;
    assert_eq!(error(0, b"X"), checkpoint(Fault::Magic));
    assert_eq!(error(4, &[2]), checkpoint(Fault::Version { found: 2 }));
    assert_eq!(error(7, &[0]), Error::AlphaWithoutEvents { alpha: 3.0 });
    assert_eq!(error(7, &[2]), checkpoint(Fault::Scheme));
    for (at, value) in [(7, 3), (8, 2), (9, 2), (10, 1), (11, 1)] {
        assert_eq!(error(at, &[value]), checkpoint(Fault::Value), "{at}");
    }
    assert_eq!(error(12, &[1]), checkpoint(Fault::Checksum), "a shorter body has its checksum elsewhere");
    assert_eq!(error(24, &[0; 8]), checkpoint(Fault::Tag { found: 0 }));
    assert_eq!(error(48, &13u64.to_le_bytes()), checkpoint(Fault::Value), "dt came into force after the last step");
    for time in [-1.0, f64::NAN] {
        assert_eq!(error(56, &time.to_le_bytes()), checkpoint(Fault::Value));
    }
    for at in [64, 72] {
        for value in [-1.0, f64::NAN, f64::INFINITY, 1e300, 0.1] {
            assert!(matches!(error(at, &f64::to_le_bytes(value)), Error::Parameter { .. }), "{value} at {at}");
        }
    }
    assert_eq!(error(80, &[0; 16]), checkpoint(Fault::Generator));
    let last = 96 + 4 * (2 * N - 1);
    let bad = Error::NotFinite { quantity: Quantity::Position, particle: Some(N as u32 - 1) };
    assert_eq!(error(last, &f32::NAN.to_le_bytes()), bad);
}

#[test]
fn another_precision_scheme_shape_or_tag_is_refused_and_so_is_little_room() {
    let saved = Run::<f32>::new(1, 1).save();
    let mut wide = Run::<f64>::new(1, 1);
    assert_eq!(wide.restore(TAG, &saved), Err(Error::Checkpoint(Fault::Precision { bytes: 4 })));
    assert_eq!(refused(&mut Run::new(2, 1), &saved), Some(Error::Checkpoint(Fault::Scheme)));
    let mut run = Run::<f32>::new(1, 1);
    assert_eq!(run.restore(TAG + 1, &saved), Err(Error::Checkpoint(Fault::Tag { found: TAG })));
    run.memory = Memory::uniform(N - 1, 2, 0, 1, 0.0, 1.0);
    assert!(matches!(refused(&mut run, &saved), Some(Error::Mismatch { expected: N, .. })));
    run.memory = Memory::uniform(N, 3, 0, 1, 0.0, 1.0);
    assert!(matches!(refused(&mut run, &saved), Some(Error::Mismatch { expected: 2, found: 3, .. })));

    let mut run = Run::<f32>::new(1, 1);
    let size = checkpoint::size::<f32, Stream>(2, N);
    assert_eq!(size, 84 + 16 + 4 * 2 * N);
    let mut room = vec![7; size - 1];
    let refused = run.save_into(TAG, &mut room);
    assert_eq!(refused, Err(Error::Capacity { what: "bytes of a checkpoint", capacity: size - 1, requested: size }));
    run.memory.rows_mut().row_mut(1)[2] = f32::INFINITY;
    let mut room = vec![7; size];
    assert!(matches!(run.save_into(TAG, &mut room), Err(Error::NotFinite { particle: Some(2), .. })));
    assert!(room.iter().all(|&byte| byte == 7));
}

#[test]
fn an_ensemble_takes_the_saved_number_of_particles() {
    let run = Run::<f32>::new(1, 1);
    let saved = run.save();
    let (mut dynamics, mut rng) = (run.dynamics.clone(), Stream::seeded(9, 9));
    let mut room = Ensemble::<f32, 2, { N + 3 }>::new();
    room.push([7.0, 7.0]).expect("room");
    checkpoint::restore(TAG, &saved, &mut room, &mut dynamics, &mut rng).expect("as it was saved");
    assert!(room.rows().iter().flatten().eq(run.memory.rows().iter().flatten()) && room.len() == N);
    let mut small = Ensemble::<f32, 2, { N - 1 }>::new();
    small.push([7.0, 7.0]).expect("room");
    let refused = checkpoint::restore(TAG, &saved, &mut small, &mut dynamics, &mut rng);
    assert_eq!(refused, Err(Error::Capacity { what: "particles", capacity: N - 1, requested: N }));
    assert_eq!(small.iter().collect::<Vec<_>>(), [[7.0, 7.0]]);
}

#[test]
fn the_bytes_are_the_documented_ones() {
    let x = Memory::<f32> { x: vec![1.0, -0.5], ..Memory::uniform(2, 1, 0, 1, 0.0, 1.0) };
    let dynamics = Dynamics::<f32>::birth_death(0.25, 2.0).expect("dynamics").with_quench_from(9);
    let rng = Stream::seeded(1, 0);
    let mut bytes = [0; 108];
    assert_eq!(checkpoint::save(0xa1, x.rows(), &dynamics, &rng, &mut bytes), Ok(108));
    let expected = [
        "42444350 0100 04 01 00 01 0000 01000000 02000000 04000000",
        "a100000000000000 0000000000000000 0900000000000000 0000000000000000 0000000000000000",
        "000000000000d03f 0000000000000040",
        // the stream's first words, which its documentation has: 16399384, 4167847072, ...
        "183cfa00 a04c6cf8",
    ];
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(hex.starts_with(&expected.concat().replace(' ', "")), "{hex}");
    assert_eq!(&hex[96 * 2..104 * 2], "0000803f000000bf");
}
