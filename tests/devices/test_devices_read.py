from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from batchlab.devices._model import Chip
from batchlab.devices._procedures import load_schema
from batchlab.devices._read import _many as many_module
from batchlab.devices._read import discover, read_header, read_many, read_run
from batchlab.devices._synthetic import write_run
from batchlab.errors import Category, ConfigError, DataError

PARAMETERS = {"Chip group name": "Alisson", "Chip number": "67", "VDS": "0.1 V"}
COLUMNS = ("Vg (V)", "I (A)", "Clock (ms)")
STARTED = {"Start time": "1757019355.7333555"}

fresh = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(path, rows, *, procedure="IVg", parameters=PARAMETERS, columns=COLUMNS, metadata=STARTED, newline="\r\n"):
    write_run(path, procedure, parameters, columns, rows, metadata=metadata, newline=newline)
    return path


def kinds(path):
    """The notes of a file, without those of its head."""
    many = read_many([path])
    assert not many.rejects, many.rejects
    return [note.kind for note in many.records[0].notes]


numbers = st.floats(width=64) | st.floats(-1e-3, 1e-3)
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=30).filter(
    lambda text: text == text.strip(" \t") and text not in ("None",)
)


@fresh
@given(
    table=st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=30),
    text=texts,
    newline=st.sampled_from(("\n", "\r\n")),
)
@example(table=[(0.0, 1e-6, float("nan"))], text="25 °C: a,b\nsecond line\\n ñ 日本", newline="\r\n")
def test_what_is_written_is_read(tmp_path, table, text, newline):
    path = write(
        tmp_path / "IVg2025-09-04_3.csv",
        [",".join(map(repr, row)) for row in table],
        parameters={**PARAMETERS, "Information": text},
        newline=newline,
    )
    run = read_run(path)
    assert run.settings["information"] == (text or None)
    np.testing.assert_array_equal(np.column_stack(list(run.columns.values())), np.array(table))
    frame = read_many([path]).frames["IVg"]
    np.testing.assert_array_equal(frame.select(*COLUMNS).to_numpy(), np.array(table))


odd_cells = (
    *(
        "0.0",
        "-0.15000000000000002",
        "7.23624e-06",
        "nan",
        "NaN",
        "-inf",
        "",
        " 1.5",
        "+5",
        "1_0",
        '"2"',
        "abc",
        "1e400",
    ),
    *("-0.0", "1.", ".5", "True", "0x1F", "# x", "\t3", "infinity", "1d5", "123456789012345678901234567890", "4 V"),
)
cells = st.sampled_from(odd_cells) | numbers.map(repr)
rows = st.lists(st.lists(cells, min_size=1, max_size=5).map(",".join) | st.just(",".join(COLUMNS)), max_size=12)
plain_rows = st.lists(st.tuples(numbers, numbers, numbers).map(lambda row: ",".join(map(repr, row))), min_size=1)


@fresh
@given(
    files=st.lists(st.tuples(rows | plain_rows, st.sampled_from(("", "\r\n", "0.5,1", "\0\0"))), min_size=1, max_size=5)
)
@example(files=[(["1,2", "3,4,5,6", "7,8,9"], ""), (["1,2,3"], "")])
@example(files=[(["1,2,3,4", "5,6"], ""), (["1,2,3"], ""), (["4,5,6"], "")])
@example(files=[(["1,2,3"], "4,5,6.0"), (["1,,3"], "")])
def test_many_at_once_read_as_one_by_one(tmp_path, files):
    paths = []
    for k, (lines, tail) in enumerate(files):
        path = write(tmp_path / f"{k}.csv", lines, metadata={"Start time": f"{1757019355 + k}.5"})
        path.write_bytes(path.read_bytes() + tail.encode())
        paths.append(path)
    many = read_many(paths)
    told = {reject.path: reject for reject in many.rejects} | {record.path: record for record in many.records}
    for path in paths:
        try:
            run = read_run(path)
        except DataError as error:
            assert told[path].message == str(error) and told[path].reason == error.reason
            continue
        frame = many.frames["IVg"]
        read = frame.filter(frame["run_id"] == run.run_id)
        assert told[path].run_id == run.run_id and told[path].rows == run.rows == read.height
        for name, values in run.columns.items():
            np.testing.assert_array_equal(read[name].to_numpy(), values)
            assert not read[name].null_count()


def test_line_ends_change_neither_values_nor_name(tmp_path):
    rows = ["0.0,1e-06,nan", "0.05,2e-06,nan"]
    one, two = (write(tmp_path / f"{k}.csv", rows, newline=end) for k, end in enumerate(("\n", "\r\n")))
    double = tmp_path / "double.csv"
    double.write_bytes(two.read_bytes().replace(b"\r\n", b"\r\r\n"))
    assert one.read_bytes() != two.read_bytes()
    assert read_run(one).run_id == read_run(two).run_id == read_run(double).run_id


def test_marks_of_other_encodings_are_read(tmp_path):
    path = write(tmp_path / "a.csv", ["0.0,1e-06,nan"])
    raw = path.read_bytes()
    for name, other in (("bom", b"\xef\xbb\xbf" + raw), ("utf16", raw.decode().encode("utf-16"))):
        (tmp_path / name).write_bytes(other)
        assert read_run(tmp_path / name).run_id == read_run(path).run_id
    latin = raw.replace(b"#\tVDS", b"#\tInformation: 25 \xb0C\r\n#\tVDS")
    (tmp_path / "latin").write_bytes(latin)
    assert read_run(tmp_path / "latin").settings["information"] == "25 °C"


def test_the_last_cell_of_a_cut_file_is_not_believed(tmp_path):
    path = write(tmp_path / "a.csv", ["0.0,1e-06,1.0", "0.05,2e-06,2.0"])
    path.write_bytes(path.read_bytes().removesuffix(b"-06,2.0\r\n"))  # leaves 0.05,2e: or 2 A
    run = read_run(path)
    assert run.columns["Vg (V)"].tolist() == [0.0, 0.05]
    assert run.columns["I (A)"][0] == 1e-6 and np.isnan(run.columns["I (A)"][1])
    assert kinds(path) == ["cut-last-row"]


def test_a_lone_first_cell_of_a_cut_file_is_no_row(tmp_path):
    path = write(tmp_path / "a.csv", ["0.0,1e-06,1.0", "0.05,2e-06,2.0"])
    path.write_bytes(path.read_bytes().removesuffix(b"5,2e-06,2.0\r\n"))
    assert read_run(path).rows == 1


@pytest.mark.parametrize(
    ("lines", "kind", "first_column"),
    [
        (["0.0,1,2", "0.5", "1.0,1,2"], "ragged-rows", [0.0, 0.5, 1.0]),
        (["0.0,1,2", "0.5,1,2,9,9", "1.0,1,2"], "ragged-rows", [0.0, 0.5, 1.0]),
        (["0.0,1,2", "# lamp realigned, 5,6", "1.0,1,2"], "comments", [0.0, 1.0]),
        (["0.0,1,2", ",".join(COLUMNS), "1.0,1,2"], "repeated-header", [0.0, 1.0]),
        (["0.0,1,2", "1.0,OVERFLOW,2"], "bad-cells", [0.0, 1.0]),
        (["0.0,1,2", "", "1.0,1,2"], None, [0.0, 1.0]),
    ],
)
def test_what_stands_between_rows_is_noted_with_its_line(tmp_path, lines, kind, first_column):
    path = write(tmp_path / "a.csv", lines)
    assert kinds(path) == ([kind] if kind else [])
    assert read_run(path).columns["Vg (V)"].tolist() == first_column
    for note in read_many([path]).records[0].notes:
        assert note.line == read_header(path).line + 2 and f"line {note.line}: " in str(note)


def test_headers_whole_and_cut(tmp_path):
    path = write(tmp_path / "a.csv", ["0.0,1,2"])
    header = read_header(path)
    assert (header.procedure, header.module, header.columns) == ("IVg", "laser_setup.procedures.IVg.IVg", COLUMNS)
    assert header.parameters == PARAMETERS and header.metadata == STARTED and header.line == 9
    path.write_bytes(path.read_bytes().partition(b"#Data")[0])
    for read in (read_header, read_run):
        with pytest.raises(DataError, match=r"a\.csv, line \d+: the file ends inside its header") as caught:
            read(path)
        assert caught.value.reason == "cut-header"


def test_a_file_saved_by_a_spreadsheet_reads_as_before(tmp_path):
    parameters = {**PARAMETERS, "Information": 'one, "two"'}
    path = write(tmp_path / "a.csv", ["0.0,1,2", "0.5,3,4"], parameters=parameters)
    before = read_run(path)
    head, mark, table = path.read_text().partition("#Data:")
    lines = [line if "one, " not in line else '"' + line.replace('"', '""') + '"' for line in head.splitlines()]
    path.write_text("\n".join(f"{line},," for line in [*lines, mark]) + table)
    after = read_run(path)
    assert after.settings == before.settings and after.run_id == before.run_id


def test_a_start_time_among_the_parameters_counts(tmp_path):
    path = write(tmp_path / "a.csv", ["0.0,1,2"], parameters={**PARAMETERS, **STARTED}, metadata=None)
    assert read_run(path).start_utc == datetime.fromtimestamp(1757019355.7333555, UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1757019355.5", datetime(2025, 9, 4, 20, 55, 55, 500000, UTC)),
        ("2025-09-04T20:55:55", datetime(2025, 9, 4, 20, 55, 55, tzinfo=UTC)),
        ("2025-09-04 16:55:55-04:00", datetime(2025, 9, 4, 20, 55, 55, tzinfo=UTC)),
    ],
)
def test_start_times_are_unix_seconds_or_iso(tmp_path, text, expected):
    path = write(tmp_path / "a.csv", ["0.0,1,2"], metadata={"Start time": text})
    assert read_run(path).start_utc == expected


def test_without_start_time_the_path_or_the_file_says_it(tmp_path):
    in_path = write(tmp_path / "x" / "IVg2025-09-04_12.csv", ["0.0,1,2"], metadata=None)
    nowhere = write(tmp_path / "x" / "a.csv", ["0.0,1,2"], metadata=None)
    os.utime(nowhere, (1.7e9, 1.7e9))
    first, second = read_many([in_path, nowhere]).records
    assert (first.date_origin, first.start_utc) == ("path", datetime(2025, 9, 4, 4, tzinfo=UTC))
    assert first.date_local == date(2025, 9, 4) and first.file_index == 12
    assert [note.kind for note in first.notes] == ["no-start-time"]
    assert (second.date_origin, second.start_utc) == ("mtime", datetime.fromtimestamp(1.7e9, UTC))
    assert read_run(nowhere).start_utc is None and second.file_index is None
    # A name that came from the path or the time of the file would change with a copy.
    assert first.run_id == second.run_id


def test_the_local_day_is_not_that_of_utc(tmp_path):
    late = datetime(2025, 9, 5, 2, 30, tzinfo=UTC)
    path = write(tmp_path / "a.csv", ["0.0,1,2"], metadata={"Start time": str(late.timestamp())})
    assert read_many([path]).records[0].date_local == date(2025, 9, 4)
    assert read_many([path], timezone="UTC").records[0].date_local == date(2025, 9, 5)
    with pytest.raises(ConfigError, match="no time zone 'Atlantis"):
        read_many([path], timezone="Atlantis/Capital")


@pytest.mark.parametrize(
    ("name", "text", "setting", "expected"),
    [
        ("VDS", "0.1 V", "vds_v", 0.1),
        ("VDS", "100 mV", "vds_v", 0.1),
        ("VDS", "0.1", "vds_v", 0.1),
        ("VDS", "3 s", "vds_v", "3 s"),
        ("VG", "DP+1 V", "vg_fixed_v", "DP+1 V"),
        ("VG", "-2.62 V", "vg_fixed_v", -2.62),
        ("VG", "None", "vg_fixed_v", None),
        ("VG", "[0.0, 1.0, 2.0]", "vg_fixed_v", "[0.0, 1.0, 2.0]"),
        ("NPLC", "1", "nplc", 1),
        ("NPLC", "0.5", "nplc", "0.5"),
        ("Laser wavelength", "455", "wavelength_nm", 455.0),
        ("Laser ON+OFF period", "2 min", "laser_period_s", 120.0),
        ("Sampling time (excluding Keithley)", "0 s", "sampling_time_s", 0.0),
        ("Initial (current) T", "21.5 °C", "initial_temp_c", 21.5),
        ("Information", "ratio: 3, of 4", "information", "ratio: 3, of 4"),
        ("Toggle (new)", "True", "toggle_new", True),
        ("Gain (new)", "1e3", "gain_new", 1000.0),
        ("Count", "12", "count", 12),
        ("Note", "12 apples each", "note", "12 apples each"),
    ],
)
def test_settings_have_the_unit_that_ends_their_name(tmp_path, name, text, setting, expected):
    path = write(tmp_path / "a.csv", ["0.0,1"], procedure="It", parameters={name: text}, columns=("t (s)", "I (A)"))
    value = read_run(path).settings[setting]
    assert value == expected and type(value) is type(expected)


@pytest.mark.parametrize(
    ("parameters", "light"),
    [
        ({"Laser voltage": "0 V", "Laser wavelength": "455"}, False),
        ({"Laser voltage": "2 V", "Laser wavelength": "455"}, True),
        ({"Laser voltage": "0 V"}, False),
        ({"Laser wavelength": "455"}, None),
        ({}, None),
    ],
)
def test_light_is_told_by_the_settings(tmp_path, parameters, light):
    path = write(tmp_path / "a.csv", ["0.0,1,2"], parameters=PARAMETERS | parameters)
    assert read_run(path).has_light is light


def test_where_settings_say_nothing_the_recorded_voltage_tells_of_light(tmp_path):
    columns = ("t (s)", "I (A)", "VL (V)")
    lit = write(tmp_path / "a.csv", ["0,1,0", "1,1,3.5"], procedure="It", columns=columns)
    dark = write(tmp_path / "b.csv", ["0,1,0", "1,1,0"], procedure="It", columns=columns)
    assert read_run(lit).has_light is True and read_run(dark).has_light is False
    assert [record.has_light for record in read_many([lit, dark]).records] == [True, False]


def test_columns_under_other_names_and_units_are_found(tmp_path):
    path = write(
        tmp_path / "a.csv", ["0,500,3,7", "1,600,4,8"], columns=("time", "Ids (uA)", "extra", "VL(V)"), procedure="It"
    )
    run = read_run(path)
    assert {name: values.tolist() for name, values in run.columns.items()} == {
        "t (s)": [0.0, 1.0],
        "I (A)": pytest.approx([5e-4, 6e-4]),
        "extra": [3.0, 4.0],
        "VL (V)": [7.0, 8.0],
    }
    assert read_many([path]).records[0].duration_s == 1.0


def test_files_of_one_procedure_with_other_columns_share_a_frame(tmp_path):
    paths = [
        write(tmp_path / "a.csv", ["0,1", "1,1"], procedure="It", columns=("t (s)", "I (A)")),
        write(tmp_path / "b.csv", ["0,1,5"], procedure="It", columns=("t (s)", "I (A)", "VL (V)")),
    ]
    many = read_many(paths)
    frame = many.frames["It"]
    assert frame.columns == ["run_id", "row", "t (s)", "I (A)", "VL (V)"] and frame.height == 3
    voltage = {
        record.path.name: frame.filter(frame["run_id"] == record.run_id)["VL (V)"].to_list() for record in many.records
    }
    assert voltage == {"a.csv": [None, None], "b.csv": [5.0]}


def test_copies_have_one_name_and_their_rows_stand_once(tmp_path):
    one = write(tmp_path / "IVg2025-09-04_1.csv", ["0.0,1,2", "0.5,1,2"])
    two = write(tmp_path / "copy" / "IVg2025-09-09_1.csv", ["0.0,1,2", "0.5,1,2"])
    many = read_many([two, one])
    assert [record.path for record in many.records] == [two, one]
    assert len({record.run_id for record in many.records}) == 1 and many.frames["IVg"].height == 2


def test_frames_do_not_depend_on_the_order_of_paths_nor_on_the_size_of_chunks(lab, monkeypatch):
    paths = discover(lab.raw_root)[:40]
    usual, turned = read_many(paths), read_many(paths[::-1])
    monkeypatch.setattr(many_module, "CHUNK", 50_000)
    small = read_many(paths)
    assert set(usual.frames) == set(turned.frames) == set(small.frames)
    for procedure, frame in usual.frames.items():
        assert frame.equals(turned.frames[procedure]) and frame.equals(small.frames[procedure])
        ids = frame["run_id"].cast(str).to_list()
        assert ids == sorted(ids)
    assert usual.records == turned.records[::-1] == small.records


def test_each_file_is_told_in_order(tmp_path):
    good, bad = write(tmp_path / "b.csv", ["0.0,1,2"]), tmp_path / "a.csv"
    bad.write_text("hello\n")
    told = []
    read_many([good, bad, tmp_path / "gone.csv"], each=told.append)
    assert [one.path.name for one in told] == ["b.csv", "a.csv", "gone.csv"]
    assert [getattr(one, "reason", None) for one in told] == [None, "not-a-run", "unreadable"]
    assert told[2].category is Category.MISSING_INPUT and told[2].size is None and told[1].size == 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"procedure": "IVgg"}, r"no procedure 'IVgg' is described; did you mean 'IVg'\?"),
        ({"columns": ("Vgate", "I (A)", "x")}, r"IVg needs the column 'Vg \(V\)', the file has 'Vgate'"),
        ({"rows": []}, "no rows; the run was aborted"),
        ({"rows": ["# nothing"]}, "no whole row; the run was aborted"),
    ],
)
def test_refusals_say_what_and_how_to_mend(tmp_path, change, message):
    path = write(tmp_path / "a.csv", **{"rows": ["0,1,2"], **change})
    with pytest.raises(DataError, match=message) as caught:
        read_run(path)
    assert str(path) in str(caught.value) and caught.value.category is Category.INVALID_INPUT
    (reject,) = read_many([path]).rejects
    assert reject.message == str(caught.value) and reject.reason == caught.value.reason


def test_strictly_a_slip_against_the_schema_is_refused(tmp_path):
    no_chip = write(tmp_path / "a.csv", ["0,1,2"], parameters={"VDS": "0.1 V"})
    unread = write(tmp_path / "b.csv", ["0,1,2"], parameters={**PARAMETERS, "VDS": "much"})
    good = write(tmp_path / "c.csv", ["0,1,2"])
    paths = [no_chip, unread, good]
    assert [[note.kind for note in record.notes] for record in read_many(paths).records] == [
        ["no-chip"],
        ["unread-setting"],
        [],
    ]
    many = read_many(paths, strict=True)
    assert [reject.reason for reject in many.rejects] == ["no-chip", "unread-setting"]
    assert [record.path for record in many.records] == [good] and many.frames["IVg"].height == 1
    with pytest.raises(DataError, match="VDS: a setting does not read"):
        read_run(unread, strict=True)


def test_chips_have_a_group(tmp_path):
    path = write(tmp_path / "a.csv", ["0,1,2"], parameters={"Chip number": "7"})
    assert read_run(path).chip == Chip("Chip", 7)


def test_discovery_passes_over_what_tools_leave(tmp_path):
    for name in ("b.csv", "a/z.CSV", "a/._z.csv", ".git/c.csv", "a/.ipynb_checkpoints/d.csv", "a/notes.txt", "a/x.dat"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert [path.relative_to(tmp_path).as_posix() for path in discover(tmp_path)] == ["a/z.CSV", "b.csv"]
    assert [path.name for path in discover(tmp_path, (".csv", ".dat"))] == ["x.dat", "z.CSV", "b.csv"]


def test_a_bad_file_costs_itself_alone_however_many_there_are(tmp_path):
    paths = [
        write(tmp_path / f"{k}.csv", [f"{k}.0,1,2", "9,9,9"], metadata={"Start time": f"{1.7e9 + k}"})
        for k in range(20)
    ]
    paths[7].write_bytes(paths[7].read_bytes().replace(b"9,9,9", b"9,oops,9,9"))
    many = read_many(paths)
    assert [record.rows for record in many.records] == [2] * 20
    assert [k for k, record in enumerate(many.records) if record.notes] == [7]
    assert many.frames["IVg"]["I (A)"].is_nan().sum() == 1


def test_nothing_but_the_standard_library_is_loaded_to_read_a_header(tmp_path):
    path = write(tmp_path / "a.csv", ["0,1,2"])
    code = (
        "import sys; from batchlab.devices._read import read_header, read_run, read_many; "
        f"read_header({str(path)!r}); assert not {{'numpy', 'polars', 'scipy', 'matplotlib'}} & set(sys.modules), 1; "
        f"read_run({str(path)!r}); assert not {{'polars', 'scipy', 'matplotlib'}} & set(sys.modules), 2"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_built_in_schema_knows_all_procedures():
    assert set(load_schema().procedures) == {
        *("IVg", "VVg", "IVgT", "IV", "It", "It2", "ITt", "ItVg", "ItWl", "Vt", "Tt", "Pt", "Pwl", "LaserCalibration")
    }


def test_what_claims_to_be_utf16_is_refused_with_its_name(tmp_path):
    path = tmp_path / "cut.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=re.escape(f"{path}: has the mark of UTF-16")):
        read_run(path)
    with pytest.raises(DataError, match=re.escape(f"{path}: has the mark of UTF-16")):
        read_header(path)


def test_lone_backslashes_stay_without_a_warning(tmp_path):
    path = tmp_path / "IVg2025-09-04_1.csv"
    write(path, ["1,2,3"], parameters={**PARAMETERS, "Information": "?"})
    path.write_bytes(path.read_bytes().replace(b"Information: ?", rb"Information: 50\% \d, a\xb0, b\\%"))
    assert read_run(path).settings["information"] == r"50\% \d, a°, b\%"


def test_blanks_about_a_group_are_no_part_of_its_name(tmp_path):
    path = tmp_path / "IVg2025-09-04_1.csv"
    for written, group in (("MoS2 ", "MoS2"), ("Al  isson", "Al isson"), (" ", "Chip")):
        write(path, ["1,2,3"], parameters={**PARAMETERS, "Chip group name": written, "Chip number": "67"})
        assert read_run(path).chip == Chip(group, 67)
