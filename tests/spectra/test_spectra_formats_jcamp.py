"""One curve in every form of JCAMP-DX gives the same numbers, and what contradicts itself is told."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.errors import DataError
from batchlab.spectra._kinds import AxisKind, Quantity
from batchlab.spectra._model import Spectrum
from batchlab.spectra._read._formats import sniff

PATH = Path("curve.jdx")
SQZ = dict(zip("0123456789", "@ABCDEFGHI", strict=True)), dict(zip("123456789", "abcdefghi", strict=True))
DIF = dict(zip("0123456789", "%JKLMNOPQR", strict=True)), dict(zip("123456789", "jklmnopqr", strict=True))
DUP = dict(zip("123456789", "STUVWXYZs", strict=True))


def packed(value: int, marks: tuple[dict[str, str], dict[str, str]]) -> str:
    digits = str(abs(value))
    return marks[value < 0][digits[0]] + digits[1:]


def encode_line(x: float, values: list[int], form: str, rng: random.Random) -> tuple[str, bool]:
    """A line in a form, and whether it ends in a difference."""
    if form == "affn":
        return " ".join([f"{x:g}", *map(str, values)]), False
    if form == "pac":
        return f"{x:g}" + "".join(f"{value:+d}" for value in values), False
    line, ends_in_difference, at = f"{x:g}" + packed(values[0], SQZ), False, 1
    while at < len(values):
        use = form if form != "mixed" else rng.choice(["sqz", "dif", "sqzdup", "difdup"])
        step = values[at] - values[at - 1]
        if use.startswith("dif"):
            line, run, ends_in_difference = line + packed(step, DIF), 1, True
            while at + run < len(values) and values[at + run] - values[at + run - 1] == step:
                run += 1
        else:
            line, run, ends_in_difference = line + packed(values[at], SQZ), 1, False
            while at + run < len(values) and values[at + run] == values[at]:
                run += 1
        if use.endswith("dup") and run > 1:
            line += DUP[str(run)[0]] + str(run)[1:]
            at += run
        else:
            at += 1
    return line, ends_in_difference


def jcamp(y: list[int], form: str, *, first: float = 400.0, step: float = 2.0, seed: int = 0, **records: str) -> str:
    """A JCAMP-DX file of whole numbers, in lines of up to seven values."""
    rng = random.Random(seed)
    last = first + step * (len(y) - 1)
    lines, at = [], 0
    while at < len(y):
        width = rng.randint(1, 7)
        line, ends_in_difference = encode_line(first + step * at, y[at : at + width], form, rng)
        lines.append(line)
        at += width
        if ends_in_difference:
            at -= 1  # the next line repeats the last value as its check
            if at == len(y) - 1:
                lines.append(f"{last:g}{packed(y[-1], SQZ)}")
                break
    head = {
        "TITLE": "curve",
        "JCAMP-DX": "4.24 $$ a comment",
        "DATA TYPE": "INFRARED SPECTRUM",
        "XUNITS": "1/CM",
        "YUNITS": "ABSORBANCE",
        "XFACTOR": "1",
        "YFACTOR": "0.5",
        "FIRSTX": f"{first:g}",
        "LASTX": f"{last:g}",
        "NPOINTS": str(len(y)),
    } | records
    return (
        "\n".join(f"##{key}= {value}" for key, value in head.items() if value)
        + "\n##XYDATA= (X++(Y..Y))\n"
        + "\n".join(lines)
        + "\n##END=\n"
    )


def pairs(y: list[float], separator: str, after: str, x: list[float], **records: str) -> str:
    body = after.join(f"{a}{separator}{b}" for a, b in zip(x, y, strict=True))
    head = {"TITLE": "pairs", "JCAMP-DX": "5.0", "XUNITS": "NANOMETERS", "YUNITS": "ABSORBANCE"} | records
    return "\n".join(f"##{k}={v}" for k, v in head.items()) + f"\n##XYPOINTS=(XY..XY)\n{body}\n##END=\n"


def read(text: str) -> tuple[Spectrum, ...]:
    data = text.encode()
    told = sniff(data, PATH)
    assert told is not None and told.name == "JCAMP-DX"
    return told.read(PATH, data)


FORMS = ("affn", "pac", "sqz", "dif", "sqzdup", "difdup", "mixed")
CURVE = [0, 0, 0, 5, 10, 15, 15, 15, 15, 7, -120, -120, -121, 3000, 2999, 2998, 2997, 12, 12]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(5))
def test_every_form_of_a_curve_gives_the_same_numbers(form: str, seed: int) -> None:
    (one,) = read(jcamp(CURVE, form, seed=seed))
    assert np.array_equal(one.intensity, np.array(CURVE) * 0.5)
    assert np.array_equal(one.axis, 400.0 + 2.0 * np.arange(len(CURVE)))
    assert (one.axis_kind, one.quantity, one.warnings) == (AxisKind.WAVENUMBER, Quantity.ABSORBANCE, ())


@given(
    y=st.lists(st.integers(-2_000_000, 2_000_000) | st.integers(-2, 2), min_size=2, max_size=60),
    form=st.sampled_from(FORMS),
    seed=st.integers(0, 99),
)
def test_any_curve_survives_any_form(y: list[int], form: str, seed: int) -> None:
    (one,) = read(jcamp(y, form, seed=seed))
    assert np.array_equal(one.intensity, np.array(y) * 0.5)


def test_a_descending_axis_stays_descending() -> None:
    (one,) = read(jcamp(CURVE, "difdup", first=4000.0, step=-2.0))
    assert one.axis[0] == 4000.0 and one.axis[-1] == 4000.0 - 2.0 * (len(CURVE) - 1)


def test_a_long_repeat_is_a_run() -> None:
    text = jcamp([7] * 345, "affn")
    (written_out,) = read(text)
    (repeated,) = read(f"{text.partition('##XYDATA')[0]}##XYDATA= (X++(Y..Y))\n400GU45\n##END=\n")
    assert len(repeated) == 345 and np.array_equal(repeated.intensity, written_out.intensity)


def test_exponents_are_exponents_and_squeezed_digits_are_digits() -> None:
    (plain,) = read(jcamp([1, 2], "affn").replace("400 1 2", "400 1.5E+01 2.5e-1").replace("402 2", "402 2.5e-1"))
    assert plain.intensity[0] == 7.5
    (squeezed,) = read(jcamp([51, 52, 53], "sqz"))
    assert squeezed.intensity.tolist() == [25.5, 26.0, 26.5]


def test_a_wrong_check_value_is_told_and_not_read_over() -> None:
    text = jcamp([100, 101, 103, 106, 110, 115, 121, 128, 136, 145], "dif", seed=3)
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("##XYDATA")) + 2
    broken = lines[at].replace("A", "B", 1)
    assert broken != lines[at]
    with pytest.raises(DataError, match="contradicts itself") as refused:
        read("\n".join([*lines[:at], broken, *lines[at + 1 :]]))
    assert refused.value.reason == "damaged"


def test_differences_without_checks_are_read_where_the_count_says_so() -> None:
    head, _, _ = jcamp([10, 11, 13, 20, 22, 25], "affn").partition("##XYDATA")
    (one,) = read(f"{head}##XYDATA= (X++(Y..Y))\n400A0JK\n406B0KL\n##END=\n")
    assert (one.intensity * 2).tolist() == [10, 11, 13, 20, 22, 25]
    assert any("check value" in told for told in one.warnings)


def test_a_missing_value_is_left_out_and_told() -> None:
    head, _, _ = jcamp([1, 2, 3, 4, 5], "affn").partition("##XYDATA")
    (one,) = read(f"{head}##XYDATA= (X++(Y..Y))\n400 1 2 ? 4 5\n##END=\n")
    assert one.axis.tolist() == [400, 402, 406, 408] and any("left out" in told for told in one.warnings)


@pytest.mark.parametrize(("separator", "after"), [(", ", "\n"), (",", " "), (" ", "; "), (", ", "; "), ("\t", "\n")])
def test_pairs_in_any_punctuation(separator: str, after: str) -> None:
    (one,) = read(pairs([0.1, 0.25, 0.5], separator, after, [400.0, 401.5, 404.0]))
    assert one.axis.tolist() == [400.0, 401.5, 404.0] and one.intensity.tolist() == [0.1, 0.25, 0.5]
    assert (one.axis_kind, one.axis_unit) == (AxisKind.WAVELENGTH, "nm")


@pytest.mark.parametrize(("separator", "after"), [(", ", "\n"), (" ", "; "), ("; ", "\n"), ("\t", "\n")])
def test_a_decimal_comma_that_the_records_show(separator: str, after: str) -> None:
    text = pairs([0.1, 0.25, 0.5], separator, after, [400.25, 401.5, 404.75], FIRSTX="400.25", MAXY="0.5")
    head, mark, body = text.partition("##XYPOINTS=(XY..XY)")
    text = head.replace("400.25", "400,25").replace("=0.5", "=0,5") + mark + body.replace(".", ",")
    (one,) = read(text)
    assert one.axis.tolist() == [400.25, 401.5, 404.75] and one.intensity.tolist() == [0.1, 0.25, 0.5]
    assert one.warnings == ()


def test_a_decimal_comma_in_a_table_of_ordinates() -> None:
    text = jcamp([1, 2, 3, 4], "affn", YFACTOR="0,5", FIRSTX="400,0", LASTX="406,0")
    text = text.replace("##END", "$$ end\n##END")
    (one,) = read(text)
    assert one.axis.tolist() == [400, 402, 404, 406] and one.intensity.tolist() == [0.5, 1.0, 1.5, 2.0]


def test_linked_blocks_are_spectra_of_their_own() -> None:
    inner = jcamp(CURVE, "difdup")
    text = (
        f"##TITLE= both\n##JCAMP-DX= 4.24\n##DATA TYPE= LINK\n##BLOCKS= 2\n{inner}{inner.replace('0.5', '2')}##END=\n"
    )
    one, two = read(text)
    assert (one.name, two.name) == ("curve 1", "curve 2")
    assert np.array_equal(one.intensity * 4, two.intensity)


def test_a_table_of_peaks_is_no_spectrum_and_does_not_hide_one() -> None:
    peaks = "##TITLE= p\n##JCAMP-DX= 4.24\n##XUNITS= 1/CM\n##PEAK TABLE= (XY..XY)\n400, 1\n500, 2\n##END=\n"
    with pytest.raises(DataError, match="peaks") as refused:
        read(peaks)
    assert refused.value.reason == "not-a-spectrum"
    assert len(read(f"##TITLE= l\n##JCAMP-DX= 4.24\n##DATA TYPE= LINK\n{peaks}{jcamp(CURVE, 'sqz')}##END=\n")) == 1


def test_ntuples_are_refused_by_name() -> None:
    text = (
        "##TITLE= n\n##JCAMP-DX= 5.0\n##DATA CLASS= NTUPLES\n"
        "##PAGE= N=1\n##DATA TABLE= (X++(R..R)), XYDATA\n1 2 3\n##END=\n"
    )
    with pytest.raises(DataError, match="NTUPLES") as refused:
        read(text)
    assert refused.value.reason == "unsupported-format"


def test_an_interferogram_is_read_by_its_own_records() -> None:
    (one,) = read(
        "##TITLE= i\n##JCAMP-DX= 4.24\n##DATA TYPE= INFRARED INTERFEROGRAM\n##RUNITS= MICROMETERS\n"
        "##AUNITS= ARBITRARY UNITS\n##FIRSTR= 0\n##LASTR= 6\n##RFACTOR= 1\n##AFACTOR= 0.1\n##NPOINTS= 4\n"
        "##RADATA= (R++(A..A))\n0 10 20\n4 30 40\n##END=\n"
    )
    assert one.axis.tolist() == [0, 2, 4, 6] and one.intensity.tolist() == pytest.approx([1, 2, 3, 4])
    assert one.quantity is Quantity.INTERFEROGRAM


def test_a_file_cut_off_says_so_and_a_wrong_count_is_told() -> None:
    text = jcamp(CURVE, "affn")
    with pytest.raises(DataError, match="of its 19 points") as refused:
        read("\n".join(text.splitlines()[:-3]))
    assert refused.value.reason == "truncated"
    (one,) = read(jcamp(CURVE, "affn", NPOINTS="25"))
    assert one.axis.tolist() == (400.0 + 2.0 * np.arange(len(CURVE))).tolist()
    assert any("NPOINTS" in told for told in one.warnings)


def test_declared_values_that_the_table_contradicts_are_told() -> None:
    (one,) = read(jcamp(CURVE, "affn", MAXY="9", FIRSTY="0", LASTX="900"))
    assert any("MAXY" in told for told in one.warnings) and any("abscissae" in told for told in one.warnings)
    assert not any("FIRSTY" in told for told in one.warnings)


def test_a_repeat_cannot_claim_the_memory_of_the_machine() -> None:
    for count, declared in (("s" + "9" * 8, "1000000000"), ("s" + "9" * 300, "20")):
        with pytest.raises(DataError) as refused:
            read(jcamp([1, 2], "affn", NPOINTS=declared).replace("##END", f"404A{count}\n##END"))
        assert refused.value.reason == "damaged"


def test_a_compound_file_that_ends_between_its_blocks_is_cut_off() -> None:
    block = jcamp([1, 2, 3, 4, 5], "affn")
    head = "##TITLE=all\n##JCAMP-DX=5.00\n##DATA TYPE=LINK\n##BLOCKS=3\n"
    whole = f"{head}{block}\n{block}\n{block}\n##END=\n"
    told = sniff(whole.encode(), PATH)
    assert told is not None and len(told.read(PATH, whole.encode())) == 3
    for text in (f"{head}{block}\n{block}\n", f"{head}{block}\n{block}\n##TITLE=third\n"):
        with pytest.raises(DataError) as refused:
            told.read(PATH, text.encode())
        assert refused.value.reason == "truncated"
    # A program that counts its own block, too, has said so by the end.
    assert len(told.read(PATH, f"{head}{block}\n{block}\n##END=\n".encode())) == 2
