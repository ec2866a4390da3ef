"""Read a page of the documentation: its fenced blocks, and the commands in them with what they print."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs.terminal import Printed

ROOT = Path(__file__).parents[2]
# The ports that the pages use throughout.
AUTHSVC, GUARD, BACKEND = 8000, 8080, 9000
COMMANDS = ("sh", "console")
_FENCE = re.compile(r"^\s*(?:```|~~~)", re.MULTILINE)
_FENCED = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ELLIPSIS = re.escape("…")


@dataclass(frozen=True)
class Command:
    """A command of a page, and what the page says it prints; `…` stands for anything.

    A page that prints nothing beside it (`sh`) promises only that it goes well.
    """

    line: str
    promised: str | None

    def check(self, printed: Printed) -> None:
        """Hold what it printed against the page."""
        if self.promised is None:
            assert printed.status == 0, f"{self.line}\nended with {printed.status}: {printed.text}"
            return
        # A page breaks what is too long for a line.
        parts = [re.escape(part) for part in re.split(r"\s*\n\s*", self.promised)]
        pattern = r"\s*".join(parts).replace(_ELLIPSIS, ".*")
        is_kept = re.fullmatch(pattern, printed.text.strip(), re.DOTALL) is not None
        assert is_kept, f"{self.line}\nprinted: {printed.text}\nnot: {self.promised}"


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    code: str

    def commands(self) -> list[Command]:
        """Return its commands in their order: each ends with its line, unless that ends with `\\` or `|`."""
        if self.language == "sh":
            return [Command(line, None) for line in _logical_lines(self.code)]
        entries = re.split(r"^\$ ", self.code, flags=re.MULTILINE)
        assert entries[0] == "", f"a console block starts with a command: {self.code}"
        found: list[Command] = []
        for entry in entries[1:]:
            line = _logical_lines(entry)[0]
            found.append(Command(line, entry[len(line) :].strip()))
        return found


@dataclass(frozen=True)
class Page:
    """One file, named by its path in the repository, with what a test puts in place of its own words.

    A port or an address is replaced where it stands alone, wherever on the page that is.
    """

    path: str
    swaps: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        printed = (ROOT / self.path).read_text(encoding="utf-8")
        if not self.swaps:
            return printed
        words = "|".join(re.escape(word) for word in sorted(self.swaps, key=len, reverse=True))
        return re.sub(rf"(?<![\w-])(?:{words})(?![\w-])", lambda found: self.swaps[found[0]], printed)

    @property
    def blocks(self) -> list[Block]:
        return [Block(*parts) for parts in _FENCED.findall(self.text)]

    @property
    def fences(self) -> int:
        """How many lines begin or end a block, however they are written."""
        return len(_FENCE.findall(self.text))

    def block(self, language: str) -> str:
        """Return the only block in *language*."""
        (code,) = [block.code for block in self.blocks if block.language == language]
        return code

    def commands(self) -> list[Command]:
        """Return every command of the page, in the order in which a reader comes to it."""
        return self.commands_in(*COMMANDS)

    def commands_in(self, *languages: str) -> list[Command]:
        return [
            command for block in self.blocks if block.language in languages for command in block.commands()
        ]


def swapped_ports(ports: Mapping[int, int]) -> dict[str, str]:
    return {str(port): str(other) for port, other in ports.items()}


def every_page() -> list[str]:
    """Return the paths of README.md and all that is in docs/."""
    return ["README.md", *(str(file.relative_to(ROOT)) for file in sorted((ROOT / "docs").rglob("*.md")))]


def _logical_lines(code: str) -> list[str]:
    """Return the commands of a shell text without the lines that only comment."""
    found: list[str] = []
    is_open = False
    for line in code.splitlines():
        if is_open:
            found[-1] += f"\n{line}"
        elif line.strip() and not line.lstrip().startswith("#"):
            found.append(line)
        else:
            continue
        is_open = line.endswith(("\\", "|"))
    return found
