from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from batchlab.engine import _task


@pytest.fixture(scope="session", autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The entry points of this very checkout, for this process and those it starts, installed or not."""
    declared = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    folder = tmp_path_factory.mktemp("installed")
    info = folder / f"batchlab-{declared['version']}.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: batchlab\nVersion: {declared['version']}\n")
    groups = declared["entry-points"]
    text = "\n".join(
        f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in each.items()) for group, each in groups.items()
    )
    info.joinpath("entry_points.txt").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        search = os.environ.get("PYTHONPATH")
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(folder), search))))
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        for name in [each for each in os.environ if each.startswith("BATCHLAB_AI_")]:
            patch.delenv(name)
        _task._entry_points.cache_clear()
        yield
    _task._entry_points.cache_clear()


def spectrum_text(points: int = 300, shift: float = 0.0, height: float = 1.0) -> str:
    """An infrared band on a sloped baseline."""
    axis = np.linspace(4000.0, 400.0, points)
    signal = height * np.exp(-(((axis - 1650 - shift) / 60) ** 2)) + 0.05 + axis / 1e5
    rows = "\n".join(f"{x:.3f},{y:.6f}" for x, y in zip(axis, signal, strict=True))
    return f"Wavenumber (cm-1),Absorbance\n{rows}\n"


@pytest.fixture
def measured(tmp_path: Path) -> Callable[..., Path]:
    """Write a measurement into the test's own folder."""

    def write(name: str, **how: float) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(spectrum_text(**how), encoding="utf-8")  # type: ignore[arg-type]
        return path

    return write


@pytest.fixture
def files(measured: Callable[..., Path]) -> tuple[Path, list[Path]]:
    """A baseline and three samples."""
    return measured("baseline.csv"), [measured(f"sample{i}.csv", height=1 + i / 10) for i in (1, 2, 3)]


@pytest.fixture
def unsure(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of which two columns run one way, and no word says which of them is the axis."""

    def write(name: str, height: float = 1.0) -> Path:
        position = np.arange(200)
        wavelength = 947.8 - 2.5 * position
        counts = 500 + 200 * height * np.exp(-(((position - 90) / 20) ** 2))
        rows = zip(position * 1.5, wavelength, counts, strict=True)
        text = "".join(f"{a:.3f}\t{b:.3f}\t{c:.3f}\n" for a, b, c in rows)
        (tmp_path / name).write_text(f"Alpha\tBeta\tGamma\n{text}", encoding="utf-8")
        return tmp_path / name

    return write
