"""Optical spectra: read them from what instruments export, and compare many with one reference.

    from batchlab.spectra import Recipe, compare, find_peaks, read_spectrum

    reference, sample = read_spectrum("white.sp"), read_spectrum("leaf.csv")
    found = compare(reference, sample, recipe=Recipe(preset="ftir", steps=["snv"]))
    found.metrics["pearson_r"], found.difference, found.warnings

`read_spectrum` recognises what a file holds, and `recognize` says why; a `Recipe` is what is done to both alike;
`compare` gives a `Comparison`, with a statement beside each of its numbers. `compare_batch` plans the same for a whole
folder, to be run with `batchlab.engine.run`; `judge` holds a comparison against a tolerance `Band`; `analyse` looks at
a batch as a whole. Notebooks show all of them as small tables and pictures.

A name is imported when it is first asked for, so that planning and the command line load no numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchlab._lazy import lazy_names

if TYPE_CHECKING:
    from batchlab.spectra._alignment import Alignment, align
    from batchlab.spectra._analytics import (
        Analysis,
        DiskMatrix,
        analyse,
        control_chart,
        drift,
        pca,
        precision,
        separation,
    )
    from batchlab.spectra._batch import compare_batch
    from batchlab.spectra._common_axis import OnCommonAxis, common_axis, interpolate_overlap
    from batchlab.spectra._comparison import Comparison
    from batchlab.spectra._conformity import Band, Conformity, band_about, band_between, band_of_replicates, judge
    from batchlab.spectra._difference import subtraction_factor
    from batchlab.spectra._inspect import Inspection, inspect
    from batchlab.spectra._kinds import (
        AxisKind,
        Common,
        Interpolation,
        Normalization,
        Orientation,
        Quantity,
        References,
        SpectrumRole,
        Technique,
    )
    from batchlab.spectra._limits import PlotLimits, Reach, plot_limits, reach
    from batchlab.spectra._many import Similarities, similarity_of_many
    from batchlab.spectra._measures import DEFAULT_METRICS, MEASURES, METRICS, Difference, ShiftHandling
    from batchlab.spectra._model import Spectrum, axis_label, intensity_label
    from batchlab.spectra._normalization import area, normalize
    from batchlab.spectra._normalized import read_normalized
    from batchlab.spectra._normalizer import AiSettings, Normalized, Normalizer, PlanCache
    from batchlab.spectra._peaks import PeakMatch, compare_peaks, find_peaks, match_peaks
    from batchlab.spectra._plan import Plan
    from batchlab.spectra._presets import PRESETS
    from batchlab.spectra._pretreatment import STEPS
    from batchlab.spectra._quantities import to_quantity
    from batchlab.spectra._read import (
        Layout,
        Recognition,
        apply_plan,
        read_band,
        read_comparison,
        read_layout,
        read_limits,
        read_spectra,
        read_spectrum,
        read_text,
        recognize,
        write_comparison,
        write_limits,
    )
    from batchlab.spectra._recipe import Grid, Recipe, prepare
    from batchlab.spectra._references import Group, group_of, nearest_reference, rank_references
    from batchlab.spectra._rules import parse_rule
    from batchlab.spectra._shift import Shift, correct_shift, estimate_shift
    from batchlab.spectra._similarity import (
        area_ratio,
        compare,
        cosine,
        derivative_r,
        euclid,
        hqi,
        mae,
        max_deviation,
        pearson_r,
        relative_rmse,
        rmse,
        sid,
        spectral_angle_deg,
    )
    from batchlab.spectra._table import format_comparison, parse_comparison
    from batchlab.spectra._units import to_axis
    from batchlab.spectra._write import check_written, read_written, write_spectra, write_spectrum

_HOMES = {
    "_alignment": ("Alignment", "align"),
    "_analytics": ("Analysis", "DiskMatrix", "analyse", "control_chart", "drift", "pca", "precision", "separation"),
    "_batch": ("compare_batch",),
    "_common_axis": ("OnCommonAxis", "common_axis", "interpolate_overlap"),
    "_comparison": ("Comparison",),
    "_conformity": ("Band", "Conformity", "band_about", "band_between", "band_of_replicates", "judge"),
    "_difference": ("subtraction_factor",),
    "_inspect": ("Inspection", "inspect"),
    "_kinds": (
        "AxisKind",
        "Common",
        "Interpolation",
        "Normalization",
        "Orientation",
        "Quantity",
        "References",
        "SpectrumRole",
        "Technique",
    ),
    "_limits": ("PlotLimits", "Reach", "plot_limits", "reach"),
    "_many": ("Similarities", "similarity_of_many"),
    "_measures": ("DEFAULT_METRICS", "Difference", "MEASURES", "METRICS", "ShiftHandling"),
    "_model": ("Spectrum", "axis_label", "intensity_label"),
    "_normalization": ("area", "normalize"),
    "_normalized": ("read_normalized",),
    "_normalizer": ("AiSettings", "Normalized", "Normalizer", "PlanCache"),
    "_peaks": ("PeakMatch", "compare_peaks", "find_peaks", "match_peaks"),
    "_plan": ("Plan",),
    "_presets": ("PRESETS",),
    "_pretreatment": ("STEPS",),
    "_quantities": ("to_quantity",),
    "_read": (
        "Layout",
        "Recognition",
        "apply_plan",
        "read_band",
        "read_comparison",
        "read_layout",
        "read_limits",
        "read_spectra",
        "read_spectrum",
        "read_text",
        "recognize",
        "write_comparison",
        "write_limits",
    ),
    "_recipe": ("Grid", "Recipe", "prepare"),
    "_references": ("Group", "group_of", "nearest_reference", "rank_references"),
    "_rules": ("parse_rule",),
    "_shift": ("Shift", "correct_shift", "estimate_shift"),
    "_similarity": (
        "area_ratio",
        "compare",
        "cosine",
        "derivative_r",
        "euclid",
        "hqi",
        "mae",
        "max_deviation",
        "pearson_r",
        "relative_rmse",
        "rmse",
        "sid",
        "spectral_angle_deg",
    ),
    "_table": ("format_comparison", "parse_comparison"),
    "_units": ("to_axis",),
    "_write": ("check_written", "read_written", "write_spectra", "write_spectrum"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AiSettings",
    "Alignment",
    "Analysis",
    "AxisKind",
    "Band",
    "Common",
    "Comparison",
    "Conformity",
    "DEFAULT_METRICS",
    "Difference",
    "DiskMatrix",
    "Grid",
    "Group",
    "Inspection",
    "Interpolation",
    "Layout",
    "MEASURES",
    "METRICS",
    "Normalization",
    "Normalized",
    "Normalizer",
    "OnCommonAxis",
    "Orientation",
    "PRESETS",
    "PeakMatch",
    "Plan",
    "PlanCache",
    "PlotLimits",
    "Quantity",
    "Reach",
    "Recipe",
    "Recognition",
    "References",
    "STEPS",
    "Shift",
    "ShiftHandling",
    "Similarities",
    "Spectrum",
    "SpectrumRole",
    "Technique",
    "align",
    "analyse",
    "apply_plan",
    "area",
    "area_ratio",
    "axis_label",
    "band_about",
    "band_between",
    "band_of_replicates",
    "check_written",
    "common_axis",
    "compare",
    "compare_batch",
    "compare_peaks",
    "control_chart",
    "correct_shift",
    "cosine",
    "derivative_r",
    "drift",
    "estimate_shift",
    "euclid",
    "find_peaks",
    "format_comparison",
    "group_of",
    "hqi",
    "inspect",
    "intensity_label",
    "interpolate_overlap",
    "judge",
    "mae",
    "match_peaks",
    "max_deviation",
    "nearest_reference",
    "normalize",
    "parse_comparison",
    "parse_rule",
    "pca",
    "pearson_r",
    "plot_limits",
    "precision",
    "prepare",
    "rank_references",
    "reach",
    "read_band",
    "read_comparison",
    "read_layout",
    "read_limits",
    "read_normalized",
    "read_spectra",
    "read_spectrum",
    "read_text",
    "read_written",
    "recognize",
    "relative_rmse",
    "rmse",
    "separation",
    "sid",
    "similarity_of_many",
    "spectral_angle_deg",
    "subtraction_factor",
    "to_axis",
    "to_quantity",
    "write_comparison",
    "write_limits",
    "write_spectra",
    "write_spectrum",
]

__getattr__, __dir__ = lazy_names(__name__, _HOME_OF)
