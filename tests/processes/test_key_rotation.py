"""Keys and secrets change under two `authsvc serve` that are in use, and nobody notices."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.fixtures.crowd import Crowd
from tests.fixtures.database import in_database
from tests.fixtures.forge import part_of
from tests.fixtures.installation import SECRET, Installation, Installer
from tests.fixtures.process import ServerProcess

NEW_SECRET = "the next secret of installations under test"
ROUNDS = 3000
FORMATS = ("jwt", "opaque")

Json = dict[str, Any]


@pytest.fixture
def installation(installer: Installer) -> Iterator[Installation]:
    with installer.installed("postgres") as made:
        yield made


def kid_of(token: str) -> str:
    return str(part_of(token, 0)["kid"])


def published(server: ServerProcess) -> set[str]:
    return {key["kid"] for key in server.http.get("/.well-known/jwks.json").json()["keys"]}


def make_rotation_due(installation: Installation) -> None:
    """As if the keys had been made 91 days ago."""
    earlier = ", ".join(f"{name} = {name} - interval '91 days'" for name in ("created_at", "signs_from"))
    in_database(
        installation.database_url,
        lambda connection: connection.exec_driver_sql(f"UPDATE signing_key SET {earlier}"),  # noqa: S608 - of the names above
    )


@pytest.mark.demand("F-12")
def test_a_rotation_by_itself_is_seen_by_no_request_at_either_of_two_processes(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    two = Crowd.around(installation, [installation.start("serve"), installation.start("serve")])
    old = [two.login(server)["access_token"] for server in two.servers]
    old_kid = kid_of(old[0])

    def use(server: ServerProcess) -> list[int]:
        """Log in once, and refresh and check until a new key signs here; the statuses of all answers."""
        statuses, tokens = [], two.login(server)
        for _ in range(ROUNDS):
            refreshed = server.http.post("/refresh", data={"refresh_token": tokens["refresh_token"]})
            statuses.append(refreshed.status_code)
            tokens = refreshed.json()
            for asked in two.servers:
                form = {"token": tokens["access_token"]}
                with httpx.Client(base_url=asked.url, auth=two.caller, trust_env=False) as http:
                    answer = http.post("/introspect", data=form)
                statuses.append(answer.status_code if answer.json()["active"] else 0)
            if kid_of(tokens["access_token"]) != old_kid:
                return statuses
        raise AssertionError("no other key signs")

    with ThreadPoolExecutor(2) as users:
        using = [users.submit(use, server) for server in two.servers]
        make_rotation_due(installation)
        statuses = [status for user in using for status in user.result()]

    with capsys.disabled():
        print(
            f"\n{len(statuses)} answers while the keys rotated, {len(statuses) - statuses.count(200)} errors"
        )
    assert set(statuses) == {200}
    new = [two.login(server)["access_token"] for server in two.servers]
    [new_kid] = {kid_of(token) for token in new}
    assert new_kid != old_kid
    for server in two.servers:
        assert {old_kid, new_kid} < published(server)
        assert two.at(server).live([*old, *new]) == [True] * 4


@pytest.mark.timeout(180)
def test_sessions_live_through_a_change_of_the_secret_in_three_deploys(installation: Installation) -> None:
    """Two instances hold different secrets at any time; one issues JWTs, the other opaque tokens."""
    caller = installation.add_caller()
    installation.add_account()
    appended = installation.having(SECRET_KEYS=f"{SECRET},{NEW_SECRET}")
    moved = installation.having(SECRET_KEYS=f"{NEW_SECRET},{SECRET}")
    removed = installation.having(SECRET_KEYS=NEW_SECRET)

    with serving(installation, appended, caller) as crowd:
        sessions = go_on(crowd, [])
    with serving(appended, moved, caller) as crowd:
        sessions = go_on(crowd, sessions)

    assert doctors_word(moved, "signing keys").endswith(
        "2 still need an older secret: authsvc keys reencrypt"
    )
    assert moved.run("keys", "reencrypt", "--json").json() == {"keys": 2}
    assert "older" not in doctors_word(moved, "signing keys")
    assert doctors_word(moved, "secrets").endswith("1 open sessions still need an older one")
    with serving(moved, removed, caller) as crowd:
        sessions = [refreshed(crowd.servers[0], session) for session in sessions]
        assert "older" not in doctors_word(moved, "secrets")
        sessions = go_on(crowd, sessions)

    assert len(sessions) == 6
    assert doctors_word(removed, "secrets") == "1 configured, every open session's among them"


@contextmanager
def serving(one: Installation, other: Installation, caller: httpx.BasicAuth) -> Iterator[Crowd]:
    """An instance of each, which end in order."""
    started = [
        made.having(TOKEN_FORMAT=name).start("serve")
        for made, name in zip((one, other), FORMATS, strict=True)
    ]
    yield Crowd([server.wait_until_serving() for server in started], one.database_url, caller)
    assert [server.stop() for server in started] == [0, 0]


def go_on(crowd: Crowd, sessions: list[Json]) -> list[Json]:
    """Use every session at both instances and begin one at each; all access tokens are live at both."""
    now = [exchange(crowd, session) for session in sessions] + [
        crowd.login(server) for server in crowd.servers
    ]
    tokens = [session["access_token"] for session in (*sessions, *now)]
    for server in crowd.servers:
        assert crowd.at(server).live(tokens) == [True] * len(tokens)
    return now


def exchange(crowd: Crowd, session: Json) -> Json:
    """Refresh at both instances in turn; each time the answer is lost, and asked for at the other."""
    for servers in (crowd.servers, crowd.servers[::-1]):
        session, again = (refreshed(server, session) for server in servers)
        assert again["refresh_token"] == session["refresh_token"]
    return session


def refreshed(server: ServerProcess, session: Json) -> Json:
    response = server.http.post("/refresh", data={"refresh_token": session["refresh_token"]})
    assert response.status_code == 200, response.text
    return dict(response.json())


def doctors_word(installation: Installation, subject: str) -> str:
    """What the doctor says of it; that nothing serves at the issuer's URL is its own affair."""
    findings = json.loads(installation.run("doctor", "--json").stdout)
    [word] = [finding["what"] for finding in findings if finding["subject"] == subject]
    return str(word)
