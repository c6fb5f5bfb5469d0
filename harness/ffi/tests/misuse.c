/* Memory that is handed in twice, and calls from within a callback: every such call must give its error and leave every
 * byte as it was. Built with the address and undefined-behaviour sanitizers, as hostile.c.
 *
 *   misuse          all of it; prints how many checks passed
 *   misuse GROUP    one group: a library that does not see a misuse may crash in it */
#include "birth_death.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed;

static void expect(int holds, const char *file, int line, const char *what, size_t which) {
    if (holds)
        passed++;
    else {
        printf("%s:%d: %s (%zu)\n", file, line, what, which);
        failed++;
    }
}

#define EXPECT(condition) expect((condition), __FILE__, __LINE__, #condition, 0)

enum { N = 16, D = 3, GUARD = 256, SIZE = BD_RUN_SIZE_F64(N, D), CHECKPOINT = BD_CHECKPOINT_SIZE_F64(N, D) };
enum { INPUTS = 2, EXAMPLES = 6, BATCH = 4, SCRATCH = BD_BATCH_SCRATCH(INPUTS, 1, BATCH) };

/* All objects are in one array, far from each other, of which no byte may change in a call that is refused. */
static _Alignas(64) unsigned char world[1 << 16], before[sizeof world];
static size_t used;

static void *place(size_t size) {
    void *object = world + used + GUARD;
    used = (used + GUARD + size + 63) / 64 * 64;
    if (used + GUARD > sizeof world) abort();
    return object;
}

static void *off(void *object, ptrdiff_t bytes) { return (unsigned char *)object + bytes; }

#define PLACE(type, count) ((type *)place((count) * sizeof(type)))

static bd_error error;  /* outside */
static bd_error *here;  /* where details are to go */

static void *memory;
static bd_run_f64 *run, **handle;
static bd_settings_f64 *settings;
static bd_marginal_f64 *start, *prior;
static bd_energy_f64 *energy, *batches, *place_for_energy;
static bd_network_f64 *network;
static bd_rows_f64 *rows;
static bd_report_f64 *report;
static bd_view_f64 *view;
static uint32_t *order;
static double *x, *table[3], *inputs, *targets, *scratch, *value, *input, *output;
static unsigned char *checkpoint;

/* what is done once in a callback, and in which */
enum where { STEP, EVALUATE, DRAW };
static enum where where;
static void (*inside)(void);

static void enter(int by_draw) {
    void (*what)(void) = inside;
    if (!what || by_draw != (where == DRAW)) return;
    inside = NULL;
    what();
}

static int32_t evaluate(void *context, uint64_t step, const bd_rows_f64 *at, double *potential, double *gradient,
                        double *e) {
    (void)context, (void)step;
    enter(0);
    *e = 1e6; /* by such potentials everybody dies, and all are drawn anew */
    for (size_t i = 0; i < at->n; i++) potential[i] = 1e6;
    for (size_t k = 0; k < at->d; k++)
        for (size_t i = 0; i < at->n; i++) gradient[k * at->stride + i] = at->data[k * at->stride + i];
    return 0;
}

static void draw(void *context, bd_random *random, double *particle, size_t d) {
    (void)context;
    for (size_t k = 0; k < d; k++) particle[k] = bd_random_normal_f64(random);
    enter(1);
}

static void set_up(void) {
    memset(world, 0xa5, sizeof world);
    used = 0;
    memory = place(SIZE);
    handle = PLACE(bd_run_f64 *, 1);
    settings = PLACE(bd_settings_f64, 1);
    start = PLACE(bd_marginal_f64, D);
    prior = PLACE(bd_marginal_f64, D);
    energy = PLACE(bd_energy_f64, 1);
    batches = PLACE(bd_energy_f64, 1);
    place_for_energy = PLACE(bd_energy_f64, 1);
    network = PLACE(bd_network_f64, 1);
    rows = PLACE(bd_rows_f64, 1);
    report = PLACE(bd_report_f64, 1);
    view = PLACE(bd_view_f64, 1);
    order = PLACE(uint32_t, EXAMPLES);
    x = PLACE(double, D * N);
    for (int a = 0; a < 3; a++) table[a] = PLACE(double, D);
    inputs = PLACE(double, INPUTS * EXAMPLES);
    targets = PLACE(double, EXAMPLES);
    scratch = PLACE(double, SCRATCH);
    value = PLACE(double, 1);
    input = PLACE(double, INPUTS);
    output = PLACE(double, 1);
    checkpoint = PLACE(unsigned char, CHECKPOINT);
    for (int k = 0; k < D; k++) start[k] = prior[k] = (bd_marginal_f64){BD_NORMAL, 0, 1};
    for (int i = 0; i < D * N; i++) x[i] = i;
    for (int i = 0; i < INPUTS * EXAMPLES; i++) inputs[i] = i;
    for (int i = 0; i < EXAMPLES; i++) targets[i] = i;
    for (int a = 0; a < 3; a++)
        for (int k = 0; k < D; k++) table[a][k] = 1;
    input[0] = input[1] = 1;
    *rows = (bd_rows_f64){.data = x, .stride = N, .d = D, .n = N};
    *settings = (bd_settings_f64){.n = N, .d = D, .scheme = BD_REINJECTION, .dt = .01, .alpha = 1, .seed = 3,
                                  .prior = {.marginals = prior}};
    *network = (bd_network_f64){.inputs = INPUTS, .outputs = 1, .examples = EXAMPLES, .x = inputs, .y = targets,
                                .scratch = scratch, .scratch_length = SCRATCH, .batch = BATCH, .order = order};
    inside = NULL;
    if (bd_init_f64(memory, SIZE, settings, handle, &error) || bd_scatter_f64(run = *handle, start, &error) ||
        bd_make_custom_f64(energy, D, evaluate, NULL, &error) || bd_make_network_f64(batches, network, &error) ||
        bd_save_f64(run, 1, checkpoint, CHECKPOINT, &error)) {
        printf("%s\n", bd_error_text(error.code));
        exit(1);
    }
}

static int tells(bd_code code, const char *name) {
    return error.code == code && error.what_length == strlen(name) && !memcmp(error.what, name, error.what_length);
}

/* The call gives this code, names this argument where details can be written, and every byte is as it was. */
#define REFUSED(wanted, name, call, which)                                                                 \
    do {                                                                                                   \
        memcpy(before, world, sizeof world);                                                               \
        memset(&error, 0, sizeof error);                                                                   \
        bd_code found = (call);                                                                            \
        expect(found == (wanted), __FILE__, __LINE__, #call " gives " #wanted, which);                     \
        expect(!memcmp(before, world, sizeof world), __FILE__, __LINE__, #call " changes nothing", which); \
        if (strlen(name)) expect(tells(wanted, name), __FILE__, __LINE__, #call " names " name, which);    \
        memcpy(world, before, sizeof world);                                                               \
    } while (0)

/* That a call is refused is not due to anything else. */
#define DONE(call)                                  \
    do {                                            \
        memcpy(before, world, sizeof world);        \
        here = &error;                              \
        EXPECT((call) == BD_OK);                    \
        memcpy(world, before, sizeof world);        \
    } while (0)

/* A call whose details, at `here`, go over each of these. */
#define DETAILS_OVER(call, ...)                                                        \
    do {                                                                               \
        void *const places[] = {__VA_ARGS__};                                          \
        DONE(call);                                                                    \
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {                  \
            here = places[i];                                                          \
            REFUSED(BD_ERROR_OVERLAP, "", call, i);                                    \
        }                                                                              \
        here = off(&error, 1);                                                         \
        REFUSED(BD_ERROR_ALIGNMENT, "", call, 0);                                      \
    } while (0)

/* A piece of memory, of that name in the library, over each of these; `at` is what the call is given. */
#define OVER(type, name, call, ...)                                                    \
    do {                                                                               \
        void *const places[] = {__VA_ARGS__};                                          \
        here = &error;                                                                 \
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {                  \
            type *at = places[i];                                                      \
            REFUSED(BD_ERROR_OVERLAP, name, call, i);                                  \
        }                                                                              \
    } while (0)

#define TABLES table[0], table[1], table[2]
#define RUN memory, off(memory, BD_RUN_HEADER), off(memory, SIZE - 8), prior
#define ENERGY batches, off(batches, sizeof *batches - 8), BORROWED
#define BORROWED inputs, targets, scratch, order

static void runs(void) {
    bd_run_f64 *other = NULL;
    DETAILS_OVER(bd_init_f64(memory, SIZE, settings, handle, here), memory, off(memory, SIZE - 8), settings, prior,
                 handle);
    OVER(bd_run_f64 *, "run", bd_init_f64(memory, SIZE, settings, at, here), settings, prior);
    OVER(void, "memory", bd_init_f64(at, SIZE, settings, &other, here), settings, off(settings, 64 - SIZE),
         off(prior, -64));
    OVER(void, "memory", bd_init_f64(at, SIZE, settings, handle, here), off(handle, 8 - SIZE));
    DETAILS_OVER(bd_set_particles_f64(run, x, N, here), RUN, x, x + D * N - 1);
    DETAILS_OVER(bd_get_particles_f64(run, x, N, here), RUN, x, x + D * N - 1);
    DETAILS_OVER(bd_scatter_f64(run, start, here), RUN, start, start + D - 1);
    DETAILS_OVER(bd_get_view_f64(run, view, here), RUN, view);
    DETAILS_OVER(bd_set_dt_f64(run, .02, here), RUN);
    DETAILS_OVER(bd_set_alpha_f64(run, 2, here), RUN);
    DETAILS_OVER(bd_save_f64(run, 1, checkpoint, CHECKPOINT, here), RUN, checkpoint, checkpoint + CHECKPOINT - 4);
    DETAILS_OVER(bd_load_f64(run, 1, checkpoint, CHECKPOINT, here), RUN, checkpoint, checkpoint + CHECKPOINT - 4);
    OVER(double, "x", bd_get_particles_f64(run, at, N, here), RUN);
    OVER(double, "x", bd_set_particles_f64(run, at, N, here), memory);
    OVER(bd_marginal_f64, "marginals", bd_scatter_f64(run, at, here), off(memory, BD_RUN_HEADER));
    OVER(bd_view_f64, "view", bd_get_view_f64(run, at, here), RUN);
    OVER(unsigned char, "checkpoint", bd_save_f64(run, 1, at, CHECKPOINT, here), RUN);
    OVER(unsigned char, "checkpoint", bd_load_f64(run, 1, at, CHECKPOINT, here), memory);
    DONE(bd_scatter_f64(run, prior, here)); /* what is only read may be read twice */
    /* nor over what else is given, when the run is refused: none was made there, so nobody knows d and n */
    bd_run_f64 *const none = (void *)value;
    here = (void *)x;
    REFUSED(BD_ERROR_OVERLAP, "", bd_set_particles_f64(none, x, N, here), 0);
    REFUSED(BD_ERROR_OVERLAP, "", bd_get_particles_f64(none, x, N, here), 0);
    here = (void *)start;
    REFUSED(BD_ERROR_OVERLAP, "", bd_scatter_f64(none, start, here), 0);
    here = &error;
    /* a run that was moved over its own prior */
    settings->prior.marginals = memcpy(checkpoint, prior, D * sizeof *prior);
    EXPECT(bd_init_f64(memory, SIZE, settings, handle, &error) == BD_OK);
    memcpy(off(checkpoint, -64), memory, SIZE);
    REFUSED(BD_ERROR_OVERLAP, "prior", bd_set_dt_f64(off(checkpoint, -64), .02, here), 0);
}

static void steps(void) {
    DETAILS_OVER(bd_step_f64(run, batches, 1, report, here), RUN, ENERGY, report);
    DETAILS_OVER(bd_step_f64(run, batches, 1, NULL, here), RUN, ENERGY);
    DETAILS_OVER(bd_evaluate_f64(run, batches, value, here), RUN, ENERGY, value);
    OVER(bd_report_f64, "report", bd_step_f64(run, batches, 1, at, here), RUN, ENERGY);
    OVER(double, "value", bd_evaluate_f64(run, batches, at, here), RUN, ENERGY);
    /* scratch that is the run's prior, or in the run */
    for (int a = 0; a < 2; a++) {
        network->order = a ? off(memory, BD_RUN_HEADER) : (void *)prior;
        EXPECT(bd_make_network_f64(place_for_energy, network, &error) == BD_OK);
        REFUSED(BD_ERROR_OVERLAP, "memory of the energy", bd_step_f64(run, place_for_energy, 1, NULL, here), a);
        REFUSED(BD_ERROR_OVERLAP, "memory of the energy", bd_evaluate_f64(run, place_for_energy, value, here), a);
    }
    /* an energy that was copied over what it borrows, and over the run's prior */
    bd_energy_f64 *onto[] = {off(scratch, -64), off(inputs, -64), off(prior, 0)};
    for (size_t a = 0; a < 3; a++) {
        *onto[a] = *batches;
        REFUSED(BD_ERROR_OVERLAP, "", bd_step_f64(run, onto[a], 1, NULL, here), a);
    }
}

static void energies(void) {
    bd_energy_f64 *const e = place_for_energy;
    DETAILS_OVER(bd_make_quadratic_f64(e, table[0], D, here), e, off(e, sizeof *e - 8), table[0]);
    DETAILS_OVER(bd_make_gaussian_units_f64(e, 1, 1, 2, TABLES, here), e, TABLES);
    DETAILS_OVER(bd_make_mmd_f64(e, 1, rows, here), e, rows, x, x + D * N - 1);
    DETAILS_OVER(bd_make_network_f64(e, network, here), e, network, BORROWED);
    DETAILS_OVER(bd_make_custom_f64(e, D, evaluate, NULL, here), e);
    OVER(bd_energy_f64, "curvature", bd_make_quadratic_f64(at, table[0], D, here), table[0]);
    OVER(bd_energy_f64, "weights", bd_make_gaussian_units_f64(at, 1, 1, 2, TABLES, here), table[0]);
    OVER(bd_energy_f64, "centres", bd_make_gaussian_units_f64(at, 1, 1, 2, TABLES, here), table[1]);
    OVER(bd_energy_f64, "variances", bd_make_gaussian_units_f64(at, 1, 1, 2, TABLES, here), table[2]);
    OVER(bd_energy_f64, "energy", bd_make_mmd_f64(at, 1, rows, here), rows);
    OVER(bd_energy_f64, "sample", bd_make_mmd_f64(at, 1, rows, here), x);
    OVER(bd_energy_f64, "energy", bd_make_network_f64(at, network, here), network);
    OVER(bd_energy_f64, "x", bd_make_network_f64(at, network, here), inputs);
    OVER(bd_energy_f64, "y", bd_make_network_f64(at, network, here), targets);
    OVER(bd_energy_f64, "scratch", bd_make_network_f64(at, network, here), scratch);
    OVER(bd_energy_f64, "order", bd_make_network_f64(at, network, here), order);
#define NETWORK(name, member, ...)                                                              \
    for (void *const *at = (void *const[]){__VA_ARGS__, NULL}; *at; at++) {                     \
        network->member = *at;                                                                  \
        REFUSED(BD_ERROR_OVERLAP, name, bd_make_network_f64(e, network, here), 0);              \
        network->scratch = scratch, network->order = order;                                     \
    }
    NETWORK("scratch", scratch, network, inputs, targets)
    NETWORK("order", scratch, order)
    NETWORK("order", order, inputs, targets)
    NETWORK("order", order, network)
}

static void predictions(void) {
    output[0] = 9;
    DETAILS_OVER(bd_predict_f64(BD_RELU, 0, rows, input, INPUTS, output, 1, here), rows, x, x + D * N - 1, input,
                 output);
    OVER(double, "output", bd_predict_f64(BD_RELU, 0, rows, input, INPUTS, at, 1, here), rows, &rows->n, x,
         x + D * N - 1, input, input + 1);
}

/* Everything that can be called from within a callback for the run and the energy that called it. */
static void all_in_use(void) {
    bd_run_f64 *other = NULL;
    inside = NULL;
    here = &error;
#define BUSY(name, call) REFUSED(BD_ERROR_BUSY, name, call, 0)
    BUSY("run", bd_set_particles_f64(run, x, N, here));
    BUSY("run", bd_get_particles_f64(run, x, N, here));
    BUSY("run", bd_scatter_f64(run, start, here));
    BUSY("run", bd_step_f64(run, batches, 1, report, here));
    BUSY("run", bd_step_f64(run, energy, 1, report, here));
    BUSY("run", bd_evaluate_f64(run, batches, value, here));
    BUSY("run", bd_get_view_f64(run, view, here));
    BUSY("run", bd_set_dt_f64(run, 1, here));
    BUSY("run", bd_set_alpha_f64(run, 1, here));
    BUSY("run", bd_save_f64(run, 1, checkpoint, CHECKPOINT, here));
    BUSY("run", bd_load_f64(run, 1, checkpoint, CHECKPOINT, here));
    BUSY("memory", bd_init_f64(memory, SIZE, settings, &other, here));
    BUSY("memory", bd_init_f64(off(memory, -64), SIZE, settings, &other, here));
    const bd_settings_f64 plain = {.n = N, .d = D}; /* in memory that ends where the energy does */
    BUSY("memory", bd_init_f64(off(energy, (ptrdiff_t)sizeof *energy - SIZE), SIZE, &plain, &other, here));
    const bd_settings_f32 single = {.n = N, .d = D};
    bd_run_f32 *narrow = NULL;
    BUSY("memory", bd_init_f32(memory, SIZE, &single, &narrow, here));
    EXPECT(other == NULL && narrow == NULL);
    /* onto the energy in use, and from before it, or before the run, into it */
    bd_energy_f64 *const onto[] = {energy, off(energy, -64), off(memory, -64)};
    for (int a = 0; a < 3; a++) {
        bd_energy_f64 *const e = onto[a];
        BUSY("energy", bd_make_quadratic_f64(e, table[0], D, here));
        BUSY("energy", bd_make_gaussian_units_f64(e, 1, 1, 2, TABLES, here));
        BUSY("energy", bd_make_mmd_f64(e, 1, rows, here));
        BUSY("energy", bd_make_network_f64(e, network, here));
        BUSY("energy", bd_make_custom_f64(e, D, evaluate, NULL, here));
        const float one[D] = {1, 1, 1};
        BUSY("energy", bd_make_quadratic_f32((bd_energy_f32 *)(void *)e, one, D, here));
    }
    /* details over the run that is in use, or over the energy */
    here = off(memory, BD_RUN_HEADER);
    REFUSED(BD_ERROR_OVERLAP, "", bd_set_dt_f64(run, 1, here), 0);
    here = off(energy, 0);
    REFUSED(BD_ERROR_OVERLAP, "", bd_step_f64(run, energy, 1, NULL, here), 0);
    /* the energy in use for another run, which is itself not in use after that */
    static _Alignas(BD_ALIGNMENT) unsigned char elsewhere[SIZE];
    EXPECT(bd_init_f64(elsewhere, SIZE, settings, &other, &error) == BD_OK);
    here = &error;
    BUSY("energy", bd_step_f64(other, energy, 1, report, here));
    BUSY("energy", bd_evaluate_f64(other, energy, value, here));
    EXPECT(bd_evaluate_f64(other, batches, value, &error) == BD_OK);
    EXPECT(bd_predict_f64(BD_RELU, 0, rows, input, INPUTS, output, 1, &error) == BD_OK);
}

static bd_code call_back(enum where from, void (*what)(void)) {
    where = from;
    inside = what;
    return from == EVALUATE ? bd_evaluate_f64(run, energy, value, &error) : bd_step_f64(run, energy, 1, NULL, &error);
}

/* a run with a prior in C, and its checkpoint */
static void set_up_callbacks(unsigned char *state) {
    set_up();
    settings->prior = (bd_prior_f64){.draw = draw};
    EXPECT(bd_init_f64(memory, SIZE, settings, &run, &error) == BD_OK && bd_scatter_f64(run, start, &error) == BD_OK);
    EXPECT(bd_save_f64(run, 1, state, CHECKPOINT, &error) == BD_OK);
}

static unsigned char first[CHECKPOINT], second[CHECKPOINT], third[CHECKPOINT];

static void re_entry(void) {
    for (enum where from = STEP; from <= DRAW; from++) {
        set_up_callbacks(first);
        EXPECT(call_back(from, NULL) == BD_OK && bd_save_f64(run, 1, second, CHECKPOINT, &error) == BD_OK);
        EXPECT(!memcmp(first, second, CHECKPOINT) == (from == EVALUATE));
        set_up_callbacks(first);
        EXPECT(call_back(from, all_in_use) == BD_OK && inside == NULL);
        EXPECT(bd_save_f64(run, 1, third, CHECKPOINT, &error) == BD_OK && !memcmp(second, third, CHECKPOINT));
    }
}

static _Alignas(BD_ALIGNMENT) unsigned char taken[SIZE], moved[SIZE], used_inside[SIZE];
static bd_energy_f64 taken_energy;

static void take(void) {
    memcpy(taken, memory, SIZE);
    memcpy(used_inside, memory, SIZE);
    taken_energy = *energy;
    bd_energy_f64 copy = *energy;
    EXPECT(bd_step_f64((bd_run_f64 *)(void *)used_inside, &copy, 1, NULL, &error) == BD_OK);
}

static int is(void *memory_of_run, const unsigned char *state) {
    return bd_save_f64(memory_of_run, 1, third, CHECKPOINT, &error) == BD_OK && !memcmp(third, state, CHECKPOINT);
}

/* Bytes copied in a callback are the run before the step, and in use only where they were taken from. */
static void copies(void) {
    for (enum where from = STEP; from <= DRAW; from++) {
        set_up_callbacks(first);
        EXPECT(call_back(from, take) == BD_OK && inside == NULL);
        if (from == EVALUATE) EXPECT(bd_step_f64(run, energy, 1, NULL, &error) == BD_OK);
        EXPECT(bd_save_f64(run, 1, second, CHECKPOINT, &error) == BD_OK);
        EXPECT(is(used_inside, second));
        memcpy(moved, taken, SIZE);
        bd_energy_f64 copy = taken_energy;
        EXPECT(is(moved, first));
        EXPECT(bd_step_f64((bd_run_f64 *)(void *)moved, &copy, 1, NULL, &error) == BD_OK && is(moved, second));
        EXPECT(bd_make_custom_f64(&copy, D, evaluate, NULL, &error) == BD_OK);
        EXPECT(bd_init_f64(moved, SIZE, settings, &run, &error) == BD_OK);
        run = memory;
        memcpy(memory, taken, SIZE);
        REFUSED(BD_ERROR_BUSY, "run", bd_set_dt_f64(run, 1, &error), from);
        REFUSED(BD_ERROR_BUSY, "memory", bd_init_f64(memory, SIZE, settings, &run, &error), from);
        memset(memory, 0, SIZE);
        EXPECT(bd_init_f64(memory, SIZE, settings, &run, &error) == BD_OK);
        *energy = taken_energy;
        REFUSED(BD_ERROR_BUSY, "energy", bd_step_f64(run, energy, 1, NULL, &error), from);
        REFUSED(BD_ERROR_BUSY, "energy", bd_make_custom_f64(energy, D, evaluate, NULL, &error), from);
        memset(energy, 0, sizeof *energy);
        EXPECT(bd_make_custom_f64(energy, D, evaluate, NULL, &error) == BD_OK);
    }
}

int main(int count, char **arguments) {
    const struct {
        const char *name;
        void (*run)(void);
    } groups[] = {{"runs", runs},           {"steps", steps},       {"energies", energies},
                  {"predictions", predictions}, {"re-entry", re_entry}, {"copies", copies}};
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        if (count == 2 && strcmp(arguments[1], groups[g].name)) continue;
        set_up();
        groups[g].run();
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
