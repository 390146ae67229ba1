"""A recipe: what is done to a reference and to its samples alike before they are compared; and doing it.

Loads no numpy before it is carried out, so that params of a task can be one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, MutableMapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from batchlab.errors import BatchlabError, DataError
from batchlab.spectra._kinds import AxisKind, Common, Interpolation, Joins, Normalization, Quantity, Technique
from batchlab.spectra._presets import PRESETS
from batchlab.spectra._pretreatment._steps import Step
from batchlab.spectra._unit_words import stated_axis_unit, stated_signal_unit
from batchlab.spectra._wrong import config_error

if TYPE_CHECKING:
    from batchlab.spectra._common_axis import OnCommonAxis
    from batchlab.spectra._model import Spectrum
    from batchlab.spectra._signal import Signal

__all__ = ["Common", "Grid", "Interpolation", "Recipe", "prepare"]

LEAST_COVERAGE = 0.1
_MOST_POINTS = 1_000_000


class Grid(BaseModel):
    """Points of equal distance, in the axis unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: FiniteFloat
    stop: FiniteFloat
    step: FiniteFloat = Field(gt=0)

    @model_validator(mode="after")
    def _some_points(self) -> Grid:
        if not self.start < self.stop:
            raise ValueError(f"start {self.start:g} is not below stop {self.stop:g}")
        if not 2 < (self.stop - self.start) / self.step < _MOST_POINTS:
            raise ValueError(f"a step of {self.step:g} makes no sensible grid from {self.start:g} to {self.stop:g}")
        return self

    @property
    def count(self) -> int:
        """Number of points, from start to stop, both included where the step divides the range."""
        return int((self.stop - self.start) / self.step * (1 + 1e-12) + 1e-9) + 1


class Recipe(BaseModel):
    """What is done before a comparison, to reference and sample alike, in this order.

    The axis is converted, then the signal, each on its own axis; then the steps run in the order of their list: up to
    the first normalisation on each spectrum's own axis, from it on at the points common to both. Without any of it
    the numbers are those of the files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    def __init__(self, **given: Any) -> None:
        """Make a recipe, or say in a ConfigError all that is wrong with it."""
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise config_error(error, Recipe, "recipe") from None

    # So that pydantic collects the problems of a recipe that stands in other params, and does not call this.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    joins: Joins | tuple[FiniteFloat, ...] = Field(
        Joins.MIDDLE,
        description="where detectors overlap: middle cuts each overlap in the middle, keep keeps all points, "
        "[990, 1900] cuts there, in the files' axis unit",
    )
    preset: Technique | None = Field(None, description="a technique, whose custom holds where nothing is written")
    to_axis: AxisKind | None = Field(None, description="the axis to convert to, such as wavenumber")
    to_axis_unit: str | None = None
    laser_nm: FiniteFloat | None = Field(
        None, gt=0, description="laser line, between Raman shift and wavelength; by default what the files say"
    )
    to_quantity: Quantity | None = Field(None, description="the quantity to convert to, such as absorbance")
    to_unit: str | None = None
    steps: tuple[Step, ...] = ()
    common: Common = Common.OVERLAP
    grid: Grid | None = Field(None, description="start, stop and step, for common: grid")
    interpolation: Interpolation = Interpolation.LINEAR
    least_coverage: float = Field(LEAST_COVERAGE, ge=0, le=1, description="least share of the reference's range")

    @field_validator("joins", mode="before")
    @classmethod
    def _known_joins(cls, given: Any) -> Any:
        if isinstance(given, int | float):
            return (given,)
        if isinstance(given, str) and given.strip().lower() not in tuple(Joins):
            raise ValueError(f"{given!r}: write middle, keep, or a position for each join, such as [990, 1900]")
        return given

    @field_validator("to_axis_unit")
    @classmethod
    def _unit_of_axis(cls, unit: str | None, info: ValidationInfo) -> str | None:
        return unit if unit is None else stated_axis_unit(unit, info.data.get("to_axis"))

    @field_validator("to_unit")
    @classmethod
    def _unit_of_signal(cls, unit: str | None, info: ValidationInfo) -> str | None:
        return unit if unit is None else stated_signal_unit(unit, info.data.get("to_quantity"))

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, given: Any) -> Any:
        """Fill what is not written from the preset; a grid alone says that it is wanted."""
        if not isinstance(given, dict):
            return given
        filled = dict(given)
        if filled.get("grid") is not None:
            filled.setdefault("common", Common.GRID)
        try:
            preset = PRESETS[Technique(filled["preset"])]
        except (KeyError, ValueError, TypeError):
            return filled  # none, or a word that is none: the field itself says so, beside all else that is wrong
        return {**preset.recipe, **filled}

    @model_validator(mode="after")
    def _whole(self) -> Recipe:
        if (self.grid is not None) != (self.common is Common.GRID):
            raise ValueError("common: grid needs a grid: {start, stop, step}, and no other mode takes one")
        for unit, of in (("to_axis_unit", "to_axis"), ("to_unit", "to_quantity")):
            if getattr(self, unit) is not None and getattr(self, of) is None:
                raise ValueError(f"{unit} is the unit of {of}; say that too, or leave it out")
        return self

    def normalized(self, method: Normalization) -> Recipe:
        """The same with a normalisation as its last step."""
        if method is Normalization.NONE:
            return self
        last = Recipe.model_validate({"steps": [method.value]}).steps
        return self.model_copy(update={"steps": (*self.steps, *last)})

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Only what it says beyond the defaults."""
        for name, value in self._said:
            yield name, tuple(map(str, value)) if name == "steps" else getattr(value, "value", value)

    def __str__(self) -> str:
        return repr(self)

    @property
    def _said(self) -> list[tuple[str, Any]]:
        fields = type(self).model_fields.items()
        return [(name, value) for name, each in fields if (value := getattr(self, name)) != each.default]

    def _repr_html_(self) -> str:
        """What it says beyond the defaults, its steps one below the other, as a notebook shows it."""
        from batchlab.spectra._notebook import page_of, table_of

        said = [(name, getattr(value, "value", value)) for name, value in self._said if name != "steps"]
        steps = [(f"step {number}", str(step)) for number, step in enumerate(self.steps, start=1)]
        nothing = () if said or steps else ("nothing is done: the numbers are those of the files",)
        return page_of("Recipe", table_of([*said, *steps]), notes=nothing)

    @property
    def parted(self) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        """The steps before the first normalisation, and those from it on."""
        first = next((i for i, step in enumerate(self.steps) if step.normalizes), len(self.steps))
        return self.steps[:first], self.steps[first:]

    @property
    def own(self) -> bool:
        """Whether anything is done to a spectrum on its own axis."""
        return self.to_axis is not None or self.to_quantity is not None or bool(self.parted[0])


def prepare(
    reference: Spectrum,
    sample: Spectrum,
    recipe: Recipe | None = None,
    memory: MutableMapping[str, Any] | None = None,
) -> OnCommonAxis:
    """Do to a reference and to a sample what a recipe says, and bring them to one axis.

    Parameters
    ----------
    reference, sample
        As read.
    recipe
        What is done; by default nothing, so that the numbers are those of the files.
    memory
        Where the prepared reference is kept, by its content and the recipe: the second sample of a process finds it
        there. It changes no result.

    Returns
    -------
    OnCommonAxis
        The two signals, with what was done to them.

    Raises
    ------
    DataError
        As `common_axis`, `to_axis`, `to_quantity` and the steps; a message says whose spectrum it was and in which
        step.
    """
    from batchlab.spectra._common_axis import join
    from batchlab.spectra._laser import laser_without_effect
    from batchlab.spectra._quantities import mix_up
    from batchlab.spectra._signal import signal_of

    recipe = recipe or _PLAIN
    if recipe.own:
        one, other = _remembered(reference, recipe, memory), _on_its_own(sample, "the sample", recipe)
    else:
        one, other = (
            signal_of(reference, "the reference", _laser_of(reference, recipe), recipe.joins),
            signal_of(sample, "the sample", _laser_of(sample, recipe), recipe.joins),
        )
    both = join(
        one,
        other,
        common=recipe.common,
        grid=recipe.grid,
        interpolation=recipe.interpolation,
        least_coverage=recipe.least_coverage,
    )
    doubts: list[tuple[str, ...]] = []
    for spectrum, role in ((reference, "the reference"), (sample, "the sample")):
        doubt = mix_up(spectrum.quantity, spectrum.unit, spectrum.intensity)
        doubts.append(() if doubt is None else (f"{_called(spectrum, role)}: {doubt}",))
    idle = laser_without_effect(recipe, (reference.axis_kind, sample.axis_kind))
    if idle is not None:
        doubts[0] = (*doubts[0], idle)
    if any(doubts):
        of_reference, of_sample = doubts
        both = replace(
            both,
            warnings=(*of_reference, *of_sample, *both.warnings),
            reference_warnings=(*of_reference, *both.reference_warnings),
        )
    if not recipe.own and not recipe.steps:
        return replace(both, done=_splicing(one, other))
    shared = recipe.parted[1]
    if shared:
        from batchlab.spectra._pretreatment._apply import apply_to_both

        both = apply_to_both(both, shared, one, other)
    done = [f"to_axis({recipe.to_axis.value}){_by_lasers(reference, sample, recipe)}"] if recipe.to_axis else []
    done += [f"to_quantity({recipe.to_quantity.value})"] if recipe.to_quantity is not None else []
    return replace(
        both,
        done=(*_splicing(one, other), *done, *map(str, recipe.steps)),
        treated=tuple(step.step for step in recipe.steps if step.changes),
    )


_PLAIN = Recipe.model_validate({})


def _laser_of(spectrum: Spectrum, recipe: Recipe) -> float | None:
    """The laser line that is stated, or else the one that the file says."""
    from batchlab.spectra._laser import laser_line_of

    return laser_line_of(spectrum.metadata) if recipe.laser_nm is None else recipe.laser_nm


def _by_lasers(reference: Spectrum, sample: Spectrum, recipe: Recipe) -> str:
    """Which laser lines were used where the files say them; empty where none was, and where it is stated."""
    if AxisKind.RAMAN_SHIFT not in (reference.axis_kind, sample.axis_kind, recipe.to_axis) or recipe.laser_nm:
        return ""
    lines = {line for line in (_laser_of(each, recipe) for each in (reference, sample)) if line is not None}
    return f" by the laser line of {' and '.join(f'{line:g}' for line in sorted(lines))} nm" if lines else ""


def _splicing(one: Signal, other: Signal) -> tuple[str, ...]:
    """Where the detectors of both were cut, or of the one that has some."""
    if one.spliced == other.spliced:
        return (one.spliced,) if one.spliced else ()
    return tuple(f"the {each.spliced} of {each.name}" for each in (one, other) if each.spliced)


def _on_its_own(spectrum: Spectrum, role: str, recipe: Recipe) -> Signal:
    """Convert a spectrum, and take the steps that it needs no other spectrum for."""
    from batchlab.spectra._joins import splice
    from batchlab.spectra._pretreatment._apply import apply, converted
    from batchlab.spectra._signal import signal_of
    from batchlab.spectra._units import to_axis

    told = len(spectrum.warnings)
    raman = AxisKind.RAMAN_SHIFT is spectrum.axis_kind or Technique.RAMAN is spectrum.technique
    if raman and recipe.preset is Technique.FTIR:
        raise DataError(
            f"{_called(spectrum, role)} is a Raman spectrum, and the preset {recipe.preset} is for the infrared; use "
            f"preset {Technique.RAMAN}",
            reason="no-such-conversion",
        )
    laser_nm = _laser_of(spectrum, recipe)
    try:
        spectrum, spliced, warning = splice(spectrum, recipe.joins)
        if warning is not None:
            spectrum = replace(spectrum, warnings=(*spectrum.warnings, f"{_called(spectrum, role)}: {warning}"))
        if recipe.to_axis is not None:
            spectrum = to_axis(spectrum, recipe.to_axis, recipe.to_axis_unit, laser_nm=laser_nm)
        signal = replace(
            signal_of(spectrum, role, laser_nm, recipe.joins),
            warnings=spectrum.warnings[told:],
            spliced=spliced,
        )
        if recipe.to_quantity is not None:
            signal = converted(signal, recipe.to_quantity, recipe.to_unit)
    except BatchlabError as error:
        raise DataError(f"{_called(spectrum, role)}: {error}", category=error.category, reason=error.reason) from error
    for step in recipe.parted[0]:
        signal = apply(step, signal)
    return signal


def _remembered(reference: Spectrum, recipe: Recipe, memory: MutableMapping[str, Any] | None) -> Signal:
    """The prepared reference, from memory if it is there."""
    if memory is None:
        return _on_its_own(reference, "the reference", recipe)
    digest = hashlib.blake2b(digest_size=16)
    for part in (reference.axis, reference.intensity):
        digest.update(part.tobytes())
    said = (reference.axis_kind, reference.axis_unit, reference.quantity, reference.unit, reference.name)
    digest.update(repr((said, _laser_of(reference, recipe), len(reference), recipe.model_dump(mode="json"))).encode())
    key = f"batchlab.spectra.prepared.{digest.hexdigest()}"
    if key not in memory:
        memory[key] = _on_its_own(reference, "the reference", recipe)
    signal: Signal = memory[key]
    return signal


def _called(spectrum: Spectrum, role: str) -> str:
    return f"{role} {spectrum.name!r}" if spectrum.name else role
