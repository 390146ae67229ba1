"""What others ask of a runner, and what only looks like it."""

import os

from batchlab.engine import Ask, Command, drop_command
from batchlab.engine._commands import take_commands


def test_each_is_taken_once_and_in_order(tmp_path):
    folder = tmp_path / "commands"
    asked = [Command(Ask.PAUSE), Command(Ask.CANCEL, ("a", "b"), now=True), Command(Ask.RETRY, ("c",))]
    for at, command in enumerate(asked):
        drop_command(folder, command)
        newest = max(folder.iterdir(), key=lambda file: file.stat().st_ctime_ns)
        os.utime(newest, ns=(at, at))
    assert take_commands(folder) == asked
    assert take_commands(folder) == []
    assert list(folder.iterdir()) == []


def test_nothing_that_lies_there_can_break_or_hold_up_a_runner(tmp_path):
    drop_command(tmp_path, Command(Ask.RESUME))
    (tmp_path / "half.json").write_text('{"ask": "can')
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "deep.json").write_text("[" * 200_000)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    (tmp_path / "unknown.json").write_text('{"ask": "format-disk"}')
    (tmp_path / "none.json").write_text('{"ask": "cancel", "jobs": null}')
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "link.json").symlink_to("/dev/zero")
    (tmp_path / ".draft").write_text('{"ask": "cancel"}')
    assert take_commands(tmp_path) == [Command(Ask.RESUME)]
    assert take_commands(tmp_path) == []
    assert take_commands(tmp_path / "absent") == []
