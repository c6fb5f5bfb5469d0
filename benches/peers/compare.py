"""Our evaluation beside the peers', in one run on one core: times in turn, values compared, ratios and goals printed.

Every process (ours, and one a peer) is bound to the same core and waits while another is timed, so that the drift of a
shared machine meets all alike. First every formulation is checked and timed once; those near their peer's best go on,
round after round; the least time of each is kept. """

import argparse
import json
import math
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

import numpy

HERE = pathlib.Path(__file__).parent
SIZES = [64, 256, 1024, 4096, 16384]
STEP = 200
PEERS = ["numpy", "jax", "numba"]
# exact where it does not overflow, which is for centres near zero only: a peer on these inputs, but no general one
NARROW = "separable"
# a formulation goes on that takes at most so many times what its peer's best takes, and no more than so many times the
# best of all, or is its peer's best
GOES_ON, OF_ALL = 1.5, 3.0
ONE_THREAD = {
    name: "1"
    for name in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    )
}


class Process:
    """A process that answers a line with a line."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **ONE_THREAD}
        )

    def ask(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().strip()
        if not answer:
            sys.exit(f"{self.process.args} ended at: {' '.join(map(str, words))}")
        return answer


def tolerance(precision, c, y):
    """How far two evaluations may be apart: V and dV/dc, and dV/dy.

    Relative to h sum |c_j|, and for the slope times 2 max |y|: the error of a sum of n terms in any order is at most n
    eps/2 times the sum of their absolute values (Higham, "Accuracy and Stability of Numerical Algorithms", section on
    summation), here in both evaluations; a term itself has at most 64 eps: those of the separable form are products of
    three exponentials whose arguments, up to max(y)^2 = 20, are rounded. """
    eps = numpy.finfo(numpy.float32 if precision == "f32" else numpy.float64).eps
    n = len(c)
    scale = numpy.abs(c).sum() / (n * math.sqrt(2 * math.pi)) * max(1.0, numpy.abs(c).max())
    return (n + 64) * eps * scale * numpy.array([1.0, 1.0, 2 * max(1.0, numpy.abs(y).max())])


def check(found, ours, bound):
    """The largest difference, as a share of what is allowed; above 1, or not a number, is wrong."""
    with numpy.errstate(all="ignore"):
        return float(numpy.max(numpy.abs(found.astype(float) - ours).reshape(3, -1) / bound[:, None]))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--ours", required=True, help="the example `peer`, built with feature dispatch")
    arguments.add_argument("--only", action="append", choices=PEERS + ["torch"], help="only this peer; may be repeated")
    arguments.add_argument("--torch", action="store_true", help="PyTorch too")
    arguments.add_argument("--quick", action="store_true", help="n <= 1024 and one round, to see that it runs")
    arguments.add_argument(
        "--rounds", type=int, default=8, help="turns of each formulation after the first, and of ours"
    )
    arguments.add_argument("--seconds", type=float, default=0.05, help="of a turn, two batches at least")
    arguments.add_argument("--f64", action="store_true", help="f64 too, which has no goal")
    arguments.add_argument("--out", type=pathlib.Path, help="write all times as JSON")
    options = arguments.parse_args()
    peers = options.only or PEERS + ["torch"] * options.torch
    sizes, rounds = ([64, 256, 1024], 1) if options.quick else (SIZES, options.rounds)
    goals = json.loads((HERE.parent / "goals.json").read_text())
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

    ours = Process([options.ours])
    workers = {peer: Process([sys.executable, str(HERE / f"peer_{peer}.py")]) for peer in peers}
    names = {peer: worker.ask("list").split() for peer, worker in workers.items()}
    print(f"{processor()}; one core; Python {platform.python_version()}, {versions(peers)}")
    record = {"processor": processor(), "python": platform.python_version(), "versions": versions(peers), "times": []}
    wrong = []
    for precision in ["f32", "f64"][: 1 + options.f64]:
        table, details = [], []
        for n in sorted({*sizes, STEP}):
            # at the size of the step only NumPy is asked
            asked = {peer: worker for peer, worker in workers.items() if n in sizes or peer == "numpy"}
            if not asked:
                continue
            times = measure(precision, n, rounds, options.seconds, ours, asked, names, wrong)
            step = times.pop(("ours", "step"))
            record["times"] += [
                {"precision": precision, "n": n, "who": who, "formulation": name, "nanoseconds": t}
                for (who, name), t in [*times.items(), (("ours", "step"), step)]
                if math.isfinite(t)
            ]
            if n in sizes:
                table.append(row(n, times, peers, goals["peers"], precision))
                details.append(
                    f"  n = {n}: "
                    + "; ".join(
                        f"{who} {name} {t / n**2:.3f}"
                        for (who, name), t in sorted(times.items(), key=lambda item: item[1])
                        if who != "ours"
                    )
                )
            if n == STEP and "numpy" in peers:
                numpy_alone = min(t for (who, _), t in times.items() if who == "numpy")
                ratio, goal = step / numpy_alone, goals["step_of_numpy"]
                step_line = (
                    f"{goal['what']}: {step / 1e3:.2f} us over {numpy_alone / 1e3:.2f} us "
                    f"= {ratio:.3f} {goal['unit']}, "
                    f"at most {goal['at_most']}: {'met' if ratio <= goal['at_most'] else 'MISSED'}"
                )
                if precision == "f64":
                    step_line = f"the same in f64, which has no goal: {ratio:.3f}"
        print(
            f"\n{precision}, ns per ordered pair, V and grad V of the pairs alone, the best formulation of each\n"
            f"{show(peers, table)}"
        )
        if "numpy" in peers:
            print(step_line)
        print("all formulations that went on, ns per ordered pair:\n" + "\n".join(details))
    for line in wrong:
        print(f"WRONG VALUES: {line}")
    if options.out:
        options.out.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n")
    sys.exit(1 if wrong else 0)


def measure(precision, n, rounds, seconds, ours, workers, names, wrong):
    """The least nanoseconds of every formulation that is worth it, by (who, name), for one precision and size."""
    with tempfile.TemporaryDirectory() as folder:
        inputs, values = f"{folder}/inputs", f"{folder}/values"
        number = numpy.float32 if precision == "f32" else numpy.float64
        ours.ask("inputs", precision, n, inputs)
        ours.ask("values", precision, n, values)
        both, expected = numpy.fromfile(inputs, number), numpy.fromfile(values, number).astype(float)
        bound = tolerance(precision, both[:n].astype(float), both[n:].astype(float))
        times = {("ours", "evaluation"): math.inf, ("ours", "step"): math.inf}
        for peer, worker in workers.items():
            worker.ask("load", precision, n, inputs)
            for name in names[peer]:
                if worker.ask("values", name, values) == "none":
                    continue
                share = check(numpy.fromfile(values, number), expected, bound)
                if not share <= 1:
                    wrong.append(f"{peer} {name}, {precision}, n = {n}: {share:.2g} of what is allowed")
                times[peer, name] = float(worker.ask("time", name, seconds / 2))
        fastest = min(t for (who, _), t in times.items() if who != "ours")
        for peer in workers:
            best = min(t for (who, _), t in times.items() if who == peer)
            times = {
                key: t
                for key, t in times.items()
                if key[0] != peer or t == best or t <= min(GOES_ON * best, OF_ALL * fastest)
            }
        for _ in range(rounds):
            # everyone has one turn a round, ours too
            times["ours", "evaluation"] = min(
                times["ours", "evaluation"], float(ours.ask("time", precision, n, seconds))
            )
            if n == STEP:
                times["ours", "step"] = min(times["ours", "step"], float(ours.ask("step", precision, n, seconds)))
            for who, name in times:
                if who != "ours":
                    times[who, name] = min(times[who, name], float(workers[who].ask("time", name, seconds)))
        for worker in workers.values():
            worker.ask("forget")
    return times


def row(n, times, peers, goal, precision):
    """A row of the table: times of all, the ratio, and the verdict."""
    mine = times["ours", "evaluation"]
    best = {peer: min((t, name) for (who, name), t in times.items() if who == peer) for peer in peers}
    fastest = min(t for t, _ in best.values())
    ratio = fastest / mine
    floor = goal["floor"] if n <= goal["floor_for_n_up_to"] else goal["at_least"]
    verdict = "met" if ratio >= goal["at_least"] else "MISSED, above the floor" if ratio >= floor else "MISSED"
    cells = [str(n), f"{mine / n**2:.3f}"]
    for peer in peers:
        t, name = best[peer]
        cells.append(f"{t / n**2:.3f} ({t / mine:.1f}x, {name})")
    general = min(
        (t for (who, name), t in times.items() if who != "ours" and not name.startswith(NARROW)), default=math.inf
    )
    return [*cells, f"{ratio:.2f}", f"{general / mine:.2f}", verdict if precision == "f32" else "no goal"]


def show(peers, rows):
    header = ["n", "ours", *peers, "fastest / ours", "without separable", "2 x, or 1.5 x to 1024"]
    widths = [max(len(cells[k]) for cells in [header, *rows]) for k in range(len(header))]
    lines = [
        "| " + " | ".join(cell.rjust(width) for cell, width in zip(cells, widths)) + " |" for cells in [header, *rows]
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    values = dict(reversed([tuple(part.strip() for part in line.split(":", 1)) for line in lines if ":" in line]))
    name = values.get("model name", platform.machine())
    return f"{name}, family {values.get('cpu family')}, model {values.get('model')}"


def versions(peers):
    import importlib.metadata

    return ", ".join(f"{peer} {importlib.metadata.version(peer)}" for peer in peers)


if __name__ == "__main__":
    main()
