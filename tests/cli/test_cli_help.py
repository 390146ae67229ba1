from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from batchlab.cli import cli
from batchlab.cli._main import _COMMANDS

HEAVY = ["numpy", "pydantic", "yaml", "jinja2", "rich", "matplotlib", "scipy", "batchlab.engine", "batchlab.reports"]

LOADED = """
import resource, sys
sys.argv = ["batchlab", "--help"]
from batchlab.cli import main
try:
    main()
except SystemExit as end:
    assert end.code == 0
    import json
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def test_help_loads_nothing_heavy(desk):
    done = subprocess.run([sys.executable, "-c", LOADED], env=desk.environment(), capture_output=True, text=True)
    assert "list-plugins" in done.stdout
    loaded = set(json.loads(done.stderr))
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize("name", list(_COMMANDS))
def test_every_command_is_there_and_has_help(name):
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name
    assert command.help
    assert "--traceback" in {word for parameter in command.params for word in parameter.opts}


def test_unknown_command_names_the_nearest(desk):
    done = desk("rnu", "batch.yaml")
    assert done.returncode == 2
    assert "did you mean 'run'?" in done.stderr


@pytest.mark.parametrize(
    "words", [["run"], ["run", "batch.yaml", "--wokers", "2"], ["run", "batch.yaml", "--workers", "0"], ["why"]]
)
def test_wrong_usage_is_exit_2_without_traceback(desk, words):
    (desk.folder / "out").mkdir()
    done = desk(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("batchlab: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


DOMAIN = """
import click

@click.group()
def petals():
    '''Count petals.'''

@petals.command()
@click.option("--bad", is_flag=True)
@click.pass_obj
def count(face, bad):
    from pathlib import Path
    from batchlab.engine import Batch, Job
    here = Path.cwd()
    sample = f"{here}/data/leaf_{'x' if bad else 1}.txt"
    job = Job(name="one", task=f"{here}/mytasks.py:measure", inputs={"sample": sample})
    return face.run_batch(Batch(name="petals", output=here / "petals", jobs=(job,)))
"""
ENTRIES = "[batchlab.commands]\npetals = petals_cli:petals\nwilted = wilted_cli:wilted\nodd = petals_cli:click\n"


def test_a_domains_commands_run_batches_and_a_broken_domain_harms_nothing(desk):
    desk.install(ENTRIES, {"petals_cli": DOMAIN, "wilted_cli": "import nowhere_to_be_found\n"})
    shown = desk("--help")
    assert shown.returncode == 0
    assert "Count petals." in shown.stdout
    told = " ".join(shown.stdout.split())  # where lines break depends on the longest name of a domain
    assert "(broken) ModuleNotFoundError: No module named 'nowhere_to_be_found'" in told
    assert "(broken) TypeError" in shown.stdout
    assert desk("petals", "count").returncode == 0
    assert (desk.folder / "petals/batch_report.html").is_file()
    assert desk("petals", "count", "--bad").returncode == 1
    wilted = desk("wilted", "anything", "--at-all")
    assert wilted.returncode == 2
    assert "nowhere_to_be_found" in wilted.stderr
    assert "Traceback" not in wilted.stderr


def test_list_plugins_shows_origin_and_what_is_broken(desk):
    task = (
        "from batchlab.engine import task\n"
        "@task(name='petals.count', version='1')\ndef count(ctx):\n    '''Counts.'''\n"
    )
    desk.install(
        ENTRIES + "[batchlab.tasks]\npetals.count = petals_tasks:count\npetals.gone = petals_tasks:gone\n",
        {"petals_cli": DOMAIN, "wilted_cli": "raise SystemExit(3)", "petals_tasks": task},
    )
    listed = desk.json("list-plugins")
    assert set(listed) == {"tasks", "commands", "demos", "panels"}
    commands = {each["name"]: each for each in listed["commands"]}
    assert commands["petals"]["error"] is None
    assert (commands["petals"]["distribution"], commands["petals"]["version"]) == ("made-up", "1.5")
    assert "SystemExit" in commands["wilted"]["error"]
    tasks = {each["name"]: each for each in listed["tasks"]}
    assert tasks["petals.count"]["summary"] == "Counts."
    assert "gone" in tasks["petals.gone"]["error"]
    text = desk("list-plugins", "--group", "tasks").stdout
    assert "petals.count" in text and "broken: " in text and "wilted" not in text


def test_an_error_of_our_own_is_told_without_and_with_its_traceback(desk):
    desk.install(
        "[batchlab.commands]\nodd = odd_cli:odd\n",
        {
            "odd_cli": "import click\n@click.command()\ndef odd():\n    raise ZeroDivisionError('nought')\n",
        },
    )
    plain = desk("odd")
    assert plain.returncode == 1
    assert "batchlab itself failed: ZeroDivisionError: nought" in plain.stderr
    assert "Traceback" not in plain.stderr
    assert "Traceback" in desk("--traceback", "odd").stderr


def test_schema_is_json_with_the_batch_files_keys(desk):
    schema = json.loads(desk("schema").stdout)
    assert {"batch", "output", "jobs", "settings"} <= set(schema["properties"])
