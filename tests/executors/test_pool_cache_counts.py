"""Counts of the workers' caches: what each job adds, not what was told before."""

from pathlib import Path

from batchlab.engine import Batch, Job, Settings, read_view, run

TASK = '''
from pathlib import Path

from batchlab.cache import worker_cache
from batchlab.engine import task


@task(name="lab.look", version="1", inputs=("file",))
def look(ctx):
    """Read a file through the worker's cache, twice."""
    cache = worker_cache(ctx.cache)
    for _ in range(2):
        cache.load(ctx.input("file"), lambda path: Path(path).read_text())
'''


def test_hits_and_misses_of_a_run_are_those_of_its_jobs(tmp_path: Path) -> None:
    (tmp_path / "lab.py").write_text(TASK)
    jobs = []
    for number in range(5):
        file = tmp_path / f"{number}.txt"
        file.write_text(str(number))
        jobs.append(Job(name=f"look/{number}", task=f"{tmp_path / 'lab.py'}:look", inputs={"file": str(file)}))
    batch = Batch(name="counts", output=tmp_path / "out", jobs=tuple(jobs), settings=Settings(workers=1))
    assert run(batch).exit_code == 0
    [once] = read_view(tmp_path / "out").runs
    # Files this young are read anew each time, so all ten are misses; told cumulatively they would be thirty.
    assert dict(once.cache) == {"hits": 0, "misses": 10}
