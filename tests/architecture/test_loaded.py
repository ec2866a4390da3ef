"""What a start loads: nothing that only another command needs, or it would wait for it and keep it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.command import environment

NOT_FOR_SERVING = (
    *("aiosqlite", "alembic", "h11", "httpx", "multipart", "rich.progress", "sqlite3", "unittest", "yaml"),
    "zxcvbn_rs_py",
)
"""On Postgres. `rich` itself comes with structlog."""

LOADED = """
import json, sys
before = set(sys.modules)  # some of a measurement of coverage
from authsvc.cli.commands import COMMANDS

COMMANDS[sys.argv[1]]
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded_for(command: str) -> set[str]:
    """Every module that is there once *command* can begin."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, command],
        env=environment({}),
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def for_serving() -> set[str]:
    return loaded_for("serve")


@pytest.mark.parametrize("module", NOT_FOR_SERVING)
def test_serving_does_not_load_what_it_never_uses(for_serving: set[str], module: str) -> None:
    assert module not in for_serving


def test_serving_loads_what_a_worker_needs(for_serving: set[str]) -> None:
    assert {"authsvc.app", "asyncpg", "redis.asyncio.connection", "jose", "passlib"} <= for_serving


def test_serving_loads_no_other_command(repository: Path, for_serving: set[str]) -> None:
    every = {file.stem for file in (repository / "src/authsvc/cli").glob("*.py")}
    others = every & {"clients", "db", "doctor", "keys", "openapi", "users"}

    assert len(others) == 6
    assert {f"authsvc.cli.{name}" for name in others} & for_serving == set()


@pytest.mark.parametrize("command", ["doctor", "openapi", "db", "users", "clients", "keys"])
def test_another_command_does_not_load_the_server(command: str) -> None:
    assert "authsvc.cli.serving" not in loaded_for(command)


def test_the_collector_of_garbage_rests_while_a_command_is_loaded_and_not_longer() -> None:
    program = """
import gc, sys
import authsvc.__main__, authsvc.cli
from authsvc.cli.commands import COMMANDS

def command_line():
    rested = not gc.isenabled()
    COMMANDS["openapi"]
    print(rested, gc.isenabled(), gc.get_freeze_count() > 10_000)

authsvc.cli.main = command_line
authsvc.__main__.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment({}), capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["True", "True", "True"]
