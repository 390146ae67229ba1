"""The nouns of scores: what is held out, and how well it was foretold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from batchlab.errors import ConfigError
from batchlab.motion._model import one_of

if TYPE_CHECKING:
    from batchlab.motion._model import Float

__all__ = ["Holdout", "Score", "ScoreKind"]


class ScoreKind(StrEnum):
    """What is hidden from a fit, to be foretold by it.

    ``held-out``: single markers, in bursts as long as real gaps; judges weights of smoothness and losses.
    ``leave-one-out``: one marker throughout, with the geometry as all markers tell it; judges markers.
    ``time-blocks``: all markers at once, for as long as a real gap; judges smoothness alone.
    """

    NONE = "none"
    HELD_OUT = "held-out"
    LEAVE_ONE_OUT = "leave-one-out"
    TIME_BLOCKS = "time-blocks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """How a score is taken.

    Attributes
    ----------
    kind
        What is hidden.
    folds
        Into how many parts all that was seen is dealt, each hidden once; leave-one-out has a fold a marker.
    burst_frames
        Frames that a marker stays hidden; None takes lengths from the recording's own gaps.
    seed
        Of the dealing. The same seed hides the same, whatever is fitted: scores then can be compared.
    """

    kind: ScoreKind = ScoreKind.HELD_OUT
    folds: int = 5
    burst_frames: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", one_of(ScoreKind, self.kind, "kind"))
        if self.folds < 2:
            raise ConfigError(f"{self.folds} folds hold nothing out; ask for 2 or more")
        if self.burst_frames is not None and self.burst_frames < 1:
            raise ConfigError(f"burst_frames is {self.burst_frames}; hide markers for 1 frame or more")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Score:
    """How far measured markers lie from where a fit that had not seen them puts them; noise of measurement included.

    Attributes
    ----------
    how
        What was hidden.
    folds_m
        (k,) root mean square of distances of each fold; NaN where nothing could be foretold.
    mean_m, standard_error_m
        Over folds.
    trimmed_folds_m, trimmed_m
        As the first two without the worst twentieth of each fold, which outliers rule.
    median_m
        Of all distances.
    per_marker_m
        (M,) root mean square of each marker of the body.
    count
        Marker-frames foretold.
    warnings
        Sentences.
    outliers
        That of them which says that outliers rule the score; None where they do not.
    """

    how: Holdout
    folds_m: Float
    mean_m: float
    standard_error_m: float
    trimmed_folds_m: Float
    trimmed_m: float
    median_m: float
    per_marker_m: Float
    count: int
    warnings: tuple[str, ...] = ()
    outliers: str | None = None

    def __repr__(self) -> str:
        from batchlab.motion._notebook import score_line

        return score_line(self)

    def _repr_html_(self) -> str:
        from batchlab.motion._notebook import score_html

        return score_html(self)
