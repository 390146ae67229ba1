"""What a score is worth: the share of files that were read right at it, from generated layouts of known truth.

The table is made by `fit` from the layouts of `batchlab.spectra._synthetic_layouts`; `reliability` compares what was
said with what came true on any other files.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Bin", "calibrated", "fit", "reliability"]

# (score, confidence), between which it is read off straight lines: what `fit` made of 5,000 layouts, and at most 0.99.
TABLE: tuple[tuple[float, float], ...] = (
    (0.0, 0.0),
    (0.24, 0.01),
    (0.39, 0.11),
    (0.5, 0.5),
    (0.64, 0.77),
    (0.97, 0.99),
    (1.0, 0.99),
)
_BIN_EDGES = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Files of like confidence.

    Attributes
    ----------
    low, high
        Of the confidence.
    files
        How many there are.
    said
        Their mean confidence.
    right
        The share of them that was right.
    """

    low: float
    high: float
    files: int
    said: float
    right: float


def calibrated(score: float, table: tuple[tuple[float, float], ...] = TABLE) -> float:
    """The confidence that a score is worth, from 0 to 1."""
    at = bisect_right([low for low, _ in table], score) - 1
    if at < 0:
        return table[0][1]
    if at + 1 >= len(table):
        return table[-1][1]
    (low, under), (high, over) = table[at], table[at + 1]
    return round(under + (over - under) * (score - low) / (high - low), 3)


def reliability(found: Iterable[tuple[float, bool]]) -> tuple[Bin, ...]:
    """Compare confidence with truth.

    Parameters
    ----------
    found
        For each file its confidence, and whether it was read right.

    Returns
    -------
    tuple of Bin
        Those that hold a file, in rising confidence.
    """
    rows = list(found)
    bins = []
    for low, high in pairwise(_BIN_EDGES):
        here = [(said, right) for said, right in rows if low <= said < high or (said == high == _BIN_EDGES[-1])]
        if here:
            bins.append(
                Bin(
                    low=low,
                    high=high,
                    files=len(here),
                    said=sum(said for said, _ in here) / len(here),
                    right=sum(right for _, right in here) / len(here),
                )
            )
    return tuple(bins)


def fit(found: Iterable[tuple[float, bool]]) -> tuple[tuple[float, float], ...]:
    """Make the table of `calibrated` from scores and truths.

    Neighbours are pooled until the share of right files rises with the score [1]_; a share of n files is drawn by one
    file towards a half, so that a few lucky ones are not certainty.

    Returns
    -------
    tuple of pairs
        Rising in both.

    References
    ----------
    .. [1] Zadrozny and Elkan, Transforming classifier scores into accurate multiclass probability estimates, KDD 2002.
    """
    rows = sorted(found)
    pools: list[list[float]] = []  # sum of scores, right ones, files
    for score, right in rows:
        pools.append([score, float(right), 1.0])
        while len(pools) > 1 and pools[-2][1] / pools[-2][2] >= pools[-1][1] / pools[-1][2]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    points = [(scores / files, (right + 0.5) / (files + 1)) for scores, right, files in pools]
    made = [(0.0, 0.0)]
    for score, share in points:
        if score > made[-1][0] + 0.005:
            made.append((round(score, 3), round(max(share, made[-1][1]), 3)))
    if made[-1][0] < 1.0:
        made.append((1.0, made[-1][1]))
    return tuple(made)
