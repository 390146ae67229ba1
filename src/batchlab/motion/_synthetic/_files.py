"""Synthetic recordings in a folder, as the readers read them, and the truth of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from batchlab.motion._read import FileFormat
from batchlab.motion._synthetic._body import Case, Truth, simulate
from batchlab.motion._synthetic._c3d import write_c3d
from batchlab.motion._synthetic._eye import EyeTruth, simulate_eye
from batchlab.motion._synthetic._text import (
    write_dlc,
    write_motive,
    write_n3d,
    write_qualisys,
    write_tidy,
    write_trc,
    write_vicon,
    write_wide,
)

if TYPE_CHECKING:
    from pathlib import Path

    from batchlab.motion._model import Recording

__all__ = ["write_eyes", "write_recording", "write_recordings"]


_WRITERS: dict[FileFormat, tuple[str, Callable[[Path, Recording], None]]] = {
    FileFormat.C3D: (".c3d", write_c3d),
    FileFormat.TRC: (".trc", write_trc),
    FileFormat.WIDE: (".csv", write_wide),
    FileFormat.TIDY: (".csv", write_tidy),
    FileFormat.VICON: (".csv", write_vicon),
    FileFormat.MOTIVE: (".csv", write_motive),
    FileFormat.QUALISYS: (".tsv", write_qualisys),
    FileFormat.N3D: (".n3d", write_n3d),
    FileFormat.DLC: (".csv", write_dlc),
}


def write_recording(folder: Path, recording: Recording, file_format: FileFormat | str = FileFormat.WIDE) -> Path:
    """Write a recording under its own name.

    Parameters
    ----------
    folder
        Made if it is not there.
    recording
        In metres, or in pixels for DeepLabCut's, wide and tidy tables.
    file_format
        Any but that of Pupil Labs.

    Returns
    -------
    Path
        Of the file.
    """
    suffix, write = _WRITERS[FileFormat(file_format)]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{recording.name}{suffix}"
    write(path, recording)
    return path


def write_recordings(
    folder: Path,
    *,
    subjects: int = 1,
    sessions: int = 1,
    file_format: FileFormat | str = FileFormat.WIDE,
    frames: int = 1000,
    markers: int = 8,
    rate_hz: float = 100.0,
    noise_m: float = 0.002,
    missing: float = 0.06,
    outliers: float = 0.0,
    size_m: float = 0.1,
    case: Case | str = Case.PLAIN,
    seed: int = 0,
) -> list[Truth]:
    """Write recordings of rigid bodies.

    Parameters
    ----------
    folder
        Made if it is not there. Files are named ``subject_01_session_1.csv``.
    subjects, sessions
        Each subject has a body of its own, which its sessions share.
    file_format
        Any but that of DeepLabCut, which has no third dimension, and of Pupil Labs.
    frames, markers, rate_hz, noise_m, missing, outliers, size_m, case, seed
        As of `simulate`.

    Returns
    -------
    list of Truth
        One per file, in order of names.
    """
    truths = []
    for subject in range(1, subjects + 1):
        for session in range(1, sessions + 1):
            name = f"subject_{subject:02d}_session_{session}"
            truth = simulate(
                name,
                subject=f"{subject:02d}",
                frames=frames,
                markers=markers,
                rate_hz=rate_hz,
                noise_m=noise_m,
                missing=missing,
                outliers=outliers,
                size_m=size_m,
                case=case,
                seed=seed + subject - 1,
                session=session,
            )
            truths.append(replace(truth, path=write_recording(folder, truth.recording, file_format)))
    return truths


def write_eyes(
    folder: Path,
    *,
    eyes: int = 1,
    file_format: FileFormat | str = FileFormat.DLC,
    frames: int = 1000,
    rate_hz: float = 120.0,
    noise_px: float = 0.4,
    seed: int = 0,
) -> list[EyeTruth]:
    """Write recordings of pupils before a camera.

    Parameters
    ----------
    folder
        Made if it is not there. Files are named ``eye_01.csv``.
    eyes
        How many, each different.
    file_format
        `FileFormat.DLC`, `FileFormat.WIDE` or `FileFormat.TIDY`; the first says nothing of the rate.
    frames, rate_hz, noise_px, seed
        As of `simulate_eye`.
    """
    truths = []
    for number in range(1, eyes + 1):
        name = f"eye_{number:02d}"
        truth = simulate_eye(name, frames=frames, rate_hz=rate_hz, noise_px=noise_px, seed=seed + number - 1)
        truths.append(replace(truth, path=write_recording(folder, truth.recording, file_format)))
    return truths
