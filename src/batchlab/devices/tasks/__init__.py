"""What this domain offers to the engine."""

from batchlab.devices.tasks._plot import PlotParams, RunParam, plot

__all__ = ["PlotParams", "RunParam", "plot"]
