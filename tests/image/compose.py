"""Read compose.yaml as `docker compose` does, with the variables of the shell put in."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<text>[^}]*))?\}")


class VariableMissing(Exception):
    """A variable that the file demands is not set; the text is the file's own."""


def services(file: Path, variables: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the services by name, with *variables* put in."""
    found: dict[str, dict[str, Any]] = _filled(yaml.safe_load(file.read_text()), variables)["services"]
    return found


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, variables) for inner in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _value(found, variables), value)
    return value


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    given = variables.get(found["name"], "")
    if given or found["kind"] is None:
        return given
    if found["kind"] == "?":
        raise VariableMissing(f"{found['name']}: {found['text']}")
    return found["text"]


def command_of(health: Mapping[str, Any]) -> list[str]:
    """Return the program of a health check that is run without a shell."""
    kind, *words = health["test"]
    if kind != "CMD":
        raise ValueError(f"a health check by {kind} is not known here")
    return [str(word) for word in words]


def seconds(duration: str) -> int:
    """Return a duration such as 30s or 1m in seconds."""
    return int(duration[:-1]) * {"s": 1, "m": 60}[duration[-1]]
