"""What the report says of a batch of spectra: conformity, what stands out, doubt, and the pictures of all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from batchlab.engine import Status, inline, read_view, run
from batchlab.spectra import compare_batch
from batchlab.spectra._panel import analytics_panel, conformity_panel, doubts_panel, overview_panel, panel

AXIS = np.linspace(400.0, 800.0, 201)
GOOD, FOREIGN = 9, "z_foreign"


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    """Nine samples within 0.1 of the reference, one with a band 0.5 high at 650 nm."""
    folder = tmp_path_factory.mktemp("panels")
    random = np.random.default_rng(3)
    band = np.exp(-(((AXIS - 520) / 20) ** 2))

    def write(name, intensity):
        text = "Wavelength (nm),Absorbance\n" + "\n".join(
            f"{x:.1f},{y:.6f}" for x, y in zip(AXIS, intensity, strict=True)
        )
        (folder / name).write_text(text + "\n")
        return folder / name

    reference = write("reference.csv", band)
    samples = [write(f"good_{at}.csv", band + random.normal(0, 0.005, AXIS.size)) for at in range(GOOD)]
    foreign = band + 0.5 * np.exp(-(((AXIS - 650) / 15) ** 2)) + random.normal(0, 0.005, AXIS.size)
    samples.append(write(f"{FOREIGN}.csv", foreign))
    batch = compare_batch(
        reference,
        samples,
        output=folder / "out",
        params={"tolerance": {"within": 0.1}},
        analytics="auto",
    )
    assert run(batch, executor=inline).exit_code == 0
    return read_view(batch.output)


def rows_of(table):
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_conformity_names_what_fails_first_and_where(view):
    shown = conformity_panel(view)
    assert shown.headline == f"1 of {GOOD + 1} samples do not conform: {FOREIGN}"
    assert shown.text.startswith(f"{GOOD} of {GOOD + 1} samples conform, 1 do")
    rows = rows_of(shown.tables[0])
    assert [row["conforms"] for row in rows] == [False] + [True] * GOOD
    assert rows[0]["sample"] == f"compare/{FOREIGN}"
    assert rows[0]["largest_excess"] == pytest.approx(0.4, abs=0.02)
    assert rows[0]["largest_excess_at"] == pytest.approx(650, abs=4)
    assert not rows[0]["verdict"].startswith("does not conform")


def test_samples_that_were_not_compared_are_counted_apart(view):
    first = next(job.name for job in view.jobs if job.task == "spectra.compare")
    jobs = tuple(replace(job, state=Status.FAILED) if job.name == first else job for job in view.jobs)
    text = conformity_panel(replace(view, jobs=jobs)).text
    assert text.startswith(f"{GOOD - 1} of {GOOD} samples conform")
    assert "1 was not judged" in text


def test_what_stands_out_is_named_with_the_reason(view):
    shown = analytics_panel(view)
    assert shown.headline == f"1 of {GOOD + 1} spectra stands out: {FOREIGN}"
    rows = rows_of(shown.tables[0])
    outliers = [row for row in rows if row["verdict"] == "outlier"]
    assert [row["spectrum"] for row in outliers] == [FOREIGN]
    assert "65" in outliers[0]["why"]
    assert len(shown.pictures) == 1


def test_a_table_that_is_gone_leaves_what_the_ledger_knows(view, tmp_path):
    shown = analytics_panel(replace(view, root=str(tmp_path)))
    assert shown.headline.endswith(FOREIGN)
    assert rows_of(shown.tables[0])[0]["spectrum"] == FOREIGN


def test_doubts_are_ordered_by_confidence_and_told_once(view):
    def doubted(job, confidence):
        return replace(job, warnings=(f"its layout is not sure ({confidence}): two columns run one way; state what",))

    first, second, *others = view.jobs
    shown = doubts_panel(replace(view, jobs=(doubted(first, "0.71"), doubted(second, "0.55"), *others)))
    assert shown.headline == "2 spectra were read with doubt"
    assert [row["confidence"] for row in rows_of(shown.tables[0])] == [0.55, 0.71]
    assert "All for one reason" in shown.text


def test_a_batch_without_them_has_none(view):
    empty = replace(view, jobs=())
    assert [show(empty) for show in (panel, analytics_panel, conformity_panel, doubts_panel, overview_panel)] == [
        None
    ] * 5
    assert doubts_panel(view) is None
    assert overview_panel(view) is None
