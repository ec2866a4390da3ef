"""Write `.env.example` from the settings: `python -m tests.env_example --write`; without it, print."""

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo

from authsvc.settings import PREFIX, Settings
from tests.generated_page import write_or_print

PAGE = Path(".env.example")
WIDTH = 108
_HEAD = """\
# Every setting of authsvc, with its default. Written by `make pages`.
# `serve` needs the two without one; to change another, take away the # before its name.
# Lists are separated by commas. What is set and empty counts as not set.
"""


def render() -> str:
    """Return the whole page."""
    return _HEAD + "".join(
        "\n" + "".join(_entry(PREFIX + name.upper(), field)) for name, field in Settings.model_fields.items()
    )


def _entry(name: str, field: FieldInfo) -> Iterator[str]:
    said = " ".join(filter(None, [field.description, choices(field), bounds(field)]))
    yield from (f"# {line}\n" for line in wrap(said, WIDTH, break_on_hyphens=False))
    yield f"{name}=\n" if field.is_required() else f"#{name}={written(field.default)}\n"


def choices(field: FieldInfo) -> str:
    return (
        f"One of: {', '.join(get_args(field.annotation))}." if get_origin(field.annotation) is Literal else ""
    )


def bounds(field: FieldInfo) -> str:
    limits = {type(limit): limit for limit in field.metadata}
    if Gt in limits:
        return f"More than {limits[Gt].gt:,}, {limits[Le].le:,} at most."
    return f"From {limits[Ge].ge:,} to {limits[Le].le:,}." if Ge in limits else ""


def written(default: Any) -> str:
    if default is None:
        return ""
    return ",".join(default) if isinstance(default, tuple) else str(default)


if __name__ == "__main__":
    write_or_print(PAGE, render(), sys.argv[1:])
