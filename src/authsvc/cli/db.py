"""`authsvc db`: migrations and purge."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from authsvc.cli.output import Json, print_record
from authsvc.cli.running import with_services
from authsvc.settings import load_settings
from authsvc.storage import migrations
from authsvc.storage.database import Database
from authsvc.wiring import Services, build_stores

app = typer.Typer(help="The database: migrations and clean-up.", no_args_is_help=True)

T = TypeVar("T")


def _with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    async def run() -> T:
        stores = build_stores(load_settings(), is_patient=True)
        try:
            return await work(stores.database)
        finally:
            await stores.close()

    return asyncio.run(run())


@app.command()
def upgrade(*, as_json: Json = False) -> None:
    """Bring the database to what this version needs. Safe to run again, and from two machines at once.

    Example: `authsvc db upgrade`
    """

    async def work(database: Database) -> tuple[str | None, str | None]:
        before = await migrations.current_revision(database)
        await migrations.upgrade(database)
        return before, await migrations.current_revision(database)

    before, after = _with_database(work)
    sentence = "Nothing to do." if before == after else "The database is up to date."
    print_record({"before": before, "now": after}, as_json=as_json, sentence=sentence)


@app.command()
def current(*, as_json: Json = False) -> None:
    """Say at which migration the database is, and which this version needs.

    Example: `authsvc db current`
    """
    found = _with_database(migrations.current_revision)
    needed = migrations.newest_revision()
    sentence = "Up to date." if found == needed else "Run: authsvc db upgrade"
    print_record({"now": found, "needed": needed}, as_json=as_json, sentence=sentence)


@app.command()
def purge(*, as_json: Json = False) -> None:
    """Delete what nothing can need any more: expired tokens, sessions that are over, deleted accounts.

    Example: `authsvc db purge`
    """

    async def work(services: Services) -> dict[str, int]:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("Looking …", total=None)
            removed = 0

            def show(table: str, rows: int) -> None:
                nonlocal removed
                removed += rows
                progress.update(task, description=f"{table}: {removed:,} rows in all")

            return await services.purge.run(services.clock(), show)

    counts = with_services(work)
    print_record(dict(counts), as_json=as_json, sentence="Rows deleted:")
