"""Robust losses of squared, normalised residuals: value, weight, second derivative."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, assert_never

import numpy as np

from batchlab.motion._model import Loss

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

__all__ = ["CONVEX", "default_scale", "loss_curvatures", "loss_values", "loss_weights", "residual_unit"]

CONVEX = frozenset({Loss.SQUARED, Loss.HUBER})
# Median of the length of three independent standard normal numbers.
_MEDIAN_LENGTH = 1.5381722544550522
# Of lengths of one, two and three coordinates. Where errors are normal, places have a variance that is larger by 5 %
# than by least squares; Huber's 2 costs 1, 2 and 2.5 %.
_SCALES = {
    Loss.SQUARED: (1.0, 1.0, 1.0),
    Loss.HUBER: (2.0, 2.0, 2.0),
    Loss.CAUCHY: (2.4, 2.55, 2.7),
    Loss.GEMAN_MCCLURE: (3.8, 4.1, 4.35),
    Loss.TUKEY: (4.7, 5.1, 5.5),
}
# A unit below this share of the stated standard deviation would make rounding an outlier.
_UNIT_MIN = 1e-3


def default_scale(loss: Loss, coordinates: int) -> float:
    """Where a loss bends unless told, in standard deviations, for residuals of one, two or three coordinates."""
    return _SCALES[loss][coordinates - 1]


def loss_values(loss: Loss, squares: Float, scale: float) -> Float:
    """What each squared length counts; twice the cost.

    Parameters
    ----------
    loss
        Which.
    squares
        Squared residual lengths over their variance.
    scale
        Where the loss starts to bend, in standard deviations.
    """
    if loss is Loss.SQUARED:
        return squares
    bend = scale * scale
    if loss is Loss.HUBER:
        return np.where(squares <= bend, squares, 2.0 * scale * np.sqrt(squares) - bend)
    if loss is Loss.CAUCHY:
        return bend * np.log1p(squares / bend)
    if loss is Loss.GEMAN_MCCLURE:
        return squares / (1.0 + squares / bend)
    if loss is Loss.TUKEY:
        inside = 1.0 - np.minimum(squares / bend, 1.0)
        return bend / 3.0 * (1.0 - inside**3)
    assert_never(loss)


def loss_weights(loss: Loss, squares: Float, scale: float) -> Float:
    """Derivative of `loss_values` with respect to `squares`: from 0 to 1."""
    if loss is Loss.SQUARED:
        return np.ones_like(squares)
    bend = scale * scale
    if loss is Loss.HUBER:
        return scale / np.sqrt(np.maximum(squares, bend))
    if loss is Loss.CAUCHY:
        return 1.0 / (1.0 + squares / bend)
    if loss is Loss.GEMAN_MCCLURE:
        return 1.0 / (1.0 + squares / bend) ** 2
    if loss is Loss.TUKEY:
        return (1.0 - np.minimum(squares / bend, 1.0)) ** 2
    assert_never(loss)


def loss_curvatures(loss: Loss, squares: Float, scale: float) -> Float:
    """Twice the derivative of `loss_weights` with respect to `squares`, never positive.

    Held where it would more than undo the stiffness along the residual: beyond, a loss that falls off is concave.
    """
    if loss is Loss.SQUARED:
        return np.zeros_like(squares)
    bend = scale * scale
    safe = np.maximum(squares, 1e-12 * bend)
    if loss is Loss.HUBER:
        return np.where(squares > bend, -scale / safe**1.5, 0.0)
    weights = loss_weights(loss, squares, scale)
    if loss is Loss.CAUCHY:
        relative = 2.0 / (bend + squares)
    elif loss is Loss.GEMAN_MCCLURE:
        relative = 4.0 / (bend + squares)
    elif loss is Loss.TUKEY:
        relative = 4.0 / np.maximum(bend - squares, 1e-9 * bend)
    else:
        assert_never(loss)
    out: Float = -weights * np.minimum(relative, 1.0 / safe)
    return out


def residual_unit(squares: Float, freedom: float) -> float:
    """Standard deviation of normalised residuals told by their median.

    Parameters
    ----------
    squares
        Squared lengths of measured residuals over their variance, any shape.
    freedom
        Degrees of freedom over number of coordinates: fitted residuals are smaller than errors by its root.
    """
    if not squares.size:
        return 1.0
    length = float(np.sqrt(np.median(squares)))
    return float(max(length / _MEDIAN_LENGTH / np.sqrt(max(freedom, 0.05)), _UNIT_MIN))
