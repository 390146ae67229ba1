"""What the report tells of fits: scores over what was swept, what is odd, and folds."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from statistics import stdev
from xml.etree import ElementTree as ET

import pytest

from batchlab.engine import BatchView, Settings, read_view, run
from batchlab.motion import (
    cross_validation,
    find_best,
    fit_batch,
    join_bodies,
    simulate,
    sweep,
    write_recording,
    write_recordings,
)
from batchlab.motion._panel import demo_panel, fits_panel, folds_panel, scores_panel
from batchlab.motion._panel._panels import NOT_RIGID, _ranked
from batchlab.motion._panel._scores import Candidate, heat_map, parallel, score_curves
from batchlab.motion._panel._svg import with_error
from batchlab.reports import find_panels, write_reports

SVG = "{http://www.w3.org/2000/svg}"
ONE = Settings(workers=1, retries=0)
AXES = {"weights.rotation": [0.01, 0.1, 3.0], "weights.translation": [0.1, 1.0]}


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> BatchView:
    folder = tmp_path_factory.mktemp("swept")
    write_recordings(folder / "data", frames=150)
    params = {"weights": {"data_per_m": 500.0}}
    return read_view(run(sweep([folder / "data"], AXES, folder / "out", params=params, settings=ONE)).root)


def candidates(*means: float, **values: list) -> list[Candidate]:
    """Of values by name, in order of their means."""
    rows = [
        Candidate(
            params={name: each[at] for name, each in values.items()}, mean=mean, error=0.1, href=f"#job-{at}", jobs=1
        )
        for at, mean in enumerate(means)
    ]
    rows.sort(key=lambda row: row.mean)
    return [replace(row, best=at == 0, chosen=at == 1) for at, row in enumerate(rows)]


def titles(drawing: str, kind: str) -> list[str]:
    return [each.findtext(f"{SVG}title", "") for each in ET.fromstring(drawing).iter(SVG + kind) if len(each)]


def marks(drawing: str) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Middles of rings and of diamonds, without those of the legend."""
    root = ET.fromstring(drawing)
    circles = [each for each in root.iter(f"{SVG}circle") if each.get("r") == "7.5"]
    rings = [(float(each.get("cx")), float(each.get("cy"))) for each in circles]
    found = re.findall(r'd="M([\d.]+) ([\d.]+)l11 11', drawing)
    return rings[:-1], [(float(x), float(y) + 11) for x, y in found][:-1]


def test_it_names_the_choice_and_links_each_score_to_its_job(swept: BatchView) -> None:
    panel = scores_panel(swept)
    assert panel is not None
    choice = find_best(swept)
    words = ", ".join(f"{name} = {value:g}" for name, value in choice.params.items())
    ends = [f"{note[0].upper()}{note[1:]}." in panel.text for note in choice.notes]
    assert ends == [True] * len(ends) and bool(ends) == ("end of the values tried" in panel.text)
    assert panel.headline.startswith(
        f"markers that were hidden are foretold best with {words}: {choice.score:.3g}"[:-1]
    )
    value, error = panel.headline.removesuffix(" mm").rpartition(": ")[2].split(" ± ")
    assert len(value.partition(".")[2]) == len(error.partition(".")[2])
    curves, heat = panel.drawings
    for drawing, kind in ((curves.svg, "circle"), (heat.svg, "rect")):
        linked = {}
        for link in ET.fromstring(drawing).iter(f"{SVG}a"):
            (title,) = (each.text for each in link.iter(f"{SVG}title"))
            linked[title.partition(":")[0]] = swept.jobs[int(link.get("href").removeprefix("#job-"))]
        assert len(linked) == 6 == len(titles(drawing, kind))
        for named, job in linked.items():
            rotation, translation = (float(part.rpartition(" ")[2]) for part in named.split(", "))
            assert (job.params["weights"]["rotation"], job.params["weights"]["translation"]) == (rotation, translation)
    (table,) = panel.tables
    assert [row[0] for row in table.rows] == [1, 2, 3, 4, 5, 6]
    for row, job in zip(table.rows, sorted(swept.jobs, key=lambda job: job.metrics["held_out_mm"]), strict=True):
        assert row[3] == pytest.approx(job.metrics["held_out_mm"], abs=row[4] / 10)
        assert row[4] == pytest.approx(job.metrics["held_out_se_mm"], rel=0.05)
        # To the two digits that the standard error has.
        assert len(str(row[4]).replace(".", "").lstrip("0")) <= 2
    (chosen,) = (row for row in table.rows if "chosen" in row[-1])
    assert dict(zip(table.columns[1:3], chosen[1:3], strict=True)) == choice.params
    assert all((Path(swept.root) / picture).is_file() for picture in panel.pictures)


def test_one_result_has_one_error_and_says_over_what_it_is(tmp_path: Path) -> None:
    write_recordings(tmp_path / "data", sessions=3, frames=80)
    axes = {"weights.rotation": [0.01, 1.0]}
    params = {"weights": {"data_per_m": 500.0}}
    view = read_view(run(sweep([tmp_path / "data"], axes, tmp_path / "out", params=params, settings=ONE)).root)
    choice, panel = find_best(view), scores_panel(view)
    assert panel is not None
    scores = [job.metrics["held_out_mm"] for job in view.jobs if job.name in choice.jobs]
    assert choice.standard_error == pytest.approx(stdev(scores) / math.sqrt(3))
    assert panel.headline.endswith(f": {with_error(choice.score, choice.standard_error)} mm")
    assert "over 3 recordings, counted as independent" in choice.rule
    assert "over 3 recordings" in panel.text and "over 3 recordings" in panel.drawings[0].note
    for (params, spread), drawn, row in zip(
        choice.candidates, panel.drawings[0].drawn.rows, panel.tables[0].rows, strict=True
    ):
        assert drawn[:3] == (*params.values(), spread.mean, spread.standard_error)
        assert row[3] == pytest.approx(spread.standard_error, rel=0.05)
        if dict(params) == dict(choice.params):
            assert (spread.mean, spread.standard_error) == (choice.score, choice.standard_error)


def test_what_is_no_rigid_body_is_told_before_all_else(tmp_path: Path) -> None:
    bodies = {"one": simulate(frames=200, seed=1), "other": simulate(frames=200, seed=2)}
    path = write_recording(tmp_path, join_bodies("both", bodies), "trc")
    view = read_view(run(fit_batch([path], tmp_path / "out", settings=ONE)).root)
    panel = fits_panel(view)
    assert panel is not None and any(NOT_RIGID in words for words in view.jobs[0].warnings)
    assert panel.headline.startswith("markers that do not move as one rigid body in both")


def test_ranks_of_a_table_do_not_jump() -> None:
    found = candidates(*(3.0 + 0.1 * n for n in range(14)), w=[float(n) for n in range(14)])
    found = [replace(each, chosen=at == 7) for at, each in enumerate(found)]
    tables = _ranked(found)
    assert [table.title for table in tables] == ["The best", "The choice", "The worst of 14"]
    assert [[row[0] for row in table.rows] for table in tables] == [[1, 2, 3, 4, 5], [8], [10, 11, 12, 13, 14]]
    assert [[row[0] for row in table.rows] for table in _ranked(found[:10])] == [[*range(1, 11)]]
    # A choice among the best has no table of its own.
    found = [replace(each, chosen=at == 1) for at, each in enumerate(found)]
    assert [table.title for table in _ranked(found)] == ["The best", "The worst of 14"]


def test_a_recording_alone_has_errors_over_its_folds(swept: BatchView) -> None:
    choice, panel = find_best(swept), scores_panel(swept)
    assert choice.rule.endswith("; errors over 5 folds of one fit")
    assert panel is not None and "Standard errors are over 5 folds of one fit." in panel.text


def test_rings_mark_the_least_score_and_diamonds_the_choice() -> None:
    rows = candidates(3.5, 3.6, 3.9, w=[0.1, 1.0, 10.0])
    drawing = score_curves(rows, "w")
    dots = [each for each in ET.fromstring(drawing).iter(f"{SVG}circle") if each.get("r") == "4"]
    places = [(float(dot.get("cx")), float(dot.get("cy"))) for dot in dots]
    assert marks(drawing) == ([places[0]], [places[1]])
    # Equal ratios are equal steps, and a lower score is lower.
    (x0, y0), (x1, y1), (x2, y2) = places
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2) and y0 > y1 > y2
    assert (y1 - y2) / (y0 - y1) == pytest.approx(3.0, rel=0.02)


def test_error_bars_are_as_long_as_the_error() -> None:
    drawing = score_curves(candidates(3.0, 4.0, w=[1.0, 2.0]), "w")
    dots = [float(each.get("cy")) for each in ET.fromstring(drawing).iter(f"{SVG}circle") if each.get("r") == "4"]
    bars = re.findall(r"M[\d.]+ ([\d.]+)V([\d.]+)M", drawing)
    for low, high in bars:
        assert (float(low) - float(high)) / (dots[0] - dots[1]) == pytest.approx(0.2, rel=0.02)
    assert len(bars) == 2
    rows = [replace(each, error=math.nan) for each in candidates(3.0, 4.0, w=[1.0, 2.0])]
    assert "V" not in re.sub(r"<title>.*?</title>", "", score_curves(rows, "w"))


def test_options_that_are_words_or_nought_stand_in_even_steps() -> None:
    for values in (["huber", "squared", "tukey"], [0.0, 0.01, 1.0]):
        drawing = score_curves(candidates(3.0, 3.5, 3.6, w=values), "w")
        x = [float(each.get("cx")) for each in ET.fromstring(drawing).iter(f"{SVG}circle") if each.get("r") == "4"]
        assert x[2] - x[1] == pytest.approx(x[1] - x[0], abs=0.2)
        joined = [each for each in ET.fromstring(drawing).iter(f"{SVG}path") if each.get("stroke-width") == "1.6"
                  and each.get("stroke") != "currentColor"]  # fmt: skip
        assert len(joined) == (0 if isinstance(values[0], str) else 1)


def test_scores_far_from_the_best_do_not_flatten_the_others() -> None:
    drawing = score_curves(candidates(3.5, 3.8, 38.0, w=[1.0, 2.0, 3.0]), "w")
    y = [float(each.get("cy")) for each in ET.fromstring(drawing).iter(f"{SVG}circle") if each.get("r") == "4"]
    assert (y[0] - y[1]) / (y[1] - y[2]) == pytest.approx(math.log10(3.8 / 3.5), rel=0.05)


def test_a_heat_map_is_brightest_where_the_score_is_least() -> None:
    rows = candidates(3.0, 3.1, 4.0, 5.0, a=[1, 1, 2, 2], b=[1, 2, 1, 2])
    boxes = [each for each in ET.fromstring(heat_map(rows, "a", "b")).iter(f"{SVG}rect") if len(each)]
    light = [sum(int(box.get("fill")[at : at + 2], 16) for at in (1, 3, 5)) for box in boxes]
    assert light == sorted(light, reverse=True) and boxes[0].get("fill") == "#fde725"
    # The first option across, the second up.
    places = [(float(box.get("x")), float(box.get("y"))) for box in boxes]
    assert places[0][0] == places[1][0] < places[2][0] and places[0][1] > places[1][1]


def test_many_options_are_parallel_lines_to_their_scores() -> None:
    rows = candidates(3.0, 3.1, 4.0, 5.0, a=[1, 1, 2, 2], b=["x", "y", "x", "y"], c=[0.0, 0.1, 1.0, 10.0])
    root = ET.fromstring(parallel(rows))
    lines = [each for each in root.iter(f"{SVG}polyline") if len(each)]
    ends = [float(each.get("points").split(",")[-1]) for each in lines]
    assert len(lines) == 4 and all(len(each.get("points").split()) == 4 for each in lines)
    assert ends == sorted(ends)  # the worst first, and highest; the best is drawn over the others
    rings, diamonds = marks(parallel(rows))
    assert rings[0][1] == pytest.approx(ends[-1], abs=0.1) and diamonds[0][1] == pytest.approx(ends[-2], abs=0.1)


def test_names_are_only_text() -> None:
    evil = '<script x="&'
    for drawing in (
        score_curves(candidates(1.0, 2.0, **{evil: [evil, "b"]}), evil),
        heat_map(candidates(1.0, 2.0, **{evil: [evil, "b"], "b": [1, 2]}), evil, "b"),
        parallel(candidates(1.0, 2.0, **{evil: [evil, "b"], "b": [1, 2], "c": [1, 2]})),
    ):
        assert not list(ET.fromstring(drawing).iter(f"{SVG}script"))


def test_the_report_holds_the_drawings(swept: BatchView, tmp_path: Path) -> None:
    panels = find_panels(swept)
    assert [panel.title for panel in panels] == ["Motion: fits", "Motion: which options to take"]
    text = write_reports(swept, tmp_path, panels=panels).html.read_text(encoding="utf-8")
    assert text.count('<figure class="drawing">') == 2
    assert panels[1].drawings[0].svg in text and panels[1].headline.replace("'", "&#39;") in text


def test_odd_recordings_are_named_and_told_first(tmp_path: Path) -> None:
    for case in ("plain", "loose", "swapped"):
        write_recording(tmp_path / "data", simulate(f"walk {case}", case=case, frames=300, seed=4).recording)
    weights = {"data_per_m": 500.0, "rotation": 0.03, "translation": 0.3}
    view = read_view(
        run(
            fit_batch([tmp_path / "data"], tmp_path / "out", params={"weights": weights}, viewer=False, settings=ONE)
        ).root
    )
    panel = fits_panel(view)
    assert panel is not None
    assert panel.headline == "swapped names in walk swapped; loose markers: m8 in walk loose"
    (table,) = panel.tables
    by_job = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert by_job["fit/walk loose"]["loose markers"] == "m8" and by_job["fit/walk swapped"]["swaps"] == 1
    assert by_job["fit/walk plain"]["rms"] == pytest.approx(view.jobs[1].metrics["rms_mm"], rel=1e-3)
    assert "body" not in table.columns and "foretold" not in table.columns
    assert "walk_plain" in panel.pictures[-1].replace(" ", "_") and len(panel.pictures) == 3
    assert scores_panel(view) is None and folds_panel(view) is None and demo_panel(view) is None


def test_all_that_a_sweeps_report_shows_is_in_its_json(swept: BatchView, tmp_path: Path) -> None:
    reports = write_reports(swept, tmp_path, panels=find_panels(swept))
    told = json.loads(reports.statistics.read_text(encoding="utf-8"))["panels"]
    shown = {panel.title: panel for panel in find_panels(swept)}
    assert {each["title"] for each in told} == set(shown)
    for each in told:
        panel = shown[each["title"]]
        assert (each["headline"], each["text"]) == (panel.headline, panel.text)
        assert [table["columns"] for table in each["tables"]] == [list(table.columns) for table in panel.tables]
        for drawing in each["drawings"]:
            columns = drawing["drawn"]["columns"]
            rows = [dict(zip(columns, row, strict=True)) for row in drawing["drawn"]["rows"]]
            assert sorted(row["score"] for row in rows) == sorted(job.metrics["held_out_mm"] for job in swept.jobs)
            (chosen,) = (row for row in rows if row["chosen"])
            assert {name: chosen[name] for name in columns[:2]} == find_best(swept).params
    assert sum(len(each["drawings"]) for each in told) == 2


def test_folds_tell_of_what_they_were_not_fitted_to(tmp_path: Path) -> None:
    write_recordings(tmp_path / "data", sessions=3, frames=80)
    batch = cross_validation([tmp_path / "data"], tmp_path / "out", count=3, settings=ONE, refit=False,
                             params={"weights": {"data_per_m": 500.0}})  # fmt: skip
    view = read_view(run(batch).root)
    panel = folds_panel(view)
    assert panel is not None and panel.headline.startswith("recordings held out are foretold to ")
    assert panel.headline.endswith(" mm over 3 folds")
    (table,) = panel.tables
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert [row["fold"] for row in rows] == [1, 2, 3] and {row["fitted to"] for row in rows} == {2}
    assert {row["which"] for row in rows} == {f"subject_01_session_{n}" for n in (1, 2, 3)}
    for row, job in zip(rows, view.jobs, strict=False):
        assert row["rms test"] == pytest.approx(job.metrics["test_rms_mm"], rel=1e-3)
