"""POST /refresh: rotation, and the predecessor inside the overlap."""

import asyncio
from datetime import timedelta

import pytest
import structlog

from authsvc.grants.refresh_verdict import MAX_REPEATS
from authsvc.logs import add_request
from tests.conftest import MakeService
from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.service import DEAD, LIVE, Json, Registered, Service
from tests.fixtures.stack import ADDRESS

TOKEN_ANSWER = {"access_token", "token_type", "expires_in", "refresh_token", "scope"}


@pytest.mark.demand("S-01")
async def test_every_refresh_gives_new_tokens(service: Service, signed_in: Json) -> None:
    answers = [signed_in]
    for _ in range(5):
        answers.append(await service.refreshed(answers[-1]["refresh_token"]))

    assert len({answer["refresh_token"] for answer in answers}) == 6
    assert len({answer["access_token"] for answer in answers}) == 6


async def test_a_refresh_answers_like_a_login(service: Service, signed_in: Json) -> None:
    response = await service.refresh(signed_in["refresh_token"])

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    body = response.json()
    assert set(body) == TOKEN_ANSWER
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 300, "account")


async def test_a_refresh_stays_in_the_session_of_the_login(
    service: Service, caller: Registered, signed_in: Json
) -> None:
    before = await service.introspect(signed_in["access_token"], caller)
    service.clock.advance(seconds=60)

    answer = await service.refreshed(signed_in["refresh_token"])

    after = await service.introspect(answer["access_token"], caller)
    same = ("sid", "sub", "client_id", "username", "scope", "aud", "iss")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert (after["iat"], after["exp"]) == (before["iat"] + 60, before["exp"] + 60)


@pytest.mark.demand("S-11")
async def test_each_login_makes_a_new_session_and_new_tokens(
    service: Service, caller: Registered, signed_in: Json
) -> None:
    again = await service.login()

    assert again["refresh_token"] != signed_in["refresh_token"]
    assert again["access_token"] != signed_in["access_token"]
    sessions = [(await service.introspect(one["access_token"], caller))["sid"] for one in (signed_in, again)]
    assert [str(session.id) for session in await service.sessions()] == sessions
    assert len(set(sessions)) == 2


async def test_a_refresh_leaves_the_access_token_before_alive_until_it_expires(
    service: Service, caller: Registered, signed_in: Json
) -> None:
    await service.refreshed(signed_in["refresh_token"])

    assert await service.doors(signed_in["access_token"], caller) == LIVE
    service.clock.advance(seconds=299)
    assert await service.doors(signed_in["access_token"], caller) == LIVE
    service.clock.advance(seconds=1)
    assert await service.doors(signed_in["access_token"], caller) == DEAD


@pytest.mark.demand("S-18")
async def test_who_lost_the_answer_gets_the_same_successor_and_a_fresh_access_token(
    service: Service, caller: Registered, signed_in: Json
) -> None:
    lost = await service.refreshed(signed_in["refresh_token"])
    service.clock.advance(seconds=9)

    answer = await service.refreshed(signed_in["refresh_token"])

    assert answer["refresh_token"] == lost["refresh_token"]
    assert answer["access_token"] != lost["access_token"]
    assert set(answer) == TOKEN_ANSWER
    assert answer["expires_in"] == 300
    for token in (signed_in, lost, answer):
        assert await service.doors(token["access_token"], caller) == LIVE
    assert len(await service.sessions()) == 1


async def test_the_repeated_successor_is_good(service: Service, signed_in: Json) -> None:
    await service.refreshed(signed_in["refresh_token"])
    answer = await service.refreshed(signed_in["refresh_token"])
    service.clock.advance(days=1)

    assert (await service.refreshed(answer["refresh_token"]))["refresh_token"] != answer["refresh_token"]


@pytest.mark.parametrize("overlap", [1, 10, 60])
async def test_the_overlap_is_as_long_as_configured(
    service: Service, service_with: MakeService, signed_in: Json, overlap: int
) -> None:
    configured = await service_with(refresh_overlap_seconds=overlap)
    successor = (await configured.refreshed(signed_in["refresh_token"]))["refresh_token"]

    service.clock.advance(seconds=overlap, microseconds=-1)
    assert (await configured.refreshed(signed_in["refresh_token"]))["refresh_token"] == successor

    service.clock.advance(microseconds=1)
    assert_oauth_error(await configured.refresh(signed_in["refresh_token"]), 400, "invalid_grant")
    assert_oauth_error(await configured.refresh(successor), 400, "invalid_grant")


async def test_with_no_overlap_the_predecessor_is_a_replay_at_once(
    service_with: MakeService, signed_in: Json
) -> None:
    configured = await service_with(refresh_overlap_seconds=0)
    successor = await configured.refreshed(signed_in["refresh_token"])

    assert_oauth_error(await configured.refresh(signed_in["refresh_token"]), 400, "invalid_grant")
    assert_oauth_error(await configured.refresh(successor["refresh_token"]), 400, "invalid_grant")


async def test_a_repeat_does_not_lengthen_the_overlap(service: Service, signed_in: Json) -> None:
    await service.refreshed(signed_in["refresh_token"])
    service.clock.advance(seconds=9)
    await service.refreshed(signed_in["refresh_token"])
    service.clock.advance(seconds=1)

    assert_oauth_error(await service.refresh(signed_in["refresh_token"]), 400, "invalid_grant")


@pytest.mark.parametrize(
    ("first", "second"), [("/refresh", "/token"), ("/token", "/refresh"), ("/token", "/token")]
)
async def test_both_urls_turn_the_same_ratchet(
    service: Service, signed_in: Json, first: str, second: str
) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": signed_in["refresh_token"]}

    answers = [await service.post(path, **form) for path in (first, second)]

    assert [answer.status_code for answer in answers] == [200, 200]
    rotated, repeated = (answer.json() for answer in answers)
    assert set(rotated) == set(repeated) == TOKEN_ANSWER
    assert rotated["refresh_token"] == repeated["refresh_token"] != signed_in["refresh_token"]
    assert rotated["access_token"] != repeated["access_token"]


@pytest.mark.parametrize("path", ["/refresh", "/token"])
async def test_more_than_a_hundred_repeats_of_one_token_are_too_many(
    service: Service, signed_in: Json, path: str
) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": signed_in["refresh_token"]}
    successor = await service.refreshed(signed_in["refresh_token"])
    await service.alter("session", repeats=MAX_REPEATS - 1)
    assert (await service.post(path, **form)).status_code == 200
    service.clock.advance(seconds=2.5)
    before = await service.contents()

    response = await service.post(path, **form)

    assert_oauth_error(response, 429, "temporarily_unavailable")
    assert response.headers["retry-after"] == "8"
    assert await service.contents() == before
    assert (await service.refresh(successor["refresh_token"])).status_code == 200


async def test_repeats_at_the_same_moment_are_counted_one_by_one(service: Service, signed_in: Json) -> None:
    await service.refreshed(signed_in["refresh_token"])
    await service.alter("session", repeats=MAX_REPEATS - 2)

    answers = await asyncio.gather(*(service.refresh(signed_in["refresh_token"]) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] * 2 + [429] * 6
    assert [session.repeats for session in await service.sessions()] == [MAX_REPEATS]


async def test_a_rotation_begins_the_count_of_repeats_anew(service: Service, signed_in: Json) -> None:
    successor = (await service.refreshed(signed_in["refresh_token"]))["refresh_token"]
    await service.alter("session", repeats=MAX_REPEATS)
    await service.refreshed(successor)

    assert (await service.refresh(successor)).status_code == 200


@pytest.mark.parametrize("ahead", [1, 3])
async def test_a_token_ahead_of_its_row_is_taken_for_the_current_one(
    service: Service, caller: Registered, signed_in: Json, ahead: int
) -> None:
    """A restored database has lost the last rotations; whoever holds their token is the owner."""
    tokens = signed_in
    for _ in range(ahead):
        tokens = await service.refreshed(tokens["refresh_token"])
    await service.alter("session", generation=1, rotated_at=service.clock())

    answer = await service.refreshed(tokens["refresh_token"])

    assert [session.generation for session in await service.sessions()] == [ahead + 2]
    assert await service.doors(answer["access_token"], caller) == LIVE
    repeated = await service.refreshed(tokens["refresh_token"])
    assert repeated["refresh_token"] == answer["refresh_token"]


@pytest.mark.parametrize(
    ("generation_in_row", "event"),
    [
        pytest.param(2, "refresh_rotated", id="current"),
        pytest.param(3, "refresh_repeated", id="predecessor"),
        pytest.param(1, "refresh_ahead", id="ahead"),
    ],
)
async def test_each_exchange_is_audited_for_what_it_was_with_its_address(
    service: Service, signed_in: Json, generation_in_row: int, event: str
) -> None:
    token = (await service.refreshed(signed_in["refresh_token"]))["refresh_token"]
    await service.alter("session", generation=generation_in_row)

    with structlog.testing.capture_logs([add_request]) as lines:
        await service.refreshed(token)

    (session,) = await service.sessions()
    (line,) = (line for line in lines if line["event"].startswith("refresh_"))
    assert (line["event"], line["address"]) == (event, ADDRESS[0])
    assert (line["session_id"], line["generation"]) == (str(session.id), "3")
    assert line["client_id"] == "public"


async def test_a_rotation_counts_as_use_of_the_session(service: Service, signed_in: Json) -> None:
    service.clock.advance(hours=1)
    answer = await service.refreshed(signed_in["refresh_token"])
    service.clock.advance(seconds=5)
    await service.refreshed(signed_in["refresh_token"])

    (session,) = await service.sessions()
    assert session.last_used_at == service.clock()
    assert session.rotated_at == service.clock() - timedelta(seconds=5)
    assert session.created_at == service.clock() - timedelta(hours=1, seconds=5)
    assert session.access_until == service.clock() + timedelta(seconds=answer["expires_in"])
