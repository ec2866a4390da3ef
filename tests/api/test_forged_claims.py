"""JWTs that the service's own key signed and whose claims, type or JSON are not those of an access token."""

import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.forge import Forge, segment
from tests.fixtures.service import DEAD, LIVE, Registered, Service
from tests.fixtures.stack import ISSUER

REQUIRED = ("iss", "aud", "sub", "client_id", "iat", "exp", "jti")


@pytest.mark.demand("J-10")
@pytest.mark.parametrize("name", REQUIRED)
async def test_a_token_that_lacks_a_required_claim_is_refused(
    service: Service, caller: Registered, forge: Forge, name: str
) -> None:
    assert await service.doors(forge.without(name).token(), caller) == DEAD


@pytest.mark.demand("J-10")
@pytest.mark.parametrize(
    "issuer",
    [
        f"{ISSUER}/",
        f"{ISSUER}.evil.test",
        f"x{ISSUER}",
        ISSUER[:-1],
        ISSUER.upper(),
        ISSUER.replace("https", "http"),
        f"{ISSUER}:443",
        "https://evil.test",
        "https",
        "",
        [ISSUER],
        [ISSUER, "https://evil.test"],
        {"url": ISSUER},
        None,
        True,
    ],
    ids=str,
)
async def test_a_token_of_another_issuer_is_refused(
    service: Service, caller: Registered, forge: Forge, issuer: object
) -> None:
    assert await service.doors(forge.with_claims(iss=issuer).token(), caller) == DEAD


@pytest.mark.demand("J-10")
@pytest.mark.parametrize(
    "audience",
    [
        "https://api.evil.test",
        f"{ISSUER}/",
        ISSUER[:-1],
        f"{ISSUER} https://api.evil.test",
        "*",
        "",
        [],
        ["https://api.evil.test"],
        [ISSUER, "https://api.evil.test"],
        {},
        None,
        1,
    ],
    ids=str,
)
async def test_a_token_for_another_audience_is_refused(
    service: Service, caller: Registered, forge: Forge, audience: object
) -> None:
    assert await service.doors(forge.with_claims(aud=audience).token(), caller) == DEAD


async def test_a_token_for_the_audience_of_one_of_our_clients_is_live(
    service: Service, caller: Registered, forge: Forge
) -> None:
    await service.add_client(audience="https://api.example.test")
    service.clock.advance(seconds=1)

    assert await service.doors(forge.with_claims(aud="https://api.example.test").token(), caller) == LIVE


@pytest.mark.demand("J-10")
@pytest.mark.parametrize(
    "typ",
    [
        "",
        "at",
        "jwt+at",
        "at+jwt ",
        "xat+jwt",
        "application/jwt",
        "id+jwt",
        "logout+jwt",
        "refresh+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "JOSE",
        None,
        1,
        ["at+jwt"],
    ],
    ids=repr,
)
async def test_a_jwt_of_another_type_is_refused(
    service: Service, caller: Registered, forge: Forge, typ: object
) -> None:
    assert await service.doors(forge.with_header(typ=typ).token(), caller) == DEAD


@pytest.mark.demand("J-10")
async def test_a_jwt_without_a_type_is_refused(service: Service, caller: Registered, forge: Forge) -> None:
    assert await service.doors(forge.without("typ").token(), caller) == DEAD


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "JWT", "jwt"])
async def test_the_types_of_an_access_token_are_taken_in_any_letter_case(
    service: Service, caller: Registered, forge: Forge, typ: str
) -> None:
    assert await service.doors(forge.with_header(typ=typ).token(), caller) == LIVE


@pytest.mark.demand("J-10")
@pytest.mark.parametrize("seconds_left", [0, -1, -300, -(10**9)])
async def test_an_exp_of_this_second_has_expired(
    service: Service, caller: Registered, forge: Forge, seconds_left: int
) -> None:
    now = int(service.clock().timestamp())

    assert await service.doors(forge.with_claims(exp=now + seconds_left).token(), caller) == DEAD


async def test_an_exp_of_the_next_second_has_not_expired(
    service: Service, caller: Registered, forge: Forge
) -> None:
    now = int(service.clock().timestamp())

    assert await service.doors(forge.with_claims(exp=now + 1).token(), caller) == LIVE


@pytest.mark.demand("J-10")
@pytest.mark.parametrize(("seconds", "expected"), [(5, LIVE), (6, DEAD), (3600, DEAD), (10**11, DEAD)])
async def test_a_token_of_the_future_is_refused_but_for_five_seconds(
    service: Service, caller: Registered, forge: Forge, seconds: int, expected: object
) -> None:
    now = int(service.clock().timestamp())

    assert await service.doors(forge.with_claims(nbf=now + seconds).token(), caller) == expected


@pytest.mark.demand("J-10", "J-11")
@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    "moment",
    [
        "9999999999",
        "",
        9e9,
        9999999999.5,
        True,
        None,
        [],
        {},
        -1,
        10**12,
        10**30,
        -(10**30),
    ],
    ids=repr,
)
async def test_a_time_that_is_no_number_of_seconds_makes_a_token_dead(
    service: Service, caller: Registered, forge: Forge, name: str, moment: object
) -> None:
    assert await service.doors(forge.with_claims(**{name: moment}).token(), caller) == DEAD


@pytest.mark.demand("J-11")
@pytest.mark.parametrize("name", ["sub", "client_id", "jti", "sid", "username", "scope"])
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(1, id="number"),
        pytest.param(True, id="boolean"),
        pytest.param(["x"], id="list"),
        pytest.param({"x": "x"}, id="object"),
        pytest.param(None, id="null"),
        pytest.param("\ud800", id="half-a-character"),
        pytest.param("x\udc00", id="half-a-character-at-the-end"),
    ],
)
async def test_a_claim_that_is_no_text_makes_a_token_dead(
    service: Service, caller: Registered, forge: Forge, name: str, value: object
) -> None:
    assert await service.doors(forge.with_claims(**{name: value}).token(), caller) == DEAD


@pytest.mark.demand("J-11")
@pytest.mark.parametrize("name", REQUIRED[2:4] + REQUIRED[-1:] + ("sid", "username", "scope"))
async def test_a_claim_with_a_nul_gets_no_server_error(
    service: Service, caller: Registered, forge: Forge, name: str
) -> None:
    forged = forge.with_claims(**{name: f"{forge.claims[name]}\0"})

    assert await service.doors(forged.token(), caller) == DEAD


@pytest.mark.parametrize("name", ["sid", "username"])
async def test_a_token_of_half_a_user_is_refused(
    service: Service, caller: Registered, forge: Forge, name: str
) -> None:
    assert await service.doors(forge.without(name).token(), caller) == DEAD


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"sid": "0198d7a5-0000-7000-8000-000000000000"}, id="session"),
        pytest.param({"client_id": "no-such-client"}, id="client"),
    ],
)
@pytest.mark.only(
    "sqlite-jwt", "sqlite-opaque", reason="a denylist in Redis lists what is dead, not what was"
)
async def test_a_token_of_what_never_was_is_refused_where_the_database_is_asked(
    service: Service, caller: Registered, forge: Forge, claims: dict[str, str]
) -> None:
    assert await service.doors(forge.with_claims(**claims).token(), caller) == DEAD


@pytest.mark.demand("J-09")
async def test_a_refresh_token_opens_no_door_of_access_tokens(service: Service, caller: Registered) -> None:
    await service.add_account()
    tokens = await service.login()

    assert await service.doors(tokens["refresh_token"], caller) == DEAD
    assert (await service.refresh(tokens["refresh_token"])).status_code == 200


@pytest.mark.demand("J-09")
@pytest.mark.parametrize("path", ["/refresh", "/token"])
async def test_an_access_token_of_either_format_refreshes_nothing(
    service: Service, caller: Registered, forge: Forge, path: str
) -> None:
    issued = (await service.login())["access_token"]

    for token in (issued, forge.token()):
        response = await service.post(path, grant_type="refresh_token", refresh_token=token)
        assert_oauth_error(response, 400, "invalid_grant")
        assert await service.doors(token, caller) == LIVE


@pytest.mark.demand("J-09")
@pytest.mark.parametrize("path", ["/refresh", "/token"])
async def test_a_jwt_that_calls_itself_a_refresh_token_is_none(
    service: Service, forge: Forge, path: str
) -> None:
    token = forge.with_header(typ="rt+jwt").with_claims(token_type="refresh_token").token()

    response = await service.post(path, grant_type="refresh_token", refresh_token=token)

    assert_oauth_error(response, 400, "invalid_grant")


@pytest.mark.demand("J-09")
@pytest.mark.parametrize(("real", "claimed"), [("rt", "at"), ("at", "rt")])
async def test_a_token_whose_prefix_is_exchanged_is_dead(
    service: Service, caller: Registered, real: str, claimed: str
) -> None:
    await service.add_account()
    tokens = await service.login()
    token = tokens["refresh_token" if real == "rt" else "access_token"]
    posing = f"asvc_{claimed}_{token.removeprefix(f'asvc_{real}_')}"

    assert await service.doors(posing, caller) == DEAD
    assert_oauth_error(await service.refresh(posing), 400, "invalid_grant")


NESTED = 2500
DEEP_LIST = "[" * NESTED + "]" * NESTED
DEEP_OBJECT = '{"a":' * 900 + "1" + "}" * 900


def with_member(text: str) -> Callable[[dict[str, Any]], str]:
    """The JSON of the members, and *text* before its last brace."""
    return lambda members: f"{json.dumps(members)[:-1]},{text}}}"


BROKEN_JSON: list[Any] = [
    pytest.param(lambda _: b"", id="empty"),
    pytest.param(lambda _: b"null", id="null"),
    pytest.param(lambda _: b"[]", id="list"),
    pytest.param(lambda members: json.dumps([members]), id="object-in-a-list"),
    pytest.param(lambda members: json.dumps(list(members.items())), id="list-of-pairs"),
    pytest.param(lambda _: b'"text"', id="text"),
    pytest.param(lambda members: json.dumps(json.dumps(members)), id="object-in-a-text"),
    pytest.param(lambda _: b"1", id="number"),
    pytest.param(lambda _: b"1" * 5000, id="5000-digits"),
    pytest.param(lambda _: b"true", id="boolean"),
    pytest.param(lambda _: b"{", id="cut"),
    pytest.param(lambda members: f"{json.dumps(members)} x", id="more-after-it"),
    pytest.param(lambda members: f"{json.dumps(members)}{json.dumps(members)}", id="twice"),
    pytest.param(lambda members: json.dumps(members).replace('"', "'"), id="single-quotes"),
    pytest.param(lambda members: f"{json.dumps(members)[:-1]},}}", id="comma-at-the-end"),
    pytest.param(lambda members: f"\ufeff{json.dumps(members)}", id="byte-order-mark"),
    pytest.param(lambda members: json.dumps(members).encode("utf-16"), id="utf-16"),
    pytest.param(lambda members: json.dumps(members).encode("utf-32"), id="utf-32"),
    pytest.param(lambda members: json.dumps(members).encode()[:-1] + b',"x":"\xff"}', id="no-utf-8"),
    pytest.param(
        lambda members: json.dumps(members).encode()[:-1] + b',"x":"\xc0\xaf"}', id="overlong-utf-8"
    ),
    pytest.param(lambda members: json.dumps(members).encode()[:-1] + b',"x":"\xed\xa0\x80"}', id="surrogate"),
    pytest.param(lambda members: json.dumps(members).encode() + b"\0", id="nul-at-the-end"),
    pytest.param(with_member('"x":NaN'), id="nan"),
    pytest.param(with_member('"x":Infinity'), id="infinity"),
    pytest.param(with_member('"x":-Infinity'), id="minus-infinity"),
    pytest.param(with_member('"x":' + "9" * 4301), id="4301-digits"),
    pytest.param(with_member('"x":01'), id="leading-zero"),
    pytest.param(with_member('"x":"\n"'), id="bare-newline"),
    pytest.param(with_member('"x":1,"x":1'), id="a-member-twice"),
    pytest.param(with_member('"x":{"y":1,"y":1}'), id="a-member-twice-inside"),
    pytest.param(with_member(r'"x":1,"\u0078":1'), id="a-member-twice-escaped"),
    pytest.param(with_member('"x":[]'), id="list-inside"),
    pytest.param(with_member('"x":{}'), id="object-inside"),
    pytest.param(with_member(f'"x":{DEEP_LIST}'), id="deep-list"),
    pytest.param(with_member(f'"x":{DEEP_OBJECT}'), id="deep-object"),
    pytest.param(lambda _: DEEP_LIST, id="nothing-but-deep"),
    pytest.param(lambda _: "[" * NESTED, id="deep-and-never-closed"),
    pytest.param(lambda members: zlib.compress(json.dumps(members).encode()), id="compressed"),
]


@pytest.mark.demand("J-11")
@pytest.mark.parametrize("broken", BROKEN_JSON)
async def test_a_payload_that_is_no_plain_json_object_is_refused(
    service: Service, caller: Registered, forge: Forge, broken: Callable[[dict[str, Any]], bytes]
) -> None:
    token = forge.sealed(forge.header, broken(forge.claims))

    assert len(token) < 8192, "its length must not be what it is refused for"
    assert await service.doors(token, caller) == DEAD


@pytest.mark.demand("J-11")
@pytest.mark.parametrize("broken", BROKEN_JSON)
async def test_a_header_that_is_no_plain_json_object_is_refused(
    service: Service, caller: Registered, forge: Forge, broken: Callable[[dict[str, Any]], bytes]
) -> None:
    token = forge.sealed(broken(forge.header), forge.claims)

    assert len(token) < 8192, "its length must not be what it is refused for"
    assert await service.doors(token, caller) == DEAD


@pytest.mark.demand("J-11")
@pytest.mark.parametrize("name", ["alg", "typ", "kid"])
async def test_a_header_with_a_member_twice_is_refused_even_when_both_are_good(
    service: Service, caller: Registered, forge: Forge, name: str
) -> None:
    twice = with_member(f'"{name}":"{forge.header[name]}"')(forge.header)

    assert await service.doors(forge.sealed(twice, forge.claims), caller) == DEAD


@pytest.mark.demand("J-11")
@pytest.mark.parametrize("name", ["sub", "exp", "jti", "sid", "scope", "client_id"])
async def test_a_payload_with_a_claim_twice_is_refused_even_when_both_are_good(
    service: Service, caller: Registered, forge: Forge, name: str
) -> None:
    twice = with_member(f'"{name}":{json.dumps(forge.claims[name])}')(forge.claims)

    assert await service.doors(forge.sealed(forge.header, twice), caller) == DEAD


async def test_claims_that_nobody_asked_for_do_no_harm(
    service: Service, caller: Registered, forge: Forge
) -> None:
    more = {"x": 1.5, "y": None, "z": "é\U0001f600", "": "", "roles": "[{"}

    assert await service.doors(forge.with_claims(**more).token(), caller) == LIVE


@pytest.mark.demand("J-13")
async def test_a_compressed_payload_is_refused(service: Service, caller: Registered, forge: Forge) -> None:
    deflated = zlib.compress(json.dumps(forge.claims).encode(), wbits=-15)

    for header in (forge.header, forge.header | {"zip": "DEF"}):
        assert await service.doors(f"{forge.sealed(header, deflated)}", caller) == DEAD
        bomb = zlib.compress(bytes(5_000_000), wbits=-15)
        assert await service.doors(forge.sealed_text(f"{segment(header)}.{segment(bomb)}"), caller) == DEAD
