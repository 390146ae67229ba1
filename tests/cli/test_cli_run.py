from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios

import pytest
from cli_desk import BATCH, release


def test_a_batch_with_a_bad_file_ends_with_1_and_says_all_there_is(desk):
    done = desk("run", "batch.yaml")
    assert done.returncode == 1
    assert done.stdout == ""
    told = done.stderr
    assert "leaves: 4 jobs to run" in told
    assert "failed: m/leaf_x: invalid-input (not-a-number)" in told
    assert "3  done now" in told
    assert "1  failed" in told
    assert "mend the file or leave it out" in told
    assert "report   out/batch_report.html" in told
    assert told.rstrip().splitlines()[-1].strip() == "more     batchlab why out m/leaf_x"
    assert (desk.folder / "out/batch_report.html").is_file()
    assert (desk.folder / "out/leaf_2.txt").read_text() == "4.0"
    assert "\x1b" not in told


def test_what_is_done_is_found_done_and_fresh_does_it_anew(good_desk):
    assert good_desk("run", "batch.yaml").returncode == 0
    again = good_desk("run", "batch.yaml")
    assert again.returncode == 0
    assert "nothing to do, all was done before" in again.stderr
    assert "3  done now" in good_desk("run", "batch.yaml", "--fresh").stderr
    assert "1  done now" in good_desk("run", "batch.yaml", "--fresh", "--only", "*leaf_2").stderr


def test_quiet_says_nothing_of_success_and_one_line_of_failure(desk):
    done = desk("run", "batch.yaml", "-q", "--only", "m/leaf_1", "--no-report")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (desk.folder / "out/batch_report.html").exists()
    done = desk("run", "batch.yaml", "-q")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"leaves: 1 failed; batchlab status {desk.folder}/out"]


def test_a_part_of_a_batch_is_told_as_a_part(desk):
    first = desk("run", "batch.yaml", "--only", "m/leaf_[12]")
    assert first.returncode == 0
    assert "leaves  all of the 2 jobs asked for are done in " in first.stderr
    assert "2  left to do" in first.stderr
    again = desk("run", "batch.yaml", "--only", "m/leaf_1").stderr
    assert "leaves  nothing to do, the job asked for was done before\n" in again
    assert "3  left to do" not in again and "all was done" not in again
    desk("run", "batch.yaml", "-q")
    later = desk("run", "batch.yaml", "--only", "m/leaf_[12]", "--fresh")
    assert later.returncode == 0
    assert "; 1 other failed earlier" in later.stderr


def test_quiet_counts_what_failed_and_what_that_blocked(desk):
    desk.write(
        "batch.yaml",
        BATCH + "  - id: total\n    task: ./mytasks.py:total\n    inputs: {table: {from: m, gather: all}}\n",
    )
    done = desk("run", "batch.yaml", "-q")
    assert done.stderr == f"leaves: 1 failed, 1 blocked; batchlab status {desk.folder}/out\n"


def test_verbose_tells_the_plan_and_each_job(desk):
    told = desk("run", "batch.yaml", "-v").stderr
    assert "plan: 4 run: new" in told
    assert "m/leaf_1: attempt 1 starts" in told
    assert re.search(r"^m/leaf_1: done in \d+ ms, 1 attempt$", told, re.MULTILINE)
    assert re.search(r"^m/leaf_x: failed in .*, 1 attempt: invalid-input \(not-a-number\)$", told, re.MULTILINE)


def test_the_words_of_a_failure_are_told_once(desk):
    desk.write("mytasks.py", "def measure(ctx):\n    raise ValueError('no good ' + 'x' * 400)\n")
    desk.write("batch.yaml", BATCH + "settings: {retries: 0}\n")
    told = desk("run", "batch.yaml", "--only", "m/leaf_1").stderr
    (line,) = [line for line in told.splitlines() if "] failed: " in line]
    assert "failed: m/leaf_1: generic: ValueError: no good xxx" in line
    assert "xxx...xxx" in line and len(line) < 260
    assert told.count("ValueError") == 2  # in the line, and over the group


@pytest.mark.parametrize("words", [["plan"], ["run", "-n"], ["run", "--dry-run"]])
def test_a_plan_runs_nothing(desk, words):
    done = desk(words[0], "batch.yaml", *words[1:])
    assert done.returncode == 0
    assert [line.split() for line in done.stdout.splitlines()[:2]] == [
        ["run", "m/leaf_1", "new"],
        ["run", "m/leaf_2", "new"],
    ]
    assert done.stdout.splitlines()[-1] == "leaves: 4 jobs: 4 run"
    assert not (desk.folder / "out").exists()


def test_a_plan_as_json_says_what_would_run_and_why(desk):
    desk("run", "batch.yaml", "-q")
    desk.write("data/leaf_2.txt", "22")
    made = desk.json("plan", "batch.yaml")
    assert made["batch"] == "leaves"
    assert made["counts"] == {"run": 1, "skip": 2, "stale": 1, "blocked": 0}
    jobs = {job["name"]: job for job in made["jobs"]}
    assert set(jobs["m/leaf_1"]) == {"name", "task", "state", "reason"}
    assert jobs["m/leaf_1"]["task"] == "../mytasks.py:measure" == desk.json("status", "out")["jobs"][0]["task"]
    assert jobs["m/leaf_2"]["state"] == "stale"
    assert jobs["m/leaf_2"]["reason"] == "input sample: leaf_2.txt has changed"
    assert jobs["m/leaf_x"]["reason"] == "failed before: invalid-input (not-a-number)"


def test_json_lines_are_events_and_last_the_status(desk):
    done = desk("run", "batch.yaml", "--json")
    assert done.returncode == 1
    *events, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["event"] == "batch-started"
    assert set(events[0]) == {"event", "at_s", "batch", "total", "found_done", "workers", "pending"}
    assert set(events[0]["pending"]) == {"../mytasks.py:measure"}
    assert {e["task"] for e in events if e["event"] == "job-ended"} == {"../mytasks.py:measure"}
    assert events[-1]["event"] == "batch-ended"
    assert {each["job"] for each in events if each["event"] == "job-ended"} == {job["name"] for job in last["jobs"]}
    assert last == desk.json("status", "out")
    assert done.stderr == ""


def test_a_reader_that_leaves_early_is_no_trouble(desk):
    process = subprocess.Popen(
        desk.command("run", "batch.yaml", "--json"),
        cwd=desk.folder,
        env=desk.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    process.wait()
    assert told == ""
    assert process.returncode == 1  # one of its files is bad, and that alone counts
    assert desk.json("status", "out")["counts"]["done"] == 3


def test_all_mistakes_are_told_with_line_and_column_and_the_nearest_key(desk):
    desk.write("batch.yaml", BATCH.replace("inputs:", "inptus:") + "setings: {}\n")
    done = desk("run", "batch.yaml")
    assert done.returncode == 2
    assert "batch.yaml, line 6, column 5" in done.stderr
    assert "did you mean 'inputs'?" in done.stderr
    assert "batch.yaml, line 8, column 1" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (desk.folder / "out").exists()
    assert "Traceback" in desk("run", "batch.yaml", "--traceback").stderr


def test_wrong_params_are_exit_2(desk):
    desk.write("batch.yaml", BATCH + "    params: {fcator: 3}\n")
    done = desk("run", "batch.yaml")
    assert done.returncode == 2
    assert "fcator" in done.stderr and "factor" in done.stderr


def test_a_folder_of_another_batch_is_exit_3(good_desk):
    good_desk("run", "batch.yaml", "-q")
    good_desk.write("other.yaml", BATCH.replace("leaves", "petals"))
    done = good_desk("run", "other.yaml")
    assert done.returncode == 3
    assert "belongs to the batch 'leaves'" in done.stderr
    assert good_desk("status", "data").returncode == 3


def test_values_given_with_set_are_used_and_secrets_are_not_repeated(good_desk):
    good_desk.write(
        "batch.yaml",
        BATCH.replace("output: out", "output: ${where}").replace("data/leaf_*.txt", "'${data}/leaf_*.txt'"),
    )
    assert good_desk("run", "batch.yaml", "-q", "--set", "where=there", "--set", "data=data").returncode == 0
    assert (good_desk.folder / "there/leaf_1.txt").is_file()
    for words in (["--set", "sesame-open"], ["--set", "password=sesame-open"]):
        done = good_desk("run", "batch.yaml", *words)
        assert done.returncode == 2
        assert "sesame-open" not in done.stdout + done.stderr
    good_desk.write("batch.yaml", BATCH + "    params: {factor: '${token}'}\n")
    done = good_desk("run", "batch.yaml", "--set", "token=sesame-open")
    assert done.returncode == 2
    assert "factor" in done.stderr
    assert "sesame-open" not in done.stdout + done.stderr


def test_workers_and_output_from_the_command_line(good_desk):
    done = good_desk("run", "batch.yaml", "--workers", "1", "--output", "elsewhere")
    assert done.returncode == 0
    assert "1 worker" in done.stderr.splitlines()[0]
    assert (good_desk.folder / "elsewhere/leaf_1.txt").is_file()
    assert good_desk("run", "batch.yaml", "--workers", "auto", "--fresh", "-q").returncode == 0


def test_items_that_failed_count_in_every_exit_code(desk):
    desk.write(
        "batch.yaml",
        BATCH.replace(":measure", ":many")
        .replace("sample: data/", "samples: {all: data/")
        .replace("*.txt}", "*.txt}}")
        .split("    outputs")[0],
    )
    first = desk("run", "batch.yaml")
    assert first.returncode == 1
    assert "1  item failed" in first.stderr
    assert desk("run", "batch.yaml").returncode == 1


def test_retry_runs_what_failed_from_the_folder_alone(desk):
    desk("run", "batch.yaml", "-q")
    (desk.folder / "batch.yaml").unlink()
    desk.write("data/leaf_x.txt", "7")
    done = desk("retry", "out")
    assert done.returncode == 0, done.stderr
    assert "1  done now" in done.stderr
    assert (desk.folder / "out/leaf_x.txt").read_text() == "14.0"


# stopping


@pytest.fixture(autouse=True)
def processes():
    """Processes that are ended with the test, should it fail."""
    begun: list[subprocess.Popen] = []
    yield begun
    for process in begun:
        if process.poll() is None:
            process.kill()
            process.communicate()


def started(desk, processes):
    """A run with JSON lines, once its first job is at work."""
    process = subprocess.Popen(
        desk.command("run", "batch.yaml", "--json"),
        cwd=desk.folder,
        env=desk.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    processes.append(process)
    until(process, "stage")
    return process


def until(process, event):
    """Read the run's lines up to this event."""
    while json.loads(process.stdout.readline())["event"] != event:
        pass


@pytest.fixture
def patient_desk(good_desk):
    good_desk.write("batch.yaml", BATCH.replace(":measure", ":patient").split("    outputs")[0])
    return good_desk


def test_ctrl_c_stops_in_good_order_with_130(patient_desk, processes):
    process = started(patient_desk, processes)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate()
    assert process.returncode == 130
    last = json.loads(rest.splitlines()[-1])
    assert last["state"] == "cancelled"
    assert last["counts"]["running"] == 0
    assert (patient_desk.folder / "out/batch_report.html").is_file()


def test_cancel_from_another_process(patient_desk, processes):
    process = started(patient_desk, processes)
    asked = patient_desk("cancel", "out")
    assert (asked.returncode, asked.stdout) == (0, "leaves: asked to stop\n")
    process.communicate()
    assert process.returncode == 130
    late = patient_desk("cancel", "out")
    assert late.returncode == 0
    assert "nothing runs there (cancelled)" in late.stdout
    assert list((patient_desk.folder / "out/.batchlab/commands").iterdir()) == []


def test_a_second_run_of_the_same_folder_is_exit_3(patient_desk, processes):
    process = started(patient_desk, processes)
    second = patient_desk("run", "batch.yaml")
    assert second.returncode == 3
    assert "is being run by process" in second.stderr
    assert patient_desk.json("status", "out")["state"] == "running"
    patient_desk("cancel", "out", "--now")
    process.communicate()


def test_a_run_can_be_paused_and_asked_to_go_on(held_desk, processes):
    held_desk.write("batch.yaml", (held_desk.folder / "batch.yaml").read_text() + "settings: {workers: 1}\n")
    process = started(held_desk, processes)
    assert held_desk("pause", "out").stdout.startswith("leaves: asked to pause")
    until(process, "paused")
    release(held_desk, 1)
    until(process, "job-ended")
    assert held_desk.json("status", "out")["counts"]["pending"] == 2
    assert held_desk("retry", "out").stdout == "leaves: asked to try its failed jobs again\n"
    assert held_desk("resume", "out").returncode == 0
    until(process, "resumed")
    release(held_desk, 2)
    release(held_desk, 3)
    process.communicate()
    assert process.returncode == 0


# terminals


def on_terminal(processes, desk, *words, columns=100, rows=30, **env):
    """The command on a terminal of its own; answers process and the terminal's other end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        desk.command(*words),
        cwd=desk.folder,
        env=desk.environment(**{"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **env}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    processes.append(process)
    os.close(theirs)
    return process, ours


def read_until(terminal: int, *words: str) -> str:
    """What the terminal shows until it has shown all these words; without words, until it closes."""
    shown = b""
    while not words or not all(word.encode() in shown for word in words):
        try:
            more = os.read(terminal, 65536)
        except OSError:
            more = b""
        if not more:
            assert not words, f"{words} never came: {shown.decode(errors='replace')}"
            break
        shown += more
    return shown.decode(errors="replace")


def test_a_terminal_shows_a_bar_with_jobs_stages_and_time_left(held_desk, processes):
    process, terminal = on_terminal(processes, held_desk, "run", "batch.yaml", "--workers", "1")
    first = read_until(terminal, "─", "m/leaf_1", "holding", "so far")
    assert "time left not known yet" in first
    assert "\x1b[" in first
    release(held_desk, 1)
    assert " left" in read_until(terminal, "━", "m/leaf_2", "1 of 3 jobs done", "33 %")
    release(held_desk, 2)
    release(held_desk, 3)
    rest = read_until(terminal)
    os.close(terminal)
    assert process.wait() == 0
    assert "all done" in rest
    assert "\x1b[?25h" in rest  # the cursor is shown again


def test_without_colour_and_unicode_the_bar_is_plain(held_desk, processes):
    env = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "NO_COLOR": "1"}
    process, terminal = on_terminal(processes, held_desk, "run", "batch.yaml", "--workers", "1", **env)
    shown = read_until(terminal, "....", "m/leaf_1", "holding")
    assert shown.isascii()
    assert "\x1b[38;" not in shown
    for n in (1, 2, 3):
        release(held_desk, n)
    shown = read_until(terminal)
    os.close(terminal)
    assert process.wait() == 0
    assert shown.isascii()


def test_a_dumb_terminal_gets_lines(good_desk, processes):
    process, terminal = on_terminal(processes, good_desk, "run", "batch.yaml", TERM="dumb")
    shown = read_until(terminal)
    os.close(terminal)
    assert process.wait() == 0
    assert "leaves: 3 jobs to run" in shown
    assert "\x1b[?25" not in shown


def test_ctrl_c_on_a_terminal_says_how_to_go_on(patient_desk, processes):
    process, terminal = on_terminal(processes, patient_desk, "run", "batch.yaml", "--workers", "2")
    read_until(terminal, "m/leaf_1", "m/leaf_2")
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: to all of its foreground
    shown = read_until(terminal)
    os.close(terminal)
    assert process.wait() == 130
    assert "run the same command again" in shown
    assert "Traceback" not in shown
