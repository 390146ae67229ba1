"""What procedures set and record: the schema that turns a file's words into settings and columns."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from batchlab.batchfile._yaml import Node
    from batchlab.errors import Problem

__all__ = ["Column", "Kind", "Light", "Procedure", "Schema", "load_schema", "nearest", "plain_name", "schema_digest"]

BUILT_IN = Path(__file__).with_name("procedures.yaml")

_TOP = ("ManifestColumnMap", "Synonyms", "procedures")
_SECTIONS = ("Parameters", "Metadata", "Data", "Config")
_CONFIG = ("light_detection", "requires_chip")
_COLUMN = ("type", "required")
_SETTING = re.compile(r"[a-z][a-z0-9_]*")
_E = TypeVar("_E", bound=StrEnum)


class Kind(StrEnum):
    """How the text of a parameter is read; what does not read so stays text."""

    INT = "int"
    FLOAT = "float"
    FLOAT_NO_UNIT = "float_no_unit"
    BOOL = "bool"
    DATETIME = "datetime"
    STR = "str"


class Light(StrEnum):
    """Whence it is known whether a run saw light."""

    STANDARD = "standard"
    LASER_CALIBRATION = "laser_calibration"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Column:
    """A data column by its name with unit; a run without a required one is none of its procedure."""

    name: str
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """One kind of measurement.

    Attributes
    ----------
    name
        As in the files: ``IVg``, ``LaserCalibration``.
    parameters, metadata
        How each value of the header is read, by its name there.
    columns
        What it records, in order.
    light
        Whence it is known whether a run saw light.
    requires_chip
        Whether a run without a chip number is a slip.
    """

    name: str
    parameters: Mapping[str, Kind] = field(default_factory=dict)
    metadata: Mapping[str, Kind] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    light: Light = Light.STANDARD
    requires_chip: bool = True

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that a run must have."""
        return tuple(column.name for column in self.columns if column.required)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """All procedures, and the words that mean the same.

    Attributes
    ----------
    procedures
        By name.
    settings
        Name of the manifest (``vds_v``) of each header name (``VDS``), the latter as `plain_name` makes it.
    synonyms
        Other words for a data column, without units, by its name.
    """

    procedures: Mapping[str, Procedure]
    settings: Mapping[str, str]
    synonyms: Mapping[str, tuple[str, ...]]

    def setting(self, name: str) -> str:
        """The manifest's name of a header's; one that nobody mapped, in lower case with underscores."""
        known = self.settings.get(plain_name(name))
        return known or re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_") or "unnamed"


@functools.lru_cache(4096)
def plain_name(name: str) -> str:
    """A name without what people write differently: case, blanks, ``_ - ( ) [ ]``."""
    return re.sub(r"[\s_\-()\[\]]", "", name).lower()


def nearest(word: str, words: Iterable[str]) -> str:
    """``; did you mean 'It'?``, or which there are if none is near."""
    known = sorted(str(name) for name in words)
    lower = {name.lower(): name for name in reversed(known)}
    found = get_close_matches(word.lower(), lower, n=1)
    return f"; did you mean {lower[found[0]]!r}?" if found else f"; there are {', '.join(known)}"


def load_schema(*paths: str | Path) -> Schema:
    """The built-in procedures, and those of files of one's own.

    Parameters
    ----------
    *paths
        YAML files in the form of the built-in one. A procedure of the same name replaces the earlier one,
        names and synonyms are added.

    Raises
    ------
    ConfigError
        With everything that is wrong in the files, each with file, line, column and the nearest right word.
    """
    schema = _built_in()
    for path in paths:
        schema = _merge(schema, _read(Path(path)))
    return schema


def schema_digest(*paths: str | Path) -> str:
    """Of all that `load_schema` would read, without reading it: when it differs, files may read differently."""
    digest = hashlib.blake2b(digest_size=16)
    for path in (BUILT_IN, *map(Path, paths)):
        try:
            raw = path.read_bytes()
        except OSError:
            raw = b""  # load_schema says what is wrong with it.
        digest.update(b"%d:" % len(raw) + raw)
    return digest.hexdigest()


@functools.cache
def _built_in() -> Schema:
    return _read(BUILT_IN)


def _merge(below: Schema, above: Schema) -> Schema:
    synonyms = dict(below.synonyms)
    for name, words in above.synonyms.items():
        synonyms[name] = tuple(dict.fromkeys((*synonyms.get(name, ()), *words)))
    return Schema(
        procedures={**below.procedures, **above.procedures},
        settings={**below.settings, **above.settings},
        synonyms=synonyms,
    )


def _read(path: Path) -> Schema:
    from batchlab.batchfile._yaml import read_yaml
    from batchlab.errors import ConfigError

    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name a YAML file of procedures") from error
    problems: list[Problem] = []
    root = read_yaml(raw, str(path), repeated=problems)
    schema = _Reader(str(path), problems).schema(root)
    if problems:
        raise ConfigError.of(sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0)))
    return schema


class _Reader:
    """Turns nodes into a schema and notes every slip."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.file = file
        self.problems = problems

    def schema(self, root: Node) -> Schema:
        parts = dict(self.items(root, "the file", _TOP))
        if isinstance(root.value, dict) and not parts and not self.problems:
            self.note("says nothing; give procedures: {Name: {Data: ...}}", root.line, root.column)
        return Schema(
            procedures={
                name: self.procedure(name, node) for name, node in self.items(parts.get("procedures"), "procedures")
            },
            settings=self.settings(parts.get("ManifestColumnMap")),
            synonyms={
                name: tuple(self.words(node, f"the synonyms of {name!r}"))
                for name, node in self.items(parts.get("Synonyms"), "Synonyms")
            },
        )

    def settings(self, node: Node | None) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, words in self.items(node, "ManifestColumnMap"):
            if not _SETTING.fullmatch(name.lower()):
                line, column = node.keys[name] if node is not None else (1, 1)
                self.note(f"{name!r} cannot name a column; write small letters, digits and _", line, column)
            for word in self.words(words, f"the header names of {name!r}"):
                found[plain_name(word)] = name.lower()
        return found

    def procedure(self, name: str, node: Node) -> Procedure:
        sections = dict(self.items(node, f"procedure {name}", _SECTIONS))
        config = dict(self.items(sections.get("Config"), f"Config of {name}", _CONFIG))
        data = sections.get("Data")
        columns = [self.column(name, column, below) for column, below in self.items(data, f"Data of {name}")]
        if not columns:
            self.note(f"procedure {name} records nothing; give Data: {{I (A): float}}", node.line, node.column)
        chip = config.get("requires_chip")
        if chip is not None and not isinstance(chip.value, bool):
            self.note(f"requires_chip of {name} must be true or false, not {chip.plain()!r}", chip.line, chip.column)
        return Procedure(
            name=name,
            parameters=self.kinds(name, sections.get("Parameters"), "Parameters"),
            metadata=self.kinds(name, sections.get("Metadata"), "Metadata"),
            columns=tuple(columns),
            light=self.word(config.get("light_detection"), Light, Light.STANDARD, f"light_detection of {name}"),
            requires_chip=bool(chip.value) if chip is not None else True,
        )

    def kinds(self, name: str, node: Node | None, section: str) -> dict[str, Kind]:
        return {
            key: self.word(below, Kind, Kind.STR, f"the type of {key!r} in {name}")
            for key, below in self.items(node, f"{section} of {name}")
        }

    def column(self, procedure: str, name: str, node: Node) -> Column:
        of, required = node, False
        if isinstance(node.value, dict):
            parts = dict(self.items(node, f"column {name!r} of {procedure}", _COLUMN))
            of = parts.get("type", node)
            flag = parts.get("required")
            if flag is not None and not isinstance(flag.value, bool):
                self.note(f"required of {name!r} must be true or false, not {flag.plain()!r}", flag.line, flag.column)
            required = flag is not None and flag.value is True
        if of is not node or not isinstance(node.value, dict):
            kind = self.word(of, Kind, Kind.FLOAT, f"the type of column {name!r} of {procedure}")
            if kind in (Kind.STR, Kind.DATETIME):
                message = f"column {name!r} of {procedure} is {kind.value}, but columns are numbers; write float"
                self.note(message, of.line, of.column)
        return Column(name, required)

    def items(self, node: Node | None, what: str, known: Sequence[str] = ()) -> Iterator[tuple[str, Node]]:
        """Keys and values of a mapping; unknown keys are noted and left out."""
        if node is None or node.value is None:
            return
        if not isinstance(node.value, dict):
            self.note(f"{what} must be a mapping, not {_shown(node)}", node.line, node.column)
            return
        for key, below in node.value.items():
            if known and key not in known:
                self.note(f"{what} knows no {key!r}{nearest(key, known)}", *node.keys[key])
            else:
                yield key, below

    def words(self, node: Node, what: str) -> Iterator[str]:
        if isinstance(node.value, list):
            for below in node.value:
                yield from self.words(below, what)
        elif isinstance(node.value, dict) or node.value is None:
            self.note(f"{what} must be a list of names, not {_shown(node)}", node.line, node.column)
        else:
            yield str(node.value)

    def word(self, node: Node | None, words: type[_E], default: _E, what: str) -> _E:
        if node is None:
            return default
        # A bare `none` is text in YAML 1.2, an empty value is not.
        for word in words:
            if node.value == word.value:
                return word
        self.note(f"{what} cannot be {_shown(node)}{nearest(str(node.plain()), words)}", node.line, node.column)
        return default

    def note(self, message: str, line: int, column: int) -> None:
        from batchlab.errors import Problem

        self.problems.append(Problem(message=message, file=self.file, line=line, column=column))


def _shown(node: Node) -> str:
    plain: Any = node.plain()
    return "nothing" if plain is None else repr(plain)[:60]
