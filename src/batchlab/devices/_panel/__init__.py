"""What this domain adds to the report: a panel over all chips, and a page for each."""

from batchlab.devices._panel._names import INDEX, OVERVIEW
from batchlab.devices._panel._pages import write_pages
from batchlab.devices._panel._panels import chips_panel, demo_panel

__all__ = ["INDEX", "OVERVIEW", "chips_panel", "demo_panel", "write_pages"]
