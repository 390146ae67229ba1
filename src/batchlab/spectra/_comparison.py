"""The noun of a comparison: a sample beside its reference, with numbers that say what they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from batchlab.spectra._difference import difference_label
from batchlab.spectra._measures import MEASURES, Difference, split_region
from batchlab.spectra._model import Array, AxisKind, Quantity, axis_label, intensity_label
from batchlab.spectra._normalization import Normalization
from batchlab.spectra._pretreatment._steps import STEPS

__all__ = ["Comparison", "Range"]

Range = tuple[float, float]

_FOREMOST = ("pearson_r", "rmse", "area_ratio")
_TEXTS = ("axis_unit", "factor_by")
MOVED = "the sample's axis moved by"
_OF_THE_AXIS = frozenset({"coverage", "n_points", "axis_first", "axis_last"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Comparison:
    """A sample beside its reference on one axis.

    Attributes
    ----------
    axis : (n,) array
        The points of the comparison, in the reference's direction, in `axis_unit`.
    reference, sample : (n,) arrays
        The two signals, normalised.
    difference : (n,) array
        Sample minus reference, or what `difference_kind` says; a ratio is NaN where there is none.
    axis_kind, axis_unit, quantity, unit
        What the axis and the signals are; `unit` is that of the signals before they were normalised.
    normalization
        How the signals were scaled.
    reference_name, sample_name
        What they are called.
    metrics
        Flat: those asked for, of the normalised signals (``area_ratio`` before that), ``coverage, n_points,
        axis_first, axis_last, axis_unit``; of regions such as ``pearson_r[C-H]``; ``factor, factor_error`` of a
        scaled difference; ``axis_shift, axis_shift_error`` of a shift that was looked for.
    difference_kind
        What `difference` is.
    regions
        Name to the two ends of each region that was judged by itself, in the axis unit.
    masks
        Ranges that no number knows of, though the curves show them.
    gaps
        Ranges that were taken out before: nothing is computed or to be drawn across one.
    done
        What was done to both signals before, a text for each step.
    treated
        The steps that made another quantity of the signals, such as ``("derivative", "snv")``.
    reference_alone, sample_alone
        Runs of axis and signal that the other does not reach, where they are to be shown.
    sample_metadata
        What the sample's file says besides, as written.
    warnings
        What is worth a look.
    reference_warnings
        Those of them that are of the reference alone, and so the same for the next sample.
    """

    axis: Array
    reference: Array
    sample: Array
    difference: Array
    axis_kind: AxisKind = AxisKind.UNKNOWN
    axis_unit: str | None = None
    quantity: Quantity = Quantity.UNKNOWN
    unit: str | None = None
    normalization: Normalization = Normalization.NONE
    reference_name: str = ""
    sample_name: str = ""
    metrics: Mapping[str, float | int | str]
    difference_kind: Difference = Difference.DIFFERENCE
    regions: Mapping[str, Range] = field(default_factory=dict)
    masks: tuple[Range, ...] = ()
    gaps: tuple[Range, ...] = ()
    done: tuple[str, ...] = ()
    treated: tuple[str, ...] = ()
    reference_alone: tuple[tuple[Array, Array], ...] = ()
    sample_alone: tuple[tuple[Array, Array], ...] = ()
    sample_metadata: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    reference_warnings: tuple[str, ...] = ()

    @property
    def own_warnings(self) -> tuple[str, ...]:
        """Those that are of the sample, or of the two together."""
        return tuple(text for text in self.warnings if text not in self.reference_warnings)

    @property
    def axis_label(self) -> str:
        """The axis as a plot names it."""
        return axis_label(self.axis_kind, self.axis_unit)

    @property
    def intensity_label(self) -> str:
        """The compared signal as a plot names it, such as ``Absorbance (snv)``."""
        words = self.treatment
        return (
            f"{intensity_label(self.quantity, '1')} ({words})" if words else intensity_label(self.quantity, self.unit)
        )

    @property
    def treatment(self) -> str:
        """What made another quantity of the signals, in words; empty if they are in their unit still."""
        scaled = () if self.normalization is Normalization.NONE else (self.normalization.value,)
        return ", ".join((*self.treated, *scaled))

    @property
    def difference_label(self) -> str:
        """The difference as a plot names it, such as ``Sample − 0.983 × reference / counts``."""
        factor = self.metrics.get("factor")
        return difference_label(
            self.difference_kind,
            self.quantity,
            self.unit,
            self.treatment,
            float(factor) if isinstance(factor, (int, float)) else None,
        )

    def __repr__(self) -> str:
        unit = f" {self.axis_unit}" if self.axis_unit not in (None, "1") else ""
        told = [f"{name} {value:.6g}" for name, value in self.metrics.items() if name in _FOREMOST]
        return (
            f"<Comparison of {self.sample_name!r} with {self.reference_name!r}: {self.axis.size} points, "
            f"{self.axis[0]:g} to {self.axis[-1]:g}{unit}, {', '.join(told)}>"
        )

    def _repr_html_(self) -> str:
        """The curves, and the numbers with their statements, as a notebook shows them."""
        from batchlab.spectra._notebook import curves_svg, page_of, table_of

        told = self.statements
        numbers = [(name, value, told[name]) for name, value in self.metrics.items() if not isinstance(value, str)]
        curves = {f"reference {self.reference_name}": self.reference, f"sample {self.sample_name}": self.sample}
        picture = curves_svg(self.axis, curves, falling=self.axis_kind is AxisKind.WAVENUMBER)
        return page_of(repr(self), picture, table_of(numbers), notes=self.warnings)

    @property
    def statements(self) -> dict[str, str]:
        """What each of the metrics is: its formula, its range, the part of the axis, the masks, the preparation.

        With the reference ``a``, the sample ``b``, their means ``ma`` and ``mb``, and ``n`` points.
        """
        return {name: self._statement(name) for name in self.metrics if name not in _TEXTS}

    def _statement(self, name: str) -> str:
        metric, region = split_region(name)
        if metric not in MEASURES:
            return "not a number of this program"
        measure = MEASURES[metric]
        if metric in _OF_THE_AXIS:
            return str(measure)
        if metric.startswith("factor"):
            region = str(self.metrics.get("factor_by"))
        unit = f" {self.axis_unit}" if self.axis_unit not in (None, "1") else ""
        first, last = self.regions.get(region or "", (float(self.axis[0]), float(self.axis[-1])))
        where = [f"from {first:g} to {last:g}{unit}"]
        where += [f"without {low:g} to {high:g}{unit}" for low, high in self.masks]
        how = list(self.done)
        if metric.startswith("axis_shift"):  # estimated before it was taken out, and before normalising
            how = [each for each in how if not each.startswith(MOVED)]
        elif metric == "area_ratio":
            how = _before_normalizing(how)
        elif self.normalization is not Normalization.NONE:
            how.append(self.normalization.value)
        return "; ".join([str(measure), ", ".join(where), *(["after " + ", ".join(how)] if how else [])])


def _before_normalizing(done: list[str]) -> list[str]:
    """What was done up to the first step that normalises, and the ranges that were taken out after it."""
    names = [text.partition("(")[0] for text in done]
    first = next((at for at, name in enumerate(names) if name in STEPS and STEPS[name].normalizes), len(done))
    after = [text for text, name in zip(done[first:], names[first:], strict=True) if name in ("cut", "mask")]
    return [*done[:first], *after]
