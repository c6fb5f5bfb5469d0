//! Where a network's examples come from: a data set, mini-batches of it, or a generator.

use crate::random::bounded;
use crate::rows::{first_not_finite, indices, slots};
use crate::{Error, Real, Stream};
use rand_core::Rng;

/// Pairs of an input in R^d and a target in R^m, in the caller's memory: example after example.
///
/// A `const` table in flash will do. For units with a bias append a 1 to every input: its weight is the bias.
///
/// ```
/// use birth_death::models::Examples;
/// let xor = Examples::new(&[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], 2, &[0.0, 1.0, 1.0, 0.0], 1)?;
/// assert_eq!((xor.len(), xor.input(2), xor.target(2)), (4, &[1.0, 0.0][..], &[1.0][..]));
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Examples<'a, R> {
    inputs: &'a [R],
    targets: &'a [R],
    input_dim: usize,
    target_dim: usize,
}

/// Elements `i * dim` to `(i + 1) * dim`; empty if they are not there.
#[inline]
fn part<R>(values: &[R], i: usize, dim: usize) -> &[R] {
    values.get(i.saturating_mul(dim)..).and_then(|tail| tail.get(..dim)).unwrap_or(&[])
}

/// The number of examples, if values and dimensions agree and there is one.
fn count(inputs: usize, input_dim: usize, targets: usize, target_dim: usize) -> Result<usize, Error> {
    let examples = inputs.checked_div(input_dim).ok_or(Error::Zero { what: "dimension of the inputs" })?;
    if target_dim == 0 {
        return Err(Error::Zero { what: "dimension of the targets" });
    }
    if examples == 0 {
        return Err(Error::Zero { what: "number of examples" });
    }
    if examples > crate::MAX_PARTICLES {
        return Err(Error::Capacity { what: "examples", capacity: crate::MAX_PARTICLES, requested: examples });
    }
    for (what, expected, found) in [
        ("values of the inputs", examples.saturating_mul(input_dim), inputs),
        ("values of the targets", examples.saturating_mul(target_dim), targets),
    ] {
        if expected != found {
            return Err(Error::Mismatch { what, expected, found });
        }
    }
    Ok(examples)
}

impl<'a, R: Real> Examples<'a, R> {
    /// `inputs` holds P inputs of `input_dim` values each, `targets` as many of `target_dim`.
    ///
    /// # Errors
    /// [`Error::Zero`] for a dimension of 0 or no example, [`Error::Mismatch`] for numbers of values that do not agree,
    /// [`Error::Example`] for one with a NaN or an infinity.
    pub fn new(inputs: &'a [R], input_dim: usize, targets: &'a [R], target_dim: usize) -> Result<Self, Error> {
        count(inputs.len(), input_dim, targets.len(), target_dim)?;
        for (values, dim) in [(inputs, input_dim), (targets, target_dim)] {
            if let Some(i) = first_not_finite(values.iter().copied()) {
                return Err(Error::Example { index: i.checked_div(dim).unwrap_or(0) });
            }
        }
        Ok(Self { inputs, targets, input_dim, target_dim })
    }

    /// Their number P.
    pub fn len(&self) -> usize {
        self.inputs.len().checked_div(self.input_dim).unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Values of an input.
    pub const fn input_dim(&self) -> usize {
        self.input_dim
    }

    /// Values of a target.
    pub const fn target_dim(&self) -> usize {
        self.target_dim
    }

    /// Input `p`; empty if there is none.
    #[inline]
    pub fn input(&self, p: usize) -> &'a [R] {
        part(self.inputs, p, self.input_dim)
    }

    /// Target `p`; empty if there is none.
    #[inline]
    pub fn target(&self, p: usize) -> &'a [R] {
        part(self.targets, p, self.target_dim)
    }

    /// All inputs, example after example.
    pub(super) const fn inputs(&self) -> &'a [R] {
        self.inputs
    }

    /// All targets, example after example.
    pub(super) const fn targets(&self) -> &'a [R] {
        self.targets
    }
}

/// Where a network takes the examples of a step from. What it hands out is a function of the step's number, and of
/// nothing else that changes.
pub trait DataSource<R: Real> {
    /// Values of an input.
    fn input_dim(&self) -> usize;
    /// Values of a target.
    fn target_dim(&self) -> usize;
    /// The most examples of a step.
    fn largest(&self) -> usize;
    /// The examples of step number `step`.
    ///
    /// # Errors
    /// The source's own: [`Error::Energy`].
    fn examples(&mut self, step: u64) -> Result<Examples<'_, R>, Error>;
}

/// All examples in every step.
impl<R: Real> DataSource<R> for Examples<'_, R> {
    fn input_dim(&self) -> usize {
        self.input_dim
    }

    fn target_dim(&self) -> usize {
        self.target_dim
    }

    fn largest(&self) -> usize {
        self.len()
    }

    fn examples(&mut self, _step: u64) -> Result<Examples<'_, R>, Error> {
        Ok(*self)
    }
}

impl<R: Real, S: DataSource<R> + ?Sized> DataSource<R> for &mut S {
    fn input_dim(&self) -> usize {
        (**self).input_dim()
    }

    fn target_dim(&self) -> usize {
        (**self).target_dim()
    }

    fn largest(&self) -> usize {
        (**self).largest()
    }

    fn examples(&mut self, step: u64) -> Result<Examples<'_, R>, Error> {
        (**self).examples(step)
    }
}

/// The key of a family of streams: far from every stream that [`Stream::seeded`] gives for a nearby number.
fn key(seed: u64, stream: u64) -> u64 {
    Stream::seeded(seed, stream).next_u64()
}

/// Batches drawn without replacement: each example once an epoch, in a new order every epoch; the last batch of an
/// epoch is shorter if the number of examples is no multiple of the batch's.
///
/// Step `k` takes part `k mod b` of epoch `k div b`, `b` batches an epoch. The order of an epoch is Fisher and Yates'
/// shuffle of `0..P`, from the last place down, one [`bounded`] integer a place, on `Stream::seeded(key, epoch)`, where
/// `key` is the first two words of `Stream::seeded(seed, stream)`, the less significant first. It consumes nothing of
/// the step's own generator.
///
/// Memory: the order (P words) and one batch. Cost: P bounded integers an epoch, and copying.
///
/// ```
/// use birth_death::models::{Examples, MiniBatches, DataSource};
/// let data = Examples::new(&[0.0f32, 1.0, 2.0, 3.0, 4.0], 1, &[0.0, 0.1, 0.2, 0.3, 0.4], 1)?;
/// let (mut order, mut inputs, mut targets) = ([0; 5], [0.0; 2], [0.0; 2]);
/// let mut batches = MiniBatches::new(data, &mut order, &mut inputs, &mut targets, 1, 0)?;
/// let mut sum = 0.0;
/// for step in 0..3 {
///     let batch = batches.examples(step)?;
///     sum += (0..batch.len()).map(|p| batch.input(p)[0]).sum::<f32>();
/// }
/// assert_eq!(sum, 10.0, "two, two and one make an epoch");
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Debug)]
pub struct MiniBatches<'a, R> {
    data: Examples<'a, R>,
    order: &'a mut [u32],
    inputs: &'a mut [R],
    targets: &'a mut [R],
    size: usize,
    key: u64,
    /// Whose order stands in `order`: it is computed anew for any other epoch, so that nothing but the step decides.
    epoch: Option<u64>,
}

impl<'a, R: Real> MiniBatches<'a, R> {
    /// Batches of as many examples of `data` as `inputs` and `targets` have room for; `order` has a word for each
    /// example of `data`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if `order` has not as many words as `data` has examples, or the memory for inputs and
    /// targets is not for the same number of examples; [`Error::Zero`] if it is for none; [`Error::Capacity`] for a
    /// batch larger than the data.
    pub fn new(
        data: Examples<'a, R>,
        order: &'a mut [u32],
        inputs: &'a mut [R],
        targets: &'a mut [R],
        seed: u64,
        stream: u64,
    ) -> Result<Self, Error> {
        let size = count(inputs.len(), data.input_dim, targets.len(), data.target_dim)?;
        if size > data.len() {
            return Err(Error::Capacity { what: "examples of a batch", capacity: data.len(), requested: size });
        }
        if order.len() != data.len() {
            return Err(Error::Mismatch { what: "words for the order", expected: data.len(), found: order.len() });
        }
        Ok(Self { data, order, inputs, targets, size, key: key(seed, stream), epoch: None })
    }

    /// Steps of an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        // at least one, by the constructor's checks; `div_ceil` would check its addition
        let (whole, rest) = (self.data.len().checked_div(self.size), self.data.len().checked_rem(self.size));
        let steps = whole.unwrap_or(0).saturating_add(usize::from(rest != Some(0)));
        u64::try_from(steps).unwrap_or(u64::MAX)
    }

    fn shuffle(&mut self, epoch: u64) {
        let mut rng = Stream::seeded(self.key, epoch);
        self.order.iter_mut().zip(slots()).for_each(|(place, slot)| *place = slot);
        let mut rest = &mut *self.order;
        // the last place takes any of those up to it; then the one before
        while let Some(length) = u32::try_from(rest.len()).ok().filter(|&length| length > 1) {
            let chosen = bounded(&mut rng, length);
            let Some((last, before)) = rest.split_last_mut() else { break };
            if let Some(other) = usize::try_from(chosen).ok().and_then(|chosen| before.get_mut(chosen)) {
                core::mem::swap(last, other);
            }
            rest = before;
        }
        self.epoch = Some(epoch);
    }
}

impl<R: Real> DataSource<R> for MiniBatches<'_, R> {
    fn input_dim(&self) -> usize {
        self.data.input_dim
    }

    fn target_dim(&self) -> usize {
        self.data.target_dim
    }

    fn largest(&self) -> usize {
        self.size
    }

    fn examples(&mut self, step: u64) -> Result<Examples<'_, R>, Error> {
        let steps = self.steps_per_epoch();
        let epoch = step.checked_div(steps).unwrap_or(0);
        if self.epoch != Some(epoch) {
            self.shuffle(epoch);
        }
        let part_of_epoch = usize::try_from(step.checked_rem(steps).unwrap_or(0)).unwrap_or(usize::MAX);
        let (input_dim, target_dim) = (self.data.input_dim, self.data.target_dim);
        let chosen = self.order.get(part_of_epoch.saturating_mul(self.size)..).unwrap_or(&[]);
        let mut taken = 0usize;
        for (&example, place) in chosen.iter().take(self.size).zip(indices()) {
            let example = usize::try_from(example).unwrap_or(usize::MAX);
            for (memory, values, dim) in [
                (&mut *self.inputs, self.data.input(example), input_dim),
                (&mut *self.targets, self.data.target(example), target_dim),
            ] {
                let room = memory.get_mut(place.saturating_mul(dim)..).unwrap_or(&mut []);
                room.iter_mut().zip(values).for_each(|(to, &from)| *to = from);
            }
            taken = taken.saturating_add(1);
        }
        Ok(Examples {
            inputs: self.inputs.get(..taken.saturating_mul(input_dim)).unwrap_or(&[]),
            targets: self.targets.get(..taken.saturating_mul(target_dim)).unwrap_or(&[]),
            input_dim,
            target_dim,
        })
    }
}

/// A fresh batch every step, from the caller's function.
///
/// `sample` is given a stream of the step's own, `Stream::seeded(key, step)` (`key` as of [`MiniBatches`]), and the
/// memory for the inputs and the targets of the batch, example after example, which it has to fill; what it leaves is
/// the last batch's. Values that are not finite come out as an error of the step. It consumes nothing of the step's own
/// generator.
///
/// ```
/// use birth_death::models::{Fresh, DataSource};
/// use birth_death::{Stream, random::normal};
/// let (mut inputs, mut targets) = ([0.0f32; 8], [0.0; 8]);
/// let mut squares = Fresh::new(
///     |rng: &mut Stream, x: &mut [f32], y: &mut [f32]| {
///         for (x, y) in x.iter_mut().zip(y) {
///             *x = normal(rng);
///             *y = *x * *x;
///         }
///     },
///     (&mut inputs, 1),
///     (&mut targets, 1),
///     (1, 0), // seed, stream
/// )?;
/// let batch = squares.examples(5)?;
/// assert_eq!(batch.target(7)[0], batch.input(7)[0] * batch.input(7)[0]);
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Debug)]
pub struct Fresh<'a, R, F> {
    sample: F,
    inputs: &'a mut [R],
    targets: &'a mut [R],
    input_dim: usize,
    target_dim: usize,
    size: usize,
    key: u64,
}

impl<'a, R: Real, F: FnMut(&mut Stream, &mut [R], &mut [R])> Fresh<'a, R, F> {
    /// Memory for the inputs and targets of a batch, each with the dimension of one; seed and stream of the data.
    ///
    /// # Errors
    /// [`Error::Zero`] for a dimension of 0 or no example, [`Error::Mismatch`] for memory that is not for the same
    /// number of examples.
    pub fn new(
        sample: F,
        (inputs, input_dim): (&'a mut [R], usize),
        (targets, target_dim): (&'a mut [R], usize),
        (seed, stream): (u64, u64),
    ) -> Result<Self, Error> {
        let size = count(inputs.len(), input_dim, targets.len(), target_dim)?;
        Ok(Self { sample, inputs, targets, input_dim, target_dim, size, key: key(seed, stream) })
    }
}

impl<R: Real, F: FnMut(&mut Stream, &mut [R], &mut [R])> DataSource<R> for Fresh<'_, R, F> {
    fn input_dim(&self) -> usize {
        self.input_dim
    }

    fn target_dim(&self) -> usize {
        self.target_dim
    }

    fn largest(&self) -> usize {
        self.size
    }

    fn examples(&mut self, step: u64) -> Result<Examples<'_, R>, Error> {
        (self.sample)(&mut Stream::seeded(self.key, step), self.inputs, self.targets);
        let Self { ref inputs, ref targets, input_dim, target_dim, .. } = *self;
        Ok(Examples { inputs, targets, input_dim, target_dim })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn shapes_and_values_are_checked() {
        let four = [1.0, 2.0, 3.0, 4.0];
        assert!(matches!(Examples::new(&four, 0, &four, 1), Err(Error::Zero { .. })));
        assert!(matches!(Examples::new(&four, 1, &four, 0), Err(Error::Zero { .. })));
        assert!(matches!(Examples::<f64>::new(&[], 1, &[], 1), Err(Error::Zero { .. })));
        assert!(matches!(Examples::new(&four, 3, &four, 4), Err(Error::Mismatch { .. })));
        assert!(matches!(Examples::new(&four, 2, &four, 1), Err(Error::Mismatch { expected: 2, found: 4, .. })));
        let bad = [1.0, 2.0, f64::NAN, 4.0];
        for (inputs, targets) in [(&bad, &four), (&four, &bad)] {
            assert_eq!(Examples::new(inputs, 2, targets, 2), Err(Error::Example { index: 1 }));
        }
        let examples = Examples::new(&four, 2, &four, 2).unwrap();
        assert_eq!((examples.len(), examples.input(1), examples.target(0)), (2, &four[2..], &four[..2]));
        assert!(examples.input(2).is_empty() && examples.target(2).is_empty());
    }

    #[test]
    fn there_are_at_most_as_many_examples_as_particles() {
        let most = crate::MAX_PARTICLES;
        assert_eq!(count(most, 1, most, 1), Ok(most));
        assert!(matches!(count(most + 1, 1, most + 1, 1), Err(Error::Capacity { .. })));
    }

    #[test]
    fn every_source_tells_its_sizes() {
        fn sizes<S: DataSource<f64>>(source: S) -> [usize; 3] {
            [source.input_dim(), source.target_dim(), source.largest()]
        }
        let mut data = Examples::new(&[0.0; 15], 3, &[0.0; 10], 2).unwrap();
        assert!(!data.is_empty() && data.len() == 5 && data.input_dim() == 3);
        assert_eq!(sizes(data), [3, 2, 5]);
        assert_eq!(sizes(&mut data), [3, 2, 5]);
        let (mut order, mut x, mut y) = ([0; 5], [0.0; 12], [0.0; 8]);
        let mut batches = MiniBatches::new(data, &mut order, &mut x, &mut y, 1, 0).unwrap();
        assert_eq!(sizes(&mut batches), [3, 2, 4]);
        assert_eq!(sizes(batches), [3, 2, 4]);
        let fresh =
            Fresh::new(|_: &mut Stream, _: &mut [f64], _: &mut [f64]| {}, (&mut x, 3), (&mut y, 2), (1, 0)).unwrap();
        assert_eq!(sizes(fresh), [3, 2, 4]);
    }

    #[test]
    fn the_memory_of_batches_is_checked() {
        let data = Examples::new(&[0.0f32; 6], 2, &[0.0; 3], 1).unwrap();
        let refused = |words: usize, inputs: usize, targets: usize| {
            let (mut order, mut x, mut y) = (vec![0; words], vec![0.0; inputs], vec![0.0; targets]);
            MiniBatches::new(data, &mut order, &mut x, &mut y, 1, 0).err()
        };
        assert_eq!(refused(3, 4, 2), None);
        assert!(matches!(refused(2, 4, 2), Some(Error::Mismatch { .. })));
        assert!(matches!(refused(3, 4, 1), Some(Error::Mismatch { .. })));
        assert!(matches!(refused(3, 0, 0), Some(Error::Zero { .. })));
        assert!(matches!(refused(3, 8, 4), Some(Error::Capacity { .. })));
    }

    /// The inputs of a step; each example's input is its number, its target twice that.
    fn batch(source: &mut impl DataSource<f64>, step: u64) -> Vec<f64> {
        let batch = source.examples(step).unwrap();
        (0..batch.len())
            .map(|p| {
                assert_eq!(batch.target(p)[0], 2.0 * batch.input(p)[0]);
                batch.input(p)[0]
            })
            .collect()
    }

    #[test]
    fn an_epoch_has_every_example_once_and_epochs_differ() {
        let x: Vec<f64> = (0..11u8).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| 2.0 * x).collect();
        let data = Examples::new(&x, 1, &y, 1).unwrap();
        let (mut order, mut a, mut b) = (vec![0; 11], vec![0.0; 4], vec![0.0; 4]);
        let mut source = MiniBatches::new(data, &mut order, &mut a, &mut b, 1, 0).unwrap();
        assert_eq!(source.steps_per_epoch(), 3);
        let steps: Vec<Vec<f64>> = (0..6).map(|step| batch(&mut source, step)).collect();
        assert_eq!(steps.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 3, 4, 4, 3]);
        let epochs = [steps[..3].concat(), steps[3..].concat()];
        for epoch in &epochs {
            let mut sorted = epoch.clone();
            sorted.sort_by(f64::total_cmp);
            assert_eq!(sorted, x);
        }
        assert_ne!(epochs[0], epochs[1]);
        // a function of the step: in any order, also back again
        for step in [5, 0, 4, 1, 1, 3, 2] {
            assert_eq!(batch(&mut source, step), steps[usize::try_from(step).unwrap()], "{step}");
        }
    }

    #[test]
    fn every_order_is_as_likely_as_any_other() {
        let (x, y) = ([0.0, 1.0, 2.0, 3.0], [0.0, 2.0, 4.0, 6.0]);
        let data = Examples::new(&x, 1, &y, 1).unwrap();
        let (mut order, mut a, mut b) = ([0; 4], [0.0; 4], [0.0; 4]);
        let mut source = MiniBatches::new(data, &mut order, &mut a, &mut b, 3, 5).unwrap();
        let mut counts = std::collections::BTreeMap::new();
        const EPOCHS: u64 = 24_000;
        for epoch in 0..EPOCHS {
            let order: Vec<u8> = batch(&mut source, epoch).iter().map(|&x| x as u8).collect();
            *counts.entry(order).or_insert(0.0) += 1.0;
        }
        assert_eq!(counts.len(), 24);
        // chi-square of 23 degrees of freedom: above 60 with probability 4e-5
        let chi2: f64 = counts.values().map(|n: &f64| (n - 1000.0) * (n - 1000.0) / 1000.0).sum();
        assert!(chi2 < 60.0, "{chi2}");
    }

    #[test]
    fn streams_of_data_differ_by_seed_stream_and_step() {
        let words = |seed, stream, step| {
            let (mut x, mut y) = ([0.0f64; 3], [0.0; 3]);
            let sample = |rng: &mut Stream, x: &mut [f64], _: &mut [f64]| {
                x.iter_mut().for_each(|x| *x = f64::uniform(rng));
            };
            let mut source = Fresh::new(sample, (&mut x, 1), (&mut y, 1), (seed, stream)).unwrap();
            let batch = source.examples(step).unwrap();
            [batch.input(0)[0], batch.input(1)[0], batch.input(2)[0]]
        };
        let all = [words(1, 0, 0), words(1, 0, 1), words(1, 1, 0), words(2, 0, 0)];
        for (i, a) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|b| a.iter().all(|x| !b.contains(x))));
        }
        assert_eq!(words(1, 0, 1), all[1]);
    }
}
