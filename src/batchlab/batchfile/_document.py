"""What the keys of a batch file mean: plain data to entries and settings, every slip told with the mend."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from batchlab.batchfile._units import duration_s, size_bytes
from batchlab.builders import Entry, Finding, InputSpec, last_word, read_input
from batchlab.engine import Conflict, Durability, Limits, Scalar, Settings
from batchlab.engine._task import suggestion

At = tuple[str | int, ...]

DOCUMENT_KEYS = ("batch", "output", "jobs", "defaults", "settings")
ENTRY_KEYS = (
    *("id", "task", "inputs", "params", "sweep", "outputs", "limits", "priority", "metadata"),
    *("group", "affinity", "pair", "needs"),
)
DEFAULT_KEYS = ("limits", "metadata", "priority")
LIMIT_KEYS = ("timeout", "memory", "stages", "group_timeout")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A batch file's content."""

    name: str
    output: str | None
    entries: tuple[Entry, ...]
    settings: Settings
    given_up: tuple[str, ...]  # ids of entries that cannot be used


def read_document(data: Any, findings: list[Finding]) -> Document:
    """Read the whole of a batch file.

    Parameters
    ----------
    data
        Plain data.
    findings
        Receives everything that is wrong; what is right is returned all the same.
    """
    form = _Form(findings)
    top = form.mapping(data, (), "a batch file", DOCUMENT_KEYS)
    name = form.text(top, "batch", (), required=not _hides(top, DOCUMENT_KEYS))
    output = form.text(top, "output", ())
    defaults = form.mapping(top.get("defaults"), ("defaults",), "defaults", DEFAULT_KEYS)
    common = _Common(
        limits=form.mapping(defaults.get("limits"), ("defaults", "limits"), "limits", LIMIT_KEYS),
        metadata=_metadata(form, defaults.get("metadata"), ("defaults", "metadata")),
        priority=form.whole(defaults, "priority", ("defaults",), 0),
    )
    _limits(form, common.limits, ("defaults", "limits"))
    entries, given_up = _entries(form, top, common)
    return Document(
        name=name or "",
        output=output,
        entries=entries,
        settings=_settings(form, top.get("settings")),
        given_up=given_up,
    )


@dataclass(frozen=True, slots=True)
class _Common:
    """What `defaults` gives to every entry."""

    limits: Mapping[str, Any]
    metadata: Mapping[str, Scalar]
    priority: int


class _Form:
    """Readers of single values; each tells what is wrong and returns something harmless then."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings

    def tell(self, at: At, message: str, *, key: bool = False) -> None:
        self.findings.append(Finding(path=at, message=message, key=key))

    def mapping(self, value: Any, at: At, what: str, known: Sequence[str] | None = None) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.tell(at, f"{what}: write keys with values, not {value!r:.40}")
            return {}
        for key in value:
            if known is not None and key not in known:
                self.tell((*at, key), f"{what} has an unknown key {key!r}{_near(key, known)}", key=True)
        return value

    def text(self, mapping: Mapping[str, Any], key: str, at: At, *, required: bool = False) -> str | None:
        value = mapping.get(key)
        if value is None:
            if required:
                self.tell(at, f"{key!r} is missing: write {key}: ...")
            return None
        if isinstance(value, bool | dict | list):
            self.tell((*at, key), f"{key}: write text, not {value!r:.40}")
            return None
        text = value if isinstance(value, str) else f"{value}"
        if not text.strip() or not text.isprintable():
            self.tell((*at, key), f"{key}: write text without line breaks and control characters, not {text!r:.40}")
            return None
        return text

    def whole(self, mapping: Mapping[str, Any], key: str, at: At, default: int, least: int | None = None) -> int:
        value = mapping.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or (least is not None and value < least):
            bound = "" if least is None else f" of at least {least}"
            self.tell((*at, key), f"{key}: write a whole number{bound}, not {value!r:.40}")
            return default
        return value

    def measured(self, value: Any, at: At, read: Callable[[object], Any], *, positive: bool = True) -> Any:
        """A duration or a size; None stays None."""
        if value is None:
            return None
        try:
            number = read(value)
        except ValueError as error:
            self.tell(at, f"{at[-1]}: {error}")
            return None
        if positive and number <= 0:
            self.tell(at, f"{at[-1]}: must be more than 0; leave it out, or write null, for no limit")
            return None
        return number

    def word(self, mapping: Mapping[str, Any], key: str, at: At, words: Sequence[str], default: str) -> str:
        value = mapping.get(key, default)
        if value not in words:
            near = suggestion(value, list(words)) if isinstance(value, str) else ""
            self.tell((*at, key), f"{key}: write one of {', '.join(words)}, not {value!r:.40}{near}")
            return default
        return str(value)

    def flag(self, mapping: Mapping[str, Any], key: str, at: At, default: bool) -> bool:
        value = mapping.get(key, default)
        if not isinstance(value, bool):
            self.tell((*at, key), f"{key}: write true or false, not {value!r:.40}")
            return default
        return value


def _entries(form: _Form, top: Mapping[str, Any], common: _Common) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    jobs = top.get("jobs")
    if not isinstance(jobs, list) or not jobs:
        if "jobs" in top or not _hides(top, DOCUMENT_KEYS):
            form.tell(("jobs",), "jobs: write a list of entries, each with its task")
        return (), ()
    entries: dict[str, Entry] = {}
    given_up = []
    for i, value in enumerate(jobs):
        at: At = ("jobs", i)
        entry = _entry(form, value, at, common)
        if entry is not None and entry.id in entries:
            where = "id" if isinstance(value, dict) and "id" in value else "task"
            form.tell((*at, where), f"a second entry is called {entry.id!r}; give this one an id of its own")
        elif entry is not None:
            entries[entry.id] = entry
        elif isinstance(value, dict) and isinstance(value.get("id"), str):
            given_up.append(value["id"])
    return tuple(entries.values()), tuple(given_up)


def _entry(form: _Form, value: Any, at: At, common: _Common) -> Entry | None:
    if not isinstance(value, dict):
        form.tell(at, f"an entry of jobs: write keys with values, as in task: spectra.compare, not {value!r:.40}")
        return None
    form.mapping(value, at, "an entry of jobs", ENTRY_KEYS)
    task = form.text(value, "task", at, required=not _hides(value, ENTRY_KEYS))
    id = form.text(value, "id", at) or (last_word(task) if task else None)
    if id is not None and "/" in id:
        form.tell((*at, "id"), f"id: {id!r} holds a slash, which parts the names of jobs; write a word")
        return None
    if id is None or task is None:
        return None
    given = form.mapping(value.get("limits"), (*at, "limits"), "limits", LIMIT_KEYS)
    _limits(form, given, (*at, "limits"))
    stages = {**(_mapping_of(common.limits, "stages")), **_mapping_of(given, "stages")}
    inputs, unread = _inputs(form, value.get("inputs"), (*at, "inputs"))
    return Entry(
        id=id,
        task=task,
        inputs=inputs,
        unread=unread,
        params=form.mapping(value.get("params"), (*at, "params"), "params"),
        sweep=form.mapping(value.get("sweep"), (*at, "sweep"), "sweep"),
        outputs=_outputs(form, value.get("outputs"), (*at, "outputs")),
        needs=_needs(form, value.get("needs"), (*at, "needs")),
        priority=form.whole(value, "priority", at, common.priority),
        limits=_limits(_Form([]), {**common.limits, **given, "stages": stages}, ()),
        group=form.text(value, "group", at),
        affinity=form.text(value, "affinity", at),
        metadata={**common.metadata, **_metadata(form, value.get("metadata"), (*at, "metadata"))},
        pair="pair" in value and form.word(value, "pair", at, ("stem",), "stem") == "stem",
        path=at,
    )


def _inputs(form: _Form, value: Any, at: At) -> tuple[dict[str, InputSpec], frozenset[str]]:
    """The inputs that make sense, and the names of those that do not."""
    specs = {}
    unread = set()
    for name, given in form.mapping(value, at, "inputs").items():
        spec = read_input(given, (*at, name), form.findings)
        if spec is None:
            unread.add(name)
        else:
            specs[name] = spec
    return specs, frozenset(unread)


def _outputs(form: _Form, value: Any, at: At) -> dict[str, str | None]:
    outputs: dict[str, str | None] = {}
    for name, template in form.mapping(value, at, "outputs").items():
        if template is not None and not isinstance(template, str):
            form.tell((*at, name), f"output {name!r}: write a path such as {{sample}}.png, or null for none")
        outputs[name] = template if isinstance(template, str) else None
    return outputs


def _needs(form: _Form, value: Any, at: At) -> tuple[str, ...]:
    given = [] if value is None else value if isinstance(value, list) else [value]
    for i, id in enumerate(given):
        if not isinstance(id, str):
            form.tell((*at, i), f"needs: write the id of an entry, not {id!r:.40}")
    return tuple(id for id in given if isinstance(id, str))


def _metadata(form: _Form, value: Any, at: At) -> dict[str, Scalar]:
    metadata = form.mapping(value, at, "metadata")
    for key, given in metadata.items():
        if isinstance(given, dict | list):
            form.tell((*at, key), f"metadata {key!r}: write a text, a number, true or false, not {given!r:.40}")
    return {key: given for key, given in metadata.items() if not isinstance(given, dict | list)}


def _limits(form: _Form, given: Mapping[str, Any], at: At) -> Limits:
    stages = form.mapping(given.get("stages"), (*at, "stages"), "stages")
    bounds = {name: form.measured(value, (*at, "stages", name), duration_s) for name, value in stages.items()}
    return Limits(
        timeout_s=form.measured(given.get("timeout"), (*at, "timeout"), duration_s),
        memory_bytes=form.measured(given.get("memory"), (*at, "memory"), size_bytes),
        stages={name: bound for name, bound in bounds.items() if bound is not None},
        group_timeout_s=form.measured(given.get("group_timeout"), (*at, "group_timeout"), duration_s),
    )


def _settings(form: _Form, value: Any) -> Settings:
    at: At = ("settings",)
    given = form.mapping(value, at, "settings", SETTING_KEYS)
    auto = given.get("workers", "auto") in ("auto", None)
    stop = given.get("stop_after_failures") is None
    flush_s = form.measured(given.get("flush_interval", "2 s"), (*at, "flush_interval"), duration_s, positive=False)
    grace_s = form.measured(given.get("grace", "10 s"), (*at, "grace"), duration_s, positive=False)
    return Settings(
        workers=None if auto else form.whole(given, "workers", at, 1, least=1),
        timeout_s=form.measured(given.get("timeout"), (*at, "timeout"), duration_s),
        memory_bytes=form.measured(given.get("memory"), (*at, "memory"), size_bytes),
        retries=form.whole(given, "retries", at, Settings().retries, least=0),
        continue_on_error=form.flag(given, "continue_on_error", at, True),
        conflict=Conflict(form.word(given, "conflict", at, [each.value for each in Conflict], "fail")),
        durability=Durability(form.word(given, "durability", at, [each.value for each in Durability], "full")),
        flush_batch_size=form.whole(given, "flush_batch_size", at, 1, least=1),
        flush_interval_s=2.0 if flush_s is None else flush_s,
        grace_s=10.0 if grace_s is None else grace_s,
        stop_after_failures=None if stop else form.whole(given, "stop_after_failures", at, 1, least=1),
        shared_output=form.flag(given, "shared_output", at, False),
    )


def _setting_key(name: str) -> str:
    """A field of `Settings` as it is called in a batch file, where values carry their units."""
    return name.removesuffix("_s").removesuffix("_bytes")


SETTING_KEYS = tuple(_setting_key(each.name) for each in fields(Settings))


def _mapping_of(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = mapping.get(key)
    return value if isinstance(value, dict) else {}


def _hides(mapping: Mapping[str, Any], known: Sequence[str]) -> bool:
    """Whether a misspelt key may stand for one that seems to be missing; it is told once then."""
    return any(key not in known for key in mapping)


def _near(key: str, known: Sequence[str]) -> str:
    return suggestion(key, list(known)) or f"; known are {', '.join(known)}"
