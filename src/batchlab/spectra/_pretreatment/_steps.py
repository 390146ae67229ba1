"""The steps of a pretreatment as a batch file writes them: what to do, and with which numbers. Loads no numpy."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, model_validator

from batchlab.spectra._kinds import Quantity
from batchlab.spectra._pretreatment._menu import checked
from batchlab.spectra._pretreatment._region import REGIONS, Region

__all__ = ["STEPS", "AnyStep", "Step", "Windowed"]


class _Step(BaseModel):
    """One thing that is done to the reference and to the sample alike."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    main: ClassVar[str | None] = None  # the parameter that a short form gives
    normalizes: ClassVar[bool] = False  # takes offset or scale out, so it wants the points common to both
    changes: ClassVar[bool] = False  # makes another quantity of the signal

    def __str__(self) -> str:
        given = self.model_dump(mode="json", exclude={"step"}, exclude_none=True)
        return f"{self.step}({', '.join(f'{key}={value}' for key, value in given.items())})"  # type: ignore[attr-defined]


class Windowed(_Step):
    """A window, in points or in the axis unit."""

    main: ClassVar[str | None] = "window_points"

    window_points: int | None = Field(None, ge=3, description="odd number of points")
    window_width: FiniteFloat | None = Field(
        None, gt=0, description="in the axis unit: the same width for spectra of different spacing"
    )

    @model_validator(mode="after")
    def _one_window(self) -> Windowed:
        if (self.window_points is None) == (self.window_width is None):
            raise ValueError("write window_points or window_width, one of them")
        if self.window_points is not None and self.window_points % 2 == 0:
            raise ValueError(f"window_points {self.window_points} is even; write an odd number, such as "
                             f"{self.window_points + 1}")  # fmt: skip
        least = getattr(self, "polynomial", 0) + 1
        if self.window_points is not None and self.window_points < least:
            raise ValueError(f"a polynomial of order {least - 1} needs a window of more than {least - 1} points")
        return self


class Despike(_Step):
    """Take out cosmic rays and dead pixels."""

    step: Literal["despike"] = "despike"
    main: ClassVar[str | None] = "threshold"
    threshold: FiniteFloat = Field(7.0, gt=0, description="modified z-score from which a jump is one of a spike")
    widest_points: int = Field(3, ge=1, le=20, description="what is wider is a band")


class Cut(_Step):
    """Keep these regions alone."""

    step: Literal["cut"] = "cut"
    main: ClassVar[str | None] = "regions"
    regions: Annotated[tuple[Region, ...], BeforeValidator(lambda given: _ranges(given))]


class Mask(_Step):
    """Take these regions out; nothing is computed across what they leave."""

    step: Literal["mask"] = "mask"
    main: ClassVar[str | None] = "regions"
    regions: Annotated[
        tuple[str | Region, ...],
        BeforeValidator(lambda given: _known_regions(given)),
    ] = Field(description=f"[low, high] in the axis unit, or a name: {', '.join(REGIONS)}")


class SavitzkyGolay(Windowed):
    """Smooth by local polynomials."""

    step: Literal["savgol"] = "savgol"
    polynomial: int = Field(2, ge=0, le=6, description="order of the local polynomial")


class MovingMean(Windowed):
    """Smooth by the mean of a window."""

    step: Literal["moving-mean"] = "moving-mean"


class Gaussian(_Step):
    """Smooth by a Gaussian, as an instrument of that resolution would."""

    step: Literal["gaussian"] = "gaussian"
    main: ClassVar[str | None] = "fwhm"
    fwhm: FiniteFloat = Field(gt=0, description="full width at half maximum, in the axis unit")


class Whittaker(_Step):
    """Smooth by penalised least squares."""

    step: Literal["whittaker"] = "whittaker"
    main: ClassVar[str | None] = "lam"
    lam: FiniteFloat = Field(100.0, gt=0, description="weight of roughness, for points one apart")
    differences: int = Field(2, ge=1, le=4, description="order of the differences that are kept small")


class Derivative(Windowed):
    """Derive by local polynomials (Savitzky-Golay)."""

    step: Literal["derivative"] = "derivative"
    changes: ClassVar[bool] = True
    order: Literal[1, 2] = 1
    polynomial: int = Field(2, ge=1, le=6, description="order of the local polynomial")

    @model_validator(mode="after")
    def _derivable(self) -> Derivative:
        if self.polynomial < self.order:
            raise ValueError(f"derivative {self.order} needs a polynomial of that order or more")
        return self


class NorrisWilliams(_Step):
    """Derive by the difference of two averaged segments with a gap between them."""

    step: Literal["norris-williams"] = "norris-williams"
    main: ClassVar[str | None] = "gap_points"
    changes: ClassVar[bool] = True
    order: Literal[1, 2] = 1
    gap_points: int = Field(3, ge=1, description="points from the middle to the middle of either segment")
    segment_points: int = Field(5, ge=1, description="odd number of points averaged")

    @model_validator(mode="after")
    def _odd(self) -> NorrisWilliams:
        if self.segment_points % 2 == 0:
            raise ValueError(f"segment_points {self.segment_points} is even; write an odd number")
        return self


class Baseline(_Step):
    """Subtract a baseline."""

    model_config = ConfigDict(extra="allow", frozen=True)

    step: Literal["baseline"] = "baseline"
    main: ClassVar[str | None] = "method"
    method: str = Field(description="constant, linear, polynomial, or a method of pybaselines, such as asls")
    regions: Annotated[tuple[Region, ...], BeforeValidator(lambda given: _ranges(given))] | None = Field(
        None, description="where constant, linear and polynomial are fitted; everywhere by default"
    )

    @model_validator(mode="before")
    @classmethod
    def _checked(cls, given: Any) -> Any:
        return checked(given) if isinstance(given, Mapping) else given

    @property
    def options(self) -> dict[str, Any]:
        """Parameters of the method that were given."""
        return dict(self.model_extra or {})


class Offset(_Step):
    """Subtract one number from the signal."""

    step: Literal["offset"] = "offset"
    main: ClassVar[str | None] = "subtract"
    subtract: Annotated[
        Literal["min", "mean"] | FiniteFloat | Region, BeforeValidator(lambda given: _subtracted(given))
    ] = Field("min", description="a number, the least value, the mean, or the mean in [low, high]")


class Convert(_Step):
    """Make another quantity of the signal: absorbance of transmittance, and the like."""

    step: Literal["convert"] = "convert"
    main: ClassVar[str | None] = "quantity"
    quantity: Quantity
    unit: Literal["1", "%"] | None = None


class Snv(_Step):
    """Standard normal variate: mean 0, standard deviation 1."""

    step: Literal["snv"] = "snv"
    normalizes: ClassVar[bool] = True
    changes: ClassVar[bool] = True


class Rnv(_Step):
    """Robust normal variate: a low percentile is 0, the standard deviation of what lies below it is 1."""

    step: Literal["rnv"] = "rnv"
    main: ClassVar[str | None] = "percentile"
    normalizes: ClassVar[bool] = True
    changes: ClassVar[bool] = True
    percentile: FiniteFloat = Field(25.0, gt=0, le=100)


class Msc(_Step):
    """Multiplicative scatter correction: fit offset and scale to the reference, take them out."""

    step: Literal["msc"] = "msc"
    normalizes: ClassVar[bool] = True


class Emsc(_Step):
    """Extended multiplicative scatter correction: a polynomial along the axis is taken out as well."""

    step: Literal["emsc"] = "emsc"
    main: ClassVar[str | None] = "polynomial"
    normalizes: ClassVar[bool] = True
    polynomial: int = Field(2, ge=0, le=6, description="order of the polynomial along the axis")


class Area(_Step):
    """Divide by the area under the spectrum."""

    step: Literal["area"] = "area"
    normalizes: ClassVar[bool] = True
    changes: ClassVar[bool] = True


class Vector(_Step):
    """Divide by the length of the spectrum as a vector."""

    step: Literal["vector"] = "vector"
    normalizes: ClassVar[bool] = True
    changes: ClassVar[bool] = True


class MinMax(_Step):
    """Map the least value to 0 and the largest to 1."""

    step: Literal["min-max"] = "min-max"
    normalizes: ClassVar[bool] = True
    changes: ClassVar[bool] = True


class Peak(_Step):
    """Divide by the height of one band."""

    step: Literal["peak"] = "peak"
    main: ClassVar[str | None] = "at"
    normalizes: ClassVar[bool] = True
    changes: ClassVar[bool] = True
    at: FiniteFloat = Field(description="position in the axis unit")
    within: FiniteFloat = Field(0.0, ge=0, description="the highest point so far either side, in the axis unit")


class InRegion(_Step):
    """Divide by the area, or the mean, of one region."""

    step: Literal["region"] = "region"
    main: ClassVar[str | None] = "region"
    normalizes: ClassVar[bool] = True
    changes: ClassVar[bool] = True
    region: Region
    by: Literal["area", "mean"] = "area"


_KINDS: tuple[type[_Step], ...] = (
    Despike, Cut, Mask, SavitzkyGolay, MovingMean, Gaussian, Whittaker, Derivative, NorrisWilliams, Baseline, Offset,
    Convert, Snv, Rnv, Msc, Emsc, Area, Vector, MinMax, Peak, InRegion,
)  # fmt: skip
STEPS: dict[str, type[_Step]] = {str(kind.model_fields["step"].default): kind for kind in _KINDS}
"""Every step by its name."""


def _in_full(given: Any) -> Any:
    """Write a short form out: ``snv``, ``{savgol: 11}``, ``{savgol: {window_points: 11}}``."""
    if isinstance(given, str):
        return {"step": _known_step(given)}
    if not isinstance(given, Mapping):
        return given
    if "step" in given:
        return {**given, "step": _known_step(given["step"])}
    if len(given) != 1:
        raise ValueError(f"{dict(given)} is no step; write {{step: NAME, ...}}, {{NAME: {{...}}}} or NAME")
    [(name, value)] = given.items()
    step = _known_step(name)
    if value is None:
        return {"step": step}
    if isinstance(value, Mapping):
        return {"step": step, **value}
    main = STEPS[step].main
    if main is None:
        raise ValueError(f"{step} takes no parameter; write {step} alone")
    return {"step": step, main: value}


def _known_step(name: Any) -> str:
    word = str(name).strip().lower().replace("_", "-").replace(" ", "-")
    if word in STEPS:
        return word
    near = difflib.get_close_matches(word, STEPS, n=1)
    raise ValueError(f"no step {name!r}{f'; did you mean {near[0]}?' if near else '.'} There are {', '.join(STEPS)}")


def _known_regions(given: Any) -> Any:
    """One region, or many of them; words in small letters."""
    regions = _many(given)
    if not isinstance(regions, list | tuple):
        regions = (regions,)
    known = [each.strip().lower() if isinstance(each, str) else each for each in regions]
    for each, word in zip(regions, known, strict=True):
        if word not in REGIONS if isinstance(word, str) else not _is_range(word):
            near = difflib.get_close_matches(str(word), REGIONS, n=1)
            meant = f"did you mean {near[0]}? There are" if near else "there are"
            raise ValueError(f"no region {each!r}; {meant} {', '.join(REGIONS)}, or write [low, high] in the axis unit")
    return known


def _subtracted(given: Any) -> Any:
    """A number, a word, or a range."""
    if isinstance(given, str) and given.strip().lower() in ("min", "mean"):
        return given.strip().lower()
    if isinstance(given, int | float) or _is_range(given):
        return given
    raise ValueError(f"write a number, min, mean, or [low, high] in the axis unit, not {given!r}")


def _ranges(given: Any) -> Any:
    """The same of numbers alone."""
    names = [each for each in (given if isinstance(given, list | tuple) else [given]) if not _is_range(each)]
    if names and not (isinstance(given, list | tuple) and _is_range(given)):
        raise ValueError(f"write [low, high] in the axis unit, or a list of such, not {names[0]!r}")
    return _many(given)


def _is_range(given: Any) -> bool:
    numbers = isinstance(given, list | tuple) and len(given) == 2
    return numbers and all(isinstance(each, int | float) and not isinstance(each, bool) for each in given)


def _many(given: Any) -> Any:
    """One region, or many of them."""
    if isinstance(given, list | tuple) and not given:
        raise ValueError("write a region, [low, high] in the axis unit")
    if isinstance(given, str):
        return (given,)
    if _is_range(given):
        return (tuple(given),)
    return given


AnyStep: TypeAlias = (
    Despike | Cut | Mask | SavitzkyGolay | MovingMean | Gaussian | Whittaker | Derivative | NorrisWilliams | Baseline
    | Offset | Convert | Snv | Rnv | Msc | Emsc | Area | Vector | MinMax | Peak | InRegion
)  # fmt: skip
Step = Annotated[Annotated[AnyStep, Field(discriminator="step")], BeforeValidator(_in_full)]
"""A step, in full or in a short form."""
