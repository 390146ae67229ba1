"""File names that hold on every system: slugs of job names, templates that stay under the output root."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Mapping
from functools import lru_cache
from hashlib import blake2b

from batchlab.engine._task import suggestion
from batchlab.errors import ConfigError

MAX_BYTES = 255  # of one name, on every file system in use
STATE_FOLDER = ".batchlab"  # the engine's own folder in the output root; no template leads into it

_SLUG_TEXT = 80
_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_FIELD = re.compile(r"[^\W\d]\w*")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff/\\<>:"|?*]')
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\..*)?")
_DRIVE = re.compile(r"[A-Za-z]:")


def slug(name: str) -> str:
    """A file name for any job name: plain ASCII, safe on every system, told apart by a digest.

    Parameters
    ----------
    name
        Any text; undecodable bytes of a file name and newlines included.

    Returns
    -------
    str
        At most 97 characters of ``[A-Za-z0-9._-]``. The same name gives the same slug; different names give
        different slugs even where a file system folds case or Unicode forms, since the digest is of the
        exact text and written in small letters.
    """
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    ascii_text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    text = re.sub(r"[^A-Za-z0-9._-]+", "_", ascii_text)[:_SLUG_TEXT].strip("._-")
    return f"{text or 'job'}-{digest}"


def collision_key(path: str) -> str:
    """What a case-folding, Unicode-normalising file system sees of `path`; equal keys are one file there."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def readable(text: str) -> str:
    """`text` for a job's name: control characters and undecodable bytes written out, the rest untouched."""
    if text.isascii() and text.isprintable():
        return text
    return _CONTROL.sub(_written_out, text)


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is not UTF-8
        return f"%{code - 0xDC00:02X}"
    return f"%{code:02X}" if code < 0x100 else f"%u{code:04X}"


def text_of(value: object) -> str:
    """A parameter's or a metadata's value as people write it in a batch file."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


@lru_cache(maxsize=4096)
def template_fields(template: str) -> tuple[str, ...]:
    """Names of the fields of a template, in order; broken ones are left to `check_template`."""
    return tuple(field for _, field in _parts(template) if field is not None)


def check_template(template: str, allowed: Collection[str]) -> list[str]:
    """What is wrong with a template, before any job is made.

    Parameters
    ----------
    template
        A path below the output root, with fields such as ``{sample}``; a ``/`` at its end makes it a folder.
    allowed
        Names of the fields there are.

    Returns
    -------
    list of str
        A sentence per problem; empty if it is sound.
    """
    problems = list(_broken(template))
    for field in dict.fromkeys(template_fields(template)):
        if _FIELD.fullmatch(field) and field not in allowed:
            problems.append(f"template {template!r} has an unknown field {{{field}}}{_nearest(field, allowed)}")
    return problems


def render_template(template: str, fields: Mapping[str, object]) -> str:
    """Fill a template in; the result is a relative path that cannot leave the output root.

    Parameters
    ----------
    template
        As for `check_template`. ``{{`` and ``}}`` are braces; formats, attributes and indices are refused.
    fields
        Values by name. A value never adds a folder, ``..`` or a control character: what is not safe in a
        file name on every system becomes ``_``.

    Returns
    -------
    str
        A path with ``/``, each part at most 255 bytes. A part cut short keeps its extension and ends in a
        digest of the whole, so that different long names stay different.

    Raises
    ------
    ConfigError
        If the template is broken, names an unknown field, or would lead out of the output root.
    """
    problems = _broken(template)
    if problems:
        raise ConfigError("; ".join(problems))
    filled = []
    for literal, field in _parts(template):
        filled.append(literal)
        if field is None:
            continue
        if field not in fields:
            raise ConfigError(f"template {template!r} has an unknown field {{{field}}}{_nearest(field, fields)}")
        value = _UNSAFE.sub(_safe, text_of(fields[field]))
        # A folder named by an empty value or by dots alone would vanish, or lead upwards.
        filled.append(value if value.strip(".") else "_" * max(len(value), 1))
    path = "".join(filled)
    parts = [_component(part) for part in path.split("/") if part not in ("", ".")]
    if not parts or parts[0].casefold() == STATE_FOLDER:
        parts = ["_", *parts[1:]]
    return "/".join(parts) + ("/" if path.endswith("/") else "")


def _safe(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"%{code - 0xDC00:02X}" if 0xDC80 <= code <= 0xDCFF else "_"


def _component(part: str) -> str:
    """One name of a path, made safe on every system."""
    if part[0] in "-~ " or part.strip(".") == "":
        part = "_" + part[1:]
    if part[-1] in ". ":  # Windows drops them
        part = part[:-1] + "_"
    if _RESERVED.fullmatch(part):
        part = "_" + part
    if not part.isascii() or len(part) > MAX_BYTES:
        part = _cut(part)
    return part


def _cut(part: str) -> str:
    raw = part.encode("utf-8", "surrogatepass")
    if len(raw) <= MAX_BYTES:
        return part
    _, dot, extension = part.rpartition(".")
    tail = f"-{blake2b(raw, digest_size=5).hexdigest()}"
    if dot and 0 < len(extension.encode()) <= 16:
        tail += "." + extension
    return raw[: MAX_BYTES - len(tail.encode())].decode("utf-8", "ignore") + tail


@lru_cache(maxsize=4096)
def _parts(template: str) -> tuple[tuple[str, str | None], ...]:
    """Literal text, each with the field that follows it; the last has none."""
    parts: list[tuple[str, str | None]] = []
    literal, start = "", 0
    for token in _TOKEN.finditer(template):
        literal += template[start : token.start()]
        start = token.end()
        if token[0] in ("{{", "}}"):
            literal += token[0][0]
        elif token[1] is not None:
            parts.append((literal, token[1]))
            literal = ""
    parts.append((literal + template[start:], None))
    return tuple(parts)


@lru_cache(maxsize=4096)
def _broken(template: str) -> tuple[str, ...]:
    """Problems of a template that do not depend on which fields there are."""
    shown = f"template {template!r}"
    problems = []
    if any(token[0] in "{}" for token in _TOKEN.finditer(template)):
        problems.append(f"{shown} has a single brace; write {{{{ or }}}} for a brace itself")
    for field in template_fields(template):
        if not _FIELD.fullmatch(field):
            problems.append(
                f"{shown}: {{{field}}} is not a plain field name; write a name alone, as in {{sample}}, "
                "without a format, an attribute or an index"
            )
    path = "".join(literal + ("x" if field is not None else "") for literal, field in _parts(template))
    if _CONTROL.search(path) or "\\" in path:
        problems.append(f"{shown} holds a control character or a backslash; part folders with /")
    if path.startswith(("/", "~/")) or _DRIVE.match(path):
        problems.append(f"{shown} is an absolute path; write it relative to the output root")
    names = [name for name in path.split("/") if name not in ("", ".")]
    if any(name.strip() == ".." for name in names):
        problems.append(f"{shown} leads out of the output root; leave out '..'")
    if not names:
        problems.append(f"{shown} names no file")
    elif names[0].rstrip(". ").casefold() == STATE_FOLDER:
        problems.append(f"{shown} leads into {STATE_FOLDER}/, which is the engine's own")
    return tuple(problems)


def _nearest(field: str, allowed: Collection[str]) -> str:
    return suggestion(field, sorted(allowed)) or "; there are no fields here"
