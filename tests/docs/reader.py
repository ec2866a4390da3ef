"""Somebody who follows the pages to the letter, in one terminal."""

import re
from collections.abc import Iterator, Mapping

from tests.docs.accounts import NOT_EXECUTED, is_installation
from tests.docs.pages import Command, Page
from tests.docs.terminal import Terminal

_SERVES = re.compile(r"(?:^|\s)(?:make run|authsvc (?:dev|serve)\b.*)$")


class Reader:
    """Types what the pages say. A server is left running, as in another terminal, until the next start."""

    def __init__(self, terminal: Terminal, port: int, swaps: Mapping[str, str]) -> None:
        self._terminal = terminal
        self.port = port
        self._swaps = swaps

    def read(self, path: str) -> int:
        """Follow a page to its end, and return how many of its commands were typed."""
        commands = list(self._to_type(path))
        for command in commands:
            self._follow(command)
        return len(commands)

    def read_until(self, path: str, beginning: str) -> None:
        """Follow a page up to the first command that begins like this."""
        for command in self._to_type(path):
            if command.line.startswith(beginning):
                return
            self._follow(command)
        raise AssertionError(f"{path} has no command that begins with {beginning}")

    def _to_type(self, path: str) -> Iterator[Command]:
        for printed, swapped in zip(Page(path).commands(), Page(path, self._swaps).commands(), strict=True):
            if (path, printed.line) not in NOT_EXECUTED and not is_installation(printed.line):
                yield swapped

    def _follow(self, command: Command) -> None:
        if _SERVES.search(command.line) is None:
            command.check(self._terminal.type(command.line))
            return
        port = f" --port {self.port}" if "authsvc" in command.line else ""
        self._terminal.leave_running(command.line + port, self.port)
