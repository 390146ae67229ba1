"""Short names that tell files and swept values apart."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Mapping, Sequence

from batchlab.engine import Json, collision_key, render_template
from batchlab.engine._names import readable, text_of


def stem(path: str) -> str:
    """A file's name without folder and extension."""
    name = os.path.basename(path)
    dot = name.rfind(".")
    return name[:dot] if dot > 0 else name


def labels(paths: Sequence[str]) -> list[str]:
    """The shortest label that tells each file from the others.

    Parameters
    ----------
    paths
        Absolute paths, each once.

    Returns
    -------
    list of str
        The stem; with as many parent folders (``night1/leaf_1``) as distinguish equal stems, and with the
        extension where the same folder holds the stem twice. Stems are equal also where a file system
        folds case, or where what no file name may hold is cleaned away, since files named after them would meet.
        What cannot be told apart so gets a number, in the order of the paths by code point.
    """
    found = [readable(stem(path)) for path in paths]
    keys = [_met(label) for label in found]
    counts = Counter(keys)
    if len(counts) == len(found):
        return found
    groups: dict[str, list[int]] = {}
    for i, key in enumerate(keys):
        if counts[key] > 1:
            groups.setdefault(key, []).append(i)
    for members in groups.values():
        for i, label in zip(members, _apart([paths[i] for i in members]), strict=True):
            found[i] = label
    return _numbered(found, paths)


def _met(label: str) -> str:
    """What a file system makes of a file named after a label; labels with one are one file."""
    return collision_key(render_template("{name}", {"name": label}))


def _apart(paths: list[str]) -> list[str]:
    """Labels of equal stems: folders as deep as they tell more apart, and extensions where they do."""
    beside = len({os.path.dirname(path) for path in paths}) < len(paths)
    parents = [list(filter(None, os.path.dirname(path).split("/"))) for path in paths]
    most, made = 0, [stem(path) for path in paths]
    for names in ([stem(path) for path in paths], [os.path.basename(path) for path in paths])[: 1 + beside]:
        for depth in range(max(map(len, parents)) + 1):
            tried = ["/".join([*_last(above, depth), name]) for above, name in zip(parents, names, strict=True)]
            told_apart = len(set(map(_met, tried)))
            if told_apart > most:
                most, made = told_apart, tried
            if told_apart == len(paths):
                break
    return [readable(label) for label in made]


def _numbered(found: list[str], paths: Sequence[str]) -> list[str]:
    """The labels with a number at those that one before, by path, has taken already."""
    keys = [_met(label) for label in found]
    taken = set(keys)
    if len(taken) == len(found):
        return found
    seen: set[str] = set()
    for i in sorted(range(len(found)), key=lambda i: paths[i]):
        if keys[i] not in seen:
            seen.add(keys[i])
            continue
        number = next(n for n in itertools.count(2) if _met(f"{found[i]}_{n}") not in taken)
        found[i] = f"{found[i]}_{number}"
        taken.add(_met(found[i]))
    return found


def _last(names: list[str], count: int) -> list[str]:
    return names[max(len(names) - count, 0) :] if count else []


def sweep_labels(keys: Sequence[str]) -> dict[str, str]:
    """Dotted path to the shortest name that tells it from the other swept ones: ``params.window`` is window."""
    last = Counter(key.rpartition(".")[2] for key in keys)
    return {
        key: key.rpartition(".")[2] if last[key.rpartition(".")[2]] == 1 else key.removeprefix("params.")
        for key in keys
    }


def sweep_name(swept: Mapping[str, Json]) -> str:
    """``/window=5/order=2``: what swept values add to a job's name."""
    return "".join(f"/{label}={readable(text_of(value)).replace('/', '_')}" for label, value in swept.items())


def with_param(params: Mapping[str, Json], dotted: str, value: Json) -> dict[str, Json]:
    """A copy of `params` with the value at ``params.a.b`` replaced.

    Raises
    ------
    KeyError
        If a part on the way is a value and not a mapping.
    """
    names = dotted.split(".")[1:]
    copy = dict(params)
    here = copy
    for name in names[:-1]:
        below = here.get(name, {})
        if not isinstance(below, Mapping):
            raise KeyError(name)
        here[name] = dict(below)
        here = here[name]
    here[names[-1]] = value
    return copy
