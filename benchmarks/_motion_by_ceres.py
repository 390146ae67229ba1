"""The cost of `_motion_by_hand` by Ceres, whose residuals and their derivatives are classes in Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyceres

from benchmarks._motion_by_hand import Float, Found, Start, bend_of, cross_of, rotation_of, start_of, vector_of
from benchmarks._motion_weights import DATA, MOVE, TOLERANCE, TURN


class Marker(pyceres.CostFunction):  # type: ignore[misc]
    """One marker in one frame."""

    def __init__(self, measured: Float, rotation: Float, place: Float, free: Float) -> None:
        super().__init__()
        self._measured, self._rotation, self._place, self._free = measured, rotation, place, free
        self.set_num_residuals(3)
        self.set_parameter_block_sizes([3, 3, free.shape[1]])

    def Evaluate(self, parameters: Any, residuals: Any, jacobians: Any) -> bool:
        turn, translation, change = parameters
        rotation = self._rotation @ rotation_of(turn)
        place = self._place + self._free @ change
        residuals[:] = DATA * (self._measured - rotation @ place - translation)
        if jacobians is not None:
            if jacobians[0] is not None:
                jacobians[0][:] = (DATA * rotation @ cross_of(place) @ bend_of(turn)).ravel()
            if jacobians[1] is not None:
                jacobians[1][:] = (-DATA * np.eye(3)).ravel()
            if jacobians[2] is not None:
                jacobians[2][:] = (-DATA * rotation @ self._free).ravel()
        return True


class Frame(pyceres.CostFunction):  # type: ignore[misc]
    """All markers of one frame: fewer calls of Python."""

    def __init__(self, measured: Float, rotation: Float, places: Float, free: Float) -> None:
        super().__init__()
        self._measured, self._rotation, self._places = measured, rotation, places
        self._free = free.reshape(len(places), 3, -1)
        self._by_move = (np.tile(-DATA * np.eye(3), (len(places), 1))).ravel()
        self.set_num_residuals(3 * len(places))
        self.set_parameter_block_sizes([3, 3, free.shape[1]])

    def Evaluate(self, parameters: Any, residuals: Any, jacobians: Any) -> bool:
        turn, translation, change = parameters
        rotation = self._rotation @ rotation_of(turn)
        places = self._places + self._free @ change
        residuals[:] = DATA * (self._measured - places @ rotation.T - translation).ravel()
        if jacobians is not None:
            if jacobians[0] is not None:
                jacobians[0][:] = (DATA * rotation @ cross_of(places) @ bend_of(turn)).ravel()
            if jacobians[1] is not None:
                jacobians[1][:] = self._by_move
            if jacobians[2] is not None:
                jacobians[2][:] = (-DATA * rotation @ self._free).ravel()
        return True


class Turning(pyceres.CostFunction):  # type: ignore[misc]
    """Angular acceleration over three frames."""

    def __init__(self, rotations: Float, weight: float) -> None:
        super().__init__()
        self._rotations, self._weight = rotations, weight
        self.set_num_residuals(3)
        self.set_parameter_block_sizes([3, 3, 3])

    def Evaluate(self, parameters: Any, residuals: Any, jacobians: Any) -> bool:
        turns = np.stack(parameters)
        rotations = self._rotations @ rotation_of(turns)
        steps = vector_of(np.swapaxes(rotations[:-1], 1, 2) @ rotations[1:])
        residuals[:] = self._weight * (steps[1] - steps[0])
        if jacobians is not None:
            bend, back = bend_of(turns), np.linalg.inv(bend_of(steps))
            later, earlier = back @ bend[1:], -np.swapaxes(back, 1, 2) @ bend[:-1]
            for number, slope in enumerate((-earlier[0], earlier[1] - later[0], later[1])):
                if jacobians[number] is not None:
                    jacobians[number][:] = (self._weight * slope).ravel()
        return True


class Moving(pyceres.CostFunction):  # type: ignore[misc]
    """Acceleration over three frames."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self._weight = weight
        self._slopes = [factor * weight * np.eye(3).ravel() for factor in (1.0, -2.0, 1.0)]
        self.set_num_residuals(3)
        self.set_parameter_block_sizes([3, 3, 3])

    def Evaluate(self, parameters: Any, residuals: Any, jacobians: Any) -> bool:
        residuals[:] = self._weight * (parameters[0] - 2.0 * parameters[1] + parameters[2])
        if jacobians is not None:
            for number, slope in enumerate(self._slopes):
                if jacobians[number] is not None:
                    jacobians[number][:] = slope
        return True


def solve(n: int, folder: str, together: bool) -> None:
    """Solve what lies in `folder`, `n` times."""
    for _ in range(n):
        by_ceres(folder, together)


def by_ceres(folder: str, together: bool = False) -> Found:
    """Levenberg-Marquardt, sparse Cholesky; a residual for each marker of a frame, or `together` one for each frame."""
    start = start_of(folder)
    frames = len(start.measured)
    turns = [np.zeros(3) for _ in range(frames)]
    moves = [each.copy() for each in start.translations]
    change = np.zeros(start.free.shape[1])
    problem = pyceres.Problem()
    for frame in range(frames):
        for cost in _data(start, frame, together):
            problem.add_residual_block(cost, None, [turns[frame], moves[frame], change])
    for frame in range(frames - 2):
        three = slice(frame, frame + 3)
        turning = Turning(start.rotations[three], TURN * start.rate_hz**2)
        problem.add_residual_block(turning, None, turns[three])
        problem.add_residual_block(Moving(MOVE * start.rate_hz**2), None, moves[three])
    options = pyceres.SolverOptions()
    options.linear_solver_type = pyceres.LinearSolverType.SPARSE_NORMAL_CHOLESKY
    options.max_num_iterations = 200
    options.function_tolerance = TOLERANCE
    options.num_threads = 1
    options.minimizer_progress_to_stdout = False
    summary = pyceres.SolverSummary()
    pyceres.solve(options, problem, summary)
    return Found(
        float(summary.final_cost),
        start.rotations @ rotation_of(np.stack(turns)),
        np.stack(moves),
        start.geometry + (start.free @ change).reshape(-1, 3),
    )


def _data(start: Start, frame: int, together: bool) -> list[Any]:
    seen = np.flatnonzero(start.seen[frame])
    free = start.free.reshape(len(start.geometry), 3, -1)
    rotation = start.rotations[frame]
    if together:
        return [
            Frame(start.measured[frame, seen], rotation, start.geometry[seen], free[seen].reshape(-1, free.shape[2]))
        ]
    return [Marker(start.measured[frame, one], rotation, start.geometry[one], free[one]) for one in seen]
