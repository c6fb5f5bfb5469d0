//! The student-teacher loss on fresh batches has the exact population loss as its mean, and that is what quadrature finds.

use birth_death::Marginal;

use super::check::{Evidence, Measured, largest};
use super::relu::Teacher;
use super::{Claim, Context, Interrupted, Kind};
use crate::oracles::models::{Nodes, evaluate};
use crate::subject::{Setup, Trial, product};

pub static CLAIM: Claim = Claim {
    id: "population-loss",
    kind: Kind::Limit,
    statement: "the student-teacher loss by the arc-cosine kernel is the mean of that on fresh batches: E, V and grad V",
    source: "arXiv:1902.01843, the student-teacher example, with the authors' notebook student_teacher_example, which draws batches",
    setting: "four ReLU teachers drawn as the authors draw theirs, students standard normal; units, dimensions and scales 1, 3, 1; 5, 2, 1; \
              20, 6, 20; 20, 10, 1. Inputs uniform on the sphere, 1000 in a batch; a new teacher, student and batch in each of 600 replicates",
    estimator: "E of the batch over that of the kernel; of V and grad V the part along the kernel's, and the part along it with signs changed at every \
                second entry, both over its square. Kernel against oracle: largest deviation, relative to the largest magnitude",
    oracle: "quadrature over the angle in the plane of two units (no kernel formula, no formula of its gradient)",
    tolerance: "kernel: 1e-12, some hundred roundings, and E is what is left of sums ten times as large. Batches: no bias; the largest \
                standard deviation of a replicate is 0.11 (1000 replicates on another seed), the t quantile of the level 6.3: \
                (6.3 + 4.5) 0.11 / sqrt(600) = 0.05",
    measure,
};

const REPLICATES: u64 = 600;
/// Those that are held against the oracle too.
const WITH_ORACLE: u64 = 60;
const TEACHERS: usize = 4;
const BATCH: usize = 1000;
const TOLERANCE: f64 = 0.05;
/// Units, input dimension and scale.
const CASES: [(usize, usize, f64); 4] = [(1, 3, 1.0), (5, 2, 1.0), (20, 6, 20.0), (20, 10, 1.0)];

/// E, V, and grad V row after row.
type Values = (f64, Vec<f64>, Vec<f64>);

fn values(trial: &mut Trial) -> Values {
    let energy = trial.evaluate().map_or(f64::NAN, |(energy, _)| energy);
    (energy, trial.potentials().to_vec(), trial.gradients().iter().flatten().copied().collect())
}

fn measure(context: &Context) -> Result<Evidence, Interrupted> {
    let found = context.map(context.replicates(REPLICATES), |replicate| {
        let (units, inputs, scale) = CASES[(replicate % CASES.len() as u64) as usize];
        let setup = Setup::gradient_flow(units, 0.0);
        let teacher = Teacher::draw(&mut context.subject.words(context.stream(1, replicate)), TEACHERS, inputs);
        let mut exact = context.trial(&setup, teacher.exact(scale), 0, replicate);
        exact.draw(&product(&vec![Marginal::Normal { mean: 0.0, sd: 1.0 }; inputs + 1]));
        let key = (context.subject.seed, context.stream(2, replicate));
        let mut batch = context.trial(&setup, teacher.batches(scale, BATCH, key), 3, replicate);
        batch.place(&exact.values());
        let (kernel, drawn) = (values(&mut exact), values(&mut batch));
        let deviations = (replicate < WITH_ORACLE).then(|| {
            let nodes = Nodes::ensemble(exact.values().chunks(units).map(<[f64]>::to_vec).collect());
            let (energy, fields) = evaluate(&teacher.oracle(scale), &nodes);
            let relative = |found: &[f64], expected: &[f64]| {
                let size = largest(expected.iter().copied());
                largest(found.iter().zip(expected).map(|(a, b)| (a - b) / size))
            };
            [
                relative(&[kernel.0], &[energy]),
                relative(&kernel.1, &fields.v),
                relative(&kernel.2, &fields.grad.concat()),
            ]
        });
        let ratios = [
            drawn.0 / kernel.0,
            part(&drawn.1, &kernel.1, false),
            part(&drawn.2, &kernel.2, false),
            part(&drawn.1, &kernel.1, true) - part(&kernel.1, &kernel.1, true),
            part(&drawn.2, &kernel.2, true) - part(&kernel.2, &kernel.2, true),
        ];
        (ratios, deviations)
    })?;
    let names = ["E", "V_i", "grad V_i"];
    let deviation = |k: usize| largest(found.iter().filter_map(|(_, deviations)| Some(deviations.as_ref()?[k])));
    let exact = names.iter().enumerate().map(|(k, name)| {
        Measured::exact(
            format!("kernel's {name}, relative deviation from quadrature"),
            deviation(k),
            1e-12,
            WITH_ORACLE,
        )
    });
    let of_batches = [
        ("E of a batch over the kernel's", 1.0),
        ("V of a batch along the kernel's", 1.0),
        ("grad V of a batch along the kernel's", 1.0),
        ("V of a batch less the kernel's, along it with signs", 0.0),
        ("grad V of a batch less the kernel's, along it with signs", 0.0),
    ];
    let limits = of_batches.iter().enumerate().map(|(k, (what, expected))| {
        let ratios: Vec<f64> = found.iter().map(|(ratios, _)| ratios[k]).collect();
        Measured::mean(*what, &ratios, *expected, TOLERANCE)
    });
    Ok(exact.chain(limits).collect::<Vec<_>>().into())
}

/// `sum_i s_i x_i y_i / sum_i y_i^2`, with signs `s_i` that change at every second entry if asked for.
fn part(x: &[f64], y: &[f64], signs: bool) -> f64 {
    let squares: f64 = y.iter().map(|y| y * y).sum();
    let sign = |i: usize| if signs && i % 2 == 1 { -1.0 } else { 1.0 };
    x.iter().zip(y).enumerate().map(|(i, (x, y))| sign(i) * x * y).sum::<f64>() / squares
}
