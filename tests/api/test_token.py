"""POST /token and the two URLs beside it: grant types, scopes, and what an answer holds."""

from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable
from itertools import combinations

import httpx
import pytest

from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.service import PASSWORD, USERNAME, Json, Registered, Service

TOKEN_PATHS = ("/token", "/login", "/refresh")


@pytest.fixture
async def client(service: Service) -> Registered:
    """A confidential client with the scopes `account read write`, of which `account` is the default."""
    await service.add_account()
    return await service.add_client()


@pytest.mark.demand("O-01", "O-02", "O-03", "O-04")
@pytest.mark.parametrize("grant_type", ["password", "refresh_token", "client_credentials"])
async def test_every_grant_answers_with_a_token_that_no_cache_may_keep(
    service: Service, client: Registered, grant_type: str
) -> None:
    form = {
        "password": {"username": USERNAME, "password": PASSWORD},
        "refresh_token": {"refresh_token": (await service.login(client))["refresh_token"]},
        "client_credentials": {},
    }[grant_type]

    response = await service.post("/token", client, grant_type=grant_type, **form)

    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    body = response.json()
    assert isinstance(body["access_token"], str)
    assert body["token_type"] == "Bearer"
    assert type(body["expires_in"]) is int
    assert body["expires_in"] == 300


@pytest.mark.demand("O-06", "O-37")
@pytest.mark.parametrize("path", TOKEN_PATHS)
async def test_a_token_endpoint_is_only_posted_to(service: Service, client: Registered, path: str) -> None:
    tokens = await service.login(client)
    before = await service.rows()
    parameters = {"username": USERNAME, "password": PASSWORD, "refresh_token": tokens["refresh_token"]}

    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"):
        response = await service.http.request(method, path, params=parameters, auth=client.auth)
        assert response.status_code == 405, method
        assert response.headers["allow"] == "POST"
        assert "token" not in response.text

    assert await service.rows() == before


@pytest.mark.demand("O-14")
async def test_a_missing_grant_type_is_invalid_request(service: Service, client: Registered) -> None:
    response = await service.post("/token", client, username=USERNAME, password=PASSWORD)

    assert_oauth_error(response, 400, "invalid_request")


@pytest.mark.demand("O-14")
async def test_an_unknown_grant_type_is_unsupported(service: Service, client: Registered) -> None:
    for grant_type in ("authorization_code", "implicit", "Password", "password ", "urn:ietf:params:oauth:x"):
        response = await service.post(
            "/token", client, grant_type=grant_type, username=USERNAME, password=PASSWORD
        )
        assert_oauth_error(response, 400, "unsupported_grant_type")


@pytest.mark.demand("O-14")
async def test_a_refresh_by_another_grant_type_is_refused(service: Service, client: Registered) -> None:
    tokens = await service.login(client)

    response = await service.refresh(tokens["refresh_token"], client, grant_type="password")

    assert_oauth_error(response, 400, "unsupported_grant_type")
    assert (await service.refresh(tokens["refresh_token"], client)).status_code == 200


@pytest.mark.parametrize(
    ("grant_type", "form", "missing"),
    [
        ("password", {"username": USERNAME}, "password"),
        ("password", {"password": PASSWORD}, "username"),
        ("refresh_token", {}, "refresh_token"),
    ],
)
async def test_a_grant_without_its_parameters_says_which_is_missing(
    service: Service, client: Registered, grant_type: str, form: dict[str, str], missing: str
) -> None:
    response = await service.post("/token", client, grant_type=grant_type, **form)

    assert_oauth_error(response, 400, "invalid_request")
    assert response.json()["error_description"] == f"Missing: {missing}."


@pytest.mark.demand("O-15")
async def test_a_wrong_password_at_token_is_invalid_grant(service: Service, client: Registered) -> None:
    response = await service.post(
        "/token", client, grant_type="password", username=USERNAME, password="a wrong password"
    )

    assert_oauth_error(response, 400, "invalid_grant")


@pytest.mark.demand("O-22")
async def test_client_credentials_give_no_refresh_token_and_no_session(
    service: Service, client: Registered
) -> None:
    response = await service.post("/token", client, grant_type="client_credentials")

    assert set(response.json()) == {"access_token", "token_type", "expires_in", "scope"}
    assert (await service.rows())["session"] == []


Exchange = Callable[[Service, Registered, str], Awaitable[httpx.Response]]


async def at_refresh(service: Service, client: Registered, refresh_token: str) -> httpx.Response:
    return await service.refresh(refresh_token, client)


async def at_token(service: Service, client: Registered, refresh_token: str) -> httpx.Response:
    return await service.post("/token", client, grant_type="refresh_token", refresh_token=refresh_token)


both_urls = pytest.mark.parametrize("exchange", [at_refresh, at_token])

MALFORMED: dict[str, Callable[[Json], str]] = {
    "unknown": lambda _: "asvc_rt_" + "A" * 80,
    "no token at all": lambda _: "x",
    "cut": lambda tokens: tokens["refresh_token"][:-1],
    "lengthened": lambda tokens: tokens["refresh_token"] + "A",
    "padded": lambda tokens: tokens["refresh_token"] + "=",
    "with a newline": lambda tokens: tokens["refresh_token"] + "\n",
    "with a blank before it": lambda tokens: " " + tokens["refresh_token"],
    "in another case": lambda tokens: tokens["refresh_token"].swapcase(),
    "without its prefix": lambda tokens: tokens["refresh_token"].removeprefix("asvc_rt_"),
    "with the other prefix": lambda tokens: tokens["refresh_token"].replace("asvc_rt_", "asvc_at_"),
    "twice in a row": lambda tokens: tokens["refresh_token"] * 2,
    "of the other kind": lambda tokens: tokens["access_token"],
}


@pytest.mark.demand("O-16")
@both_urls
async def test_a_malformed_refresh_token_is_invalid_grant_and_changes_nothing(
    service: Service, client: Registered, exchange: Exchange
) -> None:
    tokens = await service.login(client)
    before = await service.rows()
    for what, spoil in MALFORMED.items():
        response = await exchange(service, client, spoil(tokens))
        assert response.json()["error"] == "invalid_grant", f"{what}: {response.text}"
        assert_oauth_error(response, 400, "invalid_grant")
    assert await service.rows() == before
    assert (await exchange(service, client, tokens["refresh_token"])).status_code == 200


@pytest.mark.demand("O-16")
@both_urls
async def test_a_used_refresh_token_is_invalid_grant(
    service: Service, client: Registered, exchange: Exchange
) -> None:
    tokens = await service.login(client)
    assert (await exchange(service, client, tokens["refresh_token"])).status_code == 200
    service.clock.advance(seconds=10)

    assert_oauth_error(await exchange(service, client, tokens["refresh_token"]), 400, "invalid_grant")


@pytest.mark.demand("O-16")
@both_urls
async def test_a_revoked_refresh_token_is_invalid_grant(
    service: Service, client: Registered, exchange: Exchange
) -> None:
    tokens = await service.login(client)
    assert (await service.post("/revoke", client, token=tokens["refresh_token"])).status_code == 200

    assert_oauth_error(await exchange(service, client, tokens["refresh_token"]), 400, "invalid_grant")


@pytest.mark.demand("O-16")
async def test_nobody_with_an_unknown_refresh_token_is_invalid_grant(service: Service) -> None:
    assert_oauth_error(await service.refresh("asvc_rt_" + "A" * 80), 400, "invalid_grant")


@pytest.mark.demand("O-20")
@both_urls
async def test_a_refresh_token_works_only_for_its_own_client(
    service: Service, client: Registered, exchange: Exchange
) -> None:
    tokens = await service.login(client)
    before = await service.rows()
    others = [
        await service.add_client("another"),
        await service.add_client("a public one", confidential=False),
    ]
    before["client"] = (await service.rows())["client"]

    for other in others:
        assert_oauth_error(await exchange(service, other, tokens["refresh_token"]), 400, "invalid_grant")

    assert await service.rows() == before
    assert (await exchange(service, client, tokens["refresh_token"])).status_code == 200


@pytest.mark.demand("O-18")
@both_urls
async def test_a_refresh_never_widens_the_scope_and_burns_nothing(
    service: Service, client: Registered, exchange: Exchange
) -> None:
    tokens = await service.login(client, scope="account read")
    before = await service.rows()

    for wider in ("account read write", "write", "read introspect", "nothing-known"):
        response = await service.refresh(tokens["refresh_token"], client, scope=wider)
        assert_oauth_error(response, 400, "invalid_scope")

    assert await service.rows() == before
    assert (await exchange(service, client, tokens["refresh_token"])).json()["scope"] == "account read"


@pytest.mark.demand("O-19")
async def test_a_narrowed_refresh_narrows_this_access_token_only(
    service: Service, client: Registered, caller: Registered
) -> None:
    tokens = await service.login(client, scope="account read")

    narrowed = (await service.refresh(tokens["refresh_token"], client, scope="read")).json()
    whole = (await service.refresh(narrowed["refresh_token"], client)).json()

    assert narrowed["scope"] == "read"
    assert (await service.introspect(narrowed["access_token"], caller))["scope"] == "read"
    assert whole["scope"] == "account read"
    assert (await service.introspect(whole["access_token"], caller))["scope"] == "account read"


@pytest.mark.demand("O-26")
async def test_tokens_hold_256_unguessable_bits_and_never_repeat(
    service: Service, client: Registered
) -> None:
    tokens = await service.login(client)
    minted = [tokens]
    for _ in range(5):
        minted.append((await service.refresh(minted[-1]["refresh_token"], client)).json())
    minted += [
        (await service.post("/token", client, grant_type="client_credentials")).json() for _ in range(5)
    ]

    access_tokens = [each["access_token"] for each in minted]
    refresh_tokens = [each["refresh_token"] for each in minted if "refresh_token" in each]
    assert len(set(access_tokens)) == len(access_tokens)
    assert len(set(refresh_tokens)) == len(refresh_tokens)
    for alike in (access_tokens, refresh_tokens):
        for one, other in combinations(alike, 2):
            # Of 320 random bits about half differ; a counter or a clock would change a few.
            assert (unguessable_end(one) ^ unguessable_end(other)).bit_count() > 100


def unguessable_end(token: str) -> int:
    """The last 320 bits: of a signature, of a MAC and its tag, or of a random string and its tag."""
    last = token.removeprefix("asvc_at_").removeprefix("asvc_rt_").rpartition(".")[2]
    return int.from_bytes(urlsafe_b64decode(last + "=" * (-len(last) % 4))[-40:])
