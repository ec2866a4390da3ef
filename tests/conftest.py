"""Fixtures for every test: the real servers, the four stacks, and what the run prints at its end."""

import gc
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests import demands
from tests.fixtures.clock import ManualClock
from tests.fixtures.postgres import PostgresServer, postgres_server
from tests.fixtures.redis import RedisServer, redis_server
from tests.fixtures.service import PASSWORD, Json, Registered, Service
from tests.fixtures.stack import STACKS, Stack, make_settings, migrate, running, with_quick_hashes

pytest_plugins = [
    "tests.fixtures.costs",
    "tests.fixtures.forge",
    "tests.fixtures.installation",
    "tests.fixtures.log_watch",
    "tests.fixtures.traced",
]

_REDIS_DATABASES = {"postgres-jwt": 1, "postgres-opaque": 2}
_LONGEST = ("faults", "docs", "processes")
_counted: pytest.StashKey[Counter[str]] = pytest.StashKey()
_exceptions = pytest.StashKey[dict[str, str]]()
DESELECTED = pytest.StashKey[set[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_counted] = Counter()
    config.stash[_exceptions] = {}
    config.stash[DESELECTED] = set()


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    for item in items:
        item.config.stash[DESELECTED].add(item.nodeid)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test of the service on all four stacks, but for those marked `only`."""
    if "stack" not in metafunc.fixturenames:
        return
    stacks: tuple[str, ...] = STACKS
    if (marker := metafunc.definition.get_closest_marker("only")) is not None:
        stacks = marker.args
        metafunc.config.stash[_exceptions][metafunc.definition.nodeid] = marker.kwargs["reason"]
    metafunc.parametrize("stack", stacks, indirect=True, scope="session")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what starts servers, tests of a minute among them: one that came last would be waited for.

    They wait for processes and for time, while another worker is busy with the rest.
    """
    items.sort(key=lambda item: (*_LONGEST, item.path.parent.name).index(item.path.parent.name))


def pytest_collection_finish(session: pytest.Session) -> None:
    for item in session.items:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        if (
            parameters.get("stack") in STACKS
            and item.nodeid.split("[")[0] not in session.config.stash[_exceptions]
        ):
            session.config.stash[_counted][parameters["stack"]] += 1
    # All of these stay to the end: the garbage collector need not go through them at each of its rounds.
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what a worker collected to the process that prints."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        counted = session.config.stash[_counted]
        output["stacks"] = {stack: counted[stack] for stack in STACKS}
        output["exceptions"] = session.config.stash[_exceptions]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take it; every worker collects the same tests."""
    output = getattr(node, "workeroutput", {})
    if "stacks" in output:
        counted: Counter[str] = Counter(output["stacks"])
        node.config.stash[_counted] = counted
        node.config.stash[_exceptions] = output["exceptions"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    counted, exceptions = config.stash[_counted], config.stash[_exceptions]
    if counted:
        counts = ", ".join(f"{stack} {counted[stack]}" for stack in STACKS)
        terminalreporter.write_line(
            f"tests of each stack: {counts}; and by name, {len(exceptions)} on some only:"
        )
        for name, reason in sorted(exceptions.items()):
            terminalreporter.write_line(f"  {name}: {reason}")
    terminalreporter.write_line(demands.summary())


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real Postgres of the suite's own."""
    server = postgres_server()
    yield server
    server.close()


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """A real Redis of the suite's own."""
    server = redis_server()
    yield server
    server.close()


@pytest.fixture(scope="session")
async def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """The service of one of the four stacks."""
    kind, token_format = request.param.split("-")
    redis_url = None
    if kind == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        name = f"stack_{token_format}"
        server.drop_database(name)  # a worker that takes over tests of another may come back to a stack
        server.create_database(name)
        url = server.url(name)
        redis_url = request.getfixturevalue("redis").url(_REDIS_DATABASES[request.param])
    else:
        url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('sqlite')}/authsvc.db"
    settings = with_quick_hashes(make_settings(url, redis_url, token_format=token_format))
    await migrate(settings)
    async with running(settings, ManualClock()) as made:
        yield made


@pytest.fixture(scope="session")
def hashes() -> dict[str, str]:
    """The hash of PASSWORD at each cost that a stack has, computed once."""
    return {}


@pytest.fixture
async def service(stack: Stack, hashes: dict[str, str]) -> AsyncIterator[Service]:
    """An empty service."""
    cost = stack.services.hasher.policy_prefix
    if cost not in hashes:
        hashes[cost] = await stack.services.hasher.hash(PASSWORD)
    await stack.empty()
    async with stack.http() as http:
        yield Service(stack, http, hashes[cost])


class MakeService(Protocol):
    async def __call__(self, **settings: Any) -> Service: ...


@pytest.fixture
async def service_with(service: Service) -> AsyncIterator[MakeService]:
    """Make the same service over the same stores and clock, with other settings."""
    async with AsyncExitStack() as opened:

        async def make(**values: Any) -> Service:
            settings = service.stack.settings.model_copy(update=values)
            other = await opened.enter_async_context(running(settings, service.clock))
            return Service(other, await opened.enter_async_context(other.http()), service.password_hash)

        yield make


@pytest.fixture
async def caller(service: Service) -> Registered:
    """A client that may introspect every token."""
    return await service.add_client("a resource server", may_introspect=True)


@pytest.fixture
async def signed_in(service: Service) -> Json:
    """The tokens of a new session of USERNAME, through the public client."""
    await service.add_account()
    return await service.login()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return Path(__file__).parents[1]
