"""The laser line as files say it, and what is done by it."""

from __future__ import annotations

import numpy as np
import pytest

from batchlab.errors import DataError
from batchlab.spectra import Recipe, Spectrum, compare, group_of, read_text, to_axis
from batchlab.spectra._laser import laser_line_of

SHIFT = np.linspace(200.0, 2000.0, 200)


def raman(name: str, height: float = 1.0, **said: str) -> Spectrum:
    signal = 1 + height * np.exp(-((SHIFT - 1000.0) ** 2) / 800) + 1e-4 * SHIFT
    return Spectrum(axis=SHIFT, intensity=signal, axis_kind="raman shift", name=name, metadata=said)


def recipe(**written) -> Recipe:
    return Recipe.model_validate(written)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"laser_wavelength": "784,9"}, 784.9),
        ({"Laser Wavelength (nm)": "532"}, 532.0),
        ({"laser_nm": "632.81", "LASER (NM)": "632.8"}, 632.81),
        ({"Laser": "532nm_Edge"}, None),
        ({"Laser": "532 nm edge"}, 532.0),
        ({"Excitation wavelength": "1064.0 nm"}, 1064.0),
        ({"excitation line": "488"}, 488.0),
        ({"Laser": "100"}, None),
        ({"laser_powerlevel": "785"}, None),
        ({"Laser Pol. (°)": "300"}, None),
        ({"laser_wavelength": "5"}, None),
        ({"laser_wavelength": "off"}, None),
        ({"laser_wavelength": "785", "laser_nm": "532"}, None),
        ({}, None),
    ],
)
def test_a_line_is_found_where_it_is_said_and_nowhere_else(said, line):
    assert laser_line_of(said) == line


def test_an_axis_is_converted_by_the_line_of_its_file_unless_one_is_stated():
    spectrum = raman("a", laser_wavelength="784,9")
    expected = 1e7 / (1e7 / 784.9 - SHIFT)
    np.testing.assert_allclose(to_axis(spectrum, "wavelength").axis, expected)
    np.testing.assert_allclose(to_axis(spectrum, "wavelength", laser_nm=785.0).axis, 1e7 / (1e7 / 785.0 - SHIFT))
    with pytest.raises(DataError, match="state laser_nm, such as 785") as error:
        to_axis(raman("b"), "wavelength")
    assert error.value.reason == "no-laser-line"


def test_a_comparison_says_by_which_lines_it_converted():
    one, other = raman("a", laser_wavelength="784,9"), raman("b", 2.0, laser_wavelength="785.1")
    both = compare(one, other, recipe=recipe(to_axis="wavelength"))
    assert both.done == ("to_axis(wavelength) by the laser line of 784.9 and 785.1 nm",)
    stated = compare(one, other, recipe=recipe(to_axis="wavelength", laser_nm=785))
    assert stated.done == ("to_axis(wavelength)",)
    # What was kept of a reference is another's where the line is another.
    memory: dict[str, object] = {}
    again = raman("a", laser_wavelength="532")
    first = compare(one, one, recipe=recipe(to_axis="wavelength"), memory=memory)
    second = compare(again, again, recipe=recipe(to_axis="wavelength"), memory=memory)
    assert first.axis[0] == pytest.approx(1e7 / (1e7 / 784.9 - 200)) and second.axis[0] < 600


@pytest.mark.parametrize(
    ("said", "has_effect"),
    [
        ({}, False),
        ({"to_axis": "raman shift"}, False),
        ({"to_axis": "wavelength"}, True),
        ({"steps": [{"mask": "laser"}]}, False),
        ({"steps": [{"mask": [[300, 310]]}]}, False),
        ({"steps": [{"mask": "co2"}]}, True),
    ],
)
def test_a_line_that_nothing_is_converted_by_is_told(said, has_effect):
    both = compare(raman("a"), raman("b", 2.0), recipe=recipe(laser_nm=532, **said))
    told = [text for text in both.warnings if text.startswith("laser_nm: 532 has no effect")]
    assert len(told) == (not has_effect)
    assert set(told) <= set(both.reference_warnings), "a batch tells it once"
    assert not any("no effect" in text for text in compare(raman("a"), raman("b", 2.0)).warnings)


def test_the_mean_of_references_has_the_line_that_all_of_them_have():
    alike = group_of([raman("a", laser_nm="785"), raman("b", 2.0, laser_nm="785.0")])
    assert to_axis(alike.mean, "wavelength").axis[0] == pytest.approx(1e7 / (1e7 / 785 - 200))
    with pytest.raises(DataError, match="state laser_nm"):
        to_axis(group_of([raman("a", laser_nm="785"), raman("b", laser_nm="532")]).mean, "wavelength")


@pytest.mark.parametrize("more", [{}, {"laser_nm": 785}])
def test_the_preset_of_the_infrared_refuses_a_raman_spectrum_with_the_right_advice(more):
    with pytest.raises(DataError, match="the preset ftir is for the infrared; use preset raman") as error:
        compare(raman("a", laser_nm="785"), raman("b"), recipe=recipe(preset="ftir", **more))
    assert "785" not in str(error.value)


def test_the_real_files_of_a_raman_probe_say_their_line(shared_spectra):
    path = next((shared_spectra / "bwtek-twinning-family").glob("*_100*_1.txt"))
    spectrum = read_text(path, axis="Raman Shift", column="Dark Subtracted #1")
    there = to_axis(spectrum, "wavelength")
    np.testing.assert_allclose(there.axis, 1e7 / (1e7 / 784.9 - spectrum.axis))


def test_a_time_is_no_key_and_value(write, shared_spectra):
    rows = "".join(f"{400 + i}\t{i * i % 7}\n" for i in range(20))
    found = read_text(write(f"13:48:37.00\n2015/03/05 13:48:37\nTime: 13:48:37\nratio1:10\n{rows}"))
    assert {key: found.metadata.get(key) for key in ("13", "2015/03/05 13")} == {"13": None, "2015/03/05 13": None}
    assert (found.metadata["Time"], found.metadata["ratio1"]) == ("13:48:37", "10")
    for path in (shared_spectra / "perkinelmer-ls50-peds-family").glob("*.txt"):
        assert not any(key[:2].isdigit() for key in read_text(path).metadata)
