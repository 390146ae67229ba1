"""Take out of a spectrum what scatter did to it, by fitting it to the reference."""

from __future__ import annotations

import numpy as np

from batchlab.spectra._model import Array
from batchlab.spectra._normalization import degenerate, refuse_constant
from batchlab.spectra._pretreatment import _steps
from batchlab.spectra._signal import Signal

__all__ = ["emsc", "fit_to_reference", "msc"]

_ROUNDING = 64 * np.finfo(np.float64).eps


def msc(_: _steps.Msc, signal: Signal, target: Signal | None) -> Signal:
    """Multiplicative scatter correction; the reference itself is left as it is."""
    return _fitted(signal, target, 0)


def emsc(step: _steps.Emsc, signal: Signal, target: Signal | None) -> Signal:
    """Extended multiplicative scatter correction; the reference itself is left as it is."""
    return _fitted(signal, target, step.polynomial)


def fit_to_reference(axis: Array, intensity: Array, reference: Array, polynomial: int = 0) -> tuple[Array, float]:
    """Fit scale times reference plus a polynomial along the axis, and take both out.

    Parameters
    ----------
    axis : (n,) array
        The common axis, strictly monotone.
    intensity, reference : (n,) arrays
        The signals on it.
    polynomial
        Order of the polynomial: 0 is MSC [1]_, 1 and more EMSC [2]_.

    Returns
    -------
    corrected : (n,) array
        (intensity - polynomial) / scale, in the reference's unit.
    scale : float
        How many times as high as the reference the sample is.

    Raises
    ------
    DataError
        Reason ``degenerate-spectrum``: the reference is a polynomial of that order itself, or the sample runs
        against it.

    References
    ----------
    .. [1] Geladi, MacDougall and Martens, *Appl. Spectrosc.* 39 (1985) 491-500.
    .. [2] Martens and Stark, *J. Pharm. Biomed. Anal.* 9 (1991) 625-635.
    """
    position = 2.0 * (axis - axis.min()) / (axis.max() - axis.min()) - 1.0
    terms = np.polynomial.legendre.legvander(position, polynomial)
    # Against the reference free of the polynomial, so that its scale stands alone.
    coarse = terms @ np.linalg.lstsq(terms, reference, rcond=None)[0]
    shape = reference - coarse
    size = float(np.linalg.norm(shape))
    if size <= _ROUNDING * axis.size * float(np.linalg.norm(reference)):
        raise degenerate("the reference has no shape beside the polynomial that is taken out; use a lower order")
    own = intensity - terms @ np.linalg.lstsq(terms, intensity, rcond=None)[0]
    scale = float(np.dot(shape / size, own / size))
    if scale <= _ROUNDING * float(np.linalg.norm(own)) / size:
        raise degenerate(f"it is {scale:.3g} times the reference, so it runs against it; use snv to compare them")
    corrected: Array = own / scale + coarse
    return corrected, scale


def _fitted(signal: Signal, target: Signal | None, polynomial: int) -> Signal:
    if target is None:
        raise degenerate("there is no reference to fit to")
    refuse_constant(signal.intensity, "a scatter correction")
    if target is signal:
        return signal
    return signal.having(fit_to_reference(signal.axis, signal.intensity, target.intensity, polynomial)[0])
