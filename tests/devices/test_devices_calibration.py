from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from batchlab.devices._calibration import calibrations_of, link_calibrations, validate_links
from batchlab.devices._enrich import enrich, read_enriched, units_of, write_enriched
from batchlab.devices._history import file_of, histories
from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices._stage import stage
from batchlab.devices._store import Store
from batchlab.devices.metrics import calibration_of, metrics_frame, wide

NOON = datetime(2025, 9, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def store(lab, tmp_path_factory):
    root = tmp_path_factory.mktemp("store")
    stage(lab.raw_root, root)
    return Store(root)


@pytest.fixture(scope="module")
def links(store):
    return link_calibrations(store.runs(columns=()), calibrations_of(store))


def calibration(run_id, hours, *, nm=455.0, fiber="F1", slope=1e-6):
    volt = np.linspace(1.0, 5.0, 9)
    return calibration_of(
        Run(
            run_id=run_id,
            procedure="LaserCalibration",
            start_utc=NOON + timedelta(hours=hours),
            settings={"wavelength_nm": nm, "optical_fiber": fiber, "sensor_model": "S120VC"},
            columns={"VL (V)": volt, "Power (W)": slope * (volt - 1.0)},
        )
    )


def lit(level=3.0, nm=455.0, *, start=NOON, **settings):
    return Run(
        run_id="aaaa",
        procedure="It",
        start_utc=start,
        has_light=True,
        settings={"laser_voltage_v": level, "wavelength_nm": nm, **settings},
    )


def link(run, *calibrations, **options):
    (row,) = link_calibrations([run], calibrations, **options).to_dicts()
    return row


def test_the_last_calibration_before_a_run_counts():
    row = link(lit(), calibration("old", -48), calibration("new", -2, slope=3e-6), calibration("later", 1))
    assert (row["calibration"], row["calibration_run_id"]) == ("perfect", "new")
    assert row["calibration_age_h"] == pytest.approx(2) and row["calibration_start_utc"] == NOON - timedelta(hours=2)
    assert row["irradiated_power_w"] == pytest.approx(6e-6) and row["power_extrapolated"] is False
    assert (row["calibration_fiber"], row["calibration_sensor"], row["calibration_note"]) == ("F1", "S120VC", None)


@pytest.mark.parametrize(
    ("hours", "stale_h", "found"),
    [(-24.0, 24, "perfect"), (-24.1, 24, "stale"), (-24.1, 30, "perfect"), (5.0, 24, "future")],
)
def test_age_tells_how_far_a_calibration_is_to_be_believed(hours, stale_h, found):
    row = link(lit(), calibration("only", hours), stale_h=stale_h)
    assert row["calibration"] == found and row["calibration_age_h"] == pytest.approx(-hours)
    assert row["irradiated_power_w"] == pytest.approx(2e-6)


def test_after_the_run_the_first_one_counts():
    assert link(lit(), calibration("b", 9), calibration("a", 3))["calibration_run_id"] == "a"


def test_power_lies_on_the_line_between_two_voltages():
    assert link(lit(2.75), calibration("a", -1))["irradiated_power_w"] == pytest.approx(1.75e-6)


def test_outside_of_the_calibrated_range_power_goes_on_and_is_told():
    row = link(lit(6.0), calibration("a", -1))
    assert row["power_extrapolated"] is True and row["irradiated_power_w"] == pytest.approx(5e-6)
    assert row["calibration_note"] == "6 V is outside of the calibrated 1 to 5 V"


def test_fibre_and_wavelength_have_to_fit():
    both = (calibration("f1", -1), calibration("f2", -3, fiber="F2"))
    row = link(lit(), *both)
    assert row["calibration_run_id"] == "f1" and "F1, F2" in row["calibration_note"]
    assert link(lit(optical_fiber="F2"), *both)["calibration_run_id"] == "f2"
    row = link(lit(optical_fiber="F3"), *both)
    assert row["calibration"] == "missing" and "through F3" in row["calibration_note"]
    row = link(lit(nm=625.0), *both)
    assert (row["calibration"], row["irradiated_power_w"]) == ("missing", None)
    assert row["calibration_note"] == "no calibration at 625 nm; calibrated are 455"
    assert "does not say its wavelength" in link(lit(nm=None), *both)["calibration_note"]
    assert "when the run began" in link(lit(start=None), *both)["calibration_note"]


def test_runs_in_the_dark_need_none_and_calibrations_are_not_linked():
    dark = Run(run_id="dark", procedure="It", has_light=False, start_utc=NOON, settings={"laser_voltage_v": 0.0})
    row = link(dark, calibration("a", -1))
    assert row["calibration"] == "dark" and row["calibration_run_id"] is None
    assert link_calibrations([Run(run_id="c", procedure="LaserCalibration")], []).is_empty()


def test_every_lit_run_of_the_laboratory_has_its_power(lab, store, links):
    rows = {row["run_id"]: row for row in links.to_dicts()}
    files = dict(store.table.select("source_file", "run_id").iter_rows())
    compared = 0
    for truth in lab.truths:
        if truth.procedure == "LaserCalibration":
            continue
        row = rows.pop(files[truth.file])
        if "power_w" in truth.values and truth.values["power_w"] and row["calibration"] != "missing":
            assert row["irradiated_power_w"] == pytest.approx(truth["power_w"], rel=0.05)
            compared += 1
        if truth.laser_voltage_v == 0:
            assert row["calibration"] == "dark"
    assert not rows and compared > 20
    assert {"perfect", "future", "dark"} <= set(links["calibration"])


def test_the_order_of_runs_and_calibrations_changes_nothing(store, links):
    runs, made = list(store.runs(columns=())), calibrations_of(store)
    assert link_calibrations(runs[::-1], made[::-1]).equals(links)


def test_kept_links_are_compared_with_the_store(store, links):
    made = calibrations_of(store)
    history = histories(store.manifest(), timezone=store.timezone)["Alisson67"]
    table = enrich(history, links=links).table
    assert validate_links(table, made) == [] == validate_links(links, made)
    (used,) = table.filter(pl.col("calibration_run_id").is_not_null())["calibration_run_id"].unique()[:1]
    wrong = validate_links(table, [each for each in made if each.run_id != used])
    assert wrong and all(used in line and "link calibrations again" in line for line in wrong)
    (line,) = validate_links(
        table.with_columns(irradiated_power_w=pl.when(pl.col("seq") == 4).then(2.0).otherwise("irradiated_power_w")),
        made,
    )
    assert "power" in line


def metric(run, name, value=None, *, text=None, unit="V", method="a"):
    return DerivedMetric(
        run_id=run,
        procedure="IVg",
        metric_name=name,
        metric_category=Category.ELECTRICAL,
        unit=unit,
        extraction_method=method,
        extraction_version="1",
        value_float=value,
        value_str=text,
    )


@pytest.fixture
def enriched(store, links):
    history = histories(store.manifest(), timezone=store.timezone)["Alisson67"]
    ids = history.filter(proc="IVg")["run_id"]
    other = store.table.filter(proc="IVg", chip_name="Alisson81")["run_id"][0]
    rows = metrics_frame(
        [
            *(metric(run, "cnp_voltage", 0.5 + k) for k, run in enumerate(ids[:3])),
            metric(ids[0], "quality", text="good", unit="1"),
            metric(ids[0], "rows", 3.0, unit="1"),
            metric(other, "mobility", 9.0, unit="cm^2/V/s"),
        ],
        timestamp=NOON,
    )
    spread = wide(rows)
    return history, enrich(history, links=links, metrics=spread.frame, units=spread.units)


def test_an_enriched_history_has_one_row_per_run_and_numbers_as_numbers(enriched):
    history, found = enriched
    assert found.table.select(history.columns).equals(history)
    assert found.table["cnp_voltage"].drop_nulls().to_list() == [0.5, 1.5, 2.5]
    kinds = found.table.schema
    assert kinds["cnp_voltage"] == kinds["irradiated_power_w"] == kinds["calibration_age_h"] == pl.Float64
    assert kinds["quality"] == pl.String and kinds["metric_rows"] == pl.Float64 and kinds["rows"] == pl.Int64
    assert "mobility" not in found.table.columns
    assert found.units["cnp_voltage"] == "V" and found.units["irradiated_power_w"] == "W"
    assert found.units["metric_rows"] == "1" and found.units["wavelength_nm"] == "nm"


def test_an_enriched_history_is_read_as_written_with_its_units(enriched, tmp_path):
    _, found = enriched
    write_enriched({"Alisson67": found}, tmp_path)
    first = (tmp_path / file_of("Alisson67")).read_bytes()
    read = read_enriched(tmp_path, "Alisson67")
    assert read.table.equals(found.table) and read.units == found.units == units_of(tmp_path / file_of("Alisson67"))
    write_enriched({"Alisson67": read}, tmp_path)
    assert (tmp_path / file_of("Alisson67")).read_bytes() == first
    write_enriched({}, tmp_path, sweep=True)
    assert not list(tmp_path.iterdir())


def test_some_metrics_alone_can_be_joined(enriched, store):
    history, whole = enriched
    some = whole.table.select("run_id", "cnp_voltage", "quality")
    assert enrich(history, metrics=some, only=("cnp",)).table.columns == [*history.columns, "cnp_voltage"]
    assert enrich(history).table.equals(history)
    with pytest.raises(ValueError, match="more than one row of run"):
        enrich(history, metrics=pl.concat([some, some.head(1)]))
