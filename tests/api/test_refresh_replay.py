"""POST /refresh: a token presented again after the overlap is in two hands, and its session ends."""

import pytest
import structlog

from tests.fixtures.answers import assert_oauth_error
from tests.fixtures.service import DEAD, LIVE, Json, Registered, Service


async def chain(service: Service, signed_in: Json, length: int) -> list[Json]:
    """The answers of a login and *length* refreshes."""
    answers = [signed_in]
    for _ in range(length):
        answers.append(await service.refreshed(answers[-1]["refresh_token"]))
    return answers


@pytest.mark.demand("S-02")
async def test_a_replay_after_the_overlap_ends_the_session_and_all_its_tokens(
    service: Service, caller: Registered, signed_in: Json
) -> None:
    answers = await chain(service, signed_in, 2)
    service.clock.advance(seconds=10)

    assert_oauth_error(await service.refresh(answers[1]["refresh_token"]), 400, "invalid_grant")

    for answer in answers:
        assert await service.doors(answer["access_token"], caller) == DEAD
        assert_oauth_error(await service.refresh(answer["refresh_token"]), 400, "invalid_grant")
    assert [session.ended_at for session in await service.sessions()] == [service.clock()]


async def test_a_replay_leaves_every_other_session_alone(
    service: Service, caller: Registered, signed_in: Json
) -> None:
    other = await service.login()
    await chain(service, signed_in, 1)
    service.clock.advance(seconds=10)

    assert_oauth_error(await service.refresh(signed_in["refresh_token"]), 400, "invalid_grant")

    assert await service.doors(other["access_token"], caller) == LIVE
    assert (await service.refresh(other["refresh_token"])).status_code == 200


@pytest.mark.parametrize("generation", [0, 1, 2])
async def test_an_older_generation_ends_the_session_even_inside_the_overlap(
    service: Service, caller: Registered, signed_in: Json, generation: int
) -> None:
    answers = await chain(service, signed_in, 4)

    assert_oauth_error(await service.refresh(answers[generation]["refresh_token"]), 400, "invalid_grant")

    assert await service.doors(answers[-1]["access_token"], caller) == DEAD
    assert_oauth_error(await service.refresh(answers[-1]["refresh_token"]), 400, "invalid_grant")


@pytest.mark.demand("S-12")
async def test_tokens_rotated_within_one_second_are_still_known_to_be_replayed(
    service: Service, caller: Registered, signed_in: Json
) -> None:
    answers = [signed_in]
    for _ in range(2):
        service.clock.advance(milliseconds=1)
        answers.append(await service.refreshed(answers[-1]["refresh_token"]))

    assert_oauth_error(await service.refresh(answers[0]["refresh_token"]), 400, "invalid_grant")

    assert await service.doors(answers[-1]["access_token"], caller) == DEAD
    assert_oauth_error(await service.refresh(answers[-1]["refresh_token"]), 400, "invalid_grant")


async def test_a_replay_at_the_token_endpoint_ends_the_session_too(
    service: Service, caller: Registered, signed_in: Json
) -> None:
    answers = await chain(service, signed_in, 2)

    response = await service.post(
        "/token", grant_type="refresh_token", refresh_token=signed_in["refresh_token"]
    )

    assert_oauth_error(response, 400, "invalid_grant")
    assert await service.doors(answers[-1]["access_token"], caller) == DEAD


async def test_a_replay_that_asks_for_too_much_scope_is_a_replay_all_the_same(
    service: Service, caller: Registered, signed_in: Json
) -> None:
    answers = await chain(service, signed_in, 2)

    assert_oauth_error(
        await service.refresh(signed_in["refresh_token"], scope="account admin"), 400, "invalid_grant"
    )

    assert await service.doors(answers[-1]["access_token"], caller) == DEAD


async def test_after_the_replay_the_session_ends_only_once(service: Service, signed_in: Json) -> None:
    await chain(service, signed_in, 2)
    await service.refresh(signed_in["refresh_token"])
    before = await service.contents()
    service.clock.advance(seconds=1)

    assert_oauth_error(await service.refresh(signed_in["refresh_token"]), 400, "invalid_grant")

    assert await service.contents() == before


async def test_a_replay_is_told_nothing_that_an_unknown_token_is_not(
    service: Service, signed_in: Json
) -> None:
    await chain(service, signed_in, 2)
    replayed = await service.refresh(signed_in["refresh_token"])
    unknown = await service.refresh("asvc_rt_" + "A" * 80)

    assert (replayed.status_code, replayed.json()) == (unknown.status_code, unknown.json())


async def test_a_replay_is_audited_and_names_no_token(service: Service, signed_in: Json) -> None:
    answers = await chain(service, signed_in, 2)
    (session,) = await service.sessions()

    with structlog.testing.capture_logs() as lines:
        await service.refresh(signed_in["refresh_token"])

    events = [line for line in lines if line["event"] in {"refresh_replayed", "session_ended"}]
    assert [(line["event"], line["session_id"]) for line in events] == [
        ("refresh_replayed", str(session.id)),
        ("session_ended", str(session.id)),
    ]
    assert events[1]["reason"] == "refresh_token_replayed"
    assert not any(answer["refresh_token"][:40] in str(lines) for answer in answers)
