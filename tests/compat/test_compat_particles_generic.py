"""Pictures of whatever a caller's functions find."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from batchlab.compat.particles import generic_batch_plot, generic_plot_spectrogram_set, make_spectrogram
from batchlab.compat.particles._datasets import panel_of, read_panels, write_panels
from batchlab.errors import ConfigError, DataError
from batchlab.figures import read_provenance
from batchlab.particles._exports import read_object

START = 948_326_400.0  # 2000-01-20


def dataset(records: int = 30, **more: Any) -> dict[str, Any]:
    rng = np.random.default_rng(records)
    return {
        "x": START + 5.0 * np.arange(records),
        "y": np.geomspace(10.0, 10_000.0, 16),
        "data": rng.poisson(5.0, (records, 8, 16)).astype(float),
        **more,
    }


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# arrays


def test_directions_are_added_up_and_nothing_measured_stays_nothing():
    data = np.ones((3, 4, 2))
    data[1, 2, 0] = np.nan
    data[2, :, 1] = np.nan
    (values,) = panel_of({"x": [0.0, 1.0, 2.0], "y": [10.0, 20.0], "data": data}).spectrogram.values
    np.testing.assert_array_equal(values, [[4, 4], [3, 4], [4, np.nan]])


def test_records_end_half_way_and_a_gap_stays_a_gap():
    x = np.array([0.0, 2.0, 4.0, 100.0, 102.0])
    shown = panel_of({"x": x, "y": [1.0, 2.0], "data": np.ones((5, 2))}).spectrogram
    np.testing.assert_allclose(shown.times_s, [[-1, 1], [1, 3], [3, 5], [99, 101], [101, 103]])
    stated = panel_of({"x": np.column_stack((x, x + 0.5)), "y": [1.0, 2.0], "data": np.ones((5, 2))}).spectrogram
    np.testing.assert_allclose(stated.times_s[:, 1] - stated.times_s[:, 0], 0.5)


def test_records_and_energies_may_come_in_any_order():
    data = np.arange(6.0).reshape(3, 2)
    shown = panel_of({"x": [2.0, np.nan, 1.0], "y": [20.0, 10.0], "data": data}).spectrogram
    np.testing.assert_array_equal(shown.values[0], [[5, 4], [1, 0]])
    np.testing.assert_array_equal(shown.energies_ev[0], [10, 20])


def test_energies_may_change_with_time():
    y = np.array([[10.0, 20.0]] * 2 + [[100.0, 200.0]])
    shown = panel_of({"x": [0.0, 1.0, 2.0], "y": y, "data": np.ones((3, 2))}).spectrogram
    assert [each.tolist() for each in shown.energies_ev] == [[10, 20], [100, 200]]
    assert shown.mode.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"y": None}, "has no 'y'"),
        ({"data": np.ones((30, 15))}, r"data \(30, 15\)"),
        ({"x": np.arange(29.0)}, r"x has shape \(29,\)"),
        ({"x": np.full(30, np.nan)}, "no record with a time"),
    ],
)
def test_arrays_that_do_not_go_together_are_told(changed: Mapping[str, Any], words: str):
    with pytest.raises(DataError, match=words):
        panel_of({**dataset(), **changed})


def test_labels_are_those_of_counts_unless_said_otherwise():
    assert dict(panel_of(dataset()).wishes) == {"label": "1", "y_label": "Energy (eV)", "z_label": "Counts"}
    said = panel_of(dataset(y_label="Energy (keV)", z_label="Differential Energy Flux", x_label="Time", other=1))
    assert (said.wishes["y_label"], said.wishes["z_label"]) == ("Energy (keV)", "Differential Energy Flux")


def test_panels_are_kept_as_they_are(tmp_path: Path):
    panels = [panel_of(dataset(vmax=7)), panel_of(dataset(12, z_max=3, vmax=7))]
    write_panels(tmp_path / "a" / "b", panels)
    back = read_panels(tmp_path / "a" / "b")
    assert [each.wishes["z_max"] for each in back] == [7.0, 3.0]
    for one, other in zip(panels, back, strict=True):
        np.testing.assert_array_equal(one.spectrogram.values, other.spectrogram.values)
    (tmp_path / "c").write_bytes(b"spectrograms of another kind")
    with pytest.raises(DataError, match="remove it and run again"):
        read_panels(tmp_path / "c")


# pictures


def test_one_spectrogram_has_the_limits_it_is_given(tmp_path: Path):
    given = dataset()
    drawn = make_spectrogram(**given, y_scale="log", vmin=2, z_max=90, y_max=5000, output_path=tmp_path / "one.png")
    (row,) = drawn.facts["rows"]
    assert (row["z_min"], row["z_max"], row["y_max"], row["quantity"]) == (2, 90, 5000, "Counts")
    assert json.loads(read_provenance(tmp_path / "one.png")["picture"]) == drawn.facts
    free = make_spectrogram(**given, z_scale="linear").facts["rows"][0]
    low, high = np.percentile(given["data"].sum(axis=1), (1, 99))
    assert (free["z_min"], free["z_max"]) == pytest.approx((low, high))


def test_a_set_has_a_row_for_each_with_its_own_limits():
    drawn = generic_plot_spectrogram_set(
        [dataset(vmax=50, label="a"), dataset(20, z_max=70)],
        zoom_center=START + 60,
        zoom_window_seconds=30.0,
        vertical_lines=[START + 55],
    )
    assert [row["z_max"] for row in drawn.facts["rows"]] == [50, 70]
    _, zoom = drawn.facts["columns"]
    assert (zoom["start_s"], zoom["end_s"]) == (START + 45, START + 75)
    assert [mark["start_s"] for mark in drawn.facts["marks"]] == [START + 55]


# batches


def test_functions_may_be_anything_and_each_item_has_its_end(here: Path):
    offset = 3.0  # a nested function knows it, and no other process could

    def build(item: str) -> list[dict[str, Any]]:
        if item == "none":
            return []
        if item == "bad":
            raise ZeroDivisionError("of mine")
        return [dataset(label=item, vmax=40 + offset)]

    told = generic_batch_plot(
        ["one", "none", "bad", "two/three"],
        "plots",
        build,
        zoom_center_fn=lambda item, datasets: datasets[0]["x"][4],
        zoom_window_seconds=20.0,
        vertical_lines_fn=lambda item: [START + 10] if item == "one" else None,
    )
    assert [(each["item"], each["status"]) for each in told] == [
        ("one", "ok"),
        ("none", "no_data"),
        ("bad", "error"),
        ("two/three", "ok"),
    ]
    assert told[2]["errors"] == ["ZeroDivisionError: of mine"]
    assert told[0]["path"] == here / "plots" / "one" / "generic.png"
    assert told[3]["path"].is_file()
    facts = json.loads(read_provenance(told[0]["path"])["picture"])
    assert facts["rows"][0]["z_max"] == 43.0
    assert [mark["start_s"] for mark in facts["marks"]] == [START + 10]
    assert facts["columns"][1]["end_s"] - facts["columns"][1]["start_s"] == 20.0
    assert read_object(here / "batch_multi_plot_progress.json") == {
        "completed_items": ["'one'", "'two/three'"],
        "errors": ["'bad'"],
        "no_data": ["'none'"],
        "last_index": 3,
        "schema_version": 1,
    }


def test_what_is_drawn_is_not_asked_for_again_unless_that_is_wished():
    asked: list[int] = []

    def build(item: int) -> list[dict[str, Any]]:
        asked.append(item)
        if item == 2 and len(asked) < 3:
            raise OSError("not there yet")
        return [dataset(item + 5)]

    def plot(**more: Any) -> list[str]:
        return [each["status"] for each in generic_batch_plot([1, 2], "plots", build, **more)]

    assert plot() == ["ok", "error"] and asked == [1, 2]
    assert plot() == ["ok", "ok"] and asked == [1, 2, 2]
    assert read_object(Path("batch_multi_plot_progress.json"))["errors"] == []
    before = Path("plots/1/generic.png").read_bytes()
    assert plot(colormap="plasma") == ["ok", "ok"] and asked == [1, 2, 2]
    assert Path("plots/1/generic.png").read_bytes() != before
    assert plot(ignore_progress_json=True) == ["ok", "ok"] and asked == [1, 2, 2, 1, 2]


@pytest.mark.parametrize(("flush", "writes"), [(2, 3), (10, 1), (0, 5)])
def test_progress_is_written_once_for_so_many_items(flush: int, writes: int, monkeypatch: pytest.MonkeyPatch):
    from batchlab.compat.particles import _generic

    written: list[Mapping[str, Any]] = []
    write = _generic.write_object

    def counted(path: Path, content: Mapping[str, Any]) -> None:
        written.append(content)
        write(path, content)

    monkeypatch.setattr(_generic, "write_object", counted)
    generic_batch_plot(range(5), "plots", lambda item: [], flush_batch_size=flush)
    assert len(written) == writes
    assert len(written[-1]["no_data"]) == 5


def test_a_picture_that_cannot_be_drawn_is_that_items_error():
    told = generic_batch_plot(
        ["good", "bad"], "plots", lambda item: [dataset(y_min=100.0, y_max=10.0 if item == "bad" else 1000.0)]
    )
    assert [each["status"] for each in told] == ["ok", "error"]
    assert told[1]["errors"][0].startswith("plotting: ")


@pytest.mark.parametrize("installed", [True, False])
def test_handlers_are_left_alone_on_wish_and_given_back_in_any_case(installed: bool, monkeypatch: pytest.MonkeyPatch):
    from batchlab.compat.particles import _generic

    seen: list[Any] = []
    mine = signal.getsignal(signal.SIGINT)
    run = _generic.run

    def looked(*args: Any, **named: Any) -> Any:
        listeners = [*named.pop("listeners"), lambda notice: seen.append(signal.getsignal(signal.SIGINT))]
        return run(*args, listeners=listeners, **named)

    monkeypatch.setattr(_generic, "run", looked)
    generic_batch_plot(["a"], "plots", lambda item: [dataset()], install_signal_handlers=installed)
    assert (seen[0] is mine) is not installed
    assert signal.getsignal(signal.SIGINT) is mine


def test_items_of_one_name_have_folders_of_their_own():
    told = generic_batch_plot(["a b", "a_b", Path("x/A_b.cdf")], "plots", lambda item: [dataset()])
    assert len({str(each["path"]).lower() for each in told}) == 3
    with pytest.raises(ConfigError, match="z_scale is 'logg'"):
        generic_batch_plot(["a"], "plots", lambda item: [dataset()], z_scale="logg")
