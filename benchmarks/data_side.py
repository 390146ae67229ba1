"""Orbits decoded, collapsed and sketched, before anything is drawn."""

from __future__ import annotations

from benchmarks._row import AtMost, Row, Side

LIMIT_S = 0.5


def row(quick: bool = False) -> Row:
    prepare = f"benchmarks._ours_particles:{'write_small_orbits' if quick else 'write_orbits'}"
    keeps = {"batchlab": False, "batchlab, kept in the cache": True}
    sides = tuple(
        Side(
            name=name,
            case="benchmarks._ours_particles:read",
            jobs=2 if quick else 4,
            arguments={"keep": keep},
            startup_jobs=1,
            prepare=prepare,
            wants_folder=True,
        )
        for name, keep in keeps.items()
    )
    by_hand = Side(
        name="by hand",
        case="benchmarks.data_side:by_hand",
        jobs=2 if quick else 4,
        startup_jobs=1,
        prepare=prepare,
    )
    return Row(
        name="data_side",
        title="orbits of 4 instruments: decode, collapse, sketch; by hand: decode, sum, sort",
        basis="cpu",
        rounds=1 if quick else 5,
        sides=(*sides, by_hand),
        goals=() if quick else (AtMost(side="batchlab", limit=LIMIT_S),),
    )


def by_hand(n: int, folder: str) -> None:
    """What the script of a user does with its files before it draws."""
    from benchmarks._ours_particles import orbits_there
    from benchmarks._particles_by_hand import files_of, positive

    for files in files_of(folder, orbits_there(folder)[:n]).values():
        for path in files.values():
            if not positive(path)[0].size:
                raise SystemExit(f"{path} holds nothing")
