"""Where plans and the account of calls lie."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cached_plans", "calls_file", "pinned_plans"]


def cached_plans() -> Path:
    """Plans that can be asked for again: ``$XDG_CACHE_HOME/batchlab/spectra/plan-cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "batchlab/spectra/plan-cache"


def pinned_plans() -> Path:
    """Plans that a person has approved: ``$XDG_STATE_HOME/batchlab/spectra/pinned-plans``.

    They are somebody's work, so they do not lie in a cache, which may be emptied at any time; the name is another one
    than the cache's, since both variables may name one folder.
    """
    return _state() / "pinned-plans"


def calls_file() -> Path:
    """The account of every call to an AI: ``$XDG_STATE_HOME/batchlab/spectra/ai-calls.sqlite``."""
    return _state() / "ai-calls.sqlite"


def _state() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "batchlab/spectra"
