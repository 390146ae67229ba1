"""A desk for the examples of one page."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs_desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    folder = tmp_path / "work"
    folder.mkdir()
    return Desk(folder, tmp_path)
