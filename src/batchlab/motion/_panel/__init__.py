"""What this domain adds to the report: panels of fits, eyes and scores; and, in `_page`, a page for each fit."""

from batchlab.motion._panel._eyes import eyes_panel
from batchlab.motion._panel._panels import fits_panel, folds_panel, scores_panel
from batchlab.motion._panel._truth import demo_panel

__all__ = ["demo_panel", "eyes_panel", "fits_panel", "folds_panel", "scores_panel"]
