"""Writes rank_sum.csv: tails of the rank sum given the ties, by counting subsets with exact integers.

Usage: python3 harness/stats/tests/rank_sum.py > harness/stats/tests/rank_sum.csv

Two programs: values without ties by the Gaussian binomial coefficient, which is a quotient of products; tied values by
taking one group of equal values after the other. Each row is a law (the sizes of the groups in ascending order, and the
size of the second sample), a sum of its doubled mid-ranks, and the probabilities of at least and of at most that sum.
"""

from fractions import Fraction
from math import comb, exp


def untied(m, n):
    """Number of subsets of n of the ranks 1..m+n, by the sum less its least value."""
    law = [1]
    for i in range(1, n + 1):
        # times 1 - q^(m + i)
        law = law + [0] * (m + i)
        for k in range(len(law) - 1, m + i - 1, -1):
            law[k] -= law[k - m - i]
        # over 1 - q^i
        for k in range(i, len(law)):
            law[k] += law[k - i]
        while law[-1] == 0:
            law.pop()
    return {2 * k + n * (n + 1): ways for k, ways in enumerate(law)}


def tied(groups, n):
    """The same for groups of equal values, by the sum of doubled mid-ranks."""
    states, below = {(0, 0): 1}, 0
    total = sum(groups)
    for count in groups:
        rank = 2 * below + count + 1
        below += count
        after = {}
        for (taken, s), ways in states.items():
            # What is left must be able to fill the sample.
            for j in range(max(0, n - taken - (total - below)), min(count, n - taken) + 1):
                key = (taken + j, s + j * rank)
                after[key] = after.get(key, 0) + ways * comb(count, j)
        states = after
    return {s: ways for (taken, s), ways in states.items() if taken == n}


def poisson(rate, total):
    """Expected counts of each value, rounded so that they sum to the total."""
    shares, mass, k = [], exp(-rate), 0
    while total * mass > 0.3 or k < rate:
        shares.append(mass)
        k += 1
        mass *= rate / k
    counts = [max(1, round(total * share)) for share in shares]
    counts[counts.index(max(counts))] += total - sum(counts)
    return counts


def rows():
    for m, n in [
        (10, 10),
        (20, 20),
        (50, 50),
        (100, 100),
        (15, 60),
        (60, 15),
        (100, 20),
        (20, 100),
        (150, 150),
        (400, 60),
    ]:
        yield f"{m + n}*1", n, untied(m, n)
    sizes = [(20, 20), (50, 50), (100, 30), (30, 100), (300, 40), (40, 300), (150, 150)]
    for m, n in sizes:
        for rate in [0.1, 0.5]:
            groups = poisson(rate, m + n)
            yield " ".join(map(str, groups)), n, tied(groups, n)
        for ones in [0.03, 0.1]:
            few = round(ones * (m + n))
            yield f"{m + n - few} {few}", n, tied([m + n - few, few], n)
    for m, n in [(20, 20), (50, 50), (80, 20), (20, 80)]:
        groups = poisson(5, m + n)
        yield " ".join(map(str, groups)), n, tied(groups, n)


def main():
    print("groups,size,sum,at_least,at_most")
    for groups, n, law in rows():
        total, sums = sum(law.values()), sorted(law)
        chosen = {sums[0], sums[-1], sums[len(sums) // 2]}
        above = 0
        tails = {}
        for s in reversed(sums):
            above += law[s]
            tails[s] = above
        for level in [Fraction(1, 4)] + [Fraction(1, 10**k) for k in (2, 4, 6, 8)]:
            # The nearest sums of a tail at most so large.
            upper = [s for s in sums if tails[s] <= level * total]
            lower = [s for s in sums if total - tails[s] + law[s] <= level * total]
            chosen.update(upper[:1] + lower[-1:])
        for s in sorted(chosen):
            at_most = total - tails[s] + law[s]
            print(f"{groups},{n},{s},{float(Fraction(tails[s], total))!r},{float(Fraction(at_most, total))!r}")


main()
