//! Choices and numbers out of the fuzzer's bytes.

use birth_death::Real;

/// The bytes that are left; zeros past their end.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    pub fn word(&mut self) -> u32 {
        u32::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    pub fn long(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// From 0 to `most`.
    pub fn up_to(&mut self, most: u8) -> usize {
        usize::from(self.byte()) % (usize::from(most) + 1)
    }

    /// True for one byte in 8, false once the bytes are used up.
    pub fn rarely(&mut self) -> bool {
        self.byte() % 8 == 7
    }

    /// Harmless mostly; the rest is hostile.
    pub fn real<R: Real>(&mut self) -> R {
        // the largest, the least normal, a subnormal and the precision of either type
        const F32: [f64; 4] = [f32::MAX as f64, f32::MIN_POSITIVE as f64, 1e-44, f32::EPSILON as f64];
        const TWO_149: f64 = (1u64 << 50) as f64 * (1u64 << 50) as f64 * (1u64 << 49) as f64;
        const F64: [f64; 4] = [f64::MAX, f64::MIN_POSITIVE, 5e-324, f64::EPSILON];
        let kind = self.byte();
        let magnitude = match kind & 0x7f {
            0..=63 => f64::from(kind & 63) / 8.0,
            64..=95 => f64::from(self.byte()) / 16.0,
            96 => f64::NAN,
            97 => f64::INFINITY,
            98..=101 => F32[usize::from(kind & 0x7f) - 98],
            102..=105 => F64[usize::from(kind & 0x7f) - 102],
            106 => 1e19,
            107 => 1e154,
            108 => 1e38,
            109 => 1e-30,
            110..=112 => return R::of_bits(self.long()),
            // any exponent of either type
            exponent => {
                let factor = if exponent < 120 { 1.0 / TWO_149 } else { TWO_149 };
                (0..exponent.abs_diff(120)).fold(f64::from(self.byte()), |x, _| x * factor)
            }
        };
        R::from_f64(if kind & 0x80 == 0 { magnitude } else { -magnitude })
    }

    pub fn reals<R: Real>(&mut self, count: usize) -> Vec<R> {
        (0..count).map(|_| self.real()).collect()
    }

    /// Finite and >= 0, as parameters have to be; of moderate size mostly.
    pub fn parameter<R: Real>(&mut self) -> R {
        let value = self.real::<R>().abs();
        if value.is_finite() { value } else { R::ONE }
    }
}

/// Equal bits: a zero has a sign, and NaN is itself.
pub fn same<R: Real>(a: &[R], b: &[R]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.bits() == b.bits())
}
