"""The only place of this domain that opens files."""

from batchlab.spectra._read._comparison import read_comparison, write_comparison
from batchlab.spectra._read._plot_limits import read_limits, write_limits
from batchlab.spectra._read._text import Layout, read_layout, read_text

__all__ = [
    "Layout",
    "read_comparison",
    "read_layout",
    "read_limits",
    "read_text",
    "write_comparison",
    "write_limits",
]
