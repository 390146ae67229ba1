"""Plots as jobs: what they depend on, what they write, and that order and workers change nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from plot_bench import Bench, call, enrich_all, make_bench, quiet_state

from batchlab.batchfile import load
from batchlab.devices._batch_plots import load_batch_plots
from batchlab.devices._enrich import enrich, write_enriched
from batchlab.devices._history import histories
from batchlab.devices._model import Chip
from batchlab.devices._plot_batch import PlotBatch, plot_batch
from batchlab.devices._stage import stage
from batchlab.devices._store import Store
from batchlab.devices._synthetic import Lab
from batchlab.devices.tasks import PlotParams
from batchlab.engine import Settings, Verdict, find_task, plan, run
from batchlab.errors import DataError
from batchlab.figures import picture_facts, read_provenance

FEW = """
chip: 67
style: {format: png, dpi: 72}
plots:
  - {type: plot-its, seq: 4-7, tag: its}
  - {type: plot-its, seq: 4-7, tag: gates, legend_by: vg, data: true}
  - {type: plot-ivg, seq: [2, 8], tag: sweeps}
  - {type: plot-its-suite, seq: 10-13, tag: suite, data: true}
  - {type: plot-cnp-time, procedure: IVg, tag: cnp}
"""


@pytest.fixture(scope="module", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with quiet_state(tmp_path_factory.mktemp("state")):
        yield


@pytest.fixture(scope="module")
def staged(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Read it only; `bench` is a copy to write to."""
    return make_bench(lab, tmp_path_factory.mktemp("staged") / "a")


@pytest.fixture
def bench(staged: Bench, tmp_path: Path) -> Bench:
    return staged.copy(tmp_path / "b")


def batch_of(bench: Bench, text: str = FEW, *, workers: int = 1) -> PlotBatch:
    found = load_batch_plots(bench.file(text))
    made = plot_batch(
        found.specs,
        base_dir=bench.data,
        output=bench.figs,
        plugins=found.plugins,
        settings=Settings(workers=workers),
        file=found.source,
    )
    made.settle()
    return made


def verdicts(plots: PlotBatch) -> dict[str, tuple[Verdict, str]]:
    planned = plan(plots.batch).jobs
    return {each.spec.tag: (job.verdict, job.reason) for each, job in zip(plots.plots, planned, strict=True)}


def contents(bench: Bench) -> dict[str, bytes]:
    files = (path for path in bench.figs.rglob("*") if path.is_file() and ".batchlab" not in path.parts)
    return {path.relative_to(bench.figs).as_posix(): path.read_bytes() for path in files}


def test_a_batch_draws_every_picture_where_it_belongs_and_its_numbers(bench: Bench) -> None:
    assert run(batch_of(bench).batch).exit_code == 0
    made = contents(bench)
    assert set(made) == {
        "Alisson67/It/Light_It/Alisson67_It_its.png",
        "Alisson67/It/Light_It/Alisson67_It_gates.png",
        "Alisson67/It/Light_It/Alisson67_It_gates.csv",
        "Alisson67/IVg/Dark_IVg/Alisson67_IVg_sweeps.png",
        *(
            f"Alisson67/It/Light_It/Alisson67_{kind}_suite.{ending}"
            for kind in ("It", "It_sequential", "It_response_power")
            for ending in ("png", "csv")
        ),
        "Alisson67/CNP/Alisson67_CNP_cnp.png",
    }
    for job in bench.view.jobs:
        assert job.metrics["pictures"] == sum(output.name.startswith("figure") for output in job.outputs)
        assert job.thumbnail is not None
    assert made["Alisson67/It/Light_It/Alisson67_It_gates.csv"].startswith(b"run_id,seq,")


def test_pictures_tell_how_they_came_about(bench: Bench) -> None:
    run(batch_of(bench).batch)
    path = bench.only("Alisson67_It_its.png")
    told = read_provenance(path)
    assert told["task"] == "devices.plot"
    runs = json.loads(told["params"])["runs"]
    assert [each["seq"] for each in runs] == [4, 5, 6, 7]
    store = Store(bench.store)
    assert all(each["run_id"] in store for each in runs)
    assert not picture_facts(path).blank


def test_workers_change_no_byte(bench: Bench, tmp_path: Path) -> None:
    other = bench.copy(tmp_path / "other")
    run(batch_of(bench, workers=1).batch)
    run(batch_of(other, workers=2).batch)
    one, two = contents(bench), contents(other)
    assert len(one) == 11
    assert one == two


def test_a_worker_opens_the_store_once(bench: Bench) -> None:
    # What was written within the last two seconds is read anew each time, and plots may take less.
    os.utime(bench.store / "manifest.parquet", (1.7e9, 1.7e9))
    plots = batch_of(bench)
    run(plots.batch)
    cache = bench.view.runs[-1].cache
    assert cache["misses"] == 1
    assert cache["hits"] == len(plots.plots) - 1


def test_what_is_done_stays_done_wherever_it_is_moved(bench: Bench, tmp_path: Path) -> None:
    run(batch_of(bench).batch)
    moved = bench.copy(tmp_path / "moved")
    assert {verdict for verdict, _ in verdicts(batch_of(moved)).values()} == {Verdict.SKIP}


def test_runs_staged_later_make_no_plot_stale(lab: Lab, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(lab.raw_root, raw)
    held_back = raw / next(each.file for each in lab.truths if each.chip is not None and each.chip.number == 81)
    aside = tmp_path / "aside.csv"
    held_back.rename(aside)
    bench = Bench(tmp_path / "c")
    stage(raw, bench.store)
    text = FEW.replace("  - {type: plot-cnp-time, procedure: IVg, tag: cnp}\n", "").replace(
        "tag: suite", "tag: suite, photoresponse_x: gate_voltage"
    )
    run(batch_of(bench, text).batch)
    before = (bench.store / "manifest.parquet").read_bytes()
    aside.rename(held_back)
    stage(raw, bench.store)
    assert (bench.store / "manifest.parquet").read_bytes() != before
    assert {verdict for verdict, _ in verdicts(batch_of(bench, text)).values()} == {Verdict.SKIP}


def test_derived_values_make_those_plots_stale_that_look_at_them(bench: Bench, lab: Lab) -> None:
    run(batch_of(bench).batch)
    enrich_all(bench, lab, shift_v=0.25)  # other Dirac points and mobilities, the same powers
    found = verdicts(batch_of(bench))
    assert found.pop("cnp")[0] is Verdict.STALE
    assert {verdict for verdict, _ in found.values()} == {Verdict.SKIP}
    shutil.rmtree(bench.data / "03_derived")
    found = verdicts(batch_of(bench))
    assert [found[tag][0] for tag in ("its", "gates", "sweeps")] == [Verdict.STALE, Verdict.SKIP, Verdict.SKIP]
    assert "power_w" in found["its"][1] or "runs" in found["its"][1]


def test_plots_are_told_which_of_their_values_the_metrics_doubt(bench: Bench) -> None:
    before = next(each for each in batch_of(bench).plots if each.spec.tag == "cnp").job.params["runs"]
    (first, value), (second, _) = ((each["run_id"], each["metrics"]["cnp_voltage"]) for each in before[:2])
    rows = [
        {"run_id": first, "value_float": value, "confidence": 0.084, "flags": "JUMP,NEAR_SWEEP_END"},
        {"run_id": first, "value_float": value + 1.0, "confidence": 0.1, "flags": "BY_ANOTHER_METHOD"},
        {"run_id": second, "value_float": before[1]["metrics"]["cnp_voltage"], "confidence": 0.6, "flags": "SATURATED"},
    ]
    table = bench.data / "03_derived" / "_metrics" / "metrics.parquet"
    table.parent.mkdir(parents=True)
    pl.DataFrame(rows).with_columns(metric_name=pl.lit("cnp_voltage")).write_parquet(table)
    made = batch_of(bench)
    told = next(each for each in made.plots if each.spec.tag == "cnp").job.params["runs"]
    assert [each.get("doubts") for each in told[:3]] == [{"cnp_voltage": ["JUMP", "NEAR_SWEEP_END"]}, None, None]
    assert run(made.batch, only="plot-cnp-time/*").exit_code == 0
    (job,) = (each for each in bench.view.jobs if each.name.startswith("plot-cnp-time"))
    assert any("is doubtful: JUMP, NEAR_SWEEP_END" in text for text in job.warnings)


def test_runs_are_told_only_what_their_plot_looks_at(bench: Bench) -> None:
    told = {each.spec.tag: each.job.params["runs"][0] for each in batch_of(bench).plots}
    assert set(told["its"]) == {"run_id", "seq", "file_number", "power_w"}
    assert set(told["gates"]) == {"run_id", "seq", "file_number"}
    assert set(told["cnp"]["metrics"]) == {"cnp_voltage", "cnp_forward", "cnp_backward"}
    assert set(told["suite"]["metrics"]) == {"delta_current"}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{type: plot-its, seq: 2}", "no experiments found for plot-its: it needs It, seq 2 is IVg"),
        ("{type: plot-ivg, seq: 900}", "no experiments found for plot-ivg: Alisson67 has no run with seq 900"),
        ("{type: plot-ivg, chip: 66, seq: 1}", "no runs of chip Alisson66; did you mean"),
        ("{type: plot-ivg, runs: 0123456789abcdef}", "no run begins with 0123456789abcdef"),
        ("{type: plot-ivg, seq: '2, IVg1999-09-09#9'}", "no run is IVg1999-09-09#9"),
        (
            "{type: plot-its-sequential, seq: 7-10, tag: x}",
            "other measurements lie between the runs: seq 8 (IVg), seq 9",
        ),
    ],
)
def test_a_plot_that_cannot_be_drawn_says_why_and_leaves_the_others(bench: Bench, entry: str, words: str) -> None:
    plots = batch_of(bench, f"chip: 67\nplots:\n  - {entry}\n  - {{type: plot-ivg, seq: 2}}\n")
    result = run(plots.batch)
    assert result.exit_code == 1
    wrong, right = bench.view.jobs
    assert words in (wrong.message or "")
    assert "lie between" in words or (wrong.message or "").endswith("(line 3)")
    assert right.state.value == "done"
    assert wrong.attempts == 1  # it would fail alike


def test_plots_of_derived_values_name_the_commands_that_derive_them(bench: Bench) -> None:
    shutil.rmtree(bench.data / "03_derived")
    run(batch_of(bench, "chip: 67\nplots: [{type: plot-cnp-time, seq: all}]\n").batch)
    (job,) = bench.view.jobs
    assert "batchlab devices derive-all-metrics --chip 67" in (job.message or "")
    assert "batchlab devices enrich-history 67" in (job.message or "")


def test_numbers_that_are_missing_are_warned_of(bench: Bench) -> None:
    run(batch_of(bench, "chip: 67\nplots: [{type: plot-ivg, seq: [2, 900, 901]}]\n").batch)
    (job,) = bench.view.jobs
    assert job.state.value == "done"
    assert any("no run with seq 900,901" in text for text in job.warnings)


def test_chips_that_are_called_alike_have_their_own_pictures_and_values(lab: Lab, tmp_path: Path) -> None:
    alike = [Chip("Alisson", 67), Chip("alisson", 67), Chip("A1", 2), Chip("A", 12)]
    bench = Bench(tmp_path / "b")
    raw = bench.data / "01_raw"
    raw.mkdir(parents=True)
    for number, (chip, truth) in enumerate(zip(alike, lab.of("IVg"), strict=False), start=1):
        text = (lab.raw_root / truth.file).read_bytes()
        text = re.sub(rb"Chip group name: [^\r\n]*", f"Chip group name: {chip.group}".encode(), text)
        text = re.sub(rb"Chip number: [^\r\n]*", f"Chip number: {chip.number}".encode(), text)
        (raw / f"IVg2025-09-04_{number}.csv").write_bytes(text)
    stage(raw, bench.store)
    store = Store(bench.store)
    rows = store.table.select("run_id", cnp_voltage=pl.col("chip_number") + pl.col("chip_group").rank("dense") / 10)
    found = histories(store.table, timezone=store.timezone)
    folder = bench.data / "03_derived" / "chip_histories_enriched"
    write_enriched({name: enrich(table, metrics=rows) for name, table in found.items()}, folder)
    text = "chip: 67\nstyle: {format: png, dpi: 72}\nplots: [{type: plot-cnp-time, seq: 1, tag: cnp}]\n"
    (spec,) = load_batch_plots(bench.file(text)).specs
    plots = plot_batch([replace(spec, chip=chip) for chip in alike], base_dir=bench.data, output=bench.figs)
    plots.settle()
    paths = [path.casefold() for each in plots.plots for path in each.pictures]
    assert len(set(paths)) == len({each.job.name for each in plots.plots}) == 4
    volts = [each.job.params["runs"][0]["metrics"]["cnp_voltage"] for each in plots.plots]
    told = {row["run_id"]: row["cnp_voltage"] for row in rows.to_dicts()}
    assert volts == [told[each.rows[0]["run_id"]] for each in plots.plots] and len(set(volts)) == 4
    assert run(plots.batch).exit_code == 0
    assert len(bench.made("*.png")) == 4
    page = bench.folder / "pages"
    assert call("devices", "report", "--group", "alisson", "--base-dir", bench.data, "-o", page).code == 0
    assert [each.name for each in page.glob("*.html")] == ["alisson-67.html"]


def test_runs_by_reference_are_those_by_number(bench: Bench) -> None:
    by_number = batch_of(bench, "chip: 67\nplots: [{type: plot-ivg, seq: 2}]\n").plots[0]
    run_id = by_number.rows[0]["run_id"]
    by_id = batch_of(bench, f"chip: 67\nplots: [{{type: plot-ivg, runs: '{run_id}'}}]\n").plots[0]
    assert by_id.rows == by_number.rows
    row = by_number.rows[0]
    for name in (run_id[:8], f"IVg{row['date_local']}#{row['file_idx']}"):
        mixed = batch_of(bench, f"chip: 67\nplots: [{{type: plot-ivg, seq: '{name}, 8'}}]\n").plots[0]
        assert [each["seq"] for each in mixed.rows] == [2, 8]


PLUGIN = '''
from batchlab.devices.plots import Drawn, PlotOptions, Name, Table, column, only, plot
from batchlab.figures import Line, Plot


def names(options):
    return (Name(procedure="IVg", kind="mine"),)


@plot("plot-mine", procedures=("IVg",), names=names)
def mine(runs, options, look, facts):
    """Mine."""
    (run, *_) = only(runs, ("IVg",), "plot-mine")
    x, y = column(run, "Vg (V)"), column(run, "I (A)") * FACTOR
    shown = Plot(marks=(Line(x=x, y=y),), x_limits=(x.min(), x.max()), y_limits=(0.0, y.max()), y_label="I")
    return Drawn(sheets=(look.sheet((shown,), "mine"),), tables=(Table(columns={"V": x.tolist()}),))
'''


def test_a_plot_from_outside_is_one_file_and_its_change_makes_stale(bench: Bench) -> None:
    plugin = bench.folder / f"mine_{bench.folder.parent.name}.py"
    plugin.write_text(PLUGIN.replace("FACTOR", "1.0"))
    text = f"chip: 67\nplugins: {plugin.name}\nplots:\n  - {{type: plot-mine, seq: 2}}\n"
    assert run(batch_of(bench, text).batch).exit_code == 0
    assert bench.made("*.pdf") == ["Alisson67_mine_seq_2.pdf"]
    assert verdicts(batch_of(bench, text))["seq_2"][0] is Verdict.SKIP
    plugin.write_text(PLUGIN.replace("FACTOR", "2.0"))
    assert verdicts(batch_of(bench, text))["seq_2"][0] is Verdict.STALE


def test_the_task_serves_a_batch_file_of_ones_own(bench: Bench) -> None:
    run_id = Store(bench.store).table.filter(proc="IVg")["run_id"][0]
    file = bench.file(
        f"""
batch: mine
output: out
jobs:
  - id: one
    task: devices.plot
    inputs: {{store: data/02_stage/manifest.parquet}}
    params: {{type: plot-ivg, runs: ['{run_id}'], options: {{conductance: true}}}}
    outputs: {{figure: one.svg}}
"""
    )
    batch = load(file)
    assert run(batch).exit_code == 0
    assert (bench.folder / "out" / "one.svg").read_bytes().startswith(b"<?xml")
    wrong = replace(batch.jobs[0], params={**batch.jobs[0].params, "options": {"conductnace": True}})
    with pytest.raises(Exception, match="conductnace"):
        plan(replace(batch, jobs=(wrong,)))


def test_params_name_the_nearest_plot() -> None:
    with pytest.raises(Exception, match="did you mean 'plot-its'"):
        PlotParams(type="plot-itz", runs=())


def test_the_task_is_declared() -> None:
    declared = find_task("devices.plot")
    assert declared.inputs == ("store",)
    assert set(declared.formats["figure"]) == {".pdf", ".png", ".svg", ".jpg"}


def test_without_a_store_nothing_can_be_planned(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="stage-all"):
        plot_batch((), base_dir=tmp_path)
