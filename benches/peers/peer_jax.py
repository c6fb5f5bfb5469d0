"""JAX, jit, on the CPU: whole matrices, rows in blocks by lax.map, columns in blocks by lax.scan, the separable form;
and several evaluations in one compiled loop, which do not pay for the call."""

import functools
import os

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_ENABLE_X64"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
from jax import lax

from worker import height, serve

LOOP = 32  # evaluations of a call in a compiled loop


def finish(c, S, T):
    h = c.dtype.type(height(len(c)))
    slope = h * S
    return c * slope, slope, -h * c * T


def sums_broadcast(c, y, at):
    d = at[:, None] - y[None, :]
    k = c * jnp.exp(-0.5 * d * d)
    return k.sum(1), (k * d).sum(1)


def sums_product(c, y, at):
    d = at[:, None] - y[None, :]
    both = jnp.exp(-0.5 * d * d) @ jnp.stack([c, c * y], 1)
    return both[:, 0], at * both[:, 0] - both[:, 1]


def sums_separable(c, y, at):
    # only for centres near zero: see peer_numpy.py
    e = c * jnp.exp(-0.5 * y * y)
    both = jnp.exp(at[:, None] * y[None, :]) @ jnp.stack([e, e * y], 1)
    both = both * jnp.exp(-0.5 * at * at)[:, None]
    return both[:, 0], at * both[:, 0] - both[:, 1]


def whole(sums, c, y):
    return finish(c, *sums(c, y, y))


def rows(sums, block, c, y):
    S, T = lax.map(lambda at: sums(c, y, at), y.reshape(-1, block))
    return finish(c, S.reshape(-1), T.reshape(-1))


def columns(block, c, y):
    def add(carry, source):
        S, T = sums_broadcast(source[0], source[1], y)
        return (carry[0] + S, carry[1] + T), None

    zero = jnp.zeros_like(y)
    (S, T), _ = lax.scan(add, (zero, zero), (c.reshape(-1, block), y.reshape(-1, block)))
    return finish(c, S, T)


def compiled(evaluate, largest, least, c, y):
    n = len(c)
    if n > largest or n % least:
        return None
    c, y = jnp.asarray(c), jnp.asarray(y)
    program = jax.jit(evaluate)
    return lambda: jax.block_until_ready(program(c, y))


def looped(evaluate, least, c, y):
    """The centres of an evaluation depend on the one before, by nothing that rounding leaves, so that none can be left
    out."""
    n = len(c)
    if n > 1024 or n % least:
        return None
    c, y = jnp.asarray(c), jnp.asarray(y)
    tiny = y.dtype.type(1e-30)

    def again(_, state):
        V, gc, gy = evaluate(c, y + tiny * state[2])
        return V, gc, gy

    program = jax.jit(lambda c, y: lax.fori_loop(0, LOOP, again, (jnp.zeros_like(y),) * 3))

    def work():
        return jax.block_until_ready(program(c, y))

    work.times = LOOP
    return work


MATRIX = 4096  # particles whose matrices fit in the memory of a small machine
FORMULATIONS = {
    "broadcast": functools.partial(compiled, functools.partial(whole, sums_broadcast), MATRIX, 1),
    "product": functools.partial(compiled, functools.partial(whole, sums_product), MATRIX, 1),
    "separable": functools.partial(compiled, functools.partial(whole, sums_separable), MATRIX, 1),
    **{
        f"rows-{b}": functools.partial(compiled, functools.partial(rows, sums_broadcast, b), 1 << 30, b)
        for b in (8, 16, 32, 64, 128)
    },
    **{
        f"product-rows-{b}": functools.partial(compiled, functools.partial(rows, sums_product, b), 1 << 30, b)
        for b in (16, 64)
    },
    **{
        f"separable-rows-{b}": functools.partial(compiled, functools.partial(rows, sums_separable, b), 1 << 30, b)
        for b in (16, 64)
    },
    **{f"columns-{b}": functools.partial(compiled, functools.partial(columns, b), 1 << 30, b) for b in (8, 64)},
    "broadcast-looped": functools.partial(looped, functools.partial(whole, sums_broadcast), 1),
    "separable-looped": functools.partial(looped, functools.partial(whole, sums_separable), 1),
    **{f"rows-{b}-looped": functools.partial(looped, functools.partial(rows, sums_broadcast, b), b) for b in (8, 32)},
}

if __name__ == "__main__":
    serve(FORMULATIONS)
