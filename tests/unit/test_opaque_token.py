"""Opaque access tokens: their shape, their one spelling, and what is asked of the database for one."""

import hashlib
from collections.abc import AsyncIterator, Callable

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authsvc.server_keys import TAG_LENGTH, ServerKeys
from authsvc.storage.tables import metadata
from authsvc.tokens.access_token import AccessTokenRequest
from authsvc.tokens.opaque import PREFIX, OpaqueFormat
from tests.fixtures.clock import START, ManualClock
from tests.fixtures.forge import decode, encode
from tests.fixtures.stack import SECRET, Stack, make_settings, migrate, running
from tests.fixtures.statements import statements

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
SECRET_LENGTH = 32
REQUEST = AccessTokenRequest(
    client_id="public",
    subject="public",
    scope=frozenset({"account"}),
    audience="https://api.example.test",
    issued_at=START,
    expires_at=START.replace(minute=5),
)


@pytest.fixture(scope="module")
async def instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    made = make_settings(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('opaque')}/authsvc.db", None)
    await migrate(made)
    async with running(made, ManualClock()) as instance:
        yield instance


@pytest.fixture(scope="module")
def opaque(instance: Stack) -> OpaqueFormat:
    return instance.services.verifier.opaque


@pytest.fixture(scope="module")
async def token(opaque: OpaqueFormat) -> str:
    return await issued(opaque)


async def issued(opaque: OpaqueFormat) -> str:
    async with opaque.database.transaction() as tx:
        return await opaque.issue(tx, REQUEST)


def tagged(secret: bytes, key: str = SECRET) -> str:
    """A token that the server's key tagged and that the database has never seen."""
    return PREFIX + encode(ServerKeys([key]).tagged(secret))


async def test_a_token_holds_256_random_bits_and_a_tag(opaque: OpaqueFormat) -> None:
    tokens = [await issued(opaque) for _ in range(40)]
    bodies = [decode(token.removeprefix(PREFIX)) for token in tokens]

    assert {len(body) for body in bodies} == {SECRET_LENGTH + TAG_LENGTH}
    secrets = [int.from_bytes(body[:SECRET_LENGTH]) for body in bodies]
    # Each bit is 1 in some and 0 in others; of 40 coins 256 times over, none falls on one side only.
    every_bit = 2 ** (8 * SECRET_LENGTH) - 1
    ones = zeros = 0
    for secret in secrets:
        ones, zeros = ones | secret, zeros | ~secret & every_bit
    assert (ones, zeros) == (every_bit, every_bit)


async def test_a_token_is_judged_by_what_was_stored_with_it(opaque: OpaqueFormat, token: str) -> None:
    verdict = await opaque.judge(token)

    assert verdict is not None
    facts = verdict.token
    assert (facts.client_id, facts.subject, facts.scope) == ("public", "public", REQUEST.scope)
    assert (facts.audience, facts.issued_at, facts.expires_at) == (
        REQUEST.audience,
        REQUEST.issued_at,
        REQUEST.expires_at,
    )


async def test_the_database_holds_the_sha_256_of_a_token_and_nothing_of_the_token(
    opaque: OpaqueFormat,
) -> None:
    token = await issued(opaque)

    async with opaque.database.reading() as tx:
        rows = (await tx.execute(sa.select(metadata.tables["access_token"]))).mappings().all()

    stored = [row for row in rows if row["sha256"] == hashlib.sha256(token.encode()).digest()]
    assert len(stored) == 1
    body = decode(token.removeprefix(PREFIX))
    for value in stored[0].values():
        assert token not in str(value)
        assert not isinstance(value, bytes) or (body not in value and body[:SECRET_LENGTH] not in value)


async def test_the_id_of_a_token_is_not_a_token(opaque: OpaqueFormat, token: str) -> None:
    verdict = await opaque.judge(token)
    assert verdict is not None

    for posing in (verdict.token.id, PREFIX + verdict.token.id, tagged(decode(verdict.token.id) * 2)):
        assert await opaque.judge(posing) is None


async def test_a_stored_sha_256_is_not_a_token(opaque: OpaqueFormat, token: str) -> None:
    assert await opaque.judge(tagged(hashlib.sha256(token.encode()).digest())) is None


async def test_a_tag_alone_makes_no_token(opaque: OpaqueFormat) -> None:
    assert await opaque.judge(tagged(bytes(SECRET_LENGTH))) is None


@pytest.mark.parametrize(
    "posing",
    [
        pytest.param(
            lambda _: tagged(bytes(SECRET_LENGTH), "a secret of someone else, 32 long"), id="other-tag"
        ),
        pytest.param(lambda _: PREFIX + encode(bytes(SECRET_LENGTH + TAG_LENGTH)), id="no-tag"),
        pytest.param(lambda token: token.removeprefix(PREFIX), id="no-prefix"),
        pytest.param(lambda token: token.replace("_at_", "_rt_", 1), id="prefix-of-a-refresh-token"),
        pytest.param(lambda token: token.upper(), id="capitals"),
        pytest.param(lambda token: token[:-1], id="cut"),
        pytest.param(lambda token: f"{token}A", id="longer"),
        pytest.param(lambda token: f"{token}==", id="padded"),
        pytest.param(lambda token: f"{token[:-2]}==", id="padded-to-its-length"),
        pytest.param(lambda token: token[:-1] + ALPHABET[ALPHABET.index(token[-1]) + 1], id="unused-bits"),
        pytest.param(lambda token: f"{token[:-1]}é", id="foreign-letter"),
        pytest.param(lambda token: f"{token[:-1]}\ud800", id="half-a-character"),
        pytest.param(lambda token: f" {token[:-1]}", id="space"),
        pytest.param(lambda _: tagged(b"short"), id="short-and-tagged"),
        pytest.param(lambda _: tagged(bytes(SECRET_LENGTH + 1)), id="long-and-tagged"),
        pytest.param(lambda _: PREFIX, id="prefix-alone"),
        pytest.param(lambda _: "", id="empty"),
    ],
)
async def test_what_is_not_ours_is_refused_without_a_query(
    opaque: OpaqueFormat, token: str, posing: Callable[[str], str]
) -> None:
    with statements(opaque.database) as asked:
        assert await opaque.judge(posing(token)) is None

    assert asked == []


async def test_a_token_has_expired_at_its_very_second(
    opaque: OpaqueFormat, instance: Stack, token: str
) -> None:
    instance.clock.advance(seconds=299.999)
    assert await opaque.judge(token) is not None

    instance.clock.advance(seconds=0.001)
    assert await opaque.judge(token) is None

    instance.clock.reset()


FUZZ = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(posing=st.text() | st.text(alphabet=ALPHABET, min_size=54, max_size=54).map(PREFIX.__add__))
async def test_text_that_we_did_not_make_is_none_and_never_an_error(
    opaque: OpaqueFormat, posing: str
) -> None:
    assert await opaque.judge(posing) is None


@FUZZ
@given(place=st.integers(0, 61), put=st.sampled_from([*ALPHABET, "", "=", ".", "é"]))
async def test_no_letter_of_a_token_can_be_another(
    opaque: OpaqueFormat, token: str, place: int, put: str
) -> None:
    changed = token[:place] + put + token[place + 1 :]

    assert (await opaque.judge(changed) is not None) is (changed == token)
