"""The solver: one body, its poses and its geometry, from markers of one or more recordings."""

from __future__ import annotations

from batchlab.motion._solve._fit import fit_body
from batchlab.motion._solve._gauge import aligned, convention_frame, principal_axes
from batchlab.motion._solve._kabsch import kabsch
from batchlab.motion._solve._oracle import OwnTerm, fit_body_by_scipy
from batchlab.motion._solve._rotations import exponentials, from_quaternions, logarithms, slerp

__all__ = [
    "OwnTerm",
    "aligned",
    "convention_frame",
    "exponentials",
    "fit_body",
    "fit_body_by_scipy",
    "from_quaternions",
    "kabsch",
    "logarithms",
    "principal_axes",
    "slerp",
]
