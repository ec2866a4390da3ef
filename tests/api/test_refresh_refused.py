"""POST /refresh: what is refused, what that leaves behind (nothing), and what narrows."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest

from authsvc.secret_tokens import decode_base64url, encode_base64url, new_id
from authsvc.tokens.refresh_handle import PREFIX
from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.service import LIVE, Json, Registered, Service


def with_wrong_mac(service: Service, token: str) -> str:
    """What whoever holds the secret but not the database can make of *token*: opened, and not genuine."""
    data = bytearray(decode_base64url(token.removeprefix(PREFIX)) or b"")
    data[30] ^= 1
    keys = service.stack.services.refresh_token_grant.server_keys
    return PREFIX + encode_base64url(keys.tagged(bytes(data[:-8])))


async def of_a_session_that_is_gone(service: Service, token: str) -> str:
    """A token that we minted once; its row has been purged since."""
    (session,) = await service.sessions()
    handles = service.stack.services.refresh_token_grant.handles
    fields = {name: getattr(session, name) for name in session.__dataclass_fields__} | {"id": new_id()}
    minted = handles.mint(type(session)(**fields))
    assert minted is not None
    assert minted != token
    return minted


async def after(service: Service, path: str, token: str) -> str:
    response = await service.post(path, token=token, refresh_token=token, client_id="public")
    assert response.status_code in {200, 204}, response.text
    return token


async def after_days(service: Service, token: str, days: int) -> str:
    service.clock.advance(days=days)
    return token


async def used(service: Service, token: str) -> str:
    await service.refreshed(token)
    service.clock.advance(seconds=10)
    return token


Made = Callable[[Service, Json], Awaitable[str]]


async def _as_is(token: str) -> str:
    return token


BAD_TOKENS = [
    pytest.param(lambda s, t: of_a_session_that_is_gone(s, t["refresh_token"]), id="unknown"),
    pytest.param(lambda s, t: used(s, t["refresh_token"]), id="used"),
    pytest.param(lambda s, t: after(s, "/revoke", t["refresh_token"]), id="revoked"),
    pytest.param(lambda s, t: after(s, "/logout", t["refresh_token"]), id="logged out"),
    pytest.param(lambda s, t: after_days(s, t["refresh_token"], 14), id="expired"),
    pytest.param(lambda s, t: _as_is(with_wrong_mac(s, t["refresh_token"])), id="forged"),
    pytest.param(lambda _, t: _as_is(t["refresh_token"][:-1]), id="one character short"),
    pytest.param(lambda _, t: _as_is(t["refresh_token"] + "A"), id="one character more"),
    pytest.param(lambda _, t: _as_is(t["refresh_token"] + "="), id="padded"),
    pytest.param(lambda _, t: _as_is(t["refresh_token"].swapcase()), id="other case"),
    pytest.param(lambda _, t: _as_is(" " + t["refresh_token"]), id="a space before"),
    pytest.param(lambda _, t: _as_is(t["access_token"]), id="an access token"),
    pytest.param(lambda _, __: _as_is("nonsense"), id="nonsense"),
    pytest.param(lambda _, __: _as_is("asvc_rt_\u00e9"), id="beyond ASCII"),
    pytest.param(lambda _, __: _as_is("asvc_rt_" + "A" * 8000), id="very long"),
]


@pytest.mark.demand("O-16")
@pytest.mark.parametrize("path", ["/refresh", "/token"])
@pytest.mark.parametrize("made", BAD_TOKENS)
async def test_a_refresh_token_that_is_not_good_is_an_invalid_grant(
    service: Service, signed_in: Json, made: Made, path: str
) -> None:
    token = await made(service, signed_in)

    response = await service.post(path, grant_type="refresh_token", refresh_token=token)

    assert_oauth_error(response, 400, "invalid_grant")


@pytest.mark.parametrize("made", [pytest.param(lambda s, t: with_wrong_mac(s, t), id="forged"),
                                  pytest.param(lambda _, t: t[:-1], id="short"),
                                  pytest.param(lambda _, t: t.swapcase(), id="other case")])
async def test_a_token_that_fails_its_check_changes_nothing(
    service: Service, signed_in: Json, made: Callable[[Service, str], str]
) -> None:
    predecessor = signed_in["refresh_token"]
    successor = (await service.refreshed(predecessor))["refresh_token"]
    service.clock.advance(seconds=11)
    before = await service.contents()

    # Genuine, the first of these would end the session.
    for token in (predecessor, successor):
        assert_oauth_error(await service.refresh(made(service, token)), 400, "invalid_grant")

    assert await service.contents() == before
    assert (await service.refresh(successor)).status_code == 200


@pytest.mark.demand("S-15")
@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        pytest.param({"scope": "account admin"}, 400, "invalid_scope", id="more scope than granted"),
        pytest.param({"scope": "account\u00e9"}, 400, "invalid_scope", id="malformed scope"),
        pytest.param({"client_id": "public"}, 400, "invalid_grant", id="another client, public"),
        pytest.param({"client_id": "nobody"}, 401, "invalid_client", id="an unknown client"),
        pytest.param({}, 401, "invalid_client", id="no credentials"),
        pytest.param({"client_id": "its own"}, 401, "invalid_client", id="its client without the secret"),
        pytest.param(
            {"client_id": "its own", "client_secret": "wrong"}, 401, "invalid_client", id="a wrong secret"
        ),
        pytest.param({"client_secret": "x"}, 400, "invalid_request", id="a secret without a name"),
        pytest.param({"grant_type": "password"}, 400, "unsupported_grant_type", id="another grant type"),
    ],
)
async def test_a_refused_refresh_changes_nothing_and_does_not_burn_the_token(
    service: Service, form: dict[str, str], status: int, error: str
) -> None:
    owner = await service.add_client()
    await service.add_account()
    token = (await service.login(owner))["refresh_token"]
    before = await service.contents()
    form = {name: owner.id if value == "its own" else value for name, value in form.items()}
    is_authenticated = "scope" in form or "grant_type" in form

    response = await service.refresh(token, owner if is_authenticated else None, **form)

    assert_oauth_error(response, status, error)
    assert await service.contents() == before
    service.clock.advance(seconds=60)
    assert (await service.refresh(token, owner)).status_code == 200


async def test_another_client_does_not_even_replay_it(service: Service, caller: Registered) -> None:
    """Whoever finds a used token cannot end the session with it, unless they are its client."""
    owner, stranger = await service.add_client(), await service.add_client()
    await service.add_account()
    tokens = await service.login(owner)
    successor = await service.refreshed(tokens["refresh_token"], owner)
    service.clock.advance(seconds=10)
    before = await service.contents()

    for other in (stranger, caller):
        assert_oauth_error(await service.refresh(tokens["refresh_token"], other), *REFUSED[other is caller])

    assert await service.contents() == before
    assert (await service.refresh(successor["refresh_token"], owner)).status_code == 200


REFUSED = ((400, "invalid_grant"), (400, "invalid_grant"))


async def test_without_a_refresh_token_the_request_is_invalid(service: Service) -> None:
    for path in ("/refresh", "/token"):
        response = await service.post(path, grant_type="refresh_token", refresh_token="")
        assert_oauth_error(response, 400, "invalid_request")


async def full_scope(service: Service) -> tuple[Registered, Json]:
    """A client and the tokens of a session with all of its scope."""
    client = await service.add_client()
    await service.add_account()
    return client, await service.login(client, scope="account read write")


@pytest.mark.demand("O-19")
async def test_a_narrowed_refresh_narrows_its_access_token_and_nothing_else(
    service: Service, caller: Registered
) -> None:
    client, tokens = await full_scope(service)

    narrowed = await service.refreshed(tokens["refresh_token"], client, scope="read")
    whole = await service.refreshed(narrowed["refresh_token"], client)

    assert narrowed["scope"] == "read"
    assert (await service.introspect(narrowed["access_token"], caller))["scope"] == "read"
    assert (await service.introspect(narrowed["refresh_token"], client)) == {"active": False}
    assert whole["scope"] == "account read write"
    assert (await service.introspect(whole["access_token"], caller))["scope"] == "account read write"
    assert (await service.introspect(whole["refresh_token"], client))["scope"] == "account read write"


async def test_a_repeat_may_ask_for_another_scope_than_the_rotation(service: Service) -> None:
    client, tokens = await full_scope(service)

    narrowed = await service.refreshed(tokens["refresh_token"], client, scope="read")
    repeated = await service.refreshed(tokens["refresh_token"], client, scope="write read")

    assert (narrowed["scope"], repeated["scope"]) == ("read", "read write")
    assert narrowed["refresh_token"] == repeated["refresh_token"]


@pytest.mark.demand("O-18")
@pytest.mark.parametrize("scope", ["read write", "write", "account read admin", "introspect"])
async def test_a_refresh_never_widens_the_scope_of_the_session(service: Service, scope: str) -> None:
    """The client may have `write`, and the login did not ask for it."""
    client = await service.add_client()
    await service.add_account()
    tokens = await service.login(client, scope="account read")

    assert_oauth_error(await service.refresh(tokens["refresh_token"], client, scope=scope), 400, "invalid_scope")

    assert (await service.refreshed(tokens["refresh_token"], client))["scope"] == "account read"


async def test_a_scope_taken_from_the_client_is_not_granted_again(service: Service) -> None:
    client, tokens = await full_scope(service)
    await service.stack.services.clients.change(client.id, scope=frozenset({"account", "read"}))

    refused = await service.refresh(tokens["refresh_token"], client, scope="read write")
    answer = await service.refreshed(tokens["refresh_token"], client)

    assert_oauth_error(refused, 400, "invalid_scope")
    assert answer["scope"] == "account read"


async def test_a_scope_given_back_to_the_client_is_granted_again(service: Service) -> None:
    client, tokens = await full_scope(service)
    await service.stack.services.clients.change(client.id, scope=frozenset({"account"}))
    without = await service.refreshed(tokens["refresh_token"], client)
    await service.stack.services.clients.change(client.id, scope=client.client.scope)

    assert without["scope"] == "account"
    assert (await service.refreshed(without["refresh_token"], client))["scope"] == "account read write"


async def test_a_disabled_account_gets_nothing_and_its_tokens_are_dead(
    service: Service, signed_in: Json
) -> None:
    accounts = service.stack.services.accounts
    account = await accounts.named("ada@example.com")
    await accounts.disable(account)

    assert_oauth_error(await service.refresh(signed_in["refresh_token"]), 400, "invalid_grant")
    await accounts.enable(account)
    assert_oauth_error(await service.refresh(signed_in["refresh_token"]), 400, "invalid_grant")


async def test_a_session_that_a_disabled_account_still_has_is_kept_and_gives_nothing(
    service: Service, signed_in: Json
) -> None:
    await service.alter("account", disabled_at=service.clock())
    before = await service.contents()

    assert_oauth_error(await service.refresh(signed_in["refresh_token"]), 400, "invalid_grant")

    assert await service.contents() == before
    await service.alter("account", disabled_at=None)
    assert (await service.refresh(signed_in["refresh_token"])).status_code == 200


@pytest.mark.parametrize("kind", ["idle", "absolute"])
async def test_a_session_beyond_a_limit_gives_nothing_and_is_not_ended(
    service: Service, signed_in: Json, kind: str
) -> None:
    tokens = signed_in
    if kind == "absolute":
        for _ in range(7):
            service.clock.advance(days=12)
            tokens = await service.refreshed(tokens["refresh_token"])
    service.clock.advance(days=14 if kind == "idle" else 6, seconds=-1)
    assert (await service.refresh(tokens["refresh_token"])).status_code == 200 or kind == "idle"
    service.clock.advance(seconds=1)


async def test_the_last_second_of_an_idle_session_is_enough(service: Service, signed_in: Json) -> None:
    service.clock.advance(days=14, seconds=-1)
    assert (await service.refreshed(signed_in["refresh_token"]))["expires_in"] == 300


__all__ = ["LIVE", "httpx", "timedelta"]
