"""Functions that make a batch: of files, of a folder, of a grid of parameters, of folds."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

from batchlab.builders import folds
from batchlab.builders._labels import labels
from batchlab.compat.motion._config import RigidBodyConfig
from batchlab.compat.motion._jobs import BatchConfig, BatchJobConfig, ParameterSweepConfig, placed
from batchlab.errors import ConfigError
from batchlab.motion._files import find_recordings, grouping

__all__ = [
    "create_batch_from_directory",
    "create_batch_from_files",
    "create_cross_validation_batch",
    "create_parameter_sweep",
]

_Place = str | os.PathLike[str]


def create_batch_from_files(
    file_paths: Sequence[_Place],
    config_factory: Callable[[Path], RigidBodyConfig],
    output_root: _Place,
    batch_name: str = "batch",
    **settings: Any,
) -> BatchConfig:
    """Make a job for each file.

    Parameters
    ----------
    file_paths
        Files; one that is named twice, or by two links, is one job. None need be there yet.
    config_factory
        From a path to how it is fitted.
    output_root
        Each job writes to a folder there that is called as its file; files of one name in two folders are told apart
        by their folders.
    batch_name
        Of the batch.
    **settings
        As of `BatchConfig`.

    Raises
    ------
    ConfigError
        If there are no files.
    """
    own = {os.path.realpath(path): Path(path) for path in reversed([os.fspath(each) for each in file_paths])}
    files = list(reversed(own.values()))
    if not files:
        raise ConfigError("there are no files to make a batch of; name one or more")
    names = labels([os.path.abspath(file) for file in files])
    jobs = [
        BatchJobConfig(job_id=f"job_{number:04d}", job_name=name, pipeline_config=config_factory(file))
        for number, (file, name) in enumerate(zip(files, names, strict=True))
    ]
    root = Path(output_root)
    return BatchConfig(batch_name=batch_name, jobs=placed(jobs, root), output_root=root, **settings)


def create_batch_from_directory(
    directory: _Place,
    config_factory: Callable[[Path], RigidBodyConfig],
    output_root: _Place,
    pattern: str = "*.csv",
    recursive: bool = False,
    batch_name: str = "batch",
    **settings: Any,
) -> BatchConfig:
    """Make a job for each file of a folder that matches a pattern.

    Parameters
    ----------
    directory, pattern
        Where files are, and their names, with ``*`` and ``?``; ``**/`` looks in folders below. What the batch itself
        has written is left out.
    recursive
        Whether to look in folders below, too. A file that is found twice is one job.
    config_factory, output_root, batch_name, **settings
        As of `create_batch_from_files`.

    Raises
    ------
    ConfigError
        If no file matches.
    """
    below = ("**", pattern) if recursive and not pattern.startswith("**") else (pattern,)
    files = find_recordings([os.path.join(os.fspath(directory), *below)], output_root)
    return create_batch_from_files(
        [Path(directory, os.path.relpath(file, os.path.abspath(directory))) for file in files],
        config_factory,
        output_root,
        batch_name,
        **settings,
    )


def create_parameter_sweep(
    base_config: RigidBodyConfig,
    parameter_grid: Mapping[str, Sequence[Any]],
    output_root: _Place,
    sweep_name: str = "sweep",
) -> BatchConfig:
    """Make a job for each combination of values; see `ParameterSweepConfig`.

    Raises
    ------
    ConfigError
        If a path is unknown, with the nearest right one, or a value does not fit.
    """
    grid = {path: list(values) for path, values in parameter_grid.items()}
    return ParameterSweepConfig(
        base_config=base_config, parameter_grid=grid, output_root=Path(output_root), sweep_name=sweep_name
    ).generate_batch_config()


def create_cross_validation_batch(
    file_paths: Sequence[_Place],
    config_factory: Callable[[list[Path], list[Path]], RigidBodyConfig],
    output_root: _Place,
    n_folds: int = 5,
    group: str | Callable[[str], Hashable] | None = None,
    seed: int = 0,
    refit: bool = True,
    batch_name: str = "cross_validation",
    **settings: Any,
) -> BatchConfig:
    """Hold files out: fit one geometry to the others, and see how well it foretells markers of those held out.

    Parameters
    ----------
    file_paths
        Recordings of one body.
    config_factory
        From the files that are fitted and those that are held out to how it is done; which file its `input_path` names
        does not matter.
    output_root, batch_name, **settings
        As of `create_batch_from_files`.
    n_folds
        Each file is held out by one of them.
    group
        What is never parted: ``subject_{subject}_*.csv``, or a function of the path.
    seed
        Of the dealing of files to folds.
    refit
        Whether a last job fits all files.

    Returns
    -------
    BatchConfig
        Jobs ``fold_1`` and so on, with ``fold``, ``n_train`` and ``n_test`` as metadata, and ``refit``. The score of a
        fold is what was held out.

    Raises
    ------
    ConfigError
        If there are too few files, or groups of them.
    """
    files = list(dict.fromkeys(os.path.abspath(os.fspath(each)) for each in file_paths))
    jobs = []
    for fold in folds(files, n_folds, group=grouping(group) if isinstance(group, str) else group, seed=seed):
        train, test = [Path(each) for each in fold.train], [Path(each) for each in fold.test]
        held_out = ", ".join(each.stem for each in test)
        jobs.append(
            BatchJobConfig(
                job_id=f"fold_{fold.number}",
                pipeline_config=config_factory(train, test),
                metadata={"fold": fold.number, "n_train": len(train), "n_test": len(test), "held_out": held_out},
                train_files=tuple(train),
                test_files=tuple(test),
            )
        )
    if refit:
        every = [Path(each) for each in files]
        jobs.append(BatchJobConfig(job_id="refit", pipeline_config=config_factory(every, []), train_files=tuple(every)))
    root = Path(output_root)
    return BatchConfig(batch_name=batch_name, jobs=placed(jobs, root), output_root=root, **settings)
