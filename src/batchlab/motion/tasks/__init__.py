"""What this domain offers to the engine; a task is imported when it is asked for, with no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchlab._lazy import lazy_names

if TYPE_CHECKING:
    from batchlab.motion.tasks._fit import fit
    from batchlab.motion.tasks._params import OUTPUTS, VIEWERS, ConventionParams, FitParams, WeightsParams
    from batchlab.motion.tasks._validate import ValidateParams, validate

_HOMES = {
    "_fit": ("fit",),
    "_params": ("OUTPUTS", "VIEWERS", "ConventionParams", "FitParams", "WeightsParams"),
    "_validate": ("ValidateParams", "validate"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "OUTPUTS",
    "VIEWERS",
    "ConventionParams",
    "FitParams",
    "ValidateParams",
    "WeightsParams",
    "fit",
    "validate",
]

__getattr__, __dir__ = lazy_names(__name__, _HOME_OF)
