"""How a client says who it is: by Basic, by form, or by its name alone (RFC 6749 §2.3)."""

from base64 import b64encode
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest

from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.service import PASSWORD, USERNAME, Registered, Service

CHALLENGE = 'Basic realm="authsvc"'
CLIENT_CREDENTIALS = {"grant_type": "client_credentials"}


def basic(credentials: str | bytes, scheme: str = "Basic") -> dict[str, str]:
    raw = credentials.encode() if isinstance(credentials, str) else credentials
    return {"Authorization": f"{scheme} {b64encode(raw).decode()}"}


async def ask(service: Service, headers: dict[str, str] | None = None, **form: str) -> httpx.Response:
    """A request of the grant client_credentials, which no client gets without authentication."""
    return await service.http.post("/token", data=CLIENT_CREDENTIALS | form, headers=headers)


@pytest.fixture
async def client(service: Service) -> Registered:
    return await service.add_client(may_introspect=True)


@pytest.mark.demand("O-07")
async def test_basic_credentials_are_form_urldecoded(service: Service) -> None:
    for client_id, secret in (
        ("orders-api", "an-invented.secret_1~2"),
        ("orders api", "a secret of blanks"),
        ("orders+api", "a+b/c="),
        ("100%", "50%41"),
        ("with:colon", "also:with:colons"),
        ("名前", "パスワード"),
        ('a"b\\c', "<&>"),
    ):
        await service.add_client(id=client_id, secret=secret)
        for encode in (quote_plus, lambda text: quote(text, safe="")):
            response = await ask(service, basic(f"{encode(client_id)}:{encode(secret)}"))
            assert response.status_code == 200, f"{client_id}: {response.text}"


@pytest.mark.demand("O-07")
async def test_basic_credentials_are_decoded_strictly_encoded_letters_too(
    service: Service, client: Registered
) -> None:
    encoded = "".join(f"%{ord(char):02X}" for char in client.id) + ":" + client.secret

    assert (await ask(service, basic(encoded))).status_code == 200


async def test_basic_credentials_sent_raw_work_too(service: Service) -> None:
    for client_id, secret in (
        ("a-percent", "100%"),
        ("a-plus", "a+b"),
        ("an-escape", "p%41ss"),
        ("orders%2Dapi", "a secret"),
        ("a-colon", "a:colon"),
        ("café", "crème"),
    ):
        await service.add_client(id=client_id, secret=secret)
        response = await ask(service, basic(f"{client_id}:{secret}"))
        assert response.status_code == 200, f"{client_id}: {response.text}"


async def test_basic_credentials_in_latin_1_work_too(service: Service) -> None:
    await service.add_client(id="café", secret="crème")

    assert (await ask(service, basic("café:crème".encode("latin-1")))).status_code == 200


@pytest.mark.demand("O-27")
async def test_the_scheme_is_basic_in_any_case(service: Service, client: Registered) -> None:
    for scheme in ("basic", "BASIC", "bAsIc"):
        response = await ask(service, basic(f"{client.id}:{client.secret}", scheme))
        assert response.status_code == 200, scheme


@pytest.mark.parametrize("path", ["/token", "/login", "/refresh", "/introspect", "/revoke", "/logout"])
@pytest.mark.parametrize("by", ["basic", "form"])
async def test_basic_and_form_both_work_everywhere(
    service: Service, client: Registered, path: str, by: str
) -> None:
    await service.add_account()
    tokens = await service.login(client)
    form = {
        "/token": CLIENT_CREDENTIALS,
        "/login": {"username": USERNAME, "password": PASSWORD},
        "/introspect": {"token": tokens["access_token"]},
        "/revoke": {"token": tokens["access_token"]},
    }.get(path, {"refresh_token": tokens["refresh_token"]})
    in_form = {"client_id": client.id, "client_secret": client.secret} if by == "form" else {}

    response = await service.http.post(
        path, data=form | in_form, auth=client.auth if by == "basic" else httpx.USE_CLIENT_DEFAULT
    )

    assert response.status_code in {200, 204}, response.text


@pytest.mark.demand("O-08")
async def test_a_secret_by_basic_and_in_the_form_is_refused_even_if_they_agree(
    service: Service, client: Registered
) -> None:
    headers = basic(f"{client.id}:{client.secret}")
    before = await service.rows()

    for client_id, secret in ((client.id, client.secret), (client.id, "another"), ("", client.secret)):
        response = await ask(service, headers, client_id=client_id, client_secret=secret)
        assert_oauth_error(response, 400, "invalid_request")

    assert await service.rows() == before


@pytest.mark.demand("O-08")
async def test_two_authorization_headers_are_refused(service: Service, client: Registered) -> None:
    header = ("Authorization", basic(f"{client.id}:{client.secret}")["Authorization"])

    for second in (header, ("Authorization", "Bearer x")):
        response = await service.http.post("/token", data=CLIENT_CREDENTIALS, headers=[header, second])
        assert_oauth_error(response, 400, "invalid_request")


async def test_client_id_in_the_form_may_repeat_that_of_basic(service: Service, client: Registered) -> None:
    headers = basic(f"{client.id}:{client.secret}")

    assert (await ask(service, headers, client_id=client.id)).status_code == 200
    assert_oauth_error(await ask(service, headers, client_id="another"), 400, "invalid_request")


async def test_a_secret_without_a_client_is_refused(service: Service, client: Registered) -> None:
    assert_oauth_error(await ask(service, client_secret=client.secret), 400, "invalid_request")


UNREADABLE: dict[str, dict[Any, Any]] = {
    "not base64": {"Authorization": "Basic %%%"},
    "base64url": {"Authorization": "Basic Y2xpZW50OnNlY3JldA-_"},
    "unpadded base64": {"Authorization": "Basic YTpiYw"},
    "beyond ASCII": {"Authorization": "Basic Zm9vé".encode("latin-1")},
    "nothing": {"Authorization": "Basic"},
    "blanks": {"Authorization": "Basic  "},
    "two words": {"Authorization": "Basic YTpi YTpi"},
    "no colon": basic("no colon"),
    "no client": basic(":a-secret"),
    "NUL": basic("a\0b:c"),
    "encoded NUL": basic("a%00b:c"),
    "newline": basic("a\r\nX-Injected: yes:c"),
    "bad escape": basic("a%zz:c%"),
    "bad UTF-8": basic(b"\xff\xfe:\xed\xa0\x80"),
    "encoded bad UTF-8": basic("%FF:%ED%A0%80"),
    "unknown client": basic("nobody:a-secret"),
    "60,000 characters": basic("a" * 60_000 + ":b"),
}


@pytest.mark.demand("O-13")
@pytest.mark.parametrize("path", ["/token", "/login", "/refresh", "/introspect", "/revoke"])
async def test_bad_basic_credentials_are_401_with_a_basic_challenge(service: Service, path: str) -> None:
    await service.add_account()
    before = await service.rows()
    form = {
        "/token": CLIENT_CREDENTIALS,
        "/login": {"username": USERNAME, "password": PASSWORD},
        "/refresh": {"refresh_token": (await service.login())["refresh_token"]},
    }.get(path, {"token": "x"})
    before = await service.rows()
    for what, headers in UNREADABLE.items():
        response = await service.http.post(path, data=form, headers=headers)
        assert response.status_code == 401, f"{what}: {response.text}"
        assert_oauth_error(response, 401, "invalid_client")
        assert response.headers["www-authenticate"] == CHALLENGE, what
        assert "x-injected" not in response.headers
    assert await service.rows() == before


async def test_an_unknown_client_and_a_wrong_secret_are_the_same_answer(
    service: Service, client: Registered
) -> None:
    wrong, unknown = await ask(service, basic(f"{client.id}:x")), await ask(service, basic("nobody:x"))

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text == unknown.text


@pytest.mark.demand("O-13")
async def test_a_wrong_secret_is_401_with_a_basic_challenge(service: Service, client: Registered) -> None:
    secret = client.secret
    for wrong in ("", " ", "wrong", secret[:-1], secret + "a", secret.swapcase(), secret + " ", " " + secret):
        for response in (
            await ask(service, basic(f"{client.id}:{wrong}")),
            await ask(service, client_id=client.id, client_secret=wrong),
        ):
            assert_oauth_error(response, 401, "invalid_client")
            assert response.headers["www-authenticate"] == CHALLENGE


@pytest.mark.demand("O-13")
async def test_the_challenge_is_bearer_where_bearer_was_tried(service: Service, client: Registered) -> None:
    response = await ask(service, {"Authorization": "Bearer x"}, client_id=client.id)

    assert_oauth_error(response, 401, "invalid_client")
    assert response.headers["www-authenticate"] == 'Bearer realm="authsvc"'


@pytest.mark.demand("O-21")
async def test_a_confidential_client_must_authenticate_at_refresh(
    service: Service, client: Registered
) -> None:
    await service.add_account()
    tokens = await service.login(client)
    before = await service.rows()

    for path, grant_type in (("/refresh", ""), ("/token", "refresh_token")):
        for form in ({}, {"client_id": client.id}, {"client_id": client.id, "client_secret": "wrong"}):
            response = await service.post(
                path, None, grant_type=grant_type, refresh_token=tokens["refresh_token"], **form
            )
            assert_oauth_error(response, 401, "invalid_client")

    assert await service.rows() == before
    assert (await service.refresh(tokens["refresh_token"], client)).status_code == 200


@pytest.mark.demand("O-21")
async def test_client_credentials_need_the_clients_authentication(
    service: Service, client: Registered
) -> None:
    assert_oauth_error(await ask(service), 401, "invalid_client")
    assert_oauth_error(await ask(service, client_id=client.id), 401, "invalid_client")
    assert_oauth_error(await ask(service, basic(f"{client.id}:")), 401, "invalid_client")
    assert (await service.rows())["access_token"] == []


@pytest.mark.demand("O-21")
async def test_a_confidential_client_must_authenticate_at_login(service: Service, client: Registered) -> None:
    await service.add_account()

    response = await service.post("/login", client_id=client.id, username=USERNAME, password=PASSWORD)

    assert_oauth_error(response, 401, "invalid_client")


@pytest.mark.demand("O-23")
async def test_credentials_in_the_url_do_not_count(service: Service, client: Registered) -> None:
    in_url = f"/token?client_id={client.id}&client_secret={client.secret}"

    response = await service.http.post(in_url, data=CLIENT_CREDENTIALS)

    assert_oauth_error(response, 401, "invalid_client")


@pytest.mark.demand("O-11")
async def test_the_empty_basic_pair_is_nobody(service: Service) -> None:
    await service.add_account()
    form = {"username": USERNAME, "password": PASSWORD, "client_id": "", "client_secret": "", "scope": ""}

    login = await service.http.post("/login", data=form, headers=basic(":"))

    assert login.status_code == 200
    refresh = await service.http.post(
        "/refresh", data={"refresh_token": login.json()["refresh_token"]}, headers=basic(":")
    )
    assert refresh.status_code == 200


async def test_beside_the_empty_basic_pair_the_form_counts(service: Service, client: Registered) -> None:
    response = await ask(service, basic(":"), client_id=client.id, client_secret=client.secret)

    assert response.status_code == 200


async def test_a_public_client_names_itself_in_the_form_or_by_basic_with_no_secret(service: Service) -> None:
    public = await service.add_client(confidential=False)
    await service.add_account()
    form = {"username": USERNAME, "password": PASSWORD}

    in_form = await service.http.post("/login", data=form | {"client_id": public.id})
    by_basic = await service.http.post("/login", data=form, headers=basic(f"{public.id}:"))

    assert (in_form.status_code, by_basic.status_code) == (200, 200)


async def test_a_public_client_has_no_secret_to_send(service: Service) -> None:
    await service.add_account()
    form = {"username": USERNAME, "password": PASSWORD, "client_id": "public", "client_secret": "guessed"}

    assert_oauth_error(await service.http.post("/login", data=form), 401, "invalid_client")


async def test_the_one_token_refreshed_without_credentials_is_of_a_public_client(service: Service) -> None:
    public = await service.add_client(confidential=False)
    await service.add_account()
    tokens = await service.login(public)

    by_nobody = await service.refresh(tokens["refresh_token"])
    at_token = await service.post(
        "/token", grant_type="refresh_token", refresh_token=by_nobody.json()["refresh_token"]
    )

    assert (by_nobody.status_code, at_token.status_code) == (200, 200)
