"""One token, one spelling: what is changed, cut, lengthened, wrapped or spelled otherwise is no token.

The one exception is the mirror image of an ECDSA signature, which is as good as the signature; so a
token dies by its names and not by its text.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey, OctKey

from tests.fixtures.answers import assert_oauth_error, assert_problem
from tests.fixtures.forge import Forge, Respell, decode, encode, mirrored, segment
from tests.fixtures.service import DEAD, LIVE, Registered, Service
from tests.fixtures.statements import statements

SEGMENTS = [pytest.param(0, id="header"), pytest.param(1, id="payload"), pytest.param(2, id="signature")]
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


async def introspected(service: Service, caller: Registered, tokens: dict[str, str]) -> dict[str, bool]:
    """Which of *tokens* introspection calls live."""
    return {name: await service.is_live(token, caller) for name, token in tokens.items()}


@pytest.mark.demand("J-05")
@pytest.mark.parametrize("index", SEGMENTS)
async def test_a_token_with_one_changed_bit_anywhere_is_dead(
    service: Service, caller: Registered, forge: Forge, index: int
) -> None:
    parts = forge.token().split(".")
    data = decode(parts[index])
    said = {}

    for place in range(0, len(data), 3):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        token = ".".join([*parts[:index], encode(bytes(changed)), *parts[index + 1 :]])
        said[place] = await service.is_live(token, caller)

    assert said == dict.fromkeys(said, False)


def with_other_unused_bits(text: str) -> str:
    """Another base64 text of the very same bytes: its last character has bits that mean nothing."""
    assert len(text) % 4 > 1, "this length leaves no unused bits"
    return text[:-1] + _ALPHABET[_ALPHABET.index(text[-1]) + 1]


def in_the_standard_alphabet(text: str) -> str:
    assert {"-", "_"} & set(text), "this text is the same in both alphabets"
    return text.replace("-", "+").replace("_", "/")


SPELLINGS: list[Any] = [
    pytest.param(lambda text: text + "=" * (-len(text) % 4 or 4), id="padded"),
    pytest.param(lambda text: f"{text}=", id="padded-by-one"),
    pytest.param(lambda text: f"{text}====", id="padded-by-four"),
    pytest.param(with_other_unused_bits, id="unused-bits"),
    pytest.param(in_the_standard_alphabet, id="standard-alphabet"),
    pytest.param(lambda text: f"{text[:8]} {text[8:]}", id="space"),
    pytest.param(lambda text: f"{text}\n", id="newline-at-the-end"),
    pytest.param(lambda text: f"{text[:76]}\r\n{text[76:]}", id="folded"),
    pytest.param(lambda text: f"\t{text}", id="tab"),
    pytest.param(lambda text: f"{text}\b", id="control-character"),
    pytest.param(lambda text: f"{text[:8]}!{text[8:]}", id="exclamation-mark"),
    pytest.param(lambda text: f"{text[:8]}é{text[8:]}", id="letter-with-an-accent"),
    pytest.param(lambda text: f"{text[:8]}\u200b{text[8:]}", id="zero-width-space"),
    pytest.param(lambda text: chr(ord(text[0]) + 0xFEE0) + text[1:], id="full-width-letter"),
    pytest.param(lambda text: f"%{ord(text[0]):02X}{text[1:]}", id="percent-escape"),
    pytest.param(lambda text: f"{text}A", id="one-character-more"),
    pytest.param(lambda text: text[:-1], id="one-character-less"),
]


@pytest.mark.demand("J-07")
@pytest.mark.parametrize("respell", SPELLINGS)
@pytest.mark.parametrize("index", SEGMENTS)
async def test_a_segment_that_is_not_canonical_base64url_makes_a_token_dead_however_it_was_signed(
    service: Service, caller: Registered, forge: Forge, index: int, respell: Respell
) -> None:
    token = spelled(forge, index, respell)

    assert await service.doors(token, caller) == DEAD


def spelled(forge: Forge, index: int, respell: Respell) -> str:
    """A token whose bytes, of the right number, have something to spell otherwise."""
    header, payload = json.dumps(forge.header), json.dumps(forge.claims | {"x": "?>" * 6 + "~~~"})
    # Blanks between the members are JSON, and bring the bytes to a number that leaves unused bits.
    header += " " * ((1 - len(header)) % 3)
    payload += " " * ((1 - len(payload)) % 3)
    parts = [segment(header), segment(payload)]
    if index < 2:
        if respell is in_the_standard_alphabet and index == 0:
            # A header of ours has no such character; a type in other words has, and is refused anyway.
            parts[0] = segment(json.dumps(forge.header | {"typ": "?>?>~~"}))
        parts[index] = respell(parts[index])
        return forge.sealed_text(".".join(parts))
    signature = ""
    while not {"-", "_"} & set(signature):  # ECDSA gives another one each time
        signature = encode(forge.signature(".".join(parts)))
    return ".".join([*parts, respell(signature)])


@pytest.mark.parametrize("index", SEGMENTS)
async def test_the_same_token_in_its_one_spelling_is_live(
    service: Service, caller: Registered, forge: Forge, index: int
) -> None:
    assert await service.doors(spelled(forge, index, lambda text: text), caller) == LIVE


@pytest.mark.demand("J-07")
@pytest.mark.parametrize(
    "around",
    ["\xa0{}", "{}\xa0", "{}\x85", "\t{}", "{}\x0c", "{}\x1f", "\u3000{}", '"{}"', "{},", "<{}>"],
    ids=repr,
)
async def test_what_stands_around_a_token_is_not_trimmed(
    service: Service, caller: Registered, around: str
) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]

    assert await service.doors(around.format(token), caller) == DEAD


@pytest.mark.demand("J-12")
async def test_a_token_of_a_megabyte_is_refused_before_anything_is_asked(
    service: Service, caller: Registered, forge: Forge
) -> None:
    token = forge.with_claims(x="x" * 2**20).token()

    with statements(service.stack.services.stores.database) as asked:
        by_form = await service.post("/introspect", caller, token=token)
        by_header = await service.as_user("GET", "/me", token)

    assert_oauth_error(by_form, 413, "invalid_request")
    assert_problem(by_header, 401)
    assert asked == []


@pytest.mark.demand("J-12")
@pytest.mark.parametrize("parts", ["one", "three"])
async def test_a_long_token_asks_the_database_nothing(service: Service, forge: Forge, parts: str) -> None:
    token = forge.with_claims(x="x" * 40_000).with_header(kid="unknown").token()
    service.clock.advance(seconds=2)

    with statements(service.stack.services.stores.database) as asked:
        response = await service.as_user("GET", "/me", token if parts == "three" else token.replace(".", ""))

    assert response.status_code == 401
    assert asked == []


@pytest.mark.demand("J-12")
@pytest.mark.parametrize(("length", "expected"), [(8192, LIVE), (8193, DEAD)])
async def test_a_token_has_eight_kibibytes_at_most(
    service: Service, caller: Registered, forge: Forge, length: int, expected: object
) -> None:
    token = of_length(forge, length)

    assert len(token) == length
    assert await service.doors(token, caller) == expected


def of_length(forge: Forge, length: int) -> str:
    """A well-signed token of exactly so many characters: blanks are JSON too."""
    header, payload = json.dumps(forge.header), json.dumps(forge.claims)
    signature = len(encode(forge.signature("")))
    for filling in range(3):  # base64 has no text of 4n+1 characters; the header makes up for it
        begun = f"{segment(header + ' ' * filling)}."
        left = length - len(begun) - 1 - signature
        if left % 4 != 1:
            return forge.sealed_text(begun + segment(payload.ljust(left * 3 // 4)))
    raise AssertionError(f"no token has {length} characters")


def encrypted(algorithm: str, header: dict[str, str], plain: str, key: Any) -> str:
    return jwe.encrypt_compact(
        header | {"alg": algorithm, "enc": "A128CBC-HS256"}, plain.encode(), key, algorithms=None
    )


@pytest.mark.demand("J-13")
@pytest.mark.parametrize("compressed", [{}, {"zip": "DEF"}], ids=["plain", "compressed"])
@pytest.mark.parametrize("content", ["claims", "token"])
async def test_an_encrypted_token_is_refused_even_if_it_holds_a_good_one(
    service: Service, caller: Registered, forge: Forge, content: str, compressed: dict[str, str]
) -> None:
    published = (await service.http.get("/.well-known/jwks.json")).json()["keys"][0]
    ours = ECKey.import_key({name: published[name] for name in ("kty", "crv", "x", "y")})
    plain = forge.token() if content == "token" else json.dumps(forge.claims)
    header = {"typ": "at+jwt", "cty": "JWT", "kid": forge.key.kid} | compressed
    known = OctKey.import_key(b"\0" * 32)
    tokens = {
        "ECDH-ES": encrypted("ECDH-ES", header, plain, ours),
        "ECDH-ES+A128KW": encrypted("ECDH-ES+A128KW", header, plain, ours),
        "dir": encrypted("dir", header, plain, known),
        "A256KW": encrypted("A256KW", header, plain, known),
    }

    said = {name: await service.doors(token, caller) for name, token in tokens.items()}

    assert said == dict.fromkeys(said, DEAD)


@pytest.mark.demand("J-13")
async def test_a_compressed_bomb_in_an_encrypted_token_is_refused(
    service: Service, caller: Registered, forge: Forge
) -> None:
    header = {"kid": forge.key.kid, "zip": "DEF"}
    bomb = encrypted("dir", header, "0" * 2_000_000, OctKey.import_key(b"\0" * 32))

    assert len(bomb) < 8192, "its length must not be what it is refused for"
    assert await service.doors(bomb, caller) == DEAD


@pytest.mark.demand("J-17")
async def test_a_revoked_token_stays_dead_however_it_is_spelled(
    service: Service, caller: Registered, forge: Forge
) -> None:
    client = await service.add_client()
    issued = (await service.login(client))["access_token"]
    assert (await service.post("/revoke", client, token=issued)).status_code == 200
    tokens = {
        f"{place} {spelling.id}": respelled_in_place(issued, place, spelling.values[0])
        for place in (range(3) if service.issues_jwt else [0])
        for spelling in SPELLINGS
        if spelling.id not in {"unused-bits", "standard-alphabet"}
    }
    tokens["unused bits"] = with_other_unused_bits(issued)
    tokens["standard alphabet"] = issued.replace("-", "+").replace("_", "/")
    if service.issues_jwt:
        tokens["mirrored"] = mirrored(issued)

    assert await introspected(service, caller, tokens) == dict.fromkeys(tokens, False)
    assert {
        name: (await service.as_user("GET", "/me", token)).status_code for name, token in tokens.items()
    } == (dict.fromkeys(tokens, 401))
    assert await service.doors(forge.token(), caller) == LIVE


def respelled_in_place(token: str, index: int, respell: Respell) -> str:
    parts = token.split(".")
    return ".".join([*parts[:index], respell(parts[index]), *parts[index + 1 :]])


@pytest.mark.demand("J-17")
@pytest.mark.parametrize("way", ["revoke", "logout"])
async def test_the_mirror_image_of_a_signature_lives_and_dies_with_its_token(
    service: Service, caller: Registered, forge: Forge, way: str
) -> None:
    token = forge.token()
    mirror = mirrored(token)
    assert mirror != token
    assert await service.doors(mirror, caller) == LIVE

    if way == "logout":
        assert (await service.as_user("POST", "/logout", token)).status_code == 204
    else:
        response = await service.post("/revoke", token=token, client_id=forge.claims["client_id"])
        assert response.status_code == 200

    assert await service.doors(token, caller) == DEAD
    assert await service.doors(mirror, caller) == DEAD


def flattened(parts: list[str]) -> object:
    return {"protected": parts[0], "payload": parts[1], "signature": parts[2]}


@pytest.mark.demand("J-18")
@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda parts: json.dumps(flattened(parts)), id="flattened"),
        pytest.param(
            lambda parts: json.dumps(
                {"payload": parts[1], "signatures": [{"protected": parts[0], "signature": parts[2]}]}
            ),
            id="general",
        ),
        pytest.param(
            lambda parts: json.dumps(
                {"payload": parts[1], "header": {"alg": "ES256"}, "signature": parts[2]},
                separators=(",", ":"),
            ),
            id="unprotected-header",
        ),
        pytest.param(lambda parts: json.dumps(".".join(parts)), id="json-text"),
        pytest.param(lambda parts: json.dumps([".".join(parts)]), id="json-list"),
        pytest.param(lambda parts: encode(json.dumps(flattened(parts)).encode()), id="base64-of-json"),
        pytest.param(lambda parts: encode(".".join(parts).encode()), id="base64-of-the-token"),
        pytest.param(lambda parts: f"{parts[0]}..{parts[2]}", id="detached"),
        pytest.param(lambda parts: ".".join(parts[:2]), id="two-parts"),
        pytest.param(lambda parts: ".".join([*parts, ""]), id="dot-at-the-end"),
        pytest.param(lambda parts: ".".join(["", *parts]), id="dot-in-front"),
        pytest.param(lambda parts: ".".join([*parts, parts[2]]), id="four-parts"),
        pytest.param(lambda parts: ".".join([*parts, *parts[:2]]), id="five-parts"),
        pytest.param(lambda parts: "~".join([".".join(parts), ""]), id="selective-disclosure"),
        pytest.param(":".join, id="colons"),
        pytest.param(lambda parts: f"Bearer {'.'.join(parts)}", id="with-its-scheme"),
        pytest.param(lambda parts: f"{'.'.join(parts)} {'.'.join(parts)}", id="twice"),
    ],
)
async def test_only_the_compact_form_is_a_token(
    service: Service, caller: Registered, forge: Forge, wrap: Callable[[list[str]], str]
) -> None:
    assert await service.doors(wrap(forge.token().split(".")), caller) == DEAD


@pytest.mark.demand("J-19")
async def test_a_near_miss_of_a_live_token_is_inactive(service: Service, caller: Registered) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]
    near_misses = {
        "cut by one": token[:-1],
        "cut by four": token[:-4],
        "cut in front": token[1:],
        "half": token[: len(token) // 2],
        "cut in the middle": token[:30] + token[31:],
        "lengthened": f"{token}A",
        "lengthened by four": f"{token}AAAA",
        "lengthened in front": f"A{token}",
        "doubled": token + token,
        "a letter twice": token[:30] + token[29:],
        "capitals": token.upper(),
        "small letters": token.lower(),
        "other case": token.swapcase(),
        "backwards": token[::-1],
        "last letter": token[:-1] + ("B" if token[-1] == "A" else "A"),
        "first letter": ("b" if token[0] == "a" else "a") + token[1:],
    }
    assert token not in near_misses.values()

    assert await introspected(service, caller, near_misses) == dict.fromkeys(near_misses, False)
    assert await service.doors(token, caller) == LIVE


@pytest.mark.demand("J-19")
async def test_a_token_with_any_one_of_its_letters_changed_is_dead(service: Service) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]
    changed = {
        place: token[:place] + ("B" if token[place] == "A" else "A") + token[place + 1 :]
        for place in range(0, len(token), 7 if service.issues_jwt else 1)
        if token[place] != "."
    }

    said = {place: (await service.as_user("GET", "/me", near)).status_code for place, near in changed.items()}

    assert said == dict.fromkeys(changed, 401)
