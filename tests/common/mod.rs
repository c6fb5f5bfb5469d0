//! What the integration tests share: generators to play and to count with, memory of any shape, and bits.
#![allow(dead_code)] // each test file uses its own part

use std::convert::Infallible;

use birth_death::{Dynamics, Energy, Error, Field, Generator, Prior, Real, Report, Rows, RowsMut, Scratch, Stream};
use quickcheck::{Gen, QuickCheck, Testable};
use rand_core::TryRng;

/// The seed of every quickcheck property: the same cases every time, on every machine.
pub const PROPERTY_SEED: u64 = 190_201_843;

/// Runs a property on `tests` cases.
pub fn property(tests: u64, property: impl Testable) {
    QuickCheck::new().rng(Gen::from_size_and_seed(40, PROPERTY_SEED)).tests(tests).quickcheck(property);
}

/// Plays given words in order. Asking for more gives zeros, which `consumed` then tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    words: Vec<u32>,
    next: usize,
    mark: usize,
}

impl Script {
    pub fn new(words: impl IntoIterator<Item = u32>) -> Self {
        Self { words: words.into_iter().collect(), next: 0, mark: 0 }
    }

    /// Whether exactly the given words have been drawn.
    pub fn is_played_out(&self) -> bool {
        self.next == self.words.len()
    }
}

impl TryRng for Script {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let word = self.words.get(self.next).copied().unwrap_or(0);
        self.next += 1;
        Ok(word)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("only 32-bit words are drawn")
    }
    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Infallible> {
        panic!("only 32-bit words are drawn")
    }
}

impl Generator for Script {
    fn mark(&mut self) {
        self.mark = self.next;
    }
    fn rewind(&mut self) {
        self.next = self.mark;
    }
}

/// Counts the words drawn from another generator, those of failed steps too.
#[derive(Clone, Debug)]
pub struct Counting<G> {
    pub inner: G,
    pub words: u64,
}

impl<G> Counting<G> {
    pub fn new(inner: G) -> Self {
        Self { inner, words: 0 }
    }
}

impl<G: Generator> TryRng for Counting<G> {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.words += 1;
        Ok(self.inner.next_u32())
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("only 32-bit words are drawn")
    }
    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Infallible> {
        panic!("only 32-bit words are drawn")
    }
}

impl<G: Generator> Generator for Counting<G> {
    fn mark(&mut self) {
        self.inner.mark();
    }
    fn rewind(&mut self) {
        self.inner.rewind();
    }
}

/// The same word for ever.
#[derive(Clone, Debug)]
pub struct Constant(pub u32);

impl TryRng for Constant {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("only 32-bit words are drawn")
    }
    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Infallible> {
        panic!("only 32-bit words are drawn")
    }
}

impl Generator for Constant {
    fn mark(&mut self) {}
    fn rewind(&mut self) {}
}

/// The bits of a number: what "the same" means here.
pub fn bits<R: Real>(x: R) -> u64 {
    // exact for both types, and zeros keep their sign
    x.to_f64().to_bits()
}

pub fn all_bits<'a, R: Real>(values: impl IntoIterator<Item = &'a R>) -> Vec<u64> {
    values.into_iter().map(|&x| bits(x)).collect()
}

/// An ensemble and everything a step needs, in memory with room around the rows.
#[derive(Clone, Debug)]
pub struct Memory<R> {
    pub n: usize,
    pub dim: usize,
    pub stride: usize,
    pub x: Vec<R>,
    pub potential: Vec<R>,
    pub gradient: Vec<R>,
    pub copies: Vec<u32>,
    pub origin: Vec<u32>,
    pub particle: Vec<R>,
}

impl<R: Real> Memory<R> {
    /// `rows[k][i]` is component k of particle i; `padding` values stand after each row.
    pub fn new(rows: &[Vec<R>], padding: usize) -> Self {
        let (n, dim) = (rows[0].len(), rows.len());
        let stride = n + padding;
        let outside = R::from_f64(-99.0);
        let x = rows.iter().flat_map(|row| row.iter().copied().chain((0..padding).map(move |_| outside))).collect();
        Self {
            n,
            dim,
            stride,
            x,
            potential: vec![outside; n],
            gradient: vec![outside; stride * dim],
            copies: vec![99; n],
            origin: vec![99; n],
            particle: vec![outside; dim],
        }
    }

    /// Particles drawn uniformly from [low, high) in every component.
    pub fn uniform(n: usize, dim: usize, padding: usize, seed: u64, low: f64, high: f64) -> Self {
        let mut rng = Stream::seeded(seed, 77);
        let (low, high) = (R::from_f64(low), R::from_f64(high));
        let rows: Vec<Vec<R>> =
            (0..dim).map(|_| (0..n).map(|_| low + (high - low) * R::uniform(&mut rng)).collect()).collect();
        Self::new(&rows, padding)
    }

    pub fn rows(&self) -> Rows<'_, R> {
        Rows::new(&self.x, self.stride, self.dim, self.n).expect("the shape is right")
    }

    pub fn rows_mut(&mut self) -> RowsMut<'_, R> {
        RowsMut::new(&mut self.x, self.stride, self.dim, self.n).expect("the shape is right")
    }

    pub fn particle(&self, i: usize) -> Vec<R> {
        self.rows().iter().map(|row| row[i]).collect()
    }

    /// Every value, those between the rows too, as bits.
    pub fn bits(&self) -> Vec<u64> {
        all_bits(&self.x)
    }

    pub fn evaluate<E: Energy<R> + ?Sized>(&mut self, energy: &mut E, step: u64) -> Result<R, Error> {
        let at = Rows::new(&self.x, self.stride, self.dim, self.n)?;
        let gradient = RowsMut::new(&mut self.gradient, self.stride, self.dim, self.n)?;
        energy.evaluate(step, at, Field::new(&mut self.potential, gradient)?)
    }

    /// `grad V` in component k of particle i, as the last evaluation left it.
    pub fn slope(&self, k: usize, i: usize) -> R {
        self.gradient[k * self.stride + i]
    }

    pub fn step<P, E, G>(
        &mut self,
        dynamics: &mut Dynamics<R, P>,
        energy: &mut E,
        rng: &mut G,
    ) -> Result<Report<R>, Error>
    where
        P: Prior<R>,
        E: Energy<R> + ?Sized,
        G: Generator + ?Sized,
    {
        let mut x = RowsMut::new(&mut self.x, self.stride, self.dim, self.n)?;
        let gradient = RowsMut::new(&mut self.gradient, self.stride, self.dim, self.n)?;
        let field = Field::new(&mut self.potential, gradient)?;
        let mut scratch = Scratch::new(field, &mut self.copies, &mut self.origin, &mut self.particle)?;
        dynamics.step(&mut x, energy, rng, &mut scratch)
    }
}
