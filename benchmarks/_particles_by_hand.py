"""A user's own script for FAST: cdflib, nansum over pitch angles, pcolormesh, tight_layout, and a pool over the orbits.

It decodes each file twice, once for limits and once for all pictures of its orbit, and turns directions into
categories by the pitch angles of each record. Packages are imported before the pool forks.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

INSTRUMENTS = ("ees", "eeb", "ies", "ieb")
_RANGES = {
    "all": ((0, 360),),
    "downgoing": ((0, 30), (330, 360)),
    "upgoing": ((150, 210),),
    "perpendicular": ((40, 140), (210, 330)),
}
_COLOURS = {("linear", "linear"): "viridis", ("linear", "log"): "cividis", ("log", "linear"): "plasma"}
_ZOOM_S = 360.0
_Limits = tuple[float, float, float]  # largest energy, lowest and highest colour


@dataclass(frozen=True, slots=True)
class Summed:
    """A file's intensities summed over directions."""

    times_s: Array  # (N,)
    energies: Array  # (E,) of the first record
    values: Mapping[str, Array]  # by category, (N, E)


def plots(folder: str, output: str, orbits: Sequence[int], size: tuple[int, int], scales: Sequence[tuple[str, str]],
          workers: int) -> list[str]:  # fmt: skip
    """Draw all pictures of some orbits: both variants, for each pair of scales; returns the files."""
    import cdflib  # noqa: F401  before the pool forks
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt  # noqa: F401

    files = files_of(folder, orbits)
    marks = _marks(Path(folder, "events.csv"))
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork")) as pool:
        each = [files[orbit][name] for orbit in orbits for name in INSTRUMENTS]
        samples = list(pool.map(positive, each))
        limits = {name: _limits(samples[at :: len(INSTRUMENTS)]) for at, name in enumerate(INSTRUMENTS)}
        drawn = pool.map(
            partial(draw_orbit, output=output, limits=limits, size=size, scales=scales),
            [(orbit, files[orbit], marks.get(orbit)) for orbit in orbits],
        )
        return [path for part in drawn for path in part]


def files_of(folder: str, orbits: Sequence[int]) -> dict[int, dict[str, str]]:
    """Paths by orbit and instrument."""
    found: dict[int, dict[str, str]] = {orbit: {} for orbit in orbits}
    for path in sorted(Path(folder).rglob("fa_esa_l2_*.cdf")):
        _, _, _, name, _, orbit, _ = path.stem.split("_")
        if int(orbit) in found:
            found[int(orbit)][name] = str(path)
    return found


def summed(path: str) -> Summed:
    """Read a file and sum over the pitch angles of each category."""
    import cdflib
    import numpy as np

    with cdflib.CDF(path) as cdf:
        flux, pitch = cdf.varget("eflux"), cdf.varget("pitch_angle")
        energies, times = cdf.varget("energy")[0, 0], cdf.varget("time_unix")
        fill, good = cdf.varattsget("eflux").get("FILLVAL", -1e31), cdf.varget("valid") == 1
    flux, pitch, times = flux[good], pitch[good], times[good]
    known = energies > 0  # the last channels may be padding
    flux = np.where(flux == fill, np.nan, flux)
    values = {}
    for name, ranges in _RANGES.items():
        inside = np.zeros(pitch.shape, bool)
        for low, high in ranges:
            inside |= (pitch >= low) & (pitch <= high)
        values[name] = np.nansum(np.where(inside, flux, np.nan), axis=1)[:, known]
    return Summed(times, energies[known], values)


def positive(path: str) -> tuple[Array, Array]:
    """All positive values of a file, ascending, and how many there are at each energy."""
    import numpy as np

    read = summed(path)
    flux = read.values["all"]
    good = np.isfinite(flux) & (flux > 0)
    return np.sort(flux[good]), np.stack([read.energies, good.sum(axis=0)])


def draw_orbit(
    work: tuple[int, Mapping[str, str], tuple[float, float] | None],
    output: str,
    limits: Mapping[str, _Limits],
    size: tuple[int, int],
    scales: Sequence[tuple[str, str]],
) -> list[str]:
    """Draw the grids of all instruments of an orbit, and that of the orbit."""
    orbit, files, mark = work
    read = {name: summed(path) for name, path in files.items()}
    drawn = []
    for pair in scales:
        for variant, shared in (("given_extrema", limits), ("raw", None)):
            tail = f"y-{pair[0]}_z-{pair[1]}_{variant}.png"
            for name, one in read.items():
                rows = [(category, one, category, None if shared is None else shared[name]) for category in _RANGES]
                path = Path(output, f"{orbit}_pitch-angle_ESA_{name}_{tail}")
                drawn.append(_draw(rows, path, f"{orbit} {name}", mark, size, pair))
            rows = [(name, one, "all", None if shared is None else shared[name]) for name, one in read.items()]
            path = Path(output, f"{orbit}_instrument-grid_ESA_{tail}")
            drawn.append(_draw(rows, path, str(orbit), mark, size, pair))
    return drawn


def _draw(
    rows: Sequence[tuple[str, Summed, str, _Limits | None]],
    path: Path,
    title: str,
    mark: tuple[float, float] | None,
    size: tuple[int, int],
    scales: tuple[str, str],
) -> str:
    import matplotlib.pyplot as plt
    import numpy as np
    from matplotlib.colors import LogNorm, Normalize
    from matplotlib.dates import DateFormatter

    formatter: Any = DateFormatter
    columns = 1 if mark is None else 2
    figure, panels = plt.subplots(len(rows), columns, figsize=(24, 12), squeeze=False)
    for panel_row, (label, read, category, limits) in zip(panels, rows, strict=True):
        values = read.values[category]
        top, low, high = limits or _limits([(np.sort(values[values > 0]), _no_counts(read))])
        norm: Any = Normalize(0.0, high)
        if scales[1] == "log":
            norm, values = LogNorm(low, high), np.where(values > 0, values, np.nan)
        for axes, zoomed in zip(panel_row, (False, True), strict=False):
            shown = slice(None)
            if zoomed and mark is not None:
                middle = (mark[0] + mark[1]) / 2
                near = np.flatnonzero(np.abs(read.times_s - middle) <= _ZOOM_S / 2)
                shown = slice(near[0], near[-1] + 1) if near.size > 1 else slice(None)
            times = read.times_s[shown].astype("datetime64[s]")
            image = axes.pcolormesh(
                times, read.energies, values[shown].T, norm=norm, cmap=_COLOURS.get(scales, "inferno"), shading="auto"
            )
            axes.set_yscale(scales[0])
            axes.set_ylim(read.energies.min() if scales[0] == "log" else 0, top)
            axes.xaxis.set_major_formatter(formatter("%H:%M:%S" if zoomed else "%H:%M"))
            axes.set_ylabel(f"{label.title()}\nEnergy (eV)")
            axes.set_title("Zoomed" if zoomed else "Full")
            for edge in mark or ():
                axes.axvline(np.datetime64(int(edge), "s"), color="red", linewidth=2)
            figure.colorbar(image, ax=axes, label="eflux, summed")
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(path, dpi=size[0] / 24)
    plt.close(figure)
    return str(path)


def _limits(parts: Sequence[tuple[Array, Array]]) -> _Limits:
    """99 % of the samples lie below the first; 1st and 99th percentile."""
    import numpy as np

    values = np.concatenate([part for part, _ in parts])
    energies, counts = np.concatenate([each for _, each in parts], axis=1)
    order = np.argsort(energies)
    covered = np.cumsum(counts[order])
    top = energies[order][np.searchsorted(covered, 0.99 * covered[-1])]
    low, high = np.percentile(values, [1, 99])
    return float(top), float(low), float(high)


def _no_counts(read: Summed) -> Array:
    import numpy as np

    return np.stack([read.energies, np.ones(read.energies.size)])


def _marks(path: Path) -> dict[int, tuple[float, float]]:
    """Start and end of the event of each orbit."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        start, end, _, orbit = line.split(",")
        found[int(orbit)] = (datetime.fromisoformat(start).timestamp(), datetime.fromisoformat(end).timestamp())
    return found
