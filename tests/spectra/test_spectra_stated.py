"""What a user states of axis and signal: refused where it cannot be, told where the file says something else."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from batchlab.errors import ConfigError, DataError
from batchlab.spectra import Recipe, compare_batch, read_spectra, read_spectrum
from batchlab.spectra._kinds import AxisKind, Quantity
from batchlab.spectra._unit_words import stated_axis_unit, stated_signal_unit
from batchlab.spectra.tasks import CompareParams

BARE = "".join(f"{400 + 50 * i}\t{0.1 * i * i:.2f}\n" for i in range(8))
NM = "Wavelength (nm)\tAbsorbance\n" + BARE


@pytest.mark.parametrize(
    ("written", "kind", "unit"),
    [
        ("1/cm", None, "cm-1"),
        ("cm⁻¹", AxisKind.RAMAN_SHIFT, "cm-1"),
        ("µm", AxisKind.WAVELENGTH, "um"),
        ("NM", None, "nm"),
        ("mm", AxisKind.WAVELENGTH, "mm"),
        ("Angstrom", AxisKind.WAVELENGTH, "angstrom"),
        ("m-1", AxisKind.WAVENUMBER, "m-1"),
        ("meV", AxisKind.ENERGY, "meV"),
        ("mhz", AxisKind.FREQUENCY, "MHz"),
        ("min", AxisKind.TIME, "min"),
    ],
)
def test_units_of_an_axis_are_known_as_people_write_them(written, kind, unit):
    assert stated_axis_unit(written, kind) == unit


@pytest.mark.parametrize(
    ("written", "kind", "told"),
    [
        ("mn", None, "did you mean 'nm'"),
        ("mn", AxisKind.WAVELENGTH, "did you mean 'nm'"),
        ("cm1", None, "did you mean 'cm-1'"),
        ("cm-1", AxisKind.WAVELENGTH, "in nm or um or mm or angstrom, not in cm-1, the unit of a wavenumber"),
        ("nm", AxisKind.RAMAN_SHIFT, "in cm-1, not in nm, the unit of a wavelength"),
        ("furlong", None, "There are cm-1"),
    ],
)
def test_what_is_no_unit_of_such_an_axis_is_refused_with_the_nearest(written, kind, told):
    with pytest.raises(ValueError, match=told):
        stated_axis_unit(written, kind)


@pytest.mark.parametrize(
    ("written", "quantity", "unit"),
    [
        ("percent", Quantity.TRANSMITTANCE, "%"),
        ("cps", Quantity.COUNTS, "counts/s"),
        ("arb. units", Quantity.ABSORBANCE, "a.u."),
        ("mV", None, "mV"),
        ("W m-2 nm-1 sr-1", Quantity.RADIANCE, "W m-2 nm-1 sr-1"),
        ("mW/m^2/nm", Quantity.IRRADIANCE, "mW/m^2/nm"),
        ("uW/cm2/nm", Quantity.IRRADIANCE, "uW/cm2/nm"),
        ("µW/cm^2/nm", None, "uW/cm2/nm"),
        ("mW/cm²/nm", None, "mW/cm²/nm"),
        ("photons/s/cm^2", None, "photons/s/cm^2"),
        ("RFU", Quantity.FLUORESCENCE, "RFU"),
    ],
)
def test_units_of_a_signal_are_known_and_so_are_their_products(written, quantity, unit):
    assert stated_signal_unit(written, quantity) == unit


@pytest.mark.parametrize(
    ("written", "quantity", "told"),
    [
        ("mn", None, "no unit of a signal"),
        ("nm", None, "a unit of an axis, and none of a signal"),
        ("conuts", None, "did you mean 'counts'"),
        ("%", Quantity.ABSORBANCE, "absorbance is in 1"),
        ("counts", Quantity.TRANSMITTANCE, "transmittance is in 1 or %"),
        ("", None, "no unit of a signal"),
    ],
)
def test_what_is_no_unit_of_such_a_signal_is_refused(written, quantity, told):
    with pytest.raises(ValueError, match=told):
        stated_signal_unit(written, quantity)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"axis_unit": "mn"}, "did you mean 'nm'"),
        ({"axis_kind": "wavelength", "axis_unit": "cm-1"}, "wavelength is in nm"),
        ({"quantity": "absorbance", "unit": "%"}, "absorbance is in 1"),
        ({"to_axis": "wavelength", "to_axis_unit": "cm-1"}, "wavelength is in nm"),
        ({"to_axis_unit": "nm"}, "to_axis_unit is the unit of to_axis; say that too"),
        ({"to_unit": "%"}, "to_unit is the unit of to_quantity; say that too"),
        ({"to_quantity": "transmittance", "to_unit": "counts"}, "transmittance is in 1 or %"),
    ],
)
def test_params_that_cannot_be_are_refused_in_the_plan(written, told):
    with pytest.raises(ValidationError, match=told):
        CompareParams.model_validate(written)


def test_a_batch_is_refused_before_a_file_is_read(write, tmp_path):
    leaf = write(NM)
    with pytest.raises(ConfigError, match="did you mean 'nm'"):
        compare_batch(leaf, [leaf], tmp_path / "out", reading={"axis_unit": "mn"})


def test_units_of_a_recipe_are_written_as_ours():
    assert Recipe.model_validate({"to_axis": "wavelength", "to_axis_unit": "µm"}).to_axis_unit == "um"


def test_a_file_that_says_something_else_is_believed_less_and_it_is_told(write):
    path = write(NM)
    stated = {"axis_kind": "wavelength", "axis_unit": "um", "quantity": "transmittance", "unit": "%"}
    for (found,) in ((read_spectrum(path, **stated),), read_spectra(path, **stated)):
        assert (found.axis_kind, found.axis_unit, found.quantity, found.unit) == (*list(stated.values()),)
        assert found.warnings == (
            "the file says that its axis is in nm; taken for um as asked, not converted",
            "the file calls the signal absorbance; taken for transmittance as asked, not converted",
        )
    (percent,) = read_spectra(write("Wavelength (nm)\t%T\n" + BARE, "t.txt"), unit="1")
    assert percent.unit == "1"
    assert "the file says that its signal is in %; taken for 1 as asked, not converted" in percent.warnings


def test_what_the_file_says_too_or_does_not_say_is_no_warning(write):
    same = {"axis_kind": "wavelength", "axis_unit": "nm", "quantity": "absorbance"}
    assert read_spectrum(write(NM), **same).warnings == ()
    assert read_spectrum(write(BARE, "bare.txt"), **same, unit="1").warnings == ()


def test_a_unit_that_the_axis_of_the_file_cannot_have_is_refused(write):
    with pytest.raises(DataError, match="which is in nm or um or mm or angstrom and not in cm-1") as error:
        read_spectrum(write(NM), axis_unit="cm-1")
    assert error.value.reason == "unit-mismatch"
    both = read_spectrum(write(NM), axis_kind="wavenumber", axis_unit="cm-1")
    assert (both.axis_kind, both.axis_unit) == ("wavenumber", "cm-1")
    assert both.warnings == ("the file calls the axis a wavelength; taken for a wavenumber as asked",)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"best_by": "rmse"}, "best_by is for references: best"),
        (
            {"references": "best", "best_by": "area_ratio"},
            "references are ordered by pearson_r, .* not by 'area_ratio'",
        ),
        ({"references": "best", "best_by": "rmse[C-H]"}, r"needs the region 'C-H' among regions"),
    ],
)
def test_what_would_have_no_effect_or_cannot_be_is_refused_in_the_plan(written, told):
    with pytest.raises(ValidationError, match=told):
        CompareParams.model_validate(written)
    region = {"references": "best", "best_by": "rmse[C-H]", "regions": {"C-H": [2800, 3000]}}
    assert CompareParams.model_validate(region).best_by == "rmse[C-H]"
