"""How consecutive gate sweeps of one chip differ, leg by leg."""

from __future__ import annotations

import logging
import math
import time
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics import _constants
from batchlab.devices.metrics._dirac_point import DiracPoint, doubts, robust_fit
from batchlab.devices.metrics._extractor import Reason, Skip, Skipped, log_skip
from batchlab.devices.metrics._legs import Leg, Sweep, sweep_of
from batchlab.devices.metrics._pairing import Pair, PairingRules, find_pairs, skipped_pair

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["NAMES", "LegDifference", "extract_pairs", "leg_difference", "pair_metrics"]

log = logging.getLogger(__name__)

VERSION = "3"
NAMES = (
    "consecutive_sweep_difference",
    "sweep_difference_mean",
    "sweep_difference_std",
    "sweep_resistance_difference",
    "delta_cnp",
)
_OPEN = 1e-6  # of the largest current: below it a resistance is a division by noise


@dataclass(frozen=True, slots=True, eq=False)
class LegDifference:
    """Later less earlier on one leg: at gate voltages `v` in V, in the unit of the sweeps."""

    name: str
    v: Array
    delta: Array
    earlier: Array
    later: Array


def leg_difference(earlier: Leg, later: Leg) -> LegDifference | None:
    """Later less earlier where both have gate voltages.

    Legs on the same voltages (but for the noise of floating point numbers) are subtracted point by point; otherwise
    both are read at the voltages of the coarser one.

    Returns
    -------
    LegDifference or None
        None without two common voltages.
    """
    low, high = max(earlier.v[0], later.v[0]), min(earlier.v[-1], later.v[-1])
    slack = 1e-6 * max(earlier.span, later.span)
    ours = (later.v >= low - slack) & (later.v <= high + slack)
    theirs = (earlier.v >= low - slack) & (earlier.v <= high + slack)
    v, other = later.v[ours], earlier.v[theirs]
    if v.size < 2 or other.size < 2:
        return None
    if v.size == other.size and float(np.abs(v - other).max()) <= slack:
        first, second = earlier.y[theirs], later.y[ours]
    else:
        v = v if v.size <= other.size else other
        v = np.clip(v, low, high)
        first, second = np.interp(v, earlier.v, earlier.y), np.interp(v, later.v, later.y)
    return LegDifference(later.name, v, second - first, first, second)


def extract_pairs(
    runs: Iterable[Run],
    *,
    rules: PairingRules | None = None,
    constants: Any = _constants,
    power_w: Mapping[str, float] = MappingProxyType({}),
    on_pair: Callable[[Pair, Skip | None], None] | None = None,
    load: Callable[[Sequence[Pair]], Iterable[Pair]] | None = None,
    take: Callable[[list[DerivedMetric]], None] | None = None,
    item: Callable[[Pair], AbstractContextManager[object]] = nullcontext,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[list[DerivedMetric], list[Skipped]]:
    """Differences of all pairs: they are collected first, then worked through in batches.

    Parameters
    ----------
    runs
        Of any procedure: what lies between two sweeps is told with them.
    rules
        Which sweeps make a pair.
    power_w
        Irradiated power by run_id, for the light that fell between two sweeps.
    on_pair
        Called with each pair once it is done, and why it gave nothing.
    load
        Gives the pairs of a batch one after the other with their data, where `runs` come without: so no more of them
        are in memory than it holds at once.
    take
        Called with the rows of each pair, which are then not gathered: so that memory does not grow with their number.
    item
        What it gives is entered around the work on a pair, and gets the error of one that fails.
    clock
        Seconds, for the closing line of the log.

    Returns
    -------
    metrics, skips
        Rows of the later run of each pair, in the order of chips and time; none where they were taken.
    """
    begin = clock()
    pairs, skips = find_pairs(runs, rules)
    metrics: list[DerivedMetric] = []
    found_rows = 0
    keep = metrics.extend if take is None else take
    size, every = constants.BATCH_SIZE, constants.PAIRWISE_PROGRESS_INTERVAL
    if len(pairs) > size:
        log.info("Processing %d pairs in batches of %d", len(pairs), size)
    for start in range(0, len(pairs), size):
        sweeps = _Recent()
        batch: Sequence[Pair] = pairs[start : start + size]
        for k, pair in enumerate(batch if load is None else load(batch), start + 1):
            with item(pair):
                found = pair_metrics(pair, constants=constants, power_w=power_w, sweeps=sweeps)
                if isinstance(found, Skip):
                    skips.append(skipped_pair(pair.later, found))
                else:
                    found_rows += len(found)
                    keep(found)
                if on_pair is not None:
                    on_pair(pair, found if isinstance(found, Skip) else None)
            if k % every == 0 or k == len(pairs):
                log.info(
                    "Pairwise extraction progress: %d/%d pairs (%d metrics extracted so far)",
                    k,
                    len(pairs),
                    found_rows,
                )
    elapsed = clock() - begin
    log.info("Pairwise extraction completed in %.2f s (%.1f pairs/sec)", elapsed, len(pairs) / max(elapsed, 1e-9))
    for skip in skips:
        log_skip(skip)
    return metrics, skips


class _Swept(NamedTuple):
    """What is known of a run: its sweep, the Dirac points of its legs, and what speaks against them."""

    sweep: Sweep | Skip
    points: Mapping[str, DiracPoint]
    doubts: Mapping[str, float]


_Known = dict[str, _Swept]


class _Recent(_Known):
    """What is known of the last sweeps: those of pairs to come are nearly always among them."""

    _MOST = 32

    def __setitem__(self, run_id: str, known: _Swept) -> None:
        if len(self) >= self._MOST:
            del self[next(iter(self))]
        super().__setitem__(run_id, known)


def pair_metrics(
    pair: Pair,
    *,
    constants: Any = _constants,
    power_w: Mapping[str, float] = MappingProxyType({}),
    sweeps: _Known | None = None,
) -> list[DerivedMetric] | Skip:
    """Rows of one pair, or why there are none.

    Parameters
    ----------
    sweeps
        A store of what is known of each run, so that a run in two pairs is cut and fitted once.
    """
    for run in (pair.earlier, pair.later):
        dead = [flag for flag in run.flags if flag.startswith("DEAD_")]
        if dead:
            return Skip(Reason.DEAD_SAMPLE, f"{run.run_id}: {', '.join(dead)}")
    known: _Known = {} if sweeps is None else sweeps
    first, second = (_known(run, known, constants) for run in (pair.earlier, pair.later))
    for swept, run in ((first, pair.earlier), (second, pair.later)):
        if isinstance(swept.sweep, Skip):
            return Skip(swept.sweep.reason, f"{run.run_id}: {swept.sweep.detail}")
    one, two = first.sweep, second.sweep
    assert isinstance(one, Sweep) and isinstance(two, Sweep)
    before = {leg.name: leg for leg in one.full}
    differences = [d for leg in two.full if leg.name in before and (d := leg_difference(before[leg.name], leg))]
    differences = [d for d in differences if d.v[-1] - d.v[0] >= constants.MIN_PAIR_OVERLAP_V * (1 - 1e-9)]
    if not differences:
        return Skip(
            Reason.PRECONDITION_FAILED,
            f"no legs of one direction share {constants.MIN_PAIR_OVERLAP_V:g} V of gate voltage with those of "
            f"{pair.earlier.run_id}",
        )
    return _rows(pair, two.unit, differences, first, second, constants, power_w)


def _rows(
    pair: Pair,
    unit: str,
    differences: Sequence[LegDifference],
    first: _Swept,
    second: _Swept,
    k: Any,
    power_w: Mapping[str, float],
) -> list[DerivedMetric]:
    """The rows of a pair."""
    delta = np.concatenate([d.delta for d in differences])
    resistance = {d.name: _resistance_difference(d, unit, pair) for d in differences}
    finite = np.concatenate([r[np.isfinite(r)] for r in resistance.values()])
    top, mean, std = float(np.abs(delta).max()), float(delta.mean()), float(delta.std())
    limit = k.MAX_REASONABLE_DELTA_VOLTAGE_V if unit == "V" else k.MAX_REASONABLE_DELTA_CURRENT_A
    checks: dict[str, float] = {}
    if top > limit:
        checks["LARGE_DIFFERENCE"] = 0.7
    if not finite.size:
        checks["NO_RESISTANCE"] = 0.3
    if len(differences) < 2:
        checks["ONE_DIRECTION"] = 0.7
    notes = ("NO_CHANGE",) if top == 0.0 else ()
    points_one, points_two = first.points, second.points
    shift = {name: points_two[name].v - points_one[name].v for name in points_two if name in points_one}
    shifted = float(np.mean(list(shift.values()))) if shift else None
    errors = [each[name].error for name in shift for each in (points_one, points_two)]
    unsure = {**first.doubts, **second.doubts}
    shift_error = float(np.linalg.norm(errors)) / len(shift) if shift else None
    lit_s, dose = _light_between(pair.between, k.LIGHT_ON_VOLTAGE_V, power_w)
    json: dict[str, Any] = {
        "earlier_run_id": pair.earlier.run_id,
        "later_run_id": pair.later.run_id,
        "pair": pair.number,
        "mean": mean,
        "std": std,
        "delta_cnp": shifted,
        "runs_between": len(pair.between),
        "light_between_s": lit_s,
        "light_dose_between_j": dose,
        "legs": {
            d.name: {
                "vg": _curve(d.v),
                "delta": _curve(d.delta),
                "delta_resistance": _curve(resistance[d.name]),
            }
            for d in differences
        },
    }
    values: list[tuple[str, float, str, dict[str, Any] | None]] = [
        ("consecutive_sweep_difference", top, unit, json),
        ("sweep_difference_mean", mean, unit, None),
        ("sweep_difference_std", std, unit, None),
    ]
    if finite.size:
        values.append(("sweep_resistance_difference", float(np.abs(finite).max()), "ohm", None))
    if shifted is not None:
        values.append(("delta_cnp", shifted, "V", dict(shift)))
    checks_of = {name: checks | unsure if name == "delta_cnp" else checks for name, *_ in values}
    run = pair.later
    return [
        DerivedMetric(
            run_id=run.run_id,
            procedure=run.procedure,
            chip=run.chip,
            metric_name=name,
            metric_category=Category.ELECTRICAL,
            unit=of,
            extraction_method="leg-by-leg",
            extraction_version=VERSION,
            value_float=value,
            value_json=extra,
            standard_error=shift_error if name == "delta_cnp" else None,
            confidence=math.prod(checks_of[name].values(), start=1.0),
            flags=(*checks_of[name], *notes),
        )
        for name, value, of, extra in values
    ]


def _curve(values: Array) -> Sequence[float | None]:
    """Numbers of a curve, in an eighth of the memory of a list where all are finite; None for one that is not."""
    if np.isfinite(values).all():
        return array("d", np.ascontiguousarray(values, dtype=np.float64).tobytes())
    return [value if value == value else None for value in values.tolist()]


def _resistance_difference(d: LegDifference, unit: str, pair: Pair) -> Array:
    """Later less earlier resistance in ohm; NaN where no current flows or what was held is not known."""
    if unit == "V":
        one, two = pair.earlier.number("ids_a"), pair.later.number("ids_a")
        return d.later / two - d.earlier / one if one and two else np.full(d.v.size, np.nan)
    flows = np.minimum(np.abs(d.earlier), np.abs(d.later)) > _OPEN * max(
        float(np.abs(d.earlier).max()), float(np.abs(d.later).max())
    )
    out = np.full(d.v.size, np.nan)
    one, two = pair.earlier.number("vds_v"), pair.later.number("vds_v")
    out[flows] = two / d.later[flows] - one / d.earlier[flows]
    return out


def _known(run: Run, known: _Known, k: Any) -> _Swept:
    """Sweep and Dirac points of a run, worked out once."""
    if run.run_id not in known:
        sweep = sweep_of(run, k.MIN_LEG_COVERAGE)
        points: dict[str, DiracPoint] = {}
        if isinstance(sweep, Sweep):
            for leg in sweep.full:
                size = np.abs(leg.y)
                top, least = float(size.max()), float(size.min())
                if least > 0:
                    found = robust_fit(leg.v, least / size if sweep.unit == "V" else size / top)
                    if found is not None:
                        points[leg.name] = found
        against = doubts(sweep.full, points, k) if isinstance(sweep, Sweep) else {}
        known[run.run_id] = _Swept(sweep, points, against)
    return known[run.run_id]


def _light_between(between: Sequence[Run], on_v: float, power_w: Mapping[str, float]) -> tuple[float, float | None]:
    """Seconds of light between two sweeps, and its energy in J where every lit run's power is known."""
    seconds, energy, complete = 0.0, 0.0, True
    for run in between:
        volt, t = run.columns.get("VL (V)"), run.columns.get("t (s)")
        if volt is None or t is None or t.size < 2:
            continue
        lit_s = float(np.sum(np.diff(t)[volt[:-1] > on_v]))
        seconds += lit_s
        if lit_s:
            complete &= run.run_id in power_w
            energy += lit_s * power_w.get(run.run_id, 0.0)
    return seconds, energy if complete else None
