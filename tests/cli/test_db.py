"""`authsvc db`: migrations and clean-up."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from authsvc.storage.migrations import newest_revision
from tests.fixtures.command import environment
from tests.fixtures.database import query, stamp
from tests.fixtures.installation import Installation, Installer

NEWEST = newest_revision()
NOT_OURS = (
    "The database is at migration {} of a newer authsvc, or of another application. "
    "Install that version, or name another database."
)


@pytest.fixture(params=["postgres", "sqlite"])
def empty(request: pytest.FixtureRequest, installer: Installer) -> Iterator[Installation]:
    """A database without tables."""
    with installer.installed(request.param, migrated=False) as made:
        yield made


def test_an_empty_database_is_brought_to_the_newest_migration(empty: Installation) -> None:
    assert empty.run("db", "current", "--json").json() == {"now": None, "needed": NEWEST}

    assert empty.run("db", "upgrade", "--json").json() == {"before": None, "now": NEWEST}

    assert empty.run("db", "current", "--json").json() == {"now": NEWEST, "needed": NEWEST}
    assert empty.run("users", "list", "--json").json() == []


def test_upgrading_again_does_nothing_and_says_so(empty: Installation) -> None:
    first = empty.run("db", "upgrade").text()
    second = empty.run("db", "upgrade").text()

    assert first.startswith("The database is up to date.\n")
    assert second.startswith("Nothing to do.\n")


def test_current_names_the_command_that_is_missing(empty: Installation) -> None:
    before = empty.run("db", "current").text()
    empty.run("db", "upgrade").text()

    assert before.startswith("Run: authsvc db upgrade\n")
    assert empty.run("db", "current").text().startswith("Up to date.\n")


def test_two_machines_may_upgrade_at_once(empty: Installation) -> None:
    with ThreadPoolExecutor(2) as machines:
        both = list(machines.map(lambda _: empty.run_program("db", "upgrade", "--json"), range(2)))

    assert [done.json()["now"] for done in both] == [NEWEST, NEWEST]
    assert query(empty.database_url, "SELECT version_num FROM alembic_version") == [(NEWEST,)]


@pytest.mark.parametrize("command", ["upgrade", "current"])
def test_a_database_of_another_application_is_left_alone(empty: Installation, command: str) -> None:
    stamp(empty.database_url, "2f6d1c0a9b3e")

    refused = empty.run("db", command, "--json")

    assert refused.refusal() == NOT_OURS.format("2f6d1c0a9b3e")
    assert query(empty.database_url, "SELECT version_num FROM alembic_version") == [("2f6d1c0a9b3e",)]


def test_a_database_of_another_application_that_numbers_as_we_do_is_left_alone(empty: Installation) -> None:
    stamp(empty.database_url, NEWEST)

    assert empty.run("db", "upgrade").refusal() == NOT_OURS.format(NEWEST)


def test_a_file_that_is_no_database_is_a_sentence(embedded: Installation) -> None:
    file = embedded.folder / "novel.txt"
    file.write_text("It was a bright cold day in April. " * 40)
    novel = embedded.having(DATABASE_URL=f"sqlite+aiosqlite:///{file}")

    refused = novel.run("db", "upgrade").refusal()

    assert refused.startswith("The SQLite file is damaged, or no database at all: restore it,")
    assert file.read_text().startswith("It was a bright cold day")


@pytest.mark.parametrize("command", ["upgrade", "current"])
def test_a_database_that_cannot_be_reached_is_a_sentence(embedded: Installation, command: str) -> None:
    away = embedded.having(DATABASE_URL="postgresql://authsvc@127.0.0.1:1/authsvc")

    refused = away.run("db", command).refusal()

    assert refused.startswith("AUTHSVC_DATABASE_URL: the database cannot be reached ([Errno ")
    assert refused.endswith("Is it running, and are host, port, user, password and database name right?")


def test_a_purge_counts_what_it_deleted_and_keeps_what_lives(installation: Installation) -> None:
    installation.add_account("ada")
    installation.add_account("grace")
    installation.run("users", "delete", "grace").text()

    purged = installation.run("db", "purge", "--json").json()

    assert purged == {"access_token": 0, "denied_token": 0, "session": 0, "account": 1, "signing_key": 0}
    assert [account["username"] for account in installation.run("users", "list", "--json").json()] == ["ada"]
    assert installation.run("db", "purge").text().startswith("Rows deleted:\n")


def test_a_purge_shows_at_a_terminal_how_far_it_is_and_prints_its_json_all_the_same(
    embedded: Installation,
) -> None:
    embedded.add_account("ada")

    shown, printed = at_terminal(embedded, "db", "purge", "--json")

    assert re.search(r"account.* of about \d+ rows, [\d,]+/s", shown)
    assert json.loads(printed)["account"] == 0


def at_terminal(installation: Installation, *arguments: str) -> tuple[str, str]:
    """What a command shows where its standard error is a terminal, and its standard output."""
    reader, writer = os.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "authsvc", *arguments],
        cwd=installation.folder,
        env=environment(installation.settings) | {"TERM": "xterm", "COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=writer,
        check=True,
    )
    shown = os.read(reader, 65_536).decode()
    os.close(writer)
    os.close(reader)
    return shown, done.stdout.decode()


def test_a_purge_shows_nothing_where_there_is_no_terminal(embedded: Installation) -> None:
    assert embedded.run_program("db", "purge", "--json").stderr == ""
