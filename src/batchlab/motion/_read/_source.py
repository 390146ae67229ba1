"""The bytes of a file, and lines of its head."""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass
from pathlib import Path

from batchlab.errors import Category, DataError

__all__ = ["Text", "cells_of", "read_bytes", "text_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    r"""A text file: ``\n`` ends its lines, and its bytes are UTF-8 or an old encoding that contains ASCII."""

    path: Path
    data: bytes

    def lines(self, count: int, offset: int = 0) -> list[str]:
        """Up to `count` lines from `offset` on, without line ends."""
        taken: list[str] = []
        while len(taken) < count and offset < len(self.data):
            end = self.data.find(b"\n", offset)
            end = len(self.data) if end < 0 else end
            taken.append(_decoded(self.data[offset:end]))
            offset = end + 1
        return taken

    def after(self, count: int, offset: int = 0) -> int:
        """Where the line begins that follows `count` lines."""
        for _ in range(count):
            end = self.data.find(b"\n", offset)
            if end < 0:
                return len(self.data)
            offset = end + 1
        return offset


def read_bytes(path: Path) -> bytes:
    """The bytes of a file.

    Raises
    ------
    DataError
        If it cannot be read or is empty.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        category = Category.MISSING_INPUT if isinstance(error, FileNotFoundError) else Category.INVALID_INPUT
        raise DataError(
            f"{path}: cannot be read ({error.strerror or error}); is it there, and may you read it?",
            category=category,
            reason="unreadable",
        ) from error
    if not data.strip(b"\0 \t\r\n"):
        raise DataError(f"{path}: the file is empty; record or export it again", reason="empty")
    return data


def text_of(path: Path, data: bytes) -> Text:
    """A file as text.

    Raises
    ------
    DataError
        If it is binary, or not in the encoding its first bytes promise.
    """
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            try:
                data = data.decode(encoding).encode("utf-8")
            except UnicodeError as error:
                raise DataError(
                    f"{path}: begins as UTF-16 text and does not go on so; save it again as UTF-8", reason="encoding"
                ) from error
    data = data.removeprefix(codecs.BOM_UTF8)
    zero = data.find(b"\0")
    if zero >= 0:
        line = data.count(b"\n", 0, zero) + 1
        raise DataError(
            f"{path}, line {line}: there are zero bytes in the text; the file is binary, or was not written to its "
            "end; export it again",
            reason="binary",
        )
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return Text(path=path, data=data)


def cells_of(line: str, separator: str) -> list[str]:
    """The cells of a line, without quotes and surrounding blanks."""
    if '"' not in line:
        return [cell.strip() for cell in line.split(separator)]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:
        # A quote that never ends: the cells as they are.
        return [cell.strip(' "') for cell in line.split(separator)]


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")
