"""Commands that are imported when they are used: what is said of one that there is not."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from batchlab.cli._main import cli
from batchlab.options import LazyCommands


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("particles plt", "there is no command 'plt'; did you mean 'plot'?"),
        ("particles zzz", "there is no command 'zzz'; see `"),
    ],
)
def test_a_command_that_there_is_not_is_told_with_the_nearest(words: str, told: str) -> None:
    said = CliRunner().invoke(cli, words.split())
    assert said.exit_code == 2
    assert told in said.output


def test_a_command_that_there_is_is_run() -> None:
    @click.group(cls=LazyCommands, where={"command": ("batchlab.particles.cli._list:list_files", "Listed.")})
    def group() -> None:
        """A group."""

    assert CliRunner().invoke(group, ["command", "--help"]).exit_code == 0
    assert "did you mean 'command'" in CliRunner().invoke(group, ["comand"]).output
