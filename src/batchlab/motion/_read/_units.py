"""Units of length and time, as programs and people write them."""

from __future__ import annotations

__all__ = ["LENGTHS_M", "PIXELS", "TIMES_S", "canonical_length", "canonical_time", "is_length"]

LENGTHS_M = {"m": 1.0, "dm": 0.1, "cm": 0.01, "mm": 0.001, "um": 1e-6, "in": 0.0254, "ft": 0.3048}
TIMES_S = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
PIXELS = "px"

_LENGTH_WORDS = {
    **{name: name for name in LENGTHS_M},
    **dict.fromkeys(("meter", "meters", "metre", "metres"), "m"),
    **dict.fromkeys(("decimeter", "decimeters", "decimetre", "decimetres"), "dm"),
    **dict.fromkeys(("centimeter", "centimeters", "centimetre", "centimetres"), "cm"),
    **dict.fromkeys(("millimeter", "millimeters", "millimetre", "millimetres"), "mm"),
    **dict.fromkeys(("µm", "μm", "micrometer", "micrometers", "micrometre", "micrometres", "micron", "microns"), "um"),
    **dict.fromkeys(("inch", "inches"), "in"),
    **dict.fromkeys(("foot", "feet"), "ft"),
    **dict.fromkeys(("px", "pixel", "pixels"), PIXELS),
}
_TIME_WORDS = {
    **{name: name for name in TIMES_S},
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("msec", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("µs", "μs", "usec", "microsecond", "microseconds"), "us"),
    **dict.fromkeys(("nsec", "nanosecond", "nanoseconds"), "ns"),
}


def canonical_length(text: str) -> str | None:
    """``mm`` for ``Millimeters``, ``px`` for pixels; None for what is no unit of length."""
    return _LENGTH_WORDS.get(text.strip(" .()[]").lower())


def canonical_time(text: str) -> str | None:
    """``s`` for ``Seconds``; None for what is no unit of time."""
    return _TIME_WORDS.get(text.strip(" .()[]").lower())


def is_length(text: str) -> bool:
    """Whether a text is a unit of length or pixels."""
    return canonical_length(text) is not None
