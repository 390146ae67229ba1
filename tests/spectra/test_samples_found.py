"""Which files are meant by names of files, folders and patterns; and what is said where there are none."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from batchlab.engine import inline, run
from batchlab.errors import ConfigError
from batchlab.spectra import compare_batch
from batchlab.spectra._samples import find_samples, look_for_samples
from batchlab.spectra.cli import spectra

TEXT = "Raman shift / cm-1,counts\n" + "".join(f"{400 + i},{1000 + (i * 37) % 101}\n" for i in range(60))


@pytest.fixture
def here(tmp_path, monkeypatch):
    for name in ("odd/a/one.csv", "odd/b/two.csv", "good/three.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(TEXT)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("empty", "no samples in this folder"),
        ("odd", "no samples in this folder, but 2 files lie in folders below; write 'odd/**' for those"),
        ("good/*.txt", "no file matches"),
        ("good/t[hw]*ree.txt", "no file matches"),
        ("good/thre[e].csv", "there is no such file; [ ] is no pattern: write * for any text, ? for one sign"),
    ],
)
def test_every_name_that_stands_for_nothing_is_told_with_the_mend(here, name, why):
    found = look_for_samples(["good", name, "gone.csv"], None)
    assert found.files == (str(here / "good/three.csv"), str(here / "gone.csv"))
    assert found.without == ((name, why),)
    with pytest.raises(ConfigError) as caught:
        find_samples([name, "empty"], None)
    assert str(caught.value).startswith(f"{name}: {why}; empty: no samples") or name == "empty"


def test_folders_below_are_searched_where_that_is_asked(here):
    assert find_samples(["odd/**"], None) == (str(here / "odd/a/one.csv"), str(here / "odd/b/two.csv"))


def test_a_file_may_have_brackets_in_its_name(here):
    (here / "good/leaf[1].csv").write_text(TEXT)
    assert find_samples(["good/leaf[1].csv"], None) == (str(here / "good/leaf[1].csv"),)


def test_outputs_of_the_batch_itself_are_no_samples_of_it(here):
    (here / "good/four.csv").write_text(TEXT)
    (here / "good/batch_report.html").write_text("of the user's own: no batch was run here yet")
    assert len(find_samples(["good"], "good")) == 3
    (here / "good/batch_report.html").unlink()
    batch = compare_batch("odd/a/one.csv", ["good"], "good", figure=False)
    names = [job.name for job in batch.jobs]
    assert run(batch, executor=inline).exit_code == 0
    (here / "good/batch_summary.csv").write_text("name\n")
    again = look_for_samples(["good"], "good")
    assert again.files == (str(here / "good/four.csv"), str(here / "good/three.csv"))
    assert again.told == ("3 files are outputs of the batch in good and no samples of it: left out",)
    assert [job.name for job in compare_batch("odd/a/one.csv", ["good"], "good", figure=False).jobs] == names
    named = look_for_samples(["good/batch_summary.csv"], "good")
    assert (named.files, named.told) == ((str(here / "good/batch_summary.csv"),), ())
    assert look_for_samples(["good/*_vs_*"], "good").without == (
        ("good/*_vs_*", "no samples, but only outputs of the batch itself"),
    )


def test_an_empty_folder_keeps_inspect_from_no_other_file(here):
    result = CliRunner().invoke(spectra, ["inspect", "good", "empty", "--no-plot"])
    assert result.exit_code == 1
    assert "good/three.csv" in result.stdout and "layout" in result.stdout
    assert result.stderr == "empty: no samples in this folder\n"
    told = json.loads(CliRunner().invoke(spectra, ["inspect", "empty", "good", "--json"]).stdout)
    assert told[0] == {"file": "empty", "refused": "no samples in this folder"}
    assert told[1]["file"] == "good/three.csv" and told[1]["confidence"] > 0.8
    alone = CliRunner().invoke(spectra, ["inspect", "empty"])
    assert alone.exit_code == 2 and "empty: no samples in this folder" in alone.stderr


def test_inspect_tells_no_scores_beside_confidences(here):
    (here / "wide.csv").write_text("".join(f"{400 + 2 * i},{i % 7},{i % 5}\n" for i in range(40)))
    told = CliRunner().invoke(spectra, ["inspect", "wide.csv", "--no-plot"]).stdout
    assert "only column 0, counted from 0, runs steadily up or down" in told
    assert "score" not in told


@pytest.mark.parametrize(
    ("blank", "told"),
    [
        ((3,), "1 row without an axis value or an intensity is left out between other points"),
        ((59,), "1 row without an axis value or an intensity is left out"),
        ((3, 59), "2 rows without an axis value or an intensity are left out, 1 of them between other points"),
    ],
)
def test_rows_left_out_are_told_in_plain_words(here, blank, told):
    lines = TEXT.splitlines()
    for at in blank:
        lines[at + 1] = f"{400 + at},"
    (here / "gaps.csv").write_text("\n".join(lines) + "\n")
    shown = CliRunner().invoke(spectra, ["inspect", "gaps.csv", "--no-plot"]).stdout
    assert any(line.endswith(told) for line in shown.splitlines())
