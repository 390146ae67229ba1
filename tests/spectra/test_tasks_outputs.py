"""Outputs of jobs: packed on wish, and looked at once they are written."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from batchlab.cli._main import cli
from batchlab.engine import InlineExecutor, Status, read_view, run
from batchlab.errors import Category, ConfigError, JobError
from batchlab.figures import _canvas
from batchlab.figures._save import encode
from batchlab.spectra import Spectrum, compare_batch
from batchlab.spectra._read import read_comparison
from batchlab.spectra._write import put, write_spectrum

AXIS = np.linspace(400.0, 800.0, 201)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = []
    for i in range(7):
        rng = np.random.default_rng(i)
        signal = np.exp(-(((AXIS - 600) / (40 + i)) ** 2)) + rng.normal(0, 0.003, AXIS.size)
        path = tmp_path / f"leaf_{i}.csv"
        write_spectrum(path, Spectrum(axis=AXIS, intensity=signal, axis_kind="wavelength", quantity="absorbance"))
        paths.append(path)
    return paths


def failed(files: list[Path], output: Path, **options):
    batch = compare_batch(files[0], files[1:2], output, dpi=30, limits="per-picture", **options)
    run(batch, install_signal_handlers=False, executor=lambda *_: InlineExecutor())
    (job,) = read_view(output).jobs
    assert job.state is Status.FAILED
    return job


@pytest.mark.parametrize("packing", ["gz", "zst"])
def test_the_tables_of_a_batch_are_packed(files, tmp_path, packing):
    if packing == "zst":
        pytest.importorskip("zstandard")
    out = tmp_path / "out"
    words = ["spectra", "compare", *map(str, files), "-o", str(out), "--no-figure", "--workers", "1", "-q"]
    result = CliRunner().invoke(cli, [*words, "--compression", packing, "--normalized", "csv", "--peaks"])
    assert result.exit_code == 0, result.output
    written = sorted(path.name for path in out.iterdir() if path.is_file() and path.name.startswith("leaf"))
    assert len(written) == 12 and all(name.endswith(f".csv.{packing}") for name in written), written
    comparison, provenance = read_comparison(out / f"leaf_1_vs_leaf_0.csv.{packing}")
    assert comparison.axis.size == 201 and provenance
    assert len(list((out / "normalized").glob(f"*.csv.{packing}"))) == 6
    jobs = {job.name: job for job in read_view(out).jobs}
    assert jobs["analytics"].state is Status.DONE


def test_an_unknown_packing_is_told(files, tmp_path):
    with pytest.raises(ConfigError, match="gz or zst"):
        compare_batch(files[0], files[1:], tmp_path / "out", compression="rar")


def test_a_picture_that_was_not_written_whole_fails_its_job(files, tmp_path, monkeypatch):
    def half(drawn, path, metadata=None):
        data = encode(drawn, path, metadata)
        Path(path).write_bytes(data[: len(data) // 2])

    monkeypatch.setattr(_canvas, "save", half)
    for format in ("png", "jpg", "webp", "pdf", "svg"):
        job = failed(files, tmp_path / format, format=format, table=False)
        assert (job.category, job.reason) == (Category.OUTPUT, "damaged-picture"), format


def test_a_table_that_reads_back_otherwise_fails_its_job(files, tmp_path, monkeypatch):
    honest = Path.write_bytes

    def forgetful(path: Path, data: bytes) -> int:
        return honest(path, data[:-10] if path.name.endswith("_vs_leaf_0.csv") else data)

    monkeypatch.setattr(Path, "write_bytes", forgetful)
    job = failed(files, tmp_path / "out", figure=False)
    assert (job.category, job.reason) == (Category.OUTPUT, "output-check")


def test_what_is_put_is_packed_as_its_name_says(tmp_path):
    put(tmp_path / "a.csv.gz", b"1,2\n")
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()) == b"1,2\n"
    put(tmp_path / "a.csv", b"1,2\n")
    assert (tmp_path / "a.csv").read_bytes() == b"1,2\n"


def test_a_file_that_cannot_be_opened_again_is_the_disks(tmp_path, monkeypatch):
    def refuse(path: Path) -> bytes:
        raise OSError("input/output error")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(JobError) as told:
        put(tmp_path / "a.csv", b"1,2\n")
    assert told.value.category is Category.DISK
