from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from batchlab.devices._flags import quality_flags
from batchlab.devices._model import Chip
from batchlab.devices._procedures import Column, Kind, Light, load_schema, schema_digest
from batchlab.devices._read import read_many, read_run
from batchlab.devices._run_id import peer_run_id, run_id
from batchlab.devices._synthetic import write_run
from batchlab.errors import ConfigError

OWN = """\
ManifestColumnMap:
  lamp_v: [Lamp voltage]
Synonyms:
  I (A): [strom]
procedures:
  Ramp:
    Parameters:
      Lamp voltage: float
      Runs: int
    Data:
      t (s): {type: float, required: true}
      I (A): {type: float, required: true}
      Lamp (V): float
    Config:
      light_detection: none
      requires_chip: false
"""


def own(tmp_path, text=OWN):
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_built_in_schema():
    schema = load_schema()
    it, calibration = schema.procedures["It"], schema.procedures["LaserCalibration"]
    assert it.required == ("t (s)", "I (A)") and it.columns[2] == Column("VL (V)")
    assert it.light is Light.STANDARD and it.requires_chip
    assert calibration.light is Light.LASER_CALIBRATION and not calibration.requires_chip
    assert calibration.metadata == {"Sensor model": Kind.STR, "Start time": Kind.DATETIME}
    assert schema.procedures["Tt"].light is Light.NONE
    assert schema.setting("Laser ON+OFF period") == "laser_period_s"
    assert schema.setting("Sampling time (excluding Keithley)") == "sampling_time_s"
    assert schema.setting("Some (new) thing") == "some_new_thing"


def test_a_new_procedure_needs_no_code(tmp_path):
    schema = load_schema(own(tmp_path))
    path = tmp_path / "Ramp2025-09-04_1.csv"
    parameters = {"Lamp voltage": "250 mV", "Runs": "3"}
    write_run(path, "Ramp", parameters, ("t (s)", "Strom (uA)", "Lamp (V)"), ["0,5,1", "1,6,1"])
    run = read_run(path, schema)
    assert (run.procedure, run.chip, run.has_light) == ("Ramp", None, False)
    assert run.settings == {"lamp_v": 0.25, "runs": 3}
    assert run.columns["I (A)"].tolist() == pytest.approx([5e-6, 6e-6])
    assert read_many([path], schema).frames["Ramp"]["I (A)"].to_list() == run.columns["I (A)"].tolist()
    assert set(load_schema().procedures) == set(schema.procedures) - {"Ramp"}


def test_own_files_add_and_replace(tmp_path):
    path = own(tmp_path, OWN.replace("Ramp:", "It:"))
    schema = load_schema(path)
    assert schema.procedures["It"].light is Light.NONE and "IVg" in schema.procedures
    assert "strom" in schema.synonyms["I (A)"] and "current" in schema.synonyms["I (A)"]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("procedures:", "procedure:", 5, "the file knows no 'procedure'; did you mean 'procedures'?"),
        ("    Parameters:", "    Paramters:", 7, "procedure Ramp knows no 'Paramters'; did you mean 'Parameters'?"),
        ("Runs: int", "Runs: integer", 9, "the type of 'Runs' in Ramp cannot be 'integer'; did you mean 'int'?"),
        ("Lamp (V): float", "Lamp (V): str", 13, "column 'Lamp (V)' of Ramp is str, but columns are numbers"),
        (
            "Lamp (V): float",
            "Lamp (V): {typ: float}",
            13,
            "column 'Lamp (V)' of Ramp knows no 'typ'; did you mean 'type'?",
        ),
        (
            "required: true}\n      I",
            "required: yes}\n      I",
            11,
            "required of 't (s)' must be true or false, not 'yes'",
        ),
        ("detection: none", "detection: nine", 15, "cannot be 'nine'; did you mean 'none'?"),
        ("chip: false", "chip: 0", 16, "requires_chip of Ramp must be true or false, not 0"),
        ("lamp_v:", "lamp v:", 2, "'lamp v' cannot name a column"),
        ("[strom]", "{strom: 1}", 4, "the synonyms of 'I (A)' must be a list of names"),
        ("[Lamp voltage]", "", 2, "the header names of 'lamp_v' must be a list of names, not nothing"),
        ("procedures:\n", "procedures: [1]\nx:\n", 5, "procedures must be a mapping, not [1]"),
        ("Runs: int", "Lamp voltage: int", 9, "the key 'Lamp voltage' stands here again"),
    ],
)
def test_slips_are_told_with_their_line_and_the_nearest_right_word(tmp_path, old, new, line, message):
    text = OWN.replace(old, new, 1)
    assert text != OWN
    path = own(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_schema(path)
    told = {(problem.file, problem.line): problem.message for problem in caught.value.problems}
    assert message in told[str(path), line]


def test_all_slips_are_told_at_once(tmp_path):
    text = OWN.replace("Runs: int", "Runs: inte").replace("detection: none", "detection: nine").replace("lamp_v", "l v")
    with pytest.raises(ConfigError) as caught:
        load_schema(own(tmp_path, text))
    assert [problem.line for problem in caught.value.problems] == [2, 9, 15]


@pytest.mark.parametrize("text", ["procedures: {A: {}}", "procedures: {A: {Parameters: {x: int}}}"])
def test_a_procedure_without_data_is_a_slip(tmp_path, text):
    with pytest.raises(ConfigError, match="procedure A records nothing"):
        load_schema(own(tmp_path, text))


@pytest.mark.parametrize("text", ["{}", "[1]", "3"])
def test_a_file_that_says_nothing_is_a_slip(tmp_path, text):
    with pytest.raises(ConfigError, match=r"says nothing|must be a mapping"):
        load_schema(own(tmp_path, text))


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ConfigError, match=r"gone\.yaml: cannot be read"):
        load_schema(tmp_path / "gone.yaml")


def test_the_digest_of_a_schema_changes_with_its_files(tmp_path):
    path = own(tmp_path)
    with_own = schema_digest(path)
    assert with_own == schema_digest(path) != schema_digest()
    own(tmp_path, OWN + "\n")
    assert schema_digest(path) != with_own


def test_the_name_of_a_run_is_that_of_its_raw_data():
    start = datetime(2025, 9, 4, 20, 55, 55, 733355, tzinfo=UTC)
    table = b"t (s),I (A)\n0.0,1e-06\n"
    digest = hashlib.sha1(table).hexdigest()
    expected = hashlib.sha1(f"It|Alisson|67|2025-09-04T20:55:55.733355|{digest}".encode()).hexdigest()[:16]
    assert run_id("It", Chip("Alisson", 67), start, table) == expected
    nothing = hashlib.sha1(f"It||||{digest}".encode()).hexdigest()[:16]
    assert run_id("It", None, None, table) == nothing
    others = {
        run_id("Vt", Chip("Alisson", 67), start, table),
        run_id("It", Chip("other", 67), start, table),
        run_id("It", Chip("Alisson", 68), start, table),
        run_id("It", Chip("Alisson", 67), start.replace(microsecond=0), table),
        run_id("It", Chip("Alisson", 67), start, table[:-1]),
        expected,
    }
    assert len(others) == 6


def test_older_stores_name_a_run_by_the_table_written_anew():
    table = pl.DataFrame({"t (s)": [0.0, 1.0], "I (A)": [1e-6, 2e-6]})
    start = datetime(2025, 9, 4, 20, 55, 55, tzinfo=UTC)
    found = peer_run_id("It", Chip("Alisson", 67), start, table)
    assert found == run_id("It", Chip("Alisson", 67), start, table.write_csv().encode())


@pytest.mark.parametrize(
    ("current", "flags"),
    [
        (np.linspace(1e-6, 3e-6, 100), ()),
        (np.linspace(-3e-6, -1e-6, 100), ()),
        (np.full(100, 5e-13), ("DEAD_OPEN_CIRCUIT",)),
        (np.linspace(9e-6, 10e-6, 100), ("DEAD_FLAT_IVG",)),
        (np.concatenate(([1e-6], np.full(99, 1e-3))), ("DEAD_STUCK_SATURATED",)),
        (np.full(100, 1e-3), ("DEAD_FLAT_IVG", "DEAD_STUCK_SATURATED")),
        (np.concatenate(([np.nan], np.linspace(1e-6, 3e-6, 99))), ()),
        (np.full(10, np.nan), ()),
        (np.array([]), ()),
    ],
)
def test_dead_devices_are_told_by_their_transfer_curve(current, flags):
    assert quality_flags("IVg", {"I (A)": current}) == flags
    assert quality_flags("It", {"I (A)": current}) == ()


def test_a_curve_without_current_is_not_judged():
    assert quality_flags("IVg", {"Vg (V)": np.zeros(4)}) == ()
