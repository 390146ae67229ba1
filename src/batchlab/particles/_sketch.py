"""How the values of many files are spread: histograms that add up, in any order, in constant memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from batchlab.errors import DataError
from batchlab.particles._model import Spectrogram

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts: TypeAlias = NDArray[np.int64]
    Keys: TypeAlias = NDArray[np.uint32]
    Float: TypeAlias = NDArray[np.float64]

__all__ = ["RELATIVE_ERROR", "Sketch", "merge", "sketch_of"]

# A value is kept to 12 bits behind its leading one: whole numbers up to 8192 exactly, others to the nearest.
_SHIFT = 11
RELATIVE_ERROR = 2.0**-13
"""By how much, at most, a percentile may differ from that of the values themselves."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spread:
    """Positive values of one category: how often each, and how many at each channel of energy.

    Attributes
    ----------
    keys, counts
        (K,) rounded values in ascending order, as bits, and how often each occurs.
    energies_ev, upper_ev, at_energy
        (L,) channels in ascending order: energy, upper edge, and how many positive values.
    """

    keys: Keys
    counts: Counts
    energies_ev: Float
    upper_ev: Float
    at_energy: Counts

    @property
    def samples(self) -> int:
        """How many positive values there are."""
        return int(self.counts.sum())

    def percentile(self, percent: float) -> float | None:
        """The percentile by rank, between two values linearly as numpy's, to `RELATIVE_ERROR`; None without values."""
        if not 0 <= percent <= 100:
            raise ValueError(f"a percentile of {percent:g} is none; give 0 to 100")
        if not self.counts.size:
            return None
        cumulated = np.cumsum(self.counts)
        position = percent / 100 * (int(cumulated[-1]) - 1)
        below = int(np.floor(position))
        at = np.searchsorted(cumulated, [below, min(below + 1, int(cumulated[-1]) - 1)], side="right")
        low, high = (float(value) for value in _values(self.keys[at]))
        return low + (high - low) * (position - below)

    def covered_up_to_ev(self, share: float, *, edge: bool) -> float | None:
        """The least energy up to which a share of all positive values lies; None without values.

        It is that of a channel, or, with `edge`, of the channel's upper edge.
        """
        if not 0 < share <= 1:
            raise ValueError(f"a share of {share:g} is none; give a number above 0 and up to 1")
        if not self.at_energy.sum():
            return None
        cumulated = np.cumsum(self.at_energy)
        at = int(np.searchsorted(cumulated, share * cumulated[-1], side="left"))
        return float((self.upper_ev if edge else self.energies_ev)[at])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Sketch:
    """How the values of an instrument are spread, by category.

    Attributes
    ----------
    name
        The instrument.
    quantity, unit
        Of the values.
    files
        How many files are in it.
    spreads
        By category.
    """

    name: str
    quantity: str
    unit: str
    files: int
    spreads: dict[str, Spread]

    def __repr__(self) -> str:
        return f"<Sketch {self.name!r} of {self.files} files: {self.quantity}; {', '.join(self.spreads)}>"

    def _repr_html_(self) -> str:
        """Percentiles of each category, as a notebook shows them."""
        from batchlab.particles._notebook import page_of, table_of

        shares = (1.0, 50.0, 95.0, 99.0)
        rows = (
            (category, spread.samples, *(spread.percentile(share) for share in shares))
            for category, spread in self.spreads.items()
        )
        table = table_of(rows, ("category", "values above 0", *(f"percentile {share:g}" for share in shares)))
        unit = f" / {self.unit}" if self.unit else ""
        return page_of(f"{self.name}, {self.files} files: {self.quantity}{unit}", table)

    def to_bytes(self) -> bytes:
        """For a file: the same sketch always gives the same bytes."""
        arrays: dict[str, Any] = {
            "words": np.array([self.name, self.quantity, self.unit]),
            "files": np.array(self.files),
            "categories": np.array(list(self.spreads), dtype=str),
        }
        for number, spread in enumerate(self.spreads.values()):
            for part in Spread.__slots__:
                arrays[f"{part}_{number}"] = getattr(spread, part)
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Sketch:
        """The sketch of a file.

        Raises
        ------
        DataError
            If these bytes are no sketch.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                name, quantity, unit = (str(word) for word in arrays["words"])
                spreads = {
                    str(category): Spread(**{part: arrays[f"{part}_{number}"] for part in Spread.__slots__})
                    for number, category in enumerate(arrays["categories"])
                }
                return cls(name=name, quantity=quantity, unit=unit, files=int(arrays["files"]), spreads=spreads)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"no sketch of values: {error}; remove the file and run again") from error


def sketch_of(spectrogram: Spectrogram) -> Sketch:
    """The sketch of one file's spectrogram: of all values that are finite and above 0."""
    spreads = {
        category: _spread(spectrogram, values)
        for category, values in zip(spectrogram.categories, spectrogram.values, strict=True)
    }
    return Sketch(name=spectrogram.name, quantity=spectrogram.quantity, unit=spectrogram.unit, files=1, spreads=spreads)


def merge(sketches: Iterable[Sketch]) -> Sketch:
    """All sketches of an instrument as one; neither order nor grouping matters.

    Raises
    ------
    DataError
        If there is none, or they tell of different instruments or quantities.
    """
    every = list(sketches)
    if not every:
        raise DataError("no file has a value from which limits could be taken")
    about = {(each.name, each.quantity, each.unit) for each in every}
    if len(about) > 1:
        raise DataError(
            "sketches of different kinds do not add up: " + " and ".join(sorted(" ".join(each) for each in about)[:2])
        )
    categories = dict.fromkeys(category for each in every for category in each.spreads)
    spreads = {
        category: reduce(_added, (each.spreads[category] for each in every if category in each.spreads))
        for category in categories
    }
    first = every[0]
    return Sketch(
        name=first.name,
        quantity=first.quantity,
        unit=first.unit,
        files=sum(each.files for each in every),
        spreads=spreads,
    )


def _spread(spectrogram: Spectrogram, values: NDArray[np.float32]) -> Spread:
    """Of one category, (N, E)."""
    positive = np.isfinite(values) & (values > 0)
    keys, counts = np.unique(_keys(values[positive]), return_counts=True)
    energies, upper, at_energy = [], [], []
    for mode, (centres, edges) in enumerate(zip(spectrogram.energies_ev, spectrogram.energy_edges_ev, strict=True)):
        energies.append(centres)
        upper.append(edges[1:])
        at_energy.append(positive[spectrogram.mode == mode, : len(centres)].sum(axis=0))
    channels = _by_channel(np.concatenate(energies), np.concatenate(upper), np.concatenate(at_energy))
    return Spread(
        keys=keys,
        counts=counts.astype(np.int64),
        energies_ev=channels[0],
        upper_ev=channels[1],
        at_energy=channels[2],
    )


def _keys(values: NDArray[np.float32]) -> Keys:
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    return (bits + np.uint32(1 << (_SHIFT - 1))) >> np.uint32(_SHIFT)


def _values(keys: Keys) -> NDArray[np.float32]:
    return np.left_shift(keys, np.uint32(_SHIFT), dtype=np.uint32).view(np.float32)


def _by_channel(energies_ev: Float, upper_ev: Float, counts: Counts) -> tuple[Float, Float, Counts]:
    """Channels of equal energy and edge as one, in ascending order."""
    order = np.lexsort((upper_ev, energies_ev))
    energies, upper, ordered = energies_ev[order], upper_ev[order], counts[order]
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(energies) != 0) | (np.diff(upper) != 0)
    starts = np.flatnonzero(new)
    added = np.add.reduceat(ordered, starts) if len(starts) else ordered
    return energies[new], upper[new], added.astype(np.int64)


def _added(one: Spread, other: Spread) -> Spread:
    keys, where = np.unique(np.concatenate([one.keys, other.keys]), return_inverse=True)
    counts = np.zeros(len(keys), np.int64)
    np.add.at(counts, where, np.concatenate([one.counts, other.counts]))
    channels = _by_channel(
        np.concatenate([one.energies_ev, other.energies_ev]),
        np.concatenate([one.upper_ev, other.upper_ev]),
        np.concatenate([one.at_energy, other.at_energy]),
    )
    return Spread(keys=keys, counts=counts, energies_ev=channels[0], upper_ev=channels[1], at_energy=channels[2])
