"""What is made of currents and voltages before they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from batchlab.devices._model import Run
from batchlab.errors import DataError

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["Shown", "current_as", "voltage_as"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A quantity as a picture names it: symbol and plain unit."""

    symbol: str
    unit: str


def current_as(
    run: Run, current_a: Array, *, conductance: bool = False, inverse: bool = False, absolute: bool = False
) -> tuple[Array, Shown]:
    """A current, its conductance ``I/VDS``, or the inverse of that.

    Raises
    ------
    DataError
        Reason ``missing-setting``: a conductance of a run without a drain voltage.
    """
    if not (conductance or inverse):
        return _signed(current_a, Shown("I_ds", "A"), absolute)
    g = current_a / _setting(run, "vds_v", "VDS")
    if not inverse:
        return _signed(g, Shown("G", "S"), absolute)
    return _signed(_inverse(g), Shown("1/G", "Ω"), absolute)


def voltage_as(
    run: Run, voltage_v: Array, *, resistance: bool = False, inverse: bool = False, absolute: bool = False
) -> tuple[Array, Shown]:
    """A voltage, its resistance ``V/IDS``, or the inverse of that; errors as of `current_as`."""
    if not (resistance or inverse):
        return _signed(voltage_v, Shown("V_ds", "V"), absolute)
    r = voltage_v / _setting(run, "ids_a", "IDS")
    if not inverse:
        return _signed(r, Shown("R", "Ω"), absolute)
    return _signed(_inverse(r), Shown("1/R", "S"), absolute)


def _inverse(values: Array) -> Array:
    return np.asarray(np.divide(1.0, values, out=np.full(values.shape, np.nan), where=values != 0))


def _signed(values: Array, shown: Shown, absolute: bool) -> tuple[Array, Shown]:
    return (np.asarray(np.abs(values)), Shown(f"|{shown.symbol}|", shown.unit)) if absolute else (values, shown)


def _setting(run: Run, name: str, word: str) -> float:
    value = run.number(name)
    if not (np.isfinite(value) and value != 0):
        raise DataError(
            f"{run.procedure} run {run.run_id}: {word} is {run.settings.get(name)!r}, which divides nothing; "
            "leave conductance and resistance out, or choose other runs",
            reason="missing-setting",
        )
    return value
