"""Short names that tell files and swept values apart."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence

from batchlab.engine import Json, collision_key
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
        folds case, since files named after them would meet.
    """
    found = [readable(stem(path)) for path in paths]
    keys = [collision_key(label) for label in found]
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
    # A label made longer may meet one that was short: 'a/b' needs a folder, so only extensions can.
    again = Counter(map(collision_key, found))
    return [
        readable(os.path.basename(path)) if again[collision_key(label)] > 1 else label
        for path, label in zip(paths, found, strict=True)
    ]


def _apart(paths: list[str]) -> list[str]:
    beside = len({os.path.dirname(path) for path in paths}) < len(paths)
    names = [os.path.basename(path) if beside else stem(path) for path in paths]
    parents = [list(filter(None, os.path.dirname(path).split("/"))) for path in paths]
    made = names
    for depth in range(max(map(len, parents)) + 1):
        made = ["/".join([*_last(above, depth), name]) for above, name in zip(parents, names, strict=True)]
        if len(set(map(collision_key, made))) == len(made):
            break
    return [readable(label) for label in made]


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
