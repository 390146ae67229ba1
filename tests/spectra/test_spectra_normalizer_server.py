"""The normaliser against a server on a real socket, in all the ways a server behaves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from normalizer_files import INJECTION, SECRETS, good_answer, values, write_unknown
from normalizer_stub import StubServer, close, completion, drip, drip_headers, error, hang, stub_server

from batchlab.errors import DataError
from batchlab.spectra._normalizer._ai import AiProposer, first_request
from batchlab.spectra._normalizer._cache import PlanCache
from batchlab.spectra._normalizer._calls import Calls
from batchlab.spectra._normalizer._decide import Status
from batchlab.spectra._normalizer._normalize import Normalizer
from batchlab.spectra._normalizer._proposal import NormalizationError, Source
from batchlab.spectra._normalizer._settings import AiSettings, Budget, Price
from batchlab.spectra._read._apply import apply_plan
from batchlab.spectra._read._observation import observe

PATIENT_S = 30.0  # for servers that answer; never waited for
SHORT_S = 0.6  # for servers that do not


@pytest.fixture
def server() -> Iterator[StubServer]:
    with stub_server() as stub:
        yield stub


@pytest.fixture
def unknown(tmp_path: Path) -> Path:
    return write_unknown(tmp_path / "leaf_77.txt")


class Setup:
    """An AI in a folder of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.cache = PlanCache(folder / "cache", folder / "pinned")
        self.calls = Calls(folder / "calls.sqlite")
        self.url = url
        self.slept: list[float] = []

    def settings(self, **more: Any) -> AiSettings:
        given = {"url": self.url, "model": "m", "timeout_s": PATIENT_S, "request_timeout_s": PATIENT_S, **more}
        return AiSettings.model_validate(given)

    def ai(self, **more: Any) -> AiProposer:
        return AiProposer(self.settings(**more), cache=self.cache, calls=self.calls, sleep=self.slept.append)

    def normalizer(self, **more: Any) -> Normalizer:
        return Normalizer(self.settings(**more), cache=self.cache, ai=self.ai(**more), calls=self.calls)


@pytest.fixture
def setup(tmp_path: Path, server: StubServer) -> Setup:
    return Setup(tmp_path / "own", server.url)


def refusal(ai: AiProposer, path: Path) -> NormalizationError:
    with pytest.raises(NormalizationError) as caught:
        ai.propose(observe(path))
    return caught.value


# A good answer


def test_a_good_plan_is_used_and_reads_the_very_numbers_of_the_file(setup: Setup, server: StubServer, unknown: Path):
    server.behaviours = [completion(good_answer())]
    normalized = setup.normalizer().normalize(unknown)
    assert (normalized.status, normalized.source) == (Status.ACCEPTED, Source.AI)
    assert [each.source for each in normalized.proposals] == [Source.RULES, Source.AI]
    assert normalized.plan is not None
    (spectrum,) = apply_plan(normalized.plan, unknown)
    assert spectrum.axis.tolist() == [round(row[1], 4) for row in values(60)]
    assert spectrum.intensity.tolist() == [round(row[2], 4) for row in values(60)]


def test_the_request_is_what_ai_show_prints_and_tells_nothing_of_the_owner(
    setup: Setup, server: StubServer, unknown: Path
):
    server.behaviours = [completion(good_answer())]
    setup.ai(key="topsecret").propose(observe(unknown))
    (received,) = server.received
    assert received.path == "/v1/chat/completions"
    assert received.headers["Authorization"] == "Bearer topsecret"
    assert received.body == first_request(observe(unknown), setup.settings())
    assert b"topsecret" not in received.body
    assert len(received.layout.encode()) <= 2048
    text = received.body.decode()
    assert not [secret for secret in SECRETS if secret.lower() in text.lower()]
    assert "785" not in text and "999.99 nm" in text  # a key that may be told, its digits masked


def test_no_digit_of_the_file_is_in_a_request(setup: Setup, server: StubServer, unknown: Path):
    server.behaviours = [completion(good_answer(first_data_line=1000)), completion(good_answer())]
    setup.ai().propose(observe(unknown))
    assert len(server.received) == 2
    for received in server.received:
        layout = json.loads(received.layout)
        quoted = [text for part in ("above", "data", "below") for _, text in layout[part]]
        assert quoted and not re.search(r"[0-8]", "".join(quoted))
        whole = received.body.decode()
        numbers = {f"{value:.4f}" for row in values(60) for value in row}
        assert not [number for number in numbers if number in whole]
    assert "first_data_line" in server.received[1].json["messages"][-1]["content"]


def test_words_that_a_file_says_to_the_ai_are_not_passed_on(setup: Setup, server: StubServer, unknown: Path):
    server.behaviours = [completion(good_answer())]
    setup.ai().propose(observe(unknown))
    assert INJECTION in unknown.read_text()
    assert "Ignore all previous" not in server.received[0].body.decode()
    assert "instructions" not in server.received[0].layout


def test_a_plan_that_a_file_talked_the_ai_into_is_judged_like_any_other(
    setup: Setup, server: StubServer, unknown: Path
):
    server.otherwise = completion({"command": "rm -rf /", **good_answer(confidence=1.0)})
    assert refusal(setup.ai(), unknown).reason == "invalid-answer"
    assert unknown.exists()


def test_files_of_one_layout_need_one_call(setup: Setup, server: StubServer, tmp_path: Path):
    server.behaviours = [completion(good_answer())]
    normalizer = setup.normalizer(job="run-1")
    files = [write_unknown(tmp_path / f"s{i}.txt", rows=50 + i, shift=i) for i in range(12)]
    sources = [normalizer.normalize(file).source for file in files]
    assert sources == [Source.AI] + [Source.CACHE] * 11
    assert len(server.received) == 1
    assert str(normalizer.summary) == "1 call for 12 files, 850 tokens, cost 0"
    (row,) = setup.calls.rows()
    assert (row["saved"], row["outcome"]) == (11, "ok")


def test_a_longer_preamble_moves_the_lines_of_a_known_plan(setup: Setup, server: StubServer, tmp_path: Path):
    server.behaviours = [completion(good_answer())]
    normalizer = setup.normalizer()
    first, second = write_unknown(tmp_path / "a.txt"), write_unknown(tmp_path / "b.txt", remarks=3)
    normalizer.normalize(first)
    moved = normalizer.normalize(second)
    assert (moved.source, len(server.received)) == (Source.CACHE, 1)
    assert moved.plan is not None and moved.plan.first_data_line == 15
    assert len(apply_plan(moved.plan, second)[0]) == 60


def test_threads_that_need_one_layout_at_once_make_one_call(setup: Setup, server: StubServer, unknown: Path):
    server.behaviours = [completion(good_answer())]
    together = threading.Barrier(6)

    def ask(_: int) -> Source | None:
        normalizer = setup.normalizer()
        together.wait(30)
        return normalizer.normalize(unknown).source

    with ThreadPoolExecutor(6) as pool:
        sources = list(pool.map(ask, range(6)))
    assert len(server.received) == 1
    assert sorted(map(str, sources)) == ["ai"] + ["cache"] * 5


WORKER = """
import sys
from pathlib import Path
from batchlab.spectra._normalizer._normalize import Normalizer
normalizer = Normalizer()
print("ready", flush=True)
sys.stdin.readline()
for path in sys.argv[1:]:
    print(normalizer.normalize(path).source, flush=True)
"""


def start_worker(files: list[Path], environment: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORKER, *map(str, files)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **environment}, text=True
    )


def test_processes_that_need_one_layout_at_once_make_one_call(server: StubServer, tmp_path: Path):
    server.behaviours = [completion(good_answer())]
    files = [write_unknown(tmp_path / f"s{i}.txt", shift=i) for i in range(3)]
    environment = {
        "BATCHLAB_AI_URL": server.url,
        "BATCHLAB_AI_MODEL": "m",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    workers = [start_worker(files, environment) for _ in range(3)]
    try:
        for worker in workers:
            assert worker.stdout is not None and worker.stdout.readline() == "ready\n"
        told = [worker.communicate("go\n", timeout=60)[0].split() for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert len(server.received) == 1
    assert sorted(source for sources in told for source in sources) == ["ai"] + ["cache"] * 8


# Answers that need mending


def test_an_answer_of_another_form_is_sent_back_with_what_is_wrong(setup: Setup, server: StubServer, unknown: Path):
    wrong = good_answer()
    wrong["axis"]["kind"] = "wave"
    wrong["colour"] = "green"
    server.behaviours = [completion(wrong), completion(good_answer())]
    assert setup.ai().propose(observe(unknown)).confidence == 0.96
    system, layout, answer, complaint = server.received[1].json["messages"]
    assert (system["role"], layout["role"], answer["role"], complaint["role"]) == (
        "system",
        "user",
        "assistant",
        "user",
    )
    assert json.loads(answer["content"]) == wrong
    assert "axis.kind" in complaint["content"] and "colour" in complaint["content"]
    assert [row["outcome"] for row in setup.calls.rows()] == ["invalid", "ok, re-ask 1"]


@pytest.mark.parametrize(
    "wrap",
    [
        "```json\n{}\n```",
        "Here is the plan you {asked} for:\n\n{}\n\nTell me if you need more.",
        "<think>The table {{ starts</think>{}",
    ],
)
def test_the_json_is_found_in_fences_and_among_words(setup: Setup, server: StubServer, unknown: Path, wrap: str):
    server.behaviours = [completion(wrap.replace("{}", json.dumps(good_answer())))]
    assert setup.ai().propose(observe(unknown)).plan.axis.column == 1


def test_a_valid_plan_that_does_not_fit_the_file_is_rejected_and_mended(
    setup: Setup, server: StubServer, unknown: Path
):
    swapped = good_answer()
    swapped["axis"]["column"], swapped["spectra"][0]["column"] = 2, 1
    server.behaviours = [completion(swapped), completion(good_answer())]
    assert setup.ai().propose(observe(unknown)).plan.axis.column == 1
    complaint = server.received[1].json["messages"][-1]["content"]
    assert "it is no axis" in complaint
    assert not [secret for secret in SECRETS if secret in complaint]


def test_sorting_does_not_make_an_axis_of_a_signal(setup: Setup, server: StubServer, unknown: Path):
    swapped = good_answer(ops=["sort"])
    swapped["axis"]["column"], swapped["spectra"][0]["column"] = 2, 1
    server.otherwise = completion(swapped)
    assert "it is no axis" in str(refusal(setup.ai(), unknown))
    assert len(server.received) == 3  # the question and two re-asks


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        (completion("I am sorry, I cannot help with that."), "no whole JSON object"),
        (completion(json.dumps(good_answer())[:200], finish="length"), "cut off after 1500 tokens"),
        (completion("{" * 5000), "no whole JSON object"),
        (completion([1, 2]), "no whole JSON object"),
        (completion({}), "axis"),
    ],
)
def test_what_is_no_plan_is_asked_again_at_most_twice(
    setup: Setup, server: StubServer, unknown: Path, behaviour: Any, told: str
):
    server.otherwise = behaviour
    caught = refusal(setup.ai(), unknown)
    assert caught.reason == "invalid-answer" and told in str(caught)
    assert len(server.received) == 3
    assert {row["outcome"] for row in setup.calls.rows()} == {"invalid"}


def test_a_refusal_is_not_argued_with(setup: Setup, server: StubServer, unknown: Path):
    server.otherwise = completion("", refusal="I will not")
    assert refusal(setup.ai(), unknown).reason == "refused"
    assert len(server.received) == 1


# Servers that fail


@pytest.mark.parametrize(
    ("behaviour", "reason", "mend", "calls"),
    [
        (error(401, "bad key"), "access", "BATCHLAB_AI_KEY", 1),
        (error(404, "model 'm' not found"), "model", "BATCHLAB_AI_MODEL", 1),
        (error(302, "moved", Location="http://elsewhere.example/"), "service", "not followed", 2),
        (error(500, "oops"), "service", "status 500 (oops)", 2),
        (close, "unreachable", "is the server running", 2),
        (lambda handler, _: handler.wfile.write(b"nonsense\r\n\r\n"), "unreachable", "is the server running", 2),
    ],
)
def test_a_failing_server_ends_the_asking_and_the_message_says_the_mend(
    setup: Setup, server: StubServer, unknown: Path, behaviour: Any, reason: str, mend: str, calls: int
):
    server.otherwise = behaviour
    caught = refusal(setup.ai(), unknown)
    assert caught.reason == reason and mend in str(caught)
    assert len(server.received) == calls


@pytest.mark.parametrize("behaviour", [hang, drip, drip_headers])
def test_a_server_that_never_ends_is_cut_off(setup: Setup, server: StubServer, unknown: Path, behaviour: Any):
    server.otherwise = behaviour
    caught = refusal(setup.ai(request_timeout_s=SHORT_S), unknown)
    assert caught.reason == "timeout" and "BATCHLAB_AI_TIMEOUT" in str(caught)
    assert len(server.received) == 1


def test_a_server_that_fails_once_is_asked_again(setup: Setup, server: StubServer, unknown: Path):
    server.behaviours = [close, completion(good_answer())]
    assert setup.ai().propose(observe(unknown)).source is Source.AI
    assert len(setup.slept) == 1


def test_a_busy_server_is_left_alone_as_long_as_it_asks_for(setup: Setup, server: StubServer, unknown: Path):
    server.behaviours = [error(429, "slow down", Retry_After="7"), completion(good_answer())]
    assert setup.ai().propose(observe(unknown)).source is Source.AI
    assert setup.slept == [7.0]


def test_nobody_waits_longer_than_a_layout_may_take(setup: Setup, server: StubServer, unknown: Path):
    server.otherwise = error(429, "slow down", Retry_After="3600")
    assert refusal(setup.ai(), unknown).reason == "busy"
    assert setup.slept == []
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("refused", "taken"),
    [
        (["json_schema or grammar, not both"], "json_object"),
        (["unknown field response_format", "unknown field response_format"], None),
    ],
)
def test_a_server_that_refuses_a_form_is_asked_in_the_next(
    setup: Setup, server: StubServer, tmp_path: Path, unknown: Path, refused: list[str], taken: str | None
):
    server.behaviours = [*(error(400, words) for words in refused), completion(good_answer())]
    ai = setup.ai()
    assert ai.propose(observe(unknown)).source is Source.AI
    formats = [each.json.get("response_format", {}).get("type") for each in server.received]
    assert formats == [*["json_schema", "json_object", None][: len(refused)], taken]
    assert "The JSON Schema of the answer" in server.received[-1].json["messages"][0]["content"]
    other = tmp_path / "other.log"
    write_unknown(other)
    server.behaviours = [completion(good_answer())]
    ai.propose(observe(other))
    assert server.received[-1].json.get("response_format", {}).get("type") == taken  # it has learned


def test_words_for_limits_and_temperature_follow_the_server(setup: Setup, server: StubServer, unknown: Path):
    server.behaviours = [
        error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
        error(400, "'temperature' does not support 0"),
        completion(good_answer()),
    ]
    setup.ai().propose(observe(unknown))
    last = server.received[-1].json
    assert "max_completion_tokens" in last and "max_tokens" not in last and "temperature" not in last
    assert last["response_format"]["type"] == "json_schema"


def test_a_failure_is_believed_by_others_for_a_time(setup: Setup, server: StubServer, unknown: Path, tmp_path: Path):
    server.otherwise = error(500)
    first = refusal(setup.ai(), unknown)
    asked = len(server.received)
    again = refusal(setup.ai(), write_unknown(tmp_path / "next.txt"))
    assert (again.reason, str(again)) == (first.reason, str(first))
    assert len(server.received) == asked
    server.otherwise = completion(good_answer())
    assert setup.ai(model="another").propose(observe(unknown)).model == "another"


def test_a_server_that_is_away_is_not_tried_for_each_layout(setup: Setup, server: StubServer, tmp_path: Path):
    server.otherwise = hang
    ai = setup.ai(request_timeout_s=SHORT_S)
    refusal(ai, write_unknown(tmp_path / "a.txt"))
    assert refusal(ai, write_unknown(tmp_path / "a.log")).reason == "timeout"
    assert len(server.received) == 1


# What becomes of the file


def test_when_the_ai_fails_the_rules_decide_with_a_warning(setup: Setup, server: StubServer, unknown: Path):
    server.otherwise = error(500, "oops")
    normalized = setup.normalizer().normalize(unknown)
    assert (normalized.status, normalized.source) == (Status.ACCEPTED_WITH_WARNING, Source.RULES)
    assert normalized.warnings[0].startswith("AI normalization failed: ")
    assert "oops" in normalized.warnings[0]


@pytest.mark.parametrize(
    ("confidence", "hold", "status", "source"),
    [
        (1.0, False, Status.ACCEPTED, Source.AI),
        (0.8, False, Status.ACCEPTED_WITH_WARNING, Source.AI),
        (0.8, True, Status.NEEDS_REVIEW, Source.AI),
        (0.4, False, Status.ACCEPTED_WITH_WARNING, Source.RULES),
    ],
)
def test_the_thresholds_judge_the_answer(
    setup: Setup,
    server: StubServer,
    unknown: Path,
    confidence: float,
    hold: bool,
    status: Status,
    source: Source,
):
    server.behaviours = [completion(good_answer(confidence=confidence))]
    normalized = setup.normalizer(hold=hold).normalize(unknown)
    assert (normalized.status, normalized.source) == (status, source)
    assert len(normalized.proposals) == 2


def test_rules_that_are_sure_ask_nobody(setup: Setup, server: StubServer, write: Callable[..., Path]):
    rows = "".join(f"{400 + i}\t{0.1 + 0.001 * i * i % 1:.4f}\n" for i in range(50))
    normalized = setup.normalizer().normalize(write("Wavelength (nm)\tAbsorbance\n" + rows))
    assert (normalized.source, normalized.status) == (Source.RULES, Status.ACCEPTED)
    assert server.received == []


@pytest.mark.parametrize("text", ["Notes of the day\n\nMeasured leaves.\n" * 20, ""])
def test_notes_beside_the_data_are_nobodys_business(
    setup: Setup, server: StubServer, write: Callable[..., Path], text: str
):
    with pytest.raises(DataError):
        setup.normalizer().normalize(write(text, "README.txt"))
    assert server.received == []


def test_where_the_rules_find_no_layout_the_ai_is_asked(setup: Setup, server: StubServer, write: Callable[..., Path]):
    rows = [[0.3, 7.1, 2.2] * 8, [0.9, 3.0, 8.8] * 8, [0.2, 9.1, 5.5] * 8]
    path = write("".join("\t".join(map(str, row)) + "\n" for row in rows))
    server.otherwise = completion("I do not know.")
    with pytest.raises(DataError, match="AI normalization failed") as caught:
        setup.normalizer().normalize(path)
    assert caught.value.reason == "unknown-layout"
    assert len(server.received) == 3


# Limits


def test_a_budget_is_looked_at_before_the_call(setup: Setup, server: StubServer, unknown: Path):
    normalized = setup.normalizer(budgets=[Budget(limit=0, of="calls", per="day")]).normalize(unknown)
    assert normalized.source is Source.RULES
    assert "AI normalization failed: the budget of 0 calls/day" in normalized.warnings[0]
    assert server.received == []


def test_a_re_ask_is_a_call_as_well(setup: Setup, server: StubServer, unknown: Path):
    server.otherwise = completion("no")
    caught = refusal(setup.ai(budgets=[Budget(limit=2, of="calls", per="job")]), unknown)
    assert (caught.reason, len(server.received)) == ("budget", 2)


def test_cost_is_what_the_server_counted_times_the_price(setup: Setup, server: StubServer, unknown: Path):
    server.behaviours = [completion(good_answer(), usage=(1000, 200))]
    setup.ai(prices={"m": Price(prompt=2.0, completion=10.0)}, job="j").propose(observe(unknown))
    (row,) = setup.calls.rows()
    assert (row["prompt_tokens"], row["completion_tokens"], row["job"], row["model"]) == (1000, 200, "j", "m")
    assert row["cost"] == pytest.approx(0.004)
    assert isinstance(row["seconds"], float) and row["seconds"] >= 0


def test_a_server_that_counts_no_tokens_is_charged_the_most_they_can_be(
    setup: Setup, server: StubServer, unknown: Path
):
    server.behaviours = [completion(good_answer(), usage=None)]
    setup.ai().propose(observe(unknown))
    (row,) = setup.calls.rows()
    assert (row["prompt_tokens"], row["completion_tokens"]) == (-(-len(server.received[0].body) // 3), 1500)


# Other machines


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"url": "https://api.example.org/v1"}, "BATCHLAB_AI_ALLOW_HOST=api.example.org"),
        ({"url": "https://127.0.0.1.example.org/v1"}, "another machine"),
        ({"url": "http://api.example.org/v1", "allow_host": ["api.example.org"], "key": "k"}, "unencrypted"),
    ],
)
def test_nothing_is_sent_to_a_machine_that_was_not_named(
    setup: Setup, unknown: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], told: str
):
    def no_connection(*_: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr("socket.create_connection", no_connection)
    caught = refusal(setup.ai(**more), unknown)
    assert caught.reason == "not-allowed" and told in str(caught)
    assert setup.calls.rows() == []


@pytest.mark.parametrize(
    "url", ["not an address", "ftp://localhost/v1", "http://u:p@localhost/", "http://localhost:x/"]
)
def test_an_address_that_is_none_is_told(setup: Setup, unknown: Path, url: str):
    assert refusal(setup.ai(url=url), unknown).reason == "not-set-up"


def test_who_asks_nobody_loads_no_module_of_the_network():
    names = "ssl http.client urllib.request sqlite3 keyring"
    code = (
        "import sys; from batchlab.spectra._normalizer import AiSettings, Normalizer; Normalizer(AiSettings()); "
        f"print([name for name in {names.split()} if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert told.stdout == "[]\n", told.stderr


def test_without_an_ai_the_rules_decide_alone(tmp_path: Path, unknown: Path):
    normalizer = Normalizer(AiSettings(), cache=PlanCache(tmp_path / "c", tmp_path / "p"))
    normalized = normalizer.normalize(unknown)
    assert (normalized.source, normalized.status) == (Source.RULES, Status.ACCEPTED_WITH_WARNING)
    assert not [each for each in normalized.warnings if "AI" in each]
