from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batchlab.engine import _task
from batchlab.spectra._synthetic import write_demo_set


@pytest.fixture(scope="session")
def shared_spectra() -> Path:
    """The folder of real spectra; tests that want it skip where it is absent."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("BATCHLAB_SHARED_DATA", beside)) / "spectra"
    if not folder.is_dir():
        pytest.skip(f"no real spectra in {folder}; set BATCHLAB_SHARED_DATA")
    return folder


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file into the test's own folder."""

    def write_file(content: str | bytes, name: str = "sample.txt", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write_file


@pytest.fixture(scope="session", autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The entry points of this very checkout, for this process and those it starts, installed or not."""
    declared = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    folder = tmp_path_factory.mktemp("installed")
    info = folder / f"batchlab-{declared['version']}.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: batchlab\nVersion: {declared['version']}\n")
    groups = declared["entry-points"].items()
    text = "\n".join(f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in each.items()) for group, each in groups)
    info.joinpath("entry_points.txt").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        search = os.environ.get("PYTHONPATH")
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(folder), search))))
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        _task._entry_points.cache_clear()
        yield
    _task._entry_points.cache_clear()


@pytest.fixture(scope="session")
def small_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six samples of 400 points: four good ones in as many layouts, an outlier, and a file that was cut off."""
    folder = tmp_path_factory.mktemp("small")
    write_demo_set(folder, 6, 3, points=400)
    return folder
