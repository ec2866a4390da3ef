"""Whether the time of a refused login tells names apart: `python -m benchmarks.equal_times [SAMPLES]`.

A real server on a real Postgres, asked over one connection, the kinds of login in turn, in another order each
time. Every login names somebody else and comes from another address, so that no limit of attempts is met.
Exit status 1: some kind was told from a wrong password.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import httpx
from passlib.hash import argon2
from pydantic import SecretStr

from authsvc.secret_tokens import new_id
from authsvc.settings import Settings
from authsvc.storage import accounts
from authsvc.storage.accounts import Account
from authsvc.wiring import build_stores
from benchmarks.two_samples import kolmogorov_smirnov, mann_whitney
from tests.fixtures.clock import ManualClock
from tests.fixtures.command import run_here
from tests.fixtures.postgres import PostgresServer, postgres_server
from tests.fixtures.process import ServerProcess
from tests.fixtures.service import PASSWORD

SECRET = "a secret of this benchmark and of nothing else"
WRONG = "not the password of anybody"
POLICY, OLD = {"memory_cost": 19_456, "rounds": 2}, {"memory_cost": 12_288, "rounds": 3}
OLD_SHARE = 0.3
CLOSE = 0.02
TELLS = 0.01
"""A chance below this is taken for a difference."""

Login = Callable[[int], dict[str, str]]
KINDS: dict[str, Login] = {
    "wrong password": lambda n: {"username": f"somebody-{n}", "password": WRONG},
    "unknown name": lambda n: {"username": f"whatever-{n}", "password": WRONG},
    "disabled account": lambda n: {"username": f"disabled-{n}", "password": PASSWORD},
    "too long a password": lambda n: {"username": f"another-{n:02}", "password": "x" * 2_000},
}
MIXED: dict[str, Login] = {
    "wrong password, two costs": lambda n: {"username": f"mixed-of-{n}", "password": WRONG},
    "unknown name, two costs": lambda n: {"username": f"nobody-of-{n}", "password": WRONG},
}


def main(samples: int) -> int:
    """Measure and say; return the exit status."""
    server = postgres_server()
    try:
        uniform = measured(server, "uniform", samples, KINDS)
        mixed = measured(server, "mixed", samples, MIXED)
    finally:
        server.close()
    print(f"\n{samples} samples of each, in ms\n")
    print(f"{'':<28}{'p10':>8}{'median':>9}{'p90':>8}{'of first':>10}{'M-W p':>9}{'K-S p':>9}")
    verdicts = [told_apart(times) for times in (uniform, mixed)]
    print("\ntold apart" if any(verdicts) else "\nnot told apart")
    return int(any(verdicts))


def measured(
    server: PostgresServer, name: str, samples: int, kinds: dict[str, Login]
) -> dict[str, list[float]]:
    """Return the times of each kind, from a database of its own."""
    server.create_database(name)
    settings = {
        "AUTHSVC_DATABASE_URL": server.url(name),
        "AUTHSVC_SECRET_KEYS": SECRET,
        "AUTHSVC_TRUSTED_PROXIES": "127.0.0.1",
        "AUTHSVC_LOG_LEVEL": "warning",
    }
    run_here("db", "upgrade", settings=settings).text()
    asyncio.run(fill(server.url(name), samples, is_mixed=kinds is MIXED))
    with tempfile.TemporaryDirectory() as folder:
        process = ServerProcess("serve", settings=settings, folder=Path(folder)).wait_until_serving()
        try:
            return ask(process.http, name, samples, kinds)
        finally:
            process.stop()


async def fill(url: str, samples: int, *, is_mixed: bool) -> None:
    """Put the accounts into the database, all with the password PASSWORD."""
    hashes = [str(argon2.using(type="ID", parallelism=1, **cost).hash(PASSWORD)) for cost in (POLICY, OLD)]
    stores = build_stores(
        Settings(database_url=SecretStr(url), secret_keys=(SecretStr(SECRET),), database_timeout_seconds=30)
    )
    now = ManualClock()()
    draw = random.Random(1)  # noqa: S311 - which accounts are old is no secret
    async with stores.database.transaction() as tx:
        for number in range(samples):
            for name in ("mixed-of",) if is_mixed else ("somebody", "disabled"):
                stored = hashes[is_mixed and draw.random() < OLD_SHARE]
                disabled = now if name == "disabled" else None
                key = f"{name}-{number}"
                await accounts.add(tx, Account(new_id(), key, key, stored, now, disabled))
    await stores.close()


def ask(http: httpx.Client, what: str, samples: int, kinds: dict[str, Login]) -> dict[str, list[float]]:
    """Return how long each kind of login took, in seconds."""
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    address = count(1)
    order = list(kinds)
    for number in range(-20, samples):
        random.shuffle(order)
        for kind in order:
            here = next(address)
            headers = {"X-Forwarded-For": f"10.{here >> 16 & 255}.{here >> 8 & 255}.{here & 255}"}
            started = time.perf_counter()
            answer = http.post("/login", data=kinds[kind](abs(number)), headers=headers)
            took = time.perf_counter() - started
            if answer.status_code != httpx.codes.BAD_REQUEST:
                raise SystemExit(f"{kind}: {answer.status_code} {answer.text}")
            if number >= 0:  # what came before warmed the server up
                times[kind].append(took)
        if number % 100 == 0:
            print(f"{what}: {number} of {samples}", flush=True)
    return times


def told_apart(times: dict[str, list[float]]) -> bool:
    """Print one line for each kind; whether one of them can be told from the first."""
    first = next(iter(times.values()))
    verdicts = []
    for kind, sample in times.items():
        tenths = statistics.quantiles(sample, n=10)
        ratio = statistics.median(sample) / statistics.median(first)
        chances = mann_whitney(first, sample), kolmogorov_smirnov(first, sample)
        verdicts.append(abs(ratio - 1) > CLOSE or min(chances) < TELLS)
        shown = "".join(
            f"{1000 * value:8.2f} " for value in (tenths[0], statistics.median(sample), tenths[8])
        )
        print(f"{kind:<27}{shown:<27}{ratio:8.3f}{chances[0]:9.3f}{chances[1]:9.3f}{'  told' * verdicts[-1]}")
    return any(verdicts)


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
