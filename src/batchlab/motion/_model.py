"""The nouns of the domain: a recording of markers, a body, how it is fitted, and the fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING, SupportsFloat, TypeAlias, TypeVar

from batchlab.errors import ConfigError, DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from batchlab.motion._known import Known

    Float: TypeAlias = NDArray[np.float64]
    Bool: TypeAlias = NDArray[np.bool_]
    Code: TypeAlias = NDArray[np.uint8]

__all__ = [
    "Body",
    "Covered",
    "DegenerateBody",
    "Fit",
    "FitOptions",
    "FrameConvention",
    "Loss",
    "Recording",
    "Smoothing",
    "Status",
    "Weights",
    "number_of",
    "one_of",
    "recordings_of",
]

Kind = TypeVar("Kind", bound=StrEnum)


class DegenerateBody(DataError):
    """Markers that never determine a pose: fewer than three at once, or all on a line."""

    reason = "degenerate"


class Smoothing(StrEnum):
    """What smoothness asks of the motion between frames."""

    NONE = "none"
    FIRST = "first"
    SECOND = "second"


class Loss(StrEnum):
    """How much a large residual counts."""

    SQUARED = "squared"
    HUBER = "huber"
    CAUCHY = "cauchy"
    GEMAN_MCCLURE = "geman-mcclure"
    TUKEY = "tukey"


class Status(StrEnum):
    """How a solve ended."""

    CONVERGED = "converged"
    ITERATION_LIMIT = "iteration-limit"
    DEGENERATE = "degenerate"
    FAILED = "failed"


class Covered(StrEnum):
    """What a frame's pose rests on; as a code, the position here."""

    MEASURED = "measured"
    PARTLY = "partly"
    INFERRED = "inferred"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Recording:
    """Markers over time.

    Attributes
    ----------
    name
        Of the recording, for people.
    markers
        (M,) names, as the file has them.
    times_s
        (F,) ascending.
    positions
        (F, M, D): metres with D = 3, or pixels with D = 2; NaN where a marker was not seen.
    unit
        Of `positions`: ``m`` or ``px``.
    rate_hz
        Nominal; None where times are irregular.
    confidence
        (F, M) from 0 to 1, where the file has it.
    stated_unit
        As the file, or the user, says: ``mm``.
    notes
        Sentences for the report, such as a header that lies about the number of frames.
    """

    name: str
    markers: tuple[str, ...]
    times_s: Float
    positions: Float
    unit: str
    rate_hz: float | None = None
    confidence: Float | None = None
    stated_unit: str = ""
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        from batchlab.motion._notebook import recording_line

        return recording_line(self)

    def _repr_html_(self) -> str:
        from batchlab.motion._notebook import recording_html

        return recording_html(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameConvention:
    """Where the axes of a body lie: at a marker or the centroid, towards a second marker, in a plane with a third.

    All None: centroid and principal axes.
    """

    origin: str | None = None
    x_axis: str | None = None
    xy_plane: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Markers that move together.

    Attributes
    ----------
    name
        Of the body.
    markers
        Names, in order.
    edges
        Pairs of positions in `markers`, for pictures and for tables of lengths.
    convention
        Of the body's own axes.
    """

    name: str
    markers: tuple[str, ...]
    edges: tuple[tuple[int, int], ...] = ()
    convention: FrameConvention = field(default_factory=FrameConvention)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How much each part of the cost counts; a weight multiplies a residual, so the cost grows with its square.

    Attributes
    ----------
    data_per_m
        One over the standard deviation of a marker's coordinate, in 1/m.
    rotation
        Of a change of rotation between frames (first order, 1/rad) or of angular acceleration (second order, s²/rad).
    translation
        Of a change of place between frames (first order, 1/m) or of acceleration (second order, s²/m).
    per_marker
        Factors to `data_per_m` for single markers, by name.
    """

    data_per_m: float = 1000.0
    rotation: float = 0.0
    translation: float = 0.0
    per_marker: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("data_per_m", "rotation", "translation"):
            number_of(getattr(self, name), f"weights.{name}")
        for marker, factor in self.per_marker.items():
            number_of(factor, f"weights.per_marker of {marker}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FitOptions:
    """How a body is fitted.

    Attributes
    ----------
    smoothing, weights
        What is asked of the motion, and how much. Weights of smoothness are zero until they are chosen: what is right
        depends on the motion, and `score_each` or a sweep tells it.
    loss, loss_scale
        Robust loss on lengths of normalised residuals, and where it bends in units of their standard deviation. By
        default 2 for Huber's, 2.7 for Cauchy's, 4.35 for Geman's and McClure's and 5.5 for Tukey's: where errors are
        normal, places have a variance that is larger than least squares' by 2.5 % with Huber's and 5 % with the others.
    geometry
        Whether the body's geometry is estimated too (given as `geometry_m` otherwise).
    geometry_m
        (M, 3) in metres, in order of the body's markers: the start, or the fixed geometry.
    known
        What is known beyond markers: `Anchor`, `KnownDistance`, `Symmetry`, `SoftEdge`.
    iterations_max, tolerance
        Where the solve ends: relative decrease of cost.
    covariance
        Whether standard errors of poses are computed.
    """

    smoothing: Smoothing = Smoothing.SECOND
    weights: Weights = field(default_factory=Weights)
    loss: Loss = Loss.HUBER
    loss_scale: float | None = None
    geometry: bool = True
    geometry_m: Float | None = None
    known: tuple[Known, ...] = ()
    iterations_max: int = 100
    tolerance: float = 1e-10
    covariance: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "smoothing", one_of(Smoothing, self.smoothing, "smoothing"))
        object.__setattr__(self, "loss", one_of(Loss, self.loss, "loss"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Fit:
    """Poses of a body in one recording, and its geometry.

    Attributes
    ----------
    body, recording
        Names.
    status, iterations, cost
        How the solve ended; the cost is half the sum of squares of weighted residuals, robust where asked.
    times_s
        (F,).
    rotations
        (F, 3, 3) from body to laboratory axes.
    translations_m
        (F, 3): where the body's origin is.
    geometry_m
        (M, 3): markers in body axes.
    residuals_m
        (F, M, 3): measured minus fitted; NaN where nothing was measured.
    covered
        (F,) codes: 0 measured, 1 partly, 2 inferred.
    pose_sd
        (F, 6): standard errors of rotation (rad, about laboratory axes) and place (m); None if not asked for.
    weights_used
        (F, M) robust weights from 0 to 1; 0 where nothing was measured.
    chi2_reduced
        Sum of squares of weighted residuals by degrees of freedom; about 1 where weights tell the noise.
    warnings
        Sentences for people.
    freedom
        Degrees of freedom by number of measured coordinates: what unknowns do not take up. Smoothness raises it.
    """

    body: Body
    recording: str
    status: Status
    iterations: int
    cost: float
    times_s: Float
    rotations: Float
    translations_m: Float
    geometry_m: Float
    residuals_m: Float
    covered: Code
    pose_sd: Float | None
    weights_used: Float
    chi2_reduced: float
    warnings: tuple[str, ...] = ()
    freedom: float = float("nan")

    def __repr__(self) -> str:
        from batchlab.motion._notebook import fit_line

        return fit_line(self)

    def _repr_html_(self) -> str:
        from batchlab.motion._notebook import fit_html

        return fit_html(self)


def one_of(kind: type[Kind], value: str, name: str) -> Kind:
    """The member that a word stands for.

    Raises
    ------
    ConfigError
        If it is none of them, with the nearest, and all.
    """
    try:
        return kind(value)
    except ValueError:
        words = [each.value for each in kind]
        near = get_close_matches(str(value).lower(), words, n=1)
        meant = f", did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"{name} is {value!r}; choose one of {', '.join(words)}{meant}") from None


def number_of(value: object, name: str) -> None:
    """Refuse what is no number, with where it stands.

    Raises
    ------
    ConfigError
        If it is text, a truth value, or None.
    """
    if isinstance(value, (str, bool)) or not isinstance(value, SupportsFloat):
        raise ConfigError(f"{name} is {value!r}; it must be a number")


def recordings_of(given: Recording | Sequence[Recording]) -> Sequence[Recording]:
    """Recordings as a sequence; one alone counts as one of them."""
    return [given] if isinstance(given, Recording) else given
