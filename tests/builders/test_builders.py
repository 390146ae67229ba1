"""Batches from files, folders, groups and grids."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.batchfile import load
from batchlab.builders import from_directory, from_files, grid, group_files, groups, match
from batchlab.builders._labels import labels, stem
from batchlab.engine import inline, plan, run
from batchlab.engine._model import From, Limits
from batchlab.engine._names import collision_key, render_template
from batchlab.errors import ConfigError


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(name))


def names_of(batch):
    return [job.name for job in batch.jobs]


def below(folder, paths):
    return [os.path.relpath(path, folder) for path in paths]


# --- patterns


def test_a_pattern_leaves_hidden_files_out_and_sorts_by_code_point(tmp_path):
    touch(tmp_path, "b.txt", "B.txt", "a10.txt", "a9.txt", "ä.txt", ".c.txt", "d.csv")
    assert below(tmp_path, match(f"{tmp_path}/*.txt")) == ["B.txt", "a10.txt", "a9.txt", "b.txt", "ä.txt"]
    assert below(tmp_path, match(f"{tmp_path}/.*.txt")) == [".c.txt"]
    assert below(tmp_path, match(f"{tmp_path}/a?.txt")) == ["a9.txt"]


def test_two_stars_span_folders_and_brackets_are_plain_text(tmp_path):
    touch(tmp_path, "x[1].txt", "a/x[1].txt", "a/b/x[1].txt", ".h/x[1].txt", "a/x1.txt")
    assert below(tmp_path, match(f"{tmp_path}/**/x[1].txt")) == ["a/b/x[1].txt", "a/x[1].txt", "x[1].txt"]
    assert len(match(f"{tmp_path}/**")) == 4
    assert below(tmp_path, match(f"{tmp_path}/a/**/*1.txt")) == ["a/x1.txt"]
    assert match(f"{tmp_path}/none/*.txt") == []


def test_looping_links_end_and_each_file_is_met_once(tmp_path):
    touch(tmp_path, "a/x.txt", "b/y.txt")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a_link").symlink_to(tmp_path / "b")
    assert below(tmp_path, match(f"{tmp_path}/**/*.txt")) == ["a/x.txt", "b/y.txt"]


def test_folders_named_like_files_count_and_other_kinds_do_not(tmp_path):
    touch(tmp_path, "a.csv")
    (tmp_path / "x.csv").mkdir()
    (tmp_path / "raw").mkdir()
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.csv")
    assert below(tmp_path, match(f"{tmp_path}/*")) == ["a.csv", "gone.csv", "x.csv"]


def test_a_batch_never_reads_its_own_output(tmp_path):
    touch(tmp_path, "a.csv", "out/a.csv")
    batch = from_directory("spectra.clean", tmp_path, "*.csv", recursive=True, output=tmp_path / "out")
    assert names_of(batch) == ["clean/a"]


# --- labels


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["/d/a.txt", "/d/b.txt"], ["a", "b"]),
        (["/d/n1/a.txt", "/d/n2/a.txt", "/d/n2/b.txt"], ["n1/a", "n2/a", "b"]),
        (["/x/n/a.txt", "/y/n/a.txt"], ["x/n/a", "y/n/a"]),
        (["/d/a.txt", "/d/a.csv", "/d/b.csv"], ["a.txt", "a.csv", "b"]),
        (["/d/n1/a.txt", "/d/n1/a.csv", "/d/n2/a.txt"], ["n1/a.txt", "n1/a.csv", "n2/a.txt"]),
        (["/a.txt", "/d/a.txt"], ["a", "d/a"]),
        (["/d/n1/A.txt", "/d/n2/a.txt"], ["n1/A", "n2/a"]),
        (["/a/same.txt", "/b/same.txt", "/b/Same.txt"], ["a/same", "b/same_2", "b/Same"]),
        (["/b/Same.txt", "/b/same.txt", "/a/same.txt"], ["b/Same", "b/same_2", "a/same"]),
        (["/d/a:b.txt", "/d/a?b.txt", "/d/a_b_2.txt"], ["a:b", "a?b_3", "a_b_2"]),
        (["/d/a.txt", "/d/A.txt", "/d/a.csv"], ["a.txt_2", "A.txt", "a.csv"]),
    ],
)
def test_labels_take_the_shortest_distinguishing_folder(paths, expected):
    assert labels(paths) == expected


part = st.text("ab", min_size=1, max_size=2)


@given(st.lists(st.tuples(part, part, part, st.sampled_from([".txt", ".csv", ""])), unique=True, max_size=12))
def test_labels_tell_any_files_apart(parts):
    paths = [f"/{a}/{b}/{c}{extension}" for a, b, c, extension in parts]
    assert len(set(map(collision_key, labels(paths)))) == len(paths)


any_name = st.text("aA?:_-2\u00e9e\u0301", min_size=1, max_size=3)


@given(st.lists(st.tuples(any_name, any_name), unique=True, max_size=8))
def test_files_named_after_labels_never_meet(parts):
    paths = [f"/{folder}/{name}.txt" for folder, name in parts]
    written = [render_template("{sample}_vs_r.png", {"sample": label}) for label in labels(paths)]
    assert len(set(map(collision_key, written))) == len(paths)
    backwards = labels(paths[::-1])[::-1]
    assert backwards == labels(paths)


def test_stems():
    assert [stem(path) for path in ("/a/b.c.txt", "/a/.hidden", "/a.b/c")] == ["b.c", ".hidden", "c"]


# --- from_files, from_directory


def test_from_files_makes_a_job_per_file(leaves):
    files = [leaves / "data" / "leaf_2.txt", leaves / "data" / "leaf_1.txt", leaves / "data" / "leaf_2.txt"]
    batch = from_files(
        "spectra.compare",
        files,
        output=leaves / "out",
        inputs={"reference": leaves / "data" / "ref.txt"},
        params={"window": 5},
        outputs={"table": None},
        limits=Limits(timeout_s=9),
    )
    assert batch.name == "compare"
    assert batch.output == leaves / "out"
    assert names_of(batch) == ["compare/leaf_2", "compare/leaf_1"]
    job = batch.jobs[0]
    reference = str(leaves / "data" / "ref.txt")
    assert job.inputs == {"reference": reference, "sample": str(files[0])}
    assert job.outputs == {"figure": "leaf_2_vs_ref.png"}
    assert job.affinity == reference
    assert batch.jobs[0].params is batch.jobs[1].params
    assert batch.jobs[0].limits is batch.jobs[1].limits


def test_a_missing_file_is_left_to_its_job(tmp_path):
    batch = from_files("spectra.clean", [tmp_path / "gone.txt"], output=tmp_path / "out")
    assert batch.jobs[0].inputs == {"sample": str(tmp_path / "gone.txt")}


def test_an_output_without_a_template_is_made_only_where_one_is_given(tmp_path):
    touch(tmp_path, "a.csv")
    plain = from_files("spectra.clean", [tmp_path / "a.csv"], output=tmp_path / "out")
    assert plain.jobs[0].outputs == {"table": "clean/a.csv"}
    wished = from_files(
        "spectra.clean", [tmp_path / "a.csv"], output=tmp_path / "out", outputs={"picture": "{sample}.PDF"}
    )
    assert wished.jobs[0].outputs == {"table": "clean/a.csv", "picture": "a.PDF"}


def test_a_format_that_a_task_does_not_write_is_told_before_anything_runs(tmp_path):
    touch(tmp_path, "a.csv")
    with pytest.raises(ConfigError, match=r"'picture': '\{sample\}.bmp' ends in none of .png, .pdf"):
        from_files("spectra.clean", [tmp_path / "a.csv"], output=tmp_path / "out", outputs={"picture": "{sample}.bmp"})


def test_equal_stems_have_names_and_outputs_of_their_own(tmp_path):
    touch(tmp_path, "night1/a.txt", "night2/a.txt")
    batch = from_directory("spectra.clean", tmp_path, "*.txt", recursive=True, output=tmp_path / "out")
    assert names_of(batch) == ["clean/night1/a", "clean/night2/a"]
    assert [job.outputs["table"] for job in batch.jobs] == ["clean/night1_a.csv", "clean/night2_a.csv"]


def test_all_problems_of_a_call_are_told(leaves):
    with pytest.raises(ConfigError) as caught:
        from_directory(
            "spectra.compare",
            leaves / "data",
            "leaf_*",
            output=leaves / "out",
            params={"windw": 1},
            outputs={"figure": "{smple}.png"},
        )
    text = str(caught.value)
    assert len(caught.value.problems) == 3
    assert "spectra.compare has no param 'windw'; did you mean 'window'?" in text.splitlines()
    assert "did you mean 'sample'" in text
    assert "needs the input 'reference'" in text


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("baseline.ordr", "baseline.order"),
        ("ordr", "baseline.order"),
        ("windw", "window"),
    ],
)
def test_a_misspelt_path_of_a_sweep_is_told_where_it_stands(leaves, key, meant):
    text = f"""
batch: b
output: out
jobs:
  - id: a
    task: spectra.compare
    inputs: {{sample: data/leaf_1.txt, reference: data/leaf_2.txt}}
    sweep:
      params.normalization: [none, snv]
      params.{key}: [1, 2]
"""
    (leaves / "b.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(leaves / "b.yaml")
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (10, 7)
    assert problem.message == f"spectra.compare has no param {key!r}; did you mean {meant!r}?"


@pytest.mark.parametrize(("folder", "said"), [("data", "no file in"), ("date", "there is no such folder")])
def test_no_match_is_an_error(leaves, folder, said):
    with pytest.raises(ConfigError, match=said):
        from_directory("spectra.clean", leaves / folder, "*.xyz", output=leaves / "out")


def test_names_of_files_never_harm_names_of_jobs(tmp_path):
    awkward = ["a\nb.txt", "-rf.txt", "*.txt", "ü ö.txt", os.fsdecode(b"caf\xe9.txt"), "CON.txt", "x" * 251 + ".txt"]
    touch(tmp_path, *awkward)
    batch = from_files("spectra.clean", [tmp_path / name for name in awkward], output=tmp_path / "out")
    assert [job.inputs["sample"] for job in batch.jobs] == [str(tmp_path / name) for name in awkward]
    text = "".join(job.name + job.outputs["table"] for job in batch.jobs)
    assert text.isprintable()
    text.encode()
    assert len({collision_key(job.outputs["table"]) for job in batch.jobs}) == len(awkward)


# --- groups


def test_named_fields_part_groups(tmp_path):
    touch(tmp_path, *(f"subject_{s}_session_{n}.csv" for s in "AB" for n in (1, 2)), "other.csv")
    found = group_files(tmp_path, "subject_{subject}_session_{session}.csv", by=["subject"])
    assert [(group.fields, below(tmp_path, group.files)) for group in found] == [
        ({"subject": "A"}, ["subject_A_session_1.csv", "subject_A_session_2.csv"]),
        ({"subject": "B"}, ["subject_B_session_1.csv", "subject_B_session_2.csv"]),
    ]


def test_plain_wildcards_part_groups(tmp_path):
    touch(tmp_path, "subject_A/t1.csv", "subject_A/t2.csv", "subject_B/t1.csv")
    found = group_files(tmp_path, "subject_*/*.csv", by=["1"])
    assert [(group.name, len(group.files)) for group in found] == [("A", 2), ("B", 1)]


def test_a_field_that_stands_twice_must_agree(tmp_path):
    touch(tmp_path, "A/A_1.csv", "B/A_1.csv")
    found = group_files(tmp_path, "{subject}/{subject}_*.csv")
    assert [below(tmp_path, group.files) for group in found] == [["A/A_1.csv"]]


@pytest.mark.parametrize(
    ("pattern", "by", "said"),
    [
        ("{subject}.csv", ["session"], "no field 'session'"),
        ("a.csv", None, "has no field"),
        ("{sub.ject}.csv", None, "not a name"),
        ("{subject.csv", None, "single brace"),
        ("{subject}.xyz", None, "no file"),
    ],
)
def test_broken_patterns_are_told(tmp_path, pattern, by, said):
    touch(tmp_path, "a.csv")
    with pytest.raises(ConfigError, match=said):
        group_files(tmp_path, pattern, by=by)


def test_groups_make_a_job_with_many_files(tmp_path):
    touch(tmp_path, "A_1.csv", "A_2.csv", "B_1.csv")
    batch = groups(
        "spectra.analytics",
        tmp_path,
        "{subject}_*.csv",
        output=tmp_path / "out",
        input="comparisons",
        outputs={"table": "{subject}.csv"},
    )
    assert [(job.name, job.metadata, job.outputs) for job in batch.jobs] == [
        ("analytics/A", {"subject": "A"}, {"table": "A.csv"}),
        ("analytics/B", {"subject": "B"}, {"table": "B.csv"}),
    ]
    assert batch.jobs[0].inputs["comparisons"] == (str(tmp_path / "A_1.csv"), str(tmp_path / "A_2.csv"))


# --- grid


def leaf_batch(leaves):
    return from_directory(
        "spectra.compare",
        leaves / "data",
        "leaf_*",
        output=leaves / "out",
        inputs={"reference": str(leaves / "data" / "ref.txt")},
    )


def test_grid_multiplies_every_job(leaves):
    batch = grid(leaf_batch(leaves), {"params.window": [5, 11], "params.baseline.order": [1, 2]})
    assert len(batch.jobs) == 12
    job = batch.jobs[1]
    assert job.name == "compare/leaf_1/window=5/order=2"
    assert job.params == {"window": 5, "baseline": {"order": 2}}
    assert job.outputs["figure"] == "leaf_1_vs_ref_window=5_order=2.png"
    assert len({path for job in batch.jobs for path in job.outputs.values()}) == 24


def test_grid_of_one_job_follows_its_own_combination(leaves):
    import dataclasses

    batch = leaf_batch(leaves)
    first = batch.jobs[0]
    second = dataclasses.replace(first, name="next", inputs={"reference": From(jobs=(first.name,), output="table")})
    made = grid(dataclasses.replace(batch, jobs=(first, second)), {"params.window": [5, 11]}).jobs
    assert made[3].name == "next/window=11"
    assert made[3].inputs["reference"] == From(jobs=("compare/leaf_1/window=11",), output="table")
    assert [job.name for job in grid(first, {"params.window": [1]})] == ["compare/leaf_1/window=1"]


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ({"params.windw": [1]}, "did you mean 'window'"),
        ({"window": [1]}, "did you mean 'params.window'"),
        ({"params.window": ["wide"]}, "valid integer"),
        ({"params.window": []}, "has no values"),
        ({"params.window": 5}, "needs a list"),
        ({"params.window": range(2000), "params.baseline.order": range(2000)}, "4,000,000 combinations"),
        ({}, "at least one path"),
    ],
)
def test_grid_checks_paths_and_values_first(leaves, axes, said):
    with pytest.raises(ConfigError, match=said):
        grid(leaf_batch(leaves), axes)


def test_files_whose_names_differ_in_case_alone_have_outputs_of_their_own(leaves):
    touch(leaves, "a/same.txt", "b/same.txt", "b/Same.txt", "ref.txt")
    files = [leaves / name for name in ("a/same.txt", "b/same.txt", "b/Same.txt")]
    reference = {"reference": str(leaves / "ref.txt")}
    batch = from_files("spectra.compare", files, inputs=reference, output=leaves / "out", outputs={"figure": None})
    assert [each.verdict for each in plan(batch).jobs] == ["run"] * 3
    assert [job.outputs["table"] for job in batch.jobs] == [
        "a_same.csv",
        "b_same_2.csv",
        "b_Same.csv",
    ]


def test_a_foreign_file_in_the_way_is_told_with_what_every_command_offers(leaves):
    touch(leaves, "ref.txt", "out/leaf_1.csv")
    reference = {"reference": str(leaves / "ref.txt")}
    files = [leaves / "data/leaf_1.txt"]
    batch = from_files("spectra.compare", files, inputs=reference, output=leaves / "out", outputs={"figure": None})
    (planned,) = plan(batch).jobs
    assert planned.verdict == "blocked"
    assert "move it, choose another output folder, or write settings: {conflict: overwrite}" in planned.reason


def test_what_the_batch_itself_has_made_is_no_sample_of_it(tmp_path):
    touch(tmp_path, "mytasks.py", "data/a.txt", "data/b.txt", "data/batch_summary.csv")
    (tmp_path / "mytasks.py").write_text("def measure(ctx):\n    ctx.output('table').write_text('1')\n")

    def made():
        return from_directory(
            f"{tmp_path}/mytasks.py:measure",
            tmp_path / "data",
            "*",
            output=tmp_path / "data",
            outputs={"table": "{sample}_made.txt"},
        )

    assert names_of(made()) == ["measure/a", "measure/b", "measure/batch_summary"]  # a user's own file so far
    (tmp_path / "data/batch_summary.csv").unlink()
    assert run(made(), executor=inline).exit_code == 0
    touch(tmp_path, "data/batch_summary.csv", "data/c.txt")
    assert (tmp_path / "data/a_made.txt").exists()
    assert names_of(made()) == ["measure/a", "measure/b", "measure/c"]
    entry = "batch: measure\noutput: data\njobs:\n  - task: ./mytasks.py:measure\n"
    (tmp_path / "b.yaml").write_text(
        f"{entry}    inputs: {{sample: data/*}}\n    outputs: {{table: '{{sample}}_made.txt'}}\n"
    )
    assert names_of(load(tmp_path / "b.yaml")) == ["measure/a", "measure/b", "measure/c"]


def test_a_list_where_outputs_are_named_after_one_file_is_told_as_such(leaves):
    (leaves / "b.yaml").write_text(
        "batch: b\noutput: out\njobs:\n- task: spectra.compare\n"
        f"  inputs: {{reference: {leaves}/a/ref.txt, sample: [{leaves}/a/x1.txt, {leaves}/a/x2.txt]}}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load(leaves / "b.yaml")
    (problem,) = caught.value.problems
    assert (problem.line, "input 'sample' is a list" in problem.message) == (5, True)
    assert "for a job each write a pattern, such as data/*.txt" in problem.message
    assert "unknown field" not in problem.message


def test_a_missing_file_with_brackets_says_that_they_are_no_pattern(leaves):
    batch = from_files(
        "spectra.compare", [leaves / "x[12].txt"], inputs={"reference": leaves / "x"}, output=leaves / "o"
    )
    (planned,) = plan(batch).jobs
    assert planned.verdict == "blocked"
    batch = from_files("spectra.clean", [leaves / "x[12].txt"], output=leaves / "o")
    (planned,) = plan(batch).jobs
    assert "[ ] is no pattern: write * for any text, ? for one sign" in planned.reason


def test_a_template_with_the_jobs_name_shows_each_swept_value_once(leaves):
    text = """
batch: b
output: out
jobs:
  - id: a
    task: spectra.score
    inputs: {sample: data/leaf_*.txt}
    sweep: {params.window: [5, 11]}
"""
    (leaves / "b.yaml").write_text(text, encoding="utf-8")
    jobs = load(leaves / "b.yaml").jobs
    assert len(jobs) == 6
    for job in jobs:
        assert job.outputs["table"].count("window") == 1
        assert os.path.basename(job.outputs["table"]) == "table.csv"
