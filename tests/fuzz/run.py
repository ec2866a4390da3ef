"""Ask a service whatever its own /openapi.json allows, and forbids: `python -m tests.fuzz.run [CASES]`.

Exit status 1: an answer was a server's error, or was not as the document says.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fixtures.command import run_here
from tests.fixtures.postgres import postgres_server
from tests.fixtures.process import ServerProcess
from tests.fixtures.redis import redis_server
from tests.fixtures.service import PASSWORD, USERNAME
from tests.fuzz.asking import ask

SECRET = "the secret of a service that is asked odd things"
EACH_ROUND = 250
"""Made-up requests of one operation in one round; those that take nothing have fewer to make up."""


def main(wanted: int) -> int:
    """Ask in rounds, each with another seed, until there were *wanted* requests."""
    cases = 0
    with served() as (url, people):
        for seed in range(1, wanted):
            asked = ask(url, people, "--max-examples", str(EACH_ROUND), "--seed", str(seed))
            cases += asked.cases
            print(f"round {seed}: {cases:,} of {wanted:,} requests", flush=True)
            if not asked.is_well:
                print(asked.report)
                return 1
            if cases >= wanted:
                break
    print(f"{cases:,} requests: no server's error, nothing that the document does not say")
    return 0


@contextmanager
def served() -> Iterator[tuple[str, dict[str, str]]]:
    """A service on a Postgres and a Redis of its own, and who may use it."""
    postgres, redis = postgres_server(), redis_server()
    try:
        postgres.create_database("fuzzed")
        settings = {
            "AUTHSVC_DATABASE_URL": postgres.url("fuzzed"),
            "AUTHSVC_REDIS_URL": redis.url(0),
            "AUTHSVC_SECRET_KEYS": SECRET,
        }
        run_here("db", "upgrade", settings=settings).text()
        account = ("users", "add", USERNAME, "--password-stdin")
        run_here(*account, settings=settings, stdin=PASSWORD.encode()).text()
        client = ("clients", "add", "a fuzzer", "--confidential", "--introspect", "--json")
        made = run_here(*client, settings=settings).json()
        people = {"username": USERNAME, "password": PASSWORD}
        people |= {name: made[name] for name in ("client_id", "client_secret")}
        with tempfile.TemporaryDirectory() as folder:
            server = ServerProcess("serve", settings=settings, folder=Path(folder)).wait_until_serving()
            try:
                yield server.url, people
            finally:
                server.stop()
    finally:
        redis.close()
        postgres.close()


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
