"""Which layout a file has, and what a pinned plan says, each as one word to compare."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from batchlab.errors import DataError
from batchlab.spectra._normalizer._payload import fingerprint
from batchlab.spectra._normalizer._plan_file import read_plan
from batchlab.spectra._read._load import load
from batchlab.spectra._read._observation import observe
from batchlab.spectra._read._recognize import recognize

__all__ = ["layout_of_file", "plan_digest"]


def layout_of_file(path: Path) -> str | None:
    """The fingerprint of a text's layout; None of a file that is no text, or cannot be read."""
    try:
        data = load(path)
        try:
            found = recognize(path, data)
        except DataError:
            return fingerprint(observe(path, data))
        return None if found.observation is None else fingerprint(found.observation)
    except (DataError, OSError):
        return None


@lru_cache(maxsize=1000)
def plan_digest(pin: tuple[str, tuple[int, int, int]]) -> str:
    """Digest of what a pinned plan makes of a file: neither its reason nor its date.

    Parameters
    ----------
    pin
        Its file, with the state of that.

    Raises
    ------
    ConfigError
        If the file is no plan.
    """
    stored = read_plan(Path(pin[0]))
    said = stored.plan.model_dump_json(exclude={"confidence", "reason"}) + str(stored.table_line)
    return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()
