"""``python -m benchmarks [--only NAME] [--quick] [--rounds N] [--json FILE]``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    data_side,
    devices_help,
    executor,
    extrema_memory,
    first_solve,
    frames,
    growth,
    many,
    memory,
    metrics,
    new_limits,
    numbers,
    orbits,
    outputs,
    pca,
    pictures,
    plan,
    plots,
    pools,
    recogniser,
    runner,
    scale_pairs,
    scaling,
    solve,
    solvers,
    staging,
    sweep,
    unchanged,
)
from benchmarks._machine import machine, machine_line
from benchmarks._row import measure_row
from benchmarks._table import as_json, as_text

ROWS = {
    "executor": executor.row,
    "runner": runner.row,
    "outputs": outputs.row,
    "plan": plan.row,
    "pictures": pictures.row,
    "numbers": numbers.row,
    "many": many.row,
    "pca": pca.row,
    "recogniser": recogniser.row,
    "memory": memory.row,
    "scaling": scaling.row,
    "staging": staging.row,
    "metrics": metrics.row,
    "plots": plots.row,
    "devices_help": devices_help.row,
    "pools": pools.row,
    "growth": growth.row,
    "orbits": orbits.row,
    "scale_pairs": scale_pairs.row,
    "data_side": data_side.row,
    "unchanged": unchanged.row,
    "new_limits": new_limits.row,
    "extrema_memory": extrema_memory.row,
    "solve": solve.row,
    "solvers": solvers.row,
    "frames": frames.row,
    "sweep": sweep.row,
    "first_solve": first_solve.row,
}
RESULTS = Path(__file__).resolve().parent.parent / "bench-results"


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, keep; 1 if a side could not be measured or a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what batchlab costs.")
    parser.add_argument("--only", action="append", choices=list(ROWS), help="this row (may be repeated)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that it works, says nothing")
    parser.add_argument("--rounds", type=int, help="rounds per row, instead of each row's own number")
    parser.add_argument("--json", type=Path, help="where the figures go (default: bench-results/TIME.json)")
    # Beside the checkout's own files and not in /tmp: that is often memory, where syncing costs nothing.
    parser.add_argument("--folder", type=Path, default=RESULTS / "work", help="where the runs write")
    options = parser.parse_args(arguments)
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds needs at least 1")
    options.folder.mkdir(parents=True, exist_ok=True)
    started = datetime.now(UTC)
    target = options.json or RESULTS / f"{started:%Y%m%dT%H%M%SZ}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    facts = machine(options.folder)
    print(machine_line(facts), flush=True)
    results = []
    for name in options.only or ROWS:
        row = ROWS[name](options.quick)
        if options.rounds is not None:
            row = dataclasses.replace(row, rounds=options.rounds)
        results.append(measure_row(row, options.folder, tell=_tell))
        print(f"\n{as_text(results[-1])}", flush=True)
        kept = {
            "started": started.isoformat(timespec="seconds"),
            "quick": options.quick,
            "machine": facts,
            "rows": [as_json(result) for result in results],
        }
        # After each row: a run that is broken off keeps what it has.
        target.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print(f"\nfigures of every round: {target}")
    whole = all(one.failure is None for result in results for one in result.measured)
    reached = all(verdict.met for result in results for verdict in result.verdicts)
    return 0 if whole and (reached or options.quick) else 1


def _tell(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
