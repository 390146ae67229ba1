"""What pages of fits have in common: the frame they are written in, tiles, links and options in words."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from jinja2 import Environment

    from batchlab.motion._panel._charts import Link

__all__ = ["link_to", "rendered", "tile"]

_CUT = 300  # characters of an option
_environments: list[Environment] = []


def rendered(
    template: str, *, params: Mapping[str, Any] | None, provenance: Mapping[str, str] | None, **given: Any
) -> str:
    """The whole page, to be written as UTF-8."""
    made = [
        *_flat(params or {}),
        *((name, text) for name, text in sorted((provenance or {}).items()) if name != "params"),
    ]
    page = (
        _environment()
        .get_template(template)
        .render(
            made=[(name, value if len(value) <= _CUT else f"{value[:_CUT]}…") for name, value in made],
            provenance=_script_safe(dict(sorted((provenance or {}).items()))),
            **given,
        )
    )
    # Halves of surrogate pairs, which no file can hold, become question marks.
    return page.encode("utf-8", "replace").decode("utf-8")


def tile(name: str, text: str, more: str, *, warn: bool = False) -> dict[str, Any]:
    """One number at the head of a page."""
    return {"name": name, "text": text, "more": more, "warn": warn}


def link_to(viewer: str | None) -> Link:
    """Addresses of frames in a viewer."""

    def link(frame: int, marker: str | None) -> str | None:
        if viewer is None:
            return None
        return f"{viewer}#frame={frame}" + (f"&marker={quote(marker, safe='', errors='replace')}" if marker else "")

    return link


def _environment() -> Environment:
    if not _environments:
        from jinja2 import DictLoader, Environment, StrictUndefined

        home = resources.files("batchlab.motion._panel")
        css = home.joinpath("page.css").read_text(encoding="utf-8")
        digest = b64encode(hashlib.sha256(css.encode()).digest()).decode("ascii")
        pages = ("page.html", "parts.html", "fit.html", "eye.html")
        environment = Environment(
            loader=DictLoader({name: home.joinpath(name).read_text(encoding="utf-8") for name in pages}),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals.update(
            css=css,
            policy=f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
            "form-action 'none'",
        )
        _environments.append(environment)
    return _environments[0]


def _flat(params: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Dotted names and values in words."""
    out = []
    for name, value in params.items():
        if isinstance(value, Mapping) and value:
            out += _flat(value, f"{above}{name}.")
        else:
            out.append((above + name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))
    return out


def _script_safe(value: object) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
