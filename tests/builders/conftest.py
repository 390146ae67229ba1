"""Tasks that are registered for these tests alone, in the place of installed ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr

from batchlab.engine import _task


class Baseline(BaseModel):
    model_config = ConfigDict(extra="forbid")

    order: int = 1


class CompareParams(BaseModel):
    model_config = ConfigDict(extra="forbid")

    normalization: Literal["none", "snv", "area"] = "none"
    window: int = 7
    baseline: Baseline = Baseline()
    token: SecretStr | None = None


@_task.task(
    name="spectra.compare",
    version="1",
    params=CompareParams,
    inputs=("reference", "sample"),
    outputs={"figure": "{sample}_vs_{reference}.png", "table": "{sample}.csv"},
)
def compare(ctx, params):
    """Compare a sample with a reference."""


@_task.task(name="spectra.analytics", version="1", inputs=("comparisons",), outputs={"table": "analytics.csv"})
def analytics(ctx, params):
    """Look at all comparisons at once."""


@_task.task(
    name="spectra.clean",
    version="1",
    inputs=("sample",),
    outputs={"table": "clean/{sample}.csv", "picture": None},
    formats={"picture": (".png", ".pdf")},
)
def clean(ctx, params):
    """Clean a sample."""


class ScoreParams(BaseModel):
    model_config = ConfigDict(extra="forbid")

    window: int = 7


@_task.task(
    name="spectra.score", version="1", params=ScoreParams, inputs=("sample",), outputs={"table": "{job}/table.csv"}
)
def score(ctx, params):
    """Score a sample, in a folder named after the job."""


class _Entry:
    def __init__(self, function) -> None:
        self.function = function
        self.value = function.__name__

    def load(self):
        return self.function


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    found = {f"spectra.{f.__name__}": _Entry(f) for f in (compare, analytics, clean, score)}
    monkeypatch.setattr(_task, "_entry_points", lambda: found)
    _task.find_task.cache_clear()
    yield
    _task.find_task.cache_clear()


@pytest.fixture
def leaves(tmp_path):
    """A folder with a reference and three samples."""
    data = tmp_path / "data"
    data.mkdir()
    for name in ("ref.txt", "leaf_1.txt", "leaf_2.txt", "leaf_3.txt", ".hidden_leaf_4.txt"):
        (data / name).write_text(name * (3 if name == "ref.txt" else 1))
    return tmp_path
