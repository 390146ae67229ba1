"""Output templates of an entry: the task's own and those that were written, checked against the fields there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from batchlab.builders._entry import Each, Entry, Findings, Many, One
from batchlab.builders._follow import is_followed
from batchlab.engine import Json, TaskCard, check_template, template_fields
from batchlab.engine._task import suggestion


def field_of(label: str) -> str:
    """The template field of a swept param: a field has no dots."""
    return label.replace(".", "_")


def templates_of(entry: Entry, card: TaskCard) -> dict[str, str]:
    """Output name to template: the task's own, then the entry's; None switches one off."""
    given = {**card.outputs, **entry.outputs}
    return {name: template for name, template in given.items() if template is not None}


def checked_templates(entry: Entry, card: TaskCard, swept: Mapping[str, Json], findings: Findings) -> dict[str, str]:
    """Templates of the entry's jobs, each problem told; the task's own get the swept values they do not show."""
    single = {name for name, spec in entry.inputs.items() if isinstance(spec, One | Each) or is_followed(spec)}
    fields = [field_of(label) for label in swept]
    # An input that is missing was told as such; a template that uses it is not wrong.
    missing = {name for name in card.inputs if name not in entry.inputs}
    lists = {name for name, spec in entry.inputs.items() if isinstance(spec, Many)}
    allowed = {*entry.metadata, *fields, *single, *missing, *lists, "job", "batch"}
    _tell_lists(entry, card, lists, findings)
    templates = {}
    for name, template in templates_of(entry, card).items():
        templates[name] = template if name in entry.outputs else _with_sweep(template, fields)
        for problem in check_template(templates[name], allowed):
            findings.tell((*entry.path, "outputs", name), f"output {name!r}: {problem}")
        endings = card.formats.get(name, ())
        if endings and not template.lower().endswith(endings):
            known = ", ".join(endings)
            findings.tell((*entry.path, "outputs", name), f"output {name!r}: {template!r} ends in none of {known}")
    if entry.group is not None:
        for problem in check_template(entry.group, allowed):
            findings.tell((*entry.path, "group"), f"group: {problem}")
    return templates


def _tell_lists(entry: Entry, card: TaskCard, lists: set[str], findings: Findings) -> None:
    """Tell inputs that are lists where an output is named after one file: likely a job for each was meant."""
    for name in sorted(lists):
        named = [output for output, each in templates_of(entry, card).items() if name in template_fields(each)]
        if named:
            findings.tell(
                (*entry.path, "inputs", name),
                f"input {name!r} is a list, whose files one job takes all at once, and the output "
                f"{named[0]!r} is named "
                f"after one ({{{name}}}); for a job each write a pattern, such as data/*.txt; for one job over all, an "
                "output's name of your own",
            )


def check_names(entry: Entry, card: TaskCard, findings: Findings) -> None:
    """Tell inputs and outputs that the task does not have, and inputs that it lacks."""
    if card.any_io:
        return
    known = card.inputs + card.optional_inputs
    unknown = [name for name in entry.inputs if name not in known]
    for name in unknown:
        near = suggestion(name, list(known)) or "; it takes none"
        findings.tell((*entry.path, "inputs", name), f"{card.name} has no input {name!r}{near}", key=True)
    missing = [name for name in card.inputs if name not in entry.inputs and name not in entry.unread]
    if len(missing) > len(unknown):  # else it is rather misspelt than missing
        what = ", ".join(map(repr, missing))
        findings.tell((*entry.path, "inputs"), f"{card.name} needs the input {what}", key=True)
    for name in entry.outputs:
        if name not in card.outputs:
            near = suggestion(name, list(card.outputs)) or "; it makes none"
            findings.tell((*entry.path, "outputs", name), f"{card.name} has no output {name!r}{near}", key=True)


def _with_sweep(template: str, fields: Sequence[str]) -> str:
    """A template with the swept values that it does not show put ahead of its extension; a job's name shows all."""
    if "job" in template_fields(template):
        return template
    extra = "".join(f"_{name}={{{name}}}" for name in fields if name not in template_fields(template))
    if template.endswith("/"):
        return f"{template.rstrip('/')}{extra}/"
    start, dot, extension = template.rpartition(".")
    if not dot or "/" in extension or "}" in extension:
        return template + extra
    return f"{start}{extra}.{extension}"
