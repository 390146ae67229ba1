"""The files that are meant by names of files, folders and patterns."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from batchlab.builders import match, own_files
from batchlab.errors import ConfigError

__all__ = ["Samples", "find_samples", "look_for_samples", "samples_or_raise"]

_WILD = "*?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """What was found.

    Attributes
    ----------
    files
        Absolute, each once, in the order given, those of a folder or a pattern by name.
    without
        Names that stand for no file, each with a sentence why.
    told
        What was left out, a sentence each.
    reference
        The reference's files that a folder or a pattern holds too, and that are left out.
    """

    files: tuple[str, ...]
    without: tuple[tuple[str, str], ...] = ()
    told: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()


def find_samples(samples: Sequence[str | os.PathLike[str]], output: str | os.PathLike[str] | None) -> tuple[str, ...]:
    """The files meant; see `look_for_samples`.

    Raises
    ------
    ConfigError
        Naming every folder and pattern without a file.
    """
    return samples_or_raise(look_for_samples(samples, output)).files


def samples_or_raise(found: Samples) -> Samples:
    """The same; raise as `find_samples` where a name stands for no file."""
    if found.without:
        raise ConfigError("; ".join(f"{name}: {why}" for name, why in found.without))
    if not found.files:
        raise ConfigError("name one sample, or a folder of samples")
    return found


def look_for_samples(
    samples: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str] | None,
    reference: str | os.PathLike[str] | None = None,
) -> Samples:
    """Look for the files meant.

    Parameters
    ----------
    samples
        Files; folders, for their files and not those of folders below; patterns, where ``*`` is any text, ``?`` a
        character and ``**`` any folders.
    output
        The output root: no pattern leads into it. Where it is itself a folder of samples, what a batch has made there
        is left out, and told.
    reference
        What the samples are compared with: in a folder or a pattern the same file is left out, and told; where it is
        named itself, it stays.
    """
    itself = None if reference is None else os.path.realpath(os.fspath(reference))
    of_reference: dict[str, None] = {}
    root = None if output is None else os.path.abspath(os.fspath(output))
    made = frozenset() if root is None else own_files(root)
    found: dict[str, None] = {}
    without: list[tuple[str, str]] = []
    left_out: set[str] = set()
    for sample in samples:
        name = os.fspath(sample)
        path = os.path.abspath(name)
        if not os.path.isdir(path) and (os.path.lexists(path) or not any(sign in path for sign in _WILD)):
            if "[" in name and not os.path.lexists(path):
                without.append((name, "there is no such file; [ ] is no pattern: write * for any text, ? for one sign"))
            else:
                found[path] = None  # one that is missing fails its own job
            continue
        matched = match(os.path.join(path, "*") if os.path.isdir(path) else path, leave_out=root)
        own = {each for each in matched if os.path.realpath(each) in made} if made else set()
        left_out.update(own)
        twice = [each for each in matched if os.path.realpath(each) == itself] if itself is not None else []
        of_reference.update(dict.fromkeys(twice))
        kept = [each for each in matched if each not in own and each not in twice]
        if not kept and twice:
            without.append((name, "no samples, but only the reference itself; name it to compare it all the same"))
        elif not kept:
            without.append((name, _why_none(name, path, bool(own))))
        found.update(dict.fromkeys(kept))
    told: tuple[str, ...] = ()
    if left_out:
        what = "1 file is an output" if len(left_out) == 1 else f"{len(left_out)} files are outputs"
        told = (f"{what} of the batch in {os.path.relpath(str(root))} and no samples of it: left out",)
    unnamed = tuple(each for each in of_reference if each not in found)
    told += tuple(f"the reference {os.path.basename(each)} is among the samples: left out" for each in unnamed)
    return Samples(files=tuple(found), without=tuple(without), told=told, reference=unnamed)


def _why_none(name: str, path: str, own: bool) -> str:
    """Why a folder or a pattern stands for no file, and what to write instead."""
    if own:
        return "no samples, but only outputs of the batch itself"
    if not os.path.isdir(path):
        return "no file matches"
    below = len(match(os.path.join(path, "**")))
    if not below:
        return "no samples in this folder"
    deeper = os.path.join(name, "**")
    files = "1 file lies" if below == 1 else f"{below} files lie"
    return f"no samples in this folder, but {files} in folders below; write '{deeper}' for those"
