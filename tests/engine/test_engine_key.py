"""A job's key: what its result depends on, and nothing else."""

import json

from hypothesis import assume, given
from hypothesis import strategies as st

from batchlab.engine import From, Gather, Job, TaskCard
from batchlab.engine._digest import canonical
from batchlab.engine._key import Handed, Recipes, difference, inputs_text, make_key, same_files

CARD = TaskCard(
    name="toy.add",
    version="1",
    inputs=(),
    outputs={},
    libraries=(),
    preload=(),
    summary="",
    any_io=False,
    optional_inputs=(),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)
PARAMS = st.dictionaries(st.text(max_size=3), VALUES, max_size=4)


def recipe(params, card=CARD):
    return Recipes().of(Job(name="j", task="toy.add", params=params), card)


@given(params=PARAMS, order=st.randoms())
def test_the_order_of_keys_does_not_count(params, order):
    names = list(params)
    order.shuffle(names)
    assert recipe(params).digest == recipe({name: params[name] for name in names}).digest


@given(before=PARAMS, now=PARAMS)
def test_another_param_is_another_recipe_and_the_reason_names_it(before, now):
    same = canonical(before) == canonical(now)
    assert (recipe(before).digest == recipe(now).digest) == same
    assume(not same)
    told = difference(recipe(before).text, recipe(now).text, None, None)
    changed = [n for n in {*before, *now} if canonical(before.get(n, "?")) != canonical(now.get(n, "?"))]
    assert told.startswith("params.")
    assert any(told.startswith(f"params.{name}") for name in changed)


def test_what_only_looks_alike_is_told_apart_and_named():
    for before, now in (({"a": 5}, {"a": 5.0}), ({"a": True}, {"a": 1}), ({}, {"a": None})):
        assert recipe(before).digest != recipe(now).digest
        assert difference(recipe(before).text, recipe(now).text, None, None).startswith("params.a")


def test_a_param_that_is_not_a_number_is_no_change():
    before, now = {"a": float("nan"), "b": 1}, {"a": float("nan"), "b": 2}
    assert difference(recipe(before).text, recipe(now).text, None, None) == "params.b: 1 -> 2"


@given(version=st.text(min_size=1, max_size=3), name=st.text(min_size=1, max_size=3))
def test_task_and_version_count(version, name):
    from dataclasses import replace

    other = replace(CARD, version=version, name=name)
    assert (recipe({}, other).digest == recipe({}).digest) == (version == "1" and name == "toy.add")


FILES = st.dictionaries(
    st.sampled_from(["/d/a.txt", "/d/b.txt", "/e/a.txt"]), st.text("01", min_size=1, max_size=2), min_size=1
)


def key_of(inputs, digests=None, handed=None):
    job = Job(name="j", task="toy.add", inputs=inputs)
    return make_key(recipe({}), inputs_text(job, (digests or {}).__getitem__, (handed or {}).get))


@given(before=FILES, now=FILES)
def test_another_content_or_file_name_is_another_key_and_another_folder_is_not(before, now):
    def essence(files):
        return [(path.rsplit("/")[-1], digest) for path, digest in files.items()]

    keys = [key_of({"x": tuple(files)}, files) for files in (before, now)]
    assert (keys[0] == keys[1]) == (essence(before) == essence(now))


@given(st.permutations(["a", "b", "c"]))
def test_the_order_in_which_members_end_does_not_count(order):
    handed = {name: Handed({"table": name * 3}, f"m{name}") for name in "abc"}
    expected = key_of({"m": From(jobs=("a", "b", "c"), gather=Gather.DONE)}, handed=handed)
    assert key_of({"m": From(jobs=tuple(order), gather=Gather.DONE)}, handed=handed) == expected
    for name in "abc":
        fewer = {n: h for n, h in handed.items() if n != name}
        assert key_of({"m": From(jobs=("a", "b", "c"), gather=Gather.DONE)}, handed=fewer) != expected
        other = {**handed, name: Handed({"table": name * 3}, "other")}
        assert key_of({"m": From(jobs=("a", "b", "c"), gather=Gather.DONE)}, handed=other) != expected


def test_reasons_in_words():
    def told(before, now):
        return difference(recipe({}).text, recipe({}).text, json.dumps(before), json.dumps(now))

    assert told({"x": ["a", "1"]}, {"x": ["a", "2"]}) == "input x: a has changed"
    assert told({"x": ["a", "1"]}, {"x": ["b", "1"]}) == "input x: a -> b"
    assert told({}, {"x": ["a", "1"]}) == "input x: added"
    assert told({"x": ["a", "1"]}, {}) == "input x: no longer given"
    assert told({"x": [["a", "1"]]}, {"x": [["a", "1"], ["b", "1"]]}) == "input x: b added"
    assert told({"x": [["a", "1"], ["b", "1"]]}, {"x": [["a", "1"]]}) == "input x: b removed"
    assert told({"x": [["a", "1"], ["b", "1"]]}, {"x": [["b", "1"], ["a", "1"]]}) == "input x: order has changed"
    assert told({"x": {"j": ["m", {}]}}, {"x": {"j": ["n", {}]}}) == "input x: j gave another result"


def test_a_file_is_the_same_whether_a_job_hands_it_over_or_it_is_named():
    def text(value, digest="d1"):
        job = Job(name="j", task="toy.add", inputs={"table": value, "other": "o.txt"})
        handed = Handed(outputs={"out": digest}, metrics="m")
        return inputs_text(job, lambda path: digest if path == "a/t.txt" else "other", lambda _: handed)

    named, given = text("a/t.txt"), text(From(jobs=("up",), output="out"))
    assert same_files(given, named) and same_files(named, given) and same_files(named, named)
    assert not same_files(given, text("a/t.txt", "d2"))
    assert not same_files(text("a/t.txt", "d2"), given)
    assert not same_files(named, text(("a/t.txt",)))
    assert not same_files(named, text(From(jobs=("up",), gather=Gather.ALL)))
    assert not same_files(None, named)
