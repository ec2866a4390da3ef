"""The programs that docs/clients.md prints, run as they stand there."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.clients.packages import HERE, VENV_PYTHON
from tests.docs.pages import AUTHSVC, Page

PAGE = "docs/clients.md"
PROGRAM_SECONDS = 60
# Each reads the program from standard input, and finds the packages from this folder.
_COMMANDS = {"js": ["node", "--input-type=module", "-"], "python": [str(VENV_PYTHON), "-"]}


@dataclass(frozen=True)
class Program:
    """One block of the page."""

    language: str
    code: str

    @property
    def name(self) -> str:
        """The line by which a reader knows it: its first import of a client."""
        return next(line for line in self.code.splitlines() if self._imports_a_client(line))

    def run(self) -> str:
        """Run it, and return what it says if it fails."""
        done = subprocess.run(
            _COMMANDS[self.language],
            cwd=HERE,
            input=self.code,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PROGRAM_SECONDS,
            check=False,
        )
        return done.stdout if done.returncode else ""

    def _imports_a_client(self, line: str) -> bool:
        return line.startswith("import ") if self.language == "js" else line.startswith("from ")


def printed_programs(url: str) -> Iterator[Program]:
    """Yield the programs of the page, with the port of *url* in place of the page's own."""
    for block in Page(PAGE, {str(AUTHSVC): str(urlsplit(url).port)}).blocks:
        yield Program(block.language, block.code)


def failures(url: str) -> list[str]:
    """Run every program of the page against the service at *url*; return what those say that fail."""
    found: list[str] = []
    for program in printed_programs(url):
        said = program.run()
        print(f"{PAGE}: {program.name}: {'RED' if said else 'green'}", flush=True)
        if said:
            found.append(f"--- {PAGE}: {program.name}\n{said}")
    return found
