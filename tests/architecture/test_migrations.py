"""The migrations make exactly the tables that the code knows, and can be taken back."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from alembic import command
from authsvc.storage.migrations import _config, newest_revision
from authsvc.storage.tables import metadata
from tests.fixtures.database import in_database
from tests.fixtures.installation import Installation, Installer

# What Postgres itself says of its tables, so that nothing that alembic leaves out escapes.
OF_POSTGRES = {
    "columns": "SELECT table_name, column_name, data_type, is_nullable, column_default "
    "FROM information_schema.columns WHERE table_schema = 'public'",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace",
    "storage": "SELECT relname, reloptions::text FROM pg_class WHERE relnamespace = 'public'::regnamespace",
}


@pytest.fixture(params=["postgres", "sqlite"])
def empty(request: pytest.FixtureRequest, installer: Installer) -> Iterator[Installation]:
    with installer.installed(request.param, migrated=False) as made:
        yield made


def tables(installation: Installation) -> set[str]:
    def names(connection: sa.Connection) -> set[str]:
        return set(sa.inspect(connection).get_table_names())

    found: set[str] = in_database(installation.database_url, names)
    return found


def migrate(installation: Installation, move: Any, revision: str) -> None:
    """Run one of alembic's commands as `alembic/env.py` serves it."""

    def work(connection: sa.Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        move(config, revision)

    in_database(installation.database_url, work)


def described(installation: Installation) -> dict[str, list[tuple[Any, ...]]]:
    def work(connection: sa.Connection) -> dict[str, list[tuple[Any, ...]]]:
        return {
            what: sorted(tuple(map(str, row)) for row in connection.exec_driver_sql(question))
            for what, question in OF_POSTGRES.items()
        }

    answers: dict[str, list[tuple[Any, ...]]] = in_database(installation.database_url, work)
    return {what: [row for row in rows if "alembic" not in str(row)] for what, rows in answers.items()}


def test_alembic_finds_no_difference_between_migrations_and_tables(installation: Installation) -> None:
    def differences(connection: sa.Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert in_database(installation.database_url, differences) == []


def test_postgres_describes_migrated_tables_as_those_made_from_the_code(installer: Installer) -> None:
    with installer.installed("postgres") as migrated, installer.installed("postgres", migrated=False) as made:
        in_database(made.database_url, metadata.create_all)

        assert described(migrated) == described(made)
        assert described(made)["indexes"] != []


def test_what_was_migrated_can_be_taken_back_and_done_again(empty: Installation) -> None:
    ours = set(metadata.tables)
    migrate(empty, command.upgrade, "head")
    assert tables(empty) == ours | {"alembic_version"}

    migrate(empty, command.downgrade, "base")
    assert tables(empty) == {"alembic_version"}

    assert empty.run("db", "upgrade", "--json").json() == {"before": None, "now": newest_revision()}
    assert tables(empty) == ours | {"alembic_version"}


def test_the_first_migration_makes_the_client_that_stands_for_no_client(installation: Installation) -> None:
    (public,) = installation.run("clients", "list", "--json").json()

    assert public["client_id"] == "public"
    assert public["confidential"] is False
    assert public["grants"] == ["password", "refresh_token"]
    assert (public["scope"], public["default_scope"]) == (["account"], ["account"])
    assert (public["audience"], public["introspect"], public["disabled_at"]) == (None, False, None)
