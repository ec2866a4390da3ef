"""What commands print: a table for people, JSON for scripts, nothing else on standard output."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]

Value = str | int | bool | datetime | Sequence[str] | None


def print_record(record: dict[str, Value], *, as_json: bool, sentence: str) -> None:
    """Print one result: *sentence* and the fields, or the fields as a JSON object."""
    if as_json:
        print_json(record)
        return
    typer.echo(sentence)
    for name, value in record.items():
        typer.echo(f"  {name:<16} {_shown(value)}")


def print_records(records: Sequence[dict[str, Value]], *, as_json: bool, nothing: str) -> None:
    """Print several results: a table, or a JSON array; *nothing* is the sentence for none."""
    if as_json:
        print_json(records)
    elif not records:
        typer.echo(nothing)
    elif not sys.stdout.isatty():
        # Into a pipe or a file: tabs, whole values, no drawing.
        typer.echo("\t".join(records[0]))
        for record in records:
            typer.echo("\t".join(_shown(value) for value in record.values()))
    else:
        table = Table(*records[0], box=None)
        for record in records:
            table.add_row(*(_shown(value) for value in record.values()))
        Console().print(table)


def print_json(value: object) -> None:
    """Print *value* as JSON."""
    typer.echo(json.dumps(value, indent=2, default=_json_value))


def _shown(value: Value) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S} UTC"
        case str() | int():
            return str(value)
        case _:
            return " ".join(value)


def _json_value(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
