"""From bytes to text: a byte order mark, else strict UTF-8, else an old encoding; nothing is ever dropped."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from batchlab.errors import DataError
from batchlab.spectra._read._formats import refuse_binary

__all__ = ["Decoded", "decode", "one_line_end"]

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# Words of the field by which an encoding of East Asia is told; as Windows-1252 the same bytes are noise.
_WORDS = {
    "cp932": "波長 波数 吸光度 透過率 強度 反射 測定 データ スペクトル ラマン 試料 日付 装置",
    "gb18030": "波长 波数 吸光度 透过率 强度 反射 测量 光谱 数据 样品 拉曼 日期 仪器",
}
_MOST_LINES_WEIGHED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The text of a file, its line ends as they are, how it was encoded, and what was odd about it."""

    text: str
    encoding: str
    warnings: tuple[str, ...] = ()


def decode(path: Path, data: bytes, wished: str | None = None) -> Decoded:
    """Decode the bytes of a text file.

    A byte order mark decides, then strict UTF-8. Else the bytes are in one of the old encodings: the one that is
    wished, the one in which they give words that exports use, or Windows-1252.

    Parameters
    ----------
    path
        The file, for messages alone.
    data
        Its bytes, not empty.
    wished
        An encoding that is taken where nothing in the bytes contradicts it.

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
    if data.isascii():
        return Decoded(text=data.decode("ascii"), encoding="ascii")
    try:
        return Decoded(text=data.decode("utf-8"), encoding="utf-8")
    except UnicodeDecodeError:
        pass
    encoding, text = _old(data, wished)
    warning = f"not UTF-8; taken for {encoding}: letters beyond ASCII may be wrong, numbers are not"
    return Decoded(text=text, encoding=encoding, warnings=(warning,))


def _old(data: bytes, wished: str | None) -> tuple[str, str]:
    """The old encoding that fits best, and the text in it."""
    candidates = []
    if wished is not None and _is_narrow(wished):
        candidates.append(wished)
    lines = [line for line in data.splitlines() if not line.isascii()][:_MOST_LINES_WEIGHED]
    for encoding, known in _WORDS.items():
        text = _decoded(b"\n".join(lines), encoding)
        if text is not None and any(word in text for word in known.split()):
            candidates.append(encoding)
    for encoding in (*candidates, "cp1252", "latin-1"):
        whole = _decoded(data, encoding)
        if whole is not None:
            return encoding, whole
    raise AssertionError("latin-1 decodes any bytes")


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _is_narrow(encoding: str) -> bool:
    """Whether an encoding is one in which ASCII stays as it is."""
    try:
        return codecs.lookup(encoding).name not in ("ascii", "utf-8") and "1,2\n".encode(encoding) == b"1,2\n"
    except (LookupError, UnicodeError, TypeError):
        return False


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
