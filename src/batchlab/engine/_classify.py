"""Which category an exception belongs to, and the one clear message made of it."""

from __future__ import annotations

import errno
import traceback

from batchlab.engine._model import Failure
from batchlab.errors import BatchlabError, Category

_DISK = {errno.ENOSPC, errno.EDQUOT}
_NO_PLACE = {errno.EROFS, errno.ENAMETOOLONG}
_BY_NAME = {  # libraries that the engine does not import
    "LinAlgError": Category.NUMERICAL,
    "EmptyDataError": Category.INVALID_INPUT,
    "ParserError": Category.INVALID_INPUT,
}


def failure_of(error: BaseException, *, stage: str | None = None) -> Failure:
    """What the ledger says of an exception; its traceback is kept for those who ask."""
    try:
        text = str(error).strip()
    except Exception:  # noqa: BLE001 - an error whose own words fail still has a name
        text = ""
    if isinstance(error, BatchlabError):
        category, reason, message = error.category, error.reason, text
    elif isinstance(error, SystemExit):
        category, reason = Category.GENERIC, "exit"
        message = f"the task called exit({text}); return, or raise an error that says what is wrong"
    else:
        category, reason = _foreign(error), type(error).__name__
        message = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return Failure(
        category=category,
        message=message or type(error).__name__,
        reason=reason,
        stage=stage,
        traceback="".join(traceback.format_exception(error)),
    )


def _foreign(error: BaseException) -> Category:
    if isinstance(error, MemoryError):
        return Category.MEMORY
    if isinstance(error, OSError) and error.errno in _DISK:
        return Category.DISK
    if isinstance(error, OSError) and error.errno in _NO_PLACE:
        return Category.OUTPUT
    if isinstance(error, FileNotFoundError):
        return Category.MISSING_INPUT
    if isinstance(error, ConnectionError):
        return Category.SERVICE
    if isinstance(error, ArithmeticError):
        return Category.NUMERICAL
    if isinstance(error, UnicodeError | EOFError):
        return Category.INVALID_INPUT
    return _BY_NAME.get(type(error).__name__, Category.GENERIC)
