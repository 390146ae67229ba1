"""Units with the prefix that suits what is shown."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["Unit", "amount", "unit_for"]

_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit with a prefix: ``µA``, of which there are `factor` in the plain one."""

    symbol: str
    factor: float = 1.0

    def of(self, values: Array) -> Array:
        """Values in the plain unit, in this one."""
        return np.asarray(values * self.factor)


def unit_for(curves: Iterable[Array], plain: str) -> Unit:
    """The unit in which the largest of the values lies between 1 and 1000.

    Parameters
    ----------
    curves
        (n,) arrays in the plain unit; what is not finite does not count.
    plain
        ``A``, ``V``, ``S``, ``Ω``, ``W``.
    """
    largest = max((float(np.max(np.abs(each[np.isfinite(each)]), initial=0.0)) for each in curves), default=0.0)
    return _prefixed(largest, plain)


def amount(value: float, plain: str, decimals: int = 2) -> str:
    """A value with its unit: ``12.34 µW``."""
    unit = _prefixed(abs(value), plain)
    return f"{value * unit.factor:.{decimals}f} {unit.symbol}"


def _prefixed(size: float, plain: str) -> Unit:
    if not (math.isfinite(size) and size > 0):
        return Unit(plain)
    power = 3 * math.floor(math.log10(size * (1 + 1e-12)) / 3)
    power = min(max(power, min(_PREFIXES)), max(_PREFIXES))
    return Unit(f"{_PREFIXES[power]}{plain}", 10.0**-power)
