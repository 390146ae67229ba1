"""Fits as files in open formats, and a geometry back from its file."""

from __future__ import annotations

from batchlab.motion._write._eye import eye_report, write_gaze, write_points
from batchlab.motion._write._geometry import geometry_for, read_geometry, write_geometry
from batchlab.motion._write._report import report_of, write_report
from batchlab.motion._write._tables import write_markers, write_poses

__all__ = [
    "eye_report",
    "geometry_for",
    "read_geometry",
    "report_of",
    "write_gaze",
    "write_geometry",
    "write_markers",
    "write_points",
    "write_poses",
    "write_report",
]
