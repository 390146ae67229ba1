"""Names of the files over all chips."""

from __future__ import annotations

__all__ = ["INDEX", "OVERVIEW"]

INDEX, OVERVIEW = "index.html", "chips.json"
