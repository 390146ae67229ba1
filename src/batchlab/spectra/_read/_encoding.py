"""From bytes to text: a byte order mark, else strict UTF-8, else Windows-1252; nothing is ever dropped."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from batchlab.errors import DataError
from batchlab.spectra._read._magic import refuse_binary

__all__ = ["Decoded", "decode", "one_line_end"]

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The text of a file, its line ends as they are, how it was encoded, and what was odd about it."""

    text: str
    encoding: str
    warnings: tuple[str, ...] = ()


def decode(path: Path, data: bytes) -> Decoded:
    """Decode the bytes of a text file.

    Parameters
    ----------
    path
        The file, for messages alone.
    data
        Its bytes, not empty.

    Raises
    ------
    DataError
        Reason ``binary``, ``truncated``, or ``encoding`` where a byte order mark promises what does not
        follow.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _promised(path, data, encoding, ())
    wide = _wide_without_mark(data)
    if wide is not None:
        return _promised(path, data, wide, (f"no byte order mark; taken for {wide} by its zero bytes",))
    refuse_binary(path, data)
    for encoding in ("utf-8", "cp1252", "latin-1"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8":
            return Decoded(text=text, encoding="ascii" if text.isascii() else encoding)
        warning = f"not UTF-8; taken for {encoding}: letters beyond ASCII may be wrong, numbers are not"
        return Decoded(text=text, encoding=encoding, warnings=(warning,))
    raise AssertionError("latin-1 decodes any bytes")


def _promised(path: Path, data: bytes, encoding: str, warnings: tuple[str, ...]) -> Decoded:
    unit = {"utf-16": 2, "utf-16-le": 2, "utf-16-be": 2, "utf-32": 4}.get(encoding, 1)
    if len(data) % unit:
        raise DataError(
            f"{path}: {encoding} text ends within a character: the file is cut off; copy it again",
            reason="truncated",
        )
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, ValueError) as error:
        raise DataError(
            f"{path}: begins as {encoding} text and does not go on so: {error}; save it again as UTF-8",
            reason="encoding",
        ) from error
    if encoding == "utf-8-sig":
        refuse_binary(path, data)
    return Decoded(text=text, encoding=encoding, warnings=warnings)


def _wide_without_mark(data: bytes) -> str | None:
    start = data[: 4096 - 4096 % 2]
    pairs = len(start) // 2
    if pairs < 8:
        return None
    even, odd = start[::2].count(0), start[1::2].count(0)
    if odd > 0.7 * pairs and even < 0.02 * pairs:
        return "utf-16-le"
    if even > 0.7 * pairs and odd < 0.02 * pairs:
        return "utf-16-be"
    return None


def one_line_end(text: str) -> str:
    r"""Make every line end ``\n``, and typography's blanks and minus signs plain."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii():
        # A blank or a minus of typography between digits is still a blank and a minus.
        text = text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-")
    return text
