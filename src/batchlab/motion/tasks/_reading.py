"""How a fit gets at its recordings: parsed once by a worker, with the start that all options of a body share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from batchlab.cache import worker_cache
from batchlab.engine import JobContext
from batchlab.errors import DataError
from batchlab.motion._model import Body
from batchlab.motion.tasks._names import check_names

if TYPE_CHECKING:
    from batchlab.motion._model import FitOptions, Recording
    from batchlab.motion._solve._stack import Stacked
    from batchlab.motion.tasks._eye_params import EyeParams
    from batchlab.motion.tasks._params import FitParams

__all__ = ["body_of", "kept_recording", "kept_recordings", "kept_start"]

T = TypeVar("T")


def kept_recordings(ctx: JobContext, params: FitParams, name: str) -> tuple[list[Recording], list[str]]:
    """Recordings of an input with the body's markers, and what each is known by.

    Of several files one that cannot be read costs an item.

    Raises
    ------
    DataError
        If none can be read.
    """
    files = ctx.inputs(name)
    patterns = _patterns(ctx, params)
    recordings, keys = [], []
    several = len(files) > 1
    for file, label, digest in zip(files, _labels(files), _digests(ctx, name, files), strict=True):
        key = json.dumps([digest, params.reading], sort_keys=True)
        if not several:
            recordings.append(_chosen(_kept(ctx, _read, key, file, params), params, file, patterns))
            keys.append(key)
            continue
        with ctx.item(label):
            recording = _chosen(_kept(ctx, _read, key, file, params), params, file, patterns)
            recordings.append(replace(recording, name=label))
            keys.append(key)
    if not recordings:
        raise DataError(f"none of the {len(files)} recordings could be read; the items tell why", reason="no-recording")
    return recordings, keys


def kept_recording(ctx: JobContext, params: EyeParams, file: Path) -> Recording:
    """The recording of the job's one file, with all its points."""
    (digest,) = _digests(ctx, "recording", [file])
    return _kept(ctx, _read, json.dumps([digest, params.reading], sort_keys=True), file, params)


def body_of(params: FitParams, recordings: Sequence[Recording]) -> Body:
    """The body: all markers that its patterns choose in any of the recordings, in order of appearance.

    Raises
    ------
    DataError
        If params name a marker that it does not have.
    """
    seen = dict.fromkeys(marker for recording in recordings for marker in recording.markers)
    markers = tuple(marker for marker in seen if marker not in params.points)
    check_names(params, markers, ", ".join(dict.fromkeys(recording.name for recording in recordings)))
    edges = tuple((markers.index(first), markers.index(second)) for first, second in params.edges)
    return Body(name=params.body, markers=markers, edges=edges, convention=params.frame)


def kept_start(
    ctx: JobContext, recordings: Sequence[Recording], keys: Sequence[str], body: Body, options: FitOptions
) -> Stacked:
    """The start of a solve: it depends on neither weights of smoothness nor losses, so a sweep needs it once."""
    geometry = None if options.geometry_m is None else options.geometry_m.tolist()
    key = json.dumps(
        [list(keys), body.name, body.markers, sorted(options.weights.per_marker.items()), options.geometry, geometry]
    )
    return _kept(ctx, _start, key, recordings, body, options)


def _read(file: Path, params: FitParams | EyeParams) -> Recording:
    from batchlab.motion._read import read_recording

    return read_recording(file, **params.reading)


def _start(recordings: Sequence[Recording], body: Body, options: FitOptions) -> Stacked:
    from batchlab.motion._score import stacked

    return stacked(recordings, body, options)


def _kept(ctx: JobContext, make: Callable[..., T], key: str, *given: Any) -> T:
    """What `make` makes of what is given, or made before under this key: of contents, so that no file need be asked."""
    remembering = worker_cache(ctx.cache).with_cache(key_fn=lambda *_: key, files_fn=lambda *_: ())(make)
    return remembering(*given)


def _patterns(ctx: JobContext, params: FitParams) -> tuple[str, ...] | frozenset[str]:
    """What chooses the body's markers: patterns; a set of names, not all of them in each file, of a geometry."""
    if params.markers or not ctx.given("geometry"):
        return params.markers
    from batchlab.motion._write import read_geometry

    return frozenset(read_geometry(ctx.input("geometry"))[0])


def _chosen(
    recording: Recording, params: FitParams, file: Path, patterns: tuple[str, ...] | frozenset[str]
) -> Recording:
    """With the markers of the body alone."""
    from batchlab.motion._read._choice import choose, told_names

    if isinstance(patterns, frozenset):
        columns = [place for place, name in enumerate(recording.markers) if name in patterns]
        if not columns:
            raise DataError(
                f"{file}: it has no marker of the geometry, which has {told_names(sorted(patterns))}; it has "
                f"{told_names(recording.markers)}",
                reason="no-markers",
            )
    else:
        columns = choose(recording.markers, patterns, file)
    columns = [*columns, *(n for n, name in enumerate(recording.markers) if name in params.points and n not in columns)]
    if len(columns) == len(recording.markers):
        return recording
    return replace(
        recording,
        markers=tuple(recording.markers[column] for column in columns),
        positions=recording.positions[:, columns],
        confidence=None if recording.confidence is None else recording.confidence[:, columns],
    )


def _labels(files: Sequence[Path]) -> list[str]:
    """Stems; names, or whole paths, where they do not tell files apart."""
    for named in ([file.stem for file in files], [f"{file.parent.name}/{file.stem}" for file in files]):
        if len(set(named)) == len(named):
            return named
    return [str(file) for file in files]


def _digests(ctx: JobContext, name: str, files: Sequence[Path]) -> list[str]:
    """What the content of each file of an input is known by."""
    told = [str(each["blake2b"]) for each in json.loads(ctx.provenance["inputs"])[name]]
    if len(told) == len(files):
        return told
    # Some are left out of a second try.
    return [hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest() for file in files]
