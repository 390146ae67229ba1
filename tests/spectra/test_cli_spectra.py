"""`batchlab spectra compare`, up to the batch that it hands over."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from batchlab.engine import From
from batchlab.errors import ConfigError
from batchlab.spectra import compare_batch
from batchlab.spectra.cli import spectra
from batchlab.spectra.tasks import CompareParams


class Face:
    """Takes the batch in the place of the program's own runner."""

    def __init__(self, code=0):
        self.code, self.batch, self.options = code, None, None

    def run_batch(self, batch, **options):
        self.batch, self.options = batch, options
        return self.code


def call(*words, code=0):
    face = Face(code)
    result = CliRunner().invoke(spectra, ["compare", *map(str, words)], obj=face)
    return result, face


def test_the_command_makes_the_batch_of_a_batch_file(small_set, tmp_path):
    result, face = call(
        *(small_set / "reference.csv", small_set / "samples", "--output", tmp_path / "out", "--normalization", "snv"),
        *("--axis-kind", "raman-shift", "--quantity", "counts", "--workers", "2", "--dpi", "80"),
    )
    assert (result.exit_code, result.output) == (0, "")
    told = compare_batch(
        small_set / "reference.csv",
        [small_set / "samples"],
        tmp_path / "out",
        normalization="snv",
        reading={"axis_kind": "raman shift", "quantity": "counts"},
        dpi=80.0,
        analytics={},
    )
    assert face.batch.jobs == told.jobs
    assert face.batch.settings.workers == 2
    assert face.batch.source.split()[0] == "batchlab"
    limits, first, *_ = face.batch.jobs
    assert limits.name == "limits"
    assert len(limits.inputs["samples"]) == 6
    assert first.inputs["limits"] == From(jobs=("limits",), output="limits")
    assert first.outputs == {
        "figure": "sample_001_vs_reference.png",
        "table": "sample_001_vs_reference.csv",
    }


def test_options_of_running_are_handed_on_and_the_exit_code_back(small_set, tmp_path):
    result, face = call(
        *(small_set / "reference.csv", small_set / "samples", "--output", tmp_path),
        *("--dry-run", "--fresh", "--json", "-q", "-v"),
        code=1,
    )
    assert result.exit_code == 1
    assert face.options == {
        "dry_run": True,
        "fresh": True,
        "only": None,
        "json_lines": True,
        "quiet": True,
        "verbose": True,
    }


@pytest.mark.parametrize(
    ("words", "tasks", "param", "outputs"),
    [
        (["--limits", "per-picture"], {"spectra.compare"}, None, {"figure", "table"}),
        (["--limits=-1,2.5"], {"spectra.compare"}, [-1.0, 2.5], {"figure", "table"}),
        (["--no-figure"], {"spectra.compare"}, None, {"table"}),
        (["--no-table"], {"spectra.compare", "spectra.limits"}, None, {"figure"}),
        (["--no-table", "--no-figure"], {"spectra.compare"}, None, set()),
    ],
)
def test_limits_and_outputs(small_set, tmp_path, words, tasks, param, outputs):
    words = [*words, "--no-analytics"]
    result, face = call(small_set / "reference.csv", small_set / "samples", "--output", tmp_path, *words)
    assert result.exit_code == 0
    assert {job.task for job in face.batch.jobs} == tasks
    last = face.batch.jobs[-1]
    assert last.params.get("overlay_limits") == param
    assert set(last.outputs) == outputs


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--limits", "2,1"], "the first number must be the smaller"),
        (["--limits", "wide"], "write auto, per-picture, or two numbers"),
        (["--workers", "0"], "write auto, or a number from 1"),
        (["--axis-kind", "furlong"], "is not one of"),
        (["--normalization", "max"], "is not one of"),
    ],
)
def test_wrong_options_are_told(small_set, words, message):
    result, face = call(small_set / "reference.csv", small_set / "samples", *words)
    assert result.exit_code == 2
    assert message in result.output
    assert face.batch is None


def test_samples_are_files_folders_and_patterns_each_once(small_set, tmp_path, monkeypatch):
    monkeypatch.chdir(small_set / "samples")
    batch = compare_batch(
        "../reference.csv", ["sample_002.txt", "*.csv", small_set / "samples", "gone.txt"], tmp_path, figure=False
    )
    names = [job.name.removeprefix("compare/") for job in batch.jobs]
    assert names[0] == "sample_002"
    assert sorted(names) == ["gone", *(f"sample_00{i}" for i in range(1, 7))]


def test_what_holds_no_sample_is_named(small_set, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ConfigError, match=r"empty: .*none\*: no file matches"):
        compare_batch(small_set / "reference.csv", [empty, tmp_path / "none*"], tmp_path / "out")
    with pytest.raises(ConfigError, match="write auto, per-picture"):
        compare_batch(small_set / "reference.csv", [small_set / "samples"], tmp_path / "out", limits="wide")


@pytest.mark.parametrize("given", ["raman-shift", "raman shift", "Raman-Shift", "RAMAN_SHIFT"])
def test_words_are_known_in_any_case_and_with_a_hyphen(small_set, tmp_path, given):
    samples = (small_set / "reference.csv", small_set / "samples", "--output", tmp_path / "out")
    result, face = call(*samples, "--axis-kind", given, "--normalization", "SNV", "--no-analytics")
    assert result.exit_code == 0, result.output
    assert face.batch.jobs[-1].params["axis_kind"] == "raman shift"
    assert face.batch.jobs[-1].params["normalization"] == "snv"
    params = CompareParams.model_validate({"axis_kind": given, "normalization": "Min_Max", "quantity": "Counts"})
    assert params.model_dump(mode="json", include={"axis_kind", "normalization", "quantity"}) == {
        "axis_kind": "raman shift",
        "normalization": "min-max",
        "quantity": "counts",
    }


def test_words_that_are_none_are_still_refused():
    with pytest.raises(ValidationError, match="raman shift"):
        CompareParams.model_validate({"axis_kind": "ramanshift"})


@pytest.mark.parametrize(("reference", "told"), [("gone.csv", "there is no such file"), (".", "files; name one")])
def test_a_reference_that_is_no_file_is_told_before_anything_starts(small_set, reference, told):
    result, face = call(reference, small_set / "samples")
    assert result.exit_code == 2
    assert f"REFERENCE {reference}: " in result.output and told in result.output
    assert face.batch is None


def test_options_become_params_of_the_batch(small_set, tmp_path):
    words = (
        *("--preset", "raman", "--step", "despike", "--step", "savgol=11", "--step", "mask=100,200"),
        *("--step", "{baseline: {method: arpls, lam: 1e6}}", "--grid", "200,1800,2", "--region", "C-H=2800,3000"),
        *("--mask", "600,700", "--difference", "scaled-difference", "--factor", "derivative", "--shift", "estimate"),
        *("--metric", "all", "--peaks", "--rule", "pearson_r >= 0.9", "--within", "0.1", "--interpolation", "cubic"),
        *("--format", "svg", "--ranking", "--page", "--normalized", "jdx"),
    )
    result, face = call(small_set / "reference.csv", small_set / "samples", "--output", tmp_path, *words)
    assert result.exit_code == 0, result.output
    limits, first, *_, last = face.batch.jobs
    params = first.params
    assert params["steps"] == [
        "despike",
        {"savgol": 11},
        {"mask": [100, 200]},
        {"baseline": {"method": "arpls", "lam": 1e6}},
    ]
    assert params["grid"] == {"start": 200.0, "stop": 1800.0, "step": 2.0}
    assert params["regions"] == {"C-H": [2800.0, 3000.0]} and params["masks"] == [[600.0, 700.0]]
    assert (params["difference"], params["factor"], params["shift"]) == ("scaled difference", "derivative", "estimate")
    assert params["tolerance"]["rules"] == ["pearson_r >= 0.9"] and params["tolerance"]["within"] == 0.1
    assert params["peaks"] is True and params["interpolation"] == "cubic"
    assert limits.params["steps"] == params["steps"] and "peaks" not in limits.params
    assert first.outputs == {
        "figure": "sample_001_vs_reference.svg",
        "table": "sample_001_vs_reference.csv",
        "peaks": "sample_001_peaks.csv",
        "ranking": "sample_001_ranking.csv",
        "page": "sample_001_page.html",
        "normalized": "normalized/sample_001.jdx",
    }
    assert last.task == "spectra.analytics"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--step", "smoth"], "no step 'smoth'; did you mean smooth"),
        (["--step", "savgol=10"], "is even"),
        (["--region", "2800,3000"], "write NAME=LOW,HIGH"),
        (["--mask", "600"], "write --mask LOW,HIGH"),
        (["--rule", "pearson_r is 1"], "pearson_r is 1"),
        (["--metric", "pearson"], "pearson"),
        (["--references", "nearest"], "needs nearest_by"),
        (["--common", "grid"], "needs a grid"),
        (["--to-axis", "furlong"], "is not one of"),
    ],
)
def test_a_wrong_option_of_a_comparison_is_told_before_anything_runs(small_set, tmp_path, words, message):
    result, face = call(small_set / "reference.csv", small_set / "samples", "--output", tmp_path, *words)
    assert face.batch is None
    assert message.split("; did")[0] in f"{result.output} {result.exception}"


def test_several_references_may_be_a_folder(small_set, tmp_path):
    words = ("--references", "mean", "--output", tmp_path, "--no-figure")
    result, face = call(small_set / "samples", small_set / "reference.csv", *words)
    assert result.exit_code == 0, result.output
    (job,) = face.batch.jobs
    assert len(job.inputs["reference"]) == 6 and job.params["references"] == "mean"
    assert job.outputs["table"] == "reference.csv"


def test_the_axis_column_is_named_on_the_command_line_as_in_a_batch_file(small_set, tmp_path):
    files = (small_set / "reference.csv", small_set / "samples", "--output", tmp_path / "out")
    result, face = call(*files, "--axis", "1", "--column", "2")
    assert result.exit_code == 0, result.output
    assert {(job.params["axis"], job.params["column"]) for job in face.batch.jobs if "axis" in job.params} == {
        ("1", "2")
    }
    result, _ = call(*files, "--axis", "1", "--each-spectrum")
    assert result.exit_code == 2
    assert "leave --axis out" in result.output


def test_what_is_inspected_tells_the_metadata_that_options_name(write):
    path = write("Sample ID: leaf 7\nnm\tA\n" + "".join(f"{400 + i}\t{i % 7}\n" for i in range(30)))
    result = CliRunner().invoke(spectra, ["inspect", str(path), "--json"])
    (told,) = json.loads(result.output)
    assert told["metadata"]["Sample ID"] == "leaf 7"
