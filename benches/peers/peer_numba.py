"""Numba, fastmath: plain loops, lanes across i in blocks, the same with parallel=True on one thread, and NumPy's
functions on rows.

Its wheels call the C library's exponential, a number at a time (SVML, which vectorises it, needs a patched llvmlite,
and has not been in the wheels). An exponential of one's own, written out as a polynomial, is not tried: that would be
our loop again, in another language. """

import functools
import math
import os

os.environ["NUMBA_NUM_THREADS"] = "1"

import numba
import numpy

from worker import height, serve


@numba.njit(fastmath=True)
def plain(c, y, h, V, gc, gy):
    half = h.dtype.type(0.5)
    h = h[0]
    for i in range(len(y)):
        S = y[0] - y[0]
        T = S
        for j in range(len(y)):
            d = y[i] - y[j]
            k = c[j] * math.exp(-half * d * d)
            S += k
            T += k * d
        gc[i] = h * S
        V[i] = c[i] * gc[i]
        gy[i] = -h * c[i] * T


@numba.njit(fastmath=True, parallel=True)
def parallel(c, y, h, V, gc, gy):
    half = h.dtype.type(0.5)
    h = h[0]
    for i in numba.prange(len(y)):
        S = y[0] - y[0]
        T = y[0] - y[0]
        for j in range(len(y)):
            d = y[i] - y[j]
            k = c[j] * math.exp(-half * d * d)
            S += k
            T += k * d
        gc[i] = h * S
        V[i] = c[i] * gc[i]
        gy[i] = -h * c[i] * T


@numba.njit(fastmath=True)
def arrays(c, y, h, V, gc, gy):
    half = h.dtype.type(0.5)
    h = h[0]
    for i in range(len(y)):
        d = y[i] - y
        k = c * numpy.exp(-half * d * d)
        gc[i] = h * k.sum()
        V[i] = c[i] * gc[i]
        gy[i] = -h * c[i] * (k * d).sum()


@numba.njit(fastmath=True)
def lanes(c, y, h, V, gc, gy):
    half = h.dtype.type(0.5)
    h = h[0]
    S, T = numpy.empty(32, y.dtype), numpy.empty(32, y.dtype)
    for start in range(0, len(y), 32):
        at = y[start : start + 32]
        S[:] = 0
        T[:] = 0
        for j in range(len(y)):
            for lane in range(len(at)):
                d = at[lane] - y[j]
                k = c[j] * math.exp(-half * d * d)
                S[lane] += k
                T[lane] += k * d
        for lane in range(len(at)):
            i = start + lane
            gc[i] = h * S[lane]
            V[i] = c[i] * gc[i]
            gy[i] = -h * c[i] * T[lane]


def made(function, c, y):
    h = numpy.array([height(len(c))], c.dtype)
    out = numpy.empty_like(c), numpy.empty_like(c), numpy.empty_like(c)

    def work():
        function(c, y, h, *out)
        return out

    return work


FORMULATIONS = {
    "plain": functools.partial(made, plain),
    "parallel": functools.partial(made, parallel),
    "arrays": functools.partial(made, arrays),
    "lanes": functools.partial(made, lanes),
}

if __name__ == "__main__":
    serve(FORMULATIONS)
