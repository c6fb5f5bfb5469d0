//! Two-layer networks on data, in mean-field scaling: the energy that trains them.

mod activation;
mod data;
mod loss;

pub use activation::Activation;
pub use data::{DataSource, Examples, Fresh, MiniBatches};
pub use loss::Loss;

use super::lanes::{Block, LANES, MICROCONTROLLER, load, store};
use crate::dispatch::{Task, widest};
use crate::error::parameter;
use crate::rows::{count, indices, pieces};
use crate::{Energy, Error, Field, Real, Rows, RowsMut, sum};
use activation::{Gaussian, Relu, Sigmoid, Tanh, Unit};
use core::marker::PhantomData;

/// Examples whose pre-activations are formed together, to load a row of particles once for them. Any value gives the
/// same bits.
const TILE: usize = if MICROCONTROLLER { 1 } else { LARGEST_TILE };
/// What scratch is for on every target: the C header has one formula.
const LARGEST_TILE: usize = 8;

/// `E[mu] = <l(f_mu(x), y)> + (lambda / 2) ∫ |theta|^2 dmu`, `f_mu(x) = s ∫ c sigma(z . x) dmu(c, z)`.
///
/// A particle is a unit `(c, z)`: its `m` output weights `c` in rows 0 to `m - 1`, its `d` input weights `z` in the
/// rows after them. `< >` is the mean over the P examples of the step, which a [`DataSource`] gives: all of a data set,
/// a mini-batch of it, or fresh ones. Then
///
/// ```text
/// V(c, z)  = s c . <l'(f) sigma(z . x)> + (lambda / 2) |theta|^2
/// grad_c V = s <l'(f) sigma(z . x)> + lambda c          grad_z V = s <(c . l'(f)) sigma'(z . x) x> + lambda z
/// ```
///
/// with `l'` the slope of the loss in the output. For the squared loss this is the paper's `V = c <(f_n - f) phi>`
/// (arXiv:1902.01843); the logistic loss is convex in `f`, so that `V` is still the first variation of a convex energy.
///
/// The *scale* `s` is 1 in mean-field scaling. A plain sum of the units, as the authors' student-teacher notebook has
/// it, is `s = n`: with their learning rate `eta` on the mean squared error, `dt = 2 eta / n`.
///
/// # Numerics
/// Pre-activations are sums over `k` ascending; the output of an example is the sum over particles of `c sigma` (16
/// lanes and a tree) times `s / n`; the gradients are sums over examples ascending, of `l' sigma` and of `((c . l')
/// sigma') x`, times `s / P` (a quotient formed first); `V` is the sum of `c` times its gradient, outputs ascending.
/// The mean loss is a sum over examples, 16 lanes and a tree. Lanes run across the particles, so the bits depend
/// neither on the width of the vectors nor on how examples are grouped.
///
/// # Cost and memory
/// O(n P d): three multiply-adds an example, unit and input component, two activations an example and unit. No memory
/// but [`scratch_len`] values, of which nothing lasts from one step to the next.
///
/// ```
/// use birth_death::models::{Activation, Examples, Loss, Network, network};
/// use birth_death::{Dynamics, Ensemble, Marginal, Prior, ProductPrior, Stream, Workspace};
/// // x -> |x| on five points; an appended 1 gives the units a bias
/// let x = [-1.0, 1.0, -0.5, 1.0, 0.0, 1.0, 0.5, 1.0, 1.0, 1.0f32];
/// let y = [1.0, 0.5, 0.0, 0.5, 1.0];
/// let data = Examples::new(&x, 2, &y, 1)?;
/// let mut scratch = [0.0; network::scratch_len(1, 5)];
/// let mut network = Network::new(Activation::Relu, Loss::Squared, data, &mut scratch)?;
///
/// let start = ProductPrior::new([Marginal::Normal { mean: 0.0, sd: 1.0 }; 3])?;
/// let mut rng = Stream::seeded(1, 0);
/// let mut units = Ensemble::<f32, 3, 32>::new();
/// for _ in 0..32 {
///     let mut unit = [0.0; 3];
///     start.draw(&mut rng, &mut unit);
///     units.push(unit)?;
/// }
/// let mut dynamics = Dynamics::birth_death(0.1, 1.0)?;
/// let mut workspace = Workspace::<f32, 3, 32>::new();
/// let mut loss = f32::INFINITY;
/// for _ in 0..500 {
///     loss = dynamics.step(&mut units, &mut network, &mut rng, &mut workspace)?.energy;
/// }
/// assert!(loss < 1e-3);
/// # Ok::<(), birth_death::Error>(())
/// ```
#[derive(Debug)]
pub struct Network<'a, R, S> {
    activation: Activation,
    loss: Loss,
    source: S,
    scale: R,
    decay: R,
    scratch: &'a mut [R],
}

/// Values of scratch that a [`Network`] with `outputs` outputs and batches of at most `examples` examples needs:
/// `outputs (examples + 128)`.
pub const fn scratch_len(outputs: usize, examples: usize) -> usize {
    outputs.saturating_mul(examples.saturating_add(LANES * LARGEST_TILE))
}

impl<'a, R: Real, S: DataSource<R>> Network<'a, R, S> {
    /// A network with as many inputs and outputs as `source` says, in mean-field scaling, without regularisation.
    ///
    /// # Errors
    /// [`Error::Zero`] for a source without inputs or outputs, [`Error::Capacity`] for less scratch than
    /// [`scratch_len`].
    pub fn new(activation: Activation, loss: Loss, source: S, scratch: &'a mut [R]) -> Result<Self, Error> {
        for (what, dim) in [
            ("dimension of the inputs", source.input_dim()),
            ("dimension of the targets", source.target_dim()),
            ("examples of a batch", source.largest()),
        ] {
            if dim == 0 {
                return Err(Error::Zero { what });
            }
        }
        let requested = scratch_len(source.target_dim(), source.largest());
        if scratch.len() < requested {
            return Err(Error::Capacity {
                what: "values in the network's scratch",
                capacity: scratch.len(),
                requested,
            });
        }
        Ok(Self { activation, loss, source, scale: R::ONE, decay: R::ZERO, scratch })
    }

    /// The same with outputs `s` times as large; `n` for a plain sum of `n` units.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a scale that is not finite and positive.
    pub fn with_scale(self, scale: R) -> Result<Self, Error> {
        let scale = parameter("scale", scale, "a finite number > 0", |s| s > R::ZERO)?;
        Ok(Self { scale, ..self })
    }

    /// The same with L2 regularisation: `(lambda / 2) |theta|^2` on every unit.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a `lambda` that is negative or not finite.
    pub fn with_decay(self, lambda: R) -> Result<Self, Error> {
        let decay = parameter("decay", lambda, "a finite number >= 0", |l| l >= R::ZERO)?;
        Ok(Self { decay, ..self })
    }

    /// Where the examples come from.
    pub const fn source(&self) -> &S {
        &self.source
    }
}

impl<R: Real, S: DataSource<R>> Energy<R> for Network<'_, R, S> {
    fn dim(&self) -> usize {
        self.source.input_dim().saturating_add(self.source.target_dim())
    }

    fn evaluate(&mut self, step: u64, at: Rows<'_, R>, out: Field<'_, R>) -> Result<R, Error> {
        out.check(self.dim(), at)?;
        match self.activation {
            Activation::Relu => self.run::<Relu>(step, at, out),
            Activation::Tanh => self.run::<Tanh>(step, at, out),
            Activation::Gaussian => self.run::<Gaussian>(step, at, out),
            Activation::Sigmoid => self.run::<Sigmoid>(step, at, out),
        }
    }
}

impl<R: Real, S: DataSource<R>> Network<'_, R, S> {
    fn run<U: Unit>(&mut self, step: u64, at: Rows<'_, R>, mut out: Field<'_, R>) -> Result<R, Error> {
        let examples = self.source.examples(step)?;
        let outputs = examples.target_dim();
        let (slopes, lanes) = self
            .scratch
            .split_at_mut_checked(examples.len().saturating_mul(outputs))
            .ok_or(Error::Zero { what: "scratch of the network" })?;
        widest(Forward {
            at,
            examples,
            factor: self.scale / count(at.len()),
            outputs: &mut *slopes,
            lanes,
            unit: PhantomData::<U>,
        });
        let loss = self.loss.evaluate(slopes, examples.targets(), outputs)?;
        let (potential, mut gradient) = out.parts_mut();
        widest(Backward { at, examples, slopes, gradient: gradient.reborrow(), unit: PhantomData::<U> });
        let size = finish(at, outputs, self.scale / count(examples.len()), self.decay, potential, gradient);
        Ok(loss + self.decay * R::HALF * size)
    }
}

/// The outputs of the network of `activation` and `scale` whose units are `at`, for one input: what training computes
/// for it, to the bit.
///
/// `output` has `m` values, `input` the other `at.dim() - m` that a unit has: with a 1 appended if the units have a
/// bias. Cost O(n d), and `m` times that without the activations.
///
/// # Errors
/// [`Error::Empty`] without units, [`Error::Zero`] for no output, [`Error::Mismatch`] for an input of another
/// dimension.
///
/// ```
/// use birth_death::{Rows, models::{Activation, network::predict}};
/// // two units (c, z, bias): (2, 1, 0) and (4, -1, 1)
/// let units = Rows::new(&[2.0, 4.0, 1.0, -1.0, 0.0, 1.0], 2, 3, 2)?;
/// let mut y = [0.0];
/// predict(Activation::Relu, 1.0, units, &[0.5, 1.0], &mut y)?;
/// assert_eq!(y, [(2.0 * 0.5 + 4.0 * 0.5) / 2.0]);
/// # Ok::<(), birth_death::Error>(())
/// ```
pub fn predict<R: Real>(
    activation: Activation,
    scale: R,
    at: Rows<'_, R>,
    input: &[R],
    output: &mut [R],
) -> Result<(), Error> {
    if at.is_empty() {
        return Err(Error::Empty);
    }
    if output.is_empty() {
        return Err(Error::Zero { what: "number of outputs" });
    }
    let found = input.len().saturating_add(output.len());
    if found != at.dim() {
        return Err(Error::Mismatch { what: "values of input and output together", expected: at.dim(), found });
    }
    let factor = scale / count(at.len());
    let outputs = output.len();
    for (output, o) in output.iter_mut().zip(indices()) {
        let sum = match activation {
            Activation::Relu => output_of::<R, Relu>(at, outputs, o, input),
            Activation::Tanh => output_of::<R, Tanh>(at, outputs, o, input),
            Activation::Gaussian => output_of::<R, Gaussian>(at, outputs, o, input),
            Activation::Sigmoid => output_of::<R, Sigmoid>(at, outputs, o, input),
        };
        *output = sum * factor;
    }
    Ok(())
}

/// The sum over particles of output weight `o` times activation, for one input.
fn output_of<R: Real, U: Unit>(at: Rows<'_, R>, outputs: usize, o: usize, input: &[R]) -> R {
    let products = (0..at.len()).map(|i| {
        let weights = at.skip(outputs).iter().map(|row| row.get(i).copied().unwrap_or(R::ZERO));
        let a = weights.zip(input).fold(R::ZERO, |a, (z, &x)| a + z * x);
        at.get(o, i).unwrap_or(R::ZERO) * U::value(a)
    });
    sum::sum(products)
}

/// Inputs `p` to `p + T - 1`, cut so that the compiler sees them to have the one length `dim`: reading them at `k <
/// dim` needs no check.
#[inline(always)]
fn tile<'a, R: Real, const T: usize>(examples: Examples<'a, R>, p: usize, dim: usize) -> Option<[&'a [R]; T]> {
    let mut inputs: [&[R]; T] = [&[]; T];
    let mut rest = examples.inputs().get(p.saturating_mul(dim)..)?;
    for input in &mut inputs {
        (*input, rest) = rest.split_at_checked(dim)?;
    }
    Some(inputs)
}

/// The pre-activations of a block of units for `T` examples: `z . x`, `k` ascending.
#[inline(always)]
fn pre_activations<R: Real, const T: usize>(
    weights: Rows<'_, R>,
    start: usize,
    inputs: [&[R]; T],
    dim: usize,
) -> [Block<R>; T] {
    let mut a = [[R::ZERO; LANES]; T];
    let mut padded = [R::ZERO; LANES];
    let mut rows = weights.iter();
    for k in 0..dim {
        let z = load(rows.next().unwrap_or(&[]), start, &mut padded);
        for (a, input) in a.iter_mut().zip(inputs) {
            let x = input.get(k).copied().unwrap_or(R::ZERO);
            for (a, &z) in a.iter_mut().zip(z) {
                *a = *a + z * x;
            }
        }
    }
    a
}

/// `f(x_p)` of every example into `outputs`, example after example.
struct Forward<'a, R, U> {
    at: Rows<'a, R>,
    examples: Examples<'a, R>,
    factor: R,
    outputs: &'a mut [R],
    lanes: &'a mut [R],
    unit: PhantomData<U>,
}

impl<R: Real, U: Unit> Task for Forward<'_, R, U> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { at, examples, factor, outputs, lanes, .. } = self;
        let count = examples.len();
        let whole = count.saturating_sub(count % TILE);
        for p in (0..whole).step_by(TILE) {
            forward_tile::<R, U, TILE>(at, examples, p, factor, outputs, lanes);
        }
        for p in whole..count {
            forward_tile::<R, U, 1>(at, examples, p, factor, outputs, lanes);
        }
    }
}

/// Examples `p` to `p + T - 1`. `lanes` holds the lanes of the sums over particles, for each example and output.
#[inline(always)]
fn forward_tile<R: Real, U: Unit, const T: usize>(
    at: Rows<'_, R>,
    examples: Examples<'_, R>,
    p: usize,
    factor: R,
    outputs: &mut [R],
    lanes: &mut [R],
) {
    let dim = examples.target_dim();
    let weights = at.skip(dim);
    let inputs_dim = examples.input_dim();
    let Some(inputs) = tile::<R, T>(examples, p, inputs_dim) else { return };
    let lanes = lanes.get_mut(..T.saturating_mul(dim).saturating_mul(LANES)).unwrap_or(&mut []);
    lanes.fill(R::ZERO);
    let mut padded = [R::ZERO; LANES];
    for start in (0..at.len()).step_by(LANES) {
        let mut phi = pre_activations(weights, start, inputs, inputs_dim);
        // loops: `map` is a call, of code for the baseline
        for phi in &mut phi {
            for phi in phi {
                *phi = U::value(*phi);
            }
        }
        for (charges, o) in at.iter().take(dim).zip(indices()) {
            let c = load(charges, start, &mut padded);
            // those of output o: one for each example
            let sums = lanes.chunks_exact_mut(LANES).skip(o).step_by(dim.max(1));
            for (phi, sums) in phi.iter().zip(sums) {
                let Some(sums) = sums.first_chunk_mut::<LANES>() else { return };
                for ((sum, &phi), &c) in sums.iter_mut().zip(phi).zip(c) {
                    *sum = *sum + c * phi;
                }
            }
        }
    }
    let outputs = outputs.get_mut(p.saturating_mul(dim)..).unwrap_or(&mut []);
    for (output, lanes) in outputs.iter_mut().zip(pieces(lanes, LANES)) {
        *output = lanes.first_chunk().map_or(R::ZERO, sum::fold) * factor;
    }
}

/// `sum_p l'_p sigma` into the first rows of `gradient`, `sum_p (c . l'_p) sigma' x_p` into the others.
struct Backward<'a, R, U> {
    at: Rows<'a, R>,
    examples: Examples<'a, R>,
    slopes: &'a [R],
    gradient: RowsMut<'a, R>,
    unit: PhantomData<U>,
}

impl<R: Real, U: Unit> Task for Backward<'_, R, U> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { at, examples, slopes, mut gradient, .. } = self;
        gradient.iter_mut().for_each(|row| row.fill(R::ZERO));
        let count = examples.len();
        let whole = count.saturating_sub(count % TILE);
        for start in (0..at.len()).step_by(LANES) {
            for p in (0..whole).step_by(TILE) {
                backward_tile::<R, U, TILE>(at, examples, p, start, slopes, gradient.reborrow());
            }
            for p in whole..count {
                backward_tile::<R, U, 1>(at, examples, p, start, slopes, gradient.reborrow());
            }
        }
    }
}

#[inline(always)]
fn backward_tile<R: Real, U: Unit, const T: usize>(
    at: Rows<'_, R>,
    examples: Examples<'_, R>,
    p: usize,
    start: usize,
    slopes: &[R],
    mut gradient: RowsMut<'_, R>,
) {
    let dim = examples.target_dim();
    let inputs_dim = examples.input_dim();
    let Some(inputs) = tile::<R, T>(examples, p, inputs_dim) else { return };
    let slope = |t: usize, o: usize| {
        slopes.get(p.saturating_add(t).saturating_mul(dim).saturating_add(o)).copied().unwrap_or(R::ZERO)
    };
    let mut phi = pre_activations(at.skip(dim), start, inputs, inputs_dim);
    let mut weight = [[R::ZERO; LANES]; T];
    for (phi, weight) in phi.iter_mut().zip(&mut weight) {
        for (phi, weight) in phi.iter_mut().zip(weight) {
            (*phi, *weight) = U::value_and_slope(*phi);
        }
    }
    let (mut padded, mut sums) = ([R::ZERO; LANES], [R::ZERO; LANES]);
    // c . l', outputs ascending
    let mut signal = [[R::ZERO; LANES]; T];
    let mut rows = gradient.iter_mut();
    for ((charges, row), o) in at.iter().zip(rows.by_ref().take(dim)).zip(indices()) {
        let c = load(charges, start, &mut padded);
        let mut total = *load(row, start, &mut sums);
        for ((phi, signal), t) in phi.iter().zip(&mut signal).zip(indices()) {
            let l = slope(t, o);
            for (((total, &phi), signal), &c) in total.iter_mut().zip(phi).zip(signal).zip(c) {
                *total = *total + l * phi;
                *signal = *signal + c * l;
            }
        }
        store(row, start, &total);
    }
    for (weight, signal) in weight.iter_mut().zip(signal) {
        weight.iter_mut().zip(signal).for_each(|(w, s)| *w = s * *w);
    }
    for k in 0..inputs_dim {
        let Some(row) = rows.next() else { return };
        let mut total = *load(row, start, &mut sums);
        for (weight, input) in weight.iter().zip(inputs) {
            let x = input.get(k).copied().unwrap_or(R::ZERO);
            for (total, &w) in total.iter_mut().zip(weight) {
                *total = *total + w * x;
            }
        }
        store(row, start, &total);
    }
}

/// Scales the sums, adds the regularisation, forms the potential; the mean of `|theta|^2`.
fn finish<R: Real>(
    at: Rows<'_, R>,
    outputs: usize,
    factor: R,
    decay: R,
    potential: &mut [R],
    mut gradient: RowsMut<'_, R>,
) -> R {
    potential.fill(R::ZERO);
    gradient.iter_mut().for_each(|row| row.iter_mut().for_each(|g| *g = *g * factor));
    for (charges, row) in at.iter().zip(gradient.iter_mut()).take(outputs) {
        potential.iter_mut().zip(charges).zip(row.iter()).for_each(|((v, &c), &u)| *v = *v + c * u);
    }
    if decay == R::ZERO {
        return R::ZERO;
    }
    for (row, slopes) in at.iter().zip(gradient.iter_mut()) {
        slopes.iter_mut().zip(row).for_each(|(g, &x)| *g = *g + decay * x);
    }
    let half = decay * R::HALF;
    let sizes = potential.iter_mut().zip(indices()).map(|(v, i)| {
        let size = at.iter().fold(R::ZERO, |size, row| {
            let x = row.get(i).copied().unwrap_or(R::ZERO);
            size + x * x
        });
        *v = *v + half * size;
        size
    });
    sum::mean(sizes, at.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    const ACTIVATIONS: [Activation; 4] =
        [Activation::Relu, Activation::Tanh, Activation::Gaussian, Activation::Sigmoid];

    /// Numbers without a pattern, in (-1.3, 1.3).
    fn numbers<R: Real>(count: usize, salt: usize) -> Vec<R> {
        (0..count).map(|i| R::from_f64((((i + salt) * 7919 + 13) % 1009) as f64 / 400.0 - 1.26)).collect()
    }

    /// A case: shapes, values and the network's parameters.
    struct Case<R> {
        n: usize,
        inputs: usize,
        outputs: usize,
        examples: usize,
        at: Vec<R>,
        x: Vec<R>,
        y: Vec<R>,
        activation: Activation,
        loss: Loss,
        scale: R,
        decay: R,
    }

    impl<R: Real> Case<R> {
        fn new(n: usize, inputs: usize, outputs: usize, examples: usize, activation: Activation, loss: Loss) -> Self {
            let mut y = numbers(examples * outputs, 77);
            if loss == Loss::Logistic {
                // one class each
                y.iter_mut().enumerate().for_each(|(i, y)| {
                    let class = i / outputs % (outputs + usize::from(outputs == 1));
                    *y = if i % outputs == class { R::ONE } else { R::ZERO };
                });
            }
            let (at, x) = (numbers(n * (inputs + outputs), 1), numbers(examples * inputs, 400));
            let (scale, decay) = (R::from_f64(1.75), R::from_f64(0.01));
            Self { n, inputs, outputs, examples, at, x, y, activation, loss, scale, decay }
        }

        fn dim(&self) -> usize {
            self.inputs + self.outputs
        }

        fn rows(&self) -> Rows<'_, R> {
            Rows::new(&self.at, self.n, self.dim(), self.n).unwrap()
        }

        fn data(&self) -> Examples<'_, R> {
            Examples::new(&self.x, self.inputs, &self.y, self.outputs).unwrap()
        }

        /// What the core computes: energy, potential, gradient.
        fn evaluate(&self) -> (R, Vec<R>, Vec<R>) {
            let nan = R::from_f64(f64::NAN);
            // more scratch than needed, and all of it spoilt
            let mut scratch = vec![nan; scratch_len(self.outputs, self.examples) + 5];
            let network = Network::new(self.activation, self.loss, self.data(), &mut scratch).unwrap();
            let mut network = network.with_scale(self.scale).unwrap().with_decay(self.decay).unwrap();
            let (mut v, mut g) = (vec![nan; self.n], vec![nan; self.n * self.dim()]);
            let out = Field::new(&mut v, RowsMut::new(&mut g, self.n, self.dim(), self.n).unwrap()).unwrap();
            let energy = network.evaluate(0, self.rows(), out).unwrap();
            (energy, v, g)
        }

        /// The documented definition, one number at a time.
        fn naive(&self) -> (R, Vec<R>, Vec<R>) {
            let (n, m) = (self.n, self.outputs);
            let rows = self.rows();
            let get = |k: usize, i: usize| rows.get(k, i).unwrap();
            let a = |i: usize, p: usize| {
                let input = self.data().input(p);
                (0..self.inputs).fold(R::ZERO, |a, k| a + get(m + k, i) * input[k])
            };
            let mut slopes = Vec::new();
            for p in 0..self.examples {
                for o in 0..m {
                    let sum = sum::sum((0..n).map(|i| get(o, i) * self.activation.value(a(i, p))));
                    slopes.push(sum * (self.scale / count(n)));
                }
            }
            let loss = self.loss.evaluate(&mut slopes, &self.y, m).unwrap();
            let (mut v, mut g) = (vec![R::ZERO; n], vec![R::ZERO; n * self.dim()]);
            let factor = self.scale / count(self.examples);
            let mut sizes = Vec::new();
            for i in 0..n {
                for p in 0..self.examples {
                    let (phi, slope) = (self.activation.value(a(i, p)), self.activation.slope(a(i, p)));
                    let mut signal = R::ZERO;
                    for o in 0..m {
                        let l = slopes[p * m + o];
                        g[o * n + i] = g[o * n + i] + l * phi;
                        signal = signal + get(o, i) * l;
                    }
                    for k in 0..self.inputs {
                        g[(m + k) * n + i] = g[(m + k) * n + i] + signal * slope * self.data().input(p)[k];
                    }
                }
                let mut size = R::ZERO;
                for k in 0..self.dim() {
                    g[k * n + i] = g[k * n + i] * factor;
                    if k < m {
                        v[i] = v[i] + get(k, i) * g[k * n + i];
                    }
                    size = size + get(k, i) * get(k, i);
                    g[k * n + i] = g[k * n + i] + self.decay * get(k, i);
                }
                v[i] = v[i] + self.decay * R::HALF * size;
                sizes.push(size);
            }
            (loss + self.decay * R::HALF * sum::mean(sizes, n), v, g)
        }
    }

    fn same_bits<R: Real>() {
        for (n, inputs, outputs, examples) in
            [(1, 1, 1, 1), (3, 2, 1, 5), (16, 3, 2, 16), (17, 5, 3, 9), (50, 4, 1, 21)]
        {
            for activation in ACTIVATIONS {
                for loss in [Loss::Squared, Loss::Logistic] {
                    let case = Case::<R>::new(n, inputs, outputs, examples, activation, loss);
                    assert_eq!(
                        case.evaluate(),
                        case.naive(),
                        "{n} {inputs} {outputs} {examples} {activation:?} {loss:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_loops_are_the_definition_to_the_bit() {
        same_bits::<f32>();
        same_bits::<f64>();
    }

    #[test]
    fn the_gradient_is_n_times_that_of_the_energy_and_the_potential_its_first_variation() {
        for activation in ACTIVATIONS {
            for (loss, outputs) in [(Loss::Squared, 1), (Loss::Squared, 2), (Loss::Logistic, 1), (Loss::Logistic, 3)] {
                let mut case = Case::<f64>::new(5, 3, outputs, 7, activation, loss);
                let (_, v, g) = case.evaluate();
                // central differences: h^2 times a third derivative of order one, and rounding eps / h, times n
                const H: f64 = 1e-5;
                for (k, g) in g.iter().enumerate() {
                    let x = case.at[k];
                    case.at[k] = x + H;
                    let up = case.evaluate().0;
                    case.at[k] = x - H;
                    let down = case.evaluate().0;
                    case.at[k] = x;
                    let slope = 5.0 * (up - down) / (2.0 * H);
                    assert!((slope - g).abs() < 1e-7, "{activation:?} {loss:?} {k}: {slope} {g}");
                }
                // E[(1 - e) mu + e delta_i] = E + e (V_i - Vbar) + O(e^2): many copies of all, and one more of i
                const COPIES: usize = 4000;
                let (n, dim) = (5, case.dim());
                let more: Vec<usize> = (0..n * COPIES).map(|j| j % n).collect();
                let gather = |slots: &[usize]| -> Vec<f64> {
                    (0..dim).flat_map(|k| slots.iter().map(move |&i| (k, i))).map(|(k, i)| case.at[k * n + i]).collect()
                };
                let energy_of = |slots: &[usize]| {
                    let mut other = Case::<f64>::new(1, 3, outputs, 7, activation, loss);
                    (other.at, other.n) = (gather(slots), slots.len());
                    other.evaluate().0
                };
                let (base, vbar) = (energy_of(&more), v.iter().sum::<f64>() / 5.0);
                for (i, v) in v.iter().enumerate() {
                    let extra = [more.clone(), vec![i]].concat();
                    let e = 1.0 / extra.len() as f64;
                    let change = (energy_of(&extra) - base) / e;
                    // the second variation is of order ten, e is 5e-5
                    assert!((change - (v - vbar)).abs() < 2e-3, "{activation:?} {loss:?}: {change} {}", v - vbar);
                }
            }
        }
    }

    #[test]
    fn predictions_are_the_outputs_of_training() {
        for activation in ACTIVATIONS {
            let mut case = Case::<f32>::new(37, 4, 2, 3, activation, Loss::Squared);
            case.decay = 0.0;
            let mut outputs = Vec::new();
            for p in 0..3 {
                let mut y = [0.0; 2];
                predict(activation, case.scale, case.rows(), case.data().input(p), &mut y).unwrap();
                outputs.extend(y);
            }
            // targets that are the predictions leave nothing
            case.y = outputs;
            let (energy, v, g) = case.evaluate();
            assert!(energy == 0.0 && v.iter().chain(&g).all(|&x| x == 0.0), "{activation:?}");
        }
    }

    #[test]
    fn shapes_and_parameters_are_checked() {
        let case = Case::<f64>::new(2, 2, 1, 3, Activation::Tanh, Loss::Squared);
        let needed = scratch_len(1, 3);
        let mut scratch = vec![0.0; needed];
        let short = Network::new(Activation::Tanh, Loss::Squared, case.data(), &mut scratch[1..]).err();
        assert!(matches!(short, Some(Error::Capacity { .. })));
        let mut network = Network::new(Activation::Tanh, Loss::Squared, case.data(), &mut scratch).unwrap();
        assert_eq!((network.dim(), network.source().len()), (3, 3));
        let (mut v, mut g) = ([0.0; 2], [0.0; 4]);
        let out = Field::new(&mut v, RowsMut::new(&mut g, 2, 2, 2).unwrap()).unwrap();
        let refused = network.evaluate(0, Rows::new(&case.at, 2, 2, 2).unwrap(), out);
        assert!(matches!(refused, Err(Error::Mismatch { expected: 3, found: 2, .. })));
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let mut scratch = vec![0.0; needed];
            let network = Network::new(Activation::Tanh, Loss::Squared, case.data(), &mut scratch).unwrap();
            assert!(matches!(network.with_scale(bad), Err(Error::Parameter { name: "scale", .. })));
        }
        for bad in [-1e-9, f64::NAN, f64::INFINITY] {
            let mut scratch = vec![0.0; needed];
            let network = Network::new(Activation::Tanh, Loss::Squared, case.data(), &mut scratch).unwrap();
            assert!(matches!(network.with_decay(bad), Err(Error::Parameter { name: "decay", .. })));
        }
        let none = Rows::new(&[] as &[f64], 0, 3, 0).unwrap();
        assert_eq!(predict(Activation::Relu, 1.0, none, &[1.0, 1.0], &mut [0.0]), Err(Error::Empty));
        assert!(matches!(predict(Activation::Relu, 1.0, case.rows(), &[1.0], &mut [0.0]), Err(Error::Mismatch { .. })));
        assert!(matches!(predict(Activation::Relu, 1.0, case.rows(), &[1.0; 3], &mut []), Err(Error::Zero { .. })));
    }
}
