"""A laboratory that never was: raw files as its instruments write them, with a known truth."""

from batchlab.devices._synthetic._device import Device, laser_power_w
from batchlab.devices._synthetic._files import write_run
from batchlab.devices._synthetic._lab import Lab, Truth, write_lab

__all__ = ["Device", "Lab", "Truth", "laser_power_w", "write_lab", "write_run"]
