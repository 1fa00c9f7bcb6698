"""A guide of docs/ as its reader follows it: every block of commands, in a shell, in order.

What the guide shows below a block (as `text`) must be what the block prints. Its placeholders stand
for what the test has; a block that only sets variables and functions holds for the page's others.
"""

import os
import re
import subprocess
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from local.machine import ROOT
from tests.unit.test_docs import FENCE

PROGRAMS = (ROOT / ".venv" / "bin", ROOT / "node_modules" / ".bin")
# A block that begins with a variable.
SETS = re.compile(r"\w+=")
PATIENCE_SECONDS = 300
# The AWS command line checks a command and calls no one.
KNOWN = "--generate-cli-skeleton output >/dev/null"

# Whose account ids the guides show: the customer's, the platform's, and two more customers'.
CUSTOMER, PLATFORM, SECOND, THIRD = ("1" * 12, "2" * 12, "3" * 12, "4" * 12)

# What is not known before the guide is followed up to there is asked for then.
T = TypeVar("T")
Word = str | Callable[[], str]


@dataclass(frozen=True)
class Block:
    """Commands as the page has them, and what it says that they print, if it does."""

    commands: tuple[str, ...]
    printed: str | None

    @property
    def script(self) -> str:
        return "\n".join(self.commands)


def blocks(page: str) -> Iterator[Block]:
    """The page's blocks of commands in order, with the text that is directly below."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    fences = list(FENCE.finditer(text))
    for fence, below in zip(fences, [*fences[1:], None], strict=True):
        if fence["language"] != "sh":
            continue
        follows = (
            below and below["language"] == "text" and not text[fence.end() : below.start()].strip()
        )
        yield Block(
            tuple(_lines(textwrap.dedent(fence["body"]))),
            textwrap.dedent(below["body"]) if below and follows else None,
        )


def attachments(page: str, language: str) -> list[str]:
    """What the page shows of files: its blocks in another language."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [fence["body"] for fence in FENCE.finditer(text) if fence["language"] == language]


def _lines(script: str) -> list[str]:
    """The commands of a script whose commands are lines, some over several with a backslash."""
    return re.split(r"(?<!\\)\n", script.rstrip("\n"))


class Guide:
    """One page, followed by somebody with the credentials of `environment`.

    `programs` are folders that come before the installed ones on its PATH.

    `elsewhere` are beginnings of commands that are not run, `answers` what is typed when a command
    asks. `before` is what happens before the block with a command, and `seen` what its reader looks
    for in what the block prints: both by the beginning of a command.
    """

    def __init__(
        self,
        page: str,
        environment: Mapping[str, str],
        words: Mapping[str, Word],
        *,
        programs: Sequence[Path] = (),
        elsewhere: Mapping[str, str] | None = None,
        answers: Mapping[str, str] | None = None,
        before: Mapping[str, Callable[[], None]] | None = None,
        seen: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.page = page
        self._environment = {
            **environment,
            "PATH": os.pathsep.join(
                [*map(str, (*programs, *PROGRAMS)), environment.get("PATH", "")]
            ),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }
        self._words = words
        self._elsewhere, self._answers = elsewhere or {}, answers or {}
        self._before, self._seen = before or {}, seen or {}
        self._used: set[str] = set()
        self._sets = ""

    def follow(self) -> str:
        """Do all of the page; returns what was printed. Raises AssertionError where a command
        fails, or prints something else than the guide says, or a table names what is not there."""
        printed = "".join(self.do(block) for block in blocks(self.page))
        tables = (self._elsewhere, self._answers, self._before, self._seen)
        assert {key for table in tables for key in table} == self._used, self.page
        return printed

    def do(self, block: Block) -> str:
        """Run one block; returns what it printed."""
        for happens in self._of(self._before, block):
            happens()
        script = self.filled("\n".join(map(self._run, block.commands)))
        if SETS.match(script) and block.printed is None:
            self._sets += f"{script}\n"
            return ""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{self._sets}{script}"],
            cwd=ROOT,
            env=self._environment,
            input="\n".join(map(self.filled, self._of(self._answers, block))),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        if block.printed is not None:
            assert done.stdout == self.filled(block.printed), f"{script}\n{done.stdout}"
        printed = done.stdout + done.stderr
        for expected in self._of(self._seen, block):
            for one in map(self.filled, expected):
                assert one in printed, f"{script}\n{printed}"
        return printed

    def _run(self, command: str) -> str:
        """The text to run for a command. One that works elsewhere only is left out; but the AWS
        command line is asked whether it knows the operation and its parameters."""
        if not self._of(self._elsewhere, command):
            return command
        return f"{command} {KNOWN}" if command.startswith("aws ") else ":"

    def filled(self, text: str) -> str:
        """`text` with what the test has in the places of the guide's examples."""
        pattern = "|".join(map(re.escape, sorted(self._words, key=len, reverse=True)))
        return re.sub(pattern, lambda found: self._word(found[0]), text)

    def _word(self, name: str) -> str:
        word = self._words[name]
        return word if isinstance(word, str) else word()

    def _of(self, table: Mapping[str, T], what: Block | str) -> list[T]:
        """What a table has for a command, or for any command of a block."""
        commands = [what] if isinstance(what, str) else what.commands
        keys = [key for key in table if any(one.startswith(key) for one in commands)]
        self._used.update(keys)
        return [table[key] for key in keys]
