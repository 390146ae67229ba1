"""The pool of processes of those scripts."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any


@contextmanager
def processes(workers: int, *, fresh: bool) -> Iterator[Callable[..., Any]]:
    """Give a parallel ``map``; `fresh` starts a process for each item, otherwise `workers` take one after the other."""
    # What is imported before is there in each, so that a fresh process costs as little as it can.
    context = multiprocessing.get_context("fork")
    if fresh:
        with context.Pool(workers, maxtasksperchild=1) as pool:
            yield partial(pool.map, chunksize=1)
            pool.close()
            pool.join()
    else:
        with ProcessPoolExecutor(workers, mp_context=context) as executor:
            yield executor.map
