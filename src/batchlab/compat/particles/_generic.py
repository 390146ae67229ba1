"""`generic_batch_plot`: many pictures of whatever a function of the caller finds."""

from __future__ import annotations

import inspect
import os
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from batchlab.compat.particles._datasets import Dataset, Panel, panel_of, write_panels
from batchlab.compat.particles._words import scales_of
from batchlab.engine import Batch, BatchState, Conflict, Job, Limits, Notice, Settings, Status, read_view, run
from batchlab.errors import ConfigError, StartError
from batchlab.particles._exports import read_object, reason_of, write_object
from batchlab.particles._flusher import Flusher

__all__ = ["generic_batch_plot"]

PROGRESS = "./batch_multi_plot_progress.json"
_PathLike = str | os.PathLike[str]
_ZOOM_S = 60.0
_OK, _NO_DATA, _ERROR = "ok", "no_data", "error"


def generic_batch_plot(
    items: Iterable[Any],
    output_dir: _PathLike,
    build_datasets_fn: Callable[[Any], Sequence[Dataset] | None],
    zoom_center_fn: Callable[..., float | None] | None = None,
    zoom_window_seconds: float | None = None,
    vertical_lines_fn: Callable[..., Iterable[float] | None] | None = None,
    y_scale: str = "linear",
    z_scale: str = "log",
    colormap: str = "viridis",
    max_workers: int = 2,
    progress_json_path: _PathLike | None = PROGRESS,
    ignore_progress_json: bool = False,
    flush_batch_size: int = 10,
    install_signal_handlers: bool = True,
    *,
    timeout_seconds: float | None = 60.0,
    flush_interval_seconds: float | None = 60.0,
    size_px: tuple[int, int] | None = None,
) -> list[dict[str, Any]]:
    """Draw a picture for each item.

    The functions run in this process, so that they may be anything: a method, a nested function, a lambda of a
    notebook. What they find is kept in ``<output_dir>/_datasets`` and drawn by processes that are killed where they
    take too long. An item that is drawn is not asked for again.

    Parameters
    ----------
    items
        Of any kind; told apart by their `repr`.
    output_dir
        Pictures are ``<output_dir>/<item>/generic.png``.
    build_datasets_fn
        Called with an item; answers datasets as of `generic_plot_spectrogram_set`, or nothing.
    zoom_center_fn, vertical_lines_fn
        Called with an item, and with its datasets if they take two arguments: a time to zoom to or None, and times to
        mark; in seconds since 1970.
    zoom_window_seconds
        Width of the zoom; a minute by default.
    y_scale, z_scale, colormap
        ``linear`` or ``log``, and a name of matplotlib's.
    max_workers
        Processes.
    progress_json_path
        A file that tells which items are done, in error or without data; None writes none.
    ignore_progress_json
        Do everything anew.
    flush_batch_size
        After how many items that file is written; it always is at the end.
    install_signal_handlers
        Whether Ctrl-C ends the call in good order; handlers are restored in any case.
    timeout_seconds
        Of one picture; None for no limit.
    flush_interval_seconds
        After how long the file is written though fewer items are new; None for never.
    size_px
        Width and height of each picture.

    Returns
    -------
    list of dict
        For each item: ``item``, ``status`` (``ok``, ``no_data`` or ``error``), ``errors``, and ``path`` if it is drawn.

    Raises
    ------
    ConfigError
        If an argument is wrong.
    KeyboardInterrupt
        If it was stopped; what is drawn stands.
    """
    scales = scales_of(y_scale, z_scale)
    output = Path(output_dir).absolute()
    wanted = list(items)
    names = _names(wanted)
    told = _Told(wanted, Path(progress_json_path) if progress_json_path is not None else None, flush_batch_size,
                 flush_interval_seconds)  # fmt: skip
    known = {} if ignore_progress_json else _done(output)
    jobs: list[Job] = []
    where: dict[str, int] = {}
    state = None
    try:
        for at, item in enumerate(wanted):
            kept = output / "_datasets" / f"{names[at]}.spectrograms"
            params = known.get(names[at]) if kept.is_file() else None
            if params is not None and "zoom_s" in params:
                params["zoom_s"] = [params["zoom_s"][0], zoom_window_seconds or _ZOOM_S]
            if params is None:
                params = _built(told, at, item, build_datasets_fn, zoom_center_fn, vertical_lines_fn,
                                zoom_window_seconds, kept)  # fmt: skip
            if params is not None:
                jobs.append(
                    Job(
                        name=names[at],
                        task="compat.spectrogram_set",
                        params={
                            **params,
                            "title": str(item),
                            "y_scale": scales[0],
                            "z_scale": scales[1],
                            "colormap": colormap,
                            "size_px": None if size_px is None else list(size_px),
                        },
                        inputs={"datasets": str(kept)},
                        outputs={"figure": f"{names[at]}/generic.png"},
                        limits=Limits(timeout_s=timeout_seconds),
                    )
                )
                where[names[at]] = at
        settings = Settings(workers=max(1, max_workers), retries=1, conflict=Conflict.OVERWRITE)
        batch = Batch(name="generic", output=output, jobs=tuple(jobs), settings=settings)

        def hear(notice: Notice) -> None:
            if notice.kind == "job-ended" and notice.job in where:
                facts = notice.facts
                told.over(where[notice.job], str(facts["state"]), facts["category"], facts["reason"], facts["message"])

        if jobs:
            result = run(
                batch, listeners=[hear], fresh=ignore_progress_json, install_signal_handlers=install_signal_handlers
            )
            state = result.state
            for seen in read_view(output).jobs:
                if seen.name in where:
                    told.over(where[seen.name], seen.state.value, seen.category, seen.reason, seen.message)
    finally:
        told.close()
    if state is BatchState.CANCELLED:
        raise KeyboardInterrupt
    for job in jobs:
        entry = told.results.get(where[job.name])
        if entry is not None and entry["status"] == _OK:
            entry["path"] = output / job.outputs["figure"]
    return [told.results[at] for at in sorted(told.results)]


class _Told:
    """What became of each item, and the file that says so."""

    def __init__(self, items: Sequence[Any], path: Path | None, size: int, interval_s: float | None) -> None:
        self._items = items
        self._path = path
        self._flusher = Flusher(size, interval_s)
        self._lock = threading.Lock()
        self.results: dict[int, dict[str, Any]] = {}
        self.writes = 0

    def take(self, at: int, status: str, *errors: str) -> None:
        """An item is over."""
        with self._lock:
            if at in self.results:
                return
            self.results[at] = {"item": self._items[at], "status": status, "errors": list(errors)}
            self._flusher.add()
            if self._flusher.due:
                self._write()

    def over(self, at: int, state: str, category: str | None, reason: str | None, message: str | None) -> None:
        """A picture is over."""
        if state in (Status.DONE.value, Status.SKIPPED.value):
            self.take(at, _OK)
        elif state == Status.FAILED.value:
            self.take(at, _ERROR, f"{reason_of(category, reason)}: {message}")

    def close(self) -> None:
        """Write what is not written yet."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        self._flusher.clear()
        if self._path is None or not self.results:
            return
        before = read_object(self._path)
        content = {**before, "schema_version": 1, "last_index": max(self.results)}
        ours = {repr(self._items[at]) for at in self.results}
        for key, status in (("completed_items", _OK), ("errors", _ERROR), ("no_data", _NO_DATA)):
            listed = before.get(key)
            others = {str(each) for each in listed} - ours if isinstance(listed, list) else set()
            new = {repr(self._items[at]) for at, each in self.results.items() if each["status"] == status}
            content[key] = sorted(others | new)
        if content != before:
            write_object(self._path, content)
            self.writes += 1


def _built(
    told: _Told,
    at: int,
    item: Any,
    build: Callable[[Any], Sequence[Dataset] | None],
    center: Callable[..., float | None] | None,
    lines: Callable[..., Iterable[float] | None] | None,
    window_s: float | None,
    kept: Path,
) -> dict[str, Any] | None:
    """Ask the functions of the caller, and keep what they find; None where there is nothing to draw."""
    try:
        datasets = list(build(item) or ())
        panels: list[Panel] = [panel_of(each, row) for row, each in enumerate(datasets)]
        middle = _asked(center, item, datasets) if panels else None
        times = [float(each) for each in _asked(lines, item, datasets) or ()] if panels else []
    except Exception as error:  # noqa: BLE001 - whatever a function of the caller raises is that item's error
        told.take(at, _ERROR, f"{type(error).__name__}: {error}")
        return None
    if not panels:
        told.take(at, _NO_DATA)
        return None
    write_panels(kept, panels)
    zoom = None if middle is None else [float(middle), float(window_s or _ZOOM_S)]
    return {"zoom_s": zoom, "lines_s": times}


def _asked(function: Callable[..., Any] | None, item: Any, datasets: Sequence[Dataset]) -> Any:
    if function is None:
        return None
    taken = [
        each
        for each in inspect.signature(function).parameters.values()
        if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD) and each.default is each.empty
    ]
    return function(item, datasets) if len(taken) > 1 else function(item)


def _done(output: Path) -> dict[str, dict[str, Any]]:
    """Items that are drawn, and what they were drawn with beside their datasets."""
    try:
        view = read_view(output)
    except StartError:
        return {}
    return {
        job.name: {name: job.params.get(name) for name in ("zoom_s", "lines_s") if job.params.get(name) is not None}
        for job in view.jobs
        if job.state is Status.DONE
    }


def _names(items: Sequence[Any]) -> list[str]:
    """Names of folders: an item's text as far as file systems like it, told apart where that makes two alike."""
    names: list[str] = []
    seen: dict[str, int] = {}
    for item in items:
        text = item.stem if isinstance(item, Path) else str(item)
        name = re.sub(r"[^\w.+-]+", "_", text, flags=re.ASCII).strip("._")[:80] or "item"
        seen[name.lower()] = seen.get(name.lower(), 0) + 1
        names.append(name if seen[name.lower()] == 1 else f"{name}-{seen[name.lower()]}")
    if len(set(names)) < len(names):
        raise ConfigError("two items have one name; give items whose texts differ")
    return names
