"""Which pages of other origins may talk to the service (the Fetch standard's CORS protocol)."""

import pytest

from tests.conftest import MakeService
from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.full_pool import every_connection_in_use
from tests.fixtures.logs import written
from tests.fixtures.service import PASSWORD, USERNAME, Service

ORIGIN = "https://app.example.com"
SECOND = "http://localhost:5173"
STRANGERS = [
    "https://evil.example.com",
    "https://app.example.com.evil.example",
    "https://evil-app.example.com",
    "https://sub.app.example.com",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://APP.example.com",
    "https://app.example.com/",
    "null",
    "*",
    "",
]
URLS = ["/login", "/token", "/refresh", "/logout", "/introspect", "/revoke", "/me", "/sessions", "/password"]


@pytest.fixture
async def shared(service_with: MakeService) -> Service:
    """The service, with two origins that it knows."""
    return await service_with(cors_origins=(ORIGIN, SECOND))


def preflight(origin: str, method: str = "POST", headers: str = "") -> dict[str, str]:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    return asked | ({"Access-Control-Request-Headers": headers} if headers else {})


async def test_a_known_origin_may_send_forms_and_tokens(shared: Service) -> None:
    for url in URLS:
        method = "GET" if url in {"/me", "/sessions"} else "POST"
        asked = preflight(ORIGIN, method, "authorization,content-type")

        response = await shared.http.options(url, headers=asked)

        assert response.status_code == 200, url
        assert response.headers.get("access-control-allow-origin") == ORIGIN
        assert method in response.headers["access-control-allow-methods"].split(", ")
        allowed = response.headers["access-control-allow-headers"].lower().split(", ")
        assert {"authorization", "content-type"} <= set(allowed)
        assert "Origin" in response.headers["vary"].split(", ")
        assert "access-control-allow-credentials" not in response.headers
        assert response.headers["x-content-type-options"] == "nosniff"


async def test_a_session_may_be_ended_from_a_known_origin(shared: Service) -> None:
    response = await shared.http.options("/sessions/x", headers=preflight(ORIGIN, "DELETE", "authorization"))

    assert response.status_code == 200
    assert "DELETE" in response.headers["access-control-allow-methods"]


@pytest.mark.parametrize(
    ("method", "headers"), [("PUT", ""), ("PATCH", ""), ("POST", "x-request-id"), ("POST", "cookie")]
)
async def test_other_methods_and_headers_are_not_allowed(shared: Service, method: str, headers: str) -> None:
    response = await shared.http.options("/login", headers=preflight(ORIGIN, method, headers))

    assert response.status_code == 400


@pytest.mark.parametrize("origin", [ORIGIN, SECOND])
async def test_an_answer_names_the_origin_that_asked_and_says_that_it_varies(
    shared: Service, origin: str
) -> None:
    await shared.add_account()

    response = await shared.http.post(
        "/login", data={"username": USERNAME, "password": PASSWORD}, headers={"Origin": origin}
    )

    assert response.status_code == 200
    assert response.headers.get("access-control-allow-origin") == origin
    assert response.headers["vary"] == "Origin"
    exposed = response.headers["access-control-expose-headers"].split(", ")
    assert {"Retry-After", "WWW-Authenticate"} <= set(exposed)


async def test_a_page_can_read_an_error(shared: Service) -> None:
    response = await shared.http.post(
        "/login", data={"username": USERNAME, "password": "wrong"}, headers={"Origin": ORIGIN}
    )

    assert_oauth_error(response, 400, "invalid_grant")
    assert response.headers.get("access-control-allow-origin") == ORIGIN


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        pytest.param("POST", "/login", 400, id="400"),
        pytest.param("GET", "/me", 401, id="401"),
        pytest.param("GET", "/nowhere", 404, id="404"),
        pytest.param("GET", "/login", 405, id="405"),
        pytest.param("GET", "/sessions?limit=x", 401, id="401 before 422"),
    ],
)
async def test_every_error_carries_the_headers_too(
    shared: Service, method: str, url: str, status: int
) -> None:
    response = await shared.http.request(method, url, headers={"Origin": ORIGIN})

    assert response.status_code == status
    assert response.headers.get("access-control-allow-origin") == ORIGIN
    assert response.headers["vary"] == "Origin"
    assert "WWW-Authenticate" in response.headers["access-control-expose-headers"]


async def test_a_503_tells_a_page_when_to_come_again(shared: Service, service_with: MakeService) -> None:
    await shared.add_account()
    full = await service_with(cors_origins=(ORIGIN,), database_pool_size=1, database_timeout_seconds=0.5)

    async with every_connection_in_use(full.stack.services.stores.database):
        response = await full.http.post(
            "/login", data={"username": USERNAME, "password": PASSWORD}, headers={"Origin": ORIGIN}
        )

    assert_oauth_error(response, 503, "temporarily_unavailable")
    assert response.headers.get("access-control-allow-origin") == ORIGIN
    assert "Retry-After" in response.headers["access-control-expose-headers"]
    assert response.headers.get("retry-after") == "1"


async def test_a_500_carries_the_headers_too(shared: Service) -> None:
    del shared.stack.app.state.services

    with written():
        response = await shared.http.post("/login", data={"username": "a"}, headers={"Origin": ORIGIN})

    assert response.status_code == 500
    assert response.headers.get("access-control-allow-origin") == ORIGIN
    assert response.headers["vary"] == "Origin"


@pytest.mark.demand("A-14")
async def test_a_stranger_is_named_in_no_answer(shared: Service) -> None:
    for origin in STRANGERS:
        asked = await shared.http.options("/login", headers=preflight(origin))
        sent = await shared.http.post("/login", headers={"Origin": origin})

        assert asked.status_code == 400, origin
        for response in (asked, sent):
            assert "access-control-allow-origin" not in response.headers, origin
            assert "access-control-allow-credentials" not in response.headers, origin
            assert "Origin" in response.headers["vary"].split(", "), origin


async def test_without_an_origin_the_answer_still_says_that_it_varies(shared: Service) -> None:
    response = await shared.http.get("/healthz")

    assert response.headers["vary"] == "Origin"
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.demand("A-14")
async def test_where_no_origin_is_known_no_page_of_another_origin_gets_an_answer(service: Service) -> None:
    await service.add_account()
    form = {"username": USERNAME, "password": PASSWORD}

    asked = await service.http.options("/login", headers=preflight(ORIGIN))
    sent = await service.http.post("/login", data=form, headers={"Origin": ORIGIN})

    assert asked.status_code == 405
    for response in (asked, sent):
        assert not [name for name in response.headers if name.startswith("access-control-")]
