"""Files with every fault that is met in laboratories."""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_broken"]

_HEAD = (
    "#Procedure: <laser_setup.procedures.IVg.IVg>",
    "#Parameters:",
    "#\tChip group name: Alisson",
    "#\tChip number: 99",
    "#\tLaser voltage: 0 V",
    "#\tLaser wavelength: 0",
    "#\tVDS: 0.1 V",
)
_STARTED = ("#Metadata:", "#\tStart time: 1757100000.25")
_COLUMNS = "Vg (V),I (A)"
_ROWS = tuple(f"{-1 + 0.5 * k!r},{(3 + abs(k - 2)) * 1e-6:.7g}" for k in range(5))


def write_broken(raw_root: Path) -> dict[str, str]:
    """Write the files into the folder ``broken``.

    Returns
    -------
    dict
        By the file's name relative to `raw_root`: the reason for which it is refused, or the kind of the note
        under which it is read.
    """
    whole = [*_HEAD, *_STARTED, "#Data:", _COLUMNS]
    files: dict[str, tuple[str, str]] = {
        "no_rows": ("no-rows", _text(whole)),
        "no_column_names": ("no-rows", _text(whole[:-1])),
        "cut_header": ("cut-header", _text(_HEAD)[:-6]),
        "empty": ("empty", ""),
        "not_a_run": ("not-a-run", "Dear all,\r\nthe lamp is broken.\r\n"),
        "unknown_procedure": ("unknown-procedure", _text([*whole, *_ROWS]).replace("IVg.IVg", "IVgg.IVgg")),
        "missing_column": ("missing-column", _text([*whole[:-1], "Vg (V),Clock (ms)", *_ROWS])),
        "cut_last_row": ("cut-last-row", _text([*whole, *_ROWS])[:-5]),
        "ragged": ("ragged-rows", _text([*whole, *_ROWS[:2], "0.0", *_ROWS[3:], "1.5,2e-06,7"])),
        "comments": ("comments", _text([*whole, *_ROWS[:2], "# laser realigned", *_ROWS[2:]])),
        "repeated_header": ("repeated-header", _text([*whole, *_ROWS, _COLUMNS, *_ROWS])),
        "bad_cell": ("bad-cells", _text([*whole, *_ROWS[:4], "1.0,OVERFLOW"])),
        "no_metadata": ("no-start-time", _text([*_HEAD, "#Data:", _COLUMNS, *_ROWS])),
        "no_chip": ("no-chip", _text([*whole, *_ROWS]).replace("#\tChip number: 99\r\n", "")),
        "zeros": ("lost-bytes", _text([*whole, *_ROWS]) + "\0" * 64),
    }
    folder = raw_root / "broken"
    folder.mkdir(parents=True, exist_ok=True)
    for k, (name, (_, text)) in enumerate(files.items()):
        # Each at its own time: equal runs would be one.
        (folder / f"{name}.csv").write_bytes(text.replace("1757100000", str(1757100000 + k)).encode())
    return {f"broken/{name}.csv": fault for name, (fault, _) in files.items()}


def _text(lines: list[str] | tuple[str, ...]) -> str:
    return "".join(f"{line}\r\n" for line in lines)
