"""What this domain offers to the engine; a task is imported when it is asked for, with no other."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
