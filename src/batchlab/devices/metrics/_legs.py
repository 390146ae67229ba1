"""A sweep cut into its legs: the stretches where the swept voltage goes one way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from batchlab.devices._model import Run
from batchlab.devices.metrics._extractor import Reason, Skip

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["Leg", "Sweep", "jumps", "leg_jumps", "split_legs", "sweep_of"]

_JITTER = 0.25  # of the usual step: what goes back less is the noise of floating point numbers
_WHIM = 0.02  # of the range: a leg shorter than this is noise of a measured voltage
_LEVEL = 5  # points on either side of a step that tell what was before and what is after it
_JUMP = 5.0  # times the steps about it
_MANY = 8  # more legs than anybody sweeps
QUANTITY: Mapping[str, tuple[str, str]] = {"IVg": ("I (A)", "A"), "IVgT": ("I (A)", "A"), "VVg": ("VDS (V)", "V")}


@dataclass(frozen=True, slots=True, eq=False)
class Leg:
    """One way of a sweep, in ascending voltage, each voltage once.

    Attributes
    ----------
    forward
        True where the voltage rose while it was measured.
    v, y
        Swept voltage in V, and what was measured at it.
    """

    forward: bool
    v: Array
    y: Array

    @property
    def span(self) -> float:
        """From its lowest to its highest voltage, in V."""
        return float(self.v[-1] - self.v[0])

    @property
    def step(self) -> float:
        """Its usual step, in V."""
        return middle(self.v[1:] - self.v[:-1])

    @property
    def name(self) -> str:
        """``forward`` or ``backward``."""
        return "forward" if self.forward else "backward"


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """All legs of a run, and the first full one of each direction.

    Attributes
    ----------
    column, unit
        What was measured, as the file calls it, and its unit.
    legs
        In the order they were measured.
    full
        Legs that cover the swept range, at most one of each direction.
    span
        Swept range in V.
    """

    column: str
    unit: str
    legs: tuple[Leg, ...]
    full: tuple[Leg, ...]
    span: float


def split_legs(v: Array, y: Array) -> tuple[Leg, ...]:
    """Cut a sweep where its voltage turns.

    A loop that began in the middle of a leg has that leg's halves at both ends; they are joined, so that the legs do
    not depend on where the loop began.

    Parameters
    ----------
    v, y : (n,) array
        Swept voltage in V as it was recorded, and what was measured; rows that are not finite are left out.

    Returns
    -------
    tuple of Leg
        In measured order; empty if the voltage never moved.
    """
    good = np.isfinite(v) & np.isfinite(y)
    if not good.all():
        v, y = v[good], y[good]
    if v.size < 2:
        return ()
    step = v[1:] - v[:-1]
    size = np.abs(step)
    swept = float(v.max() - v.min())
    usual = middle(size[size > 1e-9 * max(swept, 1e-300)]) if swept > 0 else 0.0
    if usual == 0.0:
        return ()
    way = np.where(size > _JITTER * usual, np.sign(step), 0.0)
    moved = np.flatnonzero(way)
    # A voltage that rests belongs to the way it came, the rest at the start to the way it will go.
    last = np.maximum.accumulate(np.where(way != 0, np.arange(way.size), moved[0]))
    way = way[last]
    turns = [0, *(np.flatnonzero(np.diff(way)) + 1).tolist(), v.size - 1]
    if len(turns) > _MANY:
        turns = _real_turns(v, turns)
    # A point belongs to the leg that leads to it: the device lags after a turn, and the next leg would begin with
    # a jump.
    parts = [(v[b] > v[a], slice(a + 1 if a else 0, b + 1)) for a, b in pairwise(turns)]
    if len(parts) > 2 and parts[0][0] == parts[-1][0] and abs(v[0] - v[-1]) <= 1.5 * usual:
        first, end = parts[0][1], parts[-1][1]
        legs = [_leg(parts[0][0], np.r_[v[first], v[end]], np.r_[y[first], y[end]])]
        parts = parts[1:-1]
    else:
        legs = []
    return (*legs, *(_leg(up, v[part], y[part]) for up, part in parts))


def jumps(y: Array, least: float) -> bool:
    """Whether the largest step of a leg is a jump: it stands alone, and the level after it is another.

    A bad reading is no jump, as its level comes back; nor is a steep slope, whose steps are alike.

    Parameters
    ----------
    y : (n,) array
        What was measured, in the order of gate voltage.
    least
        Share of the largest value by which the levels differ.
    """
    size = np.abs(y)
    steps = np.abs(np.diff(size))
    if steps.size < 2 * _LEVEL:
        return False
    i = int(np.argmax(steps))
    top = least * float(size.max())
    if steps[i] < top or not 2 <= i < steps.size - 2:
        return False
    about = np.r_[steps[max(i - _LEVEL, 0) : i], steps[i + 1 : i + 1 + _LEVEL]]
    before, after = middle(size[max(i + 1 - _LEVEL, 0) : i + 1]), middle(size[i + 1 : i + 1 + _LEVEL])
    return abs(after - before) >= top and float(steps[i]) > _JUMP * float(np.partition(about, -2)[-2])


def jump_check(leg: Leg, least: float) -> dict[str, float]:
    """The failed check of a leg on which the sweep broke down, with its penalty; nothing of a sound one."""
    return {"JUMP": 0.3} if leg_jumps(leg, least) else {}


@lru_cache(maxsize=8)
def leg_jumps(leg: Leg, least: float) -> bool:
    """`jumps` of a leg; the extractors of one run ask for it one after the other."""
    return jumps(leg.y, least)


def middle(values: Array) -> float:
    """The upper median: one of the values, and at a tenth of the cost of `numpy.median` for short arrays."""
    return float(np.partition(values, values.size // 2)[values.size // 2])


def sweep_of(run: Run, coverage: float) -> Sweep | Skip:
    """The gate sweep of a run, or why it is none.

    Parameters
    ----------
    coverage
        Share of the swept range that a leg must cover to be a full one.
    """
    return _sweep_of(run, coverage)


@lru_cache(maxsize=2)
def _sweep_of(run: Run, coverage: float) -> Sweep | Skip:
    """As `sweep_of`; the extractors of one run follow each other and share one split."""
    column, unit = QUANTITY.get(run.procedure, ("I (A)", "A"))
    for name in ("Vg (V)", column):
        if name not in run.columns or not np.isfinite(run.columns[name]).any():
            return Skip(Reason.MISSING_COLUMN, name)
    legs = split_legs(run.columns["Vg (V)"], run.columns[column])
    if not legs:
        return Skip(Reason.SWEEP_INCOMPLETE, "the gate voltage never moves")
    span = max(float(leg.v[-1]) for leg in legs) - min(float(leg.v[0]) for leg in legs)
    full: dict[bool, Leg] = {}
    for leg in legs:
        # The point at the turn belongs to the leg before, so that the one after it lacks a step.
        if leg.v.size >= 5 and leg.span + 1.01 * leg.step >= coverage * span:
            full.setdefault(leg.forward, leg)
    if not full:
        return Skip(Reason.SWEEP_INCOMPLETE, f"no leg covers {coverage:.0%} of {span:g} V")
    return Sweep(column, unit, legs, tuple(full[way] for way in (True, False) if way in full), span)


def _leg(forward: bool, v: Array, y: Array) -> Leg:
    """Sorted, with the mean where a voltage was measured twice."""
    if not forward:
        v, y = v[::-1], y[::-1]
    step = v[1:] - v[:-1]
    if step.size and step.min() < 0:
        order = np.argsort(v, kind="stable")
        v, y = v[order], y[order]
        step = v[1:] - v[:-1]
    if step.size and step.min() <= (least := _JITTER * middle(step)):
        group = np.r_[0, np.cumsum(step > least)]
        count = np.bincount(group)
        v, y = np.bincount(group, v) / count, np.bincount(group, y) / count
    return Leg(bool(forward), v, y)


def _real_turns(v: Array, turns: list[int]) -> list[int]:
    """Turning points that go back by more than a whim, of a voltage that was measured and not set."""
    least = _WHIM * float(np.ptp(v))
    real = [turns[0]]
    best = turns[0]  # the furthest point of the leg that is open
    up = 0
    for turn in turns[1:]:
        ahead = v[turn] - v[best]
        if up == 0:
            if abs(ahead) >= least:
                up, best = (1 if ahead > 0 else -1), turn
        elif ahead * up > 0:
            best = turn
        elif -ahead * up >= least:
            real.append(best)
            up, best = -up, turn
    return [*real, v.size - 1] if real[-1] != v.size - 1 else real
