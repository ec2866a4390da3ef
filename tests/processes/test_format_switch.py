"""A restart with the other `AUTHSVC_TOKEN_FORMAT` logs nobody out, and what ends then ends in both (P5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.fixtures.installation import Installer
from tests.fixtures.process import ServerProcess
from tests.fixtures.service import PASSWORD, USERNAME

OTHER = {"jwt": "opaque", "opaque": "jwt"}


@dataclass(frozen=True)
class Switched:
    """A server that issues the other format now, and sessions that began before."""

    server: ServerProcess
    caller: httpx.BasicAuth
    sessions: list[dict[str, Any]]
    issues_jwt: bool

    def is_live(self, access_token: str) -> bool:
        response = self.server.http.post("/introspect", data={"token": access_token}, auth=self.caller)
        return bool(response.json()["active"])

    def take_session(self) -> tuple[str, str]:
        """A session that no other test uses: its access token and its refresh token."""
        tokens = self.sessions.pop()
        assert self.is_live(tokens["access_token"])
        return tokens["access_token"], tokens["refresh_token"]

    def is_of_today(self, access_token: str) -> bool:
        return (access_token.count(".") == 2) is self.issues_jwt


@pytest.fixture(scope="module", params=["jwt", "opaque"], ids=["from jwt", "from opaque"])
def switched(request: pytest.FixtureRequest, installer: Installer) -> Iterator[Switched]:
    before, now = request.param, OTHER[request.param]
    with installer.installed("postgres", TOKEN_FORMAT=before) as made:
        server = made.start("serve")
        made.add_account()
        caller = made.add_caller()
        login = {"username": USERNAME, "password": PASSWORD}
        server.wait_until_serving()
        sessions = [server.http.post("/login", data=login).json() for _ in range(6)]
        assert server.stop() == 0

        restarted = made.having(TOKEN_FORMAT=now).start("serve").wait_until_serving()

        yield Switched(restarted, caller, sessions, issues_jwt=now == "jwt")


def test_what_is_issued_now_is_of_the_other_format(switched: Switched) -> None:
    login = {"username": USERNAME, "password": PASSWORD}

    access_token = switched.server.http.post("/login", data=login).json()["access_token"]

    assert switched.is_of_today(access_token)
    assert switched.is_live(access_token)


def test_an_access_token_of_before_is_live(switched: Switched) -> None:
    access_token, _ = switched.take_session()

    assert not switched.is_of_today(access_token)
    me = switched.server.http.get("/me", headers={"Authorization": f"Bearer {access_token}"})
    assert (me.status_code, me.json()["username"]) == (200, USERNAME)


def test_a_refresh_token_of_before_is_exchanged_for_the_other_format(switched: Switched) -> None:
    old, refresh_token = switched.take_session()

    refreshed = switched.server.http.post("/refresh", data={"refresh_token": refresh_token})

    assert refreshed.status_code == 200
    assert switched.is_of_today(refreshed.json()["access_token"])
    assert switched.is_live(refreshed.json()["access_token"])
    assert switched.is_live(old)


def test_a_session_of_both_formats_is_dead_in_both_after_its_logout(switched: Switched) -> None:
    old, refresh_token = switched.take_session()
    new = switched.server.http.post("/refresh", data={"refresh_token": refresh_token}).json()["access_token"]

    logged_out = switched.server.http.post("/logout", headers={"Authorization": f"Bearer {old}"})

    assert logged_out.status_code == 204
    assert not switched.is_live(old)
    assert not switched.is_live(new)


def test_an_access_token_of_before_can_be_revoked_alone(switched: Switched) -> None:
    access_token, refresh_token = switched.take_session()

    revoked = switched.server.http.post("/revoke", data={"token": access_token, "client_id": "public"})

    assert revoked.status_code == 200
    assert not switched.is_live(access_token)
    assert switched.server.http.post("/refresh", data={"refresh_token": refresh_token}).status_code == 200


def test_a_refresh_token_of_before_can_be_revoked_with_its_session(switched: Switched) -> None:
    access_token, refresh_token = switched.take_session()

    revoked = switched.server.http.post("/revoke", data={"token": refresh_token, "client_id": "public"})

    assert revoked.status_code == 200
    assert not switched.is_live(access_token)
    refused = switched.server.http.post("/refresh", data={"refresh_token": refresh_token})
    assert refused.json()["error"] == "invalid_grant"
