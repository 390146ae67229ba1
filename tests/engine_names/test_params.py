"""Params are checked all at once, and secrets are never written down."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr, computed_field, field_validator

from batchlab.engine._params import check_params, load_params
from batchlab.engine._task import Task
from batchlab.errors import ConfigError

CANARY = "canary-5c1e"


class Baseline(BaseModel):
    model_config = ConfigDict(extra="forbid")
    order: int = 2


class Params(BaseModel):
    model_config = ConfigDict(extra="forbid")
    window: int
    normalization: str = "none"
    baseline: Baseline = Baseline()
    steps: list[Baseline] = []

    @computed_field
    def double(self) -> int:
        return 2 * self.window


class Open(BaseModel):
    window: int = 1


class Nested(BaseModel):
    token: SecretStr = SecretStr("")


class Service(BaseModel):
    model_config = ConfigDict(extra="forbid")
    token: SecretStr
    spare: SecretStr | None = None
    inner: Nested = Nested()
    tokens: list[SecretStr] = []
    window: int = 1

    @field_validator("window")
    @classmethod
    def small(cls, value: int) -> int:
        if value > 9:
            raise ValueError("must be at most 9")
        return value


def a_task(params: type[BaseModel] | None) -> Task:
    return Task(
        name="test.task",
        function=print,
        version="1",
        params=params,
        inputs=(),
        outputs={},
        libraries=(),
        preload=(),
        summary="",
    )


def told(params: type[BaseModel] | None, given: dict[str, Any]) -> dict[tuple[str | int, ...], str]:
    resolved, problems = check_params(a_task(params), given)
    assert resolved is None
    return {problem.path: problem.message for problem in problems}


def test_defaults_are_filled_in_and_read_back():
    resolved, problems = check_params(a_task(Params), {"window": 5})
    assert problems == ()
    assert resolved == {"window": 5, "normalization": "none", "baseline": {"order": 2}, "steps": []}
    assert check_params(a_task(Params), json.loads(json.dumps(resolved)))[0] == resolved
    assert load_params(a_task(Params), resolved) == Params(window=5)


def test_all_problems_are_told_at_once_with_the_nearest_key():
    problems = told(Params, {"normalisation": "snv", "baseline": {"ordr": 1}, "steps": [{"order": "x"}]})
    assert set(problems) == {("window",), ("normalisation",), ("baseline", "ordr"), ("steps", 0, "order")}
    assert "did you mean 'normalization'" in problems["normalisation",]
    assert "did you mean 'baseline.order'" in problems["baseline", "ordr"]
    assert "'x'" in problems["steps", 0, "order"]
    assert "needs the param 'window'" in problems["window",]


def test_words_of_the_library_that_checks_are_not_told():
    class Judged(BaseModel):
        model_config = ConfigDict(extra="forbid")
        rule: str = ""
        region: tuple[float, float] = (0.0, 1.0)
        window_points: int = 3
        window_width: float = 1.0

        @field_validator("rule")
        @classmethod
        def known(cls, value: str) -> str:
            raise ValueError(f"{value!r} is no rule; write pearson_r >= 0.99")

    assert told(Judged, {"rule": "r>1", "region": [1], "window": 5}) == {
        ("rule",): "rule: 'r>1' is no rule; write pearson_r >= 0.99",
        ("region",): "region: too few values; value 2 is missing",
        ("window",): "test.task has no param 'window'; did you mean 'window_points' or 'window_width'?",
    }


@pytest.mark.parametrize(
    ("params", "where", "said"),
    [
        ({"weights": {"rotatoin": 1}}, ("weights", "rotatoin"), "'weights.rotatoin'; did you mean 'weights.rotation'?"),
        ({"rotation": 1}, ("rotation",), "'rotation'; did you mean 'weights.rotation'?"),
        ({"weigths": {"rotation": 1}}, ("weigths",), "'weigths.rotation'; did you mean 'weights.rotation'?"),
        ({"weigths": {"rotatoin": 1}}, ("weigths",), "'weigths.rotatoin'; did you mean 'weights.rotation'?"),
        ({"weigths": {"rotation": 1, "place": 2}}, ("weigths",), "'weigths'; did you mean 'weights'?"),
        ({"weights": {"zzz": 1}}, ("weights", "zzz"), "'weights.zzz'; known are 'weights.place', 'weights.rotation'"),
    ],
)
def test_the_nearest_param_is_told_by_its_full_name(params, where, said):
    class Weights(BaseModel):
        model_config = ConfigDict(extra="forbid")
        rotation: float = 0.0
        place: float = 0.0

    class Fitted(BaseModel):
        model_config = ConfigDict(extra="forbid")
        weights: Weights = Weights()

    assert told(Fitted, params) == {where: f"test.task has no param {said}"}


def test_a_model_that_says_nothing_of_extra_keys_refuses_them():
    assert "did you mean 'window'" in told(Open, {"windw": 3})["windw",]


def test_a_task_without_params_takes_none():
    assert check_params(a_task(None), {}) == ({}, ())
    assert "takes no params" in told(None, {"window": 3})["window",]


def test_a_secret_is_kept_by_the_name_of_its_variable(monkeypatch):
    given = {"token": "env:MY_TOKEN", "tokens": ["env:MY_TOKEN"], "inner": {"token": "env:MY_TOKEN"}}
    resolved, problems = check_params(a_task(Service), given)
    assert problems == ()
    assert resolved == {**given, "spare": None, "window": 1}
    monkeypatch.setenv("MY_TOKEN", CANARY)
    model = load_params(a_task(Service), resolved)
    assert isinstance(model, Service)
    assert model.token.get_secret_value() == CANARY
    assert model.tokens[0].get_secret_value() == CANARY
    assert model.inner.token.get_secret_value() == CANARY
    assert CANARY not in json.dumps(check_params(a_task(Service), given)[0])


def test_an_unset_variable_is_told_by_name(monkeypatch):
    monkeypatch.delenv("MY_TOKEN", raising=False)
    with pytest.raises(ConfigError, match="MY_TOKEN is not set"):
        load_params(a_task(Service), {"token": "env:MY_TOKEN"})


@pytest.mark.parametrize(
    "given",
    [
        {"token": CANARY},
        {"token": "env:A", "spare": CANARY},
        {"token": "env:A", "tokens": [CANARY]},
        {"token": "env:A", "inner": {"token": CANARY}},
        {"token": CANARY, "window": "x"},
        {"token": "env:A", "inner": {"token": CANARY}, "window": 10},
        {"token": {"value": CANARY}},
        {"token": "env:A", "tokens": CANARY},
    ],
)
def test_a_secret_in_clear_text_is_refused_and_never_shown(given):
    problems = told(Service, given)
    assert problems
    assert CANARY not in str(problems)


def test_a_secret_default_of_the_model_stays_in_the_code():
    class WithDefault(BaseModel):
        token: SecretStr = SecretStr(CANARY)

    resolved, problems = check_params(a_task(WithDefault), {})
    assert (resolved, problems) == ({}, ())
