"""An eye before a camera: where it looks, how wide its pupil is, where its centre lies."""

from __future__ import annotations

from batchlab.motion._eye._fit import fit_eye
from batchlab.motion._eye._model import PUPIL_LABS, Camera, Edge, EyeFit, EyeOptions, camera_of_lens, gaze_vectors

__all__ = ["PUPIL_LABS", "Camera", "Edge", "EyeFit", "EyeOptions", "camera_of_lens", "fit_eye", "gaze_vectors"]
