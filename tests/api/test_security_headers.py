"""Headers that every answer has, the good ones and the refusals."""

import re
from typing import Any

import pytest

from tests.conftest import MakeService
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


@pytest.mark.demand("A-15")
@pytest.mark.parametrize(("method", "path", "status"), EVERY_KIND)
async def test_every_answer_forbids_sniffing_and_storing(
    service: Service, method: str, path: str, status: int
) -> None:
    response = await service.http.request(method, path)

    assert response.status_code == status
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    assert len(response.headers.get_list("cache-control")) == 1


@pytest.mark.demand("A-15")
@pytest.mark.parametrize("path", CACHED)
async def test_pages_that_caches_may_keep_forbid_sniffing_too(service: Service, path: str) -> None:
    response = await service.http.get(path)

    assert response.status_code == 200
    assert response.headers["x-content-type-options"] == "nosniff"


API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
EVERYWHERE = [
    *(case.values[:2] for case in EVERY_KIND),
    *(("GET", path) for path in CACHED if path != "/docs"),
]


@pytest.mark.parametrize(("method", "path"), EVERYWHERE)
async def test_no_answer_may_load_anything_be_framed_or_tell_where_it_was_linked(
    service: Service, method: str, path: str
) -> None:
    response = await service.http.request(method, path)

    assert response.headers.get_list("content-security-policy") == [API_POLICY]
    assert response.headers.get_list("referrer-policy") == ["no-referrer"]
    assert response.headers.get_list("x-content-type-options") == ["nosniff"]
    assert "server" not in response.headers


@pytest.mark.demand("A-22")
async def test_the_page_of_docs_loads_nothing_from_elsewhere(service: Service) -> None:
    page = await service.http.get("/docs")

    [policy] = page.headers.get_list("content-security-policy")
    allowed = dict(part.split(" ", 1) for part in policy.split("; "))
    assert allowed["default-src"] == "'none'"
    assert {source for said in allowed.values() for source in said.split()} == {"'none'", "'self'", "data:"}
    assert [name for name, said in allowed.items() if "data:" in said] == ["img-src"]
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(links) >= 4
    for link in links:
        assert not re.match(r"[a-z]+:|//", link), link
        assert (await service.http.get(f"/{link}")).status_code == 200
    assert not re.search(r"<script(?![^>]* src=)|<style|\bon\w+=", page.text)


@pytest.mark.demand("A-22")
@pytest.mark.parametrize("name", ["swagger-ui.css", "swagger-init.js"])
async def test_no_file_of_docs_names_another_place_to_load_from(service: Service, name: str) -> None:
    text = (await service.http.get(f"/docs/{name}")).text

    assert not re.search(r"@import|url\(\s*['\"]?(?!data:)[a-z]*:?//|(?:fetch|import)\(['\"]http", text)


@pytest.mark.parametrize(
    ("settings", "header"),
    [
        pytest.param({}, "max-age=31536000", id="https"),
        pytest.param({"hsts_seconds": 300}, "max-age=300", id="a shorter time"),
        pytest.param({"hsts_seconds": 0}, None, id="not wanted"),
        pytest.param({"issuer": "http://127.0.0.1:8000"}, None, id="http on loopback"),
    ],
)
async def test_browsers_are_kept_to_https_where_the_issuer_is(
    service_with: MakeService, settings: dict[str, Any], header: str | None
) -> None:
    made = await service_with(**settings)

    for path in ("/healthz", "/nowhere", "/docs", "/me"):
        assert (await made.http.get(path)).headers.get("strict-transport-security") == header


@pytest.mark.demand("A-15")
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
