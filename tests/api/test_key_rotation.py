"""P14: signing keys rotate by themselves, on every instance, and nobody notices."""

import asyncio
from datetime import timedelta
from typing import Any

import jwt
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from authsvc.jobs import jobs
from authsvc.server_keys import ServerKeys
from authsvc.storage.signing_keys import StoredKey
from authsvc.storage.tables import metadata
from authsvc.tokens.key_material import KeyMaterial
from authsvc.tokens.keys import RETIRED_FOR
from tests.conftest import MakeService
from tests.fixtures.clock import START
from tests.fixtures.forge import part_of
from tests.fixtures.logs import written
from tests.fixtures.service import Registered, Service
from tests.fixtures.stack import ISSUER, SECRET
from tests.fixtures.statements import statements

pytestmark = pytest.mark.only(
    "postgres-jwt", "sqlite-jwt", reason="opaque tokens are not signed; the keys are those of the store"
)

MAX_AGE = 300
PERIOD = timedelta(days=40)
DAY = timedelta(days=1)

Json = dict[str, Any]


@pytest.fixture
async def client(service: Service) -> Registered:
    return await service.add_client(may_introspect=True)


@pytest.fixture
async def one(service_with: MakeService) -> Service:
    return await service_with(signing_key_seconds=int(PERIOD.total_seconds()), access_token_seconds=86_400)


@pytest.fixture
async def other(service_with: MakeService) -> Service:
    """Another instance over the same stores."""
    return await service_with(signing_key_seconds=int(PERIOD.total_seconds()), access_token_seconds=86_400)


async def turn(*instances: Service) -> None:
    """What the jobs of each instance do in a few seconds."""
    for instance in instances:
        await instance.stack.services.key_rotation.turn()
        await instance.stack.services.key_rotation.forget()
    for instance in instances:
        await instance.stack.services.reload()


async def stored(service: Service) -> list[StoredKey]:
    return await service.stack.services.key_rotation.every()


async def key_set(service: Service) -> Json:
    """The published keys by kid, as another service keeps them."""
    published = (await service.http.get("/.well-known/jwks.json")).json()["keys"]
    return {key["kid"]: key for key in published}


def kid_of(token: str) -> str:
    return str(part_of(token, 0)["kid"])


def check(token: str, keys: Json) -> None:
    """Check *token* as another service does, by the keys that it has."""
    key = jwt.PyJWK(keys[kid_of(token)])
    options: Any = {"verify_exp": False, "verify_iat": False}  # the test holds the clock
    jwt.decode(token, key, algorithms=["ES256", "RS256"], audience=ISSUER, issuer=ISSUER, options=options)


async def test_the_job_is_there(service: Service) -> None:
    assert "signing keys" in {job.name for job in jobs(service.stack.services)}


@pytest.mark.only("postgres-jwt", reason="SQLite serves a single instance")
async def test_in_400_days_of_rotation_every_token_is_good_wherever_it_is_checked(
    one: Service, other: Service, client: Registered, capsys: pytest.CaptureFixture[str]
) -> None:
    """Others have just read the key set when the keys change; tokens are checked to their last second."""
    signers, rows, issued = set(), 0, 0
    for day in (day for day in range(401) if day % PERIOD.days in (0, 1, 20, PERIOD.days - 1)):
        one.clock.now = START + day * DAY
        early = [(await instance.client_token(client), instance) for instance in (one, other)]
        caches = [await key_set(instance) for instance in (one, other)]
        one.clock.advance(seconds=MAX_AGE - 1)
        await turn(one, other)
        late = [(await instance.client_token(client), instance) for instance in (other, one)]
        for token, _ in early + late:
            for cached in caches:
                check(token, cached)

        for tokens, last_second in ((early, 86_399), (late, 86_399 + MAX_AGE - 1)):
            one.clock.now = START + day * DAY + timedelta(seconds=last_second)
            await turn(one, other)
            for token, _ in tokens:
                for instance in (one, other):
                    check(token, await key_set(instance))
                    assert await instance.is_live(token, client)
        keys = await stored(one)
        assert [key.signs_from for key in keys].count(None) == 1
        assert not any("PRIVATE" in key.encrypted_private_pem for key in keys)
        signers |= {kid_of(token) for token, _ in early + late}
        rows, issued = max(rows, len(keys)), issued + len(early + late)

    with capsys.disabled():
        print(f"\n400 days: {len(signers)} keys signed {issued} tokens; at most {rows} rows of keys")
    assert len(signers) == 11
    assert rows <= 3


async def test_a_key_is_replaced_when_it_has_signed_for_its_time_and_no_second_earlier(
    one: Service, client: Registered
) -> None:
    old, waiting = await stored(one)
    one.clock.now += PERIOD - timedelta(seconds=1)
    await turn(one)
    assert kid_of(await one.client_token(client)) == old.kid

    one.clock.advance(seconds=1)
    with written() as log:
        await turn(one)

    assert kid_of(await one.client_token(client)) == waiting.kid
    [event] = log.events("key_rotated")
    assert event["kid"] == waiting.kid
    assert [key.signs_from for key in await stored(one)].count(None) == 1


async def test_of_many_instances_that_see_it_at_once_one_rotates(
    one: Service, other: Service, service_with: MakeService
) -> None:
    third = await service_with(signing_key_seconds=int(PERIOD.total_seconds()))
    one.clock.now += PERIOD

    await asyncio.gather(
        *(instance.stack.services.key_rotation.turn() for instance in (one, other, third, one, other, third))
    )

    assert len(await stored(one)) == 3


async def test_while_nothing_is_due_a_turn_locks_nothing(one: Service) -> None:
    with statements(one.stack.services.stores.database) as asked:
        await one.stack.services.key_rotation.turn()

    assert len(asked) == 1
    assert "FOR UPDATE" not in asked[0]


async def test_zero_leaves_rotation_to_the_command(service_with: MakeService) -> None:
    by_hand = await service_with(signing_key_seconds=0)
    before = await stored(by_hand)
    by_hand.clock.advance(days=4000)

    await turn(by_hand)

    assert await stored(by_hand) == before
    assert (await by_hand.stack.services.key_rotation.rotate()).kid == before[1].kid


async def test_another_algorithm_signs_by_itself_once_every_cache_can_have_its_key(
    service_with: MakeService, client: Registered
) -> None:
    rsa_instance = await service_with(signing_algorithm="RS256")
    cached = await key_set(rsa_instance)
    await turn(rsa_instance)

    rsa_instance.clock.advance(seconds=MAX_AGE + 14)
    await turn(rsa_instance)
    before = await rsa_instance.client_token(client)
    rsa_instance.clock.advance(seconds=1)
    after = await rsa_instance.client_token(client)

    assert [part_of(token, 0)["alg"] for token in (before, after)] == ["ES256", "RS256"]
    check(after, cached)


async def test_an_instance_with_the_old_setting_does_not_bring_its_algorithm_back(
    one: Service, service_with: MakeService, client: Registered
) -> None:
    new = await service_with(signing_algorithm="RS256")
    for _ in range(5):
        await turn(one, new)
        one.clock.advance(hours=1)

    algorithms = [part_of(await instance.client_token(client), 0)["alg"] for instance in (one, new)]
    assert algorithms == ["RS256", "RS256"]
    assert len(await stored(one)) == 4


async def test_a_restart_with_the_algorithm_of_before_goes_back_to_it(
    service_with: MakeService, client: Registered
) -> None:
    for algorithm in ("RS256", "ES256"):
        restarted = await service_with(signing_algorithm=algorithm)
        await turn(restarted)
        restarted.clock.advance(seconds=MAX_AGE + 15)
        await turn(restarted)
        assert part_of(await restarted.client_token(client), 0)["alg"] == algorithm

    restarted.clock.now += RETIRED_FOR
    await turn(restarted)
    restarted.clock.now += RETIRED_FOR
    await turn(restarted)
    assert [key.algorithm for key in await stored(restarted)] == ["ES256", "ES256"]


async def test_keys_that_no_token_needs_are_deleted_and_no_others(one: Service) -> None:
    rotation = one.stack.services.key_rotation
    first, second = await stored(one)
    one.clock.now += DAY
    await rotation.rotate()
    await rotation.revoke(second.kid)

    one.clock.now += RETIRED_FOR - timedelta(seconds=1)
    assert await rotation.forget() == 0
    one.clock.advance(seconds=1)
    assert await rotation.forget() == 2

    left = await stored(one)
    assert {first.kid, second.kid}.isdisjoint(key.kid for key in left)
    assert [key.signs_from is None for key in left] == [False, True]
    one.clock.advance(days=4000)
    assert await rotation.forget() == 0


async def test_a_key_that_was_revoked_elsewhere_signs_no_more(
    one: Service, other: Service, client: Registered
) -> None:
    old = kid_of(await other.client_token(client))
    await one.stack.services.key_rotation.revoke(old)

    with statements(other.stack.services.stores.database) as asked:
        tokens = await asyncio.gather(*(other.client_token(client) for _ in range(8)))

    assert old not in {kid_of(token) for token in tokens}
    assert all([await one.is_live(token, client) for token in tokens])
    assert len([statement for statement in asked if "encrypted_private_pem" in statement]) == 1


def pems(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> dict[str, str]:
    """What the table would hold of this key."""
    text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    box = KeyMaterial(ServerKeys([SECRET]))
    return {"public_pem": public.decode(), "encrypted_private_pem": box.encrypt(text)}


P256 = ec.generate_private_key(ec.SECP256R1())
UNFIT = {
    "a P-384 key": pems(ec.generate_private_key(ec.SECP384R1())),
    "a secp256k1 key": pems(ec.generate_private_key(ec.SECP256K1())),
    "an RSA key": pems(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    "another key's private part": pems(P256)
    | {"public_pem": pems(ec.generate_private_key(ec.SECP256R1()))["public_pem"]},
    "no key": {"public_pem": "no key"},
    "a short RSA key": pems(rsa.generate_private_key(public_exponent=65537, key_size=1024))  # noqa: S505 - the test is that it is refused
    | {"algorithm": "RS256"},
    "a P-256 key for RS256": pems(P256) | {"algorithm": "RS256"},
    "an unknown algorithm": {"algorithm": "EdDSA"},
}


@pytest.mark.parametrize("values", UNFIT.values(), ids=UNFIT.keys())
async def test_a_stored_key_that_does_not_fit_its_algorithm_is_told_of_once_and_not_used(
    one: Service, client: Registered, values: dict[str, str]
) -> None:
    _, waiting = await stored(one)
    table = metadata.tables["signing_key"]
    async with one.transaction() as tx:
        unfit = waiting.__dict__ | {"kid": "unfit", "position": 99, "signs_from": one.clock()} | values
        await tx.execute(sa.insert(table).values(**unfit))
    one.clock.advance(seconds=1)

    with written() as log:
        await one.stack.services.reload()
        await one.stack.services.reload()

    told = log.events("signing_key_unfit")
    assert [(line["kid"], line["level"], bool(line["reason"])) for line in told] == [("unfit", "error", True)]
    assert "unfit" not in await key_set(one)
    assert await one.is_live(await one.client_token(client), client)
