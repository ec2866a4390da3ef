"""P15: whatever is asked of a token, the answer is the same before a clean-up and after it."""

import random
from typing import Any

from tests.conftest import MakeService
from tests.fixtures.service import Json, Registered, Service

# Short lives, so that a few hundred steps see every kind of end.
SETTINGS: dict[str, Any] = {
    "access_token_seconds": 60,
    "session_idle_seconds": 400,
    "session_max_seconds": 900,
    "sessions_per_account": 4,
}
STEPS = 120


async def test_a_clean_up_changes_no_answer_at_any_moment_of_random_lives(
    service: Service, service_with: MakeService
) -> None:
    chance = random.Random(1)  # noqa: S311 - cases, no secrets
    short = await service_with(**SETTINGS)
    caller = await service.add_client(may_introspect=True)
    await service.add_account()
    issued: list[Json] = [await short.login()]
    removed = 0
    for step in range(STEPS):
        await live_on(short, chance, issued)
        if step % 20 == 0:
            recent = issued[-10:]
            before = [await answers(short, tokens, caller) for tokens in recent]
            removed += sum((await short.stack.services.clean_up.whole(lambda _: None)).values())
            assert [await answers(short, tokens, caller) for tokens in recent] == before

    assert removed > 10


async def live_on(service: Service, chance: random.Random, issued: list[Json]) -> None:
    """One step of somebody's life."""
    tokens = chance.choice(issued[-10:])
    service.clock.advance(seconds=chance.choice([0, 1, 5, 20, 60, 120]))
    match chance.randrange(6):
        case 0 | 1:
            issued.append(await service.login())
        case 2 | 3:
            refreshed = await service.refresh(tokens["refresh_token"])
            issued += [refreshed.json()] if refreshed.status_code == 200 else []
        case 4:
            await service.post("/logout", refresh_token=tokens["refresh_token"])
        case _:
            await service.post("/revoke", token=tokens["access_token"], client_id="public")


async def answers(service: Service, tokens: Json, caller: Registered) -> list[object]:
    """What is said of the access token, by doors that change nothing."""
    me = await service.as_user("GET", "/me", tokens["access_token"])
    return [await service.introspect(tokens["access_token"], caller), me.status_code]
