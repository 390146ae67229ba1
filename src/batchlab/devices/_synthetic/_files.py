"""Files as the laboratory's software writes them: CRLF, escaped values, numbers of seven digits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

__all__ = ["plain", "write_run"]


def write_run(
    path: Path,
    procedure: str,
    parameters: Mapping[str, str],
    columns: Sequence[str],
    rows: Iterable[str],
    *,
    metadata: Mapping[str, str] | None = None,
    newline: str = "\r\n",
) -> None:
    r"""Write one file of PyMeasure.

    Parameters
    ----------
    path
        Where; its folder is made.
    procedure
        Name of the class.
    parameters, metadata
        Values as text, by name; without metadata the section is left out, as after a crash.
    columns
        Names with units.
    rows
        Each as text, its cells with commas between.
    newline
        Windows writes ``\r\n``.
    """
    lines = [f"#Procedure: <laser_setup.procedures.{procedure}.{procedure}>", "#Parameters:"]
    lines += [f"#\t{name}: {_escaped(value)}" for name, value in parameters.items()]
    if metadata:
        lines.append("#Metadata:")
        lines += [f"#\t{name}: {_escaped(value)}" for name, value in metadata.items()]
    lines += ["#Data:", ",".join(columns), *rows, ""]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(newline.join(lines).encode())


def plain(value: float) -> str:
    """A set value as the software prints it: ``5``, ``0.05``, ``-2.68``."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _escaped(value: str) -> str:
    return value.encode("unicode_escape").decode()
