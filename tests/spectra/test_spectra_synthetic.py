"""The synthetic batch: every program's file reads back as what was written, and its truth is what it was made from."""

from __future__ import annotations

import math

import numpy as np
import pytest

from batchlab.errors import DataError
from batchlab.spectra import AxisKind, Quantity, inspect, read_spectrum
from batchlab.spectra._synthetic_batch import Kind, area_ratios, plan_batch, read_truth, write_batch
from batchlab.spectra._synthetic_files import FILES, LASER_NM


@pytest.mark.parametrize("program", FILES)
def test_a_programs_file_reads_back_as_it_was_written(tmp_path, program):
    kind = FILES[program]
    signal = 2000.0 + 1500.0 * np.sin(kind.raman_shift / 90.0)
    path = tmp_path / f"made{kind.suffix}"
    path.write_bytes(kind.file_of(signal, "made"))
    seen = inspect(path)
    assert (seen.refused, seen.layout) == (None, kind.layout)
    assert seen.recognition.confidence >= 0.8
    read = read_spectrum(path)
    assert read.axis_kind is (AxisKind.WAVELENGTH if kind.in_nm else AxisKind.RAMAN_SHIFT)
    assert read.axis_unit == ("nm" if kind.in_nm else "cm-1")
    assert read.quantity is Quantity.COUNTS
    np.testing.assert_allclose(read.axis, kind.axis, atol=0.006)
    np.testing.assert_allclose(read.intensity, signal, atol=0.06)


def test_a_wavelength_is_where_its_raman_shift_says():
    kind = FILES["nanometres"]
    np.testing.assert_allclose(1e7 / (1e7 / LASER_NM - kind.raman_shift), kind.axis)
    assert kind.raman_shift[0] == pytest.approx(1e7 / 785 - 1e7 / 793)


def test_layouts_differ():
    told = {(each.layout, each.delimiter, each.decimal, each.first > each.last, each.in_nm) for each in FILES.values()}
    assert len(told) >= 8
    assert any(each.first > each.last for each in FILES.values())


@pytest.mark.parametrize("seed", [0, 3])
def test_what_samples_there_are(seed):
    made = plan_batch(30, seed)
    kinds = [each.kind for each in made]
    assert (kinds.count(Kind.CONTAMINATED), kinds.count(Kind.OTHER), kinds.count(Kind.CUT_OFF)) == (3, 1, 1)
    assert {each.program for each in made} == set(FILES)
    assert all((each.foreign_band is not None) is (each.kind is Kind.CONTAMINATED) for each in made)
    assert any(each.cosmic_rays for each in made) and any(each.shift for each in made)
    # As measured the ratios tell nothing of how much there is: that is what the recipe is for.
    good = [each for each in made if each.kind is Kind.GOOD]
    assert np.median([abs(each.area_ratio_as_measured / each.area_ratio - 1) for each in good]) > 0.3
    assert [each.kind for each in plan_batch(3)] == [Kind.GOOD] * 3


def test_area_ratios_are_those_of_what_it_is_made_of():
    for each in plan_batch(30, 1):
        if each.kind is Kind.GOOD:
            assert area_ratios(each)[0] == pytest.approx(each.scale, rel=1e-6)
        elif each.kind is Kind.CONTAMINATED:
            # A whole Lorentzian has the area pi x height x half width; its far feet are out of range.
            polymer = 10.0
            assert each.area_ratio > each.scale
            assert each.area_ratio / each.scale - 1 < math.pi * 9.0 * 0.45 / polymer
        elif each.kind is Kind.CUT_OFF:
            assert each.area_ratio is None


def test_a_seed_decides_every_byte(tmp_path):
    for folder, seed in (("a", 5), ("b", 5), ("c", 6)):
        write_batch(tmp_path / folder, 6, seed)
    a, b, c = (
        {p.name: p.read_bytes() for p in sorted((tmp_path / folder).rglob("*")) if p.is_file()} for folder in "abc"
    )
    assert a == b and a != c
    assert len(a) == 6 + 8 + 2


def test_the_table_of_truth_reads_back(tmp_path):
    made = write_batch(tmp_path, 12, 2)
    assert read_truth(tmp_path / "truth.csv") == {each.file: each for each in made}
    assert sorted(p.name for p in (tmp_path / "samples").iterdir()) == sorted(each.file for each in made)
    cut = next(each for each in made if each.kind is Kind.CUT_OFF)
    with pytest.raises(DataError) as caught:
        read_spectrum(tmp_path / "samples" / cut.file)
    assert caught.value.reason == "truncated"


@pytest.mark.parametrize(
    "text", [None, "when,what\nnow,nothing\n", "file,kind\na,b\n", "file,kind,program\na,good,x\n"]
)
def test_somebody_elses_table_of_truth_is_none(tmp_path, text):
    path = tmp_path / "truth.csv"
    if text is not None:
        path.write_text(text)
    assert read_truth(path) is None
