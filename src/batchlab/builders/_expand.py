"""Entries to jobs: patterns, sweeps, pairs and earlier jobs' outputs, all names settled and checked.

Everything wrong is collected as findings, each with its place in what was written, so that a batch file and a
builder tell all of it at once.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from batchlab.builders._entry import Each, Entry, Finding, FromEntry, InputSpec, Many, One, problems_of
from batchlab.builders._labels import labels, stem, sweep_name
from batchlab.builders._match import folder_of, is_pattern, match
from batchlab.builders._paths import absolute, task_name
from batchlab.builders._variants import MAX_JOBS, Variant, param_finding, variants
from batchlab.engine._describe import Resolved, TaskCard, resolve
from batchlab.engine._model import EMPTY, From, Input, Job, Json
from batchlab.engine._names import check_template, readable, render_template, template_fields, text_of
from batchlab.engine._task import suggestion
from batchlab.errors import ConfigError


@dataclass(slots=True)
class _Draft:
    """A job but for its affinity, which is known when all are."""

    name: str
    label: str | None  # the fanned-out part of the name
    swept: Mapping[str, Json]
    params: Mapping[str, Json]
    inputs: dict[str, Input]
    outputs: dict[str, str]
    group: str | None


@dataclass(slots=True)
class _Row:
    """One member of the fan-out of an entry, before its sweep."""

    label: str | None
    files: dict[str, str]  # input -> path
    stems: dict[str, str]  # input -> what its field in a template says
    swept: Mapping[str, Json] = field(default_factory=lambda: EMPTY)  # handed on by the entry it follows


@dataclass(slots=True)
class _Made:
    """An expanded entry, as others refer to it."""

    drafts: list[_Draft]
    outputs: tuple[str, ...]
    names: tuple[str, ...]  # shared by all jobs that gather it
    by_label: dict[tuple[object, ...], _Draft] = field(default_factory=dict)


def expand(
    entries: Sequence[Entry], *, batch: str, base: str, output: str, known: Sequence[str] = ()
) -> tuple[tuple[Job, ...], list[Finding]]:
    """Make the jobs of all entries.

    Parameters
    ----------
    entries
        With ids that differ.
    batch
        The batch's name, for templates.
    base
        Absolute folder that relative paths start from.
    output
        Absolute output root; patterns do not lead into it.
    known
        Ids of entries that were given up before; what refers to them is not told again.

    Returns
    -------
    jobs : tuple of Job
        In the order of the entries, each entry's sorted by file and then by sweep.
    findings : list of Finding
        All that is wrong; the jobs are of no use unless it is empty.
    """
    work = _Expansion(batch, base, output, {entry.id: entry for entry in entries}, set(known))
    work.settle_params()
    for entry in entries:
        work.made_of(entry.id, ())
    return (() if work.findings or work.given_up else work.jobs()), work.findings


class _Expansion:
    """The entries of one batch while they are made into jobs."""

    def __init__(self, batch: str, base: str, output: str, entries: Mapping[str, Entry], known: set[str]) -> None:
        self.batch = batch
        self.base = base
        self.output = output
        self.entries = entries
        self.given_up = known
        self.findings: list[Finding] = []
        self.made: dict[str, _Made] = {}
        self.variants: dict[str, list[Variant]] = {}
        self.cards: dict[str, TaskCard] = {}
        self.count = 0

    # --- params and tasks

    def settle_params(self) -> None:
        """Look up all tasks at once and check every params set."""
        asked: dict[str, list[Mapping[str, Json]]] = {}
        for entry in self.entries.values():
            made = self.variants[entry.id] = variants(entry, self.findings)
            asked.setdefault(task_name(entry.task, self.base), []).extend(each.params for each in made)
        answers = resolve(asked)
        taken: dict[str, int] = dict.fromkeys(asked, 0)
        for entry in self.entries.values():
            name = task_name(entry.task, self.base)
            start, taken[name] = taken[name], taken[name] + len(self.variants[entry.id])
            self._judge(entry, answers[name], start)

    def _judge(self, entry: Entry, answer: Resolved, start: int) -> None:
        if answer.card is None:
            self.findings.append(Finding(path=(*entry.path, "task"), message=answer.error or "no such task"))
            self.given_up.add(entry.id)
            return
        self.cards[entry.id] = answer.card
        told: dict[Finding, None] = {}
        for place, variant in enumerate(self.variants[entry.id], start):
            for problem in answer.params[place].problems:
                told[param_finding(entry, variant, problem)] = None
        self.findings.extend(told)

    # --- one entry

    def made_of(self, id: str, waiting: tuple[str, ...]) -> _Made | None:
        """The jobs of an entry, after those it refers to; None if it was given up."""
        if id in self.made or id in self.given_up:
            return self.made.get(id)
        if id in waiting:
            loop = " -> ".join((*waiting[waiting.index(id) :], id))
            self._find((*self.entries[id].path, "inputs"), f"entries wait for each other: {loop}")
            self.given_up.add(id)
            return None
        entry = self.entries[id]
        before = len(self.findings)
        drafts = list(self._drafts(entry, (*waiting, id)))
        if len(self.findings) > before or id in self.given_up:
            self.given_up.add(id)
            return None
        self.made[id] = _Made(
            drafts=drafts,
            outputs=tuple(self._templates(entry)),
            names=tuple(draft.name for draft in drafts),
        )
        return self.made[id]

    def _drafts(self, entry: Entry, waiting: tuple[str, ...]) -> Iterator[_Draft]:
        before = len(self.findings)
        self._check_names(entry)
        for id in entry.needs:
            self._referred(id, (*entry.path, "needs"), waiting)
        sources = {
            name: self._source(entry, name, spec, waiting)
            for name, spec in entry.inputs.items()
            if isinstance(spec, FromEntry)
        }
        shared = self._shared_inputs(entry, sources)
        rows = self._rows(entry, sources)
        made = self.variants[entry.id]
        self.count += len(rows) * len(made)
        if self.count > MAX_JOBS:
            self._find(entry.path, f"more than {MAX_JOBS:,} jobs; part the batch")
        templates = self._checked_templates(entry, rows, made)
        told = len(self.findings) > before or entry.unread
        if told or any(source is None for source in sources.values()):
            self.given_up.add(entry.id)
            return
        stems = {name: stem(value) for name, value in shared.items() if isinstance(value, str)}
        followed = {
            name: source for name, source in sources.items() if source is not None and _single(entry.inputs[name])
        }
        for row in rows:
            for variant in made:
                yield self._draft(entry, row, variant, shared, stems, followed, templates)

    def _draft(
        self,
        entry: Entry,
        row: _Row,
        variant: Variant,
        shared: Mapping[str, Input],
        stems: Mapping[str, str],
        followed: Mapping[str, _Made],
        templates: Mapping[str, str],
    ) -> _Draft:
        swept = {**row.swept, **variant.swept} if row.swept else variant.swept
        name = entry.id if row.label is None else f"{entry.id}/{row.label}"
        if swept:
            name += sweep_name(swept)
        inputs: dict[str, Input] = {}
        fields = {
            **entry.metadata,
            **{_field(label): value for label, value in swept.items()},
            **stems,
            **row.stems,
            "job": name,
            "batch": self.batch,
        }
        for key in entry.inputs:
            if key in row.files:
                inputs[key] = row.files[key]
            elif key in followed:
                member = self._member(entry, key, followed[key], row.label, swept)
                spec = entry.inputs[key]
                assert isinstance(spec, FromEntry)
                inputs[key] = From(jobs=(member.name,), output=spec.output or followed[key].outputs[0])
                fields[key] = member.label or member.name
            else:
                inputs[key] = shared[key]
        return _Draft(
            name=name,
            label=row.label,
            swept=swept,
            params=variant.params,
            inputs=inputs,
            outputs={key: render_template(template, fields) for key, template in templates.items()},
            group=None if entry.group is None else render_template(entry.group, fields),
        )

    def _check_names(self, entry: Entry) -> None:
        """Inputs and outputs that the task does not have, or that the entry lacks."""
        card = self.cards[entry.id]
        if card.any_io:
            return
        given = {*entry.inputs, *entry.unread}
        unknown = [name for name in entry.inputs if name not in card.inputs]
        for name in unknown:
            near = suggestion(name, list(card.inputs)) or "; it takes none"
            self._find((*entry.path, "inputs", name), f"{card.name} has no input {name!r}{near}", key=True)
        missing = [name for name in card.inputs if name not in given]
        if len(missing) > len(unknown):  # else it is rather misspelt than missing
            needs = ", ".join(map(repr, missing))
            self._find((*entry.path, "inputs"), f"{card.name} needs the input {needs}", key=True)
        for name in entry.outputs:
            if name not in card.outputs:
                near = suggestion(name, list(card.outputs)) or "; it makes none"
                self._find((*entry.path, "outputs", name), f"{card.name} has no output {name!r}{near}", key=True)

    # --- inputs

    def _shared_inputs(self, entry: Entry, sources: Mapping[str, _Made | None]) -> dict[str, Input]:
        """Inputs that are the same for every job of the entry."""
        shared: dict[str, Input] = {}
        for name, spec in entry.inputs.items():
            if isinstance(spec, One):
                shared[name] = absolute(spec.path, self.base)
            elif isinstance(spec, Many):
                shared[name] = tuple(self._files(entry, name, spec))
            elif isinstance(spec, FromEntry) and spec.gather is not None:
                members = [self.made[id] for id in spec.entries if id in self.made]
                names = members[0].names if len(members) == 1 else tuple(n for m in members for n in m.names)
                shared[name] = From(jobs=names, output=spec.output, gather=spec.gather)
        return shared

    def _rows(self, entry: Entry, sources: Mapping[str, _Made | None]) -> list[_Row]:
        fanned = {name: spec for name, spec in entry.inputs.items() if isinstance(spec, Each)}
        at = (*entry.path, "inputs")
        if entry.pair and len(fanned) != 2:
            what = ", ".join(map(repr, fanned)) or "none"
            self._find((*entry.path, "pair"), f"pair: stem joins two inputs with patterns; here are {what}")
            return []
        if len(fanned) > 1 and not entry.pair:
            what = " and ".join(map(repr, fanned))
            self._find(
                at, f"inputs {what} both have a pattern; write pair: stem to join them, or {{all: ...}}", key=True
            )
            return []
        found = {name: self._files(entry, name, spec) for name, spec in fanned.items()}
        if any(not paths for paths in found.values()):
            return []
        if entry.pair:
            return self._pairs(entry, found)
        for name, paths in found.items():
            return [_Row(label, {name: path}, {name: label}) for label, path in zip(labels(paths), paths, strict=True)]
        for name, source in sources.items():
            if source is not None and _single(entry.inputs[name]) and len(source.drafts) > 1:
                return [_Row(draft.label, {}, {}, draft.swept) for draft in source.drafts]
        return [_Row(None, {}, {})]

    def _pairs(self, entry: Entry, found: Mapping[str, list[str]]) -> list[_Row]:
        by_stem: dict[str, dict[str, str]] = {}
        for name, paths in found.items():
            stems = Counter(map(stem, paths))
            double = sorted(text for text, count in stems.items() if count > 1)
            if double:
                self._find(
                    (*entry.path, "inputs", name),
                    f"input {name!r} matches several files with the stem {_some(double)}; pairs cannot be told",
                )
            by_stem[name] = {stem(path): path for path in paths}
        (first, left), (second, right) = by_stem.items()
        for name, here, other in ((first, left, right), (second, right, left)):
            alone = sorted(here.keys() - other.keys())
            if alone:
                rest = second if name == first else first
                self._find(
                    (*entry.path, "inputs", rest),
                    f"pair: stem: no file of input {rest!r} belongs to {_some(alone)} of input {name!r}; "
                    "add the missing files or narrow the pattern",
                )
        return [
            _Row(readable(s), {first: left[s], second: right[s]}, {first: s, second: s}) for s in left if s in right
        ]

    def _files(self, entry: Entry, name: str, spec: Each | Many) -> list[str]:
        """Files of an input with patterns, each once; a named file that is missing is its job's to tell."""
        found: dict[str, None] = {}
        for pattern in spec.patterns:
            path = absolute(pattern, self.base)
            if spec.literal or not is_pattern(pattern):
                found[path] = None
                continue
            try:
                matched = match(path, leave_out=self.output)
            except (OSError, ValueError) as error:
                self._find((*entry.path, "inputs", name), f"{path} cannot be searched: {error}")
                continue
            if not matched:
                why = "" if os.path.isdir(folder_of(path)) else f"; there is no folder {folder_of(path)}"
                self._find((*entry.path, "inputs", name), f"no file matches {pattern!r}{why}")
            found.update(dict.fromkeys(matched))
        return list(found)

    # --- earlier jobs

    def _referred(self, id: str, at: tuple[str | int, ...], waiting: tuple[str, ...]) -> _Made | None:
        if id not in self.entries:
            if id not in self.given_up:
                self._find(at, f"no entry has the id {id!r}{suggestion(id, list(self.entries))}")
            return None
        return self.made_of(id, waiting)

    def _source(self, entry: Entry, name: str, spec: FromEntry, waiting: tuple[str, ...]) -> _Made | None:
        at = (*entry.path, "inputs", name)
        found = None
        for id in spec.entries:
            found = self._referred(id, (*at, "from"), waiting)
            if found is None:
                return None
            if spec.output is not None and spec.output not in found.outputs:
                near = suggestion(spec.output, list(found.outputs))
                self._find((*at, "output"), f"entry {id!r} makes no output {spec.output!r}{near}")
                return None
            if spec.output is None and spec.gather is None and len(found.outputs) != 1:
                what = ", ".join(found.outputs) or "none"
                self._find(at, f"say which output of {id!r} is meant, with output: NAME; it makes {what}")
                return None
        return found

    def _member(self, entry: Entry, name: str, source: _Made, label: str | None, swept: Mapping[str, Json]) -> _Draft:
        """The one job of `source` that a job follows: the only one, or that of the same stem and sweep.

        Where there is none, a finding says so, and the first stands in.
        """
        first = source.drafts[0]
        if len(source.drafts) == 1:
            return first
        if not source.by_label:
            source.by_label = {_label_key(draft.label, draft.swept): draft for draft in source.drafts}
        wanted = {key: swept[key] for key in first.swept if key in swept}
        found = source.by_label.get(_label_key(None if first.label is None else label, wanted))
        if found is None:
            spec = entry.inputs[name]
            assert isinstance(spec, FromEntry)
            at = (*entry.path, "inputs", name)
            if not any(finding.path == at for finding in self.findings):
                which = f"for {label!r}" if label else "that it could be"
                self._find(
                    at,
                    f"entry {spec.entries[0]!r} has {len(source.drafts)} jobs and none {which}; "
                    "hand all of them over with gather: done",
                )
        return found or first

    # --- outputs

    def _templates(self, entry: Entry) -> dict[str, str]:
        """Output name to template: the task's own, then the entry's; None switches one off."""
        given = {**self.cards[entry.id].outputs, **entry.outputs}
        return {name: template for name, template in given.items() if template is not None}

    def _checked_templates(self, entry: Entry, rows: Sequence[_Row], made: Sequence[Variant]) -> dict[str, str]:
        swept = {**(rows[0].swept if rows else {}), **(made[0].swept if made else {})}
        singles = [name for name, spec in entry.inputs.items() if isinstance(spec, One | Each) or _single(spec)]
        allowed = {*entry.metadata, *map(_field, swept), *singles, "job", "batch"}
        allowed.update(name for name in self.cards[entry.id].inputs if name not in entry.inputs)  # told already
        templates = {}
        for name, template in self._templates(entry).items():
            templates[name] = template
            if name not in entry.outputs:  # the task's own cannot know of this sweep
                templates[name] = _with_sweep(template, [_field(label) for label in swept])
            for problem in check_template(templates[name], allowed):
                self._find((*entry.path, "outputs", name), f"output {name!r}: {problem}")
        if entry.group is not None:
            for problem in check_template(entry.group, allowed):
                self._find((*entry.path, "group"), f"group: {problem}")
        return templates

    # --- all jobs

    def jobs(self) -> tuple[Job, ...]:
        """All drafts as jobs, in the order of the entries."""
        names = Counter(draft.name for made in self.made.values() for draft in made.drafts)
        for id, made in self.made.items():
            for draft in made.drafts:
                if names[draft.name] > 1:
                    at = (*self.entries[id].path, "sweep")
                    self._find(at, f"{names[draft.name]} jobs would be called {draft.name!r}; give each value once")
                    break
        shared = self._shared_sizes()
        jobs = []
        for id, entry in self.entries.items():
            needs = tuple(dict.fromkeys(name for other in entry.needs for name in self.made[other].names))
            task = task_name(entry.task, self.base)
            for draft in self.made[id].drafts:
                jobs.append(
                    Job(
                        name=draft.name,
                        task=task,
                        params=draft.params,
                        inputs=draft.inputs,
                        outputs=draft.outputs,
                        needs=needs,
                        priority=entry.priority,
                        limits=entry.limits,
                        group=draft.group,
                        affinity=entry.affinity or _largest(draft.inputs, shared),
                        metadata=entry.metadata,
                    )
                )
        return tuple(jobs)

    def _shared_sizes(self) -> dict[str, int]:
        """Files that several jobs read, with their sizes in bytes; a missing one has size 0."""
        counts: Counter[str] = Counter()
        for made in self.made.values():
            for draft in made.drafts:
                counts.update(value for value in draft.inputs.values() if isinstance(value, str))
        return {path: _size(path) for path, count in counts.items() if count > 1}

    def _find(self, path: tuple[str | int, ...], message: str, *, key: bool = False) -> None:
        self.findings.append(Finding(path=path, message=message, key=key))


def expand_or_raise(entries: Sequence[Entry], *, batch: str, base: str, output: str) -> tuple[Job, ...]:
    """`expand` for builders, which were called and not read from a file.

    Raises
    ------
    ConfigError
        With all findings.
    """
    jobs, findings = expand(entries, batch=batch, base=base, output=output)
    if findings:
        raise ConfigError.of(problems_of(findings))
    return jobs


def _single(spec: InputSpec) -> bool:
    """Whether an input is one output of one earlier job."""
    return isinstance(spec, FromEntry) and spec.gather is None


def _label_key(label: str | None, swept: Mapping[str, Json]) -> tuple[object, ...]:
    return (label, *sorted((key, text_of(value)) for key, value in swept.items()))


def _field(label: str) -> str:
    """The template field of a swept param: a field has no dots."""
    return label.replace(".", "_")


def _with_sweep(template: str, fields: Sequence[str]) -> str:
    """A task's own template with the swept values that it does not show put ahead of its extension."""
    extra = "".join(f"_{name}={{{name}}}" for name in fields if name not in template_fields(template))
    if template.endswith("/"):
        return f"{template.rstrip('/')}{extra}/"
    start, dot, extension = template.rpartition(".")
    if not dot or "/" in extension or "}" in extension:
        return template + extra
    return f"{start}{extra}.{extension}"


def _largest(inputs: Mapping[str, Input], sizes: Mapping[str, int]) -> str | None:
    shared = [value for value in inputs.values() if isinstance(value, str) and value in sizes]
    return max(shared, key=lambda path: (sizes[path], path), default=None)


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except (OSError, ValueError):
        return 0


def _some(names: Sequence[str]) -> str:
    """At most five names, and how many more there are."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(map(repr, names[:5])) + more
