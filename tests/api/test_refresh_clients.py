"""POST /refresh: a refresh token is its client's, and a confidential client proves who it is."""

import pytest

from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.service import Json, Registered, Service


@pytest.fixture
async def owner(service: Service) -> Registered:
    """A confidential client, and an account to log in with."""
    await service.add_account()
    return await service.add_client("its client")


@pytest.fixture
async def tokens(service: Service, owner: Registered) -> Json:
    """The tokens of a session through the confidential client."""
    return await service.login(owner)


@pytest.mark.parametrize("path", ["/refresh", "/token"])
@pytest.mark.parametrize("client_id", ["", "public"], ids=["unnamed", "named"])
async def test_the_public_client_refreshes_named_or_not(
    service: Service, signed_in: Json, path: str, client_id: str
) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": signed_in["refresh_token"]}

    response = await service.post(path, **form, client_id=client_id)

    assert response.status_code == 200
    assert response.json()["refresh_token"] != signed_in["refresh_token"]


@pytest.mark.parametrize("is_named", [False, True], ids=["unnamed", "named"])
async def test_any_public_client_refreshes_named_or_not(
    service: Service, caller: Registered, *, is_named: bool
) -> None:
    await service.add_account()
    app = await service.add_client("an app", confidential=False)
    tokens = await service.login(app)

    answer = await service.refreshed(tokens["refresh_token"], app if is_named else None)

    assert (await service.introspect(answer["access_token"], caller))["client_id"] == app.id


@pytest.mark.parametrize("path", ["/refresh", "/token"])
async def test_a_confidential_client_refreshes_by_basic_and_by_form(
    service: Service, owner: Registered, tokens: Json, path: str
) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

    by_basic = await service.post(path, owner, **form)
    by_form = await service.post(path, **form, client_id=owner.id, client_secret=owner.secret)

    assert (by_basic.status_code, by_form.status_code) == (200, 200)
    assert by_basic.json()["refresh_token"] == by_form.json()["refresh_token"]


@pytest.mark.demand("O-20")
@pytest.mark.parametrize("path", ["/refresh", "/token"])
@pytest.mark.parametrize("confidential", [True, False], ids=["confidential", "public"])
async def test_a_refresh_token_is_good_for_its_own_client_only(
    service: Service, owner: Registered, tokens: Json, path: str, *, confidential: bool
) -> None:
    stranger = await service.add_client("a stranger", confidential=confidential)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    before = await service.contents()

    assert_oauth_error(await service.post(path, stranger, **form), 400, "invalid_grant")

    assert await service.contents() == before
    assert (await service.post(path, owner, **form)).status_code == 200


@pytest.mark.demand("O-20")
async def test_a_public_clients_token_is_not_good_for_another_public_client(
    service: Service, signed_in: Json
) -> None:
    app = await service.add_client("an app", confidential=False)

    assert_oauth_error(await service.refresh(signed_in["refresh_token"], app), 400, "invalid_grant")

    assert (await service.refresh(signed_in["refresh_token"])).status_code == 200


@pytest.mark.demand("O-21")
@pytest.mark.parametrize("path", ["/refresh", "/token"])
@pytest.mark.parametrize("shown", ["nothing", "its name", "a wrong secret", "another's secret"])
async def test_a_confidential_client_must_authenticate_at_refresh(
    service: Service, owner: Registered, tokens: Json, path: str, shown: str
) -> None:
    another = await service.add_client("another")
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    form |= {
        "nothing": {},
        "its name": {"client_id": owner.id},
        "a wrong secret": {"client_id": owner.id, "client_secret": owner.secret + "x"},
        "another's secret": {"client_id": owner.id, "client_secret": another.secret},
    }[shown]
    before = await service.contents()

    assert_oauth_error(await service.post(path, **form), 401, "invalid_client")

    assert await service.contents() == before
    assert (await service.refresh(tokens["refresh_token"], owner)).status_code == 200


@pytest.mark.demand("O-21")
@pytest.mark.parametrize("shown", ["nothing", "its name", "a wrong secret"])
async def test_a_client_must_authenticate_to_get_a_token_of_its_own(
    service: Service, owner: Registered, shown: str
) -> None:
    form = {
        "nothing": {},
        "its name": {"client_id": owner.id},
        "a wrong secret": {"client_id": owner.id, "client_secret": owner.secret + "x"},
    }[shown]

    refused = await service.post("/token", grant_type="client_credentials", **form)

    assert_oauth_error(refused, 401, "invalid_client")
    assert await service.client_token(owner)


async def test_a_client_without_the_grant_gets_no_refresh_token(service: Service) -> None:
    await service.add_account()
    client = await service.add_client(grants=frozenset({"password"}))

    assert "refresh_token" not in await service.login(client)


async def test_a_grant_since_taken_from_the_client_is_refused_and_its_token_not_burned(
    service: Service, owner: Registered, tokens: Json
) -> None:
    clients = service.stack.services.clients
    await clients.change(owner.id, grants=frozenset({"password"}))
    before = await service.contents()

    assert_oauth_error(await service.refresh(tokens["refresh_token"], owner), 400, "unauthorized_client")

    assert await service.contents() == before
    await clients.change(owner.id, grants=owner.client.grants)
    assert (await service.refresh(tokens["refresh_token"], owner)).status_code == 200


@pytest.mark.parametrize("is_named", [False, True], ids=["unnamed", "named"])
async def test_a_disabled_public_client_is_refused_until_it_is_enabled(
    service: Service, signed_in: Json, *, is_named: bool
) -> None:
    clients = service.stack.services.clients
    await clients.disable("public")
    form = {"client_id": "public"} if is_named else {}

    assert_oauth_error(await service.refresh(signed_in["refresh_token"], **form), 401, "invalid_client")

    await clients.enable("public")
    assert (await service.refresh(signed_in["refresh_token"], **form)).status_code == 200


async def test_a_disabled_confidential_client_is_refused_until_it_is_enabled(
    service: Service, owner: Registered, tokens: Json
) -> None:
    await service.stack.services.clients.disable(owner.id)

    assert_oauth_error(await service.refresh(tokens["refresh_token"], owner), 401, "invalid_client")

    await service.stack.services.clients.enable(owner.id)
    assert (await service.refresh(tokens["refresh_token"], owner)).status_code == 200
