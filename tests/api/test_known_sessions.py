"""A refresh by what is remembered of its session is as if that had been looked up, whatever changed since."""

import pytest

from tests.conftest import MakeService
from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.logs import written
from tests.fixtures.service import Json, Registered, Service
from tests.fixtures.statements import statements

TWO_INSTANCES = pytest.mark.only("postgres-jwt", "postgres-opaque", reason="SQLite serves a single instance")


@pytest.fixture
async def refreshed(service: Service, signed_in: Json) -> Json:
    """The tokens of a session that was refreshed a moment ago, and so is remembered."""
    return await service.refreshed(signed_in["refresh_token"])


@TWO_INSTANCES
async def test_a_session_refreshed_before_is_not_asked_for(service: Service, refreshed: Json) -> None:
    with statements(service.stack.services.stores.database) as sent:
        await service.refreshed(refreshed["refresh_token"])

    assert len(sent) == 1
    assert "UPDATE session" in sent[0]


@TWO_INSTANCES
async def test_nothing_is_tried_twice_by_what_is_remembered(service: Service, refreshed: Json) -> None:
    await service.alter("account", username="renamed")

    with statements(service.stack.services.stores.database) as sent:
        await service.refreshed(refreshed["refresh_token"])

    # Between the two the client is looked up, and the session.
    assert ["UPDATE session" in text for text in sent] == [True, False, False, True]


@pytest.mark.parametrize("is_repeated", [False, True], ids=["the last token", "the one before"])
async def test_an_account_renamed_since_goes_by_its_new_name(
    service: Service, signed_in: Json, refreshed: Json, caller: Registered, *, is_repeated: bool
) -> None:
    await service.alter("account", username="renamed")

    presented = signed_in if is_repeated else refreshed
    answer = await service.refreshed(presented["refresh_token"])

    assert (await service.introspect(answer["access_token"], caller))["username"] == "renamed"


@pytest.mark.parametrize(
    ("table", "change"),
    [("account", "disabled_at"), ("session", "ended_at")],
    ids=["account disabled", "session ended"],
)
async def test_who_may_not_go_on_since_is_refused(
    service: Service, refreshed: Json, table: str, change: str
) -> None:
    """Without a word to this instance, as by hand or by another that died before it could say so."""
    await service.alter(table, **{change: service.clock()})
    before = await service.rows()

    response = await service.refresh(refreshed["refresh_token"])

    assert_oauth_error(response, 400, "invalid_grant")
    assert await service.rows() == before


@TWO_INSTANCES
async def test_a_scope_that_may_not_be_asked_for_hides_no_replay(
    service: Service, service_with: MakeService, refreshed: Json
) -> None:
    other = await service_with()
    await other.refreshed(refreshed["refresh_token"])
    service.clock.advance(seconds=service.stack.settings.refresh_overlap_seconds)

    response = await service.refresh(refreshed["refresh_token"], scope="never-granted")

    assert_oauth_error(response, 400, "invalid_grant")
    [session] = await service.sessions()
    assert session.ended_at == service.clock()


async def test_a_scope_that_may_not_be_asked_for_is_refused_and_uses_nothing_up(
    service: Service, refreshed: Json
) -> None:
    before = await service.rows()

    response = await service.refresh(refreshed["refresh_token"], scope="never-granted")

    assert_oauth_error(response, 400, "invalid_scope")
    assert await service.rows() == before
    await service.refreshed(refreshed["refresh_token"])


@pytest.mark.only("postgres-jwt", reason="opaque tokens are signed by no key, and SQLite serves one instance")
async def test_a_key_withdrawn_elsewhere_since_signs_nothing(
    service: Service, service_with: MakeService, refreshed: Json, caller: Registered
) -> None:
    other = await service_with()
    withdrawn = other.stack.services.keys.current().kid
    await other.stack.services.key_rotation.revoke(withdrawn)

    again = await service.refreshed(refreshed["refresh_token"])

    assert not await service.is_live(refreshed["access_token"], caller)
    assert await service.is_live(again["access_token"], caller)


@pytest.mark.only("postgres-jwt", reason="opaque tokens are signed by no key, and SQLite serves one instance")
async def test_a_withdrawal_that_is_known_here_is_not_asked_for_again(
    service: Service, signed_in: Json
) -> None:
    """Though the session is remembered from before it."""
    parts = service.stack.services
    await parts.key_rotation.revoke(parts.keys.current().kid)
    await parts.reload()
    refreshed = await service.refreshed(signed_in["refresh_token"])
    service.clock.advance(seconds=1)
    await parts.key_rotation.revoke(parts.keys.current().kid)
    await parts.reload()

    with statements(parts.stores.database) as sent:
        await service.refreshed(refreshed["refresh_token"])

    assert [text for text in sent if "encrypted_private_pem" in text] == []


@TWO_INSTANCES
async def test_a_refresh_token_exchanged_elsewhere_since_gives_the_same_successor(
    service: Service, service_with: MakeService, refreshed: Json
) -> None:
    other = await service_with()
    successor = await other.refreshed(refreshed["refresh_token"])

    repeated = await service.refreshed(refreshed["refresh_token"])

    assert repeated["refresh_token"] == successor["refresh_token"]
    await service.refreshed(successor["refresh_token"])


@TWO_INSTANCES
async def test_a_refresh_token_replayed_since_ends_the_session_it_is_remembered_by(
    service: Service, service_with: MakeService, refreshed: Json
) -> None:
    other = await service_with()
    successor = await other.refreshed(refreshed["refresh_token"])
    service.clock.advance(seconds=service.stack.settings.refresh_overlap_seconds)

    replayed = await service.refresh(refreshed["refresh_token"])

    assert_oauth_error(replayed, 400, "invalid_grant")
    [session] = await service.sessions()
    assert session.ended_at == service.clock()
    assert (await service.refresh(successor["refresh_token"])).status_code == 400


@TWO_INSTANCES
async def test_a_session_used_elsewhere_since_lives_on(
    service: Service, service_with: MakeService, signed_in: Json, refreshed: Json
) -> None:
    """By what is remembered here it has been idle for too long."""
    other = await service_with()
    service.clock.advance(seconds=service.stack.settings.refresh_overlap_seconds - 1)
    await other.refreshed(signed_in["refresh_token"])
    service.clock.advance(seconds=service.stack.services.sessions.limits.idle.total_seconds() - 2)

    with written() as log:
        assert (await service.refresh(refreshed["refresh_token"])).status_code == 200
    assert log.events("refresh_refused", "refresh_replayed", "session_ended") == []


async def test_what_another_client_presents_is_refused_and_changes_nothing(
    service: Service, refreshed: Json, caller: Registered
) -> None:
    before = await service.rows()

    response = await service.refresh(refreshed["refresh_token"], caller)

    assert_oauth_error(response, 400, "invalid_grant")
    assert await service.rows() == before
    await service.refreshed(refreshed["refresh_token"])
