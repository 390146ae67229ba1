"""Batch files are read as YAML 1.2, bounded, with positions, and nothing in them ever runs."""

from __future__ import annotations

import json
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from batchlab.batchfile import _yaml
from batchlab.batchfile._yaml import read_yaml
from batchlab.errors import ConfigError


def read(text: str, file: str = "b.yaml"):
    return read_yaml(text.encode(), file).plain()


def problems(text: str | bytes, file: str = "b.yaml"):
    with pytest.raises(ConfigError) as caught:
        read_yaml(text if isinstance(text, bytes) else text.encode(), file)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("1e3", 1000.0), ("1.5E-4", 1.5e-4), (".5", 0.5), ("5.", 5.0), ("-0.0", -0.0)),
        *(("012", 12), ("0o14", 12), ("0x1F", 31), ("+7", 7), ("1_000", "1_000")),
        *(("off", "off"), ("yes", "yes"), ("No", "No"), ("y", "y"), ("true", True), ("False", False)),
        *(("12:30:00", "12:30:00"), ("2024-05-01", "2024-05-01"), ("60 s", "60 s")),
        *(("~", None), ("null", None), ("", None), ('""', ""), ("'1e3'", "1e3"), ('"true"', "true")),
        *((".inf", math.inf), ("-.INF", -math.inf), ("=", "="), ("0b11", "0b11"), ("9" * 5000, math.inf)),
    ],
)
def test_scalars_follow_the_core_schema(text, value):
    found = read(f"key: {text}")["key"]
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_read():
    assert math.isnan(read("key: .nan")["key"])


def test_merge_keys_are_plain_keys():
    assert read("a: &a {x: 1}\nb: {<<: *a, y: 2}")["b"] == {"<<": {"x": 1}, "y": 2}


def test_a_repeated_key_is_told_with_both_places():
    (problem,) = problems("a: 1\nb:\n  c: 1\n  'c': 2\n")
    assert (problem.line, problem.column) == (4, 3)
    assert "line 3, column 3" in problem.message


def test_all_repeated_keys_are_told():
    assert len(problems('{"a": 1, "a": 2, "b": {"c": 1, "c": 2}}', "b.json")) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: !!python/object/apply:os.system ['touch /tmp/ran']", "tag"),
        ("a: !!str 5", "tag"),
        ("a: !local 5", "tag"),
        ("!!map {a: 1}", "tag"),
        ("!!str a: 1", "plain text"),
        ("? [a, b]\n: 1", "plain text"),
        ("a: *b", "no anchor"),
        ("a: &a [*a]", "inside its own anchor"),
        ("a: 1\n---\nb: 2", "second document"),
        ("", "empty"),
        ("# nothing\n", "empty"),
        ("a: [1, 2", "cannot be read as YAML"),
        ("a: b: c", "cannot be read as YAML"),
        ("a: \x07", "cannot be read as YAML"),
        ("[" * 60 + "]" * 60, "more than 50 deep"),
        ("[" * 200_000, "more than 50 deep"),
        ("a: {b: ${data}/*.txt}", "in quotes"),
    ],
)
def test_what_is_no_plain_document_is_refused(text, said):
    assert any(said in problem.message for problem in problems(text))


def test_an_alias_bomb_is_refused_before_it_grows():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    (problem,) = problems("\n".join(lines))
    assert "aliases stand for more than 100,000 values" in problem.message


def test_honest_aliases_are_read():
    assert read("a: &a {x: 1}\nb: *a") == {"a": {"x": 1}, "b": {"x": 1}}


def test_a_huge_file_is_refused(monkeypatch):
    monkeypatch.setattr(_yaml, "MAX_BYTES", 1_000_000)
    (problem,) = problems(b"a: " + b"x" * 1_000_000)
    assert "larger than 1 MB" in problem.message


def test_encodings():
    assert read_yaml("\ufeffa: ü".encode(), "b").plain() == {"a": "ü"}
    assert read_yaml("a: ü".encode("utf-16"), "b").plain() == {"a": "ü"}
    (problem,) = problems("a: 1\nb: ü".encode("latin-1"))
    assert problem.line == 2
    assert "save it as UTF-8" in problem.message


def test_positions_of_values_and_keys():
    node = read_yaml(b"a: 1\njobs:\n  - task: x\n    params: {window: 5}\n", "b")
    assert node.locate(("jobs", 0, "params", "window")) == (4, 22)
    assert node.locate(("jobs", 0, "params", "window"), key=True) == (4, 14)
    assert node.locate(("jobs", 0, "params", "gone")) == (4, 5)
    assert node.locate(("jobs", 7)) == (2, 1)


def test_the_plain_parser_reads_alike(monkeypatch):
    text = "a: [1e3, off, {b: *x}]\nc: &x 1\n"
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert "no anchor" in problems(text)[0].message
    assert read("a: [1e3, off]\nc: 012") == {"a": [1000.0, "off"], "c": 12}


data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=40), below, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=40), data, max_size=4), st.booleans())
def test_json_is_read_as_json_reads_it(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)
    if not ascii_only and any(not (c.isprintable() or c in "\n") for c in text):
        text = json.dumps(value)
    assert read(text, "b.json") == value


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.text(), min_size=1, max_size=3))
def test_text_that_yaml_writes_comes_back(value):
    assert read(yaml.safe_dump(value, default_style='"', sort_keys=False)) == value


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_garbage_is_read_or_refused(raw):
    try:
        read_yaml(raw, "b.yaml").plain()
    except ConfigError as error:
        assert str(error).startswith("b.yaml")
