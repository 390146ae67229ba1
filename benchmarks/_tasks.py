"""The tasks that the benchmarks run."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from batchlab.engine import JobContext, Scalar, task


class MeasureParams(BaseModel):
    """What a measurement may be told."""

    model_config = ConfigDict(extra="forbid")

    window: int = 3
    method: str = "mean"


@task(name="bench.noop", version="1")
def noop(ctx: JobContext) -> None:
    """Nothing."""


@task(name="bench.write", version="1", outputs={"file": "{job}.bin"})
def write(ctx: JobContext) -> None:
    """Write 1 kB."""
    ctx.output("file").write_bytes(b"x" * 1000)


@task(
    name="bench.measure",
    version="1",
    params=MeasureParams,
    inputs=("reference", "sample"),
    outputs={"file": "{sample}.txt"},
)
def measure(ctx: JobContext, params: MeasureParams) -> Mapping[str, Scalar]:
    """Read a number and write it down."""
    value = int(ctx.input("sample").read_text())
    ctx.output("file").write_text(f"{value} {params.window}\n")
    return {"value": value}
