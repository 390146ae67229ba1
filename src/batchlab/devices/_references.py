"""Names for runs that stay when an older file is staged later, and a word when a number now means another run."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.devices._durable import write_whole
from batchlab.devices._seq import read_seq
from batchlab.errors import Category, DataError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Drift", "drift", "meaning", "read_pins", "reference_of", "resolve", "write_pins"]

# Six digits alone are a number; a run_id's beginning has at least as many.
_RUN_ID = re.compile(r"[0-9a-f]{6,16}")
_OF_DAY = re.compile(r"(?P<proc>[A-Za-z][A-Za-z0-9]*?)?(?P<date>\d{4}-\d\d-\d\d)[#_](?P<number>\d+)")
_FORM = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A reference that no longer means the run it meant; `now` is None where it means none."""

    chip: str
    reference: str
    before: str
    now: str | None

    def __str__(self) -> str:
        """For a warning."""
        number = "seq " if self.reference.isdigit() else ""
        now = f"now means run {self.now}" if self.now else "now means none"
        return (
            f"{self.chip}: {number}{self.reference} meant run {self.before} when it was last used, and {now}; "
            "runs were staged before it or removed. Write the run's id, or its number in show-history"
        )


def resolve(history: pl.DataFrame, references: object) -> dict[str, str]:
    """What references mean in a history.

    Parameters
    ----------
    history
        Of a chip.
    references
        Numbers as of `read_seq` (``52``, ``"52-58"``, ``[52, 57]``), beginnings of run_ids of at least six digits,
        a local day and the number of the file on it (``2025-09-04#3``, with the procedure before it where several have
        that number: ``It2025-09-04#3``), or a list of all these.

    Returns
    -------
    dict
        run_id by reference, in the order given; ranges are taken apart, each number by itself.

    Raises
    ------
    DataError
        If one means no run, or more than one; says which and what there is.
    """
    columns = ("seq", "run_id", "proc", "date_local", "file_idx")
    rows = history.select(columns).to_dicts()
    chip = str(history["chip_name"][0]) if history.height else "the chip"
    seqs: dict[int, str] = {row["seq"]: row["run_id"] for row in rows}
    found: dict[str, str] = {}
    for part in _parts(references):
        of_day = _OF_DAY.fullmatch(part) if isinstance(part, str) else None
        if of_day is not None:
            found[of_day[0]] = _of_day(of_day, rows, chip)
        elif isinstance(part, str) and _RUN_ID.fullmatch(part):
            found[part] = _by_id(part, seqs.values(), chip)
        else:
            found |= _by_number(part, seqs, chip)
    return found


def _parts(references: object) -> Iterable[object]:
    if isinstance(references, list | tuple | set | frozenset):
        return [part for each in references for part in _parts(each)]
    if isinstance(references, str):
        return [part.strip() for part in references.split(",")]
    return [references]


def _by_number(part: object, seqs: Mapping[int, str], chip: str) -> dict[str, str]:
    try:
        wanted = read_seq(part)
    except ValueError as error:
        raise DataError(
            f"{chip}: {error}; or the beginning of a run's id, or day and file number as in 2025-09-04#3",
            reason="no-reference",
        ) from error
    missing = [seq for seq in wanted if seq not in seqs]
    if missing:
        span = f"1 to {max(seqs)}" if seqs else "none"
        raise _none(f"{chip}: no run has the number {', '.join(map(str, missing))}; its history has {span}")
    return {str(seq): seqs[seq] for seq in wanted}


def _by_id(part: str, run_ids: Iterable[str], chip: str) -> str:
    fitting = [run_id for run_id in run_ids if run_id.startswith(part)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise DataError(
            f"{chip}: {len(fitting)} runs begin with {part}; write more of the id: {', '.join(sorted(fitting))}",
            reason="ambiguous-run",
        )
    raise _none(f"{chip}: no run begins with {part}; show-history lists the ids")


def _of_day(wanted: re.Match[str], rows: Iterable[Mapping[str, Any]], chip: str) -> str:
    number = int(wanted["number"])
    day = [row for row in rows if str(row["date_local"]) == wanted["date"]]
    fitting = [row for row in day if row["file_idx"] == number and wanted["proc"] in (None, row["proc"])]
    if len(fitting) == 1:
        return str(fitting[0]["run_id"])
    if fitting:
        named = sorted({f"{row['proc']}{wanted['date']}#{number}" for row in fitting})
        instead = " or ".join(named) if len(named) == len(fitting) else "a run's id"
        raise DataError(
            f"{chip}: {len(fitting)} runs are {wanted[0]}; write {instead}",
            reason="ambiguous-run",
        )
    there = sorted((row["proc"], row["file_idx"]) for row in day if row["file_idx"] is not None)
    listed = ", ".join(f"{proc}#{index}" for proc, index in there[:12])
    raise _none(f"{chip}: no run is {wanted[0]}; that day has {listed or 'none'}{', ...' if len(there) > 12 else ''}")


def _none(message: str) -> DataError:
    return DataError(message, category=Category.MISSING_INPUT, reason="no-such-run")


def reference_of(history: pl.DataFrame, run_id: str) -> str:
    """The stable name of a run that people can read: procedure, day and file number; its id where it has none.

    The procedure is in it always: without, the name would mean two runs once a file of another procedure is staged.
    """
    (row,) = history.filter(history["run_id"] == run_id).select("proc", "date_local", "file_idx").to_dicts()
    name = f"{row['proc']}{row['date_local']}#{row['file_idx']}"
    try:
        resolve(history, name)
    except DataError:
        return run_id
    return name


def meaning(history: pl.DataFrame, references: Iterable[str]) -> dict[str, str | None]:
    """What each reference means now; None where it means none, or more than one."""
    found: dict[str, str | None] = {}
    for reference in references:
        try:
            found[reference] = resolve(history, reference).get(reference)
        except DataError:
            found[reference] = None
    return found


def drift(before: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str | None]]) -> list[Drift]:
    """Which references mean other runs than before.

    Parameters
    ----------
    before
        run_id by reference, by chip: what they meant when last used (`read_pins`).
    now
        The same as of now (`meaning`). References that only one of the two has do not drift.
    """
    return [
        Drift(chip=chip, reference=reference, before=meant, now=now[chip][reference])
        for chip, references in before.items()
        for reference, meant in references.items()
        if reference in now.get(chip, {}) and now[chip][reference] != meant
    ]


def read_pins(path: str | os.PathLike[str]) -> dict[str, dict[str, str]]:
    """What the references of a batch file meant when it was last run: run_id by reference, by chip; empty if unknown.

    Raises
    ------
    DataError
        If the file holds something else.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    try:
        pins = json.loads(text)
        if pins["form"] != _FORM:
            raise ValueError(f"it has form {pins['form']}")
        return {chip: {str(k): str(v) for k, v in runs.items()} for chip, runs in pins["chips"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: does not hold what references meant ({error}); remove it, then it is written anew",
            reason="broken-pins",
        ) from error


def write_pins(path: str | os.PathLike[str], pins: Mapping[str, Mapping[str, str]]) -> None:
    """Keep what references mean (`resolve`), by chip, to tell of a drift next time."""
    chips = {chip: {k: pins[chip][k] for k in sorted(pins[chip], key=_natural)} for chip in sorted(pins)}
    text = json.dumps({"form": _FORM, "chips": chips}, indent=1, ensure_ascii=False) + "\n"
    write_whole(Path(path), text.encode())


def _natural(reference: str) -> tuple[int, str]:
    return (int(reference) if reference.isdigit() else 10**9, reference)
