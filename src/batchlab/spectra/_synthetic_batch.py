"""A batch as a Raman laboratory has it, with known truth: many programs' files, fluorescence, cosmic rays, a bad few.

Every sample is the same polymer, more or less of it, seen by another instrument: its axis may be off, its background
glows, some have a foreign band. One is another substance, and one file is cut off.
"""

from __future__ import annotations

import csv
from dataclasses import astuple, dataclass, fields
from enum import StrEnum
from pathlib import Path

import numpy as np

from batchlab.spectra._model import Array
from batchlab.spectra._synthetic import COUNTS_AT_TOP, OTHER, POLYMER, bands, cut_within_a_row
from batchlab.spectra._synthetic_files import FILES

__all__ = ["Kind", "Made", "area_ratios", "plan_batch", "read_truth", "write_batch"]

_FOREIGN_WIDTH, _FOREIGN_HEIGHT = 9.0, 0.45
_REFERENCE_GLOW, _REFERENCE_NOISE = 0.5, 0.004
_REPLICATES = 8
_FEW_FOR_BAD = 4  # from so many samples on one is another substance, and one is cut off


class Kind(StrEnum):
    """What a sample is."""

    GOOD = "good"
    CONTAMINATED = "contaminated"
    OTHER = "another substance"
    CUT_OFF = "cut off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What is true of one file.

    Attributes
    ----------
    file
        Its name, below the folder of the samples.
    kind
        What it is.
    program
        How it is written: a key of `FILES`.
    scale
        The bands are this many times as high as the reference's.
    shift
        Its axis reads so many cm-1 too high.
    noise
        Standard deviation, as a share of its highest band.
    glow, glow_at, glow_width
        Height of the fluorescence in units of the reference's highest band, its middle and width in cm-1.
    cosmic_rays
        How many spikes stand in it.
    foreign_band
        Where a band stands that the reference has not, in cm-1; None for none.
    area_ratio
        Area of its bands alone over that of the reference's bands, on the range of both; None for a cut file.
    area_ratio_as_measured
        The same with the fluorescence under them.
    """

    file: str
    kind: Kind
    program: str
    scale: float
    shift: float
    noise: float
    glow: float
    glow_at: float
    glow_width: float
    cosmic_rays: int
    foreign_band: float | None
    area_ratio: float | None
    area_ratio_as_measured: float | None


def plan_batch(samples: int, seed: int = 0) -> list[Made]:
    """Decide what the samples are.

    The programs take turns. A tenth has a foreign band, a third a shifted axis, a third cosmic rays; of four or more
    one is another substance and one is cut off, anywhere among them.

    Parameters
    ----------
    samples
        How many.
    seed
        Equal seeds give equal plans.
    """
    rng = np.random.default_rng([seed, samples])
    kinds = [Kind.GOOD] * samples
    if samples >= _FEW_FOR_BAD:
        bad = [Kind.OTHER, Kind.CUT_OFF, *([Kind.CONTAMINATED] * max(1, samples // 10))]
        for at, kind in zip(rng.permutation(samples).tolist(), bad, strict=False):
            kinds[at] = kind
    names = tuple(FILES)
    made = []
    for i, kind in enumerate(kinds):
        # A file is known to be cut by its last row, so it has rows.
        program = "comma" if kind is Kind.CUT_OFF else names[i % len(names)]
        suffix = FILES[program].suffix
        made.append(_drawn(f"sample_{i + 1:0{max(3, len(str(samples)))}d}{suffix}", kind, program, rng))
    return made


def write_batch(folder: Path, samples: int = 30, seed: int = 0) -> list[Made]:
    """Write a reference, replicates of it, samples, and what is true of them.

    ``reference.csv`` and ``truth.csv`` stand in the folder, the rest in its folders ``samples`` and ``replicates``.
    Files that are there are replaced.

    Parameters
    ----------
    folder
        Where to; made if it is not there.
    samples
        How many.
    seed
        Equal seeds give equal bytes.

    Returns
    -------
    list of Made
        In the order of the file names.
    """
    made = plan_batch(samples, seed)
    for name in ("samples", "replicates"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    comma = FILES["comma"]
    reference = _reference(comma.raman_shift)
    rng = np.random.default_rng([seed, 1])
    noisy = reference + _REFERENCE_NOISE * COUNTS_AT_TOP * rng.standard_normal(comma.points)
    (folder / "reference.csv").write_bytes(comma.file_of(noisy, "reference"))
    for number in range(1, _REPLICATES + 1):
        replicate = _drawn(f"replicate_{number}.csv", Kind.GOOD, "comma", rng, shifted=False)
        (folder / "replicates" / replicate.file).write_bytes(_file_of(replicate, seed))
    for each in made:
        written = _file_of(each, seed)
        (folder / "samples" / each.file).write_bytes(
            cut_within_a_row(written) if each.kind is Kind.CUT_OFF else written
        )
    _write_truth(folder / "truth.csv", made)
    return made


def read_truth(path: Path) -> dict[str, Made] | None:
    """What is true of each file, by its name; None where the table is missing or somebody else's."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {row["file"]: _made_of(row) for row in csv.DictReader(file)}
    except (KeyError, ValueError, OSError):
        return None


def area_ratios(made: Made) -> tuple[float, float]:
    """Area over the reference's: of the bands alone, and with the fluorescence under them.

    By the trapezoidal rule on a fine grid over the range of both, the axis put right: from what the files are made
    of, not from what is in them.
    """
    x = FILES[made.program].raman_shift
    ours = FILES["comma"].raman_shift
    low, high = max(x.min() - made.shift, ours.min()), min(x.max() - made.shift, ours.max())
    grid = np.linspace(low, high, 20_001)
    sample, reference = _bands_of(made, grid), COUNTS_AT_TOP * bands(grid, POLYMER)
    alone = float(np.trapezoid(sample, grid) / np.trapezoid(reference, grid))
    seen = float(np.trapezoid(sample + _glow(made, grid), grid) / np.trapezoid(_reference(grid), grid))
    return alone, seen


def _drawn(file: str, kind: Kind, program: str, rng: np.random.Generator, *, shifted: bool = True) -> Made:
    low = (0.4, 1.0, 0.003, 0.3, 900.0, 900.0, 1750.0)
    high = (2.5, 3.0, 0.006, 2.5, 2400.0, 1700.0, 2600.0)
    scale, shift, noise, glow, glow_at, glow_width, foreign = rng.uniform(low, high).tolist()
    off, side, hit, rays = rng.random(), rng.choice((-1, 1)), rng.random(), int(rng.integers(1, 5))
    made = Made(
        file=file,
        kind=kind,
        program=program,
        scale=round(scale, 3),
        shift=round(float(side) * shift, 2) if shifted and off < 1 / 3 and kind is not Kind.OTHER else 0.0,
        noise=round(noise, 4),
        glow=round(glow, 3),
        glow_at=round(glow_at, 1),
        glow_width=round(glow_width, 1),
        cosmic_rays=rays if hit < 1 / 3 else 0,
        foreign_band=round(foreign, 1) if kind is Kind.CONTAMINATED else None,
        area_ratio=None,
        area_ratio_as_measured=None,
    )
    if kind is Kind.CUT_OFF:
        return made
    alone, seen = area_ratios(made)
    return _with(made, area_ratio=round(alone, 4), area_ratio_as_measured=round(seen, 4))


def _with(made: Made, **changes: float) -> Made:
    return Made(**{**{field.name: getattr(made, field.name) for field in fields(made)}, **changes})


def _reference(shift: Array) -> Array:
    glow = _REFERENCE_GLOW * np.exp(-(((shift - 1500.0) / 1400.0) ** 2))
    reference: Array = COUNTS_AT_TOP * (bands(shift, POLYMER) + glow)
    return reference


def _bands_of(made: Made, shift: Array) -> Array:
    """The bands of a sample where its axis is right."""
    substance = OTHER if made.kind is Kind.OTHER else POLYMER
    if made.foreign_band is not None:
        substance = (*substance, (made.foreign_band, _FOREIGN_WIDTH, _FOREIGN_HEIGHT))
    return made.scale * COUNTS_AT_TOP * bands(shift, substance)


def _glow(made: Made, shift: Array) -> Array:
    """A broad hump on a slope that falls away from the laser."""
    hump = np.exp(-(((shift - made.glow_at) / made.glow_width) ** 2)) + 0.2 * np.exp(-shift / 2000.0)
    glow: Array = made.glow * COUNTS_AT_TOP * hump
    return glow


def _file_of(made: Made, seed: int) -> bytes:
    kind = FILES[made.program]
    true_shift = kind.raman_shift - made.shift
    rng = np.random.default_rng([seed, *made.file.encode()])
    top = made.scale * COUNTS_AT_TOP
    signal = _bands_of(made, true_shift) + _glow(made, true_shift)
    signal = signal + made.noise * top * rng.standard_normal(kind.points)
    for at in rng.choice(np.arange(20, kind.points - 20), made.cosmic_rays, replace=False).tolist():
        width = int(rng.integers(1, 3))
        signal[at : at + width] += top * rng.uniform(0.4, 2.0, width)
    return kind.file_of(signal, Path(made.file).name.partition(".")[0])


def _write_truth(path: Path, made: list[Made]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([field.name for field in fields(Made)])
        writer.writerows(["" if value is None else value for value in astuple(each)] for each in made)


def _made_of(row: dict[str, str]) -> Made:
    def number(name: str) -> float | None:
        return float(row[name]) if row[name] else None

    if row["program"] not in FILES:
        raise ValueError(f"no program {row['program']!r}")
    return Made(
        file=row["file"],
        kind=Kind(row["kind"]),
        program=row["program"],
        **{name: float(row[name]) for name in ("scale", "shift", "noise", "glow", "glow_at", "glow_width")},
        cosmic_rays=int(row["cosmic_rays"]),
        foreign_band=number("foreign_band"),
        area_ratio=number("area_ratio"),
        area_ratio_as_measured=number("area_ratio_as_measured"),
    )
