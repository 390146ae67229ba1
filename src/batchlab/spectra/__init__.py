"""Optical spectra: read them from what instruments export, and compare many with one reference."""

from batchlab.spectra._common_axis import OnCommonAxis, common_axis, interpolate_overlap
from batchlab.spectra._model import AxisKind, Quantity, Spectrum, axis_label, intensity_label
from batchlab.spectra._normalization import Normalization, area, normalize
from batchlab.spectra._read import Layout, read_comparison, read_layout, read_text, write_comparison
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

__all__ = [
    "AxisKind",
    "Comparison",
    "Layout",
    "Normalization",
    "OnCommonAxis",
    "Quantity",
    "Spectrum",
    "area",
    "area_ratio",
    "axis_label",
    "common_axis",
    "compare",
    "format_comparison",
    "intensity_label",
    "interpolate_overlap",
    "max_deviation",
    "normalize",
    "parse_comparison",
    "pearson_r",
    "read_comparison",
    "read_layout",
    "read_text",
    "rmse",
    "spectral_angle_deg",
    "write_comparison",
]
