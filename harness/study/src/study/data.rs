//! What a replicate is made of: teacher, start and a stream of fresh batches, the same for all cells.
//!
//! Normals are rand_distr's (ziggurat) on PCG64-MCG, three times as fast as the core's. Bits are those of the
//! platform's `exp` and `ln`, which one draw in a hundred asks.

use birth_death::models::{DataSource, Examples};
use birth_death::{Error, Real, Stream};
use rand_core::Rng;
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64Mcg;

use super::setting::{BATCH, Cell, DIMENSION, SPREAD, Scaling, TEACHERS};

/// Teachers are padded with silent ones to the lanes of the loops.
const LANES: usize = 16;

/// A generator of many normals from a stream of its own.
fn generator(seed: u64, stream: u64) -> Pcg64Mcg {
    let mut words = Stream::seeded(seed, stream);
    Pcg64Mcg::new(u128::from(words.next_u64()) << 64 | u128::from(words.next_u64()))
}

/// What a stream of a replicate is for.
#[derive(Clone, Copy)]
enum Purpose {
    Teacher,
    Start,
    Data,
    Events,
}

/// The stream of `purpose`: replicate and purpose have bits of their own, and so has the cell.
fn stream(cell: u64, replicate: u64, purpose: Purpose) -> u64 {
    cell << 32 | replicate << 8 | purpose as u64
}

/// The generator of the events: every cell has its own.
pub fn events(seed: u64, cell: &Cell, replicate: u64) -> Stream {
    // FNV-1a of the name: a cell more or less changes no other one's
    let fold = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let number = cell.to_string().bytes().fold(0x811c_9dc5, fold);
    Stream::seeded(seed, stream(u64::from(number), replicate, Purpose::Events))
}

/// The teacher of a replicate, output weights in row 0: uniform on `±1/sqrt(teachers)`; directions normal, of length `1
/// / |q_t|`.
pub fn teacher(seed: u64, (inputs, teachers): (usize, usize), replicate: u64) -> Vec<f64> {
    let mut rng = generator(seed, stream(0, replicate, Purpose::Teacher));
    let mut rows = vec![0.0; (inputs + 1) * teachers];
    for t in 0..teachers {
        let q = symmetric(&mut rng) / (teachers as f64).sqrt();
        let b: Vec<f64> = (0..inputs).map(|_| StandardNormal.sample(&mut rng)).collect();
        let length = b.iter().map(|b| b * b).sum::<f64>().sqrt() * q.abs();
        // the notebook works in f32, and the population loss is that of the very teacher of the batches
        rows[t] = single(q);
        for (k, b) in b.iter().enumerate() {
            rows[(k + 1) * teachers + t] = single(b / length);
        }
    }
    rows
}

/// The student that a cell starts with, unit after unit: cells of a replicate have the same numbers, scaled.
pub fn start<R: Real>(seed: u64, cell: &Cell, replicate: u64) -> Vec<R> {
    let mut rng = generator(seed, stream(0, replicate, Purpose::Start));
    let (n, (inputs, _)) = (cell.particles, cell.sizes());
    let (c, a) = match cell.scaling {
        Scaling::Notebook | Scaling::Population => (1.0 / (n as f64).sqrt(), 1.0 / (n as f64).sqrt()),
        // a uniform on ±1 has variance 1/3
        Scaling::MeanField => (SPREAD * 3f64.sqrt(), SPREAD / (inputs as f64).sqrt()),
        Scaling::Kernel | Scaling::FineKernel => (1.0, 1.0),
    };
    let mut rows = vec![R::ZERO; (inputs + 1) * n];
    for i in 0..n {
        rows[i] = R::from_f64(c * symmetric(&mut rng));
        for k in 1..=inputs {
            let z: f64 = StandardNormal.sample(&mut rng);
            rows[k * n + i] = R::from_f64(a * z);
        }
    }
    rows
}

/// Uniform on (-1, 1).
fn symmetric(rng: &mut impl Rng) -> f64 {
    2.0 * f64::uniform(rng) - 1.0
}

/// Rounded to f32.
fn single(x: f64) -> f64 {
    f64::from(x as f32)
}

/// Fresh batches: inputs uniform on the unit sphere, targets the teacher's. A step's batch depends on seed, replicate
/// and step only.
#[derive(Debug)]
pub struct Sphere {
    /// `weights[k][t]`: component k of all teachers, and their output weights.
    weights: Vec<[f32; LANES]>,
    outputs: [f32; LANES],
    key: u64,
    inputs: Vec<f32>,
    targets: Vec<f32>,
}

impl Sphere {
    /// The batches of a replicate.
    pub fn new(seed: u64, replicate: u64) -> Self {
        let teacher = teacher(seed, (DIMENSION, TEACHERS), replicate);
        let mut rows = teacher.chunks_exact(TEACHERS).map(|row| {
            let mut lanes = [0.0; LANES];
            lanes.iter_mut().zip(row).for_each(|(lane, &x)| *lane = x as f32);
            lanes
        });
        let outputs = rows.next().unwrap_or_default();
        Self {
            weights: rows.collect(),
            outputs,
            key: Stream::seeded(seed, stream(0, replicate, Purpose::Data)).next_u64(),
            inputs: vec![0.0; BATCH * DIMENSION],
            targets: vec![0.0; BATCH],
        }
    }
}

impl DataSource<f32> for Sphere {
    fn input_dim(&self) -> usize {
        DIMENSION
    }

    fn target_dim(&self) -> usize {
        1
    }

    fn largest(&self) -> usize {
        BATCH
    }

    fn examples(&mut self, step: u64) -> Result<Examples<'_, f32>, Error> {
        let mut rng = generator(self.key, step);
        for (input, target) in self.inputs.chunks_exact_mut(DIMENSION).zip(&mut self.targets) {
            let mut squares = 0.0f32;
            for x in input.iter_mut() {
                *x = StandardNormal.sample(&mut rng);
                squares += *x * *x;
            }
            let inverse = 1.0 / squares.sqrt();
            let mut activations = [0.0f32; LANES];
            for (x, weights) in input.iter_mut().zip(&self.weights) {
                *x *= inverse;
                for (activation, w) in activations.iter_mut().zip(weights) {
                    *activation += w * *x;
                }
            }
            let outputs = activations.iter().zip(&self.outputs);
            *target = outputs.map(|(&a, q)| if a > 0.0 { q * a } else { 0.0 }).sum();
        }
        Examples::new(&self.inputs, DIMENSION, &self.targets, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::setting::{Kind, cells};
    use super::*;
    use birth_death::Rows;
    use birth_death::models::{Activation, network::predict};

    const SEED: u64 = 1001;
    const SIZES: (usize, usize) = (DIMENSION, TEACHERS);

    fn batch(source: &mut Sphere, step: u64) -> (Vec<f32>, Vec<f32>) {
        source.examples(step).expect("a batch");
        (source.inputs.clone(), source.targets.clone())
    }

    #[test]
    fn inputs_are_uniform_on_the_sphere() {
        let mut source = Sphere::new(SEED, 0);
        const STEPS: u64 = 400;
        let mut inputs = Vec::new();
        for step in 0..STEPS {
            inputs.extend(batch(&mut source, step).0);
        }
        let count = inputs.len() as f64 / DIMENSION as f64;
        let d = DIMENSION as f64;
        for x in inputs.chunks(DIMENSION) {
            let length: f64 = x.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            // 50 squares rounded to f32, and a division
            assert!((length - 1.0).abs() < 5e-6, "{length}");
        }
        // on the sphere <x_k> = 0, <x_k^2> = 1/d, <x_k^4> = 3/(d (d + 2)), <x_k x_l> = 0: within five standard errors
        let mean = |f: &dyn Fn(&[f32]) -> f64| inputs.chunks(DIMENSION).map(f).sum::<f64>() / count;
        let within = |found: f64, expected: f64, variance: f64| {
            assert!((found - expected).abs() < 5.0 * (variance / count).sqrt(), "{found} {expected}");
        };
        let power = |k: usize, p: i32| move |x: &[f32]| f64::from(x[k]).powi(p);
        let fourth = 3.0 / (d * (d + 2.0));
        for k in 0..DIMENSION {
            within(mean(&power(k, 1)), 0.0, 1.0 / d);
            within(mean(&power(k, 2)), 1.0 / d, fourth - 1.0 / (d * d));
            // <x^8> = 105 / (d (d + 2) (d + 4) (d + 6))
            within(mean(&power(k, 4)), fourth, 105.0 / (d * (d + 2.0) * (d + 4.0) * (d + 6.0)) - fourth * fourth);
            let next = (k + 1) % DIMENSION;
            within(mean(&|x: &[f32]| f64::from(x[k]) * f64::from(x[next])), 0.0, fourth / 3.0);
        }
        // examples are not each other's: neighbours in a batch, and one place in neighbouring batches
        let dot = |lag: usize| {
            let pairs = inputs.chunks(DIMENSION).zip(inputs.chunks(DIMENSION).skip(lag));
            let sum: f64 = pairs.map(|(x, y)| x.iter().zip(y).map(|(x, y)| f64::from(x * y)).sum::<f64>()).sum();
            sum / count
        };
        within(dot(1), 0.0, 1.0 / d);
        within(dot(BATCH), 0.0, 1.0 / d);
    }

    #[test]
    fn targets_are_the_teacher_s() {
        let mut source = Sphere::new(SEED, 3);
        let (inputs, targets) = batch(&mut source, 17);
        let rows: Vec<f32> = teacher(SEED, SIZES, 3).iter().map(|&x| x as f32).collect();
        let rows = Rows::packed(&rows, DIMENSION + 1).expect("a teacher");
        for (input, target) in inputs.chunks(DIMENSION).zip(targets) {
            let mut output = [0.0f32];
            predict(Activation::Relu, TEACHERS as f32, rows, input, &mut output).expect("an output");
            // sums in another order: 60 roundings of numbers of order one
            assert!((output[0] - target).abs() < 1e-5, "{} {target}", output[0]);
        }
    }

    #[test]
    fn teachers_and_starts_have_the_notebook_s_laws() {
        let rows = teacher(SEED, SIZES, 0);
        for t in 0..TEACHERS {
            let length: f64 = (1..=DIMENSION).map(|k| rows[k * TEACHERS + t].powi(2)).sum::<f64>().sqrt();
            assert!((rows[t].abs() * length - 1.0).abs() < 1e-6 && rows[t].abs() < 0.1f64.sqrt());
        }
        for cell in cells().iter().filter(|cell| cell.kind == Kind::Flow) {
            let n = cell.particles as f64;
            let (mut charges, mut directions) = (Vec::new(), Vec::new());
            for replicate in 0..20 {
                let rows: Vec<f64> = start(SEED, cell, replicate);
                charges.extend_from_slice(&rows[..cell.particles]);
                directions.extend_from_slice(&rows[cell.particles..]);
            }
            let (c2, a2) = match cell.scaling {
                Scaling::Notebook | Scaling::Population => (1.0 / (3.0 * n), 1.0 / n),
                Scaling::MeanField => (4.0, 4.0 / 50.0),
                Scaling::Kernel | Scaling::FineKernel => (1.0 / 3.0, 1.0),
            };
            // kurtosis 9/5 and 3
            for (values, square, kurtosis) in [(charges, c2, 1.8), (directions, a2, 3.0)] {
                let count = values.len() as f64;
                let moment = |p: i32| values.iter().map(|x| x.powi(p)).sum::<f64>() / count;
                assert!(moment(1).abs() < 5.0 * (square / count).sqrt(), "{cell}");
                let error = square * ((kurtosis - 1.0) / count).sqrt();
                assert!((moment(2) - square).abs() < 5.0 * error, "{cell}: {} {square}", moment(2));
                let largest = values.iter().fold(0.0, |m: f64, x| if x.abs() > m { x.abs() } else { m });
                assert!(kurtosis > 2.0 || largest <= (3.0 * square).sqrt() * (1.0 + 1e-6), "uniform: {largest}");
            }
        }
    }

    #[test]
    fn all_cells_of_a_replicate_share_start_teacher_and_data_but_not_events() {
        let words = |cell: &Cell, replicate| events(SEED, cell, replicate).next_u64();
        let all = cells();
        for (i, cell) in all.iter().enumerate() {
            assert_eq!(start::<f32>(SEED, cell, 4), start::<f32>(SEED, &cell.baseline(), 4));
            assert!(all[..i].iter().all(|other| words(other, 4) != words(cell, 4)));
            assert_ne!(words(cell, 4), words(cell, 5));
        }
        // sizes and scalings have the same numbers in other units
        let first = |cell: &Cell| {
            let rows: Vec<f64> = start(SEED, cell, 4);
            rows[cell.particles] / rows[2 * cell.particles]
        };
        for cell in &all {
            assert!((first(cell) / first(&all[0]) - 1.0).abs() < 1e-14, "{cell}");
        }
        // a batch is a function of the step, and of the replicate
        let (mut one, mut other) = (Sphere::new(SEED, 4), Sphere::new(SEED, 4));
        let far = batch(&mut one, 90_000);
        assert_eq!(batch(&mut one, 3), batch(&mut other, 3));
        assert_eq!(batch(&mut other, 90_000), far);
        assert_ne!(batch(&mut Sphere::new(SEED, 5), 3).0, batch(&mut one, 3).0);
        assert_ne!(batch(&mut Sphere::new(SEED + 1, 4), 3).0, batch(&mut one, 3).0);
        assert_ne!(teacher(SEED, SIZES, 4), teacher(SEED, SIZES, 5));
    }
}
