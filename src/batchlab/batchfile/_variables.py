"""``${name}`` in a batch file: replaced by ``--set name=value`` or the variable BATCHLAB_name, nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping

from batchlab.engine._task import suggestion
from batchlab.errors import Problem

PREFIX = "BATCHLAB_"

_USE = re.compile(r"\$(\$\{)|\$\{([^{}]*)\}|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Variables:
    """The names a file may use, which of them it did use, and which it asked for in vain.

    Parameters
    ----------
    given
        From ``--set``; each must be used.
    environ
        Where BATCHLAB_name is looked up if `given` has no such name.
    file
        The file's name, for messages.
    """

    def __init__(self, given: Mapping[str, str], environ: Mapping[str, str], file: str) -> None:
        self.given = given
        self.environ = environ
        self.file = file
        self.used: set[str] = set()
        self.problems: list[Problem] = []

    def replace(self, text: str, line: int, column: int) -> str:
        """`text` with every use replaced; ``$${`` is a plain ``${``."""

        def value(use: re.Match[str]) -> str:
            if use[1]:
                return "${"
            name = use[2]
            if name is None or not _NAME.fullmatch(name):
                self._note(f"{use[0]!r}: write a name, as in ${{data}}, or $${{ for the characters", line, column)
                return use[0]
            self.used.add(name)
            if name in self.given:
                return str(self.given[name])
            if PREFIX + name in self.environ:
                return self.environ[PREFIX + name]
            near = suggestion(name, list(self.given)) if self.given else ""
            self._note(
                f"${{{name}}} has no value; give it with --set {name}=... or in the environment as "
                f"{PREFIX}{name}{near}",
                line,
                column,
            )
            return use[0]

        return _USE.sub(value, text)

    def unused(self) -> list[Problem]:
        """A problem for each name given and never used."""
        return [
            Problem(
                message=f"--set {name}: the file does not use ${{{name}}}{suggestion(name, sorted(self.used))}",
                file=self.file,
            )
            for name in self.given
            if name not in self.used
        ]

    def _note(self, message: str, line: int, column: int) -> None:
        self.problems.append(Problem(message=message, file=self.file, line=line, column=column))
