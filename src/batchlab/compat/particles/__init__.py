"""The batch plotting of FAST spectrograms by the calls of an earlier program, run by this engine.

A program that was written for ``batch_multi_plot_FAST_spectrograms`` changes its import lines and nothing else. Limits
on time end what runs too long, what was done is never lost, and pictures have true energies and times.
"""

from batchlab._lazy import lazy_names

_HOMES = {
    "_datasets": ("generic_plot_spectrogram_set", "make_spectrogram"),
    "_directory": ("FAST_plot_spectrograms_directory",),
    "_extrema": ("compute_global_extrema",),
    "_generic": ("generic_batch_plot",),
    "_grids": ("FAST_plot_instrument_grid", "FAST_plot_pitch_angle_grid", "fast_datasets"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)

__getattr__, __dir__ = lazy_names(__name__, _HOME, kept=False)
