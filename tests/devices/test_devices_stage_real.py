from __future__ import annotations

import numpy as np
import pytest

from batchlab.devices._calibration import calibrations_of, link_calibrations
from batchlab.devices._history import histories
from batchlab.devices._inspect import validate_manifest
from batchlab.devices._read import read_run
from batchlab.devices._stage import stage
from batchlab.devices._store import Store


@pytest.fixture(scope="module")
def staged(shared_devices, tmp_path_factory):
    root = tmp_path_factory.mktemp("real") / "store"
    return root, stage(shared_devices, root)


@pytest.fixture(scope="module")
def chips(staged):
    store = Store(staged[0])
    return histories(store.manifest(), timezone=store.timezone)


def test_the_real_set_stages_with_exactly_one_reject(staged, shared_devices):
    root, told = staged
    (reject,) = told.rejects
    assert (reject.name, reject.reason) == ("Alisson_25_sept/It2025-09-25_10.csv", "no-rows")
    assert told.counts["files"] == 268 and told.counts["ok"] == 267 and not told.duplicates
    assert validate_manifest(root, raw_root=shared_devices) == []
    again = stage(shared_devices, root)
    assert not again.changed and len(again.rejects) == 1


def test_histories_of_real_chips_tell_two_groups_apart(chips):
    assert {name: chips[name].height for name in ("Alisson71", "other71")} == {"Alisson71": 82, "other71": 2}
    assert {"Alisson72", "Alisson79", "Alisson81"} <= chips.keys()
    assert sum(table.height for table in chips.values()) == 267 - 67
    for table in chips.values():
        assert list(table["seq"]) == list(range(1, table.height + 1)) and table["start_time_utc"].is_sorted()
        assert (table["date_origin"] == "meta").all()
    days = chips["Alisson72"].select("date_local", "source_file").iter_rows()
    assert all(str(day) in name for day, name in days)


def test_real_runs_are_stored_as_they_read(staged, shared_devices, chips):
    store = Store(staged[0])
    for name in ("Alisson71", "Alisson72", "Alisson79"):
        for run_id, source in chips[name].select("run_id", "source_file").iter_rows():
            stored, read = store.read_run(run_id), read_run(shared_devices / source)
            assert list(stored.columns) == list(read.columns) and stored.settings == read.settings
            for column in read.columns:
                np.testing.assert_array_equal(stored.columns[column], read.columns[column])


def test_real_runs_find_their_calibrations(staged):
    store = Store(staged[0])
    made = calibrations_of(store)
    assert len(made) == 67
    links = link_calibrations(store.runs(columns=()), made)
    lit = store.table.filter(has_light=True).filter(store.table.filter(has_light=True)["proc"] != "LaserCalibration")
    powered = links.filter(links["irradiated_power_w"].is_not_null())
    assert set(powered["run_id"]) <= set(lit["run_id"]) and powered.height > 80
    assert powered["irradiated_power_w"].is_between(0, 1e-3).all()
    told = links.filter(links["calibration"] == "missing")
    assert told["calibration_note"].null_count() == 0
