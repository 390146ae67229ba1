"""What curves are called, and what stands above their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator

from batchlab.devices._model import Run
from batchlab.devices._procedures import nearest
from batchlab.devices.plots._model import Facts
from batchlab.devices.plots._units import amount

__all__ = ["LegendBy", "LegendWord", "labels_of", "light_word", "read_legend_by"]


class LegendBy(StrEnum):
    """What tells the curves of a plot apart."""

    WAVELENGTH = "wavelength"
    VG = "vg"
    LED_VOLTAGE = "led_voltage"
    POWER = "power"
    DATETIME = "datetime"
    FILE = "file"
    SEQ = "seq"


_ALIASES = {
    "wl": LegendBy.WAVELENGTH,
    "lambda": LegendBy.WAVELENGTH,
    "gate": LegendBy.VG,
    "vgs": LegendBy.VG,
    "led": LegendBy.LED_VOLTAGE,
    "laser": LegendBy.LED_VOLTAGE,
    "laser_voltage": LegendBy.LED_VOLTAGE,
    "pow": LegendBy.POWER,
    "irradiated_power": LegendBy.POWER,
    "led_power": LegendBy.POWER,
    "date": LegendBy.DATETIME,
    "time": LegendBy.DATETIME,
    "dt": LegendBy.DATETIME,
}
_TITLES = {
    LegendBy.WAVELENGTH: "Wavelength",
    LegendBy.VG: "Vg",
    LegendBy.LED_VOLTAGE: "LED Voltage",
    LegendBy.POWER: "LED Power",
    LegendBy.DATETIME: "Date & Time",
    LegendBy.FILE: "Run",
    LegendBy.SEQ: "Seq",
}
_DARK = frozenset({LegendBy.WAVELENGTH, LegendBy.LED_VOLTAGE, LegendBy.POWER})  # what a dark run has none of


def read_legend_by(word: Any) -> Any:
    """A word or one of its aliases.

    Raises
    ------
    ValueError
        If it is none; the nearest is named.
    """
    if not isinstance(word, str):
        return word
    plain = word.strip().lower()
    if plain in _ALIASES:
        return _ALIASES[plain]
    known = [each.value for each in LegendBy]
    if plain not in known:
        raise ValueError(f"curves cannot be told apart by {word!r}{nearest(plain, [*known, *_ALIASES])}")
    return LegendBy(plain)


LegendWord = Annotated[LegendBy, BeforeValidator(read_legend_by)]


def labels_of(runs: Sequence[Run], by: LegendBy, facts: Facts) -> tuple[str, tuple[str, ...]]:
    """Title of the legend, and the name of each run's curve.

    Where no run has a power, LED voltages tell them apart; where one has not what it is to be called by, it is called
    by the number of its file. Runs of several chips are called by these, too; runs of equal names get their numbers
    besides.

    Parameters
    ----------
    runs
        In the order of the curves.
    by
        What tells them apart.
    facts
        Powers and numbers.
    """
    if by is LegendBy.POWER and not any(facts.of(run).power_w is not None for run in runs):
        by = LegendBy.LED_VOLTAGE
    plain = [_label(run, by, facts) or facts.name(run) for run in runs]
    if len({run.chip for run in runs}) > 1:
        plain = [f"{run.chip.name}, {label}" if run.chip else label for run, label in zip(runs, plain, strict=True)]
    count = Counter(plain)
    numbered = [
        f"{label} ({facts.name(run)})" if count[label] > 1 and facts.name(run) not in label else label
        for label, run in zip(plain, runs, strict=True)
    ]
    if any(count > 1 for count in Counter(numbered).values()):  # file numbers start anew each day
        numbered = [
            f"{label} {moment:%d %b}" if (moment := facts.local(run)) is not None else label
            for label, run in zip(numbered, runs, strict=True)
        ]
    return _TITLES[by], tuple(numbered)


def light_word(run: Run) -> str:
    """``light``, ``dark``, or nothing where it is not known."""
    return "" if run.has_light is None else "light" if run.has_light else "dark"


def _label(run: Run, by: LegendBy, facts: Facts) -> str:
    if by in _DARK and run.has_light is False:
        return "dark"
    if by is LegendBy.WAVELENGTH:
        return _with_unit(run.number("wavelength_nm"), "g", "nm")
    if by is LegendBy.VG:
        return _with_unit(run.number("vg_fixed_v"), ".4g", "V")
    if by is LegendBy.LED_VOLTAGE:
        return _with_unit(run.number("laser_voltage_v"), ".4g", "V")
    if by is LegendBy.POWER:
        power = facts.of(run).power_w
        return "" if power is None else amount(power, "W")
    if by is LegendBy.DATETIME:
        moment = facts.local(run)
        return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
    if by is LegendBy.SEQ:
        seq = facts.of(run).seq
        return "" if seq is None else str(seq)
    return f"{facts.name(run)} {light_word(run)}".strip()


def _with_unit(value: float, form: str, unit: str) -> str:
    return "" if value != value else f"{value:{form}} {unit}".replace("-", "\N{MINUS SIGN}")
