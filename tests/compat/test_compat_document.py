"""The document that this package follows, read where it lies: its code runs, its tables and lists hold.

Nothing of it is copied here. A block of code runs with its import lines changed and nothing else; a fragment, which
uses names that it does not define, gets them from `COMPLETIONS` and uses no other. `self` in one is a processor.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import inspect
import logging
import os
import re
import subprocess
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

import batchlab.compat.spectra as compat
from batchlab.compat.spectra import _outcome, _recognized

_BESIDE = Path(__file__).parents[3] / "shared"
_DOCUMENT = Path("spec", "documents", "spectra-batch-processing.md")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(r"^(from )utils\.\w+( import .*)$", re.MULTILINE)
_HOME = "batchlab.compat.spectra"

Files = tuple[Path, list[Path]]


def document() -> str:
    data = os.environ.get("BATCHLAB_SHARED_DATA")
    path = (Path(data).parent if data else _BESIDE) / _DOCUMENT
    if not path.is_file():
        pytest.skip(f"the document is not at {path}")
    return path.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return [code for name, code in _BLOCK.findall(document()) if name == language]


# What the fragments leave open: the number of the block among those in Python, and how each name is filled in.
COMPLETIONS: Mapping[int, Mapping[str, str]] = {
    0: {},
    1: {"OutputSettings": "the class", "BatchConfig": "the class"},
    2: {"batch_processor": "a processor", "sample_files": "three samples"},
    3: {"ProcessingProgress": "the class"},
    4: {"self": "a processor", "sample_file": "a sample"},
    5: {
        "self": "a processor",
        "parse_result": "the sample, parsed",
        "sample_data": "its data",
        "sample_file": "a sample",
    },
    6: {
        "self": "a processor",
        "baseline_data": "the baseline's data",
        "sample_data": "the sample's data",
        "baseline_name": "a name",
        "sample_name": "a name",
    },
    7: {},
}


def completion(name: str, files: Files) -> object:
    baseline, samples = files
    processor = compat.BatchProcessor()
    values: dict[str, Callable[[], object]] = {
        "OutputSettings": lambda: compat.OutputSettings,
        "BatchConfig": lambda: compat.BatchConfig,
        "ProcessingProgress": lambda: compat.ProcessingProgress,
        "self": lambda: processor,
        "batch_processor": lambda: processor,
        "sample_files": lambda: [str(each) for each in samples],
        "sample_file": lambda: str(samples[0]),
        "parse_result": lambda: processor.csv_parser.parse_file(samples[0]),
        "baseline_data": lambda: processor.csv_parser.parse_file(baseline).data,
        "sample_data": lambda: processor.csv_parser.parse_file(samples[0]).data,
        "baseline_name": lambda: baseline.stem,
        "sample_name": lambda: samples[0].stem,
    }
    return values[name]()


def free_names(code: str) -> set[str]:
    """Names that a block uses at its top level or in its functions and defines nowhere."""
    tree = compiled(code, tree=True)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    made = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            made |= {node.name, *(argument.arg for argument in node.args.args)}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            made |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
    return used - made - set(dir(builtins))


def compiled(code: str, *, tree: bool = False) -> Any:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | (ast.PyCF_ONLY_AST if tree else 0)
    return compile(code, "document", "exec", flags=flags)


def execute(number: int, files: Files, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run a block beside the files that it speaks of; its names afterwards."""
    code = blocks("python")[number]
    changed = _IMPORT.sub(rf"\g<1>{_HOME}\g<2>", code)
    assert all(
        old == new or (old.startswith("from utils.") and new.startswith(f"from {_HOME} import "))
        for old, new in zip(code.splitlines(), changed.splitlines(), strict=True)
    )
    assert free_names(changed) == set(COMPLETIONS[number])
    monkeypatch.chdir(files[0].parent)
    space: dict[str, Any] = {name: completion(name, files) for name in COMPLETIONS[number]}
    returned = types.FunctionType(compiled(changed), space)()
    if inspect.iscoroutine(returned):
        asyncio.run(returned)
    return space


def test_each_block_of_python_is_run_here():
    assert len(blocks("python")) == len(COMPLETIONS)
    assert set(COMPLETIONS) == set(range(8))


def test_the_basic_example_runs_as_it_stands(
    files: Files, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    execute(0, files, monkeypatch)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("Processed 3/3")
    assert lines[0].startswith("Progress: 0.0% - ") and any(line.startswith("Progress: 100.0% - ") for line in lines)
    made = sorted(path.name for path in (tmp_path / "batch_output").iterdir() if not path.name.startswith("."))
    assert made == sorted(
        ["baseline_normalized.csv"]
        + [f"sample{i}{end}" for i in (1, 2, 3) for end in ("_vs_baseline.png", "_normalized.csv")]
    )


def test_the_advanced_configuration_is_one(files: Files, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    space = execute(1, files, monkeypatch)
    output, config = space["output_settings"], space["config"]
    assert isinstance(output, compat.OutputSettings) and isinstance(config, compat.BatchConfig)
    result = asyncio.run(
        compat.BatchProcessor().process_spectral_batch("baseline.csv", ["sample1.csv"], output, config=config)
    )
    assert result.successful == 1
    assert Path(result.output_files[0]).read_bytes()[16:20] == (10 * output.dpi).to_bytes(4, "big")
    assert Path(result.output_files[0]).name == "sample1_vs_baseline_publication.png"


def test_the_validation_runs(files: Files, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    space = execute(2, files, monkeypatch)
    assert isinstance(space["validation_result"], compat.FileValidationResult)
    numbers = [line.rsplit(": ", 1)[1].split()[0] for line in capsys.readouterr().out.splitlines()]
    assert numbers[:2] == ["4", "0"] and float(numbers[2]) >= 0


def test_the_progress_callback_is_one(
    files: Files, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    callback = execute(3, files, monkeypatch)["progress_callback"]
    output = compat.OutputSettings(output_dir=tmp_path / "out", dpi=50)
    asyncio.run(compat.BatchProcessor().process_spectral_batch(files[0], files[1], output, callback))
    told = capsys.readouterr().out.splitlines()
    assert len(told) % 6 == 0 and told[-6:-4] == ["Stage: cleanup", "Progress: 100.0%"]
    assert told[-2:] == ["Files completed: 3/3", "Errors: 0"]


def test_the_parser_is_part_of_it(files: Files, monkeypatch: pytest.MonkeyPatch):
    space = execute(4, files, monkeypatch)
    assert len(space["sample_data"]) == 300


@pytest.mark.parametrize("sure", [True, False])
def test_the_normalizer_is_part_of_it(
    files: Files, unsure: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, sure: bool
):
    baseline, samples = files
    space = execute(5, (baseline, samples if sure else [unsure("unsure.txt")]), monkeypatch)
    assert ("normalization_result" in space) is not sure
    if not sure:
        assert space["normalization_result"].success and len(space["normalization_result"].data) == 200


def test_the_graph_generator_is_part_of_it(files: Files, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    figure = execute(6, files, monkeypatch)["fig"]
    figure.savefig(tmp_path / "graph.png", dpi=50)
    assert (tmp_path / "graph.png").read_bytes()[:4] == b"\x89PNG"


def test_debug_logging_tells_more(
    files: Files, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
):
    root = logging.getLogger()
    level = root.level
    try:
        execute(7, files, monkeypatch)
        root.setLevel(logging.DEBUG)  # the test run has handlers already, so the call changes nothing of its own
        output = compat.OutputSettings(output_dir=tmp_path / "out", dpi=50)
        asyncio.run(compat.BatchProcessor().process_spectral_batch(files[0], files[1][:1], output))
    finally:
        root.setLevel(level)
    assert any(record.name.startswith("batchlab") for record in caplog.records)


HOMES = {"test_batch_processing.py": "tests/compat", "batch_processing_example.py": "examples"}


def test_the_scripts_it_names_are_there():
    (shell,) = blocks("bash")
    assert set(re.findall(r"^python (\S+)$", shell, re.MULTILINE)) == set(HOMES)


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        # One test of them, since all are in this run already.
        ("test_batch_processing.py", {"PYTEST_ADDOPTS": "-k nothing_to_cancel -p no:cacheprovider"}, "1 passed"),
        ("batch_processing_example.py", {}, "4 of 5 files compared"),
    ],
)
def test_the_scripts_it_names_run_without_a_word_more(name: str, words: dict[str, str], said: str, tmp_path: Path):
    script = Path(__file__).parents[2] / HOMES[name] / name
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        cwd=tmp_path,
        env={**os.environ, **words},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert said in done.stdout


# tables and lists


def section(heading: str, level: int) -> str:
    mark = "#" * level
    found = re.search(rf"^{mark} {heading}\n(.*?)(?=^#{{1,{level}}} |\Z)", document(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", ["OutputSettings", "BatchConfig"])
def test_defaults_are_those_of_its_tables(name: str):
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \|", section(name, 3), re.MULTILINE)
    declared = {each.name: each.default for each in fields(getattr(compat, name))}
    assert [row[0] for row in rows] == list(declared)
    for field, kind, default in rows:
        if default == "Required":
            assert declared[field] is MISSING
        else:
            assert declared[field] == ast.literal_eval(default)
            assert type(ast.literal_eval(default)).__name__ == kind


def test_stages_are_those_it_lists():
    listed = re.findall(r"^\d+\. \*\*(\w+)\*\*", section("Processing Stages", 3), re.MULTILINE)
    assert [stage.name for stage in compat.ProcessingStage] == listed
    assert [stage.value for stage in compat.ProcessingStage] == [name.lower() for name in listed]


@pytest.mark.parametrize(
    ("name", "owner"), [("BatchProcessor", compat.BatchProcessor), ("FileManager", compat.FileManager)]
)
def test_methods_are_those_it_lists(name: str, owner: type):
    listed = re.findall(r"^- `(\w+)\(\)`", section(f"{name} Methods", 3), re.MULTILINE)
    assert listed and all(callable(getattr(owner, each, None)) for each in listed)


def test_messages_are_those_it_explains():
    listed = re.findall(r'^\*\*Issue\*\*: "(.*)"', section("Common Issues", 3), re.MULTILINE)
    ours = {_outcome.MEMORY, _outcome.VALIDATION, _outcome.WRITABLE, _recognized.AI_FAILED}
    assert set(listed) == ours and len(listed) == 4


def test_classes_are_those_it_names():
    data = re.findall(r"^   - `(\w+)`: ", document(), re.MULTILINE)
    assert len(data) == 4 and all(hasattr(compat, name) for name in data)


# the example


def test_the_example_runs(tmp_path: Path):
    script = Path(__file__).parents[2] / "examples" / "batch_processing_example.py"
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script), str(tmp_path / "here")],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "4 of 5 files compared" in done.stdout
    assert "File validation failed: broken.csv" in done.stdout
    pictures = sorted(path.name for path in (tmp_path / "here" / "comparisons").glob("*.png"))
    assert pictures == [f"sample_{i}_vs_baseline.png" for i in (1, 2, 3, 4)]
