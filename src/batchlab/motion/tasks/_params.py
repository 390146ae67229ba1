"""What can be asked of a fit: how files are read, which markers, how the body is fitted, how that is scored."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from batchlab.motion._model import FitOptions, FrameConvention, Loss, Smoothing, Weights
from batchlab.motion.tasks._known import DistanceParams, SoftEdgeParams, SymmetryParams, known_of

if TYPE_CHECKING:
    from batchlab.motion._model import Float
    from batchlab.motion._score import Holdout

__all__ = ["OUTPUTS", "VIEWERS", "ConventionParams", "FitParams", "Scoring", "WeightsParams"]

OUTPUTS: Mapping[str, str] = {
    "poses": "{job}/poses.csv",
    "markers": "{job}/markers.csv",
    "geometry": "{job}/geometry.csv",
    "fit": "{job}/fit.json",
    "page": "{job}/page.html",
}
"""What a fit writes, and where."""

VIEWERS: Mapping[str, str] = {"viewer": "{job}/viewer.html", "viewers": "{job}/viewers/"}
"""What it writes where that is asked for: a page that plays a recording, or a folder of them for several."""


class Scoring(StrEnum):
    """What is hidden from the fit to judge its options by; as `ScoreKind`, which this module does not import."""

    NONE = "none"
    HELD_OUT = "held-out"
    LEAVE_ONE_OUT = "leave-one-out"
    TIME_BLOCKS = "time-blocks"


NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class WeightsParams(BaseModel):
    """How much each part of the cost counts; a weight multiplies a residual."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_per_m: Positive = Field(1000.0, description="one over the standard deviation of a marker's coordinate, in 1/m")
    rotation: NotNegative = Field(
        0.0, description="of turning between frames (first order, 1/rad) or of angular acceleration (second, s²/rad)"
    )
    translation: NotNegative = Field(
        0.0, description="of moving between frames (first order, 1/m) or of acceleration (second order, s²/m)"
    )
    per_marker: dict[str, Positive] = Field(
        default_factory=dict, description="factors to data_per_m for single markers, by name"
    )


class ConventionParams(BaseModel):
    """Where the axes of the body lie; centroid and principal axes where nothing is said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    origin: str | None = Field(None, description="the marker at the origin; the centroid by default")
    x_axis: str | None = Field(None, description="the marker that the x axis points to")
    xy_plane: str | None = Field(None, description="the marker that lies in the plane of x and y")


class FitParams(BaseModel):
    """How recordings are read, and how a body is fitted to them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    body: str = Field("body", min_length=1, description="its name")
    markers: tuple[str, ...] = Field(
        (), description="names or patterns of the body's markers, such as box:*; all by default"
    )
    edges: tuple[tuple[str, str], ...] = Field(
        (), description="pairs of markers, for tables of lengths and for pictures; all pairs of a small body by default"
    )
    convention: ConventionParams = Field(
        default_factory=lambda: ConventionParams.model_validate({}), description="where the body's axes lie"
    )
    unit: str | None = Field(None, description="of coordinates: m, cm, mm, in, ft; where the file does not say it")
    rate_hz: Positive | None = Field(None, description="frames per second, where the file does not say it")
    time_unit: Literal["s", "ms", "us", "ns"] | None = Field(None, description="of time stamps that do not say it")
    min_confidence: float | None = Field(None, ge=0, le=1, description="less than this counts as not seen")
    file_format: str | None = Field(None, description="c3d, trc, wide, ...; told by the file by default")
    smoothing: Smoothing = Field(
        Smoothing.SECOND,
        description="what is asked of the motion between frames, as much as weights say: by default nothing",
    )
    weights: WeightsParams = Field(
        default_factory=lambda: WeightsParams.model_validate({}), description="how much each part counts"
    )
    loss: Loss = Field(Loss.HUBER, description="how much a large residual counts")
    loss_scale: Positive | None = Field(
        None,
        description="where the loss bends, in standard deviations: by default 2 for huber, 2.7 for cauchy, 4.35 for "
        "geman-mcclure, 5.5 for tukey",
    )
    geometry: Literal["estimate", "given"] | None = Field(
        None, description="whether the body's geometry is estimated, or as the input geometry has it; as given if it is"
    )
    anchor_mm: Positive | None = Field(
        None, description="the input geometry is known to so many mm: it is estimated, and held to that"
    )
    distances: tuple[DistanceParams, ...] = Field((), description="known ones between markers of the body")
    symmetry: SymmetryParams | None = Field(None, description="markers that mirror each other, in any plane")
    soft_edges: tuple[SoftEdgeParams, ...] = Field(
        (), description="points outside the body that stay about so far from a marker, as along a spine"
    )
    iterations_max: int = Field(100, ge=1, description="after which a solve ends with a warning")
    tolerance: float = Field(
        1e-10, gt=0, lt=0.1, description="relative decrease of cost at which a solve has converged"
    )
    covariance: bool = Field(True, description="standard errors of poses")
    judge: bool = Field(True, description="look for loose markers, swapped names and outliers, and tell them in words")
    mend_swaps: bool = Field(False, description="give markers that bear each other's name their own, and fit again")
    up: Literal["x", "-x", "y", "-y", "z", "-z"] = Field("z", description="the axis that points up in the viewer")
    score: Scoring = Field(Scoring.NONE, description="what is hidden from the fit to judge its options by")
    folds: int = Field(5, ge=2, le=100, description="into how many parts what was seen is dealt, each hidden once")
    burst_frames: int | None = Field(
        None, ge=1, description="how long a marker stays hidden; as long as real gaps by default"
    )
    score_seed: int = Field(0, ge=0, description="of the dealing; scores of one seed can be compared")

    def options(self, geometry_m: Float | None) -> FitOptions:
        """As the solver has them; `geometry_m` (M, 3) is a given geometry in m."""
        return FitOptions(
            smoothing=self.smoothing,
            weights=Weights(
                data_per_m=self.weights.data_per_m,
                rotation=self.weights.rotation,
                translation=self.weights.translation,
                per_marker=dict(self.weights.per_marker),
            ),
            loss=self.loss,
            loss_scale=self.loss_scale,
            geometry=geometry_m is None or self.geometry == "estimate" or self.anchor_mm is not None,
            geometry_m=geometry_m,
            known=known_of(self.distances, self.symmetry, self.soft_edges, self.anchor_mm, geometry_m),
            iterations_max=self.iterations_max,
            tolerance=self.tolerance,
            covariance=self.covariance,
        )

    @field_validator("unit")
    @classmethod
    def _is_length(cls, unit: str | None) -> str | None:
        from batchlab.motion._read._units import LENGTHS_M, PIXELS, canonical_length

        if unit is not None and canonical_length(unit) not in LENGTHS_M:
            why = "pixels are no length" if canonical_length(unit) == PIXELS else f"{unit!r} is no length"
            raise ValueError(f"{why}; write one of {', '.join(LENGTHS_M)}")
        return unit

    @property
    def asks_for_nothing(self) -> bool:
        """Whether an order of smoothness was chosen, other than that of default, and no weight of it."""
        return self.smoothing is Smoothing.FIRST and self.weights.rotation == 0 and self.weights.translation == 0

    @property
    def points(self) -> frozenset[str]:
        """Names of points outside the body."""
        return frozenset(each.point for each in self.soft_edges)

    @property
    def frame(self) -> FrameConvention:
        """As the solver has it."""
        return FrameConvention(**self.convention.model_dump())

    @property
    def holdout(self) -> Holdout:
        """As the scores have it."""
        from batchlab.motion._score import Holdout, ScoreKind

        return Holdout(
            kind=ScoreKind(self.score.value), folds=self.folds, burst_frames=self.burst_frames, seed=self.score_seed
        )

    @property
    def reading(self) -> dict[str, Any]:
        """Keyword arguments of `read_recording`: what the parsed file depends on. Markers are chosen afterwards."""
        names = ("unit", "rate_hz", "time_unit", "min_confidence", "file_format")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}
