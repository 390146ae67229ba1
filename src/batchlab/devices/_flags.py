"""What is wrong with the data of a run, told when it is staged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from batchlab.devices._model import Flag

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["quality_flags"]

OPEN_CIRCUIT_A = 1e-12
FLAT_MODULATION = 0.15
SATURATED_SHARE = 0.95
SATURATED_WITHIN = 0.01


def quality_flags(procedure: str, columns: Mapping[str, Array]) -> tuple[Flag, ...]:
    """Whether a transfer curve shows a dead device.

    Parameters
    ----------
    procedure
        Only ``IVg`` is judged: of other procedures a constant current is no fault.
    columns
        Recorded values by name; ``I (A)`` is looked at.

    Returns
    -------
    tuple of Flag
        ``DEAD_OPEN_CIRCUIT`` (no current flows) stands alone; ``DEAD_FLAT_IVG`` (the gate does next to nothing)
        and ``DEAD_STUCK_SATURATED`` (the current sits at its limit) may come together.
    """
    import numpy as np

    if procedure != "IVg" or "I (A)" not in columns:
        return ()
    current = np.abs(columns["I (A)"])
    current = current[np.isfinite(current)]
    if current.size == 0:
        return ()
    largest = float(current.max())
    if largest < OPEN_CIRCUIT_A:
        return (Flag.DEAD_OPEN_CIRCUIT,)
    flags = []
    if (largest - float(current.min())) / largest < FLAT_MODULATION:
        flags.append(Flag.DEAD_FLAT_IVG)
    if np.count_nonzero(current >= (1.0 - SATURATED_WITHIN) * largest) > SATURATED_SHARE * current.size:
        flags.append(Flag.DEAD_STUCK_SATURATED)
    return tuple(flags)
