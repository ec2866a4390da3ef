"""Rotating the server's secret is three deploys: append the new one, move it to the front, remove the old."""

from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from tests.conftest import MakeService
from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.service import Json, Registered, Service
from tests.fixtures.stack import SECRET

NEW_SECRET = "another secret for tests, of more than 32 characters"


@dataclass
class Deploys:
    """The instances of each deploy, side by side over the same stores."""

    before: Service
    appended: Service
    moved_to_front: Service
    removed: Service


@pytest.fixture
async def deploys(service: Service, service_with: MakeService) -> Deploys:
    old, new = SecretStr(SECRET), SecretStr(NEW_SECRET)
    appended = await service_with(secret_keys=(old, new))
    moved_to_front = await service_with(secret_keys=(new, old))
    # The private signing keys are encrypted under the secret too; the last deploy would not start.
    await moved_to_front.stack.services.key_rotation.reencrypt()
    return Deploys(service, appended, moved_to_front, await service_with(secret_keys=(new,)))


async def test_a_session_lives_through_all_three_deploys(
    deploys: Deploys, signed_in: Json, caller: Registered
) -> None:
    tokens = signed_in
    for instance in (deploys.before, deploys.appended, deploys.moved_to_front, deploys.removed):
        tokens = await instance.refreshed(tokens["refresh_token"])

    assert await deploys.removed.is_live(tokens["access_token"], caller)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("before", "appended"),
        ("appended", "before"),
        ("appended", "moved_to_front"),
        ("moved_to_front", "appended"),
    ],
)
async def test_two_instances_amid_a_deploy_repeat_each_others_successor(
    deploys: Deploys, signed_in: Json, first: str, second: str
) -> None:
    one, other = getattr(deploys, first), getattr(deploys, second)

    rotated = await one.refreshed(signed_in["refresh_token"])
    repeated = await other.refreshed(signed_in["refresh_token"])

    assert repeated["refresh_token"] == rotated["refresh_token"]
    assert (await other.refresh(rotated["refresh_token"])).status_code == 200


async def test_the_first_secret_mints_and_the_row_says_so(deploys: Deploys, signed_in: Json) -> None:
    key_ids = [(await deploys.before.sessions())[0].server_key_id]
    for instance in (deploys.appended, deploys.moved_to_front):
        signed_in = await instance.refreshed(signed_in["refresh_token"])
        key_ids.append((await deploys.before.sessions())[0].server_key_id)

    assert key_ids[0] == key_ids[1] != key_ids[2]


async def test_a_token_of_a_secret_that_was_removed_is_refused_and_changes_nothing(
    deploys: Deploys, signed_in: Json
) -> None:
    before = await deploys.before.contents()

    assert_oauth_error(await deploys.removed.refresh(signed_in["refresh_token"]), 400, "invalid_grant")

    assert await deploys.before.contents() == before
    assert (await deploys.before.refresh(signed_in["refresh_token"])).status_code == 200


async def test_a_replay_is_known_across_the_change_of_the_secret(deploys: Deploys, signed_in: Json) -> None:
    successor = await deploys.moved_to_front.refreshed(signed_in["refresh_token"])
    deploys.before.clock.advance(seconds=10)

    assert_oauth_error(await deploys.moved_to_front.refresh(signed_in["refresh_token"]), 400, "invalid_grant")

    assert_oauth_error(await deploys.moved_to_front.refresh(successor["refresh_token"]), 400, "invalid_grant")
