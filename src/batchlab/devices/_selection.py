"""Which runs of a chip are meant."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from batchlab.devices._seq import write_seq

__all__ = ["Selection"]

_SAME_NM = 1e-6
_SAME_V = 1e-3  # what a history shows of a voltage


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Runs by their numbers or references, or by what was set; what is not given does not select.

    Attributes
    ----------
    seqs
        Numbers in the history of the chip.
    runs
        Ids of runs, or date and number (``2025-09-04#3``): they stay when older files are staged later.
    procedures
        ``It``, ``IVg``, ...
    light
        True for lit runs, False for dark ones.
    wavelengths_nm
        Of the light.
    dates
        First and last day, both of which count, in the time zone of the lab.
    vg_v, vds_v
        Voltages of the gate, where it was held, and of the drain.
    samples
        What the lab calls parts of a chip.
    """

    seqs: tuple[int, ...] = ()
    runs: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    light: bool | None = None
    wavelengths_nm: tuple[float, ...] = ()
    dates: tuple[tuple[date, date], ...] = ()
    vg_v: tuple[float, ...] = ()
    vds_v: tuple[float, ...] = ()
    samples: tuple[str, ...] = ()

    def takes(self, row: Mapping[str, Any], run_ids: Collection[str] = ()) -> bool:
        """Whether a row of a history is meant: by its number or its id, and by all else that is given.

        Parameters
        ----------
        row
            With ``seq, run_id, proc, has_light, wavelength_nm, date_local, vg_fixed_v, vds_v, sample`` as far as they
            are asked for.
        run_ids
            What `runs` mean in this history.
        """
        if (self.seqs or self.runs) and row["seq"] not in self.seqs and row.get("run_id") not in run_ids:
            return False
        if self.procedures and row["proc"] not in self.procedures:
            return False
        if self.light is not None and row["has_light"] is not self.light:
            return False
        for name, wanted, slack in (
            ("wavelength_nm", self.wavelengths_nm, _SAME_NM),
            ("vg_fixed_v", self.vg_v, _SAME_V),
            ("vds_v", self.vds_v, _SAME_V),
        ):
            value = row.get(name) if wanted else None
            if wanted and (value is None or not any(abs(value - each) <= slack for each in wanted)):
                return False
        if self.samples and str(row.get("sample") or "").strip().casefold() not in {s.casefold() for s in self.samples}:
            return False
        if not self.dates:
            return True
        day = row["date_local"]
        day = date.fromisoformat(day) if isinstance(day, str) else day
        return any(first <= day <= last for first, last in self.dates)

    def missing(self, rows: Iterable[Mapping[str, Any]]) -> tuple[int, ...]:
        """Numbers that no row has."""
        known = {row["seq"] for row in rows}
        return tuple(seq for seq in self.seqs if seq not in known)

    def __str__(self) -> str:
        """As a list of plots shows it: ``4-7``, ``light 455 nm``."""
        parts = [write_seq(self.seqs), ",".join(self.runs), ",".join(self.procedures)]
        parts.append("" if self.light is None else "light" if self.light else "dark")
        parts.append(",".join(f"{nm:g}" for nm in self.wavelengths_nm) + (" nm" if self.wavelengths_nm else ""))
        parts.append(",".join(str(a) if a == b else f"{a}..{b}" for a, b in self.dates))
        parts.append(",".join(f"vg{volt:g}V" for volt in self.vg_v))
        parts.append(",".join(f"vds{volt:g}V" for volt in self.vds_v))
        parts.append(",".join(f"sample {name}" for name in self.samples))
        return " ".join(filter(None, parts)) or "all"
