"""The JSON Schema of a batch file, for editors: keys, units, and the params of every installed task."""

from __future__ import annotations

from typing import Any

from batchlab.batchfile._document import DEFAULT_KEYS, DOCUMENT_KEYS, ENTRY_KEYS, LIMIT_KEYS, SETTING_KEYS
from batchlab.batchfile._units import BYTES, SECONDS
from batchlab.engine import Conflict, Durability, Gather, Json, Task, find_task, task_names
from batchlab.errors import ConfigError

_NUMBER = r"[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?"
_VARIABLE = r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"


def schema() -> dict[str, Json]:
    """JSON Schema (draft 2020-12) of a batch file.

    Returns
    -------
    dict
        With the inputs, outputs and params of every installed task that can be imported; a broken one is
        accepted by name without them.
    """
    definitions: dict[str, Json] = {
        "duration": _measured(SECONDS, "A duration with its unit, as in 60 s, 10 min or 2 h"),
        "size": _measured(BYTES, "A size with its unit, as in 500 MB (10^6 bytes)"),
        "entry": _entry(),
        "limits": _object(LIMIT_KEYS, _limits()),
        "input": _input(),
    }
    cases = []
    for name in task_names():
        try:
            cases.append(_case(find_task(name), definitions))
        except ConfigError:
            continue  # a broken plugin takes nothing from the others
    if cases:
        definitions["entry"]["allOf"] = cases
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "batchlab batch file",
        **_object(
            DOCUMENT_KEYS,
            {
                "batch": {"type": "string", "minLength": 1, "description": "The batch's name"},
                "output": {"type": "string", "description": "The output root, relative to this file"},
                "jobs": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/entry"}},
                "defaults": _object(
                    DEFAULT_KEYS,
                    {
                        "limits": {"$ref": "#/$defs/limits"},
                        "metadata": {"type": "object"},
                        "priority": {"type": "integer"},
                    },
                ),
                "settings": _object(SETTING_KEYS, _settings()),
            },
        ),
        "required": ["batch", "jobs"],
        "$defs": definitions,
    }


def _object(keys: tuple[str, ...], properties: dict[str, Json]) -> dict[str, Json]:
    """An object with these keys and no others."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {key: properties[key] for key in keys},
    }


def _entry() -> dict[str, Json]:
    text = {"type": "string", "minLength": 1}
    made = _object(
        ENTRY_KEYS,
        {
            "id": {**text, "pattern": "^[^/]+$", "description": "Default: the last word of the task"},
            "task": {**text, "examples": list(task_names()), "description": "A task, or file.py:function"},
            "inputs": {"type": "object", "additionalProperties": {"$ref": "#/$defs/input"}},
            "params": {"type": "object"},
            "sweep": {
                "type": "object",
                "propertyNames": {"pattern": r"^params\."},
                "additionalProperties": {"type": "array", "minItems": 1},
            },
            "outputs": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
            "limits": {"$ref": "#/$defs/limits"},
            "priority": {"type": "integer", "description": "Higher runs first"},
            "metadata": {
                "type": "object",
                "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
            },
            "group": text,
            "affinity": text,
            "pair": {"const": "stem"},
            "needs": {"type": ["string", "array"], "items": text},
        },
    )
    return {**made, "required": ["task"]}


def _limits() -> dict[str, Json]:
    duration = _or_null("duration")
    return {
        "timeout": duration,
        "memory": _or_null("size"),
        "stages": {"type": "object", "additionalProperties": duration},
        "group_timeout": duration,
    }


def _input() -> dict[str, Json]:
    text = {"type": "string", "minLength": 1}
    texts = {"type": "array", "items": text, "minItems": 1}
    made = {
        "output": text,
        "gather": {"enum": [each.value for each in Gather]},
        "from": {"anyOf": [text, texts]},
    }
    return {
        "anyOf": [
            {**text, "description": "A file, or a pattern: a job for each match"},
            {**texts, "description": "Many files in one job"},
            {**_object(("all",), {"all": {"anyOf": [text, texts]}}), "required": ["all"]},
            {**_object(("from", "output", "gather"), made), "required": ["from"]},
        ]
    }


def _settings() -> dict[str, Json]:
    return {
        "workers": {"anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 1}]},
        "timeout": _or_null("duration"),
        "memory": _or_null("size"),
        "retries": {"type": "integer", "minimum": 0},
        "continue_on_error": {"type": "boolean"},
        "conflict": {"enum": [each.value for each in Conflict]},
        "durability": {"enum": [each.value for each in Durability]},
        "flush_batch_size": {"type": "integer", "minimum": 1},
        "flush_interval": {"$ref": "#/$defs/duration"},
        "grace": {"$ref": "#/$defs/duration"},
        "stop_after_failures": {"type": ["integer", "null"], "minimum": 1},
        "shared_output": {"type": "boolean"},
    }


def _measured(units: dict[str, Any], description: str) -> dict[str, Json]:
    part = rf"\s*{_NUMBER}\s*({'|'.join(units)})\s*"
    return {
        "description": description,
        "anyOf": [{"type": "string", "pattern": rf"^(({part})+|{_VARIABLE})$"}, {"const": 0}],
    }


def _or_null(name: str) -> dict[str, Json]:
    return {"anyOf": [{"$ref": f"#/$defs/{name}"}, {"type": "null"}]}


def _case(task: Task, definitions: dict[str, Json]) -> dict[str, Json]:
    """What an entry of this task may hold."""
    properties: dict[str, Json] = {
        "inputs": {"propertyNames": {"enum": [*task.inputs, *task.optional_inputs]}},
        "outputs": {"propertyNames": {"enum": list(task.outputs)}},
    }
    if task.params is None:
        properties["params"] = {"maxProperties": 0}
    else:
        prefix = f"{task.name}."
        params = task.params.model_json_schema(ref_template=f"#/$defs/{prefix}{{model}}")
        for name, definition in params.pop("$defs", {}).items():
            definitions[prefix + name] = definition
        params.pop("required", None)  # a param may come from the sweep
        definitions[task.name] = params
        properties["params"] = {"$ref": f"#/$defs/{task.name}"}
    return {
        "if": {"properties": {"task": {"const": task.name}}, "required": ["task"]},
        "then": {"properties": properties},
    }
