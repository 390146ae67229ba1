"""Reports: what a recorded batch tells, as CSV, JSON and one HTML file.

A report is a pure function of a `batchlab.engine.BatchView`: it works alike for a finished, running, crashed,
empty or old batch, and the same view gives the same bytes.
"""

from batchlab.reports._failures import FailureGroup, failures
from batchlab.reports._left import left_over
from batchlab.reports._panel import PANEL_GROUP, Drawing, Grid, Panel, Table, find_panels
from batchlab.reports._statistics import statistics
from batchlab.reports._truth import TRUTH, Finding, read_truth, truth_panel
from batchlab.reports._warnings import WarningGroup, warning_groups
from batchlab.reports._write import Reports, write_reports

__all__ = [
    "PANEL_GROUP",
    "TRUTH",
    "Drawing",
    "FailureGroup",
    "Finding",
    "Grid",
    "Panel",
    "Reports",
    "Table",
    "WarningGroup",
    "failures",
    "find_panels",
    "left_over",
    "read_truth",
    "statistics",
    "truth_panel",
    "warning_groups",
    "write_reports",
]
