/* What C should not do: every call here must give its error and change nothing. Built with the address and
 * undefined-behaviour sanitizers.
 *
 *   hostile            all of it; prints how many checks passed
 *   hostile planted    lies about the size of a buffer, which no library can see: the address sanitizer has to */
#include "birth_death.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed;
static bd_error error;

#define CHECK(condition)                                                          \
    do {                                                                          \
        if (!(condition)) {                                                       \
            printf("%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, bd_error_text(error.code)); \
            exit(1);                                                              \
        }                                                                         \
        passed++;                                                                 \
    } while (0)

/* a call gives this code, to the caller and in the details, also without details, and the run is as it was */
#define REFUSED(wanted, call) CHECK((call) == (wanted) && error.code == (wanted) && same())
#define DONE(call) CHECK((call) == BD_OK && error.code == BD_OK)
#define NAMED(text) CHECK(error.what_length == strlen(text) && memcmp(error.what, text, error.what_length) == 0)

enum { N = 16, D = 2, SIZE = BD_RUN_SIZE_F64(N, D), CHECKPOINT = BD_CHECKPOINT_SIZE_F64(N, D) };
static const bd_marginal_f64 start[D] = {{BD_NORMAL, 0, 1}, {BD_UNIFORM, -1, 1}};

/* on the heap and of exactly the size that is asked for, so that a byte too much is seen */
static unsigned char *memory;
static unsigned char before[CHECKPOINT], now[CHECKPOINT];
static bd_run_f64 *run;

static int same(void) {
    return run == NULL || (bd_save_f64(run, 5, now, sizeof now, NULL) == BD_OK && memcmp(before, now, sizeof now) == 0);
}

static void remember(void) {
    DONE(bd_save_f64(run, 5, before, sizeof before, &error));
}

static void *at_odds(void *pointer) { return (unsigned char *)pointer + 1; }

static void making_a_run(void) {
    const bd_settings_f64 good = {.n = N, .d = D, .scheme = BD_BIRTH_DEATH, .dt = .1, .alpha = 1, .seed = 3};
    bd_settings_f64 bad;
    bd_run_f64 *other = NULL;
#define INIT(wanted, change)                                                       \
    bad = good;                                                                    \
    change;                                                                        \
    REFUSED(wanted, bd_init_f64(memory, SIZE, &bad, &other, &error));              \
    CHECK(other == NULL)
    REFUSED(BD_ERROR_NULL, bd_init_f64(NULL, SIZE, &good, &other, &error));
    NAMED("memory");
    REFUSED(BD_ERROR_NULL, bd_init_f64(memory, SIZE, NULL, &other, &error));
    NAMED("settings");
    REFUSED(BD_ERROR_NULL, bd_init_f64(memory, SIZE, &good, NULL, &error));
    REFUSED(BD_ERROR_ALIGNMENT, bd_init_f64(memory + 4, SIZE, &good, &other, &error));
    CHECK(error.expected == 8);
    REFUSED(BD_ERROR_ALIGNMENT, bd_init_f64(memory, SIZE, at_odds(&bad), &other, &error));
    REFUSED(BD_ERROR_MEMORY, bd_init_f64(memory, SIZE - 1, &good, &other, &error));
    CHECK(error.expected == SIZE && error.found == SIZE - 1);
    REFUSED(BD_ERROR_MEMORY, bd_init_f64(memory, 0, &good, &other, &error));
    REFUSED(BD_ERROR_MEMORY, bd_init_f64(memory, SIZE_MAX, &good, &other, &error));
    INIT(BD_ERROR_EMPTY, bad.n = 0);
    INIT(BD_ERROR_ZERO, bad.d = 0);
    INIT(BD_ERROR_CAPACITY, bad.n = (size_t)1 << 31);
    INIT(BD_ERROR_MEMORY, bad.d = SIZE_MAX);
    INIT(BD_ERROR_MEMORY, bad.d = SIZE_MAX / N / 2 + 1);
    INIT(BD_ERROR_CHOICE, bad.scheme = 3);
    INIT(BD_ERROR_CHOICE, bad.rate = 77);
    CHECK(error.found == 77);
    INIT(BD_ERROR_CHOICE, bad.without_transport = 2);
    INIT(BD_ERROR_PARAMETER, bad.dt = NAN);
    INIT(BD_ERROR_PARAMETER, bad.alpha = -1);
    CHECK(error.value == -1);
    NAMED("alpha");
    INIT(BD_ERROR_ALPHA_WITHOUT_EVENTS, bad.scheme = BD_GRADIENT_FLOW);
    INIT(BD_ERROR_NULL, bad.scheme = BD_REINJECTION); /* no prior */
    bd_marginal_f64 laws[D] = {{BD_NORMAL, 0, 1}, {3, 0, 0}};
    const bd_settings_f64 with_prior = {.n = N, .d = D, .scheme = BD_REINJECTION, .prior = {.marginals = laws}};
    REFUSED(BD_ERROR_CHOICE, bd_init_f64(memory, SIZE, &with_prior, &other, &error));
    laws[1] = (bd_marginal_f64){BD_NORMAL, 0, -1};
    REFUSED(BD_ERROR_PARAMETER, bd_init_f64(memory, SIZE, &with_prior, &other, &error));
    laws[1] = (bd_marginal_f64){BD_UNIFORM, 0, INFINITY};
    REFUSED(BD_ERROR_PARAMETER, bd_init_f64(memory, SIZE, &with_prior, &other, &error));
    laws[1] = (bd_marginal_f64){BD_UNIFORM, 0, 1};
    bad = with_prior;
    bad.rate = BD_CENTRED;
    REFUSED(BD_ERROR_CENTRED_REINJECTION, bd_init_f64(memory, SIZE, &bad, &other, &error));
    bad.rate = 0;
    bad.prior.marginals = (const bd_marginal_f64 *)(memory + 64); /* laws in the run's own memory */
    memcpy(memory + 64, laws, sizeof laws);
    REFUSED(BD_ERROR_OVERLAP, bd_init_f64(memory, SIZE, &bad, &other, &error));
    REFUSED(BD_ERROR_OVERLAP, bd_init_f64(memory, SIZE, &good, (bd_run_f64 **)(void *)(memory + 8), &error));
    CHECK(bd_init_f64(NULL, 0, &good, &other, NULL) == BD_ERROR_NULL);
    CHECK(bd_init_f64(NULL, 0, &good, &other, at_odds(&error)) == BD_ERROR_ALIGNMENT); /* not written */
    /* another run there, and none there */
    bd_energy_f64 energy;
    memset(&energy, 0, sizeof energy);
    memset(memory, 0, SIZE);
    CHECK(bd_step_f64((bd_run_f64 *)(void *)memory, &energy, 1, NULL, &error) == BD_ERROR_NOT_INITIALISED);
    NAMED("run");
    const bd_settings_f32 single = {.n = N, .d = D};
    bd_run_f32 *narrow;
    DONE(bd_init_f32(memory, SIZE, &single, &narrow, &error));
    CHECK(bd_step_f64((bd_run_f64 *)(void *)narrow, &energy, 1, NULL, &error) == BD_ERROR_NOT_INITIALISED);
    NAMED("run");
    DONE(bd_init_f64(memory, SIZE, &good, &run, &error));
    DONE(bd_scatter_f64(run, start, &error));
    remember();
    REFUSED(BD_ERROR_NOT_INITIALISED, bd_step_f64(run, &energy, 1, NULL, &error));
    NAMED("energy");
    const float one[D] = {1, 1};
    bd_energy_f32 of_float;
    DONE(bd_make_quadratic_f32(&of_float, one, D, &error));
    REFUSED(BD_ERROR_NOT_INITIALISED, bd_step_f64(run, (bd_energy_f64 *)(void *)&of_float, 1, NULL, &error));
}

static void particles(void) {
    double *x = malloc((N + 3 + N) * sizeof *x);
    for (int i = 0; i < N + 3 + N; i++) x[i] = i;
    REFUSED(BD_ERROR_NULL, bd_set_particles_f64(NULL, x, N, &error));
    REFUSED(BD_ERROR_NULL, bd_set_particles_f64(run, NULL, N, &error));
    REFUSED(BD_ERROR_ALIGNMENT, bd_set_particles_f64(at_odds(run), x, N, &error));
    REFUSED(BD_ERROR_ALIGNMENT, bd_set_particles_f64(run, at_odds(x), N, &error));
    REFUSED(BD_ERROR_CAPACITY, bd_set_particles_f64(run, x, N - 1, &error));
    REFUSED(BD_ERROR_MEMORY, bd_set_particles_f64(run, x, SIZE_MAX, &error));
    REFUSED(BD_ERROR_MEMORY, bd_set_particles_f64(run, x, SIZE_MAX / 8, &error));
    REFUSED(BD_ERROR_OVERLAP, bd_set_particles_f64(run, (double *)(void *)(memory + SIZE - 8 * N), N, &error));
    REFUSED(BD_ERROR_OVERLAP, bd_get_particles_f64(run, (double *)(void *)(memory + 256), N, &error));
    x[N + 3 + 4] = NAN;
    x[9] = INFINITY;
    REFUSED(BD_ERROR_NOT_FINITE, bd_set_particles_f64(run, x, N + 3, &error));
    CHECK(error.index == 4);
    NAMED("position");
    x[N] = -7; /* between the rows */
    DONE(bd_get_particles_f64(run, x, N + 3, &error));
    CHECK(x[N] == -7 && isfinite(x[9]));
    DONE(bd_set_particles_f64(run, x, N + 3, &error));
    CHECK(same());
    REFUSED(BD_ERROR_NULL, bd_scatter_f64(run, NULL, &error));
    bd_marginal_f64 wide[D] = {{BD_NORMAL, 0, 1}, {BD_NORMAL, 1e308, 1e308}};
    REFUSED(BD_ERROR_NOT_FINITE, bd_scatter_f64(run, wide, &error));
    REFUSED(BD_ERROR_NULL, bd_get_view_f64(run, NULL, &error));
    REFUSED(BD_ERROR_OVERLAP, bd_get_view_f64(run, (bd_view_f64 *)(void *)(memory + 256), &error));
    REFUSED(BD_ERROR_PARAMETER, bd_set_dt_f64(run, -1, &error));
    REFUSED(BD_ERROR_PARAMETER, bd_set_alpha_f64(run, NAN, &error));
    free(x);
}

static void making_energies(void) {
    bd_energy_f64 energy, unchanged;
    memset(&energy, 7, sizeof energy);
    unchanged = energy;
#define NO_ENERGY(wanted, call)   \
    REFUSED(wanted, call);        \
    CHECK(memcmp(&energy, &unchanged, sizeof energy) == 0)
    double h[3] = {1, 2, NAN}, x[4] = {0, 1, 2, 3}, y[4] = {0, 1, 0, 1}, scratch[BD_BATCH_SCRATCH(1, 1, 2) + 200];
    uint32_t order[4];
    NO_ENERGY(BD_ERROR_NULL, bd_make_quadratic_f64(NULL, h, 2, &error));
    NO_ENERGY(BD_ERROR_NULL, bd_make_quadratic_f64(&energy, NULL, 2, &error));
    NO_ENERGY(BD_ERROR_ZERO, bd_make_quadratic_f64(&energy, NULL, 0, &error));
    NO_ENERGY(BD_ERROR_MEMORY, bd_make_quadratic_f64(&energy, h, SIZE_MAX, &error));
    NO_ENERGY(BD_ERROR_PARAMETER, bd_make_quadratic_f64(&energy, h, 3, &error));
    NO_ENERGY(BD_ERROR_ALIGNMENT, bd_make_quadratic_f64(at_odds(&energy), h, 2, &error));
    NO_ENERGY(BD_ERROR_OVERLAP, bd_make_quadratic_f64(&energy, (double *)(void *)&energy.words[3], 2, &error));
    NO_ENERGY(BD_ERROR_PARAMETER, bd_make_gaussian_units_f64(&energy, -1, 1, 2, h, h, h, &error));
    NO_ENERGY(BD_ERROR_MEMORY, bd_make_gaussian_units_f64(&energy, 1, SIZE_MAX, 2, h, h, h, &error));
    NO_ENERGY(BD_ERROR_ZERO, bd_make_gaussian_units_f64(&energy, 1, 0, 2, h, h, h, &error));
    bd_rows_f64 sample = {.data = x, .stride = 2, .d = 2, .n = 2};
    NO_ENERGY(BD_ERROR_PARAMETER, bd_make_mmd_f64(&energy, 0, &sample, &error));
    NO_ENERGY(BD_ERROR_NULL, bd_make_mmd_f64(&energy, 1, NULL, &error));
    sample.n = 3;
    NO_ENERGY(BD_ERROR_CAPACITY, bd_make_mmd_f64(&energy, 1, &sample, &error));
    sample.n = 0;
    NO_ENERGY(BD_ERROR_EMPTY, bd_make_mmd_f64(&energy, 1, &sample, &error));
    sample.d = 0;
    NO_ENERGY(BD_ERROR_ZERO, bd_make_mmd_f64(&energy, 1, &sample, &error));
    sample = (bd_rows_f64){.data = h, .stride = 1, .d = 3, .n = 1};
    NO_ENERGY(BD_ERROR_NOT_FINITE, bd_make_mmd_f64(&energy, 1, &sample, &error));
    NO_ENERGY(BD_ERROR_NULL, bd_make_custom_f64(&energy, 2, NULL, NULL, &error));
    const bd_network_f64 good = {.inputs = 1, .outputs = 1, .examples = 4, .x = x, .y = y, .scratch = scratch,
                                 .scratch_length = BD_NETWORK_SCRATCH(1, 4)};
    bd_network_f64 bad;
#define NETWORK(wanted, change) \
    bad = good;                 \
    change;                     \
    NO_ENERGY(wanted, bd_make_network_f64(&energy, &bad, &error))
    NO_ENERGY(BD_ERROR_NULL, bd_make_network_f64(&energy, NULL, &error));
    NETWORK(BD_ERROR_CHOICE, bad.activation = 4);
    NETWORK(BD_ERROR_CHOICE, bad.loss = 2);
    NETWORK(BD_ERROR_ZERO, bad.inputs = 0);
    NETWORK(BD_ERROR_ZERO, bad.outputs = 0);
    NETWORK(BD_ERROR_ZERO, bad.examples = 0);
    NETWORK(BD_ERROR_MEMORY, bad.examples = SIZE_MAX);
    NETWORK(BD_ERROR_MEMORY, (bad.examples = SIZE_MAX / 2, bad.inputs = 3));
    NETWORK(BD_ERROR_NULL, bad.x = NULL);
    NETWORK(BD_ERROR_NULL, bad.scratch = NULL);
    NETWORK(BD_ERROR_CAPACITY, bad.scratch_length--);
    NETWORK(BD_ERROR_OVERLAP, bad.scratch = y);
    NETWORK(BD_ERROR_PARAMETER, bad.scale = -1);
    NETWORK(BD_ERROR_PARAMETER, bad.decay = NAN);
    NETWORK(BD_ERROR_CAPACITY, (bad.batch = 5, bad.order = order, bad.scratch_length = sizeof scratch / 8));
    NETWORK(BD_ERROR_MEMORY, (bad.batch = 4, bad.order = order, bad.scratch_length = 3));
    NETWORK(BD_ERROR_MEMORY, (bad.batch = SIZE_MAX, bad.order = order));
    NETWORK(BD_ERROR_NULL, bad.batch = 2);
    NETWORK(BD_ERROR_OVERLAP, (bad.batch = 2, bad.order = (uint32_t *)(void *)scratch));
    x[2] = NAN;
    NETWORK(BD_ERROR_EXAMPLE, (void)0);
    CHECK(error.index == 2);
    x[2] = 2;
    /* another dimension than the run's, and an energy or its memory in the run's */
    DONE(bd_make_quadratic_f64(&energy, h, 1, &error));
    REFUSED(BD_ERROR_MISMATCH, bd_step_f64(run, &energy, 1, NULL, &error));
    CHECK(error.expected == 1 && error.found == D);
    DONE(bd_make_quadratic_f64(&energy, (const double *)(const void *)(memory + 256), D, &error));
    REFUSED(BD_ERROR_OVERLAP, bd_step_f64(run, &energy, 1, NULL, &error));
    NAMED("memory of the energy");
    REFUSED(BD_ERROR_NOT_INITIALISED, bd_step_f64(run, (bd_energy_f64 *)(void *)(memory + 256), 1, NULL, &error));
    DONE(bd_make_quadratic_f64(&energy, h, 2, &error));
    REFUSED(BD_ERROR_OVERLAP, bd_step_f64(run, &energy, 1, (bd_report_f64 *)(void *)(memory + 256), &error));
    REFUSED(BD_ERROR_NULL, bd_evaluate_f64(run, &energy, NULL, &error));
    REFUSED(BD_ERROR_NULL, bd_step_f64(run, NULL, 1, NULL, &error));
    bd_report_f64 reports[2];
    REFUSED(BD_ERROR_ALIGNMENT, bd_step_f64(run, &energy, 1, at_odds(reports), &error));
    DONE(bd_step_f64(run, &energy, 0, NULL, &error));
    CHECK(same());
    /* targets that are no probability */
    bad = good;
    bad.loss = BD_LOGISTIC;
    y[3] = 2;
    DONE(bd_make_network_f64(&energy, &bad, &error));
    REFUSED(BD_ERROR_PARAMETER, bd_step_f64(run, &energy, 1, NULL, &error));
}

/* an energy that does as its context says */
enum mood { WELL, LATE, CODE, POTENTIAL, GRADIENT, ENERGY, NOTHING, AGAIN, SAME_ENERGY, FAR, RAW };
struct context {
    enum mood mood;
    bd_energy_f64 *energy;
    bd_run_f64 *other;
    bd_code inner;
};

static int32_t moody(void *pointer, uint64_t step, const bd_rows_f64 *at, double *potential, double *gradient,
                     double *energy) {
    struct context *context = pointer;
    enum mood mood = context->mood;
    if (mood == NOTHING) return 0;
    if (mood == LATE && step == 3) return -9;
    for (size_t i = 0; i < at->n; i++) potential[i] = mood == RAW ? 1e6 : at->data[i] * at->data[i];
    for (size_t k = 0; k < at->d; k++)
        for (size_t i = 0; i < at->n; i++)
            gradient[k * at->stride + i] = mood == FAR ? 1e308 * (i == 7 ? 1 : 0) : at->data[k * at->stride + i];
    *energy = 1;
    switch (mood) {
    case CODE: return 42;
    case POTENTIAL: potential[3] = NAN; return 0;
    case GRADIENT: gradient[at->stride + 5] = -INFINITY; return 0;
    case ENERGY: *energy = NAN; return 0;
    case AGAIN: context->inner = bd_step_f64(run, context->energy, 1, NULL, NULL); return 0;
    case SAME_ENERGY: context->inner = bd_step_f64(context->other, context->energy, 1, NULL, NULL); return 0;
    default: return 0;
    }
}

static void energies_that_fail(void) {
    struct context context = {.mood = CODE};
    bd_energy_f64 energy;
    bd_report_f64 report;
    memset(&report, 0, sizeof report);
    context.energy = &energy;
    DONE(bd_make_custom_f64(&energy, D, moody, &context, &error));
    REFUSED(BD_ERROR_ENERGY, bd_step_f64(run, &energy, 1, &report, &error));
    CHECK(error.user == 42 && report.energy == 0);
    context.mood = POTENTIAL;
    REFUSED(BD_ERROR_NOT_FINITE, bd_step_f64(run, &energy, 1, &report, &error));
    CHECK(error.index == 3);
    NAMED("potential");
    context.mood = GRADIENT;
    REFUSED(BD_ERROR_NOT_FINITE, bd_step_f64(run, &energy, 1, &report, &error));
    CHECK(error.index == 5);
    NAMED("gradient");
    double value = 8;
    REFUSED(BD_ERROR_NOT_FINITE, bd_evaluate_f64(run, &energy, &value, &error));
    context.mood = ENERGY;
    REFUSED(BD_ERROR_NOT_FINITE, bd_step_f64(run, &energy, 1, &report, &error));
    CHECK(error.index == BD_NO_INDEX);
    REFUSED(BD_ERROR_NOT_FINITE, bd_evaluate_f64(run, &energy, &value, &error));
    CHECK(value == 8);
    context.mood = NOTHING;
    REFUSED(BD_ERROR_NOT_FINITE, bd_step_f64(run, &energy, 1, &report, &error));
    DONE(bd_set_dt_f64(run, 10, &error));
    remember();
    context.mood = FAR;
    REFUSED(BD_ERROR_NOT_FINITE, bd_step_f64(run, &energy, 1, &report, &error));
    CHECK(error.index == 7);
    NAMED("position after transport");
    DONE(bd_set_dt_f64(run, .1, &error));
    /* a step after all these errors, and steps up to one */
    context.mood = LATE;
    CHECK(bd_step_f64(run, &energy, 10, &report, &error) == BD_ERROR_ENERGY && error.user == -9 && report.step == 2);
    context.mood = WELL;
    DONE(bd_step_f64(run, &energy, 1, &report, &error));
    CHECK(report.step == 3 && report.energy == 1);
    remember();
    /* the run, or the energy, in use */
    context.mood = AGAIN;
    DONE(bd_step_f64(run, &energy, 1, NULL, &error));
    CHECK(context.inner == BD_ERROR_BUSY);
    static _Alignas(BD_ALIGNMENT) unsigned char elsewhere[SIZE];
    const bd_settings_f64 settings = {.n = N, .d = D, .scheme = BD_BIRTH_DEATH, .rate = BD_RAW, .dt = 10, .alpha = 1};
    DONE(bd_init_f64(elsewhere, SIZE, &settings, &context.other, &error));
    context.mood = SAME_ENERGY;
    DONE(bd_step_f64(run, &energy, 1, NULL, &error));
    CHECK(context.inner == BD_ERROR_BUSY);
    /* everybody dies */
    context.mood = RAW;
    CHECK(bd_step_f64(context.other, &energy, 1, NULL, &error) == BD_ERROR_EXTINCT && error.index == 0);
    remember();
}

/* a prior that gives no number */
static void no_draw(void *context, bd_random *random, double *particle, size_t d) {
    (void)context;
    for (size_t k = 0; k < d; k++) particle[k] = k ? NAN : bd_random_normal_f64(random);
}

static void priors_that_fail(void) {
    static _Alignas(BD_ALIGNMENT) unsigned char elsewhere[SIZE];
    static unsigned char first[CHECKPOINT], second[CHECKPOINT];
    const bd_settings_f64 settings = {.n = N, .d = D, .scheme = BD_REINJECTION, .dt = 10, .alpha = 1,
                                      .prior = {.draw = no_draw}};
    struct context context = {.mood = RAW};
    bd_energy_f64 energy;
    bd_run_f64 *other;
    DONE(bd_make_custom_f64(&energy, D, moody, &context, &error));
    DONE(bd_init_f64(elsewhere, SIZE, &settings, &other, &error));
    DONE(bd_save_f64(other, 1, first, CHECKPOINT, &error));
    CHECK(bd_step_f64(other, &energy, 1, NULL, &error) == BD_ERROR_NOT_FINITE && error.index == 0);
    NAMED("draw from the prior");
    DONE(bd_save_f64(other, 1, second, CHECKPOINT, &error));
    CHECK(memcmp(first, second, CHECKPOINT) == 0); /* the generator too */
    CHECK(isnan(bd_random_normal_f64(NULL)) && isnan(bd_random_uniform_f32(NULL)) && bd_random_word(NULL) == 0);
    CHECK(isnan(bd_random_normal_f64(at_odds(elsewhere))) && isnan(bd_random_uniform_f32(at_odds(elsewhere))));
    CHECK(bd_random_word(at_odds(elsewhere)) == 0);
}

static uint32_t crc32(const unsigned char *bytes, size_t length) {
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static void checkpoints(void) {
    unsigned char *bytes = malloc(CHECKPOINT), copy[CHECKPOINT];
    REFUSED(BD_ERROR_NULL, bd_save_f64(run, 5, NULL, CHECKPOINT, &error));
    REFUSED(BD_ERROR_CAPACITY, bd_save_f64(run, 5, bytes, CHECKPOINT - 1, &error));
    REFUSED(BD_ERROR_OVERLAP, bd_save_f64(run, 5, memory, SIZE, &error));
    REFUSED(BD_ERROR_MEMORY, bd_save_f64(run, 5, bytes, SIZE_MAX, &error));
    DONE(bd_save_f64(run, 5, bytes, CHECKPOINT, &error));
    memcpy(copy, bytes, CHECKPOINT);
    REFUSED(BD_ERROR_CHECKPOINT_TAG, bd_load_f64(run, 6, bytes, CHECKPOINT, &error));
    CHECK(error.found == 5);
    REFUSED(BD_ERROR_NULL, bd_load_f64(run, 5, NULL, CHECKPOINT, &error));
    REFUSED(BD_ERROR_OVERLAP, bd_load_f64(run, 5, memory + SIZE - 1, 1, &error));
    REFUSED(BD_ERROR_CHECKPOINT_TRUNCATED, bd_load_f64(run, 5, NULL, 0, &error));
    for (size_t length = 0; length < CHECKPOINT; length++) { /* on the heap, of just that length */
        unsigned char *cut = malloc(length ? length : 1);
        memcpy(cut, bytes, length);
        REFUSED(BD_ERROR_CHECKPOINT_TRUNCATED, bd_load_f64(run, 5, cut, length, &error));
        free(cut);
    }
    for (size_t i = 0; i < CHECKPOINT; i++) { /* every byte changed, with the wrong checksum and with the right one */
        memcpy(bytes, copy, CHECKPOINT);
        bytes[i] ^= 0x55;
        bd_code code = bd_load_f64(run, 5, bytes, CHECKPOINT, &error);
        CHECK(code >= BD_ERROR_CHECKPOINT_TRUNCATED && code <= BD_ERROR_CHECKPOINT_CHECKSUM && same());
        uint32_t crc = crc32(bytes, CHECKPOINT - 4);
        for (int k = 0; k < 4; k++) bytes[CHECKPOINT - 4 + k] = (unsigned char)(crc >> 8 * k);
        code = bd_load_f64(run, 5, bytes, CHECKPOINT, &error);
        CHECK(code == BD_OK || (code >= BD_ERROR_MISMATCH && same()));
        DONE(bd_load_f64(run, 5, copy, CHECKPOINT, &error));
        CHECK(same());
    }
    free(bytes);
}

static void predictions(void) {
    double values[6] = {1, 2, 3, 4, 5, 6}, y[2] = {9, 9};
    bd_rows_f64 units = {.data = values, .stride = 2, .d = 3, .n = 2};
    REFUSED(BD_ERROR_CHOICE, bd_predict_f64(9, 0, &units, values, 2, y, 1, &error));
    REFUSED(BD_ERROR_NULL, bd_predict_f64(BD_RELU, 0, NULL, values, 2, y, 1, &error));
    REFUSED(BD_ERROR_NULL, bd_predict_f64(BD_RELU, 0, &units, NULL, 2, y, 1, &error));
    REFUSED(BD_ERROR_NULL, bd_predict_f64(BD_RELU, 0, &units, values, 2, NULL, 1, &error));
    REFUSED(BD_ERROR_ZERO, bd_predict_f64(BD_RELU, 0, &units, values, 3, y, 0, &error));
    REFUSED(BD_ERROR_MISMATCH, bd_predict_f64(BD_RELU, 0, &units, values, 1, y, 1, &error));
    REFUSED(BD_ERROR_PARAMETER, bd_predict_f64(BD_RELU, NAN, &units, values, 2, y, 1, &error));
    REFUSED(BD_ERROR_OVERLAP, bd_predict_f64(BD_RELU, 0, &units, values, 2, values + 1, 1, &error));
    units.n = 0;
    REFUSED(BD_ERROR_EMPTY, bd_predict_f64(BD_RELU, 0, &units, values, 2, y, 1, &error));
    CHECK(y[0] == 9);
    units.n = 2;
    DONE(bd_predict_f64(BD_RELU, 0, &units, (double[]){1, 1}, 2, y, 1, &error));
    CHECK(y[0] == (1 * (3 + 5) + 2 * (4 + 6)) / 2.0);
}

static void texts(void) {
    CHECK(strcmp(bd_error_text(BD_OK), "done") == 0);
    CHECK(strcmp(bd_error_text(-77), "no such code") == 0 && strcmp(bd_error_text(INT32_MAX), "no such code") == 0);
    for (int code = 0; code < 300; code++) CHECK(strlen(bd_error_text(code)) > 3);
    CHECK(bd_run_size_f64(SIZE_MAX, 2) == SIZE_MAX && bd_run_size_f32(2, SIZE_MAX) == SIZE_MAX);
}

int main(int count, char **arguments) {
    memory = aligned_alloc(BD_ALIGNMENT, SIZE);
    making_a_run();
    if (count == 2 && strcmp(arguments[1], "planted") == 0) {
        double *x = malloc((D * N - 1) * sizeof *x); /* a value less than promised */
        return bd_get_particles_f64(run, x, N, NULL);
    }
    particles();
    making_energies();
    energies_that_fail();
    priors_that_fail();
    checkpoints();
    predictions();
    texts();
    free(memory);
    printf("%d passed\n", passed);
    return 0;
}
