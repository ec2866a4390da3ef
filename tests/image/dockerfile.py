"""Read the Dockerfile and .dockerignore. What is not known here is an error, never passed over."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Instruction:
    """One instruction, with its continuation lines joined to it."""

    line: int
    name: str
    flags: dict[str, str]
    rest: str

    @property
    def text(self) -> str:
        """The instruction on one line."""
        flags = "".join(f"--{name}={value} " for name, value in self.flags.items())
        return f"{self.name} {flags}{self.rest}"

    @property
    def words(self) -> list[str]:
        """The arguments: a JSON array's strings, or what a shell would make of the line."""
        if self.is_exec_form:
            return [str(word) for word in json.loads(self.rest)]
        return shlex.split(self.rest)

    @property
    def is_exec_form(self) -> bool:
        """Whether the program is started as it is, without a shell in between."""
        return self.rest.startswith("[")


@dataclass(frozen=True)
class Stage:
    """What stands between one FROM and the next."""

    origin: Instruction
    instructions: list[Instruction] = field(default_factory=list)

    @property
    def base(self) -> str:
        """The image that it starts from."""
        return self.origin.words[0]

    @property
    def name(self) -> str | None:
        """The name by which a later stage copies from it."""
        words = self.origin.words
        return words[2] if len(words) > 1 else None

    def all(self, name: str) -> list[Instruction]:
        """Every instruction of this name."""
        return [instruction for instruction in self.instructions if instruction.name == name]

    def last(self, name: str) -> Instruction:
        """The instruction of this name that counts."""
        return self.all(name)[-1]


def stages(dockerfile: Path) -> list[Stage]:
    """Return the stages in their order."""
    found: list[Stage] = []
    for instruction in _instructions(dockerfile.read_text().splitlines()):
        if instruction.name == "FROM":
            found.append(Stage(instruction))
        else:
            found[-1].instructions.append(instruction)
    return found


def _instructions(lines: list[str]) -> Iterator[Instruction]:
    gathered, first = "", 0
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        first = first if gathered else number
        if line.endswith("\\"):
            gathered += line.removesuffix("\\").strip() + " "
            continue
        yield _instruction(first, gathered + line.strip())
        gathered = ""


def _instruction(line: int, text: str) -> Instruction:
    name, _, rest = text.partition(" ")
    flags: dict[str, str] = {}
    while rest.startswith("--"):
        flag, _, rest = rest.partition(" ")
        key, _, value = flag.removeprefix("--").partition("=")
        flags[key] = value
    return Instruction(line, name, flags, rest.strip())


def reaches_the_build(path: PurePosixPath, dockerignore: str) -> bool:
    """Whether .dockerignore lets *path* through: the last line that fits it or a folder of its decides."""
    reaches = True
    for line in dockerignore.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        pattern = line.strip().removeprefix("!").removesuffix("/")
        if any(_fits(place, pattern) for place in (path, *path.parents[:-1])):
            reaches = line.startswith("!")
    return reaches


def _fits(path: PurePosixPath, pattern: str) -> bool:
    anywhere = pattern.removeprefix("**/")
    if "**" in anywhere or ("/" in anywhere and "*" in anywhere):
        raise ValueError(f".dockerignore: what {pattern} fits is not known here")
    return fnmatchcase(path.name if anywhere != pattern else str(path), anywhere)
