//! The particle schemes, written a second time from their definition: individuals in a list instead of counts per slot.
//!
//! Given the same 32-bit words it must make the same choices as the crate, and end at the same positions up to
//! rounding.

use super::models::{MeanField, Nodes, evaluate};

/// Which dynamics.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// False for gradient flow.
    pub events: bool,
    /// What is missing is drawn from the prior (scheme 2) instead of copied (scheme 1).
    pub reinjection: bool,
    /// Rates from V - Vbar; else from V.
    pub centred: bool,
    /// Whether particles move.
    pub transport: bool,
    /// Length of a step.
    pub dt: f64,
    /// Birth-death rate.
    pub alpha: f64,
}

/// A uniform integer below `bound` from 32-bit words: the upper half of `word * bound`; words with a lower half below
/// 2^32 mod bound are passed over.
fn below(bound: u64, words: &mut dyn FnMut() -> u32) -> u64 {
    loop {
        let product = u64::from(words()) * bound;
        if product % (1 << 32) >= (1 << 32) % bound {
            return product >> 32;
        }
    }
}

/// What one step came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The particles after it, `[i][k]`.
    pub particles: Vec<Vec<f64>>,
    /// E before it.
    pub energy: f64,
    /// Vbar before it.
    pub mean_potential: f64,
    /// Births and deaths.
    pub events: (u32, u32),
    /// The largest |V| before it, and the largest component of grad V in size: what rounding is measured by.
    pub sizes: (f64, f64),
    /// How far any word, over 2^32, was from its particle's probability, at least. Infinite without events.
    pub margin: f64,
}

/// One step from `particles[i][k]`; none if nobody is left to copy.
pub fn step(
    particles: &[Vec<f64>],
    model: &dyn MeanField,
    rules: Rules,
    words: &mut dyn FnMut() -> u32,
    prior: &mut dyn FnMut(&mut dyn FnMut() -> u32) -> Vec<f64>,
) -> Option<Outcome> {
    let n = particles.len();
    let rows = (0..model.dim()).map(|k| particles.iter().map(|x| x[k]).collect()).collect();
    let (energy, fields) = evaluate(model, &Nodes::ensemble(rows));
    // rounding puts the mean of equal values beside them, and then each would have a rate
    let (least, largest) = fields.v.iter().fold((f64::MAX, f64::MIN), |(a, b), &v| (a.min(v), b.max(v)));
    let mean_potential = (fields.v.iter().sum::<f64>() / n as f64).max(least).min(largest);
    let size = |values: &[f64]| values.iter().fold(0.0, |a: f64, x| a.max(x.abs()));
    let sizes = (size(&fields.v), fields.grad.iter().map(|row| size(row)).fold(0.0, f64::max));
    let outcome =
        |particles, events, margin| Some(Outcome { particles, energy, mean_potential, events, sizes, margin });
    let moved = |i: usize| -> Vec<f64> {
        let dt = if rules.transport { rules.dt } else { 0.0 };
        particles[i].iter().enumerate().map(|(k, x)| x - dt * fields.grad[k][i]).collect()
    };
    if !rules.events {
        return outcome((0..n).map(moved).collect(), (0, 0), f64::INFINITY);
    }

    // individuals present after the events, by the slot they come from; a copy stands behind its parent
    let centre = if rules.centred { mean_potential } else { 0.0 };
    let mut present: Vec<usize> = Vec::new();
    let (mut births, mut deaths) = (0, 0);
    let mut margin = f64::INFINITY;
    for (i, v) in fields.v.iter().enumerate() {
        let b = v - centre;
        let p = 1.0 - (-rules.alpha * b.abs() * rules.dt).exp();
        let word = f64::from(words());
        let happens = word < (p * 4_294_967_296.0).floor();
        margin = margin.min((word / 4_294_967_296.0 - p).abs());
        match (happens, b > 0.0) {
            (false, _) => present.push(i),
            (true, true) => deaths += 1,
            (true, false) => {
                present.extend([i, i]);
                births += 1;
            }
        }
    }

    // control: selection sampling of those to go, or copies of those who were there
    let mut fresh = 0;
    if present.len() > n {
        let mut to_go = present.len() - n;
        let mut left = present.len();
        present.retain(|_| {
            let goes = to_go > 0 && below(left as u64, words) < to_go as u64;
            left -= 1;
            to_go -= usize::from(goes);
            !goes
        });
    } else if rules.reinjection {
        fresh = n - present.len();
    } else {
        let candidates = present.clone();
        if candidates.is_empty() {
            return None;
        }
        while present.len() < n {
            present.push(candidates[below(candidates.len() as u64, words) as usize]);
        }
    }

    // seats: one of each family keeps the slot, the others take the free slots from below, in order of their parents
    present.sort_unstable();
    let mut seats: Vec<Option<Vec<f64>>> = vec![None; n];
    let mut newcomers = Vec::new();
    for &i in &present {
        if seats[i].is_none() {
            seats[i] = Some(moved(i));
        } else {
            newcomers.push(moved(i));
        }
    }
    newcomers.extend((0..fresh).map(|_| prior(words)));
    let mut newcomers = newcomers.into_iter();
    let particles = seats.into_iter().map(|seat| seat.or_else(|| newcomers.next()).unwrap_or_default()).collect();
    outcome(particles, (births, deaths), margin)
}

/// Words for tests that hold an exact law against the naive scheme: Marsaglia's xorshift32, with the seed of his paper.
#[cfg(test)]
pub(crate) fn xorshift32() -> impl FnMut() -> u32 {
    let mut state = 2_463_534_242u32;
    move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    }
}

#[cfg(test)]
mod tests {
    use super::super::models::Quadratic;
    use super::*;

    /// V = x^2 / 2 at 0, 2, 4; alpha dt so large that every nonzero rate is certain.
    fn certain(reinjection: bool, centred: bool, words: &[u32]) -> Option<Vec<f64>> {
        let model = Quadratic { curvature: vec![1.0] };
        let rules = Rules { events: true, reinjection, centred, transport: false, dt: 1.0, alpha: 1e9 };
        let mut words = words.iter().copied();
        let particles = [vec![0.0], vec![2.0], vec![4.0]];
        let after = step(&particles, &model, rules, &mut || words.next().expect("a word"), &mut |_| vec![9.0])?;
        assert_eq!(words.next(), None, "all words are used");
        Some(after.particles.into_iter().flatten().collect())
    }

    #[test]
    fn forced_events_by_hand() {
        // raw: 0 stays, 2 and 4 die; two copies of 0, or two draws
        assert_eq!(certain(false, false, &[0, 0, 0, 7, 7]), Some(vec![0.0, 0.0, 0.0]));
        assert_eq!(certain(true, false, &[0, 0, 0]), Some(vec![0.0, 9.0, 9.0]));
        // centred, Vbar = 10/3: 0 and 2 double, 4 dies; of 0 0 2 2 one goes: 3/4 of the word range removes none of the
        // first
        let quarter = 1 << 30;
        assert_eq!(certain(false, true, &[0, 0, 0, 0]), Some(vec![0.0, 2.0, 2.0]));
        assert_eq!(certain(false, true, &[0, 0, 0, quarter + 9, 2 * quarter, 0]), Some(vec![0.0, 2.0, 0.0]));
    }
}
