"""What a stranger sends in every place there is: it opens nothing, comes back nowhere, costs nothing."""

import json
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import MakeService
from tests.fixtures.forms import FORM_TYPE, PATHS, Filled, fill
from tests.fixtures.full_pool import every_connection_in_use
from tests.fixtures.logs import written
from tests.fixtures.service import PASSWORD, USERNAME, Json, Registered, Service

SPLIT = "x\r\nX-Injected: yes\r\n\r\n<html>"
# The only headers that any answer has.
HEADERS = {
    "content-type",
    "content-length",
    "cache-control",
    "pragma",
    "www-authenticate",
    "retry-after",
    "allow",
    "etag",
    "vary",
    "connection",
    "x-request-id",
    "x-content-type-options",
    "referrer-policy",
    "content-security-policy",
    "strict-transport-security",
    "x-auth-user",
    "x-auth-subject",
    "x-auth-client",
    "x-auth-scope",
    "x-auth-session",
}
TELLTALE = re.compile(
    r"traceback|\.py\b|line \d|exception|asyncpg|sqlalchemy|sqlite|postgres|redis|psycopg|starlette|fastapi|"
    r"uvicorn|httptools|pydantic|passlib|argon2|python|jose|cryptography|openssl|linux|\d+\.\d+\.\d+",
    re.IGNORECASE,
)


@pytest.fixture(params=PATHS)
async def filled(service: Service, request: pytest.FixtureRequest) -> Filled:
    return await fill(service, request.param)


def assert_headers_are_ours(response: httpx.Response) -> None:
    assert set(response.headers) <= HEADERS, response.headers
    for name, value in response.headers.raw:
        assert not re.search(rb"[\x00-\x1f\x7f-\xff]", name + value), (name, value)
        assert b"njected" not in name + value, (name, value)


@pytest.mark.demand("A-07")
async def test_nothing_of_a_form_becomes_a_header(filled: Filled) -> None:
    for name in (*filled.form, "unknown"):
        response = await filled.send(filled.with_value(name, SPLIT.encode().replace(b"\r\n", b"%0d%0a")))
        assert_headers_are_ours(response)


@pytest.mark.demand("A-07")
async def test_nothing_of_a_url_or_a_header_becomes_a_header(service: Service, signed_in: Json) -> None:
    token = signed_in["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    for path in ("/verify", "/me", "/sessions", "/healthz", "/docs", "/nowhere"):
        for query in ({"scope": SPLIT}, {"after": SPLIT}, {"limit": SPLIT}, {SPLIT: "x"}):
            assert_headers_are_ours(await service.http.get(path, params=query, headers=bearer))
    for path in ("/%0d%0aX-Injected:yes", "/sessions/%0d%0aX-Injected:yes", "/docs/%0d%0aX-Injected:yes"):
        assert_headers_are_ours(await service.http.request("DELETE", path, headers=bearer))
    names = ("X-Request-ID", "traceparent", "If-None-Match", "Origin", "Host", "X-Forwarded-Host", "Accept")
    for name in (*names, "Authorization", "Cookie", "X-Auth-User", "Access-Control-Request-Headers"):
        sent = [(name.encode(), b"X-Injected: yes")]
        for path in ("/verify", "/me", "/.well-known/jwks.json", "/docs/swagger-ui.css"):
            assert_headers_are_ours(await service.http.get(path, headers=sent))


@pytest.mark.demand("A-09")
@pytest.mark.parametrize("path", PATHS)
async def test_a_body_made_to_exhaust_a_parser_is_refused(service: Service, path: str) -> None:
    filled = await fill(service, path)
    before = await service.rows()
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'
    bodies = {
        "1,000 parts": ("multipart/form-data; boundary=x", part * 1_000 + b"--x--\r\n"),
        "a part without an end": ("multipart/form-data; boundary=x", b"--x\r\n" + b"A" * 60_000),
        "a boundary of nothing": ("multipart/form-data; boundary=", b"--\r\n" * 10_000),
        "a long boundary": ("multipart/form-data; boundary=" + "x" * 20_000, b"--x"),
        "a malformed one": ("multipart/form-data", b"\r\n" * 30_000),
        "deep JSON": ("application/json", b"[" * 60_000),
        "a long number": ("application/json", b"9" * 60_000),
        "XML": ("application/xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
        "a compressed form": (f"{FORM_TYPE}; charset=gzip", b"\x1f\x8b\x08" + b"\0" * 1_000),
        "60,000 equal signs": (FORM_TYPE, b"=" * 60_000),
        "60,000 ampersands": (FORM_TYPE, b"a" + b"&" * 60_000),
        "60,000 percent signs": (FORM_TYPE, b"a=" + b"%" * 60_000),
        "7,000 fields": (FORM_TYPE, b"&".join(b"a%d=b" % number for number in range(7_000))),
        "nested fields": (FORM_TYPE, b"a" + b"[a]" * 20_000 + b"=b"),
    }
    for what, (content_type, body) in bodies.items():
        response = await filled.send(body, content_type)
        assert response.status_code in {400, 401, 413, 415}, f"{what}: {response.status_code}"
        assert "json" in response.headers["content-type"]
    assert await service.rows() == before


ODD_BYTES = (b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf", b"%00", b"%ff", b"%zz", b"%", b"%ed%a0%80")


@pytest.mark.demand("A-11")
async def test_what_is_no_text_in_a_path_or_a_query_is_a_clean_refusal(
    service: Service, signed_in: Json
) -> None:
    bearer = {"Authorization": f"Bearer {signed_in['access_token']}"}
    for raw in ("%00", "%ff", "%zz", "%", "%ed%a0%80", "%c0%af", "%1b[31m", "%e2%80%ae"):
        for url, statuses in {
            f"/{raw}": {404},
            f"/sessions/{raw}": {404, 405},
            f"/docs/{raw}": {404},
            f"/verify?scope={raw}": {403},
            f"/sessions?after={raw}": {422},
            f"/sessions?limit={raw}": {422},
            f"/me?{raw}={raw}": {200},
        }.items():
            response = await service.http.get(url, headers=bearer)
            assert response.status_code in statuses, f"{url}: {response.status_code}"


@pytest.mark.demand("A-11")
async def test_what_is_no_text_in_credentials_is_a_clean_refusal(service: Service) -> None:
    for raw in ODD_BYTES:
        for scheme in (b"Basic ", b"Bearer ", b"", b"Basic " + raw + b" "):
            headers = {b"Authorization": scheme + raw, b"Content-Type": FORM_TYPE.encode()}
            for method, path in (
                ("POST", "/introspect"),
                ("POST", "/revoke"),
                ("GET", "/me"),
                ("GET", "/verify"),
            ):
                response = await service.http.request(method, path, headers=headers)
                assert response.status_code in {400, 401}, f"{scheme + raw!r} at {path}"


@pytest.mark.demand("A-12")
async def test_a_password_of_a_megabyte_is_refused_without_a_hash(service: Service, signed_in: Json) -> None:
    password = "a" * 1_000_000
    counted = "authsvc_password_hash_seconds_count"
    before = await service.metric(counted)

    for path, form in {
        "/login": {"username": USERNAME, "password": password},
        "/token": {"grant_type": "password", "username": USERNAME, "password": password},
        "/password": {"current_password": password, "new_password": password},
    }.items():
        assert (await service.as_user("POST", path, signed_in["access_token"], **form)).status_code == 413

    assert await service.metric(counted) == before


@pytest.mark.demand("A-13")
async def test_a_name_that_looks_like_the_users_is_answered_as_any_unknown_one(service: Service) -> None:
    await service.add_account("paypal@example.com")
    unknown = await service.post("/login", username="nobody@example.com", password=PASSWORD)

    for lookalike in (
        "p\u0430ypal@example.com",
        "paypa\u0406@example.com",
        "paypa1@example.com",
        "pay\u200dpal@example.com",
        "paypal@ex\u00e4mple.com",
        "paypal@example.com\u202e",
        "paypal@example\u3002com",
        "paypal@example.com\u0301",
    ):
        answer = await service.post("/login", username=lookalike, password=PASSWORD)
        assert (answer.status_code, answer.json()) == (400, unknown.json()), ascii(lookalike)
    assert (await service.login(username="paypal@example.com"))["access_token"]


@pytest.mark.demand("A-15")
async def test_what_introspection_says_is_stored_nowhere(
    service: Service, caller: Registered, signed_in: Json
) -> None:
    for token in (signed_in["access_token"], signed_in["refresh_token"], "no token"):
        response = await service.post("/introspect", caller, token=token)

        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"


async def one_of_each_kind(
    service: Service, service_with: MakeService, caller: Registered, token: str
) -> list[httpx.Response]:
    """An answer of every status there is, and of every endpoint that anyone may ask."""
    narrow = await service_with(database_pool_size=1, database_timeout_seconds=0.5)
    broken = await service_with()
    del broken.stack.app.state.services
    with written():
        async with every_connection_in_use(narrow.stack.services.stores.database):
            away = await narrow.post("/login", username=USERNAME, password=PASSWORD)
            not_ready = await narrow.http.get("/readyz")
        unexpected = await broken.post("/login", username=USERNAME, password=PASSWORD)
    answers = [
        away,
        not_ready,
        unexpected,
        await service.post("/login", username=USERNAME, password="wrong"),
        await service.post("/login", username=USERNAME, password=PASSWORD),
        await service.post("/introspect", token=token),
        await service.post("/introspect", caller, token=token),
        await service.post("/introspect", caller, token="x"),
        await service.post("/revoke", caller, token="x"),
        await service.http.post("/login", json={}),
        await service.http.post("/login", content=b"a" * 70_000),
        await service.http.get("/nowhere"),
        await service.http.get("/login"),
        await service.as_user("GET", "/sessions?limit=x", token),
        await service.as_user("GET", "/sessions", token),
        await service.as_user("GET", "/verify", token),
        await service.as_user("GET", "/verify?scope=none", token),
        await service.as_user("GET", "/verify", token[:-3]),
        await service.as_user("GET", "/me", token),
        await service.http.get("/healthz"),
        await service.http.get("/metrics"),
        await service.http.get("/.well-known/jwks.json"),
        await service.http.get("/.well-known/oauth-authorization-server"),
        await service.http.get("/openapi.json"),
        await service.http.get("/docs"),
        await service.http.get("/docs/swagger-init.js"),
        await service.http.get("/docs/swagger-ui.css"),
        await service.http.get("/docs/favicon-32x32.png"),
        await service.as_user("POST", "/logout", token),
    ]
    assert {200, 204, 400, 401, 403, 404, 405, 413, 415, 422, 500, 503} == {
        one.status_code for one in answers
    }
    return answers


@pytest.mark.demand("A-18")
async def test_no_answer_tells_what_the_service_is_made_of(
    service: Service, service_with: MakeService, caller: Registered, signed_in: Json
) -> None:
    for response in await one_of_each_kind(service, service_with, caller, signed_in["access_token"]):
        path = response.request.url.path
        assert not {"server", "x-powered-by", "via"} & set(response.headers), path
        # Swagger UI is no secret, nor what the document says of our own version and settings; readiness names
        # the stores, a token's claims hold ids.
        if response.status_code >= 400 and path != "/readyz":
            assert not TELLTALE.search(response.text), f"{path} {response.status_code}: {response.text}"


@pytest.mark.demand("A-18")
async def test_the_metrics_name_no_version(service: Service) -> None:
    text = (await service.http.get("/metrics")).text

    assert "python_info" not in text
    assert not re.search(r"\d+\.\d+\.\d+", text)


@pytest.mark.demand("A-27")
async def test_every_body_is_of_the_type_that_it_says(
    service: Service, service_with: MakeService, caller: Registered, signed_in: Json
) -> None:
    for response in await one_of_each_kind(service, service_with, caller, signed_in["access_token"]):
        said = response.headers.get("content-type", "")
        where = f"{response.request.method} {response.request.url.path} {response.status_code}: {said!r}"
        if not response.content:
            assert not said or response.status_code in {200, 204}, where
            continue
        kind, _, parameters = said.partition("; ")
        assert fits(kind, response), where
        # Text without a charset could be taken for another's.
        assert not kind.startswith("text/") or "charset=utf-8" in parameters.lower(), where


def fits(kind: str, response: httpx.Response) -> bool:
    body = response.content
    match kind:
        case "application/json":
            return isinstance(json.loads(body), dict)
        case "application/problem+json":
            return bool(json.loads(body)["status"] == response.status_code)
        case "text/html":
            return body.startswith(b"<!DOCTYPE html>")
        case "image/png":
            return body.startswith(b"\x89PNG")
        case "text/plain":
            return body.startswith(b"# HELP ")
        case "text/css" | "text/javascript":
            return response.request.url.path.endswith({"text/css": ".css", "text/javascript": ".js"}[kind])
    return False


@pytest.mark.demand("A-23")
async def test_health_says_nothing_of_anyone(service: Service, caller: Registered, signed_in: Json) -> None:
    for path in ("/healthz", "/readyz"):
        response = await service.as_user("GET", f"{path}?token={signed_in['access_token']}", caller.secret)

        words = {"status", "ok", "ready", "database", "redis", "not configured"}
        assert set(strings(response.json())) <= words


def strings(body: Json) -> Iterator[str]:
    for name, value in body.items():
        yield name
        yield value


@pytest.mark.demand("A-28")
async def test_no_parameter_of_a_url_stands_in_for_one_of_the_body(
    service: Service, caller: Registered, signed_in: Json
) -> None:
    await service.add_account("grace@example.com")
    token = signed_in["access_token"]
    login = {"username": USERNAME, "password": PASSWORD}
    by_client = {"client_id": caller.id, "client_secret": caller.secret}

    assert (await service.http.post("/login", params=login)).status_code == 400
    assert (
        await service.http.post("/login", params={"password": PASSWORD}, data={"username": USERNAME})
    ).status_code == 400
    assert (await service.http.post("/introspect", params=by_client | {"token": token})).status_code == 401
    assert (
        await service.http.post("/introspect", params=by_client, data={"token": token})
    ).status_code == 401
    assert (await service.http.get("/me", params={"access_token": token})).status_code == 401
    narrowed = await service.http.post("/login", params={"scope": "none"}, data=login)
    assert (narrowed.status_code, narrowed.json()["scope"]) == (200, "account")
    other = await service.http.post("/login", params={"username": "grace@example.com"}, data=login)
    me = await service.as_user("GET", "/me", other.json()["access_token"])
    assert me.json()["username"] == USERNAME


@pytest.mark.demand("A-29")
async def test_errors_of_what_is_no_oauth_endpoint_are_problem_details(
    service: Service, service_with: MakeService, caller: Registered, signed_in: Json
) -> None:
    oauth = {"/login", "/token", "/refresh", "/introspect", "/revoke"}
    for response in await one_of_each_kind(service, service_with, caller, signed_in["access_token"]):
        path, status = response.request.url.path, response.status_code
        if status >= 400 and path != "/readyz" and (path not in oauth or status in {405, 500}):
            assert response.headers["content-type"] == "application/problem+json", f"{path} {status}"
            assert response.json()["status"] == status
