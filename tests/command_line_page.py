"""Write `docs/command-line.md` from the commands: `python -m tests.command_line_page [--write]`."""

import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperArgument

from authsvc.cli import app
from tests.generated_page import table, write_or_print

PAGE = Path("docs/command-line.md")
ACCOUNT = ("id", "username", "created_at", "disabled_at")
ENDED = ("username", "sessions_ended")
CLIENT = (
    "client_id",
    "name",
    "confidential",
    "grants",
    "scope",
    "default_scope",
    "audience",
    "introspect",
    "created_at",
    "disabled_at",
)
KEY = ("kid", "algorithm", "created_at", "signs_from", "revoked_at")
FINDING = ("subject", "level", "what", "why", "cure")
PURGED = ("access_token", "denied_token", "session", "account", "signing_key")

_HEAD = """\
# The command line

Written by `make pages` from `src/authsvc/cli/`; `authsvc COMMAND --help` says the same.

Commands read the [settings](settings.md) of the environment and go the same way as HTTP: what they end or
disable is dead on every running instance when they are done. They work while the service runs and while it
does not.

- **Exit status.** 0: done. 1: refused or failed, with a sentence on standard error that says what to type or
  write; `doctor` exits with 1 when it finds a problem. 2: the command is misspelt or incomplete. `serve` and
  `dev` exit with 0 when SIGTERM told them to stop.
- **`--json`** prints JSON and nothing else on standard output: one object, or an array of them. Times are
  ISO 8601 with their offset, what is not there is `null`, lists are arrays. A refused command prints nothing
  there. Without `--json` a person reads a sentence and a table; into a pipe tables come with tabs.
- **A secret is shown once**, by the command that makes it. Passwords are asked for at the terminal, or read
  from standard input with `--password-stdin`; they are never an argument, where others could see them.
- **Options that take several values** are repeated: `--scope orders --scope stock`.
"""


@dataclass(frozen=True)
class Printed:
    """What a command prints with `--json`: the members of its object, or of each object of its array."""

    members: tuple[str, ...]
    is_array: bool = False
    also: str = ""

    def __str__(self) -> str:
        members = ", ".join(f"`{member}`" for member in self.members)
        return f"{'an array of objects' if self.is_array else 'an object'} with {members}{self.also}"


PRINTED = {
    "db upgrade": Printed(("before", "now")),
    "db current": Printed(("now", "needed")),
    "db purge": Printed(PURGED, also=": the rows deleted of each table"),
    "users add": Printed(ACCOUNT),
    "users list": Printed(ACCOUNT, is_array=True),
    "users set-password": Printed(ACCOUNT),
    "users rename": Printed(ACCOUNT),
    "users disable": Printed(ENDED),
    "users enable": Printed(ACCOUNT),
    "users end-sessions": Printed(ENDED),
    "users delete": Printed(ENDED),
    "clients add": Printed(CLIENT, also="; with `--confidential` also `client_secret`"),
    "clients list": Printed(CLIENT, is_array=True),
    "clients set": Printed(CLIENT),
    "clients rotate-secret": Printed(("client_id", "client_secret")),
    "clients disable": Printed(("client_id",)),
    "clients enable": Printed(("client_id",)),
    "keys list": Printed(KEY, is_array=True),
    "keys rotate": Printed(("kid", "signs_from")),
    "keys revoke": Printed(("kid", "signs_now")),
    "keys reencrypt": Printed(("keys",)),
    "doctor": Printed(FINDING, is_array=True, also="; `level` is `ok`, `warning` or `problem`"),
    "openapi": Printed(("openapi", "info", "paths", "components", "tags"), also=": the same document"),
}


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command by its words, without the program's own name."""
    yield from _below("", typer.main.get_command(app))


def examples(command: Any) -> list[list[str]]:
    """Return the words of every example that the help of *command* gives, as a shell reads them."""
    quoted = re.findall(r"`([^`]*authsvc [^`]*)`", command.help)
    found = [shlex.split(example.rpartition("authsvc ")[2], comments=True) for example in quoted]
    return [words[: words.index(">")] if ">" in words else words for words in found]


def render() -> str:
    """Return the whole page."""
    parts = [_HEAD]
    group = ""
    for name, command in commands():
        first, _, rest = name.partition(" ")
        if rest and first != group:
            group = first
            parts.append(f"## {first}\n\n{_group(first).help}\n")
        parts.append("\n".join(_section("###" if rest else "##", name, command)))
    return "\n".join(parts)


def _below(prefix: str, command: Any) -> Iterator[tuple[str, Any]]:
    for name, child in getattr(command, "commands", {}).items():
        yield from _below(f"{prefix}{name} ", child)
    if prefix and not hasattr(command, "commands"):
        yield prefix.strip(), command


def _group(name: str) -> Any:
    root: Any = typer.main.get_command(app)
    return root.commands[name]


def _section(level: str, name: str, command: Any) -> Iterator[str]:
    arguments: list[Any] = [each for each in command.params if isinstance(each, TyperArgument)]
    options = [each for each in command.params if each not in arguments]
    words = [f"authsvc {name}", *(each.metavar for each in arguments), *(["[OPTIONS]"] if options else [])]
    yield f"{level} {name}\n\n```text\n{' '.join(words)}\n```\n\n{command.help.strip()}\n"
    if command.params:
        rows = [(_spelt(each), _default(each), each.help or "") for each in [*arguments, *options]]
        yield table(("", "default", "what it is"), *rows)
    if name in PRINTED:
        yield f"`--json` prints {PRINTED[name]}.\n"


def _spelt(parameter: Any) -> str:
    if isinstance(parameter, TyperArgument):
        return f"`{parameter.metavar}`"
    spelling = " or ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
    if parameter.is_flag:
        return spelling
    return f"{spelling} {_value(parameter)}" + (", repeatable" if parameter.multiple else "")


def _value(parameter: Any) -> str:
    if parameter.min is not None and parameter.max is not None:
        return f"{parameter.min:,} to {parameter.max:,}"
    return "text"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    is_off = parameter.default is None or parameter.default is False
    return "" if is_off else f"`{parameter.default}`"


if __name__ == "__main__":
    write_or_print(PAGE, render(), sys.argv[1:])
