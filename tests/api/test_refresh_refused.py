"""POST /refresh: what is refused, and that a refusal leaves nothing behind and burns no token."""

from collections.abc import Awaitable, Callable

import pytest

from authsvc.secret_tokens import decode_base64url, encode_base64url, new_id
from authsvc.server_keys import TAG_LENGTH
from authsvc.tokens.refresh_handle import PREFIX
from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.service import USERNAME, Json, Registered, Service

Spoil = Callable[[Service, str], Awaitable[str]]
"""Takes a good refresh token; returns one that is not good, or the same made bad by what it did."""


async def unknown(service: Service, _token: str) -> str:
    """One that we minted, for a session whose row is gone."""
    (session,) = await service.sessions()
    minted = service.stack.services.refresh_token_grant.handles.mint(session._replace(id=new_id()))
    assert minted is not None
    return minted


async def used(service: Service, token: str) -> str:
    await service.refreshed(token)
    service.clock.advance(seconds=10)
    return token


async def revoked(service: Service, token: str) -> str:
    response = await service.post("/revoke", token=token, client_id="public")
    assert response.status_code == 200
    return token


async def logged_out(service: Service, token: str) -> str:
    response = await service.post("/logout", refresh_token=token)
    assert response.status_code == 204
    return token


async def idle_too_long(service: Service, token: str) -> str:
    service.clock.advance(days=14)
    return token


async def too_old(service: Service, token: str) -> str:
    for _ in range(9):
        token = (await service.refreshed(token))["refresh_token"]
        service.clock.advance(days=10)
    return token


async def forged(service: Service, token: str) -> str:
    """What whoever holds the secret but not the database can make: it opens, but its MAC is not good."""
    data = bytearray(decode_base64url(token.removeprefix(PREFIX)) or b"")
    data[30] ^= 1
    keys = service.stack.services.refresh_token_grant.server_keys
    return PREFIX + encode_base64url(keys.tagged(bytes(data[:-TAG_LENGTH])))


async def short(_service: Service, token: str) -> str:
    return token[:-1]


async def long(_service: Service, token: str) -> str:
    return token + "A"


async def padded(_service: Service, token: str) -> str:
    return token + "="


async def in_other_case(_service: Service, token: str) -> str:
    return token.swapcase()


async def spaced(_service: Service, token: str) -> str:
    return " " + token


async def beyond_ascii(_service: Service, token: str) -> str:
    return token[:-1] + "\u00e9"


async def nonsense(_service: Service, _token: str) -> str:
    return "nonsense"


FAIL_THEIR_CHECK: list[Spoil] = [forged, short, long, padded, in_other_case, spaced, beyond_ascii, nonsense]
WERE_GOOD_ONCE: list[Spoil] = [unknown, used, revoked, logged_out, idle_too_long, too_old]


def named(spoil: Spoil) -> str:
    return getattr(spoil, "__name__", "")


@pytest.mark.demand("O-16")
@pytest.mark.parametrize("path", ["/refresh", "/token"])
@pytest.mark.parametrize("spoil", WERE_GOOD_ONCE + FAIL_THEIR_CHECK, ids=named)
async def test_a_refresh_token_that_is_not_good_is_an_invalid_grant(
    service: Service, signed_in: Json, spoil: Spoil, path: str
) -> None:
    token = await spoil(service, signed_in["refresh_token"])

    response = await service.post(path, grant_type="refresh_token", refresh_token=token)

    assert_oauth_error(response, 400, "invalid_grant")


async def test_an_access_token_is_no_refresh_token(service: Service, signed_in: Json) -> None:
    assert_oauth_error(await service.refresh(signed_in["access_token"]), 400, "invalid_grant")


@pytest.mark.parametrize("path", ["/refresh", "/token"])
async def test_without_a_refresh_token_the_request_is_invalid(service: Service, path: str) -> None:
    response = await service.post(path, grant_type="refresh_token", refresh_token="")
    assert_oauth_error(response, 400, "invalid_request")


@pytest.mark.parametrize("client_id", ["", "public"], ids=["unnamed", "named"])
@pytest.mark.parametrize("spoil", FAIL_THEIR_CHECK, ids=named)
async def test_a_token_that_fails_its_check_changes_nothing(
    service: Service, signed_in: Json, spoil: Spoil, client_id: str
) -> None:
    predecessor = signed_in["refresh_token"]
    successor = (await service.refreshed(predecessor))["refresh_token"]
    service.clock.advance(seconds=10)
    before = await service.contents()

    for token in (predecessor, successor):
        refused = await service.refresh(await spoil(service, token), client_id=client_id)
        assert_oauth_error(refused, 400, "invalid_grant")

    assert await service.contents() == before
    assert (await service.refresh(successor)).status_code == 200


@pytest.mark.demand("S-15")
@pytest.mark.parametrize("path", ["/refresh", "/token"])
@pytest.mark.parametrize(
    ("by_owner", "form", "status", "error"),
    [
        pytest.param(True, {"scope": "account admin"}, 400, "invalid_scope", id="more scope than granted"),
        pytest.param(True, {"scope": "account\u00e9"}, 400, "invalid_scope", id="malformed scope"),
        pytest.param(False, {"client_id": "public"}, 400, "invalid_grant", id="another client, public"),
        pytest.param(False, {"client_id": "nobody"}, 401, "invalid_client", id="an unknown client"),
        pytest.param(False, {}, 401, "invalid_client", id="missing credentials"),
        pytest.param(False, {"client_secret": "x"}, 400, "invalid_request", id="a secret without a name"),
        pytest.param(True, {"grant_type": "nonsense"}, 400, "unsupported_grant_type", id="unknown grant"),
    ],
)
async def test_a_refused_refresh_changes_nothing_and_does_not_burn_the_token(
    service: Service, path: str, *, by_owner: bool, form: dict[str, str], status: int, error: str
) -> None:
    owner = await service.add_client()
    await service.add_account()
    token = (await service.login(owner))["refresh_token"]
    before = await service.contents()
    form = {"grant_type": "refresh_token", "refresh_token": token} | form

    response = await service.post(path, owner if by_owner else None, **form)

    assert_oauth_error(response, status, error)
    assert await service.contents() == before
    service.clock.advance(seconds=60)
    assert (await service.refresh(token, owner)).status_code == 200


@pytest.mark.demand("S-15")
async def test_a_client_that_finds_anothers_used_token_cannot_end_the_session_with_it(
    service: Service, caller: Registered
) -> None:
    owner, stranger = await service.add_client(), await service.add_client()
    await service.add_account()
    tokens = await service.login(owner)
    successor = await service.refreshed(tokens["refresh_token"], owner)
    service.clock.advance(seconds=10)
    before = await service.contents()

    assert_oauth_error(await service.refresh(tokens["refresh_token"], stranger), 400, "invalid_grant")

    assert await service.contents() == before
    assert await service.is_live(tokens["access_token"], caller)
    assert (await service.refresh(successor["refresh_token"], owner)).status_code == 200


async def test_disabling_the_account_ends_the_ratchet_for_good(service: Service, signed_in: Json) -> None:
    accounts = service.stack.services.accounts
    await accounts.disable(await accounts.named(USERNAME))
    assert_oauth_error(await service.refresh(signed_in["refresh_token"]), 400, "invalid_grant")

    await accounts.enable(await accounts.named(USERNAME))

    assert_oauth_error(await service.refresh(signed_in["refresh_token"]), 400, "invalid_grant")


async def test_a_session_that_a_disabled_account_still_has_gives_nothing_and_stays(
    service: Service, signed_in: Json
) -> None:
    await service.alter("account", disabled_at=service.clock())
    before = await service.contents()

    assert_oauth_error(await service.refresh(signed_in["refresh_token"]), 400, "invalid_grant")

    assert await service.contents() == before
    await service.alter("account", disabled_at=None)
    assert (await service.refresh(signed_in["refresh_token"])).status_code == 200
