"""The document that this package follows, read where it lies: each of its blocks runs.

Nothing of it is copied here. A block runs with its import lines changed; a fragment gets the names that it does not
define from `COMPLETIONS` and uses no other.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import os
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import batchlab.compat.particles as ours
from batchlab.engine import RunResult, Status, read_view
from batchlab.particles._exports import read_object, reason_of
from batchlab.particles._synthetic import write_mission

NAME = "particles-batching-and-logging.md"
_BLOCK = re.compile(r"^\.\. code-block:: python\n\n((?:[ \t]+.*\n|[ \t]*\n)+)", re.MULTILINE)
_IMPORT = re.compile(r"^from batch_multi_plot_FAST_spectrograms import ", re.MULTILINE)
_PLOT = "FAST_plot_spectrograms_directory"
# By number of the block: the names that it leaves open.
COMPLETIONS: Mapping[int, tuple[str, ...]] = {
    0: (),
    1: (),
    2: (),
    3: (_PLOT,),
    4: (_PLOT,),
    5: (_PLOT,),
    6: (),
    7: (_PLOT,),
    8: (_PLOT,),
}
ORBITS, PICTURES = 2, 12  # of two instruments and their grid, with given limits and raw


def document() -> str:
    data = os.environ.get("BATCHLAB_SHARED_DATA")
    folder = Path(data).parent if data else Path(__file__).parents[3] / "shared"
    path = folder / "spec" / "documents" / NAME
    if not path.is_file():
        pytest.skip(f"the document is not at {path}")
    return path.read_text(encoding="utf-8")


def blocks() -> list[str]:
    return [textwrap.dedent(each) for each in _BLOCK.findall(document())]


def changed(code: str) -> str:
    return _IMPORT.sub("from batchlab.compat.particles import ", code)


def free_names(code: str) -> set[str]:
    tree = ast.parse(code)
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            made |= {alias.asname or alias.name for alias in node.names}
    return {node.id for node in names if isinstance(node.ctx, ast.Load)} - made - set(dir(builtins))


def execute(number: int) -> dict[str, Any]:
    """Run a block; its names afterwards."""
    code = changed(blocks()[number])
    assert free_names(code) == set(COMPLETIONS[number])
    space: dict[str, Any] = {"__name__": "document", **{name: getattr(ours, name) for name in COMPLETIONS[number]}}
    exec(compile(code, f"{NAME}[{number}]", "exec", dont_inherit=True), space)
    return space


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``FAST_data`` and the table of cusps, in which the blocks run one after the other."""
    folder = tmp_path_factory.mktemp("documented")
    write_mission(folder, orbits=ORBITS, records=40, instruments=("ees", "ieb"))
    return folder


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def drawn(here: Path) -> Path:
    """The folder after a minimal run, which does nothing where there was one."""
    execute(2)
    return here


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[RunResult]:
    """What the engine's runs came to."""
    from batchlab.compat.particles import _directory

    found: list[RunResult] = []
    run = _directory.run

    def kept(*args: Any, **named: Any) -> RunResult:
        found.append(run(*args, **named))
        return found[-1]

    monkeypatch.setattr(_directory, "run", kept)
    return found


def ran(result: RunResult) -> int:
    return sum(result.counts.values())


def test_every_block_is_run_here():
    assert list(range(len(blocks()))) == list(COMPLETIONS)


def test_only_import_lines_are_changed():
    for old in blocks():
        for before, after in zip(old.splitlines(), changed(old).splitlines(), strict=True):
            assert before == after or before.startswith("from ")


def test_the_minimal_run_draws_all(here: Path, runs: list[RunResult], capsys: pytest.CaptureFixture[str]):
    execute(2)
    assert ran(runs[0]) == PICTURES + 2 * ORBITS + 2 and runs[0].counts[Status.DONE] == ran(runs[0])
    assert len(list((here / "FAST_plots").glob("????/??/*/*.png"))) == PICTURES
    said = capsys.readouterr().out
    assert said.count(": ok") == ORBITS and "2 of 2 orbits ok" in said
    progress = read_object(here / "batch_multi_plot_FAST_progress.json")
    assert progress == {"linear_log_last_orbit": 20542}
    extrema = read_object(here / "FAST_calculated_extrema.json")
    assert {"ees_linear_log_z_max", "ieb_linear_log_y_max", "linear_log_last_orbit"} <= extrema.keys()
    assert extrema["ees_linear_log_extrema_progress"]["complete"] is True
    assert [each.name for each in here.glob("batch_multi_plot_FAST_log_*.log")]


@pytest.mark.parametrize("number", [0, 3, 4, 7])
def test_batching_resuming_and_the_tight_loop_change_no_picture(number: int, drawn: Path, runs: list[RunResult]):
    execute(number)
    assert ran(runs[0]) == 0 and runs[0].found_done == PICTURES + 2 * ORBITS + 2


def test_a_fresh_pass_does_everything_anew(drawn: Path, runs: list[RunResult]):
    execute(5)
    assert ran(runs[0]) == PICTURES + 2 * ORBITS + 2 and runs[0].found_done == 0


def test_extrema_come_first_and_each_row_has_its_own(here: Path, runs: list[RunResult]):
    # This block names no folder for pictures: they go to where they usually go.
    found = execute(1)["extrema"]
    assert found["ees_linear_log_z_max"] != found["ieb_linear_log_z_max"]
    assert read_view(runs[0].root).root == str(here / "FAST_plots")


def test_extrema_alone_are_told_as_shown(here: Path, capsys: pytest.CaptureFixture[str]):
    state = execute(6)["state"]
    assert state == read_object(here / "FAST_calculated_extrema.json")
    line = capsys.readouterr().out.strip().splitlines()[-1]
    assert line == "Updated extrema keys: ['ees_linear_log_z_max', 'ieb_linear_log_z_max']"


def test_the_bulk_mode_draws_pictures_with_shared_limits_anew(drawn: Path, runs: list[RunResult]):
    before = read_object(drawn / "FAST_calculated_extrema.json")
    execute(8)
    states = {job.name: job for job in read_view(runs[0].root).jobs}
    assert all(job.state is Status.DONE for job in states.values())
    # Limits, and the pictures that use them; no file is read again.
    assert ran(runs[0]) <= 2 + PICTURES // 2 + 2
    after = read_object(drawn / "FAST_calculated_extrema.json")
    assert after["ees_linear_log_z_max"] > before["ees_linear_log_z_max"]


def test_the_functions_whose_docstrings_are_named_have_them():
    listed = document().partition("Related API Docstrings")[2].partition("Per-Instrument / Per-Row")[0]
    names = re.findall(r"\* ``(\w+)``", listed)
    assert len(names) == 3
    for name in names:
        function = getattr(ours, name)
        text = inspect.getdoc(function) or ""
        untold = [each for each in inspect.signature(function).parameters if not re.search(rf"\b{each}\b", text)]
        assert untold == []


def test_defaults_are_the_documented_ones():
    told = inspect.signature(ours.FAST_plot_spectrograms_directory).parameters
    text = document()
    assert "``flush_batch_size`` (default: 10)" in text and told["flush_batch_size"].default == 10
    assert "``log_flush_batch_size`` (default: ``flush_batch_size``)" in text
    assert told["log_flush_batch_size"].default is None
    assert "matches FAST_plot_spectrograms_directory default" in text
    assert told["max_processing_percentile"].default == 95.0
    assert (told["orbit_timeout_seconds"].default, told["instrument_timeout_seconds"].default) == (60.0, 30.0)
    assert "install_signal_handlers=False" in text
    assert inspect.signature(ours.generic_batch_plot).parameters["install_signal_handlers"].default is True


def test_every_common_reason_is_one_of_ours():
    listed = document().partition("Common reasons include:")[2].partition("Example Usage Snippet")[0]
    reasons = set(re.findall(r"\* ``([\w-]+)``", listed))
    given = [
        ("timeout", None),
        ("invalid-input", None),
        ("numerical", None),
        ("plotting", None),
        ("generic", "KeyError"),
    ]
    assert reasons == {reason_of(*each) for each in given}


def test_every_name_is_exported():
    assert all(callable(getattr(ours, name)) for name in ours.__all__)
    with pytest.raises(AttributeError):
        _ = ours.nothing_of_this_name
