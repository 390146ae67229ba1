"""Plans as files: JSON that people read, edit, exchange; every slip told with its line and the nearest right word."""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from batchlab.errors import ConfigError, Problem
from batchlab.spectra._kinds import AxisKind, Orientation, Quantity, SpectrumRole, Technique
from batchlab.spectra._normalizer._plan_checks import problems_in
from batchlab.spectra._normalizer._proposal import Source
from batchlab.spectra._plan import AxisPlan, Op, Plan, PreambleStyle, SpectrumPlan

__all__ = ["StoredPlan", "parse_plan", "plan_text", "read_plan"]

_ENUMS: dict[str, tuple[str, ...]] = {
    "technique": tuple(Technique),
    "orientation": tuple(Orientation),
    "kind": tuple(AxisKind),
    "role": tuple(SpectrumRole),
    "quantity": tuple(Quantity),
    "ops": tuple(Op),
    "preamble_style": tuple(PreambleStyle),
    "delimiter": ("tab", "comma", "semicolon", "blank"),
    "decimal": ("point", "comma"),
    "direction": ("ascending", "descending", "mixed"),
    "name_from": ("file", "header", "row"),
    "source": tuple(Source),
}


class StoredPlan(BaseModel):
    """A plan with where it comes from, as it lies in a file.

    Attributes
    ----------
    format
        The version of this form.
    fingerprint
        The layout that it reads; empty in a file that was written by hand.
    layout
        That layout in words.
    source
        Who proposed it.
    model, prompt_version
        The AI's model and the version of what it was asked.
    confidence, reason
        As its source gave them.
    table_line
        The first row of the file that it was made for: in another file of the layout all lines move with that row.
    created
        When, in UTC.
    plan
        The plan.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = Field(1, ge=1, le=1)
    fingerprint: str = Field("", pattern="^[0-9a-f]*$", max_length=64)
    layout: str = ""
    source: Source = Source.PINNED
    model: str | None = None
    prompt_version: int | None = None
    confidence: float = Field(1.0, ge=0, le=1)
    reason: str = ""
    table_line: int | None = Field(None, ge=1)
    created: str = ""
    plan: Plan


def plan_text(stored: StoredPlan) -> str:
    """Write a plan; what has its default is written, too, so that one sees what can be edited."""
    return json.dumps(stored.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def read_plan(path: Path) -> StoredPlan:
    """Read a plan's file.

    Raises
    ------
    ConfigError
        If it is missing, no JSON, or no plan; with all problems, each with its line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such plan file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as a plan ({error}); a plan is a JSON file in UTF-8") from error
    return parse_plan(text, str(path))


def parse_plan(text: str, where: str) -> StoredPlan:
    """Read a plan's text: a stored plan, or a bare plan as one writes it by hand.

    Parameters
    ----------
    text
        JSON.
    where
        What to call the text in errors.

    Raises
    ------
    ConfigError
        If it is none.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        line, column = getattr(error, "lineno", None), getattr(error, "colno", None)
        problem = Problem(message=f"is not JSON: {getattr(error, 'msg', error)}", file=where, line=line, column=column)
        raise ConfigError.of([problem]) from error
    except RecursionError as error:
        raise ConfigError(f"{where}: is nested too deeply to be a plan") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{where}: a plan is a JSON object, this is {type(found).__name__}")
    bare = "plan" not in found
    try:
        stored = StoredPlan.model_validate({"plan": found} if bare else found)
    except ValidationError as error:
        lines = _lines_of(text)
        problems = []
        for each in error.errors():
            location = each["loc"][1:] if bare else each["loc"]
            problems.append(Problem(message=_told(each, location, bare), file=where, line=_line(lines, location)))
        raise ConfigError.of(problems) from error
    if wrong := problems_in(stored.plan):
        raise ConfigError.of([Problem(message=each, file=where) for each in wrong])
    return stored


def _told(error: Any, location: tuple[int | str, ...], bare: bool) -> str:
    """A problem in words: the field, what is wrong, what may be meant."""
    field = ".".join(map(str, location)) or "the plan"
    word = str(location[-1]) if location else ""
    if error["type"] == "extra_forbidden":
        known = list(_model_at(location[:-1], bare).model_fields)
        near = get_close_matches(word, known, n=1)
        return f"{field}: there is no such field" + (
            f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
        )
    name = next((part for part in reversed(location) if isinstance(part, str)), "")
    if error["type"] in ("enum", "literal_error") and name in _ENUMS:
        near = [str(each) for each in get_close_matches(str(error["input"]), _ENUMS[name], n=1)]
        known_words = ", ".join(_ENUMS[name])
        return f"{field}: {error['input']!r} is not known; " + (
            f"did you mean {near[0]!r}?" if near else f"known are {known_words}"
        )
    if error["type"] == "missing":
        return f"{field}: is missing"
    return f"{field}: {error['msg'][0].lower()}{error['msg'][1:]}, not {error['input']!r:.60}"


def _model_at(location: tuple[int | str, ...], bare: bool) -> type[BaseModel]:
    parts = location if bare else location[1:]
    if not bare and not location:
        return StoredPlan
    inner: dict[str, type[BaseModel]] = {"axis": AxisPlan, "spectra": SpectrumPlan}
    return inner.get(str(parts[0]) if parts else "", Plan)


def _lines_of(text: str) -> Any:
    """The nodes of the JSON with their lines; None where they cannot be told."""
    import yaml

    try:
        return yaml.compose(text.replace("\t", " "), Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None


def _line(node: Any, location: tuple[int | str, ...]) -> int | None:
    import yaml

    line: int | None = None
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
