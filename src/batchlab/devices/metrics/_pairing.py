"""Which gate sweeps make a pair: neighbours in time on one chip, measured alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from batchlab.devices._model import Run
from batchlab.devices.metrics._extractor import Reason, Skip, Skipped

__all__ = ["EXTRACTOR", "Pair", "PairingRules", "find_pairs", "skipped_pair"]

EXTRACTOR = "consecutive_sweeps"


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingRules:
    """Which sweeps make a pair.

    Attributes
    ----------
    procedures
        Of sweeps.
    same
        What both must have: names of settings, or ``light`` for being lit, wavelength and laser voltage together.
    skip_over
        Whether a sweep is compared with the last one like it, over others between them. Otherwise sweeps that follow
        each other and differ in what `same` names make no pair.
    """

    procedures: frozenset[str] = frozenset({"IVg", "VVg"})
    same: tuple[str, ...] = ("vds_v", "ids_a", "light", "sample")
    skip_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """Two sweeps of one chip and procedure that follow each other; `between` are the chip's other runs amid them."""

    number: int
    earlier: Run
    later: Run
    between: tuple[Run, ...] = ()


def find_pairs(runs: Iterable[Run], rules: PairingRules | None = None) -> tuple[list[Pair], list[Skipped]]:
    """All pairs among runs, whatever their order, and the neighbours that make none.

    Chips are told apart by group and number; neighbours are so in time, within one procedure of one chip.
    """
    rules = rules or PairingRules()
    chips: dict[object, list[Run]] = defaultdict(list)
    for run in runs:
        if run.chip is not None:
            chips[run.chip].append(run)
    pairs: list[Pair] = []
    skips: list[Skipped] = []
    for chip in sorted(chips, key=str):
        history = sorted(chips[chip], key=_when)
        place = {id(run): i for i, run in enumerate(history)}
        for procedure in sorted(rules.procedures):
            sweeps = [run for run in history if run.procedure == procedure]
            last: dict[tuple[object, ...], Run] = {}
            number = 0
            for i, later in enumerate(sweeps):
                key = tuple(_condition(later, name) for name in rules.same)
                earlier = last.get(key) if rules.skip_over else (sweeps[i - 1] if i else None)
                last[key] = later
                if earlier is None:
                    continue
                differs = [n for n in rules.same if _condition(earlier, n) != _condition(later, n)]
                if differs:
                    skips.append(
                        skipped_pair(
                            later,
                            Skip(
                                Reason.PRECONDITION_FAILED,
                                f"{', '.join(differs)} differ from the sweep before it, {earlier.run_id}",
                            ),
                        )
                    )
                    continue
                number += 1
                between = tuple(history[place[id(earlier)] + 1 : place[id(later)]])
                pairs.append(Pair(number=number, earlier=earlier, later=later, between=between))
    return pairs, skips


def _condition(run: Run, name: str) -> object:
    """What a run has of a condition, comparable: numbers to six digits."""
    if name == "light":
        if not run.has_light:
            return False
        return (_rounded(run.number("wavelength_nm")), _rounded(run.number("laser_voltage_v")))
    value = run.settings.get(name)
    return _rounded(float(value)) if isinstance(value, int | float) else (value or None)


def _rounded(value: float) -> float | None:
    """Six significant digits; None for NaN."""
    return float(f"{value:.6g}") if value == value else None


def _when(run: Run) -> tuple[float, str]:
    """Order in time; runs without a time come first, by their id."""
    return (run.start_utc.timestamp() if run.start_utc is not None else float("-inf"), run.run_id)


def skipped_pair(run: Run, skip: Skip) -> Skipped:
    """A skip of the pair whose later run this is."""
    return Skipped(
        run_id=run.run_id, procedure=run.procedure, extractor=EXTRACTOR, reason=skip.reason, detail=skip.detail
    )
