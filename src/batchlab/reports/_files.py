"""What the report takes from files beside the ledger: log tails, thumbnails, and links to them.

Nothing outside the output root is read, whatever a recorded path says, and a missing file is told, not raised.
"""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from urllib.parse import quote

_LINES = 20
_LINE = 300  # characters of a line
_TAIL_BYTES = 64_000
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)
_SVG = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!DOCTYPE[^>]*>\s*)?<svg\b", re.DOTALL
)
_HEAD = 2_000  # bytes before an SVG begins
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")


def inside(root: Path, path: str) -> Path | None:
    """The file of this relative path if it lies in the root, links followed; otherwise None."""
    try:
        found = (root / path).resolve()
        return found if found.is_relative_to(root.resolve()) and found.is_file() else None
    except (OSError, ValueError, RuntimeError):  # a name with NUL, too long, a loop of links
        return None


def log_tail(root: Path, path: str | None) -> tuple[str, ...] | None:
    """The log's last lines, each cut to a sensible length; None if it cannot be read."""
    file = inside(root, path) if path else None
    if file is None:
        return None
    try:
        with open(file, "rb") as stream:
            stream.seek(0, os.SEEK_END)
            size = stream.tell()
            stream.seek(max(0, size - _TAIL_BYTES))
            text = stream.read(_TAIL_BYTES).decode("utf-8", "replace")
    except OSError:
        return None
    lines = [_ESCAPES.sub("", line.rstrip("\r").rpartition("\r")[2]) for line in text.rstrip("\n").split("\n")]
    if size > _TAIL_BYTES:
        lines = lines[1:] or lines
    return tuple(line if len(line) <= _LINE else f"{line[:_LINE]} ..." for line in lines[-_LINES:])


def picture_uri(root: Path, path: str, limit: int) -> str | None:
    """A picture as data URI; None if it is missing, larger than `limit` bytes, or no picture a page may hold."""
    file = inside(root, path)
    try:
        if file is None or file.stat().st_size > limit:
            return None
        data = file.read_bytes()
    except OSError:
        return None
    mime = next((mime for magic, mime in _MAGIC if data.startswith(magic)), None)
    if mime is None and _SVG.match(data[:_HEAD]):
        mime = "image/svg+xml"  # as an img's source it can neither run a script nor fetch anything
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}" if mime else None


def encode_path(path: str) -> str:
    """A relative path as a URL's; undecodable bytes of file names keep their value."""
    url = quote(path.encode("utf-8", "surrogateescape" if _escapable(path) else "replace"), safe="/")
    return f"./{url}" if url else url


def link_prefix(root: Path, folder: Path) -> str:
    """What leads from the report's folder to the output root in a URL; empty where they are the same."""
    try:
        relative = os.path.relpath(root.absolute(), folder.absolute())
    except ValueError:  # another drive
        return f"{root.absolute().as_uri()}/"
    return "" if relative == "." else f"{encode_path(Path(relative).as_posix())}/"


def _escapable(path: str) -> bool:
    return all(not "\ud800" <= c <= "\udfff" or "\udc80" <= c <= "\udcff" for c in path)
