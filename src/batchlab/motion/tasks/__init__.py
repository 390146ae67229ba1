"""What this domain offers to the engine; a task is imported when it is asked for, with no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchlab._lazy import lazy_names

if TYPE_CHECKING:
    from batchlab.motion.tasks._eye import eye
    from batchlab.motion.tasks._eye_params import EYE_OUTPUTS, EYE_VIEWER, CameraParams, EyeParams, EyeWeightsParams
    from batchlab.motion.tasks._fit import fit
    from batchlab.motion.tasks._params import OUTPUTS, VIEWERS, ConventionParams, FitParams, WeightsParams
    from batchlab.motion.tasks._validate import ValidateParams, validate

_HOMES = {
    "_eye": ("eye",),
    "_eye_params": ("EYE_OUTPUTS", "EYE_VIEWER", "CameraParams", "EyeParams", "EyeWeightsParams"),
    "_fit": ("fit",),
    "_params": ("OUTPUTS", "VIEWERS", "ConventionParams", "FitParams", "WeightsParams"),
    "_validate": ("ValidateParams", "validate"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "EYE_OUTPUTS",
    "EYE_VIEWER",
    "OUTPUTS",
    "VIEWERS",
    "CameraParams",
    "ConventionParams",
    "EyeParams",
    "EyeWeightsParams",
    "FitParams",
    "ValidateParams",
    "WeightsParams",
    "eye",
    "fit",
    "validate",
]

__getattr__, __dir__ = lazy_names(__name__, _HOME_OF)
