"""Instances on hosts whose clocks are wrong judge alike, because they tell the time of their database."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from authsvc.app import build_app
from authsvc.clock import SharedClock, steady_clock, system_clock
from authsvc.errors import Unavailable
from authsvc.jobs import jobs
from authsvc.metrics import CLOCK_STEPS
from authsvc.opening import open_services
from authsvc.settings import Settings
from authsvc.storage.database_time import Timekeeper
from authsvc.wiring import Services, build_stores
from tests.fixtures.installation import SECRET, Installation, Installer
from tests.fixtures.logs import written
from tests.fixtures.processes import free_port
from tests.fixtures.service import PASSWORD, USERNAME
from tests.fixtures.stack import make_settings

AGREEMENT_SECONDS = 0.050


class Hosts:
    """Two instances on hosts a minute apart. Time passes alike on both, and a test may let it pass."""

    def __init__(self, caller: httpx.BasicAuth) -> None:
        self.caller = caller
        self.passed = timedelta(0)
        self.services: list[Services] = []
        self.http: list[httpx.AsyncClient] = []

    def clock(self, **off: float) -> SharedClock:
        return SharedClock(
            lambda: steady_clock() + self.passed, lambda: system_clock() + self.passed + timedelta(**off)
        )

    def let_pass_until(self, moment: datetime) -> None:
        self.passed += moment - self.services[0].clock()

    async def login(self, host: int) -> dict[str, Any]:
        response = await self.http[host].post("/login", data={"username": USERNAME, "password": PASSWORD})
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def refresh(self, host: int, refresh_token: str) -> httpx.Response:
        return await self.http[host].post("/refresh", data={"refresh_token": refresh_token})

    async def describe(self, host: int, token: str) -> dict[str, Any]:
        response = await self.http[host].post("/introspect", data={"token": token}, auth=self.caller)
        assert response.status_code == 200, response.text
        return dict(response.json())


@pytest.fixture(params=["jwt", "opaque"])
def installation(request: pytest.FixtureRequest, installer: Installer) -> Iterator[Installation]:
    with installer.installed("postgres", TOKEN_FORMAT=request.param) as made:
        yield made


def settings_of(installation: Installation) -> Settings:
    return make_settings(
        installation.database_url,
        installation.settings["AUTHSVC_REDIS_URL"],
        secret_keys=(SecretStr(SECRET),),
        token_format=installation.settings["AUTHSVC_TOKEN_FORMAT"],
    )


@pytest.fixture
def prepared(installation: Installation) -> httpx.BasicAuth:
    """The installation has an account, and this caller."""
    installation.add_account()
    return installation.add_caller()


@pytest.fixture
async def hosts(installation: Installation, prepared: httpx.BasicAuth) -> AsyncIterator[Hosts]:
    made = Hosts(prepared)
    async with AsyncExitStack() as opened:
        for off in (30, -30):
            clock = made.clock(seconds=off)
            services = await opened.enter_async_context(open_services(settings_of(installation), clock=clock))
            app = build_app()
            app.state.services = services
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="https://auth.example.test"
            )
            made.services.append(services)
            made.http.append(await opened.enter_async_context(client))
        yield made


async def test_their_clocks_agree(hosts: Hosts, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = (services.clock for services in hosts.services)

    apart = min(abs(one() - other()).total_seconds() for _ in range(100))

    with capsys.disabled():
        print(f"\nhosts a minute apart: {apart * 1000:.3f} ms between their instances")
    assert apart < AGREEMENT_SECONDS


@pytest.mark.parametrize("host", [0, 1])
async def test_a_token_of_one_is_live_at_the_other_at_once(hosts: Hosts, host: int) -> None:
    tokens = await hosts.login(host)

    described = await hosts.describe(1 - host, tokens["access_token"])

    assert described["active"] is True
    assert described["iat"] <= hosts.services[1 - host].clock().timestamp()


async def test_a_token_dies_at_both_at_its_exp(hosts: Hosts, capsys: pytest.CaptureFixture[str]) -> None:
    token = (await hosts.login(0))["access_token"]
    expires_at = datetime.fromtimestamp((await hosts.describe(1, token))["exp"], UTC)
    hosts.let_pass_until(expires_at - timedelta(milliseconds=150))
    assert [(await hosts.describe(host, token))["active"] for host in (0, 1)] == [True, True]

    last_live, first_dead = [0.0, 0.0], [0.0, 0.0]
    while 0.0 in first_dead:
        for host in (0, 1):
            asked_at = time.perf_counter()
            is_live = (await hosts.describe(host, token))["active"]
            if is_live:
                last_live[host] = asked_at
            elif not first_dead[host]:
                first_dead[host] = time.perf_counter()

    # Each died between the two; so far apart they were at least.
    apart = max(last_live[0] - first_dead[1], last_live[1] - first_dead[0])
    with capsys.disabled():
        print(f"\na token's deaths: at least {max(apart, 0) * 1000:.1f} ms apart")
    assert apart < AGREEMENT_SECONDS
    assert hosts.services[0].clock() >= expires_at


async def test_an_overlap_is_open_at_both_and_over_at_both(hosts: Hosts) -> None:
    first = (await hosts.login(0))["refresh_token"]
    rotated = await hosts.refresh(0, first)
    rotated_at = hosts.services[0].clock()

    hosts.let_pass_until(rotated_at + timedelta(seconds=8))
    repeated = await hosts.refresh(1, first)
    hosts.let_pass_until(rotated_at + timedelta(seconds=10.1))
    replayed = await hosts.refresh(1, first)

    assert repeated.status_code == 200, repeated.text
    assert repeated.json()["refresh_token"] == rotated.json()["refresh_token"]
    assert replayed.status_code == 400, replayed.text
    assert replayed.json()["error"] == "invalid_grant"


async def test_a_clock_goes_on_as_it_was_while_the_database_is_away() -> None:
    clock = SharedClock(guess=lambda: system_clock() + timedelta(hours=1))
    url = f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/nowhere"
    stores = build_stores(make_settings(url, None), clock=clock)
    keeper = Timekeeper(stores.database, clock)

    with pytest.raises(Unavailable):
        await keeper.turn()

    assert abs(clock() - system_clock() - timedelta(hours=1)) < timedelta(minutes=1)
    await stores.close()


@pytest.mark.parametrize("installation", ["jwt"], indirect=True)
async def test_a_database_whose_clock_was_set_is_followed_and_that_is_told(
    installation: Installation,
) -> None:
    async with open_services(settings_of(installation)) as services:
        [turn] = [job.work for job in jobs(services) if job.name == "clock"]
        before = steps()
        async with services.stores.database.transaction() as tx:
            await tx.exec_driver_sql(AN_HOUR_AHEAD)
            name = installation.database_url.rpartition("/")[2]
            await tx.exec_driver_sql(f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog')
        await services.stores.database.engine.dispose()

        with written() as log:
            await turn()
            await turn()

        assert abs(services.clock() - system_clock() - timedelta(hours=1)) < timedelta(seconds=30)
        [told] = log.events("clock_stepped")
        assert round(told["seconds"]) == 3600
        assert steps() == before + 1


def steps() -> float:
    return float(CLOCK_STEPS._value.get())  # noqa: SLF001 - the library has no public way to one value


# Its clock cannot be set here; so that it tells another time, a function goes before the built-in one.
AN_HOUR_AHEAD = (
    "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql "
    "AS $$ SELECT pg_catalog.clock_timestamp() + interval '1 hour' $$"
)


async def test_an_embedded_database_has_the_clock_of_its_host(embedded: Installation) -> None:
    settings = make_settings(embedded.database_url, None, secret_keys=(SecretStr(SECRET),))

    async with open_services(settings) as services:
        assert services.clock is system_clock
        assert "clock" not in {job.name for job in jobs(services)}
