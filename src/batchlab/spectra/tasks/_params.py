"""What the tasks of this domain ask in common: how files are read, and how signals are made comparable."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from batchlab.spectra._kinds import AxisKind, Normalization, Quantity

__all__ = ["LIBRARIES", "Length", "Limits", "Reading"]

LIBRARIES = ("numpy",)


def _running_up(pair: tuple[float, float]) -> tuple[float, float]:
    if not (math.isfinite(pair[0]) and math.isfinite(pair[1]) and pair[0] < pair[1]):
        raise ValueError(f"write [LOW, HIGH], two numbers that run upwards, not [{pair[0]:g}, {pair[1]:g}]")
    return pair


Limits = Annotated[tuple[float, float], AfterValidator(_running_up)]
Length = Annotated[float, Field(gt=0, le=100)]


class Reading(BaseModel):
    """How the files are read, and how their signals are made comparable."""

    model_config = ConfigDict(extra="forbid")

    normalization: Normalization = Normalization.NONE
    least_coverage: float = Field(0.1, ge=0, le=1, description="least share of the reference's range to be covered")
    axis: int | str | None = Field(None, description="axis column, by name or number from 0")
    column: int | str | None = Field(None, description="intensity column, by name or number from 0")
    axis_kind: AxisKind | None = Field(None, description="what the axis is, where the files do not say")
    axis_unit: str | None = None
    quantity: Quantity | None = Field(None, description="what the signal is, where the files do not say")
    unit: str | None = None

    @property
    def reading(self) -> dict[str, Any]:
        """Options of `read_text`."""
        return self.model_dump(include={"axis", "column", "axis_kind", "axis_unit", "quantity", "unit"})
