"""What this domain offers to the engine."""

from batchlab.particles.tasks._collapse import collapse
from batchlab.particles.tasks._limits import LimitsParams, limits
from batchlab.particles.tasks._plot import PlotParams, RowParams, plot
from batchlab.particles.tasks._reading import Directions, ReadingParams

__all__ = [
    "Directions",
    "LimitsParams",
    "PlotParams",
    "ReadingParams",
    "RowParams",
    "collapse",
    "limits",
    "plot",
]
