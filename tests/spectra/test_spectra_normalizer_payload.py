"""What an AI would be told of a file, and the name its layout goes by."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from normalizer_files import SECRETS, write_unknown

from batchlab.errors import BatchlabError
from batchlab.spectra._normalizer._ai import first_request
from batchlab.spectra._normalizer._masking import Mask, masked_digits
from batchlab.spectra._normalizer._payload import MOST_BYTES, fingerprint, layout_name, masked
from batchlab.spectra._normalizer._prompt import answer_schema
from batchlab.spectra._normalizer._settings import AiSettings
from batchlab.spectra._plan import Plan
from batchlab.spectra._read._observation import observe

MASK = Mask(delimiter="\t", columns=2, own=frozenset({"leaf"}), key_sign="")


def quoted(payload: str) -> str:
    parts = json.loads(payload)
    return "\n".join(text for part in ("above", "data", "below") for _, text in parts.get(part, []))


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("User: Grete Miller", "User: <text>"),
        ("Integration Time (msec): 500", "Integration Time (msec): <number>"),
        ("Integration Time: 500 ms", "Integration Time: <text>"),
        ("#XUnits=cm-1", "#XUnits=cm-9"),
        ("Laser wavelength\t784.97 nm", "Laser wavelength\t999.99 nm"),
        ("Number of Pixels in Spectrum: 2048", "Number of Pixels in Spectrum: <number>"),
        ("NPOINTS = 2048", "NPOINTS = 9999"),
        ("##TITLE=polystyrene of Miller", "##TITLE=<text>"),
        (">>>>>Begin Spectral Data<<<<<", ">>>>>Begin Spectral Data<<<<<"),
        ("[Data]", "[Data]"),
        ("XYDATA", "XYDATA"),
        ("Grete Miller", "<text>"),
        ("Miller, Grete", "<text>"),
        ("2021-03-04 12:33:51", "9999-99-99 99:99:99"),
        ("Thu Mar 04 12:33:51 CET 2021", "<text> 99 99:99:99 <text> 9999"),
        ("C:\\Users\\grete\\leaf.txt", "C:<text>"),
        ("/home/grete/leaf.txt", "<text>"),
        ("grete.miller@example.org", "<text>"),
        ("Spectra of leaf 7", "Spectra of <text> 9"),
        ("c99ca9fb-1234-9f99-9eb9-0123e999dd99\tMiller", "<text>\t<text>"),
    ],
)
def test_a_line_above_the_table_keeps_what_its_maker_wrote(line: str, kept: str):
    assert MASK.preamble_line(line) == kept


@pytest.mark.parametrize(
    ("columns", "line", "kept"),
    [
        (2, "Wavelength (nm)\tAbsorbance", "Wavelength (nm)\tAbsorbance"),
        (2, "Longitud\tSeñal", "Longitud\tSeñal"),
        (2, "Wavelength (nm)\tleaf", "Wavelength (nm)\t<name>"),
        (2, "Wavelength (nm)\tMiller_7", "Wavelength (nm)\t<name>"),
        (2, "Sample\tMiller", "Sample\t<text>"),
        (9, "nm\tMiller\tSmith", "nm\t<name>\t<name>"),
        (2, "A230 (10mm)\t%T", "A999 (99mm)\t%T"),
    ],
)
def test_a_header_keeps_words_of_the_field_and_no_names(columns: int, line: str, kept: str):
    mask = Mask(delimiter="\t", columns=columns, own=frozenset({"leaf"}), key_sign="")
    assert mask.header_line(line) == kept


def test_a_row_keeps_the_shape_of_its_numbers():
    assert MASK.data_line("-1.5e-03\tMiller\tNaN\t\t12,5") == "-9.9e-99\t<text>\tNaN\t\t99,9"


@given(st.text())
def test_no_digit_of_any_script_is_left(text: str):
    kept = masked_digits(text)
    assert len(kept) == len(text)
    assert not re.search(r"(?!9)\d", kept)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=300), max_size=60))
def test_whatever_stands_above_a_table_the_payload_is_small_and_holds_no_digit(lines: list[str]):
    safe = [re.sub(r"[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", " ", line) for line in lines]
    for method in (MASK.preamble_line, MASK.header_line, MASK.data_line, MASK.free_line):
        masked_lines = [method(line) for line in safe]
        told = "".join(masked_lines)
        assert not re.search(r"(?!9)\d", told)


def test_the_payload_of_a_file_tells_its_layout_and_nothing_of_its_owner(tmp_path: Path):
    observation = observe(write_unknown(tmp_path / "leaf_77.txt", remarks=60))
    payload = masked(observation)
    assert len(payload.encode()) <= MOST_BYTES
    assert not [secret for secret in SECRETS if secret.lower() in payload.lower()]
    told = json.loads(payload)
    assert told["above"][-1][1] == "Alpha\tBeta\tGamma"
    assert told["hypotheses"][0][:3] == ["tab", "point", 3]
    assert len(told["data"]) >= 1 and "leaf" not in layout_name(observation)


def test_the_payload_stays_small_however_wide_and_wordy_a_file_is(write: Callable[..., Path]):
    header = ";".join(f"Überlänge{'ß' * 30} {i}" for i in range(900))
    preamble = "".join(f"Ключ {i} параметра: {'значение ' * 30}\n" for i in range(170))
    rows = "".join(";".join(f"{i * 3 + j}.5" for j in range(900)) + "\n" for i in range(30))
    payload = masked(observe(write(preamble + header + "\n" + rows)))
    assert len(payload.encode()) <= MOST_BYTES
    assert json.loads(payload)["data"]


def test_a_layout_has_one_name_whatever_its_values_path_rows_and_dates(tmp_path: Path):
    (tmp_path / "other").mkdir()
    first = observe(write_unknown(tmp_path / "leaf_77.txt"))
    second = observe(write_unknown(tmp_path / "other" / "stone.txt", rows=140, shift=3.0, remarks=2))
    text = second.path.read_text().replace("2021", "1999").replace("Grete Miller", "Hans Huber")
    second.path.write_text(text)
    assert fingerprint(first) == fingerprint(observe(second.path))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\t", ";"),
        lambda text: text.replace("Operator:", "Analyst:"),
        lambda text: text.replace("Gamma", "Delta"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("Alpha\tBeta\tGamma\n", ""),
    ],
)
def test_another_layout_has_another_name(tmp_path: Path, change: Callable[[str], str]):
    path = write_unknown(tmp_path / "a.txt")
    before = fingerprint(observe(path))
    path.write_bytes(change(path.read_text()).encode())
    assert fingerprint(observe(path)) != before


def test_the_schema_is_closed_and_every_key_is_required():
    schema = answer_schema()

    def check(node: object) -> int:
        if isinstance(node, list):
            return sum(map(check, node))
        if not isinstance(node, dict):
            return 0
        found = 0
        if "properties" in node:
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
            found = 1
        return found + sum(check(each) for each in node.values())

    assert check(schema) == 3
    assert set(schema["properties"]) == set(Plan.model_fields) - {"encoding"}
    assert "cm-1" in schema["$defs"]["AxisPlan"]["properties"]["unit"]["enum"]


def test_no_request_about_a_real_file_holds_its_digits_names_or_path(shared_spectra: Path):
    families: dict[str, set[str]] = defaultdict(set)
    seen = 0
    settings = AiSettings(url="http://localhost/v1", model="m")
    for path in sorted(shared_spectra.glob("*/*")):
        try:
            observation = observe(path)
        except BatchlabError:
            continue
        seen += 1
        payload = masked(observation)
        assert len(payload.encode()) <= MOST_BYTES, path
        told = quoted(payload)
        assert not re.search(r"(?!9)\d", told), path
        assert str(path.parent) not in payload
        private = ("serial", "user", "operator", "date", "gps", "longitude", "latitude", "comm", "name")
        for key, value in observation.keys.items():
            words = re.split(r"[\W_]+", key.casefold())
            if any(word in words for word in private) and re.fullmatch(r"[^\W\d_]{5,}", value):
                assert value not in first_request(observation, settings).decode(), (path, key)
        families[path.parent.name].add(fingerprint(observation))
    assert seen > 80
    for family in ("horiba-glass-family", "bwtek-twinning-family", "perkinelmer-ls50-peds-family"):
        assert len(families[family]) == 1, family
