"""Errors as a whole: their form, what they never tell, and what is not served at all."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import MakeService
from tests.fixtures.answers import assert_oauth_error, assert_problem
from tests.fixtures.log_watch import WATCH
from tests.fixtures.logs import written
from tests.fixtures.service import PASSWORD, USERNAME, Json, Service

METHODS = {
    "/login": "POST",
    "/token": "POST",
    "/refresh": "POST",
    "/logout": "POST",
    "/introspect": "POST",
    "/revoke": "POST",
    "/password": "POST",
    "/verify": "GET",
    "/me": "GET",
    "/sessions": "GET",
    "/sessions/0198a0a0-0000-7000-8000-000000000000": "DELETE",
    "/.well-known/jwks.json": "GET",
    "/.well-known/oauth-authorization-server": "GET",
    "/healthz": "GET",
    "/readyz": "GET",
    "/metrics": "GET",
    "/docs": "GET",
    "/openapi.json": "GET",
}


async def test_the_table_of_this_file_holds_every_path_of_the_contract(service: Service) -> None:
    described = (await service.http.get("/openapi.json")).json()["paths"]

    named = {path.replace("{session_id}", "0198a0a0-0000-7000-8000-000000000000") for path in described}
    assert named <= METHODS.keys()


@pytest.mark.demand("O-37", "A-16")
async def test_any_other_method_is_405_and_told_which_is_allowed(service: Service, signed_in: Json) -> None:
    headers = {"Authorization": f"Bearer {signed_in['access_token']}"}
    for path, allowed in METHODS.items():
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"):
            if method == allowed or (method, allowed) == ("HEAD", "GET"):
                continue
            response = await service.http.request(method, path, headers=headers)
            assert response.status_code == 405, f"{method} {path}: {response.status_code}"
            assert allowed in response.headers["allow"].split(", "), f"{method} {path}"
            if method != "HEAD":
                assert_problem(response, 405)


NOWHERE = (
    "/",
    "/nowhere",
    "/login/",
    "/LOGIN",
    "//login",
    "/./nowhere",
    "/login%2f",
    "/%2e%2e/login",
    "/login;a=b",
    "/.well-known/openid-configuration",
    "/.well-known/",
    "/sessions/",
    "/docs/../../etc/passwd",
    "/a%00b",
    "/%ff",
    "/" + "a" * 8000,
)


@pytest.mark.demand("A-17")
async def test_another_path_is_a_plain_404_and_no_redirect(service: Service) -> None:
    for path in NOWHERE:
        response = await service.http.get(path)
        assert response.status_code == 404, path
        assert_problem(response, 404)
        assert "location" not in response.headers


async def test_a_bad_query_parameter_is_named_and_not_repeated(service: Service, signed_in: Json) -> None:
    for query in ("limit=0", "limit=101", "limit=a-secret", "limit=", "after=a-secret"):
        response = await service.as_user("GET", f"/sessions?{query}", signed_in["access_token"])

        assert assert_problem(response, 422)["detail"] == f"Not acceptable: {query.partition('=')[0]}."
        assert "a-secret" not in response.text


@pytest.mark.demand("O-12")
async def test_every_oauth_endpoint_answers_in_the_form_of_rfc_6749(service: Service) -> None:
    for path in ("/login", "/token", "/refresh", "/introspect", "/revoke"):
        status, error = (
            (401, "invalid_client") if path in {"/introspect", "/revoke"} else (400, "invalid_request")
        )
        assert_oauth_error(await service.http.post(path), status, error)
        assert_oauth_error(await service.http.post(path, json={"a": 1}), 415, "invalid_request")
        assert_oauth_error(await service.http.post(path, content=b"a" * 70_000), 413, "invalid_request")


@pytest.mark.demand("A-29")
async def test_every_other_endpoint_answers_with_problem_details(service: Service, signed_in: Json) -> None:
    token = signed_in["access_token"]
    answers = {
        400: await service.as_user("POST", "/password", token),
        401: await service.http.get("/me"),
        404: await service.as_user("DELETE", "/sessions/none-of-mine", token),
        422: await service.as_user("GET", "/sessions?limit=x", token),
    }
    for status, response in answers.items():
        assert_problem(response, status)


class Exploding:
    """An operation that fails in a way nobody expected, and whose error would tell everything."""

    async def exchange(self, *_positional: Any, **named: Any) -> None:
        raise RuntimeError(f"unexpected: {named}")


@pytest.fixture
async def broken(service_with: MakeService) -> AsyncIterator[Service]:
    """A service whose logins fail unexpectedly."""
    made = await service_with()
    grant: Any = Exploding()
    made.stack.app.state.services = replace(made.stack.services, password_grant=grant)
    with written(), WATCH.deaf():
        yield made


async def test_an_unexpected_error_is_a_500_that_tells_nothing(broken: Service) -> None:
    response = await broken.post("/login", username=USERNAME, password=PASSWORD)

    assert assert_problem(response, 500)["detail"] == "Something went wrong here."
    for word in ("Traceback", "RuntimeError", "unexpected", PASSWORD, USERNAME, ".py"):
        assert word not in response.text


async def test_after_an_unexpected_error_the_service_serves_on(broken: Service) -> None:
    await broken.post("/login", username=USERNAME, password=PASSWORD)

    assert (await broken.http.get("/healthz")).json() == {"status": "ok"}


async def test_every_answer_has_an_id_and_is_what_it_says_it_is(broken: Service) -> None:
    for method, path in (
        ("GET", "/healthz"),
        ("GET", "/nowhere"),
        ("GET", "/login"),
        ("GET", "/me"),
        ("POST", "/login"),
    ):
        response = await broken.http.request(method, path)
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-request-id"]
        assert "server" not in response.headers
