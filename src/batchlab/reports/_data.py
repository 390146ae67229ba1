"""The jobs of a batch as compact JSON for the page's script.

Ten thousand jobs have to fit in two megabytes, so the data goes by columns: a column is a list of values, or
``{"d": distinct values, "i": index per job}``, or ``{"s": job indices, "v": their values}``, whichever is the
shortest. Beyond `_PLAIN` characters the whole is deflated and stands as ``{"z": base64}``.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from batchlab.engine import BatchView, JobView, Status
from batchlab.reports._shortened import shortened

_PLAIN = 500_000
_TEXT = 2_000  # longer messages and warnings are cut in their middle
_WARNINGS = 20  # of one job
_ITEMS = 500  # unfinished items of one job
_TRIES = 20  # of one job, its last
_TRY_TEXT = 300  # a message of one try
_EXACT = 2**53


def job_data(view: BatchView, prefix: str) -> str:
    """JSON text, safe inside a script element.

    Parameters
    ----------
    view
        The batch as recorded.
    prefix
        What leads from the report's folder to the output root, percent-encoded: ``""`` or ``"../out/"``.
    """
    jobs = view.jobs
    data = {
        "n": len(jobs),
        "prefix": prefix,
        "fields": {
            "name": _column([job.name for job in jobs]),
            "task": _column([job.task for job in jobs]),
            "state": _column([str(job.state) for job in jobs]),
            "attempts": _column([job.attempts for job in jobs]),
            "category": _column([job.category for job in jobs]),
            "reason": _column([job.reason for job in jobs]),
            "message": _column([_cut(job.message) for job in jobs]),
            "elapsed": _column([_round(job.elapsed_s, 4) for job in jobs]),
            "memory": _column([_round(job.peak_memory_mb, 1) for job in jobs]),
            "group": _column([job.group for job in jobs]),
            "key": _column([job.key for job in jobs]),
            "log": _column([job.log for job in jobs]),
            "thumbnail": _column([job.thumbnail for job in jobs]),
            "warnings": _column([[_cut(w) for w in job.warnings[:_WARNINGS]] or None for job in jobs]),
            "warned": _column([len(job.warnings) or None for job in jobs]),
            "items": _column([_items(job) for job in jobs]),
        },
        "tries": _tries(jobs),
        "maps": {
            "metrics": _columns([{k: _metric(v) for k, v in job.metrics.items()} for job in jobs]),
            "params": _columns([job.params for job in jobs]),
            "inputs": _columns([job.inputs for job in jobs]),
            "metadata": _columns([job.metadata for job in jobs]),
            "stages": _columns([{k: _round(v, 4) for k, v in job.stages.items()} for job in jobs]),
            "paths": _columns([{o.name: o.path for o in job.outputs} for job in jobs]),
            "digests": _columns([{o.name: o.digest for o in job.outputs} for job in jobs]),
            "bytes": _columns([{o.name: o.bytes for o in job.outputs} for job in jobs]),
        },
    }
    text = _dumps(data)
    if len(text) > _PLAIN:
        packed = zlib.compress(text.encode("utf-8", "backslashreplace"), 9)
        return _dumps({"z": base64.b64encode(packed).decode("ascii")})
    return script_safe(text)


def script_safe(text: str) -> str:
    """JSON text that no HTML or JavaScript parser can leave."""
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def json_plain(value: Any) -> Any:
    """The same JSON data with words for NaN, infinities and integers that a browser would round."""
    if isinstance(value, float):
        return value if math.isfinite(value) else _word(value)
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT else str(value)
    if isinstance(value, Mapping):
        return {str(k): json_plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [json_plain(v) for v in value]
    return str(value)


def _dumps(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _word(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _metric(value: Any) -> Any:
    """A metric; NaN and infinities in a list of one word, so that the page knows them from texts."""
    return [_word(value)] if isinstance(value, float) and not math.isfinite(value) else json_plain(value)


def _round(value: float | None, digits: int) -> float | int | None:
    if value is None or not math.isfinite(value):
        return None
    rounded = round(value, digits)
    return int(rounded) if rounded == int(rounded) else rounded


def _cut(text: str | None, most: int = _TEXT) -> str | None:
    return None if text is None else shortened(text, most)


def _items(job: JobView) -> Any:
    """How many items, how many done, and those that are not."""
    if not job.items:
        return None
    left = [item for item in job.items if item.status is not Status.DONE]
    return [
        len(job.items),
        len(job.items) - len(left),
        [[item.name, str(item.status), item.category, item.reason, _cut(item.message)] for item in left[:_ITEMS]],
    ]


def _tries(jobs: Sequence[JobView]) -> dict[str, Any]:
    """A row for each attempt worth a look: of jobs tried more than once, or whose only try did not end well.

    A message that repeats its job's is None, and told once.
    """
    rows = [
        (i, job, attempt)
        for i, job in enumerate(jobs)
        if len(job.history) > 1 or any(a.status not in (Status.DONE, Status.RUNNING) for a in job.history)
        for attempt in job.history[-_TRIES:]
    ]
    return {
        "n": len(rows),
        "fields": {
            "job": _column([i for i, _, _ in rows]),
            "number": _column([a.number for _, _, a in rows]),
            "state": _column([str(a.status) for _, _, a in rows]),
            "began": _column([a.started_at[:19].replace("T", " ") for _, _, a in rows]),
            "elapsed": _column([_round(a.elapsed_s, 4) for _, _, a in rows]),
            "memory": _column([_round(a.peak_memory_mb, 1) for _, _, a in rows]),
            "category": _column([a.category for _, _, a in rows]),
            "reason": _column([a.reason for _, _, a in rows]),
            "signal": _column([a.signal for _, _, a in rows]),
            "message": _column(
                [None if a.message == job.message else _cut(a.message, _TRY_TEXT) for _, job, a in rows]
            ),
        },
    }


def _columns(mappings: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """``[name, column]`` of every key; a list, as a name may be anything a page's objects would stumble over."""
    found: dict[str, dict[int, Any]] = {}
    for i, mapping in enumerate(mappings):
        for name, value in mapping.items():
            found.setdefault(name, {})[i] = json_plain(value)
    return [[name, _encoded(values, len(mappings))] for name, values in found.items()]


def _column(values: Sequence[Any]) -> Any:
    return _encoded({i: v for i, v in enumerate(values) if v is not None}, len(values))


def _encoded(values: Mapping[int, Any], n: int) -> Any:
    """The column in its shortest form."""
    if len(values) * 2 < n:
        return {"s": list(values), "v": list(values.values())}
    # Keyed by their text: True, 1 and 1.0 are equal, but not the same.
    texts = {i: _dumps(value) for i, value in values.items()}
    places = {text: place for place, text in enumerate(dict.fromkeys(texts.values()))}
    if len(places) * 2 > n or n < 4:
        return [values.get(i) for i in range(n)]
    first = {text: values[i] for i, text in reversed(texts.items())}
    return {
        "d": [first[text] for text in places],
        "i": [places[texts[i]] if i in texts else -1 for i in range(n)],
    }
