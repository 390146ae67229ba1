"""YAML 1.2 as plain data with positions: the core schema and nothing that runs, repeats a key or explodes.

Read from the parser's events, so that the caps hold before any value is built. JSON is read by the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from batchlab.errors import ConfigError, Problem

MAX_BYTES = 10_000_000
MAX_DEPTH = 50
MAX_REPEATED = 100_000  # values that aliases may stand for, all together

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"([-+]?)\.(inf|Inf|INF)")
_NAN = re.compile(r"\.(nan|NaN|NAN)")
_SURROGATES = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_BARE_VARIABLE = re.compile(r"[:,\[{]\s*\$\{")
_MAX_DIGITS = 4000  # Python refuses to read longer whole numbers

Replace = Callable[[str, int, int], str]


@dataclass(slots=True)
class Node:
    """A value and where it stands; lines and columns count from 1."""

    value: Any  # a scalar, a dict of text to Node, or a list of Node
    line: int
    column: int
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)  # where each key of a mapping stands
    size: int = 1  # values in it, those behind aliases counted each time

    def plain(self) -> Any:
        """The value without positions."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def locate(self, path: tuple[str | int, ...], *, key: bool = False) -> tuple[int, int]:
        """Line and column of what stands at `path`, or of the nearest thing above it.

        With `key`, of its key rather than its value.
        """
        here, found = self, (self.line, self.column)
        for part in path:
            if isinstance(here.value, dict) and part in here.value:
                found = here.keys[str(part)]
                here = here.value[part]
            elif isinstance(here.value, list) and isinstance(part, int) and part < len(here.value):
                here = here.value[part]
                found = (here.line, here.column)
            else:
                return found
        return found if key else (here.line, here.column)


def read_yaml(raw: bytes, file: str, replace: Replace | None = None, repeated: list[Problem] | None = None) -> Node:
    """Read one document.

    Parameters
    ----------
    raw
        The file's bytes: UTF-8, or UTF-16 with its mark.
    file
        Its name, for messages.
    replace
        Called with the text of each value, its line and its column; what it returns is read instead. Text
        without quotes is read as a number or a word after that.
    repeated
        Receives the repeated keys, so that they are told along with what else is wrong; without it they
        are raised. The first of equal keys is read.

    Raises
    ------
    ConfigError
        If it is no YAML, too large, too deep, has a repeated key, a tag, or aliases without bound.
    """
    text = _decode(raw, file)
    reader = _Reader(text, file, replace)
    node = reader.read()
    if repeated is not None:
        repeated.extend(reader.problems)
    elif reader.problems:
        raise ConfigError.of(reader.problems)
    return node


def read_scalar(text: str) -> Any:
    """Text without quotes, by the core schema: ``1e3`` is a number, ``012`` is 12, ``off`` is text."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text[0] in "tT"
    if len(text) <= _MAX_DIGITS:
        if _INT.fullmatch(text):
            return int(text)
        if _OCTAL.fullmatch(text):
            return int(text[2:], 8)
        if _HEX.fullmatch(text):
            return int(text, 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    infinite = _INFINITE.fullmatch(text)
    if infinite:
        return float(f"{infinite[1]}inf")
    return float("nan") if _NAN.fullmatch(text) else text


def _decode(raw: bytes, file: str) -> str:
    if len(raw) > MAX_BYTES:
        raise ConfigError.of(
            [Problem(message=f"is larger than {MAX_BYTES // 10**6} MB; that is no batch file", file=file)]
        )
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        message = f"is not {encoding.removesuffix('-sig').upper()} text; save it as UTF-8"
        raise ConfigError.of([Problem(message=message, file=file, line=line)]) from error


class _Reader:
    """One pass over a document's events."""

    def __init__(self, text: str, file: str, replace: Replace | None) -> None:
        self.file = file
        self.replace = replace
        self.lines = text.splitlines() if "${" in text else []
        # JSON writes what lies beyond 16 bits as two escapes, which YAML does not know.
        self.text = _SURROGATES.sub(_joined, text) if file.endswith(".json") else text
        self.anchors: dict[str, Node | None] = {}
        self.repeated = 0
        self.problems: list[Problem] = []

    def read(self) -> Node:
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        events = yaml.parse(self.text, Loader=loader)
        try:
            node = self._document(events)
        except yaml.MarkedYAMLError as error:
            raise self._error(_said(error), error.problem_mark or error.context_mark, self.text) from error
        except yaml.YAMLError as error:
            said = getattr(error, "reason", None) or str(error).split("\n")[0]
            raise self._error(f"cannot be read as YAML: {said}", None, self.text) from error
        return node

    def _document(self, events: Iterator[Any]) -> Node:
        import yaml

        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self._error("a second document begins here; a batch file is one", event.start_mark)
                root = self._value(next(events), events, 0)
        if root is None:
            raise self._error("the file is empty", None)
        return root

    def _value(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        import yaml

        mark = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.tag is not None:
            raise self._error(f"the tag {event.tag!r}; write plain values, without tags", mark)
        if depth > MAX_DEPTH:
            raise self._error(f"values lie more than {MAX_DEPTH} deep", mark)
        anchor = event.anchor
        if anchor is not None:
            self.anchors[anchor] = None
        node = Node(None, mark.line + 1, mark.column + 1)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, node)
        elif isinstance(event, yaml.SequenceStartEvent):
            node.value = []
            while not isinstance(event := next(events), yaml.SequenceEndEvent):
                node.value.append(below := self._value(event, events, depth + 1))
                node.size += below.size
        else:
            self._mapping(node, events, depth)
        if anchor is not None:
            self.anchors[anchor] = node
        return node

    def _mapping(self, node: Node, events: Iterator[Any], depth: int) -> None:
        import yaml

        node.value = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            mark = event.start_mark
            if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
                raise self._error("a key must be plain text", mark)
            key = event.value
            if key in node.value:
                line, column = node.keys[key]
                self._note(f"the key {key!r} stands here again; it was given in line {line}, column {column}", mark)
            below = self._value(next(events), events, depth + 1)
            node.keys.setdefault(key, (mark.line + 1, mark.column + 1))
            node.value.setdefault(key, below)
            node.size += 1 + below.size

    def _scalar(self, event: Any, node: Node) -> None:
        text = event.value
        if self.replace is not None and "$" in text:
            text = self.replace(text, node.line, node.column)
        node.value = read_scalar(text) if event.style in (None, "") else text

    def _alias(self, event: Any) -> Node:
        node = self.anchors.get(event.anchor, self)
        if node is self:
            raise self._error(f"the alias *{event.anchor} has no anchor", event.start_mark)
        if node is None:
            raise self._error(f"the alias *{event.anchor} stands inside its own anchor", event.start_mark)
        assert isinstance(node, Node)
        self.repeated += node.size
        if self.repeated > MAX_REPEATED:
            raise self._error(f"the file's aliases stand for more than {MAX_REPEATED:,} values", event.start_mark)
        return node

    def _note(self, message: str, mark: Any) -> None:
        self.problems.append(Problem(message=message, file=self.file, line=mark.line + 1, column=mark.column + 1))

    def _error(self, message: str, mark: Any, text: str = "") -> ConfigError:
        if mark is None:
            return ConfigError.of([*self.problems, Problem(message=message, file=self.file)])
        near = self.lines[max(mark.line - 1, 0) : mark.line + 1]
        if any(_BARE_VARIABLE.search(line) for line in near):
            message += '; put text with ${...} in quotes, as in "${data}/*.txt"'
        self._note(message, mark)
        return ConfigError.of(self.problems)


def _said(error: Any) -> str:
    """What the parser says, in one line."""
    parts = [str(part) for part in (error.context, error.problem) if part]
    return f"cannot be read as YAML: {': '.join(parts) or 'unknown reason'}"


def _joined(match: re.Match[str]) -> str:
    high, low = int(match[1], 16), int(match[2], 16)
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
