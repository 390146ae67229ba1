"""Units of axes and signals: known lines, round trips, and what may not be converted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.errors import DataError
from batchlab.spectra._kinds import AxisKind, Quantity
from batchlab.spectra._model import Spectrum
from batchlab.spectra._quantities import mix_up, to_quantity
from batchlab.spectra._units import axis_values, to_axis

K, Q = AxisKind, Quantity


def spectrum(x, y=None, **said):
    x = np.asarray(x, dtype=float)
    return Spectrum(axis=x, intensity=np.arange(x.size) if y is None else y, **said)


@pytest.mark.parametrize(
    ("given_as", "value", "wanted", "expected"),
    [
        # A helium-neon laser in vacuum, the CO2 stretching band, the 1 eV photon, ArF: from tables.
        ((K.WAVELENGTH, "nm"), 632.991, (K.WAVENUMBER, "cm-1"), 15798.0),
        ((K.WAVENUMBER, "cm-1"), 2349.0, (K.WAVELENGTH, "um"), 4.25713069),
        ((K.ENERGY, "eV"), 1.0, (K.WAVELENGTH, "nm"), 1239.84198),
        ((K.ENERGY, "eV"), 1.0, (K.WAVENUMBER, "cm-1"), 8065.54394),
        ((K.ENERGY, "eV"), 1.0, (K.FREQUENCY, "THz"), 241.798924),
        ((K.WAVELENGTH, "nm"), 1550.0, (K.FREQUENCY, "THz"), 193.414489),
        ((K.WAVELENGTH, "angstrom"), 5000.0, (K.WAVELENGTH, "nm"), 500.0),
        ((K.WAVELENGTH, "nm"), 2500.0, (K.WAVELENGTH, "um"), 2.5),
        ((K.ENERGY, "meV"), 1000.0, (K.ENERGY, "eV"), 1.0),
        ((K.WAVENUMBER, "m-1"), 100000.0, (K.WAVENUMBER, "cm-1"), 1000.0),
    ],
)
def test_known_lines(given_as, value, wanted, expected):
    found = axis_values(np.array([value]), given_as, wanted)
    assert found[0] == pytest.approx(expected, rel=2e-6)


@pytest.mark.parametrize(
    ("laser_nm", "shift", "wavelength_nm"),
    # The ring breathing of polystyrene at 1001.4 cm-1 and the band of silicon at 520.7 cm-1.
    [(785.0, 1001.4, 851.97), (532.0, 1001.4, 561.94), (532.0, 520.7, 547.15), (785.0, 0.0, 785.0)],
)
def test_raman_shifts_count_from_the_laser(laser_nm, shift, wavelength_nm):
    raman = spectrum([shift, shift + 10], axis_kind="raman shift")
    there = to_axis(raman, K.WAVELENGTH, "nm", laser_nm=laser_nm)
    assert there.axis[0] == pytest.approx(wavelength_nm, abs=0.01)
    assert there.intensity.tolist() == raman.intensity.tolist()
    back = to_axis(there, "raman shift", laser_nm=laser_nm)
    np.testing.assert_allclose(back.axis, raman.axis, atol=1e-8)
    assert (back.axis_kind, back.axis_unit) == (K.RAMAN_SHIFT, "cm-1")


UNITS = [
    (K.WAVENUMBER, "cm-1"), (K.WAVENUMBER, "m-1"), (K.WAVELENGTH, "nm"), (K.WAVELENGTH, "um"), (K.ENERGY, "eV"),
    (K.ENERGY, "meV"), (K.FREQUENCY, "THz"), (K.RAMAN_SHIFT, "cm-1"),
]  # fmt: skip


@given(
    wavelengths=st.lists(st.floats(150.0, 30000.0), min_size=2, max_size=8),
    through=st.lists(st.sampled_from(UNITS), min_size=1, max_size=4),
    laser_nm=st.floats(240.0, 1100.0),
)
def test_any_way_round_comes_back(wavelengths, through, laser_nm):
    start = (K.WAVELENGTH, "nm")
    values, at = np.array(wavelengths), start
    for wanted in (*through, start):
        values, at = axis_values(values, at, wanted, laser_nm=laser_nm), wanted
    np.testing.assert_allclose(values, wavelengths, rtol=1e-9)


def test_a_wavelength_axis_runs_the_other_way_as_wavenumbers_and_keeps_its_points_paired():
    nm = spectrum([1000.0, 2000.0, 4000.0], [1.0, 2.0, 3.0], axis_kind="wavelength", axis_unit="nm")
    turned = to_axis(nm, "wavenumber")
    assert turned.axis.tolist() == [10000.0, 5000.0, 2500.0]
    assert turned.intensity.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("said", "kind", "laser_nm", "reason"),
    [
        ({"axis_kind": "raman shift"}, "wavelength", None, "no-laser-line"),
        ({"axis_kind": "wavelength", "axis_unit": "nm"}, "raman shift", None, "no-laser-line"),
        ({"axis_kind": "raman shift"}, "wavenumber", None, "no-laser-line"),
        ({"axis_kind": "pixel"}, "wavelength", 785.0, "no-such-conversion"),
        ({"axis_kind": "wavelength", "axis_unit": "nm"}, "pixel", None, "no-such-conversion"),
        ({"axis_kind": "time", "axis_unit": "s"}, "wavenumber", None, "no-such-conversion"),
        ({"axis_kind": "wavelength", "axis_unit": "furlong"}, "wavenumber", None, "no-such-conversion"),
        ({"axis_unit": "cm-1"}, "wavelength", None, "no-such-conversion"),  # a wavenumber or a shift: nobody knows
        (
            {"axis_kind": "wavelength", "axis_unit": "nm", "quantity": "radiance"},
            "wavenumber",
            None,
            "no-such-conversion",
        ),
    ],
)
def test_illegal_axes_are_refused_with_the_reason(said, kind, laser_nm, reason):
    with pytest.raises(DataError) as caught:
        to_axis(spectrum([400.0, 500.0], name="it", **said), kind, laser_nm=laser_nm)
    assert caught.value.reason == reason
    assert "it" in str(caught.value)


def test_positions_without_an_inverse_are_refused():
    for bad in (0.0, -10.0):
        with pytest.raises(DataError) as caught:
            to_axis(spectrum([bad, 500.0], axis_kind="wavenumber"), "wavelength")
        assert caught.value.reason == "no-such-conversion"


def test_a_radiance_per_nm_may_have_its_positions_in_micrometres():
    said = {"axis_kind": "wavelength", "axis_unit": "nm", "quantity": "radiance", "unit": "W/cm2/nm"}
    there = to_axis(spectrum([400.0, 500.0], **said), "wavelength", "um")
    assert there.axis == pytest.approx([0.4, 0.5])
    assert there.unit == "W/cm2/nm"


def test_a_silent_axis_is_taken_for_what_is_wanted_and_this_is_told():
    silent = to_axis(spectrum([400.0, 500.0], name="quiet"), "wavenumber")
    assert (silent.axis_kind, silent.axis_unit) == (K.WAVENUMBER, "cm-1")
    assert "does not say" in silent.warnings[0]
    by_unit = to_axis(spectrum([400.0, 500.0], axis_unit="nm"), "wavelength", "um")
    assert by_unit.axis == pytest.approx([0.4, 0.5])
    assert not by_unit.warnings


def test_fluorescence_keeps_its_height_and_says_so():
    emission = spectrum([400.0, 500.0], axis_kind="wavelength", axis_unit="nm", quantity=Q.FLUORESCENCE)
    assert "height" in to_axis(emission, "energy").warnings[0]


# Signals


@pytest.mark.parametrize(
    ("given_as", "value", "wanted", "expected"),
    [
        ((Q.TRANSMITTANCE, "%"), 10.0, (Q.ABSORBANCE, None), 1.0),
        ((Q.TRANSMITTANCE, "1"), 0.01, (Q.ABSORBANCE, None), 2.0),
        ((Q.ABSORBANCE, "1"), 0.30102999566, (Q.TRANSMITTANCE, "%"), 50.0),
        ((Q.ABSORBANCE, None), 1.0, (Q.TRANSMITTANCE, None), 0.1),
        ((Q.TRANSMITTANCE, "%"), 42.0, (Q.TRANSMITTANCE, "1"), 0.42),
        ((Q.REFLECTANCE, "1"), 0.5, (Q.KUBELKA_MUNK, None), 0.25),
        ((Q.REFLECTANCE, "%"), 10.0, (Q.LOG_INVERSE_REFLECTANCE, None), 1.0),
        ((Q.KUBELKA_MUNK, None), 0.25, (Q.REFLECTANCE, "%"), 50.0),
        ((Q.LOG_INVERSE_REFLECTANCE, None), 0.30102999566, (Q.KUBELKA_MUNK, None), 0.25),
    ],
)
def test_known_signals(given_as, value, wanted, expected):
    there = to_quantity(spectrum([1.0, 2.0], [value, value], quantity=given_as[0], unit=given_as[1]), *wanted)
    assert there.intensity == pytest.approx([expected, expected])
    assert there.quantity is wanted[0]
    assert there.unit == (wanted[1] or "1")


@given(st.lists(st.floats(1e-6, 1.0), min_size=2, max_size=9), st.sampled_from(["%", "1"]), st.booleans())
def test_signals_come_back(shares, unit, reflected):
    factor = 100.0 if unit == "%" else 1.0
    quantity = Q.REFLECTANCE if reflected else Q.TRANSMITTANCE
    ways = [Q.LOG_INVERSE_REFLECTANCE, Q.KUBELKA_MUNK] if reflected else [Q.ABSORBANCE]
    start = spectrum(np.arange(len(shares)), np.array(shares) * factor, quantity=quantity, unit=unit)
    there = start
    for way in ways:
        there = to_quantity(there, way)
    back = to_quantity(there, quantity, unit)
    np.testing.assert_allclose(back.intensity, start.intensity, rtol=1e-6)


def test_points_without_an_absorbance_are_left_out_and_counted():
    dark = spectrum([1.0, 2.0, 3.0, 4.0], [50.0, 0.0, -1.0, 5.0], quantity="transmittance", unit="%", name="dark")
    there = to_quantity(dark, "absorbance")
    assert there.axis.tolist() == [1.0, 4.0]
    assert "2 of 4 points have no absorbance" in there.warnings[0]
    with pytest.raises(DataError) as caught:
        to_quantity(spectrum([1.0, 2.0, 3.0], [50.0, 0.0, -1.0], quantity="transmittance", unit="%"), "absorbance")
    assert caught.value.reason == "not-a-spectrum"


@pytest.mark.parametrize(
    ("quantity", "unit", "wanted", "wanted_unit", "words"),
    [
        ("counts", None, "absorbance", None, "counts"),
        ("absorbance", None, "reflectance", "%", "no reflectance"),
        ("reflectance", "%", "absorbance", None, "log(1/R)"),
        ("transmittance", "%", "kubelka-munk", None, "no Kubelka-Munk"),
        ("transmittance", None, "absorbance", None, "state unit"),
        ("interferogram", None, "absorbance", None, "interferogram"),
        ("absorbance", None, "transmittance", "counts", "never in counts"),
        ("radiance", None, "reflectance", "1", "radiance"),
    ],
)
def test_illegal_signals_are_refused_with_the_reason(quantity, unit, wanted, wanted_unit, words):
    with pytest.raises(DataError, match=r"(?s).*") as caught:
        to_quantity(spectrum([1.0, 2.0], [0.1, 0.2], quantity=quantity, unit=unit), wanted, wanted_unit)
    assert caught.value.reason == "no-such-conversion"
    assert words in str(caught.value)


def test_a_silent_signal_is_taken_for_what_is_wanted_and_this_is_told():
    silent = to_quantity(spectrum([1.0, 2.0], [0.1, 0.2]), "absorbance")
    assert silent.intensity.tolist() == [0.1, 0.2]
    assert silent.quantity is Q.ABSORBANCE
    assert "does not say" in silent.warnings[0]


PERCENT = 60 + 35 * np.sin(np.linspace(0, 9, 500))


@pytest.mark.parametrize(
    ("quantity", "unit", "values", "words"),
    [
        (Q.ABSORBANCE, "1", PERCENT, "quantity: transmittance"),
        (Q.TRANSMITTANCE, "1", PERCENT, "unit: '%'"),
        (Q.REFLECTANCE, "1", PERCENT, "quantity: reflectance"),
        (Q.TRANSMITTANCE, "%", PERCENT / 100, "share of 1"),
        (Q.ABSORBANCE, "1", -PERCENT, "below -1"),
        (Q.ABSORBANCE, "1", PERCENT / 100, None),
        (Q.TRANSMITTANCE, "%", PERCENT, None),
        (Q.TRANSMITTANCE, "1", PERCENT / 100, None),
        (Q.COUNTS, "counts", PERCENT * 1000, None),
        (Q.ABSORBANCE, "1", np.r_[PERCENT[:2], PERCENT / 100], None),  # two saturated points are no mix-up
    ],
)
def test_a_mix_up_of_absorbance_and_transmittance_is_told(quantity, unit, values, words):
    told = mix_up(quantity, unit, values)
    assert told is None if words is None else words in told


def test_a_quantity_that_it_has_already_is_kept_with_its_unit():
    raw = spectrum([1.0, 2.0], [10.0, 20.0], quantity="fluorescence intensity", unit="a.u.")
    there = to_quantity(raw, "fluorescence intensity")
    assert (there.unit, there.intensity.tolist()) == ("a.u.", [10.0, 20.0])


def test_an_axis_that_is_already_what_is_wanted_is_left_as_it_is():
    for said in ({"axis_kind": "pixel"}, {"axis_kind": "time", "axis_unit": "s"}, {"axis_kind": "raman shift"}):
        raw = spectrum([1.0, 2.0], **said)
        assert to_axis(raw, said["axis_kind"]) is raw
