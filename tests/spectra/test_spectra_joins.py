"""Detectors that overlap: found, cut at the middle of what both measured, told; or kept where that is asked for."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from pydantic import ValidationError
from scipy.signal import savgol_filter

from batchlab.errors import DataError
from batchlab.spectra import (
    PRESETS,
    Recipe,
    Spectrum,
    Technique,
    compare,
    compare_peaks,
    find_peaks,
    prepare,
    read_text,
)
from batchlab.spectra._joins import joins_of, splice
from batchlab.spectra._kinds import Joins
from batchlab.spectra.cli import spectra as command
from batchlab.spectra.tasks import AnalyticsParams, CompareParams, LimitsParams, OverviewParams

JOINED = np.concatenate((np.arange(400.0, 701.0, 2.0), np.arange(681.0, 1001.0, 4.0)))


def spectrum(axis, intensity=None, **said) -> Spectrum:
    signal = np.sin(axis / 50.0) + 3.0 if intensity is None else intensity
    usual = {"axis_kind": "wavelength", "axis_unit": "nm", "name": "leaf"}
    return Spectrum(axis=axis, intensity=signal, **usual | said)


def recipe(**written) -> Recipe:
    return Recipe.model_validate(written)


@pytest.mark.parametrize("way", [1, -1])
def test_a_join_is_what_two_detectors_both_measured(way):
    (join,) = joins_of(JOINED[::way])
    assert (join.low, join.high, join.middle) == (681.0, 700.0, 690.5)
    assert join.first == (151 if way == 1 else 80)


@pytest.mark.parametrize(
    "axis",
    [
        np.arange(400.0, 700.0),
        np.concatenate((np.arange(400.0, 500.0), [450.0], np.arange(500.0, 700.0))),  # a point out of order
        np.concatenate((np.arange(400.0, 700.0), np.arange(400.0, 700.0))),  # the same scan twice
        np.concatenate((np.arange(400.0, 700.0), np.arange(405.0, 705.0))),  # and a little farther
        np.concatenate((np.arange(400.0, 700.0), np.arange(500.0, 600.0))),  # a part once more
    ],
)
def test_what_is_no_join_is_left_alone(axis):
    assert joins_of(axis) == ()
    found, words, warning = splice(spectrum(axis))
    assert (len(found), words, warning) == (axis.size, "", None)


@pytest.mark.parametrize("way", [1, -1])
def test_each_detector_ends_at_the_middle_of_the_overlap(way):
    found, words, warning = splice(spectrum(JOINED[::way]))
    kept = np.concatenate((np.arange(400.0, 691.0, 2.0), np.arange(693.0, 1001.0, 4.0)))
    np.testing.assert_array_equal(found.axis, kept[::way])
    np.testing.assert_array_equal(found.intensity, np.sin(kept[::way] / 50.0) + 3.0)
    assert (words, warning) == ("detectors spliced at 690.5 nm", None)


def test_the_caller_may_cut_elsewhere_or_keep_all_points_and_is_warned():
    one, other = spectrum(JOINED), spectrum(JOINED, np.cos(JOINED / 50.0) + 3.0, name="other")
    elsewhere = compare(one, other, recipe=recipe(joins=[684.0]))
    assert {682.0, 684.0, 685.0} <= set(elsewhere.axis) and not {681.0, 686.0, 700.0} & set(elsewhere.axis)
    assert elsewhere.done == ("detectors spliced at 684 nm",)
    kept = compare(one, other, recipe=recipe(joins="keep"))
    assert kept.axis.size == JOINED.size and kept.done == ()
    assert len(kept.warnings) == 2
    assert all("from 681 to 700" in text and "interleave" in text for text in kept.warnings)
    assert compare(one, other).warnings == ()  # its reader told


@pytest.mark.parametrize("joins", [[690.0, 950.0], [300.0], [2000.0]])
def test_cuts_that_do_not_fit_the_joins_are_refused_with_the_overlaps(joins):
    with pytest.raises(DataError, match="from 681 to 700") as error:
        compare(spectrum(JOINED), spectrum(JOINED), recipe=recipe(joins=joins))
    assert error.value.reason == "no-such-join"


@pytest.mark.parametrize("joins", ["midle", "all"])
def test_a_word_that_is_none_is_refused_with_those_that_are(joins):
    with pytest.raises(ValidationError, match="write middle, keep, or a position"):
        recipe(joins=joins)


def test_positions_without_an_overlap_are_told_to_cut_nothing():
    plain = spectrum(np.arange(400.0, 700.0))
    same, words, warning = splice(plain, [450.0, 606.5])
    assert same is plain and not words
    assert warning == "no detectors overlap: nothing is cut at 450, 606.5"
    found = compare(plain, spectrum(JOINED), recipe=recipe(joins=[690.5]))
    assert [text for text in found.warnings if "nothing is cut" in text] == [
        "the reference 'leaf': no detectors overlap: nothing is cut at 690.5"
    ]


def test_a_conversion_and_every_step_find_the_spectrum_spliced_on_the_axis_of_its_file():
    done = prepare(spectrum(JOINED), spectrum(JOINED), recipe(to_axis="wavenumber", steps=[{"savgol": 5}]))
    plain = prepare(*(splice(spectrum(JOINED))[0],) * 2, recipe(to_axis="wavenumber", steps=[{"savgol": 5}]))
    np.testing.assert_array_equal(done.axis, plain.axis)
    np.testing.assert_array_equal(done.sample, plain.sample)
    assert done.done[0] == "detectors spliced at 690.5 nm"


def test_every_number_says_where_the_detectors_were_spliced_and_whose():
    one_way = spectrum(np.arange(400.0, 1000.0), name="other")
    told = compare(spectrum(JOINED), one_way)
    assert told.done == ("the detectors spliced at 690.5 nm of the reference 'leaf'",)
    both = compare(spectrum(JOINED), spectrum(JOINED))
    assert all("spliced at 690.5 nm" in both.statements[name] for name in ("pearson_r", "rmse", "area_ratio"))


def test_no_peak_is_without_width_or_area_where_points_interleave():
    rng = np.random.default_rng(8)
    axis = np.sort(np.concatenate((JOINED, JOINED + 1e-9)))
    for _ in range(20):
        peaks = find_peaks(axis, rng.normal(size=axis.size), least_prominence=0.5)
        assert peaks
        assert all(peak.fwhm > 0 and peak.area > 0 and peak.height > 0 for peak in peaks)


@pytest.mark.parametrize("params", [CompareParams, LimitsParams, AnalyticsParams, OverviewParams])
def test_every_task_splices_unless_told_otherwise(params):
    assert params().recipe.joins is Joins.MIDDLE
    assert params(joins="keep").recipe.joins is Joins.KEEP
    assert params(joins=[990, 1900]).recipe.joins == (990.0, 1900.0)


@pytest.mark.parametrize(
    ("written", "joins"), [("keep", "keep"), ("Middle", "middle"), ("990,1900", [990.0, 1900.0]), ("990", [990.0])]
)
def test_the_command_takes_a_word_or_positions(write, tmp_path, written, joins):
    leaf = write("400 1\n500 2\n600 3\n700 5\n")
    face = SimpleNamespace(run_batch=lambda batch, **options: face.__dict__.update(batch=batch) or 0)
    words = ["compare", str(leaf), str(leaf), "-o", str(tmp_path / "out"), "--joins", written]
    assert CliRunner().invoke(command, words, obj=face).exit_code == 0
    assert {str(job.params["joins"]) for job in face.batch.jobs} == {str(joins)}
    refused = CliRunner().invoke(command, [*words[:-1], "midle"], obj=face)
    assert refused.exit_code == 2 and "--joins middle, --joins keep, or a position" in refused.output


def test_real_leaves_are_spliced_where_numpy_cuts_them(shared_spectra):
    folder = shared_spectra / "svc-sig-family"
    tables = [np.loadtxt(folder / f"ACPL_D2_P1_{name}.sig", skiprows=25) for name in ("M_1_000", "B_1_001")]
    spectra = [read_text(folder / f"ACPL_D2_P1_{name}.sig") for name in ("M_1_000", "B_1_001")]
    kept = []
    for table in tables:
        first, second = np.flatnonzero(np.diff(table[:, 0]) < 0) + 1
        parts = np.split(table, [first, second])
        cuts = [(parts[i][-1, 0] + parts[i + 1][0, 0]) / 2 for i in (0, 1)]
        np.testing.assert_allclose(cuts, [991.4, 1908.95])
        parts[0] = parts[0][parts[0][:, 0] <= cuts[0]]
        parts[1] = parts[1][(parts[1][:, 0] > cuts[0]) & (parts[1][:, 0] <= cuts[1])]
        parts[2] = parts[2][parts[2][:, 0] > cuts[1]]
        kept.append(np.concatenate(parts))
    x, a, b = kept[0][:, 0], kept[0][:, 3], np.interp(kept[0][:, 0], kept[1][:, 0], kept[1][:, 3])
    found = compare(*spectra)
    np.testing.assert_array_equal(found.axis, x)
    np.testing.assert_array_equal(found.reference, a)
    np.testing.assert_allclose(found.sample, b, rtol=1e-12)
    assert found.metrics["pearson_r"] == pytest.approx(np.corrcoef(a, b)[0, 1], rel=1e-12)
    assert found.done == ("detectors spliced at 991.4, 1908.95 nm",)
    assert all("spliced at the middle, 991.4 and 1908.95" in each.warnings[0] for each in spectra)
    for name in (Technique.FIELD_REFLECTANCE, None):
        peaks = compare_peaks(compare(*spectra, recipe=recipe(preset=name)))
        matched = [peak for pair in peaks.pairs for peak in (pair.reference, pair.sample)]
        every = [*peaks.only_reference, *peaks.only_sample, *matched]
        assert every and all(peak.fwhm > 0 and peak.area > 0 for peak in every)
    # Where the points interleave, no slope is that of a leaf: the splice has the smooth one.
    comb = compare(*spectra, recipe=recipe(joins="keep"))
    rough = [np.abs(np.diff(each.reference[(each.axis > 972) & (each.axis < 1011)])).mean() for each in (found, comb)]
    assert rough[0] < 0.5 * rough[1]
    assert savgol_filter(found.reference, 7, 2).size == found.axis.size
    assert "joins" not in PRESETS[Technique.FIELD_REFLECTANCE].recipe  # what everybody gets, this preset too
