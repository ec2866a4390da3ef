"""The keys that sign JWTs: made once, published before use, rotated unnoticed, withdrawn at once, encrypted.

On every stack an instance that issues JWTs is asked, and where it matters a second one beside it.
"""

import asyncio
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from pydantic import SecretStr

from authsvc.errors import OperatorError
from authsvc.server_keys import ServerKeys
from authsvc.storage.signing_keys import StoredKey
from authsvc.storage.tables import metadata
from authsvc.tokens.key_material import KeyMaterial
from authsvc.tokens.key_rotation import KeyRotation
from authsvc.tokens.key_schedule import PROPAGATION
from authsvc.tokens.keys import RETIRED_FOR
from tests.conftest import MakeService
from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.forge import Forge, forge_for, part_of
from tests.fixtures.service import DEAD, LIVE, Registered, Service
from tests.fixtures.stack import SECRET, running
from tests.fixtures.statements import statements

OTHER_SECRET = "another secret for tests, of more than 32 characters"
MAX_AGE = 300


@pytest.fixture
async def signing(service_with: MakeService) -> Service:
    """An instance that issues JWTs."""
    return await service_with(token_format="jwt")


@pytest.fixture
async def beside(service_with: MakeService) -> Service:
    """Another instance over the same stores. Nothing tells it to read the keys again."""
    return await service_with(token_format="jwt")


@pytest.fixture
async def client(service: Service) -> Registered:
    return await service.add_client(may_introspect=True)


def rotation(service: Service) -> KeyRotation:
    return service.stack.services.key_rotation


async def stored(service: Service) -> list[StoredKey]:
    return await rotation(service).every()


async def published(service: Service) -> list[str]:
    response = await service.http.get("/.well-known/jwks.json")
    return [key["kid"] for key in response.json()["keys"]]


def kid_of(token: str) -> str:
    return str(part_of(token, 0)["kid"])


async def signed_by(service: Service, client: Registered) -> str:
    """The kid of the key that signs at this instance now."""
    return kid_of(await service.client_token(client))


async def rotated(service: Service) -> StoredKey:
    """Rotate, and wait until the new key signs."""
    promoted = await rotation(service).rotate()
    assert promoted.signs_from is not None
    service.clock.now = max(service.clock.now, promoted.signs_from)
    await service.stack.services.reload()
    return promoted


async def test_a_first_start_makes_one_key_that_signs_and_one_that_waits(
    signing: Service, client: Registered
) -> None:
    first, second = await stored(signing)

    assert (first.signs_from, second.signs_from) == (signing.clock(), None)
    assert await published(signing) == [first.kid, second.kid]
    assert await signed_by(signing, client) == first.kid


async def test_instances_that_start_at_once_make_two_keys_together(
    service: Service, client: Registered
) -> None:
    async with service.transaction() as tx:
        await tx.execute(sa.delete(metadata.tables["signing_key"]))
    settings = service.stack.settings.model_copy(update={"token_format": "jwt"})

    async with AsyncExitStack() as opened:
        stacks = await asyncio.gather(
            *(opened.enter_async_context(running(settings, service.clock)) for _ in range(4))
        )
        instances = [
            Service(stack, await opened.enter_async_context(stack.http()), service.password_hash)
            for stack in stacks
        ]

        keys = [key.kid for key in await stored(service)]
        assert len(keys) == 2
        assert [await published(instance) for instance in instances] == [keys] * 4
        tokens = [await instance.client_token(client) for instance in instances]
        assert {kid_of(token) for token in tokens} == {keys[0]}
        assert all([await instances[0].is_live(token, client) for token in tokens])


async def test_another_start_makes_no_more_keys(signing: Service, service_with: MakeService) -> None:
    before = await stored(signing)

    await service_with()

    assert await stored(signing) == before


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
async def test_keys_are_of_the_kind_and_the_strength_that_their_algorithm_asks_for(
    service_with: MakeService, algorithm: str
) -> None:
    service = await service_with(signing_algorithm=algorithm)
    made = (await stored(service))[-1]

    public = load_pem_public_key(made.public_pem.encode())
    private = load_pem_private_key(opened(made, SECRET), password=None)

    assert made.algorithm == algorithm
    assert private.public_key() == public
    if algorithm == "ES256":
        assert isinstance(public, ec.EllipticCurvePublicKey)
        assert public.curve.name == "secp256r1"
    else:
        assert isinstance(public, rsa.RSAPublicKey)
        assert (public.key_size, public.public_numbers().e) == (3072, 65537)


def opened(key: StoredKey, secret: str) -> bytes:
    return KeyMaterial(ServerKeys([secret])).decrypt(key.encrypted_private_pem).encode()


@pytest.mark.parametrize("age", [0, 100, 100_000])
async def test_a_key_is_published_longer_than_caches_keep_the_set_before_it_signs(
    signing: Service, client: Registered, age: int
) -> None:
    old, waiting = await stored(signing)
    signing.clock.advance(seconds=age)

    promoted = await rotation(signing).rotate()

    assert promoted.kid == waiting.kid
    assert promoted.signs_from is not None
    shown_for = promoted.signs_from - waiting.created_at
    assert shown_for.total_seconds() == max(age, MAX_AGE + PROPAGATION.total_seconds())
    await signing.stack.services.reload()
    if age < MAX_AGE:
        signing.clock.now = promoted.signs_from
        signing.clock.advance(seconds=-1)
        assert await signed_by(signing, client) == old.kid
        signing.clock.advance(seconds=1)
    assert await signed_by(signing, client) == waiting.kid


async def test_a_rotation_publishes_the_key_after_the_next(signing: Service) -> None:
    before = await published(signing)

    await rotated(signing)

    after = await published(signing)
    assert after[:-1] == before
    assert [key.signs_from for key in await stored(signing)][-1] is None
    assert after[-1] not in before


async def test_nobody_notices_a_rotation(
    signing: Service, beside: Service, service: Service, client: Registered
) -> None:
    await service.add_account()
    old = await signing.login(client)
    before = kid_of(old["access_token"])
    await rotation(signing).rotate()
    await signing.stack.services.reload()
    signing.clock.advance(seconds=MAX_AGE + 15 - 1)
    just_before = await signing.login(client)

    signing.clock.advance(seconds=1)
    new = await signing.login(client)

    assert kid_of(just_before["access_token"]) == before
    assert kid_of(new["access_token"]) != before
    for instance in (signing, beside):
        assert await instance.doors(just_before["access_token"], client) == LIVE
        assert await instance.doors(new["access_token"], client) == LIVE
        assert {before, kid_of(new["access_token"])} <= set(await published(instance))
    refreshed = await beside.refresh(old["refresh_token"], client)
    assert refreshed.status_code == 200
    assert await signing.is_live(refreshed.json()["access_token"], client)


async def test_a_retired_key_is_published_for_longer_than_any_token_lives(
    signing: Service, client: Registered
) -> None:
    old = await signed_by(signing, client)
    await rotated(signing)

    signing.clock.advance(seconds=RETIRED_FOR.total_seconds() - 1)
    assert old in await published(signing)
    assert RETIRED_FOR.total_seconds() > 86_400, "the longest life of a token"

    signing.clock.advance(seconds=1)
    assert old not in await published(signing)


async def test_rotating_again_before_the_first_took_effect_changes_nothing(signing: Service) -> None:
    await rotation(signing).rotate()
    before = await stored(signing)

    with pytest.raises(OperatorError, match="rotate again after that"):
        await rotation(signing).rotate()

    assert await stored(signing) == before


@pytest.mark.parametrize("age", [0, 1000])
async def test_of_rotations_at_once_none_reports_a_key_that_is_not_there(
    signing: Service, beside: Service, age: int
) -> None:
    signing.clock.advance(seconds=age)

    done = await asyncio.gather(
        *(rotation(instance).rotate() for instance in (signing, beside)), return_exceptions=True
    )

    keys = await stored(signing)
    promoted = [key for key in done if isinstance(key, StoredKey)]
    assert len(promoted) >= 1
    assert [key for key in promoted if key.kid not in {other.kid for other in keys}] == []
    assert [type(key) for key in done if not isinstance(key, StoredKey)] in ([], [OperatorError])
    assert sum(key.signs_from is None for key in keys) == 1


async def test_tokens_of_a_withdrawn_key_are_dead_at_once_at_every_instance(
    signing: Service, beside: Service, client: Registered, service: Service
) -> None:
    await service.add_account()
    tokens = await signing.login(client)
    own = await signing.client_token(client)
    assert await beside.doors(tokens["access_token"], client) == LIVE

    await rotation(signing).revoke(kid_of(own))

    for instance in (signing, beside):
        assert await instance.doors(tokens["access_token"], client) == DEAD
        assert not await instance.is_live(own, client)
    await signing.stack.services.reload()
    assert await signing.doors(tokens["access_token"], client) == DEAD


async def test_the_session_outlives_the_key_that_signed_its_token(
    signing: Service, client: Registered, service: Service
) -> None:
    await service.add_account()
    tokens = await signing.login(client)
    await rotation(signing).revoke(kid_of(tokens["access_token"]))
    await signing.stack.services.reload()

    refreshed = await signing.refresh(tokens["refresh_token"], client)

    assert refreshed.status_code == 200
    assert await signing.doors(refreshed.json()["access_token"], client) == LIVE


async def test_after_a_withdrawal_the_waiting_key_signs_and_another_waits(
    signing: Service, beside: Service, client: Registered
) -> None:
    old, waiting = await stored(signing)

    successor = await rotation(signing).revoke(old.kid)
    await signing.stack.services.reload()

    assert successor is not None
    assert successor.kid == waiting.kid
    token = await signing.client_token(client)
    assert kid_of(token) == waiting.kid
    # The other instance has known the waiting key all along.
    assert await beside.is_live(token, client)
    now_published = await published(signing)
    assert old.kid not in now_published
    assert now_published[0] == waiting.kid
    assert len(now_published) == 2


async def test_a_retired_key_does_not_sign_again_when_its_successor_is_withdrawn(
    signing: Service, client: Registered
) -> None:
    retired = await signed_by(signing, client)
    current = await rotated(signing)
    token = await signing.client_token(client)
    _, _, waiting = await stored(signing)

    await rotation(signing).revoke(current.kid)
    await signing.stack.services.reload()

    assert await signed_by(signing, client) == waiting.kid != retired
    assert not await signing.is_live(token, client)


async def test_withdrawing_a_retired_key_changes_nothing_but_its_own_tokens(
    signing: Service, client: Registered
) -> None:
    old = await signing.client_token(client)
    current = await rotated(signing)
    new = await signing.client_token(client)

    assert await rotation(signing).revoke(kid_of(old)) is None
    await signing.stack.services.reload()

    assert await signed_by(signing, client) == current.kid
    assert await signing.is_live(new, client)
    assert not await signing.is_live(old, client)


async def test_withdrawing_the_current_key_lets_one_that_was_to_come_sign_at_once(
    signing: Service, client: Registered
) -> None:
    old = await signed_by(signing, client)
    coming = await rotation(signing).rotate()

    successor = await rotation(signing).revoke(old)
    await signing.stack.services.reload()

    assert successor is not None
    assert successor.kid == coming.kid == await signed_by(signing, client)


async def test_withdrawing_twice_is_the_same_as_once(signing: Service, client: Registered) -> None:
    old = await signed_by(signing, client)
    await rotation(signing).revoke(old)
    before = await stored(signing)
    signing.clock.advance(seconds=5)

    assert await rotation(signing).revoke(old) is None

    assert await stored(signing) == before


async def test_a_key_made_elsewhere_is_found_by_the_first_token_that_names_it(
    signing: Service, beside: Service, client: Registered
) -> None:
    for key in await stored(signing):  # neither of those that the other instance knows signs any more
        await rotation(signing).revoke(key.kid)
    await signing.stack.services.reload()
    token = await signing.client_token(client)
    signing.clock.advance(seconds=1)

    with statements(beside.stack.services.stores.database) as asked:
        assert await beside.is_live(token, client)
        assert await beside.is_live(token, client)

    assert len(reads_of_keys(asked)) == 1


def reads_of_keys(asked: list[str]) -> list[str]:
    return [statement for statement in asked if "encrypted_private_pem" in statement]


async def test_unknown_keys_make_an_instance_read_the_keys_once_a_second_at_most(
    service: Service, caller: Registered, forge: Forge
) -> None:
    def unknown() -> str:
        return forge.with_header(kid=uuid4().hex).token()

    await service.stack.services.keys.load()
    database = service.stack.services.stores.database
    reads = []
    for _ in range(3):
        with statements(database) as asked:
            said = await asyncio.gather(*(service.is_live(unknown(), caller) for _ in range(12)))
        assert not any(said)
        reads.append(len(reads_of_keys(asked)))
        service.clock.advance(seconds=0.5)

    assert reads == [0, 0, 1]


async def test_a_known_key_is_never_looked_up(service: Service, caller: Registered, forge: Forge) -> None:
    service.clock.advance(seconds=60)

    with statements(service.stack.services.stores.database) as asked:
        assert await service.doors(forge.token(), caller) == LIVE

    assert reads_of_keys(asked) == []


async def test_the_database_holds_no_private_key_that_can_be_read(service: Service) -> None:
    keys = await stored(service)
    everything = str(await service.rows())

    assert "PRIVATE KEY" not in everything
    for key in keys:
        private = load_pem_private_key(opened(key, SECRET), password=None)
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        number = private.private_numbers().private_value
        for text in (number.to_bytes(32).hex(), str(number), opened(key, SECRET).decode().splitlines()[1]):
            assert text not in everything
    assert SECRET not in everything


@pytest.mark.parametrize("secret", [OTHER_SECRET, SECRET.upper(), SECRET[:-1]])
async def test_another_secret_decrypts_no_private_key(service: Service, secret: str) -> None:
    for key in await stored(service):
        with pytest.raises(InvalidToken):
            opened(key, secret)


async def test_each_private_key_is_encrypted_anew_and_a_changed_one_is_noticed(service: Service) -> None:
    one, other = await stored(service)
    assert one.encrypted_private_pem[:40] != other.encrypted_private_pem[:40]

    changed = one.encrypted_private_pem[:60] + other.encrypted_private_pem[60:]

    with pytest.raises(InvalidToken):
        KeyMaterial(ServerKeys([SECRET])).decrypt(changed)
    with pytest.raises(ValueError, match="Fernet key"):
        Fernet(SECRET.encode())  # the secret itself is no key: each purpose has one derived from it


async def test_a_start_with_another_secret_is_refused_with_a_sentence(service_with: MakeService) -> None:
    with pytest.raises(OperatorError, match=r"^AUTHSVC_SECRET_KEYS: none of them decrypts the signing keys"):
        await service_with(secret_keys=(SecretStr(OTHER_SECRET),))


async def deprive(signing: Service, service_with: MakeService) -> None:
    """Replace every key by one of another secret."""
    async with signing.transaction() as tx:
        await tx.execute(sa.delete(metadata.tables["signing_key"]))
    await service_with(secret_keys=(SecretStr(OTHER_SECRET),))
    await signing.stack.services.reload()


@pytest.fixture
async def deprived(signing: Service, service_with: MakeService) -> Service:
    await deprive(signing, service_with)
    return signing


async def test_a_refresh_that_cannot_be_signed_uses_nothing_up(
    signing: Service, service_with: MakeService
) -> None:
    await signing.add_account()
    tokens = await signing.login()
    before = await signing.sessions()
    await deprive(signing, service_with)

    response = await signing.post("/refresh", refresh_token=tokens["refresh_token"])

    assert_oauth_error(response, 503, "temporarily_unavailable")
    assert await signing.sessions() == before


async def test_without_a_key_that_can_sign_a_login_is_503_and_leaves_nothing(deprived: Service) -> None:
    await deprived.add_account()
    before = await deprived.contents()

    response = await deprived.post(
        "/login", username="ada@example.com", password="correct horse battery staple"
    )

    assert_oauth_error(response, 503, "temporarily_unavailable")
    assert response.headers["retry-after"] == "10"
    assert await deprived.contents() == before


async def test_tokens_are_checked_by_who_cannot_sign_them(
    deprived: Service, service_with: MakeService
) -> None:
    other = await service_with(secret_keys=(SecretStr(OTHER_SECRET),), token_format="jwt")
    forge = await forge_for(other)

    assert await deprived.doors(forge.token(), await deprived.add_client(may_introspect=True)) == LIVE


async def test_reencrypting_lets_the_old_secret_go(
    signing: Service, service_with: MakeService, client: Registered
) -> None:
    token = await signing.client_token(client)
    before = await stored(signing)
    both = await service_with(secret_keys=(SecretStr(OTHER_SECRET), SecretStr(SECRET)))

    assert await rotation(both).reencrypt() == (2, 0)

    after = await stored(signing)
    assert [key.kid for key in after] == [key.kid for key in before]
    for old, new in zip(before, after, strict=True):
        assert opened(new, OTHER_SECRET) == opened(old, SECRET)
        with pytest.raises(InvalidToken):
            opened(new, SECRET)
    alone = await service_with(secret_keys=(SecretStr(OTHER_SECRET),), token_format="jwt")
    assert kid_of(await alone.client_token(client)) == kid_of(token)
    assert await alone.is_live(token, client)


async def test_reencrypting_keys_of_an_unknown_secret_says_how_many_and_leaves_them(
    deprived: Service,
) -> None:
    before = await stored(deprived)

    assert await rotation(deprived).reencrypt() == (0, 2)

    assert await stored(deprived) == before
