"""How one body is fitted: the names and defaults of an earlier program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from batchlab.compat.motion._checked import Checked
from batchlab.compat.motion._topology import RigidBodyTopology

__all__ = ["INERT", "OptimizationConfig", "ParallelConfig", "RigidBodyConfig", "WeightConfig"]

_Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=1)]
_Natural = Annotated[int, Field(ge=0)]

_SOLVER = "there is one solver here, which is exact and counts its own steps"
_WHOLE = "a recording is solved in one piece, whatever its length"
INERT = {
    "weights.lambda_rigid": "the body is exactly rigid",
    "weights.lambda_soft": "there are no soft edges",
    "weights.lambda_scalar_smooth": "a rigid body has no scale",
    "weights.lambda_anchor": "where the body's axes lie is fixed exactly, by no weight",
    "optimization.gradient_tolerance": "the cost alone decides where a solve ends",
    "optimization.parameter_tolerance": "the cost alone decides where a solve ends",
    "optimization.linear_solver": _SOLVER,
    "optimization.trust_region": _SOLVER,
    "optimization.num_threads": "a solve uses one core, and jobs run side by side",
    "optimization.minimizer_progress_to_stdout": "a solve prints nothing",
    "interpolate_missing_data": "a marker that was not seen simply does not count, and the body fills the gap",
    "parallel.enabled": _WHOLE,
    "parallel.chunk_size": _WHOLE,
    "parallel.overlap_size": _WHOLE,
    "parallel.blend_window": _WHOLE,
    "parallel.min_chunk_size": _WHOLE,
    "parallel.num_workers": _WHOLE,
}
"""Fields that change nothing, and why."""


class OptimizationConfig(Checked):
    """Where a solve ends, and how much outliers count.

    Attributes
    ----------
    max_iterations
        Steps.
    function_tolerance
        Relative decrease of cost at which a solve has converged.
    use_robust_loss, robust_loss_type
        Whether, and how, large residuals count less; ``soft_l1``, which bends softly, is solved as
        ``huber``, and this is said.
    robust_loss_param
        Where the loss bends, in standard deviations that the residuals of a recording tell themselves. There it was in
        weighted units, which made of a weight of data a second threshold.
    gradient_tolerance, parameter_tolerance, linear_solver, trust_region, num_threads, minimizer_progress_to_stdout
        Change nothing.
    """

    max_iterations: _Count = 300
    function_tolerance: Annotated[float, Field(gt=0, lt=0.1)] = 1e-9
    gradient_tolerance: _Positive = 1e-11
    parameter_tolerance: _Positive = 1e-10
    use_robust_loss: bool = True
    robust_loss_type: Literal["huber", "cauchy", "soft_l1"] = "huber"
    robust_loss_param: _Positive = 2.0
    linear_solver: Literal["dense_qr", "sparse_normal_cholesky", "sparse_schur"] = "sparse_normal_cholesky"
    trust_region: Literal["levenberg_marquardt", "dogleg"] = "levenberg_marquardt"
    num_threads: _Count | None = None
    minimizer_progress_to_stdout: bool = True


class WeightConfig(Checked):
    """How much each part of the cost counts; a weight multiplies a residual, so the cost grows with its square.

    Attributes
    ----------
    lambda_data
        Of the distance between measured and fitted marker, **in the unit of the file**: 100 in a file in mm says a
        standard deviation of 0.01 mm, and in a file in m one of 10 mm.
    lambda_trans_smooth
        Of the body's move from a frame to the next, in the unit of the file.
    lambda_rot_smooth
        Of the difference of the quaternions of a frame and the next, which is half the angle between them in rad.
    lambda_soft
        Of the difference between a soft edge and its length, in the unit of the file.
    lambda_rigid, lambda_scalar_smooth, lambda_anchor
        Change nothing: the body is exactly rigid and its axes are fixed exactly.

    Notes
    -----
    `batchlab.motion` weighs in SI units. With ``u`` the unit of the file in m (0.001 for mm) it gets ``data_per_m =
    lambda_data / u``, ``translation = lambda_trans_smooth / u`` in 1/m and ``rotation = lambda_rot_smooth / 2`` in
    1/rad, with first-order smoothing. Smoothing of first order pulls every motion towards rest; the smoothing of second
    order that `batchlab.motion` has by default does not.
    """

    lambda_data: _Positive = 100.0
    lambda_rigid: _Weight = 500.0
    lambda_soft: _Weight = 10.0
    lambda_rot_smooth: _Weight = 100.0
    lambda_trans_smooth: _Weight = 100.0
    lambda_scalar_smooth: _Weight = 10.0
    lambda_anchor: _Weight = 1.0

    def scale_all(self, factor: float) -> WeightConfig:
        """All weights times a factor: the same fit, but for its cost."""
        return WeightConfig(**{name: value * factor for name, value in self.model_dump().items()})


class ParallelConfig(Checked):
    """How long recordings were cut; they are solved in one piece here, and nothing of this changes that."""

    enabled: bool = True
    chunk_size: _Count = 500
    overlap_size: _Natural = 50
    blend_window: _Natural = 25
    min_chunk_size: _Count = 100
    num_workers: _Count | None = None


def _weights_of_bodies() -> WeightConfig:
    return WeightConfig(lambda_rot_smooth=200.0, lambda_trans_smooth=200.0, lambda_anchor=10.0)


class RigidBodyConfig(Checked):
    """One fit: which file, which markers, how.

    Neither the file nor three markers need be there when this is made; a batch asks for them.

    Attributes
    ----------
    input_path
        Any file of markers that `batchlab.motion` reads.
    output_dir
        Where a single fit would go. Jobs of a batch write to ``output_root/<job name>``.
    topology, optimization, weights
        Body, end of the solve, weights; smoothing weighs 200 each by default.
    soft_edges, soft_distances
        Pairs of positions in the topology's `marker_names`, from a marker of the body to a point that is none of it,
        and their lengths in the unit of the file. By default the pairs are the topology's.
    min_confidence
        Less counts as not seen, in files that have confidences.
    interpolate_missing_data, parallel
        Change nothing.
    use_bundle_adjustment
        Whether the body's geometry is solved for, too; otherwise it is that of `reference_geometry`.
    reference_geometry
        A ``geometry.csv`` of an earlier fit.
    unit, rate_hz
        Of the file, where it does not say it: mm; frames per second.
    score
        What is hidden from a fit to judge its weights by. By default ``held-out`` where several jobs of a batch fit the
        same recording, as in a sweep, and nothing otherwise.
    save_tables
        Whether poses and markers of all frames are written; by default where no other job fits the same recording.
    save_viewer
        Whether a page that plays the recording is written.
    """

    input_path: Path
    output_dir: Path
    topology: RigidBodyTopology
    optimization: OptimizationConfig = Field(default_factory=lambda: OptimizationConfig())
    weights: WeightConfig = Field(default_factory=_weights_of_bodies)
    soft_edges: list[tuple[int, int]] | None = None
    soft_distances: list[float] | None = None
    min_confidence: Annotated[float, Field(ge=0, le=1)] | None = 0.3
    interpolate_missing_data: bool = True
    use_bundle_adjustment: bool = True
    parallel: ParallelConfig = Field(default_factory=lambda: ParallelConfig())
    reference_geometry: Path | None = None
    unit: str | None = None
    rate_hz: _Positive | None = None
    score: Literal["none", "held-out", "leave-one-out", "time-blocks"] | None = None
    save_tables: bool | None = None
    save_viewer: bool = False
