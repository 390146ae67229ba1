"""A cache against a model so plain that it is seen to be right."""

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from batchlab.cache import DataCache

NAMES = st.sampled_from("abcd")
SECONDS_2001 = 1_000_000_000


class CacheMachine(RuleBasedStateMachine):
    """Files come, change and go; values are asked for in any order."""

    @initialize(maxsize=st.integers(1, 4), max_bytes=st.integers(1, 40))
    def start(self, maxsize, max_bytes):
        self.folder = Path(tempfile.mkdtemp())
        self.cache = DataCache(maxsize, max_bytes, size_of=len)
        self.files = {}  # name -> (text, version)
        self.kept = []  # ((name, option), version, value), oldest use first
        self.loads = self.hits = self.misses = self.writes = 0

    def load(self, path, option):
        self.loads += 1
        return Path(path).read_text() + option

    @rule(name=NAMES, text=st.text("xyz", max_size=15), replace=st.booleans())
    def write(self, name, text, replace):
        self.writes += 1
        path = self.folder / name
        target = self.folder / "new" if replace else path
        target.write_text(text)
        os.utime(target, (SECONDS_2001 + self.writes,) * 2)
        if replace:
            os.replace(target, path)
        self.files[name] = (text, self.writes)

    @precondition(lambda self: self.files)
    @rule(data=st.data())
    def delete(self, data):
        name = data.draw(st.sampled_from(sorted(self.files)))
        (self.folder / name).unlink()
        del self.files[name]

    @rule(name=NAMES, option=st.sampled_from(["", "!"]))
    def ask(self, name, option):
        key = (name, option)
        text, version = self.files.get(name, (None, None))
        expected = None if text is None else text + option
        found = [entry for entry in self.kept if entry[0] == key]
        hit = bool(found) and version is not None and found[0][1] == version
        self.kept = [entry for entry in self.kept if entry[0] != key]
        before = self.loads
        try:
            value = self.cache.load(self.folder / name, self.load, option=option)
        except FileNotFoundError:
            value = None
        assert value == expected
        assert self.loads == before + (not hit)
        self.hits += hit
        self.misses += not hit
        if expected is not None and (hit or len(expected) <= self.cache.max_bytes):
            self.kept.append((key, version, expected))
        while len(self.kept) > self.cache.maxsize or self.total() > self.cache.max_bytes:
            self.kept.pop(0)

    @rule()
    def clear(self):
        self.cache.clear()
        self.kept = []
        self.hits = self.misses = 0

    def total(self):
        return sum(len(value) for _, _, value in self.kept)

    @invariant()
    def books_agree(self):
        stats = self.cache.stats()
        assert (stats.size, stats.bytes) == (len(self.kept), self.total())
        assert (stats.hits, stats.misses) == (self.hits, self.misses)

    def teardown(self):
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)


TestCacheAgainstModel = CacheMachine.TestCase
TestCacheAgainstModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
