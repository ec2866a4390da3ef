"""The first minutes of somebody who has nothing but the repository: `make newcomer`.

What is committed is cloned into an empty folder, with an empty home, and the pages of the clone are followed
to the letter: packages are installed as they say. It prints the seconds of each step.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from tests.docs.accounts import is_installation
from tests.docs.pages import AUTHSVC, GUARD, ROOT, Command, Page, swapped_ports
from tests.docs.terminal import Terminal
from tests.fixtures.processes import free_port

STEP_SECONDS = 600
GUARDED = (
    ("docs/guard/fastapi.md", "python", "app.py"),
    ("docs/guard/flask.md", "python", "app.py"),
    ("docs/guard/express.md", "js", "app.mjs"),
)
# What tells where this project's own environment is.
_OURS = ("AUTHSVC_", "COVERAGE", "MAKE", "MFLAGS", "PYTEST", "PYTHON", "VIRTUAL_ENV", "XDG_")


@dataclass(frozen=True)
class Newcomer:
    """An empty folder, a home in it, and a clone of the repository."""

    folder: Path

    @property
    def clone(self) -> Path:
        return self.folder / "authsvc"

    @contextmanager
    def terminal(self, at: Path) -> Iterator[Terminal]:
        log = self.folder / f"{at.name}.log"
        with closing(Terminal(at, self._environment(), log=log)) as terminal:
            yield terminal

    def page(self, path: str, swaps: dict[str, str]) -> Page:
        """Return a page of the clone."""
        return Page(str(self.clone / path), swaps)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        folders = [
            folder for folder in kept["PATH"].split(os.pathsep) if not Path(folder).is_relative_to(ROOT)
        ]
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return kept | {"HOME": str(home), "PATH": os.pathsep.join(folders)}


def main() -> int:
    """Go the whole way; the first step that is not as the pages say ends it with an assertion."""
    began = perf_counter()
    with TemporaryDirectory(prefix="authsvc-newcomer-") as folder:
        newcomer = Newcomer(Path(folder))
        port, guard = free_port(), free_port()
        swaps = swapped_ports({AUTHSVC: port, GUARD: guard})
        with newcomer.terminal(newcomer.folder) as first, step("git clone"):
            follow(first, [Command(f"git clone --quiet '{ROOT}' authsvc", None)])
        with newcomer.terminal(newcomer.clone) as server, newcomer.terminal(newcomer.clone) as second:
            with step("make run, until it answers"):
                server.leave_running(f"make run PORT={port}", port, limit_seconds=STEP_SECONDS)
            with step("the lines that it printed, pasted"):
                paste(second, server.server_log)
            for path, language, file in GUARDED:
                if language == "js" and shutil.which("npm") is None:
                    print(f"{path} is left out: npm is not here")
                    continue
                guard_a_service(newcomer, newcomer.page(path, swaps), language, file, guard)
        install_for_production(newcomer)
    print(f"{perf_counter() - began:8.1f} s  all of it")
    return 0


def paste(terminal: Terminal, printed: str) -> None:
    """Paste the commands that `make run` printed; the last one logs out."""
    lines = [line for line in printed.splitlines() if line.startswith(("TOKEN=", "curl "))]
    assert lines, printed
    answers = [terminal.type(line).text for line in lines]
    assert '"username":"demo"' in answers[1], answers
    assert '"active":true' in answers[2], answers
    assert "204" in answers[-1], answers


def guard_a_service(newcomer: Newcomer, page: Page, language: str, file: str, port: int) -> None:
    """Save the program of the page, start it as the page says, and send what the page sends."""
    name = Path(page.path).name
    own = newcomer.folder / Path(page.path).stem
    own.mkdir()
    (own / file).write_text(page.block(language))
    *installs, start = page.commands_in("sh")
    with newcomer.terminal(own) as terminal:
        with step(f"{name}: {installs[-1].line}"):
            follow(terminal, installs)
        with step(f"{name}: the program, until it answers"):
            terminal.leave_running(f"env {start.line}", port)
        with step(f"{name}: its requests, with and without a token"):
            follow(terminal, page.commands_in("console"))


def install_for_production(newcomer: Newcomer) -> None:
    """Install it as docs/production.md says, and ask the program for its help."""
    place = newcomer.folder / "opt"
    page = newcomer.page("docs/production.md", {"/opt/authsvc": str(place)})
    with newcomer.terminal(newcomer.clone) as terminal, step("production.md: install"):
        follow(terminal, [command for command in page.commands() if is_installation(command.line)])
        follow(terminal, [Command(f"{place}/bin/authsvc --help", None)])


def follow(terminal: Terminal, commands: list[Command]) -> None:
    for command in commands:
        command.check(terminal.type(command.line, limit_seconds=STEP_SECONDS))


@contextmanager
def step(name: str) -> Iterator[None]:
    """Print how long the block took."""
    began = perf_counter()
    yield
    print(f"{perf_counter() - began:8.1f} s  {name}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
