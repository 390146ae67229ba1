"""Batches of fits: a job for each recording, sweeps over options, and cross-validation over recordings."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from pathlib import Path

from batchlab.builders import Each, Entry, Fold, FromEntry, Many, One, expand_or_raise, folds
from batchlab.engine import Batch, Gather, Json, Limits, Settings
from batchlab.errors import ConfigError
from batchlab.motion._files import find_recordings, grouping
from batchlab.motion._lacking import files_of_bodies
from batchlab.motion.tasks import OUTPUTS, VIEWERS

__all__ = ["cross_validation", "fit_batch", "sweep"]

_NONE: Mapping[str, Json] = {}
_ALL: Mapping[str, Sequence[str]] = {}
_NO_LIMITS = Limits()
# Tables of all frames, which a sweep has no use for.
_TABLES = ("poses", "markers")
_FOLDS = 5


def fit_batch(
    recordings: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    bodies: Mapping[str, Sequence[str]] = _ALL,
    together: bool = False,
    params: Mapping[str, Json] = _NONE,
    axes: Mapping[str, Sequence[Json]] = _NONE,
    geometry: str | os.PathLike[str] | None = None,
    tables: bool = True,
    viewer: bool = True,
    name: str = "motion-fit",
    limits: Limits = _NO_LIMITS,
    settings: Settings | None = None,
    source: str | None = None,
) -> Batch:
    """Fit a body to each recording.

    Parameters
    ----------
    recordings
        Files, folders and patterns; see `find_recordings`.
    output
        The output root.
    bodies
        Names, and the patterns of their markers, as in ``{"box": ["box:*"]}``; each is fitted by jobs of its own. By
        default all markers are one body. Of several bodies, one is not fitted to files of a folder or pattern that
        have no marker of it, unless none has; a file that is named is fitted, and refused in words.
    together
        Whether all recordings share one geometry and are solved by one job.
    params
        Of `motion.fit`, such as ``{"unit": "mm", "weights": {"rotation": 0.1}}``.
    axes
        Dotted names of params to values, as in ``{"weights.rotation": [0.1, 1]}``: every combination is a job.
    geometry
        A file with the geometry that is used, as ``geometry.csv`` of an earlier fit.
    tables
        Whether poses and markers of all frames are written.
    viewer
        Whether a page that plays each recording is written.
    limits, settings, source
        As of any batch.

    Raises
    ------
    ConfigError
        With every path, param and value that does not fit.
    """
    files = find_recordings(recordings, output)
    given = {} if geometry is None else {"geometry": One(path=os.path.abspath(os.fspath(geometry)))}
    kind = Many if together else Each
    having = files_of_bodies(files, recordings, bodies, params)
    entries = [
        Entry(
            id=f"fit/{body}" if bodies else "fit",
            task="motion.fit",
            inputs={**given, "recordings": kind(patterns=having.get(body, files), literal=True)},
            params=chosen,
            sweep=_dotted(axes),
            outputs=_outputs(tables, viewers={"viewers" if together else "viewer"} if viewer else set()),
            limits=limits,
        )
        for body, chosen in _bodies(bodies, params)
    ]
    return _batch(name, output, entries, settings, source)


def sweep(
    recordings: Sequence[str | os.PathLike[str]],
    axes: Mapping[str, Sequence[Json]],
    output: str | os.PathLike[str],
    *,
    params: Mapping[str, Json] = _NONE,
    tables: bool = False,
    viewer: bool = False,
    name: str = "motion-sweep",
    bodies: Mapping[str, Sequence[str]] = _ALL,
    together: bool = False,
    geometry: str | os.PathLike[str] | None = None,
    limits: Limits = _NO_LIMITS,
    settings: Settings | None = None,
    source: str | None = None,
) -> Batch:
    """Fit each recording with every combination of options, and score each by what it foretells.

    The score is ``held-out`` unless `params` or `axes` say otherwise; `find_best` then chooses. See `fit_batch` for
    the parameters.

    Raises
    ------
    ConfigError
        If there is nothing to sweep, or with every path, name and value that does not fit.
    """
    if not axes:
        raise ConfigError("a sweep needs at least one param with values, as in {'weights.rotation': [0.1, 1]}")
    return fit_batch(
        recordings,
        output,
        bodies=bodies,
        together=together,
        params={"score": "held-out", "covariance": tables, "judge": tables, **params},
        axes=axes,
        geometry=geometry,
        tables=tables,
        viewer=viewer,
        name=name,
        limits=limits,
        settings=settings,
        source=source,
    )


def cross_validation(
    recordings: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    count: int | None = None,
    group: str | Callable[[str], Hashable] | None = None,
    seed: int = 0,
    bodies: Mapping[str, Sequence[str]] = _ALL,
    params: Mapping[str, Json] = _NONE,
    axes: Mapping[str, Sequence[Json]] = _NONE,
    own_geometry: bool = False,
    refit: bool = True,
    name: str = "motion-cross-validation",
    limits: Limits = _NO_LIMITS,
    settings: Settings | None = None,
    source: str | None = None,
) -> Batch:
    """Hold recordings out: fit a geometry to the others, and see how well it foretells markers of those.

    ``fold/1`` and so on are fits of the others, scored on what is held out; ``validate`` takes them together; ``refit``
    fits all recordings. Where each recording has a body of its own there is no geometry to carry, and options alone are
    validated: those that do best on the others are scored on what is held out. Then ``score/NAME`` are the fits.

    Parameters
    ----------
    recordings, output, bodies, params, axes, limits, settings, source
        As of `fit_batch`.
    count
        Folds; by default 5, or one for each recording or group where they are fewer.
    group
        What is never parted, such as recordings of a subject: ``subject_{subject}_*.csv``, or a function of the path.
    seed
        Of the dealing.
    own_geometry
        Whether each recording has a body of its own, as subjects have.
    refit
        Whether all recordings are fitted at the end.

    Raises
    ------
    ConfigError
        If there are too few recordings or groups, or with every param that does not fit.
    """
    files = find_recordings(recordings, output)
    group_of = grouping(group) if isinstance(group, str) else group
    if count is None:
        parts = len(files) if group_of is None else len({group_of(file) for file in files})
        count = min(_FOLDS, parts)
        if count < 2:
            raise ConfigError(
                f"there is but one {'recording' if group_of is None else 'group of recordings'} and nothing to hold it "
                "out from; give two or more, or judge options of one recording by a sweep"
            )
    parted = folds(files, count, group=group_of, seed=seed)
    entries: list[Entry] = []
    for body, chosen in _bodies(bodies, {"score": "held-out", "covariance": False, "judge": False, **params}):
        after = f"/{body}" if bodies else ""
        if own_geometry:
            entries += _own(files, parted, after, chosen, axes, limits, output)
        else:
            whole = {**chosen, "score": "none", **{name: params.get(name, True) for name in ("covariance", "judge")}}
            entries += _carried(files, parted, after, chosen, axes, limits, whole if refit else None)
    return _batch(name, output, entries, settings, source)


def _carried(
    files: Sequence[str],
    parted: Sequence[Fold[str]],
    after: str,
    params: Mapping[str, Json],
    axes: Mapping[str, Sequence[Json]],
    limits: Limits,
    refit: Mapping[str, Json] | None,
) -> list[Entry]:
    """Fits of all but a fold, tested on it; and of all."""
    entries = [
        Entry(
            id=f"fold{after}/{fold.number}",
            task="motion.fit",
            inputs={
                "recordings": Many(patterns=fold.train, literal=True),
                "test": Many(patterns=fold.test, literal=True),
            },
            params=params,
            sweep=_dotted(axes),
            outputs=_outputs(False),
            limits=limits,
            metadata={
                "fold": fold.number,
                "n_train": len(fold.train),
                "n_test": len(fold.test),
                "held_out": ", ".join(Path(file).stem for file in fold.test),
            },
        )
        for fold in parted
    ]
    gathered = FromEntry(entries=tuple(entry.id for entry in entries), output="fit", gather=Gather.DONE)
    entries.append(Entry(id=f"validate{after}", task="motion.validate", inputs={"folds": gathered}))
    if refit is not None:
        entries.append(
            Entry(
                id=f"refit{after}",
                task="motion.fit",
                inputs={"recordings": Many(patterns=tuple(files), literal=True)},
                params=refit,
                sweep=_dotted(axes),
                outputs=_outputs(True, {"viewers"}),
                limits=limits,
            )
        )
    return entries


def _own(
    files: Sequence[str],
    parted: Sequence[Fold[str]],
    after: str,
    params: Mapping[str, Json],
    axes: Mapping[str, Sequence[Json]],
    limits: Limits,
    output: str | os.PathLike[str],
) -> list[Entry]:
    """Fits of each recording by itself, and which of them are held out together."""
    score = Entry(
        id=f"score{after}",
        task="motion.fit",
        inputs={"recordings": Each(patterns=tuple(files), literal=True)},
        params=params,
        sweep=_dotted(axes),
        outputs=_outputs(not axes),
        limits=limits,
    )
    number = {file: fold.number for fold in parted for file in fold.test}
    jobs = expand_or_raise([score], batch="", base=os.getcwd(), output=os.path.abspath(os.fspath(output)))
    parts = {job.name: number[file] for job in jobs for file in [job.inputs["recordings"]] if isinstance(file, str)}
    gathered = FromEntry(entries=(score.id,), output="fit", gather=Gather.DONE)
    validate = Entry(id=f"validate{after}", task="motion.validate", inputs={"folds": gathered}, params={"parts": parts})
    return [score, validate]


def _bodies(bodies: Mapping[str, Sequence[str]], params: Mapping[str, Json]) -> list[tuple[str, Mapping[str, Json]]]:
    """Name of each body, and params with its markers."""
    if not bodies:
        return [(str(params.get("body", "body")), params)]
    told = [name for name in ("body", "markers") if name in params]
    if told:
        raise ConfigError(f"params say {told[0]} and bodies are given, too; say it once")
    return [(body, {**params, "body": body, "markers": list(patterns)}) for body, patterns in bodies.items()]


def _dotted(axes: Mapping[str, Sequence[Json]]) -> dict[str, Sequence[Json]]:
    return {key if key.startswith("params.") else f"params.{key}": values for key, values in axes.items()}


def _outputs(tables: bool, viewers: Collection[str] = ()) -> dict[str, str | None]:
    """Templates as they are: a job's name already tells what is swept."""
    found = {name: template if tables or name not in _TABLES else None for name, template in OUTPUTS.items()}
    return {**found, **{name: VIEWERS[name] for name in viewers}}


def _batch(
    name: str,
    output: str | os.PathLike[str],
    entries: Sequence[Entry],
    settings: Settings | None,
    source: str | None,
) -> Batch:
    root = os.path.abspath(os.fspath(output))
    jobs = expand_or_raise(entries, batch=name, base=os.getcwd(), output=root)
    return Batch(name=name, output=Path(root), jobs=jobs, settings=settings or Settings(), source=source)
