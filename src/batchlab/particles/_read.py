"""Spectrograms out of files: one door for FAST and for every other CDF with energies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.particles._cdf import Cdf
from batchlab.particles._collapse import collapse as collapse_directions
from batchlab.particles._fast import fast_distribution, fast_times, is_fast
from batchlab.particles._generic import generic_distribution, generic_times
from batchlab.particles._model import PITCH_CATEGORIES, Collapse, PitchCategory, Quantity, Spectrogram

if TYPE_CHECKING:
    from batchlab.particles._distribution import Distribution
    from batchlab.particles._model import Float
    from batchlab.particles._orbit import OrbitTrack

__all__ = ["open_distribution", "read_spectrogram", "read_times"]


def read_spectrogram(
    path: Path | str,
    *,
    quantity: Quantity | None = None,
    collapse: Collapse = Collapse.SOLID_ANGLE_MEAN,
    categories: Sequence[PitchCategory] = PITCH_CATEGORIES,
    quality: str = "keep",
    hemisphere: OrbitTrack | None = None,
    variable: str | None = None,
) -> Spectrogram:
    """Read intensity against time and energy, for categories of directions.

    Parameters
    ----------
    path
        A CDF: of FAST, or of any mission with energies and with or without pitch angles.
    quantity
        None is the differential energy flux for FAST, and what the file holds for others.
    collapse
        How the directions of a category become one value.
    categories
        By default all, downgoing, upgoing and perpendicular.
    quality
        ``keep`` or ``good``: what becomes of records whose quality is flagged.
    hemisphere
        Where the spacecraft was; with it, categories that flip are turned in the south. None turns nothing.
    variable
        Which variable of a file with several; None is the one that `describe` names first.

    Returns
    -------
    Spectrogram
        By records in order of time.

    Raises
    ------
    InvalidCdf
        If the file is no CDF, is cut short or is damaged.
    MissingVariable
        If what is asked for is not in it.
    EmptyFile
        If it holds no valid record.
    DataError
        If the quantity cannot be made from what it holds.
    """
    with open_distribution(path, quantity=quantity, quality=quality, variable=variable) as distribution:
        south = None if hemisphere is None else hemisphere.south(distribution.times_s.mean(axis=1))
        return collapse_directions(distribution, categories, how=collapse, south=south)


@contextmanager
def open_distribution(
    path: Path | str, *, quantity: Quantity | None = None, quality: str = "keep", variable: str | None = None
) -> Iterator[Distribution]:
    """Open a file for its records before directions collapse; parameters as of `read_spectrogram`."""
    with Cdf(path) as cdf:
        if is_fast(cdf) and variable in (None, "eflux"):
            yield fast_distribution(cdf, quantity=quantity or Quantity.ENERGY_FLUX, quality=quality)
        else:
            yield generic_distribution(cdf, variable=variable, quantity=quantity)


def read_times(path: Path | str, *, variable: str | None = None) -> Float:
    """Start and end of every record as it stands in the file, none left out or put in order.

    Parameters
    ----------
    path
        A CDF.
    variable
        As of `read_spectrogram`.

    Returns
    -------
    (N, 2) array
        Seconds since 1970, UTC without leap seconds; NaN where the file does not know.
    """
    with Cdf(path) as cdf:
        if is_fast(cdf) and variable in (None, "eflux"):
            return fast_times(cdf)
        return generic_times(cdf, variable=variable)
