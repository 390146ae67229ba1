"""A laboratory that is staged and enriched, and the command line on it."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from PIL import Image

from batchlab.cli._main import cli
from batchlab.devices._calibration import calibrations_of, link_calibrations
from batchlab.devices._enrich import enrich, write_enriched
from batchlab.devices._history import histories
from batchlab.devices._stage import stage
from batchlab.devices._store import Store
from batchlab.devices._synthetic import Lab
from batchlab.engine import BatchView, read_view

EXAMPLES = Path(__file__).parents[2] / "examples" / "config" / "batch_plots"


@dataclass(frozen=True)
class Said:
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


def call(*words: object) -> Said:
    """The whole program, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    code = ended.value.code
    return Said(code if isinstance(code, int) else 1, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class Bench:
    """A folder with ``data``, staged."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def store(self) -> Path:
        return self.data / "02_stage"

    @property
    def figs(self) -> Path:
        return self.folder / "figs"

    @property
    def view(self) -> BatchView:
        return read_view(self.figs)

    def call(self, command: str, *words: object) -> Said:
        """A command of devices, here."""
        return call("devices", command, *words, "--base-dir", self.data, "-o", self.figs)

    def file(self, text: str, name: str = "plots.yaml") -> Path:
        file = self.folder / name
        file.write_text(text)
        return file

    def made(self, pattern: str) -> list[str]:
        """Names of pictures and tables below the folder of figures."""
        found = self.figs.glob(f"**/{pattern}") if self.figs.is_dir() else ()
        return sorted(path.name for path in found if ".batchlab" not in path.parts)

    def only(self, pattern: str) -> Path:
        (found,) = (path for path in self.figs.glob(f"**/{pattern}") if ".batchlab" not in path.parts)
        return found

    def copy(self, folder: Path) -> Bench:
        """The same elsewhere."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Bench(folder)


def make_bench(lab: Lab, folder: Path, *, enriched: bool = True) -> Bench:
    """Stage a laboratory; with calibrations linked, and the truth as its metrics."""
    bench = Bench(folder)
    os.symlink(lab.raw_root, _made(bench.data) / "01_raw")
    stage(lab.raw_root, bench.store)
    if enriched:
        enrich_all(bench, lab)
    return bench


def enrich_all(bench: Bench, lab: Lab, *, shift_v: float = 0.0) -> None:
    store = Store(bench.store)
    truth = {each.file: each.values for each in lab.truths}
    rows = [
        {
            "run_id": run_id,
            "cnp_voltage": None if values.get("dirac_forward_v") is None else values["dirac_forward_v"] + shift_v,
            "cnp_forward": values.get("dirac_forward_v"),
            "cnp_backward": values.get("dirac_backward_v"),
            "delta_current": values.get("delta") if proc in ("It", "ITt") else None,
            "delta_voltage": values.get("delta") if proc == "Vt" else None,
            "mobility": 1.0 + shift_v,
        }
        for run_id, proc, file in store.table.select("run_id", "proc", "source_file").iter_rows()
        if (values := truth.get(file)) is not None
    ]
    metrics = pl.DataFrame(rows, schema={"run_id": pl.String, **dict.fromkeys(list(rows[0])[1:], pl.Float64)})
    links = link_calibrations(store.runs(columns=()), calibrations_of(store))
    found = histories(store.table, timezone=store.timezone)
    made = {name: enrich(table, links=links, metrics=metrics) for name, table in found.items()}
    write_enriched(made, bench.data / "03_derived" / "chip_histories_enriched")


def pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


@contextlib.contextmanager
def quiet_state(folder: Path) -> Iterator[None]:
    """What earlier runs took is kept here, and not in the user's folder."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_STATE_HOME"]
        else:
            os.environ["XDG_STATE_HOME"] = before
