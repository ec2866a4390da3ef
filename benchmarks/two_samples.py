"""Whether two samples of times come from one distribution: two tests, in nothing but arithmetic."""

import math
from collections.abc import Sequence
from itertools import groupby


def mann_whitney(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the chance that samples of one distribution differ so in their ranks (two-sided, normal)."""
    merged = sorted([(value, True) for value in one] + [(value, False) for value in other])
    ranks, ties, rank = 0.0, 0.0, 0
    for _, group in groupby(merged, key=lambda pair: pair[0]):
        members = [is_ones for _, is_ones in group]
        ranks += sum(members) * (rank + (len(members) + 1) / 2)
        ties += len(members) ** 3 - len(members)
        rank += len(members)
    n, m = len(one), len(other)
    u = ranks - n * (n + 1) / 2
    spread = math.sqrt(n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1))))
    return math.erfc(abs(u - n * m / 2) / spread / math.sqrt(2)) if spread else 1.0


def kolmogorov_smirnov(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the chance that samples of one distribution are so far apart anywhere (asymptotic)."""
    first, second = sorted(one), sorted(other)
    n, m, i, j, furthest = len(first), len(second), 0, 0, 0.0
    while i < n and j < m:
        value = min(first[i], second[j])
        while i < n and first[i] == value:
            i += 1
        while j < m and second[j] == value:
            j += 1
        furthest = max(furthest, abs(i / n - j / m))
    root = math.sqrt(n * m / (n + m))
    x = (root + 0.12 + 0.11 / root) * furthest
    if x < 0.2:  # the series does not converge there; the chance is 1 to 12 digits
        return 1.0
    return min(1.0, 2.0 * sum((-1.0) ** (k - 1) * math.exp(-2 * (k * x) ** 2) for k in range(1, 101)))
