"""What the reader refuses, with which reason; and that nothing else than our error ever comes out."""

from __future__ import annotations

import codecs
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from batchlab.errors import Category, DataError
from batchlab.spectra import Spectrum, read_text
from batchlab.spectra._read import read_spectra
from batchlab.spectra._read._formats import sniff


def is_text(path: Path, data: bytes) -> bool:
    """Whether a file is a text table, and no format of its own."""
    try:
        return sniff(data, path) is None and not data.startswith(b"\x00")
    except DataError:
        return False


ROWS = "".join(f"{400 + 2 * i:.2f},{0.1 + (i * 7 % 11) * 0.013:.4f}\n" for i in range(60))


def refusal(path: Path, **options: object) -> DataError:
    with pytest.raises(DataError) as caught:
        read_text(path, **options)
    assert caught.value.reason
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.reason, again.category) == (
        str(caught.value),
        caught.value.reason,
        caught.value.category,
    )
    return caught.value


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty-file"),
        (b"\n \r\n\t\n", "empty-file"),
        (codecs.BOM_UTF8, "empty-file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "binary"),
        (b"\xff\xd8\xff\xe0" + bytes(600), "binary"),
        (b"%PDF-1.7\n1 0 obj", "binary"),
        (bytes(range(256)) * 20, "binary"),
        (bytes(4000), "binary"),
        (b"PK\x03\x04" + bytes(400), "unsupported-format"),
        (b"\x00\x4b" + bytes(range(256)) * 20, "binary"),
        (b"<?xml version='1.0'?>\n<a/>", "unsupported-format"),
        (b"Dear reader,\nthis is a letter of 2 lines.\n", "not-a-spectrum"),
        (b"1,2\n2,3\n3,4\n4,5\n", "not-a-spectrum"),
        (b"2016-08-19,10:20:30\n" * 40, "not-a-spectrum"),
        (codecs.BOM_UTF16_LE + "1,2\n2".encode("utf-16-le") + b"\x00", "truncated"),
        (codecs.BOM_UTF16_LE + b"\x00\xdc1\x00", "encoding"),
        (codecs.BOM_UTF8 + b"caf\xe9\n" + ROWS.encode(), "encoding"),
        (ROWS.encode() + bytes(300), "truncated"),
        ((",".join(map(str, range(300))) + "\n").encode() * 2, "unknown-layout"),
        (b"".join(b"%d,%d\n" % (i * 37 % 101, i * 53 % 101) for i in range(100)), "unknown-layout"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_table_is_refused_with_its_reason(write, content, reason):
    error = refusal(write(content))
    assert error.reason == reason
    assert error.category is Category.INVALID_INPUT
    assert "sample.txt" in str(error)


def test_a_directory_named_like_a_table_is_no_file(tmp_path):
    folder = tmp_path / "x.csv"
    folder.mkdir()
    assert refusal(folder).reason == "not-a-file"


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe").reason == "not-a-file"


def test_a_missing_file_is_missing_input(tmp_path):
    error = refusal(tmp_path / "gone.csv")
    assert (error.reason, error.category) == ("not-found", Category.MISSING_INPUT)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_file_without_read_permission_is_missing_input(write):
    path = write(ROWS)
    path.chmod(0)
    error = refusal(path)
    assert (error.reason, error.category) == ("unreadable", Category.MISSING_INPUT)


def test_a_name_that_no_file_can_have_is_our_error():
    assert refusal(Path("a\x00b")).reason == "read-failed"


@pytest.mark.parametrize("cut", ["480.00", "480.00,", "480.", "4", "480.00,1.2e", "480.00,-", "480.00,1.3"])
def test_a_row_that_breaks_off_means_the_file_was_cut(write, cut):
    rows = "".join(f"{400 + 2 * i:.2f},{0.1 + i * 0.013:.4f}\n" for i in range(60))
    assert refusal(write(rows + cut)).reason == "truncated"


def test_a_short_last_row_means_the_file_was_cut_even_if_its_line_ends(write):
    assert refusal(write(ROWS + "520.00\n")).reason == "truncated"


def test_fewer_points_than_declared_mean_the_file_was_cut(write):
    assert refusal(write("NPOINTS\t61\n" + ROWS.replace(",", "\t"))).reason == "truncated"
    assert len(read_text(write("NPOINTS\t60\n" + ROWS.replace(",", "\t")))) == 60


def test_what_cannot_be_decided_is_told_not_refused(write):
    whole = read_text(write(ROWS.rstrip("\n")))
    assert len(whole) == 60
    assert "does not end" in " ".join(whole.warnings)
    assert read_text(write(ROWS)).warnings == ()


def test_a_table_with_a_damaged_line_inside_is_refused_at_that_line(write):
    lines = ROWS.splitlines(keepends=True)
    lines[30] = "46#@!,0.\n"
    error = refusal(write("".join(lines)))
    assert error.reason == "broken-table"
    assert "line 31" in str(error)


def test_a_damaged_line_near_the_end_is_not_lost_silently(write):
    lines = ROWS.splitlines(keepends=True)
    lines[-2] = "46#@!,0.\n"
    assert refusal(write("".join(lines))).reason == "broken-table"


@pytest.mark.parametrize("second", ["reference", "treated"])
def test_two_samples_in_one_file_are_not_chosen_between(write, second):
    rows = "".join(f"{400 + i},{i % 7},{i % 5}\n" for i in range(30))
    error = refusal(write(f"wavelength,untreated,{second}\n" + rows))
    assert error.reason == "ambiguous-columns"
    assert "untreated" in str(error) and second in str(error)


@pytest.mark.parametrize("option", ["axis", "column"])
@pytest.mark.parametrize("wanted", ["nothing", 7, -4, "9"])
def test_a_column_that_is_not_there_is_named_with_those_that_are(write, option, wanted):
    error = refusal(write("wavelength,signal\n" + ROWS), **{option: wanted})
    assert error.reason == "no-such-column"
    assert "0: wavelength, 1: signal" in str(error)


def test_one_column_cannot_be_both(write):
    assert refusal(write(ROWS), axis=0, column=0).reason == "ambiguous-columns"


TEXTS = st.one_of(
    st.binary(max_size=400),
    st.text(alphabet='0123456789+-.,;eE \t\n\rnaNx#[]%"\u00b5\u2212\xa0', max_size=400).map(str.encode),
    st.lists(
        st.tuples(st.floats(width=32), st.floats(width=32), st.sampled_from([",", ";", "\t", " ", ", "])),
        min_size=5,
        max_size=30,
    ).map(lambda rows: "".join(f"{x!r}{d}{y!r}\n" for x, y, d in rows).encode()),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.builds(bytes.__add__, st.sampled_from([b"", codecs.BOM_UTF16_LE, ROWS.encode()]), TEXTS))
@example(content=b"1e999,1\n2,2\n3,3\n4,4\n5,5\n6,6\n")
@example(content=b"1 2,,3\n" * 9)
@example(content=b"9" * 5000 + b",1\n" + ROWS.encode())
def test_any_bytes_give_a_spectrum_or_our_error(tmp_path, content):
    path = tmp_path / "any.txt"
    path.write_bytes(content)
    try:
        spectrum = read_text(path)
    except DataError as error:
        assert error.reason
    else:
        assert isinstance(spectrum, Spectrum)


def test_a_real_text_cut_anywhere_gives_its_points_or_our_error(shared_spectra, tmp_path):
    """Where a cut is not seen, what is read is a beginning of the whole, but for the last number."""
    read = 0
    for folder in sorted(folder for folder in shared_spectra.iterdir() if folder.is_dir()):
        whole_path = min(folder.iterdir())
        data = whole_path.read_bytes()
        if not is_text(whole_path, data):
            continue
        whole = read_spectra(whole_path)
        for length in range(1024, min(len(data), 40_000), 1024 * max(1, min(len(data), 40_000) // 12_000)):
            path = tmp_path / f"cut{whole_path.suffix}"
            path.write_bytes(data[:length])
            try:
                parts = read_spectra(path)
            except DataError as error:
                assert error.reason, path
                continue
            read += 1
            for part, all_of_it in zip(parts, whole, strict=False):
                inner = len(part) - 1
                assert list(part.axis[:inner]) == list(all_of_it.axis[:inner]), (whole_path, length)
                assert list(part.intensity[:inner]) == list(all_of_it.intensity[:inner]), (whole_path, length)
    assert read > 20


@pytest.mark.parametrize("family", ["horiba-glass-family/BD1469.txt", "renishaw-glass-family/VG285_3.txt"])
def test_of_all_cuts_only_the_undecidable_ones_are_read_and_those_are_told(shared_spectra, tmp_path, family):
    data = (shared_spectra / family).read_bytes()
    path = tmp_path / "cut.txt"
    silent = told = refused = 0
    start = len(data) // 2
    for length in range(start, start + 200):
        path.write_bytes(data[:length])
        try:
            spectrum = read_text(path)
        except DataError as error:
            assert error.reason == "truncated"
            refused += 1
        else:
            at_line_end = data[:length].endswith(b"\n") or data[:length].endswith(b"\r")
            silent += not spectrum.warnings
            told += bool(spectrum.warnings)
            assert at_line_end or spectrum.warnings
    assert refused > 2 * (told + silent)
