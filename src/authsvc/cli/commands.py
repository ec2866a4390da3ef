"""Which module has which command. Only that of the command that is asked for is loaded."""

from collections import UserDict
from importlib import import_module
from typing import Any

import typer

from authsvc.garbage import go_on

STYLE: dict[str, Any] = {
    "rich_markup_mode": "markdown",
    "pretty_exceptions_enable": False,
    "add_completion": False,
}
"""How every command prints its help, and its errors."""


class _Commands(UserDict[str, Any]):
    """Every command by its name, made of its module when it is asked for: none waits for another's."""

    def __getitem__(self, name: str) -> object:
        module = import_module(f"authsvc.cli.{self.data[name]}")
        go_on()
        alone = typer.Typer(**STYLE)
        if name in vars(module):
            alone.command(name)(vars(module)[name])
            return typer.main.get_command(alone)
        alone.add_typer(module.app, name=name)
        return typer.main.get_group(alone).commands[name]


COMMANDS = _Commands(
    dev="serving",
    serve="serving",
    doctor="doctor",
    openapi="openapi",
    db="db",
    users="users",
    clients="clients",
    keys="keys",
)


class Root(typer.core.TyperGroup):
    """The group of all commands."""

    def __init__(self, **about: Any) -> None:  # noqa: ANN401 - whatever the library gives its groups
        super().__init__(**about)
        self.commands = COMMANDS
