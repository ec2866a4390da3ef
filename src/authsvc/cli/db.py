"""`authsvc db`: migrations and purge."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer

from authsvc.cli.output import Json, print_record
from authsvc.cli.progress import bar
from authsvc.cli.running import with_services
from authsvc.environment import load_settings
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
    """Delete now what nothing can need any more: expired tokens, sessions that are over, deleted accounts.

    The service does so by itself, slowly; this is for the first big clean-up, or where that is turned off.

    Example: `authsvc db purge`
    """

    async def work(services: Services) -> dict[str, int]:
        with bar(await services.clean_up.estimate()) as advance:
            return await services.clean_up.whole(lambda step: advance(step.table, step.seen))

    counts = with_services(work)
    print_record(dict(counts), as_json=as_json, sentence="Rows deleted:")
