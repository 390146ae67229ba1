"""Where the files of a laboratory lie, below its data folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["HISTORIES", "Layout"]

# Below the output root of staging, and of what is derived.
HISTORIES = "chip_histories"
METRICS, ENRICHED, PAGES = "_metrics", "chip_histories_enriched", "reports"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The folders of a laboratory, absolute.

    Attributes
    ----------
    raw
        Raw files, never written.
    stage
        Output root of staging: the store and the histories.
    derived
        Output root of what is derived: metrics and enriched histories.
    chips
        The file that describes the geometry of chips; it need not be there.
    """

    raw: Path
    stage: Path
    derived: Path
    chips: Path | None = None

    @classmethod
    def below(
        cls,
        base: str | Path = "data",
        *,
        raw: str | Path | None = None,
        stage: str | Path | None = None,
        derived: str | Path | None = None,
    ) -> Layout:
        """The usual folders below a data folder, unless told otherwise."""
        base = Path(base)
        return cls(
            raw=Path(raw or base / "01_raw").resolve(),
            stage=Path(stage or base / "02_stage").resolve(),
            derived=Path(derived or base / "03_derived").resolve(),
            chips=(base / "chips.yaml").resolve(),
        )

    @property
    def store(self) -> Path:
        """The staged runs, with their manifest."""
        return self.stage

    @property
    def histories(self) -> Path:
        """One history for each chip."""
        return self.stage / HISTORIES

    @property
    def metrics(self) -> Path:
        """The table of metrics."""
        return self.derived / METRICS / "metrics.parquet"

    @property
    def wide(self) -> Path:
        """The table of metrics with a row for each run."""
        return self.derived / METRICS / "metrics_wide.parquet"

    @property
    def versions(self) -> Path:
        """Rows that are no longer in the table of metrics."""
        return self.derived / METRICS / "metrics_versions.parquet"

    @property
    def enriched(self) -> Path:
        """Histories with calibrations and metrics."""
        return self.derived / ENRICHED

    @property
    def pages(self) -> Path:
        """A page for each chip, and one over all."""
        return self.derived / PAGES
