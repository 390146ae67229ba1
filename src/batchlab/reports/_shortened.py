"""Long messages, cut where they tell least."""

from __future__ import annotations


def shortened(text: str, most: int) -> str:
    """At most so many characters: the middle goes, since a message begins with what is wrong and ends with the mend."""
    if len(text) <= most:
        return text
    tail = (most - 5) * 2 // 5
    return f"{text[: most - 5 - tail].rstrip()} ... {text[len(text) - tail :].lstrip()}"
