"""Batches of eyes: a job for each recording of a pupil."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from batchlab.builders import Each, Entry, expand_or_raise
from batchlab.engine import Batch, Json, Limits, Settings
from batchlab.motion._files import find_recordings
from batchlab.motion.tasks import EYE_OUTPUTS, EYE_VIEWER

__all__ = ["eye_batch"]

_NONE: Mapping[str, Json] = {}
_ALL: Mapping[str, Sequence[Json]] = {}
_NO_LIMITS = Limits()


def eye_batch(
    recordings: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    params: Mapping[str, Json] = _NONE,
    axes: Mapping[str, Sequence[Json]] = _ALL,
    tables: bool = True,
    viewer: bool = True,
    name: str = "motion-eye",
    limits: Limits = _NO_LIMITS,
    settings: Settings | None = None,
    source: str | None = None,
) -> Batch:
    """Fit an eye to each recording of a pupil.

    Parameters
    ----------
    recordings
        Files, folders and patterns; see `find_recordings`.
    output
        The output root.
    params
        Of `motion.eye`, such as ``{"camera": {"preset": "pupil-labs"}, "rate_hz": 120}``.
    axes
        Dotted names of params to values, as in ``{"depth_mm": [30, 35]}``: every combination is a job.
    tables
        Whether gaze and points of all frames are written.
    viewer
        Whether a page that plays each eye is written.
    limits, settings, source
        As of any batch.

    Raises
    ------
    ConfigError
        With every path, param and value that does not fit; without a camera, too.
    """
    left_out = () if tables else ("gaze", "points")
    entry = Entry(
        id="eye",
        task="motion.eye",
        inputs={"recording": Each(patterns=find_recordings(recordings, output), literal=True)},
        params=params,
        sweep={key if key.startswith("params.") else f"params.{key}": values for key, values in axes.items()},
        outputs={
            **{each: None if each in left_out else template for each, template in EYE_OUTPUTS.items()},
            **(EYE_VIEWER if viewer else {}),
        },
        limits=limits,
    )
    root = os.path.abspath(os.fspath(output))
    jobs = expand_or_raise([entry], batch=name, base=os.getcwd(), output=root)
    return Batch(name=name, output=Path(root), jobs=jobs, settings=settings or Settings(), source=source)
