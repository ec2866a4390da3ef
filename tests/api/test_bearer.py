"""How the protected endpoints take their access token, and what they say without one (RFC 6750)."""

import re

import httpx
import pytest

from tests.fixtures.service import Service

PROTECTED = [
    pytest.param("GET", "/me", id="me"),
    pytest.param("GET", "/verify", id="verify"),
    pytest.param("GET", "/sessions", id="sessions"),
    pytest.param("DELETE", "/sessions/0198d7a5-0000-7000-8000-000000000000", id="end-session"),
    pytest.param("POST", "/password", id="password"),
    pytest.param("POST", "/logout", id="logout"),
]
PASSWORD_FORM = {"current_password": "x", "new_password": "y"}
# auth-scheme, then comma-separated name="value" (RFC 9110 §11.6.1, RFC 6750 §3).
CHALLENGE = re.compile(
    r'Bearer [a-z_]+="[^"\\\x00-\x1f\x7f-\uffff]*"(, [a-z_]+="[^"\\\x00-\x1f\x7f-\uffff]*")*'
)


async def ask(service: Service, method: str, path: str, **headers: str) -> httpx.Response:
    form = PASSWORD_FORM if path == "/password" else None
    return await service.http.request(method, path, headers=headers, data=form)


@pytest.mark.demand("O-30", "O-31")
@pytest.mark.parametrize(("method", "path"), PROTECTED)
async def test_without_a_token_the_answer_is_401_and_a_challenge_that_names_no_error(
    service: Service, method: str, path: str
) -> None:
    response = await ask(service, method, path)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="authsvc"'
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == 401


@pytest.mark.demand("O-31")
@pytest.mark.parametrize(
    "header",
    ["Basic eDp5", "Bearer", "Bearer ", "Token x", "bearerx y", ""],
    ids=lambda header: header or "empty",
)
async def test_a_header_that_holds_no_bearer_token_counts_as_none(service: Service, header: str) -> None:
    response = await ask(service, "GET", "/me", Authorization=header)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="authsvc"'


@pytest.mark.demand("O-32")
@pytest.mark.parametrize(("method", "path"), PROTECTED)
async def test_a_bad_token_is_401_invalid_token(service: Service, method: str, path: str) -> None:
    response = await ask(service, method, path, Authorization="Bearer no-token-of-ours")

    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.demand("O-32")
@pytest.mark.parametrize(("method", "path"), PROTECTED)
async def test_a_refresh_token_is_no_access_token(service: Service, method: str, path: str) -> None:
    await service.add_account()
    tokens = await service.login()

    response = await ask(service, method, path, Authorization=f"Bearer {tokens['refresh_token']}")

    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]
    assert (await service.refresh(tokens["refresh_token"])).status_code == 200


@pytest.mark.demand("O-33")
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
async def test_the_schemes_letter_case_does_not_matter(service: Service, scheme: str) -> None:
    await service.add_account()
    tokens = await service.login()

    response = await ask(service, "GET", "/me", Authorization=f"{scheme} {tokens['access_token']}")

    assert response.status_code == 200


@pytest.mark.demand("O-34")
async def test_two_authorization_headers_are_refused_even_if_both_are_good(service: Service) -> None:
    await service.add_account()
    value = f"Bearer {(await service.login())['access_token']}"

    response = await service.http.get("/me", headers=[("Authorization", value), ("Authorization", value)])

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="authsvc"'


@pytest.mark.demand("O-34")
@pytest.mark.parametrize("in_header", ["good", "bad"])
async def test_with_the_token_in_two_places_only_the_header_counts(service: Service, in_header: str) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]
    header, elsewhere = (token, "bad") if in_header == "good" else ("bad", token)

    response = await service.http.get(
        "/me", headers={"Authorization": f"Bearer {header}"}, params={"access_token": elsewhere}
    )

    assert response.status_code == (200 if in_header == "good" else 401)


@pytest.mark.demand("O-35")
@pytest.mark.parametrize(("method", "path"), PROTECTED)
async def test_a_token_in_the_query_string_is_not_accepted(service: Service, method: str, path: str) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]

    response = await ask(service, method, f"{path}?access_token={token}")

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="authsvc"'
    assert token not in response.text


@pytest.mark.demand("O-34", "O-35")
@pytest.mark.parametrize("path", ["/logout", "/password"])
async def test_a_token_in_the_form_is_not_accepted(service: Service, path: str) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]

    response = await service.http.post(path, data=PASSWORD_FORM | {"access_token": token})

    assert response.status_code == 401
    assert (await service.as_user("GET", "/me", token)).status_code == 200


@pytest.mark.demand("O-36")
@pytest.mark.parametrize(
    "token",
    [
        '"',
        '\\"',
        'x", error="none',
        "a\tb",
        "a b",
        "a,b=c",
        "é".encode().decode("latin-1"),
        "\x7f",
        "%0d%0a",
        "x" * 9000,
    ],
    ids=lambda token: f"{token[:14]!r}x{len(token)}",
)
@pytest.mark.parametrize("path", ["/me", "/verify", "/introspect"])
async def test_the_challenge_is_well_formed_whatever_the_token_held(
    service: Service, path: str, token: str
) -> None:
    headers = [(b"Authorization", f"Bearer {token}".encode("latin-1"))]
    method, form = ("POST", {"token": "x"}) if path == "/introspect" else ("GET", None)

    response = await service.http.request(method, path, headers=headers, data=form)

    assert response.status_code == 401
    challenge = response.headers["www-authenticate"]
    assert CHALLENGE.fullmatch(challenge), challenge
    assert challenge.count("error=") == 1
    assert 'error="invalid_token"' in challenge


@pytest.mark.demand("O-36")
async def test_the_challenge_for_a_scope_is_well_formed_whatever_was_demanded(service: Service) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]

    for demanded in ("write", 'x"y', "a\\b", "é", "a\r\nb", "  ", "a  b"):
        response = await service.http.get(
            "/verify", params={"scope": demanded}, headers={"Authorization": f"Bearer {token}"}
        )
        assert response.status_code == 403, demanded
        challenge = response.headers["www-authenticate"]
        assert CHALLENGE.fullmatch(challenge), challenge
        assert 'error="insufficient_scope"' in challenge
