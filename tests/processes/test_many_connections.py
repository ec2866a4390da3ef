"""Sixty-four connections at once, steadily: nobody is refused and nobody is dropped."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests.fixtures.crowd import Crowd
from tests.fixtures.installation import Installer

CONNECTIONS = 64
SECONDS = 10
SESSIONS = 8
REFRESHES = 30  # an opaque access token lives through 31 of its session


@pytest.fixture(params=["jwt", "opaque"])
def crowd(request: pytest.FixtureRequest, installer: Installer) -> Iterator[Crowd]:
    with installer.installed("postgres", TOKEN_FORMAT=request.param) as made:
        yield Crowd.around(made, [made.start("serve")])


@pytest.mark.demand("F-11")
def test_sixty_four_connections_for_ten_seconds(crowd: Crowd, capsys: pytest.CaptureFixture[str]) -> None:
    sessions = [crowd.login(crowd.servers[0]) for _ in range(SESSIONS)]

    answers, broken = asyncio.run(_ask_for_a_while(crowd, sessions))

    with capsys.disabled():
        print(f"\n{CONNECTIONS} connections, {SECONDS} s: {dict(answers)}, {len(broken)} broken")
    assert broken == []
    assert {status for _, status in answers} == {200}
    assert {path for path, _ in answers} == {"/introspect", "/verify", "/me", "/refresh"}


async def _ask_for_a_while(
    crowd: Crowd, sessions: list[dict[str, str]]
) -> tuple[Counter[tuple[str, int]], list[str]]:
    """Count the answers by path and status; name what was no answer."""
    answers: Counter[tuple[str, int]] = Counter()
    broken: list[str] = []
    until = time.monotonic() + SECONDS

    async def one(number: int) -> None:
        tokens = sessions[number % SESSIONS]
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        # One connection each, kept from the first request to the last.
        limits = httpx.Limits(max_connections=1)
        url = crowd.servers[0].url
        async with httpx.AsyncClient(base_url=url, trust_env=False, limits=limits, timeout=30) as http:
            # The first of every session refreshes its token now and then; the others ask.
            refresh_token = tokens["refresh_token"]
            next_refresh = time.monotonic() if number < SESSIONS else until
            while (now := time.monotonic()) < until:
                try:
                    responses = [
                        await http.get("/verify", headers=bearer),
                        await http.get("/me", headers=bearer),
                        await http.post(
                            "/introspect", data={"token": tokens["access_token"]}, auth=crowd.caller
                        ),
                    ]
                    if now >= next_refresh:
                        next_refresh += SECONDS / REFRESHES
                        refreshed = await http.post("/refresh", data={"refresh_token": refresh_token})
                        responses.append(refreshed)
                        refresh_token = refreshed.json().get("refresh_token", refresh_token)
                except httpx.TransportError as error:
                    broken.append(repr(error))
                    return
                answers.update((response.request.url.path, response.status_code) for response in responses)

    await asyncio.gather(*map(one, range(CONNECTIONS)))
    return answers, broken
