#!/usr/bin/env python3
"""Independent verifier of the bit contract of the Rust crate `birth-death`.

Computes the digest chains of canonical runs from configuration and seed alone. It was written from the crate's
documentation and shares no code with the crate, so that an agreement says that the documentation, and not only one
program, determines the bits. Python 3 and NumPy, IEEE operations only.

Covered are the runs that need no transcendental function but the crate's own 2^t, sqrt, and expm1 in f64. The latter
is the platform's: an ulp there changes a decision with a probability of 1e-6 in a run. Not covered: reinjection
(normals need ln and cos), rastrigin, tanh-logistic-batches, student-teacher.

    verify.py                      all lines `model/scheme/precision step bytes hash`
    verify.py --compare FILE       compares with a file of such lines; exit 1 on any difference
    verify.py --run NAME ...       only these (`mmd-sample`, `mmd-sample/birth-death`, `mmd-sample/birth-death/f32`)
    verify.py --state NAME STEP    the state after so many steps, to find a difference

All arithmetic on particles is in the run's precision R: every constant is made an R before it meets one.
"""

import argparse
import hashlib
import math
import struct
import sys
from collections import namedtuple

import numpy as np

SEED = 1902
EVERY = 50  # steps between checkpoints
CHECKPOINTS = 6  # of a whole run, after that of the start
Scheme = namedtuple("Scheme", "name number events raw transport")
SCHEMES = [
    Scheme("gradient-flow", 0, False, False, True),
    Scheme("birth-death", 1, True, False, True),
    Scheme("birth-death-raw", 2, True, True, True),
    Scheme("pure-birth-death", 3, True, False, False),
]
PRECISIONS = [("f32", np.float32), ("f64", np.float64)]
WORD, LONG, GOLDEN = 2**32 - 1, 2**64 - 1, 0x9E3779B97F4A7C15


# --- random: streams, bounded integers, uniforms ---------------------------------------------------------------------
def mix(z):
    """SplitMix64's finaliser."""
    z &= LONG
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & LONG
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & LONG
    return z ^ (z >> 31)


class Stream:
    """Marsaglia's xorshift128, seeded as `Stream::seeded`."""

    def __init__(self, seed, stream):
        b = mix(stream + mix(seed + GOLDEN))
        a = mix(seed + mix(b + GOLDEN))
        self.words = struct.unpack("<4I", struct.pack("<2Q", a, b))

    def next_u32(self):
        x, y, z, w = self.words
        t = x ^ (x << 11) & WORD
        new = w ^ (w >> 19) ^ t ^ (t >> 8)
        self.words = (y, z, w, new)
        return new

    def next_u64(self):
        """rand_core's composition: the first word is the lower half."""
        low = self.next_u32()
        return low | self.next_u32() << 32

    def uniform(self, R):
        if R is np.float32:
            return R(self.next_u32() >> 8) * R(2.0**-24)
        high = self.next_u32()
        return R((high << 32 | self.next_u32()) >> 11) * R(2.0**-53)

    def bounded(self, bound):
        """Lemire's method; after 64 tries the last word's value stands."""
        for _ in range(64):
            product = self.next_u32() * bound
            if product & WORD >= 2**32 % bound:
                break
        return product >> 32

    def peek(self):
        """The next four words; nothing is consumed."""
        kept, words = self.words, [self.next_u32() for _ in range(4)]
        self.words = kept
        return words


# --- sum: 16 lanes and a tree ----------------------------------------------------------------------------------------
def total(values):
    lanes = np.zeros(16, values.dtype)
    for i, value in enumerate(values):
        lanes[i % 16] += value
    for width in (8, 4, 2, 1):
        lanes = lanes[:width] + lanes[width:]
    return lanes[0]


def mean(values):
    return total(values) / values.dtype.type(len(values))


def mean_within(values):
    """The mean, clamped to the smallest and the largest value: what centred rates are measured from."""
    return min(max(mean(values), values.min()), values.max())


# --- maths: 2^t for t <= 0 -------------------------------------------------------------------------------------------
# unsigned type, bits of the mantissa, magic number, floor, coefficients with the highest power first
EXP2 = {
    np.float32: (
        np.uint32,
        23,
        12582912.0 + 127.0,
        -127.0,
        [0.00015517478, 0.0013389506, 0.009618007, 0.0555036, 0.24022648, math.log(2.0), 1.0],
    ),
    np.float64: (
        np.uint64,
        52,
        6755399441055744.0 + 1023.0,
        -1023.0,
        [
            4.4355913145645797e-10,
            7.072580158974405e-9,
            1.0178171409496203e-7,
            1.321544155706986e-6,
            1.5252733626007967e-5,
            0.00015403530446221308,
            0.001333355814655206,
            0.009618129107601773,
            0.05550410866482164,
            0.24022650695910108,
            math.log(2.0),
            1.0,
        ],
    ),
}

LOG2_E = 1.4426950408889634


def exp2_nonpos(t):
    R = t.dtype.type
    unsigned, mantissa, magic, floor, coefficients = EXP2[R]
    t = np.where(t < R(floor), R(floor), t)
    shifted = t + R(magic)  # rounds to an integer, whose biased form stands in the low bits
    f = t - (shifted - R(magic))
    polynomial = np.full_like(f, R(coefficients[0]))
    for coefficient in coefficients[1:]:
        polynomial = polynomial * f + R(coefficient)
    return polynomial * (shifted.view(unsigned) << unsigned(mantissa)).view(R)


# --- models/external -------------------------------------------------------------------------------------------------
def quadratic(R):
    h = np.array([[1.0], [0.5]], R)

    def evaluate(x, _step):
        value = R(0.5) * h * x * x
        potential = value[0] + value[1]
        return mean(potential), potential, h * x

    return evaluate


def double_well(R):
    tilt = R(0.125)

    def evaluate(x, _step):
        w = x[0] * x[0] - R(1)
        potential = w * w + tilt * x[0] + R(0.5) * x[1] * x[1]
        return mean(potential), potential, np.stack([R(4) * x[0] * w + tilt, x[1]])

    return evaluate


# --- models/kernel and models/mixture --------------------------------------------------------------------------------
def gaussian(dx, variance):
    """`e = 2^(r2 scale)`, components of `dx` along the first axis."""
    R = type(variance)
    scale = -R(LOG2_E) / (R(2) * variance)
    r2 = dx[0] * dx[0]
    for row in dx[1:]:
        r2 = r2 + row * row
    return exp2_nonpos(r2 * scale)


def add_gaussians(value, slope, y, sources, variance, a, b):
    """Adds `a_s e` and `b_s e dx`, sources ascending."""
    dx = y[:, None, :] - sources[:, :, None]  # component, source, target
    e = gaussian(dx, variance)
    for s in range(len(e)):
        value = value + a[s] * e[s]
        slope = slope + b[s] * e[s] * dx[:, s]
    return value, slope


def interact(y, weights, variance, height):
    """`sum_j w_j k(y_i - y_j)` and its gradient, times `height`."""
    value, slope = add_gaussians(np.zeros_like(y[0]), np.zeros_like(y), y, y, variance, weights, weights)
    return value * height, slope * -(height / variance)


def attract(value, slope, y, sources, variance, weight):
    """Adds `weight exp(-|y_i - y_s|^2 / (2 variance))` of one source and its gradient."""
    return add_gaussians(value, slope, y, sources, variance, [weight], [-(weight / variance)])


def power(base, dim):
    result = base
    for _ in range(dim - 1):
        result = result * base
    return result


def mixture(R, components):
    """Weight, centre (a column), variance of each."""
    return [(R(q), np.array(y, R)[:, None], R(v)) for q, y, v in components]


def mixture_constant(target, variance_of, height_of):
    """`1/2 sum_ab q_a q_b height exp(-|y_a - y_b|^2 / (2 variance))`."""
    R = type(target[0][0])
    result = R(0)
    for q, y, v in target:
        for q2, y2, v2 in target:
            variance = variance_of(v, v2)
            result = result + q * q2 * height_of(variance) * gaussian(y - y2, variance)[0]
    return R(0.5) * result


def kernel_energy(constant, potential, interaction):
    """`E0 + mean V - 1/2 mean(V - F)`."""
    return constant + (mean(potential) - potential.dtype.type(0.5) * mean(interaction))


# --- models/gaussian_units -------------------------------------------------------------------------------------------
def normaliser(variance, dim):
    """`(2 pi variance)^(-d/2)`."""
    R = type(variance)
    return power(R(1) / np.sqrt(R(2 * math.pi) * variance), dim)


def gaussian_units(unit_variance, components):
    def build(R):
        target, s2 = mixture(R, components), R(unit_variance)
        dim = len(target[0][1])
        constant = mixture_constant(target, lambda v, v2: v + v2, lambda v: normaliser(v, dim))
        pair_variance = R(2) * s2

        def evaluate(x, _step):
            c, y = x[0], x[1:]
            height = normaliser(pair_variance, dim) / R(len(c))
            value, slope = interact(y, c, pair_variance, height)
            interaction = c * value
            for q, centre, v in target:
                weight = -(q * normaliser(s2 + v, dim))
                value, slope = attract(value, slope, y, centre, s2 + v, weight)
            potential = c * value
            return kernel_energy(constant, potential, interaction), potential, np.vstack([value, c * slope])

        evaluate.constant = constant
        return evaluate

    return build


LINE = [(0.5, [-1.0], 0.5), (-1.0, [0.0], 1.0), (0.5, [1.0], 0.5)]
SPACE = [(q, [y, -y, 0.5 * y, 0.0], v) for q, y, v in ((1.0, -0.5, 0.5), (-0.75, 0.25, 1.0))]


# --- models/mmd ------------------------------------------------------------------------------------------------------
def mmd(components, sample=False):
    """To a mixture, with bandwidth 1. A sample is one of width 0 and weights `1/m`, but for the order of the sums in
    `E0`."""

    def build(R):
        target, h2 = mixture(R, components), R(1)

        def height(variance):
            return power(R(1) / np.sqrt(variance), len(target[0][1]))

        if sample:
            points = [y for _, y, _ in target]
            means = [mean(np.array([gaussian(y - z, h2)[0] for z in points], R)) for y in points]
            constant = R(0.5) * mean(np.array(means, R))
        else:
            constant = mixture_constant(target, lambda v, v2: h2 + (v + v2), height)

        def evaluate(x, _step):
            n = x.shape[1]
            value, slope = interact(x, np.ones(n, R), h2, R(1) / R(n))
            interaction = value
            for q, centre, v in target:
                value, slope = attract(value, slope, x, centre, h2 + v, -(q * height(h2 + v)))
            return kernel_energy(constant, value, interaction), value, slope

        return evaluate

    return build


POINTS = [(0.25, point, 0.0) for point in zip([0.5, -0.5, 1.0, -1.25], [0.75, 0.25, -1.0, 0.5])]
PLANE = [(q, [y, -y, y], 0.5) for q, y in ((0.25, -1.0), (0.75, 0.5))]


# --- models/network: activation, loss, data, mod ---------------------------------------------------------------------
def relu(a):
    R = a.dtype.type
    return np.where(a > 0, a, R(0)), np.where(a > 0, R(1), R(0))


def gaussian_unit(a):
    R = a.dtype.type
    e = exp2_nonpos(-(R(0.5) * R(LOG2_E)) * (a * a))
    return e, -a * e


def sigmoid(a):
    R = a.dtype.type
    e = exp2_nonpos(-R(LOG2_E) * np.abs(a))
    value = np.where(a < 0, e, R(1)) / (R(1) + e)
    return value, value * (R(1) - value)


def network(activation, examples, output_scale=1.0):
    """One output, squared loss, no decay. `examples(step)`: inputs (P, d) and targets (P)."""

    def evaluate(x, step):
        R = x.dtype.type
        c, z = x[0], x[1:]
        inputs, targets = examples(step)
        units = []
        outputs = np.empty_like(targets)
        for p, example in enumerate(inputs):
            a = z[0] * example[0]
            for k in range(1, len(z)):
                a = a + z[k] * example[k]
            units.append(activation(a))
            outputs[p] = total(c * units[p][0]) * (R(output_scale) / R(len(c)))
        slopes = outputs - targets
        energy = mean(R(0.5) * slopes * slopes)
        gradient = np.zeros_like(x)
        for (value, slope), l, example in zip(units, slopes, inputs):
            gradient[0] += l * value
            common = c * l * slope
            for k in range(len(z)):
                gradient[1 + k] += common * example[k]
        gradient *= R(output_scale) / R(len(targets))
        return energy, c * gradient[0], gradient

    return evaluate


def abs_examples(R):
    """Examples of y = |x| on nine points; an appended 1 is the bias."""
    points = [-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0]
    data = np.array([[x, 1.0] for x in points], R), np.array([abs(x) for x in points], R)
    return lambda _step: data


def fresh_examples(R):
    """Six pairs of uniforms and their products, on a stream of the step's own."""
    key = Stream(SEED, 101).next_u64()

    def examples(step):
        rng = Stream(key, step)
        inputs = np.array([[rng.uniform(R) for _ in range(2)] for _ in range(6)], R)
        return inputs, inputs[:, 0] * inputs[:, 1]

    return examples


# --- the canonical models --------------------------------------------------------------------------------------------
Model = namedtuple("Model", "number name dt alpha dim n build")
MODELS = [
    Model(0, "quadratic", 0.015625, 8.0, 2, 16, quadratic),
    Model(1, "double-well", 0.03125, 4.0, 2, 24, double_well),
    Model(3, "gaussian-units", 0.0625, 8.0, 2, 64, gaussian_units(0.5, LINE)),
    Model(4, "gaussian-units-wide", 0.0625, 256.0, 5, 17, gaussian_units(0.5, SPACE)),
    Model(5, "mmd-sample", 0.125, 8.0, 2, 32, mmd(POINTS, sample=True)),
    Model(6, "mmd-mixture", 0.125, 8.0, 3, 16, mmd(PLANE)),
    Model(7, "relu-squared", 0.125, 4.0, 3, 32, lambda R: network(relu, abs_examples(R))),
    Model(9, "sigmoid-fresh", 0.125, 4.0, 3, 16, lambda R: network(sigmoid, fresh_examples(R), 2.0)),
    Model(10, "gaussian-squared", 0.125, 16.0, 3, 16, lambda R: network(gaussian_unit, abs_examples(R))),
]


# --- events ----------------------------------------------------------------------------------------------------------
def decide(potential, shift, alpha, dt, rng):
    """How many of each slot are present after the events; births; deaths."""
    copies = []
    for b in potential - shift:
        x = alpha * abs(float(b)) * dt
        happens = rng.next_u32() < math.floor(-math.expm1(-x) * 2.0**32)
        copies.append((0 if b > 0 else 2) if happens else 1)
    return copies, copies.count(2), copies.count(0)


# --- population: control and seats -----------------------------------------------------------------------------------
def remove(copies, excess, rng):
    to_come = sum(copies)
    for slot, present in enumerate(list(copies)):
        for _ in range(present):
            if excess == 0:
                return
            if rng.bounded(to_come) < excess:
                copies[slot] -= 1
                excess -= 1
            to_come -= 1


def copy(copies, missing, rng):
    present = [slot for slot, count in enumerate(copies) for _ in range(count)]
    if not present:
        raise ArithmeticError("extinct")
    for _ in range(missing):
        copies[present[rng.bounded(len(present))]] += 1


def seat(copies):
    """The slot whose particle stands in each slot after the step."""
    newcomers = (parent for parent, count in enumerate(copies) for _ in range(count - 1))
    return [slot if count else next(newcomers) for slot, count in enumerate(copies)]


# --- dynamics: a run, step by step -----------------------------------------------------------------------------------
class Run:
    def __init__(self, model, scheme, precision):
        self.model, self.scheme, (precision_name, self.R) = model, scheme, precision
        self.name = f"{model.name}/{scheme.name}/{precision_name}"
        self.evaluate = model.build(self.R)
        self.rng = Stream(SEED, 16 * model.number + 2 * scheme.number + (self.R is np.float64))
        self.x = np.empty((model.dim, model.n), self.R)
        for i in range(model.n):
            for k in range(model.dim):
                self.x[k, i] = self.R(-1.5) + self.R(3) * self.rng.uniform(self.R)
        self.steps = self.events = self.bytes = 0
        self.energy = self.R(0)
        self.digest = bytes(32)
        self.record = None

    def step(self):
        model, scheme, R = self.model, self.scheme, self.R
        energy, potential, gradient = self.evaluate(self.x, self.steps)
        # a float64 that leaked into an f32 run would show here
        assert type(energy) is R and potential.dtype == gradient.dtype == R
        moved = self.x - R(model.dt) * gradient
        if not (np.isfinite(energy) and np.isfinite(potential).all() and np.isfinite(moved).all()):
            raise ArithmeticError("not finite")
        origin = list(range(model.n))
        births = deaths = 0
        if scheme.events:
            shift = R(0) if scheme.raw else mean_within(potential)
            copies, births, deaths = decide(potential, shift, model.alpha, model.dt, self.rng)
            if births > deaths:
                remove(copies, births - deaths, self.rng)
            elif deaths > births:
                copy(copies, deaths - births, self.rng)
            origin = seat(copies)
        self.x = (moved if scheme.transport else self.x)[:, origin]
        self.record = potential, gradient, births, deaths, origin
        self.energy = energy
        self.events += births + deaths
        self.steps += 1

    def checkpoint(self):
        """The digest's next link, as a line."""
        real = "<f4" if self.R is np.float32 else "<f8"
        # x + 0 makes a negative zero positive and changes nothing else
        energy, particles = ((value + self.R(0)).astype(real).tobytes() for value in (self.energy, self.x))
        state = struct.pack("<IIQ", self.model.n, self.model.dim, self.steps) + energy
        state += struct.pack("<Q4I", self.events, *self.rng.peek()) + particles
        self.bytes += len(state)
        self.digest = hashlib.sha256(self.digest + state).digest()
        return f"{self.name} {self.steps} {self.bytes} {self.digest.hex()}"

    def lines(self, every, checkpoints):
        yield self.checkpoint()
        for _ in range(checkpoints):
            for _ in range(every):
                self.step()
            yield self.checkpoint()

    def show(self):
        print(f"{self.name} after {self.steps} steps: energy {self.energy!r} {float(self.energy).hex()}")
        print(f"births and deaths so far {self.events}, next words {self.rng.peek()}")
        rows = [(f"component {k}", row) for k, row in enumerate(self.x)]
        if self.record:
            potential, gradient, births, deaths, origin = self.record
            print(f"last step: {births} births, {deaths} deaths, origin {origin}")
            rows += [("last potential", potential)] + [(f"last slope {k}", row) for k, row in enumerate(gradient)]
        for name, row in rows:
            print(f"{name}:", *(float(value).hex() for value in row))


# --- command line ----------------------------------------------------------------------------------------------------
def documented_examples():
    """The numbers that the documentation gives of the parts used here."""
    rng = Stream(1, 0)
    assert [rng.next_u32(), rng.next_u32()] == [16399384, 4167847072]
    units = gaussian_units(0.5, [(1 / 3, [-2.0], 0.5), (-2 / 3, [0.0], 1.0), (1 / 3, [2.0], 0.5)])
    assert abs(units(np.float64).constant - 0.06886827) < 1e-8
    a = np.array([-1.0, 2.0])
    assert abs(sigmoid(a)[0][0] - 0.26894142136999510) < 1e-15
    assert abs(gaussian_unit(a)[0][1] - 0.13533528323661270) < 1e-15


def compare(run, wanted, every, checkpoints):
    """Whether the file's lines of a run are those computed here; says so."""
    for line, expected in zip(run.lines(every, len(wanted) - 1), wanted):
        if line != expected:
            print(f"{run.name}: first differing checkpoint at step {line.split()[1]}\n  file {expected}\n  here {line}")
            return False
    print(f"{run.name}: equal, {len(wanted)} of {checkpoints + 1} checkpoints")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--compare", metavar="FILE")
    parser.add_argument("--at-least", type=int, default=4, metavar="N", help="runs that must have been compared")
    parser.add_argument("--run", action="append", metavar="NAME")
    parser.add_argument("--state", nargs=2, metavar=("NAME", "STEP"))
    parser.add_argument("--every", type=int, default=EVERY, metavar="STEPS")
    parser.add_argument("--checkpoints", type=int, default=CHECKPOINTS, metavar="N")
    options = parser.parse_args()
    documented_examples()

    runs = {f"{m.name}/{s.name}/{p[0]}": (m, s, p) for m in MODELS for s in SCHEMES for p in PRECISIONS}
    names = [options.state[0]] if options.state else options.run
    if names:
        runs = {run: key for run, key in runs.items() if any((run + "/").startswith(name + "/") for name in names)}
    if not runs:
        parser.error("no such run")
    if options.state:
        for key in runs.values():
            run = Run(*key)
            for _ in range(int(options.state[1])):
                run.step()
            run.show()
    elif options.compare:
        file, equal = {}, []
        with open(options.compare, encoding="utf-8") as lines:
            for line in filter(None, map(str.strip, lines)):
                file.setdefault(line.split()[0], []).append(line)
        for name, key in runs.items():
            if name in file:
                equal.append(compare(Run(*key), file[name], options.every, options.checkpoints))
            else:
                print(f"{name}: not in the file")
        print(
            f"{len(equal)} runs compared, {equal.count(False)} different; "
            f"{len(file) - len(equal)} of the file not computed"
        )
        if not all(equal) or len(equal) < options.at_least:
            sys.exit(1)
    else:
        for key in runs.values():
            for line in Run(*key).lines(options.every, options.checkpoints):
                print(line)


if __name__ == "__main__":
    main()
