"""Orbit files (K0): where the spacecraft was, for tick rows and for the hemisphere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from batchlab.particles._cdf import Cdf
from batchlab.particles._model import EmptyFile, MissingVariable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.particles._model import Float

__all__ = ["OrbitTrack", "read_orbit"]

_MLT_DAY_H = 24.0
_FULL_CIRCLE_DEG = 360.0
_LONGEST_GAP_S = 300.0  # fifteen times the usual step: beyond it a place would be a guess


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OrbitTrack:
    """Places along an orbit; what a file does not tell is NaN.

    Attributes
    ----------
    times_s
        (N,) seconds since 1970, UTC without leap seconds, ascending.
    ilat_deg, mlt_h, alt_km
        (N,) invariant latitude, magnetic local time and altitude.
    flat_deg, flng_deg
        (N,) latitude and longitude of the foot of the field line.
    orbit
        Its number, None where the file does not tell.
    """

    times_s: Float
    ilat_deg: Float
    mlt_h: Float
    alt_km: Float
    flat_deg: Float
    flng_deg: Float
    orbit: int | None = None

    def at(self, times_s: Float) -> OrbitTrack:
        """The places at other times, between those of the file; NaN outside it and in gaps of over five minutes."""
        wanted = np.asarray(times_s, np.float64)
        return OrbitTrack(
            times_s=wanted,
            ilat_deg=self._between(self.ilat_deg, wanted),
            mlt_h=self._around(self.mlt_h, wanted, _MLT_DAY_H, 0.0),
            alt_km=self._between(self.alt_km, wanted),
            flat_deg=self._between(self.flat_deg, wanted),
            flng_deg=self._around(
                self.flng_deg, wanted, _FULL_CIRCLE_DEG, float(np.nanmin(self.flng_deg, initial=0.0))
            ),
            orbit=self.orbit,
        )

    def south(self, times_s: Float) -> NDArray[np.bool_]:
        """Whether the spacecraft was on field lines of the south, where the field points up.

        By the latitude of the foot; where that is not known, by the sign of the invariant latitude. Outside the file
        the nearest place counts.
        """
        latitude = np.where(np.isfinite(self.flat_deg), self.flat_deg, self.ilat_deg)
        known = np.isfinite(latitude)
        if not known.any():
            raise MissingVariable("the orbit tells no latitude, so that hemispheres cannot be told apart")
        return np.interp(times_s, self.times_s[known], latitude[known]) < 0

    def _between(self, values: Float, wanted: Float) -> Float:
        found = np.full(wanted.shape, np.nan)
        known = np.isfinite(values)
        if not known.any():
            return found
        times, values = self.times_s[known], values[known]
        right = np.clip(np.searchsorted(times, wanted), 0, len(times) - 1)
        left = np.maximum(right - 1, 0)
        exact = times[right] == wanted
        inside = (wanted >= times[0]) & (wanted <= times[-1]) & (exact | (times[right] - times[left] <= _LONGEST_GAP_S))
        found[inside] = np.interp(wanted[inside], times, values)
        return found

    def _around(self, values: Float, wanted: Float, full: float, lowest: float) -> Float:
        """Of what starts anew after a full turn, the short way round."""
        known = np.isfinite(values)
        turned = np.full(values.shape, np.nan)
        turned[known] = np.unwrap(values[known], period=full)
        start = 0.0 if lowest >= 0 else -0.5 * full
        return (self._between(turned, wanted) - start) % full + start


def read_orbit(path: Path | str) -> OrbitTrack:
    """Read an orbit file in K0 conventions, such as ``fa_k0_orb_…``.

    Parameters
    ----------
    path
        With a time (Epoch or unix_time) and any of ilat, mlt, alt, flat, flng.

    Raises
    ------
    InvalidCdf
        If it is no CDF, or a damaged one.
    MissingVariable
        If it has no time, or nothing to tell.
    EmptyFile
        If it has no record of a known time.
    """
    with Cdf(path) as cdf:
        names = {name.lower(): name for name in cdf.variables}
        if "epoch" in names and cdf[names["epoch"]].is_time:
            times = cdf[names["epoch"]].times_s()
        elif "unix_time" in names:
            times = np.asarray(cdf[names["unix_time"]].floats().values, np.float64)
        else:
            raise MissingVariable(f"{cdf.path} has no time: neither Epoch nor unix_time")
        if not any(name in names for name in ("ilat", "mlt", "alt", "flat")):
            raise MissingVariable(f"{cdf.path} is no orbit file: it has none of ilat, mlt, alt, flat")
        columns: dict[str, Float] = {}
        for name in ("ilat", "mlt", "alt", "flat", "flng"):
            found = cdf.get(names.get(name, ""))
            values = np.full(len(times), np.nan) if found is None else found.floats().values.astype(np.float64)
            if values.shape != times.shape:
                raise cdf.header.source.wrong(f"{name} of shape {values.shape} does not go with {len(times)} times")
            columns[name] = values
        orbits = cdf.get(names.get("orbit", ""))
        numbers = np.empty(0) if orbits is None else orbits.floats().values.ravel()
    numbers = numbers[np.isfinite(numbers)]
    rows = np.flatnonzero(np.isfinite(times))
    if not len(rows):
        raise EmptyFile(f"{path} holds no record of a known time")
    rows = rows[np.argsort(times[rows], kind="stable")]
    return OrbitTrack(
        times_s=times[rows],
        ilat_deg=columns["ilat"][rows],
        mlt_h=columns["mlt"][rows],
        alt_km=columns["alt"][rows],
        flat_deg=columns["flat"][rows],
        flng_deg=columns["flng"][rows],
        orbit=round(float(np.median(numbers))) if len(numbers) else None,
    )
