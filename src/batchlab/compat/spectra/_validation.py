"""Looking at files before anything is started."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from batchlab.compat.spectra._jobs import names_of
from batchlab.compat.spectra._recognized import SURE, look_at
from batchlab.compat.spectra._results import FileValidationResult
from batchlab.compat.spectra._settings import BatchConfig
from batchlab.compat.spectra._space import estimate, size_of
from batchlab.errors import BatchlabError

__all__ = ["examined", "validate"]


def validate(
    baseline: str | os.PathLike[str],
    samples: Sequence[str | os.PathLike[str]],
    config: BatchConfig | None = None,
) -> FileValidationResult:
    """Look at each file once: whether it is there, may be read, is no larger than a spectrum, and holds one.

    Parameters
    ----------
    baseline, samples
        Files.
    config
        For the estimate of time.
    """
    return examined(baseline, samples, config)[0]


def examined(
    baseline: str | os.PathLike[str],
    samples: Sequence[str | os.PathLike[str]],
    config: BatchConfig | None = None,
) -> tuple[FileValidationResult, Counter[str]]:
    """The same, and the categories of what is wrong with the invalid files: how often each.

    Parameters
    ----------
    baseline, samples, config
        As for `validate`.
    """
    given = list(dict.fromkeys(os.fspath(each) for each in (baseline, *samples)))
    absolute = {each: os.path.abspath(each) for each in given}
    names = names_of(list(dict.fromkeys(absolute.values())))
    valid: list[str] = []
    invalid: list[tuple[str, str]] = []
    warnings: list[str] = []
    categories: Counter[str] = Counter()
    for path in given:
        name = names[absolute[path]]
        try:
            confidence, layout = look_at(path)
        except BatchlabError as error:
            invalid.append((name, str(error)))
            categories[error.category.value] += 1
            continue
        valid.append(path)
        if confidence < SURE:
            warnings.append(f"{name}: the layout is not sure ({confidence:.2f}): {layout}")
    fit = set(valid)
    good = [each for each in samples if os.fspath(each) in fit]
    result = FileValidationResult(
        valid_files=tuple(valid),
        invalid_files=tuple(invalid),
        total_size_mb=sum(map(size_of, valid)) / 1e6,
        estimated_time_minutes=estimate(Path(baseline), good, config or BatchConfig()).estimated_time_minutes,
        warnings=tuple(warnings),
    )
    return result, categories
