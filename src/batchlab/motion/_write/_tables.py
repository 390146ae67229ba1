"""Poses and markers of fits as tables of comma-separated values; what every column is, its header says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._model import Covered
from batchlab.motion._write._rows import cell, rows

if TYPE_CHECKING:
    from batchlab.motion._model import Fit, Float, Recording

__all__ = ["write_markers", "write_poses"]

_AXES = ("x", "y", "z")
_MM = 1e3
_LEVELS = tuple(each.value for each in Covered)


def write_poses(path: Path, fits: Sequence[Fit]) -> None:
    """Poses of all frames: unit quaternions (w first, of one sign through time), places in mm, standard errors.

    Parameters
    ----------
    path
        Written anew.
    fits
        Of one body; one under the other, told apart by the first column.
    """
    uncertain = any(fit.pose_sd is not None for fit in fits)
    header = ["recording", "frame", "time_s", "q_w", "q_x", "q_y", "q_z", *(f"{axis}_mm" for axis in _AXES)]
    header += [f"sd_rotation_{axis}_deg" for axis in _AXES] if uncertain else []
    header += [f"sd_{axis}_mm" for axis in _AXES] if uncertain else []
    header += ["rms_mm", "markers_seen", "covered"]
    decimals = [0, 6, 9, 9, 9, 9, 4, 4, 4, *([5] * 3 + [4] * 3 if uncertain else []), 4, 0]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(header) + "\n")
        for fit in fits:
            frames = len(fit.times_s)
            squares = np.einsum("fmi,fmi->fm", fit.residuals_m, fit.residuals_m)
            seen = np.isfinite(squares)
            count = seen.sum(axis=1)
            rms = np.sqrt(np.where(seen, squares, 0.0).sum(axis=1) / np.where(count, count, np.nan))
            columns = [np.arange(frames), fit.times_s, _quaternions(fit.rotations), fit.translations_m * _MM]
            if uncertain:
                sd = np.full((frames, 6), np.nan) if fit.pose_sd is None else fit.pose_sd
                columns += [np.degrees(sd[:, :3]), sd[:, 3:] * _MM]
            table = np.column_stack([*columns, rms * _MM, count])
            file.writelines(rows(table, decimals, cell(fit.recording), [_LEVELS[code] for code in fit.covered]))


def write_markers(path: Path, recordings: Sequence[Recording], fits: Sequence[Fit]) -> None:
    """Every marker of every frame, a row each: measured and fitted place, distance, weight, what the frame rests on.

    A marker that was not seen has its fitted place alone: a gap filled by the body.

    Parameters
    ----------
    path
        Written anew.
    recordings, fits
        In the same order.
    """
    header = ["recording", "keypoint", "frame", "time_s", *(f"raw_{axis}_mm" for axis in _AXES)]
    header += [*(f"fitted_{axis}_mm" for axis in _AXES), "residual_mm", "weight", "flag"]
    decimals = [0, 6, *[4] * 6, 4, 3]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(header) + "\n")
        for recording, fit in zip(recordings, fits, strict=True):
            fitted = np.einsum("fij,mj->fmi", fit.rotations, fit.geometry_m) + fit.translations_m[:, None]
            frames = np.arange(len(fit.times_s))
            words = np.array(_LEVELS)[fit.covered]
            places = {name: number for number, name in enumerate(recording.markers)}
            for number, marker in enumerate(fit.body.markers):
                error = fit.residuals_m[:, number]
                raw = recording.positions[:, places[marker]] if marker in places else np.full((len(frames), 3), np.nan)
                length = np.sqrt(np.einsum("fi,fi->f", error, error))
                weight = np.where(np.isfinite(length), fit.weights_used[:, number], np.nan)
                table = np.column_stack([frames, fit.times_s, raw * _MM, fitted[:, number] * _MM, length * _MM, weight])
                # A place that was not measured is a guess of the body, however good the frame is.
                flags = np.where(np.isfinite(length), "measured", np.where(words == "inferred", "inferred", "filled"))
                file.writelines(rows(table, decimals, f"{cell(recording.name)},{cell(marker)}", flags.tolist()))


def _quaternions(rotations: Float) -> Float:
    """Unit quaternions (F, 4), w first, of rotations (F, 3, 3); neighbours in time are of one sign."""
    out = np.full((len(rotations), 4), np.nan)
    known = np.flatnonzero(np.isfinite(rotations[:, 0, 0]))
    if not known.size:
        return out
    r = rotations[known]
    # Four times the square of each part, and the largest of them divides the others: it is never small.
    trace = r[:, 0, 0] + r[:, 1, 1] + r[:, 2, 2]
    parts = np.stack([1 + trace, *(1 + 2 * r[:, axis, axis] - trace for axis in range(3))], axis=1)
    products = np.empty((len(r), 4, 4))
    for part in range(4):
        products[:, part, part] = parts[:, part]
    for axis in range(3):
        one, two = (axis + 1) % 3, (axis + 2) % 3
        products[:, 0, axis + 1] = products[:, axis + 1, 0] = r[:, two, one] - r[:, one, two]
        products[:, one + 1, two + 1] = products[:, two + 1, one + 1] = r[:, two, one] + r[:, one, two]
    largest = parts.argmax(axis=1)
    found = products[np.arange(len(r)), largest]
    found /= np.linalg.norm(found, axis=1)[:, None]
    turned = np.ones(len(found))
    turned[0] = 1.0 if found[0, 0] >= 0 else -1.0
    turned[1:] = np.where(np.einsum("fi,fi->f", found[1:], found[:-1]) < 0, -1.0, 1.0)
    out[known] = found * np.cumprod(turned)[:, None]
    return out
