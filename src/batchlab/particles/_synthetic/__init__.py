"""A mission that never was: files as the archive of FAST holds them, with a known truth."""

from batchlab.particles._synthetic._bright import BrightCell, one_bright_cell
from batchlab.particles._synthetic._broken import write_broken
from batchlab.particles._synthetic._cdf_file import Column, write_cdf
from batchlab.particles._synthetic._mission import Mission, write_mission
from batchlab.particles._synthetic._orbit_data import FIRST_ORBIT, Truth

__all__ = [
    "FIRST_ORBIT",
    "BrightCell",
    "Column",
    "Mission",
    "Truth",
    "one_bright_cell",
    "write_broken",
    "write_cdf",
    "write_mission",
]
