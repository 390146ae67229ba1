from __future__ import annotations

import numpy as np
import pytest

from batchlab.devices._read import read_many, read_run
from batchlab.errors import DataError

V_GS = np.round(np.linspace(-1.0, 1.0, 41), 3)
I_D = 1e-6 * (1.0 + V_GS**2)


def text(tmp_path, name, lines, end="\r\n"):
    path = tmp_path / name
    path.write_bytes(end.join([*lines, ""]).encode())
    return path


def same(run, **columns):
    for name, values in zip(columns.pop("names"), columns.pop("values"), strict=True):
        np.testing.assert_allclose(run.columns[name], values, rtol=1e-12)


@pytest.mark.parametrize(
    ("head", "cells", "procedure", "names"),
    [
        ("Vg (V),I (A)", "{:g},{!r}", "IVg", ("Vg (V)", "I (A)")),
        ("Vgs [V],Id [A]", "{:g},{!r}", "IVg", ("Vg (V)", "I (A)")),
        ("Gate voltage/V;Drain current/A", "{:g};{!r}", "IVg", ("Vg (V)", "I (A)")),
        ("time (s)\tIds (A)", "{:g}\t{!r}", "It", ("t (s)", "I (A)")),
        ("Vsd (V),Current (A)", "{:g},{!r}", "IV", ("Vsd (V)", "I (A)")),
        ("Vg (V),Vds (V)", "{:g},{!r}", "VVg", ("Vg (V)", "VDS (V)")),
        ("VL (V),Power (W)", "{:g},{!r}", "LaserCalibration", ("VL (V)", "Power (W)")),
        ("# t (s),VDS (V)", "{:g},{!r}", "Vt", ("t (s)", "VDS (V)")),
        ("Id (A),Vg (V)", None, "IVg", ("I (A)", "Vg (V)")),
    ],
)
def test_two_columns_with_units_are_the_procedure_they_look_like(tmp_path, head, cells, procedure, names):
    values = (I_D.tolist(), V_GS.tolist()) if cells is None else (V_GS.tolist(), I_D.tolist())
    lines = [(cells or "{!r},{:g}").format(*pair) for pair in zip(*values, strict=True)]
    run = read_run(text(tmp_path, "a.csv", [head, *lines]))
    assert run.procedure == procedure and run.chip is None
    same(run, names=names, values=values)


def test_units_are_converted(tmp_path):
    lines = [f"{1e3 * v:g},{1e6 * i:.12g}" for v, i in zip(V_GS, I_D, strict=True)]
    run = read_run(text(tmp_path, "a.csv", ["Vg (mV),Id (uA)", *lines]))
    same(run, names=("Vg (V)", "I (A)"), values=(V_GS, I_D))


def test_units_may_stand_in_a_line_of_their_own(tmp_path):
    lines = [f"{v:g}\t{1e6 * i:.12g}" for v, i in zip(V_GS, I_D, strict=True)]
    run = read_run(text(tmp_path, "a.dat", ["Vg\tId", "V\tµA", *lines]))
    same(run, names=("Vg (V)", "I (A)"), values=(V_GS, I_D))


def test_a_decimal_comma_and_a_missing_last_line_end_are_read(tmp_path):
    lines = [f"{v:g};{i!r}".replace(".", ",") for v, i in zip(V_GS.tolist(), I_D.tolist(), strict=True)]
    path = text(tmp_path, "a.csv", ["Vg (V);Id (A)", *lines])
    path.write_bytes(path.read_bytes().rstrip())
    run = read_run(path)
    same(run, names=("Vg (V)", "I (A)"), values=(V_GS, I_D))


def test_settings_above_the_columns_and_constant_voltages_are_settings(tmp_path):
    lines = [f"{v:g}\t0.05\t{i!r}" for v, i in zip(V_GS.tolist(), I_D.tolist(), strict=True)]
    head = ["Chip group name: Alisson", "Chip number: 67", "Laser wavelength = 455", "Laser voltage\t0 V", ""]
    run = read_run(text(tmp_path, "a.dat", [*head, "Vg (V)\tVds (V)\tId (A)", *lines]))
    assert run.procedure == "IVg" and run.chip is not None and run.chip.name == "Alisson67"
    assert run.settings["vds_v"] == 0.05 and run.settings["wavelength_nm"] == 455.0 and run.has_light is False
    same(run, names=("Vg (V)", "I (A)"), values=(V_GS, I_D))


def test_easyexpert_exports_are_read(tmp_path):
    rows = [f"DataValue, {v:g}, {i!r}, {1e-12!r}" for v, i in zip(V_GS.tolist(), I_D.tolist(), strict=True)]
    head = [
        "SetupTitle, Id-Vg of chip 67",
        "PrimitiveTest, I/V Sweep",
        "TestParameter, Measurement.Primary.Start, -1",
        "TestParameter, Output.Graph.XAxis.Name, Vg",
        "AnalysisSetup, Analysis.Setup.Vector.Graph.Notes, ",
        "Dimension1, 41, 41, 41",
        "DataName, Vg, Id, Ig",
    ]
    run = read_run(text(tmp_path, "a.csv", [*head, *rows]))
    assert run.procedure == "IVg" and run.settings["information"] == "Id-Vg of chip 67"
    assert set(run.columns) == {"Vg (V)", "I (A)", "Ig (A)"}
    same(run, names=("Vg (V)", "I (A)"), values=(V_GS, I_D))


def test_only_the_first_test_of_an_easyexpert_export_is_taken(tmp_path):
    rows = [f"DataValue, {v:g}, {i!r}" for v, i in zip(V_GS.tolist(), I_D.tolist(), strict=True)]
    lines = ["SetupTitle, one", "DataName, Vg, Id", *rows, "SetupTitle, two", "DataName, Vd, Id", *rows]
    path = text(tmp_path, "a.csv", lines)
    run = read_run(path)
    assert run.rows == len(rows) and run.settings["information"] == "one"
    notes = {note.kind: note.line for note in read_many([path]).records[0].notes}
    assert notes["further-tests"] == len(rows) + 3


@pytest.mark.parametrize(
    ("drain", "gate", "procedure", "setting"),
    [
        (np.full(41, 0.1), V_GS, "IVg", ("vds_v", 0.1)),
        (V_GS, np.full(41, -2.0), "IV", ("vg_fixed_v", -2.0)),
    ],
)
def test_keithley_4200_sheets_are_what_is_swept_in_them(tmp_path, drain, gate, procedure, setting):
    rows = [f"{i!r}\t{d:g}\t1e-12\t{g:g}" for i, d, g in zip(I_D.tolist(), drain.tolist(), gate.tolist(), strict=True)]
    run = read_run(text(tmp_path, "a.txt", ["DrainI\tDrainV\tGateI\tGateV", *rows]))
    assert run.procedure == procedure and run.settings[setting[0]] == setting[1]
    same(run, names=("I (A)", "Vg (V)" if procedure == "IVg" else "Vsd (V)"), values=(I_D, V_GS))


def test_a_family_of_sweeps_is_what_changes_most(tmp_path):
    rows = [f"{g:g},{v:g},{1e-6 * v!r}" for g in (-1.0, 0.0, 1.0) for v in V_GS.tolist()]
    run = read_run(text(tmp_path, "a.csv", ["GateV,DrainV,DrainI", *rows]))
    assert run.procedure == "IV" and run.columns["GateV"].tolist()[:42] == [-1.0] * 41 + [0.0]


@pytest.mark.parametrize(
    ("lines", "message", "reason"),
    [
        (["Dear all", "the lamp is broken"], "no columns of numbers under their names", "not-a-run"),
        (["1,2", "3,4"], "no columns of numbers under their names", "not-a-run"),
        (
            ["foo (V),bar (A)", "1,2", "2,3"],
            r"line 1: the columns 'foo \(V\)', 'bar \(A\)' are those of no procedure",
            "unknown-procedure",
        ),
        (["SetupTitle, one", "TestParameter, a, b"], "EasyEXPERT without 'DataName'", "no-rows"),
        (["SetupTitle, one", "DataName, Vg, Id"], "no rows", "no-rows"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_the_mend(tmp_path, lines, message, reason):
    path = text(tmp_path, "a.csv", lines)
    with pytest.raises(DataError, match=message) as caught:
        read_run(path)
    assert caught.value.reason == reason and str(path) in str(caught.value)


@pytest.mark.parametrize("raw", [b"PK\x03\x04\x14\x00", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_a_workbook_is_told_as_such(tmp_path, raw):
    path = tmp_path / "a.csv"
    path.write_bytes(raw + bytes(range(256)) * 20)
    with pytest.raises(DataError, match="save the sheet") as caught:
        read_run(path)
    assert caught.value.reason == "workbook"


def test_other_formats_stand_beside_pymeasure_in_one_frame(tmp_path, lab):
    rows = [f"{v:g},{i!r}" for v, i in zip(V_GS.tolist(), I_D.tolist(), strict=True)]
    foreign = text(tmp_path, "a.csv", ["Vg (V),I (A)", *rows])
    own = lab.raw_root / lab.of("IVg")[0].file
    many = read_many([foreign, own])
    assert not many.rejects and many.frames["IVg"].height == 41 + 601
    record = many.records[0]
    assert record.run_id == read_run(foreign).run_id
    assert [note.kind for note in record.notes] == ["no-chip", "no-start-time"]
