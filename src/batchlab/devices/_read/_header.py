"""The head of a PyMeasure file: procedure, parameters, metadata and the line of column names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from batchlab.errors import DataError

__all__ = ["Header", "clean", "decode", "parse_header"]

_DATA = re.compile(rb"^#[ \t]*Data:[ \t,]*$", re.MULTILINE)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = frozenset("\\'\"abfnrtv01234567xuUN\n")
_PROCEDURE = re.compile(r"#[ \t]*Procedure:[ \t]*<?([^<>]*)>?[ \t]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What stands above the rows.

    Attributes
    ----------
    procedure
        Last part of the class: ``It``.
    module
        The class as written: ``laser_setup.procedures.It.It``.
    parameters, metadata
        Text by name, unescaped, without blanks around it. A start time among the parameters is in both.
    columns
        As written; none if the file ends before them.
    table_at, rows_at
        Where in the cleaned bytes the line of column names and the first row begin.
    line
        Of the column names; counts from 1.
    """

    procedure: str
    module: str = ""
    parameters: Mapping[str, str]
    metadata: Mapping[str, str]
    columns: tuple[str, ...]
    table_at: int = 0
    rows_at: int = 0
    line: int = 0


def clean(raw: bytes, where: str) -> bytes:
    r"""The bytes of the file `where` as UTF-8 with ``\n`` at line ends, whatever wrote them."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            raw = raw.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise DataError(
                f"{where}: has the mark of UTF-16 but is none; export it again", reason="not-a-run"
            ) from error
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if b"\r" not in raw:
        return raw
    plain = raw.translate(None, b"\r")  # half the time of replacing, and right for files of one kind of line ends
    if len(raw) - len(plain) == raw.count(b"\r\n"):
        return plain
    # Text mode on Windows writes \r\r\n for a line that already ended in \r\n.
    return raw.replace(b"\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def decode(raw: bytes) -> str:
    """Text in UTF-8, or in the code page of western Windows."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def parse_header(raw: bytes, where: str) -> Header | None:
    """Read the head of a file.

    Parameters
    ----------
    raw
        The file's beginning, as `clean` returns it.
    where
        The file's name, for messages.

    Returns
    -------
    Header or None
        None if this is no file of PyMeasure.

    Raises
    ------
    DataError
        If it is one and ends before its data.
    """
    if not raw.startswith(b"#"):
        return None
    data = _DATA.search(raw)
    lines = decode(raw[: data.start()] if data else raw).split("\n")
    if data is not None and b"," in data[0]:
        lines = [_as_before_the_spreadsheet(line) for line in lines]
    named = _PROCEDURE.fullmatch(lines[0])
    if named is None:
        return None
    if data is None:
        raise DataError(
            f"{where}, line {len(lines)}: the file ends inside its header, before '#Data:'; the run was aborted",
            reason="cut-header",
        )
    parameters: dict[str, str] = {}
    metadata: dict[str, str] = {}
    into = parameters
    for line in lines[1:]:
        text = line.lstrip("#").strip(" \t")
        if line.startswith("#") and text in ("Parameters:", "Metadata:"):
            into = parameters if text == "Parameters:" else metadata
        elif ":" in text:
            name, value = _split(text)
            into[name] = value
    if "Start time" in parameters:
        metadata.setdefault("Start time", parameters["Start time"])
    module = named[1].strip()
    table_at, rows_at, number = _column_line(raw, data.end() + 1, len(lines) + 1)
    names = decode(raw[table_at:rows_at]).rstrip("\n")
    return Header(
        procedure=module.rpartition(".")[2],
        module=module,
        parameters=parameters,
        metadata=metadata,
        columns=tuple(name.strip(' \t"') for name in names.split(",")) if names else (),
        table_at=table_at,
        rows_at=rows_at,
        line=number,
    )


def _split(text: str) -> tuple[str, str]:
    """Name and value: a name may hold a colon only without a blank behind it."""
    name, found, value = text.partition(": ")
    if not found:
        name, _, value = text.partition(":")
    return name.strip(), _unescaped(value.strip(" \t"))


def _as_before_the_spreadsheet(line: str) -> str:
    """Without the commas that make every line as wide as the table, and the quotes about a line with others."""
    line = line.rstrip(",")
    return line[1:-1].replace('""', '"') if len(line) > 1 and line[0] == line[-1] == '"' else line


def _unescaped(value: str) -> str:
    """The writer escapes values; a lone backslash of an older one, as in a path, stays."""
    if "\\" not in value:
        return value
    doubled = _ESCAPE.sub(lambda found: found[0] if found[1] in _ESCAPED else "\\" + found[0], value)
    try:
        return doubled.encode("latin-1", "backslashreplace").decode("unicode_escape")
    except UnicodeDecodeError:
        return value


def _column_line(raw: bytes, at: int, line: int) -> tuple[int, int, int]:
    """Where the first line below ``#Data:`` that is no comment begins and ends, and its number."""
    while at < len(raw):
        end = raw.find(b"\n", at)
        end = len(raw) if end < 0 else end + 1
        text = raw[at:end].strip(b" \t\n\0")
        if text and not text.startswith(b"#"):
            return at, end, line
        at, line = end, line + 1
    return len(raw), len(raw), line
