"""The only place of this domain that opens files."""

from batchlab.spectra._read._apply import apply_plan
from batchlab.spectra._read._band import read_band
from batchlab.spectra._read._comparison import read_comparison, write_comparison
from batchlab.spectra._read._layout import Layout, read_layout
from batchlab.spectra._read._observation import ColumnFacts, Observation, observe
from batchlab.spectra._read._plot_limits import read_limits, write_limits
from batchlab.spectra._read._recognize import Alternative, Recognition, recognize
from batchlab.spectra._read._spectra import read_spectra, read_spectrum

__all__ = [
    "Alternative",
    "ColumnFacts",
    "Layout",
    "Observation",
    "Recognition",
    "apply_plan",
    "observe",
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
]

# The name under which text alone was read.
read_text = read_spectrum
