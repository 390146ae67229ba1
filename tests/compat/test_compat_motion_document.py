"""The document that this package follows, read where it lies: each of its blocks runs.

Nothing of it is copied here. A block runs with its import lines changed; a fragment gets the names that it does not
define from `COMPLETIONS` and uses no other, and the calls in `ELIDED`, whose arguments it writes as three dots, answer
what they stand for.
"""

from __future__ import annotations

import ast
import builtins
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import batchlab.compat.motion as ours
from batchlab.compat.motion import (
    BatchConfig,
    BatchJobConfig,
    BatchResult,
    OptimizationConfig,
    RigidBodyConfig,
    RigidBodyTopology,
    create_parameter_sweep,
)
from batchlab.motion._synthetic import write_recordings

NAME = "motion-batch-processing.md"
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(r"^(\s*)from skellysolver__(?:\.\w+)+ import ", re.MULTILINE)
# By number of the block: the names that it leaves open.
COMPLETIONS: Mapping[int, tuple[str, ...]] = {
    0: (),
    1: ("Path", "RigidBodyConfig"),
    2: ("Path", "make_config"),
    3: ("Path", "result"),
    4: ("result",),
    5: ("batch_config",),
    6: ("BatchConfig", "Path", "jobs"),
    7: ("BatchConfig", "Path", "jobs"),
    8: ("BatchJobConfig", "config"),
    9: ("BatchProcessor", "Path", "make_config"),
    10: ("BatchProcessor", "Path", "base_config", "find_best_parameters"),
    11: ("BatchProcessor", "Path", "create_batch_from_files", "make_config"),
    12: (),
}
# By number of the block: the call whose arguments are three dots.
ELIDED: Mapping[int, str] = {0: "RigidBodyTopology", 1: "RigidBodyConfig"}

TOPOLOGY = RigidBodyTopology.from_marker_names([f"m{number}" for number in range(1, 6)])
SMALL: dict[str, Any] = {"frames": 60, "markers": 5}
RECORDING = "subject_01_session_1.csv"
SESSION = Path("D:") / "recordings" / "2025-07-11_session"


def document() -> str:
    data = os.environ.get("BATCHLAB_SHARED_DATA")
    folder = Path(data).parent if data else Path(__file__).parents[3] / "shared"
    path = folder / "spec" / "documents" / NAME
    if not path.is_file():
        pytest.skip(f"the document is not at {path}")
    return path.read_text(encoding="utf-8")


def blocks() -> list[str]:
    return _BLOCK.findall(document())


def changed(code: str) -> str:
    return _IMPORT.sub(r"\1from batchlab.compat.motion import ", code)


def free_names(code: str) -> set[str]:
    tree = ast.parse(code)
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            made |= {alias.asname or alias.name for alias in node.names}
        if isinstance(node, ast.FunctionDef):
            made |= {node.name, *(each.arg for each in node.args.args)}
        if isinstance(node, ast.ExceptHandler) and node.name:
            made.add(node.name)
    return {node.id for node in names if isinstance(node.ctx, ast.Load)} - made - set(dir(builtins))


def make_config(filepath: Path) -> RigidBodyConfig:
    """As the first example has it."""
    return RigidBodyConfig(
        input_path=filepath,
        output_dir=Path("batch_output") / filepath.stem,
        topology=TOPOLOGY,
        optimization=OptimizationConfig(max_iterations=300),
    )


def or_else(given: Callable[..., Any], elided: object) -> Callable[..., Any]:
    """A call that answers what it stands for where its only argument is three dots."""
    return lambda *args, **named: elided if args == (...,) else given(*args, **named)


def execute(number: int, patch: pytest.MonkeyPatch, **given: Any) -> dict[str, Any]:
    """Run a block; its names afterwards."""
    code = changed(blocks()[number])
    assert free_names(code) == set(COMPLETIONS[number])
    known = {"Path": Path, "make_config": make_config, "base_config": make_config(Path(RECORDING)), **given}
    space = {name: known[name] if name in known else getattr(ours, name) for name in COMPLETIONS[number]}
    if number in ELIDED:
        name = ELIDED[number]
        stand_in = or_else(getattr(ours, name), {"RigidBodyTopology": TOPOLOGY}.get(name, make_config(Path(RECORDING))))
        patch.setattr(ours, name, stand_in, raising=False)
        if name in space:
            space[name] = stand_in
    space["__name__"] = "document"
    exec(compile(code, f"{NAME}[{number}]", "exec", dont_inherit=True), space)
    return space


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the recordings that the document names, in which the blocks run one after the other."""
    folder = tmp_path_factory.mktemp("documented")
    write_recordings(folder, **SMALL)
    write_recordings(folder / "data", subjects=2, sessions=2, **SMALL)
    write_recordings(folder / "data" / "more", **SMALL)
    write_recordings(folder / SESSION / "morning", **SMALL)
    write_recordings(folder / SESSION, sessions=2, **SMALL)
    for number in (1, 2, 3):
        (folder / f"recording_{number:03d}.csv").write_bytes((folder / RECORDING).read_bytes())
    return folder


@pytest.fixture(autouse=True)
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place)
    return place


@pytest.fixture(scope="module")
def swept(place: Path) -> Iterator[dict[str, Any]]:
    """Names of the second example after its sweep."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        yield execute(1, patch)


def test_every_block_is_run_here():
    assert list(range(len(blocks()))) == list(COMPLETIONS)


def test_only_import_lines_are_changed():
    for old in blocks():
        for before, after in zip(old.splitlines(), changed(old).splitlines(), strict=True):
            assert before == after or before.lstrip().startswith("from ")


def test_calls_with_three_dots_are_those_listed():
    for number, code in enumerate(blocks()):
        dotted = {
            node.func.id
            for node in ast.walk(ast.parse(code))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and any(isinstance(each, ast.Constant) and each.value is ... for each in node.args)
        }
        assert dotted == ({ELIDED[number]} if number in ELIDED else set())


def test_files_are_fitted_each_to_its_folder(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    result: BatchResult = execute(0, monkeypatch)["result"]
    assert result.success_rate == 1.0
    names = [f"recording_{number:03d}" for number in (1, 2, 3)]
    assert [job.job_name for job in result.job_results] == names
    for name in names:
        assert (here / "batch_output" / name / "poses.csv").is_file()
    assert "3 of 3 jobs converged (100.0 %)" in capsys.readouterr().out
    # There the factory names the folders that jobs go to anyway.
    assert "output_dir" not in caplog.text


def test_the_grid_makes_27_jobs_and_the_best_are_in_it(swept: dict[str, Any]):
    assert swept["batch_config"].n_jobs == 27 and swept["result"].success_rate == 1.0
    grid, best = swept["parameter_grid"], swept["best_params"]
    assert set(best) == set(grid) and all(best[name] in grid[name] for name in grid)
    scores = {job.job_name: job.metric("held_out_mm") for job in swept["result"].job_results}
    assert len(scores) == 27 and all(score is not None and score > 0 for score in scores.values())


def test_a_folder_is_searched_below_too(here: Path, monkeypatch: pytest.MonkeyPatch):
    result: BatchResult = execute(2, monkeypatch)["result"]
    assert result.total_jobs == 5 and result.success_rate == 1.0
    # One name in two folders: two jobs, and two folders.
    assert len({job.output_dir for job in result.job_results}) == 5


def test_all_reports_are_written(here: Path, monkeypatch: pytest.MonkeyPatch, swept: dict[str, Any]):
    execute(3, monkeypatch, result=swept["result"])
    named = re.findall(r"^# - (reports/\S+)$", blocks()[3], re.MULTILINE)
    assert len(named) == 3
    for name in named:
        assert (here / name).stat().st_size > 0
    numbers = json.loads((here / "reports" / "batch_statistics.json").read_text(encoding="utf-8"))
    assert numbers["total_jobs"] == 27 and numbers["held_out_mm"]["n"] == 27
    page = (here / "reports" / "batch_report.html").read_text(encoding="utf-8")
    assert "sweep_0026" in page and "https://" not in page


def test_a_comparison_has_the_documented_columns(
    monkeypatch: pytest.MonkeyPatch, swept: dict[str, Any], capsys: pytest.CaptureFixture[str]
):
    comparison = execute(4, monkeypatch, result=swept["result"])["comparison"]
    shown = re.search(r"^# Shows: (.*)$", blocks()[4], re.MULTILINE)
    assert shown is not None
    names = shown[1].split(", ")
    assert len(names) == 5
    for name in names:
        assert len(comparison[name]) == 27 and None not in comparison[name]
    assert comparison["parameter_value"] == sorted(comparison["parameter_value"])
    assert len(capsys.readouterr().out.splitlines()) >= 28


def test_times_are_estimated(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    grid = {"weights.lambda_rot_smooth": [1.0, 2.0, 3.0, 4.0, 5.0]}
    config = create_parameter_sweep(make_config(Path("none.csv")), grid, "later")
    config.max_workers = 2
    estimate = execute(5, monkeypatch, batch_config=config)["estimate"]
    assert estimate["sequential_time_minutes"] == pytest.approx(10.0)
    assert estimate["parallel_time_minutes"] == pytest.approx(6.0)  # two, two and one
    assert "1.7x" in capsys.readouterr().out


@pytest.mark.parametrize("number", [6, 7])
def test_batches_are_made_by_hand(number: int, monkeypatch: pytest.MonkeyPatch):
    jobs = [BatchJobConfig(job_id=name, pipeline_config=make_config(Path(f"{name}.csv"))) for name in "ab"]
    config: BatchConfig = execute(number, monkeypatch, jobs=jobs)["batch_config"]
    assert config.n_jobs == 2 and config.continue_on_error
    if number == 6:
        assert config.n_workers == 8


def test_metadata_are_kept(monkeypatch: pytest.MonkeyPatch):
    job: BatchJobConfig = execute(8, monkeypatch, config=make_config(Path("none.csv")))["job"]
    assert set(job.metadata) == {"subject", "session", "condition", "experimenter"}


def test_all_recordings_of_a_session_are_fitted_once(here: Path, monkeypatch: pytest.MonkeyPatch):
    result: BatchResult = execute(9, monkeypatch)["result"]
    assert result.total_jobs == 3 and result.success_rate == 1.0
    assert (here / "D:" / "processed" / "2025-07-11" / "batch_report.html").is_file()


def test_the_best_weights_are_found_by_what_was_hidden(monkeypatch: pytest.MonkeyPatch):
    space = execute(10, monkeypatch)
    assert space["batch_config"].n_jobs == 27 and space["result"].success_rate == 1.0
    assert set(space["best_params"]) == set(space["parameter_grid"])


def test_subjects_are_grouped_and_fitted(here: Path, monkeypatch: pytest.MonkeyPatch):
    groups = execute(11, monkeypatch)["groups"]
    assert {name: len(files) for name, files in groups.items()} == {"subject_01": 2, "subject_02": 2}
    for subject in groups:
        for session in (1, 2):
            assert (here / "output" / subject / f"{subject}_session_{session}" / "poses.csv").is_file()


def test_the_verification_script_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    execute(12, monkeypatch)
    said = capsys.readouterr().out
    assert "with 2 jobs" in said and "failed" not in said
    # It names neither a file that is there nor three markers.
    assert not Path("test.csv").exists() and not Path("test_sweep").exists()


def test_every_component_that_is_listed_is_exported():
    text = document()
    classes = set(re.findall(r"^\*\*([A-Z][a-z]+[A-Z]\w+)\*\*:$", text, re.MULTILINE))
    functions = set(re.findall(r"^- `(\w+)\(\)`", text, re.MULTILINE))
    assert len(classes) == 8 and len(functions) == 8
    assert classes | functions <= set(ours.__all__)
    assert all(callable(getattr(ours, name)) for name in ours.__all__)
    with pytest.raises(AttributeError):
        _ = ours.nothing_of_this_name
