"""The two documents that this package follows, read where they lie: their code runs, their commands are accepted.

Nothing of them is copied here. A block of Python runs with its import lines changed, and `pl.count`, `with_row_count`
written as the tables call them today. A fragment gets the names that it does not define from `COMPLETIONS` and uses no
other; where it is no whole program, `FRAMES` says what is put before it or in the place of a comment or an ellipsis.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import inspect
import logging
import multiprocessing
import os
import re
import shlex
import shutil
import subprocess
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Optional
from unittest import mock

import polars as pl
import pytest
import yaml

from batchlab.compat.devices import batch, data_cache, metric_pipeline, plugin_system, program
from batchlab.compat.devices.metric_pipeline import DerivedMetric, MetricPipeline
from batchlab.devices._stage import stage
from batchlab.devices._store import Store
from batchlab.devices._synthetic import write_lab
from batchlab.devices.metrics import extract_pairs

PLOTS, METRICS = "devices-batch-plotting.md", "devices-derived-metrics.md"
EXAMPLES = Path(__file__).parents[2] / "examples"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HOME = "batchlab.compat.devices"
_HOMES = {
    "src.core.data_cache": f"{_HOME}.data_cache",
    "data_cache": f"{_HOME}.data_cache",
    "src.plotting.batch": f"{_HOME}.batch",
    "batch_plot": f"{_HOME}.batch",
    "src.cli.plugin_system": f"{_HOME}.plugin_system",
    "src.cli.commands.batch_plot": f"{_HOME}.batch_plot",
    "src.derived.constants": f"{_HOME}.constants",
    "src.derived.metric_pipeline": f"{_HOME}.metric_pipeline",
}
_IMPORT = re.compile(r"""^((?:python3 -c ["'])?from )([\w.]+)( import )""", re.MULTILINE)
_TODAY = {"pl.count(": "pl.len(", ".with_row_count(": ".with_row_index("}


def document(name: str) -> str:
    data = os.environ.get("BATCHLAB_SHARED_DATA")
    folder = Path(data).parent if data else Path(__file__).parents[3] / "shared"
    path = folder / "spec" / "documents" / name
    if not path.is_file():
        pytest.skip(f"the document is not at {path}")
    return path.read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    return [code for found, code in _BLOCK.findall(document(name)) if found == language]


# Python

EXECUTOR = """\
        for task in pair_tasks:
            metrics.extend(executor.submit(_extract_pair_task, *task, self.extraction_version).result())
"""
# By document and number of the block among those in Python: the names that it leaves open.
COMPLETIONS: Mapping[tuple[str, int], tuple[str, ...]] = {
    (PLOTS, 0): (),
    (PLOTS, 1): (),
    (PLOTS, 2): ("dataclass", "Any"),
    (PLOTS, 3): ("Path", "PlotSpec"),
    (PLOTS, 4): ("pl",),
    (PLOTS, 5): ("PlotSpec", "PlotResult"),
    (PLOTS, 6): ("PlotResult",),
    (PLOTS, 7): ("pl", "PlotConfig"),
    (PLOTS, 8): ("Path", "Optional"),
    (PLOTS, 9): (),
    (PLOTS, 10): (),
    (PLOTS, 11): ("spec", "df", "pl", "plot_your_feature", "base_dir", "tag", "config"),
    (PLOTS, 12): (),
    (METRICS, 0): (
        "pl", "List", "DerivedMetric", "logger", "multiprocessing", "ProcessPoolExecutor", "as_completed",
        "_extract_pair_task", "len",
    ),
    (METRICS, 1): (),
    (METRICS, 2): ("pl", "List", "DerivedMetric", "logger", "all_pair_tasks"),
    (METRICS, 3): (),
    (METRICS, 4): ("r_max", "r_min", "result"),
    (METRICS, 5): ("self", "metadata", "logger", "logging"),
    (METRICS, 6): (
        "pl", "List", "Tuple", "DerivedMetric", "logger", "multiprocessing", "ProcessPoolExecutor",
        "_extract_pair_task", "collect",
    ),
    (METRICS, 7): ("ProcessPoolExecutor", "patch", "times", "run_ids"),
    (METRICS, 8): (),
}  # fmt: skip
# What stands in a block, and what is read in its place; the empty text is the block's beginning.
FRAMES: Mapping[tuple[str, int], tuple[tuple[str, str], ...]] = {
    (PLOTS, 11): (("", "if False:\n    pass\n"),),
    (METRICS, 1): (("", "def deleted(logger, metrics):\n"),),
    (METRICS, 4): (
        (" < MIN_RESISTANCE_MODULATION:\n", " < MIN_RESISTANCE_MODULATION:\n    flat = 1\n"),
        ("CNP_VOLTAGE_RANGE[1]):\n", "CNP_VOLTAGE_RANGE[1]):\n    outside = 1\n"),
    ),
    (METRICS, 6): (
        ("# ... existing code to collect all_pair_tasks ...", "all_pair_tasks, metrics = collect(self, manifest), []"),
        ("        # ... existing executor code ...\n", EXECUTOR),
    ),
    (METRICS, 7): (('"start_time_utc": [...]', '"start_time_utc": times'), ('"run_id": [...]', '"run_id": run_ids')),
}  # fmt: skip


def prepared(name: str, number: int) -> str:
    """A block with its imports changed, in the words of today, framed."""
    code = blocks(name, "python")[number]
    changed = changed_imports(code)
    for old, new in _TODAY.items():
        changed = changed.replace(old, new)
    for old, new in FRAMES.get((name, number), ()):
        assert old in changed
        changed = changed.replace(old, new, 1) if old else new + changed
    assert free_names(changed) == set(COMPLETIONS[name, number])
    return changed


def changed_imports(code: str) -> str:
    return _IMPORT.sub(lambda m: f"{m[1]}{_HOMES.get(m[2], m[2])}{m[3]}", code)


def free_names(code: str) -> set[str]:
    tree = ast.parse(code)
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    used = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            made |= {node.name, *(each.arg for each in node.args.args)}
            made |= {each.arg for each in (node.args.vararg, node.args.kwarg) if each is not None}
        elif isinstance(node, ast.ClassDef | ast.ExceptHandler):
            made |= {node.name} if node.name else set()
        elif isinstance(node, ast.Import | ast.ImportFrom):
            made |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
    # `len` of groups is the one built-in that a block needs otherwise than it is.
    counted = {"len"} if "len(grouped)" in code else set()
    return (used - made - set(dir(builtins))) | counted


def execute(name: str, number: int, **given: Any) -> dict[str, Any]:
    """Run a block; its names afterwards."""
    assert set(given) == set(COMPLETIONS[name, number])
    space: dict[str, Any] = {"__name__": "document", **given}
    # What a document annotates with names of its own is looked up when it is asked for.
    exec(compile(prepared(name, number), f"{name}[{number}]", "exec", dont_inherit=True), space)
    return space


def count(groups: Any) -> int:
    """`len` that knows groups of rows."""
    return sum(1 for _ in groups) if isinstance(groups, pl.dataframe.group_by.GroupBy) else len(groups)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``data``, staged, the examples' ``config`` and the documented script; only read it."""
    place = tmp_path_factory.mktemp("documented")
    stage(write_lab(place, chips=3, runs=50, interval_s=0.4).raw_root, place / "data" / "02_stage")
    (place / "config").symlink_to(EXAMPLES / "config")
    (place / "process_and_analyze.py").symlink_to(EXAMPLES / "process_and_analyze.py")
    return place


@pytest.fixture(autouse=True)
def _given_back() -> Iterator[None]:
    commands = dict(plugin_system._registered)
    yield
    data_cache.disable_parquet_caching()
    data_cache.clear_cache()
    plugin_system._registered.clear()
    plugin_system._registered.update(commands)


def sweeps(folder: Path, **chips: int) -> pl.DataFrame:
    """First sweeps of some chips in the columns that the document names."""
    table = Store(folder / "data" / "02_stage").table.filter(pl.col("proc") == "IVg").sort("start_time_utc")
    wanted = {int(chip.removeprefix("chip")): number for chip, number in chips.items()}
    return pl.concat(table.filter(pl.col("chip_number") == chip).head(number) for chip, number in wanted.items())


def ordered(metrics: list[DerivedMetric]) -> list[tuple[Any, ...]]:
    """Values that do not depend on what lay between."""
    return sorted((each.run_id, each.metric_name, each.value_float, each.confidence) for each in metrics)


def test_every_block_of_python_is_run_here():
    assert {(name, k) for name in (PLOTS, METRICS) for k in range(len(blocks(name, "python")))} == set(COMPLETIONS)


def test_only_imports_and_two_old_words_are_changed():
    for name in (PLOTS, METRICS):
        for old in blocks(name, "python"):
            for before, after in zip(old.splitlines(), changed_imports(old).splitlines(), strict=True):
                assert before == after or re.match(r"from [\w.]+ import ", before)


def test_the_cache_is_used_as_shown():
    stats = execute(PLOTS, 0)["stats"]
    assert list(stats) == ["size", "maxsize", "hits", "misses", "hit_rate", "hit_rate_pct"]
    assert execute(PLOTS, 1)["cache"].maxsize == 200


def test_the_data_classes_have_those_fields():
    shown = execute(PLOTS, 2, dataclass=dataclasses.dataclass, Any=Any)
    for name in ("PlotSpec", "PlotResult"):
        theirs = [each.name for each in dataclasses.fields(shown[name])]
        assert [each.name for each in dataclasses.fields(getattr(batch, name))][: len(theirs)] == theirs


@pytest.mark.parametrize("number", [3, 4, 5, 6])
def test_the_functions_take_those_arguments(number: int):
    known = {"Path": Path, "pl": pl, "PlotSpec": batch.PlotSpec, "PlotResult": batch.PlotResult}
    shown = execute(PLOTS, number, **{name: known[name] for name in COMPLETIONS[PLOTS, number]})
    functions = {name: each for name, each in shown.items() if isinstance(each, types.FunctionType)}
    assert functions
    for name, each in functions.items():
        assert list(inspect.signature(getattr(batch, name)).parameters) == list(inspect.signature(each).parameters)


def test_the_state_of_the_module_is_as_shown():
    shown = execute(PLOTS, 7, pl=pl, PlotConfig=batch.PlotConfig)
    assert shown["_cached_histories"] == {} and shown["_plot_config"] is None
    assert isinstance(batch._cached_histories, dict) and hasattr(batch, "_plot_config")


def test_a_command_is_registered_by_the_decorator(capsys: pytest.CaptureFixture[str]):
    shown = execute(PLOTS, 8, Path=Path, Optional=Optional)
    found = plugin_system.registered()["batch-plot"]
    assert (found.function, found.group) == (shown["batch_plot_command"], "plotting")
    assert [(each.name, type(each).__name__) for each in found.command.params] == [
        ("config_file", "Argument"),
        ("parallel", "Option"),
        ("dry_run", "Option"),
        ("verbose", "Option"),
    ]
    assert program.main(["batch-plot", "some.yaml", "--parallel", "4", "--dry-run"]) == 0
    assert program.main(["batch-plot"]) == 2
    assert "Missing argument 'CONFIG_FILE'" in capsys.readouterr().err


@pytest.mark.parametrize("number", [9, 10])
def test_old_and_new_imports_are_found(number: int):
    shown = execute(PLOTS, number)
    assert shown["load_batch_config"] is batch.load_batch_config
    assert shown["cache_stats"] is data_cache.cache_stats


def test_the_handler_of_a_new_plot_runs():
    calls: list[Any] = []
    rows = pl.DataFrame({"proc": ["YourProc", "It"]})
    execute(
        PLOTS,
        11,
        spec=batch.PlotSpec("plot-your-feature", 67, 2),
        df=rows,
        pl=pl,
        plot_your_feature=lambda *words, config: calls.append((words[0].height, *words[1:], config)),
        base_dir="base",
        tag="tag",
        config="config",
    )
    assert calls == [(1, "base", "tag", "config")]


def test_caching_is_said_to_be_there(capsys: pytest.CaptureFixture[str]):
    execute(PLOTS, 12)
    assert capsys.readouterr().out == "Caching available: True\n"
    assert pl.read_parquet is data_cache._cached_polars


def document_pairs(folder: Path) -> tuple[Callable[..., Any], MetricPipeline]:
    shown = execute(
        METRICS,
        0,
        pl=pl,
        List=list,
        DerivedMetric=DerivedMetric,
        logger=logging.getLogger("document"),
        multiprocessing=multiprocessing,
        ProcessPoolExecutor=ProcessPoolExecutor,
        as_completed=as_completed,
        _extract_pair_task=metric_pipeline._extract_pair_task,
        len=count,
    )
    return shown["_extract_pairwise_metrics"], MetricPipeline(base_dir=folder, max_workers=1)


def test_pairs_as_the_document_extracts_them_have_our_values(folder: Path, caplog: pytest.LogCaptureFixture):
    theirs, pipeline = document_pairs(folder)
    manifest = sweeps(folder, chip67=6, chip81=3)
    with caplog.at_level(logging.INFO):
        found, own = theirs(pipeline, manifest), pipeline._extract_pairwise_metrics(manifest)
    assert found and ordered(found) == ordered(own)
    progress = [r.message for r in caplog.records if r.name == "document" and "progress" in r.message]
    ours = [r.message for r in caplog.records if r.name != "document" and "progress" in r.message]
    assert progress and progress == ours


def test_time_is_told_as_shown(folder: Path, caplog: pytest.LogCaptureFixture):
    shown = execute(
        METRICS,
        2,
        pl=pl,
        List=list,
        DerivedMetric=DerivedMetric,
        logger=logging.getLogger("document"),
        all_pair_tasks=[1, 2],
    )
    with caplog.at_level(logging.INFO):
        assert shown["_extract_pairwise_metrics"](MetricPipeline(base_dir=folder), sweeps(folder, chip67=2)) == []
    assert caplog.records[0].message.startswith("Pairwise extraction completed in ")


def test_constants_are_those():
    from batchlab.compat.devices import constants

    shown = {name: value for name, value in execute(METRICS, 3).items() if name.isupper()}
    assert len(shown) == 9
    assert {name: getattr(constants, name) for name in shown} == shown


def test_constants_are_imported_as_shown():
    shown = execute(METRICS, 4, r_max=3.0, r_min=2.0, result=types.SimpleNamespace(value_float=20.0))
    assert (shown.get("flat"), shown.get("outside")) == (1, 1)
    shown = execute(METRICS, 4, r_max=5.0, r_min=2.0, result=types.SimpleNamespace(value_float=2.0))
    assert (shown.get("flat"), shown.get("outside")) == (None, None)


def test_debug_text_is_made_where_it_is_wanted(caplog: pytest.LogCaptureFixture):
    (extractor,) = MetricPipeline().pairwise_extractors
    logger = logging.getLogger("document.debug")
    for level, lines in ((logging.DEBUG, 2), (logging.INFO, 0)):
        caplog.clear()
        with caplog.at_level(level, logger=logger.name):
            execute(METRICS, 5, self=extractor, metadata={"run_id": "ab"}, logger=logger, logging=logging)
        assert len(caplog.records) == lines


def test_batches_as_the_document_makes_them_have_our_values(folder: Path):
    manifest = sweeps(folder, chip67=3)
    for pairs_times in (1, 251):
        shown = execute(
            METRICS,
            6,
            pl=pl,
            List=list,
            Tuple=tuple,
            DerivedMetric=DerivedMetric,
            logger=logging.getLogger("document"),
            multiprocessing=multiprocessing,
            ProcessPoolExecutor=ProcessPoolExecutor,
            _extract_pair_task=metric_pipeline._extract_pair_task,
            collect=lambda self, table, times=pairs_times: self._collect(table) * times,
        )
        pipeline = MetricPipeline(base_dir=folder, max_workers=1)
        found = _with(shown["_process_pair_batch"], pipeline, shown["_extract_pairwise_metrics"], manifest)
        assert ordered(found) == sorted(ordered(pipeline._extract_pairwise_metrics(manifest)) * pairs_times)


def _with(method: Any, pipeline: MetricPipeline, call: Any, manifest: pl.DataFrame) -> Any:
    """Call the document's function on a pipeline that has its method."""
    with mock.patch.object(MetricPipeline, "_process_pair_batch", method):
        return call(pipeline, manifest)


def test_the_documents_own_tests_hold(folder: Path, caplog: pytest.LogCaptureFixture):
    few = sweeps(folder, chip67=3, chip81=2)

    def patch(target: str, new: Any) -> Any:
        module, _, name = target.rpartition(".")
        return mock.patch(f"{_HOMES[module]}.{name}", new)

    shown = execute(
        METRICS,
        7,
        ProcessPoolExecutor=ProcessPoolExecutor,
        patch=patch,
        times=few["start_time_utc"].to_list(),
        run_ids=few["run_id"].to_list(),
    )
    assert sorted(name for name in shown if name.startswith("test_")) == [
        "test_pairwise_correctness",
        "test_single_pool_pairwise_extraction",
    ]
    # Its folder holds the runs, so that pairs are worked on and not only counted.
    shown["test_single_pool_pairwise_extraction"](folder)
    assert "Pair processing failed" not in caplog.text
    shown["test_pairwise_correctness"](folder)


def test_pairwise_correctness(folder: Path):
    """What the document leaves open: the same rows as without any pool, on all chips."""
    store = Store(folder / "data" / "02_stage")
    alone, _ = extract_pairs(store.runs())
    assert ordered(MetricPipeline(base_dir=folder)._extract_pairwise_metrics(store.manifest())) == ordered(alone)


def test_the_notes_are_a_docstring():
    told = ast.get_docstring(ast.parse(prepared(METRICS, 8)))
    assert told is not None and "single process pool" in told


def test_what_is_to_be_deleted_is_nowhere(caplog: pytest.LogCaptureFixture):
    shown = execute(METRICS, 1)
    with caplog.at_level(logging.INFO):
        assert shown["deleted"](logging.getLogger("document"), [1]) == [1]
    (line,) = caplog.messages
    assert line.partition(" 1 ")[0] + " %d pairwise metrics" not in inspect.getsource(metric_pipeline)


# YAML


def test_every_batch_file_is_read(tmp_path: Path):
    found = blocks(PLOTS, "yaml")
    assert len(found) == 3
    top = {"chip": 67}
    for number, text in enumerate(found):
        if number == 1:  # one key four times: an entry for each
            seqs = [yaml.safe_load(line)["seq"] for line in text.splitlines() if line.startswith("seq:")]
            whole: Any = {
                **top,
                "plots": [{"type": "plot-its", "seq": seq, "tag": f"t{k}"} for k, seq in enumerate(seqs)],
            }
        else:
            whole = {**top, **yaml.safe_load(text)}
        path = tmp_path / f"{number}.yaml"
        path.write_text(yaml.safe_dump(whole))
        chip, group, specs = batch.load_batch_config(path)
        assert (chip, group, len(specs)) == (67, "Alisson", len(whole["plots"]))


# printouts


def test_statistics_are_printed_as_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (shown,) = (text for text in blocks(PLOTS, "") if "Data Cache Statistics" in text)
    for number in range(52):
        path = tmp_path / f"{number}.parquet"
        pl.DataFrame({"a": [number]}).write_parquet(path)
        for _ in range(2 if number < 49 else 1):
            data_cache.cached_read_parquet(path)
    data_cache.print_cache_stats()
    said = capsys.readouterr().out
    assert re.sub(r"~[\d.]+s", "~s", said) == re.sub(r"~[\d.]+s", "~s", shown)


# commands

_OURS = re.compile(r"python3? process_and_analyze\.py (\S.*)")
_INLINE = re.compile(r'python3 -c "(.*?)(?<!\\)"$', re.MULTILINE | re.DOTALL)
_SCRIPT = re.compile(r"cat > (\S+) << 'EOF'\n(.*?)^EOF$", re.MULTILINE | re.DOTALL)


def commands(name: str) -> list[tuple[str, ...]]:
    """The words of every command line of a document, each once; their output goes where ours goes."""
    lines = "\n".join(blocks(name, "bash")).replace("\\\n", " ").splitlines()
    found = (_OURS.search(line) for line in lines if not line.startswith("Usage"))
    return list(dict.fromkeys(tuple(shlex.split(re.split(r" (?:\||>|2>)", each[1])[0])) for each in found if each))


# Lines of other programs, of the reader's own project, or of the script that the document itself takes away.
_OTHERS = (
    *("git ", "source ", "ls ", "ruff ", "black ", "pytest ", "grep ", "for i in ", "done", "echo ", "time bash "),
    *("python3 -m pytest tests/", "python3 tests/benchmark_pairwise.py", "python batch_plot.py "),
)
_RUN = ("python3 process_and", "time python3 process_and", "$ python3 process_and", "--procedures ", "--verbose 2>&1")
_OPTIONS = ("--parallel,", "--dry-run,", "--verbose,", "--help ")
_HELP = ("Usage:", "Execute batch", "Arguments:", "CONFIG_FILE", "Options:", *_OPTIONS)


def test_no_line_of_a_shell_is_overlooked():
    for name in (PLOTS, METRICS):
        for block in blocks(name, "bash"):
            left = re.sub(r'git commit -m "[^"]*"', "git commit", _INLINE.sub("", _SCRIPT.sub("", block)))
            lines = [line.strip() for line in left.splitlines() if line.strip() and not line.startswith("#")]
            assert [line for line in lines if not line.startswith((*_OTHERS, *_RUN, *_HELP))] == []


@pytest.fixture(scope="module")
def place(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of its own in which commands write, with metrics; ``python3`` there is this Python."""
    here = tmp_path_factory.mktemp("place")
    shutil.copytree(folder / "data" / "02_stage", here / "data" / "02_stage")
    for name in ("config", "process_and_analyze.py"):
        (here / name).symlink_to(folder / name)
    (here / "bin").mkdir()
    python = here / "bin" / "python3"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    for words in (["build-all-histories"], ["derive-all-metrics", "--chip", "67,81", "--enrich"]):
        done = ran(here, "python3", "process_and_analyze.py", *words)
        assert done.returncode == 0, done.stderr
    return here


def ran(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    source = str(Path(batch.__file__).parents[3])
    paths = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), source)))
    path = os.pathsep.join((str(place / "bin"), os.environ["PATH"]))
    env = {**os.environ, "PYTHONPATH": paths, "PATH": path, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=110, cwd=place, env=env)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [(PLOTS, 6), (METRICS, 4)])
def test_every_command_line_runs(name: str, least: int, place: Path):
    found = commands(name)
    assert len(found) >= least
    for words in found:
        done = ran(place, "python3", "process_and_analyze.py", *words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        if "--dry-run" in words and words[0] == "batch-plot":
            assert "DRY RUN - Plots that would be generated:" in done.stdout
        if words == ("list-plugins",):
            assert re.search(r"^batch-plot +plotting$", done.stdout, re.MULTILINE)
        if words[0] == "batch-plot" and words[-1].endswith("test_config.yaml"):
            assert "✓ Loaded 5 plot specifications for Alisson67" in done.stdout
        if "--verbose" in words and "IVg,VVg,It" in words:
            assert "Pairwise extraction progress: " in done.stderr + done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "6"])
def test_the_advised_numbers_of_workers_are_taken(workers: str, place: Path):
    assert f"`--workers {workers}`" in document(METRICS)
    done = ran(place, "python3", "process_and_analyze.py", "derive-all-metrics", "--workers", workers, "--dry-run")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_every_line_of_python_among_the_commands_runs(place: Path):
    found = [
        code.replace('\\"', '"')
        for name in (PLOTS, METRICS)
        for b in blocks(name, "bash")
        for code in _INLINE.findall(b)
    ]
    assert len(found) == 4
    for code in found:
        changed = changed_imports(code)
        for old, new in _TODAY.items():
            changed = changed.replace(old, new)
        done = ran(place, "python3", "-W", "error", "-c", changed)
        assert done.returncode == 0, done.stderr
        assert re.search(r"✓ OK|Pairwise metrics: [1-9]", done.stdout)


@pytest.mark.slow
def test_the_benchmark_of_pairs_runs(place: Path):
    (script,) = (found for block in blocks(METRICS, "bash") for found in _SCRIPT.findall(block))
    (place / "benchmark_pairwise.py").write_text(script[1])
    done = ran(place, "python3", "benchmark_pairwise.py")
    assert done.returncode == 0, done.stderr
    assert "Run 3/3..." in done.stdout and re.search(r"^Mean: \d+\.\d\ds$", done.stdout, re.MULTILINE)


def test_guides_and_tests_have_the_documents_names():
    root = Path(__file__).parents[2]
    named = set(re.findall(r"\b(?:docs|tests|config)/[\w/]+\.(?:md|py|yaml)", document(PLOTS) + document(METRICS)))
    named -= {"tests/benchmark_pairwise.py"}  # what the document's own lines write
    places = {"docs": root / "docs", "tests": root / "tests" / "compat", "config": root / "examples" / "config"}
    assert len(named) >= 8
    assert [
        name for name in sorted(named) if not (places[name.partition("/")[0]] / name.partition("/")[2]).exists()
    ] == []
