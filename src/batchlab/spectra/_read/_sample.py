"""A bounded part of a long text, its head and its tail: enough to tell how it is laid out."""

from __future__ import annotations

from batchlab.spectra._read._encoding import one_line_end
from batchlab.spectra._read._lines import Lines

__all__ = ["HEAD", "TAIL", "sampled", "whole"]

HEAD, TAIL = 24_000, 24_000  # characters
_LEAST_LINES = 12
_MOST_HEAD = 400_000


def whole(text: str) -> Lines:
    """All lines of a text, whatever its line ends."""
    return Lines(one_line_end(text))


def sampled(text: str, scale: int = 1) -> Lines:
    r"""The first and the last lines of a text; all of them where it is short.

    Parameters
    ----------
    text
        As decoded, with any line ends.
    scale
        How many times the usual length of head and tail is wanted.

    Returns
    -------
    Lines
        Numbered as in the whole text; what is left out between head and tail is its `gap`.
    """
    if len(text) <= scale * (HEAD + TAIL) * 3 // 2:
        return whole(text)
    end = _after_line_end(text, scale * HEAD)
    for _ in range(_LEAST_LINES):
        if end >= scale * _MOST_HEAD or _line_ends(text, 0, end) >= _LEAST_LINES:
            break
        end = _after_line_end(text, end)
    begin = max(end, _line_start(text, len(text) - scale * TAIL))
    if begin - end < scale * TAIL:
        return whole(text)
    head, tail = one_line_end(text[:end]), one_line_end(text[begin:])
    return Lines(head + tail, head=head.count("\n"), gap=_line_ends(text, end, begin))


def _after_line_end(text: str, at: int) -> int:
    """The first place after a line end that is not before `at`."""
    line_feed = text.find("\n", at)
    if line_feed >= 0:
        return line_feed + 1
    carriage_return = text.find("\r", at)
    return carriage_return + 1 if carriage_return >= 0 else len(text)


def _line_start(text: str, at: int) -> int:
    """Where the line begins in which `at` lies."""
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at) if text.find("\n") < 0 else -1) + 1


def _line_ends(text: str, begin: int, end: int) -> int:
    """How many line ends there are: a carriage return before a line feed is one with it."""
    found = text.count("\n", begin, end)
    if text.find("\r", begin, end) >= 0:
        found += text.count("\r", begin, end) - text.count("\r\n", begin, end)
    return found
