"""What a row found beside its figures: tables of results, and what is to hold of them."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks._measure import MeasureError, ask

__all__ = ["Check", "Findings", "Table", "findings_of", "findings_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Some results; `rows` is empty where there is a `reason`, such as data that are absent."""

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Something that is to hold."""

    text: str
    met: bool | None  # None: it could not be looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Tables and checks of a row."""

    tables: tuple[Table, ...] = ()
    checks: tuple[Check, ...] = ()


def findings_of(case: str, quick: bool) -> Findings:
    """Ask ``module:function`` in a process of its own, where no import of ours touches this one."""
    try:
        told = ask(case, {"quick": quick})
    except MeasureError as error:
        return Findings(checks=(Check(text=str(error), met=None),))
    return Findings(
        tables=tuple(
            Table(
                title=table["title"],
                columns=tuple(table["columns"]),
                rows=tuple(map(tuple, table["rows"])),
                reason=table["reason"],
            )
            for table in told["tables"]
        ),
        checks=tuple(Check(**check) for check in told["checks"]),
    )


def findings_text(findings: Findings) -> list[str]:
    """The tables as lines."""
    lines = []
    for table in findings.tables:
        lines += ["", table.title if table.reason is None else f"{table.title}: skipped, {table.reason}"]
        cells = (table.columns, *table.rows)
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines += [
            "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in cells
            if row
        ]
    return lines
