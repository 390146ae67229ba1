"""TRC of Motion Analysis, OpenSim and Pose2Sim, with tabs or, against its rules, with commas."""

from __future__ import annotations

from batchlab.errors import DataError
from batchlab.motion._read._raw import Asked, Raw
from batchlab.motion._read._source import Text, cells_of
from batchlab.motion._read._triples import named_columns, positive, read_triples

__all__ = ["read_trc"]


def read_trc(text: Text, asked: Asked) -> Raw:
    """Read a TRC file; its header's counts are checked against its rows, which are believed."""
    head = text.lines(5)
    if len(head) < 5:
        raise DataError(
            f"{text.path}, line {len(head)}: a TRC file has five header lines, and this one ends; export it again",
            reason="truncated",
        )
    separator = max("\t,;", key=head[3].count)
    keys, values, top = (cells_of(head[line], separator) for line in (1, 2, 3))
    stated = dict(zip(keys, values, strict=False))
    if len(top) < 2 or not top[0].lower().startswith("frame"):
        raise DataError(
            f"{text.path}, line 4: a TRC file has Frame#, Time and the names of markers here, not {head[3][:40]!r}",
            reason="not-a-recording",
        )
    notes: list[str] = []
    if separator != "\t":
        notes.append(f"the cells of this TRC file are separated by {separator!r} and not by tabs")
    names, at = named_columns(top, 2)
    expected = [2 + 3 * place for place in range(len(names))]
    if at == [2 + place for place in range(len(names))]:
        # Some programs leave out the empty cells between names.
        at = expected
    for column, right in zip(at, expected, strict=True):
        if column != right:
            raise DataError(
                f"{text.path}, line 4, column {column + 1}: {top[column]!r} should stand above column {right + 1}; "
                "names have three columns each, was one lost? export it again",
                reason="ragged",
            )
    markers, leading, positions = read_triples(
        text,
        names,
        at,
        asked,
        offset=text.after(5),
        line=6,
        separator=separator,
        before=("Frame#", "Time"),
        notes=notes,
    )
    for key, number in (("NumFrames", len(positions)), ("NumMarkers", len(names))):
        claim = positive(stated.get(key, ""))
        if claim is not None and claim != number:
            what = "frames" if key == "NumFrames" else "markers"
            notes.append(f"the file holds {number} {what}, though its header says {claim:g}")
    return Raw(
        markers=markers,
        positions=positions,
        stated_unit=stated.get("Units") or None,
        rate_hz=positive(stated.get("DataRate", "")),
        numbers=leading[:, 0] - 1,
        times=leading[:, 1],
        time_unit="s",
        notes=notes,
    )
