/* Trains a network of 32 ReLU units on y = |x| by scheme 1 and by scheme 2, then minimises an energy of its own. Built
 * and run by ../check, on the host and on a Cortex-M4F; ./digests.rs says the same from the core in Rust.
 *
 *   gcc -std=c11 -I../include train.c libbirth_death_ffi.a -o train */
#include "birth_death.h"
#include <stdio.h>

enum { UNITS = 32, EXAMPLES = 9, INPUTS = 2, D = INPUTS + 1 };

/* tables in flash: inputs with a 1 for the bias, targets, the law of the start and the prior, component by component */
static const float x[EXAMPLES * INPUTS] = {-1, 1, -.75f, 1, -.5f, 1, -.25f, 1, 0, 1, .25f, 1, .5f, 1, .75f, 1, 1, 1};
static const float y[EXAMPLES] = {1, .75f, .5f, .25f, 0, .25f, .5f, .75f, 1};
static const bd_marginal_f32 start[D] = {{BD_UNIFORM, -1.5f, 1.5f}, {BD_NORMAL, 0, 1}, {BD_NORMAL, 0, 1}};
static const bd_marginal_f32 prior[D] = {{BD_CONSTANT, 0, 0}, {BD_NORMAL, 0, 1}, {BD_NORMAL, 0, 1}};

static _Alignas(BD_ALIGNMENT) unsigned char memory[BD_RUN_SIZE_F32(UNITS, D)];
static float scratch[BD_NETWORK_SCRATCH(1, EXAMPLES)];

/* F = 1/2 sum_k h_k theta_k^2, h = context: potential, gradient and mean */
static int32_t bowl(void *context, uint64_t step, const bd_rows_f32 *at, float *potential, float *gradient,
                    float *energy) {
    const float *h = context;
    (void)step;
    *energy = 0;
    for (size_t i = 0; i < at->n; i++) {
        potential[i] = 0;
        for (size_t k = 0; k < at->d; k++) {
            float slope = h[k] * at->data[k * at->stride + i];
            gradient[k * at->stride + i] = slope;
            potential[i] += .5f * (slope * at->data[k * at->stride + i]);
        }
        *energy += potential[i];
    }
    *energy /= (float)at->n;
    return 0;
}

static int failed(const bd_error *error) {
    printf("%s: %.*s\n", bd_error_text(error->code), (int)error->what_length, error->what_length ? error->what : "");
    return 1;
}

static int train(const char *name, uint32_t scheme, bd_energy_f32 *energy) {
    const bd_settings_f32 settings = {.n = UNITS, .d = D, .scheme = scheme, .dt = .25f, .alpha = 4, .seed = 1902,
                                      .prior = {.marginals = prior}};
    bd_run_f32 *run;
    bd_report_f32 first, last;
    bd_view_f32 view;
    bd_error error;
    if (bd_init_f32(memory, sizeof memory, &settings, &run, &error) || bd_scatter_f32(run, start, &error) ||
        bd_step_f32(run, energy, 1, &first, &error) || bd_step_f32(run, energy, 400, &last, &error) ||
        bd_get_view_f32(run, &view, &error))
        return failed(&error);
    uint64_t digest = 0xcbf29ce484222325; /* FNV-1a of the particles' bytes */
    const unsigned char *byte = (const unsigned char *)view.particles.data;
    for (size_t i = 0; i < UNITS * D * sizeof(float); i++) digest = (digest ^ byte[i]) * 0x100000001b3;
    printf("%s: loss %.6f, then %.6f; particles %08lx%08lx\n", name, (double)first.energy, (double)last.energy,
           (unsigned long)(digest >> 32), (unsigned long)(digest & 0xffffffff));
    return 0;
}

int main(void) {
    const bd_network_f32 settings = {.activation = BD_RELU, .loss = BD_SQUARED, .inputs = INPUTS, .outputs = 1,
                                     .examples = EXAMPLES, .x = x, .y = y, .scratch = scratch,
                                     .scratch_length = sizeof scratch / sizeof *scratch};
    static const float curvature[D] = {1, .5f, .25f};
    bd_energy_f32 network, own;
    bd_error error;
    /* header and library are of different versions */
    if (bd_version() != BD_VERSION || bd_values() != BD_VALUES) return 2;
    if (bd_make_network_f32(&network, &settings, &error) ||
        bd_make_custom_f32(&own, D, bowl, (void *)curvature, &error))
        return failed(&error);
    return train("network, scheme 1", BD_BIRTH_DEATH, &network) ||
           train("network, scheme 2", BD_REINJECTION, &network) ||
           train("own energy, scheme 1", BD_BIRTH_DEATH, &own);
}
