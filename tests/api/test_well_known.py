"""The published keys (RFC 7517) and the server's metadata (RFC 8414)."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import MakeService
from tests.fixtures.forge import decode
from tests.fixtures.service import Json, Registered, Service
from tests.fixtures.stack import ISSUER

METADATA = "/.well-known/oauth-authorization-server"
JWKS = "/.well-known/jwks.json"
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


async def fetch(service: Service, path: str = METADATA, **headers: str) -> Json:
    response = await service.http.get(path, headers=headers)
    assert response.status_code == 200, response.text
    return dict(response.json())


def strings(value: Any) -> Iterator[str]:
    """Every text anywhere inside *value*."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


@pytest.mark.demand("D-01")
async def test_the_metadata_is_a_json_object_that_caches_may_keep(service: Service) -> None:
    response = await service.http.get(METADATA)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "public, max-age=300"
    assert isinstance(response.json(), dict)


async def test_the_metadata_says_this_and_no_more(service: Service) -> None:
    methods = ["client_secret_basic", "client_secret_post", "none"]

    assert await fetch(service) == {
        "issuer": ISSUER,
        "token_endpoint": f"{ISSUER}/token",
        "introspection_endpoint": f"{ISSUER}/introspect",
        "revocation_endpoint": f"{ISSUER}/revoke",
        "jwks_uri": f"{ISSUER}/.well-known/jwks.json",
        "service_documentation": f"{ISSUER}/docs",
        "grant_types_supported": ["password", "refresh_token", "client_credentials"],
        "scopes_supported": ["account", "introspect"],
        "response_types_supported": ["none"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods[:2],
    }


@pytest.mark.demand("D-02", "D-03")
@pytest.mark.parametrize(
    "issuer", ["https://auth.example.test", "https://login.example.test:8443", "http://127.0.0.1:8000"]
)
async def test_the_issuer_is_the_setting_and_the_stem_of_the_well_known_url(
    service_with: MakeService, issuer: str
) -> None:
    service = await service_with(issuer=issuer)

    answer = await service.http.get(f"{issuer}{METADATA}")

    body = answer.json()
    assert body["issuer"] == issuer
    assert str(answer.request.url) == f"{body['issuer']}{METADATA}"
    parts = urlsplit(body["issuer"])
    assert (parts.query, parts.fragment, parts.path) == ("", "", "")
    assert parts.scheme == "https" or parts.hostname == "127.0.0.1"
    # No URL of ours has another stem.
    assert {text for text in strings(body) if "://" in text and not text.startswith(issuer)} == set()


@pytest.mark.demand("D-03")
async def test_the_issuer_of_the_metadata_is_that_of_tokens_and_of_introspection(
    service: Service, caller: Registered
) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]

    assert (await service.introspect(token, caller))["iss"] == (await fetch(service))["issuer"]


@pytest.mark.demand("D-04")
async def test_every_endpoint_that_is_named_is_absolute_and_answers(service: Service) -> None:
    body = await fetch(service)
    named = {name: url for name, url in body.items() if name.endswith("_endpoint")}

    assert {"token_endpoint", "response_types_supported"} <= body.keys()
    assert len(named) == 3
    for name, url in named.items():
        assert urlsplit(url).scheme == "https", name
        assert (await service.http.post(url, data={})).status_code in {400, 401}, name
    for name in ("jwks_uri", "service_documentation"):
        assert (await service.http.get(body[name])).status_code == 200, name


@pytest.mark.demand("D-05")
async def test_no_list_is_empty(service: Service) -> None:
    lists = {name: value for name, value in (await fetch(service)).items() if isinstance(value, list)}

    assert lists["response_types_supported"] == ["none"]
    assert [name for name, value in lists.items() if not value] == []


@pytest.mark.demand("D-06")
async def test_each_grant_that_is_named_works(service: Service) -> None:
    await service.add_account()
    client = await service.add_client()
    tokens = await service.login(client)
    forms = {
        "password": {"username": "ada@example.com", "password": "correct horse battery staple"},
        "refresh_token": {"refresh_token": tokens["refresh_token"]},
        "client_credentials": {},
    }

    named = (await fetch(service))["grant_types_supported"]

    assert sorted(named) == sorted(forms)
    for grant_type in named:
        response = await service.post("/token", client, grant_type=grant_type, **forms[grant_type])
        assert response.status_code == 200, grant_type


@pytest.mark.demand("D-06")
@pytest.mark.parametrize(
    "grant_type",
    [
        "implicit",
        "authorization_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "Password",
    ],
)
async def test_no_grant_works_that_is_not_named(service: Service, grant_type: str) -> None:
    client = await service.add_client()

    response = await service.post("/token", client, grant_type=grant_type)

    assert (response.status_code, response.json()["error"]) == (400, "unsupported_grant_type")
    assert grant_type not in (await fetch(service))["grant_types_supported"]


@pytest.mark.demand("D-07")
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
async def test_the_key_set_holds_public_members_only(service_with: MakeService, algorithm: str) -> None:
    service = await service_with(signing_algorithm=algorithm)

    keys = (await fetch(service, JWKS))["keys"]

    members = {"EC": {"kty", "crv", "x", "y"}, "RSA": {"kty", "n", "e"}}
    for key in keys:
        assert not PRIVATE & key.keys()
        assert key.keys() == members[key["kty"]] | {"kid", "alg", "use"}
        assert key["use"] == "sig"
    assert ("RSA" in {key["kty"] for key in keys}) is (algorithm == "RS256")


@pytest.mark.demand("D-08")
async def test_keys_have_a_kid_each_an_algorithm_that_is_known_and_are_long_enough(
    service_with: MakeService,
) -> None:
    service = await service_with(signing_algorithm="RS256")

    keys = (await fetch(service, JWKS))["keys"]

    assert len(keys) == 3
    assert len({key["kid"] for key in keys}) == 3
    assert {(key["kty"], key["alg"], key.get("crv")) for key in keys} == {
        ("EC", "ES256", "P-256"),
        ("RSA", "RS256", None),
    }
    assert {len(decode(key["n"])) * 8 for key in keys if key["kty"] == "RSA"} == {3072}
    assert {len(decode(key[name])) for key in keys if key["kty"] == "EC" for name in ("x", "y")} == {32}


@pytest.mark.demand("D-09")
async def test_none_is_no_algorithm_of_ours(service: Service) -> None:
    body = await fetch(service)

    listed = {
        name: value for name, value in body.items() if "alg" in name or name.endswith("_enc_values_supported")
    }
    assert [name for name, value in listed.items() if "none" in json.dumps(value).lower()] == []
    assert {key["alg"] for key in (await fetch(service, JWKS))["keys"]} == {"ES256"}


STRANGERS: list[Any] = [
    pytest.param({"Host": "evil.test"}, id="Host"),
    pytest.param({"Host": "evil.test:443@auth.example.test"}, id="Host-with-a-user"),
    pytest.param({"Host": 'evil.test"/><x'}, id="Host-with-markup"),
    pytest.param({"X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "http"}, id="X-Forwarded-Host"),
    pytest.param({"Forwarded": "host=evil.test;proto=http"}, id="Forwarded"),
    pytest.param({"X-Forwarded-Prefix": "/evil.test", "X-Original-URL": "/evil.test"}, id="prefix"),
    pytest.param({"X-Host": "evil.test", "X-Forwarded-Server": "evil.test"}, id="X-Host"),
]


@pytest.mark.demand("D-10")
@pytest.mark.parametrize("headers", STRANGERS)
async def test_the_host_of_a_stranger_is_never_repeated(service: Service, headers: dict[str, str]) -> None:
    client = await service.add_client(may_introspect=True)
    await service.add_account()
    login = {"username": "ada@example.com", "password": "correct horse battery staple"}

    asked = [
        await service.http.get(path, headers=headers)
        for path in (METADATA, JWKS, "/docs", "/docs/", "/openapi.json", "/me", "/verify", "/nowhere", "//x")
    ]
    granted = await service.http.post("/login", data=login, headers=headers, auth=client.auth)
    described = await service.http.post(
        "/introspect", data={"token": granted.json()["access_token"]}, headers=headers, auth=client.auth
    )

    for answer in (*asked, granted, described):
        assert "evil" not in answer.text
        assert "evil" not in str(answer.headers)
        assert "location" not in answer.headers
    assert asked[0].json() == await fetch(service)
    assert described.json()["iss"] == described.json()["aud"] == ISSUER


async def test_the_key_set_is_public_and_caches_may_keep_it_as_long_as_the_setting_says(
    service_with: MakeService,
) -> None:
    service = await service_with(jwks_max_age_seconds=77)

    response = await service.http.get(JWKS)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "public, max-age=77"


async def test_the_key_set_is_not_sent_again_while_it_is_the_same(service: Service) -> None:
    first = await service.http.get(JWKS)
    tag = first.headers["etag"]
    assert tag[0] == tag[-1] == '"'
    assert (await service.http.get(JWKS)).headers["etag"] == tag

    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await service.http.get(JWKS, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b""), known
        assert again.headers["etag"] == tag
        assert again.headers["cache-control"] == first.headers["cache-control"]


@pytest.mark.parametrize("known", ['"other"', "", "W/", '"', "\\", '"*"'])
async def test_an_etag_that_is_not_the_key_sets_brings_the_whole_of_it(service: Service, known: str) -> None:
    response = await service.http.get(JWKS, headers={"If-None-Match": known})

    assert response.status_code == 200
    assert response.json()["keys"]


async def test_a_new_key_changes_the_etag(service: Service) -> None:
    before = await service.http.get(JWKS)
    await service.stack.services.key_rotation.rotate()
    await service.stack.services.reload()

    after = await service.http.get(JWKS, headers={"If-None-Match": before.headers["etag"]})

    assert after.status_code == 200
    assert len(after.json()["keys"]) == len(before.json()["keys"]) + 1


async def test_this_is_no_openid_provider(service: Service) -> None:
    response = await service.http.get("/.well-known/openid-configuration")

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert "location" not in response.headers


@pytest.mark.parametrize("path", [METADATA, JWKS])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_what_is_published_can_only_be_read(service: Service, path: str, method: str) -> None:
    response = await service.http.request(method, path)

    assert response.status_code == 405
    assert "GET" in response.headers["allow"]
