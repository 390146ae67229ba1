"""The jobs from raw files to the staged store, and from there to the histories of chips."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from batchlab.devices.tasks._full_path import FullPath
from batchlab.engine import JobContext, Scalar, task
from batchlab.errors import Category, DataError, JobError

__all__ = ["READ_ALL", "HistoriesParams", "StageParams", "histories", "stage"]

_LIBRARIES = ("polars",)
# Set by whoever wants this run to read every file: no param, since it changes nothing that the batch says.
READ_ALL = "BATCHLAB_DEVICES_READ_ALL"


class StageParams(BaseModel):
    """Where the raw files lie, and how they are read."""

    model_config = ConfigDict(extra="forbid")

    raw_root: str = Field(description="the folder of raw files; their names in the store are relative to it")
    previous: FullPath | None = Field(
        None, description="a store from which rows of unchanged files are taken over: it saves time and changes nothing"
    )
    timezone: str = Field("America/Santiago", description="of the laboratory, for local dates")
    strict: bool = Field(False, description="refuse what does not follow the procedures' description")
    force: bool = Field(False, description="read every file, whatever is known of it")
    suffixes: tuple[str, ...] = Field((".csv",), description="endings of raw files")


def _names_and_times(params: Mapping[str, Any], files: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    """Names and times of the raw files: both stand in the store, and the content alone does not tell them."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        root = _root_of(str(params["raw_root"]), files.get("raw", ()))
    except DataError:  # told by the job
        root = str(params["raw_root"])
    below = os.path.join(root, "")
    for path in files.get("raw", ()):
        try:
            mtime_ns = os.stat(path).st_mtime_ns
        except OSError:
            mtime_ns = -1
        # Of thousands of files each counts; the longer way is for those that lie elsewhere.
        name = path[len(below) :] if path.startswith(below) else os.path.relpath(path, root)
        digest.update(f"{name}\0{mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return {"the list of raw files": digest.hexdigest()}


@task(
    name="devices.stage",
    version="2",
    params=StageParams,
    inputs=("raw",),
    optional_inputs=("procedures",),
    outputs={"manifest": "manifest.parquet", "rejects": "rejects.json", "runs": "runs/"},
    libraries=_LIBRARIES,
    preload=("batchlab.devices._read",),
    surroundings=_names_and_times,
)
def stage(ctx: JobContext, params: StageParams) -> Mapping[str, Scalar]:
    """Read raw files into the staged store, each file an item; a file that is no run is rejected with its reason.

    Files that are as they were are not read again, unless the environment variable BATCHLAB_DEVICES_READ_ALL is 1.
    """
    from batchlab.devices._chips import groups_alike
    from batchlab.devices._manifest import read_manifest
    from batchlab.devices._procedures import load_schema
    from batchlab.devices._stage import stage as stage_files

    ctx.stage("read")
    schema = load_schema(*ctx.inputs("procedures")) if ctx.given("procedures") else None
    staged = stage_files(
        _root_of(params.raw_root, tuple(map(str, ctx.inputs("raw")))),
        _folder(ctx),
        previous=params.previous or ctx.scratch,
        schema=schema,
        timezone=params.timezone,
        force=params.force or os.environ.get(READ_ALL) == "1",
        strict=params.strict,
        suffixes=params.suffixes,
        item=ctx.item,
        now=datetime.now(UTC),
    )
    for file in staged.files:
        if file.warnings:
            ctx.log.info("%s: %s", file.name, file.warnings)
    for file in staged.duplicates:
        ctx.log.info("%s: %s", file.name, file.message)
    for names in groups_alike(read_manifest(_folder(ctx)).table["chip_group"].drop_nulls().unique()):
        ctx.warn(
            f"the groups {' and '.join(map(repr, names))} differ in capital letters alone, and are taken for "
            "different ones; if they are one, write its name alike in the raw files (Chip group name)"
        )
    return {**staged.counts, "runs_added": len(staged.added), "runs_removed": len(staged.removed)}


def _root_of(raw_root: str, files: Sequence[str]) -> str:
    """The folder of raw files; one that is not given in full is the one of that name above all of them.

    Raises
    ------
    DataError
        If there is none, or more than one: a worker's own folder says nothing of what a batch file means.
    """
    if os.path.isabs(raw_root):
        return raw_root
    parts = [part for part in Path(os.path.normpath(raw_root)).parts if part != os.pardir]
    above = Path(os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in files]))
    fitting = [each for each in (above, *above.parents) if parts and list(each.parts[-len(parts) :]) == parts]
    if len(fitting) != 1:
        told = " and ".join(map(str, fitting)) or f"none above all raw files, which lie in {above}"
        raise DataError(
            f"raw_root {raw_root!r} is not a full path, and the folders that it may mean are: {told}; "
            'write it in full, or in a batch file as "${lab}/data/01_raw", with --set lab=...',
            category=Category.INVALID_INPUT,
            reason="doubtful-raw-root",
        )
    return str(fitting[0])


def _folder(ctx: JobContext) -> Path:
    """The folder that all outputs of the store lie in."""
    folders = {ctx.output("manifest").parent, ctx.output("rejects").parent, ctx.output_dir("runs").parent}
    if len(folders) != 1:
        raise JobError(
            "manifest, rejects and runs of a store lie in one folder: manifest.parquet, rejects.json and runs/",
            category=Category.INVALID_INPUT,
            reason="store-apart",
        )
    return folders.pop()


class HistoriesParams(BaseModel):
    """Which chips have a history."""

    model_config = ConfigDict(extra="forbid")

    group: str | None = Field(None, description="only chips of this group")
    minimum: int = Field(1, ge=1, description="only chips with at least as many runs")


@task(
    name="devices.histories",
    version="2",
    params=HistoriesParams,
    inputs=("manifest",),
    outputs={"histories": "chip_histories/"},
    libraries=_LIBRARIES,
)
def histories(ctx: JobContext, params: HistoriesParams) -> Mapping[str, Scalar]:
    """Number the runs of each chip in the order of time, over all procedures.

    Takes the manifest of a store (``manifest: {from: stage, output: manifest}``).
    """
    from batchlab.devices._history import histories as histories_of
    from batchlab.devices._history import write_histories
    from batchlab.devices._manifest import read_manifest

    manifest = read_manifest(ctx.input("manifest").parent)
    found = histories_of(manifest.table, timezone=manifest.timezone, group=params.group, minimum=params.minimum)
    folder = ctx.output_dir("histories")
    for name, table in found.items():
        with ctx.item(name):
            write_histories({name: table}, folder, sweep=False)
    if not found:
        ctx.warn("no chip has a history: no run names a chip that is asked for")
    return {"chips": len(found), "runs": sum(table.height for table in found.values())}
