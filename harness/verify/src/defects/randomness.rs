//! Defects of the use of random words.

use std::convert::Infallible;

use birth_death::Generator;
use rand_core::{Rng, TryRng};

use crate::generators::BoxedGenerator;
use crate::subject::Defect;
use crate::subject::Setup;

/// A generator whose words are changed by their number within the step.
#[derive(Debug)]
struct Changed<C> {
    inner: BoxedGenerator,
    /// Words drawn since the step began.
    drawn: usize,
    last: u32,
    change: C,
}

/// What happens to word number `index` of a step.
trait Change: std::fmt::Debug {
    fn word(&mut self, index: usize, last: u32, word: u32) -> u32;
}

impl<C: Change> TryRng for Changed<C> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let word = self.change.word(self.drawn, self.last, self.inner.next_u32());
        self.drawn += 1;
        self.last = word;
        Ok(word)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from(self.next_u32()) | (u64::from(self.next_u32()) << 32))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.iter_mut().for_each(|byte| *byte = self.next_u32() as u8);
        Ok(())
    }
}

impl<C: Change> Generator for Changed<C> {
    fn mark(&mut self) {
        self.drawn = 0;
        self.inner.mark();
    }

    fn rewind(&mut self) {
        self.drawn = 0;
        self.inner.rewind();
    }
}

fn changed(inner: BoxedGenerator, change: impl Change + Send + 'static) -> BoxedGenerator {
    BoxedGenerator(Box::new(Changed { inner, drawn: 0, last: 0, change }))
}

/// Words of control (all after the events' n) are halved: picks fall into the lower half.
#[derive(Debug)]
struct LowerHalf(usize);

impl Change for LowerHalf {
    fn word(&mut self, index: usize, _: u32, word: u32) -> u32 {
        if index >= self.0 { word >> 1 } else { word }
    }
}

#[derive(Debug)]
pub struct FirstHalf;

impl Defect for FirstHalf {
    fn describe(&self) -> (&'static str, &'static str) {
        ("first-half", "parent chosen among the first half only")
    }

    fn generator(&self, rng: BoxedGenerator, setup: &Setup) -> BoxedGenerator {
        changed(rng, LowerHalf(setup.particles))
    }
}

/// Each odd slot's event takes the word of the slot before.
#[derive(Debug)]
struct Pairs(usize);

impl Change for Pairs {
    fn word(&mut self, index: usize, last: u32, word: u32) -> u32 {
        if index < self.0 && index % 2 == 1 { last } else { word }
    }
}

#[derive(Debug)]
pub struct SharedWords;

impl Defect for SharedWords {
    fn describe(&self) -> (&'static str, &'static str) {
        ("shared-words", "the same uniform used for two neighbours")
    }

    fn generator(&self, rng: BoxedGenerator, setup: &Setup) -> BoxedGenerator {
        changed(rng, Pairs(setup.particles))
    }
}

/// A step's mark goes back to the first mark instead.
#[derive(Debug)]
struct Restart {
    inner: BoxedGenerator,
    started: bool,
}

impl TryRng for Restart {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.inner.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.inner.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.inner.fill_bytes(bytes);
        Ok(())
    }
}

impl Generator for Restart {
    fn mark(&mut self) {
        if self.started {
            self.inner.rewind();
        } else {
            self.inner.mark();
            self.started = true;
        }
    }

    fn rewind(&mut self) {
        self.inner.rewind();
    }
}

#[derive(Debug)]
pub struct Restarted;

impl Defect for Restarted {
    fn describe(&self) -> (&'static str, &'static str) {
        ("restarted", "the generator restarted each step")
    }

    fn generator(&self, inner: BoxedGenerator, _: &Setup) -> BoxedGenerator {
        BoxedGenerator(Box::new(Restart { inner, started: false }))
    }
}
