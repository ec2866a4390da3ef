"""Headers that every answer has, the good ones and the refusals."""

import re

import pytest

from tests.fixtures.service import PASSWORD, USERNAME, Service

EVERY_KIND = [
    pytest.param("GET", "/healthz", 200, id="probe"),
    pytest.param("GET", "/readyz", 200, id="readiness"),
    pytest.param("GET", "/metrics", 200, id="metrics"),
    pytest.param("GET", "/me", 401, id="no token"),
    pytest.param("GET", "/verify", 401, id="verify"),
    pytest.param("POST", "/login", 400, id="bad request"),
    pytest.param("POST", "/introspect", 401, id="introspection"),
    pytest.param("POST", "/revoke", 401, id="revocation"),
    pytest.param("GET", "/login", 405, id="wrong method"),
    pytest.param("GET", "/nowhere", 404, id="unknown page"),
    pytest.param("GET", "/.well-known/openid-configuration", 404, id="not served"),
]
CACHED = ["/.well-known/jwks.json", "/.well-known/oauth-authorization-server", "/docs", "/openapi.json"]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(("method", "path", "status"), EVERY_KIND)
async def test_every_answer_forbids_sniffing_and_storing(
    service: Service, method: str, path: str, status: int
) -> None:
    response = await service.http.request(method, path)

    assert response.status_code == status
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    assert len(response.headers.get_list("cache-control")) == 1


@pytest.mark.parametrize("path", CACHED)
async def test_pages_that_caches_may_keep_forbid_sniffing_too(service: Service, path: str) -> None:
    response = await service.http.get(path)

    assert response.status_code == 200
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("outcome", ["granted", "refused"])
async def test_an_answer_about_tokens_is_stored_nowhere(service: Service, outcome: str) -> None:
    await service.add_account()
    password = PASSWORD if outcome == "granted" else "wrong"

    response = await service.post("/login", username=USERNAME, password=password)

    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/login", 400), ("/token", 400), ("/refresh", 400), ("/revoke", 401), ("/introspect", 401)],
)
async def test_a_refusal_of_an_oauth_endpoint_is_json_that_no_cache_keeps(
    service: Service, path: str, status: int
) -> None:
    response = await service.post(path)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    assert set(response.json()) == {"error", "error_description"}


async def request_id(service: Service, headers: dict[str, str]) -> str:
    response = await service.http.get("/healthz", headers=headers)
    return str(response.headers["x-request-id"])


async def test_a_request_id_of_the_caller_comes_back(service: Service) -> None:
    assert await request_id(service, {"X-Request-ID": "req-1.2:3_4"}) == "req-1.2:3_4"


async def test_without_one_the_trace_gives_it(service: Service) -> None:
    assert await request_id(service, {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}) == TRACE


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, 'x"y', "x,y", "<script>", "é", "%0d%0aSet-Cookie:x"])
async def test_an_odd_request_id_is_replaced_and_never_echoed(service: Service, given: str) -> None:
    response = await service.http.get("/healthz", headers={b"X-Request-ID": given.encode("latin-1")})

    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["x-request-id"])
    assert "set-cookie" not in response.headers
