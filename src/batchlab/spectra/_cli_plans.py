"""``batchlab spectra plans``: how layouts are read, as files to look at, mend, pin and exchange; and ``--ai-show``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from batchlab.errors import BatchlabError, ConfigError, DataError

if TYPE_CHECKING:
    from batchlab.spectra._normalizer._cache import PlanCache
    from batchlab.spectra._normalizer._plan_file import StoredPlan

__all__ = ["ai_show_option", "plans", "show_requests"]

F = TypeVar("F", bound=Callable[..., Any])


def ai_show_option(function: F) -> F:
    """Give a command the flag ``--ai-show``; it hands its files to `show_requests` and does nothing else then."""
    told = "Print exactly what an AI would be sent about each file; send nothing."
    return click.option("--ai-show", is_flag=True, help=told)(function)


def show_requests(files: Sequence[str]) -> int:
    """Print the very bytes of the first request about each file, one per line, and send nothing.

    Parameters
    ----------
    files
        Data files. What is wrong with one is told on stderr; the others are shown all the same.

    Returns
    -------
    int
        The exit code.
    """
    from batchlab.spectra._normalizer._ai import first_request
    from batchlab.spectra._normalizer._endpoint import endpoint_of
    from batchlab.spectra._normalizer._proposal import NormalizationError
    from batchlab.spectra._normalizer._settings import AiSettings
    from batchlab.spectra._read._observation import observe

    settings = AiSettings.from_environment()
    try:
        click.echo(f"nothing is sent; to {endpoint_of(settings)} would go:", err=True)
    except NormalizationError as error:
        click.echo(f"nothing is sent, nor would be: {error}", err=True)
    wrong = 0
    for file in files:
        try:
            body = first_request(observe(file), settings)
        except BatchlabError as error:
            click.echo(str(error), err=True)
            wrong = 1
            continue
        click.echo(body)
    return wrong


@click.group("plans")
def plans() -> None:
    """How the layouts of text files are read: plans to look at, mend, pin and exchange.

    Where a command wants WHICH, give a layout's name (its first letters do), a plan file, or a data file of that
    layout.
    """


@plans.command("list")
@click.option("--json", "as_json", is_flag=True, help="A JSON list.")
def list_plans(as_json: bool) -> None:
    """List the plans that are known, pinned ones first."""
    found = _cache().all()
    if as_json:
        kept = ("fingerprint", "layout", "source", "model", "confidence", "created")
        click.echo(json.dumps([each.model_dump(mode="json", include=set(kept)) for each in found]))
        return
    if not found:
        click.echo("no plans are known yet; the rules read what they are sure of without any")
    for each in found:
        whose = each.model if each.model and each.source != "pinned" else each.source.value
        click.echo(f"{each.fingerprint[:12]}  {whose:<16.16}  {each.confidence:4.0%}  {each.layout}")


@plans.command("show")
@click.argument("which")
def show(which: str) -> None:
    """Show the plan of WHICH; of a data file, the one it would be read by, without asking an AI."""
    from batchlab.spectra._normalizer._plan_file import plan_text

    click.echo(plan_text(_named(which)), nl=False)


@plans.command("export")
@click.argument("which")
@click.option("-o", "--output", metavar="FILE", help="By default LAYOUT.plan.json in this folder.")
def export(which: str, output: str | None) -> None:
    """Write the plan of WHICH to a file, to edit it or give it away."""
    from batchlab.spectra._normalizer._plan_file import plan_text

    stored = _named(which)
    path = Path(output or f"{stored.fingerprint[:12] or 'layout'}.plan.json")
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(plan_text(stored))
    except FileExistsError:
        raise ConfigError(f"{path} is there already; choose another name with --output") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error}") from error
    click.echo(str(path))


@plans.command("import")
@click.argument("plan_files", nargs=-1, required=True, metavar="PLAN...")
def import_plans(plan_files: tuple[str, ...]) -> None:
    """Pin plans that somebody exported: files of their layouts are read by them."""
    from batchlab.spectra._normalizer._plan_file import read_plan

    read = [(file, read_plan(Path(file))) for file in plan_files]
    for file, stored in read:
        if len(stored.fingerprint) != 64:
            raise ConfigError(
                f"{file} does not say which layout it reads; pin it with a data file: batchlab spectra plans pin DATA "
                f"--plan {file}"
            )
    for _, stored in read:
        _cache().pin(stored)
        click.echo(f"pinned {stored.fingerprint[:12]}  {stored.layout}")


@plans.command("pin")
@click.argument("which")
@click.option("--plan", "plan_file", metavar="PLAN", help="The plan to pin, instead of the one that is known.")
@click.option("--force", is_flag=True, help="Even if it does not fit the data file.")
def pin(which: str, plan_file: str | None, force: bool) -> int:
    """Approve a plan: files of this layout are read by it, whatever rules and AI say."""
    from batchlab.spectra._normalizer._cache import moved
    from batchlab.spectra._normalizer._plan_file import read_plan

    stored = _layout(which) if plan_file is not None else _named(which)
    if plan_file is not None:
        given = read_plan(Path(plan_file))
        plan = moved(given.plan, given.table_line, stored.table_line)
        stored = stored.model_copy(update={"plan": plan, "confidence": 1.0, "reason": given.reason})
    if _is_data(which) and not force and (problems := _problems(stored, which)):
        raise ConfigError(f"the plan does not fit {which}: {'; '.join(problems)}; --force pins it all the same")
    _cache().pin(stored)
    click.echo(f"pinned {stored.fingerprint[:12]}  {stored.layout}")
    return 0


@plans.command("unpin")
@click.argument("which")
def unpin(which: str) -> None:
    """Let rules and AI decide again how a layout is read."""
    layout = _named(which).fingerprint
    _cache().unpin(layout)
    click.echo(f"unpinned {layout[:12]}")


@plans.command("diff")
@click.argument("which")
@click.argument("other", required=False)
def diff(which: str, other: str | None) -> None:
    """Tell how two plans differ; for one data file, the rules' plan and the known one."""
    from batchlab.spectra._normalizer._plan_diff import differences

    if other is None:
        if not _is_data(which):
            raise ConfigError("give two plans, or one data file")
        first, second = _of_rules(which), _named(which)
    else:
        first, second = _named(which), _named(other)
    found = differences(first.plan, second.plan)
    for name, before, after in found:
        click.echo(f"{name}: {json.dumps(before)} -> {json.dumps(after)}")
    if not found:
        click.echo("they read alike")


@plans.command("check")
@click.argument("plan_file", metavar="PLAN")
@click.argument("data_files", nargs=-1, metavar="[DATA]...")
def check(plan_file: str, data_files: tuple[str, ...]) -> int:
    """Check a plan file, and whether it reads data files."""
    from batchlab.spectra._normalizer._plan_file import read_plan

    stored = read_plan(Path(plan_file))
    wrong = 0
    for file in data_files:
        problems = _problems(stored, file)
        wrong |= bool(problems)
        click.echo(f"{file}: {'; '.join(problems) or 'fits'}")
    if not data_files:
        click.echo(f"{plan_file}: is a plan")
    return int(wrong)


@plans.command("calls")
@click.option("--json", "as_json", is_flag=True, help="A JSON list.")
def calls(as_json: bool) -> None:
    """Tell what an AI was asked so far, and what it cost."""
    from batchlab.spectra._normalizer._calls import Calls

    account = Calls()
    rows = account.rows()
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows[-50:]:
        layout = str(row["layout"])[:12]
        cost = f"{row['cost']:.4g}" if row["reported"] else "not reported"
        click.echo(f"{layout}  {row['model']}  {row['outcome']}  saved {row['saved']} more  cost {cost}")
    click.echo(str(account.summary()))


@plans.command("request")
@click.argument("files", nargs=-1, required=True, metavar="DATA...")
def request(files: tuple[str, ...]) -> int:
    """Print exactly what an AI would be sent about data files; send nothing."""
    return show_requests(files)


def _cache() -> PlanCache:
    from batchlab.spectra._normalizer._cache import PlanCache

    return PlanCache()


def _is_data(which: str) -> bool:
    return Path(which).is_file() and not which.lower().endswith(".json")


def _named(which: str) -> StoredPlan:
    """The plan that somebody means."""
    from batchlab.spectra._normalizer._plan_file import read_plan

    if which.lower().endswith(".json"):
        return read_plan(Path(which))
    if not _is_data(which):
        return _cache().find(which)
    from batchlab.spectra._normalizer._cache import stored_plan
    from batchlab.spectra._read._observation import observe

    observation = observe(which)
    known = _cache().propose(observation)
    return stored_plan(known, observation) if known is not None else _of_rules(which)


def _layout(which: str) -> StoredPlan:
    """A layout that a plan is to be pinned for; of a data file, though neither rules nor anybody can read it."""
    if not _is_data(which):
        return _named(which)
    from batchlab.spectra._normalizer._cache import stored_plan
    from batchlab.spectra._normalizer._proposal import Proposal, Source
    from batchlab.spectra._plan import Plan
    from batchlab.spectra._read._observation import observe

    return stored_plan(Proposal(plan=Plan.model_validate({}), source=Source.PINNED, confidence=1.0), observe(which))


def _of_rules(file: str) -> StoredPlan:
    from batchlab.spectra._normalizer._cache import stored_plan
    from batchlab.spectra._normalizer._normalize import RuleProposer
    from batchlab.spectra._read._observation import observe

    observation = observe(file)
    proposal = RuleProposer().propose(observation)
    if proposal is None:
        raise ConfigError(f"{file}: the rules find no table in it; write a plan by hand and pin it with --plan")
    return stored_plan(proposal, observation)


def _problems(stored: StoredPlan, file: str) -> tuple[str, ...]:
    """What the dry run finds wrong, its lines moved to where this file has its table."""
    from batchlab.spectra._normalizer._cache import moved, table_line
    from batchlab.spectra._normalizer._dry_run import dry_run
    from batchlab.spectra._read._observation import observe

    try:
        observation = observe(file)
        return dry_run(moved(stored.plan, stored.table_line, table_line(observation)), observation).problems
    except DataError as error:
        return (str(error),)
