"""Evidence for a choice of options: how well a fit foretells markers that it was not shown."""

from __future__ import annotations

from batchlab.motion._score._masks import gap_lengths
from batchlab.motion._score._model import Holdout, Score, ScoreKind
from batchlab.motion._score._score import fit_and_score, score, score_each
from batchlab.motion._score._solved import Solved, solve, stacked

__all__ = [
    "Holdout",
    "Score",
    "ScoreKind",
    "Solved",
    "fit_and_score",
    "gap_lengths",
    "score",
    "score_each",
    "solve",
    "stacked",
]
