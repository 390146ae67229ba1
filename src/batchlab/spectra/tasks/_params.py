"""What the tasks of this domain ask in common: how files are read, and what is done before spectra are compared."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from batchlab.spectra._kinds import AxisKind, Normalization, Quantity
from batchlab.spectra._recipe import Recipe
from batchlab.spectra._unit_words import stated_axis_unit, stated_signal_unit

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
    axis_kind: AxisKind | None = Field(
        None, description="what the axis is, where the files do not say; where one says another, a warning tells"
    )
    axis_unit: str | None = Field(None, description="its unit, likewise; it has to be one of axis_kind")
    quantity: Quantity | None = Field(None, description="what the signal is, likewise")
    unit: str | None = Field(None, description="its unit, likewise; it has to be one of quantity")

    @field_validator("axis_unit")
    @classmethod
    def _unit_of_its_axis(cls, unit: str | None, info: ValidationInfo) -> str | None:
        return unit if unit is None else stated_axis_unit(unit, info.data.get("axis_kind"))

    @field_validator("unit")
    @classmethod
    def _unit_of_its_signal(cls, unit: str | None, info: ValidationInfo) -> str | None:
        return unit if unit is None else stated_signal_unit(unit, info.data.get("quantity"))

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
