"""Run the batch of the kill tests in a process of its own: python kill_runner.py ROOT INPUTS TOLD [executor] [workers].

What happens goes, a JSON line each, into the named pipe or file TOLD.
"""

import json
import os
import sys
from pathlib import Path

from batchlab.engine import Batch, From, Gather, Job, Notice, Settings, inline, run
from tests.engine.toys import act, write_numbers


def jobs_of(inputs: Path, version: int = 1) -> tuple[Job, ...]:
    """About sixty light jobs, some of which need others."""
    jobs: list[Job] = []
    for n in range(24):
        path = write_numbers(inputs, n, n + 1)
        outputs = {"sum": f"sums/{n}.sum"} | ({"copy": f"copies/{n}.copy"} if n % 2 else {})
        jobs.append(
            Job(name=f"add/{n}", task="toy.add", params={"add": version}, inputs={"numbers": path}, outputs=outputs)
        )
    for n in range(16):
        made = From(jobs=(f"add/{n}",), output="sum")
        jobs.append(Job(name=f"double/{n}", task="toy.double", inputs={"made": made}, outputs={"twice": f"{n}.twice"}))
    members = tuple(f"add/{n}" for n in range(24))
    for how in Gather:
        gathered = {"members": From(jobs=members, gather=how)}
        jobs.append(Job(name=f"table/{how}", task="toy.table", inputs=gathered, outputs={"table": f"{how}.csv"}))
    jobs += [act(f"plain/{n}", n=n) for n in range(12)]
    jobs += [act(f"folder/{n}", ["fill", "a.txt", "b/c.txt"], outputs={"folder": f"many/{n}/"}) for n in range(4)]
    jobs += [act("bad", ["fail", "numerical"]), act("after-bad", needs=("bad",))]
    return tuple(jobs)


def batch_of(root: Path, inputs: Path, workers: int = 2, version: int = 1, **settings: object) -> Batch:
    """The batch of the kill tests."""
    return Batch(
        name="kills", output=root, jobs=jobs_of(inputs, version), settings=Settings(workers=workers, **settings)
    )


def main() -> None:
    root, inputs, told, *more = sys.argv[1:]
    descriptor = os.open(told, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def tell(notice: Notice) -> None:
        os.write(descriptor, (json.dumps(notice.as_json()) + "\n").encode())

    where = inline if "inline" in more else None
    batch = batch_of(Path(root), Path(inputs))
    if "slow" in more:
        acts = [act(f"slow/{n}", ["linger"], n=n) for n in range(4)]
        batch = Batch(name="kills", output=Path(root), jobs=tuple(acts), settings=Settings(workers=2, grace_s=30.0))
    if "stubborn" in more:
        acts = [act(f"slow/{n}", ["spin"], n=n) for n in range(4)]
        batch = Batch(name="kills", output=Path(root), jobs=tuple(acts), settings=Settings(workers=2, grace_s=30.0))
    result = run(batch, listeners=[tell], executor=where)
    os._exit(result.exit_code)


if __name__ == "__main__":
    main()
