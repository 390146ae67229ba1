"""Plans as files: kept, pinned, exchanged, edited by hand; and the commands for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from normalizer_files import good_answer, write_unknown

from batchlab.errors import ConfigError
from batchlab.spectra._cli_plans import plans
from batchlab.spectra._kinds import Technique
from batchlab.spectra._normalizer._ai import first_request
from batchlab.spectra._normalizer._cache import PlanCache, stored_plan
from batchlab.spectra._normalizer._decide import Status
from batchlab.spectra._normalizer._normalize import Normalizer
from batchlab.spectra._normalizer._payload import fingerprint
from batchlab.spectra._normalizer._plan_diff import differences
from batchlab.spectra._normalizer._plan_file import StoredPlan, parse_plan, plan_text, read_plan
from batchlab.spectra._normalizer._proposal import Proposal, Source
from batchlab.spectra._normalizer._settings import AiSettings
from batchlab.spectra._places import cached_plans, calls_file, pinned_plans
from batchlab.spectra._plan import Plan
from batchlab.spectra._read._observation import Observation, observe


@pytest.fixture(autouse=True)
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("URL", "MODEL", "KEY", "ALLOW_HOST", "BUDGET", "PRICE", "TIMEOUT"):
        monkeypatch.delenv(f"BATCHLAB_AI_{name}", raising=False)


@pytest.fixture
def unknown(tmp_path: Path) -> Path:
    return write_unknown(tmp_path / "leaf.txt")


def good_plan(**changes: Any) -> Plan:
    return Plan.model_validate({**{k: v for k, v in good_answer().items() if v is not None}, **changes})


def asked(observation: Observation, **changes: Any) -> StoredPlan:
    proposal = Proposal(plan=good_plan(**changes), source=Source.AI, confidence=0.96, model="m")
    return stored_plan(proposal, observation, prompt_version=1)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(plans, [str(each) for each in arguments], standalone_mode=False)


def done(*arguments: object) -> str:
    result = run(*arguments)
    if result.exception is not None:
        raise result.exception
    assert not result.return_value, result.output
    return result.stdout


# Files


def test_a_plan_reads_back_as_it_was_written(unknown: Path):
    stored = asked(observe(unknown))
    assert parse_plan(plan_text(stored), "x") == stored


def test_a_bare_plan_written_by_hand_is_a_plan():
    assert parse_plan(good_plan().model_dump_json(), "x").plan == good_plan()


@pytest.mark.parametrize(
    ("change", "located", "told"),
    [
        (lambda t: t.replace('"decimal"', '"decimals"'), True, "did you mean 'decimal'?"),
        (lambda t: t.replace('"wavelength"', '"wavelenght"'), True, "did you mean 'wavelength'?"),
        (lambda t: t.replace('"sample"', '"smaple"'), True, "did you mean 'sample'?"),
        (lambda t: t.replace('"direction"', '"zzz"'), True, "axis.zzz: there is no such field; known are column"),
        (lambda t: t.replace('"first_data_line": 12', '"first_data_line": 0'), True, "greater than or equal to 1"),
        (lambda t: t.replace('"column": 2', '"column": "two"'), True, "spectra.0.column"),
        (lambda t: t.replace('"column": 2,', '"column": 2'), True, "is not JSON"),
        (lambda t: t.replace('"column": 1,', '"column": 2,'), False, "is the axis and a spectrum"),
    ],
)
def test_a_slip_is_told_with_its_line_and_the_nearest_word(
    tmp_path: Path, change: Callable[[str], str], located: bool, told: str
):
    kept = ("technique", "delimiter", "decimal", "first_data_line", "header_lines", "axis", "spectra")
    answer = {key: value for key, value in good_answer().items() if key in kept}
    answer["header_lines"] = []
    answer["axis"] = {key: value for key, value in answer["axis"].items() if value is not None}
    answer["spectra"] = [{"column": 2, "role": "sample"}]
    text = json.dumps(answer, indent=2)
    numbered = text.splitlines()
    path = tmp_path / "mine.json"
    path.write_text(change(text))
    with pytest.raises(ConfigError) as caught:
        read_plan(path)
    assert told in str(caught.value) and str(path) in str(caught.value)
    (problem,) = caught.value.problems
    if not located:
        return
    shown = path.read_text().splitlines()
    assert problem.line is not None
    wrong = next(i for i, (new, old) in enumerate(zip(shown, numbered, strict=True), start=1) if new != old)
    assert problem.line in (wrong, wrong + 1)  # a comma is missed where the next word begins


def test_all_slips_are_told_at_once(tmp_path: Path):
    path = tmp_path / "mine.json"
    path.write_text('{"plan": {"technik": "raman", "decimal": "dot"}, "colour": 1}')
    with pytest.raises(ConfigError) as caught:
        read_plan(path)
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize("text", ["[]", "1", "", "[" * 100_000])
def test_what_is_no_plan_at_all_is_told(tmp_path: Path, text: str):
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(ConfigError):
        read_plan(path)


def test_differences_name_fields():
    other = good_plan(decimal="comma", confidence=0.1, axis={**good_answer()["axis"], "column": 0})
    assert differences(good_plan(), other) == (("decimal", "point", "comma"), ("axis.column", 1, 0))
    assert differences(good_plan(), good_plan()) == ()


# The cache


def test_what_people_pinned_beats_what_an_ai_said(unknown: Path):
    cache, observation = PlanCache(), observe(unknown)
    cache.put(asked(observation))
    proposed = cache.propose(observation)
    assert proposed is not None and (proposed.source, proposed.confidence) == (Source.CACHE, 0.96)
    cache.pin(asked(observation, technique="raman"))
    proposed = cache.propose(observation)
    assert proposed is not None and (proposed.source, proposed.confidence) == (Source.PINNED, 1.0)
    assert proposed.plan.technique == "raman"
    cache.unpin(fingerprint(observation))
    proposed = cache.propose(observation)
    assert proposed is not None and proposed.source is Source.CACHE


def test_a_pinned_plan_outlives_the_cache(unknown: Path):
    cache, observation = PlanCache(), observe(unknown)
    path = cache.pin(asked(observation))
    assert path.is_relative_to(pinned_plans()) and not path.is_relative_to(cached_plans())
    assert cache.get(fingerprint(observation)) is not None


def test_what_an_ai_said_is_not_pinned_where_state_and_cache_share_a_folder(
    unknown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "one"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "one"))
    cache, observation = PlanCache(), observe(unknown)
    cache.put(asked(observation))
    proposed = cache.propose(observation)
    assert proposed is not None and (proposed.source, proposed.confidence) == (Source.CACHE, 0.96)
    cache.pin(asked(observation, technique="raman"))
    cache.unpin(fingerprint(observation))
    proposed = cache.propose(observation)
    assert proposed is not None and proposed.source is Source.CACHE


def test_a_spoilt_cached_plan_is_left_out_and_a_spoilt_pinned_one_is_told(
    unknown: Path, caplog: pytest.LogCaptureFixture
):
    cache, observation = PlanCache(), observe(unknown)
    cache.put(asked(observation))
    layout = fingerprint(observation)
    (cached_plans() / f"{layout}.json").write_text('{"plan": ')
    assert cache.propose(observation) is None
    assert "a plan is left out" in caplog.text
    (pinned_plans()).mkdir(parents=True)
    (pinned_plans() / f"{layout}.json").write_text('{"plan": {"colour": 1}}')
    with pytest.raises(ConfigError, match="colour"):
        cache.propose(observation)


def test_a_failure_is_believed_for_its_time_and_of_whom_it_was(tmp_path: Path):
    now = [100.0]
    cache = PlanCache(tmp_path / "c", tmp_path / "p", clock=lambda: now[0])
    cache.put_failure("ab", reason="timeout", message="slow", asked="m", keep_s=10)
    assert cache.failure("ab", "m") is not None
    assert cache.failure("ab", "another") is None
    now[0] = 111.0
    assert cache.failure("ab", "m") is None
    assert cache.failure("cd", "m") is None


def test_a_pinned_plan_decides_even_where_the_rules_are_sure(tmp_path: Path, write: Callable[..., Path]):
    rows = "".join(f"{400 + i}\t{0.1 + 0.01 * (i % 7):.4f}\n" for i in range(50))
    file = write("Wavelength (nm)\tAbsorbance\n" + rows)
    before = Normalizer(AiSettings()).normalize(file)
    assert (before.source, before.status) == (Source.RULES, Status.ACCEPTED)
    assert before.plan is not None
    proposal = Proposal(
        plan=before.plan.model_copy(update={"technique": Technique.NIR}), source=Source.PINNED, confidence=1.0
    )
    PlanCache().pin(stored_plan(proposal, observe(file)))
    after = Normalizer(AiSettings()).normalize(file)
    assert after.source is Source.PINNED and after.plan is not None and after.plan.technique == "nir"


# Commands


def test_from_the_rules_to_a_mended_pinned_plan(tmp_path: Path, unknown: Path):
    path = tmp_path / "mine.plan.json"
    assert done("export", unknown, "-o", path).strip() == str(path)
    mine = json.loads(path.read_text())
    assert mine["source"] == "rules" and mine["plan"]["axis"]["column"] == 0
    mine["plan"] |= {key: good_answer()[key] for key in ("axis", "spectra")}
    path.write_text(json.dumps(mine, indent=1))
    assert "fits" in done("check", path, unknown)
    assert "pinned" in done("pin", unknown, "--plan", path)
    assert Normalizer(AiSettings()).normalize(unknown).source is Source.PINNED
    assert "axis.column: 0 -> 1" in done("diff", unknown)
    assert mine["fingerprint"][:12] in done("list")
    assert json.loads(done("list", "--json"))[0]["source"] == "pinned"
    assert json.loads(done("show", mine["fingerprint"][:6]))["plan"]["axis"]["column"] == 1
    done("unpin", unknown)
    assert "no plans are known yet" in done("list")


def test_an_exported_plan_is_imported_on_another_machine(
    tmp_path: Path, unknown: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "theirs.json"
    PlanCache().put(asked(observe(unknown)))
    done("export", unknown, "-o", path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache2"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state2"))
    done("import", path)
    other = write_unknown(tmp_path / "another.txt", rows=90, shift=9, remarks=2)
    normalized = Normalizer(AiSettings()).normalize(other)
    assert normalized.source is Source.PINNED
    assert normalized.plan is not None and normalized.plan.first_data_line == 14


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("show", "abcdef"), "neither a file nor the beginning of a known layout"),
        (("diff", "abcdef"), "give two plans, or one data file"),
        (("unpin", "{data}"), "no plan is pinned"),
        (("import", "{plan}"), "does not say which layout"),
        (("check", "missing.json"), "no such plan file"),
        (("export", "{data}", "-o", "{data}"), "is there already"),
        (("pin", "{data}", "--plan", "{swapped}"), "does not fit"),
    ],
)
def test_what_cannot_be_done_is_told(tmp_path: Path, unknown: Path, arguments: tuple[str, ...], told: str):
    plan, swapped = tmp_path / "bare.json", tmp_path / "swapped.json"
    plan.write_text(good_plan().model_dump_json())
    answer = good_answer()
    answer["axis"]["column"], answer["spectra"][0]["column"] = 2, 1
    swapped.write_text(json.dumps({key: value for key, value in answer.items() if value is not None}))
    result = run(*(each.format(data=unknown, plan=plan, swapped=swapped) for each in arguments))
    assert isinstance(result.exception, ConfigError)
    assert told in str(result.exception)


def test_check_answers_with_the_exit_code(tmp_path: Path, unknown: Path):
    plan = tmp_path / "p.json"
    plan.write_text(good_plan(first_data_line=13).model_dump_json())
    result = run("check", plan, unknown)
    assert result.return_value == 1 and "the plan cannot be applied" in result.stdout


def test_ai_show_prints_the_very_bytes_and_says_that_nothing_is_sent(
    unknown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def no_connection(*_: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr("socket.create_connection", no_connection)
    monkeypatch.setenv("BATCHLAB_AI_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("BATCHLAB_AI_MODEL", "m")
    monkeypatch.setenv("BATCHLAB_AI_KEY", "topsecret")
    result = run("request", unknown, tmp_path / "missing.txt")
    assert result.return_value == 1
    assert result.stdout_bytes == first_request(observe(unknown), AiSettings.from_environment()) + b"\n"
    assert "topsecret" not in result.output
    assert "nothing is sent; to http://127.0.0.1:9/v1/chat/completions" in result.stderr
    assert "missing.txt" in result.stderr
    assert not calls_file().exists()


def test_ai_show_says_so_when_a_host_was_not_named(unknown: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BATCHLAB_AI_URL", "https://api.example.org/v1")
    monkeypatch.setenv("BATCHLAB_AI_MODEL", "m")
    result = run("request", unknown)
    assert "nor would be: api.example.org is another machine" in result.stderr
    assert json.loads(result.stdout)["model"] == "m"


def test_no_calls_yet_is_told_without_making_the_account():
    assert done("calls") == "0 calls for 0 files, 0 tokens, cost 0\n"
    assert json.loads(done("calls", "--json")) == []
    assert not calls_file().exists()
