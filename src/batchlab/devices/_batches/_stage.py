"""The batch from raw files to the staged store and the histories of chips."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from batchlab.devices._layout import HISTORIES, Layout
from batchlab.devices._manifest import MANIFEST, REJECTS, RUNS
from batchlab.devices._raw_files import ZONE, raw_names
from batchlab.engine import Batch, Conflict, From, Input, Job, Json, Settings
from batchlab.errors import Category, DataError

__all__ = ["STAGE", "reading_all", "stage_batch"]

STAGE = "devices-stage"


@contextmanager
def reading_all(wanted: bool = True) -> Iterator[None]:
    """Have staging that runs within read every file, whatever is known of it.

    The batch says nothing of it: what a forced run stages is what any other would, so the next one finds it done.
    """
    if not wanted:
        yield
        return
    from batchlab.devices.tasks import READ_ALL

    before = os.environ.get(READ_ALL)
    os.environ[READ_ALL] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[READ_ALL]
        else:
            os.environ[READ_ALL] = before


def stage_batch(
    layout: Layout,
    *,
    timezone: str | None = None,
    procedures: str | os.PathLike[str] | None = None,
    strict: bool = False,
    suffixes: Sequence[str] = (".csv",),
    stage: bool = True,
    histories: bool = True,
    group: str | None = None,
    minimum: int = 1,
    settings: Settings | None = None,
    source: str | None = None,
) -> Batch:
    """A batch that stages the raw files and builds the histories of chips.

    Parameters
    ----------
    layout
        Where all lies.
    timezone, strict, suffixes
        As `stage` has them.
    procedures
        A file that describes further procedures.
    stage, histories
        Which of both.
    group, minimum
        Which chips have a history: of a group, with at least as many runs.
    settings
        How the batch is run.
    source
        What the report shows as its origin: the command.

    Raises
    ------
    DataError
        If there are no raw files.
    """
    jobs: list[Job] = []
    if stage:
        files = tuple(os.path.join(layout.raw, name) for name in raw_names(layout.raw, suffixes))
        if not files:
            raise DataError(
                f"{layout.raw}: no raw files ({', '.join(suffixes)}) are there; name the folder that holds them with "
                "--raw-root, or the data folder with --base-dir",
                category=Category.MISSING_INPUT,
                reason="no-raw-files",
            )
        inputs: dict[str, Input] = {"raw": files}
        if procedures is not None:
            inputs["procedures"] = str(Path(procedures).resolve())
        params: dict[str, Json] = {
            "raw_root": str(layout.raw),
            "previous": str(layout.store),
            "timezone": timezone or ZONE,
            "strict": strict,
            "suffixes": list(suffixes),
        }
        outputs = {"manifest": MANIFEST, "rejects": REJECTS, "runs": f"{RUNS}/"}
        jobs.append(Job(name="stage", task="devices.stage", params=params, inputs=inputs, outputs=outputs))
    if histories:
        manifest: Input = From(jobs=("stage",), output="manifest") if stage else str(layout.store / MANIFEST)
        jobs.append(
            Job(
                name="histories",
                task="devices.histories",
                params={"group": group, "minimum": minimum},
                inputs={"manifest": manifest},
                outputs={"histories": f"{HISTORIES}/"},
            )
        )
    return Batch(
        name=STAGE,
        output=layout.stage,
        jobs=tuple(jobs),
        # One pass over the files, and then one over the runs: there is nothing for a second worker.
        settings=replace(settings or Settings(), workers=1, conflict=Conflict.OVERWRITE, shared_output=True),
        source=source,
    )
