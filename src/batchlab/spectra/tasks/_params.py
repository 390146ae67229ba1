"""What the tasks of this domain ask in common: how files are read, and what is done before spectra are compared."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from batchlab.spectra._kinds import AxisKind, Normalization, Quantity
from batchlab.spectra._recipe import Recipe

__all__ = ["LIBRARIES", "TABLES", "Length", "Limits", "Preparation", "Reading"]

TABLES = (".csv", ".csv.gz", ".csv.zst")
LIBRARIES = ("numpy", "scipy", "pybaselines")


def _running_up(pair: tuple[float, float]) -> tuple[float, float]:
    if not (math.isfinite(pair[0]) and math.isfinite(pair[1]) and pair[0] < pair[1]):
        raise ValueError(f"write [LOW, HIGH], two numbers that run upwards, not [{pair[0]:g}, {pair[1]:g}]")
    return pair


Limits = Annotated[tuple[float, float], AfterValidator(_running_up)]
Length = Annotated[float, Field(gt=0, le=100)]


class Reading(BaseModel):
    """How files are read: what they do not say themselves."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    spectrum: int | str | None = Field(None, description="which of a file's spectra, by name or number from 0")
    axis: int | str | None = Field(None, description="axis column, by name or number from 0")
    column: int | str | None = Field(None, description="intensity column, by name or number from 0")
    axis_kind: AxisKind | None = Field(None, description="what the axis is, where the files do not say")
    axis_unit: str | None = None
    quantity: Quantity | None = Field(None, description="what the signal is, where the files do not say")
    unit: str | None = None

    @property
    def reading(self) -> dict[str, Any]:
        """Options of `read_spectrum`."""
        return {name: getattr(self, name) for name in Reading.model_fields}

    @property
    def stated(self) -> dict[str, Any]:
        """Options of `read_spectra`: what holds for every spectrum of a file."""
        return {name: getattr(self, name) for name in ("axis_kind", "axis_unit", "quantity", "unit")}


class Preparation(Recipe, Reading):
    """The same, and what is done to the spectra before they are compared."""

    normalization: Normalization = Field(Normalization.NONE, description="the last step, if any")

    @property
    def recipe(self) -> Recipe:
        """What is done, without the normalisation."""
        return Recipe.model_construct(**{name: getattr(self, name) for name in Recipe.model_fields})
