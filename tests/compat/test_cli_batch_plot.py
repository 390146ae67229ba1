"""The command line of an earlier program: what it runs itself, and what it hands over."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import batchlab.compat.devices as compat
from batchlab.compat.devices import batch_plot, plugin_system, program
from batchlab.compat.devices.plugin_system import cli_command, load_commands, registered
from batchlab.errors import ConfigError

SOURCE = Path(program.__file__).parents[3]
COMMANDS = """
from pathlib import Path
from batchlab.compat.devices.plugin_system import cli_command

@cli_command(name="count-files", group="lab", description="Count what a folder holds.\\nOf any kind.")
def count_files(folder: Path, least: int = 0, *, loud: bool = False) -> int:
    found = len(list(folder.iterdir()))
    print("FILES" if loud else "files", found)
    return 0 if found >= least else 4
"""


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = dict(plugin_system._registered)
    plugin_system._registered.clear()
    yield
    plugin_system._registered.clear()
    plugin_system._registered.update(before)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module with a command, on the path."""
    (tmp_path / "lab_commands.py").write_text(COMMANDS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "lab_commands", raising=False)
    return "lab_commands"


def ran(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    search = os.pathsep.join(filter(None, (str(folder), str(SOURCE), os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        [sys.executable, "-m", "batchlab.compat.devices", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": search},
    )


def test_a_declared_module_brings_its_commands(module: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert "count-files" not in registered()
    assert program.main(["--plugin", module, "count-files", str(tmp_path), "--loud"]) == 0
    assert capsys.readouterr().out.startswith("FILES ")
    assert program.main(["count-files", str(tmp_path), "--least", "99"]) == 4
    assert program.main(["count-files", str(tmp_path), "--least", "many"]) == 2
    assert "'many' is not a valid integer" in capsys.readouterr().err


def test_the_environment_declares_modules_too(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv(program.MODULES, module)
    assert program.main(["list-plugins"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == ["count-files", "lab", "Count", "what", "a", "folder", "holds."] for line in lines)
    assert any(line.split() == ["batch-plot", "plotting"] for line in lines)
    assert lines == sorted(lines)


def test_a_module_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(ConfigError, match="the module no_such_module of commands does not load"):
        load_commands(["no_such_module"])
    assert program.main(["--plugin", "no_such_module", "list-plugins"]) == 1
    assert "no_such_module" in capsys.readouterr().err


def test_the_later_of_two_commands_holds():
    @cli_command(name="one")
    def first() -> None:
        """The first."""

    @cli_command(name="one")
    def second() -> None:
        """The second."""

    assert registered()["one"].function is second
    assert registered()["one"].description == "The second."


def test_other_commands_are_handed_over(tmp_path: Path):
    done = ran(tmp_path, "batch-plot", "--help")
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("CONFIG", "-p, --parallel", "-n, --dry-run", "-v, --verbose"))
    wrong = ran(tmp_path, "batch-plto")
    assert wrong.returncode == 2 and "did you mean 'batch-plot'?" in wrong.stderr
    assert "batch-plot" in ran(tmp_path).stdout


def test_the_command_is_a_function_too(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    (tmp_path / "plots.yaml").write_text("chip: 67\nplots: [{type: plot-ivg, seq: 2}]\n")
    assert batch_plot.batch_plot_command(tmp_path / "plots.yaml", dry_run=True) == 0
    assert "1. plot-ivg" in capfd.readouterr().out
    assert batch_plot.batch_plot_command(tmp_path / "absent.yaml", parallel=2, verbose=True) == 2


def test_every_name_of_the_package_is_there():
    assert all(hasattr(compat, name) for name in compat.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        compat.nothing  # noqa: B018 - being asked for is the test
