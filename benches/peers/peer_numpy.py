"""NumPy: whole matrices, rows in blocks that stay in the cache, with sums by `sum` or by a matrix product; and the
separable form."""

import functools

import numpy

from worker import height, serve


def finish(c, S, T):
    h = c.dtype.type(height(len(c)))
    slope = h * S
    return c * slope, slope, -h * c * T


def broadcast(c, y):
    """As one would write it."""

    def work():
        d = y[:, None] - y[None, :]
        k = c * numpy.exp(-0.5 * d * d)
        return finish(c, k.sum(1), (k * d).sum(1))

    return work if len(c) <= 4096 else None  # gigabytes


def rows(block, c, y):
    """Blocks of rows, every operation in place, in memory that is there already; the sums as products of a matrix and
    vectors."""
    n = len(c)
    block = min(block, n)
    d, k = numpy.empty((block, n), c.dtype), numpy.empty((block, n), c.dtype)
    both = numpy.stack([c, c * y], 1)
    half = c.dtype.type(-0.5)
    sums = numpy.empty((n, 2), c.dtype)

    def work():
        numpy.multiply(c, y, out=both[:, 1])
        for i in range(0, n, block):
            at = y[i : i + block, None]
            difference, part = d[: len(at)], k[: len(at)]
            numpy.subtract(at, y, out=difference)
            numpy.multiply(difference, difference, out=part)
            numpy.multiply(part, half, out=part)
            numpy.exp(part, out=part)
            numpy.matmul(part, both, out=sums[i : i + block])
        # sum_j c_j (y_i - y_j) k_ij = y_i S_i - sum_j c_j y_j k_ij
        return finish(c, sums[:, 0], y * sums[:, 0] - sums[:, 1])

    return work


def separable(block, c, y):
    """exp(-(y_i - y_j)^2 / 2) = exp(-y_i^2 / 2) exp(-y_j^2 / 2) exp(y_i y_j): one product and one exponential a pair,
    and the sums as products. Only for centres near zero: it overflows for |y| above 9 in f32, where the others do
    not."""
    n = len(c)
    block = min(block, n)
    k = numpy.empty((block, n), c.dtype)
    both = numpy.empty((n, 2), c.dtype)
    sums = numpy.empty((n, 2), c.dtype)

    def work():
        e = numpy.exp(-0.5 * y * y)
        numpy.multiply(c, e, out=both[:, 0])
        numpy.multiply(both[:, 0], y, out=both[:, 1])
        for i in range(0, n, block):
            at = y[i : i + block, None]
            part = k[: len(at)]
            numpy.multiply(at, y, out=part)
            numpy.exp(part, out=part)
            numpy.matmul(part, both, out=sums[i : i + block])
        S = e * sums[:, 0]
        return finish(c, S, y * S - e * sums[:, 1])

    return work


FORMULATIONS = {
    "broadcast": broadcast,
    "rows-16": functools.partial(rows, 16),
    "rows-64": functools.partial(rows, 64),
    "rows-256": functools.partial(rows, 256),
    "separable-16": functools.partial(separable, 16),
    "separable-64": functools.partial(separable, 64),
    "separable-256": functools.partial(separable, 256),
}

if __name__ == "__main__":
    serve(FORMULATIONS)
