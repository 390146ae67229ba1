"""Registry of extractors, the extraction as a whole, and the table it fills."""

from __future__ import annotations

import json
import logging
from array import array
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from batchlab.devices import metrics as m
from batchlab.devices._model import Category, Chip, DerivedMetric
from batchlab.devices.metrics import _registry
from batchlab.devices.metrics._json import texts
from batchlab.errors import ConfigError
from tests.devices.metrics_curves import gate_loop, light_trace, sweep_run, trace_run, transfer

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LATER = NOW + timedelta(days=1)

OUTSIDE = """
from batchlab.devices._model import Category
from batchlab.devices.metrics import Row

class PeakCurrentExtractor:
    name = "peak_current"
    metrics = ("peak_current",)
    category = Category.ELECTRICAL
    procedures = frozenset({"IVg"})
    version = "1"

    def extract(self, run, context):
        return [Row(self, run)("peak_current", float(abs(run.columns["I (A)"]).max()), "A", "maximum")]

    def validate(self, metric):
        return metric.value_float > 0
"""


def runs():
    v = gate_loop()
    t, y, vl, *_ = light_trace(noise=1e-8)
    return [
        sweep_run(v, transfer(v, 0.2, 0.4), run_id="a" * 16),
        trace_run(t, y, vl, run_id="b" * 16, minutes=20),
        sweep_run(v, transfer(v, 0.3, 0.5), run_id="c" * 16, minutes=30),
        replace(sweep_run(v, transfer(v, 0.1, 0.1), run_id="d" * 16), chip=Chip("other", 67)),
    ]


def test_own_extractors_are_found_by_their_files():
    found = m.extractors()
    assert [e.name for e in found] == sorted(e.name for e in found)
    assert {
        "corrected_response", "dark_relaxation", "dirac_point", "drift", "gate_leakage", "irradiated_power", "mobility",
        "noise", "on_off", "photoresponse", "responsivity", "rise_fall", "subthreshold_swing", "three_phases",
        "threshold", "y_function",
    } <= {e.name for e in found}  # fmt: skip
    assert all(isinstance(e, m.Extractor) for e in found)


def test_procedures_are_those_of_the_files():
    known = {"It", "It2", "ITt", "IVg", "IVgT", "VVg", "Vt", "IV"}
    assert all(e.procedures <= known for e in m.extractors())


def test_an_outside_file_is_an_extractor(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(OUTSIDE)
    everything = m.extractors([path])
    assert len(everything) == len(m.extractors()) + 1
    found = m.extract(runs(), extractors=everything).metrics
    peaks = [x for x in found if x.metric_name == "peak_current"]
    assert [x.run_id for x in peaks] == ["a" * 16, "c" * 16, "d" * 16]
    with pytest.raises(ConfigError, match="called 'peak_current'"):
        m.extractors([path, path])
    with pytest.raises(ConfigError, match="no such file"):
        m.extractors([tmp_path / "gone.py"])


def test_an_installed_package_offers_extractors(tmp_path, monkeypatch):
    (tmp_path / "lab_of_mine.py").write_text(OUTSIDE)
    monkeypatch.syspath_prepend(tmp_path)
    good = EntryPoint("mine", "lab_of_mine:PeakCurrentExtractor", m.ENTRY_POINTS)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [good] if group == m.ENTRY_POINTS else [])
    _registry._installed.cache_clear()
    try:
        assert "peak_current" in {e.name for e in m.extractors()}
        bad = EntryPoint("broken", "lab_that_is_not:X", m.ENTRY_POINTS)
        monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [bad])
        _registry._installed.cache_clear()
        with pytest.raises(ConfigError, match="'broken'"):
            m.extractors()
    finally:
        _registry._installed.cache_clear()


def test_what_lacks_a_part_is_no_extractor(tmp_path):
    path = tmp_path / "half.py"
    path.write_text(OUTSIDE.replace('    version = "1"\n', ""))
    with pytest.raises(ConfigError, match="has no version"):
        m.extractors([path])


class _Raising:
    name, metrics, category, procedures, version = "raising", ("x",), Category.ELECTRICAL, frozenset({"IVg"}), "1"

    def __init__(self, error):
        self.error = error

    def extract(self, run, context):
        raise self.error

    def validate(self, metric):
        return True


def test_numbers_that_break_a_method_cost_its_metric_and_a_bug_is_not_hidden():
    found = m.extract(runs(), extractors=[_Raising(ValueError("no such root"))], pairs=False)
    assert {s.reason for s in found.skips} == {m.Reason.ALGORITHM_FAILURE}
    assert "no such root" in found.skips[0].detail
    with pytest.raises(NotImplementedError):
        m.extract(runs(), extractors=[_Raising(NotImplementedError())], pairs=False)


def test_an_invalid_metric_is_kept_flagged_and_told(caplog):
    doubting = SimpleNamespace(
        name="doubting", metrics=("x",), category=Category.ELECTRICAL, procedures=frozenset({"IVg"}), version="1",
        extract=lambda run, context: [metric("x", 1.0, run_id=run.run_id)], validate=lambda metric: False,
    )  # fmt: skip
    with caplog.at_level(logging.INFO, logger="batchlab"):
        found = m.extract_run(runs()[0], extractors=[doubting])
    assert found.metrics[0].flags == ("INVALID",) and found.metrics[0].confidence == 0.1
    assert "x of" in caplog.text


def test_nothing_is_formatted_when_nobody_listens(caplog):
    class Loud(str):
        def __format__(self, spec):
            raise AssertionError("formatted")

        def __str__(self):
            raise AssertionError("formatted")

    silent = SimpleNamespace(
        name="silent", metrics=("x",), category=Category.ELECTRICAL, procedures=frozenset({"IVg"}), version="1",
        extract=lambda run, context: m.Skip(m.Reason.DATA_QUALITY, Loud("x")), validate=lambda metric: True,
    )  # fmt: skip
    with caplog.at_level(logging.INFO, logger="batchlab"):
        assert m.extract_run(runs()[0], extractors=[silent]).skips[0].reason is m.Reason.DATA_QUALITY
    with caplog.at_level(logging.DEBUG, logger="batchlab"):
        m.extract_run(replace(runs()[0], columns={}))
    assert any("MISSING_COLUMN" in text for text in caplog.messages)


def test_order_of_runs_changes_nothing():
    some = runs()
    assert m.extract(some) == m.extract(some[::-1])
    seen = []
    m.extract(some, on_run=lambda run, extraction: seen.append((run.run_id[0], len(extraction.metrics) > 0)))
    assert seen == [("a", True), ("b", True), ("c", True), ("d", True)]


def metric(name="x", value=1.0, *, run_id="a" * 16, method="m", version="1", **more):
    return DerivedMetric(
        run_id=run_id, procedure="IVg", chip=Chip("Alisson", 67), metric_name=name, metric_category=Category.ELECTRICAL,
        unit="V", extraction_method=method, extraction_version=version, value_float=value, **more,
    )  # fmt: skip


def frame(*metrics, when=NOW, seq=None):
    return m.metrics_frame(metrics, timestamp=when, seq=seq or {})


def test_a_wide_table_says_by_which_method_it_speaks():
    rows = [metric("v_th", value, run_id=run * 16, method=method) for run, method, value in (
        ("a", "linear-extrapolation", 1.0), ("a", "constant-current", 2.0), ("b", "constant-current", 3.0),
    )]  # fmt: skip
    view = m.wide(frame(*rows, metric("off_current", 4.0)), quality=True).frame
    assert view["v_th"].to_list() == [1.0, 3.0]
    assert view["v_th.method"].to_list() == ["linear-extrapolation", "constant-current"]
    assert view["v_th (constant-current)"].to_list() == [2.0, 3.0]
    assert "off_current.method" not in view.columns  # one method needs no telling
    assert "v_th.method" not in m.wide(frame(*rows)).frame.columns


def test_rows_hold_everything_in_open_types():
    rich = metric(
        value_json={"b": np.arange(2), "a": float("nan")}, flags=("P", "Q"), confidence=0.5, standard_error=0.1
    )
    row = frame(rich, seq={"a" * 16: 7}).row(0, named=True)
    assert json.loads(row["value_json"]) == {"a": None, "b": [0, 1]}
    assert (row["flags"], row["confidence"], row["seq_num"], row["standard_error"]) == ("P,Q", 0.5, 7, 0.1)
    assert (row["chip_group"], row["chip_number"], row["extraction_timestamp"]) == ("Alisson", 67, NOW)
    with pytest.raises(ValueError, match="derived twice"):
        frame(metric(), metric(value=2.0))


def test_a_filtered_run_changes_only_what_it_covers():
    table = m.upsert(None, frame(*m.extract(runs()).metrics), m.Coverage()).table
    one = [run for run in runs() if run.run_id == "c" * 16]
    extractors = [e for e in m.extractors() if e.name == "dirac_point"]
    moved = [replace(one[0], columns={"Vg (V)": gate_loop(), "I (A)": transfer(gate_loop(), 0.9, 0.9)})]
    new = frame(*m.extract(moved, extractors=extractors, pairs=False).metrics, when=LATER)
    covers = m.coverage_of(moved, extractors, pairs=False, series=False)
    assert covers == m.Coverage(run_ids=frozenset({"c" * 16}), metric_names=frozenset(extractors[0].metrics))
    done = m.upsert(table, new, covers)
    assert done.changed == new.height and done.added == done.removed == 0
    assert done.table.height == table.height
    touched = (pl.col("run_id") == "c" * 16) & pl.col("metric_name").is_in(extractors[0].metrics)
    assert_frame_equal(done.table.filter(~touched), table.filter(~touched))
    assert set(done.table.filter(touched)["extraction_timestamp"]) == {LATER}


def test_a_repeated_run_leaves_the_same_table():
    first = m.upsert(None, frame(*m.extract(runs()).metrics), m.Coverage())
    again = m.upsert(first.table, frame(*m.extract(runs()[::-1]).metrics, when=LATER), m.Coverage())
    assert_frame_equal(first.table, again.table)
    assert (again.added, again.changed, again.removed) == (0, 0, 0)
    assert again.superseded.is_empty()


def test_a_new_number_in_the_history_is_no_new_value():
    first = m.upsert(None, frame(metric(), seq={"a" * 16: 3}), m.Coverage()).table
    moved = m.upsert(first, frame(metric(), seq={"a" * 16: 4}, when=LATER), m.Coverage())
    assert moved.changed == 0 and moved.superseded.is_empty()
    assert moved.table.select("seq_num", "extraction_timestamp").rows() == [(4, NOW)]


def test_all_that_is_derived_is_covered():
    some = runs()
    found = m.extract(some)
    covers = m.coverage_of(some, m.extractors())
    assert {x.metric_name for x in found.metrics} <= covers.metric_names


def test_what_was_covered_and_did_not_come_again_goes_into_the_history():
    table = frame(metric("x"), metric("y"), metric("x", run_id="b" * 16))
    done = m.upsert(table, frame(metric("x", 2.0, version="2"), when=LATER), m.Coverage(run_ids=frozenset({"a" * 16})))
    assert done.table.select("run_id", "metric_name", "value_float").rows() == [
        ("a" * 16, "x", 2.0),
        ("b" * 16, "x", 1.0),
    ]
    assert (done.added, done.changed, done.removed) == (0, 1, 1)
    history = m.add_history(None, done.superseded, timestamp=LATER)
    assert history["metric_name"].to_list() == ["x", "y"]
    assert history["extraction_version"].to_list() == ["1", "1"]
    assert set(history["superseded_timestamp"]) == {LATER}
    grown = m.add_history(history, m.upsert(done.table, frame(), m.Coverage()).superseded, timestamp=LATER)
    assert grown.height == 4


def test_an_empty_extraction_empties_nothing_it_did_not_cover():
    table = frame(metric("x"), metric("y"))
    done = m.upsert(table, frame(), m.Coverage(run_ids=frozenset()))
    assert_frame_equal(done.table, table)


def test_the_wide_view_has_numbers_units_and_one_row_a_run():
    table = frame(
        metric("cnp_voltage", 0.2, method="robust"),
        metric("cnp_voltage", 0.25, method="maximum-resistance"),
        metric("cnp_voltage", 0.7, method="maximum-resistance", run_id="b" * 16),
        replace(metric("label", run_id="b" * 16), value_float=None, value_str="odd"),
        seq={"a" * 16: 2, "b" * 16: 1},
    )
    view = m.wide(table, quality=True)
    assert view.frame["run_id"].to_list() == ["b" * 16, "a" * 16]
    assert view.frame["cnp_voltage"].to_list() == [0.7, 0.2]
    assert view.frame["cnp_voltage (maximum-resistance)"].to_list() == [0.7, 0.25]
    assert view.frame.schema["cnp_voltage"] == pl.Float64 and view.frame.schema["label"] == pl.String
    assert view.frame["label"].to_list() == ["odd", None]
    assert view.frame["cnp_voltage.confidence"].to_list() == [1.0, 1.0]
    assert view.units["cnp_voltage"] == "V"


def test_the_wide_view_never_mixes_units():
    table = frame(
        replace(metric("gain", 1.0), unit="A"),
        replace(metric("gain", 2.0, run_id="b" * 16), unit="V"),
        replace(metric("linear_drift", 3.0), unit="A/s"),
        metric("plain", 4.0),
    )
    view = m.wide(table, quality=True)
    by_run = dict(zip(view.frame["run_id"], view.frame.to_dicts(), strict=True))
    one, two = by_run["a" * 16], by_run["b" * 16]
    assert (one["gain [A]"], one["gain [V]"], two["gain [A]"], two["gain [V]"]) == (1.0, None, None, 2.0)
    assert "gain" not in one and one["gain [A].confidence"] == 1.0 and one["gain [V].confidence"] is None
    # Its name does not depend on what else a laboratory has measured.
    assert one["linear_drift [A/s]"] == 3.0 and one["plain"] == 4.0
    assert view.units["gain [A]"] == "A" and view.units["gain [V]"] == "V"


def test_curves_become_the_json_that_numbers_would():
    values = np.random.default_rng(0).normal(size=25_000) * 10.0 ** np.arange(-12, 13).repeat(1000)
    curve, spoilt = array("d", values.tobytes()), array("d", [1.0, float("nan")])
    given = [{"b": curve, "a": {"c": curve[:3], "d": "text"}}, None, {"e": spoilt, "f": array("d")}, {"g": curve[:2]}]
    first, none, odd, last = texts(given)
    assert none is None
    assert json.loads(first) == {"a": {"c": curve[:3].tolist(), "d": "text"}, "b": curve.tolist()}
    assert json.loads(odd) == {"e": [1.0, None], "f": []}
    assert json.loads(last) == {"g": curve[:2].tolist()}


def test_the_table_survives_parquet(tmp_path):
    table = m.upsert(None, frame(*m.extract(runs()).metrics), m.Coverage()).table
    table.write_parquet(tmp_path / "metrics.parquet")
    read = pl.read_parquet(tmp_path / "metrics.parquet")
    assert_frame_equal(read, table)
    assert m.upsert(read, table, m.Coverage()).changed == 0


def test_extraction_opens_no_engine_and_no_slow_library():
    import subprocess
    import sys

    code = (
        "import sys; import batchlab.devices.metrics as m; m.extractors();"
        "print([n for n in ('polars', 'scipy', 'matplotlib', 'pydantic', 'batchlab.engine') if n in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.strip() == "[]", told.stderr


@pytest.mark.parametrize("rows", [0, 1, 2, 5, 8, 30, 200])
def test_nothing_breaks_on_odd_data(rows):
    rng = np.random.default_rng(rows)
    geometry = m.Geometry(layers=(m.Dielectric.of("hBN", 30.0),))
    power = m.IrradiatedPower(power_w=1e-5, calibration_run_id="c", optical_fiber="", age_h=0.0, age=m.Age.PERFECT)
    context = m.ExtractionContext(geometry=geometry, power=power, threshold_current_a=1e-7)
    index = np.arange(rows, dtype=float)
    values = [0 * index, 0 * index + 1e-5, rng.normal(size=rows), np.full(rows, np.nan), index]
    lights = [
        0 * index,
        0 * index + 1,
        (index > rows // 2) * 1.0,
        ((index > rows // 3) & (index < 2 * rows // 3)) * 1.0,
    ]
    for y in values:
        for vl in lights:
            for t in (0.1 * index, 0 * index, np.round(index / 7)):
                found = m.extract_run(trace_run(t, y, vl), context)
                assert not any("Warning" in s.detail for s in found.skips)
                assert all(np.isfinite(x.value_float) for x in found.metrics)
        for v in (np.linspace(-5, 5, rows), 0 * index, rng.normal(size=rows), gate_loop()[:rows]):
            found = m.extract_run(sweep_run(v, y), context)
            assert all(np.isfinite(x.value_float) for x in found.metrics)
