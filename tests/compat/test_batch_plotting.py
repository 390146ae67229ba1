"""Batch plots by the calls of an earlier program."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchlab.compat.devices import batch
from batchlab.compat.devices.batch import (
    PlotConfig,
    PlotResult,
    PlotSpec,
    display_summary,
    execute_parallel,
    execute_plot,
    execute_sequential,
    get_chip_history,
    load_batch_config,
)
from batchlab.devices._stage import stage
from batchlab.devices._synthetic import write_lab
from batchlab.errors import ConfigError, DataError

EXAMPLES = Path(__file__).parents[2] / "examples" / "config" / "batch_plots"


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose runs are staged; only read it."""
    folder = tmp_path_factory.mktemp("staged")
    stage(write_lab(folder, chips=2, runs=50, interval_s=0.4).raw_root, folder / "data" / "02_stage")
    return folder / "data"


@pytest.fixture(autouse=True)
def figures(staged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(batch, "_plot_config", PlotConfig(base_dir=staged, output=tmp_path / "figs"))
    batch._cached_histories.clear()
    yield tmp_path / "figs"
    batch._cached_histories.clear()


def written(folder: Path, text: str) -> Path:
    path = folder / "plots.yaml"
    path.write_text(textwrap.dedent(text))
    return path


def pictures(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("**/*.pdf") if ".batchlab" not in path.parts)


def test_a_batch_file_in_the_older_words(tmp_path: Path):
    text = """
        chip: 67
        chip_group: Alisson
        defaults: {legend_by: irradiated_power}
        plots:
          - {type: plot-its, seq: "4-7", tag: photoresponse}
          - {type: plot-ivg, seq: 2, legend_by: file}
          - {type: plot-transconductance, seq: [2], method: savgol, window: 21, polyorder: 7, style: {dpi: 90}}
    """
    chip, group, specs = load_batch_config(written(tmp_path, text))
    assert (chip, group) == (67, "Alisson")
    assert specs[0] == PlotSpec("plot-its", 67, "4-7", "photoresponse", "irradiated_power", {})
    assert (specs[1].seq, specs[1].legend_by) == ("2", "file")
    assert specs[2].extra_args == {"method": "savgol", "window": 21, "polyorder": 7, "style": {"dpi": 90}}


def test_the_examples_are_read():
    assert len(load_batch_config(EXAMPLES / "test_config.yaml")[2]) == 5
    assert len(load_batch_config(EXAMPLES / "alisson67_plots.yaml")[2]) > 30


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("chip: [67, 81]\nplots: [{type: plot-ivg, seq: 2}]", "it has 2 chips"),
        ("chip: 67\nplots: [{type: plot-its, light: dark}]", "plot-its chooses runs by dark"),
        ("chip: 67\nplots: [{type: plot-laser-calibration, seq: all}]", "plot-laser-calibration shows runs without"),
        ("chip: 67\nplots: [{type: plot-itz, seq: 2}]", "plot-its"),
    ],
)
def test_what_these_calls_have_no_words_for_is_refused(tmp_path: Path, text: str, said: str):
    with pytest.raises(ConfigError, match=said):
        load_batch_config(written(tmp_path, text))


def test_a_history_is_read_once(monkeypatch: pytest.MonkeyPatch):
    first = get_chip_history(67, "Alisson")
    assert first["seq"].to_list()[:3] == [1, 2, 3]
    assert get_chip_history(67, "Alisson") is first
    assert list(batch._cached_histories) == [67]


def test_two_chips_of_one_number_are_two():
    get_chip_history(67, "Alisson")
    with pytest.raises(DataError, match="Other67"):
        get_chip_history(67, "Other")


def test_a_history_follows_the_store(staged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(staged / "02_stage", tmp_path / "data" / "02_stage")
    monkeypatch.setattr(batch, "_plot_config", PlotConfig(base_dir=tmp_path / "data"))
    before = get_chip_history(67)
    raw = tmp_path / "raw"
    shutil.copytree(staged / "01_raw", raw)
    for path in sorted(raw.glob("**/IVg*.csv"))[:3]:
        path.unlink()
    stage(raw, tmp_path / "data" / "02_stage")
    assert get_chip_history(67).height < before.height


def test_one_plot(figures: Path):
    result = execute_plot(PlotSpec("plot-ivg", 67, 2, legend_by="file"), "Alisson")
    assert (result.success, result.error) == (True, None)
    assert result.elapsed > 0
    assert [path.name for path in result.files] == pictures(figures)
    again = execute_plot(result.spec, "Alisson")
    assert (again.success, again.elapsed) == (True, 0.0)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (PlotSpec("plot-ivg", 67, "9000"), "no experiments found"),
        (PlotSpec("plot-ivg", 67, "9-2"), "the range 9-2 runs down"),
        (PlotSpec("plot-ivx", 67, 2), "plot-ivg"),
        (PlotSpec("plot-ivg", 67, 2, extra_args={"windo": 3}), "windo"),
        (PlotSpec("plot-ivg", 400, 2), "Alisson400"),
    ],
)
def test_a_plot_that_fails_says_why(spec: PlotSpec, said: str):
    result = execute_plot(spec, "Alisson")
    assert not result.success
    assert result.error is not None and said in result.error
    assert result.files == ()


def test_without_a_store_every_plot_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(batch, "_plot_config", PlotConfig(base_dir=tmp_path / "none", output=tmp_path / "figs"))
    results = execute_sequential([PlotSpec("plot-ivg", 67, 2), PlotSpec("plot-vvg", 67, 3)], "Alisson")
    assert [each.success for each in results] == [False, False]
    assert all(each.error and "none" in each.error for each in results)


def test_in_one_process_and_in_two_the_pictures_are_the_same(
    staged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    _, group, specs = load_batch_config(EXAMPLES / "test_config.yaml")
    specs.insert(2, PlotSpec("plot-ivg", 67, "9000"))
    made = {}
    for name in ("one", "two"):
        monkeypatch.setattr(batch, "_plot_config", PlotConfig(base_dir=staged, output=tmp_path / name))
        results = execute_sequential(specs, group) if name == "one" else execute_parallel(specs, group, 2)
        assert [each.spec for each in results] == specs
        assert [each.success for each in results] == [True, True, False, True, True, True]
        made[name] = {path.name: path.read_bytes() for each in results for path in each.files}
        said = capsys.readouterr()
        assert said.out.count("✓ plot-") == 5 and said.err.count("✗ plot-ivg") == 1
    assert made["one"] == made["two"] and len(made["one"]) == 5


def test_style_and_data_are_taken_along(tmp_path: Path, figures: Path):
    text = "chip: 67\ndata: true\nstyle: {format: png, dpi: 72}\nplots: [{type: plot-ivg, seq: 2}]"
    _, group, specs = load_batch_config(written(tmp_path, text))
    (result,) = execute_sequential(specs, group)
    assert [path.suffix for path in result.files] == [".png", ".csv"]


def test_the_summary_is_that_of_what_was_done(capsys: pytest.CaptureFixture[str]):
    spec = PlotSpec("plot-ivg", 67, 2)
    results = [
        PlotResult(spec, True, 2.0, None, (Path("a.pdf"),)),
        PlotResult(spec, False, 1.0, "no experiments found"),
    ]
    display_summary(results, 1.5, 2)
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == "Total: 2 plots, 1.5s (2.0x speedup)"
    assert "no experiments found" in said
    display_summary(results[:1], 2.0, None)
    assert capsys.readouterr().out.splitlines()[-1] == "Total: 1 plots, 2.0s"
