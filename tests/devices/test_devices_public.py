"""The names that people import, the example that they read first, and what notebooks show."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from xml.etree import ElementTree as ET

import numpy as np
import polars as pl
import pytest

import batchlab.devices as package
from batchlab.devices import Category, Chip, DerivedMetric, Layout, Run, Store, histories, write_lab
from batchlab.devices._enrich import Enriched
from batchlab.devices.metrics import extract
from batchlab.engine import run as run_batch

EVIL = '<script>alert("x")</script> & more'
SVG = "{http://www.w3.org/2000/svg}"


def whole(html: str) -> ET.Element:
    """The HTML as a tree: every tag is closed, and nothing in it came from a name."""
    assert "<script" not in html
    return ET.fromstring(f"<div>{html}</div>")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_lab(tmp_path_factory.mktemp("few"), chips=1, runs=8, documented=False, interval_s=0.5, broken=True)


@pytest.fixture(scope="module")
def store(small):
    layout = Layout.below(small.folder / "data")
    run_batch(package.stage_batch(layout))
    return Store(layout.store)


def sweep(**changes) -> Run:
    v = np.linspace(-5, 5, 2001)
    fields = {
        "run_id": "0123456789abcdef",
        "procedure": "IVg",
        "chip": Chip(EVIL, 7),
        "has_light": False,
        "settings": MappingProxyType({"vds_v": 0.1, EVIL: EVIL}),
        "columns": MappingProxyType({"Vg (V)": v, "I (A)": np.abs(v) * 1e-6, EVIL: v}),
        "flags": (EVIL,),
    }
    return Run(**{**fields, **changes})


def metric(**changes) -> DerivedMetric:
    fields = {
        "run_id": "0123456789abcdef",
        "procedure": "IVg",
        "metric_name": "cnp_voltage",
        "metric_category": Category.ELECTRICAL,
        "unit": "V",
        "extraction_method": "robust",
        "extraction_version": "1",
        "value_float": -0.773615,
        "standard_error": 6.1e-5,
    }
    return DerivedMetric(**{**fields, **changes})


def test_every_name_is_there_once_and_typed():
    assert sorted(package.__all__) == package.__all__ == sorted(package._HOME_OF)
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert set(package.__all__) <= set(dir(package))
    source = inspect.getsource(package)
    block = source[source.index("if TYPE_CHECKING:") : source.index("_HOMES")]
    imported = {name.strip() for line in block.split(" import ")[1:] for name in line.split("\n")[0].split(",")}
    for name in package.__all__:
        assert name in imported | set(block.replace(",", " ").split())
    with pytest.raises(AttributeError, match="no attribute 'stages'"):
        _ = package.stages


@pytest.mark.parametrize("words", ["import batchlab.devices", "from batchlab.devices import Chip, Run, Layout"])
def test_importing_loads_no_science(words):
    script = (
        f"import sys; {words}\n"
        "print(sorted({'numpy', 'polars', 'scipy', 'matplotlib', 'pydantic', 'jinja2', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_the_example_runs_as_it_stands(small, tmp_path, monkeypatch):
    text = textwrap.dedent("\n".join(package.__doc__.split("\n\n")[1:4]))
    assert text.startswith("from batchlab.devices import") and "store.runs" in text
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "01_raw").symlink_to(small.raw_root, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    found: dict[str, object] = {}
    exec(compile(text, "example", "exec"), found)
    assert found["sweep"].chip == Chip("Alisson", 67) and found["sweep"].columns["Vg (V)"].size > 10
    assert (Path("data") / "03_derived" / "reports" / "Alisson67.html").is_file()
    assert doctest.DocTestParser().get_examples(package.__doc__) == []


def test_a_run_shows_its_curve_and_what_was_set():
    run = sweep()
    html = run._repr_html_()
    tree = whole(html)
    (line,) = tree.iter(f"{SVG}polyline")
    assert len(line.get("points").split()) <= 400 and len(html) < 12_000
    words = [text.text for text in tree.iter(f"{SVG}text")]
    assert {"Vg (V)", "I (A)", "-5", "5", "5e-06"} <= set(words)
    assert [cell.text for cell in tree.iter("td")] == [EVIL, EVIL, "vds_v", "0.1"]
    assert repr(replace(run, chip=Chip("Alisson", 67), flags=("DEAD_FLAT_IVG",), columns={"Vg (V)": np.zeros(3)})) == (
        "<Run 0123456789abcdef: dark IVg of Alisson67, 3 rows of Vg (V), DEAD_FLAT_IVG>"
    )
    for columns in ({}, {"t (s)": np.array([np.nan, 1.0]), "I (A)": np.array([1.0, 2.0])}):
        assert not list(whole(sweep(columns=columns)._repr_html_()).iter(f"{SVG}polyline"))


def test_a_value_shows_its_error_its_method_and_its_flags():
    assert repr(metric()) == "<DerivedMetric cnp_voltage = -0.773615 ± 6.1e-05 V of 0123456789abcdef by robust>"
    assert repr(metric(value_float=0.7, unit="1", standard_error=None, flags=("NOISY",))) == (
        "<DerivedMetric cnp_voltage = 0.7 of 0123456789abcdef by robust, NOISY>"
    )
    assert repr(metric(value_float=None, value_json={"a": [1]})).startswith("<DerivedMetric cnp_voltage of 0123")
    cells = [cell.text for cell in whole(metric(extraction_method=EVIL)._repr_html_()).iter("td")]
    assert cells[:6] == ["0123456789abcdef", "cnp_voltage", "-0.773615", "6.1e-05", "V", EVIL]


def test_metrics_of_runs_are_a_table_with_the_reasons_for_none(store):
    found = extract(store.runs(["IVg", "It"]), pairs=False)
    tree = whole(found._repr_html_())
    assert len(list(tree.iter("tr"))) == min(len(found.metrics), 40) + 1
    assert len(found.skips) == sum(int(note.text.split(" x ")[0]) for note in tree.iter("li"))
    assert repr(found) == f"<Extraction: {len(found.metrics)} metrics, {len(found.skips)} reasons for none>"


def test_a_store_shows_its_chips_and_what_was_refused(store):
    tree = whole(store._repr_html_())
    rows = [[cell.text for cell in row.iter("td")] for row in tree.iter("tr")][1:]
    assert sum(int(row[1]) for row in rows) == len(store)
    assert rows[0][0] == "Alisson67" and rows[-1][0] == "without a chip"
    assert any(f"{store.rejects().height} raw files are no runs" in (note.text or "") for note in tree.iter("li"))
    assert repr(store).startswith("Store(") and len(repr(store)) < 300


def test_histories_show_as_tables(store):
    (history,) = [h for name, h in histories(store.table, timezone=store.timezone).items() if name == "Alisson67"]
    enriched = Enriched(table=history, units={"vds_v": "V"})
    assert "vds_v (V)" in enriched._repr_html_()
    assert repr(enriched) == f"<Enriched: {history.height} runs, {history.width} columns, 1 with a unit>"
    assert isinstance(history, pl.DataFrame)


def test_plots_that_are_wanted_are_told_in_a_line_and_as_a_table(tmp_path):
    file = tmp_path / "plots.yaml"
    file.write_text(
        "chip: 67\nchip_group: Alisson\nplots:\n  - {type: plot-its, seq: 4-7, tag: dark, padding: 0.1}\n"
        "  - {type: plot-ivg, seq: [2, 8]}\n"
    )
    plots = package.load_batch_plots(file)
    assert repr(plots) == "<BatchPlots: 2 plots of Alisson67>"
    assert repr(plots.specs[0]) == "<PlotSpec plot-its of Alisson67, 4-7, tag dark, line 4>"
    rows = [[cell.text for cell in row.iter("td")] for row in whole(plots._repr_html_()).iter("tr")][1:]
    assert [row[:5] for row in rows] == [
        ["4", "plot-its", "Alisson67", "4-7", "dark"],
        ["5", "plot-ivg", "Alisson67", "2,8", "seq_2_8"],
    ]
    assert [cell.text for cell in whole(plots.specs[0]._repr_html_()).iter("td")][-2:] == ["padding", "0.1"]
