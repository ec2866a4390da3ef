"""How much is let in: so many requests in work, each with its body here already."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.conftest import MakeService
from tests.fixtures.answers import assert_oauth_error, assert_problem
from tests.fixtures.documented import operation_of
from tests.fixtures.forms import FORM_TYPE
from tests.fixtures.logs import written
from tests.fixtures.service import PASSWORD, USERNAME, Json, Registered, Service

LIMIT_SECONDS = 10
PROBES = ("/healthz", "/readyz", "/metrics")
OAUTH = ("/login", "/token", "/refresh", "/introspect", "/revoke")


class Held:
    """An endpoint of the test's own, whose requests are in work until they may end."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._begun = asyncio.Event()
        self._may_end = asyncio.Event()
        # Not one of FastAPI's, whose path would be a label of the metrics.
        service.stack.app.router.routes.append(Route("/held", self.serve))

    async def serve(self, _: Request) -> Response:
        self._begun.set()
        await self._may_end.wait()
        return Response(status_code=204)

    async def __aenter__(self) -> Service:
        self._request = asyncio.create_task(self.service.http.get("/held"))
        await self._begun.wait()
        return self.service

    async def __aexit__(self, *_: object) -> None:
        self._may_end.set()
        assert self._request.cancelled() or (await self._request).status_code == 204

    async def leave(self) -> None:
        self._request.cancel()
        with suppress(asyncio.CancelledError):
            await self._request


@pytest.fixture
async def narrow(service_with: MakeService) -> Service:
    """A service that takes on one request at a time."""
    return await service_with(max_requests=1)


def assert_told_to_come_again(response: httpx.Response) -> None:
    if response.request.url.path in OAUTH:
        assert_oauth_error(response, 503, "temporarily_unavailable")
    else:
        assert_problem(response, 503)
    assert response.headers.get("retry-after") == "1"
    if response.request.url.path not in {"/docs", "/nowhere"}:
        operation_of(response.request).assert_documented(response)


async def test_one_request_too_many_is_told_when_to_come_again(
    narrow: Service, caller: Registered, signed_in: Json
) -> None:
    token = signed_in["access_token"]
    async with Held(narrow) as full:
        for path in OAUTH:
            assert_told_to_come_again(await full.post(path, caller, token=token))
        for path in ("/me", "/verify", "/.well-known/jwks.json", "/docs", "/nowhere"):
            assert_told_to_come_again(await full.as_user("GET", path, token))
    assert await narrow.is_live(token, caller)


async def test_probes_are_answered_however_full_it_is(narrow: Service) -> None:
    async with Held(narrow) as full:
        for path in PROBES:
            assert (await full.http.get(path)).status_code == 200, path


async def test_what_was_turned_away_is_counted(narrow: Service) -> None:
    counted = 'authsvc_requests_refused_total{limit="requests"}'
    before = await narrow.metric(counted)

    async with Held(narrow) as full:
        for _ in range(3):
            assert_told_to_come_again(await full.http.get("/me"))

    assert await narrow.metric(counted) == before + 3


async def test_a_page_of_a_known_origin_can_read_that_it_is_to_come_again(service_with: MakeService) -> None:
    origin = "https://app.example.com"
    shared = await service_with(max_requests=1, cors_origins=(origin,))

    async with Held(shared) as full:
        response = await full.http.post("/login", headers={"Origin": origin})

    assert_told_to_come_again(response)
    assert response.headers.get("access-control-allow-origin") == origin


async def test_a_place_is_free_again_whatever_the_answer_was(narrow: Service) -> None:
    async def explode(_: Request) -> Response:
        raise RuntimeError("unexpected")

    narrow.stack.app.router.routes.append(Route("/explode", explode))
    with written():
        statuses = [
            (await narrow.http.request(method, path)).status_code
            for method, path in [("GET", "/explode"), ("GET", "/me"), ("POST", "/login"), ("PUT", "/login")]
            * 2
        ]

    assert statuses == [500, 401, 400, 405] * 2


async def test_whoever_leaves_makes_room(narrow: Service) -> None:
    held = Held(narrow)
    async with held:
        assert (await narrow.http.get("/me")).status_code == 503

        await held.leave()

        assert (await narrow.http.get("/me")).status_code == 401


@pytest.mark.parametrize("path", ["/login", "/token"], ids=["at once", "through the router"])
async def test_a_body_that_is_on_its_way_takes_no_place(narrow: Service, path: str) -> None:
    await narrow.add_account()
    is_sent, was_asked_for = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield f"grant_type=password&username={USERNAME}&".encode()
        was_asked_for.set()
        await is_sent.wait()
        yield f"password={PASSWORD}".encode()

    slow = asyncio.create_task(narrow.http.post(path, content=body(), headers={"Content-Type": FORM_TYPE}))
    await was_asked_for.wait()

    try:
        assert (await narrow.http.get("/me")).status_code == 401
    finally:
        is_sent.set()
        logged_in = await slow
    assert logged_in.status_code == 200


@pytest.mark.parametrize("path", [*OAUTH, "/logout", "/password", "/nowhere"])
async def test_a_body_that_does_not_come_is_408_and_the_connection_is_closed(
    service_with: MakeService, path: str
) -> None:
    impatient = await service_with(body_seconds=0.05)

    async def never() -> AsyncIterator[bytes]:
        yield b"username="
        await asyncio.Event().wait()

    response = await impatient.http.post(path, content=never(), headers={"Content-Type": FORM_TYPE})

    if path in OAUTH:
        assert_oauth_error(response, 408, "invalid_request")
    else:
        assert_problem(response, 408)
    assert response.headers.get("connection") == "close"
    if path != "/nowhere":
        operation_of(response.request).assert_documented(response)
    assert (await impatient.http.post(path)).status_code != 408


@pytest.mark.only("sqlite-jwt", reason="no store is asked, and who waits in vain waits for long")
async def test_a_body_that_never_comes_is_not_awaited_for_ever(service_with: MakeService) -> None:
    impatient = await service_with(body_seconds=0.05)

    async def never() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    asking = asyncio.create_task(impatient.http.post("/login", content=never()))
    await asyncio.wait({asking}, timeout=LIMIT_SECONDS)

    is_answered = asking.done()
    asking.cancel()
    assert is_answered


async def test_a_body_without_a_length_arrives_whole(service: Service, caller: Registered) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]

    async def in_pieces() -> AsyncIterator[bytes]:
        for byte in f"token={token}":
            yield byte.encode()

    response = await service.http.post(
        "/introspect", content=in_pieces(), headers={"Content-Type": FORM_TYPE}, auth=caller.auth
    )

    assert response.json()["active"]
