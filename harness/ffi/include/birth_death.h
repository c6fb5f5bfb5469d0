/* birth-death: mean-field gradient flow with neuron birth-death dynamics (arXiv:1902.01843), in memory of the caller's.
 *
 * Made by cbindgen from harness/ffi; do not edit. C11 or C++11. Every function and type ends in _f32 (float) or _f64
 * (double).
 *
 *   static _Alignas(BD_ALIGNMENT) unsigned char memory[BD_RUN_SIZE_F32(64, 2)];    64 particles of 2 components
 *   bd_settings_f32 settings = {.n = 64, .d = 2, .scheme = BD_BIRTH_DEATH, .dt = 0.05f, .alpha = 2, .seed = 1};
 *   bd_run_f32 *run;
 *   bd_code code = bd_init_f32(memory, sizeof memory, &settings, &run, NULL);
 *
 * Memory   Nothing is allocated. A run is in the memory that bd_init gets, an energy in a bd_energy of the caller's.
 * Pointers They point to what is named, which nobody else uses during the call. NULL, misalignment, impossible sizes
 *          and overlap are errors: memory that a call writes, the details of its error too, shares no byte with
 *          anything else that the call is given, nor with what a given run or energy borrows.
 * Errors   A function returns BD_OK or why it did nothing; its last argument takes the details, or is NULL. After an
 *          error everything is as it was, but for potentials and origins in the view of a run whose step failed.
 *          Details that are misaligned, or lie in something else (BD_ERROR_OVERLAP), are not written.
 * Calls    A function of one's own, an energy or a prior, may call everything but for the run and the energy that
 *          called it: that is BD_ERROR_BUSY, and so is making a run or an energy in memory in which one in use begins.
 *          Bytes copied then are the run before the step, and are not in use where they are put. Put back later where
 *          they were taken from, they are in use for ever: write zeros there before making a new one. The function
 *          must return: no longjmp, no exception.
 * Not seen A pointer to less memory than promised. Memory that is borrowed or in use, and is freed, written or moved
 *          meanwhile: by the results of another call in a callback, or by a run or an energy made inside one in use,
 *          not over its beginning. What a context points to. A bd_random after its call. Two threads in one run or
 *          energy. Copies of an energy with batches, or several made with one `order`, that are used in turn: each
 *          takes the order of another's epoch for its own.
 * Threads  There is no global state. A run, or an energy, is used by one thread at a time; tables that are only read
 *          are shared.
 * Bits     Equal settings and seeds give equal bits on every target with IEEE arithmetic, rounding to nearest,
 *          subnormals kept (no flush-to-zero). An energy of one's own keeps that if it is compiled with
 *          -ffp-contract=off and without -ffast-math.
 */

#ifndef BIRTH_DEATH_H
#define BIRTH_DEATH_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of a run of n particles of d components, and of its checkpoint; constant expressions. */
#define BD_RUN_SIZE_F32(n, d) (BD_RUN_HEADER + 4 * (2 * (size_t)(d) * (n) + (n) + (d)) + 8 * (size_t)(n))
#define BD_RUN_SIZE_F64(n, d) (BD_RUN_HEADER + 8 * (2 * (size_t)(d) * (n) + (n) + (d)) + 8 * (size_t)(n))
#define BD_CHECKPOINT_SIZE_F32(n, d) (100 + 4 * (size_t)(d) * (n))
#define BD_CHECKPOINT_SIZE_F64(n, d) (100 + 8 * (size_t)(d) * (n))

/* Values of scratch of a network: all examples in every step, or batches. */
#define BD_NETWORK_SCRATCH(outputs, examples) ((size_t)(outputs) * ((size_t)(examples) + 128))
#define BD_BATCH_SCRATCH(inputs, outputs, batch) \
    ((size_t)(batch) * ((inputs) + (outputs)) + BD_NETWORK_SCRATCH(outputs, batch))


// Version of this header: major, minor and patch in a byte each. Compare with `bd_version()`.
#define BD_VERSION 256

// Counts the changes of results: libraries of the same number give the same bits on every target. Compare with
// `bd_values()`.
#define BD_VALUES 1

// `index` where there is none.
#define BD_NO_INDEX UINT64_MAX

// 64-bit words of a `bd_energy`.
#define BD_ENERGY_WORDS 36

// Bytes of a run beside its particles and their scratch.
#define BD_RUN_HEADER 256

// Alignment of a run's memory, in bytes.
#define BD_ALIGNMENT 8

// `origin` of a particle that was drawn from the prior.
#define BD_FRESH UINT32_MAX

// What a function returns: BD_OK, or why nothing was done. After any error, run, energy and the memory for results are
// as they were.
enum bd_code
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Done.
  BD_OK = 0,
  // A pointer that must not be is null. `what`: the argument.
  BD_ERROR_NULL = 1,
  // A pointer is not aligned for what it points to. `what`: the argument; `expected`: the alignment in bytes.
  BD_ERROR_ALIGNMENT = 2,
  // Memory is too small, or so large that no object has that size. `what`; `expected`, `found`: bytes.
  BD_ERROR_MEMORY = 3,
  // Two pieces of memory overlap, one of which is written. `what`: one of them; if that would be the details
  // themselves, they are not written.
  BD_ERROR_OVERLAP = 4,
  // No run or energy of this precision was made there. `what`: the argument.
  BD_ERROR_NOT_INITIALISED = 5,
  // The run or energy is in use: a function of one's own has called back for the object that called it, or would
  // make another in its memory. `what`: the argument.
  BD_ERROR_BUSY = 6,
  // A number that names a choice names none. `what`: the choice; `found`: the number.
  BD_ERROR_CHOICE = 7,
  // There is no particle, or no point of a sample.
  BD_ERROR_EMPTY = 16,
  // A size that must be at least one is zero. `what`.
  BD_ERROR_ZERO = 17,
  // Two sizes that must agree do not. `what`, `expected`, `found`.
  BD_ERROR_MISMATCH = 18,
  // A capacity is exceeded. `what`; `expected`: what fits; `found`: what was asked for.
  BD_ERROR_CAPACITY = 19,
  // A parameter is not finite or outside its range. `what`, `value`, `accepted`.
  BD_ERROR_PARAMETER = 20,
  // A quantity came out as NaN or infinite. `what`: the quantity; `index`: its particle, or BD_NO_INDEX.
  BD_ERROR_NOT_FINITE = 21,
  // An example of a data set has a NaN or an infinity. `index`: which one.
  BD_ERROR_EXAMPLE = 22,
  // Every particle died in one step, and there is nobody to copy. `index`: the step. Lower alpha or dt.
  BD_ERROR_EXTINCT = 23,
  // Reinjection takes raw rates only.
  BD_ERROR_CENTRED_REINJECTION = 24,
  // Gradient flow has no events, and alpha is not 0. `value`: alpha.
  BD_ERROR_ALPHA_WITHOUT_EVENTS = 25,
  // The caller's own energy failed. `user`: what it returned.
  BD_ERROR_ENERGY = 26,
  // A checkpoint is cut short. `expected`, `found`: bytes.
  BD_ERROR_CHECKPOINT_TRUNCATED = 32,
  // Bytes are no checkpoint.
  BD_ERROR_CHECKPOINT_MAGIC = 33,
  // A checkpoint of a format that this version does not read. `found`: the format's version.
  BD_ERROR_CHECKPOINT_VERSION = 34,
  // A byte of the checkpoint has changed.
  BD_ERROR_CHECKPOINT_CHECKSUM = 35,
  // A checkpoint of the other precision. `found`: bytes of a number.
  BD_ERROR_CHECKPOINT_PRECISION = 36,
  // A checkpoint of another scheme.
  BD_ERROR_CHECKPOINT_SCHEME = 37,
  // A checkpoint of another generator.
  BD_ERROR_CHECKPOINT_GENERATOR = 38,
  // A checkpoint of another run. `found`: its tag.
  BD_ERROR_CHECKPOINT_TAG = 39,
  // A checkpoint with a value that no run can have, though its checksum is right.
  BD_ERROR_CHECKPOINT_VALUE = 40,
  // An error that this version of the interface has no name for.
  BD_ERROR_OTHER = 255,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bd_code bd_code;
#else
typedef int32_t bd_code;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Which dynamics.
enum bd_scheme
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Plain gradient flow: no event, no randomness. alpha is 0.
  BD_GRADIENT_FLOW = 0,
  // Scheme 1: deaths and births; the population is restored by copying or removing.
  BD_BIRTH_DEATH = 1,
  // Scheme 2: as scheme 1, but what is missing is drawn from the prior. Raw rates.
  BD_REINJECTION = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bd_scheme bd_scheme;
#else
typedef uint32_t bd_scheme;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What the rate of events is measured from.
enum bd_rate
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // The scheme's: raw for scheme 2, else centred.
  BD_RATE_OF_SCHEME = 0,
  // V - mean V.
  BD_CENTRED = 1,
  // V.
  BD_RAW = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bd_rate bd_rate;
#else
typedef uint32_t bd_rate;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Law of one component of a particle.
enum bd_law
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Always `a`; no random word. `b` is not read.
  BD_CONSTANT = 0,
  // Normal: mean `a`, standard deviation `b` >= 0.
  BD_NORMAL = 1,
  // Uniform from `a` to `b`.
  BD_UNIFORM = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bd_law bd_law;
#else
typedef uint32_t bd_law;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Activation of the units of a network.
enum bd_activation
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // max(a, 0)
  BD_RELU = 0,
  // tanh(a)
  BD_TANH = 1,
  // exp(-a^2 / 2)
  BD_GAUSSIAN = 2,
  // 1 / (1 + exp(-a))
  BD_SIGMOID = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bd_activation bd_activation;
#else
typedef uint32_t bd_activation;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Loss of a network.
enum bd_loss
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // 1/2 |f - y|^2
  BD_SQUARED = 0,
  // Cross-entropy in nats. One output: y in [0, 1], f log-odds. More: y probabilities that sum to 1, f logits.
  BD_LOGISTIC = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bd_loss bd_loss;
#else
typedef uint32_t bd_loss;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A generator, lent to a function for the time of its call; a use after that is not seen.
typedef struct bd_random bd_random;

// A run, in memory of the caller's. It holds no pointer into itself: it may be copied as bytes to another place of the
// same alignment, and goes on there; in a callback too, as the run before the step.
typedef struct bd_run_f32 bd_run_f32;

// A run, in memory of the caller's. It holds no pointer into itself: it may be copied as bytes to another place of the
// same alignment, and goes on there; in a callback too, as the run before the step.
typedef struct bd_run_f64 bd_run_f64;

// Law of one component, a `bd_law` and its two numbers. A `static const` table of them is a prior, or a start.
typedef struct bd_marginal_f32 {
  // A `bd_law`.
  uint32_t law;
  // First number.
  float a;
  // Second number.
  float b;
} bd_marginal_f32;

// Writes one draw of `d` components into `particle`, by the functions on `bd_random`, in bounded time. A value that is
// not finite makes the step fail.
typedef void (*bd_draw_fn_f32)(void *context, struct bd_random *random, float *particle, size_t d);

// The reinjection prior: `marginals` of the d components, or a function and its context. Read by scheme 2 only.
// Borrowed as long as the run is used.
typedef struct bd_prior_f32 {
  // d laws, or NULL.
  const struct bd_marginal_f32 *marginals;
  // Used if `marginals` is NULL.
  bd_draw_fn_f32 draw;
  // First argument of `draw`.
  void *context;
} bd_prior_f32;

// What a run is to be. Members that are 0 have the meaning that is named, so name what you need and let C make the
// others 0.
typedef struct bd_settings_f32 {
  // Particles, at least 1.
  size_t n;
  // Components of a particle, at least 1.
  size_t d;
  // A `bd_scheme`.
  uint32_t scheme;
  // A `bd_rate`. 0: the scheme's.
  uint32_t rate;
  // Length of a step, >= 0.
  float dt;
  // Birth-death rate, >= 0.
  float alpha;
  // Seed of the run's generator; any number.
  uint64_t seed;
  // Stream of the run's generator; any number.
  uint64_t stream;
  // 0: never. Else the step from which on there are no events.
  uint64_t quench_from;
  // 0: particles move. 1: they do not (pure birth-death).
  uint32_t without_transport;
  // Scheme 2 only; not read by others.
  struct bd_prior_f32 prior;
} bd_settings_f32;

// What is known of an error. Which members mean something stands at each code; the others are 0, NULL, or BD_NO_INDEX.
// Texts are static and not terminated: print them by `printf("%.*s", (int)error.what_length, error.what)`.
typedef struct bd_error {
  // The code that the function returned.
  bd_code code;
  // What the caller's own energy returned.
  int32_t user;
  // Particle, example or step, counted from zero; BD_NO_INDEX if none is named.
  uint64_t index;
  // Size, capacity or alignment that was needed, or is there.
  uint64_t expected;
  // Size or number found.
  uint64_t found;
  // The value refused.
  double value;
  // Name of the argument, parameter or quantity.
  const char *what;
  // Its bytes.
  size_t what_length;
  // What would be accepted.
  const char *accepted;
  // Its bytes.
  size_t accepted_length;
} bd_error;

// An energy, made by one of the functions below. It borrows the memory that it was made of: that stays where it is, is
// written by nobody, and scratch is used by nobody else, as long as the energy is used; neither is seen if it is not
// so. It can be moved and copied. Of copies that share scratch, one thread may use one at a time; of copies with
// batches only one may be used at all, since they share `order`, and another would take wrong batches, without an
// error.
typedef struct bd_energy_f32 {
  // The library's own.
  uint64_t words[BD_ENERGY_WORDS];
} bd_energy_f32;

// What a step did. Energy, potential and time are those before it.
typedef struct bd_report_f32 {
  // Its number, counted from 0.
  uint64_t step;
  // The time at which it began.
  float time;
  // The energy E.
  float energy;
  // Mean of the potentials V.
  float mean_potential;
  // Particles duplicated.
  uint32_t births;
  // Particles that died.
  uint32_t deaths;
  // Removed by population control.
  uint32_t removed;
  // Added by population control.
  uint32_t added;
  // The largest event probability of any particle.
  double largest_probability;
} bd_report_f32;

// Components of particles or points, each in a row: component k of number i is `data[k * stride + i]`, i < n <=
// stride, k < d.
typedef struct bd_rows_f32 {
  // (d - 1) * stride + n values.
  const float *data;
  // Values from one row to the next, at least n.
  size_t stride;
  // Components: rows.
  size_t d;
  // Particles: values of a row.
  size_t n;
} bd_rows_f32;

// A run's state, to be read where it stands: valid until the next call with the run.
typedef struct bd_view_f32 {
  // Steps done.
  uint64_t steps;
  // Time reached.
  float time;
  // Length of a step.
  float dt;
  // Birth-death rate.
  float alpha;
  // The particles.
  struct bd_rows_f32 particles;
  // n potentials V of the last evaluation.
  const float *potential;
  // n slots: whose particle stands there since the last step; its own number, its parent's, or BD_FRESH.
  const uint32_t *origin;
} bd_view_f32;

// A two-layer network on data. A particle is a unit: its `outputs` output weights c, then its `inputs` input weights
// z. The network's output is (scale / n) sum_i c_i sigma(z_i . x): append a 1 to every input for a bias. Members that
// are 0 have the meaning that is named.
typedef struct bd_network_f32 {
  // A `bd_activation`.
  uint32_t activation;
  // A `bd_loss`.
  uint32_t loss;
  // Values of an input, at least 1.
  size_t inputs;
  // Values of a target, at least 1.
  size_t outputs;
  // Examples of the data set, at least 1.
  size_t examples;
  // `examples * inputs` values, example after example.
  const float *x;
  // `examples * outputs` values, example after example.
  const float *y;
  // 0: 1, mean-field scaling. n: a plain sum over the units.
  float scale;
  // L2 regularisation (decay / 2) |theta|^2 of every unit.
  float decay;
  // Scratch: BD_NETWORK_SCRATCH(outputs, examples) values; with batches BD_BATCH_SCRATCH(inputs, outputs, batch).
  // Its contents mean nothing.
  float *scratch;
  // Values of `scratch`.
  size_t scratch_length;
  // 0: all examples in every step. Else so many, without replacement, in a new order every epoch.
  size_t batch;
  // With batches: `examples` words of scratch, which keep the order of an epoch from step to step: for one energy
  // only.
  uint32_t *order;
  // With batches: seed of the order. Not that of the run's generator, which they do not touch.
  uint64_t seed;
  // With batches: stream of the order.
  uint64_t stream;
} bd_network_f32;

// The caller's own energy. Writes the potential V of each of the `at->n` particles to `potential`, the gradient of V
// in component k of particle i to `gradient[k * at->stride + i]`, and E to `energy`; returns 0, or a code of its own,
// which the step then reports. For a potential F of one particle: V = F, E = mean of F. With interaction K:
// V_i = F_i + (1/n) sum_j K_ij, j = i included, E = E0 + mean of F_i + (V_i - F_i) / 2; gradient: of V_i in its own
// particle. What it does not write is NaN, and an error of the step. `step` counts from 0. It must return: no
// longjmp, no exception.
typedef int32_t (*bd_energy_fn_f32)(void *context,
                                    uint64_t step,
                                    const struct bd_rows_f32 *at,
                                    float *potential,
                                    float *gradient,
                                    float *energy);

// Law of one component, a `bd_law` and its two numbers. A `static const` table of them is a prior, or a start.
typedef struct bd_marginal_f64 {
  // A `bd_law`.
  uint32_t law;
  // First number.
  double a;
  // Second number.
  double b;
} bd_marginal_f64;

// Writes one draw of `d` components into `particle`, by the functions on `bd_random`, in bounded time. A value that is
// not finite makes the step fail.
typedef void (*bd_draw_fn_f64)(void *context, struct bd_random *random, double *particle, size_t d);

// The reinjection prior: `marginals` of the d components, or a function and its context. Read by scheme 2 only.
// Borrowed as long as the run is used.
typedef struct bd_prior_f64 {
  // d laws, or NULL.
  const struct bd_marginal_f64 *marginals;
  // Used if `marginals` is NULL.
  bd_draw_fn_f64 draw;
  // First argument of `draw`.
  void *context;
} bd_prior_f64;

// What a run is to be. Members that are 0 have the meaning that is named, so name what you need and let C make the
// others 0.
typedef struct bd_settings_f64 {
  // Particles, at least 1.
  size_t n;
  // Components of a particle, at least 1.
  size_t d;
  // A `bd_scheme`.
  uint32_t scheme;
  // A `bd_rate`. 0: the scheme's.
  uint32_t rate;
  // Length of a step, >= 0.
  double dt;
  // Birth-death rate, >= 0.
  double alpha;
  // Seed of the run's generator; any number.
  uint64_t seed;
  // Stream of the run's generator; any number.
  uint64_t stream;
  // 0: never. Else the step from which on there are no events.
  uint64_t quench_from;
  // 0: particles move. 1: they do not (pure birth-death).
  uint32_t without_transport;
  // Scheme 2 only; not read by others.
  struct bd_prior_f64 prior;
} bd_settings_f64;

// An energy, made by one of the functions below. It borrows the memory that it was made of: that stays where it is, is
// written by nobody, and scratch is used by nobody else, as long as the energy is used; neither is seen if it is not
// so. It can be moved and copied. Of copies that share scratch, one thread may use one at a time; of copies with
// batches only one may be used at all, since they share `order`, and another would take wrong batches, without an
// error.
typedef struct bd_energy_f64 {
  // The library's own.
  uint64_t words[BD_ENERGY_WORDS];
} bd_energy_f64;

// What a step did. Energy, potential and time are those before it.
typedef struct bd_report_f64 {
  // Its number, counted from 0.
  uint64_t step;
  // The time at which it began.
  double time;
  // The energy E.
  double energy;
  // Mean of the potentials V.
  double mean_potential;
  // Particles duplicated.
  uint32_t births;
  // Particles that died.
  uint32_t deaths;
  // Removed by population control.
  uint32_t removed;
  // Added by population control.
  uint32_t added;
  // The largest event probability of any particle.
  double largest_probability;
} bd_report_f64;

// Components of particles or points, each in a row: component k of number i is `data[k * stride + i]`, i < n <=
// stride, k < d.
typedef struct bd_rows_f64 {
  // (d - 1) * stride + n values.
  const double *data;
  // Values from one row to the next, at least n.
  size_t stride;
  // Components: rows.
  size_t d;
  // Particles: values of a row.
  size_t n;
} bd_rows_f64;

// A run's state, to be read where it stands: valid until the next call with the run.
typedef struct bd_view_f64 {
  // Steps done.
  uint64_t steps;
  // Time reached.
  double time;
  // Length of a step.
  double dt;
  // Birth-death rate.
  double alpha;
  // The particles.
  struct bd_rows_f64 particles;
  // n potentials V of the last evaluation.
  const double *potential;
  // n slots: whose particle stands there since the last step; its own number, its parent's, or BD_FRESH.
  const uint32_t *origin;
} bd_view_f64;

// A two-layer network on data. A particle is a unit: its `outputs` output weights c, then its `inputs` input weights
// z. The network's output is (scale / n) sum_i c_i sigma(z_i . x): append a 1 to every input for a bias. Members that
// are 0 have the meaning that is named.
typedef struct bd_network_f64 {
  // A `bd_activation`.
  uint32_t activation;
  // A `bd_loss`.
  uint32_t loss;
  // Values of an input, at least 1.
  size_t inputs;
  // Values of a target, at least 1.
  size_t outputs;
  // Examples of the data set, at least 1.
  size_t examples;
  // `examples * inputs` values, example after example.
  const double *x;
  // `examples * outputs` values, example after example.
  const double *y;
  // 0: 1, mean-field scaling. n: a plain sum over the units.
  double scale;
  // L2 regularisation (decay / 2) |theta|^2 of every unit.
  double decay;
  // Scratch: BD_NETWORK_SCRATCH(outputs, examples) values; with batches BD_BATCH_SCRATCH(inputs, outputs, batch).
  // Its contents mean nothing.
  double *scratch;
  // Values of `scratch`.
  size_t scratch_length;
  // 0: all examples in every step. Else so many, without replacement, in a new order every epoch.
  size_t batch;
  // With batches: `examples` words of scratch, which keep the order of an epoch from step to step: for one energy
  // only.
  uint32_t *order;
  // With batches: seed of the order. Not that of the run's generator, which they do not touch.
  uint64_t seed;
  // With batches: stream of the order.
  uint64_t stream;
} bd_network_f64;

// The caller's own energy. Writes the potential V of each of the `at->n` particles to `potential`, the gradient of V
// in component k of particle i to `gradient[k * at->stride + i]`, and E to `energy`; returns 0, or a code of its own,
// which the step then reports. For a potential F of one particle: V = F, E = mean of F. With interaction K:
// V_i = F_i + (1/n) sum_j K_ij, j = i included, E = E0 + mean of F_i + (V_i - F_i) / 2; gradient: of V_i in its own
// particle. What it does not write is NaN, and an error of the step. `step` counts from 0. It must return: no
// longjmp, no exception.
typedef int32_t (*bd_energy_fn_f64)(void *context,
                                    uint64_t step,
                                    const struct bd_rows_f64 *at,
                                    double *potential,
                                    double *gradient,
                                    double *energy);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The library's BD_VERSION.
uint32_t bd_version(void);

// The library's BD_VALUES.
uint32_t bd_values(void);

// What a code means: a static, terminated text, for any number.
const char *bd_error_text(int32_t code);

// The next 32 random bits; 0 for NULL or a misaligned pointer. `random`, here and below, is what a `bd_draw_fn` was
// given, in its call.
uint32_t bd_random_word(struct bd_random *random);

// Bytes of memory for a run of n particles of d components; SIZE_MAX if there is no such memory. Header:
// BD_RUN_SIZE_F32, _F64.
size_t bd_run_size_f32(size_t n, size_t d);

// Makes a run in `memory`, BD_RUN_SIZE bytes aligned to BD_ALIGNMENT, which are the run's from then on; all
// particles at 0. `*run` is then what the other functions take. A prior is borrowed, as `bd_prior` says;
// nothing else is.
// Errors: NULL, ALIGNMENT, MEMORY, OVERLAP, BUSY (a run or an energy in use begins there: it looks at all of
// the memory, which may hold anything), CHOICE, EMPTY, ZERO, CAPACITY, PARAMETER, CENTRED_REINJECTION,
// ALPHA_WITHOUT_EVENTS.
bd_code bd_init_f32(void *memory,
                    size_t size,
                    const struct bd_settings_f32 *settings,
                    struct bd_run_f32 **run,
                    struct bd_error *error);

// Puts all particles: component k of particle i is x[k * stride + i], (d - 1) * stride + n values.
// Errors: those of every function that takes a run (NULL, ALIGNMENT, NOT_INITIALISED, BUSY, OVERLAP); MEMORY,
// CAPACITY (stride < n), NOT_FINITE.
bd_code bd_set_particles_f32(struct bd_run_f32 *run, const float *x, size_t stride, struct bd_error *error);

// Copies all particles to x, laid out as for set_particles. Values between the rows are left alone.
// Errors: a run's; MEMORY, CAPACITY.
bd_code bd_get_particles_f32(struct bd_run_f32 *run, float *x, size_t stride, struct bd_error *error);

// Draws all particles by the run's generator, particle after particle, component k from marginals[k].
// Errors: a run's; CHOICE, PARAMETER, NOT_FINITE.
bd_code bd_scatter_f32(struct bd_run_f32 *run, const struct bd_marginal_f32 *marginals, struct bd_error *error);

// Does `count` steps. `report`, which may be NULL, is that of the last step done. At the first error it stops:
// the steps before that one are done, that one has left no trace, and calling again repeats the error unless
// something is changed.
// Errors: a run's; an energy's (NULL, ALIGNMENT, NOT_INITIALISED, BUSY, OVERLAP); MISMATCH (the energy's d),
// NOT_FINITE, EXTINCT, ENERGY, PARAMETER (targets of the logistic loss).
bd_code bd_step_f32(struct bd_run_f32 *run,
                    struct bd_energy_f32 *energy,
                    uint64_t count,
                    struct bd_report_f32 *report,
                    struct bd_error *error);

// The energy E of the particles as they are, to `value`; their potentials can then be read in the view. No
// step.
// Errors: as step.
bd_code bd_evaluate_f32(struct bd_run_f32 *run, struct bd_energy_f32 *energy, float *value, struct bd_error *error);

// Counters, parameters, and where particles, potentials and origins stand.
// Errors: a run's.
bd_code bd_get_view_f32(struct bd_run_f32 *run, struct bd_view_f32 *view, struct bd_error *error);

// Another step length dt >= 0, from the next step on. Errors: a run's; PARAMETER.
bd_code bd_set_dt_f32(struct bd_run_f32 *run, float dt, struct bd_error *error);

// Another birth-death rate alpha >= 0, from the next step on. Errors: a run's; PARAMETER,
// ALPHA_WITHOUT_EVENTS.
bd_code bd_set_alpha_f32(struct bd_run_f32 *run, float alpha, struct bd_error *error);

// Bytes of a checkpoint of n particles of d components. Header: BD_CHECKPOINT_SIZE_F32, _F64.
size_t bd_checkpoint_size_f32(size_t n, size_t d);

// Writes a checkpoint to the first BD_CHECKPOINT_SIZE of `capacity` bytes: the same on every target. `tag`
// stands for what is not in it, energy and prior: a number of the caller's choice.
// Errors: a run's; MEMORY, CAPACITY.
bd_code bd_save_f32(struct bd_run_f32 *run, uint64_t tag, uint8_t *checkpoint, size_t capacity, struct bd_error *error);

// Puts a run back that was saved with the same tag, into one of the same n, d and scheme, with the same prior.
// It goes on to the bit.
// Errors: a run's; MEMORY, MISMATCH (n or d), PARAMETER, NOT_FINITE, ALPHA_WITHOUT_EVENTS, and all CHECKPOINT.
bd_code bd_load_f32(struct bd_run_f32 *run,
                    uint64_t tag,
                    const uint8_t *checkpoint,
                    size_t length,
                    struct bd_error *error);

// The `outputs` outputs, for an input of `inputs` values, of the network with these units (a view's particles,
// or a table in flash): what training computes, to the bit. Needs no run, and so does not see an output in
// other memory of one. `scale` as in `bd_network`.
// Errors: NULL, ALIGNMENT, MEMORY, OVERLAP, CHOICE, EMPTY, ZERO, MISMATCH (inputs + outputs is not d),
// CAPACITY, PARAMETER (scale).
bd_code bd_predict_f32(uint32_t activation,
                       float scale,
                       const struct bd_rows_f32 *units,
                       const float *input,
                       size_t inputs,
                       float *output,
                       size_t outputs,
                       struct bd_error *error);

// Makes the energy of F = 1/2 sum_k h_k theta_k^2, h = `curvature`, d values.
// Errors: those of every function that makes an energy (NULL, ALIGNMENT, MEMORY, OVERLAP, BUSY); ZERO,
// PARAMETER.
bd_code bd_make_quadratic_f32(struct bd_energy_f32 *energy, const float *curvature, size_t d, struct bd_error *error);

// Makes the energy E = 1/2 int (f_mu - f)^2 of a network of Gaussian units of variance s2 = `unit_variance`,
// fitted to the mixture f = sum_a weights[a] N(.; centres[a * inputs ...], variances[a]) of `components` in
// `inputs` dimensions. A particle is (c, y): charge and centre, d = inputs + 1.
// Errors: those of making an energy; ZERO, PARAMETER.
bd_code bd_make_gaussian_units_f32(struct bd_energy_f32 *energy,
                                   float unit_variance,
                                   size_t inputs,
                                   size_t components,
                                   const float *weights,
                                   const float *centres,
                                   const float *variances,
                                   struct bd_error *error);

// Makes the energy of the maximum mean discrepancy to a sample, kernel exp(-|x - y|^2 / (2 bandwidth^2)):
// E = 1/2 of its square.
// Errors: those of making an energy; EMPTY, ZERO, CAPACITY, PARAMETER, NOT_FINITE.
bd_code bd_make_mmd_f32(struct bd_energy_f32 *energy,
                        float bandwidth,
                        const struct bd_rows_f32 *sample,
                        struct bd_error *error);

// Makes the energy of a network on data; `settings` itself is not borrowed, what it points to is.
// Errors: those of making an energy; CHOICE, ZERO, CAPACITY (scratch, or a batch larger than the data),
// PARAMETER, EXAMPLE.
bd_code bd_make_network_f32(struct bd_energy_f32 *energy,
                            const struct bd_network_f32 *settings,
                            struct bd_error *error);

// Makes an energy of the caller's own function, for particles of d components; `context` is its first
// argument, for whatever it needs.
// Errors: those of making an energy; ZERO.
bd_code bd_make_custom_f32(struct bd_energy_f32 *energy,
                           size_t d,
                           bd_energy_fn_f32 evaluate,
                           void *context,
                           struct bd_error *error);

// A number uniform on [0, 1); NaN for NULL or a misaligned pointer.
float bd_random_uniform_f32(struct bd_random *random);

// A standard normal number; NaN for NULL or a misaligned pointer.
float bd_random_normal_f32(struct bd_random *random);

// Bytes of memory for a run of n particles of d components; SIZE_MAX if there is no such memory. Header:
// BD_RUN_SIZE_F32, _F64.
size_t bd_run_size_f64(size_t n, size_t d);

// Makes a run in `memory`, BD_RUN_SIZE bytes aligned to BD_ALIGNMENT, which are the run's from then on; all
// particles at 0. `*run` is then what the other functions take. A prior is borrowed, as `bd_prior` says;
// nothing else is.
// Errors: NULL, ALIGNMENT, MEMORY, OVERLAP, BUSY (a run or an energy in use begins there: it looks at all of
// the memory, which may hold anything), CHOICE, EMPTY, ZERO, CAPACITY, PARAMETER, CENTRED_REINJECTION,
// ALPHA_WITHOUT_EVENTS.
bd_code bd_init_f64(void *memory,
                    size_t size,
                    const struct bd_settings_f64 *settings,
                    struct bd_run_f64 **run,
                    struct bd_error *error);

// Puts all particles: component k of particle i is x[k * stride + i], (d - 1) * stride + n values.
// Errors: those of every function that takes a run (NULL, ALIGNMENT, NOT_INITIALISED, BUSY, OVERLAP); MEMORY,
// CAPACITY (stride < n), NOT_FINITE.
bd_code bd_set_particles_f64(struct bd_run_f64 *run, const double *x, size_t stride, struct bd_error *error);

// Copies all particles to x, laid out as for set_particles. Values between the rows are left alone.
// Errors: a run's; MEMORY, CAPACITY.
bd_code bd_get_particles_f64(struct bd_run_f64 *run, double *x, size_t stride, struct bd_error *error);

// Draws all particles by the run's generator, particle after particle, component k from marginals[k].
// Errors: a run's; CHOICE, PARAMETER, NOT_FINITE.
bd_code bd_scatter_f64(struct bd_run_f64 *run, const struct bd_marginal_f64 *marginals, struct bd_error *error);

// Does `count` steps. `report`, which may be NULL, is that of the last step done. At the first error it stops:
// the steps before that one are done, that one has left no trace, and calling again repeats the error unless
// something is changed.
// Errors: a run's; an energy's (NULL, ALIGNMENT, NOT_INITIALISED, BUSY, OVERLAP); MISMATCH (the energy's d),
// NOT_FINITE, EXTINCT, ENERGY, PARAMETER (targets of the logistic loss).
bd_code bd_step_f64(struct bd_run_f64 *run,
                    struct bd_energy_f64 *energy,
                    uint64_t count,
                    struct bd_report_f64 *report,
                    struct bd_error *error);

// The energy E of the particles as they are, to `value`; their potentials can then be read in the view. No
// step.
// Errors: as step.
bd_code bd_evaluate_f64(struct bd_run_f64 *run, struct bd_energy_f64 *energy, double *value, struct bd_error *error);

// Counters, parameters, and where particles, potentials and origins stand.
// Errors: a run's.
bd_code bd_get_view_f64(struct bd_run_f64 *run, struct bd_view_f64 *view, struct bd_error *error);

// Another step length dt >= 0, from the next step on. Errors: a run's; PARAMETER.
bd_code bd_set_dt_f64(struct bd_run_f64 *run, double dt, struct bd_error *error);

// Another birth-death rate alpha >= 0, from the next step on. Errors: a run's; PARAMETER,
// ALPHA_WITHOUT_EVENTS.
bd_code bd_set_alpha_f64(struct bd_run_f64 *run, double alpha, struct bd_error *error);

// Bytes of a checkpoint of n particles of d components. Header: BD_CHECKPOINT_SIZE_F32, _F64.
size_t bd_checkpoint_size_f64(size_t n, size_t d);

// Writes a checkpoint to the first BD_CHECKPOINT_SIZE of `capacity` bytes: the same on every target. `tag`
// stands for what is not in it, energy and prior: a number of the caller's choice.
// Errors: a run's; MEMORY, CAPACITY.
bd_code bd_save_f64(struct bd_run_f64 *run, uint64_t tag, uint8_t *checkpoint, size_t capacity, struct bd_error *error);

// Puts a run back that was saved with the same tag, into one of the same n, d and scheme, with the same prior.
// It goes on to the bit.
// Errors: a run's; MEMORY, MISMATCH (n or d), PARAMETER, NOT_FINITE, ALPHA_WITHOUT_EVENTS, and all CHECKPOINT.
bd_code bd_load_f64(struct bd_run_f64 *run,
                    uint64_t tag,
                    const uint8_t *checkpoint,
                    size_t length,
                    struct bd_error *error);

// The `outputs` outputs, for an input of `inputs` values, of the network with these units (a view's particles,
// or a table in flash): what training computes, to the bit. Needs no run, and so does not see an output in
// other memory of one. `scale` as in `bd_network`.
// Errors: NULL, ALIGNMENT, MEMORY, OVERLAP, CHOICE, EMPTY, ZERO, MISMATCH (inputs + outputs is not d),
// CAPACITY, PARAMETER (scale).
bd_code bd_predict_f64(uint32_t activation,
                       double scale,
                       const struct bd_rows_f64 *units,
                       const double *input,
                       size_t inputs,
                       double *output,
                       size_t outputs,
                       struct bd_error *error);

// Makes the energy of F = 1/2 sum_k h_k theta_k^2, h = `curvature`, d values.
// Errors: those of every function that makes an energy (NULL, ALIGNMENT, MEMORY, OVERLAP, BUSY); ZERO,
// PARAMETER.
bd_code bd_make_quadratic_f64(struct bd_energy_f64 *energy, const double *curvature, size_t d, struct bd_error *error);

// Makes the energy E = 1/2 int (f_mu - f)^2 of a network of Gaussian units of variance s2 = `unit_variance`,
// fitted to the mixture f = sum_a weights[a] N(.; centres[a * inputs ...], variances[a]) of `components` in
// `inputs` dimensions. A particle is (c, y): charge and centre, d = inputs + 1.
// Errors: those of making an energy; ZERO, PARAMETER.
bd_code bd_make_gaussian_units_f64(struct bd_energy_f64 *energy,
                                   double unit_variance,
                                   size_t inputs,
                                   size_t components,
                                   const double *weights,
                                   const double *centres,
                                   const double *variances,
                                   struct bd_error *error);

// Makes the energy of the maximum mean discrepancy to a sample, kernel exp(-|x - y|^2 / (2 bandwidth^2)):
// E = 1/2 of its square.
// Errors: those of making an energy; EMPTY, ZERO, CAPACITY, PARAMETER, NOT_FINITE.
bd_code bd_make_mmd_f64(struct bd_energy_f64 *energy,
                        double bandwidth,
                        const struct bd_rows_f64 *sample,
                        struct bd_error *error);

// Makes the energy of a network on data; `settings` itself is not borrowed, what it points to is.
// Errors: those of making an energy; CHOICE, ZERO, CAPACITY (scratch, or a batch larger than the data),
// PARAMETER, EXAMPLE.
bd_code bd_make_network_f64(struct bd_energy_f64 *energy,
                            const struct bd_network_f64 *settings,
                            struct bd_error *error);

// Makes an energy of the caller's own function, for particles of d components; `context` is its first
// argument, for whatever it needs.
// Errors: those of making an energy; ZERO.
bd_code bd_make_custom_f64(struct bd_energy_f64 *energy,
                           size_t d,
                           bd_energy_fn_f64 evaluate,
                           void *context,
                           struct bd_error *error);

// A number uniform on [0, 1); NaN for NULL or a misaligned pointer.
double bd_random_uniform_f64(struct bd_random *random);

// A standard normal number; NaN for NULL or a misaligned pointer.
double bd_random_normal_f64(struct bd_random *random);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* BIRTH_DEATH_H */
