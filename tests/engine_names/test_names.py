"""File names that hold on every system, and templates that stay under the output root."""

from __future__ import annotations

import posixpath
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchlab.engine._names import (
    check_template,
    collision_key,
    readable,
    render_template,
    slug,
    text_of,
)
from batchlab.errors import ConfigError

AWKWARD = [
    "compare/leaf 1",
    "a\nb",
    "-rf",
    "CON",
    "nul.txt",
    "..",
    "",
    "é" * 300,
    "e\u0301",
    "\u00e9",
    "LEAF",
    "leaf",
    "x" * 255,
    "a\x00b",
    "\udc80",
    "日本語",
]


def test_slugs_of_awkward_names_are_safe_and_differ():
    slugs = [slug(name) for name in AWKWARD]
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,96}", text) for text in slugs)
    assert len({collision_key(text) for text in slugs}) == len(AWKWARD)


@given(st.text(), st.text())
def test_slugs_tell_names_apart_where_case_and_unicode_fold(one, other):
    assert (collision_key(slug(one)) == collision_key(slug(other))) == (one == other)


def test_a_slug_never_changes():
    assert slug("compare/leaf_1/window=5") == "compare_leaf_1_window_5-7cab5883b00d9d0b"
    assert slug("x") == "x-4adf4367f96e584f"


@pytest.mark.parametrize(
    ("one", "other"), [("Leaf.png", "leaf.PNG"), ("\u00e9.png", "e\u0301.png"), ("STRASSE", "straße")]
)
def test_equal_files_have_equal_collision_keys(one, other):
    assert collision_key(one) == collision_key(other)


@given(st.text())
def test_collision_key_ignores_unicode_form(text):
    assert collision_key(unicodedata.normalize("NFD", text)) == collision_key(unicodedata.normalize("NFC", text))


def test_readable_writes_out_what_a_screen_cannot_show():
    assert readable("leaf é 1") == "leaf é 1"
    assert readable("a\nb\x1b[31m") == "a%0Ab%1B[31m"
    assert readable("caf\udce9") == "caf%E9"


def test_values_are_written_as_in_a_batch_file():
    assert [text_of(v) for v in ("a", 5, 0.1, 1e-5, True, None, [1, 2])] == [
        *("a", "5", "0.1", "1e-05", "true", "null", "[1,2]")
    ]


def test_template_fills_fields_and_keeps_folders():
    fields = {"sample": "leaf 1", "window": 5}
    assert render_template("figures/{sample}_{window}.png", fields) == "figures/leaf 1_5.png"
    assert render_template("./a//{sample}/", fields) == "a/leaf 1/"
    assert render_template("{{{window}}}.txt", fields) == "{5}.txt"


@pytest.mark.parametrize(
    "template",
    [
        *("../x.png", "a/../../x", "/etc/passwd", "~/x", "C:/x", "c:x", "a\\b", "a\x00b", "a\nb", "", "/", "."),
        *(".batchlab/ledger.sqlite", ".BatchLab/x", ".batchlab./x", "a/.. /b"),
        *("{x.__class__}", "{x[0]}", "{x!r}", "{x:>10}", "{}", "{0}", "{x", "x}", "{x {x}}", "{{x}"),
    ],
)
def test_templates_that_lead_out_or_look_inside_are_refused(template):
    assert check_template(template, {"x"})
    with pytest.raises(ConfigError):
        render_template(template, {"x": "value"})


def test_unknown_field_names_the_nearest():
    (problem,) = check_template("{sampel}.png", {"sample", "reference"})
    assert "did you mean 'sample'" in problem
    with pytest.raises(ConfigError, match="did you mean 'sample'"):
        render_template("{sampel}.png", {"sample": "a"})


@pytest.mark.parametrize(
    ("template", "value", "path"),
    [
        ("{x}.png", "../../etc/passwd", ".._.._etc_passwd.png"),
        ("{x}/a.png", "..", "__/a.png"),
        ("{x}{x}/a", ".", "__/a"),
        ("{x}/a", ".", "_/a"),
        ("{x}/a", "", "_/a"),
        ("{x}", "/etc", "_etc"),
        ("{x}.png", "12:30*?", "12_30__.png"),
        ("{x}.png", "-rf", "_rf.png"),
        ("{x}.png", "CON", "_CON.png"),
        ("{x}", "name. ", "name._"),
        ("{x}/a", ".batchlab", "_/a"),
        ("{x}.png", "a\x00\x1b\n", "a___.png"),
        ("{x}.png", "caf\udce9", "caf%E9.png"),
    ],
)
def test_values_add_no_folder_and_nothing_unsafe(template, value, path):
    assert render_template(template, {"x": value}) == path


def test_long_names_are_cut_differently_and_keep_their_extension():
    one = render_template("{x}.png", {"x": "é" * 300 + "1"})
    other = render_template("{x}.png", {"x": "é" * 300 + "2"})
    assert one != other
    assert all(name.endswith(".png") and len(name.encode()) <= 255 for name in (one, other))


anything = st.text(st.characters(codec=None), max_size=300)


@given(anything, anything, st.sampled_from(["{a}/{b}.png", "{a}{b}", "x/{a}", "{a}/{b}/", "{a}.{b}"]))
@example("..", "", "{a}/{b}.png")
@example(".", ".", "{a}{b}")
@example(".", "..", "{a}/{b}/")
def test_a_rendered_path_stays_below_its_root(a, b, template):
    path = render_template(template, {"a": a, "b": b})
    assert not path.startswith("/")
    assert posixpath.normpath(posixpath.join("/root", path)) == "/root/" + path.rstrip("/")
    assert path.count("/") == template.count("/")
    assert all(len(part.encode()) <= 255 for part in path.split("/"))
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in path)
    assert path.split("/")[0].casefold() != ".batchlab"


@given(st.text(max_size=60))
def test_any_template_is_rendered_or_refused_with_a_reason(template):
    problems = check_template(template, {"x"})
    if problems:
        with pytest.raises(ConfigError):
            render_template(template, {"x": "v"})
    else:
        path = render_template(template, {"x": "v"})
        assert path
        assert not path.startswith("/")
        assert ".." not in path.split("/")
