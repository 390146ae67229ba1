"""Our side of the row `recogniser`: what is recognised of real and of generated files, beside what is true."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SURE = 0.8
# Another seed than any that the calibration was made with.
SEED = 20_260
# By the notes of the collection: of no format that is read, so they have to be refused.
REFUSED = {"avantes2.TRM", "avantes_reflect.ROH", "S0N_50x.spe", "sa281-02-280K.spc"}
# By the files' own text, where the answer key leaves them out: spectra, points of each, first and last of the axis.
NO_COLUMNS = {
    "collagen.csv": (731, 234, 1801.264, 902.5606),
    "thermo_nanodrop_eight_example01.txt": (5, 261, 220.0, 350.0),
    "map_test.xyz": (16, 9, 1641.69, 1634.84),
    "raman_hdpe_os.csv": (1, 964, 301.0, 3198.0),
    "spectrum_data.txt": (384, 4, 525.0, 528.0),
}
RIGHT, WRONG, REFUSED_RIGHTLY, REFUSED_WRONGLY, UNKNOWN = (
    "right",
    "wrong",
    "refused rightly",
    "refused wrongly",
    "read, no answer",
)
OUTCOMES = (RIGHT, REFUSED_RIGHTLY, WRONG, REFUSED_WRONGLY, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a real file; `confidence` is None for a format that is no text."""

    layout: str
    file: str
    kind: str
    outcome: str
    why: str = ""
    confidence: float | None = None


def plan_files(n: int, folder: str) -> None:
    """Recognise the one file of `folder` `n` times."""
    from batchlab.spectra._read import recognize

    (path,) = Path(folder).iterdir()
    for _ in range(n):
        if recognize(path).plan is None:
            raise RuntimeError(f"{path}: not recognised as a text")


def results(quick: bool) -> dict[str, object]:
    """Tables and checks, as `Findings` has them."""
    real, checks = _real_tables(quick)
    generated = _generated_tables(200 if quick else 2_000)
    return {"tables": [*real, *generated], "checks": checks}


def real_files(quick: bool = False) -> list[Found] | None:
    """What becomes of each real file; None where they are absent."""
    folder = _collection()
    if not folder.is_dir():
        return None
    with (folder / "expected.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [_judged(folder, row) for row in rows[:: 10 if quick else 1]]


def _collection() -> Path:
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("BATCHLAB_SHARED_DATA", beside)) / "spectra"


def _real_tables(quick: bool) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    found = real_files(quick)
    if found is None:
        reason = f"no real spectra in {_collection()}; set BATCHLAB_SHARED_DATA"
        return [_table("real files", reason=reason)], []
    table = []
    for kind in dict.fromkeys(one.kind for one in found):
        of_kind = [one for one in found if one.kind == kind]
        counts = [sum(one.outcome == outcome for one in of_kind) for outcome in OUTCOMES]
        table.append([kind, len({one.layout for one in of_kind}), len(of_kind), *counts])
    layouts = len({one.layout for one in found})
    table.append(["all", layouts, len(found), *(sum(column) for column in list(zip(*table, strict=True))[3:])])
    wrong = [one for one in found if one.outcome in (WRONG, REFUSED_WRONGLY)]
    sure = [(one.confidence, one.outcome == RIGHT) for one in found if one.confidence is not None]
    tables = [
        _table("real files by the answer key", ("kind", "layouts", "files", *OUTCOMES), table),
        *([_table("not right", ("file", "why"), [[one.file, one.why] for one in wrong])] if wrong else []),
        _reliability("confidence on real text files", sure),
    ]
    told_sure = [one for one in wrong if (one.confidence or 0.0) >= SURE]
    checks = [
        {"text": "every real file with an answer is right, or refused rightly", "met": not wrong},
        {"text": f"no real file with a confidence of {SURE} or more is wrong", "met": not told_sure},
    ]
    return tables, checks


def _generated_tables(count: int) -> list[dict[str, object]]:
    from batchlab.spectra._synthetic_layouts import NASTY, judge, make_layouts

    judged = list(judge(make_layouts(count, seed=SEED)))
    rows = []
    for name, nasty in (("usual layouts", False), ("layouts that can honestly be read in two ways", True)):
        of_kind = [one for one in judged if (one.made.kind in NASTY) == nasty]
        refused = sum(one.refused is not None for one in of_kind)
        right = sum(one.right for one in of_kind)
        wrong = len(of_kind) - right - refused
        sure = sum(one.mistake is not None and one.confidence >= SURE for one in of_kind)
        kinds = len({one.made.kind for one in of_kind})
        rows.append([name, kinds, len(of_kind), right, refused, wrong, sure])
    columns = ("generated", "kinds", "files", "right", "refused", "wrong", f"wrong at {SURE} or more")
    return [
        _table("generated files, of a seed that the calibration has not seen", columns, rows),
        _reliability(
            "confidence on generated files",
            [(one.confidence, one.right) for one in judged if one.refused is None],
        ),
    ]


def _reliability(title: str, found: Iterable[tuple[float, bool]]) -> dict[str, object]:
    from batchlab.spectra._read._calibration import reliability

    bins = reliability(found)
    files = sum(each.files for each in bins)
    off = sum(each.files * abs(each.said - each.right) for each in bins) / max(files, 1)
    rows = [[f"{each.low:g} - {each.high:g}", each.files, f"{each.said:.3f}", f"{each.right:.3f}"] for each in bins]
    return _table(f"{title}: off by {off:.3f} on average", ("confidence", "files", "said", "right"), rows)


def _judged(folder: Path, row: dict[str, str]) -> Found:
    from batchlab.errors import DataError
    from batchlab.spectra._kinds import SpectrumRole
    from batchlab.spectra._read import apply_plan, read_spectra, recognize

    path = folder / row["layout"] / row["file"]
    who = row["layout"], row["file"], _kind(row)
    try:
        recognition = recognize(path)
        spectra = read_spectra(path) if recognition.plan is None else apply_plan(recognition.plan, path)
    except DataError as error:
        if row["file"] in REFUSED and error.reason in ("binary", "unsupported-format"):
            return Found(*who, REFUSED_RIGHTLY, error.reason)
        return Found(*who, REFUSED_WRONGLY, f"{error.reason}: {error}")
    confidence = None if recognition.plan is None else recognition.confidence
    if row["file"] in REFUSED:
        return Found(*who, WRONG, "read, and of no format that is known", confidence)
    samples = [each for each in spectra if each.role is SpectrumRole.SAMPLE]
    if row["kind"] == "text":
        why = _mistake_in_table(path, row, samples)
    elif row["file"] in NO_COLUMNS:
        why = _mistake_in_rows(samples, *NO_COLUMNS[row["file"]])
    elif row["n"]:
        why = _mistake_in_structure(row, list(spectra))
    else:
        return Found(*who, UNKNOWN, "", confidence)
    return Found(*who, WRONG if why else RIGHT, why, confidence)


def _kind(row: dict[str, str]) -> str:
    kind = row["kind"]
    if row["layout"] == "jobinyvon-xml":
        return "LabSpec XML"
    return {"text": "columns", "text (no simple columns)": "rows, maps, plates"}.get(kind, kind.partition(" (")[0])


def _mistake_in_table(path: Path, row: dict[str, str], samples: list) -> str:
    """What axis, unit, count, range or column has to do with the answer key; empty where nothing is wrong."""
    from batchlab.spectra._read import read_spectrum

    if not samples:
        return "no sample"
    first, kind = samples[0], row["axis"].removeprefix("emission ").casefold()
    found = (first.axis[0], first.axis[-1], first.axis.size)
    if found != (float(row["x_first"]), float(row["x_last"]), int(row["n"])):
        return f"axis {found}"
    if first.axis_kind.value not in ("unknown", kind) or first.axis_unit not in (None, row["unit"]):
        return f"axis {first.axis_kind} in {first.axis_unit}"
    # The answer key names a column, or several such as 1..12, or only the last of those that a row names.
    column = re.match(r"\d+", row["intensity_column"])
    at = int(row["columns"]) - 1 if column is None else int(column[0])
    if read_spectrum(path, column=at).intensity.tolist() != first.intensity.tolist():
        return f"another column than {at}"
    return ""


def _mistake_in_rows(samples: list, spectra: int, points: int, first: float, last: float) -> str:
    if len(samples) != spectra:
        return f"{len(samples)} spectra instead of {spectra}"
    odd = [each for each in samples if not _same_axis(each.axis, first, last, points)]
    return f"axis of {len(odd)} spectra" if odd else ""


def _mistake_in_structure(row: dict[str, str], spectra: list) -> str:
    first, last, points = float(row["x_first"]), float(row["x_last"]), int(row["n"])
    if any(_same_axis(each.axis, first, last, points) for each in spectra):
        return ""
    found = sorted({(float(each.axis[0]), float(each.axis[-1]), each.axis.size) for each in spectra})
    return f"axes {found[:3]} instead of {(first, last, points)}"


def _same_axis(axis, first: float, last: float, points: int) -> bool:
    near = 1e-5 * max(abs(first), abs(last))
    return axis.size == points and abs(axis[0] - first) <= near and abs(axis[-1] - last) <= near


def _table(
    title: str, columns: Iterable[str] = (), rows: Iterable[Iterable[object]] = (), reason: str | None = None
) -> dict[str, object]:
    return {
        "title": title,
        "columns": list(columns),
        "rows": [[str(cell) for cell in row] for row in rows],
        "reason": reason,
    }
