"""What a fit says about its recording: markers that are loose, swapped, off, hidden; a body that is flat."""

from __future__ import annotations

from batchlab.motion._judge._judge import Judgement, judge
from batchlab.motion._judge._markers import MarkerRow, marker_rows, marker_units
from batchlab.motion._judge._outliers import OutlierRun, outlier_runs
from batchlab.motion._judge._swaps import SwapRun, swap_runs, unswapped

__all__ = [
    "Judgement",
    "MarkerRow",
    "OutlierRun",
    "SwapRun",
    "judge",
    "marker_rows",
    "marker_units",
    "outlier_runs",
    "swap_runs",
    "unswapped",
]
