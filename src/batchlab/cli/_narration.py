"""A run in the log, for those who ask for it: what is planned and why, and each job's beginning and end."""

from __future__ import annotations

import logging
from collections import Counter

from batchlab.cli._words import counted, duration, failure_word, number, one_line
from batchlab.engine import Notice, Plan

log = logging.getLogger(__name__)

SHOWN_REASONS = 10


def narrate_plan(made: Plan) -> None:
    """Log how many jobs would run or not, for each reason."""
    found = Counter((str(each.verdict), one_line(each.reason)) for each in made.jobs)
    for (verdict, reason), count in found.most_common(SHOWN_REASONS):
        log.info("plan: %s %s: %s", number(count), verdict, reason)
    if len(found) > SHOWN_REASONS:
        log.info("plan: and %s more", counted(len(found) - SHOWN_REASONS, "reason"))


def narrate(notice: Notice) -> None:
    """Log a job's beginning, stages and end; a listener."""
    facts, job = notice.facts, one_line(notice.job or "")
    if notice.kind == "job-started":
        log.info("%s: attempt %s starts", job, facts["attempt"])
    elif notice.kind == "stage" and facts["stage"]:
        log.debug("%s: %s", job, one_line(facts["stage"]))
    elif notice.kind == "warning":
        log.info("%s: warns: %s", job, one_line(facts["text"]))
    elif notice.kind == "retry":
        log.info("%s: to be tried again: %s", job, one_line(failure_word(facts["category"], None, facts["message"])))
    elif notice.kind == "job-ended":
        why = f": {failure_word(facts['category'], facts.get('reason'))}" if facts.get("category") else ""
        took = f" in {duration(facts['elapsed_s'])}" if facts.get("elapsed_s") is not None else ""
        log.info("%s: %s%s, %s%s", job, facts["state"], took, counted(facts["attempts"], "attempt"), why)
