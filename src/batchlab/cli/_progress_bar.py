"""Progress on a terminal: one bar by work done, counts, time left, who works on what, the last failure."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from rich.console import Console
from rich.live import Live
from rich.text import Text

from batchlab.cli._progress_state import Snapshot, Watch
from batchlab.cli._words import duration, one_line, plain
from batchlab.engine import Notice

log = logging.getLogger(__name__)

DELAY_S = 0.5  # what is over sooner needs no bar
PER_SECOND = 5.0
ROWS = 8  # of jobs at work

# Blue and orange are told apart by everybody; the words beside them say the same.
BLUE, ORANGE, DIM = "#3a8fd0", "#e69f00", "bright_black"
STYLES = {"done": BLUE, "trouble": ORANGE, "quiet": DIM}


class LiveBar:
    """A listener with a display that refreshes itself; once closed, nothing of it is left on the screen.

    Parameters
    ----------
    console
        Of stderr.
    clock
        Monotonic, in seconds.
    delay_s
        How long to wait before anything is shown.
    """

    def __init__(
        self, console: Console, *, clock: Callable[[], float] = time.monotonic, delay_s: float = DELAY_S
    ) -> None:
        self._console = console
        self._watch = Watch(clock)
        self._over = threading.Event()
        self._delay_s = delay_s
        self._last = Text()
        self._thread = threading.Thread(target=self._show, name="batchlab-progress", daemon=True)
        self._thread.start()

    def __call__(self, notice: Notice) -> None:
        """Take in what happened."""
        self._watch.take(notice)

    def close(self) -> None:
        """Take the display off the screen."""
        self._over.set()
        self._thread.join()

    def _show(self) -> None:
        if self._over.wait(self._delay_s):
            return
        try:
            with Live(
                get_renderable=self._draw,
                console=self._console,
                refresh_per_second=PER_SECOND,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            ):
                self._over.wait()
        except Exception:
            log.warning("the progress display failed; the run goes on without it", exc_info=True)

    def _draw(self) -> Text:
        try:
            options = self._console.options
            self._last = draw(
                self._watch.snapshot(),
                width=options.max_width,
                height=options.size.height,
                ascii_only=options.ascii_only,
            )
        except Exception:
            log.debug("the progress could not be drawn", exc_info=True)
        return self._last


def draw(snapshot: Snapshot, *, width: int, height: int = 24, ascii_only: bool = False) -> Text:
    """The display as text, every line of it narrower than `width`.

    Parameters
    ----------
    snapshot
        The run as of now.
    width, height
        Of the terminal, in characters.
    ascii_only
        Draw with what every terminal has.
    """
    width = max(width - 3, 10)  # room for the ^C that a terminal echoes, lest it break the last line
    dot = " | " if ascii_only else " · "
    lines = [_bar(snapshot, width, ascii_only=ascii_only), _counts(snapshot, width, dot)]
    rows = max(0, min(ROWS, height - 5))
    running = list(snapshot.running.items())
    name_width = min(max((len(plain(job)) for job, _ in running), default=0), max(width - 24, 10))
    for job, (stage, spent_s) in running[:rows]:
        line = Text("  ")
        line.append(one_line(job, name_width).ljust(name_width))
        line.append(f"  {duration(spent_s, coarse=True):>8}", style=DIM)
        line.append(f"  {one_line(stage)}", style=DIM)
        lines.append(line)
    if len(running) > rows:
        lines.append(Text(f"  and {len(running) - rows} more", style=DIM))
    if snapshot.failure is not None:
        line = Text("  last failure  ", style=ORANGE)
        line.append(one_line(snapshot.failure, max(width - len(line), 20)), style="default")
        lines.append(line)
    for line in lines:
        line.truncate(width, overflow="crop" if ascii_only else "ellipsis")
    return Text("\n", no_wrap=True).join(lines)


def _bar(snapshot: Snapshot, width: int, *, ascii_only: bool) -> Text:
    full, rest = ("#", ".") if ascii_only else ("━", "─")
    name = one_line(snapshot.batch, max(width // 4, 8))
    tail = f"{snapshot.percent:3d} %  {snapshot.time_left}"
    cells = max(width - len(name) - len(tail) - 4, 5)
    filled = round(snapshot.percent / 100 * cells)
    line = Text(f"{name}  ", style="bold")
    line.append(full * filled, style=f"not bold {BLUE}")
    line.append(rest * (cells - filled), style=f"not bold {DIM}")
    line.append(f"  {tail}", style="not bold")
    return line


def _counts(snapshot: Snapshot, width: int, dot: str) -> Text:
    line = Text("  ")
    for at, (kind, words) in enumerate(snapshot.counts):
        line.append(dot if at else "", style=DIM)
        line.append(words, style=STYLES[kind])
    ended, spent_s = snapshot.progress.ended, snapshot.elapsed_s
    if ended >= 3 and spent_s > 1.0:
        per_s = ended / spent_s
        rate = f"{per_s:.3g} jobs/s" if per_s >= 1 else f"{per_s * 60:.2g} jobs/min"
        line.append(f"{dot}{rate}", style=DIM)
    line.append(f"{dot}{duration(spent_s, coarse=True)} so far", style=DIM)
    return line
