"""What a recording says of itself, told from its head where that suffices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from batchlab.errors import BatchlabError
from batchlab.motion._read._formats import recognize
from batchlab.motion._read._raw import Asked
from batchlab.motion._read._recording import _BINARY, _TEXT
from batchlab.motion._read._source import read_bytes, text_of
from batchlab.motion._read._units import canonical_length

__all__ = ["Peek", "peek"]

_HEAD_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Peek:
    """The unit of coordinates as the file says it, or None; whether it has confidences."""

    unit: str | None
    confidence: bool


def peek(path: Path) -> Peek | None:
    """Look into a file; None if it cannot be read, which reading it will tell in words."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return None
    cut = head[: head.rfind(b"\n") + 1] if len(head) == _HEAD_BYTES else head
    return _told(path, cut) or _told(path, None)


def _told(path: Path, data: bytes | None) -> Peek | None:
    """Of the beginning of a text, or of the whole file; None if that cannot be read by itself."""
    whole = data is None
    try:
        data = read_bytes(path) if data is None else data
        form = recognize(path, data)
        if form in _BINARY:
            raw = _BINARY[form](path, data if whole else read_bytes(path), Asked())
        else:
            raw = _TEXT[form](text_of(path, data), Asked())
    except BatchlabError:
        return None
    said = None if raw.stated_unit is None else canonical_length(raw.stated_unit)
    return Peek(unit=said, confidence=raw.confidence is not None)
