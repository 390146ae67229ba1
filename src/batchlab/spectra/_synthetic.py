"""Spectra whose truth is known, in files as instruments write them: for the demo, the tests and the benchmarks."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path

import numpy as np

from batchlab.spectra._common_axis import interpolate_overlap
from batchlab.spectra._model import Array, AxisKind, Quantity, Spectrum
from batchlab.spectra._normalization import area

__all__ = [
    "COUNTS_AT_TOP",
    "OTHER",
    "POLYMER",
    "Role",
    "Truth",
    "bands",
    "cut_within_a_row",
    "demo_sample",
    "plan_demo",
    "reference_signal",
    "reference_spectrum",
    "write_demo_set",
]

POINTS = 3600
_FIRST, _LAST = 120.0, 3500.0

# Position and width in cm-1, height in units of the largest: the Raman bands of a polymer, more or less.
POLYMER = (
    (250.0, 14.0, 0.12),
    (398.0, 10.0, 0.22),
    (621.0, 6.0, 0.18),
    (795.0, 8.0, 0.15),
    (1001.5, 5.0, 1.00),
    (1031.0, 7.0, 0.35),
    (1155.0, 9.0, 0.14),
    (1183.0, 7.0, 0.12),
    (1450.0, 15.0, 0.24),
    (1583.0, 7.0, 0.16),
    (1602.5, 8.0, 0.42),
    (2852.0, 18.0, 0.30),
    (2905.0, 26.0, 0.55),
    (3054.0, 14.0, 0.70),
)
_EXTRA_BAND_WIDTH, _EXTRA_BAND_HEIGHT = 12.0, 0.5
COUNTS_AT_TOP = 10_000.0
OTHER = ((455.0, 11.0, 0.9), (1088.0, 8.0, 1.0), (712.0, 7.0, 0.3), (1435.0, 9.0, 0.12))


class Role(StrEnum):
    """What a file of the set is there to show."""

    GOOD = "good"
    OUTLIER = "outlier"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is true of one file of the set.

    Attributes
    ----------
    file
        Its name, below the folder of the samples.
    role
        GOOD, OUTLIER (another substance altogether) or BROKEN (cut off within a row).
    scale
        The sample is this many times the reference.
    shift
        Its axis reads so many cm-1 too high.
    noise
        Standard deviation of its noise, as a share of its highest band.
    extra_band
        Where a band stands that the reference has not, in cm-1; None for none.
    area_ratio
        Area over the reference's area on the common axis, without noise; None for a broken file.
    layout
        How the file is written.
    """

    file: str
    role: Role
    scale: float
    shift: float
    noise: float
    extra_band: float | None
    area_ratio: float | None
    layout: str


def reference_signal(axis: Array) -> Array:
    """The reference without noise.

    Parameters
    ----------
    axis : (n,) array
        Raman shift in cm-1.

    Returns
    -------
    (n,) array
        Counts: Lorentzian bands on a broad background of fluorescence.
    """
    return COUNTS_AT_TOP * (bands(axis, POLYMER) + _background(axis))


def reference_spectrum(points: int = POINTS) -> Spectrum:
    """The reference of the set, without noise, on an axis of 120 to 3500 cm-1.

    Parameters
    ----------
    points
        How many points it has.
    """
    axis = np.linspace(_FIRST, _LAST, points)
    return _spectrum(axis, reference_signal(axis), "reference")


def demo_sample(truth: Truth, *, seed: int, points: int = POINTS) -> Spectrum:
    """A sample as the instrument saw it, whatever its file holds.

    Parameters
    ----------
    truth
        What is true of it.
    seed
        Of the set; the noise depends on it and on the file's name.
    points
        How many points it has.
    """
    axis = np.linspace(_FIRST, _LAST, points)
    clean = _clean(truth, axis)
    rng = np.random.default_rng([seed, *truth.file.encode()])
    noisy = clean + truth.noise * float(clean.max()) * rng.standard_normal(points)
    return _spectrum(axis, noisy, Path(truth.file).stem)


def plan_demo(samples: int, seed: int = 0, *, points: int = POINTS) -> list[Truth]:
    """Decide what the samples of a set are.

    Scales lie between 0.5 and 2, shifts are none, or up to 3 cm-1, noise is a half to one per cent; every
    fifth sample has an extra band. Of four or more samples the last but one is an outlier and the last is
    broken.

    Parameters
    ----------
    samples
        How many.
    seed
        Equal seeds give equal sets.
    points
        How many points each has.
    """
    rng = np.random.default_rng(seed)
    axis = np.linspace(_FIRST, _LAST, points)
    truths = []
    names = tuple(_LAYOUTS)
    for i in range(samples):
        role = Role.GOOD
        if samples >= 4 and i >= samples - 2:
            role = Role.OUTLIER if i == samples - 2 else Role.BROKEN
        scale, shift, noise, band = rng.uniform((0.5, -3.0, 0.005, 1700.0), (2.0, 3.0, 0.01, 2700.0)).tolist()
        layout = names[i % len(names)]
        truth = Truth(
            file=f"sample_{i + 1:0{max(3, len(str(samples)))}d}{_LAYOUTS[layout].suffix}",
            role=role,
            scale=round(scale, 3),
            shift=round(shift, 2) if i % 3 == 2 and role is Role.GOOD else 0.0,
            noise=round(noise, 4),
            extra_band=round(band, 1) if i % 5 == 4 and role is Role.GOOD else None,
            area_ratio=None,
            layout=layout,
        )
        truths.append(_with_area_ratio(truth, axis))
    return truths


def write_demo_set(folder: Path, samples: int = 40, seed: int = 0, *, points: int = POINTS) -> list[Truth]:
    """Write a reference, samples and their truth.

    ``reference.csv`` and ``truth.csv`` stand in the folder, the samples in its folder ``samples``, so that a
    pattern over the samples takes neither. Files that are there are replaced.

    Parameters
    ----------
    folder
        Where to; made if it is not there.
    samples
        How many.
    seed
        Equal seeds give equal bytes.
    points
        How many points each spectrum has.

    Returns
    -------
    list of Truth
        What was written, in the order of the file names.
    """
    below = folder / "samples"
    below.mkdir(parents=True, exist_ok=True)
    truths = plan_demo(samples, seed, points=points)
    reference = reference_spectrum(points)
    (folder / "reference.csv").write_bytes(_LAYOUTS["comma"].write(reference))
    for truth in truths:
        written = _LAYOUTS[truth.layout].write(demo_sample(truth, seed=seed, points=points))
        if truth.role is Role.BROKEN:
            written = cut_within_a_row(written)
        (below / truth.file).write_bytes(written)
    (folder / "truth.csv").write_text(_truth_table(truths), encoding="utf-8", newline="")
    return truths


@dataclass(frozen=True, slots=True)
class _Layout:
    """One way of writing a spectrum: head, a row's shape, tail."""

    suffix: str
    head: str
    delimiter: str = ","
    decimal: str = "."
    tail: str = ""
    end: str = "\r\n"
    descending: bool = False

    def write(self, spectrum: Spectrum) -> bytes:
        step = -1 if self.descending else 1
        axis, intensity = spectrum.axis[::step].tolist(), spectrum.intensity[::step].tolist()
        rows = (f"%.4f{self.delimiter}%.3f{self.end}" * len(axis)) % tuple(
            number for pair in zip(axis, intensity, strict=True) for number in pair
        )
        if self.decimal != ".":
            rows = rows.replace(".", self.decimal)
        head = self.head.format(points=len(axis), name=spectrum.name).replace("\n", self.end)
        return (head + rows + self.tail.replace("\n", self.end)).encode("utf-8")


_LAYOUTS = {
    "comma": _Layout(".csv", "Raman shift (cm-1),Intensity (counts)\n"),
    "tab-descending": _Layout(".txt", "#Wave\t\t#Intensity\n", delimiter="\t", descending=True),
    "semicolon-decimal-comma": _Layout(
        ".csv",
        'Gerät;"Raman Ω 785"\nProbe;{name}\n\nRaman-Verschiebung (cm-1);Intensität (counts)\n',
        delimiter=";",
        decimal=",",
    ),
    "tab-headerless": _Layout(".txt", "", delimiter="\t"),
    "keyed-preamble": _Layout(
        ".txt",
        "TITLE\t{name}\nDATA TYPE\tRAMAN SPECTRUM\nXUNITS\t1/CM\nYUNITS\tCOUNTS\nNPOINTS\t{points}\nXYDATA\n",
        delimiter="\t",
        tail="\n[Measurement Information]\nExposure\t3 sec\nLaser wavelength\t785.00 nm\n",
        end="\n",
        descending=True,
    ),
}


def _clean(truth: Truth, axis: Array) -> Array:
    """A sample without noise."""
    true_axis = axis - truth.shift
    if truth.role is Role.OUTLIER:
        other = bands(true_axis, OTHER) + 0.3 * _background(true_axis)
        return truth.scale * COUNTS_AT_TOP * other
    signal = reference_signal(true_axis)
    if truth.extra_band is not None:
        band = ((truth.extra_band, _EXTRA_BAND_WIDTH, _EXTRA_BAND_HEIGHT),)
        signal = signal + COUNTS_AT_TOP * bands(true_axis, band)
    return truth.scale * signal


def bands(axis: Array, of: Sequence[tuple[float, float, float]]) -> Array:
    """Lorentzian bands.

    Parameters
    ----------
    axis : (n,) array
        Raman shift in cm-1.
    of
        Position and half width at half height in cm-1, and height, of each.
    """
    total = np.zeros_like(axis)
    for position, width, height in of:
        total += height / (1.0 + ((axis - position) / width) ** 2)
    return total


def _background(axis: Array) -> Array:
    background: Array = 0.08 + 0.25 * np.exp(-(((axis - 1500.0) / 1400.0) ** 2))
    return background


def _with_area_ratio(truth: Truth, axis: Array) -> Truth:
    if truth.role is Role.BROKEN:
        return truth
    common, reference, sample, _ = interpolate_overlap(axis, reference_signal(axis), axis, _clean(truth, axis))
    values = asdict(truth) | {"area_ratio": area(common, sample) / area(common, reference)}
    return Truth(**values)


def _spectrum(axis: Array, intensity: Array, name: str) -> Spectrum:
    return Spectrum(axis=axis, intensity=intensity, axis_kind=AxisKind.RAMAN_SHIFT, quantity=Quantity.COUNTS, name=name)


def cut_within_a_row(written: bytes) -> bytes:
    """End a file where a copy was broken off: within the axis value of a row past the middle."""
    row = written.index(b"\n", len(written) * 2 // 3) + 1
    return written[: row + 3]


def _truth_table(truths: list[Truth]) -> str:
    names = [field.name for field in fields(Truth)]
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(names)
    for truth in truths:
        writer.writerow(["" if (value := getattr(truth, name)) is None else value for name in names])
    return table.getvalue()
