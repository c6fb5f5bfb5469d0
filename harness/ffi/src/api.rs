//! The functions that C calls: one definition for both precisions. Each hands its arguments on, and an error to
//! `error`.

// the header says once what holds for all: pointers point to what is named, which nobody else uses meanwhile
#![allow(clippy::missing_safety_doc)]

use crate::call::call;
use crate::calls;
use crate::code::{bd_code, bd_error, text};
use crate::energy::{bd_energy, bd_energy_fn, bd_network, bd_rows};
use crate::law::{self, bd_marginal, bd_random};
use crate::make;
use crate::run::{self, bd_report, bd_run, bd_settings, bd_view};
use core::ffi::{c_char, c_void};

/// Version of this header: major, minor and patch in a byte each. Compare with `bd_version()`.
pub const BD_VERSION: u32 = 0x00_01_00;

/// Counts the changes of results: libraries of the same number give the same bits on every target. Compare with
/// `bd_values()`.
pub const BD_VALUES: u32 = 1;

/// The library's BD_VERSION.
#[unsafe(no_mangle)]
pub extern "C" fn bd_version() -> u32 {
    BD_VERSION
}

/// The library's BD_VALUES.
#[unsafe(no_mangle)]
pub extern "C" fn bd_values() -> u32 {
    BD_VALUES
}

/// What a code means: a static, terminated text, for any number.
#[unsafe(no_mangle)]
pub extern "C" fn bd_error_text(code: i32) -> *const c_char {
    text(code).as_ptr()
}

/// The next 32 random bits; 0 for NULL or a misaligned pointer. `random`, here and below, is what a `bd_draw_fn` was
/// given, in its call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bd_random_word(random: *mut bd_random) -> u32 {
    // SAFETY: the caller's promise
    unsafe { law::generator(random) }.map_or(0, |rng| rng.next_u32())
}

macro_rules! interface {
    ($real:ty:
     $run_size:ident, $init:ident, $set_particles:ident, $get_particles:ident, $scatter:ident, $step:ident,
     $evaluate:ident, $view:ident, $set_dt:ident, $set_alpha:ident, $checkpoint_size:ident, $save:ident,
     $load:ident, $predict:ident, $quadratic:ident, $gaussian_units:ident, $mmd:ident, $network:ident,
     $custom:ident, $uniform:ident, $normal:ident) => {
        /// Bytes of memory for a run of n particles of d components; SIZE_MAX if there is no such memory. Header:
        /// BD_RUN_SIZE_F32, _F64.
        #[unsafe(no_mangle)]
        pub extern "C" fn $run_size(n: usize, d: usize) -> usize {
            run::size::<$real>(n, d)
        }

        /// Makes a run in `memory`, BD_RUN_SIZE bytes aligned to BD_ALIGNMENT, which are the run's from then on; all
        /// particles at 0. `*run` is then what the other functions take. A prior is borrowed, as `bd_prior` says;
        /// nothing else is.
        /// Errors: NULL, ALIGNMENT, MEMORY, OVERLAP, BUSY (a run or an energy in use begins there: it looks at all of
        /// the memory, which may hold anything), CHOICE, EMPTY, ZERO, CAPACITY, PARAMETER, CENTRED_REINJECTION,
        /// ALPHA_WITHOUT_EVENTS.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $init(
            memory: *mut c_void,
            size: usize,
            settings: *const bd_settings<$real>,
            run: *mut *mut bd_run<$real>,
            error: *mut bd_error,
        ) -> bd_code {
            // SAFETY: the caller's promise, here and in all that follow
            unsafe { call(error, |details| run::init(memory, size, settings, run, details)) }
        }

        /// Puts all particles: component k of particle i is x[k * stride + i], (d - 1) * stride + n values.
        /// Errors: those of every function that takes a run (NULL, ALIGNMENT, NOT_INITIALISED, BUSY, OVERLAP); MEMORY,
        /// CAPACITY (stride < n), NOT_FINITE.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $set_particles(
            run: *mut bd_run<$real>,
            x: *const $real,
            stride: usize,
            error: *mut bd_error,
        ) -> bd_code {
            // SAFETY: see above
            unsafe { call(error, |details| calls::set_particles(run, x, stride, details)) }
        }

        /// Copies all particles to x, laid out as for set_particles. Values between the rows are left alone.
        /// Errors: a run's; MEMORY, CAPACITY.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $get_particles(
            run: *mut bd_run<$real>,
            x: *mut $real,
            stride: usize,
            error: *mut bd_error,
        ) -> bd_code {
            // SAFETY: see above
            unsafe { call(error, |details| calls::get_particles(run, x, stride, details)) }
        }

        /// Draws all particles by the run's generator, particle after particle, component k from marginals[k].
        /// Errors: a run's; CHOICE, PARAMETER, NOT_FINITE.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $scatter(
            run: *mut bd_run<$real>,
            marginals: *const bd_marginal<$real>,
            error: *mut bd_error,
        ) -> bd_code {
            // SAFETY: see above
            unsafe { call(error, |details| calls::scatter(run, marginals, details)) }
        }

        /// Does `count` steps. `report`, which may be NULL, is that of the last step done. At the first error it stops:
        /// the steps before that one are done, that one has left no trace, and calling again repeats the error unless
        /// something is changed.
        /// Errors: a run's; an energy's (NULL, ALIGNMENT, NOT_INITIALISED, BUSY, OVERLAP); MISMATCH (the energy's d),
        /// NOT_FINITE, EXTINCT, ENERGY, PARAMETER (targets of the logistic loss).
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $step(
            run: *mut bd_run<$real>,
            energy: *mut bd_energy<$real>,
            count: u64,
            report: *mut bd_report<$real>,
            error: *mut bd_error,
        ) -> bd_code {
            // SAFETY: see above
            unsafe { call(error, |details| calls::step(run, energy, count, report, details)) }
        }

        /// The energy E of the particles as they are, to `value`; their potentials can then be read in the view. No
        /// step.
        /// Errors: as step.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $evaluate(
            run: *mut bd_run<$real>,
            energy: *mut bd_energy<$real>,
            value: *mut $real,
            error: *mut bd_error,
        ) -> bd_code {
            // SAFETY: see above
            unsafe { call(error, |details| calls::evaluate(run, energy, value, details)) }
        }

        /// Counters, parameters, and where particles, potentials and origins stand.
        /// Errors: a run's.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $view(
            run: *mut bd_run<$real>,
            view: *mut bd_view<$real>,
            error: *mut bd_error,
        ) -> bd_code {
            // SAFETY: see above
            unsafe { call(error, |details| calls::view(run, view, details)) }
        }

        /// Another step length dt >= 0, from the next step on. Errors: a run's; PARAMETER.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $set_dt(run: *mut bd_run<$real>, dt: $real, error: *mut bd_error) -> bd_code {
            // SAFETY: see above
            unsafe { call(error, |details| calls::set_dt(run, dt, details)) }
        }

        /// Another birth-death rate alpha >= 0, from the next step on. Errors: a run's; PARAMETER,
        /// ALPHA_WITHOUT_EVENTS.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $set_alpha(run: *mut bd_run<$real>, alpha: $real, error: *mut bd_error) -> bd_code {
            // SAFETY: see above
            unsafe { call(error, |details| calls::set_alpha(run, alpha, details)) }
        }

        /// Bytes of a checkpoint of n particles of d components. Header: BD_CHECKPOINT_SIZE_F32, _F64.
        #[unsafe(no_mangle)]
        pub extern "C" fn $checkpoint_size(n: usize, d: usize) -> usize {
            calls::checkpoint_size::<$real>(n, d)
        }

        /// Writes a checkpoint to the first BD_CHECKPOINT_SIZE of `capacity` bytes: the same on every target. `tag`
        /// stands for what is not in it, energy and prior: a number of the caller's choice.
        /// Errors: a run's; MEMORY, CAPACITY.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $save(
            run: *mut bd_run<$real>,
            tag: u64,
            checkpoint: *mut u8,
            capacity: usize,
            error: *mut bd_error,
        ) -> bd_code {
            // SAFETY: see above
            unsafe { call(error, |details| calls::save(run, tag, checkpoint, capacity, details)) }
        }

        /// Puts a run back that was saved with the same tag, into one of the same n, d and scheme, with the same prior.
        /// It goes on to the bit.
        /// Errors: a run's; MEMORY, MISMATCH (n or d), PARAMETER, NOT_FINITE, ALPHA_WITHOUT_EVENTS, and all CHECKPOINT.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $load(
            run: *mut bd_run<$real>,
            tag: u64,
            checkpoint: *const u8,
            length: usize,
            error: *mut bd_error,
        ) -> bd_code {
            // SAFETY: see above
            unsafe { call(error, |details| calls::load(run, tag, checkpoint, length, details)) }
        }

        /// The `outputs` outputs, for an input of `inputs` values, of the network with these units (a view's particles,
        /// or a table in flash): what training computes, to the bit. Needs no run, and so does not see an output in
        /// other memory of one. `scale` as in `bd_network`.
        /// Errors: NULL, ALIGNMENT, MEMORY, OVERLAP, CHOICE, EMPTY, ZERO, MISMATCH (inputs + outputs is not d),
        /// CAPACITY, PARAMETER (scale).
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $predict(
            activation: u32,
            scale: $real,
            units: *const bd_rows<$real>,
            input: *const $real,
            inputs: usize,
            output: *mut $real,
            outputs: usize,
            error: *mut bd_error,
        ) -> bd_code {
            // SAFETY: see above
            unsafe {
                call(error, |details| {
                    calls::predict(activation, scale, units, (input, inputs), (output, outputs), details)
                })
            }
        }

        /// Makes the energy of F = 1/2 sum_k h_k theta_k^2, h = `curvature`, d values.
        /// Errors: those of every function that makes an energy (NULL, ALIGNMENT, MEMORY, OVERLAP, BUSY); ZERO,
        /// PARAMETER.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $quadratic(
            energy: *mut bd_energy<$real>,
            curvature: *const $real,
            d: usize,
            error: *mut bd_error,
        ) -> bd_code {
            // SAFETY: see above
            unsafe { call(error, |details| make::quadratic(energy, curvature, d, details)) }
        }

        /// Makes the energy E = 1/2 int (f_mu - f)^2 of a network of Gaussian units of variance s2 = `unit_variance`,
        /// fitted to the mixture f = sum_a weights[a] N(.; centres[a * inputs ...], variances[a]) of `components` in
        /// `inputs` dimensions. A particle is (c, y): charge and centre, d = inputs + 1.
        /// Errors: those of making an energy; ZERO, PARAMETER.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $gaussian_units(
            energy: *mut bd_energy<$real>,
            unit_variance: $real,
            inputs: usize,
            components: usize,
            weights: *const $real,
            centres: *const $real,
            variances: *const $real,
            error: *mut bd_error,
        ) -> bd_code {
            let target = [weights, centres, variances];
            // SAFETY: see above
            unsafe { call(error, |details| make::units(energy, unit_variance, inputs, components, target, details)) }
        }

        /// Makes the energy of the maximum mean discrepancy to a sample, kernel exp(-|x - y|^2 / (2 bandwidth^2)):
        /// E = 1/2 of its square.
        /// Errors: those of making an energy; EMPTY, ZERO, CAPACITY, PARAMETER, NOT_FINITE.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $mmd(
            energy: *mut bd_energy<$real>,
            bandwidth: $real,
            sample: *const bd_rows<$real>,
            error: *mut bd_error,
        ) -> bd_code {
            // SAFETY: see above
            unsafe { call(error, |details| make::mmd(energy, bandwidth, sample, details)) }
        }

        /// Makes the energy of a network on data; `settings` itself is not borrowed, what it points to is.
        /// Errors: those of making an energy; CHOICE, ZERO, CAPACITY (scratch, or a batch larger than the data),
        /// PARAMETER, EXAMPLE.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $network(
            energy: *mut bd_energy<$real>,
            settings: *const bd_network<$real>,
            error: *mut bd_error,
        ) -> bd_code {
            // SAFETY: see above
            unsafe { call(error, |details| make::network(energy, settings, details)) }
        }

        /// Makes an energy of the caller's own function, for particles of d components; `context` is its first
        /// argument, for whatever it needs.
        /// Errors: those of making an energy; ZERO.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $custom(
            energy: *mut bd_energy<$real>,
            d: usize,
            evaluate: bd_energy_fn<$real>,
            context: *mut c_void,
            error: *mut bd_error,
        ) -> bd_code {
            // SAFETY: see above
            unsafe { call(error, |details| make::custom(energy, d, evaluate, context, details)) }
        }

        /// A number uniform on [0, 1); NaN for NULL or a misaligned pointer.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $uniform(random: *mut bd_random) -> $real {
            // SAFETY: the caller's promise
            law::uniform(unsafe { law::generator(random) })
        }

        /// A standard normal number; NaN for NULL or a misaligned pointer.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $normal(random: *mut bd_random) -> $real {
            // SAFETY: the caller's promise
            law::normal(unsafe { law::generator(random) })
        }
    };
}

interface!(f32:
    bd_run_size_f32, bd_init_f32, bd_set_particles_f32, bd_get_particles_f32, bd_scatter_f32, bd_step_f32,
    bd_evaluate_f32, bd_get_view_f32, bd_set_dt_f32, bd_set_alpha_f32, bd_checkpoint_size_f32, bd_save_f32,
    bd_load_f32, bd_predict_f32, bd_make_quadratic_f32, bd_make_gaussian_units_f32, bd_make_mmd_f32,
    bd_make_network_f32, bd_make_custom_f32, bd_random_uniform_f32, bd_random_normal_f32);

interface!(f64:
    bd_run_size_f64, bd_init_f64, bd_set_particles_f64, bd_get_particles_f64, bd_scatter_f64, bd_step_f64,
    bd_evaluate_f64, bd_get_view_f64, bd_set_dt_f64, bd_set_alpha_f64, bd_checkpoint_size_f64, bd_save_f64,
    bd_load_f64, bd_predict_f64, bd_make_quadratic_f64, bd_make_gaussian_units_f64, bd_make_mmd_f64,
    bd_make_network_f64, bd_make_custom_f64, bd_random_uniform_f64, bd_random_normal_f64);
