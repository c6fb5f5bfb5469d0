"""What the peers have in common: a process that times what it is told on standard input, as ours.rs does.

Every peer evaluates, for particles (c_i, y_i) and h = 1 / (n sqrt(2 pi)),

    S_i = sum_j c_j exp(-(y_i - y_j)^2 / 2)      T_i = sum_j c_j (y_i - y_j) exp(-(y_i - y_j)^2 / 2)
    V_i = h c_i S_i      dV_i/dc_i = h S_i      dV_i/dy_i = -h c_i T_i

the interaction of Gaussian units of variance 1/2 in one component: what our evaluation without a target is.

A peer is a dictionary: the name of a formulation -> a function of (c, y), two arrays of one precision, that gives
either a function without arguments which does one evaluation and returns (V, dV/dc, dV/dy), or None where the
formulation is not made for so many particles; a formulation which evaluates several times in one call has their number
as its attribute `times`.
"""

import math
import os
import sys
import time

import numpy

BATCH = 200e-6  # seconds of a batch, at least


def height(n):
    return 1.0 / (n * math.sqrt(2.0 * math.pi))


def serve(formulations):
    """Answers requests until there are none: `list`, `load PRECISION N FILE`, `values NAME FILE`, `time NAME SECONDS`,
    `forget`."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    ready, batches, arrays = {}, {}, None
    for line in sys.stdin:
        words = line.split()
        reply = "done"
        if words[0] == "list":
            reply = " ".join(formulations)
        elif words[0] == "load":
            number = numpy.float32 if words[1] == "f32" else numpy.float64
            both = numpy.fromfile(words[3], number)
            arrays, ready, batches = (both[: int(words[2])].copy(), both[int(words[2]) :].copy()), {}, {}
        elif words[0] == "forget":
            ready, batches = {}, {}
        else:
            name = words[1]
            if name not in ready:
                ready[name] = formulations[name](*arrays)
            if ready[name] is None:
                reply = "none"
            elif words[0] == "values":
                found = [numpy.asarray(part) for part in ready[name]()]
                assert all(part.dtype == arrays[0].dtype and part.shape == arrays[0].shape for part in found), name
                numpy.concatenate(found).tofile(words[2])
            else:
                if name not in batches:
                    batches[name], first = batch(ready[name])
                    seconds = (
                        first / batches[name]
                        if first > float(words[2])
                        else least(ready[name], batches[name], float(words[2]))
                    )
                else:
                    seconds = least(ready[name], batches[name], float(words[2]))
                reply = str(1e9 * seconds / getattr(ready[name], "times", 1))
        print(reply, file=answers, flush=True)


def batch(work):
    """How often it is done in a batch, and the seconds of such a batch. The values have been asked for before: what is
    compiled at the first call is not timed."""
    times = 1
    while (seconds := timed(work, times)) < BATCH:
        times *= 2
    return times, seconds


def least(work, times, seconds):
    """The least seconds of `work()`, in batches of so many: one to warm up, and as many as fit, two at least."""
    timed(work, times)
    spent, best, batches = 0.0, math.inf, 0
    while spent < seconds or batches < 2:
        now = timed(work, times)
        spent, best, batches = spent + now, min(best, now), batches + 1
    return best / times


def timed(work, times):
    begin = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - begin
