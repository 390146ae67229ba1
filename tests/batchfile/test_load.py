"""Batch files become batches, or every slip is told with its place and the mend."""

from __future__ import annotations

import json
import os
import textwrap
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchlab.batchfile import load
from batchlab.batchfile._units import duration_s, size_bytes
from batchlab.engine._model import Batch, Conflict, Durability, From, Gather, Limits, Settings
from batchlab.errors import ConfigError

CONTRACT = """
batch: leaves-against-reference          # required
output: out                              # required, or --output
jobs:
  - id: compare                          # default: last word of the task
    task: spectra.compare                # or ./mytasks.py:measure
    inputs: {reference: data/ref.txt, sample: data/leaf_*.txt}
    params: {normalization: snv}
    sweep: {params.window: [5, 11]}      # product over the lists
    outputs: {figure: "{sample}_{window}.png"}
    limits: {timeout: 60 s, memory: 500 MB, stages: {draw: 20 s}}
    priority: 0
    metadata: {species: acer}
  - id: outliers
    task: spectra.analytics
    inputs: {comparisons: {from: compare, gather: done}}
defaults: {limits: {timeout: 5 min}}     # for every entry
settings: {workers: auto, timeout: null, memory: null, retries: 2, continue_on_error: true, conflict: fail,
           durability: full, flush_batch_size: 1, flush_interval: 2 s, grace: 10 s, stop_after_failures: null,
           shared_output: false}
"""


@pytest.fixture
def write(leaves):
    def write(text: str, name: str = "batch.yaml") -> Path:
        path = leaves / name
        path.write_text(textwrap.dedent(text))
        return path

    return write


@pytest.fixture
def jobs_of(write):
    def jobs_of(jobs: str, **options) -> dict:
        text = "batch: b\noutput: out\njobs:\n" + textwrap.indent(textwrap.dedent(jobs), "  ")
        return {job.name: job for job in load(write(text), environ={}, **options).jobs}

    return jobs_of


@pytest.fixture
def told(write):
    """Problems as `line: message`."""

    def told(text: str, **options) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(write(text), environ={}, **options)
        return [f"{problem.line}:{problem.column}: {problem.message}" for problem in caught.value.problems]

    return told


@pytest.fixture
def entry_told(told):
    """Messages about the entries of a file that is right but for them."""

    def entry_told(jobs: str, **options) -> str:
        text = "batch: b\noutput: out\njobs:\n" + textwrap.indent(textwrap.dedent(jobs), "  ")
        return "\n".join(told(text, **options))

    return entry_told


# --- what is right


def test_the_batch_file_of_the_contract(write, leaves):
    batch = load(write(CONTRACT))
    assert batch.name == "leaves-against-reference"
    assert batch.output == leaves / "out"
    assert batch.settings == Settings()
    assert batch.source == CONTRACT
    assert [job.name for job in batch.jobs] == [
        *(f"compare/leaf_{n}/window={w}" for n in (1, 2, 3) for w in (5, 11)),
        "outliers",
    ]
    job = batch.jobs[1]
    assert job.task == "spectra.compare"
    assert job.params == {"normalization": "snv", "window": 11}
    assert job.inputs == {
        "reference": str(leaves / "data" / "ref.txt"),
        "sample": str(leaves / "data" / "leaf_1.txt"),
    }
    assert job.outputs == {"figure": "leaf_1_11.png", "table": "leaf_1_window=11.csv"}
    assert job.limits == Limits(timeout_s=60, memory_bytes=500_000_000, stages={"draw": 20})
    assert job.affinity == str(leaves / "data" / "ref.txt")
    assert job.metadata == {"species": "acer"}
    gathered = batch.jobs[-1]
    names = tuple(job.name for job in batch.jobs[:-1])
    assert gathered.inputs == {"comparisons": From(jobs=names, gather=Gather.DONE)}
    assert gathered.limits == Limits(timeout_s=300)


def test_json_is_read_alike(write):
    batch = load(write(CONTRACT))
    other = load(write(json.dumps(yaml.safe_load(CONTRACT), indent=1), "batch.json"))
    assert (other.jobs, other.settings) == (batch.jobs, batch.settings)


def test_a_reference_that_matches_the_pattern_is_compared_like_the_rest(jobs_of):
    jobs = jobs_of("- {task: spectra.compare, inputs: {reference: data/ref.txt, sample: data/*.txt}}")
    assert "compare/ref" in jobs


def test_settings_are_read(write):
    batch = load(
        write("""
        batch: b
        output: /somewhere/else
        jobs: [{task: spectra.clean, inputs: {sample: data/ref.txt}}]
        settings: {workers: 3, timeout: 1 h 30 min, memory: 2 GB, retries: 0, continue_on_error: false,
                   conflict: auto_increment, durability: fast, flush_batch_size: 10, flush_interval: 500 ms,
                   grace: 0, stop_after_failures: 5, shared_output: true}
        """)
    )
    assert batch.output == Path("/somewhere/else")
    assert batch.settings == Settings(
        workers=3,
        timeout_s=5400,
        memory_bytes=2 * 10**9,
        retries=0,
        continue_on_error=False,
        conflict=Conflict.AUTO_INCREMENT,
        durability=Durability.FAST,
        flush_batch_size=10,
        flush_interval_s=0.5,
        grace_s=0,
        stop_after_failures=5,
        shared_output=True,
    )


def test_paths_start_at_the_file_and_output_at_the_current_folder(write, leaves, monkeypatch, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    path = write("batch: b\njobs: [{task: spectra.clean, inputs: {sample: ./data/../data/leaf_1.txt}}]")
    batch = load(os.path.relpath(path), output="results")
    assert batch.output == elsewhere / "results"
    assert batch.jobs[0].inputs == {"sample": str(leaves / "data" / "leaf_1.txt")}


def test_a_named_file_that_is_missing_is_left_to_its_job(jobs_of):
    assert list(jobs_of("- {task: spectra.clean, inputs: {sample: data/gone.txt}}")) == ["clean"]


def test_lists_and_all_are_many_files_in_one_job(jobs_of, leaves):
    jobs = jobs_of("""
        - {id: a, task: spectra.analytics, inputs: {comparisons: [data/ref.txt, data/leaf_*.txt, data/ref.txt]}}
        - {id: b, task: spectra.analytics, inputs: {comparisons: {all: data/leaf_*.txt}}}
    """)
    names = ("ref.txt", "leaf_1.txt", "leaf_2.txt", "leaf_3.txt")
    paths = tuple(str(leaves / "data" / name) for name in names)
    assert jobs["a"].inputs == {"comparisons": paths}
    assert jobs["b"].inputs == {"comparisons": paths[1:]}


def test_pairs_are_joined_by_stem(jobs_of, leaves):
    (leaves / "dark").mkdir()
    for n in (1, 2, 3):
        (leaves / "dark" / f"leaf_{n}.dat").touch()
    jobs = jobs_of("- {task: spectra.compare, pair: stem, inputs: {reference: dark/*.dat, sample: data/leaf_*.txt}}")
    assert list(jobs) == ["compare/leaf_1", "compare/leaf_2", "compare/leaf_3"]
    assert jobs["compare/leaf_2"].inputs == {
        "reference": str(leaves / "dark" / "leaf_2.dat"),
        "sample": str(leaves / "data" / "leaf_2.txt"),
    }


def test_a_job_follows_the_earlier_job_of_its_stem_and_sweep(jobs_of):
    jobs = jobs_of("""
        - id: last
          task: spectra.compare
          inputs: {reference: {from: limits}, sample: {from: compare, output: table}}
          outputs: {figure: "last/{sample}_{window}.png", table: null}
          group: "{sample}"
        - id: compare
          task: spectra.compare
          inputs: {reference: data/ref.txt, sample: {from: clean}}
          sweep: {params.window: [5, 11]}
        - {id: limits, task: spectra.analytics, inputs: {comparisons: [data/ref.txt]}, needs: clean}
        - {task: spectra.clean, inputs: {sample: data/leaf_*.txt}}
    """)
    assert list(jobs)[:2] == ["last/leaf_1/window=5", "last/leaf_1/window=11"]
    assert jobs["compare/leaf_2/window=5"].inputs["sample"] == From(jobs=("clean/leaf_2",), output="table")
    last = jobs["last/leaf_2/window=11"]
    assert last.inputs == {
        "reference": From(jobs=("limits",), output="table"),
        "sample": From(jobs=("compare/leaf_2/window=11",), output="table"),
    }
    assert last.outputs == {"figure": "last/leaf_2_11.png"}
    assert last.group == "leaf_2"
    assert jobs["limits"].needs == ("clean/leaf_1", "clean/leaf_2", "clean/leaf_3")


def test_a_fanned_out_entry_follows_by_stem(jobs_of):
    jobs = jobs_of("""
        - {task: spectra.clean, inputs: {sample: data/*.txt}}
        - {task: spectra.compare, inputs: {reference: {from: clean}, sample: data/leaf_*.txt}}
    """)
    assert jobs["compare/leaf_3"].inputs["reference"] == From(jobs=("clean/leaf_3",), output="table")


def test_defaults_are_for_every_entry_and_entries_win(write):
    batch = load(
        write("""
        batch: b
        output: out
        defaults: {limits: {timeout: 5 min, memory: 1 GB, stages: {read: 1 s, draw: 2 s}},
                   metadata: {who: ada, lab: x}, priority: 3}
        jobs:
          - {id: a, task: spectra.clean, inputs: {sample: data/ref.txt}}
          - {id: b, task: spectra.clean, inputs: {sample: data/ref.txt}, priority: 1, metadata: {lab: y},
             limits: {timeout: null, stages: {draw: 9 s}}}
        """)
    )
    a, b = batch.jobs
    assert (a.limits.timeout_s, a.limits.memory_bytes, a.priority) == (300, 10**9, 3)
    assert b.limits == Limits(memory_bytes=10**9, stages={"read": 1, "draw": 9})
    assert (b.priority, b.metadata) == (1, {"who": "ada", "lab": "y"})


def test_a_user_task_is_described_and_keeps_its_own_outputs(jobs_of, write, leaves):
    write("def measure(ctx, *, window: int = 5): ...\n", "mytasks.py")
    jobs = jobs_of("""
        - task: ./mytasks.py:measure
          inputs: {leaf: data/leaf_*.txt}
          params: {window: 3}
          outputs: {table: "tables/{leaf}.csv"}
    """)
    job = jobs["measure/leaf_1"]
    assert job.task == f"{leaves}/mytasks.py:measure"
    assert job.outputs == {"table": "tables/leaf_1.csv"}


# --- ${name}


def test_variables_come_from_set_or_the_environment_and_nowhere_else(write, leaves):
    path = write("""
        batch: ${name}
        output: out
        jobs: [{task: spectra.compare, inputs: {reference: "${data}/ref.txt", sample: "${data}/leaf_1.txt"},
                params: {window: "${w}", normalization: none},
                sweep: {params.baseline.order: ["${w}"]}, metadata: {cost: "$${x}"}}]
        settings:
          workers: ${n}
        """)
    environ = {"BATCHLAB_data": "data", "BATCHLAB_name": "wrong", "n": "7", "BATCHLAB_n": "2", "BATCHLAB_w": "9"}
    batch = load(path, set={"name": "right"}, environ=environ)
    assert batch.name == "right"
    assert batch.settings.workers == 2
    assert batch.jobs[0].inputs["sample"] == str(leaves / "data" / "leaf_1.txt")
    assert batch.jobs[0].metadata == {"cost": "${x}"}
    assert batch.source == path.read_text()
    with pytest.raises(ConfigError, match=r"\$\{n\} has no value; give it with --set n=\.\.\. or .* BATCHLAB_n"):
        load(path, set={"name": "right"}, environ={"BATCHLAB_data": "data", "n": "7", "BATCHLAB_w": "9"})


def test_a_value_without_a_name_is_told_once_and_alone(told):
    problems = told("""\
        batch: b
        output: out
        jobs:
          - {task: spectra.clean, inputs: {sample: "${dta}/*.txt"}}
        """)
    assert problems == ["4:44: ${dta} has no value; give it with --set dta=... or in the environment as BATCHLAB_dta"]


def test_a_set_that_the_file_does_not_use_is_told(told):
    text = 'batch: "${data}"\noutput: out\njobs: [{task: spectra.clean, inputs: {sample: data/ref.txt}}]'
    assert told(text, set={"data": "x", "dat": "y"}) == [
        "None:None: --set dat: the file does not use ${dat}; did you mean 'data'?"
    ]


def test_a_value_never_adds_structure(write):
    path = write("batch: ${name}\noutput: out\njobs: [{task: spectra.clean, inputs: {sample: data/ref.txt}}]")
    assert load(path, set={"name": "a: {b: [c"}).name == "a: {b: [c"


def test_no_secret_is_kept_or_shown(write, told):
    text = """\
        batch: b
        output: out
        jobs:
          - task: spectra.compare
            inputs: {reference: data/ref.txt, sample: data/leaf_1.txt}
            params: {token: "${token}"}
        """
    problems = told(text, set={"token": "canary-5c1e"})
    assert problems[0].startswith("6:21: token is a secret and must not be written down; write env:NAME")
    assert "canary" not in str(problems)
    batch = load(write(text.replace("${token}", "env:MY_TOKEN")), environ={"MY_TOKEN": "canary-5c1e"})
    assert batch.jobs[0].params == {"token": "env:MY_TOKEN"}
    assert "canary" not in repr(batch)


# --- what is wrong


def test_every_slip_is_told_at_once_in_order_with_its_place(told):
    problems = told("""\
        batch: leaves
        output: out
        jobs:
          - task: spectra.comprae
          - id: a
            task: spectra.compare
            inputs: {referense: data/ref.txt, sample: data/laef_*.txt}
            params: {normalisation: snv, window: wide, baseline: {ordr: 2}}
            outputs: {figur: x.png, table: ../x.csv, figure: "{sampel}.png"}
            limits: {timeout: 60, memory: 500 XB, timout: 5 s, memory: 1 MB}
          - id: b
            task: spectra.compare
            sweep: {params.window: [5, wide], params.windw: [1]}
            inputs: {sample: data/leaf_*.txt}
        settings: {workers: 0, retry: 2, continue_on_error: yes, conflict: overwite}
        """)
    assert problems == [
        "4:11: no task is called 'spectra.comprae'; did you mean 'spectra.compare'?",
        "7:14: spectra.compare has no input 'referense'; did you mean 'reference'?",
        "7:47: no file matches 'data/laef_*.txt'",
        "8:14: spectra.compare has no param 'normalisation'; did you mean 'normalization'?",
        "8:42: window: input should be a valid integer, unable to parse string as an integer",
        "8:59: spectra.compare has no param 'baseline.ordr'; did you mean 'baseline.order'?",
        "9:15: spectra.compare has no output 'figur'; did you mean 'figure'?",
        "9:36: output 'table': template '../x.csv' leads out of the output root; leave out '..'",
        "9:54: output 'figure': template '{sampel}.png' has an unknown field {sampel}; did you mean 'sample'?",
        "10:23: timeout: write a duration with its unit, as in 60 s, 10 min or 2 h, not 60",
        "10:35: memory: 'XB' is no unit here; known are B, kB, MB, GB, TB, KiB, MiB, GiB, TiB",
        "10:43: limits has an unknown key 'timout'; did you mean 'timeout'?",
        "10:56: the key 'memory' stands here again; it was given in line 10, column 27",
        "13:32: window: input should be a valid integer, unable to parse string as an integer",
        "13:39: spectra.compare has no param 'windw'; did you mean 'window'?",
        "14:5: spectra.compare needs the input 'reference'",
        "15:21: workers: write a whole number of at least 1, not 0",
        "15:24: settings has an unknown key 'retry'; did you mean 'retries'?",
        "15:53: continue_on_error: write true or false, not 'yes'",
        "15:68: conflict: write one of fail, overwrite, skip, auto_increment, timestamp, not 'overwite'; "
        "did you mean 'overwrite'?",
    ]


def test_the_error_names_the_file(write):
    path = write("batch: b\noutput: out\njbos: []\n")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert (
        str(caught.value) == f"{path}, line 3, column 1: a batch file has an unknown key 'jbos'; did you mean 'jobs'?"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2]", "a batch file: write keys with values"),
        ("just text", "a batch file: write keys with values"),
        ("batch: b", "'output' is missing: write output: FOLDER, or give --output"),
        ("output: out\njobs: [{task: spectra.clean}]", "'batch' is missing"),
        ("batch: b\noutput: out", "jobs: write a list of entries"),
        ("batch: b\noutput: out\njobs: {}", "jobs: write a list of entries"),
        ("batch: b\noutput: out\njobs: [5]", "an entry of jobs: write keys with values"),
        ("batch: b\noutput: out\njobs: [{id: a}]", "'task' is missing"),
        ('batch: "a\\nb"\noutput: out\njobs: [{task: spectra.clean}]', "without line breaks"),
        ("batch: b\nbatch: c\noutput: out", "stands here again; it was given in line 1"),
    ],
)
def test_a_document_that_is_none_is_told(told, text, said):
    assert any(said in problem for problem in told(text))


@pytest.mark.parametrize(
    ("jobs", "said"),
    [
        ("- {task: spectra.clean, inputs: {sample: date/*.txt}}", "there is no folder"),
        ("- {task: spectra.compare, inputs: {reference: data/*.txt, sample: data/*.txt}}", "write pair: stem"),
        ("- {task: spectra.clean, pair: stem, inputs: {sample: data/*.txt}}", "pair: stem joins two inputs"),
        (
            "- {task: spectra.compare, pair: stem, inputs: {reference: data/*.txt, sample: data/leaf_*.txt}}",
            "no file of input 'sample' belongs to 'ref' of input 'reference'",
        ),
        ("- {task: spectra.clean, inputs: {sample: {from: claen}}}", "no entry has the id 'claen'"),
        ("- {task: spectra.clean, inputs: {sample: {from: clean}}}", "wait for each other: clean -> clean"),
        (
            "- {id: a, task: spectra.clean, inputs: {sample: {from: b}}}\n"
            "- {id: b, task: spectra.clean, inputs: {sample: {from: a}}}",
            "wait for each other: a -> b -> a",
        ),
        (
            "- {task: spectra.clean, inputs: {sample: data/ref.txt}}\n"
            "- {id: b, task: spectra.clean, inputs: {sample: {from: clean, output: tabel}}}",
            "makes no output 'tabel'; did you mean 'table'?",
        ),
        (
            "- {task: spectra.compare, inputs: {reference: data/ref.txt, sample: data/ref.txt}}\n"
            "- {id: b, task: spectra.clean, inputs: {sample: {from: compare}}}",
            "say which output of 'compare' is meant",
        ),
        (
            "- {task: spectra.clean, inputs: {sample: data/leaf_*.txt}}\n"
            "- {task: spectra.compare, inputs: {reference: {from: clean}, sample: data/*.txt}}",
            "none for 'ref'; hand all of them over with gather: done",
        ),
        ("- {task: spectra.clean, inputs: {sample: {from: a, gahter: done}}}", "did you mean 'gather'"),
        ("- {task: spectra.clean, inputs: {sample: {from: a, gather: some}}}", "write 'done' or 'all'"),
        ("- {task: spectra.clean, inputs: {sample: {all: a, from: b}}}", "either {all: PATTERN} or {from"),
        ("- {task: spectra.clean, inputs: {sample: 5}}", "write a path, a pattern"),
        ("- {task: spectra.clean, inputs: {sample: []}}", "the list is empty"),
        ('- {task: spectra.clean, inputs: {sample: ""}}', "the path is empty"),
        (
            "- {task: spectra.clean, inputs: {sample: data/ref.txt}}\n"
            "- {task: spectra.clean, inputs: {sample: data/ref.txt}}",
            "a second entry is called 'clean'",
        ),
        ("- {id: a/b, task: spectra.clean, inputs: {sample: data/ref.txt}}", "holds a slash"),
        ("- {task: spectra.clean, inputs: {sample: data/ref.txt}, metadata: {a: [1]}}", "metadata 'a'"),
        ("- {task: spectra.clean, inputs: {sample: data/ref.txt}, group: '{orbit}'}", "unknown field {orbit}"),
        ("- {task: spectra.clean, inputs: {sample: data/ref.txt}, params: {a: 1}}", "takes no params"),
        ("- {task: spectra.clean, inputs: {sample: data/ref.txt}, limits: {timeout: 0}}", "more than 0"),
        ("- {task: ./none.py:measure}", "no such Python file"),
    ],
)
def test_a_wrong_entry_is_told(entry_told, jobs, said):
    assert said in entry_told(jobs)


def test_a_value_given_twice_is_told(entry_told):
    jobs = """
        - task: spectra.compare
          inputs: {reference: data/ref.txt, sample: data/leaf_1.txt}
          sweep: {params.window: [5, 5]}
    """
    assert "2 jobs would be called 'compare/window=5'" in entry_told(jobs)


@pytest.mark.parametrize("name", ["gone.yaml", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_told(tmp_path, name):
    with pytest.raises(ConfigError):
        load(f"{tmp_path}/{name}")


# --- units


@pytest.mark.parametrize(
    ("text", "seconds"), [("60 s", 60), ("10min", 600), ("2 h", 7200), ("1 h 30 min", 5400), ("1.5 d", 129600), (0, 0)]
)
def test_durations(text, seconds):
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"), [("500 MB", 500_000_000), ("2 gb", 2 * 10**9), ("1 KiB", 1024), ("1e3 B", 1000)]
)
def test_sizes(text, size):
    assert size_bytes(text) == size


@pytest.mark.parametrize("value", [60, "60", "s", "", "-5 s", "5 m", "5 s s5", True, None, [], "1e999 s", "٣ s"])
def test_what_is_no_duration_is_refused(value):
    with pytest.raises(ValueError, match=r"write a duration|no unit"):
        duration_s(value)


# --- anything at all


words = st.sampled_from(
    [
        *("batch", "output", "jobs", "defaults", "settings", "id", "task", "inputs", "params", "sweep", "outputs"),
        *("limits", "pair", "needs", "from", "all", "gather", "spectra.clean", "spectra.compare", "sample"),
        *("reference", "data/*.txt", "params.window", "stem", "timeout", "stages", "60s", "done", "a"),
    ]
)
scalars = words | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
things = st.recursive(
    scalars, lambda below: st.lists(below, max_size=3) | st.dictionaries(words, below, max_size=5), max_leaves=20
)
entry = st.fixed_dictionaries(
    {"task": words},
    optional=dict.fromkeys(("id", "inputs", "params", "sweep", "outputs", "limits", "pair", "needs"), things),
)
documents = st.fixed_dictionaries(
    {"batch": st.just("b") | things, "output": st.just("out") | things, "jobs": st.lists(entry, max_size=3) | things},
    optional={"defaults": things, "settings": things},
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(documents)
def test_any_document_is_a_batch_or_an_error_with_a_place(leaves, document):
    path = leaves / "batch.json"
    path.write_text(json.dumps(document, allow_nan=False, default=str) if _finite(document) else "{}")
    try:
        batch = load(path, environ={})
    except ConfigError as error:
        assert error.problems
        assert all(problem.file == str(path) for problem in error.problems)
    else:
        assert isinstance(batch, Batch)
        assert batch.jobs


def _finite(value) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def test_jobs_share_what_is_the_same(write, leaves):
    for n in range(500):
        (leaves / "data" / f"many_{n}.dat").touch()
    batch = load(
        write("""
        batch: b
        output: out
        jobs:
          - {task: spectra.compare, inputs: {reference: data/ref.txt, sample: data/*.dat}, metadata: {a: b},
             params: {window: 3}, limits: {timeout: 1 s}}
          - {task: spectra.analytics, inputs: {comparisons: {from: compare, gather: all}}}
          - {id: more, task: spectra.analytics, inputs: {comparisons: {from: compare, gather: done}}}
        """)
    )
    members = batch.jobs[:500]
    for attribute in ("params", "metadata", "limits", "task", "affinity"):
        assert len({id(getattr(job, attribute)) for job in members}) == 1
    first, second = (job.inputs["comparisons"] for job in batch.jobs[500:])
    assert first.jobs is second.jobs


def test_a_long_chain_of_entries_is_followed(jobs_of):
    entries = ["- {id: e0, task: spectra.clean, inputs: {sample: data/ref.txt}}"]
    entries += [
        f"- {{id: e{n}, task: spectra.clean, inputs: {{sample: {{from: e{n - 1}}}}}, outputs: {{table: 't{n}.csv'}}}}"
        for n in range(1, 600)
    ]
    jobs = jobs_of("\n".join(reversed(entries)))
    assert jobs["e599"].upstream == ("e598",)
