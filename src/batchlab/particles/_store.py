"""Spectrograms as bytes, and the cache that keeps each file's from run to run."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.cache import DiskCache, cache_folder
from batchlab.particles._model import Dropped, Spectrogram

if TYPE_CHECKING:
    from batchlab.particles._model import Float

__all__ = [
    "VERSION",
    "pack",
    "pack_arrays",
    "spectrogram_cache",
    "spectrogram_key",
    "unpack",
    "unpack_arrays",
]

VERSION = "1"
"""Of what files are read into: raised whenever the same file may give another spectrogram."""

_MAGIC = b"spectrogram\x00"
_LIMIT_BYTES = 4 << 30


def spectrogram_cache(folder: str | Path | None = None, *, limit_bytes: int = _LIMIT_BYTES) -> DiskCache:
    """The cache of spectrograms; by default the user's."""
    return DiskCache(cache_folder("particles") if folder is None else folder, limit_bytes=limit_bytes)


def spectrogram_key(content: str, how: Mapping[str, Any]) -> str:
    """The name of a spectrogram in the cache.

    Parameters
    ----------
    content
        Digest of all files that it is read from.
    how
        All params that it depends on, as JSON knows them.
    """
    text = json.dumps([VERSION, content, how], sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


def pack(spectrogram: Spectrogram) -> bytes:
    """A spectrogram as bytes; `unpack` gives back an equal one."""
    arrays: list[Float | Any] = [
        spectrogram.times_s.astype("<f8"),
        spectrogram.mode.astype("u1"),
        spectrogram.values.astype("<f4"),
        *(edges.astype("<f8") for edges in spectrogram.energy_edges_ev),
        *(energies.astype("<f8") for energies in spectrogram.energies_ev),
    ]
    head = {
        "name": spectrogram.name,
        "quantity": spectrogram.quantity,
        "unit": spectrogram.unit,
        "categories": spectrogram.categories,
        "dropped": asdict(spectrogram.dropped),
        "notes": spectrogram.notes,
        "tables": len(spectrogram.energy_edges_ev),
        "arrays": [[array.dtype.str, array.shape] for array in arrays],
    }
    text = json.dumps(head, separators=(",", ":")).encode()
    body = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
    return _MAGIC + len(text).to_bytes(8, "little") + text + _deflate(body)


def unpack(data: bytes) -> Spectrogram:
    """The spectrogram that was packed.

    Raises
    ------
    ValueError
        If these bytes are no packed spectrogram.
    """
    start = len(_MAGIC) + 8
    if not data.startswith(_MAGIC):
        raise ValueError("these bytes are no packed spectrogram")
    length = int.from_bytes(data[len(_MAGIC) : start], "little")
    head = json.loads(data[start : start + length])
    body = _inflate(data[start + length :])
    arrays, at = [], 0
    for dtype, shape in head["arrays"]:
        count = int(np.prod(shape))
        arrays.append(np.frombuffer(body, np.dtype(dtype), count, at).reshape(shape))
        at += arrays[-1].nbytes
    tables = head["tables"]
    return Spectrogram(
        name=head["name"],
        quantity=head["quantity"],
        unit=head["unit"],
        categories=tuple(head["categories"]),
        times_s=arrays[0],
        mode=arrays[1],
        values=arrays[2],
        energy_edges_ev=tuple(arrays[3 : 3 + tables]),
        energies_ev=tuple(arrays[3 + tables : 3 + 2 * tables]),
        dropped=Dropped(**head["dropped"]),
        notes=tuple(head["notes"]),
    )


def pack_arrays(arrays: Mapping[str, Float]) -> bytes:
    """Numbers by name as bytes; `unpack_arrays` gives back equal ones."""
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **dict(arrays))
    return packed.getvalue()


def unpack_arrays(data: bytes) -> dict[str, Float]:
    """The numbers that were packed.

    Raises
    ------
    ValueError
        If these bytes are none.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (EOFError, OSError, zipfile.BadZipFile) as error:
        raise ValueError("these bytes are no packed numbers") from error


def _deflate(body: bytes) -> bytes:
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.compress(body, 1)
    return bytes(isal_zlib.compress(body, 1))


def _inflate(body: bytes) -> bytes:
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.decompress(body)
    return bytes(isal_zlib.decompress(body))
