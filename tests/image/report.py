"""What was carried out and what was not, line by line: the table of docs/container.md."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.image.dockerfile import Instruction

PAGE = "docs/container.md"
_BEGIN = "<!-- written by `make image`, from here -->\n"
_END = "<!-- to here -->"
_HEAD = "| where | what it says | without an engine |\n|---|---|---|\n"


@dataclass
class Report:
    """The rows, in the order in which they came."""

    rows: list[str] = field(default_factory=list)

    def ran(self, instruction: Instruction, how: str) -> None:
        """Note an instruction that was carried out."""
        self._add(f"Dockerfile:{instruction.line}", instruction.text, how)

    def stood_in(self, instruction: Instruction, how: str) -> None:
        """Note an instruction that another thing stood in for."""
        self._add(f"Dockerfile:{instruction.line}", instruction.text, f"**not run**: {how}, stands in")

    def of_service(self, service: str, key: str, value: object, how: str) -> None:
        """Note a key of compose.yaml."""
        self._add(f"compose: {service}", f"{key}: {value}", how)

    def _add(self, where: str, text: str, how: str) -> None:
        cell = text.replace("|", "\\|")
        self.rows.append(f"| {where} | `{cell}` | {how} |\n")
        print(f"{where}: {text}\n    {how}", flush=True)

    def is_in(self, repository: Path) -> bool:
        """Whether the page says the same."""
        return _table(repository) == _HEAD + "".join(self.rows)

    def write(self, repository: Path) -> None:
        """Put the rows into the page."""
        page = repository / PAGE
        before, _, rest = page.read_text().partition(_BEGIN)
        after = rest.partition(_END)[2]
        page.write_text(f"{before}{_BEGIN}{_HEAD}{''.join(self.rows)}{_END}{after}")


def _table(repository: Path) -> str:
    return (repository / PAGE).read_text().partition(_BEGIN)[2].partition(_END)[0]


def documented(repository: Path) -> list[list[str]]:
    """Return the rows of the page: where, what it says, and what became of it."""
    lines = _table(repository).removeprefix(_HEAD).splitlines()
    return [[cell.strip().strip("`") for cell in line.strip("| ").split(" | ")] for line in lines]
