//! The ReLU student-teacher loss on the sphere, by quadrature over the angle in the plane of two units: no arc-cosine
//! kernel.
//!
//! phi(x, a) = max(a . x, 0), x uniform on the unit sphere of R^d. Two units see the two components of x in their plane
//! only, of which the angle u is uniform and the squared radius has mean 2/d. With u counted from a, and b at the angle
//! t,
//!
//! ```text
//! <phi(a) phi(b)>      = |a| |b| (2/d) 1/(2 pi) ∫ cos u cos(u - t) du                u from t - pi/2 to pi/2
//! d/da <phi(a) phi(b)> = |b| (2/d) 1/(2 pi) ∫ (cos u e1 + sin u e2) cos(u - t) du    e1 = a/|a|,
//!                                                                                    e2 across it towards b
//! ```
//!
//! the second because phi(a) has the slope x where a . x > 0, of which what is across the plane cancels.

use super::models::{Fields, MeanField, Nodes};
use birth_death_stats::quadrature::Rule;
use core::f64::consts::{FRAC_PI_2, TAU};

/// Gauss-Legendre nodes of an arc of at most pi, for sines and cosines of at most 2 u: exact to the last bits.
const NODES: usize = 24;

/// `E = 1/2 <(f_mu - f)^2>`, `f_mu = s ∫ c phi(., a) dmu(c, a)`, for a teacher f of such units. Row 0 of the nodes is
/// c, rows 1 to d are a.
#[derive(Clone, Debug, PartialEq)]
pub struct StudentTeacher {
    teacher: Vec<(f64, Vec<f64>)>,
    scale: f64,
    rule: Rule,
}

impl StudentTeacher {
    /// Output weights and directions of the teacher's units, one at least, and s.
    pub fn new(teacher: Vec<(f64, Vec<f64>)>, scale: f64) -> Self {
        Self { teacher, scale, rule: Rule::legendre(NODES, -1.0, 1.0) }
    }

    /// `<phi(a) phi(b)>` and its gradient in a; both 0 at a = 0.
    fn pair(&self, a: &[f64], b: &[f64]) -> (f64, Vec<f64>) {
        let (size, other) = (norm(a), norm(b));
        if size == 0.0 || other == 0.0 {
            return (0.0, vec![0.0; a.len()]);
        }
        let e1: Vec<f64> = a.iter().map(|x| x / size).collect();
        let along = dot(&e1, b);
        let mut e2: Vec<f64> = b.iter().zip(&e1).map(|(b, e)| b - along * e).collect();
        let across = norm(&e2);
        e2.iter_mut().for_each(|x| *x = if across > 0.0 { *x / across } else { 0.0 });
        let t = across.atan2(along);
        let half = 0.5 * (TAU / 2.0 - t);
        let mut sums = [0.0; 2];
        for (&z, &w) in self.rule.nodes.iter().zip(&self.rule.weights) {
            let u = FRAC_PI_2 - half + half * z;
            let weight = half * w * (u - t).cos();
            sums[0] += weight * u.cos();
            sums[1] += weight * u.sin();
        }
        let factor = other * 2.0 / (a.len() as f64 * TAU);
        let gradient = e1.iter().zip(&e2).map(|(x, y)| factor * (sums[0] * x + sums[1] * y)).collect();
        (factor * size * sums[0], gradient)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

impl MeanField for StudentTeacher {
    fn dim(&self) -> usize {
        self.teacher[0].1.len() + 1
    }

    fn fields(&self, nodes: &Nodes, out: &mut Fields) -> f64 {
        // the residual f_mu - f is a sum of units too
        let direction = |i: usize| -> Vec<f64> { nodes.x[1..].iter().map(|row| row[i]).collect() };
        let student = (0..nodes.len()).map(|i| (self.scale * nodes.w[i] * nodes.x[0][i], direction(i)));
        let residual: Vec<(f64, Vec<f64>)> = student.chain(self.teacher.iter().map(|(q, b)| (-q, b.clone()))).collect();
        let mut energy = 0.0;
        for (at, (weight, a)) in residual.iter().enumerate() {
            let (mut value, mut slope) = (0.0, vec![0.0; a.len()]);
            for (other, b) in &residual {
                let (k, gradient) = self.pair(a, b);
                value += other * k;
                slope.iter_mut().zip(&gradient).for_each(|(s, g)| *s += other * g);
            }
            energy += 0.5 * weight * value;
            if at < nodes.len() {
                let c = nodes.x[0][at];
                out.v[at] = self.scale * c * value;
                out.grad[0][at] = self.scale * value;
                for (row, s) in out.grad[1..].iter_mut().zip(&slope) {
                    row[at] = self.scale * c * s;
                }
            }
        }
        energy
    }
}

#[cfg(test)]
mod tests {
    use super::super::models::evaluate;
    use super::*;

    fn model() -> StudentTeacher {
        StudentTeacher::new(vec![(0.7, vec![1.0, -0.4, 0.2]), (-1.1, vec![0.3, 0.9, -1.3])], 2.0)
    }

    fn student() -> Nodes {
        let x = vec![vec![0.5, -1.2], vec![0.8, 0.1], vec![-0.3, 1.4], vec![1.1, -0.6]];
        Nodes { x, w: vec![0.3, 0.7] }
    }

    #[test]
    fn pairs_at_known_angles() {
        let model = model();
        // half of the second moment, nothing, and the mean of two halves of a circle
        let close = |a: &[f64], b: &[f64], expected: f64| assert!((model.pair(a, b).0 - expected).abs() < 1e-15);
        close(&[2.0, 0.0, 0.0], &[3.0, 0.0, 0.0], 6.0 / 6.0);
        close(&[2.0, 0.0, 0.0], &[-3.0, 0.0, 0.0], 0.0);
        close(&[2.0, 0.0, 0.0], &[0.0, 3.0, 0.0], 6.0 / (3.0 * TAU));
        close(&[0.0; 3], &[1.0, 0.0, 0.0], 0.0);
    }

    #[test]
    fn energy_and_potential_are_the_integrals_over_the_sphere() {
        let (model, nodes) = (model(), student());
        let (energy, fields) = evaluate(&model, &nodes);
        // height is uniform on the sphere of R^3, and so is longitude: midpoints, whose error at kinks is of the order
        // of the squared spacing
        const N: usize = 600;
        let relu = |a: &[f64], x: &[f64]| dot(a, x).max(0.0);
        let unit = |i: usize| (nodes.x[0][i], vec![nodes.x[1][i], nodes.x[2][i], nodes.x[3][i]]);
        let (mut direct, mut potential) = (0.0, [0.0; 2]);
        for h in 0..N {
            let z = (2.0 * h as f64 + 1.0) / N as f64 - 1.0;
            let r = (1.0 - z * z).sqrt();
            for l in 0..N {
                let (sin, cos) = (TAU * (l as f64 + 0.5) / N as f64).sin_cos();
                let x = [r * cos, r * sin, z];
                let output: f64 = (0..2).map(|i| 2.0 * nodes.w[i] * unit(i).0 * relu(&unit(i).1, &x)).sum();
                let target: f64 = model.teacher.iter().map(|(q, b)| q * relu(b, &x)).sum();
                let weight = 1.0 / (N * N) as f64;
                direct += 0.5 * weight * (output - target) * (output - target);
                for (i, v) in potential.iter_mut().enumerate() {
                    *v += weight * 2.0 * unit(i).0 * (output - target) * relu(&unit(i).1, &x);
                }
            }
        }
        assert!((energy - direct).abs() < 1e-5 * direct, "{energy} {direct}");
        for (v, direct) in fields.v.iter().zip(potential) {
            assert!((v - direct).abs() < 1e-5, "{v} {direct}");
        }
    }

    #[test]
    fn slopes_are_those_of_the_potential() {
        let (model, nodes) = (model(), student());
        let (_, fields) = evaluate(&model, &nodes);
        // V of one more unit without weight: mu is held fixed
        let potential = |at: &[f64]| {
            let mut more = nodes.clone();
            more.x.iter_mut().zip(at).for_each(|(row, &x)| row.push(x));
            more.w.push(0.0);
            evaluate(&model, &more).1.v[2]
        };
        const H: f64 = 1e-5;
        for i in 0..2 {
            let at: Vec<f64> = nodes.x.iter().map(|row| row[i]).collect();
            for k in 0..4 {
                let shifted = |h: f64| {
                    let mut at = at.clone();
                    at[k] += h;
                    potential(&at)
                };
                let slope = (shifted(H) - shifted(-H)) / (2.0 * H);
                // differences: H^2 and 1e-16 / H
                assert!((slope - fields.grad[k][i]).abs() < 1e-9, "{slope} {}", fields.grad[k][i]);
            }
        }
    }
}
