"""The same runs under every preset, to choose one by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from batchlab.devices._model import Run
from batchlab.devices.plots._axes import text_of
from batchlab.devices.plots._its import PROCEDURES as CURRENTS
from batchlab.devices.plots._its import ItsOptions, its_quantity
from batchlab.devices.plots._look import Look
from batchlab.devices.plots._model import Drawn, Facts, Table, only
from batchlab.devices.plots._options import PRESETS, PlotOptions, TimeOptions
from batchlab.devices.plots._places import Name, with_suffixes
from batchlab.devices.plots._registry import plot
from batchlab.devices.plots._traces import Quantity, overlay
from batchlab.devices.plots._vt import PROCEDURES as VOLTAGES
from batchlab.devices.plots._vt import VtOptions, vt_quantity

__all__ = ["ItsPresetsOptions", "VtPresetsOptions", "draw_its_presets", "draw_vt_presets"]

_COLUMNS = 2
_MOST_NAMED = 8  # curves with names in a plot among four


class _PresetsOptions(PlotOptions):
    """Of galleries; ``absolute``: whether magnitudes are shown."""

    absolute: bool = False


class ItsPresetsOptions(_PresetsOptions):
    """Of currents; ``conductance``: whether they are divided by their drain voltage."""

    conductance: bool = False


class VtPresetsOptions(_PresetsOptions):
    """Of voltages; ``resistance``: whether they are divided by their drain current."""

    resistance: bool = False


def its_names(options: ItsPresetsOptions) -> tuple[Name, ...]:
    """``It_presets_<tag>_G``."""
    return (Name(procedure="It", kind="It_presets", suffixes=with_suffixes(G=options.conductance)),)


def vt_names(options: VtPresetsOptions) -> tuple[Name, ...]:
    """``Vt_presets_<tag>_R``."""
    return (Name(procedure="Vt", kind="Vt_presets", suffixes=with_suffixes(R=options.resistance)),)


def no_values(options: PlotOptions) -> tuple[str, ...]:
    """No preset tells curves apart by power."""
    return ()


@plot("plot-its-presets", procedures=CURRENTS, options=ItsPresetsOptions, names=its_names, uses=no_values)
def draw_its_presets(runs: Sequence[Run], options: ItsPresetsOptions, look: Look, facts: Facts) -> Drawn:
    """Currents over time under each preset: dark, light_power_sweep, light_spectral, custom."""

    def told(preset: str) -> ItsOptions:
        return ItsOptions.model_validate({"preset": preset, **options.model_dump()})

    chosen = only(runs, CURRENTS, "plot-its-presets")
    return _gallery(chosen, told, look, facts, its_quantity(told(PRESETS[0])), "It presets")


@plot("plot-vt-presets", procedures=VOLTAGES, options=VtPresetsOptions, names=vt_names, uses=no_values)
def draw_vt_presets(runs: Sequence[Run], options: VtPresetsOptions, look: Look, facts: Facts) -> Drawn:
    """Drain voltages over time under each preset: dark, light_power_sweep, light_spectral, custom."""

    def told(preset: str) -> VtOptions:
        return VtOptions.model_validate({"preset": preset, **options.model_dump()})

    chosen = only(runs, VOLTAGES, "plot-vt-presets")
    return _gallery(chosen, told, look, facts, vt_quantity(told(PRESETS[0])), "Vt presets")


def _gallery(
    runs: Sequence[Run],
    options_of: Callable[[str], TimeOptions],
    look: Look,
    facts: Facts,
    quantity: Quantity,
    what: str,
) -> Drawn:
    drawn = {preset: overlay(runs, options_of(preset), look, facts, quantity, what) for preset in PRESETS}
    legend = replace(look.legend(), place=look.legend_place or "best", scale=0.8 * look.legend_scale)
    plots = []
    for preset, each in drawn.items():
        (sheet,) = each.sheets
        (shown,) = sheet.plots
        title = getattr(shown.legend, "title", "")
        named = replace(legend, title=title) if len(runs) <= _MOST_NAMED else False
        plots.append(replace(shown, title=preset, legend=named))
    return Drawn(
        sheets=(look.sheet(tuple(plots), f"{text_of(runs)} – {what}", columns=_COLUMNS),),
        tables=(_joined(drawn),),
        warnings=tuple(dict.fromkeys(text for each in drawn.values() for text in each.warnings)),
    )


def _joined(drawn: dict[str, Drawn]) -> Table:
    """The numbers of each preset below each other, in one column for each of their quantities."""
    names = list(dict.fromkeys(name for each in drawn.values() for name in each.tables[0].columns))
    columns: dict[str, list[object]] = {"preset": [], **{name: [] for name in names}}
    for preset, each in drawn.items():
        (table,) = each.tables
        columns["preset"] += [preset] * table.rows
        for name in names:
            columns[name] += table.columns.get(name, [None] * table.rows)
    return Table(columns=columns)
