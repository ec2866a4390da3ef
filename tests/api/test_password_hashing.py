"""What hashing a password costs, whom it keeps waiting, and when a hash is replaced."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from tests.conftest import MakeService
from tests.fixtures.answers import assert_oauth_error, assert_problem
from tests.fixtures.costs import at_full_cost
from tests.fixtures.full_pool import every_connection_in_use
from tests.fixtures.gate import hold_logins_after_verifying
from tests.fixtures.service import PASSWORD, USERNAME, Json, Registered, Service

LOGIN: Json = {"username": USERNAME, "password": PASSWORD}


@pytest.fixture
async def service(service: Service) -> AsyncIterator[Service]:
    """Here it matters what a hash costs."""
    async with at_full_cost(service) as costly:
        yield costly


async def test_a_password_is_stored_as_argon2id_of_the_advised_cost(service: Service) -> None:
    account = await service.stack.services.accounts.add(USERNAME, PASSWORD)

    assert account.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in str(await service.rows())


async def hash_of(service: Service) -> str:
    account = await service.stack.services.accounts.named(USERNAME)
    return account.password_hash


async def test_a_login_rehashes_a_password_below_the_policy(
    service: Service, service_with: MakeService
) -> None:
    await service.add_account()
    stronger = await service_with(hash_passes=3)

    assert (await stronger.post("/login", **LOGIN)).status_code == 200

    assert (await hash_of(service)).startswith("$argon2id$v=19$m=19456,t=3,p=1$")
    assert (await service.post("/login", **LOGIN)).status_code == 200


async def test_a_login_leaves_a_password_above_the_policy_alone(
    service: Service, service_with: MakeService
) -> None:
    stronger = (await service_with(hash_passes=3)).stack.services.hasher
    await service.add_account(password_hash=await stronger.hash(PASSWORD))
    before = await hash_of(service)

    assert (await service.post("/login", **LOGIN)).status_code == 200

    assert await hash_of(service) == before


async def test_a_refused_login_rehashes_nothing(service: Service, service_with: MakeService) -> None:
    await service.add_account()
    before = await hash_of(service)
    stronger = await service_with(hash_passes=3)

    assert_oauth_error(await stronger.post("/login", **LOGIN | {"password": "x"}), 400, "invalid_grant")

    assert await hash_of(service) == before


@pytest.mark.demand("A-05")
@pytest.mark.parametrize(
    "form",
    [
        pytest.param(LOGIN | {"password": "a wrong password"}, id="wrong password"),
        pytest.param(LOGIN | {"username": "nobody@example.com"}, id="unknown username"),
        pytest.param(LOGIN | {"username": "no\nbody"}, id="a name nobody can have"),
        pytest.param(LOGIN | {"password": "x" * 2000}, id="a password that is too long"),
        pytest.param(LOGIN | {"password": "\x01"}, id="a password nobody can have"),
        pytest.param(LOGIN | {"username": "disabled"}, id="disabled account"),
    ],
)
async def test_every_refused_login_costs_the_hash_that_a_good_one_costs(
    service: Service, form: dict[str, str], costs: list[str]
) -> None:
    await service.add_account()
    await service.add_account("disabled")
    await service.stack.services.accounts.disable(await service.stack.services.accounts.named("disabled"))
    assert (await service.post("/login", **LOGIN)).status_code == 200
    good = costs.copy()
    before = await service.metric("authsvc_password_hash_seconds_count")

    await service.post("/login", **form)

    # By its parameters, not by a clock: a busy machine must not decide what a hash costs.
    assert good == ["$argon2id$v=19$m=19456,t=2,p=1"]
    assert costs[len(good) :] == good
    assert await service.metric("authsvc_password_hash_seconds_count") == before + 1


@pytest.fixture
async def release() -> AsyncIterator[threading.Event]:
    """Set at the end of the test at the latest."""
    event = threading.Event()
    yield event
    event.set()


async def occupy(service: Service, release: threading.Event) -> asyncio.Task[bool]:
    """Give a hashing thread of *service* work until *release*."""
    hasher = service.stack.services.hasher
    occupied = asyncio.create_task(hasher._run(lambda: release.wait(2)))  # noqa: SLF001 - no password takes as long
    await asyncio.sleep(0)
    return occupied


@pytest.fixture
async def busy(service_with: MakeService, release: threading.Event) -> AsyncIterator[Service]:
    """A service whose only hashing thread is busy until `release`, and whose only connection is free."""
    made = await service_with(
        hash_threads=1, hash_max_wait_seconds=0.01, database_pool_size=1, database_timeout_seconds=0.5
    )
    occupied = await occupy(made, release)
    yield made
    release.set()
    await occupied


async def test_a_login_that_would_wait_long_is_503_at_once(service: Service, busy: Service) -> None:
    await service.add_account()
    before = await service.rows()

    for path, form in (("/login", LOGIN), ("/token", LOGIN | {"grant_type": "password"})):
        started = time.perf_counter()
        response = await busy.post(path, **form)
        assert_oauth_error(response, 503, "temporarily_unavailable")
        assert response.headers.get("retry-after") == "1"
        assert time.perf_counter() - started < 0.5

    assert await service.rows() == before


@pytest.mark.parametrize("path", ["/login", "/token"])
async def test_a_login_that_would_wait_long_asks_no_store(service: Service, busy: Service, path: str) -> None:
    await service.add_account()

    async with busy.stack.services.stores.database.transaction():  # there is no other connection
        response = await busy.post(path, **LOGIN, grant_type="password")

    assert_oauth_error(response, 503, "temporarily_unavailable")
    assert response.json()["error_description"] == "Too many passwords are being checked now."


async def test_a_change_of_password_that_would_wait_long_is_503_at_once(
    service: Service, busy: Service
) -> None:
    await service.add_account()
    tokens = await service.login()

    response = await busy.as_user(
        "POST",
        "/password",
        tokens["access_token"],
        current_password=PASSWORD,
        new_password="a new password that is long",
    )

    assert_problem(response, 503)
    assert response.headers.get("retry-after") == "1"
    assert (await service.post("/login", **LOGIN)).status_code == 200


async def test_logins_get_in_again_once_the_queue_is_empty(
    service: Service, service_with: MakeService, release: threading.Event
) -> None:
    await service.add_account()
    busy = await service_with(hash_threads=1, hash_max_wait_seconds=0.01)
    occupied = await occupy(busy, release)
    assert (await busy.post("/login", **LOGIN)).status_code == 503

    release.set()
    await occupied

    assert (await busy.post("/login", **LOGIN)).status_code == 200


async def test_while_a_password_waits_for_its_thread_others_are_served(
    service: Service, service_with: MakeService, release: threading.Event
) -> None:
    await service.add_account()
    tokens = await service.login()
    slow = await service_with(hash_threads=1, hash_max_wait_seconds=60)
    occupied = await occupy(slow, release)
    login = asyncio.create_task(slow.post("/login", **LOGIN))

    health = await slow.http.get("/healthz")
    refreshed = await slow.refresh(tokens["refresh_token"])
    done, _ = await asyncio.wait({login, occupied}, timeout=0.1)
    release.set()
    logged_in = await login
    await occupied

    assert (health.status_code, refreshed.status_code) == (200, 200)
    assert not done, "hashing has a thread of its own"
    assert logged_in.status_code == 200


async def test_no_connection_is_held_while_a_password_is_hashed(
    service: Service, service_with: MakeService
) -> None:
    await service.add_account()
    tokens = await service.login()
    narrow = await service_with(database_pool_size=1, database_timeout_seconds=0.5)
    gate = hold_logins_after_verifying(narrow)
    login = asyncio.create_task(narrow.post("/login", **LOGIN))
    await gate.reached.wait()

    meanwhile = await narrow.refresh(tokens["refresh_token"])
    gate.open.set()
    logged_in = await login

    assert meanwhile.status_code == 200, meanwhile.text
    assert logged_in.status_code == 200


Call = Callable[[Service, dict[str, str]], Awaitable[httpx.Response]]
CALLS: dict[str, Call] = {
    "POST /login": lambda service, _: service.post("/login", **LOGIN),
    "POST /token": lambda service, _: service.post("/token", grant_type="password", **LOGIN),
    "POST /refresh": lambda service, tokens: service.refresh(tokens["refresh_token"]),
    "GET /sessions": lambda service, tokens: service.as_user("GET", "/sessions", tokens["access_token"]),
    "DELETE /sessions": lambda service, tokens: service.as_user(
        "DELETE", f"/sessions/{tokens['other']}", tokens["access_token"]
    ),
    "GET /me": lambda service, tokens: service.as_user("GET", "/me", tokens["access_token"]),
    "POST /password": lambda service, tokens: service.as_user(
        "POST",
        "/password",
        tokens["access_token"],
        current_password=PASSWORD,
        new_password="a new password that is long",
    ),
    "POST /introspect": lambda service, tokens: service.post(
        "/introspect",
        token=tokens["refresh_token"],
        client_id=tokens["caller"],
        client_secret=tokens["secret"],
    ),
    "POST /revoke": lambda service, tokens: service.post(
        "/revoke", token=tokens["access_token"], client_id="public"
    ),
    "POST /logout": lambda service, tokens: service.post("/logout", refresh_token=tokens["refresh_token"]),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_no_request_needs_two_connections_at_a_time(
    service: Service, service_with: MakeService, caller: Registered, call: Call
) -> None:
    await service.add_account()
    other = (await service.as_user("GET", "/me", (await service.login())["access_token"])).json()
    tokens = await service.login() | {
        "other": other["session_id"],
        "caller": caller.id,
        "secret": caller.secret,
    }
    narrow = await service_with(database_pool_size=1, database_timeout_seconds=0.5)

    response = await call(narrow, tokens)

    assert response.status_code in {200, 204}, response.text


NEED_THE_DATABASE = ("POST /login", "POST /token", "POST /refresh", "POST /introspect", "POST /logout")


@pytest.mark.parametrize("call", [CALLS[name] for name in NEED_THE_DATABASE], ids=NEED_THE_DATABASE)
async def test_a_full_pool_is_503_soon_and_burns_nothing(
    service: Service, service_with: MakeService, caller: Registered, call: Call
) -> None:
    await service.add_account()
    tokens = await service.login() | {"caller": caller.id, "secret": caller.secret}
    narrow = await service_with(database_pool_size=1, database_timeout_seconds=0.5)
    before = await service.rows()

    async with every_connection_in_use(narrow.stack.services.stores.database):
        started = time.perf_counter()
        refused = await call(narrow, tokens)

    assert refused.status_code == 503, refused.text
    assert refused.headers.get("retry-after") == "1"
    assert time.perf_counter() - started < 2
    assert await service.rows() == before
    assert (await call(narrow, tokens)).status_code in {200, 204}
