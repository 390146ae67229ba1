"""Asking an AI for a plan: few, bounded, accounted calls, each layout once, the answer judged before it counts."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from batchlab.spectra._normalizer._answer import InvalidAnswerError, plan_of
from batchlab.spectra._normalizer._cache import PlanCache, stored_plan
from batchlab.spectra._normalizer._calls import Calls
from batchlab.spectra._normalizer._client import Reply, post
from batchlab.spectra._normalizer._conversation import Answer, Dialect, Usage, answer_of, request_body
from batchlab.spectra._normalizer._dry_run import Verdict, dry_run
from batchlab.spectra._normalizer._endpoint import Endpoint, endpoint_of
from batchlab.spectra._normalizer._payload import fingerprint, masked
from batchlab.spectra._normalizer._prompt import PROMPT_VERSION, SYSTEM, answer_schema
from batchlab.spectra._normalizer._proposal import NormalizationError, Proposal, Source
from batchlab.spectra._normalizer._settings import AiSettings, Price
from batchlab.spectra._plan import Plan
from batchlab.spectra._read._observation import Observation

__all__ = ["AiProposer", "first_request"]

_MOST_WAITS = 3
_PAUSE_S = 60.0  # after a failure that every layout would meet
_FOR_ALL = frozenset({"unreachable", "timeout", "access", "model"})
# How long a failure is believed by other workers, in seconds. What a setting mends is believed hardly at all.
_BELIEVED_S = {
    "invalid-answer": 3600.0,
    "refused": 3600.0,
    "timeout": 300.0,
    "unreachable": 300.0,
    "busy": 300.0,
    "service": 300.0,
    "access": 20.0,
    "model": 20.0,
}
_NO_PRICE = Price(prompt=0, completion=0)


def first_request(observation: Observation, settings: AiSettings, dialect: Dialect | None = None) -> bytes:
    """The very bytes that an AI would be sent first about a file; nothing is sent."""
    return request_body(
        _opening(observation),
        answer_schema(),
        model=settings.model or "",
        answer_tokens=settings.answer_tokens,
        dialect=dialect or Dialect(),
    )


class AiProposer:
    """An OpenAI-compatible AI as a source of plans.

    Parameters
    ----------
    settings
        Which AI, and the terms it is used on.
    cache
        Where its plans are kept, and where those who ask for one layout at once meet.
    calls
        The account of calls.
    judge
        Tries a plan on the file; what it finds wrong is sent back.
    sleep, clock
        For waiting as the server wishes, and for the time that has passed.
    """

    def __init__(
        self,
        settings: AiSettings,
        *,
        cache: PlanCache | None = None,
        calls: Calls | None = None,
        judge: Callable[[Plan, Observation], Verdict] = dry_run,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._cache = cache or PlanCache()
        self._calls = calls or Calls()
        self._judge = judge
        self._sleep = sleep
        self._clock = clock
        self._dialect = Dialect()
        self._pause: tuple[float, NormalizationError] | None = None

    def propose(self, observation: Observation) -> Proposal:
        """Ask how a layout is read, unless somebody has asked meanwhile.

        Raises
        ------
        NormalizationError
            If no usable plan came of it.
        """
        endpoint = endpoint_of(self._settings)
        asked = f"{self._settings.model} at {endpoint}, prompt {PROMPT_VERSION}"
        layout = fingerprint(observation)
        with self._cache.alone(layout):
            if (known := self._cache.propose(observation)) is not None:
                return known
            if (failure := self._cache.failure(layout, asked)) is not None:
                raise NormalizationError(failure.message, reason=failure.reason)
            if self._pause is not None and self._clock() < self._pause[0]:
                raise NormalizationError(str(self._pause[1]), reason=self._pause[1].reason)
            try:
                proposal = self._ask(observation, endpoint, layout)
            except NormalizationError as error:
                reason = error.reason or ""
                if reason in _FOR_ALL:
                    self._pause = (self._clock() + _PAUSE_S, error)
                if keep_s := _BELIEVED_S.get(reason):
                    self._cache.put_failure(layout, reason=reason, message=str(error), asked=asked, keep_s=keep_s)
                raise
            self._cache.put(stored_plan(proposal, observation, prompt_version=PROMPT_VERSION))
            return proposal

    def _ask(self, observation: Observation, endpoint: Endpoint, layout: str) -> Proposal:
        """Ask, and send back what is wrong, until the plan is right or there were enough re-asks."""
        deadline = self._clock() + self._settings.timeout_s
        messages = _opening(observation)
        problem = ""
        for attempt in range(self._settings.re_asks + 1):
            answer, call = self._complete(messages, endpoint, layout, deadline)
            plan, problem = self._judged(answer, observation)
            if plan is not None:
                self._calls.judge(call, "ok" if not attempt else f"ok, re-ask {attempt}")
                return Proposal(
                    plan=plan,
                    source=Source.AI,
                    confidence=plan.confidence,
                    reason=plan.reason,
                    model=self._settings.model,
                )
            self._calls.judge(call, "invalid")
            messages = [
                *_opening(observation),
                ("assistant", answer.text[:6000] or "{}"),
                ("user", f"This plan cannot be used: {problem}. Mend it and answer with the whole JSON object alone."),
            ]
        raise NormalizationError(
            f"{self._settings.model} gave no usable plan in {self._settings.re_asks + 1} answers; the last was wrong: "
            f"{problem}",
            reason="invalid-answer",
        )

    def _judged(self, answer: Answer, observation: Observation) -> tuple[Plan | None, str]:
        """The plan in an answer, or what is wrong with it."""
        try:
            plan = plan_of(answer.text, observation)
        except InvalidAnswerError as error:
            if answer.cut:
                return None, f"the answer was cut off after {self._settings.answer_tokens} tokens; answer shorter"
            return None, str(error)
        verdict = self._judge(plan, observation)
        return (plan, "") if verdict.passed else (None, "; ".join(verdict.problems))

    def _complete(
        self, messages: list[tuple[str, str]], endpoint: Endpoint, layout: str, deadline: float
    ) -> tuple[Answer, int]:
        """Get one answer, in the form of request that the server takes, waiting where it asks to."""
        waits = 0
        while True:
            body = request_body(
                messages,
                answer_schema(),
                model=self._settings.model or "",
                answer_tokens=self._settings.answer_tokens,
                dialect=self._dialect,
            )
            error: NormalizationError
            reply: Reply | None = None
            try:
                reply, call, answer = self._post(body, endpoint, layout, deadline)
                if answer is not None:
                    return answer, call
                if reply.status in (400, 422) and (other := self._dialect.after_refusal(reply.error)) is not None:
                    self._dialect = other
                    continue
                error = _error_of(reply, endpoint, self._settings.model or "")
            except NormalizationError as failed:
                error = failed
            again = error.reason == "busy" or (error.reason in ("unreachable", "service") and waits == 0)
            wait_s = _wait_s(reply, waits)
            if not again or waits >= _MOST_WAITS or self._clock() + wait_s >= deadline:
                raise error
            waits += 1
            self._sleep(wait_s)

    def _post(self, body: bytes, endpoint: Endpoint, layout: str, deadline: float) -> tuple[Reply, int, Answer | None]:
        """Make one call, entered in the account before and after."""
        settings = self._settings
        left = deadline - self._clock()
        if left <= 0:
            raise NormalizationError(f"the {settings.timeout_s:g} s for one layout are over", reason="timeout")
        price = settings.prices.get(settings.model or "", _NO_PRICE if endpoint.local else None)
        # Three bytes a token is less than any text of this kind has.
        most = Usage(prompt=-(-len(body) // 3), completion=settings.answer_tokens)
        call = self._calls.begin(
            job=settings.job,
            layout=layout,
            host=endpoint.host,
            model=settings.model or "",
            most=most,
            price=price,
            budgets=settings.budgets,
        )
        begun, outcome, usage = self._clock(), "interrupted", None
        try:
            reply = post(
                endpoint,
                body,
                key=settings.key.get_secret_value() if settings.key else None,
                timeout_s=min(left, settings.request_timeout_s or left),
            )
            outcome = f"status {reply.status}"
            if reply.status != 200:
                usage = Usage()
                return reply, call, None
            answer = answer_of(reply)
            outcome, usage = "answered", answer.usage
            return reply, call, answer
        except NormalizationError as error:
            outcome = error.reason or "service"
            raise
        finally:
            self._calls.end(call, outcome=outcome, seconds=self._clock() - begun, usage=usage, price=price)


def _opening(observation: Observation) -> list[tuple[str, str]]:
    return [("system", SYSTEM), ("user", masked(observation))]


def _error_of(reply: Reply, endpoint: Endpoint, model: str) -> NormalizationError:
    """What a reply other than 200 means, and the mend."""
    said = f" ({reply.error})" if reply.error else ""
    if reply.status in (401, 403):
        return NormalizationError(
            f"{endpoint.host} refuses the key{said}; set BATCHLAB_AI_KEY to one that may use {model}", reason="access"
        )
    if reply.status == 404:
        return NormalizationError(
            f"{endpoint} knows no model {model!r} or is no such address{said}; set BATCHLAB_AI_MODEL or "
            "BATCHLAB_AI_URL",
            reason="model",
        )
    if 300 <= reply.status < 400:
        return NormalizationError(
            f"{endpoint.host} sends requests on to another address, which is not followed; set BATCHLAB_AI_URL to it",
            reason="service",
        )
    if reply.status in (429, 503):
        return NormalizationError(f"{endpoint.host} is busy, status {reply.status}{said}; try later", reason="busy")
    if reply.status >= 500:
        return NormalizationError(f"{endpoint.host} failed with status {reply.status}{said}", reason="service")
    return NormalizationError(f"{endpoint.host} refuses the request, status {reply.status}{said}", reason="refused")


def _wait_s(reply: Reply | None, waits: int) -> float:
    """How long to wait: what the server asks for, else longer each time, never all workers at one instant."""
    if reply is not None and reply.retry_after:
        text = reply.retry_after.strip()
        try:
            return max(0.0, float(text))
        except ValueError:
            pass
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
        except ValueError:
            pass
    return float(2**waits) * random.uniform(0.5, 1.0)
