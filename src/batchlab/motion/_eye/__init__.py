"""An eye before a camera: where it looks, how wide its pupil is, where its centre lies."""

from __future__ import annotations

from batchlab.motion._eye._fit import fit_eye
from batchlab.motion._eye._model import PUPIL_LABS, Camera, Edge, EyeFit, EyeOptions, camera_of_lens, gaze_vectors
from batchlab.motion._eye._shown import EyeQuality, eye_quality, fitted_pixels, measured_pixels, pupil_scale
from batchlab.motion._eye._vendor import eyes_of_gaze

__all__ = [
    "PUPIL_LABS",
    "Camera",
    "Edge",
    "EyeFit",
    "EyeOptions",
    "EyeQuality",
    "camera_of_lens",
    "eye_quality",
    "eyes_of_gaze",
    "fit_eye",
    "fitted_pixels",
    "gaze_vectors",
    "measured_pixels",
    "pupil_scale",
]
