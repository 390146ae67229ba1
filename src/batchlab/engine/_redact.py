"""Secrets are taken out of every text before it is stored or shown."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

from batchlab.engine._model import Json

MASK = "[redacted]"
_SECRET_NAME = re.compile(r"(?i)(secret|token|passw(or)?d|passphrase|api_?key|credential|private_?key)")
_REFERENCE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)\Z")
_LOGIN = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")
_SHORTEST = 6  # anything shorter would tear holes into ordinary text


class Redactor:
    """Replaces known secrets in texts.

    Parameters
    ----------
    secrets
        The values. Those shorter than six characters are left out.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        told = {form for s in secrets if len(s) >= _SHORTEST for form in _forms(s)}
        values = sorted(told, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, values))) if values else None

    def text(self, text: str) -> str:
        """The text without secrets, and without logins in URLs."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return _LOGIN.sub(MASK, text) if "://" in text else text

    def maybe(self, text: str | None) -> str | None:
        """The same, of a text that may be absent."""
        return None if text is None else self.text(text)

    def value(self, value: Json) -> Json:
        """The same, through lists and mappings."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(each) for each in value]
        return value


def _forms(secret: str) -> set[str]:
    """A secret as it stands in ordinary text, in tracebacks, in JSON and in URLs."""
    written = {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return written | {quote(secret, safe="", errors="surrogatepass"), quote_plus(secret, errors="surrogatepass")}


def secrets_of(params: Iterable[Mapping[str, Json]], environ: Mapping[str, str] | None = None) -> set[str]:
    """Values of environment variables that params refer to, or whose names speak of a secret."""
    environ = os.environ if environ is None else environ
    names = {name for name in environ if _SECRET_NAME.search(name)}
    for each in params:
        names |= set(_references(each))
    return {environ[name] for name in names if environ.get(name)}


def _references(value: Json) -> Iterable[str]:
    if isinstance(value, str):
        match = _REFERENCE.match(value)
        if match:
            yield match[1]
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _references(each)
