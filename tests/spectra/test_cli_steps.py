"""Steps on the command line, and what is said of one that is written wrongly."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from batchlab.engine import plan
from batchlab.errors import ConfigError, DataError, Problem
from batchlab.spectra import Spectrum, prepare
from batchlab.spectra._recipe import Recipe
from batchlab.spectra.cli import spectra


def steps_of(*texts, expected=0):
    class Face:
        batch = None

        def run_batch(self, batch, **options):
            Face.batch = batch
            plan(batch)
            return 0

    words = [word for text in texts for word in ("--step", text)]
    result = CliRunner().invoke(spectra, ["compare", "a.csv", "b.csv", "--no-figure", *words], obj=Face())
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == expected, result.output
    return [] if Face.batch is None else list(Face.batch.jobs[-1].params["steps"])


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("cm-1,A\n" + "".join(f"{400 + i},{i % 7}\n" for i in range(900)))


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("cut=[400,1800]", {"cut": [400, 1800]}),
        ("cut=400,1800", {"cut": [400, 1800]}),
        ("cut = [[400, 800], [1000, 1200]]", {"cut": [[400, 800], [1000, 1200]]}),
        ("mask=[co2, [400, 500]]", {"mask": ["co2", [400, 500]]}),
        ("baseline={method: arpls, lam: 1e6}", {"baseline": {"method": "arpls", "lam": 1e6}}),
        ("savgol=11", {"savgol": 11}),
    ],
)
def test_a_step_is_written_as_in_a_batch_file_or_shorter(text, step):
    assert steps_of(text) == [step]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mask=h20", "steps.0.mask: no region 'h20'; did you mean h2o? There are co2, h2o"),
        ("{mask: [co2, h20]}", "steps.0.mask: no region 'h20'; did you mean h2o?"),
        ("mask=[[1,2,3]]", "steps.0.mask: no region [1, 2, 3]; there are co2"),
        ("mask=[]", "steps.0.mask: write a region, [low, high] in the axis unit"),
        ("cut=co2", "steps.0.cut: write [low, high] in the axis unit, or a list of such, not 'co2'"),
        ("cut=[1,2,3]", "steps.0.cut: write [low, high] in the axis unit, or a list of such, not 1"),
        ("offset=foo", "steps.0.offset: write a number, min, mean, or [low, high] in the axis unit, not 'foo'"),
    ],
)
def test_a_wrong_step_is_told_in_one_sentence_without_the_librarys_words(text, message):
    with pytest.raises(ConfigError) as caught:
        steps_of(text)
    assert str(caught.value).startswith(message)
    assert len(caught.value.problems) == 1
    assert not any(word in str(caught.value) for word in ("tuple", "valid", "validation", "not a name"))


def test_equal_problems_are_told_once():
    problems = [Problem(message="a"), Problem(message="b", line=2), Problem(message="a"), Problem(message="b", line=3)]
    assert str(ConfigError.of(problems)) == "a\nline 2: b\nline 3: b"


@pytest.mark.parametrize("preset", ["raman", "ftir"])
def test_of_an_axis_that_says_nothing_the_axis_is_blamed_and_the_option_named(preset):
    silent = Spectrum(axis=[100.0 + i for i in range(900)], intensity=[float(i % 7) for i in range(900)])
    recipe = Recipe.model_validate({"steps": [{"mask": "anti-stokes" if preset == "raman" else "co2"}]})
    with pytest.raises(DataError, match="the axis does not say what it is") as caught:
        prepare(silent, silent, recipe)
    option = {"raman": "--axis-kind raman-shift --axis-unit cm-1", "ftir": "--axis-kind wavenumber --axis-unit cm-1"}
    assert option[preset] in str(caught.value)
