"""`spectra.overview` as the engine runs it, and what it chooses of many spectra."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import batchlab.spectra.tasks._overview as module
from batchlab.batchfile import load
from batchlab.engine import Status, inline, read_view, run
from batchlab.errors import ConfigError
from batchlab.figures import read_provenance
from batchlab.spectra._overview import Points, chosen, least_alike_first, natural_order, sorted_by

OVERVIEW = f"{Path(module.__file__)}:overview"
READING = {"axis_kind": "raman shift", "quantity": "counts"}
SMALL = {"dpi": 50}
AXIS = np.linspace(400.0, 1800.0, 200)


def bands(*sizes):
    places = zip((600.0, 1000.0, 1500.0), sizes, strict=True)
    return 50 + sum(size * np.exp(-((AXIS - at) ** 2) / 800) for at, size in places)


def write_spectrum(path, signal, head=""):
    rows = "".join(f"{x:.3f}\t{y:.6f}\n" for x, y in zip(AXIS, signal, strict=True))
    path.write_text(head + rows, encoding="ascii")


@pytest.fixture
def files(tmp_path):
    """Twelve samples, of which the sixth is another substance, and a reference."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "data"
    folder.mkdir()
    write_spectrum(folder / "reference.txt", bands(1000, 500, 300))
    for sample in range(1, 13):
        signal = bands(300, 200, 1000) if sample == 6 else bands(*np.array([1000, 500, 300]) * rng.normal(1, 0.02, 3))
        write_spectrum(folder / f"leaf{sample}.txt", signal)
    return folder


def ended(tmp_path, entries, name="out"):
    path = tmp_path / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"batch": name, "output": name, "jobs": entries}), encoding="utf-8")
    result = run(load(path), executor=inline, install_signal_handlers=False)
    return result, {job.name: job for job in read_view(tmp_path / name).jobs}, tmp_path / name


def entry(inputs, outputs=None, **params):
    found = {"id": "all", "task": OVERVIEW, "inputs": inputs, "params": {**READING, **SMALL, **params}}
    return found if outputs is None else {**found, "outputs": {"stack": None, "heat_map": None, **outputs}}


def samples(files):
    return {"samples": {"all": str(files / "leaf*.txt")}}


def page_of(path):
    """The names, the axis and the rows that a page holds."""
    text = path.read_text(encoding="utf-8")
    data = next(
        found
        for found in map(json.loads, re.findall(r"<script[^>]*application/json[^>]*>(.*?)</script>", text, re.S))
        if "rows" in found
    )
    rows = np.array([np.frombuffer(b64decode(row), "<f4") for row in data["rows"]])
    return data["names"], np.frombuffer(b64decode(data["axis"]), "<f8"), rows, data["reference"]


def test_without_a_wish_a_stack_and_a_heat_map_are_drawn(files, tmp_path):
    result, jobs, out = ended(tmp_path, [entry(samples(files))])
    job = jobs["all"]
    assert result.exit_code == 0, job.message
    assert {output.name for output in job.outputs} == {"stack", "heat_map"}
    assert len(job.items) == 12
    assert job.metrics["n"] == job.metrics["drawn_stack"] == job.metrics["drawn_heat_map"] == 12
    assert (job.metrics["axis_first"], job.metrics["axis_last"], job.metrics["n_points"]) == (400.0, 1800.0, 200)
    for name in ("all_stack.png", "all_heat_map.png"):
        with Image.open(out / name) as picture:
            assert picture.size == (600, 400)
            assert len(picture.convert("L").getcolors()) > 20
        assert read_provenance(out / name)["job"] == "all"


def test_every_picture_in_every_format_and_the_page(files, tmp_path):
    outputs = {
        "stack": "s.webp",
        "heat_map": "h.svg",
        "overlay": "o.jpg",
        "waterfall": "w.pdf",
        "multiples": "m.png",
        "page": "p.html",
    }
    inputs = {**samples(files), "reference": str(files / "reference.txt")}
    result, jobs, out = ended(tmp_path, [entry(inputs, outputs, group_pattern="([a-z]+)")])
    job = jobs["all"]
    assert result.exit_code == 0, job.message
    starts = {"s.webp": b"RIFF", "h.svg": b"<?xml", "o.jpg": b"\xff\xd8", "w.pdf": b"%PDF", "m.png": b"\x89PNG"}
    for name, start in starts.items():
        assert (out / name).read_bytes().startswith(start), name
        assert read_provenance(out / name)["job"] == "all"
    names, axis, rows, reference = page_of(out / "p.html")
    assert (names[0], reference, len(names)) == ("reference", 0, 13)
    assert axis == pytest.approx(AXIS, abs=1e-3)
    assert rows[0] == pytest.approx(bands(1000, 500, 300), rel=1e-5)


@pytest.mark.parametrize(
    ("by", "first", "last"),
    [("file", "leaf1", "leaf9"), ("name", "leaf1", "leaf12"), ("correlation", "leaf6", None)],
)
def test_the_order_is_the_one_asked_for(files, tmp_path, by, first, last):
    _, jobs, out = ended(tmp_path, [entry(samples(files), {"page": "p.html"}, order_by=by)])
    assert jobs["all"].state is Status.DONE, jobs["all"].message
    names = page_of(out / "p.html")[0]
    assert names[0] == first
    assert last in (None, names[-1])


def test_a_key_of_the_files_orders_them_and_who_lacks_it_comes_last(tmp_path):
    powers = {"a": 20, "b": 100, "c": 5}
    for name, power in powers.items():
        head = f"laser power: {power}\nInstrument: A\nraman shift\tcounts\n"
        write_spectrum(tmp_path / f"{name}.txt", bands(1000, 500, 300), head)
    write_spectrum(tmp_path / "d.txt", bands(1000, 500, 300), "Instrument: A\nraman shift\tcounts\n")
    inputs = {"samples": {"all": str(tmp_path / "?.txt")}}
    _, jobs, out = ended(tmp_path, [entry(inputs, {"page": "p.html"}, order_by="laser power")])
    assert jobs["all"].state is Status.DONE, jobs["all"].message
    assert page_of(out / "p.html")[0] == ["c", "a", "b", "d"]
    assert any("1 of 4 spectra says nothing" in text for text in jobs["all"].warnings)
    _, jobs, _ = ended(tmp_path, [entry(inputs, order_by="laser colour")], "none")
    assert (jobs["all"].state, jobs["all"].reason) == (Status.FAILED, "no-such-key")


def test_no_more_are_drawn_than_asked_and_it_is_told(files, tmp_path):
    outputs = {"stack": "s.png", "page": "p.html"}
    _, jobs, out = ended(tmp_path, [entry(samples(files), outputs, order_by="name", most=4)])
    job = jobs["all"]
    assert (job.metrics["n"], job.metrics["drawn_stack"], job.metrics["drawn_page"]) == (12, 4, 4)
    assert "stack: 4 of 12 spectra are shown, evenly chosen; 8 are left out" in job.warnings
    names = page_of(out / "p.html")[0]
    assert (names[0], names[-1], len(names)) == ("leaf1", "leaf12", 4)


def test_comparisons_are_shown_as_they_were_compared(files, tmp_path):
    compare = {
        "id": "compare",
        "task": "spectra.compare",
        "inputs": {"reference": str(files / "reference.txt"), "sample": str(files / "leaf*.txt")},
        "params": {**READING, "normalization": "snv"},
        "outputs": {"figure": None},
    }
    gathered = {"comparisons": {"from": "compare", "gather": "done"}}
    result, jobs, out = ended(tmp_path, [compare, entry(gathered, {"page": "p.html", "overlay": "o.png"})])
    assert result.exit_code == 0, jobs["all"].message
    names, _, rows, reference = page_of(out / "p.html")
    assert (names[0], reference) == ("reference", 0)
    assert rows.mean(axis=1) == pytest.approx(0.0, abs=1e-6)
    assert rows.std(axis=1, ddof=1) == pytest.approx(1.0, rel=1e-5)
    assert "(snv)" in (out / "p.html").read_text(encoding="utf-8")


def test_what_was_cut_out_is_a_gap(files, tmp_path):
    steps = [{"step": "mask", "regions": [[900.0, 1100.0]]}]
    outputs = {"page": "p.html", "heat_map": "h.png", "stack": "s.png", "waterfall": "w.png"}
    _, jobs, out = ended(tmp_path, [entry(samples(files), outputs, steps=steps)])
    assert jobs["all"].state is Status.DONE, jobs["all"].message
    _, axis, rows, _ = page_of(out / "p.html")
    missing = np.isnan(rows).all(axis=0)
    assert missing.sum() == 2
    assert ((axis[missing] > 890) & (axis[missing] < 1110)).all()
    assert not ((axis[~missing] > 900) & (axis[~missing] < 1100)).any()


def test_one_far_out_does_not_take_colours_and_room_from_all_others(files, tmp_path):
    write_spectrum(files / "leaf13.txt", 1e4 * bands(1000, 500, 300))
    outputs = {"heat_map": "h.png", "overlay": "o.png", "multiples": "m.png"}
    _, jobs, out = ended(tmp_path, [entry(samples(files), outputs, size_in=[8, 6])])
    for name in outputs:
        assert any(text.startswith(f"{name}: leaf13 reaches beyond what is shown") for text in jobs["all"].warnings)
    pixels = np.asarray(Image.open(out / "h.png").convert("RGB"))
    row = pixels[pixels.shape[0] // 2]
    assert len(np.unique(row, axis=0)) > 20


def test_spectra_that_a_waterfall_hides_are_told(files, tmp_path):
    _, jobs, _ = ended(tmp_path, [entry(samples(files), {"waterfall": "w.png"})])
    assert not [text for text in jobs["all"].warnings if "hidden" in text]
    write_spectrum(files / "leaf0.txt", 5000 + bands(1000, 500, 300))
    _, jobs, _ = ended(tmp_path, [entry(samples(files), {"waterfall": "w.png"}, order_by="name")], "far")
    (told,) = [text for text in jobs["all"].warnings if "hidden" in text]
    assert told.startswith("waterfall: ") and " of 13 spectra are hidden for most of their length" in told
    assert "leaf1, leaf2, leaf3, leaf4, leaf5 and" in told


def test_a_bad_file_costs_one_item(files, tmp_path):
    (files / "leaf98.txt").write_text("", encoding="ascii")
    result, jobs, _ = ended(tmp_path, [entry(samples(files), {"heat_map": "h.png"})])
    assert result.exit_code == 1
    failed = [(item.name, item.reason) for item in jobs["all"].items if item.status is Status.FAILED]
    assert failed == [("leaf98.txt", "empty-file")]
    assert jobs["all"].metrics["n"] == 12


def test_wrong_wishes_are_told_before_anything_runs(files, tmp_path):
    with pytest.raises(ConfigError, match=r"\.xls"):
        ended(tmp_path, [entry(samples(files), {"heat_map": "h.xls"})])
    with pytest.raises(ConfigError, match="most"):
        ended(tmp_path, [entry(samples(files), most=0)])


def test_no_output_at_all_is_told(files, tmp_path):
    _, jobs, _ = ended(tmp_path, [entry(samples(files), {})])
    assert (jobs["all"].reason, jobs["all"].state) == ("no-output", Status.FAILED)


@given(st.integers(1, 300), st.integers(1, 50))
def test_chosen_are_even_and_keep_both_ends(count, most):
    order = np.arange(count)[::-1].copy()
    kept = chosen(order, most)
    assert kept.size == min(count, most)
    assert kept[0] == order[0]
    if most > 1:
        assert kept[-1] == order[-1]
        steps = -np.diff(kept)
        assert steps.size == 0 or steps.max() - steps.min() <= 1


def test_names_are_sorted_as_people_do():
    names = ("leaf 10", "leaf 2", "Leaf 1", "2", "10", "")
    assert [names[at] for at in natural_order(names)] == ["", "2", "10", "Leaf 1", "leaf 2", "leaf 10"]
    assert sorted_by([3.0, None, 1.0, 2.0, 1.0]).tolist() == [2, 4, 3, 0, 1]
    assert sorted_by(["run 10", None, "run 9", "run 10"]).tolist() == [2, 0, 3, 1]


def test_the_least_alike_comes_first():
    rows = np.stack([bands(1000, 500, 300), bands(0, 0, 500), bands(900, 600, 300), np.full(AXIS.size, 3.0)])
    assert least_alike_first(rows, rows[0]).tolist() == [3, 1, 2, 0]
    alone = least_alike_first(rows[:3])
    independent = [np.corrcoef(row, rows[:3].mean(axis=0))[0, 1] for row in rows[:3]]
    assert alone.tolist() == np.argsort(independent).tolist()


@pytest.mark.parametrize("falling", [False, True])
@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("size", [100, 101, 997, 5000])
def test_thinned_spectra_keep_what_is_to_be_seen(size, mean, falling):
    axis = np.linspace(0.0, 10.0, size)[:: -1 if falling else 1]
    signal = np.random.default_rng(size).normal(size=size)
    kept = (axis < 4.0) | (axis > 5.0)
    points = Points(axis[kept], ((4.0, 5.0),), most=100, mean=mean)
    shown = points.of(signal[kept])
    assert shown.shape == points.axis.shape
    assert points.axis.size <= 100 + 6
    steps = np.diff(points.axis)
    assert (steps < 0).all() if falling else (steps > 0).all()
    gap = np.isnan(shown)
    assert gap.sum() == 2
    assert ((points.axis[gap] > 3.9) & (points.axis[gap] < 5.1)).all()
    seen = shown[~gap]
    if mean:
        assert np.abs(seen).max() <= np.abs(signal[kept]).max()
        assert seen.mean() == pytest.approx(signal[kept].mean(), abs=0.1)
    else:
        assert (seen.min(), seen.max()) == (signal[kept].min(), signal[kept].max())


def test_a_batch_of_thousands_is_read_as_far_as_it_is_shown():
    class Rows:
        """A matrix that counts what is read of it at once."""

        shape = (10_000, 500)
        largest = 0

        def __getitem__(self, rows):
            count = rows.stop - rows.start
            Rows.largest = max(Rows.largest, count)
            return np.ones((count, 500)) * np.arange(rows.start, rows.stop)[:, None]

    at = chosen(np.arange(10_000), 40)
    rows = Points(np.arange(500.0), most=100, mean=True).rows(Rows(), at)
    assert rows.shape == (40, 100)
    assert rows[:, 0].tolist() == at.tolist()
    assert Rows.largest == 1
