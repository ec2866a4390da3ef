"""What a client may ask for: its grants, its scopes, its permission, and while it is enabled."""

from datetime import timedelta

import pytest

from authsvc.scopes import parse_scope
from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.service import PASSWORD, USERNAME, Json, Registered, Service

LOGIN: Json = {"grant_type": "password", "username": USERNAME, "password": PASSWORD}


@pytest.mark.parametrize("grant_type", ["password", "refresh_token", "client_credentials"])
async def test_a_client_without_a_grant_is_unauthorized_for_it(service: Service, grant_type: str) -> None:
    await service.add_account()
    client = await service.add_client()
    tokens = await service.login(client)
    await service.stack.services.clients.change(client.id, grants=client.client.grants - {grant_type})
    before = await service.rows()
    form = {"password": LOGIN, "refresh_token": {"refresh_token": tokens["refresh_token"]}}.get(
        grant_type, {}
    )

    response = await service.post("/token", client, **form | {"grant_type": grant_type})

    assert_oauth_error(response, 400, "unauthorized_client")
    assert await service.rows() == before


async def test_a_refused_grant_tells_nothing_of_the_password(service: Service) -> None:
    await service.add_account()
    client = await service.add_client(grants=frozenset({"client_credentials"}))

    right = await service.post("/login", client, username=USERNAME, password=PASSWORD)
    wrong = await service.post("/login", client, username=USERNAME, password="a wrong password")

    assert_oauth_error(right, 400, "unauthorized_client")
    assert (right.status_code, right.text) == (wrong.status_code, wrong.text)


async def test_a_client_without_the_grant_refresh_token_gets_none(service: Service) -> None:
    await service.add_account()
    client = await service.add_client(grants=frozenset({"password"}))

    assert "refresh_token" not in await service.login(client)


async def test_a_public_client_gets_no_token_of_its_own(service: Service) -> None:
    public = await service.add_client(confidential=False)

    response = await service.post("/token", public, grant_type="client_credentials")

    assert_oauth_error(response, 400, "unauthorized_client")


@pytest.mark.demand("O-05")
@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        pytest.param("", "account", id="none: the default set"),
        pytest.param("read", "read", id="less than the default"),
        pytest.param("write account read", "account read write", id="all"),
        pytest.param("read read", "read", id="one twice"),
    ],
)
async def test_the_answer_names_what_was_granted(
    service: Service, caller: Registered, asked: str, granted: str
) -> None:
    await service.add_account()
    client = await service.add_client()

    tokens = await service.login(client, scope=asked)
    own = await service.post("/token", client, grant_type="client_credentials", scope=asked)

    assert tokens["scope"] == own.json()["scope"] == granted
    assert (await service.introspect(tokens["access_token"], caller))["scope"] == granted
    assert (await service.introspect(own.json()["access_token"], caller))["scope"] == granted


@pytest.mark.parametrize("grant_type", ["password", "client_credentials"])
async def test_a_scope_the_client_may_not_have_is_refused_never_silently_less(
    service: Service, grant_type: str
) -> None:
    await service.add_account()
    client = await service.add_client()
    before = await service.rows()

    for scope in ("admin", "read admin", "READ", "introspect", "rea", "account:read"):
        response = await service.post("/token", client, **LOGIN | {"grant_type": grant_type, "scope": scope})
        assert_oauth_error(response, 400, "invalid_scope")

    assert await service.rows() == before


MALFORMED = (
    "read  account",
    " read",
    "read ",
    " ",
    "read\taccount",
    "read\n",
    'read"',
    "re\\ad",
    "réad",
    "读",
)


@pytest.mark.demand("O-25")
async def test_a_malformed_scope_is_invalid_scope_and_never_echoed(service: Service) -> None:
    await service.add_account()
    client = await service.add_client()
    tokens = await service.login(client)
    before = await service.rows()

    for scope in MALFORMED:
        for path, form in (
            ("/login", LOGIN),
            ("/token", {"grant_type": "client_credentials"}),
            ("/refresh", {"refresh_token": tokens["refresh_token"]}),
        ):
            assert_oauth_error(await service.post(path, client, **form, scope=scope), 400, "invalid_scope")

    assert await service.rows() == before


async def test_introspect_is_granted_only_to_a_token_of_the_clients_own(service: Service) -> None:
    await service.add_account()
    permitted = await service.add_client(may_introspect=True)
    own = {"grant_type": "client_credentials", "scope": "introspect"}

    assert (await service.post("/token", permitted, **own)).json()["scope"] == "introspect"
    for_user = await service.post("/token", permitted, **LOGIN, scope="introspect")
    assert_oauth_error(for_user, 400, "invalid_scope")


async def test_a_scope_taken_from_the_client_is_not_granted_again_at_refresh(service: Service) -> None:
    await service.add_account()
    client = await service.add_client()
    tokens = await service.login(client, scope="account read")
    await service.stack.services.clients.change(client.id, scope=parse_scope("account write"))

    by_name = await service.refresh(tokens["refresh_token"], client, scope="read")
    unnamed = await service.refresh(tokens["refresh_token"], client)

    assert_oauth_error(by_name, 400, "invalid_scope")
    assert unnamed.json()["scope"] == "account"


async def test_the_client_public_may_do_what_the_first_migration_says(service: Service) -> None:
    await service.add_account()
    tokens = await service.login()

    assert tokens["scope"] == "account"
    assert (await service.refresh(tokens["refresh_token"])).status_code == 200
    assert_oauth_error(await service.post("/login", **LOGIN, scope="read"), 400, "invalid_scope")
    own = await service.post("/token", client_id="public", grant_type="client_credentials")
    assert_oauth_error(own, 400, "unauthorized_client")


@pytest.fixture
async def suspended(service: Service) -> tuple[Registered, Json]:
    """A confidential client with a session, disabled since."""
    await service.add_account()
    client = await service.add_client()
    tokens = await service.login(client)
    await service.stack.services.clients.disable(client.id)
    return client, tokens


async def test_a_disabled_client_is_invalid_client_at_every_endpoint(
    service: Service, suspended: tuple[Registered, Json]
) -> None:
    client, tokens = suspended
    before = await service.rows()

    for path, form in (
        ("/login", LOGIN),
        ("/token", LOGIN),
        ("/token", {"grant_type": "client_credentials"}),
        ("/refresh", {"refresh_token": tokens["refresh_token"]}),
        ("/introspect", {"token": tokens["access_token"]}),
        ("/revoke", {"token": tokens["refresh_token"]}),
    ):
        assert_oauth_error(await service.post(path, client, **form), 401, "invalid_client")

    assert await service.rows() == before


async def test_an_enabled_client_goes_on_where_it_was(
    service: Service, suspended: tuple[Registered, Json]
) -> None:
    client, tokens = suspended

    await service.stack.services.clients.enable(client.id)

    assert (await service.refresh(tokens["refresh_token"], client)).status_code == 200


async def test_the_client_public_can_be_disabled_like_any_other(service: Service) -> None:
    await service.add_account()
    tokens = await service.login()

    await service.stack.services.clients.disable("public")

    assert_oauth_error(await service.post("/login", **LOGIN), 401, "invalid_client")
    assert_oauth_error(await service.post("/token", **LOGIN), 401, "invalid_client")
    assert_oauth_error(await service.refresh(tokens["refresh_token"]), 401, "invalid_client")


async def secret_works(service: Service, client: Registered, secret: str) -> bool:
    response = await service.post(
        "/token", Registered(client.client, secret), grant_type="client_credentials"
    )
    assert response.status_code in {200, 401}
    return response.status_code == 200


async def test_after_a_rotation_both_secrets_work_until_the_overlap_ends(service: Service) -> None:
    client = await service.add_client()

    new = await service.stack.services.clients.rotate_secret(client.id, overlap=timedelta(hours=1))

    assert await secret_works(service, client, new)
    service.clock.advance(minutes=59, seconds=59)
    assert await secret_works(service, client, client.secret)
    service.clock.advance(seconds=1)
    assert not await secret_works(service, client, client.secret)
    assert await secret_works(service, client, new)


async def test_after_a_rotation_without_overlap_only_the_new_secret_works(service: Service) -> None:
    client = await service.add_client()

    new = await service.stack.services.clients.rotate_secret(client.id, overlap=timedelta())

    assert await secret_works(service, client, new)
    assert not await secret_works(service, client, client.secret)


async def test_a_second_rotation_ends_the_oldest_secret(service: Service) -> None:
    client = await service.add_client()
    second = await service.stack.services.clients.rotate_secret(client.id, overlap=timedelta(hours=1))

    third = await service.stack.services.clients.rotate_secret(client.id, overlap=timedelta(hours=1))

    assert not await secret_works(service, client, client.secret)
    assert await secret_works(service, client, second)
    assert await secret_works(service, client, third)


async def test_only_the_fingerprint_of_a_secret_is_stored(service: Service) -> None:
    client = await service.add_client()

    assert client.secret not in str(await service.rows())
    assert client.client.secret_sha256 is not None
    assert len(client.client.secret_sha256) == 32
