//! `2^t` for `t <= 0`: branch-free, no table, no float-to-integer conversion, no fused multiply-add.
//!
//! 1. clamp `t` from below, one octave under the least normal exponent, so that everything smaller becomes exactly
//!    zero;
//! 2. add and subtract `1.5 * 2^p + bias` (p the stored mantissa bits): the sum rounds `t` to an integer `n`, whose
//!    biased form `n + bias` then stands in the low bits of the sum;
//! 3. `f = t - n` in [-1/2, 1/2], exactly;
//! 4. a polynomial for `2^f`, highest power first, `p f + coefficient` again and again (Horner): minimax in relative
//!    error, by Remez' exchange with the constant term held at 1, coefficients rounded one after another and the rest
//!    refitted: error 6.8e-9 (degree 6) and 2.1e-17 (degree 11);
//! 5. times `2^n`, whose bits are the sum's shifted left by `p`.
//!
//! NaN passes the clamp and survives in `f`; positive infinity gives NaN.

/// The relative bound of the `f32` version holds on [`CLAMP_F32`, 0]: results there are normal numbers.
pub const CLAMP_F32: f32 = -126.0;
/// The relative bound of the `f64` version holds on [`CLAMP_F64`, 0].
pub const CLAMP_F64: f64 = -1022.0;
/// Largest relative error of the `f32` version on its range, in units of `f32::EPSILON`; tested on every `f32`.
pub const MAX_ERROR_ULPS_F32: f64 = 0.8;
/// Largest relative error of the `f64` version on its range, in units of `f64::EPSILON`; tested on a dense sample.
pub const MAX_ERROR_ULPS_F64: f64 = 1.0;

macro_rules! exp2_nonpos {
    ($name:ident, $real:ty, $mantissa:literal, $magic:expr, $floor:literal, [$($coefficient:expr),*]) => {
        #[inline(always)]
        pub(crate) fn $name(t: $real) -> $real {
            const MAGIC: $real = $magic;
            const COEFFICIENTS: &[$real] = &[$($coefficient),*]; // highest power first
            let t = if t < $floor { $floor } else { t };
            let sum = t + MAGIC;
            let f = t - (sum - MAGIC);
            let mut polynomial = 0.0;
            let mut first = true;
            for &coefficient in COEFFICIENTS {
                polynomial = if first { coefficient } else { polynomial * f + coefficient };
                first = false;
            }
            polynomial * <$real>::from_bits(sum.to_bits() << $mantissa)
        }
    };
}

exp2_nonpos!(
    nonpos_f32,
    f32,
    23,
    12_582_912.0 + 127.0,
    -127.0,
    [0.000_155_174_78, 0.001_338_950_6, 0.009_618_007, 0.055_503_6, 0.240_226_48, core::f32::consts::LN_2, 1.0]
);

exp2_nonpos!(
    nonpos_f64,
    f64,
    52,
    6_755_399_441_055_744.0 + 1023.0,
    -1023.0,
    [
        4.435_591_314_564_579_7e-10,
        7.072_580_158_974_405e-9,
        1.017_817_140_949_620_3e-7,
        1.321_544_155_706_986e-6,
        1.525_273_362_600_797_6e-5,
        0.000_154_035_304_462_213_08,
        0.001_333_355_814_655_206,
        0.009_618_129_107_601_773,
        0.055_504_108_664_821_64,
        0.240_226_506_959_101_08,
        core::f64::consts::LN_2,
        1.0
    ]
);

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest relative error against `reference`, in machine epsilons.
    fn error_f32(t: f32) -> f64 {
        let exact = libm::exp2(f64::from(t));
        (f64::from(nonpos_f32(t)) / exact - 1.0).abs() / f64::from(f32::EPSILON)
    }

    #[test]
    fn every_f32_of_the_range_is_within_the_bound() {
        // a billion values: on both cores
        let (first, last) = ((-0.0f32).to_bits(), CLAMP_F32.to_bits());
        let half = |from: u32, to: u32| {
            let errors = (from..=to).map(|bits| error_f32(f32::from_bits(bits)));
            errors.fold(0.0, |worst, error| if error > worst { error } else { worst })
        };
        let middle = first + (last - first) / 2;
        let (a, b) = std::thread::scope(|scope| {
            let other = scope.spawn(|| half(first, middle));
            (half(middle + 1, last), other.join().unwrap())
        });
        let worst = if a > b { a } else { b };
        assert!(worst <= MAX_ERROR_ULPS_F32, "worst relative error {worst} eps");
        assert!(worst > 0.9 * MAX_ERROR_ULPS_F32, "the stated bound is loose: {worst} eps");
    }

    /// 2^t as a pair (head, tail) of f64 whose sum is accurate to about 1e-30, by a Taylor series in double-double.
    fn exact_pair(t: f64) -> (f64, f64) {
        let n = libm::rint(t);
        let f = t - n;
        // ln 2 in two parts; x = f ln 2 in double-double
        const LN2: (f64, f64) = (core::f64::consts::LN_2, 2.319_046_813_846_299_6e-17);
        let x = mul((f, 0.0), LN2);
        let mut sum = (1.0, 0.0);
        let mut term = (1.0, 0.0);
        for k in 1..30 {
            term = div_small(mul(term, x), f64::from(k));
            sum = add(sum, term);
        }
        let scale = libm::ldexp(1.0, n as i32);
        (sum.0 * scale, sum.1 * scale)
    }
    fn two_sum(a: f64, b: f64) -> (f64, f64) {
        let s = a + b;
        let t = s - a;
        (s, (a - (s - t)) + (b - t))
    }
    fn two_prod(a: f64, b: f64) -> (f64, f64) {
        let p = a * b;
        let split = |x: f64| {
            let c = 134_217_729.0 * x;
            let high = c - (c - x);
            (high, x - high)
        };
        let ((ah, al), (bh, bl)) = (split(a), split(b));
        (p, ((ah * bh - p) + ah * bl + al * bh) + al * bl)
    }
    fn add(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
        let (s, e) = two_sum(a.0, b.0);
        two_sum(s, e + a.1 + b.1)
    }
    fn mul(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
        let (p, e) = two_prod(a.0, b.0);
        two_sum(p, e + (a.0 * b.1 + a.1 * b.0))
    }
    fn div_small(a: (f64, f64), k: f64) -> (f64, f64) {
        let q = a.0 / k;
        let (p, e) = two_prod(q, k);
        two_sum(q, ((a.0 - p) - e + a.1) / k)
    }

    #[test]
    fn a_dense_sample_of_f64_is_within_the_bound() {
        let mut worst = 0.0;
        let samples = 2_000_003;
        for i in 0..samples {
            // the first octave densely, then the whole range
            let u = f64::from(i) / f64::from(samples);
            for t in [-u, -1022.0 * u] {
                let (head, tail) = exact_pair(t);
                let error = (((nonpos_f64(t) - head) - tail) / head).abs() / f64::EPSILON;
                if error > worst {
                    worst = error;
                }
            }
        }
        assert!(worst <= MAX_ERROR_ULPS_F64, "worst relative error {worst} eps");
        assert!(worst > 0.85 * MAX_ERROR_ULPS_F64, "the stated bound is loose: {worst} eps");
    }

    #[test]
    fn the_ranges_end_at_the_least_normal_numbers() {
        assert_eq!(nonpos_f32(CLAMP_F32), f32::MIN_POSITIVE);
        assert_eq!(nonpos_f64(CLAMP_F64), f64::MIN_POSITIVE);
    }

    #[test]
    fn below_the_range_the_error_is_absolute_and_far_below_the_result_is_zero() {
        for i in 0..10_000u16 {
            let t = -126.0 - f32::from(i) * 1e-3;
            assert!((0.0..=f32::MIN_POSITIVE).contains(&nonpos_f32(t)), "{t}");
            let t = -1022.0 - f64::from(i) * 1e-3;
            assert!((0.0..=f64::MIN_POSITIVE).contains(&nonpos_f64(t)), "{t}");
        }
        for t in [-127.0, -1e6, f32::MIN, f32::NEG_INFINITY] {
            assert_eq!(nonpos_f32(t).to_bits(), 0);
        }
        for t in [-1023.0, -1e9, f64::MIN, f64::NEG_INFINITY] {
            assert_eq!(nonpos_f64(t).to_bits(), 0);
        }
    }

    #[test]
    fn zeros_and_subnormals_give_one_and_non_finite_arguments_give_nan() {
        for t in [0.0, -0.0, -f32::from_bits(1), -f32::MIN_POSITIVE] {
            assert_eq!(nonpos_f32(t), 1.0);
        }
        for t in [0.0, -0.0, -f64::from_bits(1), -f64::MIN_POSITIVE] {
            assert_eq!(nonpos_f64(t), 1.0);
        }
        assert!(nonpos_f32(f32::NAN).is_nan() && nonpos_f64(f64::NAN).is_nan());
        assert!(nonpos_f32(f32::INFINITY).is_nan() && nonpos_f64(f64::INFINITY).is_nan());
        for n in 0..=126u8 {
            assert_eq!(nonpos_f32(-f32::from(n)), libm::exp2f(-f32::from(n)), "powers of two are exact");
        }
    }
}
