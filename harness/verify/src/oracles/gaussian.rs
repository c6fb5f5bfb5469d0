//! G: the Gaussian law of a quadratic external potential, in closed form.
//!
//! F(theta) = 1/2 sum_k h_k theta_k^2, K = 0, start N(0, diag(1 / P_k)). Along PDE 1 (arXiv:1902.01843, birth-death
//! dynamics) the law stays Gaussian and centred. Transport turns theta_k into theta_k e^(-h_k t), so P_k' = 2 h_k P_k;
//! birth-death multiplies the density by e^(-alpha (V - Vbar) t), so P_k' = alpha h_k. Together P_k' = h_k (2 P_k +
//! alpha).

/// The law at time 0 and the dynamics that move it.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianLaw {
    /// h_k, one for every component.
    pub curvature: Vec<f64>,
    /// P_k at time 0, one for every component: the inverse of the start's variance.
    pub precision: Vec<f64>,
    /// Birth-death rate.
    pub alpha: f64,
    /// Whether particles also move down the gradient.
    pub transport: bool,
}

impl GaussianLaw {
    /// P_k(t), to rounding: `P e^(2ht) + (alpha/2)(e^(2ht) - 1)`, or `P + alpha h t` without transport.
    pub fn precision_at(&self, k: usize, t: f64) -> f64 {
        let (h, start) = (self.curvature[k], self.precision[k]);
        if self.transport {
            // expm1 keeps the second term accurate for small t.
            start * (2.0 * h * t).exp() + 0.5 * self.alpha * (2.0 * h * t).exp_m1()
        } else {
            start + self.alpha * h * t
        }
    }

    /// The mean of theta_k^2 at time t, `1 / P_k(t)`.
    pub fn second_moment(&self, k: usize, t: f64) -> f64 {
        1.0 / self.precision_at(k, t)
    }

    /// E(t) = 1/2 sum_k h_k / P_k(t).
    pub fn energy(&self, t: f64) -> f64 {
        (0..self.curvature.len()).map(|k| 0.5 * self.curvature[k] * self.second_moment(k, t)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_case(transport: bool) -> GaussianLaw {
        GaussianLaw { curvature: vec![1.0, 0.5], precision: vec![1.0, 1.0], alpha: 2.0, transport }
    }

    #[test]
    fn agrees_with_the_check_values_of_the_specification() {
        assert!((check_case(true).energy(1.0) - 0.092_639_4).abs() < 5e-8);
        assert!((check_case(false).energy(1.0) - 0.291_666_7).abs() < 5e-8);
        assert_eq!(check_case(true).energy(0.0), 0.75);
    }

    #[test]
    fn solves_its_differential_equation() {
        // RK4 on P' = h (alpha + 2 P [transport]), 2000 steps: each leaves out (2 h dt)^5 / 120 of P; twice that, and
        // rounding.
        for (h, start, alpha) in [(1.0, 1.0, 2.0), (0.3, 4.0, 5.0), (2.0, 0.02, 0.0)] {
            for transport in [true, false] {
                let law = GaussianLaw { curvature: vec![h], precision: vec![start], alpha, transport };
                let slope = |p: f64| h * (alpha + if transport { 2.0 * p } else { 0.0 });
                let (mut p, dt) = (start, 1e-3);
                for _ in 0..2000 {
                    let a = slope(p);
                    let b = slope(p + 0.5 * dt * a);
                    let c = slope(p + 0.5 * dt * b);
                    let d = slope(p + dt * c);
                    p += dt / 6.0 * (a + 2.0 * b + 2.0 * c + d);
                }
                let tolerance = 2.0 * 2000.0 * (2.0 * h * dt).powi(5) / 120.0 + 1e-12;
                assert!((law.precision_at(0, 2.0) / p - 1.0).abs() < tolerance);
            }
        }
    }

    #[test]
    fn pure_birth_death_decays_algebraically() {
        let law = check_case(false);
        let t = 1e6;
        assert!((law.energy(t) * 2.0 * law.alpha * t / 2.0 - 1.0).abs() < 1e-5);
    }
}
