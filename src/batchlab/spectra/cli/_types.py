"""Values of options of this domain."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import click

__all__ = ["LimitsType", "WordsType"]


class WordsType(click.Choice):  # type: ignore[type-arg]
    """One of some words; a hyphen may stand for the blank between two of them."""

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__(
            [each.value.replace(" ", "-") for each in words if each.value != "unknown"], case_sensitive=False
        )

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | None:
        """The words as the params have them."""
        if value is None:
            return None
        return str(super().convert(str(value).replace(" ", "-").replace("_", "-"), param, ctx)).replace("-", " ")


class LimitsType(click.ParamType):  # type: ignore[type-arg]
    """``auto``, ``per-picture`` or ``LOW,HIGH``."""

    name = "limits"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | tuple[float, float]:
        """Words as they are, numbers as a pair."""
        if not isinstance(value, str) or value in ("auto", "per-picture"):
            return value  # type: ignore[no-any-return]
        try:
            low, high = map(float, value.split(","))
        except ValueError:
            self.fail(f"{value!r}: write auto, per-picture, or two numbers as in 0,1.5", param, ctx)
        if not low < high:
            self.fail(f"{value!r}: the first number must be the smaller", param, ctx)
        return low, high
