"""Which plots there are: our own, those of entry points, and those that a declared module registers on import."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from batchlab.devices._procedures import nearest
from batchlab.devices.plots._options import PlotOptions
from batchlab.errors import ConfigError

if TYPE_CHECKING:
    from batchlab.devices._model import Run
    from batchlab.devices.plots._look import Look
    from batchlab.devices.plots._model import Drawn, Facts
    from batchlab.devices.plots._places import Name

    Draw: TypeAlias = Callable[[Sequence[Run], Any, Look, Facts], Drawn]

__all__ = ["ENTRY_GROUP", "PlotType", "declare", "plot", "plot_type", "plot_types"]

ENTRY_GROUP = "batchlab.devices.plots"

_PREFIXES = ("plot-", "compare-")

_OWN = {
    "compare-first-ivg": "_first_ivg",
    "plot-cnp-time": "_cnp_time",
    "plot-consecutive-sweep-diff": "_sweep_difference",
    "plot-its": "_its",
    "plot-its-photoresponse": "_photoresponse",
    "plot-its-presets": "_presets",
    "plot-its-relaxation": "_relaxation",
    "plot-its-relaxation-batch": "_relaxation",
    "plot-its-sequential": "_sequential",
    "plot-its-suite": "_suites",
    "plot-ivg": "_ivg",
    "plot-ivg-by-sample": "_ivg_by_sample",
    "plot-laser-calibration": "_laser_calibration",
    "plot-laser-calibration-comparison": "_laser_calibration",
    "plot-photoresponse": "_photoresponse",
    "plot-transconductance": "_transconductance",
    "plot-vt": "_vt",
    "plot-vt-presets": "_presets",
    "plot-vt-sequential": "_sequential",
    "plot-vts-suite": "_suites",
    "plot-vvg": "_vvg",
}
_registered: dict[str, PlotType] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotType:
    """One kind of plot.

    Attributes
    ----------
    name
        As batch files and commands call it: ``plot-its``.
    summary
        A line for a list of all.
    procedures
        Of the runs it shows; others in a selection are left out.
    options
        Its own options, each with a default.
    names
        What the files of its pictures are called, for given options; as many as it draws.
    draw
        Runs in their order, options, look and facts to sheets.
    unbroken
        Whether no run of another procedure may lie between its runs.
    each
        Whether every run of a selection has a picture of its own.
    together
        Whether all chips are in one picture.
    needs
        Derived values it cannot do without.
    uses
        Derived values that it looks at for given options, ``irradiated_power_w`` among them, and ``seq`` where it shows
        numbers of the history: what changes about others changes no picture. None where any may matter.
    version
        Changes when the same runs may give another picture.
    """

    name: str
    summary: str
    procedures: tuple[str, ...]
    options: type[PlotOptions]
    names: Callable[[Any], tuple[Name, ...]]
    draw: Draw
    unbroken: bool = False
    each: bool = False
    together: bool = False
    needs: tuple[str, ...] = ()
    uses: Callable[[Any], tuple[str, ...]] | None = None
    version: str = "1"

    def intruders(self, seqs: Iterable[int], history: Mapping[int, str]) -> tuple[str, ...]:
        """Runs of other procedures between the first and the last of a series: ``seq 12 (IVg)``.

        Parameters
        ----------
        seqs
            Of the runs that are to be shown.
        history
            Procedure of each seq of the chip.
        """
        return intruders(seqs, history, self.procedures)


def intruders(seqs: Iterable[int], history: Mapping[int, str], procedures: Sequence[str]) -> tuple[str, ...]:
    """As `PlotType.intruders`."""
    of_kind = [seq for seq in seqs if history.get(seq, procedures[0]) in procedures]
    between = range(min(of_kind), max(of_kind) + 1) if of_kind else ()
    return tuple(f"seq {seq} ({history[seq]})" for seq in between if history.get(seq, procedures[0]) not in procedures)


def plot(
    name: str,
    *,
    procedures: Iterable[str],
    names: Callable[[Any], tuple[Name, ...]],
    options: type[PlotOptions] = PlotOptions,
    unbroken: bool = False,
    each: bool = False,
    together: bool = False,
    needs: Iterable[str] = (),
    uses: Callable[[Any], tuple[str, ...]] | None = None,
    version: str = "1",
) -> Callable[[Draw], Draw]:
    """Register a function as a plot; its docstring's first line is the summary.

    Raises
    ------
    ConfigError
        If the name is taken by another function, or does not begin with ``plot-`` or ``compare-``.
    """

    def register(draw: Draw) -> Draw:
        made = PlotType(
            name=name,
            summary=(draw.__doc__ or "").strip().split("\n")[0],
            procedures=tuple(procedures),
            options=options,
            names=names,
            draw=draw,
            unbroken=unbroken,
            each=each,
            together=together,
            needs=tuple(needs),
            uses=uses,
            version=version,
        )
        if not name.startswith(_PREFIXES):
            raise ConfigError(f"a plot is called {name!r}; let its name begin with 'plot-'")
        before = _registered.get(name)
        if before is not None and (before.draw.__module__, before.draw.__qualname__) != (
            draw.__module__,
            draw.__qualname__,
        ):
            raise ConfigError(f"{name!r} is a plot of {before.draw.__module__} already; give yours another name")
        _registered[name] = made
        return draw

    return register


def declare(module: str | Path) -> None:
    """Import a module, or a ``.py`` file, that registers plots.

    Raises
    ------
    ConfigError
        If it cannot be imported.
    """
    try:
        if not str(module).endswith(".py"):
            importlib.import_module(str(module))
            return
        path = Path(module).resolve()
        name = f"batchlab_plots_{path.stem}_{blake2b(str(path).encode(), digest_size=4).hexdigest()}"
        if name in sys.modules:
            return
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ImportError("it is no Python file")
        made = importlib.util.module_from_spec(spec)
        sys.modules[name] = made
        try:
            spec.loader.exec_module(made)
        except BaseException:
            del sys.modules[name]
            raise
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(f"{module}: cannot be imported for its plots: {type(error).__name__}: {error}") from error


def plot_types() -> tuple[str, ...]:
    """The names of all plots there are, without loading any."""
    return tuple(sorted({*_OWN, *_entry_points(), *_registered}))


def plot_type(name: str) -> PlotType:
    """A plot by its name.

    Raises
    ------
    ConfigError
        If there is none; the nearest is named.
    """
    if name not in _registered:
        if name in _OWN:
            importlib.import_module(f"batchlab.devices.plots.{_OWN[name]}")
        elif name in _entry_points():
            _load(name)
        else:
            raise ConfigError(f"no plot is called {name!r}{nearest(name, plot_types())}")
    return _registered[name]


def _load(name: str) -> None:
    entry = _entry_points()[name]
    try:
        entry.load()
    except Exception as error:
        raise ConfigError(f"{name!r} of {entry.value} cannot be loaded: {type(error).__name__}: {error}") from error
    if name not in _registered:
        raise ConfigError(f"{entry.value} registers no plot {name!r}; decorate its function with plot({name!r}, ...)")


@cache
def _entry_points() -> dict[str, importlib.metadata.EntryPoint]:
    return {entry.name: entry for entry in importlib.metadata.entry_points(group=ENTRY_GROUP)}
