"""`FAST_plot_spectrograms_directory`: all pictures of all orbits of a folder."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from batchlab.compat.particles._extrema import EXTREMA
from batchlab.compat.particles._log import LogFile, Talk, log_file
from batchlab.compat.particles._words import (
    COUNTS,
    FILES,
    either,
    found_files,
    limit_params,
    row_params,
    scales_of,
)
from batchlab.engine import Batch, BatchState, Conflict, Settings, read_view, run
from batchlab.errors import ConfigError, StartError
from batchlab.particles._batch import GIVEN, RAW, Pictures, Reading, plot_batch
from batchlab.particles._events import Events, read_events
from batchlab.particles._exporting import Exports
from batchlab.particles._exports import (
    GRID,
    TIMEOUT,
    OrbitState,
    done_orbits,
    limits_from_extrema,
    read_object,
    write_object,
)
from batchlab.particles._limits import LimitRules, limits_to_json
from batchlab.particles._model import INSTRUMENTS, Scales

__all__ = ["FAST_plot_spectrograms_directory"]

log = logging.getLogger(__name__)

PLOTS = "./FAST_plots/"
PROGRESS = "./batch_multi_plot_FAST_progress.json"
CUSPS = "./FAST_Cusp_Indices.csv"
_PathLike = str | os.PathLike[str]


def FAST_plot_spectrograms_directory(
    directory_path: _PathLike | None = None,
    output_base: _PathLike | None = None,
    y_scale: str = "linear",
    z_scale: str = "log",
    zoom_duration_minutes: float = 6.0,
    instrument_order: Sequence[str] = INSTRUMENTS,
    verbose: bool = True,
    progress_json_path: _PathLike | None = PROGRESS,
    ignore_progress_json: bool = False,
    use_tqdm: bool | None = None,
    colormap: str = "viridis",
    cusp_marker_style: str = "both",
    cusp_marker_kwargs: Mapping[str, Any] | None = None,
    max_workers: int = 4,
    orbit_timeout_seconds: float | None = 60.0,
    instrument_timeout_seconds: float | None = 30.0,
    retry_timeouts: bool = True,
    flush_batch_size: int = 10,
    log_flush_batch_size: int | None = None,
    max_processing_percentile: float | None = 95.0,
    override_plots: bool = True,
    *,
    input_dir: _PathLike | None = None,
    output_dir: _PathLike | None = None,
    extrema_json_path: _PathLike | None = EXTREMA,
    use_extrema_json: bool = False,
    use_progress_json: bool = False,
    row_overrides: Mapping[str, Mapping[str, Any]] | None = None,
    cusp_table_path: _PathLike | None = CUSPS,
    log_path: _PathLike | None = "",
    energy_cap_ev: float | None = 4000.0,
    flush_interval_seconds: float | None = 60.0,
    size_px: tuple[int, int] = (2400, 1200),
    install_signal_handlers: bool = True,
) -> list[dict[str, Any]]:
    """Draw the pictures of every orbit whose files lie in a folder: by pitch angle, and of all instruments.

    The ledger in the output folder knows what is done: a call goes on where an earlier one ended, killed or not, draws
    anew what has changed, and tries again what failed. Files that this program writes beside the pictures, the progress
    and the extrema, tell others of it; it does not need them.

    Parameters
    ----------
    directory_path, input_dir
        Folder of CDF files; two names of one argument, ``./FAST_data/`` by default.
    output_base, output_dir
        Folder for pictures, in ``year/month/orbit``; likewise, ``./FAST_plots/`` by default.
    y_scale, z_scale
        ``linear`` or ``log``, of energy and of counts.
    zoom_duration_minutes
        Width of the column around what is marked.
    instrument_order
        Which instruments, in the order of their rows.
    verbose
        Whether orbits are told on stdout.
    progress_json_path
        The file of progress; None writes none.
    ignore_progress_json
        Do everything anew.
    use_tqdm
        Whether a bar on stderr counts orbits.
    colormap
        A name of matplotlib's.
    cusp_marker_style
        ``line``, ``bracket`` or ``both``.
    cusp_marker_kwargs
        ``label``: what is marked is called so. Others have no say, for marks look alike in all pictures.
    max_workers
        Processes.
    orbit_timeout_seconds, instrument_timeout_seconds
        Of all that belongs to an orbit together, and of reading a file or drawing a picture; what takes longer is
        killed, what is drawn stays. None for no limit.
    retry_timeouts
        Whether what took too long is tried once more.
    flush_batch_size
        After how many orbits the files of progress and extrema are written; they always are at the end. The ledger
        records every picture at once.
    log_flush_batch_size
        How many records of the log are written together; `flush_batch_size` by default.
    max_processing_percentile
        Of all positive values, where the colours of the pictures with shared limits end; None draws only pictures
        with limits of their own.
    override_plots
        False leaves a picture that another program has drawn.
    extrema_json_path
        The file of extrema; None writes none.
    use_extrema_json
        Take shared limits from that file, as far as it has them, and do not write it.
    use_progress_json
        Draw no picture of orbits that the file of progress says are done, if no picture of them is known here: for
        a folder that an older program has filled.
    row_overrides
        By instrument or category: ``y_min``, ``y_max``, ``z_min``, ``z_max`` (or ``vmin``, ``vmax``), ``label``,
        ``y_label``, ``z_label``.
    cusp_table_path
        What is marked: a table of cusps or a list of events. Nothing is, where the file is not there.
    log_path
        The log; by default the newest ``batch_multi_plot_FAST_log_*.log`` of the current folder, or a new one. None
        writes none.
    energy_cap_ev
        Where the energy axis of shared limits ends at the latest; None for no cap.
    flush_interval_seconds
        After how long files are written though fewer orbits are new; None for never.
    size_px
        Width and height of each picture.
    install_signal_handlers
        Whether Ctrl-C ends the call in good order; handlers are restored in any case.

    Returns
    -------
    list of dict
        For each orbit, ascending: ``orbit``, ``status`` (``ok``, ``error`` or ``timeout``), ``errors``, and for a
        timeout ``timeout_type`` (``orbit`` or ``instrument``) and ``timeout_instrument``.

    Raises
    ------
    ConfigError
        If the folder holds no such file, or an argument is wrong; nothing was started.
    StartError
        If another run holds the output folder, or it may not be written.
    KeyboardInterrupt
        If it was stopped; what is drawn, and told of it, stands.
    """
    scales = scales_of(y_scale, z_scale)
    directory = either(FILES, directory_path=directory_path, input_dir=input_dir)
    output = either(PLOTS, output_base=output_base, output_dir=output_dir)
    progress = None if progress_json_path is None else Path(progress_json_path)
    extrema = None if extrema_json_path is None or max_processing_percentile is None else Path(extrema_json_path)
    if cusp_marker_style not in ("line", "bracket", "both"):
        raise ConfigError(f"cusp_marker_style is {cusp_marker_style!r}; choose line, bracket or both")
    found = found_files(directory, instrument_order)
    limits = limit_params(max_processing_percentile or 95.0, compute_mins=False, energy_cap_ev=energy_cap_ev)
    rules = LimitRules(**limits)
    given: dict[str, Path] = {}
    if use_extrema_json and extrema is not None:
        given = _given(extrema, {each.instrument for each in found.files}, scales, rules, output)
    batch = plot_batch(
        found,
        output,
        pictures=Pictures(
            scales=(scales,),
            variants=(RAW,) if max_processing_percentile is None else (GIVEN, RAW),
            colormap=colormap,
            params={
                "rows": row_params(row_overrides),
                "marker": cusp_marker_style,
                "zoom_minutes": [zoom_duration_minutes],
                "size_px": list(size_px),
            },
        ),
        reading=Reading(params=COUNTS, limits=limits, given=given),
        events=_events(cusp_table_path, cusp_marker_kwargs),
        instrument_timeout_s=instrument_timeout_seconds,
        orbit_timeout_s=orbit_timeout_seconds,
        settings=Settings(
            workers=max(1, max_workers),
            retries=1 if retry_timeouts else 0,
            conflict=Conflict.OVERWRITE if override_plots else Conflict.SKIP,
        ),
    )
    if use_progress_json and progress is not None and not ignore_progress_json:
        batch = _without_done(batch, progress, found.orbits, scales)
    records = LogFile(
        log_file(Path()) if log_path == "" else None if log_path is None else Path(log_path),
        flush_batch_size if log_flush_batch_size is None else log_flush_batch_size,
        flush_interval_seconds,
    )
    talk = Talk(records, verbose=verbose, bar=bool(use_tqdm), total=len(found.orbits))
    exports = Exports(
        batch,
        (scales,),
        progress=progress,
        extrema=None if use_extrema_json else extrema,
        rules=rules,
        flush_batch_size=flush_batch_size,
        flush_interval_s=flush_interval_seconds,
        on_over=talk.over,
        on_failed=talk.failed,
    )
    talk.say(f"{len(found.orbits)} orbits, {len(found.files)} files in {directory}; pictures go to {output}")
    for note in found.notes:
        talk.say(note)
    return _run(batch, exports, talk, scales, fresh=ignore_progress_json, handlers=install_signal_handlers)


def _run(
    batch: Batch, exports: Exports, talk: Talk, scales: Scales, *, fresh: bool, handlers: bool
) -> list[dict[str, Any]]:
    state = None
    try:
        state = run(batch, listeners=[exports], fresh=fresh, install_signal_handlers=handlers).state
    finally:
        exports.close()
        told = [result_of(each) for each in exports.states(scales) if each.over]
        good = sum(each["status"] == "ok" for each in told)
        how = "stopped" if state in (None, BatchState.CANCELLED) else "finished"
        talk.say(f"{how}: {good} of {len(told)} orbits ok")
        talk.close()
    if state is BatchState.CANCELLED:
        raise KeyboardInterrupt
    return told


def result_of(state: OrbitState) -> dict[str, Any]:
    """An orbit as the older program tells it."""
    told: dict[str, Any] = {
        "orbit": state.orbit,
        "status": state.status,
        "errors": [f"{each.instrument}: {each.reason}: {each.message}" for each in state.troubles],
    }
    late = [each for each in state.troubles if each.reason == TIMEOUT]
    if late:
        # An instrument by itself tells more than the orbit that it has kept from its end.
        first = min(late, key=lambda each: (each.of_orbit, each.instrument == GRID))
        told["timeout_type"] = "orbit" if first.of_orbit else "instrument"
        told["timeout_instrument"] = first.instrument
    return told


def _events(path: _PathLike | None, kwargs: Mapping[str, Any] | None) -> Events | None:
    said = dict(kwargs or {})
    label = said.pop("label", None)
    if said:
        log.warning("cusp_marker_kwargs: %s have no say, marks look alike in all pictures", ", ".join(sorted(said)))
    if path is None or not Path(path).is_file():
        return None
    return read_events(path, label=label)


def _given(path: Path, instruments: set[str], scales: Scales, rules: LimitRules, output: Path) -> dict[str, Path]:
    """Limits of a file of extrema, as files that pictures can take them from."""
    content = read_object(path)
    files = {}
    for instrument in sorted(instruments):
        limits = limits_from_extrema(content, instrument, scales)
        if limits is not None:
            file = (output / "_limits" / f"given_{instrument}_{'_'.join(scales)}.json").absolute()
            said = json.loads(limits_to_json(instrument, "", {"all": limits}, rules))
            if read_object(file) != said:
                write_object(file, said)
            files[instrument] = file
    if not files:
        log.warning("%s has no limits for scales %s and %s; they are settled anew", path, *scales)
    return files


def _without_done(batch: Batch, progress: Path, orbits: Sequence[int], scales: Scales) -> Batch:
    """The batch without pictures of orbits that an older program has drawn."""
    done = done_orbits(read_object(progress), orbits, scales)
    try:
        view = read_view(batch.output)
        known = {job.metadata.get("orbit") for job in view.jobs if job.task == "particles.plot"}
    except StartError:
        known = set()
    left = done - known
    keep = (job for job in batch.jobs if job.task != "particles.plot" or job.metadata.get("orbit") not in left)
    return replace(batch, jobs=tuple(keep))
