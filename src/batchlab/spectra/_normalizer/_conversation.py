"""What is said to an AI and what comes back: requests as bytes, replies as answers; no connection, no clock.

Servers that call themselves compatible differ in what they take, so a request is written in a dialect, and a server
that refuses one is spoken to in the next.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from batchlab.spectra._normalizer._client import Reply
from batchlab.spectra._normalizer._proposal import NormalizationError

__all__ = ["Answer", "Dialect", "Mode", "Usage", "answer_of", "request_body"]


class Mode(StrEnum):
    """How a server is asked for JSON, the strictest first."""

    JSON_SCHEMA = "json_schema"
    JSON_OBJECT = "json_object"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Dialect:
    """The form of requests that a server takes."""

    mode: Mode = Mode.JSON_SCHEMA
    limit_word: str = "max_tokens"
    temperature: bool = True

    def after_refusal(self, words: str) -> Dialect | None:
        """The form to try next after a status 400 with these words; None when there is none left."""
        words = words.lower()
        if self.limit_word == "max_tokens" and "max_completion_tokens" in words:
            return dataclasses.replace(self, limit_word="max_completion_tokens")
        if self.temperature and "temperature" in words:
            return dataclasses.replace(self, temperature=False)
        modes = list(Mode)
        rest = modes[modes.index(self.mode) + 1 :]
        return dataclasses.replace(self, mode=rest[0]) if rest else None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a call, as the server counted them."""

    prompt: int = 0
    completion: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an AI wrote."""

    text: str
    cut: bool  # it ended at the limit of tokens
    usage: Usage | None


def request_body(
    messages: Sequence[tuple[str, str]], schema: dict[str, Any], *, model: str, answer_tokens: int, dialect: Dialect
) -> bytes:
    """Write a request.

    Parameters
    ----------
    messages
        Role and text of each.
    schema
        What an answer must look like.
    model, answer_tokens, dialect
        Whom to ask, the longest answer, the form.

    Returns
    -------
    bytes
        The body, UTF-8, equal for equal arguments.
    """
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": role, "content": text} for role, text in messages],
        dialect.limit_word: answer_tokens,
        "stream": False,
    }
    if dialect.temperature:
        body["temperature"] = 0
    if dialect.mode is Mode.JSON_SCHEMA:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "plan", "strict": True, "schema": schema},
        }
    else:
        # Such a server shows the model no schema, so it is told in words.
        told = "\n\nThe JSON Schema of the answer:\n" + json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
        body["messages"][0]["content"] += told
        if dialect.mode is Mode.JSON_OBJECT:
            body["response_format"] = {"type": "json_object"}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def answer_of(reply: Reply) -> Answer:
    """Take the answer out of a reply of status 200.

    Raises
    ------
    NormalizationError
        Reason ``refused``: the model declined; ``service``: the reply is none of a chat completion.
    """
    choices = reply.body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise NormalizationError(
            "the server's reply is none of a chat completion; is BATCHLAB_AI_URL the address of one?", reason="service"
        )
    if message.get("refusal"):
        raise NormalizationError("the model declined to answer", reason="refused")
    content = message.get("content")
    if isinstance(content, list):  # some servers part it
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return Answer(
        text=content if isinstance(content, str) else "",
        cut=choice.get("finish_reason") == "length",
        usage=_usage(reply.body.get("usage")),
    )


def _usage(usage: object) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    counts = [usage.get("prompt_tokens"), usage.get("completion_tokens")]
    numbers = [each if isinstance(each, int) and each >= 0 else 0 for each in counts]
    return Usage(*numbers) if any(numbers) else None
