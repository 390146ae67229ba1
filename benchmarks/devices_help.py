"""What a user waits for who asks what there is."""

from __future__ import annotations

from benchmarks._row import AtMost, Row, Side

LIMIT_S = 0.3


def row(quick: bool = False) -> Row:
    return Row(
        name="devices_help",
        title="`batchlab devices --help`, beside a Python that does nothing",
        basis="cpu",
        rounds=1 if quick else 5,
        sides=(
            Side(name="batchlab", case="benchmarks._ours_devices:show_help", jobs=1),
            Side(name="Python", case="benchmarks.devices_help:nothing", jobs=1),
        ),
        goals=(AtMost(side="batchlab", limit=LIMIT_S, figure="cpu_s"),),
    )


def nothing(n: int) -> None:
    """Start and end."""
