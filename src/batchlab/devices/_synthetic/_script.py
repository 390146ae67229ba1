"""What is measured on which chip, in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle, islice

from batchlab.devices._model import Chip

__all__ = ["DOCUMENTED", "DOCUMENTED_RUNS", "Step", "chips", "script"]

DOCUMENTED = Chip("Alisson", 67)
DOCUMENTED_RUNS = 114


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One run to be made.

    Attributes
    ----------
    procedure
        Its name.
    wavelength_nm, level_v
        Of the light; a level of 0 is dark.
    side_v
        Gate voltage from the Dirac point, where the gate is held.
    """

    procedure: str
    wavelength_nm: int = 0
    level_v: float = 0.0
    side_v: float = 3.0


def chips(number: int) -> list[Chip]:
    """The first chips of the laboratory; one number is in two groups."""
    first = [67, 81, 71]
    others = (n for n in count(68) if n not in first)
    every = [Chip("Alisson", n) for n in first] + [Chip("other", 71)]
    return (every + [Chip("Alisson", n) for n in islice(others, max(0, number - 4))])[:number]


def script(chip: Chip, runs: int) -> list[Step]:
    """The runs of a chip; those of Alisson 67 stand where its examples look for them."""
    steps = _documented() if chip == DOCUMENTED else _routine(chip.number)
    return list(islice(steps, runs))


def _lit(wavelength_nm: int, levels: tuple[float, ...], side_v: float = 3.0, procedure: str = "It") -> list[Step]:
    return [Step(procedure=procedure, wavelength_nm=wavelength_nm, level_v=v, side_v=side_v) for v in levels]


def _routine(number: int) -> Iterator[Step]:
    """Sweeps between series in the light, over and over, as on any chip."""
    sweep, voltage = Step(procedure="IVg"), Step(procedure="VVg")
    side = 3.0 if number % 2 else -3.0
    turns = cycle((365, 455, 405, 625))
    for turn in turns:
        yield from (sweep, sweep, *_lit(turn, (2.0, 3.0, 4.0), side), sweep, voltage)
        yield from (*_lit(turn, (2.5, 4.5), side, "Vt"), voltage, *_lit(455, (2.0, 3.5, 5.0), -side), sweep)
        yield from (*_lit(turn, (3.0,), procedure="IVg"), sweep, *_lit(405, (2.5, 5.0), side), sweep)
        yield from (*_lit(365, (4.0,), side, "ITt"), sweep, *_lit(365, (3.0,), side, "It2"), sweep)
        yield from (Step(procedure="It", side_v=side), voltage, sweep)


def _documented() -> Iterator[Step]:
    """Alisson 67: sweeps, and at given places the series of the examples; then as on any chip."""
    levels = (2.0, 3.0, 4.0, 5.0)
    steps = {seq: Step(procedure="IVg") for seq in range(1, DOCUMENTED_RUNS + 1)}

    def place(first: int, series: list[Step]) -> None:
        steps.update(enumerate(series, first))

    place(1, [Step(procedure="IV")])
    for seq in (3, 20, 25, 47, 75, 94, 99, 111):
        place(seq, [Step(procedure="VVg")])
    place(4, _lit(405, levels, -3.0))
    place(10, _lit(405, levels, 3.0))
    place(15, _lit(455, levels, -3.0))
    place(21, _lit(365, levels, -3.0, "Vt"))
    place(27, _lit(455, levels, 3.0))
    place(32, _lit(365, (3.0, 4.0), 3.0, "ITt"))
    place(35, _lit(365, (3.0, 4.0), 3.0, "It2"))
    place(38, _lit(625, levels, 3.0))
    place(43, _lit(455, levels, 3.0, "Vt"))
    place(48, _lit(365, (2.0, 3.0, 4.0), procedure="IVg"))
    place(52, _lit(365, (1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5), -3.0))
    place(60, [Step(procedure="It", side_v=side) for side in (-3.0, -1.5, 1.5, 3.0)])
    place(65, _lit(365, (5.0,), -3.0))
    place(71, _lit(405, levels, 3.0, "Vt"))
    # No calibration knows this wavelength.
    place(76, _lit(565, levels, 3.0))
    place(81, _lit(405, (2.5, 3.5, 4.5), -3.0))
    place(85, _lit(365, (3.0,), 3.0))
    place(87, _lit(365, (4.5,), 3.0))
    place(89, [step for wavelength in (365, 405, 455, 625) for step in _lit(wavelength, (4.0,), -3.0)])
    place(95, _lit(455, (4.0,), 3.0))
    place(100, [step for side in (-4.0, -3.0, -2.0, 2.0, 3.0, 4.0) for step in _lit(405, (4.0,), side)])
    place(107, _lit(365, levels, 3.0, "Vt"))
    yield from (steps[seq] for seq in sorted(steps))
    yield from _routine(67)
