"""Pupil Labs' export of gaze: where an observer looks, and where the program believes the eyeballs are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import DataError
from batchlab.motion._read._choice import choose
from batchlab.motion._read._raw import Asked, Raw
from batchlab.motion._read._source import Text, cells_of, read_bytes, text_of
from batchlab.motion._read._table import read_table

if TYPE_CHECKING:
    from batchlab.motion._model import Float

__all__ = ["Gaze", "gaze_of", "raw_gaze", "read_gaze"]

_MM = 0.001
_POINTS = {"gaze_point": "gaze_point_3d", "eye_center0": "eye_center0_3d", "eye_center1": "eye_center1_3d"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gaze:
    """Gaze over time, in axes of the world camera.

    Attributes
    ----------
    times_s
        (F,) ascending.
    confidence
        (F,) from 0 to 1.
    norm_position
        (F, 2) in the world camera's image, from 0 to 1, from its lower left corner.
    point_m
        (F, 3) where both gazes meet.
    centers_m
        (F, 2, 3) of the eyeballs, eye 0 first; NaN where the eye was not used.
    normals
        (F, 2, 3) unit vectors of gaze; NaN likewise.
    notes
        Sentences on what was odd.
    """

    times_s: Float
    confidence: Float
    norm_position: Float
    point_m: Float
    centers_m: Float
    normals: Float
    notes: tuple[str, ...] = ()


def read_gaze(path: Path) -> Gaze:
    """Read ``gaze_positions.csv``.

    Raises
    ------
    DataError
        If it is no such file.
    """
    path = Path(path)
    return gaze_of(text_of(path, read_bytes(path)))


def gaze_of(text: Text) -> Gaze:
    """Read it from its text."""
    head = cells_of(text.lines(1)[0], ",") if text.data else []
    groups = [["gaze_timestamp"], ["confidence"], ["norm_pos_x", "norm_pos_y"]]
    bases = [*_POINTS.values(), "gaze_normal0", "gaze_normal1"]
    groups += [[f"{base}_{axis}" for axis in "xyz"] for base in bases]
    names = [name for group in groups for name in group]
    if missing := [name for name in names if name not in head]:
        raise DataError(
            f"{text.path}, line 1: there is no column {missing[0]}; this is no gaze_positions.csv of Pupil Labs, "
            "or not of three-dimensional gaze",
            reason="not-a-recording",
        )
    notes: list[str] = []
    values = read_table(
        text,
        offset=text.after(1),
        line=2,
        names=head,
        separator=",",
        columns=[head.index(name) for name in names],
        notes=notes,
    )
    values = values[np.isfinite(values[:, 0])]
    if not len(values):
        raise DataError(f"{text.path}: the header is there, but no row; export it again", reason="no-frames")
    values = _ascending(values, notes)
    columns = dict(zip(names, values.T, strict=True))
    point, center0, center1, normal0, normal1 = (
        _known(np.stack([columns[f"{base}_{axis}"] for axis in "xyz"], axis=1)) for base in bases
    )
    return Gaze(
        times_s=columns["gaze_timestamp"].copy(),
        confidence=np.nan_to_num(columns["confidence"]),
        norm_position=np.stack([columns["norm_pos_x"], columns["norm_pos_y"]], axis=1),
        point_m=point * _MM,
        centers_m=np.stack([center0, center1], axis=1) * _MM,
        normals=np.stack([normal0, normal1], axis=1),
        notes=tuple(notes),
    )


def raw_gaze(text: Text, asked: Asked) -> Raw:
    """The point of gaze and the eyeballs' centres as markers."""
    gaze = gaze_of(text)
    names = list(_POINTS)
    chosen = choose(names, asked.markers, text.path)
    points = np.concatenate([gaze.point_m[:, None], gaze.centers_m], axis=1)
    return Raw(
        markers=tuple(names[place] for place in chosen),
        positions=points[:, chosen] / _MM,
        stated_unit="mm",
        times=gaze.times_s,
        time_unit="s",
        confidence=np.repeat(gaze.confidence[:, None], len(chosen), axis=1),
        notes=list(gaze.notes),
    )


def _known(vectors: Float) -> Float:
    """(F, 3) with NaN for what is exactly zero: an eye that was not used has no gaze."""
    vectors[(vectors == 0).all(axis=1)] = np.nan
    return vectors


def _ascending(values: Float, notes: list[str]) -> Float:
    """Rows in order of time, one of each time: two eyes at different rates overtake each other."""
    times = values[:, 0]
    if (np.diff(times) > 0).all():
        return values
    values = values[np.argsort(times, kind="stable")]
    keep = np.diff(values[:, 0], prepend=-np.inf) > 0
    double = int((~keep).sum())
    notes.append(f"time stamps are out of order and were sorted; {double} that came twice were left out")
    kept: Float = values[keep]
    return kept
