"""Pretreatment: steps as data, and the mathematics of each in a file of its own. Loads no numpy by itself."""

from __future__ import annotations

from batchlab.spectra._pretreatment._menu import METHODS
from batchlab.spectra._pretreatment._region import REGIONS, Region
from batchlab.spectra._pretreatment._steps import STEPS, AnyStep, Step

__all__ = ["METHODS", "REGIONS", "STEPS", "AnyStep", "Region", "Step"]
