"""The table of what was measured: digits that the spread of a metric carries, and its unit."""

from __future__ import annotations

import re

from batchlab.reports import write_reports
from batchlab.reports._story import measured


def rows_of(lab, **values):
    jobs = [
        lab.job(f"j{at}", metrics={name: each[at] for name, each in values.items()})
        for at in range(len(next(iter(values.values()))))
    ]
    view = lab.view("/nowhere", jobs)
    (table,) = measured(view)
    return view, {row["name"]: row for row in table["rows"]}


def test_numbers_have_the_digits_that_their_spread_carries(lab):
    _, rows = rows_of(
        lab,
        rms_mm=[0.0546602, 0.0311135, 0.1014152],
        frames=[140, 580, 3361],
        peak=[1602.34567, 1602.45678, 1602.40001],
    )
    told = {name: [row["told"][key] for key in ("mean", "std", "min", "max")] for name, row in rows.items()}
    assert told == {
        "rms_mm": ["0.0624", "0.0358", "0.0311", "0.1014"],
        "frames": ["1360", "1750", "140", "3361"],
        # What tells two jobs apart stays.
        "peak": ["1602.4", "0.0556", "1602.35", "1602.46"],
    }


def test_metrics_have_the_units_that_their_names_end_in(lab, tmp_path):
    values = [1.5, 2.5]
    view, rows = rows_of(
        lab, **{"rms_mm": values, "range_deg": values, "at_px[left]": values, "r_s": values, "share": values}
    )
    assert {name: row["unit"] for name, row in rows.items()} == {
        "rms_mm": "mm", "range_deg": "°", "at_px[left]": "px", "r_s": "", "share": "",
    }  # fmt: skip
    page = write_reports(lab.view(tmp_path, list(view.jobs))).html.read_text(encoding="utf-8")
    section = page[page.index('id="measured"') :]
    assert "<th>metric</th><th>unit</th>" in section
    assert re.search(r"<bdi>rms_mm</bdi></th><td>mm</td>", section)


def test_a_metric_of_one_job_and_one_that_is_all_the_same_have_four_digits(lab):
    (table,) = measured(lab.view("/nowhere", [lab.job("a", metrics={"rms_mm": 0.05466021})]))
    assert table["once"] == "rms_mm = 0.05466"
    (table,) = measured(lab.view("/nowhere", [lab.job(n, metrics={"rms_mm": 0.05466021, "n": 3}) for n in "ab"]))
    assert table["same"] == "rms_mm = 0.05466, n = 3"
