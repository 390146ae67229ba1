"""Files that hold many spectra, taken apart before a batch is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from batchlab.builders._labels import labels
from batchlab.engine import Json, collision_key, render_template
from batchlab.errors import DataError

__all__ = ["Member", "members_of", "own_template"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of several spectra of a file.

    Attributes
    ----------
    file
        Absolute.
    label
        What tells the file from the others of the batch.
    which
        Its name; or its number from 0, where names do not tell the file's spectra apart.
    """

    file: str
    label: str
    which: int | str

    @property
    def job(self) -> str:
        """What it adds to a job's name, unlike that of any other."""
        return f"{self.label}/{str(self.which).replace('/', '_')}"


def members_of(files: Sequence[str], stated: Mapping[str, Json]) -> tuple[tuple[str, ...], tuple[Member, ...]]:
    """Part files of one spectrum from those of many.

    Parameters
    ----------
    files
        Absolute, each once.
    stated
        Options of `read_spectra`.

    Returns
    -------
    alone : tuple of str
        Files of one sample, and those that cannot be read: their own jobs tell why.
    members : tuple of Member
        Every sample of each other file, in the order of the files.
    """
    from batchlab.spectra._kinds import SpectrumRole
    from batchlab.spectra._normalized import read_all_normalized

    alone, members = [], []
    for file, label in zip(files, labels(files), strict=True):
        try:
            spectra = read_all_normalized(Path(file), **stated)
        except DataError:
            alone.append(file)
            continue
        samples = [(number, each.name) for number, each in enumerate(spectra) if each.role is SpectrumRole.SAMPLE]
        if len(samples) < 2:
            alone.append(file)
            continue
        named = _told_apart([name for _, name in samples])
        members += [Member(file=file, label=label, which=name if named else number) for number, name in samples]
    return tuple(alone), tuple(members)


def own_template(template: str, member: Member) -> str:
    """The output template of a file's only spectrum, so that each of its many has an output of its own.

    A name that says its file's already does not say it twice.
    """
    if "{spectrum}" in template:
        return template
    repeats = str(member.which).startswith(member.label)
    return template.replace("{sample}", "{spectrum}" if repeats else "{file}_{spectrum}")


def _told_apart(names: Sequence[str]) -> bool:
    """Whether files named after these would be as many, on every system."""
    written = {collision_key(render_template("{name}", {"name": name})) for name in names if name.strip()}
    return len(written) == len(names)
