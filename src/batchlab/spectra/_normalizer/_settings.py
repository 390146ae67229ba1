"""How an AI is reached, and what it may cost; from the environment and the keyring, never from a file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from batchlab.errors import ConfigError

__all__ = ["AiSettings", "Budget", "Price"]

_KEYRING_SERVICE = "batchlab"
_BUDGET = re.compile(r"([\d.]+)\s*(calls|tokens|cost)\s*/\s*(job|day|month)")


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Budget(_Settings):
    """A limit that is looked at before a call is made; a call that could pass it is not made."""

    limit: float = Field(ge=0)
    of: Literal["calls", "tokens", "cost"]
    per: Literal["job", "day", "month"]  # a day is the last 24 hours, a month the last 30 days

    def __str__(self) -> str:
        """``50 calls/day``."""
        return f"{self.limit:g} {self.of}/{self.per}"


class Price(_Settings):
    """What a million tokens cost, in whatever currency the budgets are meant in."""

    prompt: float = Field(0.0, ge=0)
    completion: float = Field(0.0, ge=0)


class AiSettings(_Settings):
    """An OpenAI-compatible endpoint and the terms it is used on.

    Attributes
    ----------
    url
        The base address, such as ``http://127.0.0.1:11434/v1``; without it no AI is asked.
    model
        The model's name there.
    key
        The secret for it; local servers need none.
    allow_host
        Hosts that may be sent a layout. A server on this very machine needs no permission.
    timeout_s
        The time one layout may take, with every re-ask and every wait.
    request_timeout_s
        The time one request may take; None is all that is left for the layout.
    answer_tokens
        The length an answer may have.
    re_asks
        How often a wrong answer is sent back with what is wrong in it.
    hold
        Put a plan with a confidence of 0.7 to 0.9 under review instead of using it with a warning.
    budgets
        Limits of calls, tokens and cost.
    prices
        By model; a model on this machine costs nothing.
    job
        Whose budget per job is spent, such as the name of a run.
    """

    url: str | None = None
    model: str | None = None
    key: SecretStr | None = None
    allow_host: tuple[str, ...] = ()
    timeout_s: float = Field(90.0, gt=0)
    request_timeout_s: float | None = Field(None, gt=0)
    answer_tokens: int = Field(1500, ge=100)
    re_asks: int = Field(2, ge=0, le=2)
    hold: bool = False
    budgets: tuple[Budget, ...] = ()
    prices: Mapping[str, Price] = Field(default_factory=dict)
    job: str = ""

    @property
    def set_up(self) -> bool:
        """Whether there is an AI to ask."""
        return bool(self.url and self.model)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, **more: object) -> AiSettings:
        """Read ``BATCHLAB_AI_URL``, ``_MODEL``, ``_KEY``, ``_ALLOW_HOST``, ``_BUDGET``, ``_PRICE``, ``_TIMEOUT``...

        Parameters
        ----------
        environment
            The variables; by default the process's own. A key that is not among them is looked for in the keyring,
            where the extra ``batchlab[ai]`` is installed: service ``batchlab``, user name the endpoint's host.
        more
            Settings that win over the environment.

        Raises
        ------
        ConfigError
            If a variable cannot be understood.
        """
        variables = os.environ if environment is None else environment
        get = {name: variables.get(f"BATCHLAB_AI_{name}", "").strip() for name in _VARIABLES}
        values: dict[str, object] = {
            "url": get["URL"] or None,
            "model": get["MODEL"] or None,
            "allow_host": tuple(filter(None, re.split(r"[,\s]+", get["ALLOW_HOST"]))),
            "budgets": _budgets(get["BUDGET"]),
        }
        if get["HOLD"]:
            if get["HOLD"].lower() not in ("yes", "no", "1", "0", "true", "false"):
                raise ConfigError(f"BATCHLAB_AI_HOLD: {get['HOLD']!r} cannot be understood; give yes or no")
            values["hold"] = get["HOLD"].lower() in ("yes", "1", "true")
        if get["TIMEOUT"]:
            values["timeout_s"] = _number(get["TIMEOUT"], "BATCHLAB_AI_TIMEOUT", "seconds, such as 90")
        if get["PRICE"] and get["MODEL"]:
            prompt, _, completion = get["PRICE"].partition("/")
            meant = "two prices per million tokens, such as 0.15/0.60"
            values["prices"] = {
                get["MODEL"]: Price(
                    prompt=_number(prompt, "BATCHLAB_AI_PRICE", meant),
                    completion=_number(completion, "BATCHLAB_AI_PRICE", meant),
                )
            }
        if key := get["KEY"] or (_keyring(get["URL"]) if get["URL"] else None):
            values["key"] = SecretStr(key)
        return cls.model_validate({**values, **more})


_VARIABLES = ("URL", "MODEL", "KEY", "ALLOW_HOST", "BUDGET", "PRICE", "TIMEOUT", "HOLD")


def _budgets(text: str) -> tuple[Budget, ...]:
    budgets = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        matched = _BUDGET.fullmatch(part)
        if matched is None:
            raise ConfigError(
                f"BATCHLAB_AI_BUDGET: {part!r} is no budget; write '50 calls/day, 2 cost/month', of calls, tokens or "
                "cost, per job, day or month"
            )
        limit = _number(matched[1], "BATCHLAB_AI_BUDGET", "a number")
        budgets.append(Budget.model_validate({"limit": limit, "of": matched[2], "per": matched[3]}))
    return tuple(budgets)


def _number(text: str, variable: str, meant: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ConfigError(f"{variable}: {text!r} cannot be understood; give {meant}") from None
    if not 0 <= value < float("inf"):
        raise ConfigError(f"{variable}: {text!r} cannot be meant; give {meant}")
    return value


def _keyring(url: str) -> str | None:
    """The key that the system's keyring keeps for this host; None without the extra or without a keyring."""
    import importlib
    from urllib.parse import urlsplit

    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        return None
    try:
        found = keyring.get_password(_KEYRING_SERVICE, urlsplit(url).hostname or "")
    except keyring.errors.KeyringError:
        return None
    return found if isinstance(found, str) else None
