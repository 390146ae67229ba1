"""What a batch wrote is a sample as good as any other: `batchlab spectra compare` over its own outputs."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from batchlab.cli._main import cli
from batchlab.engine import Status, read_view
from batchlab.spectra import read_spectrum
from batchlab.spectra._write._facts import difference_of

_GOOD = ("sample_001", "sample_002")


def compared(output: Path, *words: object) -> dict[str, object]:
    result = CliRunner().invoke(
        cli, ["spectra", "compare", *map(str, words), "-o", str(output), "--no-figure", "--workers", "1", "-q"]
    )
    assert result.exit_code == 0, result.output
    return {job.name: job for job in read_view(output).jobs}


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "jdx", "parquet"])
def test_written_files_are_compared_as_their_originals(small_set: Path, tmp_path: Path, ending: str):
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    reference = small_set / "reference.csv"
    originals = [next((small_set / "samples").glob(f"{stem}.*")) for stem in _GOOD]
    first = compared(tmp_path / "first", reference, *originals, "--normalized", ending)
    written = sorted((tmp_path / "first" / "normalized").iterdir())
    assert [path.name for path in written] == [f"{stem}.{ending}" for stem in _GOOD]
    again = compared(tmp_path / "again", reference, *written, "--normalized", ending)
    assert all(job.state is Status.DONE for job in again.values())
    before, after = ([job.metrics for job in jobs.values()] for jobs in (first, again))
    assert before == after
    for path in written:
        (copy,) = (tmp_path / "again" / "normalized").glob(f"{path.name.split('.')[0]}*")
        assert difference_of(read_spectrum(path), read_spectrum(copy)) is None
