"""A terminal with a shell in it, into which the commands of a page are typed as a reader types them."""

import os
import re
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from select import select

import httpx

from tests.fixtures.process import ON_A_LEASH, START_SECONDS

LIMIT_SECONDS = 50
SIZE = (50, 115)
_END = b"\x1e"
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_QUESTION = re.compile(rb"(?:Password|Repeat for confirmation): $")


@dataclass(frozen=True)
class Printed:
    """What a command printed, and its exit status."""

    text: str
    status: int


class Terminal:
    """One bash on a terminal. A server started from it ends with it, or when the next one is started.

    Asked for a password, it answers with *password*, as often as it is asked.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], *, log: Path, password: str = ""
    ) -> None:
        self._password = password
        self._log = log
        self._screen, screen = os.openpty()
        _be_silent(screen)
        termios.tcsetwinsize(screen, SIZE)
        # The commands have a way of their own, so that no program takes the next one for its input.
        keyboard, self._keyboard = os.pipe()
        bash = ["/usr/bin/env", "bash", f"/dev/fd/{keyboard}"]
        leash = [sys.executable, "-I", "-S", "-c", ON_A_LEASH] if sys.platform == "linux" else []
        self._bash = subprocess.Popen(
            leash + bash,
            cwd=folder,
            env=dict(environment),
            stdin=screen,
            stdout=screen,
            stderr=screen,
            pass_fds=[keyboard],
            start_new_session=True,
        )
        os.close(screen)
        os.close(keyboard)
        self.type("trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT")

    def close(self) -> None:
        """End the server, then the shell."""
        os.close(self._keyboard)
        self._bash.wait()
        os.close(self._screen)

    def type(self, line: str, *, limit_seconds: float = LIMIT_SECONDS) -> Printed:
        """Type a command and wait for its end."""
        mark = _END.decode()
        os.write(self._keyboard, f"{line}\nprintf '{mark}%s{mark}' $?\n".encode())
        shown = self._read_until_end(time.monotonic() + limit_seconds)
        text, status, _ = shown.split(_END)
        return Printed(_COLOURS.sub("", text.decode().replace("\r\n", "\n")), int(status))

    def leave_running(self, line: str, port: int, *, limit_seconds: float = START_SECONDS) -> None:
        """Start a server as in another terminal, in place of the one before; wait until it answers."""
        self.type("kill $(jobs -p) 2>/dev/null; wait")
        self.type(f"{line} >'{self._log}' 2>&1 &")
        deadline = time.monotonic() + limit_seconds
        while not _answers(port):
            assert self.type("jobs -p").text, f"it has ended: {self.server_log}"
            assert time.monotonic() < deadline, f"it does not serve: {self.server_log}"
            time.sleep(0.05)

    @property
    def server_log(self) -> str:
        return self._log.read_text(errors="replace")

    def _read_until_end(self, deadline: float) -> bytes:
        shown = b""
        while shown.count(_END) < 2:
            is_ready, _, _ = select([self._screen], [], [], max(0, deadline - time.monotonic()))
            assert is_ready, f"it is not done in time: {shown.decode(errors='replace')}"
            shown += os.read(self._screen, 65_536)
            if _QUESTION.search(shown):
                os.write(self._screen, f"{self._password}\n".encode())
        return shown


def _answers(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
    except httpx.TransportError:
        return False
    return True


def _be_silent(screen: int) -> None:
    """Show what is printed, not what is typed."""
    modes = termios.tcgetattr(screen)
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(screen, termios.TCSANOW, modes)
