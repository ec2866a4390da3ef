"""The migrations make exactly the tables that the code knows, and can be taken back."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from authsvc.storage.migrations import known_revisions, newest_revision
from authsvc.storage.tables import metadata
from tests.fixtures.command import environment
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


def tables(installation: Installation) -> set[str]:
    def names(connection: sa.Connection) -> set[str]:
        return set(sa.inspect(connection).get_table_names())

    found: set[str] = in_database(installation.database_url, names)
    return found


def test_a_migrations_file_begins_with_its_revision(repository: Path) -> None:
    """By which the service knows them; alembic reads what is in them."""
    scripts = ScriptDirectory(str(repository / "alembic"))

    assert {script.revision for script in scripts.walk_revisions()} == known_revisions()
    assert scripts.get_current_head() == newest_revision()


def alembic(repository: Path, installation: Installation, *arguments: str) -> None:
    """Run alembic's own command in the checkout, as for writing a migration."""
    done = subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=repository,
        env=environment(installation.settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


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


def test_what_was_migrated_can_be_taken_back_and_done_again(
    repository: Path, installation: Installation
) -> None:
    ours = set(metadata.tables)
    assert tables(installation) == ours | {"alembic_version"}

    alembic(repository, installation, "downgrade", "base")
    assert tables(installation) == {"alembic_version"}

    upgraded = installation.run("db", "upgrade", "--json").json()
    assert upgraded == {"before": None, "now": newest_revision()}
    assert tables(installation) == ours | {"alembic_version"}


def test_the_first_migration_makes_the_client_that_stands_for_no_client(installation: Installation) -> None:
    (public,) = installation.run("clients", "list", "--json").json()

    assert public["client_id"] == "public"
    assert public["confidential"] is False
    assert public["grants"] == ["password", "refresh_token"]
    assert (public["scope"], public["default_scope"]) == (["account"], ["account"])
    assert (public["audience"], public["introspect"], public["disabled_at"]) == (None, False, None)
