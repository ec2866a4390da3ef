"""What passes the one door to python-jose: the library's traps, one by one, and whatever a fuzzer finds."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jose import jwt

from authsvc.errors import Unavailable
from authsvc.server_keys import ServerKeys
from authsvc.storage.database import Database
from authsvc.storage.outage import OutageWatch
from authsvc.tokens import strict_jwt
from authsvc.tokens.key_material import KeyMaterial
from authsvc.tokens.keys import KeyRing, SigningKey
from tests.fixtures.clock import ManualClock
from tests.fixtures.forge import Forge, encode, mirrored, part_of, segment
from tests.fixtures.stack import ISSUER, SECRET, Stack, make_settings, migrate, running

CLAIMS = {
    "iss": ISSUER,
    "sub": "a client",
    "aud": ISSUER,
    "client_id": "a client",
    "iat": 1,
    "exp": 4_000_000_000,
    "jti": "a token",
}


@pytest.fixture(scope="module")
async def instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The service on a database of its own: its ring, and the formats that use it."""
    made = make_settings(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('jwt')}/authsvc.db", None)
    await migrate(made)
    async with running(made, ManualClock()) as instance:
        yield instance


@pytest.fixture(scope="module")
def ring(instance: Stack) -> KeyRing:
    return instance.services.keys


@pytest.fixture(scope="module")
def forge(ring: KeyRing) -> Forge:
    key = ring.current()
    return Forge(key, {"alg": key.algorithm, "typ": "at+jwt", "kid": key.kid}, CLAIMS)


def jose_accepts(token: str, key: SigningKey, **options: Any) -> bool:
    """What python-jose says by itself, used as its documentation shows."""
    try:
        jwt.decode(
            token, key.public, **{"algorithms": ["ES256"], "audience": ISSUER, "issuer": ISSUER} | options
        )
    except Exception:  # noqa: BLE001 - errors of many kinds come out: one of the reasons for the wrapper
        return False
    return True


async def test_a_token_of_ours_is_read_to_its_key_and_its_claims(ring: KeyRing, forge: Forge) -> None:
    assert await strict_jwt.read_claims(forge.token(), ring) == (forge.key.kid, CLAIMS)


@pytest.mark.parametrize("typ", ["at+jwt", "JWT"])
async def test_what_sign_returns_is_read_again_and_has_three_header_members(ring: KeyRing, typ: str) -> None:
    token = strict_jwt.sign(ring.current(), CLAIMS, typ=typ)

    assert part_of(token, 0) == {"alg": "ES256", "typ": typ, "kid": ring.current().kid}
    assert await strict_jwt.read_claims(token, ring) == (ring.current().kid, CLAIMS)


async def test_no_claim_can_change_the_header(ring: KeyRing) -> None:
    token = strict_jwt.sign(ring.current(), CLAIMS | {"alg": "none", "kid": "x", "typ": "x"}, typ="at+jwt")

    assert part_of(token, 0) == {"alg": "ES256", "typ": "at+jwt", "kid": ring.current().kid}


def test_a_key_without_its_private_part_signs_nothing(ring: KeyRing) -> None:
    key = ring.current()
    public_only = SigningKey(key.kid, key.algorithm, key.public, None, key.signs_from)

    with pytest.raises(ValueError, match="no private part"):
        strict_jwt.sign(public_only, CLAIMS, typ="at+jwt")


@dataclass(frozen=True)
class Trap:
    """A way to forge, and whether python-jose by itself falls for it; *options* are a careless caller's."""

    make: Callable[[Forge], str]
    jose_falls: bool
    options: dict[str, Any]


def trap(name: str, make: Callable[[Forge], str], *, jose_falls: bool, **options: Any) -> Any:
    return pytest.param(Trap(make, jose_falls, options), id=name)


def published_pem(forge: Forge) -> bytes:
    prepared = getattr(forge.key.public, "prepared_key", None)
    assert prepared is not None
    return bytes(prepared.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def in_the_standard_alphabet(forge: Forge) -> str:
    while True:  # ECDSA gives another signature each time
        head, _, signature = forge.token().rpartition(".")
        if {"-", "_"} & set(signature):
            return f"{head}.{signature.replace('-', '+').replace('_', '/')}"


def with_other_unused_bits(forge: Forge) -> str:
    token = forge.token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) + 1]


def twice(members: dict[str, Any], name: str) -> str:
    return f'{json.dumps(members)[:-1]},"{name}":{json.dumps(members[name])}}}'


TRAPS = [
    trap("none", lambda forge: f"{forge.with_header(alg='none').signed_text()}.", jose_falls=False),
    trap("hmac-of-the-pem", lambda forge: forge.hmac_token(published_pem(forge)), jose_falls=False),
    trap(
        "hmac-when-any-algorithm-will-do",
        lambda forge: forge.hmac_token(published_pem(forge)),
        jose_falls=False,
        algorithms=None,
    ),
    trap("four-parts", lambda forge: f"{forge.token()}.{segment('x')}", jose_falls=False),
    trap("two-parts", Forge.signed_text, jose_falls=False),
    trap("encrypted", lambda forge: ".".join(forge.token().split(".") * 2)[:-10], jose_falls=False),
    trap(
        "another-algorithm-than-the-keys",
        lambda forge: forge.with_header(alg="RS256").token(),
        jose_falls=True,
        algorithms=["ES256", "RS256"],
    ),
    trap(
        "algorithm-inside-a-text",
        lambda forge: forge.with_header(alg="S25").token(),
        jose_falls=True,
        algorithms="ES256",
    ),
    trap("embedded-key", lambda forge: forge.with_header(jwk={"kty": "oct"}).token(), jose_falls=True),
    trap("crit", lambda forge: forge.with_header(crit=["x"]).token(), jose_falls=True),
    trap("b64", lambda forge: forge.with_header(b64=False).token(), jose_falls=True),
    trap("unknown-kid", lambda forge: forge.with_header(kid="x").token(), jose_falls=True),
    trap("kid-that-is-no-text", lambda forge: forge.with_header(kid=[1]).token(), jose_falls=True),
    trap("no-kid", lambda forge: forge.without("kid").token(), jose_falls=True),
    trap("jku", lambda forge: forge.with_header(jku="http://127.0.0.1:1/").token(), jose_falls=True),
    trap("x5u", lambda forge: forge.with_header(x5u="http://127.0.0.1:1/").token(), jose_falls=True),
    trap("other-typ", lambda forge: forge.with_header(typ="id+jwt").token(), jose_falls=True),
    trap("no-typ", lambda forge: forge.without("typ").token(), jose_falls=True),
    trap(
        "header-member-twice",
        lambda forge: forge.sealed(twice(forge.header, "kid"), forge.claims),
        jose_falls=True,
    ),
    trap(
        "claim-twice", lambda forge: forge.sealed(forge.header, twice(forge.claims, "sub")), jose_falls=True
    ),
    trap("five-megabytes", lambda forge: forge.with_claims(x="x" * 3_900_000).token(), jose_falls=True),
    trap("standard-alphabet", in_the_standard_alphabet, jose_falls=True),
    trap("padding", lambda forge: f"{forge.token()}==", jose_falls=True),
    trap("unused-bits", with_other_unused_bits, jose_falls=True),
    trap("deep-header", lambda forge: f"{segment('[' * 5000)}.{segment(forge.claims)}.AA", jose_falls=False),
    trap("half-a-character", lambda forge: f"{forge.token()}\ud800", jose_falls=False),
]


@pytest.mark.parametrize("trap", TRAPS)
async def test_no_trap_of_the_library_is_fallen_into(ring: KeyRing, forge: Forge, trap: Trap) -> None:
    token = trap.make(forge)

    # Not our promise, but the reason for the case: a new release of the library may mend it.
    assert jose_accepts(token, forge.key, **trap.options) is trap.jose_falls
    assert await strict_jwt.read_claims(token, ring) is None


async def test_the_mirror_image_of_a_signature_is_the_one_other_spelling(ring: KeyRing, forge: Forge) -> None:
    token = forge.token()

    assert await strict_jwt.read_claims(mirrored(token), ring) == (forge.key.kid, CLAIMS)


ODD_MOMENTS: list[Any] = ["9999999999", 9e9, 9e99, 10**30, None, [], {}, True, -1]
CLAIM_TRAPS = [
    *(pytest.param(lambda forge, name=name: forge.without(name), id=f"no-{name}") for name in CLAIMS),
    *(
        pytest.param(
            lambda forge, name=name, value=value: forge.with_claims(**{name: value}), id=f"{name}-{value!r}"
        )
        for name in ("exp", "iat", "nbf")
        for value in ODD_MOMENTS
    ),
    pytest.param(lambda forge: forge.with_claims(aud=[ISSUER]), id="aud-list"),
    pytest.param(lambda forge: forge.with_claims(iss=f"{ISSUER}.evil.test"), id="iss-longer"),
]


@pytest.mark.parametrize("change", CLAIM_TRAPS)
async def test_no_claim_is_missing_or_of_another_type(
    instance: Stack, forge: Forge, change: Callable[[Forge], Forge]
) -> None:
    assert await instance.services.verifier.judge(change(forge).token()) is None


@pytest.mark.parametrize("exp", ["Infinity", "NaN", "1e400", "1e9", "-0", "9" * 5000])
async def test_no_number_is_too_odd_for_exp(instance: Stack, forge: Forge, exp: str) -> None:
    payload = f'{json.dumps(CLAIMS)[:-1]},"x":1}}'.replace(str(CLAIMS["exp"]), exp)

    assert await instance.services.verifier.judge(forge.sealed(forge.header, payload)) is None


async def test_an_exp_of_this_very_second_has_expired(instance: Stack, forge: Forge) -> None:
    now = int(instance.clock().timestamp())

    assert await instance.services.verifier.judge(forge.with_claims(exp=now).token()) is None
    assert await instance.services.verifier.judge(forge.with_claims(exp=now + 1).token()) is not None


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
SOME_MEMBERS = st.dictionaries(
    st.sampled_from(
        ["alg", "typ", "kid", "crit", "jwk", "b64", "zip", *CLAIMS, "nbf", "sid", "username", "scope"]
    )
    | st.text(max_size=4),
    JSON_VALUES,
    max_size=4,
)
# The ring and the forge only read; one of each serves every example.
FUZZ = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(
    token=st.text()
    | st.from_regex(r"[A-Za-z0-9_-]{0,60}\.[A-Za-z0-9_-]{0,60}\.[A-Za-z0-9_-]{0,99}", fullmatch=True)
)
async def test_text_that_nobody_signed_is_never_accepted_and_never_an_error(
    ring: KeyRing, token: str
) -> None:
    assert await strict_jwt.read_claims(token, ring) is None


@FUZZ
@given(changes=SOME_MEMBERS)
async def test_a_header_that_is_accepted_is_exactly_ours(
    ring: KeyRing, forge: Forge, changes: dict[str, Any]
) -> None:
    changed = forge.with_header(**changes)

    read = await strict_jwt.read_claims(changed.token(), ring)

    is_ours = changed.header in (forge.header, forge.header | {"typ": "JWT"})
    assert read == ((forge.key.kid, CLAIMS) if is_ours else None)


@FUZZ
@given(changes=SOME_MEMBERS)
async def test_claims_of_any_kind_are_a_verdict_or_none_and_never_an_error(
    instance: Stack, forge: Forge, changes: dict[str, Any]
) -> None:
    changed = forge.with_claims(**changes)

    verdict = await instance.services.verifier.judge(changed.token())

    if verdict is not None:
        assert {name: changed.claims[name] for name in ("iss", "aud")} == {"iss": ISSUER, "aud": ISSUER}
        assert (verdict.token.id, verdict.token.subject) == (changed.claims["jti"], changed.claims["sub"])
        assert verdict.token.expires_at.timestamp() == changed.claims["exp"]


@FUZZ
@given(header=st.binary(max_size=80), payload=st.binary(max_size=80))
async def test_bytes_of_any_kind_are_never_an_error_however_they_are_signed(
    ring: KeyRing, forge: Forge, header: bytes, payload: bytes
) -> None:
    assert await strict_jwt.read_claims(forge.sealed(header, forge.claims), ring) is None
    read = await strict_jwt.read_claims(forge.sealed(forge.header, payload), ring)
    assert read is None or read == (forge.key.kid, json.loads(payload))


@FUZZ
@given(data=st.data())
async def test_nothing_is_accepted_that_was_not_signed_byte_for_byte(
    ring: KeyRing, forge: Forge, data: st.DataObject
) -> None:
    token = forge.token()
    start = data.draw(st.integers(0, len(token)), "start")
    end = data.draw(st.integers(start, min(len(token), start + 8)), "end")
    put = data.draw(st.text(alphabet="AZaz09-_.=+/ \n", max_size=8) | st.just(token[start:end][::-1]), "put")
    changed = token[:start] + put + token[end:]

    read = await strict_jwt.read_claims(changed, ring)

    assert read == ((forge.key.kid, CLAIMS) if changed == token else None)


@FUZZ
@given(signature=st.binary(min_size=60, max_size=68))
async def test_no_signature_can_be_guessed(ring: KeyRing, forge: Forge, signature: bytes) -> None:
    assert await strict_jwt.read_claims(f"{forge.signed_text()}.{encode(signature)}", ring) is None


async def test_an_unknown_key_while_the_database_is_away_is_no_verdict(instance: Stack, forge: Forge) -> None:
    nowhere = Database(
        "sqlite+aiosqlite:////no/such/folder/authsvc.db",
        pool_size=1,
        timeout_seconds=1,
        statement_seconds=1,
        outages=OutageWatch(instance.clock, timedelta(seconds=10)),
    )
    ring = KeyRing(nowhere, KeyMaterial(ServerKeys([SECRET])), instance.clock)

    for _ in range(2):  # within a second of the first look too: a look that failed has told nothing
        with pytest.raises(Unavailable):
            await strict_jwt.read_claims(forge.token(), ring)
