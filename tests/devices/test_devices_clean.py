from __future__ import annotations

from pathlib import Path

import pytest

from batchlab.devices._clean import clean
from batchlab.errors import ConfigError

FILES = (
    "01_raw/a/It.csv",
    "02_stage/manifest.parquet",
    "02_stage/runs/It-1.parquet",
    "02_stage/chip_histories/A1_history.parquet",
    "03_derived/_metrics/metrics.parquet",
    "03_derived/chip_histories_enriched/A1_history.parquet",
    "04_exports/mine.csv",
)


@pytest.fixture
def base(tmp_path):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("abc")
    return tmp_path


def left(base: Path) -> set[str]:
    return {path.relative_to(base).as_posix() for path in base.rglob("*") if path.is_file()}


def test_what_can_be_made_again_goes_and_raw_files_stay(base):
    cleaned = clean(base)
    assert left(base) == {"01_raw/a/It.csv", "04_exports/mine.csv"}
    assert (cleaned.folders, cleaned.files, cleaned.bytes) == (("02_stage", "03_derived"), 5, 15)
    assert clean(base).files == 0
    assert sorted(path.name for path in base.iterdir()) == ["01_raw", "04_exports"]


def test_a_part_alone_can_go(base):
    assert clean(base, ["histories", "metrics"]).folders == ("02_stage/chip_histories", "03_derived/_metrics")
    assert left(base) == {name for name in FILES if "chip_histories/" not in name and "_metrics" not in name}


def test_a_dry_run_removes_nothing(base):
    cleaned = clean(base, ["stage", "histories"], dry_run=True)
    assert cleaned.folders == ("02_stage",) and cleaned.files == 3 and left(base) == set(FILES)


def test_raw_files_are_not_even_reached_through_a_link(base):
    for path in sorted((base / "03_derived").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (base / "03_derived").rmdir()
    (base / "03_derived").symlink_to(base / "01_raw")
    with pytest.raises(ConfigError, match="nothing was removed"):
        clean(base)
    assert "01_raw/a/It.csv" in left(base) and "02_stage/manifest.parquet" in left(base)


def test_links_inside_are_removed_and_not_followed(base):
    (base / "02_stage" / "raw").symlink_to(base / "01_raw", target_is_directory=True)
    clean(base, ["stage"])
    assert "01_raw/a/It.csv" in left(base) and not (base / "02_stage").exists()


@pytest.mark.parametrize("word", ["raw", "01_raw", "../x", "stages"])
def test_other_words_are_refused(base, word):
    with pytest.raises(ConfigError, match="there are stage, histories"):
        clean(base, [word])
    assert left(base) == set(FILES)
