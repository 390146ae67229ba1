"""Files before and after a batch: fit to be read, names that are free, leftovers removed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence

from batchlab.compat.spectra._names import free_name, stamped
from batchlab.compat.spectra._results import FileValidationResult
from batchlab.compat.spectra._settings import CONFLICTS
from batchlab.compat.spectra._validation import validate
from batchlab.engine import Conflict
from batchlab.errors import Category, ConfigError, JobError

__all__ = ["FileManager"]


class FileManager:
    """What can be asked of files without starting a batch."""

    async def validate_batch_files(
        self, baseline_file: str | os.PathLike[str], sample_files: Sequence[str | os.PathLike[str]]
    ) -> FileValidationResult:
        """Look at each file, in a thread of its own, so that the event loop goes on.

        Parameters
        ----------
        baseline_file, sample_files
            Files.
        """
        return await asyncio.to_thread(validate, baseline_file, tuple(sample_files))

    def resolve_filename_conflicts(
        self, file_path: str | os.PathLike[str], conflict_resolution: str = "auto_increment"
    ) -> str | None:
        """Where to write a file whose name may be taken.

        Parameters
        ----------
        file_path
            The name that is wanted.
        conflict_resolution
            ``auto_increment`` gives ``name_001``, ``timestamp`` puts the time of day behind the name, ``overwrite``
            leaves it.

        Returns
        -------
        str or None
            The path; None if the file is there and is to be skipped.

        Raises
        ------
        ConfigError
            If there is no such strategy.
        JobError
            Of category output, if the file is there and the strategy is ``fail``.
        """
        path = os.fspath(file_path)
        if conflict_resolution not in CONFLICTS:
            raise ConfigError(f"conflict_resolution {conflict_resolution!r}: write one of {', '.join(CONFLICTS)}")
        conflict = Conflict(conflict_resolution)
        if conflict is Conflict.OVERWRITE or not os.path.lexists(path):
            return path
        if conflict is Conflict.SKIP:
            return None
        if conflict is Conflict.FAIL:
            raise JobError(
                f"{path} is there already; move it, or choose another conflict_resolution",
                category=Category.OUTPUT,
                reason="conflict",
            )
        if conflict is Conflict.TIMESTAMP:
            path = stamped(path)
        return free_name(path, lambda each: not os.path.lexists(each))

    def cleanup_temp_files_batch(self, temp_files: Iterable[str | os.PathLike[str]]) -> int:
        """Remove files, and answer how many there were; those that are gone or cannot be removed are passed over."""
        removed = 0
        for file in temp_files:
            try:
                os.unlink(file)
            except OSError:
                continue
            removed += 1
        return removed
