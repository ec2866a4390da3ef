"""JWTs made without the service's key, or with it and against the rules of the header (RFC 8725).

Every one is shown at each door, whatever format the service issues.
"""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fixtures.forge import P256_ORDER, Forge, decode, encode
from tests.fixtures.service import DEAD, LIVE, Json, Registered, Service
from tests.fixtures.stack import ISSUER, SECRET

Make = Callable[[Forge], str]
STRANGER = ec.generate_private_key(ec.SECP256R1())


async def test_what_the_forge_makes_is_live_while_nothing_is_wrong_with_it(
    service: Service, caller: Registered, forge: Forge
) -> None:
    assert await service.doors(forge.token(), caller) == LIVE


def unsigned(forge: Forge) -> str:
    return f"{forge.signed_text()}."


@pytest.mark.demand("J-01")
@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "nOnE", "none ", "", None, 0, False, ["none"], {"alg": "none"}]
)
@pytest.mark.parametrize(
    "seal",
    [
        pytest.param(unsigned, id="no-signature"),
        pytest.param(Forge.signed_text, id="two-parts"),
        pytest.param(lambda forge: unsigned(forge) + "AA", id="any-signature"),
        pytest.param(Forge.token, id="good-signature"),
    ],
)
async def test_a_token_without_an_algorithm_is_refused_however_none_is_spelled(
    service: Service, caller: Registered, forge: Forge, algorithm: object, seal: Make
) -> None:
    assert await service.doors(seal(forge.with_header(alg=algorithm)), caller) == DEAD


@pytest.mark.demand("J-01")
@pytest.mark.parametrize("seal", [unsigned, Forge.token], ids=["no-signature", "good-signature"])
async def test_a_token_that_names_no_algorithm_is_refused(
    service: Service, caller: Registered, forge: Forge, seal: Make
) -> None:
    assert await service.doors(seal(forge.without("alg")), caller) == DEAD


@pytest.mark.parametrize("algorithm", ["ES384", "ES512", "RS256", "PS256", "EdDSA", "es256", "S25", "ES256 "])
async def test_the_algorithm_must_be_that_of_the_key(
    service: Service, caller: Registered, forge: Forge, algorithm: str
) -> None:
    assert await service.doors(forge.with_header(alg=algorithm).token(), caller) == DEAD


def published_spellings(jwk: Json) -> dict[str, bytes]:
    """Every way a library may write the published key as bytes."""
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(decode(jwk["x"])), int.from_bytes(decode(jwk["y"])), ec.SECP256R1()
    )
    key = numbers.public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    bare = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return {
        "pem": pem,
        "pem-without-its-last-newline": pem.rstrip(),
        "pem-with-crlf": pem.replace(b"\n", b"\r\n"),
        "base64-of-the-pem": b"".join(pem.splitlines()[1:-1]),
        "der": key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "point": key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        "short-point": key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint),
        "ssh": key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        "jwk": json.dumps(jwk).encode(),
        "jwk-as-published": json.dumps(jwk, separators=(",", ":")).encode(),
        "jwk-of-the-thumbprint": json.dumps(bare, separators=(",", ":"), sort_keys=True).encode(),
        "x": decode(jwk["x"]),
        "kid": jwk["kid"].encode(),
    }


@pytest.mark.demand("J-02")
@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_a_mac_under_the_published_key_is_no_signature(
    service: Service, caller: Registered, forge: Forge, algorithm: str
) -> None:
    published = (await service.http.get("/.well-known/jwks.json")).json()["keys"]
    jwk = next(key for key in published if key["kid"] == forge.key.kid)

    said = {
        spelling: await service.doors(forge.hmac_token(secret, algorithm), caller)
        for spelling, secret in published_spellings(jwk).items()
    }

    assert said == dict.fromkeys(said, DEAD)


@pytest.mark.demand("J-16")
@pytest.mark.parametrize(
    "secret",
    ["", "\0", "0" * 32, "secret", "password", "your-256-bit-secret", "changeme", "authsvc", ISSUER, SECRET],
    ids=lambda secret: repr(secret[:20]),
)
async def test_no_secret_that_can_be_guessed_signs_nor_does_the_servers_own(
    service: Service, caller: Registered, forge: Forge, secret: str
) -> None:
    for algorithm in ("HS256", "HS512"):
        assert await service.doors(forge.hmac_token(secret.encode(), algorithm), caller) == DEAD


@pytest.mark.demand("J-16")
async def test_a_clients_secret_signs_nothing(service: Service, caller: Registered, forge: Forge) -> None:
    client = await service.add_client()

    assert await service.doors(forge.hmac_token(client.secret.encode()), caller) == DEAD


@dataclass
class Listener:
    """A server of the attacker's, and how often it was called."""

    url: str
    calls: int = 0


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    made = Listener("")

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.calls += 1
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys.json"
    async with server:
        yield made


def strangers_jwk() -> Json:
    numbers = STRANGER.public_key().public_numbers()
    x, y = (encode(number.to_bytes(32)) for number in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "alg": "ES256", "use": "sig"}


def strangers_certificate(service: Service) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "auth.example.test")])
    builder = x509.CertificateBuilder(name, name, STRANGER.public_key(), x509.random_serial_number())
    now = service.clock()
    builder = builder.not_valid_before(now).not_valid_after(now.replace(year=now.year + 1))
    return builder.sign(STRANGER, SHA256()).public_bytes(Encoding.DER)


def brought_keys(service: Service, url: str) -> dict[str, Json]:
    """Header members that bring a key, or say where one is to be had."""
    certificate = strangers_certificate(service)
    chain = [b64encode(certificate).decode()]  # the one member that is in the standard alphabet
    return {
        "jwk": {"jwk": strangers_jwk()},
        "jku": {"jku": url},
        "x5u": {"x5u": url},
        "x5c": {"x5c": chain},
        "x5t": {"x5t": encode(b"0" * 20)},
        "x5t#S256": {"x5t#S256": encode(b"0" * 32)},
        "all": {"jwk": strangers_jwk(), "jku": url, "x5u": url, "x5c": chain},
    }


@pytest.mark.demand("J-03")
@pytest.mark.parametrize("kid", ["ours", "a stranger's", "none"])
async def test_a_key_that_the_token_brings_along_is_neither_trusted_nor_fetched(
    service: Service, caller: Registered, forge: Forge, listener: Listener, kid: str
) -> None:
    named = {"ours": forge, "a stranger's": forge.with_header(kid="stranger"), "none": forge.without("kid")}

    said = {
        name: await service.doors(named[kid].with_header(**members).signed_by(STRANGER), caller)
        for name, members in brought_keys(service, listener.url).items()
    }

    assert said == dict.fromkeys(said, DEAD)
    assert listener.calls == 0


@pytest.mark.demand("J-03")
async def test_a_token_of_ours_that_brings_a_key_is_refused_all_the_same(
    service: Service, caller: Registered, forge: Forge, listener: Listener
) -> None:
    said = {
        name: await service.doors(forge.with_header(**members).token(), caller)
        for name, members in brought_keys(service, listener.url).items()
    }

    assert said == dict.fromkeys(said, DEAD)
    assert listener.calls == 0


async def test_another_key_under_our_kid_signs_nothing(
    service: Service, caller: Registered, forge: Forge
) -> None:
    assert await service.doors(forge.signed_by(STRANGER), caller) == DEAD


ODD_KIDS: list[Any] = [
    pytest.param(lambda _: "../../../../../../dev/null", id="path"),
    pytest.param(lambda _: "/dev/null", id="null-device"),
    pytest.param(lambda _: "file:///etc/passwd", id="file-url"),
    pytest.param(lambda _: "http://127.0.0.1:1/key.pem", id="url"),
    pytest.param(lambda _: "' OR '1'='1", id="query"),
    pytest.param(lambda _: "x'; DROP TABLE signing_key; --", id="statement"),
    pytest.param(lambda _: "| cat /etc/passwd", id="command"),
    pytest.param(lambda kid: f"{kid}' --", id="ours-and-a-comment"),
    pytest.param(lambda kid: f"./{kid}", id="ours-as-a-path"),
    pytest.param(lambda kid: f"{kid}\0", id="ours-and-nul"),
    pytest.param(lambda kid: f" {kid}", id="ours-after-a-space"),
    pytest.param(str.upper, id="ours-in-capitals"),
    pytest.param(lambda kid: kid[:-1], id="ours-cut"),
    pytest.param(lambda _: "%", id="wildcard"),
    pytest.param(lambda _: "", id="empty"),
    pytest.param(lambda _: "\ud800", id="half-a-character"),
    pytest.param(lambda _: "é" * 1000, id="long"),
    pytest.param(lambda _: None, id="null"),
    pytest.param(lambda _: 0, id="number"),
    pytest.param(lambda _: True, id="boolean"),
    pytest.param(lambda kid: [kid], id="list"),
    pytest.param(lambda kid: {"kid": kid}, id="object"),
]


@pytest.mark.demand("J-04")
@pytest.mark.parametrize("odd", ODD_KIDS)
async def test_a_kid_is_compared_and_nothing_else_is_done_with_it(
    service: Service, caller: Registered, forge: Forge, odd: Callable[[str], object]
) -> None:
    named = forge.with_header(kid=odd(forge.key.kid))

    assert await service.doors(named.token(), caller) == DEAD
    # A file that can be read as empty, and a key that is not found, are both an empty secret to some.
    assert await service.doors(named.hmac_token(b""), caller) == DEAD
    assert await service.doors(forge.token(), caller) == LIVE


def ecdsa(r: int, s: int) -> bytes:
    return r.to_bytes(32) + s.to_bytes(32)


def good(forge: Forge) -> bytes:
    return forge.signature(forge.signed_text())


def good_as_der(forge: Forge) -> bytes:
    raw = good(forge)
    return encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))


N = P256_ORDER
MAX = 2**256 - 1


@pytest.mark.demand("J-06")
@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(lambda _: ecdsa(0, 0), id="both-zero"),
        pytest.param(lambda _: ecdsa(0, 1), id="r-zero"),
        pytest.param(lambda _: ecdsa(1, 0), id="s-zero"),
        pytest.param(lambda _: ecdsa(1, 1), id="both-one"),
        pytest.param(lambda _: ecdsa(N, N), id="both-n"),
        pytest.param(lambda _: ecdsa(N, 1), id="r-n"),
        pytest.param(lambda _: ecdsa(1, N), id="s-n"),
        pytest.param(lambda _: ecdsa(N - 1, N - 1), id="both-n-minus-1"),
        pytest.param(lambda _: ecdsa(N + 1, N + 1), id="both-n-plus-1"),
        pytest.param(lambda _: ecdsa(MAX, MAX), id="both-greatest"),
        pytest.param(lambda forge: bytes(32) + good(forge)[32:], id="r-zeroed"),
        pytest.param(lambda forge: good(forge)[:32] + bytes(32), id="s-zeroed"),
        pytest.param(lambda forge: good(forge)[32:] + good(forge)[:32], id="swapped"),
        pytest.param(good_as_der, id="der"),
        pytest.param(lambda _: encode_dss_signature(0, 0), id="der-of-zeros"),
        pytest.param(lambda forge: good(forge)[:63], id="one-byte-short"),
        pytest.param(lambda forge: good(forge)[:32], id="r-alone"),
        pytest.param(lambda forge: good(forge) + b"\0", id="one-byte-long"),
        pytest.param(lambda forge: b"\0" + good(forge), id="zero-in-front"),
        pytest.param(lambda forge: good(forge) * 2, id="twice"),
        pytest.param(
            lambda forge: bytes(16) + good(forge)[:32] + bytes(16) + good(forge)[32:], id="of-p384-s-length"
        ),
        pytest.param(lambda _: b"\0", id="one-zero"),
        pytest.param(lambda _: bytes(4000), id="4000-zeros"),
    ],
)
async def test_an_ecdsa_signature_out_of_form_or_out_of_range_is_refused(
    service: Service, caller: Registered, forge: Forge, signature: Callable[[Forge], bytes]
) -> None:
    token = f"{forge.signed_text()}.{encode(signature(forge))}"

    assert await service.doors(token, caller) == DEAD


@pytest.mark.demand("J-08")
@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"crit": ["exp"], "exp": 1}, id="exp"),
        pytest.param({"crit": ["b64"], "b64": False}, id="b64"),
        pytest.param({"crit": ["b64"], "b64": True}, id="b64-true"),
        pytest.param({"crit": ["http://example.com/unknown"], "http://example.com/unknown": 1}, id="unknown"),
        pytest.param({"crit": ["alg"]}, id="known"),
        pytest.param({"crit": ["missing"]}, id="missing"),
        pytest.param({"crit": []}, id="empty"),
        pytest.param({"crit": None}, id="null"),
        pytest.param({"crit": "exp"}, id="text"),
        pytest.param({"b64": False}, id="b64-not-critical"),
    ],
)
async def test_a_token_with_critical_extensions_is_refused(
    service: Service, caller: Registered, forge: Forge, members: Json
) -> None:
    assert await service.doors(forge.with_header(**members).token(), caller) == DEAD


@pytest.mark.demand("J-08")
async def test_an_unencoded_payload_is_refused(service: Service, caller: Registered, forge: Forge) -> None:
    header = encode(json.dumps(forge.header | {"crit": ["b64"], "b64": False}).encode())
    token = forge.sealed_text(f"{header}.{json.dumps(forge.claims)}")

    assert await service.is_live(token, caller) is False
