"""P2: whoever reads the whole database, or has the server's secret, holds no token."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from authsvc.secret_tokens import decode_base64url, encode_base64url, new_random_bytes
from authsvc.storage.tables import metadata
from authsvc.tokens import opaque, refresh_handle
from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.service import Json, Registered, Service


@pytest.fixture
async def issued(service: Service, caller: Registered) -> list[str]:
    """Every kind of secret that is handed out: four tokens of a user, one of a client, a client's secret."""
    await service.add_account()
    first = await service.login()
    second = await service.refreshed(first["refresh_token"])
    tokens = [tokens[kind] for tokens in (first, second) for kind in ("access_token", "refresh_token")]
    return [*tokens, await service.client_token(caller), caller.secret]


async def values(service: Service) -> list[str | bytes]:
    """Every text and every string of bytes in the database."""
    async with service.transaction() as tx:
        rows = [row for table in metadata.sorted_tables for row in await tx.execute(sa.select(table))]
    return [value for row in rows for value in row if isinstance(value, str | bytes)]


def spelled(value: str | bytes) -> Iterator[str]:
    """What a thief would try: as it is, in hexadecimal, in base64url, and as the rest of a token."""
    texts = [value] if isinstance(value, str) else [value.hex(), encode_base64url(value)]
    for text in texts:
        yield from (text, opaque.PREFIX + text, refresh_handle.PREFIX + text)


async def test_no_row_holds_a_token_or_the_secret_in_one(service: Service, issued: list[str]) -> None:
    stored = await values(service)
    everything = b"\n".join(one if isinstance(one, bytes) else one.encode() for one in stored)

    for token in issued:
        secret = token.removeprefix(opaque.PREFIX).removeprefix(refresh_handle.PREFIX).split(".")[-1]
        assert token.encode() not in everything
        assert secret.encode() not in everything
        assert (decode_base64url(secret) or token.encode()) not in everything


async def test_nothing_in_the_database_is_accepted_as_a_token(
    service: Service, issued: list[str], caller: Registered
) -> None:
    assert issued
    tried = {text for value in await values(service) for text in spelled(value) if text}

    for text in tried:
        assert await service.introspect(text, caller) == {"active": False}, text


async def test_nothing_is_minted_from_the_secret_without_the_row(service: Service, signed_in: Json) -> None:
    """The salt is missing; whatever stands in its place, the token is refused and nothing changes."""
    (session,) = await service.sessions()
    handles = service.stack.services.refresh_token_grant.handles
    before = await service.contents()

    for salt in (b"", bytes(16), session.id.bytes, new_random_bytes(16)):
        forged = handles.mint(session._replace(salt=salt))
        assert forged is not None
        assert_oauth_error(await service.refresh(forged), 400, "invalid_grant")

    assert await service.contents() == before
    assert handles.mint(session) == signed_in["refresh_token"]
