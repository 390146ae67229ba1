"""Optical spectra: read them from what instruments export, and compare many with one reference.

A name is imported when it is first asked for, so that planning and the command line load no numpy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from batchlab.spectra._alignment import Alignment, align
    from batchlab.spectra._batch import compare_batch
    from batchlab.spectra._common_axis import OnCommonAxis, common_axis, interpolate_overlap
    from batchlab.spectra._kinds import AxisKind, Normalization, Quantity
    from batchlab.spectra._limits import PlotLimits, Reach, plot_limits, reach
    from batchlab.spectra._model import Spectrum, axis_label, intensity_label
    from batchlab.spectra._normalization import area, normalize
    from batchlab.spectra._read import (
        Layout,
        read_comparison,
        read_layout,
        read_limits,
        read_text,
        write_comparison,
        write_limits,
    )
    from batchlab.spectra._similarity import (
        Comparison,
        area_ratio,
        compare,
        max_deviation,
        pearson_r,
        rmse,
        spectral_angle_deg,
    )
    from batchlab.spectra._table import format_comparison, parse_comparison

_HOMES = {
    "_alignment": ("Alignment", "align"),
    "_batch": ("compare_batch",),
    "_common_axis": ("OnCommonAxis", "common_axis", "interpolate_overlap"),
    "_kinds": ("AxisKind", "Normalization", "Quantity"),
    "_limits": ("PlotLimits", "Reach", "plot_limits", "reach"),
    "_model": ("Spectrum", "axis_label", "intensity_label"),
    "_normalization": ("area", "normalize"),
    "_read": (
        "Layout",
        "read_comparison",
        "read_layout",
        "read_limits",
        "read_text",
        "write_comparison",
        "write_limits",
    ),
    "_similarity": (
        "Comparison",
        "area_ratio",
        "compare",
        "max_deviation",
        "pearson_r",
        "rmse",
        "spectral_angle_deg",
    ),
    "_table": ("format_comparison", "parse_comparison"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Alignment",
    "AxisKind",
    "Comparison",
    "Layout",
    "Normalization",
    "OnCommonAxis",
    "PlotLimits",
    "Quantity",
    "Reach",
    "Spectrum",
    "align",
    "area",
    "area_ratio",
    "axis_label",
    "common_axis",
    "compare",
    "compare_batch",
    "format_comparison",
    "intensity_label",
    "interpolate_overlap",
    "max_deviation",
    "normalize",
    "parse_comparison",
    "pearson_r",
    "plot_limits",
    "reach",
    "read_comparison",
    "read_layout",
    "read_limits",
    "read_text",
    "rmse",
    "spectral_angle_deg",
    "write_comparison",
    "write_limits",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
