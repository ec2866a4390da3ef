"""What an instance remembers of signatures, rows and clients never outlives a change made elsewhere."""

import asyncio
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from authsvc.app import build_app
from authsvc.clients import PUBLIC_CLIENT_ID
from authsvc.endpoints.admission import Limits
from authsvc.storage.tables import metadata
from authsvc.tokens.access_token import DEAD as DEAD_AT_A_GLANCE
from authsvc.tokens.access_token import RowGlance
from tests.conftest import MakeService
from tests.fixtures.clock import START
from tests.fixtures.glancing import Glancing
from tests.fixtures.service import DEAD, Json, Registered, Service
from tests.fixtures.stack import ADDRESS, ISSUER

ON_POSTGRES = pytest.mark.only(
    "postgres-jwt", "postgres-opaque", reason="without Redis the database is asked about the caller"
)


@pytest.mark.only("postgres-jwt", "sqlite-jwt", reason="opaque tokens are signed by no key")
async def test_a_signature_checked_before_its_key_was_withdrawn_counts_no_more(
    service: Service, signed_in: Json, caller: Registered
) -> None:
    token = signed_in["access_token"]
    assert await service.is_live(token, caller)

    # Elsewhere: this instance hears of it at its next look at the keys, and Redis never does.
    await service.alter("signing_key", revoked_at=service.clock())
    await service.stack.services.keys.load()

    assert not await service.is_live(token, caller)


async def test_a_text_that_was_refused_is_refused_again(
    service: Service, signed_in: Json, caller: Registered
) -> None:
    token = signed_in["access_token"]
    changed = token[:-8] + ("AAAAAAAA" if not token.endswith("AAAAAAAA") else "BBBBBBBB")

    assert [await service.is_live(changed, caller) for _ in range(3)] == [False] * 3
    assert await service.is_live(token, caller)


async def signed_by_a_new_key(other: Service) -> str:
    """Return a JWT of a key that no instance but *other* knows yet."""
    for _ in range(2):  # the one that signs and the one that waits, which others know
        await other.stack.services.key_rotation.revoke(other.stack.services.keys.current().kid)
        await other.stack.services.keys.load()
    return str((await other.login())["access_token"])


@pytest.mark.only("postgres-jwt", reason="SQLite serves a single instance")
async def test_a_text_refused_before_its_key_was_known_is_looked_at_again(
    service: Service, service_with: MakeService, caller: Registered
) -> None:
    await service.add_account()
    other = await service_with()
    await service.stack.services.keys.load()
    token = await signed_by_a_new_key(other)

    early = await service.is_live(token, caller)
    service.clock.advance(seconds=1)

    assert [early, await service.is_live(token, caller)] == [False, True]


@pytest.mark.only("postgres-opaque", "sqlite-opaque", reason="a JWT has no row")
async def test_a_row_that_changed_is_read_anew(service: Service, signed_in: Json, caller: Registered) -> None:
    token = signed_in["access_token"]
    seen = [await service.introspect(token, caller)]

    await service.alter("access_token", scope="account read")
    seen += [await service.introspect(token, caller) for _ in range(2)]
    await service.alter("account", username="renamed")
    seen += [await service.introspect(token, caller) for _ in range(2)]
    await service.alter("session", ended_at=service.clock(), end_reason="logout")
    ended = await service.introspect(token, caller)

    before, wider, renamed = seen[0], seen[1:3], seen[3:]
    assert wider == [before | {"scope": "account read"}] * 2
    assert renamed == [before | {"scope": "account read", "username": "renamed"}] * 2
    assert ended == {"active": False}


@pytest.mark.only("postgres-opaque", "sqlite-opaque", reason="a JWT has no row")
@pytest.mark.parametrize("scope", ["account  read", 'say "account"'])
async def test_a_row_that_cannot_be_read_is_no_token(
    service: Service, signed_in: Json, caller: Registered, scope: str
) -> None:
    token = signed_in["access_token"]
    assert await service.is_live(token, caller)

    await service.alter("access_token", scope=scope)

    assert await service.doors(token, caller) == DEAD


@pytest.mark.only(
    "postgres-opaque", reason="where foreign keys cannot be switched off for a moment, none is lost"
)
@pytest.mark.parametrize("is_known", [False, True])
async def test_a_token_whose_session_is_lost_is_dead(
    service: Service, signed_in: Json, caller: Registered, is_known: bool
) -> None:
    """As after a backup that was restored in parts."""
    token = signed_in["access_token"]
    if is_known:
        assert await service.is_live(token, caller)

    async with service.transaction() as tx:
        await tx.execute(sa.text("SET LOCAL session_replication_role = replica"))
        await tx.execute(sa.text("DELETE FROM session"))
        await tx.execute(sa.text("DELETE FROM account"))

    assert await service.doors(token, caller) == DEAD


@ON_POSTGRES
async def test_a_token_that_is_remembered_dies_with_its_client(
    service: Service, signed_in: Json, caller: Registered
) -> None:
    """And lives again with it: nothing of what is remembered was lost or changed."""
    token, clients = signed_in["access_token"], service.stack.services.clients
    assert await service.is_live(token, caller)

    await clients.disable(PUBLIC_CLIENT_ID)
    assert await service.doors(token, caller) == DEAD

    await clients.enable(PUBLIC_CLIENT_ID)
    assert await service.is_live(token, caller)


@pytest.mark.only("postgres-opaque", reason="a JWT has no row, and SQLite no version of one")
async def test_a_row_that_was_read_is_asked_for_what_can_change_alone(
    service: Service, signed_in: Json, caller: Registered
) -> None:
    token, opaque = signed_in["access_token"], service.stack.services.verifier.opaque

    asked = []
    for _ in range(2):
        glance = opaque.glance(token, service.clock())
        asked.append(glance.rows if isinstance(glance, RowGlance) else glance)
        assert await service.is_live(token, caller)

    assert asked == [opaque.rows, opaque.state_rows]


@ON_POSTGRES
async def test_a_caller_changed_elsewhere_is_read_anew(
    service: Service, signed_in: Json, caller: Registered
) -> None:
    """By another instance: it commits, and tells Redis."""
    token = signed_in["access_token"]
    assert (await service.introspect(token, caller))["active"]

    await service.stack.services.clients.disable(caller.id)

    refused = await service.post("/introspect", caller, token=token)

    assert refused.status_code == 401


@pytest.mark.only("postgres-opaque", reason="with a JWT the database is not asked, and Redis hears nothing")
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"secret_sha256": b"x" * 32, "version": 2}, 401),
        ({"disabled_at": START, "version": 2}, 401),
        ({"disabled_at": START}, 401),
        ({"may_introspect": False, "version": 2}, 200),
    ],
)
async def test_a_caller_changed_by_hand_is_read_anew(
    service: Service, signed_in: Json, caller: Registered, change: dict[str, object], status: int
) -> None:
    """Or by who tells no Redis: the row that was asked for along with the token's says so."""
    token = signed_in["access_token"]
    assert await service.is_live(token, caller)

    async with service.transaction() as tx:
        client = metadata.tables["client"]
        await tx.execute(sa.update(client).where(client.c.id == caller.id).values(**change))

    for _ in range(2):
        answer = await service.post("/introspect", caller, token=token)
        assert answer.status_code == status
        assert b'"active":true' not in answer.content


@ON_POSTGRES
async def test_an_old_secret_that_worked_in_its_overlap_works_no_longer(
    service: Service, signed_in: Json, caller: Registered
) -> None:
    token = signed_in["access_token"]
    await service.stack.services.clients.rotate_secret(caller.id, overlap=timedelta(minutes=5))
    for _ in range(3):
        assert await service.is_live(token, caller)

    service.clock.advance(minutes=6)  # the client is still remembered

    assert (await service.post("/introspect", caller, token=token)).status_code == 401


@ON_POSTGRES
async def test_a_caller_that_is_remembered_is_not_read_again(
    service: Service, signed_in: Json, caller: Registered
) -> None:
    """A row that changed without a version shows that it was not."""
    token = signed_in["access_token"]
    await service.introspect(token, caller)
    async with service.transaction() as tx:
        client = metadata.tables["client"]
        await tx.execute(sa.update(client).where(client.c.id == caller.id).values(secret_sha256=b"x" * 32))

    assert await service.is_live(token, caller)


async def test_what_others_ask_at_the_same_time_concerns_nobody_else(
    service: Service, signed_in: Json, caller: Registered
) -> None:
    """They share a question to the store, and its answer."""
    other = (await service.login())["access_token"]
    token = signed_in["access_token"]
    await service.as_user("POST", "/logout", other)

    answers = await asyncio.gather(*(service.is_live(one, caller) for one in (token, other) * 4))

    assert answers == [True, False] * 4


@ON_POSTGRES
@pytest.mark.parametrize("by_a_glance", [False, True])
async def test_what_is_answered_at_once_needs_room_too(
    service: Service, signed_in: Json, caller: Registered, *, by_a_glance: bool
) -> None:
    token = signed_in["access_token"]
    await service.introspect(token, caller)
    app = build_app()
    app.state.services = service.stack.services
    app.room.limits = Limits(requests=0)
    transport = httpx.ASGITransport(Glancing(app) if by_a_glance else app, client=ADDRESS)
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as http:
        asked = await http.post("/introspect", data={"token": token}, auth=caller.auth)
        verified = await http.get("/verify", headers={"Authorization": f"Bearer {token}"})

    assert {asked.status_code, verified.status_code} == {503}
    assert asked.json()["error"] == "temporarily_unavailable"


@pytest.mark.only("postgres-jwt", reason="SQLite serves a single instance, and no key signs opaque tokens")
async def test_a_jwt_that_nobody_has_seen_needs_no_more_than_a_glance_but_for_its_key(
    service: Service, service_with: MakeService, caller: Registered
) -> None:
    await service.add_account()
    other = await service_with()
    own = (await service.login())["access_token"]
    strange = await signed_by_a_new_key(other)
    jwt, now = service.stack.services.verifier.jwt, service.clock()

    assert jwt.glance(own, now) not in (None, DEAD_AT_A_GLANCE)
    assert jwt.glance(own[:-8] + "AAAAAAAA", now) is DEAD_AT_A_GLANCE
    assert jwt.glance(strange, now) is None
    assert not await service.is_live(own, caller)  # its key was withdrawn
    service.clock.advance(seconds=1)
    assert await service.is_live(strange, caller)
