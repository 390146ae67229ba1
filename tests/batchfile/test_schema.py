"""The JSON Schema of a batch file agrees with what `load` reads."""

from __future__ import annotations

import json
import re

from batchlab.batchfile import schema
from batchlab.batchfile._document import DOCUMENT_KEYS, ENTRY_KEYS, LIMIT_KEYS, SETTING_KEYS
from batchlab.batchfile._units import duration_s, size_bytes
from batchlab.engine import _task

TYPES = {"object", "array", "string", "integer", "number", "boolean", "null"}


def parts(value):
    """Every schema inside a schema."""
    if isinstance(value, dict):
        yield value
        for below in value.values():
            yield from parts(below)
    elif isinstance(value, list):
        for below in value:
            yield from parts(below)


def test_the_schema_is_sound():
    made = schema()
    assert json.loads(json.dumps(made)) == made
    for part in parts(made):
        if isinstance(part.get("$ref"), str):
            name = part["$ref"].removeprefix("#/$defs/")
            assert name in made["$defs"]
        if isinstance(part.get("type"), str):
            assert part["type"] in TYPES
        if isinstance(part.get("pattern"), str):
            re.compile(part["pattern"])


def test_it_names_the_keys_that_are_read():
    made = schema()
    assert tuple(made["properties"]) == DOCUMENT_KEYS
    assert tuple(made["$defs"]["entry"]["properties"]) == ENTRY_KEYS
    assert tuple(made["$defs"]["limits"]["properties"]) == LIMIT_KEYS
    assert tuple(made["properties"]["settings"]["properties"]) == SETTING_KEYS


def test_it_knows_the_params_of_every_task():
    made = schema()
    cases = {case["if"]["properties"]["task"]["const"]: case["then"] for case in made["$defs"]["entry"]["allOf"]}
    assert set(cases) == {"spectra.compare", "spectra.analytics", "spectra.clean"}
    assert set(made["$defs"]["spectra.compare"]["properties"]) == {"normalization", "window", "baseline", "token"}
    assert made["$defs"]["spectra.compare.Baseline"]["properties"]["order"]["type"] == "integer"
    assert cases["spectra.compare"]["properties"]["inputs"]["propertyNames"]["enum"] == [
        "reference",
        "sample",
        "limits",
    ]
    assert cases["spectra.clean"]["properties"]["params"] == {"maxProperties": 0}


def test_a_broken_task_takes_nothing_from_the_others(monkeypatch):
    class Broken:
        value = "no.module:function"

        def load(self):
            raise RuntimeError("broken")

    found = {**_task._entry_points(), "broken.task": Broken()}
    monkeypatch.setattr(_task, "_entry_points", lambda: found)
    _task.find_task.cache_clear()
    assert "spectra.compare" in schema()["$defs"]


def test_its_units_are_those_that_are_read():
    definitions = schema()["$defs"]
    for name, read, texts in (
        ("duration", duration_s, ("60 s", "1 h 30 min", "1.5e3 ms", "2d")),
        ("size", size_bytes, ("500 MB", "2 GiB")),
    ):
        pattern = re.compile(definitions[name]["anyOf"][0]["pattern"])
        assert all(pattern.search(text) and read(text) > 0 for text in texts)
        assert not any(pattern.search(text) for text in ("60", "s", "5 x"))
        assert pattern.search("${limit}")
