"""Options about what is known of a body, and what they ask for."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["KNOWN_OPTIONS", "LengthType", "known_asked"]

_POSITIVE = click.FloatRange(0, min_open=True)


class LengthType(click.ParamType):  # type: ignore[type-arg]
    """``Foot1,Foot2=120:0.5``."""

    name = "MARKER,MARKER=MM[:SD]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str, float, float | None]:
        """The two markers, how far apart they are in mm, and its standard deviation."""
        if isinstance(value, tuple):
            return value
        names, equals, numbers = str(value).rpartition("=")
        first, comma, second = (part.strip() for part in names.partition(","))
        length, colon, spread = numbers.partition(":")
        try:
            told = float(length), float(spread) if colon else None
        except ValueError:
            told = 0.0, None
        if not (equals and comma and first and second and told[0] > 0 and (told[1] is None or told[1] > 0)):
            self.fail(f"{value!r}: write a length as MARKER,MARKER=MM:SD, as in Foot1,Foot2=120:0.5", param, ctx)
        return first, second, *told


KNOWN_OPTIONS = (
    click.option(
        "--anchor",
        "anchor_mm",
        type=_POSITIVE,
        metavar="MM",
        help="Known to so much: hold the estimate to --geometry.",
    ),
    click.option(
        "--distance",
        "distances",
        type=LengthType(),
        multiple=True,
        help="Known between markers, as in Foot1,Foot2=120:0.5; repeatable.  [default: SD 0.5]",
    ),
    click.option(
        "--mirror",
        "mirrors",
        metavar="LEFT,RIGHT",
        multiple=True,
        help="Markers that mirror each other, or one on the plane between; repeatable.",
    ),
    click.option(
        "--mirror-sd", "mirror_mm", type=_POSITIVE, metavar="MM", help="How much they may differ.  [default: 1]"
    ),
    click.option(
        "--soft-edge",
        "soft_edges",
        type=LengthType(),
        multiple=True,
        help="A point outside the body that stays about so far from a marker, as in T10,C7=80:5; repeatable.  "
        "[default: SD 5]",
    ),
)


def known_asked(given: dict[str, Any]) -> dict[str, Any]:
    """Params of what is known; takes it out of what was given.

    Raises
    ------
    click.UsageError
        If markers that mirror each other are not told as such.
    """
    mirrors, spread = given.pop("mirrors"), given.pop("mirror_mm")
    if spread is not None and not mirrors:
        raise click.UsageError("--mirror-sd: name the markers by --mirror LEFT,RIGHT")
    out: dict[str, Any] = {}
    for name, words in (("distances", ("between",)), ("soft_edges", ("point", "marker"))):
        told = []
        for first, second, length, sd in given.pop(name):
            ends: dict[str, Any] = (
                {"between": [first, second]} if len(words) == 1 else {"point": first, "marker": second}
            )
            told.append(ends | {"mm": length} | ({} if sd is None else {"sd_mm": sd}))
        if told:
            out[name] = told
    if mirrors:
        parts = [[part.strip() for part in text.split(",")] for text in mirrors]
        for text, names in zip(mirrors, parts, strict=True):
            if len(names) > 2 or not all(names):
                raise click.UsageError(f"--mirror {text}: write LEFT,RIGHT, or one marker on the plane between")
        if not any(len(names) == 2 for names in parts):
            raise click.UsageError("--mirror: name a pair LEFT,RIGHT")
        out["symmetry"] = {
            "pairs": [names for names in parts if len(names) == 2],
            "middle": [names[0] for names in parts if len(names) == 1],
        } | ({} if spread is None else {"sd_mm": spread})
    return out
