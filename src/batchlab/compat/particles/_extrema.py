"""`compute_global_extrema`: limits that all orbits share, as a mapping and as a file."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from batchlab.cache import cache_folder
from batchlab.compat.particles._words import COUNTS, FILES, either, found_files, limit_params, scales_of
from batchlab.engine import BatchState, Conflict, Settings, run
from batchlab.particles._batch import GIVEN, Pictures, Reading, plot_batch
from batchlab.particles._exporting import Exports
from batchlab.particles._exports import Trouble, read_object
from batchlab.particles._limits import LimitRules
from batchlab.particles._model import INSTRUMENTS

__all__ = ["EXTREMA", "compute_global_extrema"]

log = logging.getLogger(__name__)

EXTREMA = "./FAST_calculated_extrema.json"
_TASKS = ("particles.collapse",)


def compute_global_extrema(
    directory_path: str | os.PathLike[str] | None = None,
    y_scale: str = "linear",
    z_scale: str = "linear",
    instrument_order: Sequence[str] = INSTRUMENTS,
    extrema_json_path: str | os.PathLike[str] | None = EXTREMA,
    compute_mins: bool = False,
    max_percentile: float = 95.0,
    log_floor_cutoff: float = 0.1,
    log_floor_value: float = -1.0,
    flush_batch_size: int = 10,
    *,
    input_dir: str | os.PathLike[str] | None = None,
    max_workers: int | None = None,
    energy_cap_ev: float | None = 4000.0,
    instrument_timeout_seconds: float | None = 30.0,
    flush_interval_seconds: float | None = 60.0,
    install_signal_handlers: bool = True,
) -> dict[str, Any]:
    """Settle the limits of all orbits of a folder, and draw nothing.

    The percentile is that of all positive values together, whatever the order and the number of processes. Each file
    is read once and kept in the cache, where `FAST_plot_spectrograms_directory` finds it; an interrupted call goes on
    from there.

    Parameters
    ----------
    directory_path, input_dir
        Folder of CDF files; two names of one argument, ``./FAST_data/`` by default.
    y_scale, z_scale
        ``linear`` or ``log``, of energy and of counts; of log scales the decadic logarithms are told.
    instrument_order
        Which instruments.
    extrema_json_path
        The file; what it says of other scales stays. None writes none.
    compute_mins
        Whether colours begin at the 1st percentile, and not at 0.
    max_percentile
        Of all positive values, where the colours end.
    log_floor_cutoff, log_floor_value
        Logarithms that are not above the first are told as the second.
    flush_batch_size
        After how many orbits the file is written; it always is at the end.
    max_workers
        Processes; one for each core by default.
    energy_cap_ev
        Where the energy axis ends at the latest; None for no cap.
    instrument_timeout_seconds
        Of reading a file; what takes longer is killed, and its file left out. None for no limit.
    flush_interval_seconds
        After how long the file is written though fewer orbits are new; None for never.
    install_signal_handlers
        Whether Ctrl-C ends the call in good order; handlers are restored in any case.

    Returns
    -------
    dict
        What the file says: ``ees_linear_log_z_max`` and so on.

    Raises
    ------
    ConfigError
        If the folder holds no such file, or an argument is wrong.
    StartError
        If another process computes the same just now.
    KeyboardInterrupt
        If it was stopped; what was read is kept.
    """
    scales = scales_of(y_scale, z_scale)
    directory = either(FILES, directory_path=directory_path, input_dir=input_dir)
    rules = LimitRules(**limit_params(max_percentile, compute_mins=compute_mins, energy_cap_ev=energy_cap_ev))
    path = None if extrema_json_path is None else Path(extrema_json_path)
    batch = plot_batch(
        found_files(directory, instrument_order),
        _place(directory, path),
        name="extrema",
        pictures=Pictures(variants=(GIVEN,)),
        reading=Reading(params=COUNTS),
        instrument_timeout_s=instrument_timeout_seconds,
        settings=Settings(workers=max_workers, retries=1, conflict=Conflict.OVERWRITE),
    )
    batch = replace(batch, jobs=tuple(job for job in batch.jobs if job.task in _TASKS))
    exports = Exports(
        batch,
        (scales,),
        extrema=path,
        rules=rules,
        flush_batch_size=flush_batch_size,
        flush_interval_s=flush_interval_seconds,
        log_floor_cutoff=log_floor_cutoff,
        log_floor_value=log_floor_value,
        on_failed=_left_out,
    )
    try:
        result = run(batch, listeners=[exports], install_signal_handlers=install_signal_handlers)
    finally:
        exports.close()
    if result.state is BatchState.CANCELLED:
        raise KeyboardInterrupt
    return exports.extrema(scales) if path is None else read_object(path)


def _left_out(orbit: int, trouble: Trouble) -> None:
    log.warning("orbit %d, %s is left out: %s: %s", orbit, trouble.instrument, trouble.reason, trouble.message)


def _place(directory: Path, path: Path | None) -> Path:
    """Where sketches of the files are kept between calls: in the cache, which may be deleted at any time."""
    about = f"{directory.absolute()}\n{None if path is None else path.absolute()}"
    return cache_folder("particles-extrema") / hashlib.blake2b(about.encode(), digest_size=10).hexdigest()
