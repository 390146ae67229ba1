"""The job that settles the limits which all orbits of an instrument share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from batchlab.engine import JobContext, Scalar, task

__all__ = ["LimitsParams", "limits"]


class LimitsParams(BaseModel):
    """How limits follow from the values of all files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    percentile: float = Field(99.0, ge=0, le=100, description="of all positive values: where the colours end")
    percentile_min: float | None = Field(
        1.0, ge=0, le=100, description="where the colours begin; null leaves it to the scale"
    )
    coverage: float = Field(0.99, gt=0, le=1, description="share of all positive values below the end of the energies")
    energy_cap_ev: float | None = Field(None, gt=0, description="where the energy axis ends at the latest")
    rounded: bool = Field(True, description="outwards, to two digits, so that few limits change as files are added")
    whole: bool = Field(False, description="upper limits are whole numbers, and energies those of channels")

    @model_validator(mode="after")
    def _run_upwards(self) -> LimitsParams:
        if self.percentile_min is not None and self.percentile_min >= self.percentile:
            raise ValueError(
                f"percentile_min is {self.percentile_min:g} and percentile {self.percentile:g}; "
                "the first must be the smaller"
            )
        return self


@task(
    name="particles.limits",
    version="1",
    params=LimitsParams,
    inputs=("sketches",),
    outputs={"limits": "_limits/{job}.json"},
    libraries=("numpy",),
    preload=("batchlab.particles._sketch",),
)
def limits(ctx: JobContext, params: LimitsParams) -> Mapping[str, Scalar]:
    """Settle the limits of all pictures of an instrument from all its files."""
    from batchlab.particles._limits import LimitRules, limits_of, limits_to_json
    from batchlab.particles._sketch import RELATIVE_ERROR, Sketch, merge

    members = ctx.gathered("sketches")
    merged = None
    for member in members:
        # One after the other, so that memory does not grow with the number of files.
        sketch = Sketch.from_bytes(Path(member.outputs["sketch"]).read_bytes())
        merged = sketch if merged is None else merge((merged, sketch))
    if merged is None:
        merged = merge(())
    rules = LimitRules(**params.model_dump())
    settled = limits_of(merged, rules)
    if ctx.wanted("limits"):
        ctx.output("limits").write_text(limits_to_json(merged.name, merged.unit, settled, rules))
    metrics: dict[str, Scalar] = {"files": len(members), "relative_error": RELATIVE_ERROR}
    for category, each in settled.items():
        metrics[f"{category}_values"] = merged.spreads[category].samples
        metrics[f"{category}_y_max_ev"] = each.y_max
        metrics[f"{category}_z_min"] = each.z_min
        metrics[f"{category}_z_max"] = each.z_max
    return metrics
