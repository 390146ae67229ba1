"""One HTML file of templates, styles and scripts, that runs from disk and without a network."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from importlib import resources

__all__ = ["UPS", "plain", "rendered"]

UPS = ("x", "-x", "y", "-y", "z", "-z")
"""Axes that may point up."""


def rendered(
    template: str,
    scripts: Sequence[str],
    data: Mapping[str, object],
    *,
    title: str,
    provenance: Mapping[str, str] | None,
) -> str:
    """The whole page, to be written as UTF-8.

    Parameters
    ----------
    template
        That extends ``frame.html``.
    scripts
        Each leans on those before it.
    data
        As the scripts read it, from the element ``data``.
    title, provenance
        Of the page.
    """
    from jinja2 import DictLoader, Environment, StrictUndefined

    told = sorted((provenance or {}).items())
    css = _resource("viewer.css")
    js = '(() => {\n"use strict";\n' + "\n".join(map(_resource, scripts)) + "})();\n"
    environment = Environment(
        loader=DictLoader({name: _resource(name) for name in ("frame.html", template)}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template(template).render(
        css=css,
        js=js,
        policy=_policy(css, js),
        title=title,
        ups=UPS,
        provenance=[(plain(name), plain(text)) for name, text in told],
        provenance_data=_script_safe(dict(told)),
        data=_script_safe(data),
    )


def plain(text: str) -> str:
    """Without halves of surrogate pairs, which no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _resource(name: str) -> str:
    return resources.files("batchlab.motion._viewer").joinpath(name).read_text(encoding="utf-8")


def _script_safe(value: object) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _policy(css: str, js: str) -> str:
    """Content-Security-Policy: nothing but this script and this style, and nothing from elsewhere."""
    return (
        f"default-src 'none'; script-src '{_sha256(js)}'; style-src '{_sha256(css)}'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _sha256(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}"
