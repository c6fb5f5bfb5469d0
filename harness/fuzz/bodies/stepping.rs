//! One step of the dynamics, and all that must hold of it whatever the energy, the prior and the generator give.

use birth_death::{
    Dynamics, Energy, Error, FRESH, Field, Genealogy, Generator, Prior, Real, Report, Rewind, RowsMut, Scheme, Scratch,
};

use super::input::{Input, same};

/// A generator that repeats the words it is given: 0 makes every event of positive probability happen, the largest
/// none.
#[derive(Clone, Debug, PartialEq)]
pub struct Cycle {
    words: Vec<u32>,
    next: usize,
}

impl Cycle {
    pub fn new(input: &mut Input<'_>) -> Rewind<Self> {
        let count = 1 + input.up_to(15);
        Rewind::new(Self { words: (0..count).map(|_| input.word()).collect(), next: 0 })
    }
}

impl rand_core::TryRng for Cycle {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let word = self.words[self.next];
        self.next = (self.next + 1) % self.words.len();
        Ok(word)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(u64::from(self.try_next_u32()?) | u64::from(self.try_next_u32()?) << 32)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for byte in bytes {
            *byte = self.try_next_u32()?.to_le_bytes()[0];
        }
        Ok(())
    }
}

/// Values between the rows of an ensemble, which nobody may touch.
const GAP: f64 = -77.25;

/// An ensemble in rows that stand further apart than they are long.
pub struct Particles<R> {
    pub values: Vec<R>,
    pub stride: usize,
    pub dim: usize,
    pub len: usize,
}

impl<R: Real> Particles<R> {
    pub fn new(rows: &[R], dim: usize, len: usize, gap: usize) -> Self {
        let stride = len + gap;
        let mut values = vec![R::from_f64(GAP); stride * dim];
        for (to, from) in values.chunks_mut(stride).zip(rows.chunks(len.max(1))) {
            to[..len].copy_from_slice(from);
        }
        Self { values, stride, dim, len }
    }

    pub fn rows_mut(&mut self) -> RowsMut<'_, R> {
        RowsMut::new(&mut self.values, self.stride, self.dim, self.len).expect("of this shape")
    }

    fn row(&self, k: usize) -> &[R] {
        &self.values[k * self.stride..][..self.len]
    }
}

/// Makes one step and holds everything against it; the step's own result.
pub fn step<R: Real, P, G, E>(
    x: &mut Particles<R>,
    dynamics: &mut Dynamics<R, P>,
    energy: &mut E,
    rng: &mut G,
    ancestors: &mut Genealogy<Vec<u32>>,
) -> Result<Report<R>, Error>
where
    P: Prior<R> + Clone + PartialEq,
    G: Generator + Clone + PartialEq,
    E: Energy<R>,
{
    let (n, dim) = (x.len, x.dim);
    let (before, dynamics_before, rng_before) = (x.values.clone(), dynamics.clone(), rng.clone());
    let (mut potential, mut gradient) = (vec![R::ZERO; n], vec![R::ZERO; n * dim]);
    let (mut copies, mut origin, mut particle) = (vec![0; n], vec![0; n], vec![R::ZERO; dim]);
    let field = Field::new(&mut potential, RowsMut::new(&mut gradient, n, dim, n).expect("of this shape"));
    let scratch = Scratch::new(field.expect("lengths agree"), &mut copies, &mut origin, &mut particle);
    let found = dynamics.step(&mut x.rows_mut(), energy, rng, &mut scratch.expect("lengths agree"));
    let report = match found {
        Err(error) => {
            assert!(same(&x.values, &before), "particles after {error}");
            assert!(*dynamics == dynamics_before, "dynamics after {error}");
            assert!(*rng == rng_before, "generator after {error}");
            return Err(error);
        }
        Ok(report) => report,
    };

    assert_eq!(report.step, dynamics_before.steps());
    assert_eq!(dynamics.steps(), report.step.saturating_add(1));
    assert!(report.energy.is_finite() && report.mean_potential.is_finite());
    assert!((0.0..=1.0).contains(&report.largest_probability), "{report:?}");
    let (births, deaths) = (report.births, report.deaths);
    assert!(births as usize + deaths as usize <= n, "{report:?}");
    assert_eq!((report.removed, report.added), (births.saturating_sub(deaths), deaths.saturating_sub(births)));
    if births + deaths == 0 {
        assert!(origin.iter().zip(0..).all(|(&origin, slot)| origin == slot), "{origin:?} without events");
    }
    let may_be_fresh = matches!(dynamics.scheme(), Scheme::Reinjection(_));
    for (&from, slot) in origin.iter().zip(0usize..) {
        if from == FRESH {
            assert!(may_be_fresh);
        } else {
            assert_eq!(origin[from as usize], from, "the parent of slot {slot} has survived: {origin:?}");
        }
    }
    let fresh = origin.iter().filter(|&&from| from == FRESH).count();
    assert_eq!(fresh, if may_be_fresh { report.added as usize } else { 0 });

    let moved = |k: usize, i: usize| {
        let (x, g) = (before[k * x.stride + i], gradient[k * n + i]);
        if is_still(&dynamics_before) { x } else { x - dynamics_before.dt() * g }
    };
    for k in 0..dim {
        for (&value, slot) in x.row(k).iter().zip(0..) {
            assert!(value.is_finite(), "component {k} of {slot}");
            let expected = if origin[slot] == FRESH { gradient[k * n + slot] } else { moved(k, origin[slot] as usize) };
            assert_eq!(value.bits(), expected.bits(), "component {k} of {slot}, from {}", origin[slot]);
        }
        let gap = &x.values[k * x.stride + n..(k + 1) * x.stride];
        assert!(gap.iter().all(|&value| value == R::from_f64(GAP)), "between the rows");
    }
    ancestors.update(&origin).expect("origins of a step");
    assert!((1..=n).contains(&(ancestors.distinct() as usize)));
    let support: f64 = ancestors.effective_support();
    assert!(support >= 1.0 && support <= f64::from(ancestors.distinct()) * (1.0 + 1e-12));
    Ok(report)
}

/// Whether particles do not move. It is not public, but shown.
fn is_still<R: Real, P>(dynamics: &Dynamics<R, P>) -> bool
where
    Dynamics<R, P>: Clone + PartialEq,
    P: Prior<R>,
{
    dynamics.clone().without_transport() == *dynamics
}

pub fn founders(n: usize) -> Genealogy<Vec<u32>> {
    Genealogy::new(vec![0; n], vec![0; n]).expect("lengths agree")
}
