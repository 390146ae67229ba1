"""What calls cost, budgets, and settings from the environment."""

from __future__ import annotations

import sqlite3
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from batchlab.errors import ConfigError
from batchlab.spectra._normalizer._calls import Calls
from batchlab.spectra._normalizer._conversation import Usage
from batchlab.spectra._normalizer._endpoint import endpoint_of, is_loopback
from batchlab.spectra._normalizer._proposal import NormalizationError
from batchlab.spectra._normalizer._settings import AiSettings, Budget, Price

PRICE = Price(prompt=1.0, completion=4.0)
DAY = 86_400.0


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def calls(tmp_path: Path, clock: Clock) -> Calls:
    return Calls(tmp_path / "calls.sqlite", clock=clock)


def make(
    calls: Calls, *budgets: Budget, job: str = "j", usage: Usage | None = None, price: Price | None = PRICE
) -> None:
    call = calls.begin(
        job=job, layout="a", host="h", model="m", most=Usage(1000, 500), price=price, budgets=tuple(budgets)
    )
    calls.end(call, outcome="ok", seconds=0.5, usage=usage or Usage(1000, 500), price=price)


def refused(calls: Calls, *budgets: Budget, job: str = "j", price: Price | None = PRICE) -> bool:
    try:
        make(calls, *budgets, job=job, price=price)
    except NormalizationError as error:
        assert error.reason == "budget"
        return True
    return False


def budget(limit: float, of: str, per: str) -> Budget:
    return Budget.model_validate({"limit": limit, "of": of, "per": per})


@pytest.mark.parametrize(("limit", "of"), [(2, "calls"), (3000, "tokens"), (0.006, "cost")])
def test_a_budget_allows_what_fits_and_no_more(calls: Calls, limit: float, of: str):
    day = budget(limit, of, "day")
    assert [refused(calls, day) for _ in range(4)] == [False, False, True, True]
    assert len(calls.rows()) == 2


def test_days_and_months_pass_and_jobs_are_their_own(calls: Calls, clock: Clock):
    day, month, job = budget(1, "calls", "day"), budget(2, "calls", "month"), budget(1, "calls", "job")
    make(calls, day, month, job)
    assert refused(calls, job) and not refused(calls, job, job="another")
    clock.now += 1.01 * DAY
    assert refused(calls, month) and not refused(calls, day)
    clock.now += 31 * DAY
    assert not refused(calls, day, month)


def test_a_call_that_never_came_back_counts_as_the_most_it_could_cost(calls: Calls):
    calls.begin(job="j", layout="a", host="h", model="m", most=Usage(900, 100), price=PRICE)
    assert refused(calls, budget(2000, "tokens", "day"))
    (row,) = calls.rows()
    assert row["outcome"] == "begun" and row["seconds"] is None


def test_a_budget_of_cost_needs_a_price(calls: Calls):
    with pytest.raises(NormalizationError, match="needs the price of m"):
        make(calls, budget(1, "cost", "day"), price=None)


def test_calls_made_at_once_do_not_pass_a_budget(calls: Calls):
    three = budget(3, "calls", "day")
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: refused(calls, three), range(8)))
    assert outcomes.count(False) == 3


def test_the_summary_counts_files_and_what_was_saved(calls: Calls):
    make(calls, usage=Usage(700, 100))
    calls.files.add(job="j", layout="a", source="ai")
    for _ in range(239):
        calls.files.add(job="j", layout="a", source="cache")
    assert str(calls.summary("j")) == "1 call for 240 files, 800 tokens, cost 0.0011"
    assert str(calls.summary("another")) == "0 calls for 0 files, 0 tokens, cost 0"
    assert calls.rows()[0]["saved"] == 239


def test_no_call_is_made_where_it_cannot_be_accounted(tmp_path: Path):
    path = tmp_path / "calls.sqlite"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(NormalizationError, match="without it no call is made"):
        make(Calls(path))


def test_settings_come_from_the_environment():
    settings = AiSettings.from_environment(
        {
            "BATCHLAB_AI_URL": " http://127.0.0.1:11434/v1 ",
            "BATCHLAB_AI_MODEL": "qwen3",
            "BATCHLAB_AI_KEY": "topsecret",
            "BATCHLAB_AI_ALLOW_HOST": "api.example.org, other.example.org",
            "BATCHLAB_AI_BUDGET": "50 calls/day, 0.5 cost / month",
            "BATCHLAB_AI_PRICE": "0.15/0.60",
            "BATCHLAB_AI_TIMEOUT": "120",
            "BATCHLAB_AI_HOLD": "yes",
        },
        job="run-1",
    )
    assert (settings.set_up, settings.hold, settings.timeout_s, settings.job) == (True, True, 120.0, "run-1")
    assert settings.allow_host == ("api.example.org", "other.example.org")
    assert [str(each) for each in settings.budgets] == ["50 calls/day", "0.5 cost/month"]
    assert settings.prices["qwen3"] == Price(prompt=0.15, completion=0.60)
    assert "topsecret" not in repr(settings) and "topsecret" not in settings.model_dump_json()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BUDGET", "many calls"),
        ("BUDGET", "5 calls/year"),
        ("PRICE", "cheap"),
        ("TIMEOUT", "soon"),
        ("TIMEOUT", "nan"),
        ("HOLD", "perhaps"),
    ],
)
def test_a_variable_that_cannot_be_understood_is_told(variable: str, value: str):
    with pytest.raises(ConfigError, match=f"BATCHLAB_AI_{variable}"):
        AiSettings.from_environment({"BATCHLAB_AI_MODEL": "m", f"BATCHLAB_AI_{variable}": value})


def test_nothing_is_set_up_by_default():
    assert not AiSettings.from_environment({}).set_up


def test_the_keyring_is_asked_for_the_hosts_key_where_the_environment_has_none(monkeypatch: pytest.MonkeyPatch):
    asked = []
    ring = types.ModuleType("keyring")
    ring.get_password = lambda service, user: asked.append((service, user)) or "ringkey"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", ring)
    url = {"BATCHLAB_AI_URL": "https://api.example.org/v1", "BATCHLAB_AI_MODEL": "m"}
    found = AiSettings.from_environment(url).key
    assert found is not None and found.get_secret_value() == "ringkey"
    assert asked == [("batchlab", "api.example.org")]
    given = AiSettings.from_environment({**url, "BATCHLAB_AI_KEY": "mine"}).key
    assert given is not None and given.get_secret_value() == "mine"


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("0.0.0.0", False),
        ("localhost.example.org", False),
        ("2130706433", False),
    ],
)
def test_only_this_machine_is_local(host: str, local: bool):
    assert is_loopback(host) is local


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("http://localhost:8080/v1/", "http://localhost:8080/v1/chat/completions"),
        ("http://[::1]:8080", "http://[::1]:8080/chat/completions"),
        ("http://127.0.0.1/v1/chat/completions", "http://127.0.0.1/v1/chat/completions"),
    ],
)
def test_an_address_is_written_as_one_expects(url: str, written: str):
    assert str(endpoint_of(AiSettings(url=url, model="m"))) == written


def test_tokens_of_calls_that_were_never_answered_count_for_budgets_alone(calls: Calls):
    make(calls, usage=Usage(700, 100))
    call = calls.begin(job="j", layout="a", host="h", model="m", most=Usage(900, 100), price=PRICE)
    calls.end(call, outcome="unreachable", seconds=0.1, usage=None, price=PRICE)
    assert str(calls.summary("j")) == "2 calls for 0 files, 800 tokens, cost 0.0011; of 1 call none was reported"
    assert [row["reported"] for row in calls.rows()] == [True, False]
    assert refused(calls, budget(3000, "tokens", "day"))


def test_an_account_of_an_earlier_version_is_read_on(tmp_path: Path):
    path = tmp_path / "old.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(
            "CREATE TABLE calls (id INTEGER PRIMARY KEY, at REAL NOT NULL, job TEXT NOT NULL, layout TEXT NOT NULL, "
            "host TEXT NOT NULL, model TEXT NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT "
            "NULL, cost REAL NOT NULL, seconds REAL, outcome TEXT NOT NULL)"
        )
        for outcome in ("ok", "service"):
            db.execute("INSERT INTO calls VALUES (NULL, 1.0, 'j', 'a', 'h', 'm', 10, 5, 0.5, 1.0, ?)", (outcome,))
    assert str(Calls(path).summary()) == "2 calls for 0 files, 15 tokens, cost 0.5; of 1 call none was reported"
