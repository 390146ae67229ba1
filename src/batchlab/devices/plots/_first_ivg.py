"""The first gate sweep of each chip, and of each sample on it, laid over each other."""

from __future__ import annotations

from collections.abc import Sequence

from batchlab.devices._model import Run
from batchlab.devices.plots._ivg import PROCEDURES, IvgOptions, ivg_quantity
from batchlab.devices.plots._look import Look
from batchlab.devices.plots._model import Drawn, Facts, only
from batchlab.devices.plots._places import Name, with_suffixes
from batchlab.devices.plots._registry import plot
from batchlab.devices.plots._sweeps import dirac_points_of, sweeps

__all__ = ["draw_first_ivg"]


def names(options: IvgOptions) -> tuple[Name, ...]:
    """``first_IVg_<tag>_G`` or ``first_IVg_<tag>_invG``."""
    chosen = with_suffixes(G=options.conductance and not options.inverse, invG=options.inverse)
    return (Name(procedure="IVg", kind="first_IVg", suffixes=chosen),)


@plot("compare-first-ivg", procedures=PROCEDURES, options=IvgOptions, names=names, uses=dirac_points_of, together=True)
def draw_first_ivg(runs: Sequence[Run], options: IvgOptions, look: Look, facts: Facts) -> Drawn:
    """First gate sweep of each chip and of each sample on it, laid over each other."""
    chosen = only(runs, PROCEDURES, "compare-first-ivg")
    first: dict[tuple[str, int, str], Run] = {}
    for run in sorted(chosen, key=_began):
        first.setdefault(_place(run), run)
    return sweeps([first[place] for place in sorted(first)], options, look, facts, ivg_quantity(options), "first IVg")


def _place(run: Run) -> tuple[str, int, str]:
    """Chip and sample."""
    sample = str(run.settings.get("sample") or "").strip().casefold()
    return ("", 0, sample) if run.chip is None else (run.chip.group, run.chip.number, sample)


def _began(run: Run) -> tuple[str, str]:
    return "" if run.start_utc is None else run.start_utc.isoformat(), run.run_id
