from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from batchlab.devices._model import Chip
from batchlab.devices._read import discover, read_header, read_many, read_run
from batchlab.errors import DataError


@pytest.fixture(scope="module")
def many(shared_devices):
    return read_many(discover(shared_devices))


def test_the_shared_set_reads_with_one_reject_and_the_counts_of_its_readme(many):
    assert len(many.records) == 267
    (reject,) = many.rejects
    assert (reject.path.name, reject.reason) == ("It2025-09-25_10.csv", "no-rows")
    assert "no rows" in reject.message and str(reject.path) in reject.message
    assert Counter(record.procedure for record in many.records) == {
        "IVg": 96,
        "It": 99,
        "IV": 5,
        "LaserCalibration": 67,
    }
    assert all(not record.notes for record in many.records)
    longest = max(many.records, key=lambda record: record.rows)
    assert longest.rows == 75_714 and longest.chip == Chip("Alisson", 81)
    assert {record.rows for record in many.records if record.procedure == "LaserCalibration"} == {51}
    lengths = Counter(record.rows for record in many.records if record.procedure == "IVg")
    assert (lengths.most_common(1)[0][0], min(lengths), max(lengths)) == (601, 59, 1201)


def test_two_chips_of_one_number_are_two_chips(many):
    chips = Counter(record.chip for record in many.records)
    assert chips[Chip("Alisson", 71)] == 82 and chips[Chip("other", 71)] == 2
    assert {record.chip for record in many.records if record.procedure == "LaserCalibration"} == {None}


def test_light_start_and_settings_of_a_known_file(shared_devices):
    run = read_run(shared_devices / "Alisson_23_sept" / "It2025-09-23_16.csv")
    assert run.chip == Chip("Alisson", 72) and run.has_light is True
    assert run.start_utc is not None and run.start_utc.timestamp() == pytest.approx(1758637895.2135174, abs=1e-6)
    assert run.settings["vg_fixed_v"] == -2.68 and run.settings["laser_voltage_v"] == 2.11
    assert run.settings["laser_period_s"] == 120.0 and run.settings["sampling_time_s"] == 0.0
    assert run.columns["t (s)"][1] == 0.08375822 and run.columns["I (A)"][0] == 3.696551e-05
    assert np.isnan(run.columns["Clock (ms)"]).all()


def test_calibrations_have_no_chip_and_an_unset_text_is_none(shared_devices):
    run = read_run(shared_devices / "Alisson_23_sept" / "LaserCalibration2025-09-23_6.csv")
    assert run.chip is None and run.has_light is True and run.settings["information"] is None
    assert run.settings["optical_fiber"] == "F1 (M92L02)" and run.settings["sensor_model"] == "S120VC"


def test_all_at_once_gives_the_values_of_one_by_one(many):
    assert set(many.frames) == {"IVg", "It", "IV", "LaserCalibration"}
    for record in many.records[::5]:
        run = read_run(record.path)
        frame = many.frames[record.procedure]
        rows = frame.filter(frame["run_id"] == record.run_id)
        assert rows["row"].to_list() == list(range(run.rows))
        assert run.run_id == record.run_id and dict(run.settings) == dict(record.settings)
        for name, values in run.columns.items():
            np.testing.assert_array_equal(rows[name].to_numpy(), values, strict=True)


def test_a_head_without_metadata_is_read_and_its_file_refused(shared_devices):
    path = shared_devices / "Alisson_25_sept" / "It2025-09-25_10.csv"
    header = read_header(path)
    assert header.procedure == "It" and not header.metadata and header.columns[0] == "t (s)"
    with pytest.raises(DataError, match="no rows"):
        read_run(path)
