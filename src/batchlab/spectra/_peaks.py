"""Peaks of a sample beside those of its reference: which are the same, and what changed of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._comparison import Comparison
from batchlab.spectra._kinds import Quantity
from batchlab.spectra._notebook import page_of, table_of
from batchlab.spectra._peak import Peak, find_peaks, least_prominence_of, noise_level
from batchlab.spectra._signal import pieces
from batchlab.spectra._words import counted

__all__ = ["MatchedPeak", "Peak", "PeakMatch", "compare_peaks", "find_peaks", "match_peaks", "noise_level"]

_LEAST_POINTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedPeak:
    """A peak of the reference and the sample's peak that is taken for the same."""

    reference: Peak
    sample: Peak

    @property
    def shift(self) -> float:
        """How much higher the sample's position reads, in the axis unit."""
        return self.sample.position - self.reference.position

    @property
    def height_ratio(self) -> float:
        """Height in the sample over height in the reference."""
        return self.sample.height / self.reference.height

    @property
    def width_change(self) -> float:
        """How much wider it is in the sample, in the axis unit."""
        return self.sample.fwhm - self.reference.fwhm

    @property
    def area_ratio(self) -> float:
        """Area in the sample over area in the reference."""
        return self.sample.area / self.reference.area


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PeakMatch:
    """The peaks of a sample beside those of its reference, by position.

    Attributes
    ----------
    pairs
        Peaks that both have.
    only_reference, only_sample
        Peaks that one of them has.
    tolerance
        How far apart two peaks may be and still be the same, in the axis unit.
    """

    pairs: tuple[MatchedPeak, ...]
    only_reference: tuple[Peak, ...]
    only_sample: tuple[Peak, ...]
    tolerance: float

    def __repr__(self) -> str:
        alone = f"{len(self.only_reference)} of the reference alone, {len(self.only_sample)} of the sample"
        return f"<PeakMatch: {counted(len(self.pairs), 'peak')} of both, {alone}>"

    def _repr_html_(self) -> str:
        rows = self.rows()
        return page_of(
            repr(self)[1:-1], table_of([tuple(row.values()) for row in rows], tuple(rows[0]) if rows else ())
        )

    def rows(self) -> tuple[dict[str, float | None], ...]:
        """One flat row a peak, by position: of the reference, of the sample, and what changed; None where it is not."""
        every: list[tuple[float, Peak | None, Peak | None, MatchedPeak | None]] = [
            *((pair.reference.position, pair.reference, pair.sample, pair) for pair in self.pairs),
            *((peak.position, peak, None, None) for peak in self.only_reference),
            *((peak.position, None, peak, None) for peak in self.only_sample),
        ]
        rows = []
        for _, one, other, pair in sorted(every, key=lambda each: each[0]):
            row: dict[str, float | None] = {}
            for name in ("position", "height", "fwhm", "area"):
                row[f"reference_{name}"] = None if one is None else getattr(one, name)
                row[f"sample_{name}"] = None if other is None else getattr(other, name)
            for name in ("shift", "height_ratio", "width_change", "area_ratio"):
                row[name] = None if pair is None else getattr(pair, name)
            rows.append(row)
        return tuple(rows)

    @property
    def metrics(self) -> dict[str, float | int]:
        """Flat: how many were matched and not, and the median and the largest shift (NaN without pairs)."""
        shifts = np.array([pair.shift for pair in self.pairs])
        return {
            "peaks_matched": len(self.pairs),
            "peaks_only_reference": len(self.only_reference),
            "peaks_only_sample": len(self.only_sample),
            "peak_shift_median": float(np.median(shifts)) if shifts.size else float("nan"),
            "peak_shift_largest": float(shifts[np.argmax(np.abs(shifts))]) if shifts.size else float("nan"),
        }


def compare_peaks(
    comparison: Comparison,
    *,
    tolerance: float | None = None,
    least_prominence: float | None = None,
    downwards: bool | None = None,
) -> PeakMatch:
    """Find the peaks of both signals of a comparison, and match them.

    Parameters
    ----------
    comparison
        Its signals are taken as compared, so normalised ones give heights and areas in their unit. No peak spans a
        gap, and none stands under a mask.
    tolerance
        See `match_peaks`.
    least_prominence
        See `find_peaks`; by default each signal's own noise decides.
    downwards
        Find dips; by default those of a transmittance in its unit, and peaks of all else.

    Raises
    ------
    DataError
        Reason ``no-peaks``: the reference has none, and no tolerance is given.
    """
    if downwards is None:
        downwards = comparison.quantity is Quantity.TRANSMITTANCE and "derivative" not in comparison.treated
    found = []
    for signal in (comparison.reference, comparison.sample):
        least = least_prominence_of(signal) if least_prominence is None else least_prominence
        peaks = [
            peak
            for run in pieces(comparison.axis, comparison.gaps)
            if run.stop - run.start >= _LEAST_POINTS
            for peak in find_peaks(comparison.axis[run], signal[run], least_prominence=least, downwards=downwards)
            if not any(low <= peak.position <= high for low, high in comparison.masks)
        ]
        found.append(sorted(peaks, key=lambda peak: peak.position))
    return match_peaks(*found, tolerance=tolerance)


def match_peaks(reference: Sequence[Peak], sample: Sequence[Peak], *, tolerance: float | None = None) -> PeakMatch:
    """Match a sample's peaks with a reference's, the closest first, each at most once.

    Parameters
    ----------
    reference, sample
        What `find_peaks` found, on axes of one unit.
    tolerance
        How far apart two peaks may be and still be the same, in the axis unit; by default half the median width of
        the reference's peaks.

    Raises
    ------
    DataError
        Reason ``no-peaks``: the reference has none, and no tolerance is given.
    """
    if tolerance is None:
        if not reference:
            raise DataError(
                "the reference has no peaks to match; lower least_prominence, or give a tolerance", reason="no-peaks"
            )
        tolerance = 0.5 * float(np.median([peak.fwhm for peak in reference]))
    near = sorted(
        (abs(other.position - one.position), i, j)
        for i, one in enumerate(reference)
        for j, other in enumerate(sample)
        if abs(other.position - one.position) <= tolerance
    )
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in near:
        if i not in partner and j not in taken:
            partner[i] = j
            taken.add(j)
    return PeakMatch(
        pairs=tuple(MatchedPeak(reference=reference[i], sample=sample[j]) for i, j in sorted(partner.items())),
        only_reference=tuple(peak for i, peak in enumerate(reference) if i not in partner),
        only_sample=tuple(peak for j, peak in enumerate(sample) if j not in taken),
        tolerance=tolerance,
    )
