"""What an access token is made of: a JWT by RFC 9068, and enough chance in each token (RFC 6749 §10.10).

Read with libraries that the service does not use, and with the published keys alone.
"""

from uuid import UUID

import pytest
from joserfc import jwt as joserfc_jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet

from authsvc.server_keys import TAG_LENGTH
from tests.conftest import MakeService
from tests.fixtures.answers import assert_problem
from tests.fixtures.forge import decode, part_of
from tests.fixtures.service import PASSWORD, USERNAME, Json, Registered, Service
from tests.fixtures.stack import ISSUER

of_jwts = pytest.mark.only("postgres-jwt", "sqlite-jwt", reason="an opaque token has no header and no claims")
SAMPLES = 16


async def key_set(service: Service) -> KeySet:
    """The keys as any resource server gets them."""
    return KeySet.import_key_set((await service.http.get("/.well-known/jwks.json")).json())


async def verified(service: Service, token: str, algorithm: str = "ES256") -> joserfc_jwt.Token:
    return joserfc_jwt.decode(token, await key_set(service), algorithms=[algorithm])


async def user_token(service: Service, **form: str) -> str:
    await service.add_account()
    return str((await service.login(await service.add_client(), **form))["access_token"])


@of_jwts
@pytest.mark.demand("JP-01", "JP-02")
async def test_the_header_names_a_real_algorithm_the_type_and_the_key_and_no_more(service: Service) -> None:
    token = await user_token(service)

    assert token.count(".") == 2
    header = part_of(token, 0)
    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": header["kid"]}
    assert len(decode(token.split(".")[2])) == 64


@of_jwts
@pytest.mark.demand("JP-02")
async def test_the_type_is_jwt_where_an_operator_asks_for_it(service_with: MakeService) -> None:
    service = await service_with(jwt_typ="JWT")

    assert part_of(await user_token(service), 0)["typ"] == "JWT"


@of_jwts
@pytest.mark.demand("JP-03")
async def test_a_users_token_has_the_claims_of_the_profile_and_two_of_ours(service: Service) -> None:
    account = await service.add_account()
    client = await service.add_client()
    service.clock.advance(seconds=0.75)
    now = int(service.clock().timestamp())

    token = (await service.login(client, scope="read account"))["access_token"]

    claims = part_of(token, 1)
    assert {name: type(claims[name]) for name in ("iat", "exp")} == {"iat": int, "exp": int}
    session = (await service.as_user("GET", "/me", token)).json()["session_id"]
    assert claims == {
        "iss": ISSUER,
        "sub": str(account.id),
        "aud": ISSUER,
        "client_id": client.id,
        "iat": now,
        "exp": now + 300,
        "jti": str(UUID(claims["jti"])),
        "scope": "account read",
        "sid": session,
        "username": USERNAME,
    }


@of_jwts
@pytest.mark.demand("JP-03", "JP-07")
async def test_a_clients_own_token_names_the_client_and_no_user(service: Service) -> None:
    client = await service.add_client()
    now = int(service.clock().timestamp())

    claims = part_of(await service.client_token(client, scope="read"), 1)

    assert claims == {
        "iss": ISSUER,
        "sub": client.id,
        "aud": ISSUER,
        "client_id": client.id,
        "iat": now,
        "exp": now + 300,
        "jti": str(UUID(claims["jti"])),
        "scope": "read",
    }


@of_jwts
@pytest.mark.demand("JP-03")
async def test_the_audience_is_the_clients_where_it_has_one(service: Service) -> None:
    client = await service.add_client(audience="https://api.example.test")

    assert part_of(await service.client_token(client), 1)["aud"] == "https://api.example.test"


@pytest.mark.demand("JP-07")
async def test_no_client_can_be_taken_for_a_user(service: Service, caller: Registered) -> None:
    client = await service.add_client()
    token = await service.client_token(client)

    described = await service.introspect(token, caller)
    assert (described["sub"], "username" in described, "sid" in described) == (client.id, False, False)
    # A user's subject is a UUID, which no client's id can be read as.
    with pytest.raises(ValueError, match="UUID"):
        UUID(described["sub"])
    assert_problem(await service.as_user("GET", "/me", token), 403)


@of_jwts
@pytest.mark.demand("JP-04")
async def test_any_service_can_check_a_token_with_the_published_keys(service: Service) -> None:
    token = await user_token(service)
    metadata = (await service.http.get("/.well-known/oauth-authorization-server")).json()

    checked = await verified(service, token)

    published = (await service.http.get("/.well-known/jwks.json")).json()["keys"]
    assert checked.header["kid"] in {key["kid"] for key in published}
    assert checked.claims["iss"] == metadata["issuer"]
    registry = joserfc_jwt.JWTClaimsRegistry(
        now=int(service.clock().timestamp()),
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": ISSUER},
        exp={"essential": True},
        iat={"essential": True},
    )
    registry.validate(checked.claims)


@of_jwts
@pytest.mark.demand("JP-04")
async def test_a_token_checks_under_the_key_its_kid_names_and_under_no_other(service: Service) -> None:
    token = await user_token(service)
    keys = await key_set(service)

    good = []
    for key in keys:
        try:
            joserfc_jwt.decode(token, key, algorithms=["ES256"])
        except BadSignatureError:
            continue
        good.append(key.kid)

    assert len(keys.keys) == 2
    assert good == [part_of(token, 0)["kid"]]


@of_jwts
@pytest.mark.demand("JP-06")
@pytest.mark.parametrize(("asked", "granted"), [({"scope": "write read"}, "read write"), ({}, "account")])
async def test_the_scope_claim_says_what_was_granted(
    service: Service, asked: dict[str, str], granted: str
) -> None:
    assert part_of(await user_token(service, **asked), 1)["scope"] == granted


@of_jwts
@pytest.mark.demand("JP-06")
async def test_without_a_granted_scope_there_is_no_scope_claim(service: Service) -> None:
    client = await service.add_client(scope="", default_scope="")

    assert "scope" not in part_of(await service.client_token(client), 1)


@of_jwts
@pytest.mark.demand("JP-08")
async def test_no_secret_is_inside_a_token(service: Service) -> None:
    await service.add_account()
    client = await service.add_client()
    tokens = await service.login(client)
    refreshed = (await service.refresh(tokens["refresh_token"], client)).json()

    for token in (tokens["access_token"], refreshed["access_token"]):
        text = b"".join(decode(part) for part in token.split(".")[:2]).decode()
        for secret in (PASSWORD, service.password_hash, "argon2", client.secret, "asvc_rt_"):
            assert secret not in text
        for given in (tokens["refresh_token"], refreshed["refresh_token"]):
            assert given.removeprefix("asvc_rt_")[-40:] not in text


async def many_tokens(service: Service) -> Json:
    """Access and refresh tokens of one session, and a client's own, all made within one second."""
    await service.add_account()
    client = await service.add_client()
    tokens = await service.login(client)
    made: dict[str, list[str]] = {"access": [], "refresh": [], "client": []}
    for _ in range(SAMPLES):
        made["client"].append(await service.client_token(client))
        tokens = (await service.refresh(tokens["refresh_token"], client)).json()
        made["access"].append(tokens["access_token"])
        made["refresh"].append(tokens["refresh_token"])
    return made


@pytest.mark.demand("O-26", "JP-05")
async def test_tokens_never_repeat_nor_does_a_jti(service: Service, caller: Registered) -> None:
    made = await many_tokens(service)

    everything = [token for tokens in made.values() for token in tokens]
    assert len(set(everything)) == 3 * SAMPLES
    identifiers = [
        (await service.introspect(token, caller))["jti"] for token in (*made["access"][-8:], *made["client"])
    ]
    assert len(set(identifiers)) == len(identifiers) == SAMPLES + 8
    if service.issues_jwt:
        claimed = [part_of(token, 1)["jti"] for token in (*made["access"], *made["client"])]
        assert len(set(claimed)) == 2 * SAMPLES


@pytest.mark.demand("O-26")
async def test_every_token_has_at_least_128_bits_that_nobody_can_guess(service: Service) -> None:
    made = await many_tokens(service)

    for kind, tokens in made.items():
        secrets = [int.from_bytes(unguessable_part(token)) for token in tokens]
        # A bit that is 1 in some tokens and 0 in others was not known beforehand.
        ones = zeros = 0
        for secret in secrets:
            ones, zeros = ones | secret, zeros | ~secret
        assert (ones & zeros).bit_count() >= 250, kind


def unguessable_part(token: str) -> bytes:
    """What of a token is made by chance or by a key, without tag: 32 bytes at least."""
    if token.count(".") == 2:
        return decode(token.split(".")[2])
    body = decode(token[len("asvc_at_") :])[:-TAG_LENGTH]
    return body[-32:]


@pytest.mark.demand("O-26")
async def test_each_kind_of_token_has_its_length(service: Service) -> None:
    made = await many_tokens(service)

    # 32 random bytes and a tag of 8; an id of 16, a generation of 4, a MAC of 32 and the tag.
    expected = {"access": {62}, "client": {62}, "refresh": {88}}
    for kind, tokens in made.items():
        lengths = {len(token) for token in tokens}
        if service.issues_jwt and kind != "refresh":
            assert max(lengths) < 800, "a token travels in a header of every request"
        else:
            assert lengths == expected[kind]


@of_jwts
@pytest.mark.demand("JP-01", "JP-04")
async def test_rsa_is_used_where_an_operator_asks_for_it(service: Service, service_with: MakeService) -> None:
    client = await service.add_client()
    before = await service.client_token(client)
    rsa = await service_with(signing_algorithm="RS256")
    await rsa.stack.services.key_rotation.rotate()
    service.clock.advance(seconds=280)
    assert part_of(await rsa.client_token(client), 0)["alg"] == "ES256", "its key is not known everywhere yet"
    service.clock.advance(seconds=35)
    await rsa.stack.services.reload()

    token = await rsa.client_token(client)

    assert part_of(token, 0) == {"alg": "RS256", "typ": "at+jwt", "kid": part_of(token, 0)["kid"]}
    assert len(decode(token.split(".")[2])) * 8 == 3072
    assert (await verified(rsa, token, "RS256")).claims["sub"] == client.id
    assert (await verified(rsa, before, "ES256")).claims["sub"] == client.id
