"""The JOSE vectors of Project Wycheproof, and cases of our own for each of their classes.

The vectors are not in this repository: the variable AUTHSVC_TEST_VECTORS names their folder, else they are
looked for beside the checkout, in `shared/vectors`. Their keys are not ours; so each class comes once more,
sealed under the `kid` of ours.
"""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512
from joserfc import jwe
from joserfc.jwk import RSAKey

from tests.conftest import MakeService
from tests.fixtures.forge import Forge, encode, forge_for
from tests.fixtures.service import DEAD, LIVE, Registered, Service

FOLDER = "AUTHSVC_TEST_VECTORS"
JWS_FILE = "json_web_signature_test.json"
OTHER_FILES = ["json_web_crypto_test.json", "json_web_encryption_test.json", "json_web_key_test.json"]


def vectors(repository: Path, name: str) -> list[str]:
    """Every token of the file; a JSON serialization as its text."""
    folder = Path(os.environ.get(FOLDER) or repository.parent / "shared" / "vectors")
    if not (folder / name).is_file():
        pytest.skip(f"no vectors: {FOLDER} names no folder that holds {name}")
    document = json.loads((folder / name).read_text(encoding="utf-8"))
    cases = [case for group in document["testGroups"] for case in group["tests"]]
    assert len(cases) == document["numberOfTests"]
    found = [case.get("jws", case.get("jwe")) for case in cases]
    return [token if isinstance(token, str) else json.dumps(token) for token in found]


async def assert_each_is_dead(service: Service, caller: Registered, tokens: list[str]) -> None:
    """Inactive at /introspect; 401 as a Bearer token, if a header can carry it."""
    live, odd = [], []
    for token in tokens:
        answer = await service.post("/introspect", caller, token=token)
        if token == "":  # a parameter without a value counts as not sent
            assert answer.status_code == 400
            continue
        if (answer.status_code, answer.json()) != (200, {"active": False}):
            live.append((token, answer.status_code))
        if (
            token.isprintable()
            and (status := (await service.as_user("GET", "/me", token)).status_code) != 401
        ):
            odd.append((token, status))
    assert (live, odd) == ([], [])


@pytest.mark.demand("J-14")
@pytest.mark.parametrize("quarter", range(4))
async def test_every_jws_vector_is_inactive(
    service: Service, caller: Registered, repository: Path, quarter: int
) -> None:
    await assert_each_is_dead(service, caller, vectors(repository, JWS_FILE)[quarter::4])


@pytest.mark.demand("J-15")
@pytest.mark.parametrize("name", OTHER_FILES)
async def test_every_jwe_and_jwk_vector_is_inactive(
    service: Service, caller: Registered, repository: Path, name: str
) -> None:
    await assert_each_is_dead(service, caller, vectors(repository, name))


STRANGER = ec.generate_private_key(ec.SECP256R1())


def other_curve(forge: Forge) -> str:
    """Signed on P-384, in the form that its algorithm has."""
    private = ec.generate_private_key(ec.SECP384R1())
    return f"{forge.signed_text()}.{encode(private.sign(forge.signed_text().encode(), ec.ECDSA(SHA384())))}"


def invalid_point(_: Forge) -> dict[str, str]:
    return {"kty": "EC", "crv": "P-256", "x": encode(b"\1" * 32), "y": encode(b"\1" * 32)}


OWN_CASES: list[Any] = [
    # AlgIsNone
    pytest.param(lambda forge: f"{forge.with_header(alg='none').signed_text()}.", id="AlgIsNone"),
    # JsonSerialization
    pytest.param(
        lambda forge: json.dumps(
            dict(zip(("protected", "payload", "signature"), forge.token().split("."), strict=True))
        ),
        id="JsonSerialization",
    ),
    # ModifiedSignature
    pytest.param(lambda forge: f"{forge.signed_text()}.{encode(b'1' * 64)}", id="ModifiedSignature"),
    pytest.param(lambda forge: f"{forge.signed_text()}.", id="ModifiedSignature-empty"),
    pytest.param(
        lambda forge: (
            f"{forge.with_claims(scope='account read').signed_text()}.{forge.token().split('.')[2]}"
        ),
        id="ModifiedSignature-of-other-claims",
    ),
    # WrongPrimitive
    pytest.param(lambda forge: forge.hmac_token(b"secret"), id="WrongPrimitive-hmac"),
    pytest.param(other_curve, id="WrongPrimitive-curve"),
    pytest.param(lambda forge: forge.with_header(alg="PS256").token(), id="WrongPrimitive-header"),
    # MixedKeySet, DuplicateKid, Ambiguous: which key is meant
    pytest.param(lambda forge: forge.signed_by(STRANGER), id="DuplicateKid"),
    pytest.param(
        lambda forge: forge.with_header(jwk={"kty": "oct", "k": "AAAA"}).hmac_token(b"\0\0\0"),
        id="MixedKeySet",
    ),
    pytest.param(lambda forge: forge.without("kid").token(), id="Ambiguous"),
    pytest.param(lambda forge: forge.with_header(use="enc").token(), id="Ambiguous-use"),
    pytest.param(lambda forge: forge.with_header(jwk=invalid_point(forge)).token(), id="invalid-point"),
]


@pytest.mark.demand("J-14", "J-15")
@pytest.mark.parametrize("make", OWN_CASES)
async def test_a_token_of_each_class_of_vectors_is_dead_under_our_kid_too(
    service: Service, caller: Registered, forge: Forge, make: Callable[[Forge], str]
) -> None:
    assert await service.doors(make(forge), caller) == DEAD


@pytest.fixture
async def rsa_service(service: Service, service_with: MakeService) -> Service:
    """The service when it signs with RSA."""
    made = await service_with(signing_algorithm="RS256")
    await made.stack.services.key_rotation.rotate()
    service.clock.advance(seconds=made.stack.settings.jwks_max_age_seconds + 15)
    await made.stack.services.reload()
    return made


def private_rsa(forge: Forge) -> rsa.RSAPrivateKey:
    key = getattr(forge.key.private, "prepared_key", None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def pss(forge: Forge) -> bytes:
    salted = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)
    return private_rsa(forge).sign(forge.signed_text().encode(), salted, SHA256())


def other_hash(algorithm: SHA1 | SHA512) -> Callable[[Forge], bytes]:
    return lambda forge: private_rsa(forge).sign(forge.signed_text().encode(), padding.PKCS1v15(), algorithm)


DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
SIZE = 384


def padded(build: Callable[[bytes], bytes]) -> Callable[[Forge], bytes]:
    """An RSA signature of a block that *build* makes of the right hash."""

    def signature(forge: Forge) -> bytes:
        block = build(hashlib.sha256(forge.signed_text().encode()).digest())
        numbers = private_rsa(forge).private_numbers()
        return pow(int.from_bytes(block), numbers.d, numbers.public_numbers.n).to_bytes(SIZE)

    return signature


def block(digest: bytes, *, info: bytes = DIGEST_INFO, kind: bytes = b"\1", behind: bytes = b"") -> bytes:
    """The block of PKCS #1 v1.5 (RFC 8017 §9.2), or one that is nearly it."""
    inside = info + digest + behind
    return b"\0" + kind + b"\xff" * (SIZE - 3 - len(inside)) + b"\0" + inside


RSA_CASES: list[Any] = [
    pytest.param(pss, id="WrongPrimitive-pss"),
    pytest.param(other_hash(SHA1()), id="WrongPrimitive-sha1"),  # noqa: S303 - what is refused
    pytest.param(other_hash(SHA512()), id="WrongPrimitive-sha512"),
    pytest.param(lambda _: bytes(SIZE), id="ModifiedSignature-zero"),
    pytest.param(lambda _: bytes(SIZE - 1) + b"\1", id="ModifiedSignature-one"),
    pytest.param(lambda forge: forge.signature(forge.signed_text())[:-1], id="ModifiedSignature-cut"),
    pytest.param(lambda forge: b"\0" + forge.signature(forge.signed_text()), id="ModifiedSignature-longer"),
    pytest.param(padded(lambda digest: block(digest, kind=b"\2")), id="ModifiedPadding-kind-2"),
    pytest.param(padded(lambda digest: block(digest, kind=b"\0")), id="ModifiedPadding-kind-0"),
    pytest.param(padded(lambda digest: block(digest, info=b"")), id="ModifiedPadding-no-hash-name"),
    pytest.param(padded(lambda digest: block(digest, behind=b"\0" * 8)), id="ModifiedPadding-garbage-behind"),
    pytest.param(
        padded(lambda digest: block(digest, info=DIGEST_INFO.replace(b"\5\0\4", b"\4"))),
        id="ModifiedPadding-no-null",
    ),
    pytest.param(
        padded(lambda digest: (b"\0\1" + b"\xff" * 8 + b"\0" + DIGEST_INFO + digest).ljust(SIZE, b"\0")),
        id="ModifiedPadding-short",
    ),
    pytest.param(padded(lambda digest: (DIGEST_INFO + digest).rjust(SIZE, b"\0")), id="ModifiedPadding-none"),
]


@pytest.mark.demand("J-14")
async def test_an_rsa_signature_of_each_class_of_vectors_is_dead_under_our_kid_too(
    rsa_service: Service, caller: Registered
) -> None:
    forge = await forge_for(rsa_service)
    assert forge.header["alg"] == "RS256"
    assert await rsa_service.doors(f"{forge.signed_text()}.{encode(padded(block)(forge))}", caller) == LIVE

    said = {
        case.id: await rsa_service.doors(f"{forge.signed_text()}.{encode(case.values[0](forge))}", caller)
        for case in RSA_CASES
    }

    assert said == dict.fromkeys(said, DEAD)


@pytest.mark.demand("J-02", "J-15")
@pytest.mark.filterwarnings('ignore:JWE algorithm "RSA1_5" is deprecated')
async def test_an_rsa_key_neither_decrypts_a_token_nor_serves_another_algorithm(
    rsa_service: Service, caller: Registered
) -> None:
    forge = await forge_for(rsa_service)
    published = (await rsa_service.http.get("/.well-known/jwks.json")).json()["keys"]
    ours = next(key for key in published if key["kid"] == forge.key.kid)
    key = RSAKey.import_key({name: ours[name] for name in ("kty", "n", "e")})
    tokens = {
        algorithm: jwe.encrypt_compact(
            {"alg": algorithm, "enc": "A128CBC-HS256", "kid": ours["kid"]},
            forge.token(),
            key,
            [algorithm, "A128CBC-HS256"],
        )
        for algorithm in ("RSA1_5", "RSA-OAEP", "RSA-OAEP-256")
    }
    tokens["ES256 in the header"] = forge.with_header(alg="ES256").token()
    tokens["ES256 by a stranger"] = forge.with_header(alg="ES256").signed_by(STRANGER)
    tokens["HS256 under the modulus"] = forge.hmac_token(ours["n"].encode())
    tokens["ECDSA under RS256"] = forge.signed_by(STRANGER)

    said = {name: await rsa_service.doors(token, caller) for name, token in tokens.items()}

    assert said == dict.fromkeys(said, DEAD)
