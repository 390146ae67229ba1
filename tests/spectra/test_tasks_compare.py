"""`spectra.compare` and `spectra.limits` as the engine runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from batchlab.engine import Settings, Status, inline, plan, read_view, run
from batchlab.errors import ConfigError
from batchlab.figures import PALETTE, Role, read_provenance
from batchlab.spectra import compare, compare_batch, read_comparison, read_text

READING = {"axis_kind": "raman shift", "quantity": "counts"}
BROKEN = "compare/sample_006"


@pytest.fixture
def make(small_set, tmp_path):
    """A batch over the small set, with small pictures."""

    def make_batch(output="out", samples=None, **options):
        options = {"normalization": "snv", "reading": READING, "dpi": 60, **options}
        workers = options.pop("workers", 1)
        return compare_batch(
            options.pop("reference", small_set / "reference.csv"),
            samples or [small_set / "samples"],
            tmp_path / output,
            settings=Settings(workers=workers),
            **options,
        )

    return make_batch


def ended(batch, **how):
    result = run(batch, install_signal_handlers=False, **how)
    view = read_view(batch.output)
    return result, {job.name: job for job in view.jobs}


def products(batch):
    return {path.name: path.read_bytes() for path in batch.output.glob("*.*") if path.is_file()}


def write_spectrum(path: Path, axis, intensity):
    rows = "\n".join(f"{x:.6f}\t{y:.6f}" for x, y in zip(axis, intensity, strict=True))
    path.write_text(rows + "\n", encoding="ascii")
    return path


def pixels_of(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def near(pixels, role, off=12):
    colour = [int(PALETTE[role].colour[i : i + 2], 16) for i in (1, 3, 5)]
    return np.argwhere(np.abs(pixels - colour).max(axis=-1) <= off)


def test_one_bad_file_costs_one_job_and_the_limits_leave_it_out(make):
    result, jobs = ended(make(workers=2))
    assert result.exit_code == 1
    assert {name for name, job in jobs.items() if job.state is not Status.DONE} == {BROKEN}
    assert (jobs[BROKEN].category, jobs[BROKEN].reason) == ("invalid-input", "truncated")
    settled = jobs["limits"]
    assert settled.metrics["left_out"] == 1
    assert settled.warnings == ("left out of the limits: sample_006.csv (truncated)",)
    assert {item.status for item in settled.items} == {Status.DONE}


def test_the_table_reads_back_what_was_compared(make, small_set):
    batch = make(figure=False)
    _, jobs = ended(batch, executor=inline)
    found, provenance = read_comparison(batch.output / "sample_002_vs_reference.csv")
    reference = read_text(small_set / "reference.csv", **READING)
    told = compare(reference, read_text(small_set / "samples" / "sample_002.txt", **READING), "snv")
    for name in ("axis", "reference", "sample", "difference"):
        np.testing.assert_array_equal(getattr(found, name), getattr(told, name))
    assert found.metrics == told.metrics == jobs["compare/sample_002"].metrics
    assert provenance["job"] == "compare/sample_002"


def test_the_figure_shows_sample_reference_and_difference_where_they_belong(make):
    batch = make(table=False, dpi=150)
    ended(batch, executor=inline)
    pixels = pixels_of(batch.output / "sample_001_vs_reference.png")
    assert pixels.shape == (900, 1500, 3)
    sample, difference = near(pixels, Role.SAMPLE), near(pixels, Role.DIFFERENCE)
    assert len(sample) > 200
    assert len(difference) > 200
    assert sample[:, 0].max() < difference[:, 0].min()
    assert np.ptp(sample[:, 1]) > 1000  # over the whole axis


def test_bytes_are_the_same_whoever_makes_them(make):
    one, two, here = make("one"), make("two", workers=2), make("here")
    ended(one)
    ended(two)
    ended(here, executor=inline)
    assert len(products(one)) == 5 * 2 + 1
    assert products(one) == products(two) == products(here)


def test_a_second_run_does_only_what_failed_and_a_changed_param_runs_anew(make):
    batch = make(table=False)
    ended(batch, executor=inline)
    again, _ = ended(batch, executor=inline)
    assert again.found_done == 6
    assert again.counts == {Status.FAILED: 1}
    reasons = {each.job.name: each.reason for each in plan(make(table=False, dpi=61)).jobs}
    assert reasons["limits"] == "done before, nothing changed"
    assert reasons["compare/sample_001"] == "params.dpi: 60.0 -> 61.0"


def test_a_picture_says_how_it_was_made(make, small_set):
    batch = make(table=False)
    ended(batch, executor=inline)
    told = read_provenance(batch.output / "sample_003_vs_reference.png")
    assert told["job"] == "compare/sample_003"
    assert told["task"] == "spectra.compare"
    assert json.loads(told["params"])["normalization"] == "snv"
    inputs = json.loads(told["inputs"])
    assert [each["file"] for each in inputs["sample"]] == ["sample_003.csv"]
    assert len(inputs["reference"][0]["blake2b"]) == 32
    assert set(json.loads(told["versions"])) == {"numpy", "scipy", "pybaselines", "matplotlib"}


def test_outputs_that_are_not_wanted_are_not_made(make):
    batch = make(figure=False, table=False)
    assert batch.jobs[0].name == "compare/sample_001"
    _, jobs = ended(batch, executor=inline)
    assert products(batch) == {}
    assert jobs["compare/sample_001"].thumbnail is None
    assert set(jobs["compare/sample_001"].stages) == {"load", "compare"}


def test_a_job_that_draws_makes_its_thumbnail(make):
    batch = make(table=False)
    _, jobs = ended(batch, executor=inline)
    small = pixels_of(batch.output / jobs["compare/sample_001"].thumbnail)
    assert small.shape == (192, 320, 3)
    assert set(jobs["compare/sample_001"].stages) == {"load", "compare", "draw"}


def test_pictures_do_not_depend_on_those_drawn_before(tmp_path):
    axis = np.linspace(100.0, 2000.0, 300)
    hill = 1 + np.exp(-(((axis - 1000) / 200) ** 2))
    reference = write_spectrum(tmp_path / "ref.txt", axis, hill)
    whole = write_spectrum(tmp_path / "whole.txt", axis, 1.2 * hill)
    part = write_spectrum(tmp_path / "part.txt", axis[:200], 1.1 * hill[:200])
    made = {}
    for order in ((whole, part), (part, whole)):
        batch = compare_batch(
            reference, order, tmp_path / order[0].stem, normalization="snv", table=False, dpi=60, limits=(-3.0, 3.0)
        )
        result, jobs = ended(batch, executor=inline)
        assert result.exit_code == 0
        assert [name for name, job in jobs.items() if job.warnings[-1:] and "covers only" in job.warnings[-1]] == [
            "compare/part"
        ]
        made[order[0].stem] = products(batch)
    assert made["whole"] == made["part"]


def test_limits_per_picture_fit_each_picture(make):
    own, shared = make("own", table=False, limits="per-picture"), make("shared", table=False)
    assert [job.task for job in own.jobs] == ["spectra.compare"] * 6
    ended(own, executor=inline)
    ended(shared, executor=inline)
    name = "sample_001_vs_reference.png"
    # The outlier reaches far down: alone, a good sample fills its lower panel better.
    heights = [np.ptp(near(pixels_of(batch.output / name), Role.DIFFERENCE)[:, 0]) for batch in (own, shared)]
    assert heights[0] > 1.5 * heights[1]


def test_a_curve_that_leaves_fixed_limits_is_told(make):
    _, jobs = ended(make(table=False, limits=(-1.0, 1.0)), executor=inline)
    assert any("the picture is cut: the overlay reaches from" in text for text in jobs["compare/sample_001"].warnings)


def test_limits_settled_for_another_normalization_are_refused(make):
    batch = make(table=False)
    jobs = tuple(
        replace(job, params={**job.params, "normalization": "area"}) if job.task == "spectra.compare" else job
        for job in batch.jobs
    )
    _, ended_jobs = ended(replace(batch, jobs=jobs), executor=inline)
    assert ended_jobs["compare/sample_001"].reason == "other-limits"


def test_a_broken_reference_fails_once_and_blocks_the_rest(make, small_set):
    _, jobs = ended(make(reference=small_set / "samples" / "sample_006.csv"), executor=inline)
    assert jobs["limits"].reason == "truncated"
    assert {job.state for name, job in jobs.items() if name != "limits"} == {Status.BLOCKED}


def test_limits_go_on_without_what_is_no_file(make, small_set, tmp_path):
    folder = tmp_path / "x.csv"
    folder.mkdir()
    good = small_set / "samples" / "sample_001.csv"
    batch = make(samples=[good, tmp_path / "*.csv"], table=False)
    _, jobs = ended(batch, executor=inline)
    assert jobs["limits"].state is Status.DONE
    assert "x.csv (not-a-file)" in jobs["limits"].warnings[0]
    assert (jobs["compare/x"].state, jobs["compare/x"].reason) == (Status.FAILED, "not-a-file")
    assert jobs["compare/sample_001"].state is Status.DONE
    again, _ = ended(batch, executor=inline)
    assert again.found_done == 2


@pytest.mark.parametrize("figure", [True, False])
def test_a_sample_that_is_gone_costs_its_own_job(make, small_set, tmp_path, figure):
    good = small_set / "samples" / "sample_001.csv"
    batch = make(samples=[good, tmp_path / "gone.csv"], figure=figure)
    _, jobs = ended(batch, executor=inline)
    assert {name for name, job in jobs.items() if job.state is not Status.DONE} == {"compare/gone"}
    assert (jobs["compare/gone"].category, jobs["compare/gone"].reason) == ("missing-input", "not-found")
    again, _ = ended(batch, executor=inline)
    assert again.found_done == len(jobs) - 1
    # What was not there is a change once it is.
    (tmp_path / "gone.csv").write_bytes(good.read_bytes())
    mended, jobs = ended(batch, executor=inline)
    assert mended.exit_code == 0
    assert not figure or jobs["limits"].metrics["n_samples"] == 2


def test_an_input_may_be_left_out_but_not_misspelt(make):
    batch = make()
    limits, first, *_ = batch.jobs
    alone = replace(first, inputs={name: path for name, path in first.inputs.items() if name != "limits"})
    assert [each.verdict for each in plan(replace(batch, jobs=(alone,))).jobs] == ["run"]
    wrong = replace(first, inputs={**alone.inputs, "limit": first.inputs["limits"]})
    with pytest.raises(ConfigError, match="no input 'limit'; did you mean 'limits'"):
        plan(replace(batch, jobs=(limits, wrong)))


def test_planning_loads_no_numpy():
    code = (
        "import sys\n"
        "from batchlab.engine import find_task\n"
        "card = find_task('spectra.compare'), find_task('spectra.limits')\n"
        "import batchlab.spectra.cli\n"
        "print([name for name in ('numpy', 'matplotlib', 'scipy') if name in sys.modules])\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_a_picture_of_another_format_is_refused_before_anything_runs(make):
    with pytest.raises(ConfigError, match=r"'\{sample\}.bmp' ends in none of .png, .jpg"):
        make(outputs={"figure": "{sample}.bmp"})


def test_a_picture_may_be_of_any_known_format(make):
    batch = make(format="svg", table=False)
    ended(batch, executor=inline)
    assert {name.rpartition(".")[2] for name in products(batch)} == {"svg", "json"}
