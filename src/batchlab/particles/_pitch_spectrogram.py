"""Intensity against time and pitch angle, for bands of energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import DataError
from batchlab.particles._model import Dropped, MissingVariable, Quantity
from batchlab.particles._read import open_distribution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.particles._distribution import Block, Distribution, EnergyTable
    from batchlab.particles._model import Float, Float32

__all__ = ["ENERGY_BANDS", "EnergyBand", "PitchSpectrogram", "read_pitch_spectrogram"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyBand:
    """Energies that are shown together: channels whose energy lies from `low_ev` up to, not including, `high_ev`."""

    low_ev: float
    high_ev: float
    name: str = ""

    @property
    def label(self) -> str:
        """Its name, else its ends."""
        return self.name or f"{self.low_ev:g} to {self.high_ev:g} eV"


ENERGY_BANDS = (
    EnergyBand(low_ev=10.0, high_ev=100.0),
    EnergyBand(low_ev=100.0, high_ev=1_000.0),
    EnergyBand(low_ev=1_000.0, high_ev=10_000.0),
    EnergyBand(low_ev=10_000.0, high_ev=100_000.0),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PitchSpectrogram:
    """Intensity against time and pitch angle.

    Attributes
    ----------
    name, quantity, unit
        As of a `Spectrogram`.
    bands
        (B,) what the energies are called.
    times_s
        (N, 2) start and end of each record in seconds since 1970, UTC without leap seconds; starts ascend.
    pitch_edges_deg
        (P + 1,) ascending, to 180 or 360.
    values
        (B, N, P) mean over the band's energies, weighted by the width of the channels and by solid angle; NaN where
        nothing was measured.
    dropped, notes
        As of a `Spectrogram`.
    """

    name: str
    quantity: str
    unit: str
    bands: tuple[str, ...]
    times_s: Float
    pitch_edges_deg: Float
    values: Float32
    dropped: Dropped = field(default_factory=Dropped)
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<PitchSpectrogram {self.name!r}: {self._shape}; {', '.join(self.bands)}>"

    def _repr_html_(self) -> str:
        """A small picture of every band, and what was left out, as a notebook shows them."""
        from batchlab.particles._notebook import spectrogram_page

        return spectrogram_page(self, self._shape)

    @property
    def _shape(self) -> str:
        unit = f" / {self.unit}" if self.unit else ""
        angles = len(self.pitch_edges_deg) - 1
        return f"{self.quantity}{unit}, {len(self.times_s)} records of {angles} pitch angles"


def read_pitch_spectrogram(
    path: Path | str,
    *,
    bands: Sequence[EnergyBand] = ENERGY_BANDS,
    step_deg: float | None = None,
    quantity: Quantity | None = None,
    quality: str = "keep",
    variable: str | None = None,
) -> PitchSpectrogram:
    """Read intensity against time and pitch angle.

    Parameters
    ----------
    path, quantity, quality, variable
        As of `read_spectrogram`.
    bands
        Of energy; one in which the file has no channel comes out empty.
    step_deg
        Width of the bins of pitch angle, which start at 0; None is the file's own bins, and 11.25 degrees where angles
        differ by record.

    Raises
    ------
    MissingVariable
        If the file tells no pitch angles.
    DataError
        As of `read_spectrogram`, and if the step does not divide the circle.
    """
    with open_distribution(path, quantity=quantity, quality=quality, variable=variable) as distribution:
        if not distribution.has_pitch:
            raise MissingVariable(f"{path} tells no pitch angles")
        edges = _edges(distribution, step_deg)
        values = np.full((len(bands), len(distribution.times_s), len(edges) - 1), np.nan, np.float32)
        for block in distribution.blocks:
            values[:, block.rows, :] = _binned(distribution, block, bands, edges)
        return PitchSpectrogram(
            name=distribution.name,
            quantity=distribution.quantity,
            unit=distribution.unit,
            bands=tuple(band.label for band in bands),
            times_s=distribution.times_s,
            pitch_edges_deg=edges,
            values=values,
            dropped=distribution.tally.frozen(),
            notes=tuple(distribution.notes),
        )


def _edges(distribution: Distribution, step_deg: float | None) -> Float:
    own = distribution.pitch_edges_deg
    if step_deg is None and own is not None and own[0] >= 0:
        return own
    whole, step = 360.0 if distribution.full_circle else 180.0, step_deg or 11.25
    count = round(whole / step) if step > 0 else 0
    if count < 1 or abs(count * step - whole) > 1e-6:
        raise DataError(f"steps of {step:g} degrees do not divide {whole:g}; take 11.25, 15 or 22.5")
    return np.linspace(0.0, whole, count + 1)


def _binned(distribution: Distribution, block: Block, bands: Sequence[EnergyBand], edges: Float) -> NDArray[np.float64]:
    """(B, n, P): each cell goes into the bin of its angle, with its energy's width and its solid angle as weight."""
    table = distribution.tables[block.mode]
    records, count = len(block.rows), len(edges) - 1
    found = np.full((len(bands), records, count), np.nan)
    factor = distribution.scales[block.mode] if distribution.scales else np.ones(len(table.channels))
    assert block.pitch_deg is not None
    for row, band in zip(found, bands, strict=True):
        taken = (table.energies_ev >= band.low_ev) & (table.energies_ev < band.high_ev)
        pairs = [(at, channel) for at, channel in _members(table) if taken[at]]
        if not pairs:
            continue
        places, channels = (np.array(column, np.intp) for column in zip(*pairs, strict=True))
        values = block.values[:, :, channels] * factor[places]
        shape = values.shape
        pitch = block.pitch_deg if block.pitch_deg.shape[2] == 1 else block.pitch_deg[:, :, channels]
        angle = block.solid_angle_sr if block.solid_angle_sr.shape[1] == 1 else block.solid_angle_sr[:, channels]
        weight = np.broadcast_to(angle * table.widths_ev[places] / np.bincount(places)[places], shape)
        known = np.broadcast_to(np.isfinite(pitch), shape)
        if block.good is not None:
            known = known & block.good[:, :, channels]
        weight = np.where(known, weight, 0.0)
        # The last bin takes its upper end in: 180 degrees is along the field as much as 179 is.
        bins = np.clip(np.searchsorted(edges, np.nan_to_num(pitch), side="right") - 1, 0, count - 1)
        place = np.broadcast_to(np.arange(records)[:, None, None] * count + bins, shape).ravel()
        weights = np.bincount(place, weight.ravel(), records * count).reshape(records, count)
        total = np.bincount(place, (weight * values).ravel(), records * count).reshape(records, count)
        np.divide(total, weights, out=row, where=weights > 0)
    return found


def _members(table: EnergyTable) -> list[tuple[int, int]]:
    """Every place of a table with every channel of the file that belongs to it."""
    several = dict(table.repeats)
    return [
        (place, int(channel))
        for place, first in enumerate(table.channels)
        for channel in several.get(place, np.array([first]))
    ]
