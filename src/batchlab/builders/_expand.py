"""Entries to jobs: patterns, sweeps, pairs and earlier jobs' outputs, all names settled and checked.

Everything wrong is collected as findings, each with its place in what was written, so that a batch file and a
builder tell all of it at once.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from batchlab.builders._entry import Entry, Finding, Findings, FromEntry, Many, One, problems_of
from batchlab.builders._fan import Place, Row, fan_out, files_of
from batchlab.builders._follow import (
    Draft,
    Made,
    check_reference,
    find_source,
    followed_job,
    in_order,
    is_followed,
)
from batchlab.builders._labels import stem, sweep_name
from batchlab.builders._outputs import check_names, checked_templates, field_of, templates_of
from batchlab.builders._paths import absolute, task_name
from batchlab.builders._variants import MAX_JOBS, Variant, param_finding, variants
from batchlab.engine import From, Input, Job, Json, TaskCard, render_template, resolve
from batchlab.errors import ConfigError


def expand(
    entries: Sequence[Entry], *, batch: str, base: str, output: str, given_up: Sequence[str] = ()
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
    given_up
        Ids of entries that were told to be wrong before; what refers to them is not told again.

    Returns
    -------
    jobs : tuple of Job
        In the order of the entries, each entry's sorted by file and then by sweep; none if anything is wrong.
    findings : list of Finding
        All that is wrong.
    """
    work = _Expansion({entry.id: entry for entry in entries}, batch, Place(base, output), Findings(given_up))
    work.settle_params()
    for id in in_order(work.entries, work.findings):
        work.make(id)
    return (() if work.findings or work.findings.given_up else work.jobs()), work.findings


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


class _Expansion:
    """The entries of one batch while they are made into jobs."""

    def __init__(self, entries: Mapping[str, Entry], batch: str, place: Place, findings: Findings) -> None:
        self.entries = entries
        self.batch = batch
        self.place = place
        self.findings = findings
        self.variants: dict[str, list[Variant]] = {}
        self.cards: dict[str, TaskCard] = {}
        self.made: dict[str, Made] = {}
        self.count = 0

    def settle_params(self) -> None:
        """Look up all tasks at once and check every params set."""
        names = {id: task_name(entry.task, self.place.base) for id, entry in self.entries.items()}
        asked: dict[str, list[Mapping[str, Json]]] = {}
        for id, entry in self.entries.items():
            self.variants[id] = variants(entry, self.findings)
            asked.setdefault(names[id], []).extend(variant.params for variant in self.variants[id])
        answers = resolve(asked)
        checked = {name: iter(answer.params) for name, answer in answers.items()}
        for id, entry in self.entries.items():
            answer = answers[names[id]]
            if answer.card is None:
                self.findings.tell((*entry.path, "task"), answer.error or "no such task")
                self.findings.given_up.add(id)
                continue
            self.cards[id] = answer.card
            told = {
                param_finding(entry, variant, problem): None
                for variant in self.variants[id]
                for problem in next(checked[names[id]]).problems
            }
            self.findings.extend(told)

    def make(self, id: str) -> None:
        """Expand one entry, after all that it refers to."""
        if id in self.findings.given_up:
            return
        entry = self.entries[id]
        before = len(self.findings)
        drafts = list(self._drafts(entry))
        if len(self.findings) > before or not drafts:
            self.findings.given_up.add(id)
            return
        outputs = tuple(templates_of(entry, self.cards[id]))
        self.made[id] = Made(drafts, outputs, tuple(draft.name for draft in drafts))

    def _drafts(self, entry: Entry) -> Iterator[Draft]:
        """The entry's jobs; none if something is wrong with it, or with what it refers to."""
        before = len(self.findings)
        card = self.cards[entry.id]
        check_names(entry, card, self.findings)
        for id in entry.needs:
            check_reference(id, (*entry.path, "needs"), self.entries, self.findings)
        sources = {
            name: find_source(entry, name, self.made, self.entries, self.findings)
            for name, spec in entry.inputs.items()
            if isinstance(spec, FromEntry)
        }
        followed = {name: made for name, made in sources.items() if made and is_followed(entry.inputs[name])}
        rows = fan_out(entry, self.place, self.findings)
        if rows is None:
            rows = _rows_followed(followed)
        shared = self._shared(entry)
        swept = {**(rows[0].swept if rows else {}), **self.variants[entry.id][0].swept}
        templates = checked_templates(entry, card, swept, self.findings)
        self.count += len(rows) * len(self.variants[entry.id])
        if self.count > MAX_JOBS:
            self.findings.tell(entry.path, f"more than {MAX_JOBS:,} jobs; part the batch")
        if len(self.findings) > before or entry.unread or None in sources.values():
            return
        stems = {name: stem(value) for name, value in shared.items() if isinstance(value, str)}
        for row in rows:
            for variant in self.variants[entry.id]:
                yield self._draft(entry, row, variant, shared, stems, followed, templates)

    def _draft(
        self,
        entry: Entry,
        row: Row,
        variant: Variant,
        shared: Mapping[str, Input],
        stems: Mapping[str, str],
        followed: Mapping[str, Made],
        templates: Mapping[str, str],
    ) -> Draft:
        swept = {**row.swept, **variant.swept} if row.swept else variant.swept
        name = entry.id if row.label is None else f"{entry.id}/{row.label}"
        if swept:
            name += sweep_name(swept)
        fields = {
            **entry.metadata,
            **{field_of(label): value for label, value in swept.items()},
            **stems,
            **row.stems,
            "job": name,
            "batch": self.batch,
        }
        inputs: dict[str, Input] = {}
        for key, spec in entry.inputs.items():
            if key in row.files:
                inputs[key] = row.files[key]
            elif key in followed:
                assert isinstance(spec, FromEntry)
                before = followed_job(entry, key, followed[key], row.label, swept, self.findings)
                inputs[key] = From(jobs=(before.name,), output=spec.output or followed[key].outputs[0])
                fields[key] = before.label or before.name
            else:
                inputs[key] = shared[key]
        return Draft(
            name=name,
            label=row.label,
            swept=swept,
            params=variant.params,
            inputs=inputs,
            outputs={key: render_template(template, fields) for key, template in templates.items()},
            group=None if entry.group is None else render_template(entry.group, fields),
        )

    def _shared(self, entry: Entry) -> dict[str, Input]:
        """Inputs that are the same for every job of the entry, and one object for all of them."""
        shared: dict[str, Input] = {}
        for name, spec in entry.inputs.items():
            if isinstance(spec, One):
                shared[name] = absolute(spec.path, self.place.base)
            elif isinstance(spec, Many):
                shared[name] = tuple(files_of(entry, name, spec, self.place, self.findings))
            elif isinstance(spec, FromEntry) and spec.gather is not None:
                members = [self.made[id] for id in spec.entries if id in self.made]
                names = members[0].names if len(members) == 1 else tuple(n for m in members for n in m.names)
                shared[name] = From(jobs=names, output=spec.output, gather=spec.gather)
        return shared

    def jobs(self) -> tuple[Job, ...]:
        """All drafts as jobs, in the order of the entries."""
        self._check_job_names()
        sizes = self._shared_sizes()
        jobs: list[Job] = []
        for id, entry in self.entries.items():
            needs = tuple(dict.fromkeys(name for other in entry.needs for name in self.made[other].names))
            task = task_name(entry.task, self.place.base)
            jobs.extend(
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
                    affinity=entry.affinity or _largest(draft.inputs, sizes),
                    metadata=entry.metadata,
                )
                for draft in self.made[id].drafts
            )
        return tuple(jobs)

    def _check_job_names(self) -> None:
        counts = Counter(draft.name for made in self.made.values() for draft in made.drafts)
        for id, made in self.made.items():
            double = next((draft.name for draft in made.drafts if counts[draft.name] > 1), None)
            if double is not None:
                message = f"{counts[double]} jobs would be called {double!r}; give each value once"
                self.findings.tell((*self.entries[id].path, "sweep"), message)

    def _shared_sizes(self) -> dict[str, int]:
        """Files that several jobs read, with their sizes in bytes; a missing one has size 0."""
        counts: Counter[str] = Counter()
        for made in self.made.values():
            for draft in made.drafts:
                counts.update(value for value in draft.inputs.values() if isinstance(value, str))
        return {path: _size(path) for path, count in counts.items() if count > 1}


def _rows_followed(followed: Mapping[str, Made]) -> list[Row]:
    """A row for each job of the first entry followed that has several; else one."""
    for made in followed.values():
        if len(made.drafts) > 1:
            return [Row(draft.label, swept=draft.swept) for draft in made.drafts]
    return [Row(None)]


def _largest(inputs: Mapping[str, Input], sizes: Mapping[str, int]) -> str | None:
    shared = [value for value in inputs.values() if isinstance(value, str) and value in sizes]
    return max(shared, key=lambda path: (sizes[path], path), default=None)


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except (OSError, ValueError):
        return 0
