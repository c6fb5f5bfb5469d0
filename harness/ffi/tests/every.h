/* Every energy, scheme, prior and the checkpoint in one precision: included by every.c, which names REAL and T. */

enum { T(N) = 24 };

static _Alignas(BD_ALIGNMENT) unsigned char T(memory)[T(RUN_SIZE)(T(N), 3)];
static _Alignas(BD_ALIGNMENT) unsigned char T(other)[T(RUN_SIZE)(T(N), 3)];
static unsigned char T(checkpoint)[T(CHECKPOINT_SIZE)(T(N), 3)];
static REAL T(particles)[3 * 32];
static const T(bd_marginal) T(start)[3] = {{BD_UNIFORM, -1.5, 1.5}, {BD_UNIFORM, -1.5, 1.5}, {BD_NORMAL, .25, .5}};
static const T(bd_marginal) T(prior)[3] = {{BD_CONSTANT, .125, 0}, {BD_UNIFORM, -.5, 1}, {BD_NORMAL, 0, .5}};

/* the same laws, drawn here */
static void T(draw)(void *context, bd_random *random, REAL *particle, size_t d) {
    ++*(int *)context;
    for (size_t k = 0; k < d; k++) {
        const T(bd_marginal) *law = &T(prior)[k];
        particle[k] = law->law == BD_CONSTANT ? law->a
                      : law->law == BD_NORMAL ? law->a + law->b * T(bd_random_normal)(random)
                                              : law->a + (law->b - law->a) * T(bd_random_uniform)(random);
    }
}

static int32_t T(bowl)(void *context, uint64_t step, const T(bd_rows) *at, REAL *potential, REAL *gradient,
                       REAL *energy) {
    const REAL *h = (const REAL *)context;
    (void)step;
    *energy = 0;
    for (size_t i = 0; i < at->n; i++) {
        potential[i] = 0;
        for (size_t k = 0; k < at->d; k++) {
            REAL theta = at->data[k * at->stride + i], slope = h[k] * theta;
            gradient[k * at->stride + i] = slope;
            potential[i] += (REAL).5 * (slope * theta);
        }
        *energy += potential[i];
    }
    *energy /= (REAL)at->n;
    return 0;
}

/* a run's particles, by the function that copies them: rows 32 apart */
static void T(print)(const char *name, T(bd_run) *run, size_t d) {
    T(bd_view) view;
    OK(T(bd_get_particles)(run, T(particles), 32, &error));
    OK(T(bd_get_view)(run, &view, &error));
    uint64_t digest = FNV;
    for (size_t k = 0; k < d; k++) digest = fnv(digest, T(particles) + 32 * k, T(N) * sizeof(REAL));
    digest = fnv(digest, &view.time, sizeof view.time);
    digest = fnv(digest, view.origin, T(N) * sizeof(uint32_t));
    line(name, sizeof(REAL) * 8, digest);
}

static T(bd_run) *T(run)(const char *name, T(bd_settings) settings, T(bd_energy) *energy) {
    T(bd_run) *run;
    settings.n = T(N);
    settings.seed = 7;
    settings.stream = 11;
    OK(T(bd_init)(T(memory), sizeof T(memory), &settings, &run, &error));
    OK(T(bd_scatter)(run, T(start), &error));
    OK(T(bd_step)(run, energy, 60, NULL, &error));
    T(print)(name, run, settings.d);
    return run;
}

static void T(all)(void) {
    static const REAL curvature[2] = {1, .5};
    static const REAL weights[3] = {.5, -1, .5}, centres[3] = {-1, 0, 1}, variances[3] = {.5, 1, .5};
    static const REAL points[8] = {.5, -.5, 1, -1.25, .75, .25, -1, .5};
    static const REAL x[18] = {-1, 1, -.75, 1, -.5, 1, -.25, 1, 0, 1, .25, 1, .5, 1, .75, 1, 1, 1};
    static const REAL y[9] = {1, .75, .5, .25, 0, .25, .5, .75, 1}, classes[9] = {1, 1, 0, 0, 0, 0, 0, 1, 1};
    static REAL scratch[BD_NETWORK_SCRATCH(1, 9)], batches[BD_BATCH_SCRATCH(2, 1, 4)];
    static uint32_t order[9];
    T(bd_energy) energy;
    T(bd_run) *run;

    OK(T(bd_make_quadratic)(&energy, curvature, 2, &error));
    T(run)("quadratic", (T(bd_settings)){.d = 2, .scheme = BD_BIRTH_DEATH, .dt = .015625, .alpha = 8}, &energy);
    OK(T(bd_make_custom)(&energy, 2, T(bowl), (void *)curvature, &error));
    T(run)("quadratic in C", (T(bd_settings)){.d = 2, .scheme = BD_BIRTH_DEATH, .dt = .015625, .alpha = 8}, &energy);

    OK(T(bd_make_gaussian_units)(&energy, .5, 1, 3, weights, centres, variances, &error));
    T(bd_settings) reinjection = {.d = 2, .scheme = BD_REINJECTION, .dt = .0625, .alpha = 256,
                                  .prior = {.marginals = T(prior)}};
    T(run)("units, prior in a table", reinjection, &energy);
    int draws = 0;
    reinjection.prior.marginals = NULL;
    reinjection.prior.draw = T(draw);
    reinjection.prior.context = &draws;
    T(run)("units, prior in C", reinjection, &energy);
    if (draws == 0) fail("the prior in C was never asked");

    T(bd_rows) sample = {.data = points, .stride = 4, .d = 2, .n = 4};
    OK(T(bd_make_mmd)(&energy, 1, &sample, &error));
    T(bd_settings) quenched = {.d = 2, .scheme = BD_BIRTH_DEATH, .rate = BD_RAW, .dt = .125, .alpha = 8,
                               .quench_from = 40};
    run = T(run)("mmd, raw, quenched", quenched, &energy);
    OK(T(bd_set_dt)(run, .0625, &error));
    OK(T(bd_set_alpha)(run, 2, &error));
    OK(T(bd_step)(run, &energy, 5, NULL, &error));
    T(print)("mmd, other dt", run, 2);
    T(bd_settings) pure = {.d = 2, .scheme = BD_BIRTH_DEATH, .dt = .125, .alpha = 8, .without_transport = 1};
    T(run)("mmd, pure", pure, &energy);
    T(run)("mmd, gradient flow", (T(bd_settings)){.d = 2, .dt = .125}, &energy);

    T(bd_network) network = {.activation = BD_SIGMOID, .loss = BD_LOGISTIC, .inputs = 2, .outputs = 1, .examples = 9,
                             .x = x, .y = classes, .decay = .0625, .scratch = batches,
                             .scratch_length = sizeof batches / sizeof *batches, .batch = 4, .order = order,
                             .seed = 5, .stream = 6};
    OK(T(bd_make_network)(&energy, &network, &error));
    T(bd_settings) settings = {.d = 3, .scheme = BD_REINJECTION, .dt = .125, .alpha = 4,
                               .prior = {.marginals = T(prior)}};
    T(run)("network, batches", settings, &energy);
    network = (T(bd_network)){.activation = BD_TANH, .loss = BD_SQUARED, .inputs = 2, .outputs = 1, .examples = 9,
                              .x = x, .y = y, .scale = 2, .scratch = scratch,
                              .scratch_length = sizeof scratch / sizeof *scratch};
    OK(T(bd_make_network)(&energy, &network, &error));
    settings.scheme = BD_BIRTH_DEATH;
    run = T(run)("network", settings, &energy);

    /* saved here, and resumed there: the two go on alike, and so do bytes copied */
    OK(T(bd_save)(run, 99, T(checkpoint), sizeof T(checkpoint), &error));
    line("checkpoint", sizeof(REAL) * 8, fnv(FNV, T(checkpoint), sizeof T(checkpoint)));
    T(bd_run) *resumed;
    settings.n = T(N);
    OK(T(bd_init)(T(other), sizeof T(other), &settings, &resumed, &error));
    OK(T(bd_load)(resumed, 99, T(checkpoint), sizeof T(checkpoint), &error));
    OK(T(bd_step)(resumed, &energy, 20, NULL, &error));
    T(print)("resumed", resumed, 3);
    memcpy(T(other), T(memory), sizeof T(memory));
    OK(T(bd_step)((T(bd_run) *)(void *)T(other), &energy, 20, NULL, &error));
    T(print)("copied", (T(bd_run) *)(void *)T(other), 3);

    REAL values[4], input[2] = {.3, 1};
    T(bd_view) view;
    OK(T(bd_get_view)(run, &view, &error));
    OK(T(bd_predict)(BD_TANH, 2, &view.particles, input, 2, &values[0], 1, &error));
    OK(T(bd_evaluate)(run, &energy, &values[1], &error));
    OK(T(bd_get_view)(run, &view, &error));
    values[2] = view.potential[0];
    values[3] = view.potential[T(N) - 1];
    line("prediction, energy, potentials", sizeof(REAL) * 8, fnv(FNV, values, sizeof values));
    if (T(bd_run_size)(T(N), 3) != sizeof T(memory) || T(bd_run_size)(1, 1) != T(RUN_SIZE)(1, 1)) fail("BD_RUN_SIZE");
    if (T(bd_checkpoint_size)(T(N), 3) != sizeof T(checkpoint)) fail("BD_CHECKPOINT_SIZE");
}

#undef REAL
#undef T
