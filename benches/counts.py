"""Holds what gungraun counted against benches/instructions.txt: for benches/gate.

counts.py COUNTS.json MADE_WITH [--write]
"""

import ast
import json
import pathlib
import sys

COMMITTED = pathlib.Path(__file__).parent / "instructions.txt"
# A compiler's or linker's whims move a count by tenths of a percent. An instruction more for each register of lanes
# moves it by 0.6 % (three components) to 2.3 % (one): what comes in the smallest steps shows when it has come twice or
# thrice.
TOLERANCE = 0.02
HEAD = "# Instructions by case, made by benches/gate --write with "


def counted(file):
    """The counts by case: what is counted, its arguments, and the path of the dispatch last."""
    counts = {}
    for line in pathlib.Path(file).read_text().splitlines():
        if not line.startswith("{"):
            continue
        record = json.loads(line)
        # (setup("f32", 1, 64, "baseline"))
        arguments = ast.literal_eval(record["details"].strip("()").split("(", 1)[1].join("()"))
        metric = record["profiles"][0]["summaries"]["total"]["summary"]["Callgrind"]["Ir"]["metrics"]
        counts[" ".join(map(str, (record["function_name"], *arguments)))] = metric["Left"]["Int"]
    return counts


def main(file, made_with, *options):
    found = counted(file)
    if options == ("--write",):
        COMMITTED.write_text(f"{HEAD}{made_with}\n" + "".join(f"{case} {count}\n" for case, count in found.items()))
        return f"{len(found)} counts written to {COMMITTED}", 0
    if options:
        return f"unknown: {' '.join(options)}; accepted: --write", 2
    head, *lines = COMMITTED.read_text().splitlines()
    committed = {case: int(count) for case, count in (line.rsplit(" ", 1) for line in lines)}
    wrong = [
        f"{case}: {'not counted' if case in committed else 'not committed'}"
        for case in sorted(found.keys() ^ committed.keys())
    ]
    print(f"{'case':32}{'committed':>12}{'now':>12}{'change':>9}")
    for case in (case for case in committed if case in found):
        change = found[case] / committed[case] - 1
        print(f"{case:32}{committed[case]:>12}{found[case]:>12}{change:>+9.2%}")
        if not abs(change) <= TOLERANCE:
            wrong.append(f"{case}: {change:+.2%}")
    if not wrong:
        return f"{len(found)} counts within {TOLERANCE:.0%} of the committed ones", 0
    if head != HEAD + made_with:
        wrong.append(f"this build is of {made_with}, the counts of {head.removeprefix(HEAD)}")
    return "\n".join(
        [
            *(f"FAILED: {line}" for line in wrong),
            "a change that is meant: benches/gate --write, with the reason in the commit",
        ]
    ), 1


if __name__ == "__main__":
    text, code = main(*sys.argv[1:])
    print(text)
    sys.exit(code)
