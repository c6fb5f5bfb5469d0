//! The ReLU student-teacher model of claims: a teacher, and the energies of it, which own their memory.

use birth_death::models::{Activation, Fresh, Loss, Network, StudentTeacher, network};
use birth_death::random::normal;
use birth_death::{Energy, Error, Field, Generator, Marginal, Rows, Stream};

use crate::oracles::student_teacher;
use crate::subject::{BoxedEnergy, product};
use birth_death_simulate::simulation::Product;

/// A teacher: `rows[k][t]`, output weights in row 0.
#[derive(Clone, Debug)]
pub struct Teacher {
    rows: Vec<f64>,
    units: usize,
    inputs: usize,
}

impl Teacher {
    /// As the authors draw theirs: output weights uniform on `±1/sqrt(units)`, directions normal, then as long that
    /// every `|q| |b| = 1`.
    pub fn draw(rng: &mut impl Generator, units: usize, inputs: usize) -> Self {
        let mut rows = vec![0.0; units * (inputs + 1)];
        let reach = 1.0 / (units as f64).sqrt();
        for t in 0..units {
            let q: f64 = Marginal::Uniform { low: -reach, high: reach }.draw(rng);
            let b: Vec<f64> = (0..inputs).map(|_| normal(rng)).collect();
            let length = b.iter().map(|b| b * b).sum::<f64>().sqrt() * q.abs();
            rows[t] = q;
            b.iter().enumerate().for_each(|(k, b)| rows[(k + 1) * units + t] = b / length);
        }
        Self { rows, units, inputs }
    }

    /// The population loss, by the crate's kernel.
    pub fn exact(&self, scale: f64) -> BoxedEnergy {
        Box::new(Exact { teacher: self.clone(), scale })
    }

    /// The loss on a fresh batch of `size` examples a step, by the crate's network.
    pub fn batches(&self, scale: f64, size: usize, (seed, stream): (u64, u64)) -> BoxedEnergy {
        Box::new(Batches {
            teacher: self.clone(),
            scale,
            seed,
            stream,
            inputs: vec![0.0; size * self.inputs],
            targets: vec![0.0; size],
            scratch: vec![0.0; network::scratch_len(1, size)],
        })
    }

    /// The oracle's statement of the population loss.
    pub fn oracle(&self, scale: f64) -> student_teacher::StudentTeacher {
        let unit = |t: usize| {
            let direction = (1..=self.inputs).map(|k| self.rows[k * self.units + t]).collect();
            (self.rows[t], direction)
        };
        student_teacher::StudentTeacher::new((0..self.units).map(unit).collect(), scale)
    }

    fn output(&self, x: &[f64]) -> f64 {
        let unit = |t: usize| {
            let a: f64 = x.iter().enumerate().map(|(k, x)| x * self.rows[(k + 1) * self.units + t]).sum();
            if a > 0.0 { self.rows[t] * a } else { 0.0 }
        };
        (0..self.units).map(unit).sum()
    }
}

/// The start of the authors' students in mean-field units: `c` uniform on ±1, directions standard normal.
pub fn start(inputs: usize) -> Product<f64> {
    let mut marginals = vec![Marginal::Normal { mean: 0.0, sd: 1.0 }; inputs + 1];
    marginals[0] = Marginal::Uniform { low: -1.0, high: 1.0 };
    product(&marginals)
}

struct Exact {
    teacher: Teacher,
    scale: f64,
}

impl Energy<f64> for Exact {
    fn dim(&self) -> usize {
        self.teacher.inputs + 1
    }

    fn evaluate(&mut self, step: u64, at: Rows<'_, f64>, out: Field<'_, f64>) -> Result<f64, Error> {
        let Teacher { rows, inputs, .. } = &self.teacher;
        StudentTeacher::new(Rows::packed(rows, inputs + 1)?)?.with_scale(self.scale)?.evaluate(step, at, out)
    }
}

struct Batches {
    teacher: Teacher,
    scale: f64,
    seed: u64,
    stream: u64,
    inputs: Vec<f64>,
    targets: Vec<f64>,
    scratch: Vec<f64>,
}

impl Energy<f64> for Batches {
    fn dim(&self) -> usize {
        self.teacher.inputs + 1
    }

    fn evaluate(&mut self, step: u64, at: Rows<'_, f64>, out: Field<'_, f64>) -> Result<f64, Error> {
        let teacher = &self.teacher;
        let sample = |rng: &mut Stream, inputs: &mut [f64], targets: &mut [f64]| {
            for (x, y) in inputs.chunks_exact_mut(teacher.inputs).zip(targets) {
                x.iter_mut().for_each(|x| *x = normal(rng));
                let length = x.iter().map(|x| x * x).sum::<f64>().sqrt();
                x.iter_mut().for_each(|x| *x /= length);
                *y = teacher.output(x);
            }
        };
        let memory = ((&mut self.inputs[..], teacher.inputs), (&mut self.targets[..], 1));
        let source = Fresh::new(sample, memory.0, memory.1, (self.seed, self.stream))?;
        let network = Network::new(Activation::Relu, Loss::Squared, source, &mut self.scratch)?;
        network.with_scale(self.scale)?.evaluate(step, at, out)
    }
}
