"""Which module has which command. Only that of the command that is asked for is loaded."""

import gc
from collections import UserDict
from importlib import import_module
from types import ModuleType
from typing import Any

import typer

STYLE: dict[str, Any] = {
    "rich_markup_mode": "markdown",
    "pretty_exceptions_enable": False,
    "add_completion": False,
}
"""How every command prints its help, and its errors."""


class _Commands(UserDict[str, Any]):
    """Every command by its name, made of its module when it is asked for: none waits for another's."""

    def __getitem__(self, name: str) -> object:
        module = _loaded(self.data[name])
        alone = typer.Typer(**STYLE)
        if name in vars(module):
            alone.command(name)(vars(module)[name])
            return typer.main.get_command(alone)
        alone.add_typer(module.app, name=name)
        return typer.main.get_group(alone).commands[name]


def _loaded(name: str) -> ModuleType:
    module = import_module(f"authsvc.cli.{name}")
    if not gc.isenabled():  # `__main__` loads without it
        # What is there now stays until the end: it need never be looked through.
        gc.freeze()
        gc.enable()
    return module


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
