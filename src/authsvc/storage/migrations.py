"""Find and run the Alembic migrations, from a checkout or from an installed wheel."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from authsvc.errors import OperatorError
from authsvc.storage.database import Database, Transaction

_PACKAGED = Path(__file__).parents[1] / "_alembic"
_CHECKOUT = Path(__file__).parents[3] / "alembic"
_A_TABLE_OF_OURS = "signing_key"


def _folder() -> Path:
    return _PACKAGED if _PACKAGED.exists() else _CHECKOUT


def newest_revision() -> str:
    """Return the revision that this version of the service needs."""
    return max(known_revisions())


def known_revisions() -> frozenset[str]:
    """Return every revision this version has a migration for; a migration's file begins with its revision."""
    return frozenset(file.name.partition("_")[0] for file in (_folder() / "versions").glob("[0-9]*_*.py"))


async def current_revision(database: Database) -> str | None:
    """Return the revision the database is at; None if it has no tables of ours.

    Raises:
        OperatorError: it is at one that this version has no migration for.
        Unavailable: the database cannot be reached.
    """
    async with database.reading() as tx:
        return await tx.run_sync(_revision)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    heads = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars().all()
    if not heads:
        return None
    # Others number their migrations as we do, so the number alone does not make a database ours.
    if not known_revisions().issuperset(heads) or not sa.inspect(connection).has_table(_A_TABLE_OF_OURS):
        raise OperatorError(
            f"The database is at migration {', '.join(heads)} of a newer authsvc, or of another application. "
            "Install that version, or name another database."
        )
    return str(heads[0])


async def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the database to *revision*; another instance doing the same is waited for.

    Raises:
        OperatorError: as `current_revision`.
        Unavailable: the database cannot be reached.
    """
    try:
        async with database.transaction() as tx:
            await _lock(tx)
            await tx.run_sync(_run_upgrade, revision)
    except DBAPIError as error:
        raise OperatorError(
            f"The database refused the migration: {str(error.orig).splitlines()[0]}. "
            "If it is another application's, name another in AUTHSVC_DATABASE_URL."
        ) from error


async def _lock(tx: Transaction) -> None:
    if tx.dialect.name == "postgresql":
        await tx.execute(sa.text("SELECT pg_advisory_xact_lock(7331970)"))


def _run_upgrade(connection: sa.Connection, revision: str) -> None:
    # Not at the top: whoever serves never needs it, and would keep 11 MiB of it.
    from alembic.config import Config  # noqa: PLC0415 - for who migrates only

    from alembic import command  # noqa: PLC0415 - for who migrates only

    _revision(connection)
    config = Config()
    config.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
