"""Views built by hand, as a ledger would give them."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from batchlab.engine import AttemptView, BatchState, BatchView, Item, JobView, Output, RunView, Status
from batchlab.errors import Category
from batchlab.reports import Panel, Table

SOURCE = "batch: leaves-against-reference\noutput: out\njobs:\n  - task: spectra.compare\n"


def digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def png(width: int = 8, height: int = 6, shade: int = 128) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\0" + bytes([shade, 160, 200]) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def make_job(name: str = "compare/leaf_1", **changes) -> JobView:
    fields = {
        "name": name,
        "task": "spectra.compare",
        "state": Status.DONE,
        "attempts": 1,
        "category": None,
        "reason": None,
        "message": None,
        "metrics": {},
        "outputs": (),
        "items": (),
        "warnings": (),
        "elapsed_s": 0.05,
        "peak_memory_mb": 120.5,
        "stages": {},
        "params": {},
        "inputs": {},
        "group": None,
        "metadata": {},
        "key": None,
        "thumbnail": None,
        "log": None,
    }
    return JobView(**{**fields, **changes})


def make_attempt(number: int = 1, **changes) -> AttemptView:
    fields = {
        "number": number,
        "status": Status.DONE,
        "started_at": f"2026-05-04T21:03:{10 + number:02d}.250Z",
        "elapsed_s": 0.5,
        "category": None,
        "reason": None,
        "signal": None,
        "message": None,
        "peak_memory_mb": 120.5,
    }
    return AttemptView(**{**fields, **changes})


def make_run(**changes) -> RunView:
    fields = {
        "number": 1,
        "state": BatchState.DONE,
        "started_at": "2026-05-04T21:03:11.250000+00:00",
        "ended_at": "2026-05-04T21:04:41.500000+00:00",
        "elapsed_s": 90.25,
        "workers": 2,
        "reason": None,
        "environment": {"python": "3.11.7", "platform": "Linux-6.1", "host": "bench", "numpy": "2.1.0"},
        "settings": {"workers": "auto", "retries": 2, "limits": {"timeout_s": 60.0}},
        "source": SOURCE,
    }
    return RunView(**{**fields, **changes})


def make_view(root: Path, jobs=(), *, state: BatchState = BatchState.DONE, runs=None, batch="leaves") -> BatchView:
    counts = Counter(str(job.state) for job in jobs)
    return BatchView(
        batch=batch,
        root=str(root),
        state=state,
        counts={str(s): counts.get(str(s), 0) for s in Status},
        jobs=tuple(jobs),
        runs=(make_run(state=state),) if runs is None else tuple(runs),
    )


def measured_job(i: int, **changes) -> JobView:
    """A done comparison with full-length numbers, as the spectra slice records it."""
    name = f"compare/leaf_{i:05d}"
    r = (i * 7919 % 10007) / 10007
    fields = {
        "metrics": {
            "pearson_r": 1 - r * 0.0123456789,
            "rmse": r / 7,
            "max_deviation": r * 1.2345678901,
            "spectral_angle_deg": r * 11.3,
            "area_ratio": 1 + r / 3,
            "coverage": 0.98 + r / 77,
            "n_points": 3600,
            "axis_first": 400.0,
            "axis_last": 4000.0,
            "axis_unit": "cm-1",
        },
        "outputs": (
            Output(name="figure", path=f"leaf_{i:05d}_vs_ref.png", digest=digest(f"f{i}"), bytes=55_000 + i),
            Output(name="table", path=f"leaf_{i:05d}_vs_ref.csv", digest=digest(f"t{i}"), bytes=91_000 + 3 * i),
        ),
        "elapsed_s": 0.05 + r / 100,
        "peak_memory_mb": 150 + 10 * r,
        "stages": {"read": 0.004 + r / 999, "compare": 0.002, "draw": 0.04 + r / 300},
        "params": {"normalization": "snv", "window": 11, "region": [400, 4000]},
        "inputs": {"reference": "../data/reference.txt", "sample": f"../data/leaf_{i:05d}.txt"},
        "key": digest(f"k{i}"),
        "thumbnail": f".batchlab/thumbnails/{i:05d}.png",
        "log": f".batchlab/logs/{i:05d}.log",
    }
    return make_job(name, **{**fields, **changes})


def failed_job(i: int, **changes) -> JobView:
    fields = {
        "state": Status.FAILED,
        "category": "invalid-input",
        "reason": "not-a-spectrum",
        "message": f"leaf_{i:05d}.txt, line 3: 'abc' is no number; mend the line or take the file out",
        "metrics": {},
        "outputs": (),
        "thumbnail": None,
    }
    return measured_job(i, **{**fields, **changes})


def batch_of_texts(root: Path, name: str, text: str) -> tuple[BatchView, Panel]:
    """A batch and a panel with these texts in every place that takes one."""
    item = Item(name=name, status=Status.FAILED, category=Category.NUMERICAL, reason=text, message=text)
    texts = {
        "metrics": {name: text, f"{name} value": 1.5},
        "params": {name: {text: [text]}},
        "inputs": {name: text, "many": [text, name]},
        "metadata": {name: text},
        "history": (
            make_attempt(
                1, status=Status.FAILED, category=text, reason=name, signal=text, message=f"{text}.", started_at=text
            ),
            make_attempt(2),
        ),
        "stages": {name: 0.5},
        "group": text,
        "task": f"{name}.py:{text}",
    }
    jobs = [
        make_job(name, outputs=(Output(name=name, path=f"{text}.png", digest=text, bytes=3),), **texts),
        make_job(
            f"{name} 2",
            state=Status.FAILED,
            category=text,
            reason=name,
            message=text,
            warnings=(text,),
            items=(item,),
            log=f"{text}.log",
            thumbnail=f"{text}.png",
            **{**texts, "metrics": {name: name, f"{name} value": 2.5}},
        ),
        make_job(f"{name} 3", state=Status.BLOCKED, message=text, **texts),
    ]
    run = make_run(state=BatchState.FAILED, reason=text, environment={name: text}, settings={name: text}, source=text)
    panel = Panel(
        title=name,
        text=text,
        pictures=(text,),
        tables=(Table(columns=(name,), rows=((text,),), units=(text,), title=name),),
    )
    return make_view(root, jobs, state=BatchState.FAILED, runs=[run], batch=name), panel


@pytest.fixture(scope="session")
def lab() -> SimpleNamespace:
    """Builders of views."""
    return SimpleNamespace(
        job=make_job,
        run=make_run,
        attempt=make_attempt,
        view=make_view,
        measured=measured_job,
        failed=failed_job,
        png=png,
        digest=digest,
        batch_of_texts=batch_of_texts,
        Item=Item,
        Output=Output,
    )
