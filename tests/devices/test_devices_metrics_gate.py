"""Leakage through the gate, from every format that records it."""

from __future__ import annotations

import numpy as np
import pytest

from batchlab.devices import metrics as m
from batchlab.devices._read import read_run
from tests.devices.metrics_curves import named

V = np.round(np.arange(-2, 2.01, 0.1), 6)
DRAIN = 1e-6 + 1e-6 * V**2
GATE = np.where(V == 0.5, -3e-10, 1e-11)


def _lines(*columns: np.ndarray) -> list[str]:
    return [",".join(f"{value:.9g}" for value in row) for row in zip(*columns, strict=True)]


FORMATS = {
    "easyexpert": [
        "SetupTitle, I/V-sweep",
        "TestParameter, Channel.VName, Vg, Vd",
        "DataName, Vg, Vd, Id, Ig",
        *("DataValue, " + line.replace(",", ", ") for line in _lines(V, np.full(V.size, 0.1), DRAIN, GATE)),
    ],
    "keithley": ["DrainI,DrainV,GateI,GateV", *_lines(DRAIN, np.full(V.size, 0.1), GATE, V)],
    "columns": ["Vg (V),Id (mA),Ig (nA)", *_lines(V, DRAIN * 1e3, GATE * 1e9)],
    "spelled": ["Vg (V),Id (A),Gate current (pA)", *_lines(V, DRAIN, GATE * 1e12)],
}


@pytest.mark.parametrize("kind", FORMATS)
def test_gate_leakage_is_read_and_brought_to_amperes(tmp_path, kind):
    path = tmp_path / f"{kind}.csv"
    path.write_text("\n".join(FORMATS[kind]) + "\n")
    run = read_run(path)
    assert run.procedure == "IVg"
    np.testing.assert_allclose(run.columns["Ig (A)"], GATE, rtol=1e-6)
    np.testing.assert_allclose(run.columns["I (A)"], DRAIN, rtol=1e-6)
    found = named(m.extract_run(run).metrics)["gate_leakage"]
    assert found.value_float == pytest.approx(3e-10) and found.unit == "A" and found.flags == ()
