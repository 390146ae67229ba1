"""What pictures need of files beside spectrograms, kept as those are: tracks of orbits, and times of records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.engine import JobContext
from batchlab.particles.tasks._reading import digests

if TYPE_CHECKING:
    from batchlab.particles._model import Float
    from batchlab.particles._orbit import OrbitTrack

__all__ = ["kept_times", "kept_track"]

_COLUMNS = ("times_s", "ilat_deg", "mlt_h", "alt_km", "flat_deg", "flng_deg")


def kept_track(ctx: JobContext) -> OrbitTrack:
    """Of the job's input ``orbit``: out of the cache, or read and put there; raises as `read_orbit` does."""
    from batchlab.particles._orbit import OrbitTrack, read_orbit

    def read() -> dict[str, Float]:
        import numpy as np

        track = read_orbit(ctx.input("orbit"))
        number = np.array([] if track.orbit is None else [track.orbit], np.float64)
        return {"orbit": number, **{name: getattr(track, name) for name in _COLUMNS}}

    found = _kept(digests(ctx, "orbit")[0], "orbit", read)
    number = found["orbit"]
    return OrbitTrack(**{name: found[name] for name in _COLUMNS}, orbit=int(number[0]) if number.size else None)


def kept_times(file: Path, digest: str) -> Float:
    """Start and end of a file's records: out of the cache, or read and put there; see `read_times`."""
    from batchlab.particles._read import read_times

    return _kept(digest, "times", lambda: {"times_s": read_times(file)})["times_s"]


def _kept(digest: str, what: str, read: Callable[[], Mapping[str, Float]]) -> Mapping[str, Float]:
    from batchlab.particles._store import pack_arrays, spectrogram_cache, spectrogram_key, unpack_arrays

    cache, key = spectrogram_cache(), spectrogram_key(digest, {"only": what})
    packed = cache.get(key)
    if packed is not None:
        return unpack_arrays(packed)
    found = read()
    cache.put(key, pack_arrays(found))  # where that fails it is read anew, as spectrograms are, whose job tells of it
    return found
