"""What this domain adds to the report: what was read, what failed, shared limits, and pictures by orbit."""

from batchlab.particles._panel._demo import demo_panel
from batchlab.particles._panel._files import files_panel
from batchlab.particles._panel._limits import limits_panel
from batchlab.particles._panel._orbits import orbits_panel

__all__ = ["demo_panel", "files_panel", "limits_panel", "orbits_panel"]
