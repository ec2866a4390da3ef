"""GET /sessions and DELETE /sessions/{id}: users see and end their own, and nobody else's."""

import pytest

from tests.fixtures.clock import START
from tests.fixtures.service import DEAD, LIVE, Json, Registered, Service

MEMBERS = {"id", "client_id", "created_at", "last_used_at", "address", "user_agent", "current"}


async def listed(service: Service, token: str, query: str = "") -> Json:
    response = await service.as_user("GET", f"/sessions{query}", token)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def ids(service: Service, token: str, query: str = "") -> list[str]:
    return [session["id"] for session in (await listed(service, token, query))["sessions"]]


async def session_of(service: Service, token: str) -> str:
    return str((await service.as_user("GET", "/me", token)).json()["session_id"])


@pytest.mark.demand("S-10")
async def test_users_see_their_own_sessions_newest_first_and_nobody_elses(service: Service) -> None:
    await service.add_account()
    await service.add_account("grace@example.com")
    app = await service.add_client()
    first = (await service.login())["access_token"]
    await service.login(username="grace@example.com")
    service.clock.advance(minutes=1)
    service.http.headers["User-Agent"] = "a phone/1.0"
    second = (await service.login(app))["access_token"]

    shown = await listed(service, first)

    assert shown == {
        "sessions": [
            {
                "id": await session_of(service, second),
                "client_id": app.id,
                "created_at": "2026-03-01T12:01:00Z",
                "last_used_at": "2026-03-01T12:01:00Z",
                "address": "192.0.2.10",
                "user_agent": "a phone/1.0",
                "current": False,
            },
            {
                "id": await session_of(service, first),
                "client_id": "public",
                "created_at": START.isoformat().replace("+00:00", "Z"),
                "last_used_at": "2026-03-01T12:00:00Z",
                "address": "192.0.2.10",
                "user_agent": shown["sessions"][1]["user_agent"],
                "current": True,
            },
        ],
        "next": None,
    }
    assert shown["sessions"][1]["user_agent"].startswith("python-httpx")


async def test_a_refresh_is_a_use_and_a_check_is_none(service: Service) -> None:
    await service.add_account()
    tokens = await service.login()
    service.clock.advance(seconds=30)
    refreshed = (await service.refresh(tokens["refresh_token"])).json()
    service.clock.advance(seconds=30)

    [session] = (await listed(service, refreshed["access_token"]))["sessions"]

    assert session["created_at"] == "2026-03-01T12:00:00Z"
    assert session["last_used_at"] == "2026-03-01T12:00:30Z"


@pytest.mark.demand("S-16")
async def test_a_listing_holds_no_token_and_nothing_to_make_one_from(service: Service) -> None:
    await service.add_account()
    tokens = await service.login()
    later = (await service.refresh(tokens["refresh_token"])).json()

    response = await service.as_user("GET", "/sessions", later["access_token"])

    assert [set(session) for session in response.json()["sessions"]] == [MEMBERS]
    assert "asvc_" not in response.text
    for each in (tokens, later):
        assert each["access_token"] not in response.text
        assert each["refresh_token"] not in response.text
    assert response.headers["cache-control"] == "no-store"


async def test_only_live_sessions_are_listed(service: Service) -> None:
    await service.add_account()
    idle = await service.login()
    service.clock.advance(days=13)
    ended = (await service.login())["access_token"]
    await service.as_user("POST", "/logout", ended)
    service.clock.advance(days=1)
    token = (await service.login())["access_token"]

    assert await ids(service, token) == [await session_of(service, token)]
    assert (await service.refresh(idle["refresh_token"])).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
async def test_pages_together_show_every_session_once_newest_first(service: Service, limit: int) -> None:
    await service.add_account()
    tokens = [(await service.login())["access_token"] for _ in range(5)]
    expected = [await session_of(service, token) for token in reversed(tokens)]

    seen: list[str] = []
    query = f"?limit={limit}"
    while True:
        page = await listed(service, tokens[0], query)
        assert len(page["sessions"]) <= limit
        seen += [session["id"] for session in page["sessions"]]
        if page["next"] is None:
            break
        assert len(page["sessions"]) == limit
        query = f"?limit={limit}&after={page['next']}"

    assert seen == expected


@pytest.mark.parametrize(
    "query", ["?limit=0", "?limit=101", "?limit=-1", "?limit=x", "?limit=1e3", "?after=x", "?after=%00"]
)
async def test_a_page_that_cannot_be_is_422_and_repeats_no_input(service: Service, query: str) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]

    response = await service.as_user("GET", f"/sessions{query}", token)

    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"] == f"Not acceptable: {query[1:].partition('=')[0]}."


@pytest.mark.demand("S-10", "S-13")
async def test_a_user_ends_one_session_and_the_others_go_on(service: Service, caller: Registered) -> None:
    await service.add_account()
    mine, lost, other = [await service.login() for _ in range(3)]
    lost_id = await session_of(service, lost["access_token"])

    response = await service.as_user("DELETE", f"/sessions/{lost_id}", mine["access_token"])

    assert response.status_code == 204
    assert response.content == b""
    assert await service.doors(lost["access_token"], caller) == DEAD
    assert (await service.refresh(lost["refresh_token"])).json()["error"] == "invalid_grant"
    for kept in (mine, other):
        assert await service.doors(kept["access_token"], caller) == LIVE
        assert (await service.refresh(kept["refresh_token"])).status_code == 200
    assert lost_id not in await ids(service, mine["access_token"])


async def test_a_user_may_end_the_session_that_asks(service: Service, caller: Registered) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]

    response = await service.as_user("DELETE", f"/sessions/{await session_of(service, token)}", token)

    assert response.status_code == 204
    assert await service.doors(token, caller) == DEAD


@pytest.mark.demand("S-10")
async def test_anothers_session_is_404_and_goes_on(service: Service, caller: Registered) -> None:
    await service.add_account()
    await service.add_account("grace@example.com")
    mine = (await service.login())["access_token"]
    hers = await service.login(username="grace@example.com")
    before = await service.contents()

    theirs = await service.as_user(
        "DELETE", f"/sessions/{await session_of(service, hers['access_token'])}", mine
    )
    nobodys = await service.as_user("DELETE", "/sessions/0198d7a5-0000-7000-8000-000000000000", mine)

    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.content == nobodys.content
    assert await service.contents() == before
    assert await service.doors(hers["access_token"], caller) == LIVE


async def test_a_session_that_has_ended_is_404(service: Service) -> None:
    await service.add_account()
    mine, other = (await service.login())["access_token"], (await service.login())["access_token"]
    path = f"/sessions/{await session_of(service, other)}"
    assert (await service.as_user("DELETE", path, mine)).status_code == 204

    assert (await service.as_user("DELETE", path, mine)).status_code == 404


@pytest.mark.parametrize(
    "malformed", ["x", "1", "%00", "%FF", "' OR 1=1", "0198d7a5-0000-7000-8000", "x" * 2000]
)
async def test_a_malformed_id_is_404(service: Service, malformed: str) -> None:
    await service.add_account()
    token = (await service.login())["access_token"]
    before = await service.contents()

    response = await service.as_user("DELETE", f"/sessions/{malformed}", token)

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"] == "You have no such session."
    assert await service.contents() == before


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("whose", ["a user's without the scope", "a client's own"])
async def test_it_takes_a_users_token_with_the_scope_account(
    service: Service, method: str, whose: str
) -> None:
    client = await service.add_client()
    await service.add_account()
    user_token = (await service.login(client, scope="read"))["access_token"]
    session_id = await session_of(service, user_token)
    token = (
        user_token
        if whose == "a user's without the scope"
        else await service.client_token(client, scope="account")
    )
    path = "/sessions" if method == "GET" else f"/sessions/{session_id}"

    response = await service.as_user(method, path, token)

    assert response.status_code == 403
    assert 'error="insufficient_scope"' in response.headers["www-authenticate"]
    assert (await service.as_user("GET", "/me", user_token)).status_code == 200
