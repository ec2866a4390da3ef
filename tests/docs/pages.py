"""Read a page of the documentation: its fenced blocks, and the requests it shows with their answers."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "guard"
_FENCED = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ELLIPSIS = "…"
_END = "\x1e"
_LIMIT_SECONDS = 30


@dataclass(frozen=True)
class Request:
    """A command of a page, and what the page says it prints; `…` stands for anything."""

    command: str
    promised: str

    def is_answered_by(self, printed: str) -> bool:
        pattern = ".*".join(re.escape(part) for part in self.promised.split(_ELLIPSIS))
        return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


@dataclass(frozen=True)
class Page:
    """One file of docs/guard, with the addresses in it replaced by those of a test."""

    name: str
    addresses: Mapping[str, str]

    @property
    def printed(self) -> str:
        """The page as readers have it."""
        return (FOLDER / self.name).read_text(encoding="utf-8")

    @property
    def text(self) -> str:
        """The page for this test."""
        changed = self.printed
        for address in self.addresses:
            assert re.search(rf"{re.escape(address)}\b", changed) or address not in changed
        pattern = "|".join(rf"{re.escape(address)}\b" for address in self.addresses)
        return re.sub(pattern, lambda found: self.addresses[found[0]], changed)

    def block(self, language: str) -> str:
        """Return the only block in *language*."""
        blocks = [code for name, code in _FENCED.findall(self.text) if name == language]
        assert len(blocks) == 1, f"{self.name} has {len(blocks)} blocks in {language}"
        return str(blocks[0])

    def requests(self) -> list[Request]:
        """Return the commands of the page's `console` block, in their order."""
        found: list[Request] = []
        for entry in re.split(r"^\$ ", self.block("console"), flags=re.MULTILINE)[1:]:
            lines = entry.splitlines()
            end = next(at for at, line in enumerate(lines) if not line.endswith(("\\", "|")))
            found.append(Request("\n".join(lines[: end + 1]), "\n".join(lines[end + 1 :])))
        return found


def run(requests: list[Request]) -> list[str]:
    """Type the commands into one shell, as a reader does, and return what each of them printed."""
    script = "\n".join(f"{request.command}\nprintf '{_END}'" for request in requests)
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=_LIMIT_SECONDS, check=True
    )
    return done.stdout.split(_END)[:-1]
