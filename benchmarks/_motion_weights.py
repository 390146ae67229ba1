"""What every side multiplies residuals by: 1/m, and s² per rad and per m; and where it stops."""

from __future__ import annotations

DATA, TURN, MOVE = 500.0, 0.3, 0.3
TOLERANCE = 1e-6
