"""A plan is applied as it stands: to its own file, to another of its layout, and to none that it does not fit."""

from __future__ import annotations

import numpy as np
import pytest

from batchlab.errors import DataError
from batchlab.spectra import AxisKind, Quantity
from batchlab.spectra._kinds import Orientation, SpectrumRole
from batchlab.spectra._plan import AxisPlan, Op, Plan, SpectrumPlan
from batchlab.spectra._read import apply_plan, read_spectra, read_spectrum, recognize

X = [400.0 + 1.5 * i for i in range(40)]
Y = [round(0.2 + 0.1 * ((i * 7) % 11) - 0.3 * (i % 3), 4) for i in range(40)]
ROWS = "".join(f"{x},{y}\n" for x, y in zip(X, Y, strict=True))


def plan(**changes: object) -> Plan:
    made = Plan(
        delimiter="comma",
        first_data_line=2,
        header_lines=(1,),
        axis=AxisPlan(column=0, kind=AxisKind.WAVELENGTH, unit="nm"),
        spectra=(SpectrumPlan(column=1, quantity=Quantity.TRANSMITTANCE, unit="%"),),
    )
    return made.model_copy(update=changes)


def mismatch(made: Plan, path: object) -> DataError:
    with pytest.raises(DataError) as caught:
        apply_plan(made, path)
    assert caught.value.reason == "plan-mismatch"
    return caught.value


def test_a_plan_says_what_is_there_and_wins_over_the_files_own_words(write):
    (spectrum,) = apply_plan(plan(), write("a,b\n" + ROWS))
    assert spectrum.axis.tolist() == X and spectrum.intensity.tolist() == Y
    assert (spectrum.axis_label, spectrum.intensity_label) == ("Wavelength / nm", "Transmittance / %")
    assert spectrum.name == "sample"


def test_the_same_plan_gives_the_same_spectra_and_goes_through_json(write):
    path = write("wavenumber,absorbance\n" + ROWS)
    found = recognize(path).plan
    again = Plan.model_validate_json(found.model_dump_json())
    assert again == found
    for one, other in zip(apply_plan(found, path), apply_plan(again, path), strict=True):
        assert one.axis.tobytes() == other.axis.tobytes() and one.intensity.tobytes() == other.intensity.tobytes()


@pytest.mark.parametrize("kind", ["rows", "pairs", "turned"])
def test_a_plan_of_any_orientation_goes_through_json(write, kind):
    texts = {
        "rows": "id," + ",".join(map(str, X)) + "\n" + "".join(f"leaf,{','.join(map(str, Y))}\n" for _ in range(3)),
        "pairs": "a,,b,\nnm,A,nm,A\n" + "".join(f"{x},{y},{x},{y}\n" for x, y in zip(X, Y, strict=True)),
        "turned": ",".join(map(str, X)) + "\n" + ",".join(map(str, Y)) + "\n",
    }
    path = write(texts[kind])
    found = recognize(path).plan
    spectra = apply_plan(Plan.model_validate(found.model_dump(mode="json")), path)
    assert [each.intensity.tolist() for each in spectra] == [Y] * {"rows": 3, "pairs": 2, "turned": 1}[kind]
    assert len({each.name for each in spectra}) == len(spectra)


def test_fences_move_a_plan_to_a_file_with_a_longer_preamble(write):
    begin, end = ">>>>>Begin Spectral Data<<<<<", ">>>>>End Spectral Data<<<<<"
    short = write(f"Date: 1\n{begin}\n{ROWS}{end}\n", "short.txt")
    longer = write(f"Date: 1\nUser: x\nBoxcar: 3\n{begin}\n{ROWS}{end}\n", "longer.txt")
    found = recognize(short).plan
    assert found.begin_fence == begin and found.end_fence == end
    assert apply_plan(found, longer)[0].axis.tolist() == X
    assert "Begin" in str(mismatch(found, write(ROWS, "none.txt")))


def test_a_plan_that_would_lose_a_first_point_does_not_fit(write):
    error = mismatch(plan(first_data_line=3), write("a,b\n" + ROWS))
    assert "line 2 is a row of the table" in str(error)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"first_data_line": 1}, "no row of numbers"),
        ({"first_data_line": 900}, "no row of numbers"),
        ({"delimiter": "tab"}, "no row of numbers"),
        ({"spectra": (SpectrumPlan(column=7),)}, "column 7"),
        ({"spectra": ()}, "no spectrum"),
        ({"orientation": Orientation.ROWS, "axis": AxisPlan(header_row=1)}, "no row of axis values"),
        ({"orientation": Orientation.ROWS, "axis": AxisPlan(header_row=99)}, "not in this file"),
        ({"orientation": Orientation.SINGLE_Y, "axis": AxisPlan(first_key="a")}, "do not tell its axis"),
    ],
    ids=str,
)
def test_a_plan_that_does_not_fit_is_refused_with_what_does_not(write, changes, words):
    assert words in str(mismatch(plan(**changes), write("a,b\n" + ROWS)))


def test_a_last_line_ends_the_table(write):
    (spectrum,) = apply_plan(plan(last_data_line=21), write("a,b\n" + ROWS))
    assert spectrum.axis.tolist() == X[:20]


@pytest.mark.parametrize(
    ("op", "change"),
    [
        (Op.PERCENT_TO_FRACTION, lambda y: y / 100),
        (Op.SCALE_0_01, lambda y: y * 0.01),
        (Op.SCALE_100, lambda y: y * 100),
        (Op.SCALE_0_001, lambda y: y * 0.001),
        (Op.SCALE_1000, lambda y: y * 1000),
        (Op.DROP_BLANK_AXIS, lambda y: y),
        (Op.SORT, lambda y: y),
    ],
)
def test_operations_scale_the_intensity(write, op, change):
    (spectrum,) = apply_plan(plan(ops=(op,)), write("a,b\n" + ROWS))
    assert spectrum.intensity.tolist() == change(np.array(Y)).tolist()
    assert spectrum.unit == ("1" if op is Op.PERCENT_TO_FRACTION else "%")


def test_detectors_that_overlap_are_cut_in_the_middle_of_what_both_saw(write):
    first = [(x, 1) for x in range(400, 500, 2)]
    second = [(x, 2) for x in range(481, 600, 2)]
    path = write("a,b\n" + "".join(f"{x},{y}\n" for x, y in (*first, *second)))
    (joined,) = apply_plan(plan(ops=(Op.SPLIT_OVERLAP,)), path)
    assert (np.diff(joined.axis) > 0).all()
    assert joined.axis[joined.intensity == 1].max() <= 489.5 < joined.axis[joined.intensity == 2].min()
    (sorted_only,) = apply_plan(plan(ops=(Op.SORT,)), path)
    assert len(sorted_only) == len(first) + len(second) > len(joined)
    assert (np.diff(sorted_only.axis) >= 0).all()


# Choosing among the spectra of a file


@pytest.fixture
def several(write):
    rows = "".join(f"{400 + i},{i % 7},{i % 5},{i % 3}\n" for i in range(30))
    return write("wavelength,leaf a,leaf b,stem\n" + rows)


def test_a_file_of_several_samples_is_not_chosen_from_unasked(several):
    with pytest.raises(DataError, match="1: leaf a, 2: leaf b, 3: stem") as caught:
        read_spectrum(several)
    assert caught.value.reason == "ambiguous-columns"
    assert [each.name for each in read_spectra(several)] == ["leaf a", "leaf b", "stem"]


@pytest.mark.parametrize("wanted", ["stem", "STEM", "ste", 2, "2", -1])
def test_a_spectrum_is_chosen_by_name_or_number(several, wanted):
    chosen = read_spectrum(several, spectrum=wanted)
    assert (chosen.name, chosen.intensity[2]) == ("stem", 2.0)


@pytest.mark.parametrize(
    ("wanted", "reason"), [("leaf", "ambiguous-columns"), ("root", "no-such-column"), (3, "no-such-column")]
)
def test_a_spectrum_that_is_not_there_is_named_with_those_that_are(several, wanted, reason):
    with pytest.raises(DataError, match="leaf a") as caught:
        read_spectrum(several, spectrum=wanted)
    assert caught.value.reason == reason


def test_rows_are_chosen_by_their_label(write):
    path = write("id," + ",".join(map(str, X)) + f"\na,{','.join(map(str, Y))}\na,{','.join(map(str, Y[::-1]))}\n")
    assert [each.name for each in read_spectra(path)] == ["a", "a (2)"]
    assert read_spectrum(path, spectrum="a (2)", name="mine").intensity.tolist() == Y[::-1]
    assert read_spectrum(path, spectrum=1, axis_kind="raman shift").axis_label == "Raman shift / cm⁻¹"


def test_a_reference_is_read_with_its_role_and_not_taken_for_the_sample(write):
    rows = "".join(f"{400 + i},{i % 7},{i % 5},{i % 3}\n" for i in range(30))
    path = write("wl,Dark,Reference,Reflectance\n" + rows)
    assert [each.role for each in read_spectra(path)] == [
        SpectrumRole.DARK,
        SpectrumRole.REFERENCE,
        SpectrumRole.SAMPLE,
    ]
    assert read_spectrum(path).quantity is Quantity.REFLECTANCE
    assert read_spectrum(path, spectrum="dark").role is SpectrumRole.DARK


def test_a_format_of_its_own_is_chosen_from_alike(shared_spectra):
    path = shared_spectra / "spc-new" / "nir.spc"
    spectra = read_spectra(path)
    assert len(spectra) == 20 and len({each.name for each in spectra}) == 20
    assert read_spectrum(path, spectrum=3).intensity.tolist() == spectra[3].intensity.tolist()
    with pytest.raises(DataError) as caught:
        read_spectrum(path, column=1)
    assert caught.value.reason == "no-such-column"
    with pytest.raises(DataError) as caught:
        apply_plan(plan(), path)
    assert caught.value.reason == "unsupported-format"
