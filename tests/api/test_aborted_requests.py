"""Requests given up half-way: nobody else is ever handed the answer that was meant for them."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import pytest

from tests.fixtures.service import Json, Registered, Service

# A request takes some dozens of turns of the event loop, so each is given up in another place.
TURNS = range(1, 81, 3)


async def give_up(request: Coroutine[Any, Any, Any], *, after: int) -> None:
    """Begin *request* and cancel it after so many turns of the event loop."""
    task = asyncio.ensure_future(request)
    for _ in range(after):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture
async def people(service: Service) -> dict[str, Json]:
    """What three accounts got at login; the session of the third has ended."""
    tokens: dict[str, Json] = {}
    for name in ("ada", "grace", "alan"):
        await service.add_account(name)
        tokens[name] = await service.login(username=name)
    await service.as_user("POST", "/logout", tokens["alan"]["access_token"])
    return tokens


@pytest.mark.demand("S-17")
async def test_a_check_given_up_leaves_its_answer_to_nobody(
    service: Service, caller: Registered, people: dict[str, Json]
) -> None:
    for turns in TURNS:
        aborted = "ada" if turns % 2 else "alan"
        await give_up(service.introspect(people[aborted]["access_token"], caller), after=turns)

        grace = await service.introspect(people["grace"]["access_token"], caller)
        alan = await service.introspect(people["alan"]["access_token"], caller)

        assert grace.get("username") == "grace", f"given up after {turns} turns"
        assert alan == {"active": False}, f"given up after {turns} turns"


@pytest.mark.demand("S-17")
async def test_checks_given_up_beside_others_do_not_mix_the_answers(
    service: Service, caller: Registered, people: dict[str, Json]
) -> None:
    for turns in TURNS:
        doomed = give_up(service.introspect(people["ada"]["access_token"], caller), after=turns)
        kept = [service.introspect(people[name]["access_token"], caller) for name in people]

        _, *answers = await asyncio.gather(doomed, *kept)

        names = [None if answer is None else answer.get("username") for answer in answers]
        assert names == ["ada", "grace", None], f"given up after {turns} turns"


@pytest.mark.demand("S-17")
async def test_a_refresh_given_up_can_be_made_again(service: Service, people: dict[str, Json]) -> None:
    token = people["ada"]["refresh_token"]
    for turns in TURNS:
        await give_up(service.refresh(token), after=turns)

        again = await service.refresh(token)

        assert again.status_code == 200, f"given up after {turns} turns: {again.text}"
        token = again.json()["refresh_token"]
    grace = await service.as_user("GET", "/me", people["grace"]["access_token"])
    assert grace.json()["username"] == "grace"


@pytest.mark.demand("S-17")
async def test_a_logout_given_up_and_made_again_has_ended_the_session(
    service: Service, caller: Registered, people: dict[str, Json]
) -> None:
    for turns in TURNS[::3]:
        tokens = await service.login(username="ada")
        await give_up(service.as_user("POST", "/logout", tokens["access_token"]), after=turns)

        response = await service.as_user("POST", "/logout", tokens["access_token"])

        assert response.status_code == 204, f"given up after {turns} turns"
        assert not await service.is_live(tokens["access_token"], caller), f"given up after {turns} turns"
        assert await service.is_live(people["grace"]["access_token"], caller)
