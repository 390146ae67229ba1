"""What this domain adds to the report."""

from batchlab.spectra._panel._analytics import analytics_panel
from batchlab.spectra._panel._conformity import conformity_panel
from batchlab.spectra._panel._doubts import doubts_panel
from batchlab.spectra._panel._first import panel
from batchlab.spectra._panel._pictures import overview_panel
from batchlab.spectra._panel._truth import truths_of

__all__ = ["analytics_panel", "conformity_panel", "doubts_panel", "overview_panel", "panel", "truths_of"]
