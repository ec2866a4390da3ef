"""Read a page of the documentation: its fenced blocks, and the requests it shows with their answers."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "guard"
# The ports that the pages use throughout.
AUTHSVC, GUARD, BACKEND = 8000, 8080, 9000
_FENCED = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ELLIPSIS = "…"
_END = "\x1e"
_LIMIT_SECONDS = 30


@dataclass(frozen=True)
class Request:
    """A command of a page, and what the page says it prints; `…` stands for anything."""

    command: str
    promised: str

    def is_kept_by(self, printed: str) -> bool:
        pattern = ".*".join(re.escape(part) for part in self.promised.split(_ELLIPSIS))
        return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


@dataclass(frozen=True)
class Page:
    """One file of docs/guard, with the ports of a test in place of its own."""

    name: str
    ports: Mapping[int, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        printed = (FOLDER / self.name).read_text(encoding="utf-8")
        ports = {str(port): str(other) for port, other in self.ports.items()}
        return re.sub(r"\b\d{4}\b", lambda number: ports.get(number[0], number[0]), printed)

    def blocks(self, language: str) -> list[str]:
        return [code for name, code in _FENCED.findall(self.text) if name == language]

    def block(self, language: str) -> str:
        """Return the only block in *language*."""
        (code,) = self.blocks(language)
        return code

    def requests(self) -> list[Request]:
        """Return the commands of the page's `console` block, in their order."""
        found: list[Request] = []
        for entry in re.split(r"^\$ ", self.block("console"), flags=re.MULTILINE)[1:]:
            lines = entry.splitlines()
            end = next(at for at, line in enumerate(lines, 1) if not line.endswith(("\\", "|")))
            found.append(Request("\n".join(lines[:end]), "\n".join(lines[end:])))
        return found


def run(requests: list[Request]) -> list[str]:
    """Type the commands into one shell, as a reader does, and return what each of them printed."""
    script = "\n".join(f"{request.command}\nprintf '{_END}'" for request in requests)
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=_LIMIT_SECONDS, check=True
    )
    return done.stdout.split(_END)[:-1]
