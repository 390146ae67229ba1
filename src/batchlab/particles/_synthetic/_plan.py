"""When records are taken, and in which mode: passes over the pole with gaps, bursts, and a switch in mid-file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.particles._model import Float

__all__ = ["GAP_S", "PASS_S", "RECORDS", "Plan", "plan_records"]

RECORDS = {"ees": 800, "ies": 800, "eeb": 903, "ieb": 903}
GAP_S = 260.0
PASS_S = 1_000.0  # from the start of an orbit to the first record
_SURVEY_S = 2.5
_BURST_S = {0: 0.078038, 2: 0.156076}
_BURSTS = 6
_SWITCH = 0.7  # of the records


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """Records of a file.

    Attributes
    ----------
    times_s
        (N, 2) start and end.
    mode
        (N,) of each.
    theta_shift_deg
        (N,) by which angles are turned against the field.
    gaps_s
        (G, 2) stretches of more than a second without records.
    """

    times_s: Float
    mode: NDArray[np.uint8]
    theta_shift_deg: NDArray[np.float32]
    gaps_s: Float


def plan_records(instrument: str, orbit_start_s: float, records: int, rng: np.random.Generator) -> Plan:
    """Set out when the records of an instrument are taken.

    Survey takes a record every 2.5 s, with one gap of 260 s; burst a record every 0.08 or 0.16 s in six stretches
    over the time that as many survey records take. The last 30 % of the records are in another mode.
    """
    burst = instrument.endswith("b")
    mode = np.zeros(records, np.uint8)
    mode[round(_SWITCH * records) :] = 2 if burst else 1
    lasts = np.array([_BURST_S[int(each)] for each in mode]) if burst else np.full(records, _SURVEY_S)
    pauses = np.zeros(records)
    if burst:
        whole = _SURVEY_S * records + GAP_S - lasts.sum()
        firsts = np.unique(np.arange(1, _BURSTS) * records // _BURSTS)
        firsts = firsts[firsts > 0]
        parts = rng.dirichlet(np.full(len(firsts), 8.0)) if len(firsts) else np.empty(0)
        pauses[firsts] = np.round((whole - GAP_S) * parts, 3)
        if len(firsts):
            pauses[firsts[len(firsts) // 2]] += GAP_S
    elif records > 1:
        pauses[max(2 * records // 5, 1)] = GAP_S
    # Burst begins within the first seconds of survey, as the names of real files do.
    starts = orbit_start_s + PASS_S + (0.0 if burst else 1.0) + np.cumsum(pauses + lasts) - lasts
    times = np.stack([starts, starts + lasts], axis=1)
    phase = rng.uniform(0.0, 2.0 * np.pi)
    along = (starts - orbit_start_s) / 300.0
    shift = 8.0 * np.sin(2.0 * np.pi * along + phase) + rng.normal(0.0, 0.2, records)
    after = np.flatnonzero(starts[1:] - times[:-1, 1] > 1.0)
    gaps = np.stack([times[after, 1], starts[after + 1]], axis=1)
    return Plan(times_s=times, mode=mode, theta_shift_deg=shift.astype(np.float32), gaps_s=gaps)
